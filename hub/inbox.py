"""Understands a recipient's inbox: what can be fetched, in the order it became available.

The list shows opaque ids and times only. What it refers to is decided when it is fetched.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from hub.errors import Finding, HubError
from hub.message import Agency
from hub.parts import Parts
from hub.store.disclosures import State
from hub.store.schema import disclosure, instant, microseconds


def entries(parts: Parts, reader: Agency, after: str | None, limit: int) -> list[dict[str, Any]]:
    """At most `limit` entries after the position `after` (the `position` of an earlier entry).

    What was fetched but not acknowledged is shown again, so a reader that died loses nothing.
    """
    at, last = _position(after)
    mine = disclosure.alias()
    place = select(mine.c.place).where(mine.c.id == last, mine.c.recipient == reader.org).scalar_subquery()
    query = (
        select(disclosure.c.id, disclosure.c.offered_at, disclosure.c.handed_over_at)
        .where(
            disclosure.c.recipient == reader.org,
            disclosure.c.offered_at.is_not(None),
            disclosure.c.acknowledged_at.is_(None),
            (disclosure.c.state == State.OFFERED)
            | ((disclosure.c.state == State.DONE) & disclosure.c.handed_over_at.is_not(None)),
            (disclosure.c.offered_at > at)
            | ((disclosure.c.offered_at == at) & (disclosure.c.place > place))
            | ((disclosure.c.offered_at == at) & (disclosure.c.place == place) & (disclosure.c.id > last)),
        )
        .order_by(disclosure.c.offered_at, disclosure.c.place, disclosure.c.id)
        .limit(limit)
    )
    with parts.store.reading() as view:
        rows = view.execute(query).all()
    return [
        {
            "id": row.id,
            # Not the place: it counts what others get about the person.
            "position": f"{microseconds(row.offered_at)}-{row.id}",
            "available_at": row.offered_at.isoformat(),
            "fetched": row.handed_over_at is not None,
        }
        for row in rows
    ]


def _position(text: str | None) -> tuple[datetime, str]:
    if text is None:
        return instant(0), ""
    at, _, last = text.partition("-")
    if not (at.isascii() and at.isdigit() and len(at) <= 16 and last):
        expected = "a position from the list"
        raise HubError("receive.request-invalid", [Finding("after", "position", expected)])
    return instant(int(at)), last
