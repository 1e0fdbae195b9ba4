"""Understands the two commands of a newcomer: watch the demonstration, run the tests."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  bro demo                 play the story, then leave the hub running and print its address
  bro demo --once          play it, check every fact of it, exit 0 only if all are so
  bro demo --once --json   the same, told to a program"""
)
@click.option("--once", is_flag=True, help="Check every fact of the story and end.")
@click.option("--store", metavar="URL", help="Another store than a fresh SQLite file.")
@click.option("--queue", metavar="URL", help="A RabbitMQ instead of the embedded queue.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port of the hub; free one by default.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def demo(once: bool, store: str | None, queue: str | None, port: int | None, as_json: bool) -> int:
    """Watch one invented person's records cross the bridge.

    Needs nothing but this folder. Every agency in it is a small program that speaks its own format.
    """
    from hub.demo.command import run  # imports everything; see hub/cli/main.py

    return run(once=once, store=store, queue=queue, port=port, as_json=as_json)


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
Examples:
  bro test                     everything: format, lint, types, imports, docs, tests
  bro test tests/consent -x    only these tests; the arguments are those of pytest""",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> int:
    """Run all tests, with all they need.

    Installs (or asks for) PostgreSQL and RabbitMQ and starts private ones on free ports. What could
    not run is named at the end.
    """
    from hub import testing

    return testing.main(arguments)
