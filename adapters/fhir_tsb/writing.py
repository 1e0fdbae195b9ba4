"""Understands how a referral to TSB is written as a FHIR message, from the record alone."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from adapters.fhir import Json, concept
from adapters.fhir_bundle import Writer
from adapters.fhir_parts import check_fields, needed, write_addressing, write_header, write_person
from adapters.fhir_tsb.reading import ANSWERS, EVENT, FORM, INSTRUMENTS, ROLE, SERVICE, TYPE
from hub.message import Record

_FIELDS = frozenset({"melding", "person", "henviser", "rus", "loslatelse", "kommuner"})


def compose(record: Record) -> Json:
    """Write one referral. Whatever the record does not hold is not in the message."""
    check_fields(record, TYPE, _FIELDS)
    writer = Writer(needed(record, "melding.id"))
    subject = writer.add("Patient", **write_person(record.fields.get("person")))
    note = record.get("rus.merknad")
    request = writer.add(
        "ServiceRequest",
        status="active",
        intent="order",
        code=concept(*SERVICE),
        subject=subject,
        requester=_write_requester(writer, record),
        note=[{"text": note}] if note is not None else None,
        supportingInfo=_write_responses(writer, record, subject),
    )
    writer.add(
        "MessageHeader",
        extension=write_addressing(record),
        eventCoding={"system": EVENT, "code": TYPE},
        source={"endpoint": "urn:brobygger:hub"},
        focus=[request],
    )
    return writer.document("message", first="MessageHeader", **write_header(record))


def _write_requester(writer: Writer, record: Record) -> Json | None:
    unit, role = record.get("henviser.enhet"), record.get("henviser.rolle")
    if unit is None and role is None:
        return None
    organisation = writer.add("Organization", name=unit) if unit is not None else None
    code = [concept(ROLE, role)] if role is not None else None
    return writer.add("PractitionerRole", code=code, organization=organisation)


def _write_responses(writer: Writer, record: Record, subject: Json) -> list[Json]:
    answers = [
        _write_item(field, kind, value)
        for field, kind in ANSWERS.items()
        if (value := record.get(field)) is not None
    ]
    responses = [_response(writer, TYPE, subject, answers)] if answers else []
    for instrument, name in INSTRUMENTS.items():
        screening = record.get(f"rus.{name}")
        if isinstance(screening, Mapping):
            responses.append(_write_screening(writer, instrument, subject, screening))
    return responses


def _write_screening(writer: Writer, instrument: str, subject: Json, screening: Mapping[str, object]) -> Json:
    points, total = screening.get("svar"), screening.get("sum")
    items = [
        _write_item(str(number), "valueInteger", value)
        for number, value in enumerate(points if isinstance(points, list) else [], 1)
    ]
    if total is not None:
        items.append(_write_item("sum", "valueInteger", total))
    edition = quote(str(screening.get("versjon", "")), safe="")
    return _response(writer, f"{instrument}|{edition}", subject, items, authored=screening.get("dato"))


def _write_item(link: str, kind: str, value: object) -> Json:
    return {"linkId": link, "answer": [{kind: value}]}


def _response(writer: Writer, form: str, subject: Json, items: list[Json], authored: object = None) -> Json:
    return writer.add(
        "QuestionnaireResponse",
        questionnaire=FORM + form,
        status="completed",
        subject=subject,
        authored=authored,
        item=items,
    )
