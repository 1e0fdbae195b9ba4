"""Understands what becomes of one thing in a document: a word in the place of each value in turn, and a word
where nobody looks for one.

A format reads it, so that it stands in the record, or refuses it without saying it again. What does neither
has dropped something in silence. Places are named by elements and keys as the example has them, never by a
value.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import setitem
from random import Random
from typing import Any

from lxml import etree

from hub.errors import Finding
from hub.kit.noise import MARKER, Seed
from hub.message import Record, walk

END = "ZQXV5k2q"
"""Stands last in a long word: who has its beginning and not this has cut it. No five signs of it stand in
the name and number of a field, as those of `medvirkende[5]` might."""

DIGITS = "7319046285"
"""A word of digits alone, where a format looks for those before it looks for anything else."""

_LONG = 3000
_SHORT = 40

WORDS = (
    MARKER,
    DIGITS,
    f"{MARKER} {'lang ' * 40}{END}",
    *(f"{part * times}!" for part in ("a", "9", "a ", "1.", "1-", " ") for times in (_SHORT, _LONG)),
)
"""What stands in for a value. Those that end with a sign are what makes an expression with a repetition in a
repetition try every way there is; a short one is for who bounds the length before."""


_PIECE = 5
_PIECES = frozenset(
    word[start : start + _PIECE]
    for marker in (MARKER.lower(), END.lower(), DIGITS)
    for word in (marker, marker[::-1])
    for start in range(len(word) - _PIECE + 1)
)


def is_told(said: str) -> bool:
    """Whether a refusal, in small letters, says what was planted: a piece of it will do, also backwards or
    with something between the letters."""
    letters = re.sub(r"[\W_]", "", said)
    return any(piece in letters for piece in _PIECES)


@dataclass(frozen=True)
class Planted:
    """A document with one word in it that was not there. `word` is None where something stands that no format
    has a name for."""

    at: str
    word: str | None
    write: Callable[[], bytes] = field(repr=False)
    """Right until the next one is asked for: all are made of one document, where the word stands so long."""

    @property
    def body(self) -> bytes:
        return self.write()

    def kept(self) -> Planted:
        """The same, with its body as it is now."""
        body = self.write()
        return replace(self, write=lambda: body)


def strange(seed: Seed) -> Iterator[Planted]:
    """A key, an attribute, an element or a text that nobody knows, or one more of what is known, in each
    place that can hold one."""
    if seed.tree is not None:
        yield from _strange_xml(seed.tree)
    elif seed.kind == "json":
        yield from _strange_json(seed.body)
    else:
        yield from _strange_lines(seed.body)


def spoken(seed: Seed, word: str) -> Iterator[Planted]:
    """A word in the place of each value, once for each path."""
    if seed.tree is not None:
        yield from _spoken_xml(seed.tree, word)
    elif seed.kind == "json":
        yield from _spoken_json(seed.body, word)
    else:
        yield from _spoken_lines(seed.body, word)


# -------------------------------------------------------------------------------------------- xml


def _places(tree: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """The first element of each path, in one copy of the tree."""
    seen = set()
    for element in copy.deepcopy(tree).iter(etree.Element):
        names = [etree.QName(one).localname for one in (element, *element.iterancestors())]
        at = "/" + "/".join(reversed(names))
        if at not in seen:
            seen.add(at)
            yield at, element


def _strange_xml(tree: etree._Element) -> Iterator[Planted]:
    for at, element in _places(tree):
        element.set(MARKER, MARKER)
        yield Planted(f"{at}/@*", None, partial(_bytes, element))
        del element.attrib[MARKER]
        for namespace in dict.fromkeys((etree.QName(element).namespace, f"urn:{MARKER}")):
            below = etree.SubElement(element, f"{{{namespace}}}{MARKER}" if namespace else MARKER)
            below.text = MARKER
            end = "*" if namespace == etree.QName(element).namespace else "*:*"
            yield Planted(f"{at}/{end}", None, partial(_bytes, element))
            element.remove(below)
        if element.getparent() is not None:
            before, element.tail = element.tail, f"{element.tail or ''}{MARKER}"
            yield Planted(f"{at}/tail()", None, partial(_bytes, element))
            element.tail = before
        if not (element.text or "").strip():
            before, element.text = element.text, MARKER
            yield Planted(f"{at}/text()", None, partial(_bytes, element))
            element.text = before
        yield from _once_more(at, element)


def _once_more(at: str, element: etree._Element) -> Iterator[Planted]:
    """The element twice, other words in the first or in the second: both are read, or it is refused."""
    parent, other = element.getparent(), copy.deepcopy(element)
    other.tail = None
    for one in other.iter(etree.Element):
        one.attrib.update(dict.fromkeys(one.attrib, MARKER))
        one.text = MARKER if (one.text or "").strip() else one.text
    if parent is not None and MARKER.encode() in etree.tostring(other):
        where = parent.index(element)
        for number in (1, 2):
            parent.insert(where + number - 1, other)
            yield Planted(f"{at}[{number}]", None, partial(_bytes, parent))
            parent.remove(other)


def _spoken_xml(tree: etree._Element, word: str) -> Iterator[Planted]:
    for at, element in _places(tree):
        for name, before in element.attrib.items():
            element.set(name, word)
            yield Planted(f"{at}/@{etree.QName(name).localname}", word, partial(_bytes, element))
            element.set(name, before)
        if (text := element.text or "").strip():
            element.text = word
            yield Planted(at, word, partial(_bytes, element))
            element.text = text


def _bytes(element: etree._Element) -> bytes:
    *_, root = (element, *element.iterancestors())
    return etree.tostring(root, encoding="utf-8")


# ------------------------------------------------------------------------------------------- json


def _strange_json(body: bytes) -> Iterator[Planted]:
    document = json.loads(body)
    for at, holder in _groups(document, "$"):
        holder[MARKER] = MARKER
        yield Planted(f"{at}.*", None, partial(_written, document))
        del holder[MARKER]
        for name, many in holder.items():
            if isinstance(many, list) and many:
                other = _other(many[0])
                for number, more in enumerate(([other, *many], [*many, other]), 1):
                    holder[name] = more
                    yield Planted(f"{at}.{name}[][{number}]", None, partial(_written, document))
                holder[name] = many


def _other(node: Any) -> Any:
    """The same keys with other words."""
    if isinstance(node, dict):
        return {name: _other(child) for name, child in node.items()}
    return [_other(child) for child in node] if isinstance(node, list) else MARKER


def _groups(node: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield at, node
    for _, name, child in _children(node):
        yield from _groups(child, f"{at}{name}")


def _spoken_json(body: bytes, word: str) -> Iterator[Planted]:
    document, seen = json.loads(body), set[str]()
    for at, put, before in _leaves(document, "$"):
        if at not in seen:
            seen.add(at)
            put(word)
            yield Planted(at, word, partial(_written, document))
            put(before)


def _leaves(node: Any, at: str) -> Iterator[tuple[str, Callable[[Any], None], Any]]:
    for key, name, child in _children(node):
        if isinstance(child, dict | list):
            yield from _leaves(child, f"{at}{name}")
        else:
            yield f"{at}{name}", partial(setitem, node, key), child


def _children(node: Any) -> list[tuple[Any, str, Any]]:
    """The key or position of each, how a path says it, and what it holds. In a list, what holds the same keys
    is one place, and what holds others is another: the entries of a Bundle are no more alike than that."""
    if isinstance(node, dict):
        return [(name, f".{name}", child) for name, child in node.items()]
    if not isinstance(node, list):
        return []
    first: dict[Any, int] = {}
    at = [first.setdefault(_keys(child), number) for number, child in enumerate(node)]
    return [(number, f"[{at[number] or ''}]", child) for number, child in enumerate(node)]


def _keys(node: Any) -> Any:
    """The keys of an object and of what it holds."""
    if isinstance(node, dict):
        return frozenset((name, _keys(child)) for name, child in node.items())
    return frozenset(map(_keys, node)) if isinstance(node, list) else None


def _written(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


# ------------------------------------------------------------------------------------ lines of text

_BETWEEN = re.compile(rb"[;,\t|]")


def _strange_lines(body: bytes) -> Iterator[Planted]:
    """One more field at the end of each line, and one more line. Nothing in what is packed or binary."""
    lines = _lines(body)
    for number, line in enumerate(lines, 1):
        between = _BETWEEN.search(line)
        if between:
            more = [*lines[: number - 1], line + between[0] + MARKER.encode(), *lines[number:]]
            yield Planted(f"line {number}, one field more", None, partial(b"\n".join, more))
    if lines:
        yield Planted("one line more", None, partial(b"\n".join, [*lines, MARKER.encode()]))


def _spoken_lines(body: bytes, word: str) -> Iterator[Planted]:
    lines = _lines(body)
    for number, line in enumerate(lines, 1):
        start = 0
        for place, end in enumerate((*(m.start() for m in _BETWEEN.finditer(line)), len(line)), 1):
            if line[start:end].strip():
                other = line[:start] + word.encode() + line[end:]
                whole = [*lines[: number - 1], other, *lines[number:]]
                yield Planted(f"line {number}, field {place}", word, partial(b"\n".join, whole))
            start = end + 1


def _lines(body: bytes) -> list[bytes]:
    return [] if b"\x00" in body else body.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")


# ------------------------------------------------------------------------------------ what became of it


def every(seeds: Sequence[Seed], most: int, seed: str) -> list[Planted]:
    """What can be planted in the examples, each place once: all of it, or so many, the same each time. Only
    these become bytes: there are ten thousand in a large example."""
    there = list(dict.fromkeys((one.at, one.word) for one in _all(seeds)))
    chosen = set(there if len(there) <= most else Random(seed).sample(there, most))
    made: dict[tuple[str, str | None], Planted] = {}
    for one in _all(seeds):
        if (key := (one.at, one.word)) in chosen and key not in made:
            made[key] = one.kept()
    return list(made.values())


def _all(seeds: Sequence[Seed]) -> Iterator[Planted]:
    for one in seeds:
        yield from strange(one)
        for word in WORDS:
            yield from spoken(one, word)


def faults(planted: Planted, record: Record, passed_over: Iterable[str]) -> Iterator[Finding]:
    """What is wrong with a record that was read of this: the word is not in it, or not the whole of it."""
    said = "\n".join(str(value) for _, value in walk(record.fields))
    at = re.sub(r"\[[0-9]+\]", "[]", re.sub(r"\[[12]\]$", "", planted.at))
    if any(at.endswith(end) for end in passed_over):
        return
    if planted.word is None and MARKER not in said:
        expected = "what no field takes to be refused, or its place in passes_over with a reason"
        yield Finding(planted.at, "unknown", expected)
    if planted.word in (MARKER, DIGITS) and planted.word not in said:
        expected = "this value in the record, or a refusal, or its place in passes_over with a reason"
        yield Finding(planted.at, "unread", expected)
    if planted.word is not None and END in planted.word and (MARKER in said) != (END in said):
        yield Finding(planted.at, "cut", "the whole of a long text, or a refusal")


def reasons(passed_over: Mapping[str, str], least: int) -> Iterator[Finding]:
    """What is wrong with a list of places that are passed over, by itself."""
    for place, reason in passed_over.items():
        if not re.match(r"[/.$@\[]\S", place):
            yield Finding(f"passes_over {place}", "place", "the end of a place, as a finding names it")
        if len(reason.strip()) < least:
            yield Finding(f"passes_over {place}", "reason", f"a reason of {least} characters or more")
