"""Understands until when a message is good, if its type can say so: after that nobody acts on it.

It knows no clock and no store.
"""

from __future__ import annotations

from datetime import datetime

from hub.errors import HubError
from hub.message import Record

FIELD = "gyldig_til"


def good_until(record: Record) -> datetime | None:
    """The moment, with its offset; None when the message does not say."""
    said = record.get(FIELD)
    return None if said is None else datetime.fromisoformat(str(said))


def is_over(record: Record, at: datetime) -> bool:
    """Whether the message's time is out at that moment."""
    until = good_until(record)
    return until is not None and until <= at


def check(record: Record, at: datetime) -> None:
    """Raises receive.expired when the message's time is out at that moment."""
    if is_over(record, at):
        raise HubError("receive.expired")
