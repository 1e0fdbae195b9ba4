"""Understands a receipt as a FHIR R4 Task: how far whoever got a referral, or anything else, has come.

Wire:   UTF-8 JSON or XML, one Task; basedOn names the message it is for, by its id.
Units:  none.
Quirks: four statuses mean something to us, and every other one is refused; that a part was at fault is the
        businessStatus of a Task that was received, and the faults are its output.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping

from fhir.resources.R4B.task import Task

from adapters.base import Findings, Sniff, without
from adapters.fhir import Json, Reader, concept, open_coding, open_resource, present
from adapters.fhir_bundle import MESSAGE_ID
from adapters.fhir_parts import (
    check_fields,
    elements,
    instant,
    needed,
    read_addressing,
    read_message_id,
    read_moment,
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
PARTLY = "urn:brobygger:kvitteringsstatus"
FAULT = "feil"
LOSES: Mapping[str, str] = {
    "gjelder_type": "a Task names the message by its id",
    "gjelder_type_tekst": "a Task names the message by its id",
    "gjelder_sendt": "a Task names the message by its id",
    "avsender": "who answers is said by its number",
    "mottaker": "who is answered is said by its number",
}
MODELS: Models = {"Task": Task}
_WRITTEN = {word: status for status, word in STATUSES.items()}


def recognise(sniff: Sniff) -> bool:
    return sniff.at("resourceType") == "Task"


def read(document: Json) -> Record:
    """Read one receipt, or raise with every fault by path."""
    findings, structure = Findings(), Findings()
    task = Reader(document, "", findings)
    task.constant("resourceType", "Task")
    task.check(Task, structure)
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
        sendt=read_moment(task, "lastModified"),
        **read_addressing(task),
    )
    status = _status(task)
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
        feil=[fault for output in task.children("output") if (fault := _fault(output))],
    )
    task.finish()
    findings.extend(structure)
    findings.finish()
    return Record(TYPE, fields)


def _reason(reason: Reader | None) -> str | None:
    codings = reason.children("coding", at_least=1, at_most=1) if reason is not None else []
    for item in codings:
        item.constant("system", REASON)
        return item.text("code", required=True)
    return None


def _status(task: Reader) -> str | None:
    status, partly = task.one_of("status", STATUSES), task.child("businessStatus")
    codings = partly.children("coding", at_least=1, at_most=1) if partly is not None else []
    for item in codings:
        item.constant("system", PARTLY)
        item.constant("code", "delvis")
    if partly is not None and status not in (None, "mottatt"):
        task.fault("businessStatus", "code", "nothing beside this status")
    return "delvis" if partly is not None else status


def _fault(output: Reader) -> Json:
    """One fault that the recipient found, as output of the Task."""
    kind = output.child("type", required=True)
    for item in kind.children("coding", at_least=1, at_most=1) if kind else []:
        item.constant("system", RECEIPT)
        item.constant("code", FAULT)
    value = output.child("valueCodeableConcept", required=True)
    if value is None:
        return {}
    system = code = words = None
    for item in value.children("coding", at_most=1):
        system, code, words = open_coding(item)
    return present(kode=code, system=system, tekst=words, forklaring=value.text("text"))


def _write_fault(fault: Mapping[str, object]) -> Json:
    said = present(system=fault.get("system"), code=fault.get("kode"), display=fault.get("tekst"))
    value = present(coding=[said] if said else None, text=fault.get("forklaring"))
    return {"type": concept(RECEIPT, FAULT), "valueCodeableConcept": value}


def compose(record: Record) -> Json:
    """Write one receipt."""
    record = without(record, LOSES)
    check_fields(record, TYPE, frozenset({"melding", "person", "gjelder", "status", "kode", "feil"}))
    partly = record.get("status") == "delvis"
    status = "received" if partly else _WRITTEN.get(str(record.get("status")))
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
        businessStatus=concept(PARTLY, "delvis") if partly else None,
        intent="order",
        code=concept(RECEIPT, TYPE),
        **{"for": write_subject(record)},
        lastModified=instant(needed(record, "melding.sendt")),
        output=[_write_fault(fault) for fault in elements(record.fields.get("feil"))],
    )


ADAPTERS = both("fhir-task", TYPE, recognise, read, compose, MODELS, loses=LOSES)
