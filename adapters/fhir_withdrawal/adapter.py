"""Understands the withdrawal of a consent as a FHIR Consent that has ended.

Wire:   UTF-8 JSON or XML, one Consent resource with status inactive or entered-in-error.
Units:  when it ended is an instant; a day is its first moment in Oslo.
Quirks: what the consent permitted, and to whom, is left behind; only permissions are withdrawn. The notice of
        a withdrawal, which the hub writes, names no series.
Agreed: README.md beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.base import Sniff
from adapters.fhir import Json, concept, present
from adapters.fhir_consent import vocabulary as words
from adapters.fhir_consent.resource import WITHDRAWAL, models, write_exactly
from adapters.fhir_parts import instant, needed, person_identifier, write_addressing
from adapters.fhir_wire import OF_THE_FILE, both
from adapters.fhir_withdrawal.reading import TYPE, read
from hub.message import Record

LOSES: Mapping[str, str] = {
    "samtykke.versjon": "a Consent that ends is the whole series; one version alone is not written",
    "omfang": "a Consent is one consent; everything at once is not written",
}
_MINUTES = re.compile(r"(T[0-9]{2}:[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})")
_SCOPE = next(code for code, kind in words.KINDS.items() if kind == "deling")


def recognise(sniff: Sniff) -> bool:
    return sniff.at("resourceType") == "Consent" and sniff.at("status") in words.ENDED


def write(record: Record) -> Json:
    """One withdrawal as JSON has it. What would not read back as the same is render.incomplete: one version,
    everything at once, and a series whose refusals would be lifted, too."""
    return write_exactly(_in_full(record), _compose, read)


def _in_full(record: Record) -> Record:
    """With the seconds that every moment of FHIR has: a notice that left them out would never arrive."""
    fields = dict(record.fields)
    if isinstance(fields.get("tidspunkt"), str):
        fields["tidspunkt"] = _MINUTES.sub(r"\1:00\2", fields["tidspunkt"])
    return Record(record.type, fields)


def _compose(record: Record) -> Json:
    series, sent = record.get("samtykke.serie"), needed(record, "melding.sendt")
    return present(
        resourceType="Consent",
        meta={"lastUpdated": instant(sent)},
        extension=_extensions(record, sent),
        identifier=[
            *([{"system": words.CONSENT, "value": series}] if series is not None else []),
            {"system": WITHDRAWAL, "value": needed(record, "melding.id")},
        ],
        status="inactive",
        scope=concept(*_SCOPE),
        category=[concept(*words.CONSENT_CATEGORY)],
        patient=present(
            identifier=person_identifier(needed(record, "person.id")), display=record.get("person.navn")
        ),
        policy=[{"uri": words.POLICY}],
        provision={"type": "permit"} if series is not None else None,
    )


def _extensions(record: Record, sent: str) -> list[Json]:
    withdrawn, signed = needed(record, "tidspunkt"), record.get("signert")
    return [
        *([{"url": words.WITHDRAWN_AT, "valueDateTime": withdrawn}] if withdrawn != sent else []),
        *([{"url": words.WITHDRAWN_SIGNED, "valueBoolean": signed}] if signed is not None else []),
        *write_addressing(record),
    ]


_ENDED = (
    "what the consent was that has ended: a withdrawal is not turned away for it, and nothing is lifted by it"
)
PASSED_OVER = {
    **OF_THE_FILE,
    "$.id": "how the sender files the resource",
    ".meta.versionId": "of an id that is made of it; beside an id that is said it tells nothing",
    ".grantor[].type": "the kind of whoever is referred to, which the identifier says",
    ".performer[].type": "the kind of whoever is referred to, which the identifier says",
    **dict.fromkeys(
        (
            *(".text.status", ".text.div", ".sourceAttachment.title", ".policy[].uri"),
            *(".extension[].url", ".extension[].valueCode"),
            *(".coding[].system", ".coding[].code", ".securityLabel[].system", ".securityLabel[].code"),
            *(
                ".category[]",
                ".coding[]",
                ".policy[]",
                ".performer[]",
                ".grantor[]",
                ".actor[]",
                ".provision[]",
                ".purpose[]",
                ".securityLabel[]",
            ),
            *(".purpose[].system", ".purpose[].code", ".reference.identifier.value"),
        ),
        _ENDED,
    ),
}


ADAPTERS = both("fhir-withdrawal", TYPE, recognise, read, write, models, loses=LOSES, passes_over=PASSED_OVER)
