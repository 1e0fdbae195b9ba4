"""Understands that what we write keeps the Norwegian base profiles it names, as far as can be told here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.organization import Organization
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.practitioner import Practitioner
from fhir.resources.R4B.procedure import Procedure
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters
from adapters.base import Findings
from adapters.fhir_bundle import PROFILES
from adapters.fhir_xml import XmlReader
from adapters.registry import ADAPTERS
from adapters.safe_xml import read_xml
from hub.message import Record
from tests.adapters import records
from tests.adapters.no_basis import SAMPLES, Profiles

FOLDER = Path(adapters.__file__).parent
BASE = "http://hl7.no/fhir/StructureDefinition/no-basis-"
FNR = "urn:oid:2.16.578.1.12.4.1.4.1"
LOINC_ONLY = {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]}


@cache
def profiles() -> Profiles:
    return Profiles.of(SAMPLES)


@pytest.fixture
def known(absent_reference: Callable[[str, int], None]) -> Profiles | None:
    """The profiles, or None, and then the summary says what could not be checked."""
    if SAMPLES.is_dir():
        return profiles()
    absent_reference("base profiles of HL7 Norway", 22)
    return None


def resources(body: bytes) -> Iterator[Any]:
    document = json.loads(body)
    for entry in document.get("entry", [{"resource": document}]):
        yield entry["resource"]


def faults(known: Profiles, resource: Any) -> list[str]:
    named = resource.get("meta", {}).get("profile", [])
    return [fault for profile in named for fault in known.faults(resource, profile)]


def by_type(name: str) -> Any:
    return next(adapter for adapter in ADAPTERS if adapter.type == name and adapter.name.startswith("fhir"))


@pytest.mark.parametrize(
    "example", ["fhir_epikrise/examples/epikrise.json", "fhir_tsb/examples/henvisning.json"]
)
def test_an_example_written_again_keeps_the_profiles_it_names(known: Profiles | None, example: str) -> None:
    adapter = next(a for a in ADAPTERS if a.name.replace("-", "_") == example.split("/")[0])
    written = list(resources(adapter.render(adapter.parse((FOLDER / example).read_bytes()))))

    assert {r["resourceType"] for r in written if "profile" in r.get("meta", {})} >= {
        "Patient",
        "Organization",
    }
    if known is not None:
        assert [fault for one in written for fault in faults(known, one)] == []


@settings(deadline=None, max_examples=60)
@given(record=st.one_of(records.epikrise, records.tsb))
def test_whatever_is_written_keeps_the_profiles_it_names(record: Record) -> None:
    written = list(resources(by_type(record.type).render(record)))

    assert all(
        one.get("meta") == {"profile": [PROFILES[one["resourceType"]]]}
        for one in written
        if one["resourceType"] in PROFILES
    )
    if SAMPLES.is_dir():
        assert [fault for one in written for fault in faults(profiles(), one)] == []


BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "a document typed by LOINC only": (
        "Composition",
        {"type": LOINC_ONLY},
        "Composition.type: required binding",
    ),
    "a number without its value": (
        "Patient",
        {"identifier": [{"system": FNR}]},
        "Patient.identifier:FNR.value: at least 1",
    ),
    "a local number without who gave it": (
        "Patient",
        {
            "identifier": [
                {
                    "type": {"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.8327", "code": "HNR"}]},
                    "system": "HNR",
                    "value": "1",
                }
            ]
        },
        "Patient.identifier:HNR.assigner: at least 1",
    ),
    "an organisation number without its value": (
        "Organization",
        {"identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.101"}]},
        "Organization.identifier:ENH.value: at least 1",
    ),
    "a HPR number without its value": (
        "Practitioner",
        {"identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.4"}]},
        "Practitioner.identifier:HPR.value: at least 1",
    ),
    "a role without its code": (
        "PractitionerRole",
        {"code": [{"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.9034"}]}]},
        "PractitionerRole.code:functions.coding.code: at least 1",
    ),
    "two national codes for one procedure": (
        "Procedure",
        {
            "code": {
                "coding": [
                    {"system": "urn:oid:2.16.578.1.12.4.1.1.7275", "code": "A"},
                    {"system": "urn:oid:2.16.578.1.12.4.1.1.7275", "code": "B"},
                ]
            }
        },
        "Procedure.code.coding:NKPK: at most 1",
    ),
    "a medicine without FEST": (
        "Medication",
        {"code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "R03", "display": "x"}]}},
        "Medication.code.coding:FEST-Medication: at least 1",
    ),
}


@pytest.mark.parametrize(("kind", "elements", "fault"), BROKEN.values(), ids=BROKEN.keys())
def test_what_breaks_a_profile_is_seen(
    known: Profiles | None, kind: str, elements: dict[str, Any], fault: str
) -> None:
    if known is not None:
        assert fault in known.faults({"resourceType": kind, **elements}, f"{BASE}{kind}")


OWN_EXAMPLES = {
    "no-basis-Patient-Espen-Eksempel.xml": Patient,
    "no-basis-Patient-Jannice-Søreng.xml": Patient,
    "no-basis-Practitioner-example.xml": Practitioner,
    "no-basis-Organization-example.xml": Organization,
    "no-basis-Procedure-example.xml": Procedure,
}


@pytest.mark.parametrize(("name", "model"), OWN_EXAMPLES.items(), ids=OWN_EXAMPLES.keys())
def test_what_hl7_norway_gives_as_an_example_is_none_of_the_faults(
    known: Profiles | None, name: str, model: Any
) -> None:
    if known is None:
        return
    told = Findings()
    resource = XmlReader(
        read_xml((SAMPLES / "Examples" / name).read_bytes()), {model.__name__: model}, told
    ).document

    assert not told
    assert known.faults(resource, f"{BASE}{model.__name__}") == []
