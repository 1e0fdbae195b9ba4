"""Understands that of a FHIR element nothing passes unread, and what its parts mean in every message."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B.patient import Patient

from adapters import fhir, fhir_bundle, fhir_parts
from adapters.base import Findings
from adapters.fhir import Reader
from adapters.fhir_extensions import LEFT_EXTENSIONS
from adapters.fhir_parts import FHN
from hub.errors import HubError
from hub.message import Record
from tests.adapters.consents import DNR, FNR, ORGNR, V3, code

Faults = set[tuple[str, str]]


def taken(node: dict[str, Any], take: Callable[[Reader], object], at: str = "") -> tuple[object, Faults]:
    """What is taken of an element, and every fault with what nobody read."""
    findings = Findings()
    reader = Reader(node, at, findings)
    got = take(reader)
    reader.finish()
    return got, told(findings)


def told(findings: Findings) -> Faults:
    try:
        findings.finish()
    except HubError as refused:
        return {(finding.at, finding.rule) for finding in refused.findings}
    return set()


NUMBER = "14839030186"
ELEMENT: dict[str, Any] = {
    "text": "x", "blank": " ", "seven": 7, "yes": True, "none": None, "many": ["a", "b"], "odd": ["a", 7, " "],
    "object": {"id": "1"}, "objects": [{"id": "1"}, {"id": "2"}], "mixed": [{"id": "1"}, 7],
}  # one row per case # fmt: skip
TAKEN: list[tuple[Callable[[Reader], object], object, Faults]] = [
    (lambda r: r.text("text"), "x", set()),
    (lambda r: r.text("absent"), None, set()),
    (lambda r: r.text("absent", required=True), None, {("absent", "missing")}),
    (lambda r: r.text("none"), None, {("none", "missing")}),
    (lambda r: r.text("blank"), None, {("blank", "type")}),
    (lambda r: r.text("seven"), None, {("seven", "type")}),
    (lambda r: r.texts("many"), ["a", "b"], set()),
    (lambda r: r.texts("text"), ["x"], set()),
    (lambda r: r.texts("absent"), [], set()),
    (lambda r: r.texts("odd"), ["a", " "], {("odd", "type")}),
    (lambda r: r.texts("blank"), [" "], {("blank", "type")}),
    (lambda r: r.texts("seven"), [], {("seven", "type")}),
    (lambda r: r.integer("seven"), 7, set()),
    (lambda r: r.integer("absent"), None, set()),
    (lambda r: r.integer("yes"), None, {("yes", "type")}),
    (lambda r: r.integer("text"), None, {("text", "type")}),
    (lambda r: r.boolean("yes"), True, set()),
    (lambda r: r.boolean("absent"), None, set()),
    (lambda r: r.boolean("seven"), None, {("seven", "type")}),
    (lambda r: r.child("absent"), None, set()),
    (lambda r: r.child("absent", required=True), None, {("absent", "missing")}),
    (lambda r: r.child("text"), None, {("text", "type")}),
    (lambda r: [c.text("id") for c in [r.child("object")] if c], ["1"], set()),
    (lambda r: bool(r.child("object")), True, {("object.id", "not-read")}),
    (lambda r: [c.text("id") for c in r.children("objects", at_least=2, at_most=2)], ["1", "2"], set()),
    (lambda r: len(r.children("absent")), 0, set()),
    (lambda r: len(r.children("absent", at_least=1)), 0, {("absent", "count")}),
    (lambda r: len(r.children("text")), 0, {("text", "type")}),
    (lambda r: [c.text("id") for c in r.children("objects", at_least=3)], ["1", "2"], {("objects", "count")}),
    (lambda r: [c.text("id") for c in r.children("objects", at_most=1)], ["1", "2"], {("objects", "count")}),
    (lambda r: [c.text("id") for c in r.children("mixed")], ["1"], {("mixed[1]", "type")}),
    (lambda r: r.constant("text", "x"), None, set()),
    (lambda r: r.constant("text", "y"), None, {("text", "value")}),
    (lambda r: r.constant("absent", "y"), None, {("absent", "missing")}),
    (lambda r: r.one_of("text", {"x": "X"}), "X", set()),
    (lambda r: r.one_of("text", {"y": "Y"}), None, {("text", "code")}),
    (lambda r: r.one_of("absent", {"y": "Y"}), None, {("absent", "missing")}),
    (lambda r: r.has("none"), True, set()),
    (lambda r: (r.peek("object", "id"), r.peek("text", "id"), r.peek("absent")), ("1", None, None), set()),
    (lambda r: r.fault("", "rule", "x"), None, {("body", "rule")}),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("take", "got", "faults"), TAKEN)
def test_what_is_taken_is_of_its_kind_or_told(
    take: Callable[[Reader], object], got: object, faults: Faults
) -> None:
    def read(reader: Reader) -> object:
        reader.ignore(*(set(ELEMENT) - {"id"}))
        return take(reader)

    assert taken(ELEMENT, read) == (got, faults)


def test_what_nobody_read_is_told_by_its_name_unless_the_sender_made_it_up() -> None:
    node = {"resourceType": "X", "identifier": 1, "KANARI": 2, "id": "x"}

    assert taken(node, lambda r: r.ignore("id"))[1] == {("identifier", "not-read"), ("?", "not-read")}
    assert taken(node, lambda r: r.ignore("id"), "a.b")[1] == {
        ("a.b.identifier", "not-read"),
        ("a.b.?", "not-read"),
    }
    assert taken({"id": {"x": {"KANARI": 1}}}, lambda r: r.child("id"), "a")[1] == {("a.id.?", "not-read")}
    assert taken({}, lambda r: r.fault("", "rule", "x"), "a")[1] == {("a", "rule")}


def _checked(resource: object, at: str = "at") -> list[tuple[str, str, str]]:
    findings = Findings()
    fhir.check_structure(resource, Patient, at, findings)
    try:
        findings.finish()
    except HubError as refused:
        return [(finding.at, finding.rule, finding.expected) for finding in refused.findings]
    return []


CHECKED: list[tuple[object, list[tuple[str, str]]]] = [
    ({"resourceType": "Patient"}, []),
    ({"resourceType": "Patient", "KANARI": 1}, [("at.?", "unknown-element")]),
    ({"resourceType": "Patient", "name": [{"KANARI": 1}]}, [("at.name[0].?", "unknown-element")]),
    ({"resourceType": "Patient", "active": "KANARI"}, [("at.active", "datatype")]),
    ({"resourceType": "Patient", "contained": [{"resourceType": "KANARI"}]}, [("at", "structure")]),
]


@pytest.mark.parametrize(("resource", "expected"), CHECKED)
def test_the_structure_is_told_by_place_and_rule(resource: object, expected: list[tuple[str, str]]) -> None:
    found = _checked(resource)

    assert [(at, rule) for at, rule, _ in found] == expected
    assert "KANARI" not in repr(found)


def test_what_two_find_in_one_place_is_told_once() -> None:
    made = bundle()
    made["entry"][0]["resource"]["x"] = 1
    made["entry"][1]["resource"]["x"] = 1

    found = opened_in_order(made)

    assert found == [("entry[0].resource.?", "not-read"), ("entry[1].resource.?", "not-read")]


def test_a_fault_of_the_whole_is_at_the_body() -> None:
    assert [
        at for at, _, _ in _checked({"resourceType": "Patient", "contained": [{"resourceType": "X"}]}, "")
    ] == ["body"]
    assert [at for at, _, _ in _checked({"resourceType": "Patient", "KANARI": 1}, "")] == ["?"]


LEFT = next(iter(LEFT_EXTENSIONS))
LEFT_BEHIND: list[tuple[dict[str, Any], Faults]] = [
    ({}, set()),
    ({"extension": [{"url": LEFT, "valueCode": "x"}]}, set()),
    ({"extension": [{"url": LEFT}, {"url": "urn:x"}]}, {("extension[1].url", "extension")}),
    ({"extension": [{"url": [LEFT]}, 7, {}]}, {(f"extension[{n}].url", "extension") for n in range(3)}),
    ({"extension": {"url": "urn:x"}}, {("extension[0].url", "extension")}),
    ({"_text": {"id": "1", "extension": [{"url": LEFT}]}}, set()),
    ({"_text": [None, {"extension": [{"url": "urn:x"}]}]}, {("_text.extension[0].url", "extension")}),
    ({"_text": {"extension": [], "value": "x"}}, {("_text", "type")}),
    ({"_text": [7]}, {("_text", "type")}),
    ({"_identifier": {"id": "1"}}, {("_identifier", "not-read")}),
]


@pytest.mark.parametrize(("node", "faults"), LEFT_BEHIND)
def test_no_extension_is_left_behind_but_those_that_may_be(node: dict[str, Any], faults: Faults) -> None:
    assert taken(node, lambda r: r.left_extensions("text"))[1] == faults


CONFIDENTIALITY = f"{V3}Confidentiality"
RESOURCES: list[tuple[dict[str, Any], Faults]] = [
    ({"id": "x", "language": "nb"}, set()),
    ({"meta": dict.fromkeys(("profile", "versionId", "lastUpdated", "source", "tag"), "x")}, set()),
    ({"meta": {"extension": []}}, {("meta.extension", "not-read")}),
    *(
        ({"meta": {"security": [{**code(CONFIDENTIALITY, level), "display": "x", "version": "1"}]}}, set())
        for level in ("U", "L", "M", "N")
    ),
    *(
        ({"meta": {"security": [code(CONFIDENTIALITY, level)]}}, {("meta.security[0]", "security-label")})
        for level in ("R", "V")
    ),
    ({"meta": {"security": [{"system": CONFIDENTIALITY}]}}, {("meta.security[0]", "security-label")}),
    *(
        ({"text": {"status": status, "div": "x"}}, set()) for status in ("generated", "extensions", "empty")
    ),
    ({"text": {"status": "additional", "div": "x"}}, {("text.status", "value")}),
    ({"text": {"div": "x"}}, {("text.status", "value")}),
    ({"implicitRules": "x"}, {("implicitRules", "not-read")}),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("node", "faults"), RESOURCES)
def test_what_a_resource_has_around_it(node: dict[str, Any], faults: Faults) -> None:
    assert taken(node, fhir.open_resource)[1] == faults


def test_a_label_of_another_system_is_above_normal() -> None:
    faults = taken({"meta": {"security": [code("urn:x", "N")]}}, fhir.open_resource)[1]

    assert ("meta.security[0]", "security-label") in faults


CODED: list[tuple[Any, object, Faults]] = [
    ({"coding": [{**code("s", "c"), "version": "1", "userSelected": True}]}, ("s", "c", None), set()),
    ({"coding": [code("s", "c")], "text": "x"}, ("s", "c", "x"), set()),
    ({"coding": [{**code("s", "c"), "display": "x"}], "text": "x"}, ("s", "c", "x"), set()),
    ({"coding": [{**code("s", "c"), "display": "x"}], "text": "y"}, ("s", "c", "x / y"), set()),
    ({"coding": [{**code("s", "c"), "display": "x"}]}, ("s", "c", "x"), set()),
    ({"text": "x"}, None, {("c.coding", "count")}),
    ({"coding": [{}, {}]}, (None, None, None), {("c.coding", "count")}),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("concept", "got", "faults"), CODED)
def test_a_concept_has_one_coding(concept: Any, got: object, faults: Faults) -> None:
    assert taken({"c": concept}, lambda r: fhir.coding(r.child("c"))) == (got, faults)
    assert fhir.coding(None) is None


ONLY_CODES: list[tuple[str, Faults]] = [
    ("C", set()), ("X", set()), ("Navn", set()), ("noe mer", {("c.text", "value")}),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("text", "faults"), ONLY_CODES)
def test_where_there_is_no_field_for_words_they_say_no_more_than_the_code(text: str, faults: Faults) -> None:
    concept = {"coding": [{**code("s", "c"), "display": "x"}], "text": text}

    assert taken({"c": concept}, lambda r: fhir.only_code(r.child("c"), "navn")) == (("s", "c"), faults)
    assert fhir.only_code(None) is None


def test_what_holds_nothing_is_not_written() -> None:
    assert fhir.present(a=None, b=[], c={}, d=0, e=False, f="x") == {"d": 0, "e": False, "f": "x"}
    assert fhir.concept("s", "c") == {"coding": [{"system": "s", "code": "c"}]}
    assert fhir.concept("s", "c", "w") == {"coding": [{"system": "s", "code": "c", "display": "w"}]}
    assert fhir.JSON_TYPES == ("application/fhir+json", "application/json")


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


# ------------------------------------------------------------------------------- the parts

WHO = {"system": FNR, "value": NUMBER}
ID = {"use": "official", "type": {"text": "x"}, "assigner": {"display": "x"}}
TO = {"url": fhir_parts.RECIPIENT, "valueIdentifier": {"system": ORGNR, "value": "310000043", **ID}}
FROM = {"url": fhir_parts.SENDER, "valueIdentifier": {"system": ORGNR, "value": "310000078"}}
ANSWERS = {"url": fhir_parts.ANSWERS, "valueString": "m-0"}


def on_the_day(patient: Reader) -> object:
    return fhir_parts.read_person(patient, on="2030-02-01T12:00:00+01:00")


PARTS: dict[str, tuple[Callable[[Reader], object], dict[str, Any], object, Faults]] = {
    "a person": (
        fhir_parts.read_person,
        {"identifier": [WHO | ID], "name": [{"text": "Ask Prøvestad"}], "active": True, "gender": "male",
         "birthDate": "1990-01-01", "address": [], "telecom": [], "maritalStatus": {}},
        {"id": NUMBER, "navn": "Ask Prøvestad"}, set(),
    ),
    "a person without name": (fhir_parts.read_person, {"identifier": [WHO]}, {"id": NUMBER}, set()),
    "a person without number": (fhir_parts.read_person, {}, {}, {("identifier", "count")}),
    "two numbers": (
        fhir_parts.read_person, {"identifier": [WHO, {"system": DNR, "value": "5"}]}, {"id": "5"},
        {("identifier", "count")},
    ),
    "a number of the sender's own beside": (
        fhir_parts.read_person, {"identifier": [{"system": "urn:x", "value": "7", "period": {}}, WHO]},
        {"id": NUMBER}, set(),
    ),
    "a number with something nobody reads": (
        fhir_parts.read_person, {"identifier": [WHO | {"extension": []}]}, {"id": NUMBER},
        {("identifier[0].extension", "not-read")},
    ),
    "a number in use beside former ones": (
        on_the_day,
        {"identifier": [{"system": DNR, "value": "5", "period": {"end": "2029"}}, {"system": DNR, "value": "6", "use": "old"},
                        WHO | {"period": {"start": "2030-01-01", "end": "2030-02"}}]},
        {"id": NUMBER}, set(),
    ),
    "a number that is over": (
        on_the_day, {"identifier": [{"system": "urn:x", "value": "7"}, WHO | {"period": {"end": "2030-01-31T10:00:00Z"}}]},
        {"id": NUMBER}, {("identifier[1]", "ended")},
    ),
    "a former number": (on_the_day, {"identifier": [WHO | {"use": "old"}]}, {"id": NUMBER}, {("identifier[0]", "ended")}),
    "a number in the last year of it": (on_the_day, {"identifier": [WHO | {"period": {"end": "2030"}}]}, {"id": NUMBER}, set()),
    "a name beside former ones": (
        on_the_day,
        {"identifier": [WHO], "name": [{"text": "a", "use": "old"}, {"text": "b", "use": "usual"},
                                       {"text": "c", "use": "maiden"}, {"text": "d", "period": {"end": "2030-01"}}]},
        {"id": NUMBER, "navn": "b"}, set(),
    ),
    "a former name alone": (
        on_the_day, {"identifier": [WHO], "name": [{"text": "a", "use": "old"}]}, {"id": NUMBER, "navn": "a"}, set(),
    ),
    "extensions that may be left behind": (
        fhir_parts.read_person,
        {"identifier": [WHO], "extension": [{"url": LEFT}],
         "name": [{"given": ["A"], "_given": [{"extension": [{"url": LEFT}]}], "extension": [{"url": LEFT}]}]},
        {"id": NUMBER, "navn": "A"}, set(),
    ),
    "extensions that may not": (
        fhir_parts.read_person,
        {"identifier": [WHO], "extension": [{"url": "urn:x"}],
         "name": [{"given": ["A"], "_given": [{"extension": [{"url": "urn:x"}]}]}]},
        {"id": NUMBER, "navn": "A"},
        {("extension[0].url", "extension"), ("name[0]._given.extension[0].url", "extension")},
    ),
    "two names": (
        fhir_parts.read_person, {"identifier": [WHO], "name": [{"text": "a"}, {"text": "b"}]},
        {"id": NUMBER, "navn": "b"}, {("name", "count")},
    ),
    "a person who is dead": (
        fhir_parts.read_person, {"identifier": [WHO], "deceasedBoolean": True}, {"id": NUMBER},
        {("deceasedBoolean", "not-read")},
    ),
    "a D-number": (fhir_parts.person_number, {"system": DNR, "value": "5"}, "5", set()),
    "a number in another system": (
        fhir_parts.person_number, {"system": "urn:x", "value": "5"}, "5", {("system", "code")},
    ),
    "a number without value": (fhir_parts.person_number, {"system": FNR}, None, {("value", "missing")}),
    "a name in parts": (
        fhir_parts.read_name,
        {"given": ["Ask", "Odd"], "family": "Prøvestad", "use": "official", "period": {}, "prefix": [], "suffix": []},
        "Ask Odd Prøvestad", set(),
    ),
    "a family name": (fhir_parts.read_name, {"family": "Prøvestad"}, "Prøvestad", set()),
    "a given name": (fhir_parts.read_name, {"given": ["Ask"]}, "Ask", set()),
    "a name in both ways": (fhir_parts.read_name, {"given": ["Ask"], "text": "A."}, "A.", set()),
    "no name": (fhir_parts.read_name, {}, None, set()),
    "a header": (
        fhir_parts.read_header,
        {"identifier": {"system": "urn:x", "value": "m", **ID}, "timestamp": "2026-01-01T00:00:00Z"},
        {"id": "m", "sendt": "2026-01-01T00:00:00Z"}, set(),
    ),
    "a header of a leap second": (
        fhir_parts.read_header, {"identifier": {"value": "m"}, "timestamp": "2016-12-31T23:59:60Z"},
        {"id": "m", "sendt": "2016-12-31T23:59:59Z"}, set(),
    ),
    "no header": (
        fhir_parts.read_header, {}, {}, {("identifier", "missing"), ("timestamp", "missing")},
    ),
    "a header without id": (
        fhir_parts.read_header, {"identifier": {}, "timestamp": "t"}, {"sendt": "t"},
        {("identifier.value", "missing")},
    ),
    "from whom, to whom, answering what": (
        fhir_parts.read_addressing, {"extension": [TO, FROM, ANSWERS]},
        {"mottaker": "310000043", "avsender": "310000078", "svar_pa": "m-0"}, set(),
    ),
    "another extension": (
        fhir_parts.read_addressing, {"extension": [{"url": "urn:x", "valueString": "x"}]}, {},
        {("extension[0].url", "code")},
    ),
    "an extension twice": (
        fhir_parts.read_addressing, {"extension": [ANSWERS, {"url": fhir_parts.ANSWERS}]}, {"svar_pa": "m-0"},
        {("extension[1].url", "unique")},
    ),
    "an extension without value": (
        fhir_parts.read_addressing, {"extension": [{"url": u} for u in (
            fhir_parts.RECIPIENT, fhir_parts.SENDER, fhir_parts.ANSWERS)]}, {},
        {("extension[0].valueIdentifier", "missing"), ("extension[1].valueIdentifier", "missing"),
         ("extension[2].valueString", "missing")},
    ),
    "an organisation in another system": (
        fhir_parts.read_organisation, {"system": FNR, "value": "1"}, "1", {("system", "value")},
    ),
    "an organisation without number": (
        fhir_parts.read_organisation, {"system": ORGNR}, None, {("value", "missing")},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("read", "node", "got", "faults"), PARTS.values(), ids=PARTS.keys())
def test_each_part_is_read_to_the_last_element(
    read: Callable[[Reader], object], node: dict[str, Any], got: object, faults: Faults
) -> None:
    assert taken(copy.deepcopy(node), read) == (got, faults)


MELDING = {"id": "m", "sendt": "2026-01-01T00:00:00Z", "mottaker": "310000043", "avsender": "310000078"}
WRITTEN: list[tuple[Callable[..., object], object, object]] = [
    (fhir_parts.person_identifier, (NUMBER), WHO),
    *((fhir_parts.person_identifier, (f"{first}1"), {"system": DNR, "value": f"{first}1"}) for first in "4567"),
    *((fhir_parts.person_identifier, (f"{first}1"), {"system": FNR, "value": f"{first}1"}) for first in "3"),
    *((fhir_parts.person_identifier, (f"{first}1"), {"system": FHN, "value": f"{first}1"}) for first in "89"),
    (fhir_parts.person_identifier, (None), {"system": FNR, "value": None}),
    (fhir_parts.write_person, ({"id": NUMBER, "navn": "A"}), {"identifier": [WHO], "name": [{"text": "A"}]}),
    (fhir_parts.write_person, ({}), {"identifier": None, "name": None}),
    (fhir_parts.write_person, ("x"), {"identifier": None, "name": None}),
    (
        fhir_parts.write_header, (Record("t", {"melding": MELDING})),
        {"identifier": {"system": "urn:brobygger:message", "value": "m"}, "timestamp": "2026-01-01T00:00:00Z"},
    ),
    (
        fhir_parts.write_addressing, (Record("t", {"melding": {**MELDING, "svar_pa": "m-0"}})),
        [{**TO, "valueIdentifier": {"system": ORGNR, "value": "310000043"}}, FROM, ANSWERS],
    ),
    (fhir_parts.write_addressing, (Record("t", {"melding": {}})), []),
    (fhir_parts.read_organisation, (None), None),
    (fhir_parts.day, ("2026-01-31T10:00:00Z"), "2026-01-31"),
    (fhir_parts.day, (None), None),
    (fhir_parts.day, ("2016-12-31T23:59:60Z"), "2017-01-01"),
    (fhir_parts.counted, ("2016-12-31T23:59:60.1234567Z"), "2016-12-31T23:59:59.123456Z"),
    (fhir_parts.counted, ("2016-12-31T23:58:07+01:00"), "2016-12-31T23:58:07+01:00"),
    (fhir_parts.counted, ("kl. 2016-12-31T23:59:60Z"), "kl. 2016-12-31T23:59:60Z"),
    (fhir_parts.instant, ("2026-01-01T10:00+01:00"), "2026-01-01T10:00:00+01:00"),
    (fhir_parts.instant, ("2026-01-01T10:00:00.5+01:00"), "2026-01-01T10:00:00.5+01:00"),
    (fhir_parts.elements, ([{"a": 1}, 7, {"b": 2}]), [{"a": 1}, {"b": 2}]),
    (fhir_parts.elements, ({"a": 1}), []),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("write", "value", "written"), WRITTEN)
def test_each_part_is_written_as_it_is_read(
    write: Callable[..., object], value: object, written: object
) -> None:
    assert write(value) == written


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: fhir_parts.instant("i går"), "melding.sendt"),
    (lambda: fhir_parts.needed(Record("t", {"a": ""}), "a"), "a"),
    (lambda: fhir_parts.needed(Record("t", {"a": 7}), "a"), "a"),
    (lambda: fhir_parts.needed(Record("t", {}), "a"), "a"),
    (lambda: fhir_parts.check_fields(Record("t", {"a": 7}), "u", frozenset("a")), "record"),
    (lambda: fhir_parts.check_fields(Record("t", {"a": 7}), "t", frozenset("b")), "record"),
]


@pytest.mark.parametrize(("write", "at"), REFUSED)
def test_what_a_format_has_no_place_for_is_not_written(write: Callable[[], object], at: str) -> None:
    with pytest.raises(HubError) as refused:
        write()

    assert (refused.value.code, [f.at for f in refused.value.findings]) == ("render.incomplete", [at])
    fhir_parts.check_fields(Record("t", {"a": 7}), "t", frozenset("ab"))
