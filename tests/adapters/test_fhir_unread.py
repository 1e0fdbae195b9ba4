"""Understands that a vendor who sends FHIR in another shape is told which element to mend, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adapters
from adapters import fhir_unread
from adapters.fhir_epikrise.identity import DISCHARGE
from adapters.fhir_epikrise.reading import MODELS as EPIKRISE
from adapters.fhir_tsb import reading
from adapters.fhir_tsb.adapter import ADAPTERS as TSB
from adapters.fhir_tsb.reading import EVENT, MODELS, TYPE
from adapters.fhir_xml import write_fhir_xml
from adapters.registry import adapters_for
from hub.errors import Finding, HubError
from mappings.types import load_types
from tests.adapters.foreign import document
from tests.mutating import each, expect_noticed, rows

REGISTRY = adapters_for(load_types())
EXAMPLE = Path(adapters.__file__).parent / "fhir_tsb/examples/henvisning.json"
Change = Callable[[Any], object]


def referral() -> Any:
    return json.loads(EXAMPLE.read_bytes())


def resource(bundle: Any, kind: str) -> Any:
    return next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind)


def header(bundle: Any, **elements: Any) -> Any:
    resource(bundle, "MessageHeader").update(elements)
    return bundle


def swapped(bundle: Any) -> Any:
    bundle["entry"][0], bundle["entry"][1] = bundle["entry"][1], bundle["entry"][0]
    return bundle


def typed(system: str, code: str) -> Any:
    made = document()
    made["entry"][0]["resource"]["type"] = {"coding": [{"system": system, "code": code}]}
    return made


SHAPES: dict[str, tuple[Any, str, str]] = {
    "a request alone": (resource(referral(), "ServiceRequest"), "resourceType", "ServiceRequest"),
    "a collection": ({**document(), "type": "collection"}, "type", "collection"),
    "an event of another": (
        header(referral(), eventCoding={"system": "urn:kanari", "code": TYPE}), "entry[0].resource.eventCoding", "eventCoding",
    ),
    "another event of ours": (
        header(referral(), eventCoding={"system": EVENT, "code": "kanari"}), "entry[0].resource.eventCoding", "eventCoding",
    ),
    "what is first is none": (swapped(referral()), "entry[0].resource.resourceType", "Patient"),
    "a document of another type": (typed("http://loinc.org", "57133-1"), "entry[0].resource.type", "type"),
    "a document without a Composition": (
        {**document(), "entry": document()["entry"][1:]}, "entry[0].resource.resourceType", "Patient",
    ),
    "nothing in it": ({"resourceType": "Bundle", "type": "message"}, "entry[0].resource.resourceType", "Bundle"),
}  # one row per case # fmt: skip


def unread(media: str, body: bytes) -> Finding:
    with pytest.raises(HubError) as told:
        REGISTRY.recognise(media, body)
    assert told.value.code == "parse.format-unknown"
    [finding] = told.value.findings
    assert "kanari" not in f"{finding.at} {finding.expected}"
    return finding


@pytest.mark.parametrize(("made", "at", "name"), SHAPES.values(), ids=SHAPES)
def test_what_no_format_reads_is_told_by_the_element_that_is_wrong(made: Any, at: str, name: str) -> None:
    body = json.dumps(made, indent=1).encode()

    found = unread("application/fhir+json", body)

    line = body.decode().split("\n")[(found.line or 0) - 1]
    assert found.at == at
    assert f'"{name}"' in line or name == "Bundle"
    assert len(line) - len(line.lstrip()) + 1 == found.column


@pytest.mark.parametrize(("made", "at", "name"), SHAPES.values(), ids=SHAPES)
def test_so_it_is_in_xml(made: Any, at: str, name: str) -> None:
    body = write_fhir_xml(made, {**MODELS, **EPIKRISE}).replace(b"><", b">\n<")

    found = unread("application/fhir+xml", body)

    line = body.decode().split("\n")[(found.line or 0) - 1]
    assert (found.at, found.column) == (at, len(line) - len(line.lstrip()) + 1)
    assert f"<{name}" in line or (name == "collection" and "<type " in line)


def test_the_findings_say_what_is_recognised() -> None:
    assert all(code in fhir_unread._DISCHARGE for _, code in DISCHARGE)
    assert EVENT in fhir_unread._EVENT
    assert TYPE in fhir_unread._EVENT


@pytest.mark.parametrize("body", [b'{"resourceType": "Task2"}', b"{}", b'{"resourceType": 7}'])
def test_what_is_no_bundle_or_no_fhir_is_told_too(body: bytes) -> None:
    assert unread("application/json", body).rule == "format"


def test_what_a_request_says_elsewhere_is_told_with_where_it_belongs() -> None:
    made = referral()
    resource(made, "ServiceRequest").update(priority="urgent", reasonCode=[{"text": "kanari"}])

    with pytest.raises(HubError) as told:
        TSB[0].parse(json.dumps(made, indent=1).encode())

    assert {(one.at.rpartition(".")[2], one.expected) for one in told.value.findings} == {
        ("priority", reading.ELSEWHERE),
        ("reasonCode", reading.ELSEWHERE),
    }
    assert all(one.line and one.column for one in told.value.findings)


def test_a_request_that_is_no_matter_of_urgency_is_read() -> None:
    made = referral()
    plain = TSB[0].parse(json.dumps(made).encode())
    resource(made, "ServiceRequest").update(priority="routine")

    assert TSB[0].parse(json.dumps(made).encode()) == plain


TESTS: list[Callable[..., Any]] = [
    test_what_no_format_reads_is_told_by_the_element_that_is_wrong,
    test_so_it_is_in_xml,
    test_what_a_request_says_elsewhere_is_told_with_where_it_belongs,
    test_a_request_that_is_no_matter_of_urgency_is_read,
]


@each(
    [
        (fhir_unread, 'if kind != "Bundle":', "if False:"),
        (fhir_unread, 'if shape not in ("document", "message"):', "if False:"),
        (fhir_unread, 'is_first = first == "Composition"', "is_first = True"),
        (fhir_unread, 'is_first = first == "MessageHeader"', "is_first = True"),
        (fhir_unread, 'if name == "resource" and len(here):', "if False:"),
        (reading, 'if request.peek("priority") == "routine":', "if False:"),
        (reading, "for name in request.rest():", "for name in ():"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
