"""Understands how to read XML from strangers: no DTD, no entity, no network, bounded depth and size.

It must not know what any element means.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, cast
from xml.parsers import expat

from lxml import etree

from adapters.base import MAX_DEPTH, MAX_NODES, decode, position, refuse
from hub.errors import HubError

_DECLARED = re.compile(
    rb"(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']"
)
_PLAINLY = re.compile(
    rb"<\?xml\s+version\s*=\s*(?:'1\.0'|\"1\.0\")\s+encoding\s*=\s*(?:'[A-Za-z0-9-]+'|\"[A-Za-z0-9-]+\")"
    rb"(?:\s+standalone\s*=\s*(?:'(?:yes|no)'|\"(?:yes|no)\"))?\s*\?>"
)
_MOST_TAGS = 2 * MAX_NODES + 1000
"""A start and an end for each element, and some comments."""

UNICODE = "utf-8"
_OF_BYTES = {"us-ascii": "ascii", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}
ENCODINGS = (UNICODE, *_OF_BYTES)
"""What a document may declare, by its registered name. Without a declaration it is UTF-8."""
_BEYOND_ASCII, _C1 = re.compile("[^\x00-\x7f]"), re.compile("[\x80-\x9f]")


def read_xml(body: bytes, encodings: Collection[str] = ENCODINGS) -> etree._Element:
    """The root of an XML document without DTD, comments or processing instructions.

    It is in one of the `encodings`, in the one that it declares. No entity is resolved, nothing is fetched.
    Raises parse.malformed with line and column, or parse.forbidden-construct.
    """
    encoding_of(body, encodings)
    text, body = _in_utf_8(body)
    if (start := _doctype(text)) is not None:
        raise refuse("parse.forbidden-construct", "doctype", "no DOCTYPE", *position(text[:start]))
    if body.count(b"<") > _MOST_TAGS:  # before a tree of it is built, which takes many times its size
        raise refuse("parse.forbidden-construct", "nodes", f"at most {MAX_NODES} elements")
    root = _parse_xml(body)
    _bound_xml(root)
    return root


def encoding_of(body: bytes, encodings: Collection[str] = ENCODINGS) -> str:
    """The encoding that a document declares, one of these; UTF-8 where it declares none.

    Raises parse.malformed for any other, also for one that has two or four bytes to a letter and so cannot
    say what it is in the others. A mark before the declaration says UTF-8, so no other may follow it.
    """
    said = _DECLARED.match(body)
    name = said.group(1).decode("ascii").lower() if said else UNICODE
    plain = name == UNICODE or _PLAINLY.match(body)
    wide = b"\0" in body[:4]  # beside the first letter, whichever end is first (XML 1.0, appendix F)
    if name in encodings and plain and not wide:
        return name
    raise refuse("parse.malformed", "encoding", _one_of(encodings), 1, 1)


def _one_of(encodings: Collection[str]) -> str:
    return "one of the encodings " + ", ".join(encodings)


def _in_utf_8(body: bytes) -> tuple[str, bytes]:
    """A document as text, and in UTF-8 with the line ends that XML makes of all others (XML 1.0, 2.11).

    Bytes that are letters in two encodings have one meaning only: what says that it is of single bytes and
    reads as UTF-8 is refused, and so is a C1 control character, which windows-1252 has letters for.
    """
    name = encoding_of(body)
    if name == UNICODE:
        return (text := decode(body)), _lines(body, text)
    try:
        text = body.decode(_OF_BYTES[name])
    except UnicodeDecodeError as fault:
        before = body[: fault.start].decode(_OF_BYTES[name])
        raise _other_than_said(name, before) from None
    unlike = _BEYOND_ASCII if _is_utf_8(body) else _C1
    if (found := unlike.search(text)) is not None:
        raise _other_than_said(name, text[: found.start()])
    return text, _lines(text.encode(), text)


def _other_than_said(name: str, before: str) -> HubError:
    return refuse("parse.malformed", "encoding", f"{name}, as the document declares", *position(before))


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(body: bytes, text: str) -> bytes:
    """libxml2 counts LF alone, expat all three."""
    if text.count("\r") == text.count("\r\n"):
        return body
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _parse_xml(body: bytes) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as fault:
        rules = [entry.rule for entry in log_of(parser.error_log)]  # the fault's own also holds older ones
        line, column = fault.position
    raise refuse(
        "parse.malformed", (rules or ["well-formed"])[0], "well-formed XML", line or 1, max(column, 1)
    )


@dataclass(frozen=True)
class Logged:
    """One entry of a libxml2 log without its message, which quotes the document: but for the names that
    a schema declares, and expects there."""

    rule: str
    path: str
    expects: tuple[str, ...] = ()


class _LogEntry(Protocol):
    type_name: str
    path: str | None
    message: str | None


def log_of(log: object) -> list[Logged]:
    """What libxml2 reported, by rule and by place."""
    entries = cast(Iterable[_LogEntry], log)  # lxml-stubs do not know that the log can be iterated
    return [
        Logged(_rule(entry.type_name), entry.path or "", _expects(entry.message or "")) for entry in entries
    ]


_MOST_MESSAGE = 10_000  # characters; it cuts at some 64,000 bytes
_EXPECTED = re.compile(r".* Expected is (?:one of )?\( ([^()]*) \)\.\s*", re.DOTALL)
_REQUIRED = re.compile(r".*: The attribute '([^']*)' is required but missing\.\s*", re.DOTALL)
_SCHEMA_NAME = re.compile(r"(?:\{[^{}]*\})?([^\W\d][\w.-]{0,99})")


def _expects(message: str) -> tuple[str, ...]:
    """The elements, or the attribute, that a message ends with. Whatever a document calls its own stands
    before them: an element, a namespace and a value are quoted first. Not of a message so long that libxml2
    cut its end off, where a quoted value would be the end."""
    if len(message) > _MOST_MESSAGE:
        return ()
    if found := _EXPECTED.fullmatch(message):
        names = [_SCHEMA_NAME.fullmatch(name.strip()) for name in found[1].split(",")]
        return tuple(dict.fromkeys(name[1] for name in names if name))
    required = _REQUIRED.fullmatch(message)
    name = _SCHEMA_NAME.fullmatch(required[1]) if required else None
    return (f"@{name[1]}",) if name else ()


def _rule(type_name: str) -> str:
    return type_name.removeprefix("SCHEMAV_").removeprefix("ERR_").lower().replace("_", "-")


def _doctype(text: str) -> int | None:
    """Where a DOCTYPE starts in the prolog, the only place where XML allows one."""
    here = 0
    while True:
        here = _skip_space(text, here)
        if text.startswith("<?", here):
            end = text.find("?>", here)
        elif text.startswith("<!--", here):
            end = text.find("-->", here + 4)
        else:
            return here if text[here : here + 9].upper() == "<!DOCTYPE" else None
        if end < 0:
            return None
        here = end + (2 if text.startswith("?>", end) else 3)


def _skip_space(text: str, here: int) -> int:
    while here < len(text) and text[here] in " \t\r\n\ufeff":
        here += 1
    return here


def _bound_xml(root: etree._Element) -> None:
    depth = nodes = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth, nodes = depth + 1, nodes + 1
        if depth > MAX_DEPTH:
            raise refuse("parse.forbidden-construct", "depth", f"at most {MAX_DEPTH} levels")
        if nodes > MAX_NODES:
            raise refuse("parse.forbidden-construct", "nodes", f"at most {MAX_NODES} elements")


def positions(body: bytes) -> list[tuple[int, int]]:
    """Line and column of every start tag in document order, for a body that `read_xml` accepted.

    Only asked for when there is something to report: libxml2 keeps lines, not columns. A letter in a name
    that only the fifth edition of XML 1.0 allows (section 2.3) is read by one of the two parsers: no format
    has such a name, so it is parse.malformed here, at its place.
    """
    found: list[tuple[int, int]] = []
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda _name, _attributes: found.append(
        (parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
    )
    try:
        parser.Parse(_in_utf_8(body)[1], True)
    except expat.ExpatError as fault:
        line, column = fault.lineno, fault.offset + 1
        raise refuse("parse.malformed", "well-formed", "well-formed XML", line, column) from None
    return found
