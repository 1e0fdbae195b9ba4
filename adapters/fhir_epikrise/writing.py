"""Understands how an epikrise is written as a FHIR document, from the record alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.fhir import Json, concept, present
from adapters.fhir_bundle import Writer
from adapters.fhir_epikrise.beyond import folded
from adapters.fhir_epikrise.identity import CHANGE, DOCUMENT_TYPE, LOINC
from adapters.fhir_epikrise.reading import ABSENT, CODED, HPR, RESH, TYPE
from adapters.fhir_parts import (
    check_fields,
    elements,
    needed,
    write_addressing,
    write_header,
    write_person,
    write_register_number,
)
from adapters.narrative import write_narrative
from hub.errors import Finding, HubError
from hub.message import Record

_DIAGNOSES = ("11535-2", "Diagnoser")
_MEDICINES = ("10183-2", "Legemidler")
_FIELDS = frozenset(
    {
        *("melding", "handling", "dokument", "beskrivelse", "person", "avsender", "dato", "periode"),
        *("diagnoser", "legemidler", "seksjoner"),
    }
)


def compose(record: Record) -> Json:
    """Write one epikrise. Whatever the record does not hold is not in the document."""
    record = folded(record)
    check_fields(record, TYPE, _FIELDS)
    writer = Writer(needed(record, "melding.id"))
    subject = writer.add("Patient", **write_person(record.fields.get("person")))
    authors = _write_authors(writer, record)
    sections = [
        *_write_coded(
            writer, subject, elements(record.fields.get("diagnoser")), _DIAGNOSES, _write_condition
        ),
        *_write_coded(
            writer, subject, elements(record.fields.get("legemidler")), _MEDICINES, _write_medicine
        ),
        *(_write_section(item) for item in elements(record.fields.get("seksjoner"))),
    ]
    if not sections:
        raise HubError("render.incomplete", [Finding("seksjoner", "missing", "something to say")])
    change = record.get("handling") == CHANGE
    number = present(value=record.get("dokument"))
    writer.add(
        "Composition",
        extension=write_addressing(record),
        identifier=number,
        status="amended" if change else "final",
        type=present(
            coding=[
                {"system": DOCUMENT_TYPE, "code": "A03-2", "display": "Epikrise"},
                {"system": LOINC, "code": "18842-5"},
            ],
            text=record.get("beskrivelse"),
        ),
        subject=subject,
        date=needed(record, "dato"),
        author=authors,
        title="Epikrise",
        relatesTo=[{"code": "replaces", "targetIdentifier": number}] if change and number else None,
        event=[{"period": _period(record)}] if record.get("periode") else None,
        section=sections,
    )
    return writer.document("document", first="Composition", **write_header(record))


def _period(record: Record) -> Json:
    return present(start=record.get("periode.fra"), end=record.get("periode.til"))


def _write_authors(writer: Writer, record: Record) -> list[Json]:
    unit = present(
        identifier=write_register_number(RESH, record.get("avsender.resh")),
        name=record.get("avsender.enhet"),
    )
    clinician = record.get("avsender.behandler")
    person = present(
        identifier=write_register_number(HPR, record.get("avsender.behandler_hpr")),
        name=[{"text": clinician}] if clinician is not None else None,
    )
    authors = (("Organization", unit), ("Practitioner", person))
    named = [writer.add(kind, **said) for kind, said in authors if said]
    return named or [{"extension": [ABSENT]}]  # FHIR demands an author even when none is named


def _write_section(item: Mapping[str, object]) -> Json:
    code = item.get("kode")
    return present(
        title=item.get("tittel"),
        extension=[
            {"url": CODED, "valueCodeableConcept": _write_code(one)} for one in elements(item.get("koder"))
        ],
        code=concept(LOINC, code) if code is not None else None,
        text=write_narrative(str(item.get("tekst", ""))),
    )


def _write_code(item: Mapping[str, object]) -> Json:
    coded = present(system=item.get("system"), code=item.get("kode"), display=item.get("tekst"))
    return present(coding=[coded] if coded else None, text=item.get("annet"))


def _write_condition(item: Mapping[str, object]) -> tuple[str, Json]:
    code = concept(item.get("system"), item.get("kode"), item.get("tekst"))
    return "Condition", {"code": code}


def _write_medicine(item: Mapping[str, object]) -> tuple[str, Json]:
    dosage = item.get("dosering")
    return "MedicationStatement", present(
        status="active",
        medicationCodeableConcept=concept(item.get("system"), item.get("kode"), item.get("navn")),
        dosage=[{"text": dosage}] if dosage is not None else None,
    )


def _write_coded(
    writer: Writer,
    subject: Json,
    items: list[Mapping[str, object]],
    heading: tuple[str, str],
    write: Callable[[Mapping[str, object]], tuple[str, Json]],
) -> list[Json]:
    """A section whose narrative is written from its entries alone."""
    if not items:
        return []
    entries = []
    for item in items:
        kind, resource = write(item)
        entries.append(writer.add(kind, **resource, subject=subject))
    words = [
        " ".join(str(item[name]) for name in ("kode", "tekst", "navn", "dosering") if name in item)
        for item in items
    ]
    code, title = heading
    return [
        {
            "title": title,
            "code": concept(LOINC, code),
            "text": write_narrative("\n".join(words), "generated"),
            "entry": entries,
        }
    ]
