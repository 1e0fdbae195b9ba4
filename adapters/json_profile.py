"""Understands a table of JSON elements as the description of a record: reading, checking, writing.

A profile is data: groups of parts, each with its key, whether it must be there, and what it holds. All
three directions follow from it. Keys that the table does not name are not read and not written again.

A text that is empty says nothing, so the record does not have it; where the format requires it, it is
written as an empty text. The same holds for empty lists and groups. It must not know any message type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from adapters.base import MAX_DIGITS, carries
from hub.errors import Finding, HubError

Value = object
Out = dict[str, object]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,20}Z")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class Kind(StrEnum):
    """What a leaf holds on the wire, and so in the record: a number with a fraction is its text there."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    FLAG = "flag"
    CODE = "code"
    DATE = "date"  # the shape of one; NAV's own files name days that do not exist
    MOMENT = "moment"
    GRADED = "graded"  # true on the wire is `gradert` in the record, false is `ugradert`


_SAYS: Mapping[Kind, tuple[str, str]] = {
    Kind.TEXT: ("text", "tekst"),
    Kind.WHOLE: ("a whole number", "et helt tall"),
    Kind.NUMBER: (f"a number of at most {MAX_DIGITS} digits", f"et tall med høyst {MAX_DIGITS} sifre"),
    Kind.FLAG: ("true or false", "true eller false"),
    Kind.GRADED: ("true or false", "true eller false"),
    Kind.DATE: ("a date, YYYY-MM-DD", "en dato, ÅÅÅÅ-MM-DD"),
    Kind.MOMENT: (
        "a date and time in UTC with fractions of a second, YYYY-MM-DDThh:mm:ss.fZ",
        "dato og klokkeslett i UTC med desimaler i sekundet, ÅÅÅÅ-MM-DDttt:mm:ss.fZ",
    ),
}
_GRADED = {True: "gradert", False: "ugradert"}


@dataclass(frozen=True)
class Leaf:
    """One value. `only` are the codes of a CODE, `shape` what a TEXT must match, with its words."""

    kind: Kind = Kind.TEXT
    only: tuple[str, ...] = ()
    shape: re.Pattern[str] | None = None
    says: tuple[str, str] = ("", "")

    def words(self) -> tuple[str, str]:
        """What fits, in English and bokmål."""
        if self.only:
            return "one of: " + ", ".join(self.only), "en av: " + ", ".join(self.only)
        return self.says if self.shape else _SAYS[self.kind]

    def fault(self, given: Value) -> str | None:
        """The rule that a wire value breaks, or None."""
        match self.kind:
            case Kind.FLAG | Kind.GRADED:
                return None if isinstance(given, bool) else "type"
            case Kind.WHOLE:
                return None if _whole(given) is not None else "type"
            case Kind.NUMBER:
                sound = isinstance(given, int | Decimal) and not isinstance(given, bool)
                return None if sound else "type"
        if not isinstance(given, str):
            return "type"
        match self.kind:
            case Kind.CODE:
                return None if given in self.only else "code"
            case Kind.DATE:
                return None if _DATE.fullmatch(given) else "date"
            case Kind.MOMENT:
                return None if _MOMENT.fullmatch(given) else "moment"
        if self.shape is not None and not self.shape.fullmatch(given):
            return "pattern"
        return None

    def read(self, given: Value, _root: Out) -> Value:
        match self.kind:
            case Kind.WHOLE:
                return _whole(given)
            case Kind.NUMBER:
                return format(given, "f") if isinstance(given, Decimal) else str(given)
            case Kind.GRADED:
                return _GRADED[bool(given)]
            case Kind.TEXT if isinstance(given, str) and not given.strip():
                return None
        return given

    def write(self, held: Value, _root: Mapping[str, Value]) -> Value:
        """What the wire holds. A value of the wrong kind is written as it is: the check finds it."""
        if self.kind is Kind.NUMBER and isinstance(held, str):
            return Decimal(held) if _DECIMAL.fullmatch(held) and len(held) <= MAX_DIGITS else held
        if self.kind is Kind.GRADED:
            return held == "gradert" if held in _GRADED.values() else held
        return held

    def blank(self) -> Value:
        return "" if self.kind is Kind.TEXT and self.shape is None else None


@dataclass(frozen=True)
class Fixed:
    """A text that never differs: not in the record, always written."""

    text: str

    def words(self) -> tuple[str, str]:
        return self.text, self.text

    def fault(self, given: Value) -> str | None:
        return None if given == self.text else "fixed"

    def read(self, _given: Value, _root: Out) -> Value:
        return None

    def write(self, _held: Value, _root: Mapping[str, Value]) -> Value:
        return self.text

    def blank(self) -> Value:
        return self.text


@dataclass(frozen=True)
class Part:
    """One key of a group. `name`: where the record has it, if not under the key in small letters with
    underscores; `/a.b` is a path from the top of the record, and `""` puts a group's parts beside it."""

    key: str
    node: Node
    required: bool = False
    name: str | None = None

    @cached_property
    def place(self) -> str:
        return _WORD.sub("_", self.key).lower() if self.name is None else self.name


