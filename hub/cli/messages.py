"""Understands the commands by which operators see what is on its way, and repair what is stuck.

Ids, agencies, agreements, times and codes; never content, and nothing that names a person.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from hub.cli import faults
from hub.cli.holds import COMMANDS
from hub.cli.installed import open_parts
from hub.cli.shown import age, moment, say, say_json, table
from hub.counted import counted
from hub.errors import HubError

if TYPE_CHECKING:
    from hub.parts import Parts
    from hub.store.disclosures import Disclosure
    from hub.store.messages import Stored

_STATES = ("queued", "offered", "waiting", "parked", "done")
_OPEN = ("queued", "offered", "parked")


@click.group(
    epilog="""\b
Examples:
  bro messages list --stuck
  bro messages show ID
  bro messages holds"""
)
def messages() -> None:
    """See what is on its way, and repair what is stuck."""


@messages.command(
    name="list",
    epilog="""\b
Examples:
  bro messages list                  what is queued, offered or parked
  bro messages list --stuck          what failed: parked, or tried and queued again
  bro messages list --astray         no office in the directory takes it, or all have had it
  bro messages list --state done --json""",
)
@click.option(
    "--state", "states", multiple=True, type=click.Choice(_STATES), help="Only this state; may be repeated."
)
@click.option("--stuck", is_flag=True, help="Only what failed at least once and is not settled.")
@click.option("--astray", is_flag=True, help="Only what has nobody to go to, newest first, with the reason.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=200, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def list_messages(states: tuple[str, ...], stuck: bool, astray: bool, limit: int, as_json: bool) -> None:
    """Disclosures by state: one line per message and recipient, oldest first.

    Without --state: what is open and not waiting for the person.
    """
    if bool(states) + stuck + astray > 1:
        raise click.UsageError("--state, --stuck and --astray exclude each other.")
    parts = open_parts()
    if astray:
        found = _astray(parts, limit)
    else:
        found = _stuck(parts) if stuck else _in_states(parts, states or _OPEN, limit)
    now = parts.clock()
    rows = [_plain(item, now) for item in found[:limit]]
    if as_json:
        say_json(rows)
        return
    table(
        ("disclosure", "message", "recipient", "agreement", "state", "tried", "age", "code"),
        [
            (
                row["disclosure"],
                row["message"],
                row["recipient"] or "nobody",
                row["agreement"],
                row["state"],
                str(row["attempts"]),
                age(row["age_seconds"]),
                row["code"] or "-",
            )
            for row in rows
        ],
        empty=_nothing(states, stuck, astray),
    )


def _nothing(states: tuple[str, ...], stuck: bool, astray: bool) -> str:
    """Said for an empty list. What waits for the person is in no list that did not ask for it."""
    if stuck or astray:
        return "Nothing is stuck." if stuck else "Nothing is astray."
    more = "" if states else " `bro messages list --state waiting` shows what waits for the person."
    return f"Nothing in these states.{more}"


@messages.command(
    epilog="""\b
Examples:
  bro messages show qh5c7ej2k4bq5wzkz3vbiq7yya
  bro messages show qh5c7ej2k4bq5wzkz3vbiq7yya --json"""
)
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def show(id_: str, as_json: bool) -> None:
    """The way of one message, or of one disclosure: what happened to it, and when.

    ID is the hub's own id of a message, or the id of a disclosure.
    """
    parts = open_parts()
    stored, items = _way(parts, id_)
    now = parts.clock()
    told = {
        "message": stored.id,
        "type": stored.type,
        "sender": stored.sender,
        "received_at": stored.received_at,
        "superseded": stored.superseded,
        "disclosures": [_plain(item, now) | _times(item) for item in items],
    }
    if as_json:
        say_json(told)
        return
    say(
        f"message {stored.id}",
        f"  {stored.type} from {stored.sender}, received {moment(stored.received_at)}"
        + (", superseded by a newer version" if stored.superseded else ""),
    )
    for item in items:
        say(
            f"disclosure {item.id}",
            f"  to {item.recipient or 'nobody'} by {item.agreement}, revision {item.revision}: "
            + item.state.value
            + (f", {item.outcome}" if item.outcome else "")
            + (f" ({item.code})" if item.code else ""),
            f"  tried {counted(item.attempts, 'time')}",
        )
        say(*(f"  {name.removesuffix('_at')}: {moment(at)}" for name, at in _times(item).items() if at))


for _command in COMMANDS:
    messages.add_command(_command)


_reason = click.option(
    "--reason", required=True, metavar="TEXT", help="Why. Sealed in the audit log; name no person."
)


@messages.command(
    epilog="""\b
