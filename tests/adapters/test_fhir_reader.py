"""Understands that of a FHIR element nothing passes unread, and what its parts mean in every message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B.patient import Patient

from adapters import fhir
from adapters.base import Findings
from adapters.fhir import Reader
from adapters.fhir_extensions import LEFT_EXTENSIONS
from hub.errors import HubError
from tests.adapters.consents import V3, code
from tests.adapters.taking import Faults, taken

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