@dataclass(frozen=True)
class Needs:
    """When `key` is there (with one of `values`, if any are named), `other` must be there, too."""

    key: str
    other: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Only:
    """`key` may be there only when the value at `other`, a path, is one of `values`, or absent."""

    key: str
    other: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """An object. `variants` adds parts by the value at `type`; `rules` hold between its own keys."""

    parts: tuple[Part, ...]
    variants: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    rules: tuple[Needs | Only, ...] = ()

    def of(self, given: Mapping[str, Value]) -> tuple[Part, ...]:
        """The parts that an object of this `type` has."""
        kind = given.get("type")
        return self.parts + (self.variants.get(kind, ()) if isinstance(kind, str) else ())

    def words(self) -> tuple[str, str]:
        return "an object", "et objekt"

    def read(self, given: Value, root: Out) -> Value:
        made: Out = {}
        if isinstance(given, Mapping):
            self.read_into(given, made, root)
        return made or None

    def read_into(self, given: Mapping[str, Value], made: Out, root: Out) -> None:
        for part in self.of(given):
            if part.key not in given:
                continue
            if part.place == "" and isinstance(part.node, Group):
                below = given[part.key]
                if isinstance(below, Mapping):
                    part.node.read_into(below, made, root)
                continue
            value = part.node.read(given[part.key], root)
            if value is not None:
                _put(root if part.place.startswith("/") else made, part.place.lstrip("/"), value)

    def write(self, held: Value, root: Mapping[str, Value]) -> Value:
        """The object for a group of the record; None when the record says nothing of it."""
        if not isinstance(held, Mapping):
            return None if held is None else held
        made: Out = {}
        for part in self.of(held):
            value = self._written(part, held, root)
            if value is not None:
                made[part.key] = value
        for rule in self.rules:
            if isinstance(rule, Needs) and _applies(rule, made) and rule.other not in made:
                blank = next(part.node.blank() for part in self.parts if part.key == rule.other)
                if blank is not None:
                    made[rule.other] = blank
        return made

    def _written(self, part: Part, held: Mapping[str, Value], root: Mapping[str, Value]) -> Value:
        if part.place == "":
            value = part.node.write(held, root) or None
        else:
            inside = root if part.place.startswith("/") else held
            found = _get(inside, part.place.lstrip("/"))
            fixed = isinstance(part.node, Fixed)
            value = part.node.write(found, root) if found is not None or fixed else None
        if value is None and part.required:
            value = part.node.write({}, root) if isinstance(part.node, Group) else part.node.blank()
        return value

    def blank(self) -> Value:
        return self.write({}, {})


@dataclass(frozen=True)
class Items:
    """A list. `least`: how many it must have at the least, where it must not be empty."""

    node: Node
    least: int = 0

    def words(self) -> tuple[str, str]:
        least = f", at least {self.least}" if self.least else ""
        nb = f", minst {self.least}" if self.least else ""
        return f"a list{least}", f"en liste{nb}"

    def read(self, given: Value, root: Out) -> Value:
        if not isinstance(given, list):
            return None
        read = (self.node.read(item, root) for item in given)
        return [item for item in read if item is not None] or None

    def write(self, held: Value, root: Mapping[str, Value]) -> Value:
        if not isinstance(held, list):
            return held
        return [self.node.write(item, root) for item in held]

    def blank(self) -> Value:
        return [] if not self.least else None


Node = Leaf | Fixed | Group | Items


def findings(node: Node, given: Value, at: str = "") -> Iterator[Finding]:
    """Everything that is wrong with a wire value, at once: path, rule, what was expected in English and
    bokmål; never the value."""
    match node:
        case Group():
            yield from _group(node, given, at)
        case Items():
            yield from _items(node, given, at)
        case _:
            rule = node.fault(given)
            if rule is not None:
                yield _finding(at, rule, node.words())


def unnamed(node: Node, given: Value) -> Value:
    """What a wire value says under keys that the table does not have, in the same shape; None for nothing."""
    if isinstance(node, Items) and isinstance(given, list):
        listed = [unnamed(node.node, item) for item in given]
        return listed if any(item is not None for item in listed) else None
    if not isinstance(node, Group) or not isinstance(given, Mapping):
        return None
    nodes = {part.key: part.node for part in node.of(given)}
    left = {key: unnamed(nodes[key], value) if key in nodes else value for key, value in given.items()}
    return {key: value for key, value in left.items() if value is not None} or None


Places = dict[int, list[int]]
"""By the id of a list of the document: where the items of the record stand in it."""


def on_wire(node: Node, given: Value, path: str, places: Places) -> str | None:
    """The path in a document for one in the record that was read from it, as far as the table has it.
    `places` is the same for all paths of one document, and begins empty."""
    return _found(node, given, path, places) or _from_top(node, given, path)


