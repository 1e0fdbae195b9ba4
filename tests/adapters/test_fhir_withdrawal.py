"""Understands that a Consent that has ended is read as the withdrawal of what it permitted, that nothing which is
of the consent that ended stands in its way, and that none is read as if it lifted a refusal."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters import fhir_withdrawal
from adapters.base import Sniff
from adapters.fhir import Json
from adapters.fhir_consent import vocabulary as words
from adapters.fhir_consent.adapter import ADAPTERS as GIVEN
from adapters.fhir_consent.reading import read as read_given
from adapters.fhir_consent.resource import models
from adapters.fhir_withdrawal import reading
from adapters.fhir_withdrawal.adapter import ADAPTERS
from adapters.fhir_xml import outline, write_fhir_xml
from adapters.registry import adapters_for
from adapters.safe_xml import read_xml
from hub.errors import HubError
from hub.message import Record
from mappings.types import load_types
from tests.adapters import consents
from tests.adapters.consents import ENDED_AT, OURS, code, concept, ended_r4, ended_r5, told_of_ended
from tests.hub.bench import number

ADAPTER, XML = ADAPTERS
TYPES = load_types()
REGISTRY = adapters_for(TYPES)
EXAMPLES = Path(adapters.__file__).parent / "fhir_withdrawal/examples"
README = Path(str(fhir_withdrawal.__file__)).with_name("README.md")
Change = Callable[[Any], object]

SERIES = "s-1"
RECORD: Json = {
    "melding": {
        "id": "t-1", "sendt": ENDED_AT, "mottaker": "310000043", "avsender": "310000078", "svar_pa": "m-0",
    },
    "person": {"id": consents.PERSON},
    "samtykke": {"serie": SERIES, "beslutning": "tillat"},
    "signert": True,
    "tidspunkt": "2026-11-11T14:30:00+01:00",
}  # one row per case # fmt: skip
WRITTEN: Json = {
    "resourceType": "Consent",
    "meta": {"lastUpdated": ENDED_AT},
    "extension": [
        {"url": f"{OURS}consent:trukket", "valueDateTime": "2026-11-11T14:30:00+01:00"},
        {"url": f"{OURS}consent:trukket-signert", "valueBoolean": True},
        {"url": f"{OURS}mottaker", "valueIdentifier": {"system": consents.ORGNR, "value": "310000043"}},
        {"url": f"{OURS}avsender", "valueIdentifier": {"system": consents.ORGNR, "value": "310000078"}},
        {"url": f"{OURS}svar-pa", "valueString": "m-0"},
    ],
    "identifier": [
        {"system": f"{OURS}consent", "value": SERIES}, {"system": f"{OURS}withdrawal", "value": "t-1"},
    ],
    "status": "inactive",
    "scope": concept(consents.SCOPE, "patient-privacy"),
    "category": [concept(consents.LOINC, "59284-0")],
    "patient": {"identifier": {"system": consents.FNR, "value": consents.PERSON}},
    "policy": [{"uri": f"{OURS}policy:samtykke"}],
    "provision": {"type": "permit"},
}  # one row per case # fmt: skip


def read(document: Any) -> Any:
    return ADAPTER.parse(json.dumps(document).encode()).fields


def test_whatever_is_wrong_is_a_message_that_cannot_be_read() -> None:
    with pytest.raises(HubError, match=r"parse\.invalid"):
        reading.read({**ended_r4(), "provision": {"type": "deny"}})


def test_a_withdrawal_is_read_and_written_to_the_last_word() -> None:
    assert read(WRITTEN) == RECORD
    assert json.loads(ADAPTER.render(Record("samtykke.trukket", RECORD))) == WRITTEN
    assert XML.parse(XML.render(Record("samtykke.trukket", RECORD))).fields == RECORD


@pytest.mark.parametrize("make", [ended_r4, ended_r5])
def test_who_changes_nothing_but_the_status_withdraws_the_whole_series(make: Callable[[], Any]) -> None:
    """The message id and the signature that stand there are of the consent that was given."""
    found = read(make())

    assert found["samtykke"] == {"serie": SERIES, "beslutning": "tillat"}
    assert (found["tidspunkt"], found["melding"]["sendt"]) == (ENDED_AT, ENDED_AT)
    assert found["person"]["id"] == consents.PERSON
    assert found["melding"]["id"].startswith("trukket-")
    assert set(found) == {"melding", "person", "samtykke", "tidspunkt"}
    assert TYPES["samtykke.trukket"].check(found) == ()


# Which adapter reads it

STATUSES: list[tuple[str, str]] = [
    ("inactive", "fhir-withdrawal"),
    ("entered-in-error", "fhir-withdrawal"),
    *((one, "fhir-consent") for one in ("active", "draft", "proposed", "rejected", "not-done", "unknown")),
    ("Inactive", "fhir-consent"),
]


@pytest.mark.parametrize(("status", "name"), STATUSES)
@pytest.mark.parametrize("make", [ended_r4, ended_r5])
def test_a_consent_has_one_reader_by_its_status_in_both_spellings(
    make: Callable[[], Any], status: str, name: str
) -> None:
    document = {**make(), "status": status}
    as_xml = write_fhir_xml(document, models(frozenset(document)))

    for seen in (document, outline(read_xml(as_xml))):
        sniff = Sniff("", document=seen)
        assert {one.name for one in (*GIVEN, *ADAPTERS) if one.recognise(sniff)} == {name, f"{name}-xml"}
    assert REGISTRY.recognise("application/fhir+json", json.dumps(document).encode()).name == name
    assert REGISTRY.recognise("application/fhir+xml", as_xml).name == f"{name}-xml"


@pytest.mark.parametrize("status", [None, 7, {"value": "inactive"}, ["inactive"], ""])
def test_a_status_that_is_none_is_left_to_the_one_that_tells_of_it(status: object) -> None:
    body = json.dumps({**ended_r4(), "status": status}).encode()

    assert REGISTRY.recognise("application/fhir+json", body).name == "fhir-consent"


# What is left behind


def _left(document: Any) -> Any:
    """All that can stand in a Consent and is of the one that ended, much of it such as fhir-consent refuses."""
    made = consents.dress(document)
    made["text"]["status"] = "additional"
    made["meta"]["security"] = [code(f"{consents.V3}Confidentiality", "V")]
    made["contained"] = [{"resourceType": "Patient", "id": "p"}]
    made["verification"] = [{"verified": True}]
    made["category"] = [{"text": "forskning"}]
    made["extension"].append({"url": "urn:x", "valueBoolean": True})
    made["performer" if "patient" in made else "grantor"].append({"reference": "Practitioner/1"})
    rule = made["provision"] if "patient" in made else made["provision"][0]
    rule["period"] = {"end": "2026-12-31T12:00:00+01:00"}
    rule["purpose"] = [code("urn:x", "profit")]
    rule["data"] = [{"meaning": "instance", "reference": {"reference": "Observation/1"}}]
    if "patient" in made:
        made["policy"] = [{"uri": "urn:x"}]
        made["scope"] = {"text": "forskning"}
    else:
        made["grantee"] = [{"reference": "Organization/2"}]
        made["policyText"] = [{"reference": "DocumentReference/2"}]
        made["policyBasis"] = {"url": "https://x.example"}
    return made


@pytest.mark.parametrize("make", [ended_r4, ended_r5])
def test_nothing_of_the_consent_that_ended_stands_in_the_way(make: Callable[[], Any]) -> None:
    """Whatever it said but its decision: a withdrawal that is turned away is a leak."""
    plain = {**make(), "extension": []}
    del plain["extension"]
    dressed = _left(make())
    dressed["meta"]["lastUpdated"] = ENDED_AT
    dressed["extension"] = [e for e in dressed["extension"] if "consent" in e["url"] or e["url"] == "urn:x"]

    assert read(dressed) == read(plain)


def test_every_element_that_is_left_behind_is_listed_with_a_reason() -> None:
    readme = README.read_text(encoding="utf-8").partition("## Left behind")[2]

    assert [name for name in reading.LEFT if name not in readme and name not in ("id", "decision")] == []


MODIFIER = {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}
REFUSED: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "a consent that holds": (lambda c: c.update(status="active"), {("status", "code")}),
    "a consent that was not given": (lambda c: c.update(status="rejected"), {("status", "code")}),
    "another resource": (lambda c: c.update(resourceType="Contract"), {("resourceType", "value")}),
    "a modifier": (lambda c: c.update(MODIFIER), {("modifierExtension", "not-read")}),
    "rules elsewhere": (lambda c: c.update(implicitRules="urn:x"), {("implicitRules", "not-read")}),
    "a modifier in the rule": (
        lambda c: c["provision"].update(MODIFIER), {("provision.modifierExtension", "not-read")},
    ),
    "a modifier deep in the rule": (
        lambda c: c["provision"]["actor"][1].update(MODIFIER), {("provision.actor[1].modifierExtension", "not-read")},
    ),
    "a modifier in what is contained": (
        lambda c: c.update(contained=[{"resourceType": "Patient", **MODIFIER}]),
        {("contained[0].modifierExtension", "not-read")},
    ),
    "rules elsewhere in what is contained": (
        lambda c: c.update(contained=[{"resourceType": "Patient", "implicitRules": "urn:x"}]),
        {("contained[0].implicitRules", "not-read")},
    ),
    "a status with something beside it": (
        lambda c: c.update(_status={"extension": [{"url": "urn:x", "valueBoolean": True}]}), {("_status", "not-read")},
    ),
    "no series": (lambda c: c.update(identifier=c["identifier"][1:]), {("identifier", "missing")}),
    "only the message that gave it, and an id": (
        lambda c: c.update(id="c-1", identifier=c["identifier"][1:]), {("identifier", "missing")},
    ),
    "two series": (
        lambda c: c["identifier"].append({"system": "urn:x", "value": "s-2"}), {("identifier[2].system", "unique")},
    ),
    "two ids of this message": (
        lambda c: c["identifier"].extend({"system": f"{OURS}withdrawal", "value": v} for v in "ab"),
        {("identifier[3].system", "unique"), ("identifier", "count")},
    ),
    "a series that is no id": (
        lambda c: c["identifier"][0].update(value="en serie"), {("identifier", "value")},
    ),
    "nobody": (lambda c: c.pop("patient"), {("patient", "missing")}),
    "a person without a number": (
        lambda c: c.update(patient={"reference": "Patient/1"}), {("patient.identifier", "missing")},
    ),
    "a group": (lambda c: c["patient"].update(type="Group"), {("patient.type", "value")}),
    "a number of another system": (
        lambda c: c["patient"]["identifier"].update(system="urn:x"), {("patient.identifier.system", "code")},
    ),
    "no time": (
        lambda c: (c["meta"].pop("lastUpdated"), c.pop("dateTime")), {("meta.lastUpdated", "missing")},
    ),
    "a time that is none": (
        lambda c: c["meta"].update(lastUpdated="i dag"), {("meta.lastUpdated", "datatype")},
    ),
    "of both releases": (lambda c: c.update(grantor=[{"reference": "Patient/1"}]), {
        ("body", "release"), ("?", "unknown-element"),
    }),
    "no FHIR in what is left behind": (
        lambda c: c["provision"].update(period={"end": "snart"}), {("provision.period.end", "datatype")},
    ),
    "an element that FHIR has not": (lambda c: c.update(why="x"), {("?", "unknown-element")}),
    "a signature that is none": (
        lambda c: c["extension"].append({"url": words.WITHDRAWN_SIGNED}), {("extension[11].valueBoolean", "missing")},
    ),
    "a signature in words": (
        lambda c: c["extension"].append({"url": words.WITHDRAWN_SIGNED, "valueString": "ja"}),
        {("extension[11].valueBoolean", "missing"), ("extension[11].valueString", "not-read")},
    ),
    "signed twice": (
        lambda c: c["extension"].extend({"url": words.WITHDRAWN_SIGNED, "valueBoolean": v} for v in (True, False)),
        {("extension[12].url", "unique")},
    ),
    "withdrawn at no time": (
        lambda c: c["extension"].append({"url": words.WITHDRAWN_AT}), {("extension[11].valueDateTime", "missing")},
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "change", "expected"), [(k, *v) for k, v in REFUSED.items()])
def test_what_is_said_of_the_withdrawal_is_understood_or_told(
    name: str, change: Change, expected: set[tuple[str, str]]
) -> None:
    document = ended_r4()
    change(document)

    assert expected <= told_of_ended(document), (name, told_of_ended(document))


def _at(*path: str) -> Callable[[Any], object]:
    def get(record: Any) -> object:
        for step in path:
            record = record.get(step)
        return record

    return get


SERIE, SENT, WHEN = _at("samtykke", "serie"), _at("melding", "sendt"), _at("tidspunkt")
MEANS: dict[str, tuple[Change, Callable[[Any], object], object]] = {
    "its own id is the series": (lambda c: (c.pop("identifier"), c.update(id="c-1")), SERIE, "c-1"),
    "its own id beside that of the message": (
        lambda c: c.update(id="c-1", identifier=[{"system": f"{OURS}withdrawal", "value": "t"}]), SERIE, "c-1",
    ),
    "the identifier before its own id": (lambda c: c.update(id="c-1"), SERIE, SERIES),
    "a message id": (
        lambda c: c["identifier"].append({"system": f"{OURS}withdrawal", "value": "t"}), _at("melding", "id"), "t",
    ),
    "the time it bears": (lambda c: c["meta"].pop("lastUpdated"), SENT, "2026-01-01T10:00:00+01:00"),
    "the day it bears": (
        lambda c: (c["meta"].pop("lastUpdated"), c.update(dateTime="2026-07-01")), SENT, "2026-07-01T00:00:00+02:00",
    ),
    "the time it bears is when it was withdrawn": (
        lambda c: c["meta"].pop("lastUpdated"), WHEN, "2026-01-01T10:00:00+01:00",
    ),
    "the time it bears is older than its state": (lambda c: None, WHEN, ENDED_AT),
    "no time of its own": (lambda c: c.pop("dateTime"), WHEN, ENDED_AT),
    "withdrawn before it was written down": (
        lambda c: c["extension"].append({"url": words.WITHDRAWN_AT, "valueDateTime": "2026-11-01"}),
        WHEN, "2026-11-01T00:00:00+01:00",
    ),
    "signed, said of the consent": (lambda c: None, _at("signert"), None),
    "signed, said of the withdrawal": (
        lambda c: c["extension"].append({"url": words.WITHDRAWN_SIGNED, "valueBoolean": False}), _at("signert"), False,
    ),
    "a name": (lambda c: c["patient"].update(display="Test Testesen"), _at("person", "navn"), "Test Testesen"),
    "no version, though it has one": (lambda c: None, _at("samtykke", "versjon"), None),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "change", "get", "expected"), [(k, *v) for k, v in MEANS.items()])
def test_what_each_element_means(
    name: str, change: Change, get: Callable[[Any], object], expected: object
) -> None:
    document = ended_r4()
    change(document)

    assert get(read(document)) == expected, name


# The id that is made


SAME_MOMENT = datetime.fromisoformat(ENDED_AT).astimezone(timezone(timedelta(hours=5))).isoformat()
NOBODY = number(7)
ANOTHER: list[tuple[Change, bool]] = [
    (lambda c: None, True),
    (lambda c: c.update(status="entered-in-error"), True),
    (lambda c: c["meta"].update(lastUpdated="2026-11-13T09:55:00+01:00"), False),
    (lambda c: c["meta"].update(versionId="6"), False),
    (lambda c: c["identifier"][0].update(value="s-2"), False),
    (lambda c: c["patient"]["identifier"].update(value=NOBODY), False),
    (lambda c: c["meta"].update(lastUpdated=SAME_MOMENT), True),
    (lambda c: c["meta"].update(lastUpdated=f"{SAME_MOMENT[:19]}.0000001{SAME_MOMENT[19:]}"), True),
]


@pytest.mark.parametrize(("change", "same"), ANOTHER)
def test_the_same_state_is_the_same_message_and_another_one_is_not(change: Change, same: bool) -> None:
    other = ended_r4()
    change(other)

    assert (read(other)["melding"]["id"] == read(ended_r4())["melding"]["id"]) is same


DAYS: dict[str, tuple[Change, bool]] = {
    "a day, and a version": (lambda c: c.update(meta={"versionId": "2"}, dateTime="2026-11-11"), False),
    "a day alone": (lambda c: c.update(meta={}, dateTime="2026-11-11"), True),
    "a day of the resource": (lambda c: (c.pop("meta"), c.update(dateTime="2026-11-11")), True),
    "a moment of the resource": (lambda c: (c.pop("meta"), c.update(dateTime=ENDED_AT)), False),
    "a day alone, and an id": (
        lambda c: (c.pop("meta"), c.update(dateTime="2026-11-11"), c["identifier"].append(
            {"system": "urn:brobygger:withdrawal", "value": "w-1"})), False,
    ),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("change", "told_so"), DAYS.values(), ids=DAYS.keys())
def test_two_withdrawals_of_one_day_cannot_be_told_apart(change: Change, told_so: bool) -> None:
    """Taken for the same message, the second would have no effect."""
    document = ended_r4()
    change(document)

    assert (("meta.lastUpdated", "once") in told_of_ended(document)) is told_so


LASTS = {
    "2026-11-11T09:30:00.1234567+01:00": "2026-11-11T09:30:00.123456+01:00",
    "2026-11-11T23:59:60Z": "2026-11-11T23:59:59Z",
}


@pytest.mark.parametrize(("said", "sent"), LASTS.items())
def test_nothing_is_refused_for_the_digits_of_a_second(said: str, sent: str) -> None:
    document = ended_r4()
    document["meta"]["lastUpdated"] = said

    assert read(document)["melding"]["sendt"] == sent


def test_a_withdrawal_told_without_seconds_is_written_with_them() -> None:
    record = {**copy.deepcopy(RECORD), "tidspunkt": "2026-11-11T14:30+01:00"}
    full = Record("samtykke.trukket", {**record, "tidspunkt": "2026-11-11T14:30:00+01:00"})

    assert [one.parse(one.render(Record("samtykke.trukket", record))) for one in ADAPTERS] == [full, full]


def test_the_id_of_a_withdrawal_says_no_series_of_a_consent_given_again() -> None:
    """A resource that went back to active, with that id still on it."""
    again = {**ended_r4(), "status": "active", "id": "c-1"}
    again["identifier"] = [{"system": "urn:brobygger:withdrawal", "value": "w-1"}]

    found = read_given(again, lambda reference: None)
    again["identifier"] += ended_r4()["identifier"]  # with one of a series and one of a message beside it
    beside = read_given(again, lambda reference: None)

    assert found.get("samtykke.serie") == "c-1"
    assert beside.get("samtykke.serie") == SERIES


def test_the_id_of_the_longest_series_is_an_id() -> None:
    document = ended_r4()
    document["identifier"][0]["value"] = "s" * 100
    document["meta"]["versionId"] = "v" * 64

    assert TYPES["samtykke.trukket"].check(read(document)) == ()


def test_that_nobody_signed_it_is_written_and_read() -> None:
    record = Record("samtykke.trukket", {**RECORD, "signert": False})

    assert [one.parse(one.render(record)) for one in ADAPTERS] == [record, record]


# Notices, and what is not written

NOTICE: Json = {
    "melding": {"id": "n-1", "sendt": ENDED_AT, "svar_pa": "u-1"}, "person": {"id": consents.PERSON},
    "tidspunkt": ENDED_AT,
}  # one row per case # fmt: skip


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
def test_a_notice_names_no_series_and_comes_back(adapter: Any) -> None:
    body = adapter.render(Record("samtykke.trukket", NOTICE))

    assert adapter.parse(body).fields == NOTICE
    assert SERIES.encode() not in body
    assert b"provision" not in body
    assert b"consent:trukket" not in body  # it was withdrawn when it was sent


def test_a_notice_has_an_id_and_answers_something() -> None:
    document = json.loads(ADAPTER.render(Record("samtykke.trukket", NOTICE)))
    nameless = {**document, "identifier": []}
    del nameless["identifier"]

    assert told_of_ended(nameless) == {("identifier", "missing")}
    assert told_of_ended({**document, "extension": document["extension"][:-1] or None} | {"extension": [
        {"url": "urn:x", "valueBoolean": True}
    ]}) == {("identifier", "missing")}  # fmt: skip  # one line per document


UNWRITABLE: dict[str, Change] = {
    "one version": lambda r: r["samtykke"].update(versjon=2),
    "refusals, too": lambda r: r["samtykke"].pop("beslutning"),
    "what was refused": lambda r: r["samtykke"].update(beslutning="nekt"),
    "everything": lambda r: (r.pop("samtykke"), r.update(omfang="alle_samtykker")),
    "everything beside a series": lambda r: r.update(omfang="alle_samtykker"),
    "no series, and it answers nothing": lambda r: (r.pop("samtykke"), r["melding"].pop("svar_pa")),
    "no id": lambda r: r["melding"].pop("id"),
    "nobody": lambda r: r.pop("person"),
    "no time": lambda r: r.pop("tidspunkt"),
    "sent at a time without seconds": lambda r: r["melding"].update(sendt="2026-11-11T14:30+01:00"),
    "a field nobody knows": lambda r: r["samtykke"].update(notat="x"),
}


@pytest.mark.parametrize("change", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_what_would_not_be_read_as_the_same_withdrawal_is_not_written(change: Change) -> None:
    record = copy.deepcopy(RECORD)
    change(record)

    for one in ADAPTERS:
        with pytest.raises(HubError, match=r"render\.incomplete"):
            one.render(Record("samtykke.trukket", record))


def test_a_consent_given_is_not_written_as_a_withdrawal_or_the_other_way() -> None:
    with pytest.raises(HubError, match=r"render\.incomplete"):
        ADAPTER.render(Record("samtykke.gitt", consents.RECORD))
    with pytest.raises(HubError, match=r"render\.incomplete"):
        GIVEN[0].render(Record("samtykke.trukket", RECORD))


def test_where_it_went_is_told_by_the_one_that_reads_what_is_given() -> None:
    """Whoever asks fhir-consent by name for one that has ended, hears who reads it."""
    with pytest.raises(HubError) as refused:
        GIVEN[0].parse(json.dumps(ended_r4()).encode())

    assert {f.at: f.expected for f in refused.value.findings}["status"].endswith("fhir-withdrawal")


@pytest.mark.parametrize("status", ["active", "inactive", "entered-in-error", "draft"])
def test_a_withdrawal_that_still_says_active_is_told_at_its_status(status: str) -> None:
    document = json.loads((EXAMPLES / "trukket.json").read_text()) | {"status": status}
    body = json.dumps(document, indent=1).encode()

    with pytest.raises(HubError) as refused:
        GIVEN[0].parse(body)

    told = {finding.at: finding.expected for finding in refused.value.findings}
    assert told["status"].startswith("inactive or entered-in-error: ")
    assert not [place for place in told if place.startswith("extension")]


def test_an_extension_that_nobody_has_is_told_once() -> None:
    document = consents.r4()
    document.setdefault("extension", []).append({"url": "urn:example:x", "valueString": "x"})

    with pytest.raises(HubError) as refused:
        read_given(document)

    assert [finding.rule for finding in refused.value.findings] == ["code"]
