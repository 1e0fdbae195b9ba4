"""A block against named personnel is recorded wider; nothing that permits ever is."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from adapters.fhir_consent import reading, vocabulary
from adapters.fhir_consent.writing import compose
from adapters.fhir_parts import FNR
from consent import intake
from hub.errors import HubError
from hub.message import Record, Sector
from tests import mutating

Json = dict[str, Any]
Change = Callable[[Json], object]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PERSON = {"system": FNR, "value": "14839030186"}
NAMED = {
    "role": {"text": "behandler"},
    "reference": {
        "reference": "Practitioner/b-1",
        "identifier": {"system": vocabulary.HPR, "value": "7654321"},
    },
}
ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
SECTOR = {
    "role": {"coding": [{"system": ROLE, "code": "IRCP"}]},
    "reference": {"identifier": {"system": "urn:brobygger:sector", "value": "gp"}},
}
BLOCK: Json = {
    "resourceType": "Consent",
    "id": "sperring-1",
    "status": "active",
    "scope": {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
        ]
    },
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"identifier": PERSON},
    "dateTime": "2026-11-20",
    "policyRule": {
        "coding": [
            {"system": "http://hl7.no/fhir/CodeSystem/no-basis-legal-formality-or-basis", "code": "PBRL5-3"}
        ]
    },
    "provision": {"type": "deny", "actor": [NAMED]},
}


def read(*changes: Change) -> Record:
    document = deepcopy(BLOCK)
    for change in changes:
        change(document)
    return reading.read(document)


def rule(**said: Any) -> Change:
    return lambda c: c["provision"].update(said)


def reference(**said: Any) -> Change:
    return lambda c: c["provision"]["actor"][0].update(reference=said)


WIDER: list[tuple[str, list[Change]]] = [
    ("by reference, number and a role in words", []),
    ("by reference only", [reference(reference="Practitioner/b-1")]),
    ("by a full address", [reference(reference="https://ehr.example/fhir/PractitionerRole/b-1")]),
    ("by type only", [reference(type="Practitioner")]),
    ("by a role of personnel", [reference(type="PractitionerRole", identifier={"value": "x"})]),
    ("by number only", [reference(identifier={"system": vocabulary.HPR, "value": "7654321"})]),
    ("one of several", [rule(actor=[SECTOR, NAMED])]),
    ("of some information only", [rule(securityLabel=[{"system": vocabulary.CATEGORY, "code": "work"}])]),
    ("by the policy alone", [lambda c: c["provision"].pop("type")]),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "changes"), WIDER, ids=[case[0] for case in WIDER])
def test_a_refusal_that_names_personnel_refuses_everybody_and_says_so(
    name: str, changes: list[Change]
) -> None:
    record = read(*changes)

    intake.check(record, Sector.PRISON_HEALTH, NOW)
    said = record.fields
    assert (said["samtykke"]["beslutning"], said["samtykke"]["utvidet"]) == ("nekt", True)
    assert said.keys() & {"avsendere", "mottakere"} == set()
    assert reading.read(compose(record)) == record


def exception(c: Json) -> None:
    actor = {"actor": [NAMED]}
    c["provision"] = {"type": "permit", "provision": [{"type": "deny", **actor}]}
    c.pop("policyRule")


EXACT: list[tuple[str, list[Change], str]] = [
    ("a permission", [rule(type="permit"), lambda c: c.pop("policyRule")], "provision.actor[0]"),
    ("an exception to a permission", [exception], "provision.provision[0].actor[0]"),
    ("a refusal with an exception", [rule(provision=[{"type": "permit", "actor": [SECTOR]}])],
     "provision.actor[0]"),
    ("somebody who is no personnel", [reference(reference="RelatedPerson/1")], "provision.actor[0]"),
    ("a device", [reference(type="Device", identifier={"system": "x", "value": "y"})], "provision.actor[0]"),
    ("nobody", [lambda c: c["provision"]["actor"][0].pop("reference")], "provision.actor[0]"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "changes", "at"), EXACT, ids=[case[0] for case in EXACT])
def test_what_permits_or_names_others_is_not_guessed(name: str, changes: list[Change], at: str) -> None:
    with pytest.raises(HubError) as refused:
        read(*changes)

    assert refused.value.code in ("consent.not-evaluable", "parse.invalid")
    assert any(finding.at.startswith(at) for finding in refused.value.findings)


def test_an_agency_is_named_as_before() -> None:
    record = read(rule(actor=[SECTOR]))

    assert record.fields["mottakere"] == ["gp"]
    assert "utvidet" not in record.fields["samtykke"]


def test_a_permission_is_never_called_wider() -> None:
    """Whatever a document claims of itself."""
    record = read()
    document = {**record.fields, intake.RECORDER: "prison_health"}
    document["samtykke"] = {**record.fields["samtykke"], "signert": True, "forklart": True}
    moment = datetime.fromisoformat("2026-11-20T12:00:00+01:00")

    assert intake.read(document, moment).widened
    document["samtykke"] = {**document["samtykke"], "beslutning": "tillat"}
    assert not intake.read(document, moment).widened


MUTATIONS: list[mutating.Mutation] = [
    (reading, 'decision != "deny" or not', "not"),
    (reading, ' or provision.has("provision"):', ":"),
    (reading, "bool(kinds & words.PERSONNEL) or ", ""),
    (reading, " or system == words.HPR", ""),
    (reading, '{reference.get("type"), kind_of', "{None, kind_of"),
    (reading, "return any(_is_personnel", "return all(_is_personnel"),
    (reading, 'samtykke["utvidet"] = True\n', "pass\n"),
    (reading, "        if actors_unknown:\n", "        if False:\n"),
    (reading, 'provision.ignore("actor")\n', "pass\n"),
    (intake, "is True and not permits", "is True"),
]


@mutating.each(MUTATIONS)
def test_a_check_taken_out_is_noticed(where: Any, old: str, new: str) -> None:
    tables: list[mutating.Case] = [
        *(partial(test_a_refusal_that_names_personnel_refuses_everybody_and_says_so, *c) for c in WIDER),
        *(partial(test_what_permits_or_names_others_is_not_guessed, *c) for c in EXACT),
        test_a_permission_is_never_called_wider,
    ]
    assert not mutating.noticed(tables)
    mutating.expect_noticed(where, old, new, lambda: tables)
