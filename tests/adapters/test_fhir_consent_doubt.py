"""Understands that every doubt in a consent is told at its place, and who a reference leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.fhir_consent.reading import read
from hub.errors import HubError
from tests.adapters import consents
from tests.adapters.consents import (
    ACT_CODE,
    ACT_REASON,
    ACTION,
    BASIS,
    OURS,
    SCOPE,
    code,
    concept,
    parse,
    told,
)

Change = Callable[[Any], object]


def _ruled(name: str, value: object) -> Change:
    return lambda c: c["provision"].update({name: value})


def _excepted(name: str, value: object) -> Change:
    return lambda c: c["provision"]["provision"].append({"type": "deny", name: value})


def _with(name: str, value: object) -> Change:
    return lambda c: c.update({name: value})


def _reference(c: Any) -> Any:
    return c["provision"]["actor"][0]["reference"]


NOT_READ: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "another resource": (lambda c: c.update(resourceType="Contract"), {("resourceType", "value")}),
    "contained": (
        lambda c: c.update(contained=[{"resourceType": "Patient"}]), {("contained", "not-read")},
    ),
    "no version": (lambda c: c.pop("meta"), {("meta.versionId", "value")}),
    "a form nobody knows": (
        lambda c: c["extension"][2].update(valueCode="brev"), {("extension[2].valueCode", "code")},
    ),
    "a consent to research": (
        lambda c: c.update(scope=concept(SCOPE, "research")), {("scope.coding[0].code", "code")},
    ),
    "a policy of others": (lambda c: c.update(policy=[{"uri": "urn:x"}]), {("policy[0].uri", "value")}),
    "an actor in another role": (
        lambda c: c["provision"]["actor"][0].update(role=concept(consents.ROLE, "AUT")),
        {("provision.actor[0].role.coding[0].code", "code")},
    ),
    "a sector nobody knows": (
        lambda c: _reference(c)["identifier"].update(value="politi"),
        {("provision.actor[0].reference.identifier.value", "code")},
    ),
    "an action beyond sharing": (
        _ruled("action", [concept(ACTION, "access"), concept(ACTION, "correct")]), {("provision.action", "code")},
    ),
    "an exception without type": (
        lambda c: c["provision"]["provision"].append({"purpose": c["provision"]["purpose"]}),
        {("provision.provision[1].type", "missing")},
    ),
    "a time of day": (
        _ruled("period", {"start": "2026-01-01", "end": "2027-04-25T12:00:00+02:00"}),
        {("provision.period.end", "value")},
    ),
    **{
        f"the category {name}": (
            _ruled("securityLabel", [code(f"{OURS}category", name)]), {("provision.securityLabel[0].code", "code")},
        )
        for name in ("unknown", "protected_address", "everything")
    },
    "no provision": (lambda c: c.pop("provision"), {("provision", "missing")}),
    "an extension of others": (
        lambda c: c["extension"].append({"url": "urn:x", "valueBoolean": True}), {("extension[11].url", "code")},
    ),
    "an extension twice": (
        lambda c: c["extension"].append(dict(c["extension"][7])), {("extension[11].url", "value")},
    ),
    "no status": (lambda c: c.pop("status"), {("status", "missing")}),
    "version 0": (lambda c: c["meta"].update(versionId="0"), {("meta.versionId", "value")}),
    "version 1a": (lambda c: c["meta"].update(versionId="1a"), {("meta.versionId", "value")}),
    "a version of seven digits": (
        lambda c: c["meta"].update(versionId="1000000"), {("meta.versionId", "value")},
    ),
    "a refusal of version 0": (
        lambda c: (c.update(consents.refusal()), c["meta"].update(versionId="0")), {("meta.versionId", "value")},
    ),
    "two messages": (
        lambda c: c.update(identifier=[{"system": f"{OURS}message", "value": v} for v in ("a", "b")]),
        {("identifier[1].system", "unique"), ("identifier", "missing")},
    ),
    "two series": (
        lambda c: c["identifier"].append({"system": "urn:x", "value": "s"}),
        {("identifier[2].system", "unique"), ("identifier", "count")},
    ),
    "a second series instead of the message": (
        lambda c: c["identifier"][1].update(system="urn:x"), {("identifier[1].system", "unique")},
    ),
    "an identifier without value": (
        lambda c: c["identifier"][1].pop("value"), {("identifier[1].value", "missing")},
    ),
    "only the message, and an id": (
        lambda c: c.update(identifier=c["identifier"][1:], id="c-1"), {("identifier", "missing")},
    ),
    "an odd series": (lambda c: c["identifier"][0].update(value="a b"), {("identifier", "value")}),
    "a long series": (lambda c: c["identifier"][0].update(value="a" * 101), {("identifier", "value")}),
    "an extension without value": (
        lambda c: c["extension"][7].pop("valueString"), {("extension[7].valueString", "missing")},
    ),
    "a language without value": (
        lambda c: c["extension"][5].pop("valueCode"), {("extension[5].valueCode", "missing")},
    ),
    "a recipient without value": (
        lambda c: c["extension"][8].pop("valueIdentifier"), {("extension[8].valueIdentifier", "missing")},
    ),
    "a sender in another system": (
        lambda c: c["extension"][9]["valueIdentifier"].update(system="urn:x"),
        {("extension[9].valueIdentifier.system", "value")},
    ),
    "an extension without url": (
        lambda c: c["extension"].append({"valueBoolean": True}),
        {("extension[11].url", "missing"), ("extension[11].url", "value")},
    ),
    "no time": (lambda c: c.pop("dateTime"), {("dateTime", "missing")}),
    "a day that does not exist": (lambda c: c.update(dateTime="2026-02-30"), {("dateTime", "value")}),
    "no person": (lambda c: c.pop("patient"), {("patient", "missing")}),
    "a person's identifier without value": (
        lambda c: c["patient"]["identifier"].pop("value"), {("patient.identifier.value", "missing")},
    ),
    "a person's identifier in another system": (
        lambda c: c["patient"]["identifier"].update(system="urn:x"), {("patient.identifier.system", "code")},
    ),
    "an actor named by a search": (
        lambda c: _reference(c).update(reference="Practitioner?identifier=1"),
        {("provision.actor[0].reference.reference", "value")},
    ),
    "an actor named by a version of a practitioner": (
        lambda c: _reference(c).update(reference="Practitioner/1/_history/1"),
        {("provision.actor[0].reference.reference", "value")},
    ),
    "an actor without anything": (
        lambda c: c["provision"]["actor"][0].update(reference={"display": "x"}),
        {("provision.actor[0].reference.identifier", "missing")},
    ),
    "an actor without role": (
        lambda c: c["provision"]["actor"][0].pop("role"), {("provision.actor[0].role", "missing")},
    ),
    "an actor whose role has no code": (
        lambda c: c["provision"]["actor"][0].update(role={"text": "x"}),
        {("provision.actor[0].role.coding", "count")},
    ),
    "an actor without reference": (
        lambda c: c["provision"]["actor"][0].pop("reference"), {("provision.actor[0].reference", "missing")},
    ),
    "an organisation number of eight digits": (
        lambda c: _reference(c)["identifier"].update(system=consents.ORGNR, value="31000004"),
        {("provision.actor[0].reference.identifier.value", "value")},
    ),
    "a permission nobody gave": (lambda c: c.pop("performer"), {("performer", "missing")}),
    "two who gave it": (lambda c: c["performer"].append({"type": "Patient"}), {("performer", "count"), ("performer[1].type", "not-read")}),
    "a giver without kind": (lambda c: c.update(performer=[{"display": "x"}]), {("performer[0].type", "code")}),
    "a guardian who is a practitioner": (
        lambda c: c.update(performer=[{"type": "RelatedPerson", "reference": "Practitioner/RelatedPerson"}]),
        {("performer[0].type", "value")},
    ),
    "a giver known elsewhere": (
        lambda c: c.update(performer=[{"reference": "Patient/1"}]), {("performer[0].reference", "value")},
    ),
    "a giver with the same number in another system": (
        lambda c: c.update(performer=[{"type": "Patient", "identifier": {
            "system": "urn:x", "value": consents.PERSON}}]),
        {("performer[0].identifier.value", "value")},
    ),
    "no category": (lambda c: c.pop("category"), {("category", "count")}),
    "a category without code": (
        lambda c: c["category"].append({"text": "x"}), {("category[1].coding", "count")},
    ),
    "a category nobody knows": (
        lambda c: c["category"].append(concept("urn:x", "y")), {("category[1].coding[0].code", "code")},
    ),
    "words beside a code and its display": (
        lambda c: c["category"][0].update(text="legen", coding=[c["category"][0]["coding"][0] | {"display": "x"}]),
        {("category[0].text", "value")},
    ),
    "no scope": (lambda c: c.pop("scope"), {("scope", "missing")}),
    "a scope without code": (lambda c: c.update(scope={"text": "x"}), {("scope.coding", "count")}),
    "a text without title": (
        lambda c: c.update(sourceAttachment={"language": "nb"}), {("sourceAttachment.title", "missing")},
    ),
    "a text by its content": (
        lambda c: c["sourceAttachment"].update(data="eA=="), {("sourceAttachment.data", "not-read")},
    ),
    "a policy that denies": (
        lambda c: c.update(policyRule=concept(ACT_CODE, "OPTOUT")), {("policyRule.coding[0].code", "policy")},
    ),
    "a block that permits": (
        lambda c: c.update(policyRule=concept(BASIS, "PBRL5-3")), {("policyRule.coding[0].code", "policy")},
    ),
    "another policy": (
        lambda c: c.update(policyRule=concept("urn:x", "OPTIN")), {("policyRule.coding[0].code", "policy")},
    ),
    "a policy instead of a type": (
        lambda c: (c["provision"].pop("type"), c.update(policyRule=concept(ACT_CODE, "OPTOUT"))),
        {
            ("provision.type", "missing"), ("provision.provision[0].type", "alternates"),
            ("provision.provision[0].provision[0].type", "alternates"),
        },
    ),
    "an empty provision list": (
        lambda c: c.update(provision=[]),
        {("body", "release"), ("subject", "missing"), ("date", "missing"), ("decision", "missing")},
    ),
    "a provision that is a text": (lambda c: c.update(provision="x"), {("provision", "type")}),
    "an action without end": (lambda c: c["provision"].update(action=[]), {("provision.action", "count")}),
    "an action in another system": (
        lambda c: c["provision"].update(action=[concept("urn:x", "access")]), {("provision.action", "code")},
    ),
    "an action with nothing handed over": (
        lambda c: c["provision"].update(action=[concept(ACTION, "use")]), {("provision.action", "code")},
    ),
    "a refusal of another action": (
        lambda c: (
            c.update(consents.refusal()), c["provision"].update(action=[concept(ACTION, "correct")])
        ),
        {("provision.action", "code")},
    ),
    "a period without days": (lambda c: c["provision"].update(period={}), {("provision.period", "missing")}),
    "a period in other digits": (
        lambda c: c["provision"].update(period={"start": "٢٠٢٦-01-01", "end": "2026-12-31"}),
        {("provision.period.start", "value")},
    ),
    "an exception about nothing": (
        lambda c: c["provision"]["provision"].append({"type": "deny", "id": "x"}),
        {("provision.provision[1]", "missing")},
    ),
    **{
        f"an exception whose {name} cannot be read": (
            _excepted(name, [{}]),
            {(f"provision.provision[1].{name}[0].{what}", rule) for what, rule in found},
        )
        for name, found in {
            "actor": [("role", "missing"), ("reference", "missing")],
            "purpose": [("code", "code")],
            "securityLabel": [("code", "code")],
        }.items()
    },
    **{
        f"an exception whose {name} is no day": (
            _excepted(name, {}),
            {(f"provision.provision[1].{name}", "missing")},
        )
        for name in ("period", "dataPeriod")
    },
    "a fourth level": (
        lambda c: c["provision"]["provision"][0]["provision"][0].update(
            provision=[{"type": "permit", "purpose": [code("urn:x", "y")]}]
        ),
        {("provision.provision[0].provision[0].provision[0]", "nested")},
    ),
    **{
        f"a limit by {name}": (
            _ruled(name, [{"a": 1}]), {(f"provision.{name}", "not-read")},
        )
        for name in ("documentType", "resourceType", "expression")
    },
    **{
        f"a limit by {name} in its own shape": (_ruled(name, [value]), {(f"provision.{name}", "not-read")})
        for name, value in {
            "class": code("urn:x", "y"),
            "code": {"text": "x"},
            "data": {"meaning": "instance", "reference": {"reference": "a/1"}},
        }.items()
    },
    "a second coding": (lambda c: c["scope"]["coding"].append({}), {("scope.coding", "count")}),
    "a narrative that may say more": (
        lambda c: c.update(text={"status": "additional", "div": "x"}), {("text.status", "value")},
    ),
    "a confidential consent": (
        lambda c: c["meta"].update(security=[code(f"{consents.V3}Confidentiality", "R")]),
        {("meta.security[0]", "security-label")},
    ),
    "test data": (
        lambda c: c["meta"].update(security=[code(ACT_REASON, "HTEST")]),
        {("meta.security[0]", "security-label"), ("meta.security[0].code", "not-read")},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "expected"), NOT_READ.values(), ids=NOT_READ.keys())
def test_every_doubt_is_told_at_its_place_and_no_other(
    change: Change, expected: set[tuple[str, str]]
) -> None:
    """Apart from what the library says of the structure, in places that nothing else was said of."""
    document = consents.r4()
    change(document)

    found = told(document)

    codes = {answer for answer, _, _ in found}
    assert codes <= {"consent.not-evaluable", "parse.invalid"}
    ours = {(at, rule) for _, at, rule in found}
    if codes == {"consent.not-evaluable"}:
        assert ours == expected
    else:
        assert {at for at, _ in expected} <= {at for at, _ in ours}


@pytest.mark.parametrize("name", ["class", "documentType", "resourceType", "code", "data", "expression"])
def test_a_limit_we_cannot_say_is_answered_with_what_to_do(name: str) -> None:
    document = consents.r4()
    document["provision"][name] = [{}]
    with pytest.raises(HubError) as refused:
        read(document)

    told_of = [f.expected for f in refused.value.findings if f.at == f"provision.{name}"]
    assert any(expected.startswith("no limit") for expected in told_of)


STATUSES = ("draft", "proposed", "rejected", "inactive", "not-done", "entered-in-error", "unknown")


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_but_active_is_answered_with_what_it_means(status: str) -> None:
    document = {**consents.r4(), "status": status}
    with pytest.raises(HubError) as refused:
        read(document)

    [finding] = [finding for finding in refused.value.findings if finding.at == "status"]
    assert finding.expected.startswith("active: ")


R5_NOT_READ: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "an actor without role": (
        lambda c: c["provision"][0]["actor"][0].pop("role"), {("provision[0].actor[0].role", "missing")},
    ),
    "an actor without reference": (
        lambda c: c["provision"][0]["actor"][0].pop("reference"),
        {("provision[0].actor[0].reference", "missing")},
    ),
    "another category": (
        lambda c: c.update(category=[concept("urn:x", "y")]),
        {("category[0].coding[0].code", "code"), ("category", "missing")},
    ),
    "no category": (lambda c: c.pop("category"), {("category", "missing")}),
    "two texts": (
        lambda c: c["sourceAttachment"].append({"title": "x"}), {("sourceAttachment", "count")},
    ),
    "a policy that permits": (
        lambda c: c.update(regulatoryBasis=[concept(ACT_CODE, "OPTIN")]),
        {("regulatoryBasis[0].coding[0].code", "policy")},
    ),
    "a period that is no day": (lambda c: c.update(period={}), {("period", "missing")}),
    "words beside the category": (
        lambda c: c["category"][0].update(text="legen"), {("category[0].text", "narrower")},
    ),
    "a giver who is somebody else": (
        lambda c: c["grantor"][0].update(identifier={"system": consents.FNR, "value": "1"}),
        {("grantor[0].identifier.value", "value")},
    ),
    "a giver known by a reference": (
        lambda c: (c["subject"].update(reference="Patient/1"), c["grantor"][0].update(reference="Patient/2")),
        {("grantor[0].reference", "value")},
    ),
    "a type in an exception": (
        lambda c: c["provision"][0].update(type="permit"), {("provision[0].type", "not-read")},
    ),
    **{
        f"R4's {name}": (_with(name, consents.R4[name]), {("body", "release")})
        for name in ("scope", "patient", "dateTime", "performer", "policy")
    },
    "R4's organization": (
        lambda c: c.update(organization=[{"reference": "Organization/1"}]), {("body", "release")},
    ),
    "R4's policyRule": (
        lambda c: c.update(policyRule=concept(ACT_CODE, "OPTOUT")), {("body", "release")},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "expected"), R5_NOT_READ.values(), ids=R5_NOT_READ.keys())
def test_the_same_in_r5(change: Change, expected: set[tuple[str, str]]) -> None:
    document = consents.r5()
    change(document)

    assert expected <= {(at, rule) for _, at, rule in told(document)}


R5_ONLY = {
    "subject": {"display": "x"}, "date": "2026-01-01", "period": {"start": "2026-01-01"},
    "grantor": [{"display": "x"}], "grantee": [{"display": "x"}], "manager": [{"display": "x"}],
    "controller": [{"display": "x"}], "decision": "permit", "policyBasis": {"url": "urn:x"},
    "regulatoryBasis": [concept(ACT_CODE, "OPTIN")], "policyText": [{"display": "x"}], "provision": [],
}  # one row per case # fmt: skip


@pytest.mark.parametrize("name", R5_ONLY)
def test_an_element_of_r5_in_r4_mixes_releases(name: str) -> None:
    document = {**consents.r4(), name: R5_ONLY[name]}

    assert ("body", "release") in {(at, rule) for _, at, rule in told(document)}


def test_a_programme_among_the_categories_of_r5_is_none_to_share() -> None:
    document = consents.r5()
    document["category"].append(concept(f"{OURS}consent-scope", "program"))

    assert parse(document)["samtykke"]["slag"] == "program"
    document["category"] = [concept(SCOPE, "patient-privacy")]
    assert parse(document)["samtykke"]["slag"] == "deling"
