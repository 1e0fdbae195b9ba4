"""Understands the desk where persons answer what the hub may not decide alone: held leaves, and objections
that somebody wants to set aside.

    read        see the held leaves; on record before anything is shown
    answer      release, refuse, or return to the sender
    override    set an objection aside, where a policy row lets that role do so
    confirm     the second person, where one is not enough

Nothing here hands anything over. An answer lets the disclosure be decided again, by the same function and
behind the same gate as always, so that a withdrawal between the answer and the hand-over stops it. Every
answer makes the same traffic, whichever it is (docs/decisions/0001).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from consent.freetext import normalise
from consent.rows import Row
from hub.answers import (
    Act,
    Entry,
    OnLeaf,
    Word,
    as_line,
    is_doubtful,
    is_legible,
)
from hub.audit.log import Kind, open_private
from hub.errors import Finding, HubError
from hub.held import (
    Facts,
    Held,
    Reader,
    Shown,
    facts_of,
    find,
    held_rows,
    is_readers,
    objections,
    open_hold,
    person_of,
    proposal_of,
    shown_leaf,
)
from hub.message import (
    CONTROL_SECTORS,
    Agency,
    Category,
    Item,
    Outcome,
)
from hub.parts import Parts, work_of
from hub.rows import prove
from hub.store import disclosures, holds, links
from hub.store.disclosures import Disclosure, State
from hub.store.people import Person
from hub.store.schema import audit_leaf, consent, disclosure, kept_refusal, person

MANY_IN_AN_HOUR, MANY_IN_A_DAY = 20, 60
"""Reads by one person beyond which somebody should ask why."""

_LONGEST = 500
_MOST = 1_000
_NEVER_TICKED = frozenset({Category.UNKNOWN})


@dataclass(frozen=True)
class Listed:
    """A hold in the list: no content. `leaves` is None when it cannot be opened now. `proposed`: it waits
    for a second person."""

    id: str
    age: timedelta
    recipient: Agency
    code: str
    leaves: int | None
    proposed: bool


@dataclass(frozen=True)
class Answered:
    """What became of an answer. `waits`: nothing moves before a second person confirms. `told`: the sender
    learns of the return. `notify`: the person must be told of the override."""

    waits: bool = False
    told: bool = False
    notify: bool = False


@dataclass(frozen=True)
class Reads:
    """How often somebody opened a hold."""

    reader: str
    hour: int
    day: int
    month: int

    @property
    def many(self) -> bool:
        return self.hour > MANY_IN_AN_HOUR or self.day > MANY_IN_A_DAY


def listed(parts: Parts, reader: Reader | None = None, limit: int = _MOST) -> list[Listed]:
    """What is held, oldest first; for a reader, what that reader may open."""
    made = []
    with parts.store.reading() as view:
        for item in held_rows(view, limit):
            if reader is not None and not is_readers(view, parts, item, reader):
                continue
            opened = open_hold(view, parts, item)
            recipient = parts.agency(item.recipient)
            if recipient is None or (opened is not None and not opened.leaves):
                continue
            made.append(
                Listed(
                    item.id,
                    parts.clock() - item.created_at,
                    recipient,
                    item.code or "",
                    len(opened.leaves) if opened else None,
                    bool(opened and opened.book.proposed),
                )
            )
    return made


def facts(parts: Parts, hold_id: str, reader: Reader) -> Facts:
    """What is known of a hold without opening it. Raises hold.not-found."""
    with parts.store.reading() as view:
        return facts_of(parts, find(view, parts, hold_id, reader))


def read(parts: Parts, hold_id: str, reader: Reader) -> Shown:
    """Open a hold. That it was read, by whom, is committed before anything is returned.

    Raises hold.not-found for what is not held, and for what this reader may not see.
    """
    with parts.store.gate(person_of(parts, hold_id)), parts.store.writing() as tx:
        held = find(tx, parts, hold_id, reader)
        seen = {leaf.path: OnLeaf(held.content.digests[leaf.path], Word.SEEN) for leaf in held.leaves}
        _write(tx, parts, held, Kind.READ, _entry(parts, reader, Act.READ, leaves=seen))
        shown = Shown(
            facts_of(parts, held),
            tuple(shown_leaf(parts, held, leaf) for leaf in held.leaves),
            proposal_of(held.book.proposed),
        )
    # Dying here: it counts as read, and nobody has seen it.
    return shown


def answer(
    parts: Parts,
    hold_id: str,
    reader: Reader,
    word: Word,
    *,
    reason: str,
    only: Iterable[str] = (),
    found: Mapping[str, Iterable[Category]] | None = None,
) -> Answered:
    """Release, refuse or return all held leaves of a hold. With `only`, those are released and the others
    refused; `found` names what the reader finds a leaf to tell about, beyond what its field declares.

    Raises hold.not-found, hold.unread, hold.invalid with every finding; nothing has changed then.
    """
    chosen, ticked = frozenset(only), {path: frozenset(c) for path, c in (found or {}).items()}
    with parts.store.gate(person_of(parts, hold_id)), parts.store.writing() as tx:
        held = find(tx, parts, hold_id, reader)
        paths = {leaf.path for leaf in held.leaves}
        _check(word, reason, chosen, ticked, paths)
        digests = {path: held.content.digests[path] for path in paths}
        if not held.book.has_read(reader.name, digests):
            raise HubError("hold.unread")
        leaves = {
            leaf.path: OnLeaf(
                digests[leaf.path],
                Word.REFUSE if chosen and leaf.path not in chosen else word,
                ticked.get(leaf.path, frozenset()),
                is_doubtful(leaf, held.hits[leaf.path]),
            )
            for leaf in held.leaves
        }
        told = word is Word.RETURN and _may_tell(tx, parts, held)
        _check_legible(held, leaves)
        entry = _entry(parts, reader, Act.ANSWER, reason=reason, leaves=leaves, told=told)
        _write(tx, parts, held, Kind.HOLD, entry)
        if not entry.takes_two:
            _decide_again(tx, parts, held.item)
    return _moved(parts, held.item, Answered(waits=entry.takes_two, told=told))


def override(parts: Parts, hold_id: str, reader: Reader, *, role: str, ground: str, reason: str) -> Answered:
    """Propose to set an objection aside: where the row that was objected to allows it, on its ground, for a
    role that the reader has. A second person confirms.

    Raises hold.not-found, hold.no-override, hold.invalid.
    """
    with parts.store.gate(person_of(parts, hold_id)), parts.store.writing() as tx:
        held = find(tx, parts, hold_id, reader, objected=True)
        if faults := _reason_faults(reason):
            raise HubError("hold.invalid", faults)
        if role not in reader.roles or not _overridable(parts, held, role, ground):
            raise HubError("hold.no-override")
        entry = _entry(
            parts, reader, Act.OVERRIDE, reason=reason, ground=ground, role=role, whole=held.content.whole
        )
        _write(tx, parts, held, Kind.HOLD, entry)
    return Answered(waits=True)


def confirm(parts: Parts, hold_id: str, reader: Reader) -> Answered:
    """Confirm what somebody else proposed about a hold, as it was proposed.

    Raises hold.not-found, hold.nothing-proposed, hold.second-person, hold.changed, hold.unread.
    """
    with parts.store.gate(person_of(parts, hold_id)), parts.store.writing() as tx:
        held = find(tx, parts, hold_id, reader, objected=None)
        proposed = held.book.proposed
        if proposed is None:
            raise HubError("hold.nothing-proposed")
        if _same_person(proposed.reader, reader.name):
            raise HubError("hold.second-person")
        notify = False
        if proposed.act is Act.OVERRIDE:
            if proposed.whole != held.content.whole:
                raise HubError("hold.changed")
            if not (rows := _overridable(parts, held, proposed.role, proposed.ground)):
                raise HubError("hold.no-override")
            notify = any(row.override and row.override.notify_person for row in rows)
        else:
            _as_proposed(held, proposed, reader)
        entry = _entry(parts, reader, Act.CONFIRM, confirms=proposed.id)
        _write(tx, parts, held, Kind.HOLD, entry, notify_person=notify)
        final = held.item.outcome in (Outcome.WITHHELD, Outcome.REJECTED)
        again = {"outcome": None, "code": None} if final and proposed.act is Act.OVERRIDE else {}
        _decide_again(tx, parts, held.item, **again)
    return _moved(parts, held.item, Answered(notify=notify))


def reads(parts: Parts) -> list[Reads]:
    """Who opened holds how often, in the last hour, day and thirty days; most in a day first."""
    now = parts.clock()
    times: dict[str, list[timedelta]] = {}
    with parts.store.reading() as view:
        rows = view.execute(
            select(audit_leaf, person.c.wrapped_key.label("person_key"))
            .join(person, person.c.id == audit_leaf.c.person_id)
            .where(audit_leaf.c.public.contains(f'"kind":"{Kind.READ}"', autoescape=True))
        )
        for row in rows:
            ago = now - datetime.fromisoformat(json.loads(row.public)["at"])
            if ago <= timedelta(days=30) and row.person_key is not None:
                said = open_private(parts.vault, row.person_key, row)
                times.setdefault(str(said["reader"]), []).append(ago)
    made = [
        Reads(
            reader,
            sum(ago <= timedelta(hours=1) for ago in spans),
            sum(ago <= timedelta(days=1) for ago in spans),
            len(spans),
        )
        for reader, spans in times.items()
    ]
    return sorted(made, key=lambda one: (-one.day, -one.month, one.reader))


# -- answering --


def _check(
    word: Word,
    reason: str,
    chosen: frozenset[str],
    ticked: Mapping[str, frozenset[Category]],
    paths: set[str],
) -> None:
    faults = _reason_faults(reason)
    if (chosen or ticked) and word is not Word.RELEASE:
        faults.append(Finding("only", "answer", "leaves and categories only where something is released"))
    for path in sorted((chosen | ticked.keys()) - paths):
        at = path if path.isprintable() and len(path) <= 200 else "path"
        faults.append(Finding(at, "path", "the path of a held leaf"))
    if any(categories & _NEVER_TICKED for categories in ticked.values()):
        faults.append(Finding("found", "category", "a category by its name, not unknown"))
    if faults:
        raise HubError("hold.invalid", faults)


def _check_legible(held: Held, leaves: Mapping[str, OnLeaf]) -> None:
    faults = [
        Finding(path, "legible", "text that a person can read")
        for path, leaf in leaves.items()
        if leaf.word is Word.RELEASE and not is_legible(held.values.get(path))
    ]
    if faults:
        raise HubError("hold.invalid", faults)


def _reason_faults(reason: str) -> list[Finding]:
    if reason.strip() and reason.isprintable() and len(reason) <= _LONGEST:
        return []
    return [Finding("reason", "text", f"1 to {_LONGEST} printable characters")]


def _as_proposed(held: Held, proposed: Entry, reader: Reader) -> None:
    """The second person confirms what the first one saw, and has seen it too."""
    digests = {path: leaf.digest for path, leaf in proposed.leaves.items()}
    if any(held.content.digests.get(path) != digest for path, digest in digests.items()):
        raise HubError("hold.changed")
    released = {path: digests[path] for path, leaf in proposed.leaves.items() if leaf.word is Word.RELEASE}
    if not held.book.has_read(reader.name, released):
        raise HubError("hold.unread")


def _same_person(one: str, other: str) -> bool:
    return normalise(one).casefold() == normalise(other).casefold()


def _overridable(parts: Parts, held: Held, role: str, ground: str) -> list[Row]:
    """The rows objected to that let this role go on, on this ground."""
    refs = {ref for _, row in objections(held) for ref in row.split("+")}
    return [
        row
        for row in parts.pack.rows
        if row.ref in refs
        and row.override is not None
        and role in row.override.roles
        and ground == row.override.ground
    ]


def _may_tell(tx: Connection, parts: Parts, held: Held) -> bool:
    """Whether the sender may learn that its text came back. That it was held at all tells that the rest
    may go: a control role learns that only where it sees the delivery anyhow, and nothing was said by the
    person since, so that the return cannot tell of it."""
    if held.sender.sector not in CONTROL_SECTORS:
        return True
    item = held.item
    agreement = parts.find_agreement(item.agreement)
    if agreement is None or not agreement.sender_sees:
        return False
    delivered = tx.scalar(
        select(disclosure.c.handed_over_at).where(
            disclosure.c.message_id == item.message_id,
            disclosure.c.agreement == item.agreement,
            disclosure.c.recipient == item.recipient,
            disclosure.c.revision == 1,
        )
    )
    return delivered is not None and not _was_said_since(tx, held.case.person, delivered)


def _was_said_since(tx: Connection, person: Person, at: datetime) -> bool:
    """Whether anything that counts for the person was said after that: on a linked record, or a link
    itself, which brings or takes away what others said."""
    records = sorted(person.linked | {person.id})
    moments: set[datetime | None] = set()
    for table, began, ended in (
        (consent, "recorded_at", "withdrawn_at"),
        (consent, "recorded_at", "permissions_ended_at"),
        (kept_refusal, "kept_at", "withdrawn_at"),
    ):
        latest = select(func.max(table.c[began]), func.max(table.c[ended]))
        moments.update(tx.execute(latest.where(table.c.person_id.in_(records))).one())
    known = (row for record in records for row in links.history(tx, record))
    moments.update(moment for row in known for moment in (row.known_from, row.known_to))
    return any(moment is not None and moment > at for moment in moments)


def _entry(parts: Parts, reader: Reader, act: Act, **said: Any) -> Entry:
    return Entry(0, act, reader.name, parts.clock(), **said)


def _write(
    tx: Connection, parts: Parts, held: Held, kind: Kind, entry: Entry, *, notify_person: bool = False
) -> None:
    """The line of the book and its audit leaf. Paths name fields; an index in a path could count."""
    holds.write(tx, parts.vault, held.case.person, held.item, entry.at, as_line(entry))
    words = sorted({(_field(path), leaf.word.value) for path, leaf in entry.leaves.items()})
    what = {
        "act": entry.act.value,
        "reader": entry.reader,
        "reason": entry.reason,
        "recipient": held.item.recipient,
        "fields": [f"{name} {word}" for name, word in words],
        "ground": entry.ground,
        "role": entry.role,
        "confirms": entry.confirms or 0,
        "notify_person": notify_person,
    }
    prove(tx, parts, held.case.person, kind, what, disclosure=held.item.id)


def _field(path: str) -> str:
    return Item(path, frozenset(), frozenset()).field


def _decide_again(tx: Connection, parts: Parts, item: Disclosure, **values: Any) -> None:
    due = parts.clock()
    disclosures.move(tx, item, State.QUEUED, due_at=due, **values, **disclosures.NO_RENDERING)


def _moved(parts: Parts, item: Disclosure, answered: Answered) -> Answered:
    """After the commit. Dying before the broker knows: it is due, and the sweeper enqueues what is due."""
    if not answered.waits:
        try:
            parts.queue.publish([work_of(parts, item.id, item.person_id)])
        except HubError as exc:
            if exc.code != "enqueue.unavailable":
                raise
    return answered
