"""Understands what would go now, if it were sent: a dry run by the functions that decide in earnest.

Nothing is stored but one audit leaf that says who asked. What a person has said reaches nobody who
may not see it: `shown` is all that leaves by a door. A control role gets what it would see right
after posting, which depends on the directory only; nothing is decided for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from consent import decide as decision_of
from consent.decide import Ask
from consent.intake import read as read_consent
from consent.on_file import calling_on, relations
from consent.rows import Row
from hub import desk, good_until, intake, pipeline, policy, routes, status
from hub.audit import log
from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.message import (
    CONTROL_SECTORS,
    Agency,
    Basis,
    Category,
    Consent,
    Decision,
    Item,
    Purpose,
    Received,
    Record,
    Sector,
    Verdict,
)
from hub.parts import Parts
from hub.shapes import Outgoing, Route
from hub.store import consents, on_file, people
from hub.store.on_file import NOTHING_ON_FILE
from hub.store.people import Person


@dataclass(frozen=True)
class Question:
    """May these kinds of information about a person go from here to there, for this purpose? `at` and
    `known_at` None are now. `withdrawn` is a consent series to leave out, as its recorder calls it."""

    sender: Agency
    recipient: Agency
    purpose: Purpose
    categories: frozenset[Category]
    at: datetime | None = None
    known_at: datetime | None = None
    withdrawn: str | None = None


@dataclass(frozen=True)
class Preview:
    """What one recipient would get, and the rows in effect. `outgoing` None: it was not decided, because
    the asker may not know. `known`: the sender would see this recipient after posting."""

    route: Route
    outgoing: Outgoing | None
    rows: tuple[Row, ...] = ()
    known: bool = True


class _Undone(Exception):
    """Takes back the transaction of a dry run."""


def of_own_message(parts: Parts, sender: Agency, media_type: str, body: bytes) -> tuple[Preview, ...]:
    """The dry run that a sender may ask for. For a control role nothing is decided: what is not known
    cannot be told, nor be measured by how long it takes."""
    may_know = sender.sector not in CONTROL_SECTORS
    return of_message(parts, sender, media_type, body, by=sender.org, decide=may_know)


def of_message(
    parts: Parts, sender: Agency, media_type: str, body: bytes, *, by: str, decide: bool
) -> tuple[Preview, ...]:
    """Take a message as `pipeline.receive` does, and forget it. Raises what posting it would raise, such as
    that a request cannot move so (route.move-not-allowed), and route.agreement-missing for a document of
    the consent desk. Where "not ours" would send a request is not told: posting tells its sender neither,
    and never fails for it."""
    received = Received(parts.new_id(), sender, media_type, body, parts.clock())
    record = pipeline.parse(parts, received).record
    if record.type in desk.TYPES:
        raise HubError("route.agreement-missing")
    sender_id, record = str(record.get("melding.id")), _under_another_id(record, received.id)
    labelled = pipeline.label_record(parts, record, sender)
    found: list[Preview] = []
    person: Person | None = None
    with suppress(_Undone), intake.opened(parts, received, labelled) as file:
        # Posted again it would be known and do nothing; it must not be held against itself.
        again = intake.sent_before(file.tx, parts, received, sender_id)
        plan = routes.find if again else pipeline.planned
        if not (again or file.settled):
            good_until.check(record, received.at)
        for route in plan(parts, file, received, record):
            outgoing = None
            if decide:
                outgoing = pipeline.foresee(
                    file.parts, route, labelled, file.person, file.on_file, received.at
                )
            known = status.may_know(file.tx, sender, route.because_of)
            found.append(Preview(route, outgoing, file.parts.pack.rows, known))
        person = file.person
        raise _Undone
    asked = {"asked": "message", "type": record.type, "recipients": [p.route.recipient.org for p in found]}
    with parts.store.writing() as tx:
        _prove(tx, parts, person, by, asked)
    return tuple(found)


def of_question(
    parts: Parts, number: str, question: Question, *, by: str
) -> tuple[Decision, tuple[Row, ...]]:
    """The decision on one item of each category, and the rows it was made by. A person the hub does not
    know has said nothing.
    Raises consent.unknown when there is no such series to leave out."""
    now = parts.clock()
    at, known_at = question.at or now, question.known_at or question.at or now
    with parts.store.writing() as tx:
        here = policy.in_effect(tx, parts)
        person = people.find(tx, parts.vault, number)
        then = question.known_at or question.at  # None: by the links as they stand
        given = on_file.of_person(tx, parts.vault, person, read_consent, then) if person else NOTHING_ON_FILE
        said = given.consents
        if question.withdrawn is not None:
            said = _without(parts, said, question.withdrawn, at)
        rows = here.pack.between(question.sender.sector, question.recipient.sector, question.purpose)
        ask = Ask(
            sender=question.sender,
            recipient=question.recipient,
            purpose=question.purpose,
            basis=Basis.CONSENT,
            agreement="preview",
            items=tuple(Item(c.value, frozenset({c}), frozenset({c})) for c in sorted(question.categories)),
            protected_address=person.protected_address if person else False,
            data_date=at.date(),
            requests=calling_on(
                given.requests,
                rows,
                question.sender,
                question.recipient,
                question.purpose,
                at.date(),
                at=at,
                known_at=known_at,
            ),
            relations=relations(given.gps, question.recipient, at=at, known_at=known_at),
            deceased=person.deceased if person else False,
        )
        decision = decision_of.decide(ask, rows, said, at=at, known_at=known_at, texts=parts.texts)
        asked = {
            "asked": "question",
            "sender": question.sender.org,
            "recipient": question.recipient.org,
            "purpose": question.purpose.value,
        }
        _prove(tx, parts, person, by, asked)
    return decision, rows


def asked_of(parts: Parts, word: str, at: str = "party") -> Agency:
    """An agency of the directory by its organisation number, or any agency of a sector by its code.
    Raises route.recipient-unknown at `at`."""
    if (agency := parts.agency(word)) is not None:
        return agency
    if word in {sector.value for sector in Sector}:
        return Agency("", word, Sector(word))
    expected = "an organisation number of the directory, or a sector: " + ", ".join(sorted(Sector))
    raise HubError("route.recipient-unknown", [Finding(at, "known", expected)])


def shown(previews: Iterable[Preview]) -> dict[str, Any]:
    """What the sender may be told of a dry run of its own message."""
    seen = [p for p in previews if p.known and p.route.agreement.sender_sees]
    return {"recipients": [_recipient(p) for p in seen]}


def _recipient(preview: Preview) -> dict[str, Any]:
    """The same keys for everybody. What the asker may not know looks as it would after posting, and so does
    a fault of ours with what may go."""
    route, outgoing = preview.route, preview.outgoing
    state, code, withheld = "accepted", None, None
    if outgoing is not None and not status.is_ours(outgoing.code):
        left = sorted({_field(i.path) for i in outgoing.decision.items if i.verdict is not Verdict.PERMIT})
        state = "nothing" if outgoing.rendered is None else "reduced" if left else "whole"
        reasons = [i.reason for i in outgoing.decision.items if i.verdict is not Verdict.PERMIT]
        code = status.shown_code(outgoing.code or (reasons[0] if reasons else None))
        withheld = left
    return {
        "agreement": route.agreement.id,
        "org": route.recipient.org,
        "name": route.recipient.name,
        "state": state,
        "code": code,
        "withheld": withheld,
    }


def _field(path: str) -> str:
    return Item(path, frozenset(), frozenset()).field


def _under_another_id(record: Record, message_id: str) -> Record:
    """So that a message can be tried before it is posted, and after."""
    header = {**record.fields["melding"], "id": message_id}
    return Record(record.type, {**record.fields, "melding": header})


def _without(parts: Parts, given: Sequence[Consent], series: str, at: datetime) -> tuple[Consent, ...]:
    """As if the series had been withdrawn just then. `series` may also be its key in the register."""
    keys = {series, *(consents.series_key(parts.vault, a.agency, series) for a in parts.directory.values())}
    if not any(c.id in keys for c in given):
        raise HubError("consent.unknown")
    return tuple(replace(c, withdrawn_at=at) if c.id in keys and c.withdrawn_at is None else c for c in given)


def _prove(tx: Connection, parts: Parts, person: Person | None, by: str, asked: dict[str, Any]) -> None:
    """Who asked about whom. What the answer was is not written: it can be asked again. A person the
    hub did not know stays unknown."""
    known = people.find_by_id(tx, person.id) if person else None
    about = log.Person(known.id, known.key) if known else log.nobody(parts.vault)
    log.append(tx, parts.vault, about, Kind.PREVIEW, parts.clock(), {**asked, "by": by})
