"""Understands how a referral to TSB is read from a FHIR message: from the ServiceRequest downwards."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from fhir.resources.R4B.bundle import Bundle as BundleModel
from fhir.resources.R4B.messageheader import MessageHeader
from fhir.resources.R4B.organization import Organization
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.practitionerrole import PractitionerRole
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhir.resources.R4B.servicerequest import ServiceRequest

from adapters.base import Findings
from adapters.fhir import Json, Reader, only_code, present
from adapters.fhir_bundle import Bundle
from adapters.fhir_extensions import NOT_PART
from adapters.fhir_parts import PERSON_LEFT, day, read_addressing, read_header, read_person
from adapters.fhir_paths import below
from adapters.fhir_places import said_at
from adapters.fhir_xml import Models
from hub.message import Record

TYPE = "tsb.henvisning"
EVENT = "urn:brobygger:type"
ROLE = "urn:brobygger:rolle"
FORM = "urn:brobygger:questionnaire:"
SERVICE = ("urn:oid:2.16.578.1.12.4.1.1.8451", "360")
"""Field of work 360 of list 8451: addiction treatment."""

INSTRUMENTS = {"AUDIT": "audit", "DUDIT": "dudit"}
ANSWERS: Mapping[str, str] = {
    "rus.behov": "valueString",
    "rus.onske": "valueBoolean",
    "rus.tidligere_behandling": "valueBoolean",
    "rus.lar": "valueString",
    "loslatelse.planlagt_dato": "valueDate",
    "loslatelse.type": "valueString",
    "loslatelse.sikkerhet": "valueString",
    "kommuner.folkeregistrert": "valueString",
    "kommuner.loslatelse": "valueString",
}
"""The coded answers of the referral: linkId is the field."""

ELSEWHERE = (
    "nothing here: what a referral says in words stands in ServiceRequest.note, its answers in supportingInfo"
)

FILING = "how the sender files it, issued anew on the way out"
WHO_ELSE = "who else had to do with it; the role and the unit that refer are carried"
LEFT: Mapping[str, Mapping[str, str]] = {
    "MessageHeader": {"source": "which system sent it; the sender is `melding.avsender`"},
    "ServiceRequest": {"identifier": FILING, "authoredOn": "the time of the message is `melding.sendt`"},
    "Patient": dict.fromkeys(PERSON_LEFT, NOT_PART),
    "PractitionerRole": {
        "identifier": FILING,
        "active": "who refers is read; whether the role is held still is not part of that",
    },
    "Organization": dict.fromkeys(("identifier", "active", "type", "telecom", "address"), WHO_ELSE),
    "QuestionnaireResponse": {"identifier": FILING, **dict.fromkeys(("author", "source"), WHO_ELSE)},
}
"""What is left behind on purpose, with the reason; README.md lists it. All else is read or refused."""

MODELS: Models = {
    "Bundle": BundleModel,
    "MessageHeader": MessageHeader,
    "ServiceRequest": ServiceRequest,
    "Patient": Patient,
    "Organization": Organization,
    "PractitionerRole": PractitionerRole,
    "QuestionnaireResponse": QuestionnaireResponse,
}


def read(document: Json) -> Record:
    """Read one referral, or raise with every fault by path."""
    findings = Findings()
    bundle = Bundle(document, "message", MODELS, findings)
    fields: Json = {}
    melding = read_header(bundle.shell)
    header = bundle.first("MessageHeader")
    if header is not None:
        melding.update(_read_message_header(header))
        focus = header.children("focus", at_least=1, at_most=1)
        followed = bundle.follow(focus[0], "ServiceRequest") if focus else None
        if followed is not None:
            _Reading(bundle, fields, melding.get("sendt"), findings).request(followed[1])
    bundle.finish()
    return Record(TYPE, present(melding=melding, **fields))


def _read_message_header(header: Reader) -> Json:
    header.ignore(*LEFT["MessageHeader"])
    event = header.child("eventCoding", required=True)
    if event is not None:
        event.constant("system", EVENT)
        event.constant("code", TYPE)
    return read_addressing(header)


class _Reading:
    """The parts of one referral, read from its ServiceRequest downwards."""

    def __init__(self, bundle: Bundle, fields: Json, sent: object, findings: Findings) -> None:
        self._bundle, self._fields, self._sent, self._findings = bundle, fields, sent, findings
        self._patient: Reader | None = None

    def request(self, request: Reader) -> None:
        request.ignore(*LEFT["ServiceRequest"])
        request.constant("status", "active")
        request.constant("intent", "order")
        service = only_code(request.child("code", required=True))
        if service is not None and service != SERVICE:
            request.fault("code", "code", f"{SERVICE[0]} {SERVICE[1]}")
        subject = self._bundle.follow(request.child("subject", required=True), "Patient")
        if subject is not None:
            self._patient = subject[1]
            self._fields["person"] = read_person(subject[1], on=self._sent)
        self._requester(request.child("requester"))
        for note in request.children("note", at_most=1):
            self._put("rus.merknad", note.text("text", required=True))
        if request.peek("priority") == "routine":
            request.ignore("priority")
        seen: set[int] = set()
        for reference in request.children("supportingInfo"):
            followed = self._bundle.follow(reference, "QuestionnaireResponse")
            if followed is not None and id(followed[1]) in seen:
                reference.fault("reference", "unique", "once")
            elif followed is not None:
                seen.add(id(followed[1]))
                self._answers(followed[1])
        for name in request.rest():
            self._findings.add(below(request.at, name), "not-read", ELSEWHERE)

    def _requester(self, reference: Reader | None) -> None:
        followed = self._bundle.follow(reference, "PractitionerRole")
        if followed is None:
            return
        role = followed[1]
        role.ignore(*LEFT["PractitionerRole"])
        for item in role.children("code", at_most=1):
            found = only_code(item)
            if found is not None and found[0] != ROLE:
                item.fault("coding[0].system", "system", ROLE)
            elif found is not None:
                self._put("henviser.rolle", found[1])
        unit = self._bundle.follow(role.child("organization"), "Organization")
        if unit is not None:
            unit[1].ignore(*LEFT["Organization"])
            self._put("henviser.enhet", unit[1].text("name", required=True))

    def _answers(self, response: Reader) -> None:
        response.ignore(*LEFT["QuestionnaireResponse"])
        response.constant("status", "completed")
        if self._patient is None:  # told already, and nothing follows from it
            response.ignore("subject")
        else:
            subject = self._bundle.follow(response.child("subject", required=True), "Patient")
            if subject is not None and subject[1] is not self._patient:
                response.fault("subject", "reference", "the person of the referral")
        canonical = response.text("questionnaire", required=True) or ""
        form, _, edition = canonical.partition("|")
        instrument = form.removeprefix(FORM)
        if form == FORM + TYPE:
            response.ignore("authored")
            for item in response.children("item"):
                self._answer(item)
        elif form.startswith(FORM) and instrument in INSTRUMENTS:
            self._screening(response, instrument, said_at(unquote(edition), canonical))
        else:
            expected = ", ".join(FORM + name for name in (TYPE, *INSTRUMENTS))
            response.fault("questionnaire", "code", "one of " + expected)
            response.ignore_all()

    def _answer(self, item: Reader) -> None:
        item.ignore("text")
        field = item.text("linkId", required=True)
        kind = ANSWERS.get(field or "")
        answers = item.children("answer", at_least=1, at_most=1)
        if field is None or kind is None:
            item.fault("linkId", "code", "one of " + ", ".join(ANSWERS))
        for answer in answers:
            if kind is None or field is None:
                answer.ignore_all()
            elif kind == "valueBoolean":
                self._put(field, answer.boolean(kind), item)
            else:
                self._put(field, answer.text(kind, required=True), item)

    def _screening(self, response: Reader, instrument: str, edition: str) -> None:
        points: list[int | None] = []
        total = None
        for item in response.children("item", at_least=1):
            item.ignore("text")
            link = item.text("linkId", required=True)
            answers = item.children("answer", at_least=1, at_most=1)
            value = answers[0].integer("valueInteger") if answers else None
            if answers and value is None:
                answers[0].fault("valueInteger", "missing", "an integer")
            if link == "sum" and total is None:
                total = value
            elif link == str(len(points) + 1):
                points.append(value)
            else:
                item.fault("linkId", "order", "1, 2, ... and sum, each once")
        screening = present(
            instrument=instrument,
            versjon=edition,
            dato=day(response.text("authored", required=True)),
            svar=points,
            sum=total,
        )
        self._put(f"rus.{INSTRUMENTS[instrument]}", screening, response)

    def _put(self, path: str, value: object, at: Reader | None = None) -> None:
        if value is None:
            return
        group, _, name = path.partition(".")
        inside = self._fields.setdefault(group, {})
        assert isinstance(inside, dict)
        if name in inside and at is not None:
            at.fault("", "unique", "each answer once")
        inside[name] = value
