"""Understands that of a folder nothing is passed over, and nothing in XML gets lost on the way to JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hub import consent_folder as folder
from hub.consent_folder import Folder, Found
from tests.adapters import consents

FHIR = 'xmlns="http://hl7.org/fhir"'


def opened(root: Path, **files: Any) -> dict[str, Found]:
    """What is found, by place; a name that ends in _xml becomes a file so named."""
    for name, content in files.items():
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        (root / name.replace("_xml", ".xml")).write_bytes(body)
    return {found.place: found for found in Folder(root).found}


def said(found: Found) -> str:
    return found.refused.code if found.refused is not None else found.type


LEAST = "<scope><text value='x'/></scope><category><text value='x'/></category>"
"""What R4 asks for in every consent."""


def consent(inside: str = "", attributes: str = "", least: str = LEAST, before: str = "") -> bytes:
    """`before` and `inside` stand on either side of what is asked for: XML has the order of FHIR."""
    status = '<status value="active"/>'
    return f"<Consent {FHIR} {attributes}>{before}{status}{least}{inside}</Consent>".encode()


def test_a_file_at_the_limit_is_opened_and_a_larger_one_is_not(tmp_path: Path) -> None:
    body = json.dumps({"resourceType": "Patient"}).encode()
    found = opened(tmp_path, fits=body.ljust(10 * 1024 * 1024), large=body.ljust(10 * 1024 * 1024 + 1))

    assert {place: said(one) for place, one in found.items()} == {
        "fits": "Patient", "large": "receive.too-large",
    }  # one row per case # fmt: skip


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "around").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    found = opened(tmp_path)

    assert set(found) == {"gone", "around", "device"}
    for one in found.values():
        assert one.refused is not None
        assert [finding.rule for finding in one.refused.findings] == ["file"]


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"resourceType": "Patient"}, "Patient"),
        ({"resourceType": " CONSENT"}, "Consent"),
        ({"resourceType": "Pati ent"}, ""),
        ({"resourceType": "Påtient"}, ""),
        ({"resourceType": 7}, "parse.format-unknown"),
        (b'<Patient xmlns="urn:x"/>', "parse.format-unknown"),
        (b"\xef\xbb\xbf \n<Patient xmlns='http://hl7.org/fhir'/>", "Patient"),
        (consent('<provision value="x"><type value="deny"/></provision>'), "parse.invalid"),
        (consent('<status value="x"/>'), "parse.invalid"),
        (consent('<dateTime value="2026-01-01"/>'), "Consent"),
        (consent(before='<dateTime value="2026-01-01"/>'), "parse.invalid"),
        (consent(before="<contained><Patient/></contained>"), "Consent"),
        (consent("<contained><Patient/></contained>"), "parse.invalid"),
    ],
)
def test_what_a_file_holds_is_known_by_its_type(tmp_path: Path, document: object, kind: str) -> None:
    [found] = opened(tmp_path, a=document).values()

    assert said(found) == kind


def test_a_reference_leads_to_one_resource_and_no_other(tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "1"}
    opened(
        tmp_path,
        one=patient,
        bundle={"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Device", "id": "2"}}]},
        twice={"resourceType": "Group", "id": "3", "member": [{"x": {"resourceType": "Group", "id": "3"}}]},
        odd={"resourceType": "Organization", "id": ["4"]},
        nameless={"resourceType": "Å", "id": "5"},
    )
    found = Folder(tmp_path)

    assert found.resolve("Patient/1") == patient
    assert found.resolve("Device/2") == {"resourceType": "Device", "id": "2"}
    assert [found.resolve(at) for at in ("Group/3", "Organization/4", "/5", "Patient/2")] == [None] * 4


def test_of_what_is_contained_only_consents_are_found(tmp_path: Path) -> None:
    inner = {"resourceType": "Consent", "contained": [{"resourceType": "Consent"}]}
    found = opened(
        tmp_path,
        a={"resourceType": "Patient", "contained": [{"resourceType": "Group"}, inner], "x": [[inner]]},
        b=inner,
    )

    assert {place: said(one) for place, one in found.items()} == {
        "a": "Patient", "a#contained[1]": "Consent", "a#x[0][0]": "Consent", "b": "Consent",
    }  # one row per case # fmt: skip


def test_the_same_in_xml(tmp_path: Path) -> None:
    deepest = f"<contained><Consent><status value='active'/>{LEAST}</Consent></contained>"
    inner = f"<Consent><contained><Patient/></contained>{deepest}<status value='active'/>{LEAST}</Consent>"
    body = (
        f"<Bundle {FHIR}><entry><resource><Patient><contained><Group/></contained><contained>{inner}"
        f"</contained></Patient></resource></entry><entry><resource><Consent><status value='active'/>"
        "<status value='active'/></Consent></resource></entry><entry><resource/></entry></Bundle>"
    )
    found = opened(tmp_path, a_xml=body.encode())

    assert {place: said(one) for place, one in found.items()} == {
        "a.xml": "Bundle", "a.xml#resource[0]": "Patient", "a.xml#resource[2]": "Consent",
        "a.xml#resource[5]": "parse.invalid",
    }  # one row per case # fmt: skip


def test_the_outline_of_another_resource_is_its_id_and_identifiers(tmp_path: Path) -> None:
    body = (
        f'<Patient {FHIR}><id value="1"/><active value="true"/><identifier><use value="x"/>'
        '<system value="s"/><value value="v"/></identifier><identifier><value value="w"/></identifier>'
        "</Patient>"
    )
    [found] = opened(tmp_path, a_xml=body.encode()).values()
    bare = opened(tmp_path, b_xml=f"<Group {FHIR}/>".encode())["b.xml"]

    assert found.resource == {
        "resourceType": "Patient", "id": "1", "identifier": [{"system": "s", "value": "v"}, {"value": "w"}],
    }  # one row per case # fmt: skip
    assert bare.resource == {"resourceType": "Group"}


BEFORE: dict[str, dict[str, Any]] = {
    f"<extension url='urn:x'><value{kind} value='{value}'/></extension>": {
        "extension": [{"url": "urn:x", f"value{kind}": expected}]
    }
    for kind, value, expected in (
        ("Boolean", "true", True),
        ("Integer", "7", 7),
        ("Date", "2026-01-01", "2026-01-01"),
        ("String", "x", "x"),
    )
}
BEFORE |= {
    "<modifierExtension url='urn:x'><valueBoolean value='true'/></modifierExtension>": {
        "modifierExtension": [{"url": "urn:x", "valueBoolean": True}]
    },
    "<id value='c'/><contained><Patient><id value='p'/></Patient></contained>": {
        "id": "c", "contained": [{"resourceType": "Patient"}],
    },
}  # one row per case # fmt: skip
VALUES: dict[str, dict[str, Any]] = {
    "<dateTime value='2026-01-01'/>": {"dateTime": "2026-01-01"},
    "<dateTime id='d' value='2026-01-01'/>": {"dateTime": "2026-01-01", "_dateTime": {"id": "d"}},
    "<provision id='p'><type value='deny'/></provision>": {"provision": {"id": "p", "type": "deny"}},
    "<policy><uri value='urn:x'/></policy>": {"policy": [{"uri": "urn:x"}]},
    "<sourceAttachment><url value='urn:x'/></sourceAttachment>": {"sourceAttachment": {"url": "urn:x"}},
}
NEWER: dict[str, dict[str, Any]] = {
    "<subject><display value='x'/></subject><decision value='deny'/>": {
        "subject": {"display": "x"}, "decision": "deny",
    },
    **{
        f"<{name}><display value='x'/></{name}>": {name: [{"display": "x"}]}
        for name in ("grantor", "grantee", "manager", "controller")
    },
    "<date value='2026-01-01'/>": {"date": "2026-01-01"},
    "<period><start value='2026-01-01'/></period>": {"period": {"start": "2026-01-01"}},
}  # one row per case # fmt: skip


@pytest.mark.parametrize(
    ("before", "inside", "expected"),
    [*((xml, "", said) for xml, said in BEFORE.items()), *(("", xml, said) for xml, said in VALUES.items())],
)
def test_a_value_in_xml_is_the_one_in_json(
    tmp_path: Path, before: str, inside: str, expected: dict[str, Any]
) -> None:
    [found] = opened(tmp_path, a_xml=consent(inside, before=before)).values()

    least = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"text": "x"},
        "category": [{"text": "x"}],
    }
    assert found.resource == {**least, **expected}


@pytest.mark.parametrize(("inside", "expected"), NEWER.items())
def test_the_same_in_r5(tmp_path: Path, inside: str, expected: dict[str, Any]) -> None:
    [found] = opened(tmp_path, a_xml=consent(inside, least="")).values()

    assert found.resource == {"resourceType": "Consent", "status": "active", **expected}


DIV = "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"
LOST: list[tuple[str, bytes, set[tuple[str, str]]]] = [
    ("an attribute", consent(attributes='until="2026"'), {("body", "attribute")}),
    ("words", consent("only to the doctor"), {("body", "text")}),
    ("words before", consent("<provision>only<type value='deny'/></provision>"), {("provision", "text")}),
    ("words after", consent("<provision><type value='deny'/>only</provision>"), {("provision", "text")}),
    ("words in a value", consent("<dateTime value='2026'>only</dateTime>"), {("dateTime", "text")}),
    ("another's name", consent("<x:provision xmlns:x='urn:x'/>"), {("?", "unknown-element")}),
    ("another's value", consent("<x:provision xmlns:x='urn:x' value='x'/>"), {("?", "unknown-element")}),
    (
        "words beside a narrative",
        consent(before=f"<text><status value='generated'/>{DIV}only</text>"),
        {("text", "text")},
    ),
    (
        "an attribute as an element",
        consent("<provision><id value='p'/><type value='deny'/></provision>"),
        {("provision.id", "unknown-element")},
    ),
    (
        "an attribute of extensions",
        consent("<provision url='urn:x'><type value='deny'/></provision>"),
        {("provision", "attribute")},
    ),
    ("an attribute of a value", consent("<dateTime value='2026' url='x'/>"), {("dateTime", "attribute")}),
    ("no value", consent("<dateTime/>"), {("dateTime", "missing")}),
    ("nothing in it", consent("<provision/>"), {("provision", "empty")}),
    (
        "twice",
        consent("<dateTime value='2026'/><dateTime value='2027'/>", least="<scope><text value='x'/></scope>"),
        {("dateTime", "count")},
    ),
    (
        "out of order",
        consent(before="<dateTime value='2026'/>"),
        {("status", "order"), ("scope", "order"), ("category", "order")},
    ),
]


@pytest.mark.parametrize(("body", "faults"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_words_and_names_that_are_not_of_fhir_are_not_lost(
    tmp_path: Path, body: bytes, faults: set[tuple[str, str]]
) -> None:
    [found] = opened(tmp_path, a_xml=body).values()

    assert said(found) == "parse.invalid"
    assert found.refused is not None
    assert {(fault.at, fault.rule) for fault in found.refused.findings} == faults


def test_what_a_consent_in_xml_contains_is_seen_by_whoever_reads_it(tmp_path: Path) -> None:
    inside = "<contained><Patient><id value='p'/></Patient></contained>"
    [found] = opened(tmp_path, a_xml=consent(before=inside)).values()

    assert found.resource is not None
    assert ("contained", "not-read") in {(at, rule) for _, at, rule in consents.told(found.resource)}


def test_the_limit_is_ten_megabytes() -> None:
    assert folder.MAX_BYTES == 10 * 1024 * 1024
