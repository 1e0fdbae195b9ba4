"""Understands that it is carried which document an epikrise is, and which earlier ones it replaces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adapters
from adapters.fhir_epikrise import beyond, identity, writing
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.kith_epikrise.adapter import ADAPTERS as KITH
from consent.code_lists import load_codes
from consent.labels import label
from hub.errors import HubError
from hub.message import Category, Record
from mappings.types import load_types
from tests.adapters.foreign import document
from tests.adapters.test_fhir_epikrise_words import Part, read, refused
from tests.mutating import each, expect_noticed, rows

EXAMPLE = Path(adapters.__file__).parent / "kith_epikrise/examples/epikrise-1.2.xml"
NUMBER = {"system": "urn:x", "value": "D-1"}
AGAIN = {"code": "replaces", "targetIdentifier": NUMBER}
TYPES = load_types()


def composed(**elements: Any) -> Any:
    made = document()
    made["entry"][0]["resource"].update(elements)
    return made


def called(text: str, **category: Any) -> Any:
    made = composed(**category)
    made["entry"][0]["resource"]["type"]["text"] = text
    return made


# ------------------------------------------------------------------------------- what it replaces


def test_the_number_of_the_document_is_carried() -> None:
    record = read(composed(identifier=NUMBER))

    assert (record.get("dokument"), record.get("handling")) == ("D-1", None)


@pytest.mark.parametrize("related", [AGAIN, {"code": "replaces", "targetReference": {"identifier": NUMBER}}])
def test_a_document_that_replaces_earlier_ones_is_a_change(related: Part) -> None:
    record = read(composed(identifier=NUMBER, relatesTo=[related]))

    assert (record.get("dokument"), record.get("handling")) == ("D-1", "M")
    composition = json.loads(ADAPTERS[0].render(record))["entry"][0]["resource"]
    assert composition["relatesTo"] == [{"code": "replaces", "targetIdentifier": {"value": "D-1"}}]


def test_a_change_is_one_in_kith_and_back() -> None:
    parties = {"avsender": "310000019", "mottaker": "310000027", "id": "0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c10"}
    given = read(composed(identifier=NUMBER, relatesTo=[AGAIN]))
    change = Record(given.type, {**given.fields, "melding": {**given.fields["melding"], **parties}})

    again = ADAPTERS[0].parse(ADAPTERS[0].render(KITH[1].parse(KITH[1].render(change))))

    assert (again.get("dokument"), again.get("handling")) == ("D-1", "M")


def test_a_change_that_names_no_document_is_one_all_the_same() -> None:
    record = KITH[1].parse(EXAMPLE.read_bytes())
    fields = {name: value for name, value in record.fields.items() if name != "dokument"}

    body = ADAPTERS[0].render(Record(record.type, {**fields, "handling": "M"}))

    assert not {"relatesTo", "identifier"} & json.loads(body)["entry"][0]["resource"].keys()
    assert ADAPTERS[0].parse(body).get("handling") == "M"


@pytest.mark.parametrize(("status", "handling"), [("final", None), ("amended", "M")])
def test_a_document_that_stands_is_new_or_a_change(status: str, handling: str | None) -> None:
    record = read(composed(status=status))

    assert record.get("handling") == handling
    written = json.loads(ADAPTERS[0].render(record))
    assert written["entry"][0]["resource"]["status"] == status


@pytest.mark.parametrize("status", ["preliminary", "entered-in-error"])
def test_a_document_that_does_not_stand_is_told_at_its_status(status: str) -> None:
    with pytest.raises(HubError) as told:
        read(composed(status=status))

    assert [(one.at.rpartition(".")[2], one.rule, one.expected) for one in told.value.findings] == [
        ("status", "value", "final or amended")
    ]


def test_what_it_was_made_from_is_left_behind() -> None:
    made = composed(identifier=NUMBER, relatesTo=[{"code": "transforms", "targetIdentifier": {"value": "x"}}])

    assert read(made).get("handling") is None


OTHER = {"value": "kanari"}
RELATED: dict[str, tuple[Part, str, str]] = {
    "another one": ({"code": "replaces", "targetIdentifier": OTHER}, "targetIdentifier.value", "value"),
    "another one by a reference": (
        {"code": "replaces", "targetReference": {"identifier": OTHER}}, "targetReference.identifier.value", "value",
    ),
    "the same number elsewhere": (
        {"code": "replaces", "targetIdentifier": {**NUMBER, "system": "urn:elsewhere"}}, "targetIdentifier.system", "value",
    ),
    "the same number elsewhere by a reference": (
        {"code": "replaces", "targetReference": {"identifier": {**NUMBER, "system": "urn:elsewhere"}}},
        "targetReference.identifier.system", "value",
    ),
    "one that has no number": (
        {"code": "replaces", "targetReference": {"reference": "Composition/1"}}, "targetReference.identifier", "missing",
    ),
    "an addition": ({"code": "appends", "targetIdentifier": NUMBER}, "code", "code"),
    "a signature": ({"code": "signs", "targetIdentifier": NUMBER}, "code", "code"),
}  # one row per case # fmt: skip


@pytest.mark.parametrize(("related", "at", "rule"), RELATED.values(), ids=RELATED)
def test_what_cannot_be_said_of_an_earlier_one_is_told(related: Part, at: str, rule: str) -> None:
    made = composed(identifier=NUMBER, relatesTo=[related])

    assert refused(made) == [(f"entry[0].resource.relatesTo[0].{at}", rule)]


def test_a_change_without_a_number_of_its_own_is_refused() -> None:
    assert refused(composed(relatesTo=[AGAIN])) == [
        ("entry[0].resource.relatesTo[0].targetIdentifier.value", "value")
    ]


# ------------------------------------------------------------------------------- what it is called

REPORT = {
    "category": [{"coding": [{"system": "http://loinc.org", "code": "LP173421-1", "display": "Rapport A"}]}]
}


@pytest.mark.parametrize("text", ["Epikrise", "EPIKRISE", "Discharge summary", "34105-7"])
def test_a_name_that_says_no_more_than_the_code_is_not_said(text: str) -> None:
    assert read(called(text)).get("beskrivelse") is None


def test_what_kind_of_summary_it_is_is_carried() -> None:
    more = json.loads(json.dumps(REPORT))
    more["category"][0]["text"] = "Etter avrusning"

    assert read(called("Tverrfaglig epikrise")).get("beskrivelse") == "Tverrfaglig epikrise"
    assert (
        read(called("Tverrfaglig epikrise", **more)).get("beskrivelse")
        == "Tverrfaglig epikrise / Etter avrusning"
    )
    more["category"][0]["text"] = "rapport a"
    assert read(called("Epikrise", **more)).get("beskrivelse") is None


def test_what_kind_of_summary_it_is_is_labelled_by_its_words() -> None:
    record = read(called("Epikrise etter avrusning for opioidavhengighet"))

    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items
    [said] = [item for item in items if item.path == "beskrivelse"]

    assert Category.SUBSTANCE_USE in said.categories


def test_a_name_that_every_summary_has_is_not_written() -> None:
    record = KITH[1].parse(EXAMPLE.read_bytes())

    for given, expected in (("epikrise", None), ("Poliklinisk", "Poliklinisk")):
        said = Record(record.type, {**record.fields, "beskrivelse": given})
        assert ADAPTERS[0].as_said(said).get("beskrivelse") == expected
        assert ADAPTERS[0].parse(ADAPTERS[0].render(said)).get("beskrivelse") == expected


# --------------------------------------------------------------------------------- each check is needed

TESTS: list[Callable[..., Any]] = [
    test_the_number_of_the_document_is_carried,
    test_a_document_that_replaces_earlier_ones_is_a_change,
    test_a_change_is_one_in_kith_and_back,
    test_a_change_that_names_no_document_is_one_all_the_same,
    test_a_document_that_stands_is_new_or_a_change,
    test_a_document_that_does_not_stand_is_told_at_its_status,
    test_what_it_was_made_from_is_left_behind,
    test_what_cannot_be_said_of_an_earlier_one_is_told,
    test_a_change_without_a_number_of_its_own_is_refused,
    test_a_name_that_says_no_more_than_the_code_is_not_said,
    test_what_kind_of_summary_it_is_is_carried,
    test_a_name_that_every_summary_has_is_not_written,
]


@each(
    [
        (identity, "names = set(NAMES)", "names: set[str] = set()"),
        (identity, "for name in (code, display) if name}", "for name in (code,) if name}"),
        (identity, "for name in (code, display) if name}", "for name in (display,) if name}"),
        (identity, "dict.fromkeys(names)", "names[:1]"),
        (identity, 'if code == "transforms":', "if False:"),
        (identity, 'if code != "replaces":', "if False:"),
        (identity, "handling = CHANGE", "pass"),
        (identity, "or STATUSES.get(str(status))", ""),
        (identity, "status not in STATUSES", "False"),
        (identity, "if value != number:", "if False:"),
        (identity, "elif of_system not in (None, system):", "elif False:"),
        (identity, 'related.fault(at, "missing", _SAME)', "pass"),
        (writing, 'text=record.get("beskrivelse")', "text=None"),
        (writing, "if change and number else None", "if False else None"),
        (writing, "if change and number else None", "if change else None"),
        (writing, '"amended" if change else "final"', '"final"'),
        (beyond, 'fields.pop("beskrivelse", None)', "pass"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
