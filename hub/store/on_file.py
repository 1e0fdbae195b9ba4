"""Understands what the hub has on file about one person that a decision rests on, read at one moment in
the decision's own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from hub.message import Consent, RegisteredGp, Request
from hub.store import consents, gps, links, requests
from hub.store.consents import Read
from hub.store.people import Person
from hub.vault import Vault


@dataclass(frozen=True)
class OnFile:
    """Every version of each, as the decision reads them. Consents also over links in doubt, where they
    can only refuse; requests and who the GP is open a way, so they count over confirmed links only."""

    consents: tuple[Consent, ...] = ()
    requests: tuple[Request, ...] = ()
    gps: tuple[RegisteredGp, ...] = ()


NOTHING_ON_FILE = OnFile()


def of_person(
    tx: Connection, vault: Vault, owner: Person, read: Read, known_at: datetime | None = None
) -> OnFile:
    """`known_at`: by the links that were known then."""
    one = owner.one | {owner.id} if known_at is None else links.circle(tx, owner.id, known_at).one
    return OnFile(
        consents.of_person(tx, vault, owner, read, known_at),
        tuple(entry.said for entry in requests.of_records(tx, vault, one)),
        gps.of_records(tx, vault, one),
    )
