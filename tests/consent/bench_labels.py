"""Measures how long labelling takes: `python -m tests.consent.bench_labels`. Prints, and judges nothing."""

from __future__ import annotations

import statistics
import time

from consent.labels import label, load_codes
from hub.message import Category, Leaf, Record

_HEALTH = frozenset({Category.SOMATIC_HEALTH})
_PROSE = (
    "Pasienten har hatt vondt i ryggen siden mars, sov dårlig og ønsker time hos fastlegen etter permisjon. "
)


def record(prose: str) -> tuple[Leaf, ...]:
    """About 2 kB: 40 short fields, 10 codes, one free text."""
    text = (prose * 20)[:1200]
    return (
        *(Leaf(f"felt{i}.behov", "stort behov", _HEALTH) for i in range(40)),
        *(Leaf(f"d[{i}].kode", "S72.0", _HEALTH, code_system="7110") for i in range(10)),
        Leaf("tekst", text, _HEALTH, free_text=True),
    )


def main() -> None:
    codes = load_codes()
    for name, prose in (("no hit", _PROSE), ("hits", f"{_PROSE}Får metadon, LAR siden mai. ")):
        leaves = record(prose)
        label(Record("t", {}), leaves, codes)
        times = []
        for _ in range(300):
            start = time.perf_counter()
            label(Record("t", {}), leaves, codes)
            times.append((time.perf_counter() - start) * 1000)
        times.sort()
        print(
            f"{name}: median {statistics.median(times):.2f} ms, "
            f"p99 {times[296]:.2f} ms, best {times[0]:.2f} ms"
        )


if __name__ == "__main__":
    main()
