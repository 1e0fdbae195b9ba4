"""Understands what a declared message says in other words on purpose: the record as it reads back.

    a name           "Family, Given" as "Given Family", where elements hold its pieces and one word the family
    a text           on one line where an attribute holds it; without blanks around a line anywhere
    a time           with seconds; a day as its midnight where a moment is demanded
    a choice         without the fields that its first alternative leaves no place for (`OneOf.yields`)
    a group          not at all without one of the fields that it needs (`El.alone`)
    a kind           that every message must say, as the first of those the table knows
    ids              of messages and conversations as UUIDs, where the table derives them

All of it follows from the table. What is in none of these must come back as it went, or is not written
(`unsaid`). It must not know any message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adapters.kith.datatypes import DATETIME, TS, lines_of, one_line, with_seconds
from adapters.kith.names import join_pieces, split_name
from adapters.kith.rules import ids_as_said
from adapters.kith.tables import NOTED, El, OneOf, resolved

Fields = Mapping[str, Any]


@dataclass
class _Node:
    """One field or group of the record: how its text reads back, what gives way to what in it, and what
    stands only beside what."""

    read: Callable[[str], str] | None = None
    below: dict[str, _Node] = field(default_factory=dict)
    yields: list[tuple[tuple[str, ...], frozenset[str]]] = field(default_factory=list)
    alone: list[tuple[tuple[str, ...], frozenset[str]]] = field(default_factory=list)

    def at(self, path: str) -> _Node:
        here = self
        for name in path.split(".") if path else ():
            here = here.below.setdefault(name, _Node())
        return here


class Saying:
    """How the records of one profile read back."""

    def __init__(self, root: El) -> None:
        self._root = root

    def __call__(self, fields: Fields) -> dict[str, Any]:
        """The fields as they read back."""
        said = self._demanded | ids_as_said(fields, self.derived)
        return _read(said, self._plan, said)

    @cached_property
    def derived(self) -> frozenset[str]:
        """What the table says by rule (`DERIVED`) instead of as it is."""
        return frozenset(row.derive for row, _ in _rows(self._root) if row.derive)

    @cached_property
    def yields(self) -> Mapping[str, str]:
        """Fields that are left behind where something else stands in their place, or where what they go with
        is not there, with the reason."""
        found: dict[str, str] = {}
        for row, into in _rows(self._root):
            for choice in row.rows:
                if isinstance(choice, OneOf) and choice.yields:
                    found |= {resolved(into, name): why for name, why in choice.yields.items()}
            if row.alone:
                found |= {resolved(into, name): row.alone for name in sorted(_beside(row))}
        return found

    @cached_property
    def _demanded(self) -> dict[str, str]:
        """What the schema demands of every message, where the record need not say it."""
        found: dict[str, str] = {}
        for row, into in _rows(self._root):
            for part, target in row.to.items():
                path = resolved(into, target)
                if row.least and part in row.default and not row.absent and "." not in path:
                    found[path] = row.default[part]
        return found

    @cached_property
    def _plan(self) -> _Node:
        plan = _Node()
        for row, into in _rows(self._root):
            for part, target in row.to.items():
                name, _, piece = target.partition("#")
                if name and piece not in NOTED:
                    node = plan.at(resolved(into, name))
                    node.read = lines_of if node.read is lines_of else _reading(row, part, piece)
            for choice in row.rows:
                if isinstance(choice, OneOf) and choice.yields:
                    plan.at(into).yields.append((choice.rows[0].needs, frozenset(choice.yields)))
            if names := _beside(row):
                plan.at(into).alone.append((row.needs, names))
        return plan


def _rows(root: El) -> list[tuple[El, str]]:
    """Every row with the group of the record that its fields are seen from."""
    found: list[tuple[El, str]] = []

    def add(row: El, into: str) -> None:
        into = resolved(into, row.into) if row.into else into
        found.append((row, into))
        for below in row.rows:
            for member in below.rows if isinstance(below, OneOf) else (below,):
                if not member.into.endswith("#more"):
                    add(member, into)

    add(root, "")
    return found


def _beside(row: El) -> frozenset[str]:
    """The fields of a group that are not written without those that it needs."""
    below = (leaf for leaf in row.rows if isinstance(leaf, El) and row.alone)
    return frozenset(to.partition("#")[0] for leaf in below for to in leaf.to.values()) - set(row.needs)


def _reading(row: El, part: str, piece: str) -> Callable[[str], str]:
    if piece:
        return in_order
    if row.type in (TS, DATETIME):
        return _moment if row.type is DATETIME and part == "V" else with_seconds
    return lines_of if part == "lines" else one_line


def in_order(name: str) -> str:
    """A name as its pieces read back."""
    return join_pieces(split_name(name))


def _moment(time: str) -> str:
    return with_seconds(time) if "T" in time else f"{time}T00:00:00"


def _read(fields: Fields, plan: _Node, top: Fields) -> dict[str, Any]:
    gone = _gone(fields, plan, top) if plan.yields or plan.alone else frozenset()
    said = {
        name: _value(value, plan.below.get(name), top) for name, value in fields.items() if name not in gone
    }
    return {name: value for name, value in said.items() if value != {} or fields[name] == {}}


def _value(value: Any, node: _Node | None, top: Fields) -> Any:
    if node is None:
        return value
    if isinstance(value, str):
        return node.read(value) if node.read is not None else value
    if isinstance(value, Mapping):
        return _read(value, node, top)
    if isinstance(value, list):
        return [_value(item, node, top) for item in value]
    return value


def _gone(fields: Fields, plan: _Node, top: Fields) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for needs, names in plan.yields:
        if any(_there(name, fields, top) for name in needs):
            found |= names
    for needs, names in plan.alone:
        if not any(_there(name, fields, top) for name in needs):
            found |= names
    return found


def _there(name: str, fields: Fields, top: Fields) -> bool:
    here: Any = top if name.startswith("/") else fields
    for step in name.removeprefix("/").split("."):
        here = here.get(step) if isinstance(here, Mapping) else None
    return here is not None
