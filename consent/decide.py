"""Understands whether each item of a message may go to one recipient, now: the decision.

    prohibited -> unreadable -> duty -> objection -> refusal -> permission -> nothing said: no

Pure: no clock, no store, no network; the same question has the same answer in any order of its
inputs. What cannot be answered with certainty is not permitted. It must not know values: an item is
a path with what it tells about whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from consent.rows import Effect, Relation, Requires, Row
from consent.said import OSLO, Question, Said, what_stands
from consent.texts import NO_TEXTS, Texts
from hub.errors import HubError
from hub.message import (
    ANY,
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

ENVELOPE = "envelope."
"""Items of the envelope (who sends, to whom, of what type) stand under this path."""

NOTIFY_PERSON = "notify_person"
"""The obligation that the person is told that an objection was set aside."""


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
    requests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The recipient's requests that are on file now, by the id of the DUTY_ON_REQUEST row they call on."""
    relations: frozenset[Relation] = frozenset()
    """What the recipient is to the person now, as far as it is recorded."""
    deceased: bool = False
    unidentified: bool = False
    """Nobody has said whose number the person has, so what the person refused is not seen."""


@dataclass(frozen=True)
class _Answer:
    """What the rows say of one category. `reason` is a code of `hub/errors.py`."""

    reason: str
    row: str | None = None
    consents: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()


_NO_ROW = _Answer("decide.no-row")
_PERMITS = frozenset({"decide.row", "decide.consent", "decide.overridden"})
_ALARMS = frozenset({"decide.unreadable", "decide.conflict", "decide.override-refused"})
_ORDER = (
    "decide.prohibited",
    "decide.no-row",
    "decide.no-request",
    "decide.not-registered-gp",
    "decide.register-unavailable",
    "decide.unreadable",
    "decide.override-refused",
    "decide.refused",
    "decide.conflict",
    "decide.exception",
    "decide.objection",
    "decide.withdrawn",
    "decide.other-person",
    "decide.expired",
    "decide.not-yet",
    "decide.not-active",
    "decide.text-not-approved",
    "decide.grantor",
    "decide.form-missing",
    "decide.consent-mismatch",
    "decide.no-consent",
    "decide.overridden",
    "decide.consent",
    "decide.row",
)
_BADNESS = {reason: place for place, reason in enumerate(_ORDER)}
"""Where rows or categories disagree, the first of these is the answer."""

_HELD = (
    "decide.deceased",
    "decide.protected-address",
    "decide.person-unidentified",
    "decide.free-text-hit",
    "decide.free-text-unread",
    "decide.unknown-category",
)


def worst(reasons: Iterable[str]) -> str:
    """Of the reasons of several items the one that counts for all of them together."""
    places = {**dict.fromkeys(_HELD, -1), **_BADNESS}
    return min(reasons, key=lambda reason: (places[reason], reason))


_STEPS = (Effect.DUTY, Effect.DUTY_ON_REQUEST, Effect.MAY_UNLESS_OBJECTION, Effect.CONSENT)
"""After the prohibitions: the first effect that has a row answers."""


def decide(
    ask: Ask,
    rows: Sequence[Row],
    consents: Sequence[Consent] | None,
    *,
    at: datetime,
    known_at: datetime,
    texts: Texts = NO_TEXTS,
) -> Decision:
    """The verdict on every item of `ask`, in its order.

    `at` is the moment of sending, `known_at` what the hub knew; both aware. `rows` may be all of a
    pack or only `pack.between(...)`. `consents` are every version of every document, of the subject
    and of whoever else an item tells about; None says that the register could not be read. `texts`
    are the approved consent texts.
    """
    if at.tzinfo is None or known_at.tzinfo is None:
        raise HubError("hub.internal")
    question = Question(
        sender=frozenset({ask.sender.sector.value, ask.sender.org}),
        recipient=frozenset({ask.recipient.sector.value, ask.recipient.org}),
        purpose=ask.purpose.value,
        day=at.astimezone(OSLO).date(),
        data_date=ask.data_date,
    )
    said: dict[str, Said] | None = None
    if consents is not None:
        of_each: dict[str, list[Consent]] = {"": []}
        for consent in consents:
            of_each.setdefault(consent.person, []).append(consent)
        said = {
            person: what_stands(theirs, question, at=at, known_at=known_at, texts=texts)
            for person, theirs in of_each.items()
        }
    in_force = _rows_in_force(ask, rows, day=question.day, known=known_at.astimezone(OSLO).date())
    return _Deciding(ask, in_force, said).decision(at)


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


