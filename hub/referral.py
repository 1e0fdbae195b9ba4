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
from hub.intake import File
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
    """A request on its way to another office: the message that was sent first, whose it is, and the route.
    `route` is None when the directory has no such office."""

    stored: Stored
    person: Person
    record: Record
    on_file: OnFile
    agreement: Agreement
    route: Route | None


def check_move(parts: Parts, file: File, received: Received, record: Record) -> None:
    """Hold an answer against what was answered before. Raises route.move-not-allowed; nothing of the
    message is kept then. Notes until when the next answer is expected."""
    asked = _asked(parts, file)
    if asked is None or record.type != HOUSING[1] or asked.target.type != HOUSING[0]:
        return
    state = housing.stands(_statuses(parts, file, record))
    sector = received.sender.sector
    file.standing = housing.move(state, str(record.get("status")), sector, received.at)


def onward(parts: Parts, file: File, record: Record) -> Onward | None:
    """Where the request goes that this answer says is not theirs; None when it says no such thing, names
    no kommune, or names one whose office has had the request."""
    says, agreement = parts.types[record.type].not_ours, _asked(parts, file)
    if says is None or agreement is None or file.answered is None or record.get(says.field) != says.code:
        return None
    if not is_asked(agreement, record.type, says):
        return None
    kommune = record.get(says.kommune)
    stored = messages.load(file.tx, file.answered.message_id)
    asker = parts.agency(stored.sender) if stored else None
    if kommune is None or stored is None or asker is None or stored.superseded:
        return None
    if messages.is_forgotten(file.tx, stored.id):
        return None
    person = people.load(file.tx, stored.person_id)
    request = messages.open_record(file.tx, parts.vault, person, stored)
    had = {item.recipient for item in disclosures.of_message(file.tx, stored.id)}
    there = [agency for agency in parts.agencies(agreement.target.sector) if kommune in agency.kommuner]
    if any(agency.org in had for agency in there):
        return None
    route = None
    if there:
        because = file.stored.id
        route = Route(parts.new_id(), agreement, asker, there[0], stored.received_at, because_of=because)
    given = on_file.of_person(file.tx, parts.vault, person, read_consent)
    return Onward(stored, person, request, given, agreement, route)


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
    and whichever revision it answered. What is forgotten is finished and says nothing any more."""
    if file.answered is None:
        return
    same = {item.id for item in disclosures.of_flow(file.tx, file.answered)}
    for stored in messages.answers_to(file.tx, same, record.type):
        earlier = _opened(file.tx, parts, stored)
        if earlier is not None:
            yield str(earlier.get("status"))


def _opened(tx: Connection, parts: Parts, stored: Stored) -> Record | None:
    try:
        return messages.open_record(tx, parts.vault, people.load(tx, stored.person_id), stored)
    except HubError as gone:
        if gone.code != "seal.key-destroyed":
            raise
        return None
