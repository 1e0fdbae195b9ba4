"""Understands which receipts a KITH message gets: one for each of its receivers here, or none.

    answers(arrival, register, new_id)  ->  (version, record) each; hand them to the adapter of that version

A receipt says whether the message could be taken in: its format, its addresses, its signature and who the
patient is. It knows nothing of consents, of what may be handed on, or of what becomes of the message:
that would tell its reader what a person has refused. Sources: HIS 80415:2012, HITS 1168:2016.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.apprec.adapter import TYPE
from adapters.apprec.head import Head, Party, Receiver, head
from adapters.apprec.table import COPY, V10, V11, Version
from adapters.kith.codes import meaning
from adapters.kith.receipts import receipt_code
from adapters.kith.rules import message_uuid
from hub.errors import Finding, HubError
from hub.message import Record

ANSWER_WITHIN = timedelta(hours=96)
"""From GenDate. After that no answer counts as a negative one (HIS 80415:2012)."""
MOST_ERRORS = 50
ERRORS = "urn:oid:2.16.578.1.12.4.1.1.8221"
_MOST_WORDS = 1000
_VERSIONS: Mapping[str, Version] = {V10.name: V10, V11.name: V11}
_REQUESTER = "Requester"


@dataclass(frozen=True)
class Register:
    """What the address register says: `here` is the HER-id of the organisation that a sending was delivered
    to, `services` the HER-ids of services and persons of each organisation that is known."""

    here: str
    services: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Arrival:
    """One sending. `refused` is how reading it went; `findings` what others found in it (the signature, the
    register of persons); `again` that its message was taken in or refused before. `number`, `kind`, `sender`
    and `receiver` are what the transport says, for a body that cannot be read."""

    body: bytes
    at: datetime
    number: str = ""
    kind: str = ""
    sender: Party = field(default_factory=dict)
    receiver: Party = field(default_factory=dict)
    refused: HubError | None = None
    findings: tuple[Finding, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Answer:
    """One receipt and the version of AppRec it is written in, which follows from the message's own format."""

    version: str
    record: Record


@dataclass(frozen=True)
class Fault:
    """One Error: a code of list 8221, and what was expected in bokmål. Never the value."""

    code: str
    expected: str


def answers(arrival: Arrival, register: Register | None, new_id: Callable[[], str]) -> tuple[Answer, ...]:
    """The receipts for one sending. None for a message that came before, for one whose receivers nobody
    knows, and for one whose id, type or parties nobody can tell. Without a register the addresses are not
    looked at."""
    if arrival.again:
        return ()
    said = head(arrival.body)
    kind = said.type or arrival.kind
    number = said.id or arrival.number
    sender = _without_signer(_named(said.sender) or arrival.sender)
    receivers = said.receivers or (Receiver(arrival.receiver),)
    if not (kind and number and _named(sender)):
        return ()
    common = tuple(_faults(arrival))
    addressed = _addressed(receivers, register) if said.receivers else [(receivers[0], ())]
    original = Original(said, kind, number, sender)
    return tuple(
        Answer(said.apprec, _record(arrival, original, one, _once((*common, *faults)), new_id()))
        for one, faults in ((_or(receiver, arrival.receiver), faults) for receiver, faults in addressed)
        if _named(one.party)
    )


def _named(party: Party | None) -> Party | None:
    """The party, if it has a name or a number."""
    return party if party and set(party) - {"behandler_type", "behandler_rolle"} else None


def _or(receiver: Receiver, fallback: Party) -> Receiver:
    return receiver if _named(receiver.party) else Receiver(fallback, receiver.role)


def _faults(arrival: Arrival) -> Iterator[Fault]:
    refused = arrival.refused
    if refused is not None:
        for finding in refused.findings:
            yield Fault(receipt_code(refused.code, finding), _words(finding))
        if not refused.findings:
            yield Fault(receipt_code(refused.code), refused.problem.nb)
    for finding in arrival.findings:
        yield Fault(receipt_code("parse.invalid", finding), _words(finding))


def _words(finding: Finding) -> str:
    return f"{finding.at}: {finding.said('nb')}"[:_MOST_WORDS]


