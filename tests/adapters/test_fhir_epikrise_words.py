"""Understands that what is narrated in an epikrise keeps its words together: of what it is said, and of whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from adapters.fhir_epikrise import losses, narrated
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_schema import declared
from hub.errors import HubError
from hub.message import Record
from tests.adapters.foreign import document, put
from tests.mutating import each, expect_noticed, rows

AS_JSON = ADAPTERS[0]
PERSON = {"reference": "urn:uuid:p"}
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
Part = dict[str, Any]


def told(*resources: Part, text: str | None = "Se under", status: str = "additional") -> Any:
    """A document whose section has this text and these resources of the person."""
    made = document()
    section = made["entry"][0]["resource"]["section"][0]
    section["text"] = {"status": status, "div": f"<div {XHTML}>{text}</div>"}
    if text is None:
        del section["text"]
    for number, resource in enumerate(resources):
        whose = "patient" if "patient" in declared(RESOURCES[resource["resourceType"]]) else "subject"
        put(made, {whose: PERSON, **resource}, f"urn:uuid:x{number}")
    return made


def read(made: Any) -> Record:
    record = AS_JSON.parse(json.dumps(made).encode())
    assert AS_JSON.parse(AS_JSON.render(record)) == record
    return record


def section(*resources: Part, text: str | None = "Se under", status: str = "additional") -> Any:
    return read(told(*resources, text=text, status=status)).fields["seksjoner"][0]


def lines(*resources: Part, text: str | None = "Se under", status: str = "additional") -> list[str]:
    """What the section says beside its own text."""
    said = str(section(*resources, text=text, status=status)["tekst"]).split("\n")
    return said[len(text.split("\n")) if text else 0 :]


def refused(made: Any) -> list[tuple[str, str]]:
    with pytest.raises(HubError) as refusal:
        AS_JSON.parse(json.dumps(made).encode())
    assert all(one.line and one.column for one in refusal.value.findings)
    return [(one.at.removeprefix("entry[3].resource."), one.rule) for one in refusal.value.findings]


# ------------------------------------------------------------------------- references without an entry

ORDER = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
DONE = {"resourceType": "Procedure", "status": "completed", "code": {"text": "Operert"}}
PLAN = {"resourceType": "CarePlan", "status": "active", "intent": "plan"}
SEEN = {"resourceType": "Observation", "status": "final", "code": {"text": "Svar"}}
SHOT = {
    "resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": "Vaksine"},
    "occurrenceString": "i høst",
}  # a resource in few lines # fmt: skip
USED = {"resourceType": "DeviceUseStatement", "status": "active"}
NAMED = {"display": "Metadonbehandling", "identifier": {"system": "urn:x", "value": "77"}}
NUMBER = {"identifier": {"system": "urn:x", "value": "77"}}
POINTING: dict[str, tuple[Part, list[str | int]]] = {
    "what is ordered": (ORDER, ["medicationReference"]),
    "a complication": (DONE, ["complicationDetail", 0]),
    "a reason": (DONE, ["reasonReference", 0]),
    "what was used": (DONE, ["usedReference", 0]),
    "what was put in": (DONE, ["focalDevice", 0, "manipulated"]),
    "what a plan is about": (PLAN, ["addresses", 0]),
    "its goal": (PLAN, ["goal", 0]),
    "what is to be done": (PLAN, ["activity", 0, "reference"]),
    "what was observed": (SEEN, ["focus", 0]),
    "a member of a panel": (SEEN, ["hasMember", 0]),
    "a reaction": (SHOT, ["reaction", 0, "detail"]),
    "a device": (USED, ["device"]),
}


def pointing(name: str, reference: Part) -> Part:
    """The resource of a row, with this reference."""
    resource, steps = POINTING[name]
    value: Any = reference
    for step in reversed(steps[1:]):
        value = [value] if isinstance(step, int) else {str(step): value}
    return {**resource, str(steps[0]): value}


def place(name: str) -> str:
    steps = POINTING[name][1]
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in steps).removeprefix(".")


@pytest.mark.parametrize("text", [None, "Se under"])
@pytest.mark.parametrize("name", POINTING)
def test_the_words_of_a_reference_without_an_entry_are_said(name: str, text: str | None) -> None:
    [line] = lines(pointing(name, NAMED), text=text, status="generated")

    assert line.endswith("Metadonbehandling")


@pytest.mark.parametrize("reference", [NUMBER, {"type": "Condition"}])
@pytest.mark.parametrize("name", POINTING)
def test_a_reference_that_leads_nowhere_and_has_no_words_is_refused(name: str, reference: Part) -> None:
    made = told(pointing(name, reference))

    assert (place(name), "reference") in refused(made)


LEFT: dict[str, Part] = {
    "who did it": {**SEEN, "performer": [NAMED]},
    "who did it, by a number": {**SEEN, "performer": [NUMBER]},
    "with what": {**SEEN, "device": NAMED},
    "somebody, by the type": {**SEEN, "focus": [{**NAMED, "type": "RelatedPerson"}]},
    "under which number": {**SEEN, "basedOn": [NUMBER]},
    "what is not known": {
        **SEEN,
        "focus": [{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                                  "valueCode": "unknown"}]}],
    },
}  # a resource in few lines # fmt: skip


@pytest.mark.parametrize("resource", LEFT.values(), ids=LEFT)
def test_who_else_and_numbers_are_left_behind(resource: Part) -> None:
    assert lines(resource) == lines(SEEN) == ["Svar"]


def test_the_tables_of_references_name_what_fhir_has() -> None:
    models = [declared(RESOURCES[kind]) for kind in losses.NARRATED]

    assert all(any(name in model for model in models) for name in losses.FILED)
    assert {target for model in models for one in model.values() for target in one.targets} > losses.WHO - {
        "HealthcareService"
    }


# --------------------------------------------------------------------------------- each check is needed

TABLES: list[Callable[..., Any]] = [
    test_the_words_of_a_reference_without_an_entry_are_said,
    test_a_reference_that_leads_nowhere_and_has_no_words_is_refused,
    test_who_else_and_numbers_are_left_behind,
]


@each(
    [
        (
            narrated,
            "            self.said(words)\n            if words is None",
            "            if words is None",
        ),
        (narrated, "words is None and not _is_filed(element, value)", "False"),
        (narrated, "elif about or not", "elif not"),
        (narrated, "element.targets <= losses.WHO or", ""),
        (narrated, ' or value.get("type") in losses.WHO', ""),
        (narrated, "element.name in losses.FILED or ", ""),
        (narrated, ' or value.keys() <= {"extension"}', ""),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TABLES for case in rows(test)))
