"""Understands how it is recorded who somebody's registered GP (fastlege) is, as a register or a sender says.

Behind the gates of everybody it reaches, with its audit leaf; what is open is decided again. It decides
nothing itself: `consent/on_file.py` says who it is at a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from hub import identity
from hub.audit.log import Kind
from hub.errors import Finding, HubError
from hub.identity import LONGEST, Desk
from hub.message import Sector
from hub.parts import Parts
from hub.rows import prove
from hub.store import gps, people


@dataclass(frozen=True)
class Said:
    """From one day to another the person is on the list of `org`; "" is nobody's. Days are inclusive,
    Europe/Oslo; `valid_to` None is open. `source` is who says so."""

    org: str
    valid_from: date
    valid_to: date | None
    source: str


def record(parts: Parts, number: str, said: Said, desk: Desk) -> None:
    """From now on this is what the hub knows of those days. A number the hub has not met gets a record.

    Raises hub.identity-refused with every finding, receive.busy; nothing has changed then.
    """
    if findings := list(_unfit(parts, said)):
        raise HubError("hub.identity-refused", findings)
    with identity.at_the_desk(parts, [number], desk, exactly=1, create=True) as (tx, ids):
        owner, record_id = people.load(tx, ids[0]), parts.new_id()
        document = {
            "org": said.org,
            "valid_from": said.valid_from.isoformat(),
            "valid_to": None if said.valid_to is None else said.valid_to.isoformat(),
            "source": said.source,
        }
        gps.record(tx, parts.vault, owner, record_id=record_id, document=document, at=parts.clock())
        by = {"by": desk.name, "login": desk.login, "reason": desk.reason}
        what = {**document, **by, "action": "registered-gp", "record": record_id}
        prove(tx, parts, owner, Kind.IDENTITY, what)
        identity.decide_again_after(tx, parts, owner.linked)
        # Dying here: who the GP was before still is, without a leaf; at most there is a person without
        # anything. After the commit all of it stands: said again it stands twice and says the same.


def _unfit(parts: Parts, said: Said) -> Iterator[Finding]:
    agency = parts.agency(said.org)
    if said.org and (agency is None or agency.sector is not Sector.GP):
        yield Finding("agency", "known", "a GP of the directory")
    if said.valid_to is not None and said.valid_to < said.valid_from:
        yield Finding("to", "period", "a day that is not before the first")
    if not said.source.strip() or not said.source.isprintable() or len(said.source) > LONGEST:
        yield Finding("source", "text", f"1 to {LONGEST} printable characters")
