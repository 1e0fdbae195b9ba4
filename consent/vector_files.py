"""Understands the files that `bro consent check-vectors` reads: their shape, and their words in the hub's.

It must not know the decision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from consent.said import OSLO
from consent.strict_yaml import read_yaml
from hub.errors import Finding, HubError
from hub.message import (
    ANY,
    Category,
    Purpose,
    Sector,
)

WORDS = Path(__file__).parent / "vectors.yaml"

_VECTOR_KEYS = {"id", "title", "consents", "request", "expected", "why", "note"}

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Vector:
    """One vector as it stands in the file."""

    id: str
    title: str
    consents: Sequence[Any] | None
    request: Plain
    expected: Plain


@dataclass(frozen=True)
class Words:
    """The vectors' words in the hub's, and the codes of the reasons."""

    parties: Mapping[str, tuple[str, ...]]
    purposes: Mapping[str, tuple[str, ...]]
    categories: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]


def load_words(path: Path = WORDS) -> Words:
    """HubError("policy.invalid") unless every word leads to a word of the hub."""
    root = read_yaml(path.read_text("utf-8"), "policy.invalid")
    assert isinstance(root, Mapping)
    found: dict[str, dict[str, Any]] = {}
    known = {
        "parties": {sector.value for sector in Sector},
        "purposes": {purpose.value for purpose in Purpose},
        "categories": {category.value for category in Category} - {Category.UNKNOWN.value},
    }
    for name, ours in known.items():
        table = root[name]
        assert isinstance(table, Mapping)
        found[name] = {word: (word,) for word in ours}
        for word, means in table.items():
            if not isinstance(means, Sequence) or not set(map(str, means)) <= ours:
                raise HubError("policy.invalid", [Finding(f"{name}.{word}", "code", "words of the hub")])
            found[name][word] = tuple(map(str, means))
    reasons = root["reasons"]
    assert isinstance(reasons, Mapping)
    return Words(**found, reasons={word: str(code) for word, code in reasons.items()})


def read_vectors(path: Path) -> tuple[Vector, ...]:
    """The vectors of a file whose answers are those of the statutory pack. HubError("vectors.invalid")
    with every finding when it is no such file."""
    findings: list[Finding] = []
    try:
        root = json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
    except (OSError, ValueError):
        raise HubError("vectors.invalid", [Finding("/", "file", "a readable JSON file")]) from None
    listed = root.get("vectors") if isinstance(root, Mapping) else None
    if not isinstance(root, Mapping) or not isinstance(listed, list) or not listed:
        raise HubError("vectors.invalid", [Finding("vectors", "shape", "a list that is not empty")])
    for key, value, expected in (("tz", "Europe/Oslo", "Europe/Oslo"), ("pack", "statutory", "statutory")):
        if root.get(key, value) != value:
            findings.append(Finding(key, "value", expected))
    for key in sorted(root.keys() - {"note", "tz", "pack", "vectors"}):
        findings.append(Finding(key, "unknown-key", "note, tz, pack, vectors"))
    for i, raw in enumerate(listed):
        findings += _vector_faults(raw, f"vectors[{i}]")
    ids = [raw.get("id") for raw in listed if isinstance(raw, Mapping)]
    if len(set(map(str, ids))) != len(ids):
        findings.append(Finding("vectors", "duplicate", "each id once"))
    if findings:
        raise HubError("vectors.invalid", findings)
    return tuple(
        Vector(str(v["id"]), str(v.get("title", "")), v["consents"], v["request"], v["expected"])
        for v in listed
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _vector_faults(raw: Any, at: str) -> Iterator[Finding]:
    if not isinstance(raw, Mapping):
        yield Finding(at, "shape", "a mapping")
        return
    for key in sorted(raw.keys() - _VECTOR_KEYS):
        yield Finding(f"{at}.{key}", "unknown-key", ", ".join(sorted(_VECTOR_KEYS)))
    for key in ("id", "request", "expected", "consents"):
        if key not in raw:
            yield Finding(f"{at}.{key}", "missing", "this key")
    for key in ("request", "expected"):
        if not isinstance(raw.get(key, {}), Mapping):
            yield Finding(f"{at}.{key}", "shape", "a mapping")
    if not isinstance(raw.get("consents", []), list | None):
        yield Finding(f"{at}.consents", "shape", "a list, or null when the store is away")


class NotUnderstood(Exception):
    """Where in the vector, without its value."""


def only_known(raw: Plain, known: set[str], at: str) -> None:
    if unknown := sorted(map(str, raw.keys() - known)):
        raise NotUnderstood(", ".join(f"{at}.{key}" for key in unknown))


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def in_our_words(value: Any, table: Mapping[str, tuple[str, ...]]) -> frozenset[str] | None:
    """The hub's words; a word nobody knows stays as it is, and makes the document unreadable."""
    if value is None:
        return None
    words: set[str] = set()
    for one in as_list(value):
        words.update((ANY,) if one == ANY else table.get(str(one), (str(one),)))
    return frozenset(words)


def is_day(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 10


def day_of(value: Any) -> date:
    if is_day(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise NotUnderstood("a date") from None
    return moment_of(value).astimezone(OSLO).date()


def moment_of(value: Any) -> datetime:
    """A date is the start of the day, and a time without a zone is that of the clocks in Oslo."""
    if not isinstance(value, str):
        raise NotUnderstood("a moment")
    try:
        if is_day(value):
            return datetime.combine(date.fromisoformat(value), time(), OSLO).astimezone(UTC)
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise NotUnderstood("a moment") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=OSLO)).astimezone(UTC)


def withdrawn_at(value: Any, *, permits: bool) -> datetime:
    """A withdrawal on a day takes a permission from its start, and a refusal from its end."""
    if is_day(value) and not permits:
        return moment_of((date.fromisoformat(value) + timedelta(days=1)).isoformat())
    return moment_of(value)
