"""Understands which disclosure a message answers, by the id that its recipient knows it by, and what the one
who sent it calls it.

Some formats demand a UUID as the id of a message: there the hub's own id goes out as one and comes back as
one (adapters/kith/rules.py). It must not know who may answer what.
"""

from __future__ import annotations

from sqlalchemy import Connection

from adapters.apprec.kinds import kind
from adapters.kith.codes import meaning
from adapters.kith.rules import sent_as
from hub.message import Record
from hub.parts import Parts
from hub.shapes import Original
from hub.store import disclosures, messages, people
from hub.store.disclosures import Disclosure
from mappings.agreements import Agreement


def answered(tx: Connection, record: Record) -> Disclosure | None:
    """The disclosure that `melding.svar_pa` names, or None: it names none, or nothing that is known."""
    reference = record.get("melding.svar_pa")
    if reference is None:
        return None
    return disclosures.load(tx, str(reference)) or disclosures.load(tx, sent_as(str(reference)))


def original(tx: Connection, parts: Parts, agreement: Agreement, message_id: str | None) -> Original | None:
    """What a receipt answers, as whoever sent it knows it; None for anything but a receipt that goes back to
    that one. Of somebody forgotten the hub still knows what it told the sender: its own id, when the message
    came, and the type. It is the same whatever became of the message, and whether its content is there."""
    if message_id is None or agreement.route != "answered" or not is_receipt(parts, agreement.target.type):
        return None
    stored = messages.load(tx, message_id)
    if stored is None:
        return None
    head = messages.open_head(tx, parts.vault, people.load(tx, stored.person_id), stored)
    if head is None:
        came = stored.received_at.isoformat(timespec="seconds")
        return Original(stored.sender, stored.id, came, kind(stored.type, None))
    return Original(stored.sender, head["id"], head["sent"], kind(stored.type, head.get("kind")))


def said_back(record: Record, original: Original) -> Record:
    """A receipt with the id, kind and time of what it answers, for a format that is not valid without: as its
    reader, who sent that, wrote them itself. What the answer said of them stays behind (decision 0013)."""
    about = {"gjelder": original.id, "gjelder_type": original.kind, "gjelder_sendt": original.sent}
    if words := meaning("8279", original.kind):
        about["gjelder_type_tekst"] = words
    kept = {name: value for name, value in record.fields.items() if name != "gjelder_type_tekst"}
    fields = {**kept, **about}
    fields["melding"] = {**fields["melding"], "svar_pa": original.id}
    return Record(record.type, fields)


def is_receipt(parts: Parts, type_name: str) -> bool:
    """The type has a place for the kind and the time of what it answers."""
    return {"gjelder", "gjelder_type", "gjelder_sendt"} <= parts.types[type_name].by_path.keys()
