"""Understands how an adapter is tried with very many spoiled inputs: faults, pace, time and memory.

The inputs are those of `noise`, so each can be made again by its number while the examples stay the same.
Nothing is kept of an input but the number of one that failed.
"""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import Finding
from hub.kit import noise
from hub.kit.asked import asked
from hub.kit.bounded import now_at
from hub.kit.case import Case
from hub.kit.distil import distilled
from hub.kit.tried import tried
from hub.message import Record

MOST_GROWTH = 64 * 1024 * 1024
"""Bytes of resident memory between the end of the warm-up and the last input. A leak of 100 bytes per
input shows within a million."""

_WARM = 2_000
_MOST_KEPT = 20
_EVERY = 5.0
_WHOLE = 100


@dataclass(frozen=True)
class Failed:
    """One input that did what it must not: its number, and what."""

    number: int
    finding: Finding


@dataclass(frozen=True)
class Fuzzed:
    """What became of a run. `seconds` is of CPU time, as others work on the machine, too; `slowest` in
    seconds on the clock of reading one input; `whole` how many were not only read; `grown` in bytes, or None
    where it was not measured: the run ended with its warm-up, or the system does not say."""

    adapter: str
    inputs: int
    seconds: float
    read: int
    slowest: float
    slowest_number: int
    grown: int | None
    failed: tuple[Failed, ...]
    counts: Counter[str] = field(default_factory=Counter)
    whole: int = 0

    @property
    def per_second(self) -> float:
        return self.inputs / self.seconds if self.seconds else 0.0

    @property
    def holds(self) -> bool:
        return not self.failed and (self.grown is None or self.grown <= MOST_GROWTH)


def fuzz(
    case: Case,
    inputs: int,
    *,
    among: Sequence[noise.Seed] = (),
    seed: str = "fuzz",
    start: int = 0,
    whole: int = 1,
    progress: Callable[[int, float], None] = lambda done, per_second: None,
    keep: Path | None = None,
) -> Fuzzed:
    """Inputs `start` to `start + inputs` of a seed, made of `among` or else of `starting`. Stops at the
    twentieth that fails; with `keep` those that failed are written there, to be looked at. All are read; of
    one in `whole` the record is written again, or the place of each fault found."""
    among = among or starting(case)
    gc.collect()
    gc.freeze()  # what was loaded stays; looking through it again and again is a sixth of the time
    began, told = time.process_time(), time.perf_counter()
    failed: list[Failed] = []
    kinds: Counter[str] = Counter()
    slowest, slowest_number, done = 0.0, start, 0
    warm: int | None = None
    for number in range(start, start + inputs):
        body = noise.spoiled(seed, number, among)
        now_at(adapter=case.adapter.name, check="fuzz", place=str(number))
        faults, seconds = tried(case, body, whole=number % whole == 0)
        done += 1
        if seconds > slowest:
            slowest, slowest_number = seconds, number
        if faults:
            failed.extend(Failed(number, fault) for fault in faults[:2])
            kinds[faults[0].rule] += 1
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{case.adapter.name.replace(':', '-')}-{seed}-{number}").write_bytes(body)
            if len(failed) >= _MOST_KEPT:
                break
        if done == _WARM < inputs:
            gc.collect()
            warm = resident()
        now = time.perf_counter()
        if now - told > _EVERY:
            progress(done, done / (time.process_time() - began))
            told = now
    gc.collect()
    cold = None if warm is None or done == _WARM else resident()
    return Fuzzed(
        case.adapter.name,
        done,
        time.process_time() - began,
        done - sum(kinds.values()),
        slowest,
        slowest_number,
        None if warm is None or cold is None else max(0, cold - warm),
        tuple(failed),
        kinds,
        sum(1 for number in range(start, start + done) if number % whole == 0),
    )


def stopped(adapter: str, start: int, finding: Finding) -> Fuzzed:
    """What is told of a run that had to be ended: nothing but the input that did not end."""
    number = int(finding.at) if finding.at.isdecimal() else start
    fault = Failed(number, Finding("parse", finding.rule, finding.expected))
    return Fuzzed(adapter, number - start + 1, 0.0, 0, 0.0, number, 0, (fault,))


def starting(case: Case) -> tuple[noise.Seed, ...]:
    """What is spoiled: small examples that together hold all places of the whole ones, and those themselves
    for one input in _WHOLE."""

    def reads(body: bytes) -> bool:
        record = asked(case.adapter.parse, body)
        return isinstance(record, Record) and not case.spec.check(record.fields)

    whole = noise.seeds(list(case.bodies.values()))
    small = noise.seeds(list(dict.fromkeys(s for body in whole for s in distilled(body.body, reads))))
    times = -(-(_WHOLE - 1) * len(whole) // len(small))
    return (*whole, *small * times)


def resident() -> int | None:
    """Bytes of this process that lie in memory now; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
