"""Understands that a finding about FHIR is told by rules and in words of the hub, whoever found it."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.patient import Patient

from adapters.base import Findings
from adapters.fhir import Reader, check_structure
from hub.errors import RULES_NB, HubError

OF_THE_LIBRARY: list[tuple[dict[str, Any], set[str]]] = [
    ({"birthDate": "x"}, {"datatype"}),
    ({"gender": 7}, {"datatype"}),
    ({"multipleBirthInteger": 1.5}, {"datatype"}),
    ({"name": [{"given": "x"}]}, {"datatype"}),
    ({"name": ["x"], "_birthDate": 7, "id": "a b"}, {"datatype"}),
    ({"meta": {"lastUpdated": "2020-01-01"}}, {"datatype"}),
    ({"deceasedBoolean": True, "deceasedDateTime": "2020"}, {"datatype"}),
    ({"text": {"status": "generated"}}, {"missing"}),
    ({"link": [{"type": "seealso"}]}, {"missing"}),
    ({"name": [{"x": 1}]}, {"unknown-element"}),
    ({"resourceType": "Group"}, {"value"}),
]


@pytest.mark.parametrize(("elements", "rules"), OF_THE_LIBRARY)
def test_the_rules_are_ours_and_not_those_of_the_library(elements: dict[str, Any], rules: set[str]) -> None:
    findings = Findings()
    check_structure({"resourceType": "Patient", **elements}, Patient, "", findings)

    with pytest.raises(HubError) as refused:
        findings.finish()

    found = {finding.rule for finding in refused.value.findings}

    assert found == rules
    assert found <= RULES_NB.keys()


def test_what_nobody_reads_is_what_the_hub_does_not_carry() -> None:
    findings = Findings()
    Reader({"x": 1}, "", findings).finish()

    with pytest.raises(HubError) as refused:
        findings.finish()

    [found] = refused.value.findings
    assert "the hub does not carry" in found.expected
    assert "agreement" not in found.expected
    assert found.in_bokmaal