def _once(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(dict.fromkeys(faults))[:MOST_ERRORS]


# -- who answers --

LEVEL_1 = Fault("E21", "HER-id på nivå 1, for virksomheten")
LEVEL_2 = Fault("E21", "HER-id på nivå 2, for tjenesten eller personen")
KNOWN_1 = Fault("E21", "HER-id for en virksomhet som er kjent her")
KNOWN_2 = Fault("E21", "HER-id for en tjeneste eller person som hører til virksomheten")
HERE = Fault("E21", "en mottaker som hører til virksomheten sendingen kom til")
ROLES = ("PRIM", "COP", "OR", "FR")
"""List 8112."""
ROLE = Fault("E21", "mottakerens rolle: en av kodene " + ", ".join(ROLES))


def _addressed(
    receivers: Sequence[Receiver], register: Register | None
) -> list[tuple[Receiver, tuple[Fault, ...]]]:
    """Each receiver that answers, with what is wrong with its address. Only who belongs here answers; a
    sending to the wrong place is answered once, one that nobody knows is not (system tests 17 to 22)."""
    if register is None:
        return [(receiver, ()) for receiver in receivers]
    mine = [one for one in receivers if _belongs(one.party, register)]
    if mine:
        return [(one, tuple(_address_faults(one, register))) for one in mine]
    nameless = [one for one in receivers if _numbers(one.party) == ("", "")]
    if nameless:
        return [(one, (LEVEL_1, LEVEL_2)) for one in nameless]
    if any(_is_known(one.party, register) for one in receivers):
        return [(receivers[0], (HERE,))]
    return []


def _numbers(party: Party) -> tuple[str, str]:
    """The HER-ids of the organisation, and of the service or person in it."""
    return party.get("her", ""), party.get("avdeling_her") or party.get("behandler_her", "")


def _belongs(party: Party, register: Register) -> bool:
    first, second = _numbers(party)
    return first == register.here or (first not in register.services and second in _services(register))


def _services(register: Register) -> frozenset[str]:
    return register.services.get(register.here, frozenset())


def _is_known(party: Party, register: Register) -> bool:
    first, second = _numbers(party)
    return first in register.services or any(second in those for those in register.services.values())


def _address_faults(receiver: Receiver, register: Register) -> Iterator[Fault]:
    first, second = _numbers(receiver.party)
    if not first:
        yield LEVEL_1
    elif first != register.here:
        yield KNOWN_1
    if not second:
        yield LEVEL_2
    elif second not in _services(register):
        yield KNOWN_2
    if receiver.role not in ROLES:
        yield ROLE


# -- what is answered --


@dataclass(frozen=True)
class Original:
    """What is answered: its head, and what of it had to be told otherwise."""

    head: Head
    kind: str
    number: str
    sender: Party


def _record(
    arrival: Arrival, original: Original, receiver: Receiver, faults: tuple[Fault, ...], own: str
) -> Record:
    head_, sender = original.head, original.sender
    version = _VERSIONS[head_.apprec]
    words = head_.type_text or meaning("8279", original.kind)
    melding = {
        "id": message_uuid(own),
        "sendt": arrival.at.isoformat(timespec="seconds"),
        "svar_pa": original.number,
        "avsender": receiver.party.get("orgnr"),
        "mottaker": sender.get("orgnr"),
    }
    fields = {
        "melding": {name: value for name, value in melding.items() if value},
        "gjelder": original.number,
        "gjelder_type": original.kind,
        **({"gjelder_type_tekst": words} if words else {}),
        "gjelder_sendt": head_.made or melding["sendt"],
        "status": "avvist" if faults else "mottatt",
        **({"feil": [_error(fault) for fault in faults]} if faults else {}),
        "avsender": {"rolle": _role(version, head_, receiver), **_mirrored(receiver.party)},
        "mottaker": {"rolle": version.answered, **_mirrored(sender)},
    }
    return Record(TYPE, fields)


def _error(fault: Fault) -> dict[str, str]:
    words = meaning("8221", fault.code)
    said = {"kode": fault.code, "system": ERRORS, "tekst": words, "forklaring": fault.expected}
    return {name: value for name, value in said.items() if value}


def _role(version: Version, said: Head, receiver: Receiver) -> str:
    """A copy receiver answers as one whatever the version. Who is neither answers as the primary receiver."""
    if receiver.role in ROLES and receiver.role != "PRIM":
        return COPY
    requested = said.form is not None and said.form.receiver == _REQUESTER
    return version.requester if requested else version.primary


def _without_signer(sender: Party) -> Party:
    """Who signed is not the address where there is a service as well (system test 6)."""
    if "avdeling" not in sender and "avdeling_her" not in sender:
        return sender
    return {name: value for name, value in sender.items() if not name.startswith("behandler")}


def _mirrored(party: Party) -> dict[str, str]:
    """A party as it stood in the message. The profession has a place where a professional stands alone."""
    alone = not any(name in party for name in ("enhet", "her", "resh", "orgnr", "avdeling", "avdeling_her"))
    kept = {name: value for name, value in party.items() if name not in ("orgnr", "behandler_rolle")}
    return kept if alone else {name: value for name, value in kept.items() if name != "behandler_type"}


# -- what a sender makes of the answers --


def standing(made: datetime, receipts: Sequence[Record], now: datetime) -> str:
    """Where one sending stands with one receiver: the status of the first receipt, whenever it came (a second
    one changes nothing); `ubesvart` when none came within 96 hours of GenDate; `venter` until then."""
    if receipts:
        return str(receipts[0].get("status"))
    return "ubesvart" if now - made > ANSWER_WITHIN else "venter"
