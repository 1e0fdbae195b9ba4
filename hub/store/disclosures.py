"""Understands the disclosures: one row per message, agreement, recipient and revision.

Few states, many reasons. The worker branches on `State` only; `outcome` and `code` are for people.
`move` is the only way a state changes: compare-and-set, and exactly one row must change.

    QUEUED   the hub has work to do
    OFFERED  lies in the recipient's inbox; fetching it is the hand-over
    WAITING  sealed, until the person, or somebody on their behalf, says more
    PARKED   all attempts failed; an operator decides
    DONE     nothing more will happen
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select, update

from hub.message import Sealed
from hub.store.schema import disclosure


class State(StrEnum):
    QUEUED = "queued"
    OFFERED = "offered"
    WAITING = "waiting"
    PARKED = "parked"
    DONE = "done"


class LostRace(RuntimeError):
    """Somebody else moved the disclosure first; what they did stands."""


@dataclass(frozen=True)
class Disclosure:
    """One row without ciphertext."""

    id: str
    message_id: str
    person_id: str
    agreement: str
    recipient: str
    revision: int
    place: int
    state: State
    outcome: str | None
    code: str | None
    attempts: int
    permitted: str | None
    adapter: str | None
    consents: str | None
    uncertain_at: datetime | None
    created_at: datetime
    due_at: datetime | None
    offered_at: datetime | None
    handed_over_at: datetime | None
    acknowledged_at: datetime | None
    answer_due_at: datetime | None
    answered_at: datetime | None
    because_of: str | None


_COLUMNS = tuple(disclosure.c[name] for name in Disclosure.__dataclass_fields__)
_OPEN = (State.QUEUED, State.OFFERED, State.WAITING, State.PARKED)

# What every hand-over asks is put together once: that takes four times as long as asking it.
_THIS = disclosure.c.id == bindparam("this")
_LOAD = select(*_COLUMNS).where(_THIS)
_RENDERING = select(disclosure.c.ciphertext, disclosure.c.wrapped_key).where(_THIS)
_SENT = select(disclosure.c.sent, disclosure.c.sent_key).where(_THIS)
_TRIED = select(disclosure.c.tried, disclosure.c.tried_key).where(_THIS)
_AS_IT_WAS = (disclosure.c.state == bindparam("was"), disclosure.c.attempts == bindparam("tried_before"))
_MOVE = update(disclosure).where(_THIS, *_AS_IT_WAS)
_NOTE = update(disclosure).where(_THIS)
_THEIRS = disclosure.c.person_id.in_(bindparam("persons", expanding=True))
_LAST_PLACE = select(func.max(disclosure.c.place)).where(_THEIRS)
_EARLIER = (
    select(disclosure.c.id)
    .where(
        _THEIRS,
        disclosure.c.recipient == bindparam("recipient"),
        disclosure.c.place < bindparam("place"),
        disclosure.c.state.in_((State.QUEUED, State.PARKED)),
    )
    .limit(1)
)
_SUCCESSORS = (
    select(disclosure.c.id)
    .where(
        _THEIRS,
        disclosure.c.recipient == bindparam("recipient"),
        disclosure.c.place > bindparam("place"),
        disclosure.c.state == State.QUEUED,
    )
    .order_by(disclosure.c.place)
    .limit(1)
)


def _read(row: Any) -> Disclosure:
    values = dict(row._mapping)
    return Disclosure(**{**values, "state": State(values["state"])})


def add(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert new disclosures in one statement; every row has the same keys."""
    if rows:
        tx.execute(insert(disclosure), list(rows))


def load(tx: Connection, disclosure_id: str) -> Disclosure | None:
    row = tx.execute(_LOAD, {"this": disclosure_id}).first()
    return None if row is None else _read(row)


def where(tx: Connection, *conditions: ColumnElement[bool], limit: int = 1_000) -> list[Disclosure]:
    """Disclosures that satisfy all conditions, in the order the recipient gets them."""
    query = select(*_COLUMNS).where(*conditions).order_by(disclosure.c.place).limit(limit)
    return [_read(row) for row in tx.execute(query)]


def of_message(tx: Connection, message_id: str) -> list[Disclosure]:
    return where(tx, disclosure.c.message_id == message_id)


def of_flow(tx: Connection, item: Disclosure) -> list[Disclosure]:
    """All revisions of one message to one recipient under one agreement."""
    flow = (disclosure.c.agreement == item.agreement, disclosure.c.recipient == item.recipient)
    return where(tx, disclosure.c.message_id == item.message_id, *flow)


