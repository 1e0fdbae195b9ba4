"""Understands the identity desk: which numbers are one person's, and about whom no machine may write.

Everything is done behind the gates of all records concerned, in one transaction: the link, the refusals
that stay, the epochs, the audit leaves, and every disclosure that must be decided again. A person is
always named by what is read from a file: an identity number, or `message:ID` for the record of one message
whose patient was described; a name or a birth date is never matched. Whoever acts says their own name; what
widens sharing (confirm, merge, unprotect) takes two different ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unicodedata import normalize

from sqlalchemy import Connection, select

from consent.on_file import registered_gp
from hub import gates
from hub.audit import log
from hub.audit.log import Kind
from hub.desk import decide_all_again
from hub.errors import Finding, HubError
from hub.parts import Parts, work_of
from hub.rows import prove
from hub.store import consents, disclosures, gps, links, messages, people
from hub.store.links import Link
from hub.store.schema import audit_leaf, disclosure
from mappings.identifiers import is_person_number

LONGEST = 500

_MESSAGE = re.compile(r"message:([A-Za-z0-9]{1,32})")


@dataclass(frozen=True)
class Desk:
    """Who acts, why, and which login typed it. Sealed in the audit leaves; may hold anything."""

    name: str
    reason: str
    login: str


def link(parts: Parts, numbers: Sequence[str], desk: Desk) -> str:
    """Two numbers may be one person's: refusals count on both from now on. Returns `linked`."""
    return _begin(parts, numbers, desk, merge=False)


def merge(parts: Parts, numbers: Sequence[str], desk: Desk) -> str:
    """Two records are one person's. Said by one it is `merge-asked` and counts as a link in doubt; said
    by a second it is `merged`."""
    return _begin(parts, numbers, desk, merge=True)


def confirm(parts: Parts, numbers: Sequence[str], desk: Desk) -> str:
    """A second person knows that it is so: permissions and order count across it. `confirmed`, or
    `merged`. For a described patient it is then known whose number it is, and what was held goes as that
    number's consents say."""
    with at_the_desk(parts, numbers, desk, exactly=2, described=True) as (tx, ids):
        known = _known(tx, ids)
        if known.confirmed:
            raise _refused("link", "state", "a link that is not confirmed yet")
        return _confirm(tx, parts, ids, known, desk)


def unlink(parts: Parts, numbers: Sequence[str], desk: Desk) -> str:
    """The numbers are not one person's after all. Refusals stay on both sides. `unlinked`. A described
    patient has no number again, and nothing more goes."""
    return _end(parts, numbers, desk, merge=False)


def split(parts: Parts, numbers: Sequence[str], desk: Desk) -> str:
    """What was merged is two persons: refusals stay on both sides, permissions and messages where they
    were recorded. `split`."""
    return _end(parts, numbers, desk, merge=True)


def protect(parts: Parts, numbers: Sequence[str], desk: Desk, *, deceased: bool = False) -> str:
    """No automatic message from now on: graded address, or deceased. `protected`.

    Also of a number the hub has not met, so that its first message meets the stop.
    """
    with at_the_desk(parts, numbers, desk, exactly=1, create=True, described=True) as (tx, ids):
        people.stop(tx, ids, address=not deceased, deceased=deceased)
        _changed(tx, parts, ids, desk, "deceased" if deceased else "protect")
        return "protected"


def unprotect(parts: Parts, numbers: Sequence[str], desk: Desk) -> str:
    """`unprotect-asked` when the first asks, `unprotected` when a second agrees."""
    with at_the_desk(parts, numbers, desk, exactly=1, described=True) as (tx, ids):
        if not people.stopped(tx, ids):
            raise _refused("person", "state", "a person who is protected")
        asked, by = people.release_asked_by(tx, ids[0]), _pseudonym(parts, desk)
        if asked is None:
            people.ask_release(tx, ids[0], by)
            _prove(tx, parts, ids, desk, "unprotect-asked")
            return "unprotect-asked"
        if asked == by:
            raise _refused("as", "two-persons", "another person than the one who asked")
        people.release(tx, ids)
        _changed(tx, parts, ids, desk, "unprotect")
        return "unprotected"


