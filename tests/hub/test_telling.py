"""Understands that a sender hears of everything at once, and where in what was sent each fault stands."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from adapters.base import Adapter
from adapters.json_table import JsonTable
from hub.errors import Finding, HubError
from hub.kit import homes
from hub.kit.checked import loaded
from hub.message import walk
from hub.telling import in_place, told_whole
from mappings.fields import Kind

HUB = loaded()
PLAIN = {one.name: one for one in HUB.registry.adapters if one.name.startswith("json:")}
HOMES = {home.name: home for home in homes.ours(PLAIN)}
Told = list[tuple[str, str, int | None, int | None]]


def example(folder: str, name: str) -> bytes:
    return next(path for path in HOMES[folder].examples if path.name == name).read_bytes()


def told(adapter: Adapter, body: bytes) -> Told:
    spec = HUB.types[adapter.type]
    try:
        record = adapter.parse(body)
    except HubError as refused:
        found = told_whole(adapter, spec, body, refused).findings
    else:
        found = tuple(in_place(adapter, body, spec.check(record.fields)))
    return [(one.at, one.rule, one.line, one.column) for one in found]


BRIK = example("brik_xml", "kartlegging.xml")


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        ({b"03899141236": b"03899141237"}, [("/Kartlegging/Person/Id", "checksum", 8, 5)]),
        ({b"<Sum>22": b"<Sum>23"}, [("/Kartlegging/Rus/Audit/Sum", "sum", 88, 7)]),
        (
            {b"<Svar>2</Svar>\n      <Sum>22": b"<Svar>3</Svar>\n      <Sum>23"},
            [("/Kartlegging/Rus/Audit/Svar[10]", "items", 87, 7)],
        ),
        (  # the format's own fault and the type's, together
            {b"03899141236": b"03899141237", b"<Enhet>": b"<Nytt>x</Nytt><Enhet>"},
            [("/Kartlegging/?", "unknown-element", 11, 3), ("/Kartlegging/Person/Id", "checksum", 8, 5)],
        ),
        (  # what is refused is not asked again, and how values go together neither
            {b"<Sum>22": b"<Sum>x", b"<Status>gjennomfort": b"<Status>borte"},
            [
                ("/Kartlegging/Tilbud/Status", "enumeration-valid", 15, 5),
                ("/Kartlegging/Rus/Audit/Sum", "datatype-valid-1-2-1", 88, 7),
            ],
        ),
    ],
)  # fmt: skip  # one case, one place
def test_brik_tells_all_of_it_with_line_and_column(spoiled: dict[bytes, bytes], says: Told) -> None:
    body = BRIK
    for right, wrong in spoiled.items():
        assert right in body
        body = body.replace(right, wrong, 1)

    assert told(HUB.registry.by_name("brik-xml"), body) == says


DIALOG = HUB.registry.by_name("kith-dialog-1.1")
NOTE = example("kith_dialog", "alt-1.1-1.xml").decode()
_PATIENT = "/MsgHead/MsgInfo/Patient"


def test_a_kith_message_tells_of_a_value_beside_what_its_format_refuses_at_the_element_of_the_value() -> None:
    """A name is of two elements, and is told at one of them."""
    before, patient, after = NOTE.partition("<Patient>")
    line = before.count("\n") + 2
    name = re.sub("(?<=<FamilyName>)[^<]*", "x" * 300, after, count=1)

    assert told(DIALOG, (before + patient + name).encode()) == [
        (f"{_PATIENT}/GivenName", "too-long", line + 1, 7)
    ]
    refused = name.replace("<Ident>", "<Fagsystem/><Ident>", 1)
    assert told(DIALOG, (before + patient + refused).encode()) == [
        (f"{_PATIENT}/?", "unknown-element", line + 2, 7),
        (f"{_PATIENT}/GivenName", "too-long", line + 1, 7),
    ]


HERE, BESIDE, UNPLACED = Finding("/a", "r", "e", 2, 3), Finding("/b", "s", "f", 2, 4), Finding("/c", "t", "g")


def test_of_one_element_that_two_fields_carry_everything_is_told_once() -> None:
    body = example("apprec", "apprec-1.1.xml")
    number = re.findall(rb"<Id>([^<]+)</Id>", body)[-1]
    longer = body.replace(number, b"x" * 101)
    adapter = HUB.registry.by_name("apprec-1.1")

    found = told(adapter, longer)

    assert [(at, rule) for at, rule, _, _ in found] == [("/AppRec/OriginalMsgId/Id", "too-long")]


ALSO: list[tuple[list[Finding], list[Finding]]] = [
    ([], [HERE]),
    ([BESIDE, UNPLACED], [HERE, BESIDE, UNPLACED]),
    ([Finding("/a", "other", "e")], [HERE]),
    ([Finding("/a/?", "other", "e", 2, 3)], [HERE]),
    ([Finding("/a/?", "other", "e", 3, 2)], [HERE, Finding("/a/?", "other", "e", 3, 2)]),
]


@pytest.mark.parametrize(("also", "expected"), ALSO)
def test_what_stands_where_something_was_said_is_not_said_again(
    also: list[Finding], expected: list[Finding]
) -> None:
    plain = replace(DIALOG, partly=None)
    refused = HubError("parse.invalid", [HERE])

    whole = told_whole(plain, HUB.types[plain.type], b"", refused, lambda: also)

    assert (whole.code, list(whole.findings)) == ("parse.invalid", expected)


@pytest.mark.parametrize("code", ["parse.malformed", "parse.forbidden-construct", "consent.not-evaluable"])
def test_of_what_is_not_even_a_document_nothing_more_is_asked(code: str) -> None:
    def never(*_: object) -> Any:
        raise AssertionError("asked")

    refused = HubError(code, [HERE])

    asking = replace(DIALOG, partly=never, locate=never)
    assert told_whole(asking, HUB.types[DIALOG.type], b"", refused, never) is refused


def test_another_root_has_nothing_more_to_tell() -> None:
    assert told(HUB.registry.by_name("brik-xml"), b"<a/>") == [("/", "root", None, None)]


def _reads(adapter: Adapter, body: bytes) -> bool:
    try:
        adapter.parse(body)
    except HubError:
        return False
    return True


ELSEWHERE = {
    (
        "digisos-soknad",
        "melding.sendt",
    ): "taken from the time of the application, where the hub's own key is not",
    ("digisos-soker", "melding.sendt"): "taken from the last event",
    **{
        (name, "person.navn"): "made of two elements; the whole name stands in the text of a note only"
        for name in ("kith-dialog-1.0", "kith-dialog-1.1", "nav-dialog-1.0", "nav-dialog-1.1")
    },
}
LOCATING = [one for one in HUB.registry.adapters if one.locate is not None and "fhir" not in one.name]
"""FHIR says much by URIs and in narratives: tests/adapters/test_fhir_places.py has its places."""


def test_every_format_can_tell_where_a_value_stands() -> None:
    assert [one.name for one in HUB.registry.adapters if one.locate is None] == []


@pytest.mark.parametrize("adapter", LOCATING, ids=lambda one: one.name)
def test_every_value_that_stands_in_a_document_once_is_found_there(adapter: Adapter) -> None:
    """The place is the start of the element, or of the JSON value, that says it."""
    home = next(home for home in HOMES.values() if adapter in home.adapters)
    assert adapter.locate is not None
    bodies = [path.read_bytes() for path in home.examples]
    for body in bodies if not adapter.media_type.endswith("zip") else ():
        if not _reads(adapter, body):
            continue
        text = body.decode()
        known = {
            at: value
            for at, value in walk(adapter.parse(body).fields)
            if _once(value, text) and (adapter.name, at) not in ELSEWHERE
        }
        placed = adapter.locate(body, [Finding(at, "rule", "something") for at in known])
        assert len(known) > 3
        wrong = [at for (at, value), there in zip(known.items(), placed, strict=True)
                 if not _begins(text, there, value)]  # fmt: skip  # two lines are enough
        assert wrong == []


def _once(value: object, text: str) -> bool:
    return isinstance(value, str) and len(value) > 3 and text.count(value) == 1


def _begins(text: str, there: Finding, value: str) -> bool:
    assert there.line is not None
    assert there.column is not None
    between = text[_offset(text, there.line, there.column) : text.index(value)]
    return between.count("<") == 1 if text.startswith("<") else between in ("", '"')


@pytest.mark.parametrize("adapter", LOCATING, ids=lambda one: one.name)
def test_a_text_that_is_too_long_is_told_where_it_is(adapter: Adapter) -> None:
    home = next(home for home in HOMES.values() if adapter in home.adapters)
    spec = HUB.types[adapter.type]
    for body in [path.read_bytes() for path in home.examples if not adapter.media_type.endswith("zip")]:
        if not _reads(adapter, body):
            continue
        text = body.decode()
        for at, value in walk(adapter.parse(body).fields):
            field = spec.by_path[re.sub(r"\[[0-9]+\]", "", at)]
            if field.kind is not Kind.TEXT or not field.most or field.most > 5000:
                continue
            if not _once(value, text) or (adapter.name, at) in ELSEWHERE:
                continue
            found = told(adapter, text.replace(value, "x" * (field.most + 1)).encode())
            lines = {text[: text.index(value)].count("\n") + 1 - back for back in (0, 1)}
            assert {line for _, _, line, _ in found} <= lines, at
            assert found, at
            break


def _offset(text: str, line: int, column: int) -> int:
    begins = 0
    for _ in range(line - 1):
        begins = text.index("\n", begins) + 1
    return begins + column - 1


PLACES = (
    "person.id",
    "seksjoner[1].tekst",
    "seksjoner[0].tittel",
    "kommuner[1]",
    "seksjoner[1]",
    "person",
    "nowhere",
)


def test_a_table_of_keys_tells_its_own_keys() -> None:
    table = {
        "format": {"=": "x/1"},
        "bruker": {"fnr": "person.id", "navn": "person.navn"},
        "avsnitt": {"[]": "seksjoner", "tittel": "tittel", "mer": {"tekst": "tekst"}},
        "steder": "kommuner",
    }
    form = JsonTable("epikrise", None)  # type: ignore[arg-type]  # the table is given instead of a file
    form.__dict__["table"] = table
    body = b"""{"format": "x/1",
 "bruker": {"fnr": "1", "navn": "n"},
 "avsnitt": [{"tittel": "a"},
  {"tittel": "b", "mer": {"tekst": "c"}}],
 "steder": ["0301", "9"]}"""

    found = form.locate(
        body,
        [Finding(at, "rule", "something") for at in PLACES],
    )

    assert [(one.at, one.line, one.column) for one in found] == [
        ("bruker.fnr", 2, 20),
        ("avsnitt[1].mer.tekst", 4, 36),
        ("avsnitt[0].tittel", 3, 25),
        ("steder[1]", 5, 21),
        ("avsnitt[1]", 4, 3),
        ("person", 1, 1),
        ("nowhere", 1, 1),
    ]
