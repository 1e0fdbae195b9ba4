"""Understands how one message is taken in: once, whole, in one transaction.

Before anything is written the file answers: have we got this already, whom is it about, what does it
answer, and has a newer version overtaken it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from consent.intake import read as read_consent
from hub import gates, policy, settle
from hub.answered import answered
from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.housing import Standing
from hub.message import Category, Labelled, Outcome, Received, Record, walk
from hub.parts import Parts, work_of
from hub.rows import prove, prove_decision, rendering
from hub.shapes import Accepted, Outgoing, Route
from hub.store import disclosures, messages, on_file, people
from hub.store.disclosures import Disclosure, State
from hub.store.messages import Stored
from hub.store.on_file import NOTHING_ON_FILE, OnFile
from hub.store.people import Person
from hub.store.schema import microseconds
from mappings.agreements import Agreement

_NOT_GRADED = frozenset({"ugradert"})
"""Every other word about an address is taken for a graded one (folkeregisterloven § 10-4)."""


@dataclass(frozen=True)
class Astray:
    """An earlier message that should have gone on and has nowhere to go, and why, by code."""

    agreement: Agreement
    stored: Stored
    person: Person
    code: str


@dataclass
class File:
    """One message being taken in.

    `settled`: nothing more is to be done (the same message again, or overtaken by a newer version).
    `answered`: the disclosure this message answers. `freed`: disclosures that waited behind what it
    overtakes. `unreached`: agreements that match and for which the directory has no recipient.
    `astray`: earlier messages that should have gone on, and have nowhere to go.
    `standing`: where the request stands that this answers, for requests that move.
    """

    tx: Connection
    parts: Parts
    stored: Stored
    person: Person
    accepted: Accepted
    on_file: OnFile = NOTHING_ON_FILE
    answered: Disclosure | None = None
    settled: bool = False
    freed: list[str] = field(default_factory=list)
    unreached: list[Agreement] = field(default_factory=list)
    astray: list[Astray] = field(default_factory=list)
    standing: Standing | None = None
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def keep(
        self, route: Route, outgoing: Outgoing, stored: Stored | None = None, person: Person | None = None
    ) -> None:
        """One disclosure: its row with the sealed rendering, and the audit leaf of the decision. Of the
        message of this file, or of an earlier one that goes on to somebody else.

        Every route is queued, also one where nothing may go now: the decision that counts is made
        later, and the broker sees the same traffic either way.
        """
        of, about = stored or self.stored, person or self.person
        prove_decision(self.tx, self.parts, about, route, outgoing, attempt=0)
        self._rows.append(
            {
                "id": route.disclosure,
                "message_id": of.id,
                "person_id": about.id,
                "agreement": route.agreement.id,
                "recipient": route.recipient.org,
                "revision": 1,
                "state": State.QUEUED,
                "created_at": self.stored.received_at,
                "due_at": self.stored.received_at,
                "because_of": route.because_of,
                **rendering(self.parts, about, route, outgoing),
            }
        )

    def note(self, let_through: Iterable[Finding]) -> None:
        """What the sender's format did otherwise and was let through, by rule and place."""
        if said := [f"{one.rule} {one.at} {one.line}:{one.column}" for one in let_through]:
            what = {"message": self.stored.id, "sender": self.stored.sender, "rules": said}
            prove(self.tx, self.parts, self.person, Kind.LENIENT, what)

    def close(self) -> None:
        """Write what was kept, in the person's order, and what the message answers."""
        alone_in_order(self.tx, self.parts, self.person)
        place = disclosures.next_place(self.tx, self.person.one)
        numbered = [row | {"place": place + index} for index, row in enumerate(self._rows)]
        disclosures.add(self.tx, numbered)
        here, unknown = (self.stored, self.person), "route.recipient-unknown"
        lost = [*(Astray(agreement, *here, unknown) for agreement in self.unreached), *self.astray]
        disclosures.add(self.tx, [self._nobody(one) for one in lost])
        if self.answered:
            self._note_answer(self.answered)
        # Dying here, or anywhere since the file was opened: nothing is kept, neither the message nor what it
        # answers, owes, or sends on. Its sender got no answer, and posts it again.

    def _note_answer(self, answered: Disclosure) -> None:
        """What the message answers. The expected answer that promises no other ends the waiting."""
        due = self.standing.due if self.standing else None
        same = {item.id for item in disclosures.of_flow(self.tx, answered)}
        messages.note_answer(self.tx, self.stored.id, answered.id, same, due)
        agreement = self.parts.find_agreement(answered.agreement)
        expected = agreement.expects if agreement else None
        if expected and expected.type == self.stored.type and due is None:
            disclosures.note(self.tx, answered.id, answered_at=self.stored.received_at)

    def _nobody(self, lost: Astray) -> dict[str, Any]:
        """A disclosure to nobody: there so that its sender, and operations, see that it is missing. A
        message can go astray more than once, by one answer after another."""
        before = disclosures.to_nobody(self.tx, lost.stored.id, lost.agreement.id)
        return {
            "id": self.parts.new_id(),
            "message_id": lost.stored.id,
            "person_id": lost.person.id,
            "agreement": lost.agreement.id,
            "recipient": "",
            "revision": 1 + before,
            "place": 0,
            "state": State.DONE,
            "outcome": Outcome.REJECTED,
            "code": lost.code,
            "created_at": self.stored.received_at,
            "because_of": None if lost.stored.id == self.stored.id else self.stored.id,
        }

    def enqueue(self) -> None:
        """Tell the broker. When it is away the message is safe and the sweeper tells it later."""
        refs = [(ref, self.person.id) for ref in self.freed]
        refs += [(row["id"], row["person_id"]) for row in self._rows]
        works = [work_of(self.parts, ref, person_id) for ref, person_id in refs]
        try:
            self.parts.queue.publish(works)
        except HubError as exc:
            if exc.code != "enqueue.unavailable":
                raise