def forget(parts: Parts, numbers: Sequence[str], desk: Desk) -> str:
    """Destroy the keys of everything about the person, on all records confirmed to be theirs.
    `forgotten`. Refused while a link is in doubt (it could be somebody else) or a stop stands (the next
    message about the number would not meet it)."""
    with at_the_desk(parts, numbers, desk, exactly=1, described=True) as (tx, ids):
        person = people.load(tx, ids[0])
        if person.linked != person.one:
            raise _refused("link", "in-doubt", "no link in doubt: confirm it, or end it")
        if people.stopped(tx, person.one):
            raise _refused("person", "state", "a person who is not protected")
        _prove(tx, parts, sorted(person.one), desk, "forget")
        for person_id in person.one:
            for known in links.of(tx, person_id):
                links.end(tx, known, parts.clock())
            people.forget(tx, person_id)
        return "forgotten"


def show(parts: Parts, number: str, *, known_at: datetime | None = None) -> dict[str, Any]:
    """What the hub knows of one number's identity, or of a described patient's: its links now or as known
    at a moment, everything that was done at this desk, and what was handed over while a link that has ended
    counted (which messages are affected when two persons were mixed up). Opaque ids only.

    Raises hub.identity-refused, hub.no-such-person.
    """
    [named] = _checked([number], 1, described=True)
    with parts.store.reading() as view:
        found = _find(view, parts, named)
        if found is None:
            raise HubError("hub.no-such-person")
        person = people.load(view, found)
        rows = links.history(view, person.id)
        circle = links.circle(view, person.id, known_at)
        return {
            "person": person.id,
            "protected_address": person.protected_address,
            "deceased": person.deceased,
            "forgotten": person.key is None,
            "unidentified": person.unidentified,
            "registered_gp": registered_gp(
                gps.of_records(view, parts.vault, circle.one),
                at=known_at or parts.clock(),
                known_at=known_at or parts.clock(),
            ),
            "same": sorted(circle.one - {person.id}),
            "perhaps_same": sorted(circle.linked - circle.one),
            "links": [_told(row, person.id) for row in rows if _then(row, known_at)],
            "done": list(_done(view, parts, person)),
            "affected": list(_affected(view, rows)),
        }


def _then(row: Link, known_at: datetime | None) -> bool:
    return known_at is None or (
        row.known_from <= known_at and (row.known_to is None or known_at < row.known_to)
    )


def _told(row: Link, person_id: str) -> dict[str, Any]:
    return {
        "with": row.other(person_id),
        "kind": "merge" if row.merge else "link",
        "confirmed": row.confirmed,
        "known_from": row.known_from,
        "known_to": row.known_to,
    }


def _done(view: Connection, parts: Parts, person: people.Person) -> Iterator[dict[str, Any]]:
    mine = select(audit_leaf).where(audit_leaf.c.person_id == person.id).order_by(audit_leaf.c.id)
    for row in view.execute(mine):
        if person.key is not None and log.kind_of(row) is Kind.IDENTITY:
            said = log.open_private(parts.vault, person.key, row)
            yield {"at": log.time_of(row)} | {
                name: value for name, value in said.items() if name not in ("person", "disclosure")
            }


def _affected(view: Connection, rows: Sequence[Link]) -> Iterator[dict[str, Any]]:
    """Disclosures handed over while a link stood that has ended, of every record that it held together."""
    current = {(row.left_id, row.right_id) for row in rows if row.known_to is None}
    for row in rows:
        if row.known_to is None or (row.left_id, row.right_id) in current:
            continue
        together = links.circle(view, row.left_id, row.known_to - timedelta(microseconds=1)).linked
        while_it_stood = (
            disclosure.c.person_id.in_(sorted(together)),
            disclosure.c.handed_over_at >= row.known_from,
            disclosure.c.handed_over_at < row.known_to,
        )
        for item in disclosures.where(view, *while_it_stood, limit=100_000):
            yield {
                "disclosure": item.id,
                "message": item.message_id,
                "person": item.person_id,
                "recipient": item.recipient,
                "handed_over_at": item.handed_over_at,
                "link_confirmed": row.confirmed,
            }


