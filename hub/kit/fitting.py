"""Understands how a made-up record becomes one that a narrower format can say: as much of it as is not
refused beside an example that is not.

Only the format's own answers lead the way, so that no national rule is told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hub.message import Record

Group = Mapping[str, Any]
MOST_TRIES = 50
"""Questions per record; what is not decided by then stays out."""


def fitted(base: Record, made: Record, fits: Callable[[Record], bool]) -> Record:
    """`base`, which fits, with everything of `made` that can stand beside it: halves are tried before their
    halves, a group before its fields, and an element of a list for itself."""
    return Record(base.type, _Fitting(base.type, fits).grown(base.fields, made.fields, lambda whole: whole))


class _Fitting:
    def __init__(self, type_name: str, fits: Callable[[Record], bool]) -> None:
        self._type = type_name
        self._fits = fits
        self._left = MOST_TRIES

    def _ask(self, fields: Group) -> bool:
        self._left -= 1
        return self._left >= 0 and self._fits(Record(self._type, fields))

    def grown(self, node: Group, wanted: Group, put: Callable[[Any], Group]) -> Group:
        """One group with what fits of the wanted one. `put` gives the whole record with a group in its
        place."""
        return self._some(node, wanted, list(wanted), put)

    def _some(self, node: Group, wanted: Group, names: Sequence[str], put: Callable[[Any], Group]) -> Group:
        if not names or self._left <= 0:
            return node
        whole = {**node, **{name: _over(node.get(name), wanted[name]) for name in names}}
        if self._ask(put(whole)):
            return whole
        if len(names) > 1:
            half = len(names) // 2
            node = self._some(node, wanted, names[:half], put)
            return self._some(node, wanted, names[half:], put)
        return self._one(node, names[0], wanted[names[0]], put)

    def _one(self, node: Group, name: str, value: Any, put: Callable[[Any], Group]) -> Group:
        """A field that does not fit as it is: its parts may."""

        def inside(part: Any) -> Group:
            return put({**node, name: part})

        if isinstance(value, Mapping):
            group = self.grown(node.get(name, {}), value, inside)
            return {**node, name: group} if group else node
        if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            kept = list(self._elements(node.get(name) or [], value, inside))
            return {**node, name: kept} if kept else node
        return node

    def _elements(
        self, known: Sequence[Group], wanted: Sequence[Group], put: Callable[[Any], Group]
    ) -> Iterator[Group]:
        """The known elements, each with what fits of a wanted one, and then the wanted ones alone."""
        kept: list[Group] = []
        for index in range(max(len(known), len(wanted))):
            start = known[index] if index < len(known) else {}
            if index < len(wanted):
                rest = list(known[index + 1 :])
                one = self.grown(start, wanted[index], lambda item, rest=rest: put([*kept, item, *rest]))  # type: ignore[misc]  # a lambda's default
            else:
                one = start
            if one:
                kept.append(one)
        yield from kept


def _over(known: Any, wanted: Any) -> Any:
    """A wanted group beside what is known of it; anything else as it is wanted."""
    if isinstance(known, Mapping) and isinstance(wanted, Mapping):
        return {**known, **{name: _over(known.get(name), value) for name, value in wanted.items()}}
    return wanted
