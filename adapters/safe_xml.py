"""Understands how to read XML from strangers: no DTD, no entity, no network, bounded depth and size.

It must not know what any element means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, cast
from xml.parsers import expat

from lxml import etree

from adapters.base import MAX_DEPTH, MAX_NODES, decode, position, refuse

_DECLARED = re.compile(r"<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_MOST_TAGS = 2 * MAX_NODES + 1000
"""A start and an end for each element, and some comments."""

_ENCODINGS = {"utf-8", "us-ascii"}


def read_xml(body: bytes) -> etree._Element:
    """The root of a UTF-8 XML document without DTD, comments or processing instructions.

    No entity is resolved, nothing is fetched. Raises parse.malformed with line and column, or
    parse.forbidden-construct.
    """
    text = decode(body)
    declared = _DECLARED.match(text.lstrip("\ufeff"))
    if declared and declared.group(1).lower() not in _ENCODINGS:
        raise refuse("parse.malformed", "encoding", "UTF-8", 1, 1)
    if (start := _doctype(text)) is not None:
        raise refuse("parse.forbidden-construct", "doctype", "no DOCTYPE", *position(text[:start]))
    if body.count(b"<") > _MOST_TAGS:  # before a tree of it is built, which takes many times its size
        raise refuse("parse.forbidden-construct", "nodes", f"at most {MAX_NODES} elements")
    root = _parse_xml(body)
    _bound_xml(root)
    return root


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
    """One entry of a libxml2 log without its message, which quotes the document."""

    rule: str
    path: str


class _LogEntry(Protocol):
    type_name: str
    path: str | None


def log_of(log: object) -> list[Logged]:
    """What libxml2 reported, by rule and by place."""
    entries = cast(Iterable[_LogEntry], log)  # lxml-stubs do not know that the log can be iterated
    return [Logged(_rule(entry.type_name), entry.path or "") for entry in entries]


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
        parser.Parse(body, True)
    except expat.ExpatError as fault:
        line, column = fault.lineno, fault.offset + 1
        raise refuse("parse.malformed", "well-formed", "well-formed XML", line, column) from None
    return found
