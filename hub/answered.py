"""Understands which disclosure a message answers, by the id that its recipient knows it by.

Some formats demand a UUID as the id of a message: there the hub's own id goes out as one and comes back as
one (adapters/kith/rules.py). It must not know who may answer what.
"""

from __future__ import annotations

from sqlalchemy import Connection

from adapters.kith.rules import sent_as
from hub.message import Record
from hub.store import disclosures
from hub.store.disclosures import Disclosure


def answered(tx: Connection, record: Record) -> Disclosure | None:
    """The disclosure that `melding.svar_pa` names, or None: it names none, or nothing that is known."""
    reference = record.get("melding.svar_pa")
    if reference is None:
        return None
    return disclosures.load(tx, str(reference)) or disclosures.load(tx, sent_as(str(reference)))
