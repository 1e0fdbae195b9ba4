"""Understands the consent register: every version of every consent, sealed, on two time axes.

`recorded_at` says from when the hub knew; the document itself says from when it is in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hub.errors import HubError
from hub.message import CONTROL_SECTORS, Agency, Consent, Fields, Sealed
from hub.store.people import Person
from hub.store.schema import consent
from hub.vault import Vault

Read = Callable[[Fields, datetime], Consent]
"""How a stored document becomes a Consent: `consent.intake.read`."""


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


def withdraw(tx: Connection, owner: Person, *, key: str, at: datetime) -> list[str]:
    """Withdraw every version of a consent. Returns the ids, or raises consent.unknown."""
    ids = list(
        tx.scalars(
            select(consent.c.id).where(
                consent.c.person_id == owner.id,
                consent.c.series == key,
                consent.c.withdrawn_at.is_(None),
            )
        )
    )
    if not ids:
        raise HubError("consent.unknown")
    tx.execute(update(consent).where(consent.c.id.in_(ids)).values(withdrawn_at=at))
    return ids


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