def _found(node: Node, given: Value, path: str, places: Places) -> str | None:
    if not path:
        return ""
    if isinstance(node, Items):
        index, _, rest = path.partition("]")
        number = int(index[1:]) if index[:1] == "[" and index[1:].isdigit() else -1
        if id(given) not in places:
            places[id(given)] = _said(node, given)
        said = places[id(given)]
        item = None
        if isinstance(given, list) and -1 < number < len(said):
            number = said[number]
            item = given[number]
        below = _found(node.node, item, rest.removeprefix("."), places)
        return None if below is None else f"[{number}]" + (f".{below}" if below else "")
    if not isinstance(node, Group) or not isinstance(given, Mapping):
        return None
    for part in node.of(given):
        left = _rest(path, part.place)
        inside = None if left is None else _found(part.node, given.get(part.key), left, places)
        if inside is not None:
            return part.key + ("." if inside[:1] not in ("", "[") else "") + inside
    return None


def _said(items: Items, given: Value) -> list[int]:
    """Where in a list the items of the record stand: it has none of those that say nothing."""
    listed = given if isinstance(given, list) else []
    return [index for index, item in enumerate(listed) if items.node.read(item, {}) is not None]


def _from_top(node: Node, given: Value, path: str) -> str | None:
    """For what the table puts at the top of the record."""
    if not isinstance(node, Group) or not isinstance(given, Mapping):
        return None
    for part in node.of(given):
        if part.place == f"/{path}":
            return part.key
        inside = _from_top(part.node, given.get(part.key), path)
        if inside is not None:
            return f"{part.key}.{inside}"
    return None


def _rest(path: str, place: str) -> str | None:
    """What is left of a path below a place, or None when it does not lead there."""
    if not place or path == place:
        return path if not place else ""
    ahead = path[len(place) : len(place) + 1]
    return path[len(place) :].removeprefix(".") if path.startswith(place) and ahead in (".", "[") else None


def _group(group: Group, given: Value, at: str) -> Iterator[Finding]:
    if not isinstance(given, Mapping):
        yield _finding(at, "type", group.words())
        return
    for part in group.of(given):
        path = f"{at}.{part.key}" if at else part.key
        if part.key in given:
            yield from findings(part.node, given[part.key], path)
        elif part.required:
            yield _finding(path, "missing", part.node.words())
    for rule in group.rules:
        path = f"{at}.{rule.key}" if at else rule.key
        if isinstance(rule, Needs):
            if _applies(rule, given) and rule.other not in given:
                words = f"{rule.other} beside it", f"{rule.other} ved siden av"
                yield _finding(path, "needs", words)
        elif rule.key in given and not _among(_get(given, rule.other), rule.values):
            codes = ", ".join(rule.values)
            words = f"only where {rule.other} is {codes}", f"bare der {rule.other} er {codes}"
            yield _finding(path, "only-when", words)


def _items(items: Items, given: Value, at: str) -> Iterator[Finding]:
    if not isinstance(given, list):
        yield _finding(at, "type", items.words())
        return
    if len(given) < items.least:
        yield _finding(at, "length", items.words())
    for index, item in enumerate(given):
        yield from findings(items.node, item, f"{at}[{index}]")


def _finding(at: str, rule: str, words: tuple[str, str]) -> Finding:
    return Finding(at or "body", rule, words[0], nb=words[1])


def _applies(rule: Needs, given: Mapping[str, Value]) -> bool:
    return rule.key in given and (not rule.values or given[rule.key] in rule.values)


def _among(value: Value, values: tuple[str, ...]) -> bool:
    return value is None or value in values


def _whole(given: Value) -> int | None:
    if isinstance(given, Decimal):
        return int(given) if given == given.to_integral_value() else None
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _get(held: Mapping[str, Value], path: str) -> Value:
    here: Value = held
    for name in path.split("."):
        here = here.get(name) if isinstance(here, Mapping) else None
    return here


def _put(made: Out, path: str, value: Value) -> None:
    *above, last = path.split(".")
    here = made
    for name in above:
        below = here.setdefault(name, {})
        assert isinstance(below, dict)  # our own groups
        here = below
    here[last] = value


def write_text(value: Value) -> str:
    """JSON with numbers digit by digit as the record has them, or render.incomplete."""
    return "".join(_text(value))


def _text(value: Value) -> Iterator[str]:
    match value:
        case dict():
            yield "{"
            for index, (key, below) in enumerate(value.items()):
                yield ("," if index else "") + json.dumps(key, ensure_ascii=False) + ":"
                yield from _text(below)
            yield "}"
        case list():
            yield "["
            for index, below in enumerate(value):
                yield "," if index else ""
                yield from _text(below)
            yield "]"
        case Decimal():
            yield format(value, "f")
        case str() if carries(value):
            yield json.dumps(value, ensure_ascii=False)
        case bool() | int():
            yield json.dumps(value)
        case _:
            raise HubError("render.incomplete")
