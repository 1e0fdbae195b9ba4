"""Understands that of the consents that have ended only those that permitted are withdrawn, and that whoever ends
a refusal is told what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.fhir_withdrawal import reading
from hub.errors import HubError
from tests.adapters.consents import ACT_CODE, BASIS, OURS, code, concept, ended_r4, ended_r5, told_of_ended

Change = Callable[[Any], object]
SERIES = "s-1"


def _deny(document: Any) -> object:
    document["provision"] = {"type": "deny", "securityLabel": [code(f"{OURS}category", "mental_health")]}
    return document


def _bare(document: Any) -> object:
    for name in ("provision", "decision", "policyRule", "regulatoryBasis"):
        document.pop(name, None)
    return document


def _ruled(rule: Any, **provision: Any) -> Change:
    return lambda c: c.update(policyRule=rule, provision=provision or c["provision"])


BLOCK, OPTIN, OPTOUT = concept(BASIS, "PBRL5-3"), concept(ACT_CODE, "OPTIN"), concept(ACT_CODE, "OPTOUT")
OTHERS = concept("urn:x", "law")
UNDECIDED_TYPE = {("provision.type", "undecided")}
POLICY = "policyRule.coding[0].code"
R4_SAYS: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "permit": (lambda c: None, set()),
    "entered in error": (lambda c: c.update(status="entered-in-error"), set()),
    "nothing": (_bare, set()),
    "permit by policy alone": (lambda c: (_bare(c), c.update(policyRule=OPTIN)), set()),
    "permit by policy, of a rule": (lambda c: (c["provision"].pop("type"), c.update(policyRule=OPTIN)), set()),
    "permit, under a policy of others": (lambda c: c.update(policyRule=OTHERS), set()),
    "permit, under a policy in words": (lambda c: c.update(policyRule={"text": "x"}), set()),
    "deny": (_deny, {("provision.type", "refusal")}),
    "deny, with exceptions": (
        lambda c: c["provision"].update(type="deny", provision=[{"type": "permit"}]), set(),
    ),
    "deny, with what denies no less": (
        lambda c: c["provision"].update(type="deny", provision=[{"type": "deny"}]), {("provision.type", "refusal")},
    ),
    "deny with exceptions, and permit by policy": (
        lambda c: (c["provision"].update(type="deny", provision=[{"type": "permit"}]), c.update(policyRule=OPTIN)),
        {("provision.type", "refusal")},
    ),
    "an exception that permits, of a permission that a policy denies": (
        lambda c: (c["provision"].update(provision=[{"type": "permit"}]), c.update(policyRule=BLOCK)),
        {(POLICY, "refusal")},
    ),
    "an exception that permits, of no type, that a policy denies": (
        lambda c: c.update(provision={"provision": [{"type": "permit"}]}, policyRule=BLOCK), {(POLICY, "refusal")},
    ),
    "deny by the Norwegian block": (_ruled(BLOCK), {(POLICY, "refusal")}),
    "deny by the block alone": (lambda c: (_bare(c), c.update(policyRule=BLOCK)), {(POLICY, "refusal")}),
    "deny by the block, of a rule": (_ruled(BLOCK, period={"start": "2026-01-01"}), {(POLICY, "refusal")}),
    "deny by a policy": (_ruled(OPTOUT), {(POLICY, "refusal")}),
    "deny by the second of two policies": (
        _ruled({"coding": [*OPTIN["coding"], *OPTOUT["coding"]]}), {("policyRule.coding[1].code", "refusal")},
    ),
    "deny, and permit by policy": (
        lambda c: (_deny(c), c.update(policyRule=OPTIN)), {("provision.type", "refusal")},
    ),
    "deny twice": (lambda c: (_deny(c), c.update(policyRule=BLOCK)), {
        ("provision.type", "refusal"), (POLICY, "refusal"),
    }),
    "a rule of no type": (lambda c: c["provision"].pop("type"), UNDECIDED_TYPE),
    "a rule of no type that holds a permission": (
        lambda c: c.update(provision={"provision": [{"type": "permit"}]}), UNDECIDED_TYPE,
    ),
    "an unknown type": (lambda c: c["provision"].update(type="maybe"), UNDECIDED_TYPE),
    "an unknown type, and permit by policy": (
        lambda c: (c["provision"].update(type="maybe"), c.update(policyRule=OPTIN)), UNDECIDED_TYPE,
    ),
    "a policy of others alone": (lambda c: (_bare(c), c.update(policyRule=OTHERS)), {(POLICY, "undecided")}),
    "a policy in words alone": (
        lambda c: (_bare(c), c.update(policyRule={"text": "x"})), {("policyRule", "undecided")},
    ),
    "a policy of others, of a rule of no type": (
        lambda c: (c["provision"].pop("type"), c.update(policyRule=OTHERS)), UNDECIDED_TYPE,
    ),
    "a code of the block in a system of others": (
        lambda c: (_bare(c), c.update(policyRule=concept("urn:x", "PBRL5-3"))), {(POLICY, "undecided")},
    ),
}  # one row per case # fmt: skip
R5_SAYS: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "permit": (lambda c: None, set()),
    "permit without exceptions": (lambda c: c.pop("provision"), set()),
    "nothing": (_bare, set()),
    "permit by a basis alone": (lambda c: (_bare(c), c.update(regulatoryBasis=[OPTIN])), set()),
    "deny": (lambda c: (_bare(c), c.update(decision="deny")), {("decision", "refusal")}),
    "deny, but for exceptions": (lambda c: c.update(decision="deny"), set()),
    "exceptions to nothing, denied by a basis": (
        lambda c: (c.pop("decision"), c.update(regulatoryBasis=[BLOCK])),
        {("regulatoryBasis[0].coding[0].code", "refusal")},
    ),
    "deny by the second basis": (
        lambda c: c.update(regulatoryBasis=[OTHERS, BLOCK]), {("regulatoryBasis[1].coding[0].code", "refusal")},
    ),
    "exceptions to nothing": (lambda c: c.pop("decision"), {("decision", "undecided")}),
    "an unknown decision": (lambda c: c.update(decision="maybe"), {("decision", "undecided")}),
    "a basis of others alone": (
        lambda c: (_bare(c), c.update(regulatoryBasis=[OTHERS])),
        {("regulatoryBasis[0].coding[0].code", "undecided")},
    ),
}  # one row per case # fmt: skip
SAYS = [
    *((ended_r4, name, *row) for name, row in R4_SAYS.items()),
    *((ended_r5, name, *row) for name, row in R5_SAYS.items()),
]


@pytest.mark.parametrize(("make", "name", "change", "expected"), SAYS)
def test_only_what_permitted_is_withdrawn(
    make: Callable[[], Any], name: str, change: Change, expected: set[tuple[str, str]]
) -> None:
    document = make()
    change(document)

    assert told_of_ended(document) == expected, name
    if not expected:
        assert reading.read(document).fields["samtykke"] == {"serie": SERIES, "beslutning": "tillat"}, name


@pytest.mark.parametrize("make", [ended_r4, ended_r5])
def test_who_ends_a_refusal_is_told_what_to_do(make: Callable[[], Any]) -> None:
    document = make()
    if make is ended_r5:
        document["decision"] = "deny"
        del document["provision"]
    else:
        document["provision"] = {"type": "deny"}
    with pytest.raises(HubError) as refused:
        reading.read(document)

    [finding] = refused.value.findings
    assert "a refusal is lifted with samtykke.trukket in JSON" in finding.expected
    assert "samtykke.trukket i JSON" in finding.said("nb")