@contextmanager
def opened(parts: Parts, received: Received, labelled: Labelled) -> Iterator[File]:
    """The file of a message, committed when the block ends without an exception.

    Raises receive.duplicate-id, route.reference-unknown.
    """
    record, graded = labelled.record, says_graded(labelled)
    with _alone_if_it_stops_something(parts, record, graded=graded), parts.store.writing() as tx:
        yield from _opened(tx, parts, received, record, graded=graded)


@contextmanager
def _alone_if_it_stops_something(parts: Parts, record: Record, *, graded: bool) -> Iterator[None]:
    """Behind the person's gates when the message says that something earlier must not go any more (a
    newer version, a protected address), so that nothing of it is being handed over meanwhile."""
    number, declared = record.get("person.id"), parts.types[record.type]
    if number is None or not (declared.supersedes or declared.snapshot or graded):
        yield
        return
    with parts.store.reading() as view:
        person_id = people.find_id(view, parts.vault, str(number))
    if person_id is None:  # nothing about a person unknown until now can be under way
        yield
        return
    with gates.behind(parts.store, person_id):
        yield


def alone_in_order(tx: Connection, parts: Parts, person: Person) -> None:
    """Alone with the order of a person, on all their records, until the transaction ends: to take a place in
    it, and before somebody looks whether an earlier message is overtaken, or overtakes one.

    The order of locks, the same for everybody so that no two wait for each other: the gates, the id of the
    message, what it answers, the number of the person, and this one last. Hand-overs come here with their row
    in hand: whoever is here already leaves rows that are not handed over alone, or holds the gates.
    """
    parts.store.alone(tx, disclosures.order_of(person.one))


def sent_before(tx: Connection, parts: Parts, received: Received, sender_id: str) -> bool:
    """Whether this sender sent exactly this under this id before, so that posting it does nothing."""
    key = parts.vault.pseudonym("message", f"{received.sender.org} {sender_id}")
    try:
        return messages.find_same(tx, received.sender.org, key, parts.vault.digest(received.body)) is not None
    except HubError:  # the id is used, for something else
        return False


def is_described(record: Record) -> bool:
    """Whether the record says its patient by name, birth date and sex, and not by a number."""
    return record.get("person.id") is None and record.get("person.fodt") is not None


def says_graded(labelled: Labelled) -> bool:
    """Whether the record says that the person's address is graded: by a field declared to say so, or
    by words that raised the label of another. A word that nobody knows says so too."""
    protected = [i for i in labelled.items if Category.PROTECTED_ADDRESS in i.declared | i.categories]
    if not protected:
        return False
    values = dict(walk(labelled.record.fields))
    return any(
        Category.PROTECTED_ADDRESS not in item.declared or values.get(item.path) not in _NOT_GRADED
        for item in protected
    )


