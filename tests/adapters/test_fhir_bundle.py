"""Understands that every entry of a Bundle is one that another refers to, or is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B.patient import Patient

from adapters import fhir, fhir_bundle
from adapters.base import Findings
from hub.errors import HubError
from tests.adapters.consents import FNR

Faults = set[tuple[str, str]]


NUMBER = "14839030186"

# ------------------------------------------------------------------------------- a Bundle


def bundle() -> dict[str, Any]:
    return {
        "resourceType": "Bundle", "type": "document", "total": 2,
        "entry": [
            {"id": "e", "fullUrl": "urn:1", "resource": {"resourceType": "Composition", "id": "c", "subject": {
                "reference": "urn:2", "display": "x", "type": "Patient", "id": "r"}}},
            {"fullUrl": "urn:2", "resource": {"resourceType": "Patient", "id": "p"}},
        ],
    }  # one row per case # fmt: skip


class _Any:
    """A structure that nothing is wrong with."""

    def model_validate(self, obj: object, /) -> object:
        return obj


def opened(document: dict[str, Any]) -> Faults:
    return set(opened_in_order(document))


def opened_in_order(document: dict[str, Any]) -> list[tuple[str, str]]:
    findings = Findings()
    models: dict[str, fhir.Model] = {"Composition": _Any(), "Patient": Patient}
    read = fhir_bundle.Bundle(document, "document", models, findings)
    first = read.first("Composition")
    if first is not None:
        found = read.follow(first.child("subject"), "Patient")
        if found is not None:
            found[1].ignore("identifier")
    try:
        read.finish()
    except HubError as refused:
        return [(finding.at, finding.rule) for finding in refused.findings]
    return []


def refer(document: dict[str, Any], identifier: dict[str, Any], **changes: str) -> None:
    document["entry"][1]["resource"].update(identifier=[{"system": FNR, "value": NUMBER}])
    document["entry"][0]["resource"]["subject"].update(identifier=identifier, **changes)


Change = Callable[[Any], object]
HERE, THERE = "entry[0].resource", "entry[1].resource"
BUNDLES: dict[str, tuple[Change, Faults]] = {
    "as it should be": (lambda b: None, set()),
    "referred to by type and id": (
        lambda b: b["entry"][0]["resource"]["subject"].update(reference="Patient/p"), set(),
    ),
    "without address": (
        lambda b: (b["entry"][1].pop("fullUrl"), b["entry"][0]["resource"]["subject"].update(reference="Patient/p")),
        set(),
    ),
    "another resource": (lambda b: b.update(resourceType="List"),
        {("resourceType", "value")}),
    "another kind": (lambda b: b.update(type="batch"), {("type", "value")}),
    "no kind": (lambda b: b.pop("type"), {("type", "missing")}),
    "a link": (lambda b: b.update(link=[{"relation": "x", "url": "urn:x"}]), {("link", "not-read")}),
    "no structure": (lambda b: b.update(total="x"), {("total", "datatype")}),
    "no entry": (
        lambda b: b.update(entry=[]), {("entry", "count")},
    ),
    "an entry without resource": (lambda b: b["entry"].append({}), {("entry[2].resource", "missing")}),
    "an entry with a request": (
        lambda b: b["entry"][1].update(request={}), {("entry[1].request", "not-read")},
    ),
    "a resource without kind": (
        lambda b: b["entry"].append({"resource": {"id": "x", "x": 1}}),
        {("entry[2].resource.resourceType", "missing")},
    ),
    "a resource of another kind": (
        lambda b: b["entry"].append({"resource": {"resourceType": "Group", "x": 1}}),
        {("entry[2].resource.resourceType", "code")},
    ),
    "nothing that is contained": (
        lambda b: b["entry"].append({"resource": {"resourceType": "Patient", "contained": [], "x": 1}}),
        {("entry[2].resource.contained", "count"), ("entry[2].resource.?", "unknown-element")},
    ),
    "a resource of no structure": (
        lambda b: b["entry"][1]["resource"].update(meta={"versionId": 7}), {(f"{THERE}.meta.versionId", "datatype")},
    ),
    "an address twice": (
        lambda b: b["entry"][0].update(fullUrl="urn:2"),
        {("entry[1].fullUrl", "unique")},
    ),
    "a type and id twice": (
        lambda b: b["entry"].append({"resource": {"resourceType": "Patient", "id": "p"}}),
        {("entry[2].fullUrl", "unique")},
    ),
    "the wrong one in front": (
        lambda b: b["entry"].reverse(),
        {("entry[0].resource.resourceType", "code")},
    ),
    "one that nothing refers to": (
        lambda b: b["entry"].append({"resource": {"resourceType": "Patient"}}),
        {("entry[2].resource", "unreached")},
    ),
    "no reference": (
        lambda b: b["entry"][0]["resource"].pop("subject"), {(THERE, "unreached")},
    ),
    "an empty reference": (
        lambda b: b["entry"][0]["resource"]["subject"].pop("reference"),
        {(f"{HERE}.subject.reference", "missing")},
    ),
    "a reference to a version": (
        lambda b: b["entry"][0]["resource"]["subject"].update(reference="Patient/p/_history/2"), set(),
    ),
    "a reference to the version that is here": (
        lambda b: (b["entry"][0]["resource"]["subject"].update(reference="Patient/p/_history/2"),
                   b["entry"][1]["resource"].update(meta={"versionId": "2"})),
        set(),
    ),
    "a reference to another version": (
        lambda b: (b["entry"][0]["resource"]["subject"].update(reference="Patient/p/_history/2"),
                   b["entry"][1]["resource"].update(meta={"versionId": "1"})),
        {(f"{HERE}.subject.reference", "reference")},
    ),
    "a reference with the identifier of the resource": (
        lambda b: refer(b, {"system": FNR, "value": NUMBER, "use": "official"}), set(),
    ),
    "a reference with another identifier": (
        lambda b: refer(b, {"system": FNR, "value": "7"}), {(f"{HERE}.subject.identifier.value", "value")},
    ),
    "a reference to nowhere with an identifier": (
        lambda b: refer(b, {"system": FNR, "value": NUMBER}, reference="urn:3"),
        {(f"{HERE}.subject.reference", "reference")},
    ),
    "a reference to nowhere": (
        lambda b: b["entry"][0]["resource"]["subject"].update(reference="urn:3"),
        {(f"{HERE}.subject.reference", "reference")},
    ),
    "a reference to one of another kind": (
        lambda b: b["entry"][0]["resource"]["subject"].update(reference="urn:1"),
        {(f"{HERE}.subject.reference", "reference")},
    ),
    "something nobody read": (
        lambda b: b["entry"][1]["resource"].update(gender="male"), {(f"{THERE}.gender", "not-read")},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "faults"), BUNDLES.values(), ids=BUNDLES.keys())
def test_every_entry_is_one_that_another_refers_to(change: Change, faults: Faults) -> None:
    document = bundle()
    change(document)

    assert opened(document) == faults


def test_what_two_find_in_one_place_is_told_once() -> None:
    made = bundle()
    made["entry"][0]["resource"]["x"] = 1
    made["entry"][1]["resource"]["x"] = 1

    found = opened_in_order(made)

    assert found == [("entry[0].resource.?", "not-read"), ("entry[1].resource.?", "not-read")]


def test_a_bundle_is_written_with_the_first_in_front() -> None:
    writer = fhir_bundle.Writer("m")
    writer.add("Patient", name=None, active=True)
    reference = writer.add("Composition")
    writer.add("Device")
    made: Any = writer.document("document", first="Composition", timestamp=None, identifier={"value": "m"})

    assert {k: v for k, v in made.items() if k != "entry"} == {
        "resourceType": "Bundle", "type": "document", "identifier": {"value": "m"},
    }  # one row per case # fmt: skip
    assert [entry["resource"] for entry in made["entry"]] == [
        {"resourceType": "Composition", "meta": {"profile": [fhir_bundle.PROFILES["Composition"]]}},
        {"resourceType": "Patient", "meta": {"profile": [fhir_bundle.PROFILES["Patient"]]}, "active": True},
        {"resourceType": "Device"},
    ]  # one row per case # fmt: skip
    assert reference == {"reference": made["entry"][0]["fullUrl"]}
    assert made["entry"][0]["fullUrl"] != made["entry"][1]["fullUrl"]
