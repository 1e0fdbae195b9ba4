"""Understands who gets a message: the agreements that match it, each with its recipients.

Routing looks at the sender, the type, addresses and municipality numbers, and at what was planned
before; never at what else the message says. So the number of disclosures, and with it the traffic
on the broker, is the same whatever the message tells about the person.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.answered import original
from hub.errors import Finding, HubError
from hub.intake import File
from hub.message import Agency, Received, Record
from hub.parts import Parts
from hub.shapes import Route
from hub.store import disclosures, messages
from hub.store.schema import disclosure
from mappings.agreements import Agreement


def find(parts: Parts, file: File, received: Received, record: Record) -> tuple[Route, ...]:
    """All routes of a message. An agreement that matches and leads to nobody is noted in the file, so
    that the sender sees it. Raises route.agreement-missing, and route.recipient-unknown when the
    message leads to nobody at all."""
    sector = received.sender.sector
    matching = [a for a in parts.agreements if sector in a.source[0] and a.source[1] == record.type]
    if not matching:
        raise HubError("route.agreement-missing")
    answers = file.answered.message_id if file.answered else None
    addressed = addressed_to(parts, file, record)
    found, kept_back = list[Route](), False
    for agreement in matching:
        if _would_tell(parts, file, agreement):
            kept_back = True  # taken in as any other; whoever wrote it learns nothing by this either
            continue
        recipients = list(_recipients(parts, file, received, record, agreement))
        because = _because(file) if agreement.route == "earlier" else {}
        known = original(file.tx, parts, agreement, answers)
        if addressed is not None:
            # Who was planned earlier is not for the sender to find out by addressing one of them.
            told = agreement.route != "earlier"
            recipients = [agency for agency in recipients if told and agency.org == addressed]
        elif not recipients and agreement.route != "earlier":
            file.unreached.append(agreement)
        found += (
            Route(
                parts.new_id(),
                agreement,
                received.sender,
                recipient,
                received.at,
                answers,
                because.get(recipient.org),
                known,
            )
            for recipient in recipients
        )
    if not found and not kept_back and (addressed is not None or file.unreached):
        raise HubError("route.recipient-unknown", _unreachable(matching))
    return tuple(found[:1] if addressed is not None else found)


_HER_IDS = ("mottaker.her", "mottaker.avdeling_her", "mottaker.behandler_her")


def addressed_to(parts: Parts, file: File, record: Record) -> str | None:
    """The organisation number of whoever the sender wrote to; None if to nobody in particular.

    A sender may know it by number, by its own HER-id, or by that of a department or a clinician. Whoever is
    not in the directory, and whoever is two agencies there, is nobody that a message can go to: "". So it
    never goes to another than was meant. An answer goes to whoever asked, under whatever HER-id it did.
    """
    number = record.get("melding.mottaker")
    said = {str(her) for path in _HER_IDS if (her := record.get(path)) is not None}
    meant = {party.agency.org for party in parts.directory.values() if said & set(party.agency.her)}
    if number is not None:
        return str(number) if meant <= {number} else ""
    if not said or (file.answered is not None and not meant):
        return None
    return meant.pop() if len(meant) == 1 else ""


def _unreachable(matching: list[Agreement]) -> Iterable[Finding]:
    for agreement in matching:
        at = agreement.route.partition(":")[2] or "melding.mottaker"
        yield Finding(at=at, rule="recipient", expected=f"a {agreement.target[0]} in the directory")


def _recipients(
    parts: Parts, file: File, received: Received, record: Record, agreement: Agreement
) -> Iterable[Agency]:
    candidates = parts.agencies(agreement.target[0])
    kind, _, path = agreement.route.partition(":")
    match kind:
        case "kommune":
            kommune = record.get(path)
            return (a for a in candidates if kommune is not None and kommune in a.kommuner)
        case "serves-sender":
            return (a for a in candidates if received.sender.org in a.serves)
        case "addressed":
            return (a for a in candidates if a.org == addressed_to(parts, file, record))
        case "answered":
            asker = _asker(file)
            return (a for a in candidates if a.org == asker)
        case "earlier":
            planned = _because(file)
            return (a for a in candidates if a.org in planned)
        case _:
            return ()


def _asker(file: File) -> str | None:
    """Who sent what is answered."""
    asked = messages.load(file.tx, file.answered.message_id) if file.answered else None
    return asked.sender if asked else None


def _would_tell(parts: Parts, file: File, agreement: Agreement) -> bool:
    """Whether it would go back to a sender who does not see what became of what is answered: a receipt of a
    notice tells who got one, and so who had got something."""
    if agreement.route != "answered" or file.answered is None:
        return False
    answered = parts.find_agreement(file.answered.agreement)
    return answered is None or not answered.sender_sees


def _because(file: File) -> dict[str, str | None]:
    """Everyone to whom something about the person was planned, told or not (what waits for them still
    carries the old date), and the answer without which nothing would have been; None for most."""
    mine = disclosure.c.person_id.in_(sorted(file.person.one))
    planned: dict[str, str | None] = {}
    for row in disclosures.where(file.tx, mine, disclosure.c.revision == 1, limit=100_000):
        known = planned.setdefault(row.recipient, row.because_of)
        planned[row.recipient] = known and row.because_of and known
    return planned