def _begin(parts: Parts, numbers: Sequence[str], desk: Desk, *, merge: bool) -> str:
    with at_the_desk(parts, numbers, desk, exactly=2, create=not merge, described=True) as (tx, ids):
        known = links.between(tx, *ids)
        if known is not None and merge and known.merge and not known.confirmed:
            return _confirm(tx, parts, ids, known, desk)
        if known is not None and (not merge or known.merge):
            raise _refused("link", "state", "numbers that are not linked yet")
        if known is not None:  # a link becomes a merge, in doubt until a second person says so too
            links.end(tx, known, parts.clock())
        confirmed = known is not None and known.confirmed
        _say(tx, parts, ids, desk, merge=merge, confirmed=confirmed)
        _changed(tx, parts, ids, desk, "merge-asked" if merge else "link")
        return "merge-asked" if merge else "linked"


def _confirm(tx: Connection, parts: Parts, ids: Sequence[str], known: Link, desk: Desk) -> str:
    if known.said_by == _pseudonym(parts, desk):
        raise _refused("as", "two-persons", "another person than the one who said it first")
    links.end(tx, known, parts.clock())
    _say(tx, parts, ids, desk, merge=known.merge, confirmed=True)
    one = links.circle(tx, ids[0]).one
    for name in sorted({disclosures.order_of([person_id]) for person_id in one}):
        parts.store.alone(tx, name)
    disclosures.line_up(tx, one)
    _changed(tx, parts, ids, desk, "merge" if known.merge else "confirm")
    return "merged" if known.merge else "confirmed"


def _end(parts: Parts, numbers: Sequence[str], desk: Desk, *, merge: bool) -> str:
    with at_the_desk(parts, numbers, desk, exactly=2, described=True) as (tx, ids):
        known = _known(tx, ids)
        if known.merge is not merge:
            expected = "a merge; a link is ended with unlink" if merge else "a link; a merge is split"
            raise _refused("link", "state", expected)
        concerned = links.everyone(tx, ids)
        links.end(tx, known, parts.clock())
        sides = [links.circle(tx, person_id).linked for person_id in ids]
        if sides[0] != sides[1]:  # else another link still holds them together
            for person_id, others in zip(ids, reversed(sides), strict=True):
                # Nothing went about somebody unidentified: what was said of another on one word, and taken
                # back, is no part of them.
                if known.confirmed or not people.load(tx, person_id).unidentified:
                    _keep(tx, parts, person_id, others)
        _prove(tx, parts, ids, desk, "split" if merge else "unlink", others=concerned)
        decide_again_after(tx, parts, concerned)
        return "split" if merge else "unlinked"


def _keep(tx: Connection, parts: Parts, holder_id: str, others: frozenset[str]) -> None:
    """What refused on the other side goes on refusing on this one, and so does what stopped it."""
    holder = people.load(tx, holder_id)
    origins = [people.load(tx, person_id) for person_id in sorted(others)]
    if holder.key is not None:
        consents.keep(tx, parts.vault, holder, origins, parts.clock(), parts.new_id)
    people.stop(
        tx,
        {holder_id},
        address=any(origin.protected_address for origin in origins),
        deceased=any(origin.deceased for origin in origins),
    )


def _say(
    tx: Connection, parts: Parts, ids: Sequence[str], desk: Desk, *, merge: bool, confirmed: bool
) -> None:
    by, at = _pseudonym(parts, desk), parts.clock()
    links.begin(tx, parts.new_id(), *ids, merge=merge, confirmed=confirmed, said_by=by, at=at)


def _known(tx: Connection, ids: Sequence[str]) -> Link:
    known = links.between(tx, *ids)
    if known is None:
        raise _refused("link", "state", "two numbers that are linked")
    return known


def _changed(tx: Connection, parts: Parts, ids: Sequence[str], desk: Desk, action: str) -> None:
    """The audit leaves, the epochs of all concerned, and their disclosures again."""
    concerned = links.everyone(tx, ids)
    _prove(tx, parts, ids, desk, action, others=concerned)
    decide_again_after(tx, parts, concerned)


def decide_again_after(tx: Connection, parts: Parts, concerned: frozenset[str]) -> None:
    """What these allow, or what is known of them, has changed."""
    tx.info.setdefault("again", []).extend(decide_all_again(tx, parts, concerned))


