"""Understands that what the message type finds wrong is told at the element of FHIR that says it, in both
spellings, with line and column."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.fhir_brik.reading import MODELS as BRIK
from adapters.fhir_consent.resource import models
from adapters.fhir_epikrise.reading import MODELS as EPIKRISE
from adapters.fhir_places import at_fields
from adapters.fhir_task.adapter import MODELS as TASK
from adapters.fhir_tsb.reading import MODELS as TSB
from adapters.fhir_xml import write_fhir_xml
from adapters.registry import adapters_for
from hub.errors import Finding
from hub.message import Record
from mappings.types import load_types

TYPES = load_types()
REGISTRY = adapters_for(TYPES)
FOLDER = Path(adapters.__file__).parent
MODELS = {**EPIKRISE, **TSB, **BRIK, **TASK, **models(frozenset())}
WRONG = "11111111111"


def example(name: str) -> Any:
    return json.loads((FOLDER / name).read_bytes())


def told(name: str, document: Any) -> tuple[bytes, tuple[Finding, ...]]:
    """What the message type says of a document in one spelling, as the hub tells it."""
    adapter = REGISTRY.by_name(name)
    pretty = json.dumps(document, indent=1, ensure_ascii=False).encode()
    body = pretty if not name.endswith("-xml") else write_fhir_xml(document, MODELS).replace(b"><", b">\n<")
    assert adapter.locate is not None
    return body, tuple(adapter.locate(body, TYPES[adapter.type].check(adapter.parse(body).fields)))


def number_of_patient(document: Any) -> Any:
    entries = [one["resource"] for one in document["entry"]]
    return next(one for one in entries if one["resourceType"] == "Patient")["identifier"][0]


def subject(name: str) -> Callable[[Any], Any]:
    return lambda document: document[name]["identifier"]


Case = tuple[str, str, Callable[[Any], Any], str, str, str]
CASES: list[Case] = [
    ("fhir-epikrise", "fhir_epikrise/examples/epikrise.json", number_of_patient, WRONG,
     "entry[1].resource.identifier[0].value", "checksum"),
    ("fhir-epikrise", "fhir_epikrise/examples/epikrise.json",
     lambda d: d["entry"][0]["resource"]["extension"][0]["valueIdentifier"], "310000001",
     "entry[0].resource.extension[0].valueIdentifier.value", "checksum"),
    ("fhir-epikrise", "fhir_epikrise/examples/epikrise.json", lambda d: d["identifier"], "x" * 300,
     "identifier.value", "too-long"),
    ("fhir-tsb", "fhir_tsb/examples/henvisning.json", number_of_patient, WRONG,
     "entry[1].resource.identifier[0].value", "checksum"),
    ("fhir-brik", "fhir_brik/examples/kartlegging.json", subject("subject"), WRONG,
     "subject.identifier.value", "checksum"),
    ("fhir-task", "fhir_task/examples/kvittering.json", subject("for"), WRONG,
     "for.identifier.value", "checksum"),
    ("fhir-consent", "fhir_consent/examples/samtykke_tsb.json", subject("patient"), WRONG,
     "patient.identifier.value", "checksum"),
    ("fhir-withdrawal", "fhir_withdrawal/examples/trukket.json", subject("patient"), WRONG,
     "patient.identifier.value", "checksum"),
    ("fhir-withdrawal", "fhir_withdrawal/examples/trukket.json", lambda d: d["identifier"][2], "x" * 101,
     "identifier[2].value", "too-long"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize("spelled", ["", "-xml"])
@pytest.mark.parametrize(("name", "file", "where", "value", "at", "rule"), CASES)
def test_a_number_is_told_where_it_stands(
    spelled: str, name: str, file: str, where: Callable[[Any], Any], value: str, at: str, rule: str
) -> None:
    document = example(file)
    where(document)["value"] = value

    body, found = told(name + spelled, document)

    lines = body.decode().split("\n")
    line = next(number for number, text in enumerate(lines, 1) if value in text)
    column = len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1
    assert [(one.at, one.rule, one.line, one.column) for one in found] == [(at, rule, line, column)]


def test_a_kommune_and_a_score_are_told_at_their_answer() -> None:
    document = example("fhir_tsb/examples/henvisning.json")
    for entry in document["entry"]:
        for item in entry["resource"].get("item", []):
            if item["linkId"] == "kommuner.folkeregistrert":
                item["answer"][0]["valueString"] = "0000"
            if item["linkId"] == "1":
                item["answer"][0]["valueInteger"] = 77

    _, found = told("fhir-tsb", document)

    assert {(one.at.partition(".")[2], one.rule, (one.line or 0) > 9) for one in found} >= {
        ("resource.item[0].answer[0].valueInteger", "range", True),
        ("resource.item[7].answer[0].valueString", "format", True),
    }


def read(document: Any) -> Record:
    entry = document["entry"]
    return Record("t", {
        "a": {"x": entry[0]["resource"]["x"], "y": entry[0]["resource"]["y"]},
        "b": [{"k": one["k"]} for one in entry[1]["resource"]["many"]],
        "c": document["c"] + "!",
    })  # fmt: skip  # a resource in few lines


DOCUMENT = {
    "entry": [{"resource": {"x": "1", "y": "2"}}, {"resource": {"many": [{"k": 7}, {"k": 8}]}}], "c": "q",
}  # fmt: skip  # one place per line
AT: list[tuple[str, str]] = [
    ("a.x", "entry[0].resource.x"),
    ("a.z", "entry[0].resource"),
    ("a", "a"),
    ("b[1].k", "entry[1].resource.many[1].k"),
    ("b[1].l", "entry[1].resource"),
    ("b[2].k", "entry[1].resource.many"),
    ("b[2]", "entry[1].resource.many"),
    ("c", "c"),
    ("d.e", "d.e"),
    ("", ""),
]


@pytest.mark.parametrize(("at", "expected"), AT)
def test_what_is_not_there_is_told_at_what_is_around_it(at: str, expected: str) -> None:
    (found,) = at_fields([Finding(at, "rule", "x", nb="ventet")], DOCUMENT, read)

    assert found == Finding(expected, "rule", "x", nb="ventet")


def test_what_is_made_of_a_value_is_told_where_that_stands() -> None:
    """A name put together of its parts, a day cut out of a moment, and the text of a narrative."""
    document = example("fhir_epikrise/examples/epikrise.json")
    resources = [entry["resource"] for entry in document["entry"]]
    resources[1]["name"] = [{"given": ["Ask"], "family": "x" * 3000}]
    resources[0]["date"] = "0001-01-01T00:00:00Z"
    resources[0]["section"][2]["text"]["div"] = (
        f'<div xmlns="http://www.w3.org/1999/xhtml">{"y" * 70000}</div>'
    )

    _, found = told("fhir-epikrise", document)

    assert {one.at for one in found} >= {
        "entry[1].resource.name[0].given[0]",
        "entry[0].resource.section[2].text.div",
    }


MADE: list[tuple[str, str, Callable[[Any], object], str]] = [
    ("fhir-consent", "fhir_consent/examples/samtykke_tsb.json",
     lambda d: d.update(dateTime="2026-10"), "dateTime"),
    ("fhir-consent", "fhir_consent/examples/samtykke_tsb.json",
     lambda d: d.update(dateTime="0001-01-01"), "dateTime"),
    ("fhir-withdrawal", "fhir_withdrawal/examples/trukket.json",
     lambda d: d["meta"].update(lastUpdated="0001-01-01T00:00:00.1234567Z"), "meta.lastUpdated"),
    ("fhir-epikrise", "fhir_epikrise/examples/epikrise.json",
     lambda d: d.update(timestamp="0001-01-01T00:00:00.1234567Z"), "timestamp"),
    ("fhir-tsb", "fhir_tsb/examples/henvisning.json",
     lambda d: next(e["resource"] for e in d["entry"] if "AUDIT" in e["resource"].get("questionnaire", ""))
     .update(questionnaire="urn:brobygger:questionnaire:AUDIT|" + "%31" * 21), "questionnaire"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize("spelled", ["", "-xml"])
@pytest.mark.parametrize(("name", "file", "say", "at"), MADE)
def test_what_is_made_of_one_element_is_told_at_that(
    spelled: str, name: str, file: str, say: Callable[[Any], object], at: str
) -> None:
    document = example(file)
    say(document)

    _, found = told(name + spelled, document)

    assert {one.at.rpartition("resource.")[2] for one in found} == {at}


MOMENTS: list[tuple[str, str, str]] = [
    ("fhir-epikrise", "fhir_epikrise/examples/epikrise.json", "timestamp"),
    ("fhir-tsb", "fhir_tsb/examples/henvisning.json", "timestamp"),
    ("fhir-brik", "fhir_brik/examples/kartlegging.json", "authored"),
    ("fhir-task", "fhir_task/examples/kvittering.json", "lastModified"),
    ("fhir-consent", "fhir_consent/examples/samtykke_tsb.json", "dateTime"),
]


@pytest.mark.parametrize("spelled", ["", "-xml"])
@pytest.mark.parametrize(("name", "file", "at"), MOMENTS)
def test_a_leap_second_and_a_fine_fraction_are_times_in_every_type(
    spelled: str, name: str, file: str, at: str
) -> None:
    document = example(file)
    document[at] = "2016-12-31T23:59:60.1234567Z"

    assert told(name + spelled, document)[1] == ()


def test_nothing_that_is_read_for_a_record_knows_a_place() -> None:
    body = (FOLDER / "fhir_epikrise/examples/epikrise.json").read_bytes()

    assert type(REGISTRY.by_name("fhir-epikrise").parse(body).get("person.id")) is str
