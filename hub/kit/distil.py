"""Understands how an example becomes several small ones that together hold everything it holds.

A spoiled document is read in the time its size asks for, and most of a large example is not what was
spoiled. Small ones are read many times as often. What is no tree (a package) stays as it is.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lxml import etree

PLACES = 12
"""How many places of the example a small one keeps, besides what the format demands around them."""

Reads = Callable[[bytes], bool]
Path = tuple[str | int, ...]


def distilled(body: bytes, reads: Reads) -> tuple[bytes, ...]:
    """Small documents that are still read; every place of the example (element names or keys from the root,
    however often it repeats) is in at least one. The example itself where it is not read, or no tree."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not reads(body) or start not in (b"<", b"{"):
        return (body,)
    return tuple(dict.fromkeys((_xml if start == b"<" else _json)(body, reads)))


def _portions(places: Sequence[Any]) -> Iterator[set[Any]]:
    """Neighbours stay together, as they share what stands around them."""
    for first in range(0, len(places), PLACES):
        yield set(places[first : first + PLACES])


# -------------------------------------------------------------------------------------------- xml


def _xml(body: bytes, reads: Reads) -> Iterator[bytes]:
    tree = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    for kept in _portions(list(_first_elements(tree))):
        root = copy.deepcopy(tree)
        _drop_elements(root, root, set(_first_elements(root, kept).values()), reads)
        yield etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _first_elements(
    root: etree._Element, places: set[tuple[Any, ...]] | None = None
) -> dict[tuple[Any, ...], etree._Element]:
    """The first element at each place, in the order of the document."""
    found: dict[tuple[Any, ...], etree._Element] = {}

    def walk(element: etree._Element, above: tuple[Any, ...]) -> None:
        place = (*above, element.tag)
        if places is None or place in places:
            found.setdefault(place, element)
        for child in element:
            walk(child, place)

    walk(root, ())
    return found


def _drop_elements(
    root: etree._Element, element: etree._Element, kept: set[etree._Element], reads: Reads
) -> None:
    for child in list(element)[::-1]:
        if kept.isdisjoint(child.iter()):
            at, tail = element.index(child), child.tail
            element.remove(child)
            if reads(etree.tostring(root, xml_declaration=True, encoding="utf-8")):
                continue
            element.insert(at, child)
            child.tail = tail
        _drop_elements(root, child, kept, reads)


# ------------------------------------------------------------------------------------------- json


def _json(body: bytes, reads: Reads) -> Iterator[bytes]:
    everything = list(_places(json.loads(body), (), ()))
    for kept in _portions(list(dict.fromkeys(place for place, _ in everything))):
        first: dict[tuple[str, ...], Path] = {}
        for place, path in everything:
            if place in kept:
                first.setdefault(place, path)
        around = {path[:steps] for path in first.values() for steps in range(len(path) + 1)}
        document: Any = json.loads(body)
        _drop_values(document, document, (), around, reads)
        yield _bytes(document)


def _bytes(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _places(node: Any, place: tuple[str, ...], path: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Each value: the keys from the root, where the items of a list are one place, and the way to it."""
    for key, value in _items(node):
        here = (*place, key if isinstance(key, str) else "*")
        yield here, (*path, key)
        yield from _places(value, here, (*path, key))


def _items(node: Any) -> list[tuple[Any, Any]]:
    if isinstance(node, dict):
        return list(node.items())
    return list(enumerate(node)) if isinstance(node, list) else []


def _drop_values(document: Any, node: Any, path: Path, kept: set[Path], reads: Reads) -> None:
    for key, value in _items(node)[::-1]:  # from the end, so that the numbers of a list's items stay theirs
        if (*path, key) not in kept:
            before = copy.copy(node)
            del node[key]
            if reads(_bytes(document)):
                continue
            node.clear()
            node.update(before) if isinstance(node, dict) else node.extend(before)
        _drop_values(document, value, (*path, key), kept, reads)
