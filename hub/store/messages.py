"""Understands the inbox table: what was received, once, sealed, and which version of a series it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from hub.errors import Finding, HubError
from hub.message import Outcome, Record
from hub.store import sealed
from hub.store.people import Person
from hub.store.schema import disclosure, message
from hub.vault import Vault

HEAD = {"id": "melding.id", "sent": "melding.sendt", "kind": "meldingstype"}
"""What the sender of a message knows it by."""


@dataclass(frozen=True)
class Stored:
    """One received message without its content."""

    id: str
    sender: str
    type: str
    person_id: str
    received_at: datetime
    superseded: bool


_COLUMNS = (
    message.c.id,
    message.c.sender,
    message.c.type,
    message.c.person_id,
    message.c.received_at,
    message.c.superseded,
)

# What every hand-over asks is put together once: that takes four times as long as asking it.
_THIS = message.c.id == bindparam("this")
_LOAD = select(*_COLUMNS).where(_THIS)
_CONTENT = select(message.c.ciphertext, message.c.wrapped_key).where(_THIS)
_KEY = select(message.c.wrapped_key).where(_THIS)


_USED = Finding("melding.id", "used", "an id that no other message had; of the same message, the same bytes")


def find_same(tx: Connection, sender: str, sender_key: str, content: str) -> Stored | None:
    """The message this sender gave this id before, or None. Raises receive.duplicate-id when the
    id came with other content then."""
    row = tx.execute(
        select(*_COLUMNS, message.c.content).where(
            message.c.sender == sender, message.c.sender_key == sender_key
        )
    ).first()
    if row is None:
        return None
    if row.content != content:
        raise HubError("receive.duplicate-id", [_USED])
    return Stored(*row[:-1])


def load(tx: Connection, message_id: str) -> Stored | None:
    row = tx.execute(_LOAD, {"this": message_id}).first()
    return None if row is None else Stored(*row)


def answers_to(tx: Connection, answered: Collection[str], type_name: str) -> list[Stored]:
    """Messages of one type that answer any of these disclosures, in the order they were taken in. Their
    times need not be in it: two clocks can differ. Those from before there were numbers come first."""
    mine = (message.c.answers.in_(sorted(answered)), message.c.type == type_name)
    order = (message.c.answer_no.nulls_first(), message.c.received_at)
    query = select(*_COLUMNS).where(*mine).order_by(*order)
    return [Stored(*row) for row in tx.execute(query)]


def keep(
    tx: Connection,
    vault: Vault,
    stored: Stored,
    owner: Person,
    record: Record,
    *,
    sender_key: str,
    content: str,
    series: tuple[str, int] | None,
) -> None:
    """Write the message with its record, and how its sender knows it, each sealed under the person's key."""
    known = sealed.columns(vault, owner.key, _known_as(record), bound_to=_head(stored))
    tx.execute(
        insert(message).values(
            id=stored.id,
            sender=stored.sender,
            sender_key=sender_key,
            content=content,
            type=stored.type,
            person_id=owner.id,
            series=series[0] if series else None,
            version=series[1] if series else None,
            superseded=stored.superseded,
            received_at=stored.received_at,
            head=known["ciphertext"],
            head_key=known["wrapped_key"],
            **sealed.columns(vault, owner.key, record.fields, bound_to=_bound(stored)),
        )
    )


def open_record(tx: Connection, vault: Vault, owner: Person, stored: Stored) -> Record:
    """The record again, or seal.key-destroyed."""
    row = tx.execute(_CONTENT, {"this": stored.id}).one()
    return Record(stored.type, sealed.document(vault, owner.key, row, bound_to=_bound(stored)))


def open_head(tx: Connection, vault: Vault, owner: Person, stored: Stored) -> Mapping[str, str] | None:
    """How its sender knows the message, by the names of `HEAD`; None for one from before that was kept, and
    of somebody forgotten. It does not end with the content: when that goes depends on what became of it."""
    query = select(message.c.head.label("ciphertext"), message.c.head_key.label("wrapped_key"))
    row = tx.execute(query.where(message.c.id == stored.id)).one()
    if owner.key is None or row.ciphertext is None:
        return None
    head: Mapping[str, str] = sealed.document(vault, owner.key, row, bound_to=_head(stored))
    return head


