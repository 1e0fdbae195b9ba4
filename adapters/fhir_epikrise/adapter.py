"""Understands an epikrise as a FHIR R4 document: Bundle, Composition and what its sections point to.

Wire:   UTF-8 JSON, Bundle of type document; Composition.type 9602 A03-2 and LOINC 18842-5 or 34105-7.
Units:  dates are days; one coding per diagnosis and medicine.
Quirks: nothing is copied through: ids are issued anew, narratives are written anew, and an element
        that nobody here reads is refused. Address, telecom, gender and birth date are left behind.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Adapter, Sniff
from adapters.fhir import MEDIA_TYPES
from adapters.fhir_epikrise.beyond import loses
from adapters.fhir_epikrise.reading import DISCHARGE, TYPE, parse
from adapters.fhir_epikrise.writing import render


def recognise(sniff: Sniff) -> bool:
    if sniff.at("resourceType") != "Bundle" or sniff.at("type") != "document":
        return False
    codings = sniff.at("entry", 0, "resource", "type", "coding")
    return isinstance(codings, list) and any(
        isinstance(item, dict) and (item.get("system"), item.get("code")) in DISCHARGE for item in codings
    )


ADAPTER = Adapter("fhir-epikrise", TYPE, MEDIA_TYPES, recognise, parse, render, loses=loses())
