"""Understands which document a Composition is: what its sender calls and numbers it, and that it is a change,
which replaces earlier ones with the same number.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.fhir import Json, Reader, open_coding, present
from adapters.fhir_places import said_at

DOCUMENT_TYPE = "urn:oid:2.16.578.1.12.4.1.1.9602"
LOINC = "http://loinc.org"
DISCHARGE = frozenset({(DOCUMENT_TYPE, "A03-2"), (LOINC, "18842-5"), (LOINC, "34105-7")})
CLASSES = frozenset({(DOCUMENT_TYPE, "A00-1"), (LOINC, "LP173421-1")})
"""Summaries, and reports: classes that say no more than the type."""

NAMES = frozenset({"epikrise", "epikriser og sammenfatninger", "discharge summary", "report", "rapport"})
"""What any of them is called; more is said by another name only."""

CHANGE = "M"
"""The `handling` of a document that is a change; where it has a number, of those with the same one."""

STATUSES: Mapping[str, str | None] = {"final": None, "amended": CHANGE}
"""The statuses of a document that stands, and the `handling` of each."""

_SAME = "the identifier of this Composition: what is replaced has the same one"


def read_identity(composition: Reader) -> Json:
    """`dokument`, `handling` and `beskrivelse`."""
    status = composition.text("status", required=True)
    if status is not None and status not in STATUSES:
        composition.fault("status", "value", "final or amended")
    identifier = composition.child("identifier")
    number, system = None, None
    if identifier is not None:
        identifier.ignore("use", "type", "assigner", "period")
        number, system = identifier.text("value"), identifier.text("system")
    kind = composition.child("type", required=True)
    names = _known(kind, DISCHARGE, "9602 A03-2, LOINC 18842-5 or LOINC 34105-7")
    for category in composition.children("category"):
        names += _known(category, CLASSES, "9602 A00-1 or LOINC LP173421-1")
    return present(
        dokument=number,
        handling=_relations(composition, number, system) or STATUSES.get(str(status)),
        beskrivelse=said_at(" / ".join(dict.fromkeys(names)), names[0]) if names else None,
    )


def _known(concept: Reader | None, known: frozenset[tuple[str, str]], expected: str) -> list[str]:
    """What a known code is called by a name of its own."""
    if concept is None:
        return []
    names = set(NAMES)
    for item in concept.children("coding", at_least=1):
        system, code, display = open_coding(item)
        names |= {name.casefold() for name in (code, display) if name}
        if (system, code) not in known:
            item.fault("code", "code", expected)
    text = concept.text("text")
    return [text] if text is not None and text.casefold() not in names else []


def _relations(composition: Reader, number: str | None, system: str | None) -> str | None:
    """Whether it replaces earlier ones. What it was made from says no more than it does itself."""
    handling = None
    for related in composition.children("relatesTo"):
        code = related.text("code", required=True)
        if code == "transforms":
            related.ignore("targetIdentifier", "targetReference")
            continue
        if code != "replaces":
            related.fault("code", "code", "replaces or transforms")
            related.ignore("targetIdentifier", "targetReference")
            continue
        handling = CHANGE
        reference = related.child("targetReference")
        target, at = related.child("targetIdentifier"), "targetIdentifier"
        if reference is not None:
            reference.ignore("reference", "type", "display")
            target, at = reference.child("identifier"), "targetReference.identifier"
        if target is None:
            related.fault(at, "missing", _SAME)
            continue
        target.ignore("use", "type", "assigner", "period")
        of_system, value = target.text("system"), target.text("value", required=True)
        if value != number:
            related.fault(f"{at}.value", "value", _SAME)
        elif of_system not in (None, system):
            related.fault(f"{at}.system", "value", _SAME)
    return handling
