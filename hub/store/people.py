"""Understands persons: an opaque id, a consent epoch, a key, the pseudonyms that lead there, and what
stops every automatic message about them.

One record for each identity number, and one for each message whose patient was described instead;
`hub/store/links.py` knows which are about one person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from hub.store import links
from hub.store.schema import identifier, person
from hub.vault import Vault


@dataclass(frozen=True)
class Person:
    """One record. `key` is wrapped by the master key; None means that the person is forgotten.

    `protected_address` and `deceased` also count when they were said of a linked record, confirmed or
    not, unless the person is unidentified: then of `one` only. `one`: the records that are about the same
    person beyond doubt; `linked`: all that may be. `unidentified`: none of `one` was made for a number, so
    nobody knows what the person has refused.
    """

    id: str
    epoch: int
    key: bytes | None = field(repr=False)
    protected_address: bool
    unidentified: bool
    deceased: bool = False
    one: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()


_LOAD = select(person).where(person.c.id == bindparam("this"))
_FENCE = (
    update(person)
    .where(person.c.id == bindparam("this"), person.c.epoch == bindparam("as_read"))
    .values(epoch=bindparam("as_read"))
)


def find_id(tx: Connection, vault: Vault, number: str) -> str | None:
    """The id of the record this identity number leads to."""
    return tx.scalar(
        select(identifier.c.person_id).where(identifier.c.pseudonym == vault.pseudonym("person", number))
    )


def find(tx: Connection, vault: Vault, number: str) -> Person | None:
    """The record of this identity number, if the hub knows it."""
    person_id = find_id(tx, vault, number)
    return None if person_id is None else load(tx, person_id)


def find_by_id(tx: Connection, person_id: str) -> Person | None:
    """The record by itself, without looking at what it is linked to."""
    row = tx.execute(_LOAD, {"this": person_id}).first()
    if row is None:
        return None
    return Person(row.id, row.epoch, row.wrapped_key, row.protected_address, not row.numbered)


def load(tx: Connection, person_id: str) -> Person:
    row = tx.execute(_LOAD, {"this": person_id}).one()
    circle = links.circle(tx, person_id)
    protected, deceased, numbered = row.protected_address, row.deceased, row.numbered
    if len(circle.linked) > 1:
        flags = tx.execute(
            select(person.c.id, person.c.protected_address, person.c.deceased, person.c.numbered).where(
                person.c.id.in_(circle.linked)
            )
        ).all()
        numbered = any(flag.numbered for flag in flags if flag.id in circle.one)
        # Nothing goes about somebody unidentified. What stops another for good, by a link in doubt, would end
        # the message on one word, and its sender would be told.
        count = circle.linked if numbered else circle.one
        protected = any(flag.protected_address for flag in flags if flag.id in count)
        deceased = any(flag.deceased for flag in flags if flag.id in count)
    return Person(
        row.id, row.epoch, row.wrapped_key, protected, not numbered, deceased, circle.one, circle.linked
    )


def find_or_create(
    tx: Connection, vault: Vault, number: str, now: datetime, new_id: Callable[[], str]
) -> Person:
    """The record of this number. Two processes creating the same one collide on the primary key
    of `identifier`; the loser's transaction is tried again and finds the winner's."""
    known = find(tx, vault, number)
    if known is not None:
        return known
    made = _new(tx, vault, now, new_id, numbered=True)
    tx.execute(insert(identifier).values(pseudonym=vault.pseudonym("person", number), person_id=made.id))
    return made


def create_described(tx: Connection, vault: Vault, now: datetime, new_id: Callable[[], str]) -> Person:
    """A record for one message whose patient has no number here. Nothing leads to it but that message, so
    that no other is taken for the same person by a name."""
    return _new(tx, vault, now, new_id, numbered=False)


def _new(tx: Connection, vault: Vault, now: datetime, new_id: Callable[[], str], *, numbered: bool) -> Person:
    person_id, key = new_id(), vault.new_person_key()
    tx.execute(
        insert(person).values(
            id=person_id,
            epoch=0,
            wrapped_key=key,
            protected_address=False,
            deceased=False,
            numbered=numbered,
            created_at=now,
        )
    )
    alone = frozenset({person_id})
    return Person(
        person_id, 0, key, protected_address=False, unidentified=not numbered, one=alone, linked=alone
    )


def is_described(tx: Connection, person_id: str) -> bool:
    """Whether the record was made for a described patient, and can still be read."""
    mine = (person.c.id == person_id, person.c.numbered.is_(False), person.c.wrapped_key.is_not(None))
    return tx.scalar(select(person.c.id).where(*mine)) is not None


def stop(tx: Connection, person_ids: Iterable[str], *, address: bool, deceased: bool) -> None:
    """From now on no automatic message about these: a graded address (folkeregisterloven § 10-4), or
    deceased (helsepersonelloven § 24). Never lowered here; what was asked of lifting it is void. Neither of
    the two: nothing changes."""
    if not (address or deceased):
        return
    values: dict[str, object] = {"release_asked_by": None}
    if address:
        values["protected_address"] = True
    if deceased:
        values["deceased"] = True
    tx.execute(update(person).where(person.c.id.in_(list(person_ids))).values(**values))


def release_asked_by(tx: Connection, person_id: str) -> str | None:
    """The pseudonym of whoever asked that the stop be lifted."""
    return tx.scalar(select(person.c.release_asked_by).where(person.c.id == person_id))


def ask_release(tx: Connection, person_id: str, by: str) -> None:
    tx.execute(update(person).where(person.c.id == person_id).values(release_asked_by=by))


def release(tx: Connection, person_ids: Iterable[str]) -> None:
    """Lift the stop: two persons at a desk have agreed."""
    free = {"protected_address": False, "deceased": False, "release_asked_by": None}
    tx.execute(update(person).where(person.c.id.in_(list(person_ids))).values(**free))


def stopped(tx: Connection, person_ids: Iterable[str]) -> frozenset[str]:
    """Those of these of whom it was said themselves, not of a linked record."""
    said = or_(person.c.protected_address, person.c.deceased)
    return frozenset(tx.scalars(select(person.c.id).where(person.c.id.in_(list(person_ids)), said)))


def forget(tx: Connection, person_id: str) -> None:
    """Destroy the person's key: nothing sealed under it can be read again. The number leads nowhere any
    more, so that a later message about it begins anew."""
    tx.execute(delete(identifier).where(identifier.c.person_id == person_id))
    tx.execute(
        update(person).where(person.c.id == person_id).values(wrapped_key=None, epoch=person.c.epoch + 1)
    )


def raise_epochs(tx: Connection, person_ids: Iterable[str]) -> None:
    """What these allow has changed: decisions made under the old epochs are void."""
    ids = sorted(person_ids)
    tx.execute(update(person).where(person.c.id.in_(ids)).values(epoch=person.c.epoch + 1))


def fence(tx: Connection, known: Person) -> bool:
    """True if nothing changed since `known` was read. Takes the person's row, so a change that is
    under way waits for this transaction, or this one for the change."""
    return tx.execute(_FENCE, {"this": known.id, "as_read": known.epoch}).rowcount == 1
