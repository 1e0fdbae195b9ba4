"""Understands the records of who somebody's registered GP is: only ever added, sealed. Which of them counts
is for `consent/on_file.py` to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from hub.errors import HubError
from hub.message import Fields, RegisteredGp
from hub.store import sealed
from hub.store.people import Person
from hub.store.schema import person, registered_gp
from hub.vault import Vault

_ABOUT = (
    select(registered_gp, person.c.wrapped_key.label("owner_key"))
    .join(person, person.c.id == registered_gp.c.person_id)
    .where(registered_gp.c.person_id.in_(bindparam("persons", expanding=True)))
    .order_by(registered_gp.c.recorded_at, registered_gp.c.id)
)


def record(
    tx: Connection, vault: Vault, owner: Person, *, record_id: str, document: Fields, at: datetime
) -> None:
    """`document`: org ("" for nobody), valid_from and valid_to as ISO days, and who says so."""
    tx.execute(
        insert(registered_gp).values(
            id=record_id,
            person_id=owner.id,
            recorded_at=at,
            **sealed.columns(vault, owner.key, document, bound_to=_bound(record_id)),
        )
    )


def of_records(tx: Connection, vault: Vault, records: Iterable[str]) -> tuple[RegisteredGp, ...]:
    """Everything recorded about these. What cannot be opened is there, unreadable: it must not leave an
    older record standing."""
    rows = tx.execute(_ABOUT, {"persons": sorted(records)}).all()
    return tuple(_read(vault, row) for row in rows)


def _read(vault: Vault, row: Any) -> RegisteredGp:
    try:
        said = sealed.document(vault, row.owner_key, row, bound_to=_bound(row.id))
        last = said["valid_to"]
        return RegisteredGp(
            row.id,
            row.recorded_at,
            said["org"],
            date.fromisoformat(said["valid_from"]),
            None if last is None else date.fromisoformat(last),
        )
    except (HubError, ValueError, KeyError, TypeError):
        return RegisteredGp(row.id, row.recorded_at, readable=False)


def _bound(record_id: str) -> str:
    return f"registered gp {record_id}"
