"""Understands how the figures of every adapter are printed. Belongs to `bro bench`."""

from __future__ import annotations

import click

from hub.cli.prove_adapters import cases_of
from hub.cli.shown import say, say_json, table


@click.command(
    name="adapters",
    epilog="""\b
Examples:
  bro bench adapters
  bro bench adapters --only brik-xml --times 2000
  bro bench adapters --json

\b
Times are ms of CPU for recognise + parse + check + render. Memory is Python's at its highest, as a multiple
of the document; of a package, of what is packed in it. A part of it is always the same (zlib's window, the
models of fhir.resources), so --size 100000 tells what a larger document adds. Then what a document of 10 MB
does, and what the process grew by.""",
)
@click.option("--times", default=200, show_default=True, help="Messages that are timed, per adapter.")
@click.option("--size", default=10_000, show_default=True, help="Bytes that the example is made to have.")
@click.option("--only", multiple=True, metavar="NAME", help="An adapter, or all of a folder; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def adapters(times: int, size: int, only: tuple[str, ...], as_json: bool) -> None:
    """What reading, checking and writing one message costs, per adapter, on its own example made larger."""
    from hub.kit.figures import figures

    found = [figures(case, size=size, times=times) for case in cases_of(only) if case.bodies]
    if as_json:
        say_json(
            [
                {
                    "adapter": one.adapter,
                    "bytes": one.size,
                    "median_ms": round(one.median, 3),
                    "p99_ms": round(one.p99, 3),
                    "python_peak_ratio": round(one.peak_ratio, 1),
                    "ten_megabytes": [
                        {
                            "what": large.what,
                            "outcome": large.outcome,
                            "ms": round(large.seconds * 1000, 1),
                            "process_peak_ratio": round(large.peak_ratio, 1),
                        }
                        for large in one.large
                    ],
                }
                for one in found
            ]
        )
        return
    table(
        ("adapter", "bytes", "median ms", "p99 ms", "peak memory"),
        [
            (
                one.adapter,
                f"{one.size:,}",
                f"{one.median:.2f}",
                f"{one.p99:.2f}",
                f"{one.peak_ratio:.1f} x",
            )
            for one in found
        ],
        empty="No adapter with an example.",
    )
    for one in found:
        for large in one.large:
            say(
                f"{one.adapter}: 10 MB, {large.what}: {large.outcome} after {large.seconds * 1000:.0f} ms, "
                f"process peak {large.peak_ratio:.1f} x"
            )
