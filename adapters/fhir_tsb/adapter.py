"""Understands a referral to TSB as a FHIR R4 message: MessageHeader, ServiceRequest, QuestionnaireResponses.

Wire:   UTF-8 JSON or XML, Bundle of type message; MessageHeader.eventCoding
        urn:brobygger:type#tsb.henvisning. One QuestionnaireResponse holds the coded answers of the
        referral, by field name; AUDIT and DUDIT have one each: items 1, 2, ... and `sum`, the edition
        behind `|` in `questionnaire`.
Units:  dates are days; screening points 0 to 4.
Quirks: ids are issued anew; an element that nobody here reads is refused.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Sniff
from adapters.fhir_tsb.reading import EVENT, MODELS, TYPE, read
from adapters.fhir_tsb.writing import compose
from adapters.fhir_wire import OF_THE_FILE, both


def recognise(sniff: Sniff) -> bool:
    return (
        sniff.at("resourceType") == "Bundle"
        and sniff.at("entry", 0, "resource", "eventCoding", "system") == EVENT
        and sniff.at("entry", 0, "resource", "eventCoding", "code") == TYPE
    )


ADAPTERS = both("fhir-tsb", TYPE, recognise, read, compose, MODELS, passes_over=OF_THE_FILE)
