"""Understands the consent register: every version of every consent, sealed, on two time axes.

`recorded_at` says from when the hub knew; the document itself says from when it is in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hub.errors import HubError
from hub.message import Agency, Consent, Fields, Sealed
from hub.store.people import Person
from hub.store.schema import consent
from hub.vault import Vault

Read = Callable[[Fields, datetime], Consent]
"""How a stored document becomes a Consent: `consent.intake.read`."""


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
        .where(consent.c.person_id == owner.id, consent.c.series == key)
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
    return int(newest or 0)


def withdraw(tx: Connection, owner: Person, *, key: str, version: int | None, at: datetime) -> None:
    """Withdraw one version of a consent, or every one. Raises consent.unknown when nothing is left to
    withdraw."""
    standing = [
        consent.c.person_id == owner.id,
        consent.c.series == key,
        consent.c.withdrawn_at.is_(None),
    ]
    if version is not None:
        standing.append(consent.c.version == version)
    if not tx.execute(update(consent).where(*standing).values(withdrawn_at=at)).rowcount:
        raise HubError("consent.unknown")


def withdraw_all(
    tx: Connection, vault: Vault, owner: Person, read: Read, *, permissions: bool, at: datetime
) -> list[tuple[str, int]]:
    """Withdraw everything that permits, or lift everything that refuses, whoever recorded it. Returns
    series and version of each. What cannot be read is left: it permits nothing, and may refuse."""
    ended: list[tuple[str, int]] = []
    for entry in register(tx, vault, owner, read):
        said = entry.said
        if said.withdrawn_at is None and said.readable and said.permits is permissions:
            tx.execute(update(consent).where(consent.c.id == entry.id).values(withdrawn_at=at))
            ended.append((said.id, said.version))
    return ended


@dataclass(frozen=True)
class Entry:
    """One version as it stands in the register: what it says, who recorded it, the document itself."""

    id: str
    recorded_by: str
    said: Consent
    document: Fields = field(repr=False)

    def as_known(self, at: datetime) -> Entry | None:
        """As the hub knew it then; None when it did not."""
        if self.said.recorded_at > at:
            return None
        ended = self.said.withdrawn_at
        known = ended if ended is not None and ended <= at else None
        return replace(self, said=replace(self.said, withdrawn_at=known))


def register(tx: Connection, vault: Vault, owner: Person, read: Read) -> list[Entry]:
    """Every version of every consent of one person, in the order they were recorded."""
    rows = tx.execute(
        select(consent).where(consent.c.person_id == owner.id).order_by(consent.c.recorded_at, consent.c.id)
    )
    return [
        Entry(row.id, row.recorded_by, _readable(vault, owner, row, read), _document(vault, owner, row))
        for row in rows
    ]


def find(tx: Connection, vault: Vault, owner: Person, consent_id: str, read: Read) -> Entry | None:
    """One version by its own id, which is that of the message that brought it."""
    return next((e for e in register(tx, vault, owner, read) if e.id == consent_id), None)


def _document(vault: Vault, owner: Person, row: Any) -> Fields:
    """What was recorded; empty when it cannot be opened."""
    try:
        sealed = Sealed(row.ciphertext or b"", row.wrapped_key or b"")
        opened: Fields = json.loads(vault.open(owner.key, sealed, bound_to=f"consent {row.id}"))
        return opened
    except (HubError, ValueError):
        return {}


def of_person(tx: Connection, vault: Vault, owner: Person, read: Read) -> tuple[Consent, ...]:
    """All versions, as the decision reads them. One that cannot be opened or read is there all the
    same, marked unreadable, because leaving it out could turn a refusal into a permission."""
    rows = tx.execute(select(consent).where(consent.c.person_id == owner.id))
    return tuple(_readable(vault, owner, row, read) for row in rows)


def _readable(vault: Vault, owner: Person, row: Any, read: Read) -> Consent:
    try:
        sealed = Sealed(row.ciphertext or b"", row.wrapped_key or b"")
        document = json.loads(vault.open(owner.key, sealed, bound_to=f"consent {row.id}"))
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
