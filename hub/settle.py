"""Understands what is written when something came of a disclosure. Every function is one outcome,
inside the caller's transaction, with its audit leaf.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.audit.log import Kind
from hub.case import Case
from hub.errors import PROBLEMS
from hub.message import Decision, ItemDecision, Outcome, Rendered, Verdict
from hub.parts import Parts
from hub.queue.port import delay
from hub.rows import prove, rendered_hash, rendering, seal_paths
from hub.shapes import Outgoing
from hub.store import disclosures, people
from hub.store.disclosures import Disclosure, State


def next_due(parts: Parts, attempts: int) -> datetime:
    """When the sweeper may bring back what nobody settled: after the delay, and some grace."""
    return parts.clock() + timedelta(seconds=delay(parts.ladder, attempts)) + parts.grace


def intended(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> Case:
    """On record before anything leaves: that we are about to."""
    item = case.item
    attempts = item.attempts + 1
    disclosures.move(
        tx,
        item,
        item.state,
        attempts=attempts,
        due_at=next_due(parts, attempts - 1),
        **rendering(parts, case.person, case.route, outgoing),
    )
    return replace(case, item=replace(item, attempts=attempts))


def offered(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> None:
    """It lies in the recipient's inbox."""
    disclosures.move(
        tx,
        case.item,
        State.OFFERED,
        offered_at=parts.clock(),
        due_at=next_due(parts, 0) if _is_to_be_told(parts, case) else None,
        **rendering(parts, case.person, case.route, outgoing),
    )


def told(tx: Connection, case: Case) -> None:
    """The recipient knows that something lies in its inbox."""
    disclosures.note(tx, case.item.id, due_at=None)


def taken_back(tx: Connection, item: Disclosure) -> None:
    """It was fetched and not acknowledged, and may not be fetched again. It stays handed over."""
    disclosures.note(tx, item.id, offered_at=None, **disclosures.NO_SENT, **disclosures.NO_RENDERING)


def acknowledged(tx: Connection, parts: Parts, item: Disclosure) -> None:
    """The recipient has it safely: our copy goes."""
    gone = disclosures.NO_SENT | disclosures.NO_RENDERING
    disclosures.note(tx, item.id, acknowledged_at=parts.clock(), **gone)
    person = people.load(tx, item.person_id)
    what = {"receipt": "acknowledged", "recipient": item.recipient}
    prove(tx, parts, person, Kind.RECEIPT, what, disclosure=item.id)


def handed_over(
    tx: Connection, parts: Parts, case: Case, outgoing: Outgoing, rendered: Rendered
) -> None:
    """The recipient has it: outcome, what rests, the answer to expect, and the proof."""
    now, item, agreement = parts.clock(), case.item, case.route.agreement
    what = {
        "attempt": item.attempts,
        "recipient": item.recipient,
        "content": rendered_hash(parts, rendered),
    }
    prove(tx, parts, case.person, Kind.HAND_OVER, what, disclosure=item.id)
    if item.handed_over_at is not None:
        return  # fetched again before it was acknowledged
    whole = all(i.verdict is Verdict.PERMIT for i in outgoing.decision.items)
    expects = agreement.expects
    disclosures.move(
        tx,
        item,
        State.DONE,
        outcome=Outcome.DELIVERED if whole else Outcome.REDUCED,
        code=None,
        due_at=None,
        handed_over_at=now,
        answer_due_at=now + timedelta(days=expects.within_days) if expects else None,
        consents=" ".join(sorted(_consents(outgoing.decision))),
        **_our_copy(parts, case, outgoing),
    )
    _leave_rest(tx, parts, case, outgoing)


