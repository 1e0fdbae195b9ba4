"""Understands a receipt as a FHIR R4 Task: how far whoever got a referral, or anything else, has come.

Wire:   UTF-8 JSON or XML, one Task; basedOn names the message it is for, by its id.
Units:  none.
Quirks: four statuses mean something to us; every other one is refused.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping

from fhir.resources.R4B.task import Task

from adapters.base import Findings, Sniff
from adapters.fhir import Json, Reader, concept, open_resource, present
from adapters.fhir_bundle import MESSAGE_ID
from adapters.fhir_parts import (
    check_fields,
    instant,
    needed,
    read_addressing,
    read_message_id,
    read_subject,
    write_addressing,
    write_message_id,
    write_subject,
)
from adapters.fhir_wire import both
from adapters.fhir_xml import Models
from hub.errors import Finding, HubError
from hub.message import Record

TYPE = "kvittering"
RECEIPT = "urn:brobygger:type"
REASON = "urn:brobygger:kvitteringskode"
STATUSES: Mapping[str, str] = {
    "received": "mottatt",
    "rejected": "avvist",
    "in-progress": "startet",
    "completed": "avsluttet",
}
MODELS: Models = {"Task": Task}
_WRITTEN = {word: status for status, word in STATUSES.items()}


def recognise(sniff: Sniff) -> bool:
    return sniff.at("resourceType") == "Task"


def read(document: Json) -> Record:
    """Read one receipt, or raise with every fault by path."""
    findings = Findings()
    task = Reader(document, "", findings)
    task.constant("resourceType", "Task")
    task.check(Task)
    open_resource(task)
    task.ignore("authoredOn", "requester", "owner")
    task.constant("intent", "order")
    identifiers = task.children("identifier", at_least=1, at_most=1)
    kind = task.child("code", required=True)
    for item in kind.children("coding", at_least=1, at_most=1) if kind else []:
        item.ignore("display", "version")
        item.constant("system", RECEIPT)
        item.constant("code", TYPE)
    melding = present(
        id=read_message_id(identifiers[0]) if identifiers else None,
        sendt=task.text("lastModified", required=True),
        **read_addressing(task),
    )
    status = task.one_of("status", STATUSES)
    subject, based = task.child("for"), task.children("basedOn", at_least=1, at_most=1)
    for reference in based:
        reference.ignore("type", "display")
    about = read_message_id(based[0].child("identifier", required=True)) if based else None
    fields = present(
        melding=melding,
        person=read_subject(subject),
        gjelder=about,
        status=status,
        kode=_reason(task.child("statusReason")),
    )
    task.finish()
    findings.finish()
    return Record(TYPE, fields)


def _reason(reason: Reader | None) -> str | None:
    codings = reason.children("coding", at_least=1, at_most=1) if reason is not None else []
    for item in codings:
        item.constant("system", REASON)
        return item.text("code", required=True)
    return None


def compose(record: Record) -> Json:
    """Write one receipt."""
    check_fields(record, TYPE, frozenset({"melding", "person", "gjelder", "status", "kode"}))
    status = _WRITTEN.get(str(record.get("status")))
    if status is None:
        raise HubError("render.incomplete", [Finding("status", "code", "one of " + ", ".join(_WRITTEN))])
    reason = record.get("kode")
    return present(
        resourceType="Task",
        extension=write_addressing(record),
        identifier=[write_message_id(record)],
        basedOn=[{"identifier": {"system": MESSAGE_ID, "value": needed(record, "gjelder")}}],
        status=status,
        statusReason=concept(REASON, reason) if reason is not None else None,
        intent="order",
        code=concept(RECEIPT, TYPE),
        **{"for": write_subject(record)},
        lastModified=instant(needed(record, "melding.sendt")),
    )


ADAPTERS = both("fhir-task", TYPE, recognise, read, compose, MODELS)
