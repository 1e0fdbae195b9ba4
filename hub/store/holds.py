"""Understands the table of what persons at the desk did with held leaves: one sealed line each, never
changed. What the lines mean is for `hub/answers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from hub.store import sealed
from hub.store.disclosures import Disclosure
from hub.store.people import Person
from hub.store.schema import disclosure, hold_entry, microseconds
from hub.vault import Vault

_OF_FLOW = (
    select(hold_entry)
    .join(disclosure, disclosure.c.id == hold_entry.c.disclosure_id)
    .where(
        disclosure.c.message_id == bindparam("message"),
        disclosure.c.agreement == bindparam("agreement"),
        disclosure.c.recipient == bindparam("recipient"),
    )
    .order_by(hold_entry.c.id)
)


@dataclass(frozen=True)
class Line:
    """One line, opened. `id` gives their order."""

    id: int
    at: datetime
    said: Mapping[str, Any]


def write(
    tx: Connection,
    vault: Vault,
    owner: Person,
    item: Disclosure,
    at: datetime,
    said: Mapping[str, Any],
) -> None:
    """Add one line about a disclosure, sealed under the person's key."""
    columns = sealed.columns(vault, owner.key, said, bound_to=_bound(item.id, at))
    tx.execute(insert(hold_entry).values(disclosure_id=item.id, at=at, **columns))


def of_flow(tx: Connection, vault: Vault, owner: Person, item: Disclosure) -> tuple[Line, ...]:
    """Every line about this message to this recipient under this agreement, of every revision, in the
    order they were written. Raises seal.key-destroyed: a line that cannot be read must not be left out,
    it could be a refusal."""
    flow = {"message": item.message_id, "agreement": item.agreement, "recipient": item.recipient}
    rows = tx.execute(_OF_FLOW, flow)
    return tuple(Line(row.id, row.at, _open(vault, owner, row)) for row in rows)


def _open(vault: Vault, owner: Person, row: Any) -> Mapping[str, Any]:
    said: Mapping[str, Any] = sealed.document(
        vault, owner.key, row, bound_to=_bound(row.disclosure_id, row.at)
    )
    return said


def _bound(disclosure_id: str, at: datetime) -> str:
    return f"hold {disclosure_id} {microseconds(at)}"
