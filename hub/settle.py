"""Understands what is written when something came of a disclosure. Every function is one outcome,
inside the caller's transaction, with its audit leaf.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from consent.said import OSLO
from consent.waiting import days
from hub import good_until, policy
from hub.audit.log import Kind
from hub.case import Case
from hub.errors import PROBLEMS
from hub.message import Decision, ItemDecision, Outcome, Rendered, Verdict
from hub.parts import Parts
from hub.queue.port import Done, Later, Settlement, delay
from hub.rows import prove, rendered_hash, rendering, seal_paths, seal_tried
from hub.shapes import Outgoing
from hub.store import disclosures, people
from hub.store.disclosures import Disclosure, State

FOR_GOOD = (Outcome.WITHHELD, Outcome.REJECTED, Outcome.EXPIRED)
"""A disclosure that is still open and has one of these is never sent."""


def next_due(parts: Parts, attempts: int) -> datetime:
    """When the sweeper may bring back what nobody settled: after the delay, and some grace."""
    return parts.clock() + timedelta(seconds=delay(parts.ladder, attempts)) + parts.grace


def intended(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> Case:
    """On record before anything leaves: that we are about to, what it carries and on which consents it
    rests. Until the outcome is written the recipient may have it without our knowing."""
    item = case.item
    attempts, tried = item.attempts + 1, outgoing.decision.paths(Verdict.PERMIT)
    if case.tried is not None:
        tried &= case.tried  # of several attempts, nobody knows which one the recipient kept
    rests_on = _consents(outgoing.decision) | set((item.consents or "").split())
    since, consents = item.uncertain_at or parts.clock(), " ".join(sorted(rests_on))
    disclosures.move(
        tx,
        item,
        item.state,
        attempts=attempts,
        due_at=next_due(parts, attempts - 1),
        uncertain_at=since,
        consents=consents,
        **seal_tried(parts, case.person, item.id, tried),
        **rendering(parts, case.person, case.route, outgoing),
    )
    now = replace(item, attempts=attempts, uncertain_at=since, consents=consents)
    return replace(case, item=now)


def offered(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> None:
    """It lies in the recipient's inbox, after everything that lay there before."""
    parts.store.alone(tx, f"inbox {case.item.recipient}")
    disclosures.move(
        tx,
        case.item,
        State.OFFERED,
        code=None,
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


def handed_over(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing, rendered: Rendered) -> None:
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
        uncertain_at=None,
        **_our_copy(parts, case, outgoing),
    )
    _leave_rest(tx, parts, case, outgoing)


