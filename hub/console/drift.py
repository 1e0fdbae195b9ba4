"""Understands how the standing of the work is laid out on the operations page, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.console.texts import Language, say, say_count
from hub.standing import Log, Standing, Stuck

_MOST_IDS = 20
_MOST_OVERDUE = 50


@dataclass(frozen=True)
class Card:
    """One state."""

    state: str
    count: int
    oldest: timedelta | None


@dataclass(frozen=True)
class Group:
    """What is stuck for one reason."""

    title: str
    code: str
    actor: str
    parked: bool
    count: int
    oldest: timedelta
    ids: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class Line:
    """One queue. `age` None: empty, or not known when `count` is above zero."""

    name: str
    what: str
    count: int
    age: timedelta | None


@dataclass(frozen=True)
class Late:
    """One overdue answer."""

    message: str
    agency: str
    due: datetime
    by: timedelta


@dataclass(frozen=True)
class Page:
    """Everything on the page, in the order of the page."""

    at: datetime
    calm: bool
    reasons: tuple[str, ...]
    store: bool
    queue: bool
    cards: tuple[Card, ...]
    groups: tuple[Group, ...]
    late: tuple[Late, ...]
    late_more: int
    lines: tuple[Line, ...]
    log: Log | None


def page(standing: Standing, language: Language) -> Page:
    late = tuple(
        Late(answer.message, answer.agency, answer.due, standing.at - answer.due)
        for answer in standing.overdue
    )
    reasons = _reasons(standing, language)
    return Page(
        at=standing.at,
        calm=not reasons,
        reasons=reasons,
        store=standing.store,
        queue=standing.queue,
        cards=tuple(Card(a.state.value, a.count, a.oldest) for a in standing.amounts),
        groups=tuple(_group(stuck, language) for stuck in standing.stuck),
        late=late[:_MOST_OVERDUE],
        late_more=max(0, len(late) - _MOST_OVERDUE),
        lines=_lines(standing, language),
        log=standing.log,
    )


def _reasons(standing: Standing, language: Language) -> tuple[str, ...]:
    """Why the page is not calm; empty when it is."""
    reasons = []
    if not standing.store:
        reasons.append(say(language, "calm.store"))
    if not standing.queue:
        reasons.append(say(language, "calm.queue"))
    for key, n in (
        ("calm.stuck", sum(len(group.ids) for group in standing.stuck)),
        ("calm.overdue", len(standing.overdue)),
        ("calm.aside", standing.aside),
    ):
        if n:
            reasons.append(say_count(language, key, n))
    return tuple(reasons)


def _group(stuck: Stuck, language: Language) -> Group:
    problem = stuck.problem
    if problem is None:
        title, actor = say(language, "stuck.unsaid"), say(language, "actor.nobody")
    else:
        title = problem.nb if language is Language.NB else problem.title
        actor = say(language, f"actor.{problem.actor.value}")
    return Group(
        title=title,
        code=problem.code if problem else "",
        actor=actor,
        parked=stuck.parked,
        count=len(stuck.ids),
        oldest=stuck.oldest,
        ids=stuck.ids[:_MOST_IDS],
        more=max(0, len(stuck.ids) - _MOST_IDS),
    )


def _lines(standing: Standing, language: Language) -> tuple[Line, ...]:
    return tuple(
        Line(
            name,
            say(language, f"queues.{name.split('.')[1]}"),
            depth.messages,
            None if depth.oldest is None else timedelta(seconds=depth.oldest),
        )
        for name, depth in (standing.depths or {}).items()
    )
