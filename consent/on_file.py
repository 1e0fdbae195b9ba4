"""Understands what is on file beside consents: which requests call on a row, and what the recipient is to
the person, in force at one moment and as the hub knew it then.

Pure, like the decision it serves. Both open a way, so doubt narrows them: what is not said, cannot be
read or has a newer version opens nothing. It must not know consents, stores or messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from consent.rows import Effect, Relation, Row
from consent.said import OSLO
from hub.message import Agency, Purpose, RegisteredGp, Request


def standing(requests: Iterable[Request], *, at: datetime, known_at: datetime) -> list[Request]:
    """The requests in force `at`, as the hub knew them `known_at` (both aware): of each series the newest
    version that was known, if it had begun, not run out and not been ended."""
    newest: dict[str, Request] = {}
    for request in requests:
        if request.recorded_at <= known_at:
            known = newest.get(request.series)
            if known is None or known.version < request.version:
                newest[request.series] = request
    return [request for request in newest.values() if state(request, at, known_at) == "in-force"]


def state(request: Request, at: datetime, known_at: datetime) -> str:
    """unreadable, ended, not-yet, expired or in-force, of one version by itself."""
    if not request.readable:
        return "unreadable"
    if request.ended_at is not None and request.ended_at <= min(at, known_at):
        return "ended"
    day = at.astimezone(OSLO).date()
    if day < request.valid_from:
        return "not-yet"
    return "expired" if request.valid_to < day else "in-force"


def calling_on(
    requests: Iterable[Request],
    rows: Sequence[Row],
    sender: Agency,
    recipient: Agency,
    purpose: Purpose,
    data_date: date | None,
    *,
    at: datetime,
    known_at: datetime,
) -> dict[str, tuple[str, ...]]:
    """Id of each DUTY_ON_REQUEST row -> ids of the recipient's requests to this sender that call on it.

    `data_date` is when the information is from; a request for a period asks for nothing of unknown date.
    """
    found: dict[str, list[str]] = {}
    for request in standing(requests, at=at, known_at=known_at):
        if (
            (request.asked_by, request.asked_of, request.purpose)
            != (recipient.org, sender.org, purpose.value)
            or not recipient.org
            or not _asks_for(request, data_date)
        ):
            continue
        for row_id in {r.id for r in rows if r.effect is Effect.DUTY_ON_REQUEST and r.flow == request.flow}:
            found.setdefault(row_id, []).append(request.id)
    return {row_id: tuple(sorted(ids)) for row_id, ids in found.items()}


def _asks_for(request: Request, data_date: date | None) -> bool:
    if request.data_from is None and request.data_to is None:
        return True
    if data_date is None:
        return False
    return (request.data_from or date.min) <= data_date <= (request.data_to or date.max)


def registered_gp(records: Iterable[RegisteredGp], *, at: datetime, known_at: datetime) -> str | None:
    """Organisation number of the person's registered GP `at`, as the hub knew it `known_at` (both aware).

    Of the records that speak of the day the one that came last counts. None: nobody's patient, unknown,
    two records of one moment that disagree, or the last one cannot be read.
    """
    day = at.astimezone(OSLO).date()
    speaking = [
        record
        for record in records
        if record.recorded_at <= known_at and record.valid_from <= day <= (record.valid_to or date.max)
    ]
    last = max((record.recorded_at for record in speaking), default=None)
    said = {record.org if record.readable else "" for record in speaking if record.recorded_at == last}
    return (said.pop() or None) if len(said) == 1 else None


def relations(
    records: Iterable[RegisteredGp], recipient: Agency, *, at: datetime, known_at: datetime
) -> frozenset[Relation]:
    """What the recipient is to the person. A recipient that stands for its whole sector is what any agency
    of it is: nothing is ever sent to one."""
    gp = registered_gp(records, at=at, known_at=known_at)
    is_gp = gp is not None and recipient.org in (gp, "")
    return frozenset({Relation.REGISTERED_GP} if is_gp else ())
