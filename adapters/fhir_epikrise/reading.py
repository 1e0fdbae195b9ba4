"""Understands how an epikrise is read from a FHIR document: from the Composition downwards."""

from __future__ import annotations

from functools import partial

from fhir.resources.R4B.bundle import Bundle as BundleModel

from adapters.base import Findings
from adapters.fhir import ORDINARY, Json, Reader, coding, open_coding, present
from adapters.fhir_bundle import Bundle, refuse_signature
from adapters.fhir_epikrise import losses
from adapters.fhir_epikrise.called import is_another_diagnosis, read_coded, read_condition, with_names
from adapters.fhir_epikrise.dosages import read_dosages
from adapters.fhir_epikrise.identity import LOINC, read_identity
from adapters.fhir_epikrise.lines import Group, Pointer, Words, plain
from adapters.fhir_epikrise.names import name_of
from adapters.fhir_epikrise.narrated import Coded, Content, coded_in, named, references_in
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_parts import (
    counted,
    day,
    read_addressing,
    read_header,
    read_name,
    read_person,
    register_number,
)
from adapters.fhir_places import said_at
from adapters.fhir_xml import Models
from adapters.narrative import read_narrative
from hub.message import Record

TYPE = "epikrise"
ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
CODED = "urn:brobygger:innhold"
RESH = "urn:oid:2.16.578.1.12.4.1.4.102"
HPR = "urn:oid:2.16.578.1.12.4.1.4.4"
ENCOUNTER = "Kontakten"
"""The title of the section for what the encounter says of its reasons."""

MODELS: Models = {"Bundle": BundleModel, **RESOURCES}


def read(document: Json) -> Record:
    """Read one epikrise, or raise with every fault by path."""
    findings = Findings()
    document = {name: _plain(value) for name, value in document.items()}
    bundle = Bundle(document, "document", RESOURCES, findings)
    reading = _Reading(bundle, findings)
    bundle.shell.ignore(*losses.SHELL)
    fields: Json = {"melding": read_header(bundle.shell)}
    composition = bundle.first("Composition")
    if composition is not None:
        reading.composition(composition, fields)
        reading.beside()
    bundle.finish()
    return Record(TYPE, present(**fields))


def _plain(value: object) -> object:
    """Without what tells nothing: the ids of elements, which lead nowhere but here, also one that is alone
    beside a value, and what a moment says beyond what the hub counts."""
    if isinstance(value, dict):
        there = {
            name: _plain(inside) for name, inside in value.items() if name != "id" or "resourceType" in value
        }
        return {name: one for name, one in there.items() if one != {} or not name.startswith("_")}
    if isinstance(value, list):
        return [_plain(inside) for inside in value]
    return counted(value) if isinstance(value, str) else value


