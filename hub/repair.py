"""Understands what an operator may do about a disclosure whose attempts have all failed: let it be
tried again, or end it.

Both happen behind the person's gate, by compare-and-set, and leave an audit leaf in the same
transaction. An operator never hands anything over: the next attempt decides anew, as every attempt
does. What the operator writes as the reason is sealed; it can hold anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.message import Outcome
from hub.parts import Parts, work_of
from hub.rows import prove
from hub.store import disclosures, people
from hub.store.disclosures import Disclosure, State

_LONGEST = 500


def retry(parts: Parts, disclosure_id: str, *, operator: str, reason: str) -> None:
    """PARKED to QUEUED, for one more attempt. Attempts are counted on, so that each has its own
    number in the audit log: if this one fails too, the disclosure is parked again.

    Raises hub.no-such-id, hub.repair-refused, receive.busy; nothing has changed then.
    """
    said = _said(operator, reason)
    item = _find(parts, disclosure_id)
    with parts.store.gate(item.person_id), parts.store.writing() as tx:
        item = _parked(tx, disclosure_id)
        disclosures.move(tx, item, State.QUEUED, due_at=parts.clock())
        _prove(tx, parts, item, "retry", said)
    # Dying here: it is due, and the sweeper enqueues what is due.
    _enqueue(parts, item, [item.id])


def drop(parts: Parts, disclosure_id: str, *, operator: str, reason: str) -> None:
    """PARKED to DONE, rejected, its rendering destroyed. What waited behind it may go now.

    Raises hub.no-such-id, hub.repair-refused, receive.busy; nothing has changed then.
    """
    said = _said(operator, reason)
    item = _find(parts, disclosure_id)
    with parts.store.gate(item.person_id), parts.store.writing() as tx:
        item = _parked(tx, disclosure_id)
        disclosures.move(
            tx,
            item,
            State.DONE,
            outcome=Outcome.REJECTED,
            code="hand-over.dropped",
            due_at=None,
            sent=None,
            sent_key=None,
            **disclosures.NO_RENDERING,
        )
        _prove(tx, parts, item, "drop", said)
        behind = disclosures.successors(tx, item)
    # Dying here: what waited behind it is due, and the sweeper enqueues what is due.
    _enqueue(parts, item, behind)


def _said(operator: str, reason: str) -> dict[str, str]:
    findings = [
        Finding(at=name, rule="text", expected=f"1 to {_LONGEST} printable characters")
        for name, text in (("operator", operator), ("reason", reason))
        if not text.strip() or not text.isprintable() or len(text) > _LONGEST
    ]
    if findings:
        raise HubError("hub.repair-refused", findings)
    return {"operator": operator, "reason": reason}


def _find(parts: Parts, disclosure_id: str) -> Disclosure:
    with parts.store.reading() as view:
        item = disclosures.load(view, disclosure_id)
    if item is None:
        raise HubError("hub.no-such-id", [Finding("id", "unknown", "the id of a disclosure")])
    return item


def _parked(tx: Connection, disclosure_id: str) -> Disclosure:
    """As it is now that we are alone with it."""
    item = disclosures.load(tx, disclosure_id)
    if item is None or item.state is not State.PARKED:
        raise HubError("hub.repair-refused", [Finding("disclosure", "state", "a parked disclosure")])
    return item


def _prove(tx: Connection, parts: Parts, item: Disclosure, action: str, said: dict[str, str]) -> None:
    what = {**said, "action": action, "code": item.code or "", "recipient": item.recipient}
    prove(tx, parts, people.load(tx, item.person_id), Kind.OPERATOR, what, disclosure=item.id)


def _enqueue(parts: Parts, item: Disclosure, refs: Sequence[str]) -> None:
    """Tell the broker; when it is away, the sweeper does later."""
    try:
        parts.queue.publish([work_of(parts, ref, item.person_id) for ref in refs])
    except HubError as exc:
        if exc.code != "enqueue.unavailable":
            raise
