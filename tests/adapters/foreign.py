"""Understands how others could write an epikrise: a small one of our own, and what in it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.adapters.records import FNR

NATIONAL = {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": FNR}


def document() -> Any:
    """One section with a text and what a case puts into it."""
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"},
        "timestamp": "2026-11-02T14:05:00+01:00",
        "entry": [
            {
                "fullUrl": "urn:uuid:c",
                "resource": {
                    "resourceType": "Composition",
                    "status": "final",
                    "type": {"coding": [{"system": "http://loinc.org", "code": "34105-7"}]},
                    "subject": {"reference": "urn:uuid:p"},
                    "date": "2026-11-02",
                    "author": [{"reference": "urn:uuid:o"}],
                    "title": "Report",
                    "section": [
                        {
                            "title": "Funn",
                            "code": {"coding": [{"system": "http://loinc.org", "code": "30954-2"}]},
                            "text": {
                                "status": "generated",
                                "div": '<div xmlns="http://www.w3.org/1999/xhtml">Prøvene er normale.</div>',
                            },
                        }
                    ],
                },
            },
            {
                "fullUrl": "urn:uuid:p",
                "resource": {"resourceType": "Patient", "identifier": [NATIONAL], "name": [{"text": "Test"}]},
            },
            {"fullUrl": "urn:uuid:o", "resource": {"resourceType": "Organization", "name": "Elvestad"}},
        ],
    }


def put(bundle: Any, resource: dict[str, Any], url: str = "urn:uuid:x", *, entry: bool = True) -> Any:
    """One more resource, and unless told otherwise an entry of the section for it."""
    bundle["entry"].append({"fullUrl": url, "resource": resource})
    if entry:
        bundle["entry"][0]["resource"]["section"][0].setdefault("entry", []).append({"reference": url})
    return bundle


def observation(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "Blodtrykk"}]},
        "subject": {"reference": "urn:uuid:p"},
        **more,
    }


REFUSED: dict[str, tuple[Callable[[Any], object], str]] = {
    "a finding that was an error": (
        lambda b: put(b, observation(status="entered-in-error")),
        "entry[3].resource.status",
    ),
    "what was not done": (
        lambda b: put(
            b,
            {
                "resourceType": "Procedure",
                "status": "not-done",
                "code": {"text": "x"},
                "subject": {"reference": "urn:uuid:p"},
            },
        ),
        "entry[3].resource.status",
    ),
    "an order not to give it": (
        lambda b: put(
            b,
            {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                "doNotPerform": True,
                "medicationCodeableConcept": {"text": "x"},
                "subject": {"reference": "urn:uuid:p"},
            },
        ),
        "entry[3].resource.doNotPerform",
    ),
    "a finding of another person": (
        lambda b: (
            put(b, observation(subject={"reference": "urn:uuid:q"})),
            put(b, {"resourceType": "Patient", "identifier": [NATIONAL]}, "urn:uuid:q", entry=False),
        ),
        "entry[3].resource.subject",
    ),
    "a finding of nobody": (
        lambda b: put(b, {k: v for k, v in observation().items() if k != "subject"}),
        "entry[3].resource.subject",
    ),
    "a reference to another person": (
        lambda b: (
            put(b, observation(focus=[{"reference": "urn:uuid:q"}])),
            put(b, {"resourceType": "Patient", "identifier": [NATIONAL]}, "urn:uuid:q", entry=False),
        ),
        "entry[3].resource.focus[0].reference",
    ),
    "a reference to nowhere": (
        lambda b: put(b, observation(hasMember=[{"reference": "urn:uuid:nowhere"}])),
        "entry[3].resource.hasMember[0].reference",
    ),
    "an attachment": (
        lambda b: put(
            b,
            {
                "resourceType": "DiagnosticReport",
                "status": "final",
                "code": {"text": "x"},
                "subject": {"reference": "urn:uuid:p"},
                "presentedForm": [{"data": "eA=="}],
            },
        ),
        "entry[3].resource.presentedForm[0]",
    ),
    "an extension of nobody": (
        lambda b: put(b, observation(extension=[{"url": "urn:x", "valueString": "x"}])),
        "entry[3].resource.extension[0].url",
    ),
    "an extension of nobody deep inside": (
        lambda b: put(
            b,
            observation(
                valueCodeableConcept={
                    "text": "x",
                    "extension": [{"url": "urn:x", "valueString": "x"}],
                }
            ),
        ),
        "entry[3].resource.valueCodeableConcept.extension[0].url",
    ),
    "an extension beside a value": (
        lambda b: put(
            b, observation(_valueString={"extension": [{"url": "urn:x", "valueString": "x"}]})
        ),
        "entry[3].resource._valueString.extension[0].url",
    ),
    "an extension in a name": (
        lambda b: b["entry"][1]["resource"]["name"][0].update(
            extension=[{"url": "urn:x", "valueString": "x"}]
        ),
        "entry[1].resource.name[0].extension[0].url",
    ),
    "a modifier": (
        lambda b: put(b, observation(modifierExtension=[{"url": "urn:x", "valueBoolean": True}])),
        "entry[3].resource.modifierExtension",
    ),
    "rules of the sender's": (
        lambda b: put(b, observation(implicitRules="urn:x")),
        "entry[3].resource.implicitRules",
    ),
    "a contained resource": (
        lambda b: put(b, observation(contained=[{"resourceType": "Patient"}])),
        "entry[3].resource.contained[0]",
    ),
    "an addition to a report": (
        lambda b: b["entry"][0]["resource"].update(
            relatesTo=[{"code": "appends", "targetIdentifier": {"value": "x"}}]
        ),
        "entry[0].resource.relatesTo[0].code",
    ),
    "a confidential document": (
        lambda b: b["entry"][0]["resource"].update(confidentiality="R"),
        "entry[0].resource.confidentiality",
    ),
    "a list of changes": (
        lambda b: b["entry"][0]["resource"]["section"][0].update(mode="changes"),
        "entry[0].resource.section[0].mode",
    ),
    "a person who is dead": (
        lambda b: b["entry"][1]["resource"].update(deceasedBoolean=True),
        "entry[1].resource.deceasedBoolean",
    ),
    "a person who is another one, too": (
        lambda b: b["entry"][1]["resource"].update(
            link=[{"other": {"reference": "urn:uuid:p"}, "type": "seealso"}]
        ),
        "entry[1].resource.link",
    ),
    "two national numbers": (
        lambda b: b["entry"][1]["resource"]["identifier"].append(NATIONAL),
        "entry[1].resource.identifier",
    ),
    "two times of one stay": (
        lambda b: (
            b["entry"][0]["resource"].update(
                event=[{"period": {"start": "2026-01-01"}}], encounter={"reference": "urn:uuid:e"}
            ),
            put(
                b,
                {
                    "resourceType": "Encounter",
                    "status": "finished",
                    "class": {"code": "IMP"},
                    "subject": {"reference": "urn:uuid:p"},
                    "period": {"start": "2026-02-01"},
                },
                "urn:uuid:e",
                entry=False,
            ),
        ),
        "entry[3].resource.period",
    ),
}  # one row per case # fmt: skip
