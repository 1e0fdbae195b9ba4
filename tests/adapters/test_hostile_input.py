"""Understands that no body, however hostile, gets more out of an adapter than a HubError."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters
from adapters.base import Adapter
from adapters.registry import ADAPTERS, adapters_for
from adapters.safe_json import read_json
from adapters.safe_xml import ENCODINGS, read_xml
from hub.errors import HubError
from hub.message import Record
from tests.adapters.test_safe_limits import WIDE

REGISTRY = adapters_for(["brik.kartlegging", "epikrise", "tsb.henvisning", "samtykke.gitt", "kvittering"])
EXAMPLES = sorted(Path(adapters.__file__).parent.glob("*/examples/*"))
MARKER = "KANARI-7c1f"
NS = "urn:brobygger:brik:1"

LAUGHS = (
    '<!DOCTYPE k [<!ENTITY a "'
    + MARKER
    + '">'
    + "".join(f'<!ENTITY {y} "{f"&{x};" * 10}">' for x, y in zip("abcdefgh", "bcdefghi", strict=True))
    + f']><Kartlegging xmlns="{NS}">&i;</Kartlegging>'
)

FORBIDDEN = {
    "an external entity": '<!DOCTYPE k [<!ENTITY x SYSTEM "file:///etc/hostname">]><k>&x;</k>',
    "a parameter entity": '<!DOCTYPE k [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><k/>',
    "an external DTD": '<!DOCTYPE k SYSTEM "http://127.0.0.1:9/x.dtd"><k/>',
    "a DTD in lower case": "<!doctype k><k/>",
    "a DTD behind comments": "<?xml version='1.0'?><!-- a --> <?pi ?>\n<!-- b --><!DOCTYPE k><k/>",
    "a billion laughs": LAUGHS,
    "deep XML": "<a>" * 60 + "</a>" * 60,
    "many elements": "<a>" + "<b/>" * 60_000 + "</a>",
    "deep JSON": '{"a":' * 60 + "1" + "}" * 60,
    "very deep JSON": "[" * 200_000,
    "many values": '{"a":[' + "1," * 60_000 + "1]}",
    "NaN": '{"a":NaN}',
    "Infinity": '{"a":[-Infinity]}',
    "a lone surrogate": '{"a":"\\ud800"}',
    "a lone surrogate in a key": '{"\\udfff":1}',
    "a null character": '{"a":"x\\u0000"}',
    "a number of many digits": '{"a":' + "9" * 5000 + "}",
    "a huge exponent": '{"a":1e999999}',
}

MALFORMED = {
    "nothing": b"",
    "blanks": b"  \n ",
    "binary noise": bytes(range(256)),
    "latin-1": "<Kartlegging>\u00f8</Kartlegging>".encode("latin-1"),
    "another alphabet": '<?xml version="1.0" encoding="ISO-8859-5"?><k>\u0430</k>'.encode("iso-8859-5"),
    "UTF-16 XML": '<?xml version="1.0" encoding="UTF-16"?><k/>'.encode("utf-16"),
    "UTF-16 JSON": '{"a":1}'.encode("utf-16"),
    "a byte order mark before JSON": b'\xef\xbb\xbf{"a":1}',
    "half an element": b"<Kartlegging><Melding>",
    "an unknown entity": b"<k>&unknown;</k>",
    "two roots": b"<k/><k/>",
    "half an object": b'{"a":',
    "a list": b"[1]",
    "a trailing comma": b'{"a":1,}',
    "a repeated key": b'{"a":1,\n "a":2}',
    "a repeated key before a malformed one": b'{"a":{"b":1,"b":2},"c\n":1}',
    "a repeated key before too many ends": b'{"a":{"b":1,"b":2}}}, "c":1',
    "a repeated key in other spelling": b'{"a":{"b":1,\n "\\u0062":2}}',
    "a repeated key at the top before too many ends": b'{"a":1,"a":2}}}',
    "a repeated key before an unknown escape": b'{"b":{"a":1,"a":2},"\\q":1}',
    "a repeated key before a key outside": b'{"a":1,"a":2} "b":',
}


def _refusals(body: bytes) -> Iterator[HubError]:
    for adapter in REGISTRY.adapters:
        with pytest.raises(HubError) as refused:
            adapter.parse(body)
        yield refused.value


@pytest.mark.parametrize("body", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_a_forbidden_construct_is_refused_by_name_before_it_unfolds(body: str) -> None:
    read = read_xml if body.lstrip().startswith("<") else read_json

    with pytest.raises(HubError) as refused:
        read(body.encode())

    assert refused.value.code == "parse.forbidden-construct"
    assert all(refusal.code.startswith("parse.") for refusal in _refusals(body.encode()))


@pytest.mark.parametrize("body", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize(
    ("media", "encodings"),
    [("application/xml", ENCODINGS), ("text/xml", ENCODINGS), ("application/fhir+xml", ("utf-8",))],
)
def test_letters_of_several_bytes_are_answered_with_what_is_read(
    media: str, encodings: tuple[str, ...], body: bytes
) -> None:
    for said in ("", "; charset=utf-16"):
        with pytest.raises(HubError) as refused:
            REGISTRY.recognise(media + said, body)

        (finding,) = refused.value.findings
        assert refused.value.code == "parse.malformed"
        assert (finding.rule, finding.line, finding.column) == ("encoding", 1, 1)
        assert finding.expected == "one of the encodings " + ", ".join(encodings)


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_body_is_refused_with_line_and_column(body: bytes) -> None:
    for read in (read_xml, read_json):
        with pytest.raises(HubError) as refused:
            read(body)

        assert refused.value.code == "parse.malformed"
        assert all(finding.line and finding.column for finding in refused.value.findings)
    assert all(refusal.code == "parse.malformed" for refusal in _refusals(body))


def test_a_repeated_key_is_told_by_line_and_column() -> None:
    with pytest.raises(HubError) as refused:
        read_json(b'{"a":1,\n "a":2, "b":{"a":3},\n"a":4}')

    assert [(finding.line, finding.column) for finding in refused.value.findings] == [(2, 2), (3, 1)]


def test_a_repeated_key_below_a_list_is_told_by_line_and_column() -> None:
    with pytest.raises(HubError) as refused:
        read_json(b'["}", "a", {"a":1,\n"a":2}]')

    assert [(finding.rule, finding.line, finding.column) for finding in refused.value.findings] == [
        ("unique-key", 2, 1)
    ]


@pytest.mark.parametrize(
    "rest",
    [
        *('}, "b": 1', "}}}}", "}}}", '}}, "c": 2', '}} "c":1', '}, "\\x": 1}', '}, "a\tb": 1}', ""),
        *('} {"d":', '}]"e":'),
    ],
)
def test_a_repeated_key_of_what_is_not_well_formed_is_told_as_that(rest: str) -> None:
    """One rule: only what is JSON to its end has keys, and which of them are repeated."""
    with pytest.raises(HubError) as refused:
        read_json(('{"o": {"a": 1,\n "a": 2' + rest).encode())

    assert refused.value.code == "parse.malformed"
    assert [finding.rule for finding in refused.value.findings] == ["well-formed"]
    assert all(finding.line and finding.column for finding in refused.value.findings)


def test_a_malformed_document_is_told_by_line_and_column() -> None:
    with pytest.raises(HubError) as refused:
        read_xml(b"<a>\n  <b></c>\n</a>")

    assert refused.value.findings[0].line == 2


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_another_formats_body_is_refused_with_a_parse_code(example: Path) -> None:
    body = example.read_bytes()
    for adapter in ADAPTERS:
        if not adapter.name.replace("-", "_").startswith(example.parts[-3]):
            with pytest.raises(HubError) as refused:
                adapter.parse(body)
            assert refused.value.code in ("parse.malformed", "parse.invalid", "consent.not-evaluable")


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_noise_gets_nothing_but_a_refusal(body: bytes) -> None:
    assert all(refusal.code.startswith("parse.") for refusal in _refusals(body))


# ------------------------------------------------------- broken in one place: refused without a value

_MARKED = st.sampled_from(
    [
        MARKER, f" {MARKER}\n", 7, -1, 10**17, True, None, "", [], {}, [MARKER], [[MARKER]], [None],
        {MARKER: MARKER}, {"extension": [{"url": MARKER, "valueString": MARKER}]},
        {"resourceType": MARKER}, [{"resourceType": MARKER}], {"reference": MARKER}, f'{{"{MARKER}":1}}',
        {"coding": [{"system": MARKER, "code": MARKER, "display": MARKER}]},
    ]
)  # one row per case # fmt: skip
_KEYS = st.sampled_from(
    [
        MARKER, "contained", "modifierExtension", "extension", "implicitRules", "text", "meta", "id",
        "_status", "resourceType", "fhir_comments", "language", "provision", "div", "reference",
    ]
)  # one row per case # fmt: skip
JSON_EXAMPLES = [path for path in EXAMPLES if path.suffix == ".json" and "fhir" in path.parts[-3]]


def _places(node: object) -> Iterator[tuple[dict[str, object] | list[object], str | int]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(pairs):
        assert isinstance(node, dict | list)
        yield node, key
        yield from _places(child)


def _adapter(example: Path) -> Adapter:
    return next(a for a in ADAPTERS if a.name.replace("-", "_") == example.parts[-3])


def _tells_nothing(refusal: HubError) -> None:
    """Neither what it says nor what it was raised from quotes the message."""
    link: BaseException | None = refusal
    while link is not None:
        assert MARKER not in repr(link)
        assert MARKER not in str(link)
        link = link.__cause__ or link.__context__
    assert MARKER not in repr(refusal.findings)
    assert refusal.code != "hub.internal"
    assert refusal.findings


def _tells_where(refusal: HubError) -> None:
    assert all(finding.line and finding.column for finding in refusal.findings)


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_a_fhir_body_broken_anywhere_is_read_or_refused_without_a_value(data: st.DataObject) -> None:
    example = data.draw(st.sampled_from(JSON_EXAMPLES))
    document = json.loads(example.read_bytes())
    places = list(_places(document))
    holder, key = places[data.draw(st.integers(0, len(places) - 1))]
    match data.draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            holder[key] = data.draw(_MARKED)  # type: ignore[index]  # a key of that very holder
        case "remove":
            del holder[key]  # type: ignore[arg-type]  # a key of that very holder
        case _ if isinstance(holder, dict):
            holder[data.draw(_KEYS)] = data.draw(_MARKED)

    try:
        record = _adapter(example).parse(json.dumps(document).encode())
    except HubError as refused:
        _tells_nothing(refused)
    else:
        assert isinstance(record, Record)


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_a_brik_body_broken_anywhere_is_read_or_refused_without_a_value(data: st.DataObject) -> None:
    lines = (Path(adapters.__file__).parent / "brik_xml/examples/kartlegging.xml").read_text().splitlines()
    number = data.draw(st.integers(2, len(lines) - 2))
    line = lines[number]
    lines[number] = data.draw(
        st.sampled_from(
            [
                "", line + line, f"<{MARKER}/>", line + f"<Ukjent>{MARKER}</Ukjent>", f"<Rus>{MARKER}</Rus>",
                line.replace(">", f' {MARKER}="{MARKER}">', 1), line.replace(">", f">{MARKER}", 1),
                line.replace(">", ' xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="true">', 1),
                f"<x:y xmlns:x='{MARKER}'/>" + line, f"<Merknad>{MARKER}</Merknad>", MARKER,
                f"<![CDATA[{MARKER}]]>", "<Svar>7</Svar>", "<Svar> </Svar>", lines[number - 1],
            ]
        )
    )  # one row per case # fmt: skip

    try:
        record = REGISTRY.by_name("brik-xml").parse("\n".join(lines).encode())
    except HubError as refused:
        _tells_nothing(refused)
        _tells_where(refused)
    else:
        assert isinstance(record, Record)
