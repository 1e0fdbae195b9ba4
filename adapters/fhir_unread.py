"""Understands which element of a sound FHIR resource keeps every format here from reading it, so that a
sender can mend that from the finding alone.

It must not know how anything is read: what it asks for is what README.md of each format is recognised by.
"""

from __future__ import annotations

import re

from lxml import etree

from adapters.base import Sniff, decode
from adapters.fhir_wire import json_places
from adapters.fhir_xml import FHIR
from adapters.safe_xml import positions
from hub.errors import Finding

_A_BUNDLE = "Bundle: of type document with an epikrise, or of type message with a referral to TSB"
_OF_TYPE = "document for an epikrise, or message for a referral to TSB"
_COMPOSITION = "Composition, which is the first entry of a document"
_HEADER = "MessageHeader, which is the first entry of a message"
_DISCHARGE = "a coding of an epikrise: 9602 A03-2, LOINC 18842-5 or LOINC 34105-7"
_EVENT = "the message that is read here: system urn:brobygger:type, code tsb.henvisning"

READ_ALONE = frozenset({"Consent", "QuestionnaireResponse", "Task"})
"""What is read without a Bundle: another form, or another state of it, is not."""

_FIRST = "entry[0].resource"
_STEP = re.compile(r"([A-Za-z]+)(?:\[([0-9]+)\])?")


def unread_fhir(sniff: Sniff, body: bytes) -> tuple[Finding, ...]:
    """The one thing that is wrong first, by path, line and column; empty for what is no FHIR, or is read in
    other states."""
    kind = sniff.at("resourceType")
    if not isinstance(kind, str) or kind in READ_ALONE:
        return ()
    at, expected = _wanted(sniff, kind)
    line, column = _in_xml(sniff.tree, body, at) if sniff.tree is not None else _in_json(body, at)
    return (Finding(at, "format", expected, line, column),)


def _wanted(sniff: Sniff, kind: str) -> tuple[str, str]:
    if kind != "Bundle":
        return "resourceType", _A_BUNDLE
    shape = sniff.at("type")
    if shape not in ("document", "message"):
        return "type", _OF_TYPE
    first = sniff.at("entry", 0, "resource", "resourceType")
    if shape == "document":
        is_first = first == "Composition"
        return (f"{_FIRST}.type", _DISCHARGE) if is_first else (f"{_FIRST}.resourceType", _COMPOSITION)
    is_first = first == "MessageHeader"
    return (f"{_FIRST}.eventCoding", _EVENT) if is_first else (f"{_FIRST}.resourceType", _HEADER)


def _in_json(body: bytes, at: str) -> tuple[int, int]:
    places = json_places(decode(body))
    while at and at not in places:
        at = at[: max(at.rfind("."), at.rfind("["), 0)]
    return places[at]


def _in_xml(root: etree._Element, body: bytes, at: str) -> tuple[int, int]:
    """Of the last step of the path that is there; the kind of a resource is its own element."""
    here = root
    for name, index in _STEP.findall(at):
        found = here.findall(f"{FHIR}{name}")[int(index or 0) :]
        if not found:
            break
        here = found[0]
        if name == "resource" and len(here):
            here = here[0]
    return dict(zip(root.iter(), positions(body), strict=True))[here]
