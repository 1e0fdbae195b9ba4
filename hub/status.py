"""Understands what a sender may know of its own message.

Text that a reader sent back is named by its fields, so that the sender can write it anew; a control role
learns of it only where that tells nothing of what the person said (`hub/holds.py` decides it once, then).

A control role (prison, probation, court, prosecution) sees positive facts only: delivered, answered,
an answer overdue. Refused, withheld, waiting and not yet sent look the same to it, `accepted`, and
agreements that can carry substance-use information are not shown to it at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.case import read_book
from hub.errors import PROBLEMS, HubError
from hub.message import CONTROL_SECTORS, Agency, Item, Outcome
from hub.parts import Parts
from hub.store import disclosures, messages, people
from hub.store.disclosures import Disclosure, State

_OF_THE_PERSON = frozenset(
    {
        "decide.expired",
        "decide.not-yet",
        "decide.not-active",
        "decide.form-missing",
        "decide.grantor",
        "decide.text-not-approved",
        "decide.exception",
        "decide.conflict",
        "decide.other-person",
        "decide.override-refused",
        "decide.register-unavailable",
        "decide.unreadable",
        "decide.waited-out",
        "decide.no-consent",
        "decide.consent-mismatch",
        "decide.refused",
        "decide.withdrawn",
        "decide.objection",
    }
)


def of_message(parts: Parts, reader: Agency, message_id: str) -> dict[str, Any]:
    """Where the reader's own message stands, or receive.not-found for anybody else's."""
    with parts.store.reading() as view:
        stored = messages.load(view, message_id)
        if stored is None or stored.sender != reader.org:
            raise HubError("receive.not-found")
        items = disclosures.of_message(view, message_id)
        shown = [item for item in items if item.revision == 1 and _shown(parts, item)]
        returned = {item.id: _returned(view, parts, item) for item in shown}
    return {
        "id": stored.id,
        "type": stored.type,
        "received_at": stored.received_at.isoformat(),
        "state": "superseded" if stored.superseded else "accepted",
        "recipients": [
            _recipient(parts, reader, item, [i for i in items if _flow(i) == _flow(item)])
            | {"returned": returned[item.id]}
            for item in shown
        ],
    }


def _returned(view: Connection, parts: Parts, item: Disclosure) -> dict[str, Any] | None:
    person = people.load(view, item.person_id)
    told = read_book(view, parts, person, item).told if person.key is not None else frozenset()
    fields = sorted({Item(path, frozenset(), frozenset()).field for path in told})
    return {"code": "decide.returned", "fields": fields} if fields else None


def _flow(item: Disclosure) -> tuple[str, str]:
    return item.agreement, item.recipient


def _shown(parts: Parts, item: Disclosure) -> bool:
    """Some flows no sender sees anything of: that they exist depends on what others planned."""
    agreement = parts.find_agreement(item.agreement)
    return agreement is not None and agreement.sender_sees


def _recipient(
    parts: Parts, reader: Agency, first: Disclosure, revisions: list[Disclosure]
) -> dict[str, Any]:
    """What the reader sees of one recipient. A control role sees the first delivery only: that more
    was released later would tell that a consent was widened."""
    agency = parts.agency(first.recipient)
    nobody = first.recipient == ""  # depends on the directory only, so everybody may see it
    neutral = reader.sector in CONTROL_SECTORS and not nobody
    sent = [item for item in revisions if item.handed_over_at is not None]
    item = first if neutral or not sent else sent[-1]
    answered = min((i.answered_at for i in revisions if i.answered_at is not None), default=None)
    return {
        "agreement": first.agreement,
        "org": first.recipient,
        "name": agency.name if agency else "",
        "state": _neutral_word(item) if neutral else _word(item),
        "code": None if neutral else shown_code(item.code),
        "delivered_at": _iso(item.handed_over_at),
        "acknowledged_at": _iso(item.acknowledged_at),
        "answer_due_at": _iso(item.answer_due_at),
        "answered_at": _iso(answered),
        "overdue": answered is None and is_overdue(item, parts.clock()),
    }


def shown_code(code: str | None) -> str | None:
    """Of what the person has said nobody outside learns more than that it does not allow this, and
    whether it may later: not that a consent ran out, that two documents disagree, or who else is in
    the text."""
    if code in _OF_THE_PERSON:
        return "decide.no-consent" if PROBLEMS[code].waiting_helps else "decide.refused"
    return "decide.free-text-unread" if code == "decide.free-text-hit" else code


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