def nothing(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> None:
    """Nothing may go. What time or the person can change waits, sealed; the rest is final."""
    rest = _open_reasons(outgoing)
    if rest:
        disclosures.move(
            tx,
            case.item,
            State.WAITING,
            outcome=_waiting_as(rest),
            code=rest[0].reason,
            due_at=case.item.created_at + timedelta(days=case.route.agreement.wait_days),
            **disclosures.NO_RENDERING,
        )
        return
    reasons = outgoing.decision.reasons(Verdict.DENY)
    disclosures.move(
        tx,
        case.item,
        State.DONE,
        outcome=Outcome.WITHHELD,
        code=outgoing.code or (reasons[0] if reasons else "decide.no-row"),
        due_at=None,
        **disclosures.NO_RENDERING,
    )


def unreadable(tx: Connection, parts: Parts, item: Disclosure) -> None:
    """The key is destroyed or a party is gone: it can never be sent."""
    disclosures.move(
        tx,
        item,
        State.DONE,
        outcome=Outcome.EXPIRED,
        code="seal.key-destroyed",
        due_at=None,
        **disclosures.NO_RENDERING,
    )


def failed(tx: Connection, parts: Parts, case: Case, code: str) -> None:
    """Not now; the queue brings it back."""
    disclosures.move(tx, case.item, State.QUEUED, code=code)


def refused(tx: Connection, parts: Parts, case: Case, code: str) -> None:
    """The recipient's system said no; sending the same again would not change that."""
    disclosures.move(
        tx,
        case.item,
        State.DONE,
        outcome=Outcome.REJECTED,
        code=code,
        due_at=None,
        **disclosures.NO_RENDERING,
    )
    what = {"receipt": code, "recipient": case.item.recipient, "attempt": case.item.attempts}
    prove(tx, parts, case.person, Kind.RECEIPT, what, disclosure=case.item.id)


def gave_up(tx: Connection, parts: Parts, case: Case) -> None:
    """All attempts failed. An operator decides; what comes after it for the person waits."""
    disclosures.move(tx, case.item, State.PARKED, code="hand-over.gave-up", due_at=None)


def _our_copy(parts: Parts, case: Case, outgoing: Outgoing) -> dict[str, Any]:
    """Kept for who comes for it until it is acknowledged, with what was in it. Whom we call has it."""
    if case.route.recipient.door == "webhook":
        return disclosures.NO_SENT | disclosures.NO_RENDERING
    paths = outgoing.decision.paths(Verdict.PERMIT)
    return seal_paths(parts, case.person, case.item.id, paths)


def _is_to_be_told(parts: Parts, case: Case) -> bool:
    return case.route.recipient.door == "amqp" and parts.notify is not None


def _leave_rest(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> None:
    """What was not permitted now, but may be later, becomes the next revision, waiting."""
    rest = _open_reasons(outgoing)
    if not rest:
        return
    item = case.item
    disclosure_id = parts.new_id()
    sent = case.sent | outgoing.decision.paths(Verdict.PERMIT)
    parts.store.alone(tx, f"place {item.person_id}")
    disclosures.add(
        tx,
        [
            {
                "id": disclosure_id,
                "message_id": item.message_id,
                "person_id": item.person_id,
                "agreement": item.agreement,
                "recipient": item.recipient,
                "revision": item.revision + 1,
                "place": disclosures.next_place(tx, item.person_id),
                "state": State.WAITING,
                "outcome": _waiting_as(rest),
                "code": rest[0].reason,
                "created_at": item.created_at,
                "due_at": item.created_at + timedelta(days=case.route.agreement.wait_days),
                **seal_paths(parts, case.person, disclosure_id, sent),
            }
        ],
    )


def _open_reasons(outgoing: Outgoing) -> list[ItemDecision]:
    """Items that a consent or a reader could still release; none if the envelope itself is refused
    for good, because without it nothing can ever go."""
    refused = [i for i in outgoing.decision.items if i.verdict is not Verdict.PERMIT]
    for item in refused:
        if _is_envelope(item) and not PROBLEMS[item.reason].waiting_helps:
            return []
    return sorted(
        (i for i in refused if i.verdict is Verdict.HOLD or PROBLEMS[i.reason].waiting_helps),
        key=lambda i: i.verdict is not Verdict.HOLD,
    )


def _is_envelope(item: ItemDecision) -> bool:
    return item.path.startswith(("envelope.", "person."))


def _waiting_as(rest: list[ItemDecision]) -> Outcome:
    return Outcome.HELD if rest[0].verdict is Verdict.HOLD else Outcome.WAITING


def _consents(decision: Decision) -> set[str]:
    """Ids of the consents that the permitted items rest on."""
    return {
        ref.partition("/")[0]
        for item in decision.items
        if item.verdict is Verdict.PERMIT
        for ref in item.consents
    }