def to_nobody(tx: Connection, message_id: str, agreement: str) -> int:
    """How often a message under an agreement has had nowhere to go."""
    lost = (disclosure.c.message_id == message_id, disclosure.c.agreement == agreement)
    query = select(func.count()).where(*lost, disclosure.c.recipient == "")
    return tx.scalar(query) or 0


def open_of(tx: Connection, person_ids: Collection[str]) -> list[Disclosure]:
    """Everything about these that is not finished."""
    mine = disclosure.c.person_id.in_(sorted(person_ids))
    return where(tx, mine, disclosure.c.state.in_(_OPEN), limit=100_000)


def order_of(person_ids: Collection[str]) -> str:
    """What to be alone with (see Store.alone) while taking a place in the order of one person, who
    may have several records."""
    return f"place {min(person_ids)}"


def next_place(tx: Connection, person_ids: Collection[str]) -> int:
    """The next free place in the person's order. The caller is alone with it."""
    return (tx.scalar(_LAST_PLACE, {"persons": sorted(person_ids)}) or 0) + 1


def line_up(tx: Connection, person_ids: Collection[str]) -> None:
    """Records that have become one person's: what is open on them gets one order, as it came in. Each
    record's own order stays as it is. The caller is alone with it."""
    lines: dict[str, list[tuple[datetime, Disclosure]]] = {}
    for item in open_of(tx, person_ids):
        line = lines.setdefault(item.person_id, [])
        # Never before what stands in front of it on its own record, however old the message.
        line.append((max(item.created_at, line[-1][0]) if line else item.created_at, item))
    place = next_place(tx, person_ids)
    for index, (_, item) in enumerate(heapq.merge(*lines.values(), key=lambda pair: pair[0])):
        note(tx, item.id, place=place + index)


def is_its_turn(tx: Connection, item: Disclosure, one: Collection[str] = ()) -> bool:
    """False while something earlier about the person is still on its way to the same recipient.
    PARKED counts as on its way: order is kept through repair, too. `one`: the person's records."""
    return tx.scalar(_EARLIER, _in_order(item, one)) is None


def successors(tx: Connection, item: Disclosure, one: Collection[str] = ()) -> list[str]:
    """Ids that may have waited for this one: the next queued ones of the same person and recipient."""
    return list(tx.scalars(_SUCCESSORS, _in_order(item, one)))


def _in_order(item: Disclosure, one: Collection[str]) -> dict[str, object]:
    """Where one stands among what the person's records have for its recipient."""
    persons = sorted({item.person_id, *one})
    return {"persons": persons, "recipient": item.recipient, "place": item.place}


def move(tx: Connection, item: Disclosure, to: State, **values: Any) -> None:
    """Change the state of one disclosure, or raise LostRace when it is not as `item` says."""
    assert values.keys() <= set(disclosure.c.keys())  # a prepared statement passes over what is no column
    known = {"this": item.id, "was": item.state, "tried_before": item.attempts}
    if tx.execute(_MOVE, {**known, "state": to, **values}).rowcount != 1:
        raise LostRace(item.id)


def note(tx: Connection, disclosure_id: str, **values: Any) -> None:
    """Write facts that are not the state (acknowledged, answered)."""
    assert values.keys() <= set(disclosure.c.keys())  # as in move
    tx.execute(_NOTE, {"this": disclosure_id, **values})


def sealed_rendering(tx: Connection, disclosure_id: str) -> Sealed | None:
    row = tx.execute(_RENDERING, {"this": disclosure_id}).one()
    return Sealed(row.ciphertext, row.wrapped_key) if row.wrapped_key else None


def sealed_sent(tx: Connection, disclosure_id: str) -> Sealed | None:
    row = tx.execute(_SENT, {"this": disclosure_id}).one()
    return Sealed(row.sent, row.sent_key) if row.sent_key else None


def sealed_tried(tx: Connection, disclosure_id: str) -> Sealed | None:
    row = tx.execute(_TRIED, {"this": disclosure_id}).one()
    return Sealed(row.tried, row.tried_key) if row.tried_key else None


NO_RENDERING: dict[str, Any] = {"ciphertext": None, "wrapped_key": None, "permitted": None}
"""Destroys the key of a sealed rendering, wherever its ciphertext was copied to."""

NO_TRIED: dict[str, Any] = {"tried": None, "tried_key": None}
"""Destroys the key of the list of leaves that an attempt of unknown outcome carried."""

NO_SENT: dict[str, Any] = {"sent": None, "sent_key": None} | NO_TRIED
"""Destroys the keys of the lists of leaves that were delivered, or may have been."""
