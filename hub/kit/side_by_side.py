"""Understands what one message becomes under one agreement, field by field: carried, dropped and why, and
what stays when the person has permitted nothing.

Asks the decision that decides in earnest, with no consent. Nothing is stored and nobody is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from consent.decide import Ask, decide, permit
from consent.labels import CodeLists, label
from consent.rows import Pack
from consent.texts import Texts
from hub.errors import HubError
from hub.kit.asked import asked
from hub.message import Agency, Category, Item, Labelled, Permitted, Record, Sector, Verdict, walk
from mappings.agreements import Agreement
from mappings.engine import EXAMPLE_HEADER, Types, coverage, translate_record


@dataclass(frozen=True)
class Field:
    """One value of the message. `to` is where it goes, `dropped` why it does not; neither for what the hub
    writes anew. `withheld` is the code by which it stays without a consent, or empty."""

    path: str
    labels: tuple[str, ...]
    to: tuple[str, ...] = ()
    dropped: str = ""
    withheld: str = ""
    value: object = None

    @property
    def outcome(self) -> str:
        if self.withheld:
            return "withheld"
        return "carried" if self.to else "dropped" if self.dropped else "anew"


@dataclass(frozen=True)
class SideBySide:
    """`whole` and `alone` are what the recipient gets when all may go, and without any consent; or the
    refusal by which nothing goes."""

    agreement: Agreement
    sender: Sector
    fields: tuple[Field, ...]
    envelope: str
    whole: Record | HubError
    alone: Record | HubError


def side_by_side(
    record: Record,
    agreement: Agreement,
    types: Types,
    *,
    sender: Sector,
    pack: Pack,
    codes: CodeLists,
    texts: Texts,
    at: datetime,
) -> SideBySide:
    """The fields of one record, in its order. `at` is aware. The record must be of the agreement's type."""
    here, there = Agency("", "the sender", sender), Agency("", "the recipient", agreement.target.sector)
    labelled = label(record, types[record.type].leaves(record), codes, here)
    ask = _ask(labelled, agreement, types, here, there)
    rows = pack.between(sender, there.sector, agreement.purpose)
    decision = decide(ask, rows, (), at=at, known_at=at, texts=texts)
    stays = {item.path: item.reason for item in decision.items if item.verdict is not Verdict.PERMIT}
    envelope = next((code for path, code in stays.items() if path.startswith("envelope.")), "")
    permitted = permit(decision, labelled, ask)
    covered = {field.path: field for field in coverage(agreement, types)}
    values = dict(walk(record.fields))
    fields = []
    for item in labelled.items:
        found = covered.get(item.field)
        labels = tuple(sorted(item.categories))
        if found is None:
            fields.append(Field(item.path, labels, value=values.get(item.path)))
            continue
        withheld = (stays.get(item.path) or envelope) if found.carried_to else ""
        fields.append(
            Field(
                item.path,
                labels,
                found.carried_to,
                found.dropped or "",
                withheld,
                values.get(item.path),
            )
        )
    whole = asked(translate_record, record, agreement, types, EXAMPLE_HEADER)
    return SideBySide(agreement, sender, tuple(fields), envelope, whole, _alone(permitted, agreement, types))


def _alone(permitted: Permitted | None, agreement: Agreement, types: Types) -> Record | HubError:
    if permitted is None:
        return HubError("decide.essential-missing")
    return asked(translate_record, permitted.record, agreement, types, EXAMPLE_HEADER)


def _ask(labelled: Labelled, agreement: Agreement, types: Types, sender: Agency, recipient: Agency) -> Ask:
    """As `hub/pipeline.py` asks, of a sender and a recipient of which only the sector is known."""
    told: frozenset[Category] = frozenset() if agreement.route == "hub" else sender.labels
    spec = types[labelled.record.type]
    dated = labelled.record.get(spec.dated) if spec.dated else None
    graded = labelled.record.get(spec.protected.path) if spec.protected else None
    envelope = (
        Item("envelope.sender", told, told),
        Item("envelope.agreement", agreement.reveals, agreement.reveals),
    )
    carried = (item for item in labelled.items if item.field in agreement.carries)
    return Ask(
        sender=sender,
        recipient=recipient,
        purpose=agreement.purpose,
        basis=agreement.basis,
        agreement=agreement.id,
        items=(*(item for item in envelope if item.categories), *carried),
        protected_address=graded not in (None, "ugradert"),
        data_date=date.fromisoformat(dated) if isinstance(dated, str) else None,
    )