def _known_as(record: Record) -> dict[str, str]:
    said = {name: record.get(path) for name, path in HEAD.items()}
    return {name: str(value) for name, value in said.items() if value is not None}


def _head(stored: Stored) -> str:
    return f"head of message {stored.id}"


def _bound(stored: Stored) -> str:
    return f"message {stored.id} {stored.type}"


def note_answer(
    tx: Connection, message_id: str, disclosure_id: str, same: Collection[str], owes_at: datetime | None
) -> None:
    """Write what a message answers, as the next answer to `same` (all revisions of it), and when its sender
    owes another, if it does. The caller is alone with what is answered."""
    earlier = select(func.max(message.c.answer_no)).where(message.c.answers.in_(sorted(same)))
    number = (tx.scalar(earlier) or 0) + 1
    said = {"answers": disclosure_id, "answer_no": number, "owes_at": owes_at}
    tx.execute(update(message).where(message.c.id == message_id).values(**said))


@dataclass(frozen=True)
class Told:
    """Something of an answer that its asker was handed, and when its sender owes the next, if it does."""

    at: datetime
    owes_at: datetime | None


def answers_told(tx: Connection, answered: Collection[str], type_name: str, asker: str) -> list[Told]:
    """What an asker was handed of answers of one type to these disclosures, in the order it got it."""
    query = (
        select(disclosure.c.handed_over_at, message.c.owes_at)
        .join(disclosure, disclosure.c.message_id == message.c.id)
        .where(
            message.c.answers.in_(sorted(answered)),
            message.c.type == type_name,
            disclosure.c.recipient == asker,
            disclosure.c.handed_over_at.is_not(None),
        )
        .order_by(disclosure.c.handed_over_at)
    )
    return [Told(*row) for row in tx.execute(query)]


def was_told_whole(tx: Connection, message_id: str, reader: str) -> bool:
    """Whether an agency was handed all of a message that an agreement carries to it."""
    whole = (
        disclosure.c.message_id == message_id,
        disclosure.c.recipient == reader,
        disclosure.c.handed_over_at.is_not(None),
        disclosure.c.outcome == Outcome.DELIVERED,
    )
    return tx.scalar(select(disclosure.c.id).where(*whole).limit(1)) is not None


def forget_finished(tx: Connection, before: datetime, limit: int) -> int:
    """Destroy the keys of messages received before a time of which every disclosure is done: nothing
    can be made of them any more, so nobody shall be able to read them. Returns how many."""
    open_ones = select(disclosure.c.message_id).where(disclosure.c.state != "done")
    finished = (
        select(message.c.id)
        .where(
            message.c.wrapped_key.is_not(None),
            message.c.received_at < before,
            message.c.id.not_in(open_ones),
        )
        .limit(limit)
    )
    result = tx.execute(
        update(message).where(message.c.id.in_(finished)).values(ciphertext=None, wrapped_key=None)
    )
    return result.rowcount


def is_forgotten(tx: Connection, message_id: str) -> bool:
    """The key of its content was destroyed."""
    return tx.scalar(_KEY, {"this": message_id}) is None


def newest_version(tx: Connection, series: Collection[str]) -> int | None:
    """The highest version received of a series; one that runs over several records has several names."""
    return tx.scalar(
        select(message.c.version)
        .where(message.c.series.in_(sorted(series)))
        .order_by(message.c.version.desc())
        .limit(1)
    )


def supersede(tx: Connection, series: Collection[str], version: int) -> list[str]:
    """Mark every older version of the series; returns their message ids."""
    older = list(
        tx.scalars(
            select(message.c.id).where(
                message.c.series.in_(sorted(series)),
                message.c.version < version,
                message.c.superseded.is_(False),
            )
        )
    )
    if older:
        tx.execute(update(message).where(message.c.id.in_(older)).values(superseded=True))
    return older
