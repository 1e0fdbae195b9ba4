"""Understands what must be done because time passes: bring back work the broker forgot, end what has
waited long enough, and put fresh audit leaves into the tree.

The database is the truth and the broker may forget: whatever is due and not settled is enqueued
again. Doing so twice is harmless, the worker looks at the state first.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from sqlalchemy import select, update

from hub import settle
from hub.audit import log
from hub.errors import HubError
from hub.parts import Parts, work_of
from hub.store import disclosures, messages
from hub.store.disclosures import State
from hub.store.schema import disclosure

_EVERY = 1.0  # seconds between two turns
_BATCH = 500
_KEPT = timedelta(days=1)  # the content of a message with nothing left to do, for the sender to repeat it

_log = logging.getLogger("hub.sweeper")


def turn(parts: Parts) -> None:
    """One turn. Raises HubError when the store or the broker is away."""
    end_waiting(parts)
    while log.integrate(parts.store, parts.vault, parts.clock()):
        pass
    bring_back(parts)
    with parts.store.writing() as tx:
        messages.forget_finished(tx, parts.clock() - _KEPT, _BATCH)


def bring_back(parts: Parts) -> int:
    """Enqueue what has been due for a while and that nobody has settled. Returns how many."""
    with parts.store.writing() as tx:
        limit = parts.clock() - parts.grace
        query = (
            select(disclosure.c.id, disclosure.c.person_id)
            .where(disclosure.c.state.in_((State.QUEUED, State.OFFERED)), disclosure.c.due_at <= limit)
            .order_by(disclosure.c.due_at)
            .limit(_BATCH)
        )
        forgotten = tx.execute(query).all()
        # Only while it is as it was read: a worker may have settled it meanwhile.
        ids = [row.id for row in forgotten]
        tx.execute(
            update(disclosure)
            .where(
                disclosure.c.id.in_(ids),
                disclosure.c.state.in_((State.QUEUED, State.OFFERED)),
                disclosure.c.due_at <= limit,
            )
            .values(due_at=parts.clock())
        )
    parts.queue.publish([work_of(parts, row.id, row.person_id) for row in forgotten])
    return len(forgotten)


def end_waiting(parts: Parts) -> int:
    """What nobody allowed within its time is over, and its key destroyed. Returns how many."""
    with parts.store.reading() as view:
        over = disclosures.where(
            view, disclosure.c.state == State.WAITING, disclosure.c.due_at <= parts.clock(), limit=_BATCH
        )
    for item in over:
        with parts.store.gate(item.person_id), parts.store.writing() as tx:
            try:
                settle.over(tx, parts, item)
            except disclosures.LostRace:
                continue
    return len(over)


def run(parts: Parts, stop: threading.Event, *, every: float = _EVERY) -> None:
    """Take turns until told to stop. Survives every absence of the store and the broker."""
    while not stop.wait(every):
        try:
            turn(parts)
        except HubError as exc:
            _log.warning("a turn was skipped", extra={"action": "turn_skipped", "code": exc.code})
        except Exception as exc:  # noqa: BLE001  # without a sweeper, what the broker forgot is lost
            fault = {"action": "turn_failed", "fault": type(exc).__name__}
            _log.error("a turn failed in a way nobody foresaw", extra=fault)