def _silent(row: Row, ask: Ask) -> str | None:
    """Why a row in force does not speak to this question, or None: it does."""
    if row.effect is Effect.DUTY_ON_REQUEST and not ask.requests.get(row.id):
        return "decide.no-request"
    if row.relation is not None and row.relation not in ask.relations and row.effect is not Effect.PROHIBIT:
        return "decide.not-registered-gp"
    return None


class _Deciding:
    """One decision under way; remembers what it has already answered. `said` is by person, "" the
    subject; None: nobody knows what anybody said."""

    def __init__(self, ask: Ask, rows: Sequence[Row], said: Mapping[str, Said] | None) -> None:
        self._ask = ask
        self._said = said
        self._health = ask.recipient.sector in HEALTH_SECTORS
        self._why_silent = {row.ref: why for row in rows if (why := _silent(row, ask)) is not None}
        self._rows = {c: [row for row in rows if c in row.categories] for c in Category}
        self._by_field = {c for c, of in self._rows.items() if any(row.fields != (ANY,) for row in of)}
        self._answers: dict[tuple[Category, str], _Answer] = {}
        self._alarms: set[str] = set()

    def decision(self, at: datetime) -> Decision:
        times = Counter(item.path for item in self._ask.items)
        items = tuple(
            self._item(item) if times[item.path] == 1 else _hold(item, "decide.unknown-category")
            for item in self._ask.items
        )
        return Decision(items, at, tuple(sorted(self._alarms)))

    def _item(self, item: Item) -> ItemDecision:
        if self._ask.deceased:  # helsepersonelloven § 24: what may be told then is for a person to judge
            return ItemDecision(item.path, Verdict.DENY, "decide.deceased")
        if self._ask.protected_address or Category.PROTECTED_ADDRESS in item.declared | item.categories:
            return ItemDecision(item.path, Verdict.DENY, "decide.protected-address")
        if self._ask.unidentified:  # after the stops, which are final: then it need not wait for a number
            return ItemDecision(item.path, Verdict.DENY, "decide.person-unidentified")
        categories, unread = self._tells(item)
        answers = [self._category(c, item.field) for c in categories if c is not Category.UNKNOWN]
        if item.persons:
            answers += [self._others(item.persons, c, item.field) for c in categories]
        self._alarms.update(_ALARMS.intersection(answer.reason for answer in answers))
        answers.sort(key=lambda answer: (_BADNESS[answer.reason], answer.row or ""))
        if answers and answers[0].reason not in _PERMITS:
            worst = answers[0]
            return ItemDecision(item.path, Verdict.DENY, worst.reason, worst.row, worst.consents)
        if not answers or Category.UNKNOWN in categories:
            return _hold(item, "decide.unknown-category")
        if unread:
            hit = item.doubt or item.categories - item.declared
            return _hold(item, "decide.free-text-hit" if hit else "decide.free-text-unread")
        rows = sorted({answer.row for answer in answers if answer.row})
        refs = sorted({ref for answer in answers for ref in answer.consents})
        duties = sorted({duty for answer in answers for duty in answer.obligations})
        asked = sorted({ref for answer in answers for ref in answer.requests})
        reason, together = answers[0].reason, "+".join(rows)
        return ItemDecision(
            item.path, Verdict.PERMIT, reason, together, tuple(refs), tuple(duties), tuple(asked)
        )

    def _tells(self, item: Item) -> tuple[frozenset[Category], bool]:
        """What the item tells, and whether somebody has to read it first.

        Nobody outside health care gets free text by machine, so what the scanner found in it is for
        the person who will read it; what the field is about decides whether to ask at all. What one
        reader found comes on top of what the scanner found; two readers may clear the scanner's
        finding, and nobody what the field is declared to tell. Of a code or a name two readers can only
        say that it is not in doubt.
        """
        reading = self._ask.readings.get(item.path)
        readers = {reader for reader in reading.readers if reader.strip()} if reading else set()
        if reading is not None and readers:
            cleared = item.categories if item.free_text else frozenset({Category.UNKNOWN})
            found = item.categories - cleared if len(readers) > 1 else item.categories
            alone = item.doubt and not self._health and len(readers) < 2
            return item.declared | reading.categories | found, alone
        if item.free_text and not self._health:
            return item.declared, True
        return item.declared | item.categories, False

    def _category(self, category: Category, path: str) -> _Answer:
        """What the rows say of one category of the subject; no row, no right."""
        key = (category, path if category in self._by_field else "")
        if key not in self._answers:
            self._answers[key] = self._answer(category, self._covering(category, path))
        return self._answers[key]

    def _covering(self, category: Category, path: str) -> list[Row]:
        return [row for row in self._rows[category] if row.covers_field(path)]

    def _answer(self, category: Category, covering: Sequence[Row]) -> _Answer:
        rows = [row for row in covering if row.ref not in self._why_silent]
        for row in rows:
            if row.effect is Effect.PROHIBIT:
                return _Answer("decide.prohibited", row.ref)
        if not rows:
            silent = [_Answer(self._why_silent[row.ref], row.ref) for row in covering]
            return min(silent, key=lambda answer: _BADNESS[answer.reason], default=_NO_ROW)
        if self._said is None:
            return _Answer("decide.register-unavailable", rows[0].ref)
        said = self._said[""]
        if said.unreadable:
            return _Answer("decide.unreadable", rows[0].ref, said.unreadable)
        for effect in _STEPS:
            speaking = [row for row in rows if row.effect is effect]
            if speaking:
                answers = [self._row(row, category, said) for row in speaking]
                return min(answers, key=lambda answer: _BADNESS[answer.reason])
        return _NO_ROW

    def _row(self, row: Row, category: Category, said: Said) -> _Answer:
        if row.effect in (Effect.DUTY, Effect.DUTY_ON_REQUEST):
            return _Answer("decide.row", row.ref, (), row.obligations, self._ask.requests.get(row.id, ()))
        refused = said.refuses(category)
        if row.effect is Effect.MAY_UNLESS_OBJECTION:
            if not refused:
                return _Answer("decide.row", row.ref, (), row.obligations)
            if self._overrides(row):
                told = row.override is not None and row.override.notify_person
                duties = (*row.obligations, NOTIFY_PERSON) if told else row.obligations
                return _Answer("decide.overridden", row.ref, refused, duties)
            return self._no("decide.objection", row, refused)
        permits = said.permits(category, row.requires)
        if refused and permits:
            return self._no("decide.conflict", row, (*refused, *permits))
        if refused:
            by_exception = said.by_exception(refused)
            return self._no("decide.exception" if by_exception else "decide.refused", row, refused)
        if permits:
            return _Answer("decide.consent", row.ref, permits, row.obligations)
        reason, near = said.why_not(category, row.requires)
        return self._no(reason, row, near)

    def _no(self, reason: str, row: Row, consents: tuple[str, ...]) -> _Answer:
        """The no itself, or that somebody tried to set it aside and may not."""
        if self._ask.override is not None:
            reason = "decide.override-refused"
        return _Answer(reason, row.ref, tuple(sorted(set(consents))))

    def _overrides(self, row: Row) -> bool:
        """Whether the objection is set aside as the row allows: that role, a ground, two persons."""
        override = self._ask.override
        return (
            override is not None
            and row.override is not None
            and override.role in row.override.roles
            and bool(override.ground.strip())
            and len({person for person in override.by if person.strip()}) > 1
        )

    def _others(self, persons: Iterable[str], category: Category, path: str) -> _Answer:
        """Whether everybody else whom the item tells about permits it, whatever row lets the subject's
        part go: a duty or an objection model about one person is none about another. Which of them
        does not is not said."""
        if self._said is None:
            return _Answer("decide.register-unavailable")
        demands = [row.requires for row in self._covering(category, path)] or [Requires()]
        refs: set[str] = set()
        for person in persons:
            said = self._said.get(person) if person else None
            permits = [said.permits(category, requires) for requires in demands] if said else []
            if said is None or said.unreadable or said.refuses(category) or not all(permits):
                return _Answer("decide.other-person")
            refs.update(ref for found in permits for ref in found)
        return _Answer("decide.consent", None, tuple(sorted(refs)))


def _hold(item: Item, reason: str) -> ItemDecision:
    return ItemDecision(item.path, Verdict.HOLD, reason)