class _Reading:
    """The parts of one document, read from its Composition downwards."""

    def __init__(self, bundle: Bundle, findings: Findings) -> None:
        self._bundle, self._findings = bundle, findings
        self._patient: Reader | None = None
        self._taken: set[int] = set()
        self._said: dict[int, Group] = {}
        self._names: dict[int, frozenset[str]] = {}
        self._codes: dict[int, list[Coded]] = {}
        self._codes_of: dict[int, list[Coded]] = {}
        self._listed: set[int] = set()
        self._who_else: list[tuple[str, str]] = []
        self._lists: dict[str, list[Json]] = {"diagnoser": [], "legemidler": [], "seksjoner": []}

    def composition(self, composition: Reader, fields: Json) -> None:
        fields.update(read_identity(composition))
        if composition.text("confidentiality") not in (None, *ORDINARY):
            composition.fault("confidentiality", "security-label", "no label above normal")
        melding = fields["melding"]
        assert isinstance(melding, dict)
        melding.update(read_addressing(composition))
        subject = self._bundle.follow(composition.child("subject", required=True), "Patient")
        if subject is not None:
            self._patient = subject[1]
            self._leave(subject[1], "Patient")
            if subject[1].peek("deceasedBoolean") is False:
                subject[1].ignore("deceasedBoolean")
            fields["person"] = read_person(subject[1], on=melding.get("sendt"), described=True)
        fields["dato"] = day(composition.text("date", required=True))
        fields["avsender"] = self._authors(composition)
        for event in composition.children("event", at_most=1):
            period = event.child("period", required=True)
            if period is not None:
                fields["periode"] = _period(period)
        self._listed = {
            id(found[1])
            for reference in references_in(composition.peek("section"))
            if (found := self._bundle.at(reference, composition.at)) is not None
        }
        for section in composition.children("section", at_least=1):
            self._section(section, "")
        self._encounter(composition, fields)
        for reference, at in self._who_else:  # unless it is told as what something was done with, too
            self._left_behind({"reference": reference}, at)
        self._leave(composition, "Composition")
        fields.update(self._lists)

    def beside(self) -> None:
        """What nothing refers to because it refers to everything: how the document was made."""
        for provenance in self._bundle.of("Provenance"):
            self._bundle.reach(provenance)
            for index, act in enumerate(self._acts(provenance)):
                if act not in losses.ACTS:
                    at = f"activity.coding[{index}]"
                    provenance.fault(at, "code", "that it was made, changed or signed")
            for name in ("agent", "location"):
                self._left_behind(provenance.peek(name), provenance.at)
            refuse_signature(provenance)
            provenance.ignore(*losses.LEFT["Provenance"])
            provenance.left_extensions()

    def _acts(self, provenance: Reader) -> list[tuple[str, str]]:
        """(system, code) of each coding of what was done; something for what is said without a code."""
        if not provenance.has("activity"):
            return []
        codings = provenance.peek("activity", "coding")
        listed = [one for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
        acts = [(str(one.get("system")), str(one.get("code"))) for one in listed]
        return [*acts, ("", "")] if not acts or provenance.peek("activity", "text") is not None else acts

    def _leave(self, resource: Reader, kind: str) -> None:
        """Pass over what the table of losses names, and over what only that refers to."""
        for name in losses.LEFT[kind]:
            if resource.has(name):
                self._left_behind(resource.peek(name), resource.at)
        resource.ignore(*losses.LEFT[kind], *(f"_{name}" for name in losses.LEFT[kind]))
        if kind != "Composition":
            resource.left_extensions()

    def _left_behind(self, value: object, at: str) -> None:
        """What is referred to from what is left behind is left behind too, if it tells nothing else: however
        many in a row."""
        waiting = [(reference, at) for reference in references_in(value)]
        while waiting:
            reference, at = waiting.pop()
            found = self._bundle.at(reference, at)
            left = (*losses.ADMINISTRATIVE, "Device")
            if found is not None and found[0] in left and id(found[1]) not in self._taken:
                self._taken.add(id(found[1]))
                self._bundle.reach(found[1])
                if found[1] is not self._patient:
                    waiting += ((each, found[1].at) for each in references_in(found[1].rest()))

    # ------------------------------------------------------------------------------------ authors

    def _authors(self, composition: Reader) -> Json:
        found: Json = {}
        for author in composition.children("author", at_least=1, at_most=2):
            if author.has("extension"):
                for extension in author.children("extension"):
                    extension.constant("url", str(ABSENT["url"]))
                    extension.ignore("valueCode")
                continue
            self._author(author, found, "Organization", "Practitioner", "PractitionerRole")
        return present(**found)

    def _author(self, author: Reader | None, found: Json, *kinds: str) -> None:
        followed = self._bundle.follow(author, *kinds)
        if followed is None or author is None:
            return
        kind, resource = followed
        self._taken.add(id(resource))
        self._leave(resource, kind)
        if kind == "PractitionerRole":
            self._author(resource.child("practitioner"), found, "Practitioner")
            self._author(resource.child("organization"), found, "Organization")
            return
        name, number, system = _AUTHORS[kind]
        if name in found:
            author.fault("reference", "unique", "one organisation, one practitioner")
        found[number] = _number(resource, system)
        read_it = _organisation if kind == "Organization" else _practitioner
        found[name] = read_it(resource, required=found[number] is None)

    # ---------------------------------------------------------------------------------- encounter

    def _encounter(self, composition: Reader, fields: Json) -> None:
        """When it was, and why: the reasons are a section of their own."""
        followed = self._bundle.follow(composition.child("encounter"), "Encounter")
        if followed is None:
            return
        encounter = followed[1]
        self._taken.add(id(encounter))
        self._subject(encounter, "subject")
        period = encounter.child("period")
        if period is not None and "periode" not in fields:
            fields["periode"] = _period(period)
        elif period is not None and _period(period) != fields["periode"]:
            period.fault("", "value", "the period of the event")
        content = Content()
        status = encounter.peek("status")
        if isinstance(status, str) and status not in losses.STANDS["Encounter", "status"]:
            encounter.fault("status", "code", "a statement that stands")
        self._leave(encounter, "Encounter")
        rest = encounter.rest()
        content.add(rest, RESOURCES["Encounter"], encounter.at, self._findings)
        self._linked(content)
        self._measure(content, told=False)
        content.codes += content.others
        text = content.text(None)
        if text is not None or content.codes:
            self._add_section(encounter, None, ENCOUNTER, text, content)

    # ----------------------------------------------------------------------------------- sections

    def _section(self, section: Reader, above: str) -> None:
        section.ignore("id", *(("emptyReason",) if section.has("text") else ()))
        coded = coding(section.child("code"))
        title = _title(section.text("title"), section.peek("code", "text"))
        content = Content()
        self._coded_content(section, content)
        if section.text("mode") not in (None, "working", "snapshot"):
            section.fault("mode", "code", "working or snapshot")
        entries = section.children("entry")
        beyond = False
        for entry in entries:
            beyond = self._entry(entry, content, told=section.has("text")) or beyond
        self._linked(content)
        inside = section.children("section")
        narrative = section.child("text", required=not entries and not inside)
        shown_title = title or (coded[2] if coded else None)
        heading = said_at(f"{above}: {shown_title}", shown_title) if above and shown_title else shown_title
        written = narrative is not None and narrative.peek("status") == "additional"
        text = None
        if narrative is not None or content.codes or content.words:
            text = self._narrative(narrative, generated=bool(entries) and not beyond and not content.codes)
        self._measure(content, told=written)
        if narrative is not None or content.codes or content.words:
            text = said_at(content.text(text), text)
            content.codes += content.others
            if text is not None:
                if shown_title is None:
                    section.fault("title", "missing", "a value")
                if coded is not None and coded[0] != LOINC:
                    section.fault("code", "system", LOINC)
                self._add_section(section, coded[1] if coded else None, heading, text, content)
        for one in inside:
            self._section(one, heading or "")

    def _narrative(self, narrative: Reader | None, *, generated: bool) -> str | None:
        """The text, unless it was generated and says the same as the entries."""
        if narrative is None:
            return None
        status, div = narrative.text("status", required=True), narrative.text("div", required=True)
        if div is None or (generated and status == "generated"):
            return None
        return said_at(read_narrative(div, f"{narrative.at}.div", self._findings), div)

    def _add_section(
        self, at: Reader, code: str | None, title: str | None, text: str | None, content: Content
    ) -> None:
        codes = content.distinct()
        if text is None:  # codes without a word
            at.fault("text", "missing", "a text")
        self._lists["seksjoner"].append(present(kode=code, tittel=title, tekst=text, koder=codes))

    def _coded_content(self, section: Reader, content: Content) -> None:
        """What our own documents say of the codes of a section."""
        for extension in section.children("extension"):
            if extension.text("url", required=True) != CODED:
                extension.fault("url", "extension", CODED)
                extension.ignore_all()
                continue
            concept = extension.child("valueCodeableConcept", required=True)
            code: Json = {}
            for item in concept.children("coding", at_most=1) if concept else []:
                system, value, words = open_coding(item)
                code = present(system=system, kode=value, tekst=words)
            if concept:
                content.codes.append(Coded(present(**code, annet=concept.text("text"))))

    def _entry(self, entry: Reader, content: Content, *, told: bool) -> bool:
        """Read what a section points to; whether that says more than its fields. `told`: there is a text."""
        followed = self._bundle.follow(entry, *losses.NARRATED)
        if followed is None:
            return False
        kind, resource = followed
        if id(resource) in self._taken and kind in _FIELDS:
            entry.fault("reference", "unique", "an entry of one section only")
        display = entry.peek("display")
        if id(resource) in self._taken:
            content.others += self._codes.get(id(resource), [])
            line = Group(label=partial(name_of, kind))
            content.lines.append(line)
            self._called(line, display, resource)
            if not line.said():
                line.add("", Pointer(None, main=True, target=self._said.get(id(resource))))
            return True
        self._taken.add(id(resource))
        if kind not in _FIELDS or (kind == "Condition" and told and is_another_diagnosis(resource)):
            self._narrate(kind, resource, content)
            self._called(self._said[id(resource)], display, resource)
            return True
        self._subject(resource, "subject")
        self._leave(resource, kind)
        beyond: Json = {name: resource.take(name) for name in losses.BEYOND[kind] if resource.has(name)}
        concept = self._concept(resource)
        about = named(concept)
        content.others += coded_in(concept)
        dosages: str | None = None
        if kind == "MedicationStatement":
            dosages, left = read_dosages(resource, self._findings)
            beyond |= {"dosage": left} if any(left) else {}
        if beyond:
            content.add(beyond, RESOURCES[kind], resource.at, self._findings, about)
        self._said[id(resource)] = _about(about)
        if kind == "Condition":
            self._lists["diagnoser"].append(with_names(read_condition(resource), "tekst", display))
        else:
            names = resource.peek("medicationReference", "display"), display
            self._lists["legemidler"].append(with_names(self._medicine(resource, dosages), "navn", *names))
        return bool(beyond)

    def _called(self, line: Group, display: object, resource: Reader) -> None:
        """Add to a line what a reference calls its resource, where that says it by no such name. What its own
        references lead to is none of its names before they are followed."""
        if not isinstance(display, str) or not display.strip():
            return
        said = self._said.get(id(resource))
        if said is not None and id(resource) not in self._names:
            there = [name for part in said.parts() for name in (part.said(), *part.names)]
            self._names[id(resource)] = frozenset(map(plain, [*there, said.said(), said.bare()]))
        if plain(display) not in self._names.get(id(resource), ()):
            line.add("display", Words([display.strip()]))
            if line is said:
                self._names.pop(id(resource), None)

    def _concept(self, resource: Reader) -> object:
        """What a diagnosis or a medicine is, by code and words."""
        reference = resource.peek("medicationReference", "reference")
        medicine = self._bundle.at(reference, resource.at) if isinstance(reference, str) else None
        if medicine is not None:
            return medicine[1].peek("code")
        return resource.peek("code") or resource.peek("medicationCodeableConcept")

    def _narrate(self, kind: str, resource: Reader, content: Content) -> None:
        self._subject(resource, "patient" if resource.has("patient") else "subject")
        before = len(content.codes)
        content.add(resource.rest(), RESOURCES[kind], resource.at, self._findings)
        self._said[id(resource)] = line = content.lines[-1]
        self._codes[id(resource)] = self._codes_of[id(line)] = content.codes[before:]

    def _measure(self, content: Content, *, told: bool) -> None:
        """What was measured: its codes, too, are those of whatever refers to the resource that has them."""
        before = len(content.codes)
        content.measure(told=told)
        for code in content.codes[before:]:
            self._codes_of.setdefault(id(code.inside[0]), []).append(code)

    def _linked(self, content: Content) -> None:
        """Follow what was referred to: what tells something belongs to the same section."""
        waiting = content.references
        while waiting:
            one = waiting.pop(0)
            found = self._bundle.at(one.address, one.at)
            if found is None:
                if not self._bundle.is_refused(one.address, one.at):
                    self._findings.add(one.at, "reference", "an entry of this Bundle")
            elif found[0] == "Patient" and self._is_another(found[1]):
                self._findings.add(one.at, "reference", "the person of the document")
            elif found[0] in losses.ADMINISTRATIVE:
                self._left_behind({"reference": one.address}, one.at)
                one.pointer.words = None
            elif found[0] == "Device" and one.who:
                self._who_else.append((one.address, one.at))
            elif id(found[1]) not in self._taken and found[0] in _FIELDS and id(found[1]) in self._listed:
                concept = self._concept(found[1])  # a later section tells it
                content.others += coded_in(concept)
                self._said[id(found[1])] = _about(named(concept))
            elif id(found[1]) not in self._taken:
                self._taken.add(id(found[1]))
                self._bundle.reach(found[1])
                self._narrate(found[0], found[1], content)
            else:
                content.others += self._codes.get(id(found[1])) or coded_in(self._concept(found[1]))
            if found is not None:
                one.pointer.target = self._said.get(id(found[1]))

    def _subject(self, resource: Reader, name: str) -> None:
        if not resource.has(name) and resource.peek("resourceType") in _NOBODY_S:
            return
        if self._patient is None:  # told already, and nothing follows from it
            resource.ignore(name)
            return
        subject = self._bundle.follow(resource.child(name, required=True), "Patient")
        if subject is not None and self._is_another(subject[1]):
            resource.fault(name, "reference", "the person of the document")

    def _is_another(self, patient: Reader) -> bool:
        """Whether it is not the person of the document; of one who could not be found nothing follows."""
        return self._patient is not None and patient is not self._patient

    def _medicine(self, resource: Reader, dosages: str | None) -> Json:
        """A medicine that the person takes."""
        resource.constant("status", "active")
        concept, at = resource.child("medicationCodeableConcept"), "medicationCodeableConcept"
        if concept is None and resource.has("medicationReference"):
            at = "medicationReference"
            followed = self._bundle.follow(resource.child(at), "Medication")
            concept = followed[1].child("code", required=True) if followed else None
            if followed:
                followed[1].ignore("identifier", "status")
        elif concept is None:
            resource.fault(at, "missing", "a value")
        read = read_coded(coding(concept), resource, at, "navn")
        read.update(present(dosering=dosages))
        period = resource.child("effectivePeriod")
        return read | (_period(period) if period is not None else {})


def _about(words: Words | None) -> Group:
    """What a diagnosis or a medicine is, for whoever refers to it."""
    about = Group()
    if words is not None:
        about.add("code", words)
    return about


def _title(title: str | None, kind: object) -> str | None:
    """The title of a section, with what the text of its code says beside it."""
    if title is None or not isinstance(kind, str) or title.casefold() == kind.casefold():
        return title
    return said_at(f"{title} ({kind})", title)


_FIELDS = frozenset({"Condition", "MedicationStatement"})
"""What has fields of its own in the record."""

_NOBODY_S = frozenset({"Medication", "Device"})


def _period(period: Reader) -> Json:
    return present(fra=day(period.text("start")), til=day(period.text("end")))


_AUTHORS = {"Organization": ("enhet", "resh", RESH), "Practitioner": ("behandler", "behandler_hpr", HPR)}
"""The field for the name, the one for the number, and the system of that."""


def _number(resource: Reader, system: str) -> str | None:
    """The number in this system; those in other systems are left behind."""
    found = None
    for identifier in resource.children("identifier"):
        if identifier.peek("system") != system:
            identifier.ignore_all()
            continue
        identifier.ignore("use", "type", "assigner", "period")
        if found is not None:
            identifier.fault("system", "unique", "one number of each system")
        found = register_number(identifier)
    return found


def _organisation(resource: Reader, *, required: bool) -> str | None:
    return resource.text("name", required=required)


def _practitioner(resource: Reader, *, required: bool) -> str | None:
    names = resource.children("name", at_least=int(required), at_most=1)
    return read_name(names[0]) if names else None
