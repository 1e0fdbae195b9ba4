"""Understands a consent as a FHIR R4 Consent, exactly or not at all.

Wire:   UTF-8 JSON, one Consent resource; actors by identifier (organisation number, or sector in
        urn:brobygger:sector), purposes and categories as Coding.
Units:  periods are whole days, both ends included.
Quirks: what the record cannot say exactly is refused with consent.not-evaluable. A label narrower
        than our category may widen a refusal, never a permission.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Adapter, Sniff
from adapters.fhir import MEDIA_TYPES
from adapters.fhir_consent.reading import TYPE, parse
from adapters.fhir_consent.writing import render as write
from hub.errors import HubError
from hub.message import Record


def recognise(sniff: Sniff) -> bool:
    return sniff.at("resourceType") == "Consent"


def render(record: Record) -> bytes:
    """Write one consent; what would not read back as the same consent is render.incomplete."""
    body = write(record)
    try:
        back = parse(body)
    except HubError:
        raise HubError("render.incomplete") from None
    if back != record:
        raise HubError("render.incomplete")
    return body


ADAPTER = Adapter("fhir-consent", TYPE, MEDIA_TYPES, recognise, parse, render)
