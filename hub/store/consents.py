"""Understands the consent register: every version of every consent, sealed, on two time axes.

`recorded_at` says from when the hub knew; the document itself says from when it is in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hub.errors import HubError
from hub.message import CONTROL_SECTORS, Agency, Consent, Fields, Sealed
from hub.store import links
from hub.store.linked import seen_together
from hub.store.people import Person
from hub.store.schema import consent, kept_refusal, person
from hub.vault import Vault

Read = Callable[[Fields, datetime], Consent]
"""How a stored document becomes a Consent: `consent.intake.read`."""

NewId = Callable[[], str]


REPLACES = "erstatter_nokkel"
"""Where a stored document keeps the key of the series it replaces: added by the hub."""


def series_key(vault: Vault, recorder: Agency, series: str) -> str:
    """The pseudonym of a consent document's own id. The documents of a control role are a world of
    their own: by trying ids it can neither learn of a consent recorded elsewhere nor touch it."""
    world = recorder.org if recorder.sector in CONTROL_SECTORS else ""
    return vault.pseudonym("consent", f"{world} {series}")


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
) -> None:
    """Keep one version. Raises consent.version-old unless it is newer than all there are."""
    newest = tx.scalar(
        select(consent.c.version)
        .where(consent.c.person_id.in_(_one(owner)), consent.c.series == key)
        .order_by(consent.c.version.desc())
        .limit(1)
    )
    if newest is not None and newest >= version:
        raise HubError("consent.version-old")
    body = json.dumps(document, ensure_ascii=False).encode()
    sealed = vault.seal(owner.key, body, bound_to=f"consent {consent_id}")
    tx.execute(
        insert(consent).values(
            id=consent_id,
            person_id=owner.id,
            series=key,
            version=version,
            recorded_by=recorded_by,
            recorded_at=at,
            ciphertext=sealed.ciphertext,
            wrapped_key=sealed.wrapped_key,
        )
    )


def withdraw(tx: Connection, owner: Person, *, key: str, at: datetime) -> tuple[str, ...]:
    """Withdraw every version of a consent, on whichever linked record it was recorded: doubt widens a
    withdrawal, too. Returns the records it was recorded on, or raises consent.unknown."""
    mine = consent.c.person_id.in_(_linked(owner))
    those = (mine, consent.c.series == key, consent.c.withdrawn_at.is_(None))
    found = tx.execute(select(consent.c.id, consent.c.person_id).where(*those)).all()
    tx.execute(update(consent).where(consent.c.id.in_([row.id for row in found])).values(withdrawn_at=at))
    kept = tx.execute(
        update(kept_refusal)
        .where(
            kept_refusal.c.person_id.in_(_linked(owner)),
            kept_refusal.c.series == key,
            kept_refusal.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=at)
    )
    if not found and not kept.rowcount:
        raise HubError("consent.unknown")
    return tuple(sorted({row.person_id for row in found}))


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
    rows = tx.execute(select(consent).where(consent.c.person_id.in_(linked)).order_by(consent.c.id)).all()
    # What somebody forgotten has said is forgotten with them.
    rows = [row for row in rows if row.person_id == owner.id or keys[row.person_id] is not None]
    kept = tx.execute(
        select(kept_refusal).where(kept_refusal.c.person_id.in_(linked)).order_by(kept_refusal.c.id)
    ).all()
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
        kept_id, sealed = new_id(), None
        try:
            document = vault.open(origin.key, _sealed(row), bound_to=bound_to)
            sealed = vault.seal(holder.key, document, bound_to=f"kept {kept_id}")
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
                ciphertext=sealed and sealed.ciphertext,
                wrapped_key=sealed and sealed.wrapped_key,
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


def _sealed(row: Any) -> Sealed:
    return Sealed(row.ciphertext or b"", row.wrapped_key or b"")


def _readable(vault: Vault, key: bytes | None, row: Any, read: Read, *, bound_to: str) -> Consent:
    try:
        document = json.loads(vault.open(key, _sealed(row), bound_to=bound_to))
        said = read(document, row.recorded_at)
        return replace(
            said,
            id=row.series,
            replaces=document.get(REPLACES),
            version=row.version,
            withdrawn_at=row.withdrawn_at,
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
