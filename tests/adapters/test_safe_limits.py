"""Understands where the limits on JSON and XML from strangers lie, and what JSON the hub does not write."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from lxml import etree

from adapters.base import MAX_DEPTH, MAX_DIGITS, MAX_NODES
from adapters.safe_json import read_json, write_json
from adapters.safe_xml import ENCODINGS, UNICODE, encoding_of, log_of, positions, read_xml
from hub.errors import HubError

Told = tuple[str, str, int | None, int | None]


def told(read: Callable[[bytes], object], body: bytes | str) -> list[Told]:
    """Every finding of the refusal; none when it is read."""
    try:
        read(body.encode() if isinstance(body, str) else body)
    except HubError as refused:
        return [(refused.code, f.rule, f.line, f.column) for f in refused.findings]
    return []


def deep(levels: int) -> str:
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


FORBIDDEN = "parse.forbidden-construct"
JSON: list[tuple[str, str, list[Told]]] = [
    ("as deep as may be", deep(MAX_DEPTH), []),
    ("a level deeper", deep(MAX_DEPTH + 1), [(FORBIDDEN, "depth", None, None)]),
    ("a list at the last level", '{"a":' * (MAX_DEPTH - 1) + "[]" + "}" * (MAX_DEPTH - 1), []),
    ("a list below", '{"a":' * (MAX_DEPTH - 1) + "[1]" + "}" * (MAX_DEPTH - 1), [(FORBIDDEN, "depth", None, None)]),
    ("as many values as may be", '{"a":[' + "1," * (MAX_NODES - 3) + "1]}", []),
    ("a value more", '{"a":[' + "1," * (MAX_NODES - 2) + "1]}", [(FORBIDDEN, "nodes", None, None)]),
    ("as long a number as may be", '{"a":' + "9" * MAX_DIGITS + "}", []),
    ("a longer number", '{"a":' + "9" * (MAX_DIGITS + 1) + "}", [(FORBIDDEN, "number", 1, 6)]),
    ("as long a fraction as may be", '{"a":1.' + "9" * (MAX_DIGITS - 2) + "}", []),
    ("a longer fraction", '{"a":1.' + "9" * (MAX_DIGITS - 1) + "}", [(FORBIDDEN, "number", 1, 6)]),
    ("as large an exponent as may be", f'{{"a":1E{MAX_DIGITS - 1}}}', []),
    ("a larger exponent", f'{{"a":1E{MAX_DIGITS}}}', [(FORBIDDEN, "number", 1, 6)]),
    ("as small an exponent as may be", f'{{"a":1E-{MAX_DIGITS - 2}}}', []),
    ("a smaller exponent", f'{{"a":1E-{MAX_DIGITS - 1}}}', [(FORBIDDEN, "number", 1, 6)]),
    ("a huge exponent", '{"1e999999":"1e999999",\n "a":[1, 1e9999999999]}', [(FORBIDDEN, "number", 2, 10)]),
    ("an exponent that is long itself", '{"a":1e' + "0" * MAX_DIGITS + "1}", [(FORBIDDEN, "number", 1, 6)]),
    ("a long number with an exponent", '{"a":0.' + "1" * MAX_DIGITS + "e1}", [(FORBIDDEN, "number", 1, 6)]),
    ("a huge exponent that goes on", '{"a":1e9999999999-5}', [(FORBIDDEN, "number", 1, 6)]),
    ("no number", '{"a":"NaN",\n"b":NaN}', [(FORBIDDEN, "number", 2, 5)]),
    ("less than any number", '{"a":-Infinity}', [(FORBIDDEN, "number", 1, 6)]),
    ("a control character in a list", '{"a":[1,\n"\\u0001"]}', [(FORBIDDEN, "character", 2, 1)]),
    ("a control character in a key", '{"a":"x",\n "\\u0001" :1}', [(FORBIDDEN, "character", 2, 2)]),
    ("a byte order mark", "\ufeff{}", [("parse.malformed", "encoding", 1, 1)]),
    ("a list", "[]", [("parse.malformed", "object", 1, 1)]),
    ("a list that repeats", '[{"a":1,"a":2}]', [("parse.malformed", "unique-key", 1, 9)]),
    ("half a text", '{"a":\n x}', [("parse.malformed", "well-formed", 2, 2)]),
    (
        "keys that only look repeated",
        '{"a":"a","b":{"a":["a","}","{"]},"c":[{"a":1},{"a":"\\"a\\":"}],"d":"{"}',
        [],
    ),
    (
        "keys repeated behind braces in a text",
        '{"b":"}{","a":{"a":1},\n"a":2}',
        [("parse.malformed", "unique-key", 2, 1)],
    ),
    (
        "more repeated keys than are told",
        '{"a":0' + ',"a":0' * 25 + "}",
        [("parse.malformed", "unique-key", 1, 8 + 6 * i) for i in range(20)],
    ),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in JSON], ids=[row[0] for row in JSON])
def test_json_is_read_up_to_its_limits(body: str, expected: list[Told]) -> None:
    assert told(read_json, body) == expected


def test_numbers_are_what_they_say() -> None:
    assert read_json(b'{"a":1.50,"b":-7,"c":0}') == {"a": Decimal("1.50"), "b": -7, "c": 0}
    found = read_json(b'{"a":1.25E7,"b":[1E-2,-1.5e+1,0E5,12.50e0,1.234567890123456E7]}')
    assert repr(found) == repr(
        {"a": 12500000, "b": [Decimal("0.01"), -15, 0, Decimal("12.50"), Decimal("12345678.90123456")]}
    )


WRITTEN: list[tuple[dict[str, object], bytes | None]] = [
    ({"a": [1, True, None], "æ": "ø\n"}, '{"a":[1,true,null],"æ":"ø\\n"}'.encode()),
    ({"a": "\\u0000 \\b"}, b'{"a":"\\\\u0000 \\\\b"}'),
    ({"a": "\x01"}, None),
    ({"a": "\x08"}, None),
    ({"a": "\x0c"}, None),
    ({"\x01": 1}, None),
    ({"a": "\ufffe"}, None),
    ({"a": "\ud800"}, None),
    ({"a": float("nan")}, None),
    ({"a": {1}}, None),
]


@pytest.mark.parametrize(("document", "body"), WRITTEN)
def test_nothing_is_written_that_could_not_be_read(document: dict[str, object], body: bytes | None) -> None:
    if body is None:
        with pytest.raises(HubError, match=r"render\.incomplete"):
            write_json(document)
    else:
        assert write_json(document) == body
        assert read_json(body) == document


def declared(name: str, text: str, codec: str = "latin-1") -> bytes:
    """A document that declares the one encoding, and is in the other."""
    return f'<?xml version="1.0" encoding="{name}"?>{text}'.encode(codec)


def encoding(line: int, column: int) -> Told:
    return ("parse.malformed", "encoding", line, column)


XML: list[tuple[str, str | bytes, list[Told]]] = [
    ("as deep as may be", "<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH, []),
    ("a level deeper", "<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1), [(FORBIDDEN, "depth", None, None)]),
    ("as many elements as may be", "<a>" + "<b/>" * (MAX_NODES - 1) + "</a>", []),
    ("an element more", "<a>" + "<b/>" * MAX_NODES + "</a>", [(FORBIDDEN, "nodes", None, None)]),
    ("declared UTF-8", '<?xml version="1.0" encoding="utf-8"?><a/>', []),
    ("declared ASCII", "<?xml version='1.0' encoding='US-ASCII'?><a/>", []),
    ("declared otherwise", '<?xml version="1.0" encoding="latin-1"?><a/>', [("parse.malformed", "encoding", 1, 1)]),
    (
        "declared otherwise behind a mark", '\ufeff<?xml version="1.0" encoding="latin-1"?><a/>',
        [("parse.malformed", "encoding", 1, 1)],
    ),
    ("in ISO-8859-1", declared("ISO-8859-1", "<a>æøå§</a>"), []),
    ("ASCII that is declared as more", declared("ISO-8859-1", "<a>a\x7f</a>"), []),
    ("ISO-8859-1 that is UTF-8 with control characters", declared("ISO-8859-1", "<a>nØ</a>", "utf-8"), [encoding(1, 48)]),
    ("in small letters", declared("iso-8859-1", "<a>æøå</a>"), []),
    ("in windows-1252", declared("windows-1252", "<a>«æøå» – €</a>", "cp1252"), []),
    ("by single quotes and standalone", b"<?xml version='1.0' encoding='ISO-8859-1' standalone = 'yes' ?><a>\xf8</a>", []),
    ("ASCII that is more", declared("US-ASCII", "<a>\nnå</a>"), [encoding(2, 2)]),
    ("ISO-8859-1 that is UTF-8", declared("ISO-8859-1", "<a>\n\nnå</a>", "utf-8"), [encoding(3, 2)]),
    ("windows-1252 that is UTF-8", declared("windows-1252", "<a>nå</a>", "utf-8"), [encoding(1, 50)]),
    ("ISO-8859-1 that is windows-1252", declared("ISO-8859-1", "<a>–</a>", "cp1252"), [encoding(1, 47)]),
    ("a first control character", declared("ISO-8859-1", "<a>å\x80</a>"), [encoding(1, 48)]),
    ("a last control character", declared("ISO-8859-1", "<a>å\x9f</a>"), [encoding(1, 48)]),
    ("what is no control character", declared("ISO-8859-1", "<a>\x7få\xa0</a>"), []),
    ("what windows-1252 has no letter for", declared("windows-1252", "<a>å\x81</a>"), [encoding(1, 50)]),
    ("UTF-8 that is ISO-8859-1", declared("UTF-8", "<a>å</a>"), [encoding(1, 42)]),
    ("ISO-8859-1 behind a mark", b"\xef\xbb\xbf" + declared("ISO-8859-1", "<a/>"), [encoding(1, 1)]),
    ("ISO-8859-1 said by an instruction", b"<?xml-stylesheet encoding='ISO-8859-1'?><a>\xf8</a>", [encoding(1, 1)]),
    ("ISO-8859-1 inside a version", b"<?xml version=\"1.0' encoding='ISO-8859-1\"?><a>\xf8</a>", [encoding(1, 1)]),
    ("ISO-8859-1 in another version", declared("ISO-8859-1", "<a/>").replace(b"1.0", b"1.1"), [encoding(1, 1)]),
    ("declared twice", b'<?xml version="1.0" encoding="ISO-8859-1" encoding="UTF-8"?><a/>', [encoding(1, 1)]),
    ("ISO-8859-15", declared("ISO-8859-15", "<a>¤</a>"), [encoding(1, 1)]),
    ("UTF-7", declared("UTF-7", "+ADw-a/+AD4-"), [encoding(1, 1)]),
    ("UTF-16 said", declared("UTF-16", "<a/>"), [encoding(1, 1)]),
    ("UTF-16", declared("UTF-16", "<a/>", "utf-16"), [encoding(1, 1)]),
    ("UTF-16 that says ISO-8859-1", declared("ISO-8859-1", "<a/>", "utf-16-le"), [encoding(1, 1)]),
    ("ISO-8859-1 and then UTF-16", declared("ISO-8859-1", "") + "<a/>".encode("utf-16-le"), [("parse.malformed", "invalid-char", 1, 45)]),
    ("a DOCTYPE in ISO-8859-1", declared("ISO-8859-1", "<!-- å -->\r<!DOCTYPE a><a/>"), [(FORBIDDEN, "doctype", 2, 1)]),
    ("half an element behind lines that end with CR", declared("ISO-8859-1", "\r<a>å\r\n\r<b></a>"), [("parse.malformed", "tag-name-mismatch", 4, 8)]),
    ("a DOCTYPE", "<!DOCTYPE a><a/>", [(FORBIDDEN, "doctype", 1, 1)]),
    ("a DOCTYPE behind a mark and spaces", "\ufeff\r\n\t <!DOCTYPE a><a/>", [(FORBIDDEN, "doctype", 2, 3)]),
    ("a DOCTYPE behind a comment", "<!-- -> --><!DOCTYPE a><a/>", [(FORBIDDEN, "doctype", 1, 12)]),
    ("a DOCTYPE behind an instruction", "<?a > ?>\n<!DOCTYPE a><a/>", [(FORBIDDEN, "doctype", 2, 1)]),
    ("a DOCTYPE in a comment", "<!-- <!DOCTYPE a> --><a/>", []),
    ("a comment that never ends", "<!--<!DOCTYPE a><a/>", [("parse.malformed", "comment-not-finished", 1, 21)]),
    ("a comment of one dash", "<!--><!DOCTYPE a>--><a/>", []),
    ("an instruction that never ends", "<?a <!DOCTYPE a>", [("parse.malformed", "pi-not-finished", 1, 17)]),
    ("nothing", "", [("parse.malformed", "document-empty", 1, 1)]),
    ("only spaces", " \n", [("parse.malformed", "document-empty", 2, 1)]),
    ("half an element", "<a>\n <b></a>", [("parse.malformed", "tag-name-mismatch", 2, 9)]),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in XML], ids=[row[0] for row in XML])
def test_xml_is_read_up_to_its_limits(body: str, expected: list[Told]) -> None:
    assert told(read_xml, body) == expected


def test_comments_and_instructions_are_not_in_what_is_read() -> None:
    root = read_xml(b"<a>x<!-- c -->y<?p i?>z<b/></a>")

    assert (root.text, [child.tag for child in root]) == ("xyz", ["b"])


def test_every_start_tag_has_its_place() -> None:
    assert positions(b"<a>\n <b/><c>\n</c></a>") == [(1, 1), (2, 2), (2, 6)]


@pytest.mark.parametrize(
    "body",
    [
        "<a>\n <b\ufeffc/></a>",
        "<a>\n <\u079eb/></a>",
        "<a>\n <b \ufeffc='1'/></a>",
        "<a>\n <?x\ufeffml?></a>",
    ],
)
def test_a_name_that_one_of_two_parsers_reads_has_no_place_and_is_refused_at_its_own(body: str) -> None:
    read_xml(body.encode())

    with pytest.raises(HubError) as refused:
        positions(body.encode())

    assert (refused.value.code, refused.value.findings[0].line) == ("parse.malformed", 2)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CR LF", "CR"])
@pytest.mark.parametrize(
    ("name", "codec"), [("UTF-8", "utf-8"), ("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252")]
)
def test_a_place_is_the_same_in_every_encoding_and_with_every_line_end(
    end: str, name: str, codec: str
) -> None:
    body = declared(name, end.join(["", "<a>", "æøå<b/><c>å", "</c><d/></a>"]), codec)

    root = read_xml(body)

    assert positions(body) == [(2, 1), (3, 4), (3, 8), (4, 5)]
    assert [element.text for element in root.iter()] == ["\næøå", None, "å\n", None]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<a/>", "utf-8"), (b"", "utf-8"), (declared("ISO-8859-1", "<a/>"), "iso-8859-1"),
        (declared("us-ascii", "<a/>"), "us-ascii"), (declared("Windows-1252", "<a/>"), "windows-1252"),
        (declared("ISO-8859-15", "<a/>"), None), (declared("UTF-32", "<a/>"), None),
    ],
)  # one row per case # fmt: skip
def test_the_encoding_is_the_one_declared_or_none_that_is_read(body: bytes, expected: str | None) -> None:
    assert told(encoding_of, body) == ([] if expected else [encoding(1, 1)])
    assert expected is None or encoding_of(body) == expected


WIDE = {
    "UTF-16 with a mark": '<?xml version="1.0" encoding="UTF-16"?><k/>'.encode("utf-16"),
    "UTF-16 without": '<?xml version="1.0" encoding="UTF-16LE"?><k/>'.encode("utf-16-le"),
    "the other end first": "<k/>".encode("utf-16-be"),
    "the other end first, with a mark": b"\xfe\xff" + "<k/>".encode("utf-16-be"),
    "UTF-32": '<?xml version="1.0" encoding="UTF-32"?><k/>'.encode("utf-32"),
    "UTF-32, the other end first": "<k/>".encode("utf-32-be"),
    "said, and not so": b'<?xml version="1.0" encoding="UTF-16"?><k/>',
}


@pytest.mark.parametrize("body", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("encodings", [ENCODINGS, (UNICODE,)])
def test_letters_of_several_bytes_are_told_what_is_read(encodings: tuple[str, ...], body: bytes) -> None:
    with pytest.raises(HubError) as refused:
        read_xml(body, encodings)

    (finding,) = refused.value.findings
    assert (finding.rule, finding.line, finding.column) == ("encoding", 1, 1)
    assert finding.expected == "one of the encodings " + ", ".join(encodings)


def test_only_the_encodings_that_are_asked_for_are_read() -> None:
    body = declared("ISO-8859-1", "<a>å</a>")

    assert told(read_xml, body) == []
    assert told(lambda given: read_xml(given, (UNICODE,)), body) == [encoding(1, 1)]
    assert told(lambda given: read_xml(given, (UNICODE,)), declared("UTF-8", "<a>å</a>", "utf-8")) == []


def test_a_log_entry_without_place_has_an_empty_one() -> None:
    class Entry:
        type_name, path, message = "SCHEMAV_ERR_NO_SUCH_THING", None, None

    assert [(entry.rule, entry.path) for entry in log_of([Entry()])] == [("no-such-thing", "")]


def declaring(content: str, attributes: str = "") -> etree.XMLSchema:
    text = (
        '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" elementFormDefault="qualified">'
        f'<element name="a"><complexType>{content}{attributes}</complexType></element></schema>'
    )
    return etree.XMLSchema(etree.fromstring(text))


TWO = '<sequence><element name="b" type="date"/><element name="c" minOccurs="0"/></sequence>'
NEEDED = '<attribute name="V" type="string" use="required"/>'
SECRET = "x' : Expected is ( secret ). : The attribute 'secret' is required but missing."
SPACE = "urn:x'.Expected(secret)."  # libxml2 takes no blank in one

EXPECTED = {
    "another element": (TWO, "", "<a xmlns='urn:a'><secret/></a>", ("b",)),
    "one of two": (
        f"<choice>{TWO}<element name='d'/></choice>",
        "",
        "<a xmlns='urn:a'><secret/></a>",
        ("b", "d"),
    ),
    "nothing": (TWO, "", "<a xmlns='urn:a'/>", ("b",)),
    "one too many": (TWO, "", "<a xmlns='urn:a'><b>2026-01-01</b><c/><secret/></a>", ()),
    "a value": (TWO, "", f"<a xmlns='urn:a'><b>{SECRET}</b></a>", ()),
    "a value that libxml2 cuts": (
        TWO,
        "",
        f"<a xmlns='urn:a'><b>{'x' * 63_900} Expected is ( secret ).{'y' * 500}</b></a>",
        (),
    ),
    "no attribute": (TWO, NEEDED, "<a xmlns='urn:a'><b>2026-01-01</b></a>", ("@V",)),
    "a namespace, nothing after it": (
        TWO,
        "",
        f'<a xmlns="urn:a"><b>2026-01-01</b><c/><x xmlns="{SPACE}"/></a>',
        (),
    ),
    "a namespace, something after it": (TWO, "", f'<a xmlns="urn:a"><x xmlns="{SPACE}"/></a>', ("b",)),
}


@pytest.mark.parametrize(("content", "attributes", "body", "names"), EXPECTED.values(), ids=EXPECTED.keys())
def test_of_a_message_of_libxml2_only_what_the_schema_expects_is_told(
    content: str, attributes: str, body: str, names: tuple[str, ...]
) -> None:
    """Whatever the document calls its own elements, namespaces and values."""
    schema = declaring(content, attributes)

    assert not schema.validate(etree.fromstring(body))
    assert [entry.expects for entry in log_of(schema.error_log)] == [names]
