"""Understands the consent register: every version of every consent, sealed, on two time axes.

`recorded_at` says from when the hub knew; the document itself says from when it is in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from hub.errors import HubError
from hub.message import Agency, Consent, Fields
from hub.store import links, sealed
from hub.store.linked import seen_together
from hub.store.people import Person
from hub.store.schema import consent, kept_refusal, person
from hub.vault import Vault

Read = Callable[[Fields, datetime], Consent]
"""How a stored document becomes a Consent: `consent.intake.read`."""

NewId = Callable[[], str]


_SAID = select(consent).where(consent.c.person_id.in_(bindparam("persons", expanding=True)))
_SAID = _SAID.order_by(consent.c.id)
_KEPT = select(kept_refusal).where(kept_refusal.c.person_id.in_(bindparam("persons", expanding=True)))
_KEPT = _KEPT.order_by(kept_refusal.c.id)

REPLACES = "erstatter_nokkel"
"""Where a stored document keeps the key of the series it replaces: added by the hub."""


def series_key(vault: Vault, recorder: Agency, series: str) -> str:
    """The pseudonym of a consent document's own id. The documents of each agency are a world of their
    own: by trying ids nobody can learn of a consent recorded elsewhere, withdraw it or replace it."""
    return vault.pseudonym("consent", f"{recorder.org} {series}")


def record(
    tx: Connection,
    vault: Vault,
    owner: Person,
    *,
    consent_id: str,
    key: str,
    version: int,
    document: Fields,
    recorded_by: str,
    at: datetime,
) -> int:
    """Keep one version. Returns the version it stands in the place of, 0 for none. Raises
    consent.version-old unless it is newer than all there are."""
    newest = tx.scalar(
        select(consent.c.version)
        .where(consent.c.person_id.in_(_one(owner)), consent.c.series == key)
        .order_by(consent.c.version.desc())
        .limit(1)
    )
    if newest is not None and newest >= version:
        raise HubError("consent.version-old")
    tx.execute(
        insert(consent).values(
            id=consent_id,
            person_id=owner.id,
            series=key,
            version=version,
            recorded_by=recorded_by,
            recorded_at=at,
            **sealed.columns(vault, owner.key, document, bound_to=f"consent {consent_id}"),
        )
    )
    return int(newest or 0)


def withdraw(
    tx: Connection,
    vault: Vault,
    owner: Person,
    read: Read,
    *,
    key: str,
    version: int | None,
    at: datetime,
    permissions: bool = False,
) -> tuple[Ended, ...]:
    """End one version of a consent, or every one; with `permissions` only what permits, and of a refusal
    what its exceptions permit. Returns each, or raises consent.unknown when nothing is left to end.

    Doubt widens a withdrawal: it reaches permissions on every linked record. It narrows what is lifted:
    only refusals of what is one person beyond doubt, and the copies kept there. What cannot be read may
    refuse: `permissions` leaves it.
    """
    one, keys = _one(owner), _keys(tx, owner, _linked(owner))
    ended = []
    for row in tx.execute(select(consent).where(*_standing(consent, keys, key, version))).all():
        said = _readable(vault, keys[row.person_id], row, read, bound_to=f"consent {row.id}")
        whole = row.person_id in one and not permissions
        if (does := _end(tx, row.id, said, at, whole=whole)) is not None:
            ended.append(Ended(row.person_id, key, row.version, does))
    lifted = 0
    if not permissions:
        kept = update(kept_refusal).where(*_standing(kept_refusal, one, key, version))
        lifted = tx.execute(kept.values(withdrawn_at=at)).rowcount
    if not lifted and not ended:
        raise HubError("consent.unknown")
    return tuple(sorted(set(ended)))


class Ends(StrEnum):
    """What a withdrawal ended of one version."""

    ALL = "all"
    PERMISSIONS = "permissions"
    """Of a refusal, what its exceptions permitted: what it refuses stands."""


class Ended(NamedTuple):
    """One version that ended: on which record of the person; version 0 for all of a series."""

    person_id: str
    series: str
    version: int
    ends: Ends = Ends.ALL


def _end(tx: Connection, consent_id: str, said: Consent, at: datetime, *, whole: bool) -> Ends | None:
    """End a version that stands: `whole`, or else only what it permits. None where nothing is to end."""
    if whole or (said.readable and said.permits):
        column, ends = consent.c.withdrawn_at, Ends.ALL
    elif said.readable and said.grants and said.permissions_ended_at is None:
        column, ends = consent.c.permissions_ended_at, Ends.PERMISSIONS
    else:
        return None
    tx.execute(update(consent).where(consent.c.id == consent_id).values({column: at}))
    return ends


def was_recorded(tx: Connection, owner: Person, *, key: str, version: int | None) -> bool:
    """Whether there ever was such a version, on whichever linked record, withdrawn or not."""
    found = _of_series(consent, _linked(owner), key, version)
    return tx.scalar(select(consent.c.id).where(*found).limit(1)) is not None


def _standing(
    table: Any, records: Iterable[str], key: str, version: int | None
) -> tuple[ColumnElement[bool], ...]:
    return (table.c.withdrawn_at.is_(None), *_of_series(table, records, key, version))


def _of_series(
    table: Any, records: Iterable[str], key: str, version: int | None
) -> tuple[ColumnElement[bool], ...]:
    one_of = () if version is None else (table.c.version == version,)
    return (table.c.person_id.in_(list(records)), table.c.series == key, *one_of)


def withdraw_all(
    tx: Connection, vault: Vault, owner: Person, read: Read, *, permissions: bool, at: datetime
) -> list[Ended]:
    """Withdraw everything that permits, also by exception to a refusal, or lift everything that refuses,
    whoever recorded it. Returns each. What cannot be read is left: it permits nothing, and may refuse.

    Doubt widens a withdrawal: it reaches every linked record. It narrows what is lifted: only refusals
    of what is one person beyond doubt, and the copies kept there.
    """
    ended: list[Ended] = []
    records = _linked(owner) if permissions else _one(owner)
    for entry in _entries(tx, vault, owner, read, records):
        said = entry.said
        if said.withdrawn_at is not None or not said.readable or (said.permits and not permissions):
            continue
        if (does := _end(tx, entry.id, said, at, whole=not permissions)) is not None:
            ended.append(Ended(entry.person_id, said.id, said.version, does))
    if not permissions:
        _lift_kept(tx, vault, owner, read, at)
    return ended


def _lift_kept(tx: Connection, vault: Vault, owner: Person, read: Read, at: datetime) -> None:
    keys = _keys(tx, owner, _one(owner))
    for row in tx.execute(select(kept_refusal).where(kept_refusal.c.person_id.in_(_one(owner)))).all():
        said = _readable(vault, keys[row.person_id], row, read, bound_to=f"kept {row.id}")
        if said.withdrawn_at is None and said.readable and not said.permits:
            tx.execute(update(kept_refusal).where(kept_refusal.c.id == row.id).values(withdrawn_at=at))


@dataclass(frozen=True)
class Entry:
    """One version as it stands in the register: what it says, who recorded it, on which record of the
    person, the document itself."""

    id: str
    person_id: str
    recorded_by: str
    said: Consent
    document: Fields = field(repr=False)

    def as_known(self, at: datetime) -> Entry | None:
        """As the hub knew it then; None when it did not."""
        if self.said.recorded_at > at:
            return None
        ends = (self.said.withdrawn_at, self.said.permissions_ended_at)
        withdrawn, narrowed = (end if end is not None and end <= at else None for end in ends)
        return replace(self, said=replace(self.said, withdrawn_at=withdrawn, permissions_ended_at=narrowed))


def register(tx: Connection, vault: Vault, owner: Person, read: Read) -> list[Entry]:
    """Every version of every consent of one person, on all records confirmed to be theirs, in the order
    they were recorded."""
    return _entries(tx, vault, owner, read, _one(owner))


def _entries(tx: Connection, vault: Vault, owner: Person, read: Read, records: Iterable[str]) -> list[Entry]:
    keys = _keys(tx, owner, records)
    rows = tx.execute(
        select(consent).where(consent.c.person_id.in_(keys)).order_by(consent.c.recorded_at, consent.c.id)
    )
    return [
        Entry(
            row.id,
            row.person_id,
            row.recorded_by,
            _readable(vault, keys[row.person_id], row, read, bound_to=f"consent {row.id}"),
            _document(vault, keys[row.person_id], row),
        )
        for row in rows
    ]


def find(tx: Connection, vault: Vault, owner: Person, consent_id: str, read: Read) -> Entry | None:
    """One version by its own id, which is that of the message that brought it."""
    return next((e for e in register(tx, vault, owner, read) if e.id == consent_id), None)


def _document(vault: Vault, key: bytes | None, row: Any) -> Fields:
    """What was recorded; empty when it cannot be opened."""
    try:
        opened: Fields = sealed.document(vault, key, row, bound_to=f"consent {row.id}")
        return opened
    except (HubError, ValueError):
        return {}


def of_person(
    tx: Connection, vault: Vault, owner: Person, read: Read, known_at: datetime | None = None
) -> tuple[Consent, ...]:
    """All versions, as the decision reads them. One that cannot be opened or read is there all the
    same, marked unreadable, because leaving it out could turn a refusal into a permission.

    With those of linked records: over confirmed links they count as the person's own, over others,
    and where a link has ended, they can only refuse. `known_at`: by the links that were known then.
    """
    if known_at is None:
        one, linked = _one(owner), _linked(owner)
    else:
        circle = links.circle(tx, owner.id, known_at)
        one, linked = sorted(circle.one), sorted(circle.linked)
    keys = _keys(tx, owner, linked)
    rows = tx.execute(_SAID, {"persons": linked}).all()
    # What somebody forgotten has said is forgotten with them.
    rows = [row for row in rows if row.person_id == owner.id or keys[row.person_id] is not None]
    kept = tx.execute(_KEPT, {"persons": linked}).all()
    seen = {row.id for row in rows}
    own: list[Consent] = []
    doubtful: dict[str, list[Consent]] = {}
    for row in rows:
        said = _readable(vault, keys[row.person_id], row, read, bound_to=f"consent {row.id}")
        (own if row.person_id in one else doubtful.setdefault(row.person_id, [])).append(said)
    for row in kept:
        if row.consent_id not in seen and (known_at is None or row.kept_at <= known_at):
            seen.add(row.consent_id)
            said = _readable(vault, keys[row.person_id], row, read, bound_to=f"kept {row.id}")
            doubtful.setdefault(row.from_person, []).append(said)
    return seen_together(own, doubtful)


def keep(
    tx: Connection, vault: Vault, holder: Person, origins: Iterable[Person], at: datetime, new_id: NewId
) -> int:
    """Before a link ends: copy what is known of the origins' documents to the holder, sealed under the
    holder's key. There they can only refuse, and only the holder takes them back. Returns how many."""
    by_id = {person.id: person for person in origins}
    mine = select(kept_refusal.c.consent_id).where(kept_refusal.c.person_id == holder.id)
    have = set(tx.scalars(mine))
    copies = []
    for row in tx.execute(select(consent).where(consent.c.person_id.in_(by_id))):
        copies.append((row.id, row.person_id, row, by_id[row.person_id], f"consent {row.id}"))
    for row in tx.execute(select(kept_refusal).where(kept_refusal.c.person_id.in_(by_id))):
        copies.append((row.consent_id, row.from_person, row, by_id[row.person_id], f"kept {row.id}"))
    count = 0
    for consent_id, from_person, row, origin, bound_to in copies:
        if consent_id in have or from_person == holder.id or origin.key is None:
            continue
        have.add(consent_id)
        kept_id, columns = new_id(), dict[str, bytes]()
        try:
            body = vault.open(origin.key, sealed.of(row), bound_to=bound_to)
            columns = sealed.body_columns(vault, holder.key, body, bound_to=f"kept {kept_id}")
        except HubError:
            pass  # it cannot be opened there, and so not here: it stays unreadable, and blocks
        tx.execute(
            insert(kept_refusal).values(
                id=kept_id,
                person_id=holder.id,
                consent_id=consent_id,
                from_person=from_person,
                series=row.series,
                version=row.version,
                recorded_at=row.recorded_at,
                kept_at=at,
                withdrawn_at=row.withdrawn_at,
                permissions_ended_at=row.permissions_ended_at,
                **columns,
            )
        )
        count += 1
    return count


