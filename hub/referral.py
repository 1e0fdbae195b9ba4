"""Understands an answer that says where a request stands, and one that says it belongs to another kommune.

"Not ours" sends the request itself on, from whoever asked, under the same agreement, to the office of the
kommune that was named: as a disclosure of its own, which the decision must permit for that recipient like any
other. Nobody gets the same request twice, so two offices that point at each other end it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from consent.intake import read as read_consent
from hub import housing
from hub.errors import HubError
from hub.intake import Astray, File, alone_in_order
from hub.message import Received, Record
from hub.parts import Parts
from hub.shapes import Route
from hub.store import disclosures, messages, on_file, people
from hub.store.messages import Stored
from hub.store.on_file import OnFile
from hub.store.people import Person
from mappings.agreements import Agreement
from mappings.types import NotOurs

HOUSING = ("bolig.foresporsel", "bolig.svar")
"""What is asked, and what the answers with a state are."""


@dataclass(frozen=True)
class Onward:
    """A request on its way to another office: the message that was sent first, whose it is, and the route."""

    stored: Stored
    person: Person
    record: Record
    on_file: OnFile
    route: Route


def check_move(parts: Parts, file: File, received: Received, record: Record) -> None:
    """Hold an answer against what was answered before. Raises route.move-not-allowed; nothing of the
    message is kept then. Notes until when the next answer is expected."""
    asked = _asked(parts, file)
    if asked is None or record.type != HOUSING[1] or asked.target.type != HOUSING[0]:
        return
    state = housing.stands(_statuses(parts, file, record))
    sector = received.sender.sector
    file.standing = housing.move(state, str(record.get("status")), sector, received.at)


def onward(parts: Parts, file: File, record: Record) -> Onward | Astray | None:
    """Where the request goes that this answer says is not theirs, or that it has nowhere to go: the kommune
    has no office (route.recipient-unknown), all of them have had it (route.all-asked), whoever asked has
    left the directory (route.asker-unknown), or nobody can read it again (seal.key-destroyed). None when the
    answer says no such thing, what it answers is no such request, or a newer message stands in its place."""
    says, agreement = parts.types[record.type].not_ours, _asked(parts, file)
    if says is None or agreement is None or file.answered is None or record.get(says.field) != says.code:
        return None
    if not is_asked(agreement, record.type, says):
        return None
    person = people.load(file.tx, file.answered.person_id)
    # Whoever overtakes the request waits, or is done: see intake.alone_in_order.
    alone_in_order(file.tx, parts, person)
    stored = messages.load(file.tx, file.answered.message_id)
    asker = parts.agency(stored.sender) if stored else None
    if stored is None or stored.superseded:
        return None
    if person.key is None or messages.is_forgotten(file.tx, stored.id):
        return Astray(agreement, stored, person, "seal.key-destroyed")
    if asker is None:
        return Astray(agreement, stored, person, "route.asker-unknown")
    offices = [a for a in parts.agencies(agreement.target.sector) if record.get(says.kommune) in a.kommuner]
    sent = disclosures.of_message(file.tx, stored.id)
    had = {item.recipient for item in sent if item.agreement == agreement.id}
    next_one = next((office for office in offices if office.org not in had), None)
    if next_one is None:
        code = "route.all-asked" if offices else "route.recipient-unknown"
        return Astray(agreement, stored, person, code)
    request = messages.open_record(file.tx, parts.vault, person, stored)
    given = on_file.of_person(file.tx, parts.vault, person, read_consent)
    route = Route(parts.new_id(), agreement, asker, next_one, stored.received_at, because_of=file.stored.id)
    return Onward(stored, person, request, given, route)


def is_asked(agreement: Agreement, answer: str, says: NotOurs) -> bool:
    """Whether what went under an agreement is a request that this type of answer can send on: the agreement
    expects such an answer, and what it delivers is what the answer says it is asked with. Whatever else an
    office may point at, such as a release date, is nobody's to take over."""
    expects = agreement.expects
    return expects is not None and expects.type == answer and agreement.target.type == says.asked


def _asked(parts: Parts, file: File) -> Agreement | None:
    """The agreement under which the request went that is answered."""
    return parts.find_agreement(file.answered.agreement) if file.answered else None


def _statuses(parts: Parts, file: File, record: Record) -> Iterator[str]:
    """What this office answered to the same request before, oldest first, however it spelled the reference
    and whichever revision it answered. What is forgotten is finished and says nothing any more, but that
    it sent the request on. That it wanted to, and there was nowhere to send it, says nothing either."""
    says = parts.types[record.type].not_ours
    if file.answered is None or says is None:
        return
    same = {item.id for item in disclosures.of_flow(file.tx, file.answered)}
    sent = disclosures.of_message(file.tx, file.answered.message_id)
    sent_on = {item.because_of for item in sent if item.recipient}
    for stored in messages.answers_to(file.tx, same, record.type):
        if stored.id in sent_on:
            yield says.code
            continue
        earlier = _opened(file.tx, parts, stored)
        if earlier is not None and earlier.get(says.field) != says.code:
            yield str(earlier.get(says.field))


def _opened(tx: Connection, parts: Parts, stored: Stored) -> Record | None:
    try:
        return messages.open_record(tx, parts.vault, people.load(tx, stored.person_id), stored)
    except HubError as gone:
        if gone.code != "seal.key-destroyed":
            raise
        return None
