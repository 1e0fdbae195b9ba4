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
from adapters.fhir_wire import OF_THE_FILE, both


def recognise(sniff: Sniff) -> bool:
    if sniff.at("resourceType") != "Bundle" or sniff.at("type") != "document":
        return False
    codings = sniff.at("entry", 0, "resource", "type", "coding")
    return isinstance(codings, list) and any(
        isinstance(item, dict) and (item.get("system"), item.get("code")) in tuple(DISCHARGE)
        for item in codings
    )


_GENERATED = "a narrative that is generated from the entries of its section, which are read"
PASSED_OVER = {
    **OF_THE_FILE,
    ".type.coding[].display": "the name of a code that is read",
    ".title": "of the document it is always the same; of a section with a code of ours the code says it",
    ".section[].code.coding[].system": "of a section that is read from its entries alone",
    ".section[].code.coding[].code": "of a section that is read from its entries alone",
    ".text.status": "whether a narrative is generated; what one says that is not in the entries is read",
    ".text.div": _GENERATED,
    ".agent[]": "who else had to do with the document; the unit and the clinician who wrote it are carried",
    ".target[]": "what the Provenance of a document is about: that document",
    ".target[].reference": "what the Provenance of a document is about: that document",
    ".who.display": "the name of the agent; the agent is carried by its number",
    **{
        f"{end}": _GENERATED
        for place in ("/div", "/div/p")
        for end in (
            place,
            f"{place}/@*",
            f"{place}/*",
            f"{place}/*:*",
            f"{place}/text()",
            f"{place}/tail()",
        )
    },
}


ADAPTERS = both(
    *("fhir-epikrise", TYPE, recognise, read, compose, MODELS),
    loses=loses(),
    as_said=folded,
    passes_over=PASSED_OVER,
)
