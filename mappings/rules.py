"""Understands what must hold between the fields of one message: a sum, an order, a condition.

The rules are a closed list; a type names them in its `checks:`. Tolerates values of the wrong kind,
since those are found elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.errors import Finding
from hub.message import Fields
from mappings.fields import Text


@dataclass(frozen=True)
class Check:
    """One rule of a type. What `fields`, `other`, `values` and `start` mean is said by the rule."""

    rule: str
    says: Text
    fields: tuple[str, ...]
    other: str = ""
    values: frozenset[object] = frozenset()
    start: int = 1

    def findings(self, fields: Fields) -> list[Finding]:
        return [
            Finding(at, self.rule, self.says.en, nb=self.says.nb) for at in RULES[self.rule](self, fields)
        ]


def value_at(fields: object, path: str) -> object:
    """The value at a dotted path that crosses no list, or None."""
    for name in path.split("."):
        if not isinstance(fields, Mapping) or name not in fields:
            return None
        fields = fields[name]
    return fields


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _sum(check: Check, fields: Fields) -> list[str]:
    """`other` is the sum of the list at `fields[0]`."""
    items, total = value_at(fields, check.fields[0]), value_at(fields, check.other)
    if not isinstance(items, list) or not _whole(total) or not all(_whole(item) for item in items):
        return []
    return [] if sum(items) == total else [check.other]


def _items(check: Check, fields: Fields) -> list[str]:
    """Elements of the list at `fields[0]`, from number `start` on, are among `values`."""
    items = value_at(fields, check.fields[0])
    if not isinstance(items, list):
        return []
    return [
        f"{check.fields[0]}[{index}]"
        for index, item in enumerate(items)
        if index + 1 >= check.start and _whole(item) and item not in check.values
    ]


def _not_before(check: Check, fields: Fields) -> list[str]:
    """The date at `fields[0]` does not come before the date at `other`."""
    late, early = value_at(fields, check.fields[0]), value_at(fields, check.other)
    if isinstance(late, str) and isinstance(early, str) and late < early:
        return [check.fields[0]]
    return []


def _at_least_one(check: Check, fields: Fields) -> list[str]:
    """One of `fields` is there."""
    return [] if any(value_at(fields, path) is not None for path in check.fields) else [check.fields[0]]


def _only_when(check: Check, fields: Fields) -> list[str]:
    """Each of `fields` is there only when the value at `other` is among `values`."""
    condition = value_at(fields, check.other)
    if isinstance(condition, str | int) and condition in check.values:
        return []
    return [path for path in check.fields if value_at(fields, path) is not None]


def _required_when(check: Check, fields: Fields) -> list[str]:
    """Each of `fields` is there when the value at `other` is among `values`."""
    condition = value_at(fields, check.other)
    if not isinstance(condition, str | int) or condition not in check.values:
        return []
    return [path for path in check.fields if value_at(fields, path) is None]


def _same(check: Check, fields: Fields) -> list[str]:
    """All of `fields` hold the same value."""
    first = value_at(fields, check.fields[0])
    return [path for path in check.fields[1:] if value_at(fields, path) != first]


RULES: Mapping[str, Callable[[Check, Fields], list[str]]] = {
    "sum": _sum,
    "items": _items,
    "not-before": _not_before,
    "at-least-one": _at_least_one,
    "only-when": _only_when,
    "required-when": _required_when,
    "same": _same,
}
