"""Understands a consent as a FHIR R4 Consent, exactly or not at all.

Wire:   UTF-8 JSON or XML, one Consent resource; actors by identifier (organisation number, or sector in
        urn:brobygger:sector), purposes and categories as Coding.
Units:  periods are whole days, both ends included.
Quirks: what the record cannot say exactly is refused with consent.not-evaluable. A label narrower
        than our category may widen a refusal, never a permission.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Sniff
from adapters.fhir import Json
from adapters.fhir_consent.places import unsaid
from adapters.fhir_consent.reading import TYPE, read
from adapters.fhir_consent.resource import models, write_exactly
from adapters.fhir_consent.vocabulary import ENDED
from adapters.fhir_consent.writing import compose
from adapters.fhir_wire import OF_THE_FILE, both
from hub.message import Record


def recognise(sniff: Sniff) -> bool:
    return sniff.at("resourceType") == "Consent" and sniff.at("status") not in ENDED


def write(record: Record) -> Json:
    """One consent as JSON has it; what would not read back as the same consent is render.incomplete."""
    return write_exactly(record, compose, read)


ADAPTERS = both(
    *("fhir-consent", TYPE, recognise, read, write, models), passes_over=OF_THE_FILE, unsaid=unsaid
)
