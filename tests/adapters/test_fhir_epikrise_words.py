"""Understands that what is narrated in an epikrise keeps its words together: of what it is said, and of whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from adapters.fhir_epikrise import lines as lines_of
from adapters.fhir_epikrise import losses, narrated, reading
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_schema import declared
from adapters.kith_epikrise.adapter import ADAPTERS as KITH
from consent.code_lists import load_codes
from consent.labels import label
from hub.errors import HubError
from hub.message import Category, Record
from mappings.types import load_types
from tests.adapters.foreign import document, put
from tests.mutating import each, expect_noticed, of_tests

AS_JSON = ADAPTERS[0]
TYPES = load_types()
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

ORDER: Part = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
DONE: Part = {"resourceType": "Procedure", "status": "completed", "code": {"text": "Operert"}}
PLAN = {"resourceType": "CarePlan", "status": "active", "intent": "plan"}
SEEN: Part = {"resourceType": "Observation", "status": "final", "code": {"text": "Svar"}}
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
        "mor: Brystkreft, navn: Kari, kjønn: kvinne",
    ),
    "several": (family(ill(DRINK), ill(text="Brystkreft")), "mor: Alkoholavhengighet (F10.2), Brystkreft"),
    "several, with what became of it": (
        family(ill(DRINK, outcome={"text": "død"}), ill(text="Brystkreft", outcome={"text": "død"})),
        "mor: Alkoholavhengighet (F10.2): utfall: død; Brystkreft: utfall: død",
    ),
    "why it was asked": (
        family(reasonCode=[{"coding": [DRINK]}]), "mor: grunn: Alkoholavhengighet (F10.2)",
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("text", [None, "Slekt: se under"])
@pytest.mark.parametrize(("resource", "line"), FAMILY.values(), ids=FAMILY)
def test_what_one_of_the_family_has_is_said_of_them(resource: Part, line: str, text: str | None) -> None:
    assert lines(resource, text=text, status="generated") == [line]
    codes = section(resource, text=text, status="generated").get("koder", [])
    assert [code["tekst"].partition(": ")[0] for code in codes] == [line.partition(": ")[0]] * len(codes)
    assert ("F10.2" in line) is ("F10.2" in {code["kode"] for code in codes})


def test_a_code_of_the_family_labels_the_section_whatever_its_words_are() -> None:
    snomed = {"system": "http://snomed.info/sct", "code": "191816009", "display": "Kronisk tilstand"}

    assert section(family(ill(snomed)), text="Slekt: se under")["koder"] == [
        {"system": "http://snomed.info/sct", "kode": "191816009", "tekst": "mor: Kronisk tilstand"}
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mor: Alkoholavhengighet (F10.2)", True),
        ("Slekt\nMor: alkoholavhengighet, (F10.2).", True),
        ("Mor hadde alkoholavhengighet.", False),
        ("Mor er frisk. Far hadde alkoholavhengighet.", False),
        ("Mor: aldri alkoholavhengighet (F10.2)", False),
        ("Mor frisk, stefar: alkoholavhengighet", False),
        ("Mor bekymret for pasientens alkoholavhengighet", False),
        ("Alkoholavhengighet", False),
    ],
)
def test_only_the_same_line_says_it_already(text: str, said: bool) -> None:
    assert lines(family(ill(DRINK)), text=text) == ([] if said else ["mor: Alkoholavhengighet (F10.2)"])


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
    assert 'DN="mor: Alkoholavhengighet"' in written
    assert 'DN="Alkoholavhengighet"' not in written


# ------------------------------------------------------------------------------- answers and questions


def coded(words: str | None, code: str = "1", system: str = "urn:x") -> Part:
    return {"coding": [{"system": system, "code": code, **({"display": words} if words else {})}]}


POSITIVE, NEGATIVE = coded("Positiv", "pos"), coded("Negativ", "neg")
OPIOID = coded("Opioidavhengighet", "75544000", "http://snomed.info/sct")


def asked(question: str, answer: Part, **more: Any) -> Part:
    return {
        "resourceType": "Observation", "status": "final", "code": coded(question, question),
        "valueCodeableConcept": answer, **more,
    }  # a resource in few lines # fmt: skip


ALLERGY: Part = {"resourceType": "AllergyIntolerance", "code": coded("Penicillin")}
STATEMENT: Part = {"resourceType": "MedicationStatement", "status": "active"}
PAIRS: dict[str, tuple[list[Part], list[str]]] = {
    "findings": (
        [asked("Hepatitt C", POSITIVE), asked("HIV", NEGATIVE), asked("Hepatitt B", POSITIVE)],
        ["Hepatitt C: Positiv", "HIV: Negativ", "Hepatitt B: Positiv"],
    ),
    "parts of a finding": (
        [{**SEEN, "code": coded("Blodprøve"), "component": [
            {"code": coded(question, question), "valueCodeableConcept": answer}
            for question, answer in (("HIV", NEGATIVE), ("Hepatitt B", NEGATIVE), ("Hepatitt C", POSITIVE))]}],
        ["Blodprøve: HIV: Negativ; Hepatitt B: Negativ; Hepatitt C: Positiv"],
    ),
    "reactions": (
        [{**ALLERGY, "reaction": [
            {"manifestation": [coded("Utslett"), coded("Kløe", "2")], "exposureRoute": coded("Oralt", "3")},
            {"manifestation": [coded("Anafylaksi", "4")], "exposureRoute": coded("Injeksjon", "5")}]}],
        [
            "Penicillin: reaksjon: symptom: Utslett, Kløe, eksponeringsvei: Oralt; "
            "reaksjon: symptom: Anafylaksi, eksponeringsvei: Injeksjon"
        ],
    ),
    "one word twice": (
        [{**asked("Syn", coded("Normal")), "method": coded("Normal", "2")}], ["Syn: Normal, metode: Normal"],
    ),
    "a plan and why": (
        [{**PLAN, "activity": [{"detail": {
            "status": "in-progress", "code": coded("Samtaler"), "reasonCode": [coded("Angst", "2")]}}]}],
        ["tiltak: Samtaler: pågår, grunn: Angst"],
    ),
    "a complication": (
        [{**DONE, "code": coded("Operert"), "complication": [coded("Blødning", "2")]}], ["Operert: komplikasjon: Blødning"],
    ),
    "how bad a diagnosis is": (
        [{"resourceType": "Condition", "code": coded("Astma"), "severity": coded("Alvorlig", "2")}],
        ["Astma: alvorlighetsgrad: Alvorlig"],
    ),
    "why a medicine is taken": (
        [{**STATEMENT, "medicationCodeableConcept": coded("Metadon"), "reasonCode": [OPIOID]}],
        ["Metadon: grunn: Opioidavhengighet"],
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize("status", ["additional", "generated"])
@pytest.mark.parametrize(("resources", "said"), PAIRS.values(), ids=PAIRS)
def test_a_coded_answer_stays_with_its_coded_question(
    resources: list[Part], said: list[str], status: str
) -> None:
    assert lines(*resources, status=status) == said


@pytest.mark.parametrize(("resources", "said"), PAIRS.values(), ids=PAIRS)
def test_the_code_of_an_answer_says_of_what_it_is(resources: list[Part], said: list[str]) -> None:
    codes = section(*resources)["koder"]

    questions = {one.partition(":")[0] for one in said}
    assert all(one["tekst"] in questions or one["tekst"].partition(":")[0] in questions for one in codes)
    assert {"Positiv", "Negativ", "Anafylaksi", "Blødning"}.isdisjoint(one["tekst"] for one in codes)


def test_one_answer_to_two_questions_is_two_codes() -> None:
    codes = section(asked("HIV", NEGATIVE), asked("Hepatitt B", NEGATIVE))["koder"]

    assert [one["tekst"] for one in codes] == ["HIV", "HIV: Negativ", "Hepatitt B", "Hepatitt B: Negativ"]


@pytest.mark.parametrize(
    "text", ["Hepatitt C: Positiv", "<table><tr><td>Hepatitt C</td><td>Positiv</td></tr></table>"]
)
def test_an_answer_that_the_text_has_is_not_said_twice(text: str) -> None:
    assert section(asked("Hepatitt C", POSITIVE), text=text)["tekst"].count("Positiv") == 1


def test_a_code_of_which_nothing_is_said_needs_no_line() -> None:
    both = {"coding": [*coded("HIV")["coding"], *coded("hiv-antistoff", "2", "urn:y")["coding"]]}

    reaction = {"resourceType": "AllergyIntolerance", "reaction": [{"manifestation": [both]}]}
    assert lines({**SEEN, "code": both}) == lines(reaction) == []
    assert lines({**SEEN, "code": both}, text=None) == ["HIV / hiv-antistoff"]


def test_an_answer_by_a_code_alone_still_labels_its_section() -> None:
    record = read(told(asked("Diagnose", coded(None, "75544000", "http://snomed.info/sct"))))

    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items

    assert any(Category.SUBSTANCE_USE in item.categories for item in items)
    assert record.fields["seksjoner"][0]["koder"][1]["tekst"] == "Diagnose: 75544000"


def test_what_a_code_is_said_of_is_shortened_where_the_text_has_it() -> None:
    long = "Spørsmål " * 40

    said = section({**asked("x", POSITIVE), "code": coded(long)})

    assert len(said["koder"][1]["tekst"]) < 200
    assert f"{long.strip()}: Positiv" in said["tekst"]


@pytest.mark.parametrize("shown", [{}, {"display": "Metadon mikstur"}])
def test_a_dose_stays_with_the_medicine_that_it_refers_to(shown: Part) -> None:
    made = told(
        *(
            {**ORDER, "medicationReference": {"reference": f"urn:uuid:m{n}", **shown},
             "dosageInstruction": [{"text": dose}]}
            for n, dose in enumerate(("10 mg", "8 mg"))
        )
    )  # a resource in few lines # fmt: skip
    for n, name in enumerate(("Metadon", "Buprenorfin")):
        put(made, {"resourceType": "Medication", "code": coded(name, name)}, f"urn:uuid:m{n}", entry=False)

    names = [shown.get("display", name) for name in ("Metadon", "Buprenorfin")]
    said = read(made).fields["seksjoner"][0]["tekst"].split("\n")

    assert said == ["Se under", f"{names[0]}: dosering: 10 mg", f"{names[1]}: dosering: 8 mg"]


def test_words_of_a_reference_that_its_entry_does_not_have_are_said() -> None:
    for display, expected in (("HIV", []), ("HIV hurtigtest", ["Svar: omfatter: HIV hurtigtest"])):
        made = told(
            {**SEEN, "code": coded("Svar"), "hasMember": [{"reference": "urn:uuid:m", "display": display}]}
        )
        put(made, {**SEEN, "code": coded("HIV", "2"), "subject": PERSON}, "urn:uuid:m", entry=False)

        assert read(made).fields["seksjoner"][0]["tekst"].split("\n")[1:] == expected


def test_what_is_referred_to_is_said_in_its_order() -> None:
    made = told(
        {**SEEN, "hasMember": [{"reference": "urn:uuid:m1"}, {"reference": "urn:uuid:m0"}]}, text=None
    )
    for n in range(2):
        put(made, {**SEEN, "code": {"text": f"Del {n}"}, "subject": PERSON}, f"urn:uuid:m{n}", entry=False)

    assert read(made).fields["seksjoner"][0]["tekst"] == "Svar\nDel 1\nDel 0"


def test_who_else_is_not_named_where_an_entry_tells_who() -> None:
    made = told({**SEEN, "focus": [{"reference": "urn:uuid:o", "display": "Elvestad"}]})

    assert read(made).fields["seksjoner"][0]["tekst"] == "Se under\nSvar"


def test_two_that_refer_to_each_other_are_read() -> None:
    made = told(*({**ORDER, "medicationReference": {"reference": f"urn:uuid:x{n}"}} for n in (1, 0)))

    assert read(made).fields["seksjoner"][0]["tekst"] == "Se under"


# --------------------------------------------------------------------------------- each check is needed

TABLES: list[Callable[..., Any]] = [
    test_the_words_of_a_reference_without_an_entry_are_said,
    test_a_reference_that_leads_nowhere_and_has_no_words_is_refused,
    test_who_else_and_numbers_are_left_behind,
    test_a_finding_of_somebody_else_is_refused,
    test_what_one_of_the_family_has_is_said_of_them,
    test_a_code_of_the_family_labels_the_section_whatever_its_words_are,
    test_only_the_same_line_says_it_already,
    test_a_code_of_the_family_without_words_is_refused,
    test_a_coded_answer_stays_with_its_coded_question,
    test_the_code_of_an_answer_says_of_what_it_is,
    test_one_answer_to_two_questions_is_two_codes,
    test_an_answer_that_the_text_has_is_not_said_twice,
    test_a_code_of_which_nothing_is_said_needs_no_line,
    test_an_answer_by_a_code_alone_still_labels_its_section,
    test_what_a_code_is_said_of_is_shortened_where_the_text_has_it,
    test_a_dose_stays_with_the_medicine_that_it_refers_to,
    test_words_of_a_reference_that_its_entry_does_not_have_are_said,
    test_what_is_referred_to_is_said_in_its_order,
    test_who_else_is_not_named_where_an_entry_tells_who,
]


@each(
    [
        (narrated, "            self.line.add(element.name, pointer)", "            pass"),
        (narrated, "words is None and not _is_filed(element, value)", "False"),
        (narrated, "and not targets <= losses.DEVICES", ""),
        (narrated, "return (targets <= losses.WHO and not targets <= losses.DEVICES) or kind", "return kind"),
        (narrated, " or kind in losses.WHO - losses.DEVICES", ""),
        (narrated, "element.name in losses.FILED or ", ""),
        (narrated, ' or value.keys() <= {"extension"}', ""),
        (narrated, "(element.name, kind) in losses.ANOTHER", "False"),
        (narrated, "Group(self.line.family, partial", "Group(False, partial"),
        (narrated, "if self.line.family:", "if False:"),
        (narrated, "of_whom = bool(known) or name in losses.OF_WHOM", "of_whom = bool(known)"),
        (narrated, "[] if of_whom else [Coded(", "[] if True else [Coded("),
        (narrated, 'self.findings.add(at, "missing", "its words in display or text")', "pass"),
        (narrated, "name in losses.FIRST or (kind, name)", "(kind, name)"),
        (narrated, "and not line.paired() and", "and"),
        (narrated, "if len(about) <= _LONGEST", "if True"),
        (narrated, "if not about:", "if True:"),
        (narrated, "            line.begin(about)", "            pass"),
        (lines_of, "or any(isinstance(part, Group) and part.paired() for _, part in rest)", "or bool(rest)"),
        (lines_of, '"; " if _nested(rest)', '", " if _nested(rest)'),
        (lines_of, "{(label(of) or of, plain(one)): _called", "{plain(one): _called"),
        (lines_of, "(self.main or not self._is_there())", "True"),
        (lines_of, "if self.main and self.target else []", "if self.target else []"),
        (lines_of, '_BETWEEN.sub(" ", line.casefold())', "line.casefold()"),
        (reading, "one.pointer.words = None", "pass"),
        (reading, "waiting.pop(0)", "waiting.pop()"),
        (reading, "one.pointer.target = self._said.get(id(found[1]))", "pass"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: of_tests(TABLES))
