"""Understands the consent desk: what happens when a person gives, narrows or withdraws a consent.

Everything is done behind the person's gate, so no message is being handed over meanwhile, and in one
transaction: the document, the new epoch, the audit leaf, and the disclosures that must be decided
again. A consent given lets what waits be decided anew; a refusal or a withdrawal destroys the keys of
all renderings that have not been handed over, and takes back what lies in inboxes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from consent import intake
from consent.receipt import digest
from hub import gates, policy, register
from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.message import CONTROL_SECTORS, Agency, Received, Record
from hub.parts import Parts, work_of
from hub.rows import prove
from hub.shapes import Accepted
from hub.store import consents, disclosures, messages, people
from hub.store.disclosures import Disclosure, State
from hub.store.messages import Stored
from hub.store.people import Person
from hub.store.schema import disclosure
from mappings.agreements import Agreement

GIVEN, WITHDRAWN = "samtykke.gitt", "samtykke.trukket"
TYPES = frozenset({GIVEN, WITHDRAWN})

_NOT_YOURS = Finding(
    "samtykke.serie",
    "unknown",
    "a series that you recorded; of what others recorded, omfang ends all, signed",
)
"""Told of every series that is not there, so that it says nothing of what is."""


def record(parts: Parts, received: Received, said: Record) -> Accepted:
    """Record a consent, a refusal or a withdrawal.

    Raises consent.* and receive.duplicate-id; then nothing was recorded.
    """
    if said.type == GIVEN:
        intake.check(said, received.sender.sector, received.at)
    else:
        intake.check_withdrawal(said, received.sender.sector)
    number = said.get("person.id")
    if not isinstance(number, str):  # no type of a consent may describe whose it is
        raise HubError("hub.internal")
    with parts.store.writing() as tx:
        parts.store.alone(tx, parts.vault.pseudonym("person", number))
        named = said.get("samtykke.serie") is not None
        if said.type == WITHDRAWN and named and people.find(tx, parts.vault, number) is None:
            raise HubError("consent.unknown", [_NOT_YOURS])
        person = people.find_or_create(tx, parts.vault, number, received.at, parts.new_id)
    # Dying here: a person without anything, which the next message finds.
    with gates.behind(parts.store, person.id):
        accepted, again = _record(parts, received, said, person.id)
    try:
        parts.queue.publish([work_of(parts, ref, person.id) for ref in again])
    except HubError as exc:
        if exc.code != "enqueue.unavailable":
            raise
    return accepted


def _record(parts: Parts, received: Received, said: Record, person_id: str) -> tuple[Accepted, list[str]]:
    sender_id = str(said.get("melding.id"))
    sender_key = parts.vault.pseudonym("message", f"{received.sender.org} {sender_id}")
    content = parts.vault.digest(received.body)
    with parts.store.writing() as tx:
        same = messages.find_same(tx, received.sender.org, sender_key, content)
        if same is not None:
            return Accepted(same.id, duplicate=True, message_id=sender_id), []
        person = people.load(tx, person_id)
        stored = Stored(received.id, received.sender.org, said.type, person_id, received.at, superseded=False)
        messages.keep(
            tx, parts.vault, stored, person, said, sender_key=sender_key, content=content, series=None
        )
        if said.type == GIVEN:
            again = _give(tx, parts, received, said, person)
        else:
            again = _withdraw(tx, parts, received, said, person)
    return Accepted(received.id, duplicate=False, message_id=sender_id), again


def _give(tx: Connection, parts: Parts, received: Received, said: Record, person: Person) -> list[str]:
    document = {**said.fields, intake.RECORDER: received.sender.sector.value}
    if said.get("samtykke.erstatter"):
        document[consents.REPLACES] = _key(parts, received, said, "samtykke.erstatter")
    key, version = _key(parts, received, said), int(said.get("samtykke.versjon"))
    before = consents.record(
        tx,
        parts.vault,
        person,
        consent_id=received.id,
        key=key,
        version=version,
        document=document,
        recorded_by=received.sender.org,
        at=received.at,
    )
    what = {
        "consent": key,
        "version": version,
        "recorder": received.sender.org,
        "document": parts.vault.digest(received.body),
        "supersedes": before,
        "replaces": document.get(consents.REPLACES, ""),
        "receipt": _receipt(tx, parts, person, received.id),
    }
    prove(tx, parts, person, Kind.CONSENT, what)
    # A new version can be narrower than the last, and a refusal takes back: nothing made under what
    # was said before may stay.
    return decide_all_again(tx, parts, person.linked)


def _receipt(tx: Connection, parts: Parts, person: Person, consent_id: str) -> str:
    """Digest of the receipt, so that a paper can be matched with what was recorded."""
    entry = consents.find(tx, parts.vault, person, consent_id, intake.read)
    return digest(register.make_receipt(parts, person, entry, "nb")) if entry else ""


def _withdraw(tx: Connection, parts: Parts, received: Received, said: Record, person: Person) -> list[str]:
    ended = _end(tx, parts, received, said, person)
    for record_id, key, version, ends in ended:
        what = {"consent": key, "version": version, "recorder": received.sender.org, "ends": ends}
        prove(tx, parts, people.load(tx, record_id), Kind.WITHDRAWAL, what)
    again = decide_all_again(tx, parts, person.linked)
    return again + _plan_notices(tx, parts, received, person)


def _end(
    tx: Connection, parts: Parts, received: Received, said: Record, person: Person
) -> list[consents.Ended]:
    """End what is withdrawn or lifted."""
    if said.get("samtykke.serie") is not None:
        return _end_series(tx, parts, received, said, person)
    permissions = said.get("omfang") == intake.ALL_PERMISSIONS
    ended = consents.withdraw_all(
        tx, parts.vault, person, intake.read, permissions=permissions, at=received.at
    )
    return ended or [consents.Ended(person.id, "", 0)]  # it was asked for, and that is proved too


def _end_series(
    tx: Connection, parts: Parts, received: Received, said: Record, person: Person
) -> list[consents.Ended]:
    key, version = _key(parts, received, said), said.get("samtykke.versjon")
    only = said.get("samtykke.beslutning") == intake.PERMITTED
    on: tuple[consents.Ended, ...] = ()
    try:
        on = consents.withdraw(
            tx, parts.vault, person, intake.read, key=key, version=version, at=received.at, permissions=only
        )
    except HubError:
        # What a control role recorded may have ended at another agency since: it hears the same.
        known = consents.was_recorded(tx, person, key=key, version=version)
        if received.sender.sector not in CONTROL_SECTORS or not known:
            raise HubError("consent.unknown", [_NOT_YOURS]) from None
    if only:
        return list(on) or [consents.Ended(person.id, "", 0)]
    # On a record that is in doubt not all of a series may have ended.
    sure = {one.person_id for one in on} & (person.one | {person.id}) or ({person.id} if not on else set())
    whole = [consents.Ended(record_id, key, version or 0) for record_id in sorted(sure)]
    return whole + [one for one in on if one.person_id not in sure]


def _key(parts: Parts, received: Received, said: Record, path: str = "samtykke.serie") -> str:
    return consents.series_key(parts.vault, received.sender, str(said.get(path)))


def decide_all_again(tx: Connection, parts: Parts, person_ids: Iterable[str]) -> list[str]:
    """What these allow has changed: raise their epochs and queue whatever is not finished, without its
    rendering. PARKED stays with the operator. The caller is behind all their gates."""
    again: list[str] = []
    concerned = frozenset(person_ids)
    people.raise_epochs(tx, concerned)
    for item in disclosures.open_of(tx, concerned):
        if item.state is State.PARKED:
            disclosures.note(tx, item.id, **disclosures.NO_RENDERING)
            continue
        if item.state is State.WAITING and item.due_at is not None and item.due_at <= parts.clock():
            continue  # its time is out; the sweeper ends it
        disclosures.move(tx, item, State.QUEUED, due_at=parts.clock(), **disclosures.NO_RENDERING)
        again.append(item.id)
    return again


def _plan_notices(tx: Connection, parts: Parts, received: Received, person: Person) -> list[str]:
    """A notice of the withdrawal, without reason or scope, to those who got something under it and
    whose policy row says so (GDPR art. 19). Never to a control role.

    Planned for everybody to whom something was ever planned; who got nothing is sent nothing, at the
    hand-over. So the broker does not see who got something.
    """
    parts.store.alone(tx, disclosures.order_of(person.one))
    place = disclosures.next_place(tx, person.one)
    rows: list[dict[str, Any]] = [
        {
            "id": parts.new_id(),
            "message_id": received.id,
            "person_id": person.id,
            "agreement": agreement.id,
            "recipient": org,
            "revision": 1,
            "place": place + index,
            "state": State.QUEUED,
            "created_at": received.at,
            "due_at": received.at,
        }
        for index, (org, agreement) in enumerate(_to_notify(tx, parts, received.sender, person))
    ]
    disclosures.add(tx, rows)
    return [str(row["id"]) for row in rows]


def _to_notify(
    tx: Connection, parts: Parts, sender: Agency, person: Person
) -> Iterable[tuple[str, Agreement]]:
    notices = {
        a.target.sector: a
        for a in parts.agreements
        if a.source.type == WITHDRAWN and sender.sector in a.source.sectors
    }
    parts = policy.in_effect(tx, parts)
    mine = disclosure.c.person_id.in_(sorted(person.one))
    planned = disclosures.where(tx, mine, limit=100_000)
    found: dict[str, Agreement] = {}
    for item in planned:
        recipient = parts.agency(item.recipient)
        if recipient is None or recipient.sector in CONTROL_SECTORS or recipient.sector not in notices:
            continue
        if _row_says_so(parts, item, recipient):
            found.setdefault(recipient.org, notices[recipient.sector])
    return found.items()


def got_under(
    tx: Connection, parts: Parts, person: Person, notice: Disclosure, sender: Agency, said: Record
) -> Disclosure | None:
    """The last thing the recipient of a notice got under the consent that was withdrawn, if any; also
    what it may have got without our knowing."""
    rested = disclosure.c.consents != ""
    if (series := said.get("samtykke.serie")) is not None:
        key = consents.series_key(parts.vault, sender, str(series))
        rested = disclosure.c.consents.contains(key, autoescape=True)
    elif said.get("omfang") != intake.ALL_PERMISSIONS:
        return None  # lifting a refusal takes nothing from anybody
    got = disclosures.where(
        tx,
        disclosure.c.person_id.in_(sorted(person.one)),
        disclosure.c.recipient == notice.recipient,
        disclosure.c.handed_over_at.is_not(None) | disclosure.c.uncertain_at.is_not(None),
        rested,
        limit=100_000,
    )
    return got[-1] if got else None


def _row_says_so(parts: Parts, item: Disclosure, recipient: Agency) -> bool:
    agreement = parts.find_agreement(item.agreement)
    return agreement is not None and any(
        row.notify_withdrawal
        for sender in agreement.source.sectors
        for row in parts.pack.between(sender, recipient.sector, agreement.purpose)
    )
