"""Understands BRIK as a FHIR R4 QuestionnaireResponse: the mapping of needs and resources, as answers.

Wire:   UTF-8 JSON or XML, one QuestionnaireResponse to urn:brobygger:questionnaire:brik.kartlegging.
        linkId is the field (`bolig.behov`), a group is an item with items. The fields are those of
        ../brik_xml/schema.xsd, which is the table that reading and writing follow.
Units:  dates YYYY-MM-DD, minutes, screening points 0 to 4.
Quirks: the message id is the identifier, the time it was sent is `authored`, the person is named by number.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Sniff
from adapters.brik_xml.adapter import TYPE
from adapters.fhir_brik.reading import MODELS, is_form, read
from adapters.fhir_brik.writing import compose
from adapters.fhir_wire import both


def recognise(sniff: Sniff) -> bool:
    form = sniff.at("questionnaire")
    return sniff.at("resourceType") == "QuestionnaireResponse" and isinstance(form, str) and is_form(form)


ADAPTERS = both("fhir-brik", TYPE, recognise, read, compose, MODELS)
