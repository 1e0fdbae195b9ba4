"""Understands how an epikrise is read from a FHIR document: from the Composition downwards."""

from __future__ import annotations

from fhir.resources.R4B.bundle import Bundle as BundleModel
from fhir.resources.R4B.composition import Composition
from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.organization import Organization
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.practitioner import Practitioner

from adapters.base import Findings
from adapters.fhir import Json, Reader, coding, open_coding, present
from adapters.fhir_bundle import Bundle
from adapters.fhir_parts import day, read_addressing, read_header, read_name, read_person
from adapters.fhir_xml import Models
from adapters.narrative import read_narrative
from hub.message import Record

TYPE = "epikrise"
LOINC = "http://loinc.org"
DOCUMENT_TYPE = "urn:oid:2.16.578.1.12.4.1.1.9602"
DISCHARGE = frozenset({(DOCUMENT_TYPE, "A03-2"), (LOINC, "18842-5"), (LOINC, "34105-7")})
ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
MODELS: Models = {
    "Bundle": BundleModel,
    "Composition": Composition,
    "Patient": Patient,
    "Organization": Organization,
    "Practitioner": Practitioner,
    "Condition": Condition,
    "MedicationStatement": MedicationStatement,
}


def read(document: Json) -> Record:
    """Read one epikrise, or raise with every fault by path."""
    findings = Findings()
    bundle = Bundle(document, "document", MODELS, findings)
    reading = _Reading(bundle, findings)
    fields: Json = {"melding": read_header(bundle.shell)}
    composition = bundle.first("Composition")
    if composition is not None:
        reading.composition(composition, fields)
    bundle.finish()
    return Record(TYPE, present(**fields))


class _Reading:
    """The parts of one document, read from its Composition downwards."""

    def __init__(self, bundle: Bundle, findings: Findings) -> None:
        self._bundle, self._findings = bundle, findings
        self._patient: Reader | None = None
        self._taken: set[int] = set()
        self._lists: dict[str, list[Json]] = {"diagnoser": [], "legemidler": [], "seksjoner": []}

    def composition(self, composition: Reader, fields: Json) -> None:
        composition.ignore("identifier", "title")
        composition.constant("status", "final")
        self._type(composition.child("type", required=True))
        melding = fields["melding"]
        assert isinstance(melding, dict)
        melding.update(read_addressing(composition))
        subject = self._bundle.follow(composition.child("subject", required=True), "Patient")
        if subject is not None:
            self._patient = subject[1]
            fields["person"] = read_person(subject[1])
        fields["dato"] = day(composition.text("date", required=True))
        fields["avsender"] = self._author(composition)
        for event in composition.children("event", at_most=1):
            period = event.child("period", required=True)
            if period is not None:
                fields["periode"] = present(fra=day(period.text("start")), til=day(period.text("end")))
        for section in composition.children("section", at_least=1):
            self._section(section)
        fields.update(self._lists)

    def _type(self, concept: Reader | None) -> None:
        for item in concept.children("coding", at_least=1) if concept else []:
            system, code, _ = open_coding(item)
            if (system, code) not in DISCHARGE:
                item.fault("code", "code", "9602 A03-2, LOINC 18842-5 or LOINC 34105-7")
        if concept:
            concept.ignore("text")

    def _author(self, composition: Reader) -> Json:
        found: Json = {}
        for author in composition.children("author", at_least=1, at_most=2):
            if author.has("extension"):
                for extension in author.children("extension"):
                    extension.constant("url", str(ABSENT["url"]))
                    extension.ignore("valueCode")
                continue
            followed = self._bundle.follow(author, "Organization", "Practitioner")
            if followed is None:
                continue
            kind, resource = followed
            name = "enhet" if kind == "Organization" else "behandler"
            if name in found:
                author.fault("reference", "unique", "one organisation, one practitioner")
            found[name] = _organisation(resource) if kind == "Organization" else _practitioner(resource)
        return present(**found)

    def _section(self, section: Reader) -> None:
        section.ignore("id")
        title = section.text("title")
        coded = coding(section.child("code"))
        entries = section.children("entry")
        for entry in entries:
            self._entry(entry)
        narrative = section.child("text", required=not entries)
        if narrative is None:
            return
        status, div = narrative.text("status", required=True), narrative.text("div", required=True)
        if div is None or (entries and status == "generated"):
            return  # says the same as the entries
        if title is None:
            section.fault("title", "missing", "a value")
        if coded is not None and coded[0] != LOINC:
            section.fault("code", "system", LOINC)
        text = read_narrative(div, f"{narrative.at}.div", self._findings)
        self._lists["seksjoner"].append(present(kode=coded[1] if coded else None, tittel=title, tekst=text))

    def _entry(self, entry: Reader) -> None:
        followed = self._bundle.follow(entry, "Condition", "MedicationStatement")
        if followed is None:
            return
        kind, resource = followed
        if id(resource) in self._taken:
            entry.fault("reference", "unique", "an entry of one section only")
            return
        self._taken.add(id(resource))
        subject = self._bundle.follow(resource.child("subject", required=True), "Patient")
        if subject is not None and subject[1] is not self._patient:
            resource.fault("subject", "reference", "the person of the document")
        if kind == "Condition":
            self._lists["diagnoser"].append(_condition(resource))
        else:
            self._lists["legemidler"].append(_medicine(resource))


def _organisation(resource: Reader) -> str | None:
    resource.ignore("identifier", "active", "type", "telecom", "address")
    return resource.text("name", required=True)


def _practitioner(resource: Reader) -> str | None:
    resource.ignore("active", "identifier", "gender", "birthDate", "telecom", "address", "qualification")
    names = resource.children("name", at_least=1, at_most=1)
    return read_name(names[0]) if names else None


def _condition(resource: Reader) -> Json:
    """A diagnosis that stands. One that was ruled out would read as its opposite."""
    resource.ignore("category")
    for name, value in (("verificationStatus", "confirmed"), ("clinicalStatus", "active")):
        status = coding(resource.child(name))
        if status is not None and status[1] != value:
            resource.fault(name, "code", value)
    return _coded(coding(resource.child("code", required=True)), resource, "code", "tekst")


def _medicine(resource: Reader) -> Json:
    """A medicine that the person takes."""
    resource.ignore("category")
    resource.constant("status", "active")
    read = _coded(
        coding(resource.child("medicationCodeableConcept", required=True)),
        resource,
        "medicationCodeableConcept",
        "navn",
    )
    for dosage in resource.children("dosage", at_most=1):
        read.update(present(dosering=dosage.text("text", required=True)))
    return read


def _coded(
    found: tuple[str | None, str | None, str | None] | None, resource: Reader, at: str, words: str
) -> Json:
    if found is None:
        return {}
    system, code, text = found
    if system is None or code is None:
        resource.fault(f"{at}.coding[0]", "missing", "a system and a code")
    return present(system=system, kode=code, **{words: text})
