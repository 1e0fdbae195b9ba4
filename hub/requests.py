"""Understands requests for information: what is recorded when an agency asks another for what the law
obliges that one to tell on request, and what happens when the request ends.

Everything is done behind the gates of everybody it reaches, in one transaction with its audit leaf. A
request recorded lets what waits be decided anew; one that ends destroys the keys of all renderings that
have not been handed over. It decides nothing: `consent/on_file.py` says on which rows a request calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from consent.on_file import state
from consent.rows import Effect, Pack, Row, flow_of
from consent.said import OSLO
from hub import identity, policy
from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.identity import LONGEST, Desk
from hub.message import Purpose
from hub.parts import Parts
from hub.rows import prove
from hub.store import people, requests
from hub.store.requests import Entry
from mappings.identifiers import is_person_number


@dataclass(frozen=True)
class Asked:
    """What an agency asked for, as it is written down. `reference` is the asker's own for it: the same
    again is the next version. `asked_by` and `asked_of` are organisation numbers, `flow` a flow of the
    policy (`L30`). Days are inclusive, Europe/Oslo; the data period None is open."""

    reference: str
    asked_by: str
    asked_of: str
    flow: str
    purpose: str
    asked_on: date
    valid_to: date
    data_from: date | None = None
    data_to: date | None = None


@dataclass(frozen=True)
class Shown:
    """One version, and how it stands: in-force, not-yet, expired, ended, superseded or unreadable."""

    entry: Entry
    stands: str


def add(parts: Parts, number: str, asked: Asked, desk: Desk) -> tuple[str, int]:
    """Record a request, or the next version of one. Returns its id and version. In force from the day
    it was asked.

    Raises request.invalid with every finding, hub.identity-refused, receive.busy; nothing has changed
    then.
    """
    with identity.at_the_desk(parts, [number], desk, exactly=1, create=True) as (tx, ids):
        rows = _rows_called_on(policy.in_effect(tx, parts).pack, asked.flow)
        if findings := list(_unfit(parts, asked, rows)):
            raise HubError("request.invalid", findings)
        owner, request_id = people.load(tx, ids[0]), parts.new_id()
        document = {
            "reference": asked.reference,
            "asked_by": asked.asked_by,
            "asked_of": asked.asked_of,
            "flow": flow_of(asked.flow),
            "rows": [row.ref for row in rows],
            "law": sorted({law for row in rows for law in row.law}),
            "purpose": asked.purpose,
            "valid_from": asked.asked_on.isoformat(),
            "valid_to": asked.valid_to.isoformat(),
            "data_from": _iso(asked.data_from),
            "data_to": _iso(asked.data_to),
            "by": desk.name,
            "login": desk.login,
            "reason": desk.reason,
        }
        key = parts.vault.pseudonym("request", f"{asked.asked_by} {asked.reference}")
        version = requests.record(
            tx, parts.vault, owner, request_id=request_id, key=key, document=document, at=parts.clock()
        )
        what = {**document, "action": "add", "request": request_id, "version": version}
        prove(tx, parts, owner, Kind.REQUEST, what)
        # Dying here, or at the commit: there is no request, no leaf, and nothing is decided anew; at most a
        # person without anything. After the commit all of it stands: who got no answer and says it again
        # makes the next version, which says the same.
        identity.decide_again_after(tx, parts, owner.linked)
        return request_id, version


def end(parts: Parts, number: str, request_id: str, desk: Desk) -> int:
    """End a request, in all its versions: when this returns nothing more goes on it. Returns how many.

    Raises request.unknown, hub.no-such-person, hub.identity-refused, receive.busy; nothing has changed
    then.
    """
    with identity.at_the_desk(parts, [number], desk, exactly=1) as (tx, ids):
        owner = people.load(tx, ids[0])
        ended = requests.end(tx, owner, request_id, parts.clock())
        if not ended:
            raise HubError("request.unknown")
        for record_id, ended_id in ended:
            what = {"action": "end", "request": ended_id, "by": desk.name, "login": desk.login}
            prove(tx, parts, people.load(tx, record_id), Kind.REQUEST, {**what, "reason": desk.reason})
        # Dying here, or at the commit: the request stands, and what lies ready under it is as it was. After
        # the commit it has ended; who got no answer and says it again hears request.unknown.
        identity.decide_again_after(tx, parts, owner.linked)
        return len(ended)


def of_person(parts: Parts, number: str, *, at: datetime, known_at: datetime) -> list[Shown]:
    """Every version the hub knew at `known_at`, as it stood `at` (both aware), in the order recorded.
    Raises hub.no-such-person."""
    with parts.store.reading() as view:
        owner = people.find(view, parts.vault, number) if is_person_number(number) else None
        if owner is None:
            raise HubError("hub.no-such-person")
        entries = requests.of_records(view, parts.vault, owner.one)
    known = [entry for entry in entries if entry.said.recorded_at <= known_at]
    newest: dict[str, int] = {}
    for entry in known:
        newest[entry.said.series] = max(newest.get(entry.said.series, 0), entry.said.version)
    return [Shown(entry, _stands(entry, newest[entry.said.series], at, known_at)) for entry in known]


def _stands(entry: Entry, newest: int, at: datetime, known_at: datetime) -> str:
    alone = state(entry.said, at, known_at)
    return "superseded" if alone != "unreadable" and entry.said.version < newest else alone


def told(parts: Parts, shown: Shown) -> dict[str, Any]:
    """One version as JSON values, for whoever may see the register."""
    said, document = shown.entry.said, shown.entry.document
    names = {
        who: agency.name if (agency := parts.agency(who)) else "" for who in (said.asked_by, said.asked_of)
    }
    return {
        "id": said.id,
        "version": said.version,
        "stands": shown.stands,
        "reference": document.get("reference"),
        "asked_by": said.asked_by,
        "asked_by_name": names[said.asked_by],
        "asked_of": said.asked_of,
        "asked_of_name": names[said.asked_of],
        "flow": said.flow,
        "law": document.get("law", []),
        "purpose": said.purpose,
        "asked_on": document.get("valid_from"),
        "valid_to": document.get("valid_to"),
        "data_from": document.get("data_from"),
        "data_to": document.get("data_to"),
        "recorded_at": said.recorded_at,
        "recorded_by": document.get("by"),
        "ended_at": said.ended_at,
    }


def _rows_called_on(pack: Pack, flow: str) -> tuple[Row, ...]:
    """The rows of the flow that speak on request, in the form in effect."""
    return tuple(row for row in pack.of_flow(flow_of(flow)) if row.effect is Effect.DUTY_ON_REQUEST)


def _unfit(parts: Parts, asked: Asked, rows: tuple[Row, ...]) -> Iterator[Finding]:
    if not asked.reference.strip() or not asked.reference.isprintable() or len(asked.reference) > LONGEST:
        yield Finding("reference", "text", f"1 to {LONGEST} printable characters")
    if not rows:
        yield Finding("row", "on-request", "a flow with a deciding row that speaks on request")
    for at, org, sectors in (
        ("asked-by", asked.asked_by, {sector for row in rows for sector in row.recipients}),
        ("asked-of", asked.asked_of, {sector for row in rows for sector in row.senders}),
    ):
        agency = parts.agency(org)
        if agency is None:
            yield Finding(at, "known", "an organisation number of the directory")
        elif rows and agency.sector not in sectors:
            yield Finding(at, "sector", "an agency of " + ", ".join(sorted(sectors)))
    purposes: set[Purpose] = {purpose for row in rows for purpose in row.purposes}
    if rows and asked.purpose not in purposes:
        yield Finding("purpose", "code", ", ".join(sorted(purposes)))
    today = parts.clock().astimezone(OSLO).date()
    if asked.asked_on > today:
        yield Finding("asked-on", "period", "a day that is not to come")
    if asked.valid_to < max(asked.asked_on, today):
        yield Finding("until", "period", "a day from today on")
    if asked.data_from is not None and asked.data_to is not None and asked.data_to < asked.data_from:
        yield Finding("data-to", "period", "a day that is not before the first")


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
