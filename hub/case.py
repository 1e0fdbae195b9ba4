"""Understands one disclosure as it stands: its route and its record, read again from what is sealed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub import desk, pipeline
from hub.answered import answered, original
from hub.answers import NOTHING, Book, Content, Counts, add_up, as_entry, content_of, counting
from hub.errors import HubError
from hub.message import Labelled, Record
from hub.parts import Parts
from hub.rows import open_paths, open_tried
from hub.shapes import Route
from hub.store import holds, messages, people
from hub.store.disclosures import Disclosure
from hub.store.people import Person


@dataclass(frozen=True)
class Case:
    """`sent`: the leaves that an earlier revision delivered. `tried`: those that every earlier attempt
    of this one carried, if one may have arrived without our knowing. `told` is False for a notice to
    somebody who got nothing that it is about. `superseded`: a newer message says all that this does.
    `said` is what persons at the desk said that counts now."""

    item: Disclosure
    route: Route
    person: Person
    labelled: Labelled
    sent: frozenset[str]
    told: bool = True
    tried: frozenset[str] | None = None
    superseded: bool = False
    said: Counts = NOTHING


def read_case(tx: Connection, parts: Parts, item: Disclosure) -> Case | None:
    """Everything about one disclosure, labelled with today's lists. None when its key was destroyed:
    then nothing can ever be sent. Raises what an operator can mend: a party that is missing from the
    directory (route.recipient-unknown), keys that do not fit (seal.key-destroyed)."""
    person = people.load(tx, item.person_id)
    stored = messages.load(tx, item.message_id)
    if stored is None or person.key is None or messages.is_forgotten(tx, stored.id):
        return None
    sender, recipient = parts.agency(stored.sender), parts.agency(item.recipient)
    if sender is None or recipient is None:
        raise HubError("route.recipient-unknown")
    record = messages.open_record(tx, parts.vault, person, stored)
    sent = open_paths(tx, parts, person, item.id)
    agreement = parts.agreement(item.agreement)
    notice = agreement.source.type == desk.WITHDRAWN
    if notice:
        got = desk.got_under(tx, parts, person, item, sender, record)
        answers = got.id if got else None
    else:
        answers = _answered(tx, record)
    route = Route(
        item.id,
        agreement,
        sender,
        recipient,
        stored.received_at,
        answers,
        original=original(tx, parts, agreement, answers),
    )
    labelled = pipeline.label_record(parts, record, sender)
    book = read_book(tx, parts, person, item)
    said = (
        counting(book, content(parts, route, labelled, person)) if book.leaves or book.override else NOTHING
    )
    told = not notice or answers is not None
    tried = open_tried(tx, parts, person, item.id)
    return Case(item, route, person, labelled, sent, told, tried, stored.superseded, said)


def read_book(tx: Connection, parts: Parts, person: Person, item: Disclosure) -> Book:
    """Everything that was said at the desk about this message to this recipient, of every revision.
    Raises seal.key-destroyed."""
    lines = holds.of_flow(tx, parts.vault, person, item)
    return add_up(as_entry(line.id, line.at, line.said) for line in lines)


def content(parts: Parts, route: Route, labelled: Labelled, person: Person) -> Content:
    """What answers are bound to, under this installation's key."""
    return content_of(lambda text: parts.vault.pseudonym("held", text), route, labelled, person.linked)


def _answered(tx: Connection, record: Record) -> str | None:
    """The message whose recipient answers with this one, by the id its sender knows."""
    earlier = answered(tx, record)
    return earlier.message_id if earlier else None
