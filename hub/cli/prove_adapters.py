"""Understands how a run of very many spoiled inputs is told. Belongs to `bro prove`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.faults import place
from hub.cli.shown import say, say_json

if TYPE_CHECKING:
    from hub.kit.case import Case
    from hub.kit.corpus import Hub
    from hub.kit.fuzz import Fuzzed


@click.command(
    name="adapters",
    epilog="""\b
Examples:
  bro prove adapters
  bro prove adapters --inputs 1000000
  bro prove adapters --inputs 1000000 --whole 5    in half the time: every fifth is written again
  bro prove adapters --only fhir-tsb --inputs 1000000 --seed another
  bro prove adapters --only fhir-tsb --start 4711 --inputs 1 --keep spoiled/    one input again

\b
An input is an example of the adapter with one to four things wrong: letters, elements, keys, values, depth.
What is read must be a record that is written and read as the same; all else a refusal by a parse code,
 without a value, within 2 s. With --whole 5 all inputs are read, and every fifth is written again or told
 where its faults stand. Memory may not grow after the first 2,000 inputs of a run; with no more than those,
 or where the system does not say, it is not measured (null in JSON). Exit code 1 otherwise. Each adapter
 runs in a process of its own, which is ended when one call takes 10 s or wants more than 1 GiB. Runs
 of several adapters at once (one process each, with --only) use several cores.""",
)
@click.option("--inputs", default=5_000, show_default=True, help="Spoiled inputs for each adapter.")
@click.option("--only", multiple=True, metavar="NAME", help="An adapter, or all of a folder; repeatable.")
@click.option("--seed", default="fuzz", show_default=True, help="Another word gives other inputs.")
@click.option("--start", default=0, show_default=True, help="The number of the first input.")
@click.option(
    "--whole",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="All are read; one in so many is written again, too, or told where its faults stand.",
)
@click.option("--keep", type=click.Path(path_type=Path), help="Write inputs that failed into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def adapters(
    inputs: int,
    only: tuple[str, ...],
    seed: str,
    start: int,
    whole: int,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Spoil the examples of every adapter in very many ways: nothing but records and refusals comes out."""
    from hub.kit.bounded import Unended, bounded
    from hub.kit.checked import cases
    from hub.kit.fuzz import fuzz, stopped

    hub, names = _names(only)

    def run(name: str) -> Iterator[Fuzzed]:
        for case in cases(name, hub):

            def tell(done: int, per_second: float, name: str = case.adapter.name) -> None:
                click.echo(f"{name}: {done:,} of {inputs:,}, {per_second:,.0f}/s of CPU", err=True)

            yield fuzz(case, inputs, seed=seed, start=start, whole=whole, progress=tell, keep=keep)

    runs = []
    for name in names:
        try:
            for one in bounded(partial(run, name)):
                runs.append(one)
                if not as_json:
                    say(*_lines(one, seed))
        except Unended as kept:
            runs.append(stopped(kept.adapter, start, kept.finding))
            if not as_json:
                say(*_lines(runs[-1], seed))
    holds = bool(runs) and all(run.holds for run in runs)
    if as_json:
        say_json({"holds": holds, "adapters": [_plain(run) for run in runs]})
    else:
        say("Nothing but records and refusals." if holds else "NOT ALL HOLDS.")
    return 0 if holds else 1


def _names(only: tuple[str, ...]) -> tuple[Hub, tuple[str, ...]]:
    """Without names: every written adapter, and plain JSON once, by its own example."""
    from hub.kit.checked import loaded

    hub = loaded()
    plain = "json:opphold.loslatelsesdato"
    written = (adapter.name for adapter in hub.registry.adapters if not adapter.name.startswith("json:"))
    return hub, only or (*written, plain)


def cases_of(only: tuple[str, ...]) -> list[Case]:
    """Those named, or as `_names`."""
    from hub.kit.checked import cases

    hub, names = _names(only)
    return [case for name in names for case in cases(name, hub)]


def _lines(run: Fuzzed, seed: str) -> list[str]:
    memory = "memory not measured" if run.grown is None else f"memory +{run.grown / 2**20:.1f} MiB"
    told = [
        f"{run.adapter}: {run.inputs:,} inputs ({run.whole:,} whole), {run.per_second:,.0f}/s of CPU, "
        f"slowest {run.slowest * 1000:.0f} ms (input {run.slowest_number}), {memory}"
    ]
    told += [
        f"    FAULT {place(f.finding)}: expected {f.finding.expected} [{f.finding.rule}], "
        f"input {f.number} of seed {seed}"
        for f in run.failed
    ]
    if not run.holds and not run.failed:
        told.append("    FAULT memory grew with every input")
    return told


def _plain(run: Fuzzed) -> dict[str, object]:
    return {
        "adapter": run.adapter,
        "holds": run.holds,
        "inputs": run.inputs,
        "whole": run.whole,
        "per_second": round(run.per_second),
        "slowest_ms": round(run.slowest * 1000, 1),
        "slowest_input": run.slowest_number,
        "memory_grown_bytes": run.grown,
        "failed": [
            {"input": f.number, "at": f.finding.at, "rule": f.finding.rule, "expected": f.finding.expected}
            for f in run.failed
        ],
    }
