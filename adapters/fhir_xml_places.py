"""Understands where in a FHIR document in XML a path stands.

What can be read is not noted while it is, as that takes as much memory as all the rest: the way is gone once
more when there is something to complain about. It must not know any profile or code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fhir_core.fhirabstractmodel import FHIRAbstractModel
from lxml import etree

from adapters.fhir_schema import RESOURCE, XHTML, declared
from adapters.fhir_xml import XmlReader, is_attribute, local
from adapters.safe_xml import positions

_STEP = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<index>[0-9]{1,9})\])?")


@dataclass(frozen=True)
class _Stand:
    """One element on the way. `inside` is where the way goes on, as a resource stands in an element of its
    own; None where nothing was read below. Where something was, `model` is None for what holds a value."""

    element: etree._Element
    inside: etree._Element | None
    model: type[FHIRAbstractModel] | None
    whole: bool = False


class XmlPlaces:
    """The line and column of each path of a document that was read."""

    def __init__(self, reader: XmlReader, body: bytes) -> None:
        self._reader = reader
        self._stand = dict(zip(reader.root.iter(), positions(body), strict=True))
        self._gone: dict[str, _Stand | None] = {}
        self._named: dict[etree._Element, dict[str, list[etree._Element]]] = {}

    def get(self, path: str) -> tuple[int, int] | None:
        """None for a path that the document has not. Of two in one place the first is where it is, and where
        the way goes through."""
        element = self._reader.faulty.get(path)
        if element is None:
            element = self._element(path)
        return None if element is None else self._stand[element]

    def _element(self, path: str) -> etree._Element | None:
        stand = self._way(path)
        return None if stand is None else stand.element

    def _way(self, path: str) -> _Stand | None:
        """Each part of a way is gone once, however many faults there are below it."""
        at, steps = f".{path}" if path else "", list[str]()
        while at and at not in self._gone:
            at, _, step = at.rpartition(".")
            steps.append(step)
        root = self._reader.root
        stand = self._gone[at] if at else self._resource(root, root)
        for step in reversed(steps):
            at = f"{at}.{step}"
            stand = self._gone[at] = None if stand is None else self._step(stand, step)
        return stand

    def _step(self, stand: _Stand, step: str) -> _Stand | None:
        said = _STEP.fullmatch(step)
        if stand.inside is None or said is None:
            return None
        index = None if said["index"] is None else int(said["index"])
        return self._below(stand.inside, stand, said["name"], index)

    def _resource(self, element: etree._Element, resource: etree._Element | None) -> _Stand:
        """`resource` stands in `element`, or is the root. Of a kind that may not occur nothing was read."""
        model = None if resource is None else self._reader.models.get(local(resource))
        return _Stand(element, None if model is None else resource, model, whole=True)

    def _below(self, inside: etree._Element, stand: _Stand, name: str, index: int | None) -> _Stand | None:
        if stand.model is None:
            return self._beside(inside, name, index)
        said = declared(stand.model).get(name)
        if (
            said is None
            or is_attribute(name, stand.model, whole=stand.whole)
            or said.many != (index is not None)
        ):
            return None
        found = self._children(inside).get(name, ())
        if (index or 0) >= len(found):
            return None
        element = found[index or 0]
        if said.holds == RESOURCE:
            return self._resource(element, next(iter(element), None))
        return _Stand(element, None if said.holds == XHTML else element, said.model)

    def _beside(self, value: etree._Element, name: str, index: int | None) -> _Stand | None:
        """An extension of a value; they are counted with whatever else stands there."""
        if name != "extension" or index is None or index >= len(value) or local(value[index]) != name:
            return None
        return _Stand(value[index], value[index], self._reader.extension)

    def _children(self, element: etree._Element) -> Mapping[str, Sequence[etree._Element]]:
        if element not in self._named:
            named: dict[str, list[etree._Element]] = {}
            for child in element:
                named.setdefault(local(child), []).append(child)
            self._named[element] = named
        return self._named[element]
