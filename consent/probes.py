"""Understands how well the free-text scan does on sentences whose answer is stated.

    sentence, expected strongest term -> found; per class: how many of the found are right (precision),
    how many of the stated are found (recall)

Probe sentences are made up and may be printed by their row number. It must not know real texts.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from consent.attachments import hidden_texts
from consent.freetext import Strength, load_terms, scan_all
from hub.errors import Finding, HubError

PROBES = Path(__file__).parent / "probes.csv"
ORDER = ("0", "W", "M", "S")
SEEN = "normalise"
"""Expected of a disguised term: that it is found at all."""


@dataclass(frozen=True)
class Probe:
    """One sentence; `row` is its line in the file, `group` the class it belongs to, or empty."""

    row: int
    sentence: str
    expected: str
    group: str = ""


@dataclass(frozen=True)
class Result:
    """The strongest term found in a probe, and the classes of terms found."""

    probe: Probe
    found: str
    groups: frozenset[str]

    @property
    def holds(self) -> bool:
        return self.found != "0" if self.probe.expected == SEEN else self.found == self.probe.expected


@dataclass(frozen=True)
class Score:
    """One class: rows stated, rows found, and rows both."""

    name: str
    stated: int
    found: int
    both: int

    @property
    def precision(self) -> float | None:
        return self.both / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        return self.both / self.stated if self.stated else None


def read_probes(path: Path = PROBES) -> tuple[Probe, ...]:
    """The probes of a CSV file with the columns sentence, expected_max_strength, note and perhaps
    class. Raises policy.invalid with every row that states nothing we know."""
    findings = []
    probes = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            if not {"sentence", "expected_max_strength"} <= set(reader.fieldnames or ()):
                findings.append(Finding(path.name, "columns", "sentence,expected_max_strength,note"))
            for number, row in enumerate(reader, 2):
                expected = (row.get("expected_max_strength") or "").strip()
                if expected not in (*ORDER, SEEN) or row.get("sentence") is None:
                    findings.append(Finding(f"row {number}", "strength", "one of: S, M, W, 0, normalise"))
                probes.append(Probe(number, row.get("sentence") or "", expected, row.get("class") or ""))
    except (OSError, UnicodeDecodeError, csv.Error):
        findings.append(Finding(path.name, "file", "a readable UTF-8 table"))
    if findings or not probes:
        raise HubError("policy.invalid", findings or [Finding(path.name, "rows", "at least one probe")])
    return tuple(probes)


def judge(probes: Iterable[Probe]) -> tuple[Result, ...]:
    """Each probe with what was found in it, in what is packed inside it too."""
    groups = {term.id: term.group for term in load_terms()}
    results = []
    for probe in probes:
        packed = hidden_texts(probe.sentence)
        hits = [
            hit
            for part in scan_all([probe.sentence, *(packed or ())])
            for hit in part
            if hit.strength is not Strength.CLUE
        ]
        found = max((hit.strength.value for hit in hits), key=ORDER.index, default="0")
        results.append(Result(probe, found, frozenset(groups[hit.term_id] for hit in hits)))
    return tuple(results)


def scores(results: Sequence[Result]) -> tuple[Score, ...]:
    """Per strength, for any term at all, and per class of terms where the file states one."""
    told = [result for result in results if result.probe.expected != SEEN]
    by_strength = [
        _score(f"strength {s}", told, lambda r, s=s: r.probe.expected == s, lambda r, s=s: r.found == s)  # type: ignore[misc]  # bound by default
        for s in ("S", "M", "W")
    ]
    anything = _score("any", results, lambda r: r.probe.expected != "0", lambda r: r.found != "0")
    classes = sorted({r.probe.group for r in results if r.probe.group and r.probe.expected != "0"})
    by_class = [
        _score(
            f"class {c}",
            results,
            lambda r, c=c: r.probe.group == c and r.probe.expected != "0",  # type: ignore[misc]  # bound by default
            lambda r, c=c: c in r.groups and (r.probe.group == c or r.probe.expected == "0"),  # type: ignore[misc]  # bound by default
        )
        for c in classes
    ]
    return (*by_strength, anything, *by_class)


def missed(results: Sequence[Result]) -> list[Result]:
    """Less found than stated."""
    return [
        r for r in results if not r.holds and (r.probe.expected == SEEN or _less(r.found, r.probe.expected))
    ]


def alarmed(results: Sequence[Result]) -> list[Result]:
    """More found than stated."""
    return [r for r in results if r.probe.expected != SEEN and _less(r.probe.expected, r.found)]


def _less(one: str, other: str) -> bool:
    return ORDER.index(one) < ORDER.index(other)


def _score(
    name: str,
    results: Sequence[Result],
    stated: Callable[[Result], bool],
    found: Callable[[Result], bool],
) -> Score:
    return Score(
        name,
        sum(map(stated, results)),
        sum(map(found, results)),
        sum(stated(result) and found(result) for result in results),
    )
