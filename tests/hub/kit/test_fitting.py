"""Understands how much of a made-up record is kept beside an example by a format that refuses some of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hub.kit import fitting
from hub.kit.fitting import fitted
from hub.message import Record

BASE: Mapping[str, Any] = {"id": "1", "part": {"name": "a"}, "rows": [{"code": "A", "system": "S"}]}
Fits = Callable[[Mapping[str, Any]], bool]

CASES: dict[str, tuple[Mapping[str, Any], Fits, Mapping[str, Any]]] = {
    "everything": ({"id": "2", "more": "x"}, lambda _: True, {**BASE, "id": "2", "more": "x"}),
    "nothing": ({"id": "2", "more": "x"}, lambda _: False, BASE),
    "one field of many": (
        {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5},
        lambda fields: "d" not in fields,
        {**BASE, "a": 1, "b": 2, "c": 3, "e": 5},
    ),
    "two that stand together only": (
        {"a": 1, "b": 2, "c": 3},
        lambda fields: ("a" in fields) == ("b" in fields) and "c" not in fields,
        BASE,  # the halves part them: less is kept than could be, never more
    ),
    "a field inside a group": (
        {"part": {"name": "b", "kind": "x"}},
        lambda fields: "kind" not in fields["part"],
        {**BASE, "part": {"name": "b"}},
    ),
    "what the example has in a group": (
        {"part": {"kind": "x"}},
        lambda fields: "name" in fields["part"],
        {**BASE, "part": {"name": "a", "kind": "x"}},
    ),
    "an element of a list": (
        {"rows": [{"code": "B"}, {"code": "C", "system": "T"}, {"code": "D"}]},
        lambda fields: all(row.get("code") != "C" for row in fields["rows"]),
        {**BASE, "rows": [{"code": "B", "system": "S"}, {"system": "T"}, {"code": "D"}]},
    ),
    "a value in an element": (
        {"rows": [{"code": "B", "system": "no"}]},
        lambda fields: all(row.get("system") in ("S", None) and "system" in row for row in fields["rows"]),
        {**BASE, "rows": [{"code": "B", "system": "S"}]},
    ),
}


@pytest.mark.parametrize(("made", "fits", "kept"), CASES.values(), ids=CASES)
def test_what_fits_is_kept_beside_the_example(
    made: Mapping[str, Any], fits: Fits, kept: Mapping[str, Any]
) -> None:
    record = fitted(Record("t", BASE), Record("t", made), lambda record: fits(record.fields))

    assert record.fields == kept
    assert record.fields == BASE or fits(record.fields)


def test_it_asks_no_more_than_so_often() -> None:
    asked: list[Record] = []

    def fits(record: Record) -> bool:
        asked.append(record)
        return False

    fitted(Record("t", BASE), Record("t", {f"f{number}": {"x": 1, "y": 2} for number in range(500)}), fits)

    assert len(asked) == fitting.MOST_TRIES