def nothing(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> None:
    """Nothing may go, or nothing that has not gone. It stays, sealed, for the time its rows allow:
    what a consent or a reader may release, and what is final just as long, so that the next change of
    a consent makes the same traffic whatever was withheld (docs/decisions/0005)."""
    if case.superseded:
        superseded(tx, case.item)
        return
    outcome, code = _what_rests(outgoing, case.sent)
    if case.item.outcome in FOR_GOOD:
        outcome, code = Outcome(case.item.outcome), case.item.code
    elif outcome is None and case.item.revision == 1:
        outcome, code = Outcome.WITHHELD, outgoing.code
    disclosures.move(
        tx,
        case.item,
        State.WAITING,
        outcome=outcome,
        code=code,
        due_at=_waits_until(tx, parts, case),
        **disclosures.NO_RENDERING,
    )


def superseded(tx: Connection, item: Disclosure) -> None:
    """A newer message says all that this does: what has not gone never will."""
    disclosures.move(
        tx,
        item,
        State.DONE,
        outcome=Outcome.WITHHELD,
        code="route.superseded",
        due_at=None,
        **disclosures.NO_SENT,
        **disclosures.NO_RENDERING,
    )


def over(tx: Connection, parts: Parts, item: Disclosure) -> None:
    """Its time is out: what nobody allowed within the days of its rows, or what its message was good for.
    The keys are destroyed, and it is on record."""
    disclosures.move(
        tx,
        item,
        State.DONE,
        **_ended_as(item),
        due_at=None,
        sent=None,
        sent_key=None,
        **disclosures.NO_RENDERING,
    )
    person = people.load(tx, item.person_id)
    if person.key is not None:  # about somebody forgotten nothing can be written any more
        what = {"expired": True, "recipient": item.recipient}
        prove(tx, parts, person, Kind.RECEIPT, what, disclosure=item.id)
    # Dying here: it has not ended, and its rendering is there still. Whoever takes it up next, worker, reader
    # or sweeper, ends it.


def _ended_as(item: Disclosure) -> dict[str, str | None]:
    """What was withheld for good, or had nothing left to give, ends as it stood."""
    first = item.revision == 1 and item.outcome is None  # on its way, or in the inbox
    if first or item.outcome in (Outcome.HELD, Outcome.WAITING):
        return {"outcome": Outcome.EXPIRED, "code": "hand-over.expired"}
    return {"outcome": item.outcome, "code": item.code}


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
    """The recipient's system said no; sending the same again would not change that. If an earlier
    attempt may have arrived, this does not unsay it."""
    disclosures.move(
        tx,
        case.item,
        State.DONE,
        outcome=Outcome.REJECTED,
        code=code,
        due_at=None,
        uncertain_at=None if case.tried is None else case.item.uncertain_at,
        **disclosures.NO_SENT,
        **disclosures.NO_RENDERING,
    )
    what = {"receipt": code, "recipient": case.item.recipient, "attempt": case.item.attempts}
    prove(tx, parts, case.person, Kind.RECEIPT, what, disclosure=case.item.id)


def faulted(tx: Connection, parts: Parts, item: Disclosure, code: str) -> Settlement:
    """A fault of our own, counted like an attempt: later, or parked when there were enough. What lay in the
    inbox is no longer there, until it is offered anew."""
    attempts = item.attempts + 1
    if attempts > len(parts.ladder):
        disclosures.move(tx, item, State.PARKED, attempts=attempts, code=code, due_at=None)
        return Done()
    due_at = next_due(parts, attempts - 1)
    disclosures.move(tx, item, State.QUEUED, attempts=attempts, code=code, due_at=due_at)
    return Later(attempts - 1)


def gave_up(tx: Connection, parts: Parts, case: Case) -> None:
    """All attempts failed. An operator decides; what comes after it for the person waits."""
    disclosures.move(tx, case.item, State.PARKED, code="hand-over.gave-up", due_at=None)


def _our_copy(parts: Parts, case: Case, outgoing: Outgoing) -> dict[str, Any]:
    """Kept for who comes for it until it is acknowledged, with what was in it. Whom we call has it."""
    if case.route.recipient.door == "webhook":
        return disclosures.NO_SENT | disclosures.NO_RENDERING
    paths = outgoing.decision.paths(Verdict.PERMIT)
    return seal_paths(parts, case.person, case.item.id, paths) | disclosures.NO_TRIED


def _is_to_be_told(parts: Parts, case: Case) -> bool:
    return case.route.recipient.door == "amqp" and parts.notify is not None


def _leave_rest(tx: Connection, parts: Parts, case: Case, outgoing: Outgoing) -> None:
    """The next revision, waiting for what may be permitted later. There is always one, also after
    everything went: that somebody still waits for something must not show (docs/decisions/0005).

    After an attempt of unknown outcome it takes its turn at once: this id carried no more than that
    attempt did, and by now more may be allowed.
    """
    item = case.item
    if case.superseded:
        return
    again = case.tried is not None
    disclosure_id = parts.new_id()
    sent = case.sent | outgoing.decision.paths(Verdict.PERMIT)
    outcome, code = _what_rests(outgoing, sent)
    one = case.person.one
    parts.store.alone(tx, disclosures.order_of(one))
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
                "place": disclosures.next_place(tx, one),
                "state": State.QUEUED if again else State.WAITING,
                "outcome": outcome,
                "code": code,
                "created_at": item.created_at,
                "due_at": parts.clock() if again else _waits_until(tx, parts, case),
                **seal_paths(parts, case.person, disclosure_id, sent),
            }
        ],
    )


def _waits_until(tx: Connection, parts: Parts, case: Case) -> datetime:
    """As long as the rows in effect allow on this way, and the agreement says; never longer than the message
    is good."""
    route, day = case.route, parts.clock().astimezone(OSLO).date()
    pack = policy.in_effect(tx, parts).pack
    rows = pack.between(route.sender.sector, route.recipient.sector, route.agreement.purpose)
    allowed = case.item.created_at + timedelta(days=days(rows, route.agreement.wait_days, day=day))
    return min(allowed, good_until.good_until(case.labelled.record) or allowed)


def _what_rests(outgoing: Outgoing, sent: frozenset[str]) -> tuple[Outcome | None, str | None]:
    """How what was never sent stands: held for a reader, waiting for the person, expired, returned to its
    sender, withheld for good, or nothing left. Without its envelope nothing can ever go, so a final no to
    that is a no to all."""
    left = [i for i in outgoing.decision.items if i.verdict is not Verdict.PERMIT and i.path not in sent]
    final = [i for i in left if _is_final(i)]
    if barred := [i for i in final if _is_envelope(i)]:
        return Outcome.WITHHELD, barred[0].reason
    if held := [i for i in left if i.verdict is Verdict.HOLD]:
        return Outcome.HELD, held[0].reason
    if waiting := [i for i in left if not _is_final(i)]:
        return Outcome.WAITING, waiting[0].reason
    if any(i.reason == "decide.waited-out" for i in final):
        return Outcome.EXPIRED, "hand-over.expired"
    if any(i.reason == "decide.returned" for i in final):
        return Outcome.REJECTED, "decide.returned"
    return (Outcome.WITHHELD, final[0].reason) if final else (None, None)


def _is_final(item: ItemDecision) -> bool:
    return item.verdict is Verdict.DENY and not PROBLEMS[item.reason].waiting_helps


def _is_envelope(item: ItemDecision) -> bool:
    return item.path.startswith(("envelope.", "person."))


def _consents(decision: Decision) -> set[str]:
    """Ids of the consents that the permitted items rest on."""
    return {
        ref.partition("/")[0]
        for item in decision.items
        if item.verdict is Verdict.PERMIT
        for ref in item.consents
    }
