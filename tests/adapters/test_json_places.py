from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.digisos_soker.adapter import FILE as SOKER
from adapters.digisos_soknad.adapter import FILE as SOKNAD
from adapters.digisos_vedlegg.adapter import FILE as VEDLEGG
from adapters.fhir_wire import json_places
from adapters.json_places import located, places
from adapters.plain_json.adapter import adapter_for
from adapters.safe_json import read_json
from hub.errors import Finding, HubError

TEXT = """{"a": 1,
  "b": {"c d": [true, null,
    {"e": "x, \\"y\\": {1}"}, []]},
 "f":[[1],
  2.5]}"""

PLACES = {
    "": (1, 1),
    "a": (1, 7),
    "b": (2, 8),
    "b.c d": (2, 16),
    "b.c d[0]": (2, 17),
    "b.c d[1]": (2, 23),
    "b.c d[2]": (3, 5),
    "b.c d[2].e": (3, 11),
    "b.c d[3]": (3, 29),
    "f": (4, 6),
    "f[0]": (4, 7),
    "f[0][0]": (4, 8),
    "f[1]": (5, 3),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_value_has_the_place_where_it_begins_whatever_ends_a_line(end: str) -> None:
    text = TEXT.replace("\n", end)

    assert places(text) == PLACES
    assert json_places(text)["b.c d[2].e"] == (3, 6)  # FHIR tells where the name is
    with pytest.raises(HubError) as refused:
        read_json(f"{text[:-1]}{end}  ?}}".encode())
    assert [(found.line, found.column) for found in refused.value.findings] == [(6, 3)]


@pytest.mark.parametrize(
    ("at", "place"),
    [
        ("b.c d[2].e", (3, 11)),
        ("b.c d[2].missing", (3, 5)),
        ("b.c d[9]", (2, 16)),
        ("missing.below[3].it", (1, 1)),
        ("f[1].x.y", (5, 3)),
        ("", (1, 1)),
        ("body", (1, 1)),
        ("]x[", (1, 1)),
        ("..", (1, 1)),
        ("/Root/Part", (1, 1)),
    ],
)
def test_what_is_missing_is_told_at_what_should_hold_it(at: str, place: tuple[int, int]) -> None:
    (found,) = located([Finding(at, "rule", "expected", nb="ventet")], TEXT)

    assert (found.line, found.column) == place
    assert (found.at, found.rule, found.expected, found.nb) == (at, "rule", "expected", "ventet")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text('ab.\\"', max_size=3), below, max_size=3)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=3), _JSON), st.sampled_from([None, 1, 4]))
def test_at_each_place_there_is_the_value(document: dict[str, object], indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    lines = text.split("\n")
    decoder = json.JSONDecoder()

    found = places(text)

    for key, value in document.items():
        line, column = found[key]
        offset = sum(len(before) + 1 for before in lines[: line - 1]) + column - 1
        assert decoder.raw_decode(text, offset)[0] == value


def test_a_wide_document_is_gone_through_once() -> None:
    wide = json.dumps({"a": list(range(40_000))})

    assert len(places(wide)) == 40_002  # in a time that nobody notices: each token is looked at once


SOKNAD_BODY = b'{"version": "1.0.0",\n "data": {"personalia": {\n  "personIdentifikator": {"verdi": "1"}}}}'


@pytest.mark.parametrize(
    ("at", "wire", "line"),
    [
        ("person.id", "data.personalia.personIdentifikator.verdi", 3),
        ("versjon", "version", 1),
        ("bosituasjon.botype", "bosituasjon.botype", 1),
        ("melding.sendt", "melding.sendt", 1),
    ],
)
def test_a_finding_of_the_type_is_told_by_the_path_of_the_file(at: str, wire: str, line: int) -> None:
    (found,) = SOKNAD.locate(SOKNAD_BODY, [Finding(at, "checksum", "eleven digits")])

    assert (found.at, found.line) == (wire, line)


def test_a_finding_in_a_list_of_the_type_is_told_by_the_path_of_the_file() -> None:
    body = (
        b'{"hendelser": [{"type": "saksStatus",\n "referanse": "x"},\n'
        b' {"type": "vedtakFattet",\n "saksreferanse": "y"}]}'
    )
    found = SOKER.locate(
        body, [Finding(f"hendelser[{n}].saksreferanse", "too-long", "500") for n in (0, 1, 7)]
    )

    assert [(one.at, one.line) for one in found] == [
        ("hendelser[0].referanse", 2),
        ("hendelser[1].saksreferanse", 4),
        ("hendelser[7].saksreferanse", 1),
    ]


def test_a_list_is_counted_with_the_items_that_say_nothing() -> None:
    body = b'{"vedlegg": [{},\n {"type": "a"},\n {"type": " "},\n {"type": "b",\n  "status": "x"}]}'

    found = VEDLEGG.locate(body, [Finding(f"vedlegg[{n}].status", "too-long", "500") for n in (0, 1)])

    assert [(one.at, one.line) for one in found] == [
        ("vedlegg[1].status", 2),
        ("vedlegg[3].status", 5),
    ]


def test_plain_json_tells_where_a_finding_of_the_type_stands() -> None:
    locate = adapter_for("nav.sak").locate
    assert locate is not None

    (found,) = locate(
        b'{"type": "nav.sak",\n "svar": {\n  "status": "x"}}', [Finding("svar.status", "code", "one")]
    )

    assert (found.line, found.column) == (3, 13)
