"""Understands that a code which FHIR itself fixes is said in an epikrise, refused, or left with its reason."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adapters
from adapters.fhir_epikrise import losses, narrated, reading
from adapters.fhir_epikrise.measures import MEASURES
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_schema import declared
from tests.adapters.foreign import put
from tests.adapters.test_fhir_epikrise_words import (
    ALLERGY,
    ORDER,
    PERSON,
    PLAN,
    SEEN,
    Part,
    family,
    ill,
    lines,
    refused,
    told,
)
from tests.mutating import each, expect_noticed, of_tests

README = (Path(adapters.__file__).parent / "fhir_epikrise/README.md").read_text()
RASH = {"manifestation": [{"text": "Utslett"}]}
TAKEN: Part = {**ORDER, "medicationCodeableConcept": {"text": "Morfin"}}
GIVEN: Part = {
    "resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": "2026-10-01",
    "medicationCodeableConcept": {"text": "Morfin"},
}  # a resource in few lines # fmt: skip
DONE: Part = {"resourceType": "Procedure", "status": "completed", "code": {"text": "Operert"}}


def activity(status: str) -> Part:
    return {**PLAN, "activity": [{"detail": {"status": status, "code": {"text": "Samtaler"}}}]}


SAID: list[tuple[Part, str]] = [
    ({**ALLERGY, "type": "allergy"}, "Penicillin: allergi"),
    ({**ALLERGY, "type": "intolerance"}, "Penicillin: intoleranse"),
    ({**ALLERGY, "criticality": "low"}, "Penicillin: kritisk: lav"),
    ({**ALLERGY, "criticality": "high"}, "Penicillin: kritisk: høy"),
    ({**ALLERGY, "criticality": "unable-to-assess"}, "Penicillin: kritisk: kan ikke vurderes"),
    (
        {**ALLERGY, "reaction": [{**RASH, "severity": "mild"}]},
        "Penicillin: reaksjon: symptom: Utslett, alvorlighetsgrad: mild",
    ),
    (
        {**ALLERGY, "reaction": [{**RASH, "severity": "moderate"}]},
        "Penicillin: reaksjon: symptom: Utslett, alvorlighetsgrad: moderat",
    ),
    (
        {**ALLERGY, "reaction": [{**RASH, "severity": "severe"}]},
        "Penicillin: reaksjon: symptom: Utslett, alvorlighetsgrad: alvorlig",
    ),
    (TAKEN, "Morfin"),
    ({**TAKEN, "priority": "routine"}, "Morfin"),
    ({**TAKEN, "priority": "urgent"}, "Morfin: haster"),
    ({**TAKEN, "priority": "asap"}, "Morfin: så snart som mulig"),
    ({**TAKEN, "priority": "stat"}, "Morfin: øyeblikkelig"),
    (activity("not-started"), "tiltak: Samtaler: ikke startet"),
    (activity("scheduled"), "tiltak: Samtaler: avtalt"),
    (activity("in-progress"), "tiltak: Samtaler: pågår"),
    (activity("completed"), "tiltak: Samtaler: gjennomført"),
    (
        {**PLAN, "activity": [{"detail": {"status": "scheduled", "description": "Tur"}}]},
        "tiltak: beskrivelse: Tur, avtalt",
    ),
    (family(ill(text="Astma")), "mor: Astma"),
    (family(ill(text="Astma"), status="partial"), "mor: ikke fullstendig, Astma"),
    (GIVEN, "Morfin"),
    ({**GIVEN, "status": "in-progress"}, "Morfin: pågår"),
    (DONE, "Operert"),
    ({**DONE, "status": "in-progress"}, "Operert: pågår"),
]


@pytest.mark.parametrize(("resource", "line"), SAID)
def test_a_code_that_a_reader_must_know_is_said(resource: Part, line: str) -> None:
    assert lines(resource) == [line]


TURNED: list[tuple[Part, str]] = [
    ({**ALLERGY, "criticality": "x"}, "criticality"),
    ({**ALLERGY, "verificationStatus": {"coding": [{"code": "refuted"}]}}, "verificationStatus"),
    ({**ALLERGY, "verificationStatus": {"coding": [{"code": "entered-in-error"}]}}, "verificationStatus"),
    ({**TAKEN, "priority": "x"}, "priority"),
    ({**TAKEN, "intent": "proposal"}, "intent"),
    ({**PLAN, "title": "x", "intent": "option"}, "intent"),
    (activity("cancelled"), "activity[0].detail.status"),
    (activity("x"), "activity[0].detail.status"),
    ({**SEEN, "status": "registered"}, "status"),
    (family(ill(text="Astma"), status="health-unknown"), "status"),
]


@pytest.mark.parametrize(("resource", "at"), TURNED)
def test_a_code_that_turns_it_round_or_that_nobody_knows_is_refused(resource: Part, at: str) -> None:
    assert refused(told(resource)) == [(at, "code")]


def stay(status: str) -> Any:
    made = told()
    made["entry"][0]["resource"]["encounter"] = {"reference": "urn:uuid:e"}
    encounter = {
        "resourceType": "Encounter", "status": status, "class": {"code": "IMP"}, "subject": PERSON,
        "reasonCode": [{"text": "Tungpust"}],
    }  # a resource in few lines # fmt: skip
    return put(made, encounter, "urn:uuid:e", entry=False)


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error", "unknown"])
def test_a_stay_that_was_none_is_refused(status: str) -> None:
    assert refused(stay(status)) == [("status", "code")]


# ------------------------------------------------------------------------------------ none is forgotten


def fixed() -> Iterator[tuple[str, str]]:
    """Every code that FHIR fixes in what is narrated, by its type and element."""
    seen, waiting = set(), [RESOURCES[kind] for kind in losses.NARRATED]
    whole = {
        "Extension",
        "Attachment",
        "Coding",
        "CodeableConcept",
        "Reference",
        *losses.TYPES,
        *MEASURES,
    }
    while waiting:
        model = waiting.pop()
        if model in seen or model.__name__ in whole:
            continue
        seen.add(model)
        for name, element in declared(model).items():
            if element.model is not None and name not in losses.SILENT:
                waiting.append(element.model)
            elif element.holds == "Code":
                yield model.__name__, name


def test_every_code_that_fhir_fixes_is_in_one_of_the_tables() -> None:
    found = set(fixed())
    known = {*losses.CODES, *losses.STANDS, *losses.LEFT_CODES}

    assert {one for one in found if one not in known and one[1] not in losses.SILENT} == set()
    assert known <= found


def test_the_readme_says_how_each_code_is_said() -> None:
    for (_, name), words in losses.CODES.items():
        assert f"`{name}`" in README
        assert all(word in README for word in words.values())
    assert all(f"`{name}`" in README and why in README for (_, name), why in losses.LEFT_CODES.items())


def test_a_code_that_stands_is_in_the_table_of_its_words() -> None:
    for one in losses.CODES.keys() & losses.STANDS.keys():
        assert losses.CODES[one].keys() == losses.STANDS[one]


TABLES: list[Callable[..., Any]] = [
    test_a_code_that_a_reader_must_know_is_said,
    test_a_code_that_turns_it_round_or_that_nobody_knows_is_refused,
    test_a_stay_that_was_none_is_refused,
]


@each(
    [
        (narrated, "self.said(name, words[str(value)])", "pass"),
        (narrated, 'self.findings.add(at, "code", "one of " + ", ".join(words))', "pass"),
        (narrated, '(*losses.ORDINARY, "status")', "losses.ORDINARY"),
        (narrated, "elif (kind, name) in losses.CODES:", "elif False:"),
        (reading, 'encounter.fault("status", "code", "a statement that stands")', "pass"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: of_tests(TABLES))


def test_the_names_of_fhir_do_not_hang_on_what_was_read_before() -> None:
    asked = "from adapters.fhir_schema import element_names as e; raise SystemExit('doseAndRate' not in e())"

    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
