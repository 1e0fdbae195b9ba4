"""Understands what is shown of the consent register: a person's consents as they stood and as they were
known at a moment, and the receipt of one.

A control role is shown nothing: not that there is a refusal, nor a withdrawal, nor that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from consent import intake
from consent.evaluation import state
from consent.receipt import Recorded, receipt
from hub.errors import HubError
from hub.message import CONTROL_SECTORS, Agency
from hub.parts import Parts
from hub.store import consents, people
from hub.store.consents import Entry
from hub.store.people import Person
from hub.store.schema import consent


@dataclass(frozen=True)
class Shown:
    """One version, and how it stands: in-force, not-yet, expired, withdrawn, only-refuses (what it
    permitted is withdrawn), superseded or unreadable."""

    entry: Entry
    stands: str


def of_person(parts: Parts, number: str, *, at: datetime, known_at: datetime) -> list[Shown]:
    """Every version the hub knew at `known_at`, as it stood `at` (both aware), in the order recorded."""
    with parts.store.reading() as view:
        owner = people.find(view, parts.vault, number)
        if owner is None:
            return []
        entries = consents.register(view, parts.vault, owner, intake.read)
    known = [seen for entry in entries if (seen := entry.as_known(known_at)) is not None]
    newest: dict[str, int] = {}
    for entry in known:
        newest[entry.said.id] = max(newest.get(entry.said.id, 0), entry.said.version)
    return [Shown(entry, _stands(entry, newest[entry.said.id], at)) for entry in known]


def _stands(entry: Entry, newest: int, at: datetime) -> str:
    said = entry.said
    if not said.readable:
        return "unreadable"
    if said.withdrawn_at is not None and said.withdrawn_at <= at:
        return "withdrawn"
    if said.version < newest:
        return "superseded"
    stands = state(said, at.astimezone(intake.OSLO).date())
    ended = said.permissions_ended_at is not None and said.permissions_ended_at <= at
    return "only-refuses" if ended and stands == "in-force" else stands


def receipt_of(parts: Parts, consent_id: str, language: str, reader: Agency | None = None) -> dict[str, Any]:
    """The receipt of what a message recorded; its id is the message's. `reader` None is an operator; an
    agency gets its own only, and a control role none. Raises receive.not-found in every other case."""
    with parts.store.reading() as view:
        owner = _owner(view, consent_id)
        found = owner and consents.find(view, parts.vault, owner, consent_id, intake.read)
    if owner is None or not found or not found.said.readable:
        raise HubError("receive.not-found")
    if reader is not None and (reader.org != found.recorded_by or reader.sector in CONTROL_SECTORS):
        raise HubError("receive.not-found")
    return make_receipt(parts, owner, found, language)


def make_receipt(parts: Parts, owner: Person, entry: Entry, language: str) -> dict[str, Any]:
    """The receipt of one version."""
    recorder = parts.agency(entry.recorded_by)
    recorded = Recorded(
        id=entry.id,
        recorder=entry.recorded_by,
        recorder_name=recorder.name if recorder else entry.recorded_by,
        person=parts.vault.pseudonym("receipt", owner.id)[:16],
    )
    return receipt(entry.said, recorded, parts.texts, language, name_of(parts))


def name_of(parts: Parts) -> Any:
    """Organisation number -> the agency's name, or None."""

    def name(org: str) -> str | None:
        agency = parts.agency(org)
        return agency.name if agency else None

    return name


def _owner(view: Connection, consent_id: str) -> Person | None:
    person_id = view.scalar(select(consent.c.person_id).where(consent.c.id == consent_id))
    return None if person_id is None else people.load(view, person_id)
