"""Understands whether each item of a message may go to one recipient, now: the decision.

    prohibited -> unreadable -> duty -> objection -> refusal -> permission -> nothing said: no

Pure: no clock, no store, no network; the same question has the same answer in any order of its
inputs. What cannot be answered with certainty is not permitted. It must not know values: an item is
a path with what it tells about the person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from consent.rows import Effect, Row
from consent.said import Question, Said, what_stands
from hub.errors import HubError
from hub.message import (
    HEALTH_SECTORS,
    Agency,
    Basis,
    Category,
    Consent,
    Decision,
    Item,
    ItemDecision,
    Labelled,
    Override,
    Permitted,
    Purpose,
    Reading,
    Verdict,
)

OSLO = ZoneInfo("Europe/Oslo")
"""Dates in rows and consents are whole days here."""

ENVELOPE = "envelope."
"""Items of the envelope (who sends, to whom, of what type) stand under this path."""


@dataclass(frozen=True)
class Ask:
    """The question: may these items go from this agency to that one, for this purpose?

    `data_date` is when the information is from; None is "not known". `basis` is what the agreement
    claims; it is recorded and widens nothing.
    """

    sender: Agency
    recipient: Agency
    purpose: Purpose
    basis: Basis
    agreement: str
    items: tuple[Item, ...]
    protected_address: bool
    data_date: date | None
    readings: Mapping[str, Reading] = field(default_factory=dict)
    override: Override | None = None
    requests: frozenset[str] = frozenset()
    """Ids of the DUTY_ON_REQUEST rows for which the recipient's request is on file."""
    deceased: bool = False


@dataclass(frozen=True)
class _Answer:
    """What one row says of one category. `reason` is a code of `hub/errors.py`."""

    reason: str
    row: str | None = None
    consents: tuple[str, ...] = ()


_NO_ROW = _Answer("decide.no-row")
_PERMITS = frozenset({"decide.row", "decide.consent"})
_ORDER = (
    "decide.prohibited",
    "decide.protected-address",
    "decide.no-row",
    "decide.unreadable",
    "decide.refused",
    "decide.objection",
    "decide.withdrawn",
    "decide.consent-mismatch",
    "decide.no-consent",
    "decide.consent",
    "decide.row",
)
_BADNESS = {reason: place for place, reason in enumerate(_ORDER)}
"""Where rows or categories disagree, the first of these is the answer."""


def decide(
    ask: Ask, rows: Sequence[Row], consents: Sequence[Consent], *, at: datetime, known_at: datetime
) -> Decision:
    """The verdict on every item of `ask`, in its order.

    `at` is the moment of sending, `known_at` what the hub knew; both aware. `rows` may be all of a
    pack or only `pack.between(...)`. `consents` are those of the person, every version.
    """
    if at.tzinfo is None or known_at.tzinfo is None:
        raise HubError("hub.internal")
    day = at.astimezone(OSLO).date()
    question = Question(
        sender=frozenset({ask.sender.sector.value, ask.sender.org}),
        recipient=frozenset({ask.recipient.sector.value, ask.recipient.org}),
        purpose=ask.purpose.value,
        day=day,
        data_date=ask.data_date,
    )
    said = what_stands(consents, question, at=at, known_at=known_at)
    in_force = _rows_in_force(ask, rows, day=day, known=known_at.astimezone(OSLO).date())
    return _Deciding(ask, in_force, said, question).decision(at)


def permit(decision: Decision, labelled: Labelled, ask: Ask) -> Permitted | None:
    """What may go, or None when nothing may: no item of the content, or not the whole envelope.

    A decision about other items than these is a fault of ours and raises hub.internal: a verdict
    must never be used for a leaf it was not made about.
    """
    asked = {item.path: item for item in ask.items}
    verdicts = {item.path: item.verdict for item in decision.items}
    if not len(asked) == len(ask.items) == len(decision.items) == len(verdicts):
        raise HubError("hub.internal")
    held = {item.path: item for item in labelled.items}
    content = {path: item for path, item in asked.items() if not path.startswith(ENVELOPE)}
    if asked.keys() != verdicts.keys() or any(held.get(path) != item for path, item in content.items()):
        raise HubError("hub.internal")
    permitted = decision.paths(Verdict.PERMIT)
    if not permitted & content.keys() or asked.keys() - content.keys() - permitted:
        return None
    record = labelled.record.only(frozenset(permitted & content.keys()))
    return Permitted(record, ask.recipient, ask.agreement, decision)


