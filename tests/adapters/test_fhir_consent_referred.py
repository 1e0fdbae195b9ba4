"""Understands who a FHIR Consent is about where it refers to somebody."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters.fhir_consent.reading import read
from tests.adapters import consents
from tests.adapters.consents import (
    told,
)

Change = Callable[[Any], object]


# What a reference leads to


NUMBER = {"system": consents.FNR, "value": consents.PERSON}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "1", "identifier": [NUMBER]}
OTHER = {"system": consents.DNR, "value": "54839030186"}


def _behind(change: Change = lambda p: None) -> Any:
    patient = copy.deepcopy(PATIENT)
    change(patient)
    return lambda reference: patient if reference == "Patient/1" else None


REFERRED: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "one number": (lambda p: None, set()),
    "the number twice": (lambda p: p["identifier"].append(p["identifier"][0]), set()),
    "a number of another kind beside it": (
        lambda p: p["identifier"].append({"system": "urn:x", "value": "1"}), set(),
    ),
    "numbers that are none": (
        lambda p: p["identifier"].extend(
            [7, {"system": ["x"], "value": "1"}, {"system": consents.DNR, "value": {"a": 1}},
             {"system": consents.DNR, "value": ""}]
        ),
        set(),
    ),
    "two numbers": (
        lambda p: p["identifier"].append(OTHER),
        {("patient.reference", "unique"), ("patient.identifier", "missing")},
    ),
    "no number": (lambda p: p.pop("identifier"), {("patient.identifier", "missing")}),
    "no list of numbers": (lambda p: p.update(identifier=7), {("patient.identifier", "missing")}),
    "somebody of another kind": (
        lambda p: p.update(resourceType="Practitioner"), {("patient.identifier", "missing")},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "expected"), REFERRED.values(), ids=REFERRED.keys())
def test_who_is_referred_to_is_found_by_one_number(change: Change, expected: set[tuple[str, str]]) -> None:
    document = {**consents.r4(), "patient": {"reference": "Patient/1"}}

    assert {(at, rule) for _, at, rule in told(document, _behind(change))} == expected
    if not expected:
        assert read(document, _behind(change)).get("person.id") == consents.PERSON


def test_what_is_said_and_what_is_referred_to_agree() -> None:
    document = consents.r4()
    document["patient"]["reference"] = "Patient/1"
    assert told(document, _behind()) == set()
    document["patient"]["identifier"]["system"] = consents.DNR

    assert {at for _, at, _ in told(document, _behind())} == {"patient.identifier"}


def test_who_gave_it_is_who_is_referred_to() -> None:
    document = {**consents.r4(), "patient": {"reference": "Patient/1"}}
    document["performer"] = [{"type": "Patient", "identifier": dict(NUMBER)}]
    assert told(document, _behind()) == set()
    document["performer"][0]["identifier"] = OTHER

    assert {at for _, at, _ in told(document, _behind())} == {"performer[0].identifier.value"}


def test_what_is_contained_is_told_and_not_looked_into() -> None:
    document = {**consents.r4(), "contained": [{"resourceType": "Evil"}]}

    assert told(document) == {("consent.not-evaluable", "contained", "not-read")}


def refers(document: Any, **said: Any) -> Any:
    """The same, given by the patient, who is known by the number and here by a reference, too."""
    return {**document, "performer": [{"type": "Patient", "reference": "Patient/1", **said}]}


def test_who_gave_it_is_the_person_by_the_number_whatever_the_reference() -> None:
    document, elsewhere = consents.r4(), {("performer[0].reference", "value")}
    somebody = _behind(lambda p: p.update(identifier=[OTHER]))
    assert told(refers(document, identifier=NUMBER)) == set()
    assert told(refers(document), _behind()) == set()
    assert told(refers(document, identifier=NUMBER), _behind()) == set()
    document["patient"] = {**document["patient"], "reference": "Patient/2"}
    found = [
        told(refers(document, identifier=NUMBER)),
        told(refers(consents.r4(), identifier=NUMBER), somebody),
        told(refers(consents.r4()), somebody),
        told(refers(consents.r4())),
    ]

    assert [{(at, rule) for _, at, rule in one} for one in found] == [elsewhere] * 4
