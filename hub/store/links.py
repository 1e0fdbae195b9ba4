"""Understands which person records are about one person, as said, as confirmed, and as known when.

Each identity number has a record of its own (`person`), and everything that comes under it stays there,
sealed under its key. A link says that two records are about one person. `one` follows confirmed links
only, `linked` follows all of them: doubt widens a refusal and narrows a permission. Rows are never
changed but for their end, so that any moment can be asked for what was known then. Must not know
names or birth dates: nobody is ever linked by likeness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, insert, or_, select, update

from hub.store.schema import person_link


@dataclass(frozen=True)
class Link:
    """One row: what was known of a pair from one moment to the next. `known_to` None: still so."""

    id: str
    left_id: str
    right_id: str
    merge: bool
    confirmed: bool
    said_by: str
    known_from: datetime
    known_to: datetime | None

    def other(self, person_id: str) -> str:
        return self.right_id if person_id == self.left_id else self.left_id


@dataclass(frozen=True)
class Circle:
    """Who else one record is about. Both sets hold the record itself; `one` is part of `linked`."""

    one: frozenset[str]
    linked: frozenset[str]


_COLUMNS = tuple(person_link.c[name] for name in Link.__dataclass_fields__)

_PERSONS: BindParameter[str] = bindparam("persons", expanding=True)
_TOUCHING = select(*_COLUMNS).where(
    or_(person_link.c.left_id.in_(_PERSONS), person_link.c.right_id.in_(_PERSONS))
)
_NOW = _TOUCHING.where(person_link.c.known_to.is_(None))  # asked by every decision: put together once
_THEN = _TOUCHING.where(
    person_link.c.known_from <= bindparam("then"),
    or_(person_link.c.known_to.is_(None), person_link.c.known_to > bindparam("then")),
)


def of(tx: Connection, person_id: str, known_at: datetime | None = None) -> tuple[Link, ...]:
    """The links of one record as they stand, or as they were known at a moment."""
    return _touching(tx, {person_id}, known_at)


def history(tx: Connection, person_id: str) -> tuple[Link, ...]:
    """Every row there ever was about one record, in the order they were known."""
    mine = or_(person_link.c.left_id == person_id, person_link.c.right_id == person_id)
    rows = tx.execute(select(*_COLUMNS).where(mine).order_by(person_link.c.known_from, person_link.c.id))
    return tuple(Link(*row) for row in rows)


def between(tx: Connection, one: str, other: str) -> Link | None:
    """The link of a pair as it stands."""
    left, right = sorted((one, other))
    row = tx.execute(
        select(*_COLUMNS).where(
            person_link.c.left_id == left,
            person_link.c.right_id == right,
            person_link.c.known_to.is_(None),
        )
    ).first()
    return None if row is None else Link(*row)


def circle(tx: Connection, person_id: str, known_at: datetime | None = None) -> Circle:
    """Everybody this record is linked to, over however many steps."""
    found: dict[str, Link] = {}
    linked, fresh = {person_id}, {person_id}
    while fresh:
        links = _touching(tx, fresh, known_at)
        found |= {link.id: link for link in links}
        fresh = {end for link in links for end in (link.left_id, link.right_id)} - linked
        linked |= fresh
    one, confirmed = {person_id}, [link for link in found.values() if link.confirmed]
    grown = True
    while grown:
        ends = {end for link in confirmed if {link.left_id, link.right_id} & one for end in _ends(link)}
        grown, one = not ends <= one, one | ends
    return Circle(frozenset(one), frozenset(linked))


def everyone(tx: Connection, person_ids: Iterable[str]) -> frozenset[str]:
    """All records concerned when something changes for these."""
    return frozenset().union(*(circle(tx, person_id).linked for person_id in person_ids))


def begin(
    tx: Connection,
    link_id: str,
    one: str,
    other: str,
    *,
    merge: bool,
    confirmed: bool,
    said_by: str,
    at: datetime,
) -> None:
    """From now on this is known of the pair. The caller has ended what was known before."""
    left, right = sorted((one, other))
    tx.execute(
        insert(person_link).values(
            id=link_id,
            left_id=left,
            right_id=right,
            merge=merge,
            confirmed=confirmed,
            said_by=said_by,
            known_from=at,
        )
    )


def end(tx: Connection, link: Link, at: datetime) -> None:
    """From now on this is no longer what is known."""
    tx.execute(update(person_link).where(person_link.c.id == link.id).values(known_to=at))


def _ends(link: Link) -> set[str]:
    return {link.left_id, link.right_id}


def _touching(tx: Connection, persons: set[str], known_at: datetime | None) -> tuple[Link, ...]:
    about = {"persons": sorted(persons)}
    rows = tx.execute(_NOW, about) if known_at is None else tx.execute(_THEN, about | {"then": known_at})
    return tuple(Link(*row) for row in rows)