def _rows_in_force(ask: Ask, rows: Iterable[Row], *, day: date, known: date) -> list[Row]:
    """The rows for this pair and purpose on this day, as known; of one row the newest version."""
    newest: dict[str, Row] = {}
    for row in rows:
        if (
            ask.sender.sector in row.senders
            and ask.recipient.sector in row.recipients
            and ask.purpose in row.purposes
            and row.in_force(day=day, known=known)
            and (row.id not in newest or newest[row.id].version < row.version)
        ):
            newest[row.id] = row
    return [newest[row_id] for row_id in sorted(newest)]


class _Deciding:
    """One decision under way; remembers what it has already answered."""

    def __init__(self, ask: Ask, rows: Sequence[Row], said: Said, question: Question) -> None:
        self._ask = ask
        self._said = said
        self._question = question
        self._health = ask.recipient.sector in HEALTH_SECTORS
        self._rows = {c: [row for row in rows if c in row.categories] for c in Category}
        self._answers: dict[tuple[str, Category], _Answer] = {}

    def decision(self, at: datetime) -> Decision:
        times = Counter(item.path for item in self._ask.items)
        return Decision(
            tuple(
                self._item(item) if times[item.path] == 1 else _hold(item, "decide.unknown-category")
                for item in self._ask.items
            ),
            at,
        )

    def _item(self, item: Item) -> ItemDecision:
        everything = item.declared | item.categories
        if self._ask.deceased:  # helsepersonelloven § 24: what may be told then is for a person to judge
            return ItemDecision(item.path, Verdict.DENY, "decide.deceased")
        if self._ask.protected_address or Category.PROTECTED_ADDRESS in everything:
            return ItemDecision(item.path, Verdict.DENY, "decide.protected-address")
        unread = item.free_text and not self._health
        # Nobody outside health care gets free text by machine, so what the scanner found in it is
        # for the person who will read it; what the field is about decides whether to ask at all.
        categories = item.declared if unread else everything
        answers = [self._category(c, item.field) for c in categories if c is not Category.UNKNOWN]
        answers.sort(key=lambda answer: (_BADNESS[answer.reason], answer.row or ""))
        if answers and answers[0].reason not in _PERMITS:
            worst = answers[0]
            return ItemDecision(item.path, Verdict.DENY, worst.reason, worst.row, worst.consents)
        if not answers or Category.UNKNOWN in categories:
            return _hold(item, "decide.unknown-category")
        if unread:
            return _hold(item, "decide.free-text-unread")
        rows = sorted({answer.row for answer in answers if answer.row})
        refs = sorted({ref for answer in answers for ref in answer.consents})
        return ItemDecision(item.path, Verdict.PERMIT, answers[0].reason, "+".join(rows), tuple(refs))

    def _category(self, category: Category, field: str) -> _Answer:
        """The worst that any row says of the category; no row, no right."""
        answers = [self._row(row, category) for row in self._rows[category] if row.covers_field(field)]
        if not answers:
            return _NO_ROW
        return min(answers, key=lambda answer: _BADNESS[answer.reason])

    def _row(self, row: Row, category: Category) -> _Answer:
        key = (row.ref, category)
        if key not in self._answers:
            self._answers[key] = self._answer(row, category)
        return self._answers[key]

    def _answer(self, row: Row, category: Category) -> _Answer:
        said = self._said
        match row.effect:
            case Effect.PROHIBIT:
                return _Answer("decide.prohibited", row.ref)
            case Effect.DUTY:
                return _Answer("decide.row", row.ref)
            case Effect.DUTY_ON_REQUEST:
                return _NO_ROW  # it speaks only when a request is on file, which no Ask carries yet
        if said.unreadable:
            return _Answer("decide.unreadable", row.ref, said.unreadable)
        refused = said.refuses(self._question, category)
        if row.effect is Effect.MAY_UNLESS_OBJECTION:
            return _Answer("decide.objection" if refused else "decide.row", row.ref, refused)
        if refused:
            return _Answer("decide.refused", row.ref, refused)
        if permits := said.permits(self._question, category, row.requires):
            return _Answer("decide.consent", row.ref, permits)
        if once := said.permitted_once(self._question, category, row.requires):
            return _Answer("decide.withdrawn", row.ref, once)
        return _Answer("decide.consent-mismatch" if said.any_permission else "decide.no-consent", row.ref)


def _hold(item: Item, reason: str) -> ItemDecision:
    return ItemDecision(item.path, Verdict.HOLD, reason)
