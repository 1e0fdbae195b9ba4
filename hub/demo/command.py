"""Understands `bro demo`: play the story, say what happened, check every fact, and stay up if asked.

Prints codes and names of agencies, never content. Exit code 0 only when every fact holds.
"""

from __future__ import annotations

import json
import logging
import secrets
import signal
import threading
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from hub.console.app import mount
from hub.demo.story import CHAPTERS, Fact, play
from hub.demo.world import NAMES, World
from hub.errors import PROBLEMS
from hub.store.disclosures import where
from hub.store.schema import disclosure


def run(once: bool, store: str | None, queue: str | None, port: int | None, as_json: bool) -> int:
    """The exit code: 0 when every fact of the story holds, 1 otherwise."""
    logging.disable(logging.WARNING)  # a retry is part of the story, not something to warn of
    out = Console(quiet=as_json, highlight=False)
    started = time.monotonic()
    out.print("[bold]Brobygger[/]: one person about to leave prison, seven agencies, one consent at a time.")
    out.print("Starting a hub, a token issuer and the agencies on this machine …\n")
    with World(store=store, queue=queue, port=port) as world:
        facts = _play(world, out)
        rows = _who_got_what(world)
        out.print(_table(rows))
        out.print(_legend(rows))
        seconds = time.monotonic() - started
        failed = [fact for fact in facts if not fact.holds]
        out.print(f"\n{len(facts) - len(failed)} of {len(facts)} facts hold ({seconds:.1f} s).")
        for fact in failed:
            out.print(f"[red]✗ chapter {fact.chapter}: {fact.sentence}[/]")
        if as_json:
            print(json.dumps(_report(facts, rows, seconds), ensure_ascii=False, indent=2))
        if not once:
            _stay(world, out)
    return 1 if failed else 0


def _play(world: World, out: Console) -> list[Fact]:
    chapter = 0

    def tell(fact: Fact) -> None:
        nonlocal chapter
        if fact.chapter != chapter:
            chapter = fact.chapter
            out.print(f"[bold]{CHAPTERS[chapter - 1].__doc__}[/]")
        out.print(f"  [green]✓[/] {fact.sentence}" if fact.holds else f"  [red]✗ {fact.sentence}[/]")

    facts = play(world, tell)
    out.print()
    return facts


def _who_got_what(world: World) -> list[dict[str, str]]:
    """One row per disclosure: to whom, under which agreement, what came of it, and why not."""
    with world.parts.store.reading() as view:
        items = where(view, disclosure.c.id.is_not(None))
    return [
        {
            "recipient": NAMES.get(item.recipient, "nobody"),
            "agreement": item.agreement,
            "outcome": item.outcome or item.state.value,
            "code": item.code or "",
        }
        for item in items
    ]


def _table(rows: list[dict[str, str]]) -> Table:
    table = Table(title="Who got what, and why not", title_justify="left")
    for heading in ("recipient", "agreement", "outcome", "code"):
        # What came of it and why is what this is about: on a narrow screen the names go on in a second line.
        table.add_column(heading, no_wrap=heading in ("outcome", "code"), overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    return table


def _legend(rows: list[dict[str, str]]) -> str:
    codes = sorted({row["code"] for row in rows if row["code"]})
    return "\n".join(f"[bold]{code}[/]  {PROBLEMS[code].title}" for code in codes)


def _report(facts: list[Fact], rows: list[dict[str, str]], seconds: float) -> dict[str, Any]:
    return {
        "facts": [{"chapter": f.chapter, "fact": f.sentence, "holds": f.holds} for f in facts],
        "who_got_what": rows,
        "seconds": round(seconds, 1),
        "holds": all(fact.holds for fact in facts),
    }


def _stay(world: World, out: Console) -> None:
    """Leave everything running until the reader has seen enough."""
    key = secrets.token_urlsafe(32)
    mount(world.app, world.parts, key)
    for line in (
        "\nThe hub is still running. Its console:",
        f"  {world.hub_url}/console/enter?key={key}",
        f"Its API, described: {world.hub_url}/openapi.json",
        "Stop with Ctrl-C; everything is removed then.",
    ):
        out.print(line, soft_wrap=True, markup=False)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