def _opened(
    tx: Connection, parts: Parts, received: Received, record: Record, *, graded: bool
) -> Iterator[File]:
    parts = policy.in_effect(tx, parts)
    vault, sender = parts.vault, received.sender
    sender_id = str(record.get("melding.id"))
    sender_key = vault.pseudonym("message", f"{sender.org} {sender_id}")
    content = vault.digest(received.body)
    parts.store.alone(tx, f"message {sender_key}")  # else two copies at once collide at the insert
    same = messages.find_same(tx, sender.org, sender_key, content)
    if same is not None:
        accepted = Accepted(same.id, duplicate=True, message_id=sender_id)
        yield File(tx, parts, same, people.load(tx, same.person_id), accepted, settled=True)
        return
    earlier = _answered(tx, parts, received, record)
    person = _person(tx, parts, received, record, earlier, graded=graded)
    series = _series(tx, parts, received, person, record)
    overtaken = series is not None and series.newest > series.version
    stored = Stored(received.id, sender.org, record.type, person.id, received.at, overtaken)
    messages.keep(
        tx,
        vault,
        stored,
        person,
        record,
        sender_key=sender_key,
        content=content,
        series=(series.name, series.version) if series else None,
    )
    freed = _overtake(tx, parts, person, record, series) if series is not None and not overtaken else []
    accepted = Accepted(received.id, duplicate=False, message_id=sender_id)
    given = on_file.of_person(tx, vault, person, read_consent)
    file = File(tx, parts, stored, person, accepted, given, earlier, overtaken, freed)
    yield file
    file.close()


def _answered(tx: Connection, parts: Parts, received: Received, record: Record) -> Disclosure | None:
    """What the message answers: something that was handed over to whoever answers now."""
    if record.get("melding.svar_pa") is None:
        return None
    known = answered(tx, record)
    if (
        known is None
        or known.recipient != received.sender.org
        or known.handed_over_at is None
        or _is_about_another(tx, parts, record, known)
    ):
        raise HubError("route.reference-unknown")
    # One answer to a request at a time: the next one must see where this one leaves it.
    parts.store.alone(tx, f"answers {known.message_id}")
    return known


def _is_about_another(tx: Connection, parts: Parts, record: Record, known: Disclosure) -> bool:
    number = record.get("person.id")
    if number is None or people.is_described(tx, known.person_id):
        return False  # whoever got a description could else try which number it is; each is taken for its own
    person = people.find(tx, parts.vault, str(number))
    return person is None or known.person_id not in person.one


def _person(
    tx: Connection,
    parts: Parts,
    received: Received,
    record: Record,
    answered: Disclosure | None,
    *,
    graded: bool,
) -> Person:
    number = record.get("person.id")
    if number is not None:
        parts.store.alone(tx, parts.vault.pseudonym("person", str(number)))
        person = people.find_or_create(tx, parts.vault, str(number), received.at, parts.new_id)
    elif is_described(record):
        # Also of an answer: whoever it is about may be another than whom it answers about, and would be
        # shared under that one's consent. Dying here: neither the message nor this record is there.
        person = people.create_described(tx, parts.vault, received.at, parts.new_id)
    elif answered is not None:
        return people.load(tx, answered.person_id)
    else:
        raise HubError("route.reference-unknown")
    if graded and not people.stopped(tx, {person.id}):
        people.stop(tx, {person.id}, address=True, deceased=False)
        people.raise_epochs(tx, person.linked)
        person = people.load(tx, person.id)
        prove(tx, parts, person, Kind.IDENTITY, {"action": "protect", "sender": received.sender.org})
    return person


@dataclass(frozen=True)
class _Series:
    """Where a message stands among those it replaces, or that replace it. `names`: on every record of
    the person, `name` on its own."""

    name: str
    names: frozenset[str]
    version: int
    newest: int


def _series(
    tx: Connection, parts: Parts, received: Received, person: Person, record: Record
) -> _Series | None:
    """For types where a newer message replaces older ones. Raises route.version-used."""
    declared = parts.types[record.type]
    if declared.supersedes is None and not declared.snapshot:
        return None
    of = record.get(declared.supersedes.series) if declared.supersedes else ""
    names = {
        one: parts.vault.pseudonym("series", f"{received.sender.org} {record.type} {one} {of}")
        for one in person.one
    }
    newest = messages.newest_version(tx, names.values()) or 0
    if declared.supersedes is None:  # the one that came last is the newest
        version = max(microseconds(received.at), newest + 1)
    else:
        version = int(record.get(declared.supersedes.version))
        if version == newest:
            raise HubError("route.version-used")
    return _Series(names[person.id], frozenset(names.values()), version, newest)


def _overtake(tx: Connection, parts: Parts, person: Person, record: Record, series: _Series) -> list[str]:
    """Older versions that have not been handed over never will be; of an older snapshot, which is not
    wrong, what has its turn still goes, and only what waits ends. Returns what waited behind them."""
    alone_in_order(tx, parts, person)  # else what is just being sent on is not seen: see referral.onward
    freed = []
    snapshot = parts.types[record.type].snapshot
    for message_id in messages.supersede(tx, series.names, series.version):
        for item in disclosures.of_message(tx, message_id):
            if item.state is State.WAITING or not (snapshot or item.state is State.DONE):
                settle.superseded(tx, item)
                freed += disclosures.successors(tx, item, person.one)
    return freed
