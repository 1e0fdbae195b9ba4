"""Understands how what was handed over on a person is told as FHIR R4 AuditEvents, to whoever asks for that
person: who got what kind of thing from whom, when and for what. Never what stood in it.

Written only. It must not know the store, the log or any message type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from adapters.fhir import Json, concept, present
from adapters.fhir_parts import person_identifier, write_organisation

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
PURPOSE = "urn:brobygger:purpose"
DISCLOSURE = "urn:brobygger:disclosure"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"


@dataclass(frozen=True)
class Disclosed:
    """One hand-over. `sender` and `recipient` are organisation numbers; `certain` is False where the answer
    got lost, so that the recipient may have it or not; `purpose` is None where the agreement is gone."""

    disclosure: str
    at: datetime
    sender: str
    recipient: str
    type: str
    agreement: str
    purpose: str | None
    certain: bool = True


def write_audit(person: str, disclosed: Iterable[Disclosed]) -> Json:
    """A Bundle of type collection, oldest first. `person` is the identity number that was asked for."""
    entries = [{"resource": _event(person, one)} for one in disclosed]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}


def _event(person: str, one: Disclosed) -> Json:
    return present(
        resourceType="AuditEvent",
        type={"system": DICOM, "code": "110106", "display": "Export"},
        action="R",
        recorded=one.at.isoformat(timespec="seconds"),
        outcome="0" if one.certain else "4",
        purposeOfEvent=[concept(PURPOSE, one.purpose)] if one.purpose else None,
        agent=[
            _agent("110153", "Source Role ID", one.sender),
            _agent("110152", "Destination Role ID", one.recipient),
        ],
        source={"observer": {"display": "Brobygger"}},
        entity=[
            {
                "what": {"identifier": person_identifier(person)},
                "type": {"system": _ENTITY, "code": "1", "display": "Person"},
                "role": {"system": _ROLE, "code": "1", "display": "Patient"},
            },
            {
                "what": {"identifier": {"system": DISCLOSURE, "value": one.disclosure}},
                "type": {"system": _ENTITY, "code": "2", "display": "System Object"},
                "role": {"system": _ROLE, "code": "4", "display": "Domain Resource"},
                "detail": [
                    {"type": "type", "valueString": one.type},
                    {"type": "agreement", "valueString": one.agreement},
                ],
            },
        ],
    )


def _agent(code: str, said: str, org: str) -> Json:
    return {
        "type": concept(DICOM, code, said),
        "who": {"identifier": write_organisation(org)},
        "requestor": code == "110153",
    }
