"""Understands that a call is not blamed for the processor that others had, and is for all else."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.kit import timed as kit
from hub.kit.timed import timed

FIRST = 100.0

# What each call takes on the clock, what it stands in line meanwhile; the seconds told, and how many calls.
TABLE: dict[str, tuple[list[float], list[float], float, int]] = {
    "fast": ([0.5], [0.0], 0.5, 1),
    "as long as it may": ([2.0], [0.0], 2.0, 1),
    "fast, and in line": ([0.5], [0.4], 0.5, 1),
    "once disturbed": ([9.0, 0.5], [8.5, 0.0], 0.5, 2),
    "disturbed each time": ([9.0, 9.0], [8.5, 8.5], 0.5, 2),
    "a little over, disturbed a little": ([3.0, 3.0, 3.0], [0.5, 0.5, 0.5], 2.5, 3),
    "slow by itself": ([9.0, 9.0, 8.0], [0.0, 0.0, 0.0], 8.0, 3),
    "slow twice": ([9.0, 9.0, 1.0], [0.0, 0.0, 0.0], 1.0, 3),
}


@pytest.mark.parametrize(("takes", "stands", "seconds", "calls"), TABLE.values(), ids=TABLE)
def test_what_is_told(
    takes: list[float], stands: list[float], seconds: float, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    monkeypatch.setattr("time.perf_counter", lambda: FIRST + sum(takes[: len(made)]))
    monkeypatch.setattr(kit, "_in_line", lambda: sum(stands[: len(made)]))

    def call() -> int:
        made.append(0)
        return len(made)

    assert timed(call, 2.0) == (seconds, calls)
    assert len(made) == calls


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("12 2500000000 3\n", 2.5), ("0 0 0\n", 0.0), ("", 0.0), ("a b c\n", 0.0), (None, 0.0)],
)
def test_where_the_system_does_not_say_nothing_is_taken_off(
    said: str | None, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "schedstat"
    if said is not None:
        file.write_text(said)
    monkeypatch.setattr(kit, "_SCHEDSTAT", file)

    assert kit._in_line() == seconds


def test_linux_says_it() -> None:
    assert len(kit._SCHEDSTAT.read_text().split()) == 3
