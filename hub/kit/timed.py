"""Understands how long a call took by itself, also on a machine that others keep busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_TRIES = 3
_SCHEDSTAT = Path("/proc/thread-self/schedstat")


def timed(do: Callable[[], T], most: float) -> tuple[float, T]:
    """Seconds on the clock, and what `do` returned. What took more than `most` is asked again, up to twice,
    without the seconds in which it stood in line for a processor. Where it waits for something else, it
    does so by itself, and that counts."""
    began = time.perf_counter()
    result = do()
    seconds = time.perf_counter() - began
    for _ in range(_TRIES - 1):
        if seconds <= most:
            break
        began = _undisturbed()
        result = do()
        seconds = _undisturbed() - began
    return seconds, result


def _undisturbed() -> float:
    """Only what lies between two of these means something."""
    return time.perf_counter() - _in_line()


def _in_line() -> float:
    """Seconds that this thread was ready and others had the processors: the second number of schedstat, in
    nanoseconds (proc(5)). Where the system does not say, nothing is taken off."""
    try:
        return int(_SCHEDSTAT.read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
