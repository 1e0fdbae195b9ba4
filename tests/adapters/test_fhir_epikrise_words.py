"""Understands that what is narrated in an epikrise keeps its words together: of what it is said, and of whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from adapters.fhir_epikrise import lines as lines_of
from adapters.fhir_epikrise import losses, narrated
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_schema import declared
from adapters.kith_epikrise.adapter import ADAPTERS as KITH
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
    "somebody, by the type": {**SEEN, "focus": [{**NAMED, "type": "Practitioner"}]},
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


@pytest.mark.parametrize("kind", ["Patient", "RelatedPerson", "Group"])
def test_a_finding_of_somebody_else_is_refused(kind: str) -> None:
    assert refused(told({**SEEN, "focus": [{**NAMED, "type": kind}]})) == [("focus[0].type", "reference")]


def test_the_tables_of_references_name_what_fhir_has() -> None:
    models = [declared(RESOURCES[kind]) for kind in losses.NARRATED]

    assert all(any(name in model for model in models) for name in losses.FILED)
    assert {target for model in models for one in model.values() for target in one.targets} > losses.WHO - {
        "HealthcareService"
    }


# ------------------------------------------------------------------------------------- of the family

ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
DRINK = {"system": "urn:oid:2.16.578.1.12.4.1.1.7110", "code": "F10.2", "display": "Alkoholavhengighet"}
MOTHER = {"coding": [{"system": ROLES, "code": "MTH"}]}


def family(*conditions: Part, of: Part = MOTHER, **more: Any) -> Part:
    return {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "relationship": of,
        "condition": list(conditions),
        **more,
    }


def ill(*codings: Part, text: str | None = None, **more: Any) -> Part:
    said = {name: value for name, value in (("coding", list(codings)), ("text", text)) if value}
    return {"code": said, **more}


FAMILY: dict[str, tuple[Part, str]] = {
    "a code and a relationship that have words": (
        family(ill(DRINK), of={"coding": [{"system": "urn:x", "code": "M", "display": "moren"}]}),
        "moren: Alkoholavhengighet (F10.2)",
    ),
    "a relationship that is a code of HL7": (family(ill(DRINK)), "mor: Alkoholavhengighet (F10.2)"),
    "words alone": (family(ill(text="Brystkreft"), of={"text": "Mor"}), "Mor: Brystkreft"),
    "a name and a sex beside": (
        family(ill(text="Brystkreft"), name="Kari", sex={"coding": [
            {"system": "http://hl7.org/fhir/administrative-gender", "code": "female"}]}),
        "mor: Kari, kvinne, Brystkreft",
    ),
    "several": (family(ill(DRINK), ill(text="Brystkreft")), "mor: Alkoholavhengighet (F10.2), Brystkreft"),
    "several, with what became of it": (
        family(ill(DRINK, outcome={"text": "død"}), ill(text="Brystkreft", outcome={"text": "død"})),
        "mor: Alkoholavhengighet (F10.2): død; Brystkreft: død",
    ),
    "why it was asked": (family(reasonCode=[{"coding": [DRINK]}]), "mor: Alkoholavhengighet (F10.2)"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("text", [None, "Slekt: se under"])
@pytest.mark.parametrize(("resource", "line"), FAMILY.values(), ids=FAMILY)
def test_what_one_of_the_family_has_is_said_of_them_and_is_no_code(
    resource: Part, line: str, text: str | None
) -> None:
    assert lines(resource, text=text, status="generated") == [line]
    assert "koder" not in section(resource, text=text, status="generated")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Mor hadde alkoholavhengighet.", True),
        ("Slekt: mor, alkoholavhengighet", True),
        ("Mor er frisk. Far hadde alkoholavhengighet.", False),
        ("Mor er frisk; alkoholavhengighet hos far", False),
        ("Mor og far hadde alkoholavhengighet", False),
        ("Mor hadde ikke alkoholavhengighet", False),
        ("Mor hadde brystkreft", False),
        ("Mormor hadde alkoholavhengighet", False),
        ("Alkoholavhengighet", False),
    ],
)
def test_a_text_that_says_of_whom_and_what_in_one_breath_is_enough(text: str, said: bool) -> None:
    assert lines(family(ill(DRINK)), text=text) == ([] if said else ["mor: Alkoholavhengighet (F10.2)"])


def test_all_that_one_of_the_family_has_must_be_in_the_text() -> None:
    several = family(ill(DRINK), ill(text="Brystkreft"))

    assert len(lines(several, text="Mor hadde alkoholavhengighet.")) == 1
    assert lines(several, text="Mor hadde alkoholavhengighet. Mor hadde brystkreft.") == []


@pytest.mark.parametrize(
    ("resource", "at"),
    [
        (family(ill(DRINK), of={"coding": [{"system": "urn:x", "code": "MTH"}]}), "relationship"),
        (family(ill({"system": "urn:x", "code": "1"})), "condition[0].code"),
        (family(ill(DRINK, outcome={"coding": [{"system": "urn:x", "code": "1"}]})), "condition[0].outcome"),
    ],
)
def test_a_code_of_the_family_without_words_is_refused(resource: Part, at: str) -> None:
    assert refused(told(resource, text="Mor: Alkoholavhengighet")) == [(at, "missing")]


@pytest.mark.parametrize("text", [None, "Slekt: se under"])
def test_a_disease_of_the_family_is_not_the_person_s_in_kith(text: str | None) -> None:
    record = read(told(family(ill(DRINK)), text=text))
    parties = {"avsender": "310000019", "mottaker": "310000027", "id": "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10"}
    named = Record(record.type, {**record.fields, "melding": {**record.fields["melding"], **parties}})

    written = KITH[1].render(named).decode()

    assert "mor: Alkoholavhengighet (F10.2)" in written
    assert 'V="F10.2"' not in written


# --------------------------------------------------------------------------------- each check is needed

TABLES: list[Callable[..., Any]] = [
    test_the_words_of_a_reference_without_an_entry_are_said,
    test_a_reference_that_leads_nowhere_and_has_no_words_is_refused,
    test_who_else_and_numbers_are_left_behind,
    test_a_finding_of_somebody_else_is_refused,
    test_what_one_of_the_family_has_is_said_of_them_and_is_no_code,
    test_a_text_that_says_of_whom_and_what_in_one_breath_is_enough,
    test_all_that_one_of_the_family_has_must_be_in_the_text,
    test_a_code_of_the_family_without_words_is_refused,
]


@each(
    [
        (narrated, "self.said(element.name, words)", "pass"),
        (narrated, "words is None and not _is_filed(element, value)", "False"),
        (narrated, "elif about or not", "elif not"),
        (narrated, "element.targets <= losses.WHO or", ""),
        (narrated, ' or value.get("type") in losses.WHO', ""),
        (narrated, "element.name in losses.FILED or ", ""),
        (narrated, ' or value.keys() <= {"extension"}', ""),
        (narrated, '(element.name, value.get("type")) in losses.ANOTHER', "False"),
        (narrated, "Group(self.line.others)", "Group()"),
        (narrated, "if self.line.others:", "if False:"),
        (narrated, "if known or name in losses.OF_WHOM", "if known"),
        (narrated, 'self.findings.add(at, "missing", "its words in display or text")', "pass"),
        (narrated, "if name in losses.FIRST:", "if False:"),
        (lines_of, "and not _has(piece, self.others - set(map(plain, whose.names)))", ""),
        (lines_of, "if _has(piece, whose.names) and", "if"),
        (lines_of, "all(any(", "any(any("),
        (lines_of, "if not self.others:", "if True:"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TABLES for case in rows(test)))
