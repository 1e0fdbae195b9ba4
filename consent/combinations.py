"""Understands which signs, each harmless alone, tell of substance use together.

Signs and combinations are data (`combinations.yaml`). It must not know records, texts or labels: it is
told which signs stand where, and answers which places they give away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from consent.strict_yaml import Reader, read_yaml
from hub.errors import Finding, HubError

COMBINATIONS = Path(__file__).parent / "combinations.yaml"


class Effect(StrEnum):
    RAISE = "raise"
    HOLD = "hold"


class Within(StrEnum):
    MESSAGE = "message"
    ELEMENT = "element"


@dataclass(frozen=True)
class Sign:
    """`codes` are (system, beginning of the code in capitals without dots)."""

    id: str
    words: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Combination:
    id: str
    effect: Effect
    within: Within
    of: frozenset[str]


@dataclass(frozen=True)
class Combinations:
    signs: tuple[Sign, ...]
    rules: tuple[Combination, ...]

    def given_away(self, signs: Mapping[str, frozenset[str]], parts: Mapping[str, str]) -> dict[str, Effect]:
        """The effect on each path of `signs` (path -> its signs); `parts` names the element of a path.
        Where two rules meet, raising wins."""
        found: dict[str, Effect] = {}
        for rule in self.rules:
            together: dict[str, list[str]] = {}
            for path, here in signs.items():
                if here & rule.of:
                    place = "" if rule.within is Within.MESSAGE else parts[path]
                    together.setdefault(place, []).append(path)
            for paths in together.values():
                if rule.of <= frozenset().union(*(signs[path] for path in paths)):
                    for path in paths:
                        if found.get(path) is not Effect.RAISE:
                            found[path] = rule.effect
        return found


@cache
def combinations() -> Combinations:
    """Those of the package, read once for the process."""
    return load_combinations()


def load_combinations(path: Path = COMBINATIONS) -> Combinations:
    """The signs and rules of the file. Raises policy.invalid with all findings."""
    findings: list[Finding] = []
    read = Reader(findings)
    root = read.mapping(
        read_yaml(path.read_text(encoding="utf-8"), "policy.invalid"), "/", {"signs", "combinations"}, set()
    )
    given, rules = root.get("signs"), root.get("combinations")
    signs = []
    for name, raw in (given if isinstance(given, dict) else {}).items():
        row = read.mapping(raw, f"signs.{name}", {"words", "codes"}, set())
        codes = row.get("codes")
        pairs = [str(code).partition(":") for code in codes] if isinstance(codes, list) else []
        if not isinstance(codes, list) or not all(system and start for system, _, start in pairs):
            read.fault(f"signs.{name}.codes", "code", "a list of system:beginning of the code")
        words = read.texts(row, f"signs.{name}", "words")
        signs.append(Sign(str(name), words, tuple((system, start) for system, _, start in pairs)))
    known = {sign.id for sign in signs}
    combined = []
    for i, raw in enumerate(rules if isinstance(rules, list) else []):
        at = f"combinations[{i}]"
        row = read.mapping(raw, at, {"id", "effect", "within", "of"}, set())
        of = frozenset(read.texts(row, at, "of"))
        if len(of) < 2 or not of <= known:
            read.fault(f"{at}.of", "signs", "two or more signs of the file")
        effect = read.code(Effect, row, at, "effect") or Effect.RAISE
        within = read.code(Within, row, at, "within") or Within.MESSAGE
        combined.append(Combination(read.text(row, at, "id"), effect, within, of))
    if not signs or not combined or len({rule.id for rule in combined}) != len(combined):
        read.fault("/", "id", "signs and combinations, each id once")
    if findings:
        raise HubError("policy.invalid", findings)
    return Combinations(tuple(signs), tuple(combined))
