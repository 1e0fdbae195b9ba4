"""Understands that a FHIR Consent is read exactly or refused, and that doubt never widens a permission."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.fhir_consent.adapter import ADAPTERS
from hub.errors import HubError
from hub.message import Record

ADAPTER = ADAPTERS[0]
EXAMPLES = Path(adapters.__file__).parent / "fhir_consent/examples"
REAL = Path(__file__).parents[3] / "shared/consent/fixtures"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CATEGORY = "urn:brobygger:category"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"


def permission() -> Any:
    return json.loads((EXAMPLES / "samtykke_tsb.json").read_bytes())


def refusal() -> Any:
    return json.loads((EXAMPLES / "nektelse.json").read_bytes())


def parse(consent: Any) -> Any:
    return ADAPTER.parse(json.dumps(consent).encode()).fields


def label(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


NOT_EVALUABLE: dict[str, tuple[Callable[[Any], object], str]] = {
    "no provision": (lambda c: c.pop("provision"), "provision"),
    "a provision without type": (lambda c: c["provision"].pop("type"), "provision.type"),
    "an unknown type": (lambda c: c["provision"].update(type="maybe"), "provision.type"),
    "a draft": (lambda c: c.update(status="draft"), "status"),
    "entered in error": (lambda c: c.update(status="entered-in-error"), "status"),
    "a modifier extension": (
        lambda c: c.update(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]), "modifierExtension",
    ),
    "a modifier extension inside": (
        lambda c: c["provision"].update(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
        "provision.modifierExtension",
    ),
    "an unknown extension": (
        lambda c: c["extension"].append({"url": "urn:x", "valueBoolean": True}), "extension[3]",
    ),
    "an extension twice": (lambda c: c["extension"].append(c["extension"][0]), "extension[3]"),
    "contained resources": (lambda c: c.update(contained=[{"resourceType": "Evil"}]), "contained"),
    "an action": (lambda c: c["provision"].update(action=[{"text": "x"}]), "provision.action"),
    "a class": (lambda c: c["provision"].update({"class": [label("urn:x", "y")]}), "provision.class"),
    "a code": (lambda c: c["provision"].update(code=[{"text": "x"}]), "provision.code"),
    "single data": (
        lambda c: c["provision"].update(data=[{"meaning": "instance", "reference": {"reference": "a/1"}}]),
        "provision.data",
    ),
    "a verification": (lambda c: c.update(verification=[{"verified": False}]), "verification"),
    "a foreign policy": (lambda c: c.update(policy=[{"uri": "urn:x"}]), "policy[0].uri"),
    "a policy rule": (lambda c: c.update(policyRule={"text": "x"}), "policyRule"),
    "a confidentiality label": (
        lambda c: c["provision"]["securityLabel"].append(
            label("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R")
        ),
        "provision.securityLabel[4].code",
    ),
    "a category that does not exist": (
        lambda c: c["provision"]["securityLabel"].append(label(CATEGORY, "everything")),
        "securityLabel[4].code",
    ),
    "the category unknown": (
        lambda c: c["provision"]["securityLabel"].append(label(CATEGORY, "unknown")), "securityLabel[4].code",
    ),
    "protected addresses": (
        lambda c: c["provision"]["securityLabel"].append(label(CATEGORY, "protected_address")),
        "securityLabel[4].code",
    ),
    "a category in a foreign system": (
        lambda c: c["provision"]["securityLabel"].append(label("urn:x", "housing")), "securityLabel[4].code",
    ),
    "alcohol alone permitted": (
        lambda c: c["provision"]["securityLabel"].append(label(ACT_CODE, "ETHUD")), "securityLabel[4].code",
    ),
    "an unknown purpose": (
        lambda c: c["provision"]["purpose"].append(label("urn:brobygger:purpose", "profit")),
        "purpose[1].code",
    ),
    "another act reason": (
        lambda c: c["provision"]["purpose"].append(
            label("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HPAYMT")
        ),
        "purpose[1].code",
    ),
    "an actor by reference": (
        lambda c: c["provision"]["actor"][0].update(reference={"reference": "Organization/1"}),
        "actor[0].reference.identifier",
    ),
    "a sector beside a reference to one organisation": (
        lambda c: c["provision"]["actor"][0]["reference"].update(reference="Organization/54"),
        "actor[0].reference.reference",
    ),
    "everybody beside a reference to one organisation": (
        lambda c: c["provision"]["actor"][0]["reference"].update(
            reference="urn:uuid:6b1f0c52-3d0e-4d8a-9a35-0d6f1f5a7c11",
            identifier={"system": "urn:brobygger:sector", "value": "*"},
        ),
        "actor[0].reference.reference",
    ),
    "an unknown sector": (
        lambda c: c["provision"]["actor"][0]["reference"]["identifier"].update(value="police"),
        "actor[0].reference.identifier.value",
    ),
    "an actor in another role": (
        lambda c: c["provision"]["actor"][0]["role"]["coding"][0].update(code="AUT"), "actor[0].role",
    ),
    "a time of day in the period": (
        lambda c: c["provision"]["period"].update(end="2027-04-25T12:00:00+02:00"), "provision.period.end",
    ),
    "a month as period": (lambda c: c["provision"]["period"].update(end="2027-04"), "provision.period.end"),
    "an empty period": (
        lambda c: c["provision"].update(period={"id": "x"}), "provision.period",
    ),
    "an exception of the same type": (
        lambda c: c["provision"].update(provision=[{"type": "permit", "purpose": c["provision"]["purpose"]}]),
        "provision.provision[0].type",
    ),
    "an exception without type": (
        lambda c: c["provision"].update(provision=[{"purpose": c["provision"]["purpose"]}]),
        "provision.provision[0].type",
    ),
    "an exception about everything": (
        lambda c: c["provision"].update(provision=[{"type": "deny"}]), "provision.provision[0]",
    ),
    "exceptions of exceptions": (
        lambda c: c["provision"].update(
            provision=[
                {"type": "deny", "purpose": c["provision"]["purpose"], "provision": [{"type": "permit"}]}
            ]
        ),
        "provision.provision[0].provision",
    ),
    "no version": (lambda c: c.pop("meta"), "meta.versionId"),
    "no series": (lambda c: c.update(identifier=c["identifier"][1:]), "identifier"),
    "two performers": (lambda c: c["performer"].append({"type": "RelatedPerson"}), "performer"),
    "a performer of another kind": (
        lambda c: c["performer"][0].update(type="Practitioner"), "performer[0].type",
    ),
    "a performer who is somebody else": (
        lambda c: c["performer"][0].update(identifier={
            "system": c["patient"]["identifier"]["system"], "value": "14839030186",
        }),
        "performer[0].identifier.value",
    ),
    "an actor who is a practitioner, by an identifier of a sector": (
        lambda c: c["provision"]["actor"][0]["reference"].update(reference="Practitioner/1"),
        "actor[0].reference.reference",
    ),
    "the same by its type": (
        lambda c: c["provision"]["actor"][0]["reference"].update(type="Practitioner"),
        "actor[0].reference.type",
    ),
    "a group as the person": (lambda c: c["patient"].update(type="Group"), "patient.type"),
    "a research consent": (lambda c: c["scope"]["coding"][0].update(code="research"), "scope"),
    "a person by reference only": (
        lambda c: c.update(patient={"reference": "Patient/1"}), "patient.identifier",
    ),
    "a narrative that says more": (
        lambda c: c.update(text={"status": "additional", "div": "<div>x</div>"}), "text.status",
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("break_it", "where"), NOT_EVALUABLE.values(), ids=NOT_EVALUABLE.keys())
def test_what_the_record_cannot_say_exactly_is_not_evaluable(
    break_it: Callable[[Any], object], where: str
) -> None:
    consent = permission()
    break_it(consent)

    with pytest.raises(HubError) as refused:
        parse(consent)

    assert refused.value.code == "consent.not-evaluable"
    assert any(where in finding.at for finding in refused.value.findings)


def test_every_reason_is_told_at_once() -> None:
    consent = permission()
    consent["status"] = "draft"
    consent["provision"]["code"] = [{"text": "x"}]
    consent["provision"]["purpose"][0]["code"] = "profit"

    with pytest.raises(HubError) as refused:
        parse(consent)

    assert {finding.at for finding in refused.value.findings} == {
        "status",
        "provision.code",
        "provision.purpose[0].code",
    }


def test_what_is_not_fhir_is_a_parse_refusal() -> None:
    consent = permission()
    consent["unknown"] = 1

    with pytest.raises(HubError) as refused:
        parse(consent)

    assert refused.value.code == "parse.invalid"


@pytest.mark.parametrize("code", ["ETHUD", "OPIOIDUD"])
def test_a_refusal_of_a_part_refuses_the_whole_category(code: str) -> None:
    consent = refusal()
    consent["provision"]["securityLabel"] = [label(ACT_CODE, code)]
    del consent["provision"]["provision"]

    assert parse(consent)["kategorier"] == ["substance_use"]


def test_a_refusal_of_a_sector_refuses_all_of_it_whatever_it_points_to() -> None:
    consent = refusal()
    del consent["provision"]["provision"]
    reference = {
        "reference": "Organization/54",
        "identifier": {"system": "urn:brobygger:sector", "value": "gp"},
    }
    consent["provision"]["actor"] = [{"role": {"coding": [label(ROLE, "IRCP")]}, "reference": reference}]

    assert parse(consent)["mottakere"] == ["gp"]


def test_a_part_as_exception_widens_a_refusal_and_is_not_evaluable_as_a_permission() -> None:
    part = [label(ACT_CODE, "OPIOIDUD")]
    allowed, denied = permission(), refusal()
    allowed["provision"]["provision"] = [{"type": "deny", "securityLabel": part}]
    denied["provision"]["provision"] = [{"type": "permit", "securityLabel": part}]

    assert parse(allowed)["unntak"] == [{"kategorier": ["substance_use"]}]
    with pytest.raises(HubError) as refused:
        parse(denied)
    assert refused.value.code == "consent.not-evaluable"


@pytest.mark.parametrize("code", ["ETH", "SUD"])
def test_the_international_label_of_substance_use_is_ours(code: str) -> None:
    consent = permission()
    consent["provision"]["securityLabel"] = [label(ACT_CODE, code)]
    consent["provision"]["purpose"] = [label("http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREAT")]

    read = parse(consent)

    assert (read["kategorier"], read["formal"]) == (["substance_use"], ["treatment"])


def test_unsigned_and_unexplained_unless_said() -> None:
    consent = permission()
    consent["extension"] = consent["extension"][2:]

    given = parse(consent)["samtykke"]

    assert (given["signert"], given["forklart"]) == (False, False)


def test_what_a_consent_does_not_say_is_not_in_the_record() -> None:
    consent = permission()
    for name in ("actor", "purpose", "securityLabel", "period"):
        del consent["provision"][name]

    read = parse(consent)

    assert not {"avsendere", "mottakere", "formal", "kategorier", "unntak"} & set(read)
    assert not {"gyldig_fra", "gyldig_til"} & set(read["samtykke"])


def test_what_would_not_read_back_as_the_same_consent_is_not_written() -> None:
    said = Path(adapters.__file__).parent / "fhir_consent/examples/samtykke_tsb.json"
    record = ADAPTER.parse(said.read_bytes())

    with pytest.raises(HubError) as refused:
        ADAPTER.render(Record(record.type, {**record.fields, "avsendere": ["no_such_sector"]}))

    assert refused.value.code == "render.incomplete"
