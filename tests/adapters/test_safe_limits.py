"""Understands where the limits on JSON and XML from strangers lie, and what JSON the hub does not write."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from adapters.base import MAX_DEPTH, MAX_DIGITS, MAX_NODES
from adapters.safe_json import read_json, write_json
from adapters.safe_xml import log_of, positions, read_xml
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
    ("a longer number", '{"a":' + "9" * (MAX_DIGITS + 1) + "}", [(FORBIDDEN, "number", None, None)]),
    ("as long a fraction as may be", '{"a":1.' + "9" * (MAX_DIGITS - 2) + "}", []),
    ("a longer fraction", '{"a":1.' + "9" * (MAX_DIGITS - 1) + "}", [(FORBIDDEN, "number", None, None)]),
    ("an exponent", '{"a":1E2}', [(FORBIDDEN, "number", None, None)]),
    ("a control character in a list", '{"a":["\\u0001"]}', [(FORBIDDEN, "character", None, None)]),
    ("a control character in a key", '{"\\u0001":1}', [(FORBIDDEN, "character", None, None)]),
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


def test_a_log_entry_without_place_has_an_empty_one() -> None:
    class Entry:
        type_name, path = "SCHEMAV_ERR_NO_SUCH_THING", None

    assert [(entry.rule, entry.path) for entry in log_of([Entry()])] == [("no-such-thing", "")]
