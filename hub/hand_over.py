"""Understands the second half of a message's way: decide again, fence, hand over, receipt.

    attempt   for recipients whose system the hub calls (webhook); the worker calls it
    fetch     for recipients who come for it (inbox, AMQP); the fetch is the hand-over

Both hold the person's gate from the last decision until the outcome is written, so a withdrawal is
either before the decision, and seen by it, or after the hand-over. This is the only module that
calls what sends, and the only one that issues a SendPermit (an architecture test checks both).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from consent.intake import read as read_consent
from hub import good_until, pipeline, policy, settle
from hub.case import Case, read_case
from hub.errors import HubError
from hub.message import Agency, Labelled, Outcome, Rendered, Step, Verdict
from hub.parts import Parts, work_of
from hub.permit import SendPermit
from hub.queue.port import Done, Later, Settlement, Work
from hub.rows import fingerprint, open_rendering, prove_decision
from hub.shapes import Outgoing
from hub.store import disclosures, links, on_file, people
from hub.store.disclosures import Disclosure, State
from hub.trail import run


def attempt(parts: Parts, work: Work) -> Settlement:
    """Do what one disclosure needs now. Bears to be called twice with the same work."""
    disclosure_id = parts.vault.read_handle(work.ref)
    if disclosure_id is None:
        return Done()  # not from this hub
    with parts.store.reading() as view:
        item = disclosures.load(view, disclosure_id)
        if item is None or not _has_work(item):
            return Done()
        one = links.circle(view, item.person_id).one
    with parts.store.gate(item.person_id):
        try:
            settlement = run(Step.HAND_OVER, _attempt, parts, item.id)
        except HubError as exc:
            if exc.code == "receive.busy":
                raise  # the database is away: nothing was tried, and the queue brings it back
            settlement = _faulted(parts, item.id, exc.code, State.QUEUED)
    _wake_next(parts, item, one)
    return settlement


def _faulted(parts: Parts, disclosure_id: str, code: str, state: State) -> Settlement:
    """Something is wrong on our side (a value without translation, an agreement that is gone). It is
    tried as often as a recipient that does not answer, and then an operator decides. `state`: as it was;
    what was fetched before is handed over already, and stays so."""
    with parts.store.writing() as tx:
        item = disclosures.load(tx, disclosure_id)
        if item is None or item.state is not state:
            return Done()
        return settle.faulted(tx, parts, item, code)


def _attempt(parts: Parts, disclosure_id: str) -> Settlement:
    with parts.store.writing() as tx:
        item = disclosures.load(tx, disclosure_id)
        if item is None or not _has_work(item):
            return Done()
        if not disclosures.is_its_turn(tx, item, links.circle(tx, item.person_id).one):
            return Done()  # what stands before it brings it back when it ends
        case = read_case(tx, parts, item)
        if case is None:
            settle.unreadable(tx, parts, item)
            return Done()
        if _is_over(parts, case):
            settle.over(tx, parts, item)
            return Done()
        rendered = None
        if item.state is State.QUEUED:
            outgoing = decide_again(tx, parts, case)
            if outgoing.rendered is None:
                settle.nothing(tx, parts, case, outgoing)
                return Done()
            if case.route.recipient.door == "webhook":
                case, rendered = settle.intended(tx, parts, case, outgoing), outgoing.rendered
            else:
                settle.offered(tx, parts, case, outgoing)
    # Dying here: the intent and its decision are on record, nothing has left. The sweeper brings
    # the disclosure back when its next attempt is due, and that attempt decides anew.
    if rendered is not None:
        return _push(parts, case, outgoing, rendered)
    return _tell(parts, case)


def _is_over(parts: Parts, case: Case) -> bool:
    """Whether the message is good no longer. What a newer one replaced ends as that."""
    return not case.superseded and good_until.is_over(case.labelled.record, parts.clock())


def _has_work(item: Disclosure) -> bool:
    """Something is to be sent, or the recipient is still to be told that something lies ready."""
    return item.state is State.QUEUED or (item.state is State.OFFERED and item.due_at is not None)


def _push(parts: Parts, case: Case, outgoing: Outgoing, rendered: Rendered) -> Settlement:
    """Send, and write what came of it."""
    permit = SendPermit(case.item.id, case.route.recipient, case.item.attempts)
    try:
        parts.push.send(permit, rendered)
    except HubError as exc:
        with parts.store.writing() as tx:
            if exc.code != "hand-over.unavailable":
                settle.refused(tx, parts, case, exc.code)
                return Done()
            if case.item.attempts > len(parts.ladder):
                settle.gave_up(tx, parts, case)
                return Done()
            settle.failed(tx, parts, case, exc.code)
        return Later(case.item.attempts - 1)
    # Dying here: the recipient has it and we do not know. The same id is sent again after a new
    # decision, and the recipient drops the copy by its id.
    with parts.store.writing() as tx:
        settle.handed_over(tx, parts, case, outgoing, rendered)
    return Done()


def _tell(parts: Parts, case: Case) -> Settlement:
    """Where the recipient has a queue of its own: tell it that something can be fetched."""
    recipient = case.route.recipient
    if recipient.door != "amqp" or parts.notify is None:
        return Done()
    try:
        parts.notify.send(SendPermit(case.item.id, recipient, case.item.attempts + 1))
    except HubError:
        return Later(0)  # it lies in the inbox all the same
    # Dying here, or before: it is still due, so the sweeper brings it back and it is told again.
    with parts.store.writing() as tx:
        settle.told(tx, case)
    return Done()


def fetch(parts: Parts, reader: Agency, disclosure_id: str) -> Rendered:
    """Hand one disclosure to the recipient who asks for it. Each fetch decides again.

    Raises receive.not-found, the same for unknown, for somebody else's, for no longer allowed and for what
    we fail to make: that leaves the inbox and comes back when it can be made. receive.busy: come again.
    """
    with parts.store.reading() as view:
        item = disclosures.load(view, disclosure_id)
    if item is None or not _may_fetch(item, reader):
        raise HubError("receive.not-found")
    with parts.store.gate(item.person_id):
        try:
            rendered = run(Step.HAND_OVER, _fetch, parts, reader, disclosure_id)
        except HubError as exc:
            if exc.code == "receive.busy":
                raise
            # Dying here: it lies in the inbox, and the next fetch meets the fault again.
            _faulted(parts, disclosure_id, exc.code, State.OFFERED)
            raise HubError("receive.not-found") from None
    if rendered is None:
        _wake_next(parts, item, ())
        raise HubError("receive.not-found")
    return rendered


def _fetch(parts: Parts, reader: Agency, disclosure_id: str) -> Rendered | None:
    with parts.store.writing() as tx:
        item = disclosures.load(tx, disclosure_id)
        if item is None or not _may_fetch(item, reader):
            return None
        case = read_case(tx, parts, item)
        if case is None:
            settle.taken_back(tx, item)
            return None
        if _is_over(parts, case):
            if item.handed_over_at is not None:
                settle.taken_back(tx, item)
            else:
                settle.over(tx, parts, item)
            return None
        outgoing = decide_again(tx, parts, case)
        if outgoing.rendered is None:
            if item.handed_over_at is not None:
                settle.taken_back(tx, item)
            else:
                settle.nothing(tx, parts, case, outgoing)
            return None
        case = settle.intended(tx, parts, case, outgoing)
        settle.handed_over(tx, parts, case, outgoing, outgoing.rendered)
        # Dying after this commit: it counts as handed over, and may be fetched again until it is
        # acknowledged.
        return outgoing.rendered


def _may_fetch(item: Disclosure, reader: Agency) -> bool:
    mine = item.recipient == reader.org and reader.door != "webhook"
    fetched = item.state is State.DONE and item.handed_over_at is not None
    return mine and item.acknowledged_at is None and (item.state is State.OFFERED or fetched)


def acknowledge(parts: Parts, reader: Agency, disclosure_id: str) -> None:
    """The recipient has it safely: destroy the key of our copy. Doing it twice is doing it once."""
    with parts.store.reading() as view:
        item = disclosures.load(view, disclosure_id)
    if item is None or item.recipient != reader.org or item.handed_over_at is None:
        raise HubError("receive.not-found")
    # Behind the gate: a fetch under way must not seal a fresh copy after this.
    with parts.store.gate(item.person_id), parts.store.writing() as tx:
        item = disclosures.load(tx, disclosure_id)
        if item is not None and item.acknowledged_at is None:
            settle.acknowledged(tx, parts, item)


def decide_again(tx: Connection, parts: Parts, case: Case) -> Outgoing:
    """The decision that counts, fenced by the person's consent epoch, and its audit leaf.

    The sealed rendering is used when exactly the same may go as when it was made; otherwise it is
    made anew. A later revision that would bring nothing new brings nothing.
    """
    parts = policy.in_effect(tx, parts)
    now, again = parts.clock(), case.item.handed_over_at is not None
    labelled = _only(case.labelled, case.sent) if again else case.labelled
    if case.tried is not None and not again:
        labelled = _only(labelled, case.tried)
    given = on_file.of_person(tx, parts.vault, case.person, read_consent)
    waited = _waited(case.item, now)
    outgoing = pipeline.prepare(parts, case.route, labelled, case.person, given, now, case.said, waited)
    if not people.fence(tx, case.person):
        raise HubError("receive.busy")  # what the person allows changes just now; come again
    permitted = outgoing.decision.paths(Verdict.PERMIT)
    if case.item.revision > 1 and not again and not permitted - case.sent:
        outgoing = Outgoing(outgoing.decision, None, None, outgoing.code)
    if case.item.outcome in settle.FOR_GOOD or not case.told:
        # Withheld for good, or a notice to somebody who has nothing to be told of: decided like all
        # others, for the record and so that the turn looks the same, and never sent.
        outgoing = Outgoing(outgoing.decision, None, None, case.item.code or "decide.not-told")
    if outgoing.rendered and case.item.permitted == fingerprint(parts, case.route, outgoing.decision):
        sealed = disclosures.sealed_rendering(tx, case.item.id)
        if sealed is not None:
            body = open_rendering(parts, case.person, case.item.id, sealed)
            outgoing = replace(outgoing, rendered=replace(outgoing.rendered, body=body))
    prove_decision(tx, parts, case.person, case.route, outgoing, attempt=case.item.attempts + 1)
    return outgoing


def _waited(item: Disclosure, now: datetime) -> timedelta | None:
    """How long it waited until it was released. None when it never waited, or was released before: it is
    on its way then, and not late because its recipient is."""
    if item.outcome not in (Outcome.WAITING, Outcome.HELD) or item.attempts > 0:
        return None
    released = item.offered_at if item.state is State.OFFERED else None
    return (released or now) - item.created_at


def _only(labelled: Labelled, sent: frozenset[str]) -> Labelled:
    """What was handed over before, or may have been, and nothing else: the same id never brings more
    than it did, because a recipient drops the second one unread."""
    return Labelled(labelled.record.only(sent), tuple(i for i in labelled.items if i.path in sent))


def _wake_next(parts: Parts, item: Disclosure, one: Collection[str]) -> None:
    """What waited behind this one may go now."""
    with parts.store.reading() as view:
        now_open = disclosures.load(view, item.id)
        waiting = disclosures.successors(view, item, one)
    if now_open is None or now_open.state in (State.QUEUED, State.PARKED):
        return
    try:
        parts.queue.publish([work_of(parts, ref, item.person_id) for ref in waiting])
    except HubError:
        return  # the sweeper finds them
