"""Understands how the work stands, as those who run the hub may see it: counts, ages, opaque ids.

It must not tell what was decided about a person. What waits for a consent is not counted, and a code
of a decision is not repeated: such work is shown as work like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select

from hub.errors import PROBLEMS, HubError, Problem
from hub.parts import Parts
from hub.queue.port import Depth
from hub.store import disclosures
from hub.store.disclosures import Disclosure, State
from hub.store.schema import audit_checkpoint, audit_leaf, disclosure, message

SHOWN = (State.QUEUED, State.OFFERED, State.PARKED)
_MOST = 5_000
_OF_THE_WAY = ("hand-over.", "enqueue.", "seal.", "translate.", "render.", "hub.", "receive.")


@dataclass(frozen=True)
class Amount:
    """How much is in one state, and since when the oldest."""

    state: State
    count: int
    oldest: timedelta | None


@dataclass(frozen=True)
class Stuck:
    """What is stuck for one reason. `problem` None: tried before, and no reason to show."""

    problem: Problem | None
    parked: bool
    oldest: timedelta
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Overdue:
    """An answer that has not come. `message` is opaque."""

    message: str
    agency: str
    due: datetime


@dataclass(frozen=True)
class Log:
    """The audit log: leaves in all, leaves in the tree by the last checkpoint, and its time."""

    leaves: int
    size: int
    at: datetime | None


@dataclass(frozen=True)
class Standing:
    """Everything the operations page shows. `store` or `queue` False: it does not answer."""

    at: datetime
    store: bool
    queue: bool
    amounts: tuple[Amount, ...] = ()
    depths: Mapping[str, Depth] | None = None
    stuck: tuple[Stuck, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    log: Log | None = None
    untried: Amount | None = None

    @property
    def aside(self) -> int:
        """Work that the broker has put aside, where nothing takes it up again by itself."""
        return sum(
            depth.messages
            for name, depth in (self.depths or {}).items()
            if name.startswith(("bro.dead", "bro.unroutable"))
        )


def read(parts: Parts) -> Standing:
    """As it is now. A store or queue that is away is said, not raised."""
    now = parts.clock()
    depths = _depths(parts)
    try:
        with parts.store.reading() as view:
            return Standing(
                at=now,
                store=True,
                queue=depths is not None,
                amounts=_amounts(view, now),
                depths=depths,
                stuck=grouped(stuck(view), now),
                overdue=_overdue(view, parts, now),
                log=_log(view),
                untried=_untried(view, now),
            )
    except HubError:
        return Standing(at=now, store=False, queue=depths is not None, depths=depths)


def _untried(view: Connection, now: datetime) -> Amount:
    """Work that no worker has looked at yet: the same number whatever may go."""
    untried = (disclosure.c.state == State.QUEUED, disclosure.c.attempts == 0)
    query = select(func.count(), func.min(disclosure.c.due_at)).where(*untried)
    count, oldest = view.execute(query).one()
    return Amount(State.QUEUED, count, now - oldest if oldest is not None else None)


def stuck(view: Connection) -> list[Disclosure]:
    """Parked, or tried and still queued; oldest first."""
    found = disclosures.where(
        view,
        (disclosure.c.state == State.PARKED)
        | ((disclosure.c.state == State.QUEUED) & (disclosure.c.attempts > 0)),
        limit=_MOST,
    )
    return sorted(found, key=lambda item: (item.created_at, item.place, item.id))


def grouped(items: Iterable[Disclosure], now: datetime) -> tuple[Stuck, ...]:
    """By state and code; what is parked comes first, then the oldest."""
    groups: dict[tuple[bool, str], list[Disclosure]] = {}
    for item in items:
        groups.setdefault((item.state is State.PARKED, shown_code(item.code)), []).append(item)
    made = [
        Stuck(PROBLEMS.get(code), parked, now - min(i.created_at for i in those), tuple(i.id for i in those))
        for (parked, code), those in groups.items()
    ]
    return tuple(sorted(made, key=lambda group: (not group.parked, -group.oldest)))


def shown_code(code: str | None) -> str:
    """The code, unless it tells what was decided about the person."""
    return code if code in PROBLEMS and code.startswith(_OF_THE_WAY) else ""


def _depths(parts: Parts) -> Mapping[str, Depth] | None:
    try:
        return parts.queue.depth()
    except HubError:
        return None


def _amounts(view: Connection, now: datetime) -> tuple[Amount, ...]:
    since = case(
        (disclosure.c.state == State.OFFERED, disclosure.c.offered_at), else_=disclosure.c.created_at
    )
    query = (
        select(disclosure.c.state, func.count(), func.min(since))
        .where(disclosure.c.state.in_(SHOWN))
        .group_by(disclosure.c.state)
    )
    found = {state: (count, oldest) for state, count, oldest in view.execute(query)}
    made = []
    for state in SHOWN:
        count, oldest = found.get(state, (0, None))
        made.append(Amount(state, count, now - oldest if oldest else None))
    return tuple(made)


def _overdue(view: Connection, parts: Parts, now: datetime) -> tuple[Overdue, ...]:
    """An answer to any revision answers all of them: one message to one recipient under one agreement is one
    request. Of who answered that an answer will come, the day that the last of them promised counts; else
    the first day on which any of it was due."""
    other = disclosure.alias()
    flow = [other.c[name] == disclosure.c[name] for name in ("message_id", "agreement", "recipient")]
    answered = select(other.c.id).where(*flow, other.c.answered_at.is_not(None)).exists()
    promises = select(func.max(message.c.owes_at)).join(other, message.c.answers == other.c.id)
    promised = promises.where(*flow).correlate(disclosure).scalar_subquery()
    due = func.coalesce(promised, func.min(disclosure.c.answer_due_at))
    late = (
        select(disclosure.c.message_id, disclosure.c.recipient, due.label("due"))
        .where(disclosure.c.answer_due_at < now, ~answered)
        .group_by(disclosure.c.message_id, disclosure.c.agreement, disclosure.c.recipient)
        .having(due < now)
        .limit(_MOST)
    )
    made = []
    for row in view.execute(late):
        agency = parts.agency(row.recipient)
        made.append(Overdue(row.message_id, agency.name if agency else row.recipient, row.due))
    return tuple(sorted(made, key=lambda answer: (answer.due, answer.message)))


def _log(view: Connection) -> Log:
    leaves = view.scalar(select(func.count()).select_from(audit_leaf)) or 0
    last = view.execute(
        select(audit_checkpoint.c.size, audit_checkpoint.c.at)
        .order_by(audit_checkpoint.c.size.desc())
        .limit(1)
    ).first()
    return Log(leaves, last.size if last else 0, last.at if last else None)
