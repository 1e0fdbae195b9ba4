"""Understands one hold, opened: who may open it, what of it is held now, and how a reader is shown it.

It changes nothing, and nothing here is on record: that somebody reads is written by `hub/holds.py`, before
anything is shown. What is shown is the held leaves, what was found in them and the row that asks; never the
rest of the record, nor what the person has said.

Who may read: somebody of the agency that wrote it, or of one that serves that agency; never the recipient's
own, who would then have it, and never a control role, for which holds that come and go would tell of
consents and refusals.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from consent.freetext import normalise
from consent.intake import read as read_consent
from consent.rows import Row
from consent.said import OSLO
from hub import pipeline
from hub.answers import (
    Book,
    Content,
    Entry,
    OnLeaf,
    findings,
    is_doubtful,
    is_legible,
)
from hub.case import Case, content, read_book, read_case
from hub.errors import HubError
from hub.message import (
    CONTROL_SECTORS,
    Agency,
    Category,
    Decision,
    Item,
    Outcome,
    Purpose,
    Verdict,
    walk,
)
from hub.parts import Parts
from hub.store import disclosures, messages, on_file
from hub.store.disclosures import Disclosure, State
from hub.store.schema import disclosure
from mappings.fields import Text

_OBJECTED = frozenset({"decide.objection", "decide.override-refused"})


@dataclass(frozen=True)
class Reader:
    """Who sits at the desk: a login name of its own, an agency, and the roles that count for overrides."""

    name: str
    agency: Agency
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Piece:
    """A piece of a text: a hit with the term and its strength, or what stands between hits."""

    text: str = field(repr=False)
    term: str = ""
    strength: str = ""


@dataclass(frozen=True)
class ShownLeaf:
    """One held leaf as its reader sees it. `heard` is the text with hits marked, as the hub reads it, which
    differs from `text` where `rewritten`. Only what is `legible` can be released. `rows` are those that
    could let it go."""

    path: str
    title: Text
    code: str
    text: str = field(repr=False)
    heard: tuple[Piece, ...] = field(repr=False)
    rewritten: bool
    doubtful: bool
    legible: bool
    declared: frozenset[Category]
    raised: frozenset[Category]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Proposal:
    """What the first person proposed: the word on each leaf and what that person found there."""

    reader: str
    at: datetime
    reason: str = field(repr=False)
    leaves: Mapping[str, OnLeaf]


@dataclass(frozen=True)
class Facts:
    """What may be known of one hold before it is opened."""

    id: str
    age: timedelta
    code: str
    recipient: Agency
    purpose: Purpose
    agreement: Text
    leaves: int
    proposed_by: str | None


@dataclass(frozen=True)
class Shown:
    """One hold, opened."""

    facts: Facts
    leaves: tuple[ShownLeaf, ...]
    proposal: Proposal | None


def may_read(reader: Agency, sender: Agency, recipient: Agency) -> bool:
    """Whether somebody of this agency may see held content on its way between the two."""
    if reader.sector in CONTROL_SECTORS or reader.org == recipient.org:
        return False
    return reader.org == sender.org or sender.org in reader.serves


@dataclass(frozen=True)
class Held:
    """A disclosure with what of it is held now."""

    item: Disclosure
    case: Case
    sender: Agency
    book: Book
    content: Content
    decision: Decision
    leaves: tuple[Item, ...]
    values: Mapping[str, Any] = field(repr=False)
    hits: Mapping[str, list[tuple[str, str, int, int]]]
    codes: Mapping[str, str]


def held_rows(view: Connection, limit: int) -> list[Disclosure]:
    oldest = (
        select(disclosure.c.id)
        .where(disclosure.c.state == State.WAITING, disclosure.c.outcome == Outcome.HELD)
        .order_by(disclosure.c.created_at, disclosure.c.id)
        .limit(limit)
    )
    found = disclosures.where(view, disclosure.c.id.in_(oldest), limit=limit)
    return sorted(found, key=lambda item: (item.created_at, item.id))


def person_of(parts: Parts, hold_id: str) -> str:
    """Whose gate to take."""
    with parts.store.reading() as view:
        item = disclosures.load(view, hold_id)
    if item is None:
        raise HubError("hold.not-found")
    return item.person_id


def is_readers(view: Connection, parts: Parts, item: Disclosure, reader: Reader) -> bool:
    stored = messages.load(view, item.message_id)
    sender = parts.agency(stored.sender) if stored else None
    recipient = parts.agency(item.recipient)
    return sender is not None and recipient is not None and may_read(reader.agency, sender, recipient)


def find(
    tx: Connection, parts: Parts, hold_id: str, reader: Reader, *, objected: bool | None = False
) -> Held:
    """A hold that this reader may open; with `objected`, something that waits because of an objection, for
    the agency it comes from; with None, either. Anything else is hold.not-found."""
    item = disclosures.load(tx, hold_id)
    if item is None or item.state is not State.WAITING or not is_readers(tx, parts, item, reader):
        raise HubError("hold.not-found")
    if item.due_at is not None and item.due_at <= parts.clock():
        raise HubError("hold.not-found")  # its time is out; the sweeper ends it
    held = open_hold(tx, parts, item)
    if held is None:
        raise HubError("hold.not-found")
    is_held = item.outcome == Outcome.HELD and bool(held.leaves)
    is_objected = reader.agency.org == held.sender.org and bool(objections(held))
    if not (is_held and objected is not True) and not (is_objected and objected is not False):
        raise HubError("hold.not-found")
    return held


def open_hold(tx: Connection, parts: Parts, item: Disclosure) -> Held | None:
    """None when nobody can open it any more, or a party of it is missing."""
    try:
        case = read_case(tx, parts, item)
    except HubError:
        return None
    if case is None:
        return None
    given = on_file.of_person(tx, parts.vault, case.person, read_consent)
    decision, _ = pipeline.decide_for(
        parts, case.route, case.labelled, case.person, given, parts.clock(), case.said
    )
    codes = {
        one.path: one.reason
        for one in decision.items
        if one.verdict is Verdict.HOLD and one.path not in case.sent
    }
    leaves = tuple(item for item in case.labelled.items if item.path in codes)
    values = dict(walk(case.labelled.record.fields))
    return Held(
        item,
        case,
        case.route.sender,
        read_book(tx, parts, case.person, item),
        content(parts, case.route, case.labelled, case.person),
        decision,
        leaves,
        values,
        {leaf.path: findings(values.get(leaf.path)) for leaf in leaves},
        codes,
    )


def facts_of(parts: Parts, held: Held) -> Facts:
    agreement, proposed = held.case.route.agreement, held.book.proposed
    return Facts(
        held.item.id,
        parts.clock() - held.item.created_at,
        held.item.code or "",
        held.case.route.recipient,
        agreement.purpose,
        agreement.title,
        len(held.leaves),
        proposed.reader if proposed else None,
    )


def shown_leaf(parts: Parts, held: Held, leaf: Item) -> ShownLeaf:
    text = _as_text(held.values.get(leaf.path))
    heard = normalise(text)
    spec = parts.types[held.case.labelled.record.type].by_path.get(leaf.field)
    return ShownLeaf(
        path=leaf.path,
        title=spec.says if spec else Text(leaf.field, leaf.field),
        code=held.codes[leaf.path],
        text=text,
        heard=_pieces(heard, held.hits[leaf.path]),
        rewritten=heard != text,
        doubtful=is_doubtful(leaf, held.hits[leaf.path]),
        declared=leaf.declared,
        legible=is_legible(held.values.get(leaf.path)),
        raised=leaf.categories - leaf.declared,
        rows=_asking(parts, held.case, leaf),
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _pieces(heard: str, hits: Iterable[tuple[str, str, int, int]]) -> tuple[Piece, ...]:
    """The whole text in pieces. Of hits that overlap, the first is marked."""
    made, at = [], 0
    for term, strength, start, end in hits:
        if start < at:
            continue
        if start > at:
            made.append(Piece(heard[at:start]))
        made.append(Piece(heard[start:end], term, strength))
        at = end
    if at < len(heard) or not made:
        made.append(Piece(heard[at:]))
    return tuple(made)


def _asking(parts: Parts, case: Case, leaf: Item) -> tuple[Row, ...]:
    """The rows in force that could let the leaf go, once somebody has read it."""
    route, day = case.route, parts.clock().astimezone(OSLO).date()
    found = parts.pack.between(route.sender.sector, route.recipient.sector, route.agreement.purpose)
    return tuple(
        row
        for row in found
        if row.in_force(day=day, known=day)
        and row.covers_field(leaf.field)
        and row.categories & leaf.declared
    )


def proposal_of(proposed: Entry | None) -> Proposal | None:
    if proposed is None:
        return None
    return Proposal(proposed.reader, proposed.at, proposed.reason, proposed.leaves)


def objections(held: Held) -> list[tuple[str, str]]:
    """Path and row of what an objection of the person stops."""
    return [
        (one.path, one.row or "")
        for one in held.decision.items
        if one.reason in _OBJECTED and one.path not in held.case.sent
    ]