Examples:
  bro messages retry ID --reason "the endpoint is up again"
  bro messages retry ID1 ID2 ID3 --reason "certificate renewed\""""
)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@_reason
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def retry(ids: tuple[str, ...], reason: str, as_json: bool) -> int:
    """Let parked disclosures be tried once more.

    The attempt decides anew: what may no longer go does not go. If it fails, it is parked again.
    """
    from hub import repair

    return _each(ids, reason, repair.retry, "queued again", as_json)


@messages.command(
    epilog="""\b
Example:
  bro messages drop ID --reason "the recipient got it on paper\""""
)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@_reason
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def drop(ids: tuple[str, ...], reason: str, as_json: bool) -> int:
    """End parked disclosures: they will never be sent. What waited behind them goes on."""
    from hub import repair

    return _each(ids, reason, repair.drop, "dropped", as_json)


def _each(ids: tuple[str, ...], reason: str, do: Callable[..., None], done: str, as_json: bool) -> int:
    """Each in a transaction of its own; one that fails does not stop the others."""
    parts = open_parts()
    results: list[dict[str, Any]] = []
    for id_ in dict.fromkeys(ids):
        try:
            do(parts, id_, operator=_operator(), reason=reason)
        except HubError as error:
            results.append({"disclosure": id_, "done": False, "code": error.code})
            faults.show(error)
        else:
            results.append({"disclosure": id_, "done": True, "code": None})
            if not as_json:
                say(f"{id_} {done}")
    if as_json:
        say_json(results)
    return 0 if all(result["done"] for result in results) else 2


def _operator() -> str:
    """Who types: the login name, or the number where the system knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def _stuck(parts: Parts) -> list[Disclosure]:
    from hub import standing

    with parts.store.reading() as view:
        return standing.stuck(view)


def _astray(parts: Parts, limit: int) -> list[Disclosure]:
    from sqlalchemy import select

    from hub.store import disclosures
    from hub.store.schema import disclosure

    newest = (
        select(disclosure.c.id)
        .where(disclosure.c.recipient == "")
        .order_by(disclosure.c.created_at.desc(), disclosure.c.id)
        .limit(limit)
    )
    with parts.store.reading() as view:
        found = disclosures.where(view, disclosure.c.id.in_(newest), limit=limit)
    return sorted(found, key=lambda item: (item.created_at, item.id), reverse=True)


def _in_states(parts: Parts, states: tuple[str, ...], limit: int) -> list[Disclosure]:
    from sqlalchemy import select

    from hub.store import disclosures
    from hub.store.schema import disclosure

    oldest = (
        select(disclosure.c.id)
        .where(disclosure.c.state.in_(states))
        .order_by(disclosure.c.created_at, disclosure.c.id)
        .limit(limit)
    )
    with parts.store.reading() as view:
        found = disclosures.where(view, disclosure.c.id.in_(oldest), limit=limit)
    return sorted(found, key=lambda item: (item.created_at, item.place, item.id))


def _way(parts: Parts, id_: str) -> tuple[Stored, list[Disclosure]]:
    """A message with all its disclosures, or with the one that was asked for."""
    from hub.errors import Finding
    from hub.store import disclosures
    from hub.store import messages as received

    with parts.store.reading() as view:
        item = disclosures.load(view, id_)
        stored = received.load(view, item.message_id if item else id_)
        if stored is None:
            raise HubError("hub.no-such-id", [Finding("ID", "unknown", "the id of a message or disclosure")])
        return stored, [item] if item else disclosures.of_message(view, stored.id)


def _plain(item: Disclosure, now: datetime) -> dict[str, Any]:
    return {
        "disclosure": item.id,
        "message": item.message_id,
        "recipient": item.recipient,
        "agreement": item.agreement,
        "revision": item.revision,
        "state": item.state.value,
        "outcome": item.outcome,
        "code": item.code,
        "attempts": item.attempts,
        "age_seconds": now - item.created_at,
    }


def _times(item: Disclosure) -> dict[str, datetime | None]:
    return {
        "created_at": item.created_at,
        "due_at": item.due_at,
        "offered_at": item.offered_at,
        "handed_over_at": item.handed_over_at,
        "acknowledged_at": item.acknowledged_at,
        "answer_due_at": item.answer_due_at,
        "answered_at": item.answered_at,
    }
