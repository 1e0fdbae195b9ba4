"""Understands how a promise is shown to hold: which checks were run, and each that did not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.cli.prove_adapters import adapters
from hub.cli.prove_leaks import leaks
from hub.cli.shown import say, say_json, table


@click.group(epilog="\b\nExample:\n  bro prove freetext")
def prove() -> None:
    """Show that a promise holds, with figures."""


prove.add_command(leaks)
prove.add_command(adapters)


@prove.command(
    name="freetext",
    epilog="""\b
Examples:
  bro prove freetext
  bro prove freetext --probes sentences.csv
  bro prove freetext --json | jq '.scores'

\b
The file is CSV: sentence,expected_max_strength,note and perhaps class. Expected is S, M, W, 0 (nothing), or
normalise (a disguised term: found at all). Exit code 1 if any row differs.""",
)
@click.option("--probes", type=click.Path(path_type=Path), help="A probe file; without it, our own.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def freetext(probes: Path | None, as_json: bool) -> int:
    """Run the free-text scan on sentences whose answer is stated: precision and recall per class.

    The sentences are made up by whoever wrote the file. No hit is never clearance.
    """
    from consent.probes import PROBES, alarmed, judge, missed, read_probes, scores

    results = judge(read_probes(probes or PROBES))
    holds = all(result.holds for result in results)
    less, more = [_plain(r) for r in missed(results)], [_plain(r) for r in alarmed(results)]
    scored = scores(results)
    if as_json:
        say_json(
            {
                "holds": holds,
                "probes": len(results),
                "as_stated": sum(result.holds for result in results),
                "scores": [
                    {
                        "class": score.name,
                        "stated": score.stated,
                        "found": score.found,
                        "both": score.both,
                        "precision": score.precision,
                        "recall": score.recall,
                    }
                    for score in scored
                ],
                "false_negatives": less,
                "false_positives": more,
            }
        )
        return 0 if holds else 1
    say(f"{sum(result.holds for result in results)} of {len(results)} sentences as stated")
    table(
        ("class", "stated", "found", "both", "precision", "recall"),
        [
            (s.name, str(s.stated), str(s.found), str(s.both), _share(s.precision), _share(s.recall))
            for s in scored
        ],
        empty="No class.",
    )
    for title, rows in (("Found less than stated", less), ("Found more than stated", more)):
        for row in rows:
            place = f"row {row['row']}, {row['expected']} stated, {row['found']} found"
            say(f"{title}: {place}: {row['sentence']}")
    return 0 if holds else 1


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _plain(result: Any) -> dict[str, Any]:
    probe = result.probe
    return {
        "row": probe.row,
        "expected": probe.expected,
        "found": result.found,
        "sentence": probe.sentence,
    }
