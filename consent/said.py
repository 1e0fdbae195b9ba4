"""Understands what one person's consents and refusals, taken together, say about one question.

The heart is an asymmetry: doubt widens a refusal and narrows a permission. An attribute that was
not said matches everything in a refusal and nothing in a permission; a permission is replaced by
anything that claims to replace it, a refusal only by a readable document of the same grantor that
is in force. It must not know policy rows beyond what they demand of a form, nor any message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from consent.rows import Requires
from consent.texts import NO_TEXTS, Texts
from hub.message import ANY, CONTROL_SECTORS, Category, Consent, Purpose, Sector

OSLO = ZoneInfo("Europe/Oslo")
"""Dates in rows and consents are whole days here."""

DEPTH = 2
"""How many levels of exceptions can be evaluated: an exception, and an exception to that."""

_SHARING = "sharing"
_KINDS = frozenset({_SHARING, "programme"})
_SECTORS = frozenset(sector.value for sector in Sector) | {ANY}
_PURPOSES = frozenset(purpose.value for purpose in Purpose) | {ANY}
_CATEGORIES = frozenset(category.value for category in Category) | {ANY}
_THE_PERSON = frozenset({"person"})

MISMATCH = "decide.consent-mismatch"
_NEAREST = (
    "decide.withdrawn",
    "decide.expired",
    "decide.not-yet",
    "decide.not-active",
    "decide.text-not-approved",
    "decide.grantor",
    "decide.form-missing",
    "decide.exception",
    MISMATCH,
)
"""Why a permission does not permit. Of several, the first is what the person would ask about."""


@dataclass(frozen=True)
class Question:
    """Who wants to send whom what kind of thing, what for, on which day, from when the data are."""

    sender: frozenset[str]
    recipient: frozenset[str]
    purpose: str
    day: date
    data_date: date | None


@dataclass(frozen=True)
class Said:
    """What stands at one moment for one question: the documents that may permit, those that may
    refuse, those that were withdrawn, and those that cannot be evaluated at all (their refs)."""

    question: Question
    texts: Texts
    permitting: tuple[Consent, ...] = ()
    refusing: tuple[Consent, ...] = ()
    withdrawn: tuple[Consent, ...] = ()
    unreadable: tuple[str, ...] = ()
    any_permission: bool = False

    def permits(self, category: Category, requires: Requires) -> tuple[str, ...]:
        """The documents that permit it, in a form that counts: refs, sorted."""
        q, texts = self.question, self.texts
        return _refs(c for c in self.permitting if _miss(c, q, category, requires, texts) is None)

    def refuses(self, category: Category) -> tuple[str, ...]:
        """The documents that refuse it, by what they say first or by an exception."""
        return _refs(c for c in self.refusing if _refuses(c, self.question, category))

    def by_exception(self, refs: tuple[str, ...]) -> bool:
        """Whether all of these permit as such, and refuse only what they make an exception for."""
        return all(c.permits for c in self.refusing if c.ref in refs)

    def why_not(self, category: Category, requires: Requires) -> tuple[str, tuple[str, ...]]:
        """Why nothing permits it: the code of the nearest miss, and whose it is. A document that
        speaks of something else is not named."""
        if not self.any_permission:
            return "decide.no-consent", ()
        missed: dict[str, set[str]] = {}
        for c in self.permitting:
            missed.setdefault(self._miss(c, category, requires) or MISMATCH, set()).add(c.ref)
        for c in self.withdrawn:
            miss = self._miss(c, category, requires)
            missed.setdefault(MISMATCH if miss == MISMATCH else "decide.withdrawn", set()).add(c.ref)
        for code in _NEAREST[:-1]:
            if code in missed:
                return code, tuple(sorted(missed[code]))
        return MISMATCH, ()

    def _miss(self, c: Consent, category: Category, requires: Requires) -> str | None:
        return _miss(c, self.question, category, requires, self.texts)


def what_stands(
    consents: Sequence[Consent],
    question: Question,
    *,
    at: datetime,
    known_at: datetime,
    texts: Texts = NO_TEXTS,
) -> Said:
    """What the person has said, as in force `at` and as the hub knew it `known_at`."""
    known, unreadable = _known(consents, known_at)
    moment = min(at, known_at)
    readable = {ref: c for ref, c in known.items() if ref not in unreadable} if unreadable else known
    gone = {ref for ref, c in readable.items() if c.withdrawn_at is not None and c.withdrawn_at <= moment}
    in_force: dict[str, list[Consent]] = {}
    for ref, c in readable.items():
        if ref not in gone and c.active and _dated(c) and _in_force(c, question.day):
            in_force.setdefault(c.id, []).append(c)
            if c.replaces is not None:
                in_force.setdefault(c.replaces, []).append(c)
    claimed_ids, claimed = _claims(known.values())
    permitting: list[Consent] = []
    withdrawn: list[Consent] = []
    refusing: list[Consent] = []
    blocking = {ref for ref in unreadable if ref not in known or not _settled(known[ref], in_force)}
    for ref, c in readable.items():
        if not _near(c, question):
            continue
        ended = c.permissions_ended_at is not None and c.permissions_ended_at <= moment
        whole = _inherited(c)
        # Withdrawing a permission takes nothing back of what it refused in its exceptions.
        if (c.permits or ref not in gone) and _on_days(c, question.day) and not _settled(c, in_force):
            # Without what it permitted by exception, a refusal is one of everything that it is about.
            refusing.append(_inherited(replace(c, exceptions=())) if ended and not c.permits else whole)
        if c.only_refuses or ref in claimed or c.id in claimed or claimed_ids[c.id] > c.version:
            continue
        (withdrawn if ref in gone or ended else permitting).append(whole)
    return Said(
        question,
        texts,
        tuple(permitting),
        tuple(refusing),
        tuple(withdrawn),
        tuple(sorted(blocking)),
        any_permission=any((c.permits or c.exceptions) and not c.only_refuses for c in known.values()),
    )


def _known(consents: Sequence[Consent], known_at: datetime) -> tuple[dict[str, Consent], set[str]]:
    """What the hub knew, by ref, and which of it cannot be evaluated. Two documents under one ref
    that differ are both unreadable: nobody can say which one the person signed. A refusal of which
    nobody knows when it was recorded was always known."""
    known: dict[str, Consent] = {}
    unreadable: set[str] = set()
    for c in consents:
        dated, ref = _dated(c), c.ref
        if dated and c.recorded_at > known_at:
            continue
        first = known.setdefault(ref, c)
        if (first is not c and first != c) or not _readable(c) or (c.permits and not dated):
            unreadable.add(ref)
    return known, unreadable


def _dated(c: Consent) -> bool:
    return c.recorded_at.tzinfo is not None


def _claims(known: Iterable[Consent]) -> tuple[dict[str, int], set[str]]:
    """The newest version of each id, and what some document claims to replace."""
    newest: dict[str, int] = {}
    claimed: set[str] = set()
    for c in known:
        if newest.get(c.id, 0) < c.version:
            newest[c.id] = c.version
        if c.replaces is not None:
            claimed.add(c.replaces)
    return newest, claimed


def _settled(old: Consent, in_force: Mapping[str, Sequence[Consent]]) -> bool:
    """Whether a document in force stands, beyond doubt, in the place of this one. `in_force` holds
    them by their id and by what they replace."""
    if not _dated(old):
        return False
    for new in (*in_force.get(old.id, ()), *in_force.get(old.ref, ())):
        if new.grantor != old.grantor or new.kind != _SHARING:
            continue
        if new.id == old.id and new.version > old.version and new.recorded_at >= old.recorded_at:
            return True
        if new.replaces == old.ref and new.recorded_at > old.recorded_at:
            return True
    return False


def _in_force(c: Consent, day: date) -> bool:
    return c.valid_from is not None and c.valid_from <= day and (c.valid_to is None or day <= c.valid_to)


def _readable(c: Consent) -> bool:
    if not c.readable or not c.id or c.version < 1 or c.kind not in _KINDS:
        return False
    ends = (c.withdrawn_at, c.permissions_ended_at)
    if any(end is not None and end.tzinfo is None for end in ends):
        return False
    return _sound(c) and (not c.exceptions or all(_sound_exception(e, c, DEPTH) for e in c.exceptions))


def _sound(c: Consent) -> bool:
    """Periods that do not end before they begin, and only words that something can match: a
    misspelt recipient in a refusal would make the refusal toothless."""
    if c.valid_from and c.valid_to and c.valid_to < c.valid_from:
        return False
    if c.data_from and c.data_to and c.data_to < c.data_from:
        return False
    for parties in (c.senders, c.recipients):
        if parties and not parties <= _SECTORS and not all(map(_party, parties)):
            return False
    return (not c.purposes or c.purposes <= _PURPOSES) and (not c.categories or c.categories <= _CATEGORIES)


def _party(word: str) -> bool:
    return word in _SECTORS or (len(word) == 9 and word.isascii() and word.isdigit())


def _sound_exception(e: Consent, parent: Consent, depth: int) -> bool:
    """An exception must reverse its parent, narrow it somehow, and not go deeper than we can."""
    narrows = (e.senders, e.recipients, e.purposes, e.categories)
    periods = (e.valid_from, e.valid_to, e.data_from, e.data_to)
    if depth == 0 or not e.readable or e.permits == parent.permits or e.withdrawn_at or e.replaces:
        return False
    if not any(narrows) and not any(periods):
        return False
    return _sound(e) and all(_sound_exception(child, e, depth - 1) for child in e.exceptions)


def _inherited(c: Consent) -> Consent:
    """The document with every exception written out: what an exception leaves unsaid is as in its
    parent, and form, grantor and recorder are those of the whole document."""
    if not c.exceptions:
        return c
    return _but(c, exceptions=tuple(_inherited(_as_in(c, e)) for e in c.exceptions))


def _as_in(parent: Consent, e: Consent) -> Consent:
    own_data = e.data_from is not None or e.data_to is not None
    return _but(
        parent,
        permits=e.permits,
        senders=e.senders or parent.senders,
        recipients=e.recipients or parent.recipients,
        purposes=e.purposes or parent.purposes,
        categories=e.categories or parent.categories,
        valid_from=e.valid_from or parent.valid_from,
        valid_to=e.valid_to or parent.valid_to,
        data_from=e.data_from if own_data else parent.data_from,
        data_to=e.data_to if own_data else parent.data_to,
        exceptions=e.exceptions,
    )


def _but(c: Consent, **changed: object) -> Consent:
    """As `dataclasses.replace`, which sets every field by itself and was a third of the whole decision."""
    other = object.__new__(Consent)
    other.__dict__.update(c.__dict__, **changed)
    return other


def _miss(c: Consent, q: Question, category: Category, requires: Requires | None, texts: Texts) -> str | None:
    """None when the document permits it, or why it does not. Every attribute must be said and fit; a
    document without a first or last day permits nothing. `requires` None: its form is not asked about."""
    if not c.permits:
        # What it refuses as a whole need not be said for what it lets through: that is said in full below.
        misses = [_miss(e, q, category, requires, texts) or "" for e in c.exceptions] or [MISMATCH]
        nearest = min(misses, key=lambda miss: _NEAREST.index(miss) if miss else -1)
        return (nearest or None) if c.active and _wide(c, q, category) else MISMATCH
    if not _said(c, q, category) or c.valid_from is None or c.valid_to is None:
        return MISMATCH
    if c.valid_to < q.day:
        return "decide.expired"
    if c.valid_from > q.day:
        return "decide.not-yet"
    if not c.active:
        return "decide.not-active"
    if any(_refuses(e, q, category) for e in c.exceptions):
        return "decide.exception"
    return None if requires is None else _form(c, category, requires, texts)


def _form(c: Consent, category: Category, requires: Requires, texts: Texts) -> str | None:
    """None when the document is what the row demands. A control role cannot collect a permission to
    share substance use, and who collected it must be known. Another than the person may permit only
    where the row names that grantor (helsepersonelloven § 22)."""
    if category is Category.SUBSTANCE_USE and (c.recorder is None or c.recorder in CONTROL_SECTORS):
        return "decide.form-missing"
    if c.grantor not in (requires.grantors or _THE_PERSON):
        return "decide.grantor"
    if not (
        (c.signed or not requires.signed)
        and (c.explained or not requires.explained)
        and (not requires.forms or c.form in requires.forms)
        and (not requires.recorders or c.recorder in requires.recorders)
        and (not requires.settings or c.setting in requires.settings)
        and (c.under_sentence is False or not requires.not_under_sentence)
    ):
        return "decide.form-missing"
    if requires.texts and c.text_version not in requires.texts:
        return "decide.text-not-approved"
    day = c.recorded_at.astimezone(OSLO).date()
    if requires.approved_text and not texts.approved(c.text_version, c.language, day):
        return "decide.text-not-approved"
    return None


def _refuses(c: Consent, q: Question, category: Category) -> bool:
    if not _wide(c, q, category):
        return False
    if c.permits:
        return any(_refuses(e, q, category) for e in c.exceptions)
    return not any(_miss(e, q, category, None, NO_TEXTS) is None for e in c.exceptions)


def _said(c: Consent, q: Question, category: Category) -> bool:
    """Every attribute is said and fits, whatever the day. Consent to a programme or a sanction is none
    to share."""
    return (
        bool(c.categories and (category in c.categories or ANY in c.categories))
        and c.kind == _SHARING
        and bool(c.senders and (ANY in c.senders or c.senders & q.sender))
        and bool(c.recipients and (ANY in c.recipients or c.recipients & q.recipient))
        and bool(c.purposes and (ANY in c.purposes or q.purpose in c.purposes))
        and _data(c, q.data_date, unknown=False)
    )


def _wide(c: Consent, q: Question, category: Category) -> bool:
    """No attribute is said that does not fit."""
    if c.categories and category not in c.categories and ANY not in c.categories:
        return False
    return _on_days(c, q.day) and _near(c, q)


def _near(c: Consent, q: Question) -> bool:
    """As `_wide`, of whatever category and day: what is not near can neither permit nor refuse."""
    return (
        (not c.senders or ANY in c.senders or bool(c.senders & q.sender))
        and (not c.recipients or ANY in c.recipients or bool(c.recipients & q.recipient))
        and (not c.purposes or ANY in c.purposes or q.purpose in c.purposes)
        and _data(c, q.data_date, unknown=True)
    )


def _on_days(c: Consent, day: date) -> bool:
    return (c.valid_from is None or c.valid_from <= day) and (c.valid_to is None or day <= c.valid_to)


def _data(c: Consent, data_date: date | None, *, unknown: bool) -> bool:
    """Whether the data are from the period the document speaks of; `unknown` is the answer for
    data of unknown date."""
    if c.data_from is None and c.data_to is None:
        return True
    if data_date is None:
        return unknown
    return (c.data_from is None or c.data_from <= data_date) and (c.data_to is None or data_date <= c.data_to)


def _refs(consents: Iterable[Consent]) -> tuple[str, ...]:
    return tuple(sorted({c.ref for c in consents}))
