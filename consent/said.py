"""Understands what one person's consents and refusals, taken together, say about one question.

The heart is an asymmetry: doubt widens a refusal and narrows a permission. An attribute that was
not said matches everything in a refusal and nothing in a permission; a permission is replaced by
anything that claims to replace it, a refusal only by a readable document of the same grantor that
is in force. It must not know policy rows beyond what they demand of a form, nor any message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from consent.rows import Requires
from hub.message import ANY, CONTROL_SECTORS, Category, Consent, Purpose, Sector

DEPTH = 2
"""How many levels of exceptions can be evaluated: an exception, and an exception to that."""

_SHARING = "sharing"
_KINDS = frozenset({_SHARING, "programme"})
_SECTORS = frozenset(sector.value for sector in Sector) | {ANY}
_PURPOSES = frozenset(purpose.value for purpose in Purpose) | {ANY}
_CATEGORIES = frozenset(category.value for category in Category) | {ANY}


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
    """What stands at one moment: the documents that may permit, those that may refuse, those that
    were withdrawn, and whether one of them cannot be evaluated at all."""

    permitting: tuple[Consent, ...]
    refusing: tuple[Consent, ...]
    withdrawn: tuple[Consent, ...]
    unreadable: tuple[str, ...]
    any_permission: bool

    def permits(self, question: Question, category: Category, requires: Requires) -> tuple[str, ...]:
        """The documents that permit it, in a form that counts: refs, sorted."""
        return _refs(c for c in self.permitting if _permits(c, question, category, requires))

    def refuses(self, question: Question, category: Category) -> tuple[str, ...]:
        return _refs(c for c in self.refusing if _refuses(c, question, category))

    def permitted_once(self, question: Question, category: Category, requires: Requires) -> tuple[str, ...]:
        """The withdrawn documents that would permit it, had they not been withdrawn."""
        return _refs(c for c in self.withdrawn if _permits(c, question, category, requires))


def what_stands(consents: Sequence[Consent], question: Question, *, at: datetime, known_at: datetime) -> Said:
    """What the person has said, as in force `at` and as the hub knew it `known_at`."""
    known, unreadable = _known(consents, known_at)
    moment = min(at, known_at)
    readable = {ref: c for ref, c in known.items() if ref not in unreadable}
    gone = {ref for ref, c in readable.items() if c.withdrawn_at is not None and c.withdrawn_at <= moment}
    in_force: dict[str, list[Consent]] = {}
    for ref, c in readable.items():
        if ref not in gone and _in_force(c, question.day):
            for name in {c.id, c.replaces or c.id}:
                in_force.setdefault(name, []).append(c)
    claimed_ids, claimed = _claims(known.values())
    permitting: list[Consent] = []
    withdrawn: list[Consent] = []
    refusing: list[Consent] = []
    blocking = {ref for ref in unreadable if ref not in known or not _settled(known[ref], in_force)}
    for ref, c in readable.items():
        if not _near(c, question):
            continue
        # Withdrawing a permission takes nothing back of what it refused in its exceptions.
        if (c.permits or ref not in gone) and not _settled(c, in_force):
            refusing.append(_inherited(c))
        if c.only_refuses or ref in claimed or c.id in claimed or claimed_ids[c.id] > c.version:
            continue
        (withdrawn if ref in gone else permitting).append(_inherited(c))
    any_permission = any((c.permits or c.exceptions) and not c.only_refuses for c in known.values())
    return Said(tuple(permitting), tuple(refusing), tuple(withdrawn), tuple(sorted(blocking)), any_permission)


def _known(consents: Sequence[Consent], known_at: datetime) -> tuple[dict[str, Consent], set[str]]:
    """What the hub knew, by ref, and which of it cannot be evaluated. Two documents under one ref
    that differ are both unreadable: nobody can say which one the person signed."""
    known: dict[str, Consent] = {}
    unreadable: set[str] = set()
    for c in consents:
        if c.recorded_at.tzinfo is None:
            known.setdefault(c.ref, c)
            unreadable.add(c.ref)
        elif c.recorded_at <= known_at and (known.setdefault(c.ref, c) != c or not _readable(c)):
            unreadable.add(c.ref)
    return known, unreadable


def _claims(known: Iterable[Consent]) -> tuple[dict[str, int], set[str]]:
    """The newest version of each id, and what some document claims to replace."""
    newest: dict[str, int] = {}
    claimed: set[str] = set()
    for c in known:
        newest[c.id] = max(newest.get(c.id, 0), c.version)
        if c.replaces is not None:
            claimed.add(c.replaces)
    return newest, claimed


def _settled(old: Consent, in_force: Mapping[str, Sequence[Consent]]) -> bool:
    """Whether a document in force stands, beyond doubt, in the place of this one. `in_force` holds
    them by their id and by what they replace."""
    if old.recorded_at.tzinfo is None:
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
    if c.withdrawn_at is not None and c.withdrawn_at.tzinfo is None:
        return False
    return _sound(c) and all(_sound_exception(e, c, DEPTH) for e in c.exceptions)


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
    return (c.purposes or frozenset()) <= _PURPOSES and (c.categories or frozenset()) <= _CATEGORIES


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
    return replace(c, exceptions=tuple(_inherited(_as_in(c, e)) for e in c.exceptions))


def _as_in(parent: Consent, e: Consent) -> Consent:
    own_data = e.data_from is not None or e.data_to is not None
    return replace(
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


def _permits(c: Consent, q: Question, category: Category, requires: Requires) -> bool:
    if not _narrow(c, q, category):
        return False
    if not c.permits:
        return any(_permits(e, q, category, requires) for e in c.exceptions)
    return _form(c, category, requires) and not any(_refuses(e, q, category) for e in c.exceptions)


def _refuses(c: Consent, q: Question, category: Category) -> bool:
    if not _wide(c, q, category):
        return False
    if c.permits:
        return any(_refuses(e, q, category) for e in c.exceptions)
    return not any(_permits(e, q, category, _ANY_FORM) for e in c.exceptions)


_ANY_FORM = Requires()


def _form(c: Consent, category: Category, requires: Requires) -> bool:
    """Whether the document is what the row demands. A control role cannot collect a permission to
    share substance use, and who collected it must be known."""
    if category is Category.SUBSTANCE_USE and (c.recorder is None or c.recorder in CONTROL_SECTORS):
        return False
    return (
        c.kind == _SHARING
        and (c.signed or not requires.signed)
        and (c.explained or not requires.explained)
        and (not requires.forms or c.form in requires.forms)
        and (not requires.grantors or c.grantor in requires.grantors)
        and (not requires.texts or c.text_version in requires.texts)
    )


def _narrow(c: Consent, q: Question, category: Category) -> bool:
    """Every attribute is said and fits. A document without a first or last day permits nothing."""
    return (
        c.valid_from is not None
        and c.valid_to is not None
        and c.valid_from <= q.day <= c.valid_to
        and bool(c.senders and (ANY in c.senders or c.senders & q.sender))
        and bool(c.recipients and (ANY in c.recipients or c.recipients & q.recipient))
        and bool(c.purposes and (ANY in c.purposes or q.purpose in c.purposes))
        and bool(c.categories and (ANY in c.categories or category in c.categories))
        and _data(c, q.data_date, unknown=False)
    )


def _wide(c: Consent, q: Question, category: Category) -> bool:
    """No attribute is said that does not fit."""
    return _near(c, q) and not (c.categories and ANY not in c.categories and category not in c.categories)


def _near(c: Consent, q: Question) -> bool:
    """As `_wide`, of whatever category: what is not near can neither permit nor refuse."""
    return (
        (c.valid_from is None or c.valid_from <= q.day)
        and (c.valid_to is None or q.day <= c.valid_to)
        and (not c.senders or ANY in c.senders or bool(c.senders & q.sender))
        and (not c.recipients or ANY in c.recipients or bool(c.recipients & q.recipient))
        and (not c.purposes or ANY in c.purposes or q.purpose in c.purposes)
        and _data(c, q.data_date, unknown=True)
    )


def _data(c: Consent, data_date: date | None, *, unknown: bool) -> bool:
    """Whether the data are from the period the document speaks of; `unknown` is the answer for
    data of unknown date."""
    if c.data_from is None and c.data_to is None:
        return True
    if data_date is None:
        return unknown
    return (c.data_from is None or c.data_from <= data_date) and (c.data_to is None or data_date <= c.data_to)


def _refs(consents: Iterator[Consent]) -> tuple[str, ...]:
    return tuple(sorted({c.ref for c in consents}))
