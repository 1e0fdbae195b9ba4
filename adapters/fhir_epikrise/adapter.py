"""Understands an epikrise as a FHIR R4 document: Bundle, Composition and what its sections point to.

Wire:   UTF-8 JSON or XML, Bundle of type document; Composition.type 9602 A03-2 and LOINC 18842-5 or 34105-7.
Units:  dates are days; one coding per diagnosis and medicine.
Quirks: nothing is copied through: ids are issued anew, narratives are written anew, and an element
        that nobody here reads is refused. Address, telecom, gender and birth date are left behind.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Sniff
from adapters.fhir_epikrise.beyond import folded, loses
from adapters.fhir_epikrise.identity import DISCHARGE
from adapters.fhir_epikrise.reading import MODELS, TYPE, read
from adapters.fhir_epikrise.writing import compose
from adapters.fhir_wire import both


def recognise(sniff: Sniff) -> bool:
    if sniff.at("resourceType") != "Bundle" or sniff.at("type") != "document":
        return False
    codings = sniff.at("entry", 0, "resource", "type", "coding")
    return isinstance(codings, list) and any(
        isinstance(item, dict) and (item.get("system"), item.get("code")) in DISCHARGE for item in codings
    )


ADAPTERS = both("fhir-epikrise", TYPE, recognise, read, compose, MODELS, loses=loses(), as_said=folded)
