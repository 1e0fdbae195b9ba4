"""Understands which extensions may be left behind, and why. Every other one is refused with its path.

Those that we read ourselves are read by name where they stand. It must not know any message type.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Findings

SPELLING = "which part of a name or an address a word is; the words are carried, or left with the address"
NOT_PART = "no part of any message; the number and the name identify the person"

_HL7 = "http://hl7.org/fhir/StructureDefinition/"
LEFT_EXTENSIONS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            f"{_HL7}humanname-assembly-order",
            f"{_HL7}humanname-own-name",
            f"{_HL7}humanname-own-prefix",
            f"{_HL7}humanname-partner-name",
            f"{_HL7}humanname-partner-prefix",
            f"{_HL7}iso21090-EN-qualifier",
            f"{_HL7}iso21090-EN-use",
            "http://hl7.no/fhir/StructureDefinition/no-basis-middlename",
        ),
        SPELLING,
    ),
    "http://hl7.no/fhir/StructureDefinition/no-basis-person-citizenship": NOT_PART,
    f"{_HL7}patient-citizenship": NOT_PART,
    f"{_HL7}data-absent-reason": "why something is not known says nothing that is",
    f"{_HL7}narrativeLink": "where in the text it stands",
    f"{_HL7}composition-clinicaldocument-versionNumber": "how the sender counts its versions",
}


def may_be_left(url: object) -> bool:
    """Whether an extension of this address may be left behind."""
    return isinstance(url, str) and url in LEFT_EXTENSIONS


def check_extensions(value: object, at: str, findings: Findings) -> None:
    """Every extension of a list is one that may be left behind, or a finding."""
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        url = item.get("url") if isinstance(item, Mapping) else None
        if not may_be_left(url):
            findings.add(f"{at}[{index}].url", "extension", "an extension that may be left behind")


def check_siblings(value: object, at: str, findings: Findings) -> None:
    """What JSON writes under a name with an underscore, one or a list, holds nothing but an id and such
    extensions."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping) and item.keys() <= {"id", "extension"}:
            check_extensions(item.get("extension", []), f"{at}.extension", findings)
        elif item is not None:
            findings.add(at, "type", "an object with extensions")