def _prove(
    tx: Connection,
    parts: Parts,
    ids: Sequence[str],
    desk: Desk,
    action: str,
    *,
    others: frozenset[str] = frozenset(),
) -> None:
    """A leaf for each record concerned that can still be written about."""
    for person_id in sorted({*ids, *others}):
        person = people.load(tx, person_id)
        if person.key is not None:
            said = {"action": action, "by": desk.name, "login": desk.login, "reason": desk.reason}
            with_whom = sorted({*ids} - {person_id})
            prove(tx, parts, person, Kind.IDENTITY, {**said, "with": with_whom})


@contextmanager
def at_the_desk(
    parts: Parts,
    numbers: Sequence[str],
    desk: Desk,
    *,
    exactly: int,
    create: bool = False,
    described: bool = False,
) -> Iterator[tuple[Connection, list[str]]]:
    """One change, behind the gates of everybody it reaches, and afterwards the work it makes. `described`:
    a line may name a message instead of a number.

    Raises hub.identity-refused with every finding, hub.no-such-person, receive.busy; nothing has
    changed then.
    """
    checked = _checked(numbers, exactly, described=described)
    _check_said(desk)
    # The messages first: a number beside one that does not lead anywhere gets no record.
    messages_first = sorted(range(len(checked)), key=lambda at: not names_message(checked[at]))
    found = {at: _record_of(parts, checked[at], create=create) for at in messages_first}
    ids = [found[at] for at in range(len(checked))]
    if len(set(ids)) != exactly:
        raise _refused("numbers", "same", "numbers that lead to different records")
    with gates.behind(parts.store, *ids), parts.store.writing() as tx:
        if any((known := people.find_by_id(tx, one)) is None or known.key is None for one in ids):
            raise HubError("hub.no-such-person")  # forgotten since it was looked up
        tx.info["again"] = []
        yield tx, ids
        again = [item for ref in tx.info.pop("again") if (item := disclosures.load(tx, ref))]
    # Dying here: it is due, and the sweeper enqueues what is due.
    try:
        parts.queue.publish([work_of(parts, item.id, item.person_id) for item in again])
    except HubError as exc:
        if exc.code != "enqueue.unavailable":
            raise


def _record_of(parts: Parts, number: str, *, create: bool) -> str:
    with parts.store.writing() as tx:
        if create and not names_message(number):
            parts.store.alone(tx, parts.vault.pseudonym("person", number))
            # Dying after this commit: a person without anything, which the next one finds.
            return people.find_or_create(tx, parts.vault, number, parts.clock(), parts.new_id).id
        known = _find(tx, parts, number)
        if known is None:
            raise HubError("hub.no-such-person")
        return known


def names_message(line: str) -> bool:
    """Whether a line names a message, and not a number."""
    return _MESSAGE.fullmatch(line) is not None


def _find(tx: Connection, parts: Parts, named: str) -> str | None:
    """The record that a line names. That of a message only if its patient was described: a numbered person
    is named by the number, so that whoever mistakes a message for another reaches nobody."""
    said = _MESSAGE.fullmatch(named)
    if said is None:
        return people.find_id(tx, parts.vault, named)
    stored = messages.load(tx, said[1])
    if stored is None or not people.is_described(tx, stored.person_id):
        return None
    return stored.person_id


def _checked(numbers: Sequence[str], exactly: int, *, described: bool) -> list[str]:
    if described:
        expected = "an identity number with valid check digits, or message:ID"
    else:
        expected = "an identity number with valid check digits"
    findings = [
        Finding(f"line {index}", "number", expected)
        for index, number in enumerate(numbers, 1)
        if not (is_person_number(number) or (described and names_message(number)))
    ]
    if len(numbers) != exactly:
        findings.append(Finding("numbers", "count", f"{exactly} on lines of their own"))
    if findings:
        raise HubError("hub.identity-refused", findings)
    return list(numbers)


def _check_said(desk: Desk) -> None:
    findings = [
        Finding(name, "text", f"1 to {LONGEST} printable characters")
        for name, text in (("as", desk.name), ("reason", desk.reason))
        if not text.strip() or not text.isprintable() or len(text) > LONGEST
    ]
    if findings:
        raise HubError("hub.identity-refused", findings)


def _pseudonym(parts: Parts, desk: Desk) -> str:
    """The same for the same name, however it is typed."""
    return parts.vault.pseudonym("desk", " ".join(normalize("NFKC", desk.name).casefold().split()))


def _refused(at: str, rule: str, expected: str) -> HubError:
    return HubError("hub.identity-refused", [Finding(at, rule, expected)])
