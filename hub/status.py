"""Understands what a sender may know of its own message.

A control role (prison, probation, court, prosecution) sees positive facts only: delivered, answered,
an answer overdue. Refused, withheld, waiting and not yet sent look the same to it, `accepted`, and
agreements that can carry substance-use information are not shown to it at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.errors import HubError
from hub.message import CONTROL_SECTORS, Agency, Outcome
from hub.parts import Parts
from hub.store import disclosures, messages
from hub.store.disclosures import Disclosure, State


def of_message(parts: Parts, reader: Agency, message_id: str) -> dict[str, Any]:
    """Where the reader's own message stands, or receive.not-found for anybody else's."""
    with parts.store.reading() as view:
        stored = messages.load(view, message_id)
        if stored is None or stored.sender != reader.org:
            raise HubError("receive.not-found")
        items = disclosures.of_message(view, message_id)
    shown = [item for item in items if item.revision == 1 and _shown(parts, reader, item)]
    later = {_flow(i): i for i in items if i.revision > 1 and i.handed_over_at is not None}
    return {
        "id": stored.id,
        "type": stored.type,
        "received_at": stored.received_at.isoformat(),
        "state": "superseded" if stored.superseded else "accepted",
        "recipients": [_recipient(parts, reader, later.get(_flow(item), item)) for item in shown],
    }


def _flow(item: Disclosure) -> tuple[str, str]:
    return item.agreement, item.recipient


def _shown(parts: Parts, reader: Agency, item: Disclosure) -> bool:
    return parts.agreement(item.agreement).sender_sees or reader.sector not in CONTROL_SECTORS


def _recipient(parts: Parts, reader: Agency, item: Disclosure) -> dict[str, Any]:
    agency = parts.agency(item.recipient)
    nobody = item.recipient == ""  # depends on the directory only, so everybody may see it
    neutral = reader.sector in CONTROL_SECTORS and not nobody
    return {
        "agreement": item.agreement,
        "org": item.recipient,
        "name": agency.name if agency else "",
        "state": _neutral_word(item) if neutral else _word(item),
        "code": None if neutral else item.code,
        "delivered_at": _iso(item.handed_over_at),
        "acknowledged_at": _iso(item.acknowledged_at),
        "answer_due_at": _iso(item.answer_due_at),
        "answered_at": _iso(item.answered_at),
        "overdue": is_overdue(item, parts.clock()),
    }


def is_overdue(item: Disclosure, now: datetime) -> bool:
    """An answer was expected, its time is out, and none has come (receipt.overdue)."""
    return item.answer_due_at is not None and item.answered_at is None and item.answer_due_at < now


def _neutral_word(item: Disclosure) -> str:
    return "delivered" if item.handed_over_at is not None else "accepted"


def _word(item: Disclosure) -> str:
    if item.outcome is not None:
        return item.outcome
    return Outcome.WITHHELD if item.state is State.DONE else "accepted"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
