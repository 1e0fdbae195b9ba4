"""Understands the requests on file: every version of every request for information, sealed, on two time
axes. `recorded_at` says from when the hub knew; the request itself says from when it is in force.

What a request says is for the decision to judge (`consent/on_file.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from hub.errors import HubError
from hub.message import Request
from hub.store import sealed
from hub.store.people import Person
from hub.store.schema import information_request, person
from hub.vault import Vault

Document = Mapping[str, Any]
"""What was written down, as JSON values: who asked whom, under which row, what for, which days, by whom
it was recorded."""


_ABOUT = (
    select(information_request, person.c.wrapped_key.label("owner_key"))
    .join(person, person.c.id == information_request.c.person_id)
    .where(information_request.c.person_id.in_(bindparam("persons", expanding=True)))
    .order_by(information_request.c.recorded_at, information_request.c.id)
)


@dataclass(frozen=True)
class Entry:
    """One version as it stands in the register. `document` is empty when it cannot be opened."""

    person_id: str
    said: Request
    document: Document = field(repr=False)


def record(
    tx: Connection,
    vault: Vault,
    owner: Person,
    *,
    request_id: str,
    key: str,
    document: Document,
    at: datetime,
) -> int:
    """Keep the next version of a series. Returns its number. The caller is alone with the person."""
    newest = tx.scalar(
        select(func.max(information_request.c.version)).where(
            information_request.c.person_id.in_(_one(owner)), information_request.c.series == key
        )
    )
    version = int(newest or 0) + 1
    tx.execute(
        insert(information_request).values(
            id=request_id,
            person_id=owner.id,
            series=key,
            version=version,
            recorded_at=at,
            **sealed.columns(vault, owner.key, document, bound_to=_bound(request_id)),
        )
    )
    return version


def end(tx: Connection, owner: Person, request_id: str, at: datetime) -> list[tuple[str, str]]:
    """End the request and every other version of its series that still stands. Returns the record and id
    of each; empty when there is no such request of this person that stands."""
    mine = information_request.c.person_id.in_(_one(owner))
    standing = (mine, information_request.c.ended_at.is_(None))
    key = tx.scalar(
        select(information_request.c.series).where(*standing, information_request.c.id == request_id)
    )
    if key is None:
        return []
    of_series = (*standing, information_request.c.series == key)
    columns = (information_request.c.person_id, information_request.c.id)
    ended = [(row.person_id, row.id) for row in tx.execute(select(*columns).where(*of_series))]
    tx.execute(update(information_request).where(*of_series).values(ended_at=at))
    return sorted(ended)


def of_records(tx: Connection, vault: Vault, records: Iterable[str]) -> list[Entry]:
    """Every version of every request about these, in the order they were recorded. What cannot be opened
    is there, unreadable: it must not leave an older version standing."""
    rows = tx.execute(_ABOUT, {"persons": sorted(records)}).all()
    return [_entry(vault, row) for row in rows]


def _entry(vault: Vault, row: Any) -> Entry:
    known = (row.id, row.series, row.version, row.recorded_at, row.ended_at)
    try:
        said = sealed.document(vault, row.owner_key, row, bound_to=_bound(row.id))
        return Entry(row.person_id, _request(known, said), said)
    except (HubError, ValueError, KeyError, TypeError):
        return Entry(row.person_id, Request(*known, readable=False), {})


def _request(known: tuple[str, str, int, datetime, datetime | None], said: Document) -> Request:
    return Request(
        *known,
        asked_by=said["asked_by"],
        asked_of=said["asked_of"],
        flow=said["flow"],
        purpose=said["purpose"],
        valid_from=date.fromisoformat(said["valid_from"]),
        valid_to=date.fromisoformat(said["valid_to"]),
        data_from=_day(said["data_from"]),
        data_to=_day(said["data_to"]),
    )


def _day(said: str | None) -> date | None:
    return None if said is None else date.fromisoformat(said)


def _one(owner: Person) -> list[str]:
    return sorted(owner.one | {owner.id})


def _bound(request_id: str) -> str:
    return f"request {request_id}"
