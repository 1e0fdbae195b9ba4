"""Understands what a sender may know of its own message.

Text that a reader sent back is named by its fields, so that the sender can write it anew; a control role
learns of it only where that tells nothing of what the person said (`hub/holds.py` decides it once, then).

A control role (prison, probation, court, prosecution) sees positive facts only: delivered, answered,
an answer overdue. Refused, withheld, waiting and not yet sent look the same to it, `accepted`, and
agreements that can carry substance-use information are not shown to it at all.

An answer is there for its asker, of whatever sector, from when it was handed over to it: one that was
withheld looks like one that never came. What went to somebody because of an answer (`because_of`) is there
for who got all of that answer, and never for a control role.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.case import read_book
from hub.errors import PROBLEMS, HubError
from hub.message import CONTROL_SECTORS, Agency, Item, Outcome
from hub.parts import Parts
from hub.store import disclosures, messages, people
from hub.store.disclosures import Disclosure, State
from hub.store.messages import Told

# Not among them is decide.person-unidentified: a described patient has it whatever anybody consented to,
# until two at the identity desk have said whose number it is. It tells the sender about its own message,
# and that a number would help. A final stop (deceased, a graded address) is told before it, as of anybody.
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
        first = [item for item in items if item.revision == 1 or item.recipient == ""]
        shown = [item for item in first if _shown(view, parts, reader, item)]
        returned = {item.id: _returned(view, parts, item) for item in shown}
        told = {item.id: _told(view, parts, reader, _of_flow(items, item)) for item in shown}
    return {
        "id": stored.id,
        "type": stored.type,
        "received_at": stored.received_at.isoformat(),
        "state": "superseded" if stored.superseded else "accepted",
        "recipients": [
            _recipient(parts, reader, item, _of_flow(items, item), told[item.id])
            | {"returned": returned[item.id]}
            for item in shown
        ],
    }


def _returned(view: Connection, parts: Parts, item: Disclosure) -> dict[str, Any] | None:
    person = people.load(view, item.person_id)
    told = read_book(view, parts, person, item).told if person.key is not None else frozenset()
    fields = sorted({Item(path, frozenset(), frozenset()).field for path in told})
    return {"code": "decide.returned", "fields": fields} if fields else None


def _of_flow(items: list[Disclosure], first: Disclosure) -> list[Disclosure]:
    flow = (first.agreement, first.recipient)
    return [item for item in items if (item.agreement, item.recipient) == flow]


def _shown(view: Connection, parts: Parts, reader: Agency, item: Disclosure) -> bool:
    """Some flows no sender sees anything of: that they exist depends on what others planned."""
    agreement = parts.find_agreement(item.agreement)
    return agreement is not None and agreement.sender_sees and may_know(view, reader, item.because_of)


def may_know(view: Connection, reader: Agency, because_of: str | None) -> bool:
    """Whether a reader may know of what would not have been planned without that answer. A control role
    may not: whether the answer itself reached it depends on what the person allows."""
    if because_of is None:
        return True
    return reader.sector not in CONTROL_SECTORS and messages.was_told_whole(view, because_of, reader.org)


def _told(view: Connection, parts: Parts, reader: Agency, revisions: list[Disclosure]) -> list[Told]:
    """What the reader was handed of the answers that are expected from one recipient."""
    agreement = parts.find_agreement(revisions[0].agreement)
    if agreement is None or agreement.expects is None:
        return []
    return messages.answers_told(view, {item.id for item in revisions}, agreement.expects.type, reader.org)


def expected(due: datetime | None, told: Sequence[Told]) -> tuple[datetime | None, datetime | None]:
    """When the reader got the answer, and until when it may wait for one, after what it was handed: `due` is
    what the agreement says. An answer that promises another moves that day and is not yet the answer."""
    answered = min((one.at for one in told if one.owes_at is None), default=None)
    promised = max((one.owes_at for one in told if one.owes_at is not None), default=due)
    return answered, promised


def _recipient(
    parts: Parts, reader: Agency, first: Disclosure, revisions: list[Disclosure], told: list[Told]
) -> dict[str, Any]:
    """What the reader sees of one recipient. A control role sees the first delivery only: that more
    was released later would tell that a consent was widened."""
    agency = parts.agency(first.recipient)
    nobody = first.recipient == ""  # depends on the directory only, so everybody may see it
    neutral = reader.sector in CONTROL_SECTORS and not nobody
    sent = [item for item in revisions if item.handed_over_at is not None]
    item = first if neutral or not sent else sent[-1]
    answered, due = expected(item.answer_due_at, told)
    return {
        "agreement": first.agreement,
        "org": first.recipient,
        "name": agency.name if agency else "",
        "state": _neutral_word(item) if neutral else _word(item),
        "code": None if neutral else shown_code(item.code),
        "delivered_at": _iso(item.handed_over_at),
        "acknowledged_at": _iso(item.acknowledged_at),
        "answer_due_at": _iso(due),
        "answered_at": _iso(answered),
        "overdue": answered is None and due is not None and due < parts.clock(),
    }


def is_ours(code: str | None) -> bool:
    """Whether the code says that the hub failed to make what may go: operations see it, no sender does."""
    return code is not None and (code == "hub.internal" or code.startswith(("translate.", "render.")))


def shown_code(code: str | None) -> str | None:
    """Of what the person has said nobody outside learns more than that it does not allow this, and
    whether it may later: not that a consent ran out, that two documents disagree, or who else is in
    the text. A fault of ours tells no sender anything: it is met only where something may go."""
    if is_ours(code):
        return None
    if code in _OF_THE_PERSON:
        return "decide.no-consent" if PROBLEMS[code].waiting_helps else "decide.refused"
    return "decide.free-text-unread" if code == "decide.free-text-hit" else code


def _neutral_word(item: Disclosure) -> str:
    return "delivered" if item.handed_over_at is not None else "accepted"


def _word(item: Disclosure) -> str:
    if item.outcome is not None:
        return item.outcome
    return Outcome.WITHHELD if item.state is State.DONE else "accepted"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
