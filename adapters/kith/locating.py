"""Understands where in a KITH document the value of a field came from: the document is read once more, with
each value marked by its element. Only asked when the message type has something to say about a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lxml import etree

from adapters.kith.datatypes import Datatype
from adapters.kith.names import PIECES
from adapters.kith.places import At
from adapters.kith.profile import Fields, Reader
from adapters.kith.tables import El
from adapters.safe_xml import positions, read_xml
from hub.errors import Finding
from hub.message import walk

Place = tuple[etree._Element, str]


class _Marked(str):
    """A value that remembers its element, also where a reader makes a string of it."""

    element: etree._Element
    at: At

    def __str__(self) -> str:
        return self


def locate(declared: El, body: bytes, found: Iterable[Finding]) -> list[Finding]:
    """Findings by the record's paths as findings by the document's, with line and column: of the element that
    said it, or else of the one around what was said of the same group."""
    root = read_xml(body)
    reader = _Marking(declared)
    reader.document(root)
    known = {**reader.pieces, **_places(reader.top)}
    where = dict(zip(root.iter(), positions(body), strict=True))
    return [_located(one, known, where, root) for one in found]


class _Marking(Reader):
    """`pieces` is where names stood that several elements make: one text is made of them at the end."""

    def __init__(self, declared: El) -> None:
        super().__init__(declared)
        self.pieces: dict[str, Place] = {}

    def _finish(self) -> None:
        for path, place in _places(self.top).items():
            name, _, piece = path.partition("#")
            if piece in PIECES:
                self.pieces[name] = place
        super()._finish()

    def _leaf(self, element: etree._Element, row: El, declared: Datatype, fields: Fields, at: At) -> None:
        self._here = (element, at)
        super()._leaf(element, row, declared, fields, at)

    def _attributes(self, element: etree._Element, row: El, fields: Fields, at: At) -> None:
        self._here = (element, at)
        super()._attributes(element, row, fields, at)

    def _keep(self, fields: Fields, target: str, value: object) -> None:
        super()._keep(fields, target, _marked(value, *self._here))

    def _put(self, fields: Fields, target: str, value: object, *, many: bool) -> None:
        super()._put(fields, target, _marked(value, *self._here), many=many)


def _marked(value: Any, element: etree._Element, at: At) -> Any:
    if isinstance(value, dict):
        return {name: _marked(inside, element, at) for name, inside in value.items()}
    if not isinstance(value, str) or isinstance(value, _Marked):
        return value
    marked = _Marked(value)
    marked.element, marked.at = element, at
    return marked


def _places(fields: Mapping[str, Any]) -> Mapping[str, Place]:
    """Where each field stands, and each group: by the first of its fields that says where it came from."""
    known: dict[str, Place] = {}
    for path, value in walk(fields):
        if isinstance(value, _Marked):
            known[path] = value.element, str(value.at)
            parent = value.element.getparent()
            around = value.element if parent is None else parent
            for above in _around(path):
                known.setdefault(above, (around, str(value.at.above or value.at)))
    return known


def _around(path: str) -> list[str]:
    """The groups that a field is in, the nearest first: `a.b[0].c` is in `a.b[0]`, `a.b` and `a`."""
    cuts = [at for at, letter in enumerate(path) if letter in ".["]
    return [path[:cut] for cut in reversed(cuts)]


def _located(
    found: Finding,
    known: Mapping[str, Place],
    where: Mapping[etree._Element, tuple[int, int]],
    root: etree._Element,
) -> Finding:
    nearest = next((known[path] for path in (found.at, *_around(found.at)) if path in known), None)
    element, at = nearest or (root, f"/{etree.QName(root).localname}")
    line, column = where[element]
    return replace(found, at=at, line=line, column=column)
