"""Understands that YAML means what it says or is refused, and that every fault has its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any

import pytest

from consent.strict_yaml import Plain, Reader, read_yaml
from hub.errors import Finding, HubError


def found(text: str) -> list[tuple[str, str, int | None, int | None]]:
    with pytest.raises(HubError) as refused:
        read_yaml(text, "policy.invalid")
    assert refused.value.code == "policy.invalid"
    return [(f.at, f.rule, f.line, f.column) for f in refused.value.findings]


READ: list[tuple[str, object]] = [
    ("", None),
    ("a: x", {"a": "x"}),
    ("a: 'no'", {"a": "no"}),
    ("a: [1, -2, 0, 999999998]", {"a": [1, -2, 0, 999999998]}),
    ("a: true\nb: false", {"a": True, "b": False}),
    ("a: null\nb:", {"a": None, "b": None}),
    ("a: 2026-01-31", {"a": date(2026, 1, 31)}),
    ("a: {b: [{c: x}]}", {"a": {"b": [{"c": "x"}]}}),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_what_means_what_it_says_is_read(text: str, expected: object) -> None:
    assert read_yaml(text, "policy.invalid") == expected


REFUSED: list[tuple[str, list[tuple[str, str, int | None, int | None]]]] = [
    ("a: yes", [("a", "ambiguous", 1, 4)]),
    ("a: True", [("a", "ambiguous", 1, 4)]),
    ("a: ~", [("a", "ambiguous", 1, 4)]),
    ("a: NULL", [("a", "ambiguous", 1, 4)]),
    ("a: 012", [("a", "ambiguous", 1, 4)]),
    ("a: +1", [("a", "ambiguous", 1, 4)]),
    ("a: 1000000000", [("a", "ambiguous", 1, 4)]),
    ("a: 1.5", [("a", "ambiguous", 1, 4)]),
    ("a: 2026-01-31 12:00:00", [("a", "ambiguous", 1, 4)]),
    ("a: 2026-02-31", [("a", "ambiguous", 1, 4)]),
    ("b: 1\na: [x, {c: no}]", [("a[1].c", "ambiguous", 2, 12)]),
    ("no", [("/", "ambiguous", 1, 1)]),
    ("- no\n- 'x'\n- yes", [("[0]", "ambiguous", 1, 3), ("[2]", "ambiguous", 3, 3)]),
    ("1: x", [("/", "key", 1, 1)]),
    ("a: {[b]: x, c: no}", [("a", "key", 1, 5), ("a.c", "ambiguous", 1, 16)]),
    ("a: 1\na: 2", [("a", "duplicate-key", 2, 1)]),
    ("x: {a: 1, a: no}", [("x.a", "duplicate-key", 1, 11), ("x.a", "ambiguous", 1, 14)]),
    ("a: &b [x]\nc: *b", [("/", "alias", None, None)]),
    ("a: &b {x: y}\nc: [*b]", [("/", "alias", None, None)]),
    ("&a [*a]", [("/", "alias", None, None)]),
    ("&a {x: *a}", [("/", "alias", None, None)]),
    ("a: &b x\nc: {*b : y}", [("/", "alias", None, None)]),
    ("a: [", [("/", "yaml", 1, 5)]),
    ("a: *b", [("/", "yaml", 1, 4)]),
    ("--- a\n--- b", [("/", "yaml", 2, 1)]),
    ("a: \x00", [("/", "yaml", None, None)]),
    ('a: "\\U00110000"', [("/", "yaml", None, None)]),
    ("[" * 1100, [("/", "yaml", None, None)]),
    ("[" * 4900 + "]" * 4900, [("/", "yaml", None, None)]),
    ("[" * 60_000 + "]" * 60_000, [("/", "yaml", None, None)]),
    ("- " * 60_000, [("/", "yaml", None, None)]),
    ("{" * 60_000, [("/", "yaml", None, None)]),
    ("? " * 60_000, [("/", "yaml", None, None)]),
    ('a: "\\uD800"', [("a", "text", 1, 4)]),
    ('a: "\\uDFFF"', [("a", "text", 1, 4)]),
    ("a: !x y", [("a", "ambiguous", 1, 4)]),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_what_could_mean_something_else_is_refused_at_its_place(
    text: str, expected: list[tuple[str, str, int | None, int | None]]
) -> None:
    assert found(text) == expected


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


Take = Callable[[Reader], object]
RAW: dict[str, Plain] = {
    "text": "x", "blank": "", "padded": " x", "number": 7, "minus": -1, "yes": True, "null": None,
    "day": date(2026, 1, 1), "list": ["x", "y"], "empty": [], "mixed": ["x", 7], "gap": ["x", " "],
    "red": "red", "colours": ["red", "blue"], "twice": ["red", "red"], "odd": ["red", "green"],
    "zero": 0, "map": {"a": 1},
}  # one row per case # fmt: skip


def taken(take: Take) -> tuple[object, list[tuple[str, str]]]:
    findings: list[Finding] = []
    got = take(Reader(findings))
    return got, [(f.at, f.rule) for f in findings]


def _of(method: str, key: str, *kind: Any) -> Take:
    return lambda read: getattr(read, method)(*kind, RAW, "at", key)


TAKEN: list[tuple[Take, object, list[tuple[str, str]]]] = [
    (_of("text", "text"), "x", []),
    (_of("text", "absent"), "", []),
    (_of("text", "blank"), "", [("at.blank", "text")]),
    (_of("text", "padded"), "", [("at.padded", "text")]),
    (_of("text", "number"), "", [("at.number", "text")]),
    (_of("list", "list"), ["x", "y"], []),
    (_of("list", "absent"), [], []),
    (_of("list", "text"), [], [("at.text", "shape")]),
    (_of("list", "number"), [], [("at.number", "shape")]),
    (_of("list", "null"), [], [("at.null", "shape")]),
    (_of("texts", "list"), ("x", "y"), []),
    (_of("texts", "absent"), (), []),
    (_of("texts", "empty"), (), [("at.empty", "texts")]),
    (_of("texts", "mixed"), ("x",), [("at.mixed", "texts")]),
    (_of("texts", "gap"), ("x", " "), [("at.gap", "texts")]),
    (_of("count", "number"), 7, []),
    (_of("count", "zero"), 0, []),
    (_of("count", "absent"), 0, []),
    (_of("count", "minus"), 0, [("at.minus", "integer")]),
    (_of("count", "yes"), 0, [("at.yes", "integer")]),
    (_of("count", "text"), 0, [("at.text", "integer")]),
    (_of("day", "day"), date(2026, 1, 1), []),
    (_of("day", "null"), None, []),
    (_of("day", "absent"), None, []),
    (_of("day", "text"), None, [("at.text", "date")]),
    (_of("flag", "yes"), True, []),
    (_of("flag", "absent"), False, []),
    (_of("flag", "number"), False, [("at.number", "boolean")]),
    (_of("code", "red", Colour), Colour.RED, []),
    (_of("code", "absent", Colour), None, []),
    (_of("code", "text", Colour), None, [("at.text", "code")]),
    (_of("code", "number", Colour), None, [("at.number", "code")]),
    (_of("code", "null", Colour), None, [("at.null", "code")]),
    (_of("codes", "colours", Colour), frozenset(Colour), []),
    (_of("codes", "odd", Colour), frozenset({Colour.RED}), [("at.odd[1]", "code")]),
    (_of("codes", "twice", Colour), frozenset({Colour.RED}), [("at.twice", "repeat")]),
    (lambda read: read.mapping(RAW["map"], "at", {"a"}), {"a": 1}, []),
    (lambda read: read.mapping(RAW["map"], "at", {"a", "b"}, {"b"}), {"a": 1}, []),
    (lambda read: read.mapping(RAW["map"], "at", {"a", "b"}), {"a": 1}, [("at.b", "missing")]),
    (lambda read: read.mapping(RAW["map"], "", {"b"}), {"a": 1}, [("a", "unknown-key"), ("b", "missing")]),
    (lambda read: read.mapping(["a"], "at", {"a"}), {}, [("at", "shape")]),
    (lambda read: read.mapping(None, "", {"a"}), {}, [("/", "shape")]),
    *(
        (lambda read, m=method, k=kind, key=key: getattr(read, m)(*k, RAW, "", key), got, [(key, rule)])
        for method, kind, key, got, rule in (
            ("text", (), "blank", "", "text"),
            ("list", (), "text", [], "shape"),
            ("texts", (), "empty", (), "texts"),
            ("count", (), "minus", 0, "integer"),
            ("day", (), "text", None, "date"),
            ("flag", (), "number", False, "boolean"),
            ("code", (Colour,), "text", None, "code"),
            ("codes", (Colour,), "twice", frozenset({Colour.RED}), "repeat"),
        )
    ),
    (lambda read: read.codes(Colour, {"odd": ["green"]}, "", "odd"), frozenset(), [("odd[0]", "code")]),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("take", "got", "faults"), TAKEN)
def test_what_is_taken_out_is_of_its_kind_or_told(
    take: Take, got: object, faults: list[tuple[str, str]]
) -> None:
    assert taken(take) == (got, faults)
