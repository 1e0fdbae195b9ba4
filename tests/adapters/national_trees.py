"""Understands what the official XSDs say of an element, and where a profile says something else.

    differences(profile.root, SCHEMAS)  ->  ["/Dialogmelding/Notat: 0..1, schema 0..*", ...]

Reads the schemas apart from the code under test: by name, reference and type, through all files of a folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lxml import etree

from adapters.kith.tables import MANY, El, OneOf
from tests.adapters.national import SCHEMAS

_XS = "{http://www.w3.org/2001/XMLSchema}"
_TYPES = {
    "string": "ST",
    "anyURI": "ST",
    "anyType": "anyType",
    "date": "date",
    "dateTime": "dateTime",
    "boolean": "boolean",
    "integer": "integer",
    "int": "integer",
    "double": "double",
    "decimal": "double",
    "gYear": "gYear",
    "base64Binary": "base64Binary",
}
_OWN = {("http://www.kith.no/xmlstds/apprec/2004-11-21", name) for name in ("CS", "CV", "URL")}
"""AppRec 1.0 is older than the common datatypes, and declares them once more."""


@dataclass
class Node:
    """One element of a schema, with what may stand in it; `choice` numbers the choice it belongs to."""

    tag: str
    least: int
    most: int
    type: str = ""
    rows: list[Node] = field(default_factory=list)
    choice: int = 0
    chosen_least: int = 1
    """0 where the schema lets the whole choice be empty."""
    again: bool = False
    """Not looked into: it stands in itself, or takes anything."""


@cache
def _schemas(folder: Path) -> dict[str, etree._Element]:
    found: dict[str, etree._Element] = {}
    for file in sorted(folder.rglob("*.xsd")):
        try:
            root = etree.parse(str(file)).getroot()
        except etree.XMLSyntaxError:
            continue
        found.setdefault(root.get("targetNamespace") or "", root)
    return found


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._schemas = _schemas(folder)
        self._choices = 0

    def root(self, tag: str) -> Node:
        namespace, name = etree.QName(tag).namespace or "", etree.QName(tag).localname
        return self._element(self._find(namespace, "element", name), namespace, ())

    def _has(self, namespace: str, kind: str, name: str) -> bool:
        return any(item.tag == _XS + kind and item.get("name") == name for item in self._schemas[namespace])

    def _find(self, namespace: str, kind: str, name: str) -> etree._Element:
        return next(
            item for item in self._schemas[namespace] if item.tag == _XS + kind and item.get("name") == name
        )

    def _named(self, item: etree._Element, name: str) -> tuple[str, str]:
        prefix, _, local = name.rpartition(":")
        return item.nsmap.get(prefix or None) or "", local

    def _element(self, item: etree._Element, namespace: str, inside: tuple[str, ...]) -> Node:
        least = int(item.get("minOccurs", "1"))
        most = item.get("maxOccurs", "1")
        if reference := item.get("ref"):
            where, name = self._named(item, reference)
            node = self._element(self._find(where, "element", name), where, inside)
        else:
            node = Node(f"{{{namespace}}}{item.get('name')}", 1, 1)
            self._content(node, item, namespace, inside)
        node.least, node.most = least, MANY if most == "unbounded" else int(most)
        return node

    def _content(self, node: Node, item: etree._Element, namespace: str, inside: tuple[str, ...]) -> None:
        inline = item.find(f"{_XS}complexType")
        name = item.get("type")
        if inline is None and name is not None:
            where, local = self._named(item, name)
            if where == _XS[1:-1]:
                node.type = _TYPES[local]
                return
            if where == "http://www.kith.no/xmlstds" or (where, local) in _OWN:
                node.type = "integer" if local == "INT" else local
                return
            if self._has(where, "simpleType", local):
                node.type = "ST"
                return
            inline, namespace, key = self._find(where, "complexType", local), where, f"{where}#{local}"
        else:
            key = node.tag
        if inline is None:
            node.type = "anyType"
        elif key in inside:
            node.again = True
        else:
            node.rows = list(self._particles(inline, namespace, (*inside, key)))
            node.again = not node.rows and inline.find(f".//{_XS}any") is not None

    def _particles(self, item: etree._Element, namespace: str, inside: tuple[str, ...]) -> Iterator[Node]:
        for below in item:
            if below.tag == f"{_XS}element":
                yield self._element(below, namespace, inside)
            elif below.tag == f"{_XS}choice":
                self._choices += 1
                number = self._choices
                nodes = list(self._particles(below, namespace, inside))
                least = int(below.get("minOccurs", "1")) and min(node.least for node in nodes)
                for node in nodes:
                    node.choice, node.chosen_least = number, least
                    yield node
            elif below.tag in (f"{_XS}sequence", f"{_XS}complexContent", f"{_XS}restriction"):
                yield from self._particles(below, namespace, inside)
            elif below.tag == f"{_XS}extension":
                where, local = self._named(below, below.get("base") or "")
                yield from self._particles(self._find(where, "complexType", local), where, inside)
                yield from self._particles(below, namespace, inside)


def _names(tags: list[str]) -> str:
    return " ".join(etree.QName(tag).localname for tag in tags)


def differences(declared: El, folder: Path = SCHEMAS) -> list[str]:
    """Where the profile and the schema of its root disagree: names, order, cardinality, datatype."""
    return list(_compare(declared, _Reader(folder).root(declared.tag), f"/{declared.name}"))


def _compare(declared: El, node: Node, at: str, *, one_of_several: bool = False) -> Iterator[str]:
    """A row that is one of several of its name may leave out what stands in a choice: another row has it."""
    if node.again:
        return
    if (declared.type is not None) != bool(node.type):
        yield f"{at}: a value in one, elements in the other"
        return
    if declared.type is not None:
        if declared.type.name != node.type:
            yield f"{at}: {declared.type.name}, schema {node.type}"
        return
    rows = [
        below for below in node.rows if below.tag in declared.slots or not (below.choice and one_of_several)
    ]
    ours, theirs = list(declared.slots), [below.tag for below in rows]
    if ours != theirs:
        yield f"{at}: {_names(ours)}, schema {_names(theirs)}"
        return
    chosen = {row.tag for one in declared.rows if isinstance(one, OneOf) for row in one.rows}
    for below in rows:
        slot = declared.slots[below.tag]
        name = f"{at}/{etree.QName(below.tag).localname}"
        if bool(below.choice) != (below.tag in chosen) and not one_of_several:
            yield f"{name}: a choice in one, not in the other"
        choice = next((one for one in declared.choices if below.tag in one.tags), None)
        if choice is not None and below.choice and bool(choice.least) != bool(below.chosen_least):
            yield f"{name}: a choice of at least {choice.least}, schema {below.chosen_least}"
        if not below.choice and slot.least != below.least:
            yield f"{name}: at least {slot.least}, schema {below.least}"
        if slot.most != below.most:
            yield f"{name}: at most {slot.most}, schema {below.most}"
        several = len(slot.variants) > 1
        for variant in slot.variants:
            yield from _compare(variant, below, name, one_of_several=several)
        if several and {tag for row in slot.variants for tag in row.slots} != {row.tag for row in below.rows}:
            yield f"{name}: its rows together lack something of the schema"
