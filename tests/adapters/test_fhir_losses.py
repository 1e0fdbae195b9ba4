"""Understands that what FHIR says and an epikrise has no field for is in a text, or on the list of losses, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.fhir_epikrise import losses
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_epikrise.resources import RESOURCES
from adapters.fhir_extensions import LEFT_EXTENSIONS
from adapters.fhir_schema import declared
from adapters.registry import adapters_for
from hub.errors import HubError
from hub.message import Record
from mappings.types import load_types
from tests.adapters.foreign import document, put

AS_JSON = ADAPTERS[0]


def parse(bundle: Any) -> Record:
    return AS_JSON.parse(json.dumps(bundle).encode())


TYPES = load_types()

README = (Path(adapters.__file__).parent / "fhir_epikrise/README.md").read_text()

REGISTRY = adapters_for(TYPES)


def section(bundle: Any, number: int = 0) -> Any:
    return parse(bundle).fields["seksjoner"][number]


BLOOD = {"system": "http://loinc.org", "kode": "8480-6", "tekst": "Blodtrykk"}


# ------------------------------------------------------------------------------------- the list of losses


def test_the_readme_names_every_loss_with_its_reason() -> None:
    for kind, left in losses.LEFT.items():
        assert kind in README
        for name, reason in left.items():
            assert f"`{name}`" in README, (kind, name)
            assert reason in README, (kind, name)
    for name, reason in (*losses.SILENT.items(), *losses.TYPES.items()):
        assert f"`{name}`" in README, name
        assert reason in README, name
    for name, reason in losses.SHELL.items():
        assert f"`{name}`" in README, name
        assert reason in README, name
    for kind in (*losses.NARRATED, *losses.ADMINISTRATIVE):
        assert kind in README
    for url, reason in LEFT_EXTENSIONS.items():
        assert url.rpartition("/")[2] in README
        assert reason in README


def test_the_tables_of_losses_name_what_fhir_has() -> None:
    for kind, names in (*losses.LEFT.items(), *losses.BEYOND.items()):
        assert set(names) <= declared(RESOURCES[kind]).keys()
    assert {*losses.NARRATED, *losses.ADMINISTRATIVE, "Composition", "Provenance"} == RESOURCES.keys()


PERIOD = {"start": "2026-10-01", "end": "2026-10-05"}
PATIENT = {"reference": "urn:uuid:p"}
WORDS = {"text": "Hb"}


def told(resource: Any, text: str | None, status: str = "generated") -> Any:
    """A document with this resource in its section, whose text is this."""
    bundle = document()
    there = bundle["entry"][0]["resource"]["section"][0]
    if text is None:
        del there["text"]
    else:
        there["text"] = {"status": status, "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'}
    put(bundle, {"subject": PATIENT, **resource})
    return bundle


def seen(**said: Any) -> Any:
    return {"resourceType": "Observation", "status": "final", "code": WORDS, **said}


HB = seen(valueQuantity={"value": 12.1, "unit": "g"})
UNTOLD: dict[str, tuple[Any, str | None, str]] = {
    "a series of samples": (
        seen(valueSampledData={"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2"}),
        "Hb",
        "valueSampledData",
    ),
    "a result that is not final": (seen(status="preliminary"), "Hb", "status"),
    "an order that was stopped": (
        {
            "resourceType": "MedicationRequest",
            "status": "stopped",
            "intent": "order",
            "medicationCodeableConcept": WORDS,
        },
        "Hb",
        "status",
    ),
    "an order that is a plan": (
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "plan",
            "medicationCodeableConcept": WORDS,
        },
        "Hb",
        "intent",
    ),
    "a warning that is off": (
        {"resourceType": "Flag", "status": "inactive", "code": WORDS},
        "Hb",
        "status",
    ),
    "a procedure that is planned": (
        {"resourceType": "Procedure", "status": "preparation", "code": WORDS},
        "Hb",
        "status",
    ),
    "a plan that was revoked": (
        {"resourceType": "CarePlan", "status": "revoked", "intent": "plan", "title": "x"},
        "Hb",
        "status",
    ),
}


@pytest.mark.parametrize(("resource", "text", "where"), UNTOLD.values(), ids=UNTOLD.keys())
def test_a_value_that_no_text_tells_is_refused_with_its_path(
    resource: Any, text: str | None, where: str
) -> None:
    with pytest.raises(HubError) as refused:
        parse(told(resource, text))

    assert refused.value.code == "parse.invalid"
    assert any(where in finding.at for finding in refused.value.findings)


@pytest.mark.parametrize(
    ("resource", "text", "status", "line"),
    [
        (HB, "Hb er lav", "additional", "Hb"),
        (HB, "Hb er lav", "generated", "Hb: 12.1 g"),
        (HB, "Hb 12,1 g", "generated", "Hb: 12.1 g"),
        (seen(valueBoolean=False), "Hb ikke tatt", "additional", "Hb"),
        (seen(valueBoolean=False), "Hb ikke tatt", "generated", "Hb: nei"),
        (seen(effectivePeriod=PERIOD), "Hb i uke 40", "additional", "Hb"),
    ],
)
def test_a_value_is_told_by_a_text_that_a_person_wrote_or_else_by_the_line(
    resource: Any, text: str, status: str, line: str
) -> None:
    assert section(told(resource, text, status))["tekst"].split("\n") == [text, line]


@pytest.mark.parametrize(
    ("element", "code", "words"),
    [
        ("clinicalStatus", "resolved", "Hb: avsluttet"),
        ("clinicalStatus", "inactive", "Hb: ikke aktiv"),
        ("verificationStatus", "unconfirmed", "Hb: ikke bekreftet"),
    ],
)
def test_a_status_is_said_with_the_words_it_is_about(element: str, code: str, words: str) -> None:
    allergy = {"resourceType": "AllergyIntolerance", "code": WORDS, "patient": PATIENT}
    bundle = told({**allergy, element: {"coding": [{"code": code}]}}, "Hb")
    del bundle["entry"][-1]["resource"]["subject"]

    assert section(bundle)["tekst"] == f"Hb\n{words}"


@pytest.mark.parametrize("text", [None, "HIV: Positiv, resten negativt"])
def test_an_answer_stays_with_its_question(text: str | None) -> None:
    bundle = told(seen(code={"text": "HIV"}, valueString="Positiv"), text, "additional")
    put(
        bundle,
        {**seen(code={"text": "Hepatitt B"}, valueString="Negativ"), "subject": PATIENT},
        "urn:uuid:hb",
    )
    put(
        bundle,
        {**seen(code={"text": "Hepatitt C"}, valueString="Positiv"), "subject": PATIENT},
        "urn:uuid:hc",
    )

    lines = section(bundle)["tekst"].split("\n")

    assert lines[-3:] == ["HIV: Positiv", "Hepatitt B: Negativ", "Hepatitt C: Positiv"]


def test_the_time_of_a_medicine_is_carried() -> None:
    medicine = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"coding": [{"system": "urn:x", "code": "1"}]},
        "effectivePeriod": PERIOD,
    }

    assert parse(told(medicine, "Hb")).fields["legemidler"] == [
        {"system": "urn:x", "kode": "1", "fra": "2026-10-01", "til": "2026-10-05"}
    ]