def _one(owner: Person) -> list[str]:
    return sorted(owner.one | {owner.id})


def _linked(owner: Person) -> list[str]:
    return sorted(owner.linked | {owner.id})


def _keys(tx: Connection, owner: Person, linked: Iterable[str]) -> dict[str, bytes | None]:
    others = [person_id for person_id in linked if person_id != owner.id]
    keys = {owner.id: owner.key}
    if others:
        found = select(person.c.id, person.c.wrapped_key).where(person.c.id.in_(others))
        keys |= {row.id: row.wrapped_key for row in tx.execute(found)}
    return keys


def _readable(vault: Vault, key: bytes | None, row: Any, read: Read, *, bound_to: str) -> Consent:
    try:
        document = sealed.document(vault, key, row, bound_to=bound_to)
        said = read(document, row.recorded_at)
        return replace(
            said,
            id=row.series,
            replaces=document.get(REPLACES),
            version=row.version,
            withdrawn_at=row.withdrawn_at,
            permissions_ended_at=row.permissions_ended_at,
        )
    except (HubError, ValueError, KeyError, TypeError):
        return Consent(
            id=row.series,
            version=row.version,
            permits=False,
            recorded_at=row.recorded_at,
            valid_from=None,
            valid_to=None,
            senders=None,
            recipients=None,
            purposes=None,
            categories=None,
            readable=False,
        )
