"""Understands what one message becomes under one agreement, field by field: carried, dropped and why, and
what stays when the person has permitted nothing.

Asks the decision that decides in earnest, with no consent. Nothing is stored and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from adapters.base import Adapter, without
from consent.decide import Ask, decide, permit
from consent.labels import CodeLists, label
from consent.rows import Pack, Relation
from consent.texts import Texts
from hub.errors import HubError
from hub.kit.asked import asked
from hub.kit.corpus import addressed
from hub.kit.values import paths
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
class Format:
    """What one format of the recipient's makes of all that may go: `left` is what it leaves behind, by path
    without indices, with the reason; `refused` the refusal where it cannot say it."""

    name: str
    left: Mapping[str, str]
    refused: HubError | None = None


def in_formats(record: Record, types: Types, adapters: Iterable[Adapter]) -> tuple[Format, ...]:
    """What each of these adapters that writes the record's type does with it."""
    spec = types[record.type]
    named = addressed(record, spec)
    return tuple(_in_format(named, one) for one in adapters if one.type == record.type)


def _in_format(record: Record, adapter: Adapter) -> Format:
    body = asked(adapter.render, record)
    if isinstance(body, HubError):
        return Format(adapter.name, {}, body)
    stays = set(paths(adapter.as_said(without(record, adapter.loses))))
    gone = (path for path in paths(record) if path not in stays)
    reasons = {**adapter.yields, **adapter.loses}
    return Format(adapter.name, {path: why for path in gone if (why := _reason(path, reasons))})


def _reason(path: str, reasons: Mapping[str, str]) -> str | None:
    """The reason of a field, or of a group that it stands in."""
    while path not in reasons:
        path, dot, _ = path.rpartition(".")
        if not dot:
            return None
    return reasons[path]


@dataclass(frozen=True)
class SideBySide:
    """`whole` and `alone` are what the recipient gets when all may go, and without any consent; or the
    refusal by which nothing goes. `formats` are those of the recipient's type, with what is whole."""

    agreement: Agreement
    sender: Sector
    fields: tuple[Field, ...]
    envelope: str
    whole: Record | HubError
    alone: Record | HubError
    formats: tuple[Format, ...] = ()


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
    adapters: Iterable[Adapter] = (),
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
    formats = () if isinstance(whole, HubError) else in_formats(whole, types, adapters)
    alone = _alone(permitted, agreement, types)
    return SideBySide(agreement, sender, tuple(fields), envelope, whole, alone, formats)


def _alone(permitted: Permitted | None, agreement: Agreement, types: Types) -> Record | HubError:
    if permitted is None:
        return HubError("decide.essential-missing")
    return asked(translate_record, permitted.record, agreement, types, EXAMPLE_HEADER)


def _ask(labelled: Labelled, agreement: Agreement, types: Types, sender: Agency, recipient: Agency) -> Ask:
    """As `hub/pipeline.py` asks, of a sender and a recipient of which only the sector is known. The recipient
    is to the person whatever a row wants it to be, as a registered GP is: nothing goes to another one. And
    whose number a described patient has is known: until then nothing goes to anybody."""
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
        relations=frozenset(Relation),
    )
