"""Understands persons: an opaque id, a consent epoch, a key, and the pseudonyms that lead there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from hub.store.schema import identifier, person
from hub.vault import Vault


@dataclass(frozen=True)
class Person:
    """One row. `key` is wrapped by the master key; None means that the person is forgotten."""

    id: str
    epoch: int
    key: bytes | None = field(repr=False)
    protected_address: bool


def find(tx: Connection, vault: Vault, number: str) -> Person | None:
    """The person with this identity number, if the hub knows one."""
    row = tx.execute(
        select(person)
        .join(identifier, identifier.c.person_id == person.c.id)
        .where(identifier.c.pseudonym == vault.pseudonym("person", number))
    ).first()
    return None if row is None else Person(row.id, row.epoch, row.wrapped_key, row.protected_address)


def find_by_id(tx: Connection, person_id: str) -> Person | None:
    row = tx.execute(select(person).where(person.c.id == person_id)).first()
    return None if row is None else Person(row.id, row.epoch, row.wrapped_key, row.protected_address)


def load(tx: Connection, person_id: str) -> Person:
    row = tx.execute(select(person).where(person.c.id == person_id)).one()
    return Person(row.id, row.epoch, row.wrapped_key, row.protected_address)


def find_or_create(
    tx: Connection, vault: Vault, number: str, now: datetime, new_id: Callable[[], str]
) -> Person:
    """The person with this number. Two processes creating the same one collide on the primary key
    of `identifier`; the loser's transaction is tried again and finds the winner's."""
    known = find(tx, vault, number)
    if known is not None:
        return known
    created = Person(new_id(), 0, vault.new_person_key(), protected_address=False)
    tx.execute(
        insert(person).values(
            id=created.id,
            epoch=0,
            wrapped_key=created.key,
            protected_address=False,
            created_at=now,
        )
    )
    tx.execute(insert(identifier).values(pseudonym=vault.pseudonym("person", number), person_id=created.id))
    return created


def protect_address(tx: Connection, person_id: str) -> None:
    """From now on no automatic message about this person (folkeregisterloven § 10-4). Only a person
    at a desk may take it back, so nothing here lowers it."""
    tx.execute(
        update(person)
        .where(person.c.id == person_id)
        .values(protected_address=True, epoch=person.c.epoch + 1)
    )


def raise_epoch(tx: Connection, person_id: str) -> None:
    """What the person allows has changed: decisions made under the old epoch are void."""
    tx.execute(update(person).where(person.c.id == person_id).values(epoch=person.c.epoch + 1))


def fence(tx: Connection, known: Person) -> bool:
    """True if nothing changed since `known` was read. Takes the person's row, so a change that is
    under way waits for this transaction, or this one for the change."""
    result = tx.execute(
        update(person).where(person.c.id == known.id, person.c.epoch == known.epoch).values(epoch=known.epoch)
    )
    return result.rowcount == 1
