"""Understands that a fault of a table or a schema is told of it, and a name that is taken, too."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import brik_xml
from hub.errors import HubError
from hub.kit.checked import cases, loaded
from hub.kit.conform import conform, lint
from hub.kit.declared import schema_faults, table_faults
from hub.kit.homes import OURS
from hub.kit.new import files
from hub.message import Record

HUB = loaded()

CASE = next(cases("brik-xml", HUB))


def without(*names: str) -> Callable[[Record], bytes]:
    return lambda record: CASE.adapter.render(
        Record(record.type, {k: v for k, v in record.fields.items() if k not in names})
    )


TABLES = [
    ('{"a": "person.id", "b": {"c": "melding.id"}, "f": {"=": "x/1"}}', []),
    ('{"a": "person.nummer"}', [("fields.json a", "path")]),
    ('{"a": {"b": "person"}}', [("fields.json a.b", "path")]),
    ('{"a": {"[]": "person", "b": "id"}}', [("fields.json a", "path")]),
    ('{"a": 1}', [("fields.json a", "table")]),
    ("[]", [("fields.json", "table")]),
    ('{"a": ', [("fields.json", "json")]),
]


@pytest.mark.parametrize(("body", "expected"), TABLES)
def test_a_fault_of_the_table_is_told_of_the_table(body: str, expected: list[tuple[str, str]]) -> None:
    found = table_faults(body.encode(), HUB.types["opphold.loslatelsesdato"])

    assert [(fault.at, fault.rule) for fault in found] == expected


def test_lint_looks_at_the_table_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "fields.json").write_text("{", encoding="utf-8")
    home = replace(CASE.home, folder=tmp_path)

    found = {check.name: check for check in lint(replace(CASE, home=home))}

    assert [(fault.at, fault.rule) for fault in found["table"].findings] == [("fields.json", "json")]


@pytest.mark.parametrize(("reason", "rules"), [("too short", {"reason"}), ("long enough", set())])
def test_a_reason_that_is_too_short_is_told_as_that(reason: str, rules: set[str]) -> None:
    left = replace(CASE.adapter, render=without("bolig"), loses={"bolig": reason})

    checks = {check.name: check for check in conform(replace(CASE, adapter=left), made=1, inputs=1)}

    assert {fault.rule for fault in checks["fields"].findings if fault.at.startswith("loses")} == rules


MODULES = sorted(path.stem for path in OURS.glob("*.py"))
FOLDERS = sorted(path.name for path in OURS.iterdir() if path.is_dir())
WORDS = ["class", "import", "2a", "a b", "A", "a-", "_a", "__init__", "../a"]
REFUSED = [
    *((name, False) for name in (*MODULES, *FOLDERS, *WORDS, "fhir-consent-xml", "kith-epikrise")),
    *((name, True) for name in (*WORDS, "json", "email", "hub", "adapters", "mappings", "lxml", "click")),
    *((name, True) for name in ("brik-xml", "typing-extensions")),
]


@pytest.mark.parametrize(("name", "package"), REFUSED)
def test_a_name_that_something_else_has_is_refused_and_says_what_to_do(name: str, package: bool) -> None:
    with pytest.raises(HubError, match=r"adapter\.invalid") as refused:
        files(name, HUB.types["opphold.loslatelsesdato"], "json", package=package)

    [finding] = refused.value.findings
    assert (finding.at, finding.rule) == ("NAME", "name")


@pytest.mark.parametrize(("name", "package"), [("nordpost", False), ("json", False), ("apprec", True)])
def test_a_name_that_hides_nothing_is_taken(name: str, package: bool) -> None:
    assert files(name, HUB.types["opphold.loslatelsesdato"], "json", package=package)


def test_the_test_of_a_new_adapter_counts_nothing() -> None:
    made = files("nordpost", HUB.types["opphold.loslatelsesdato"], "json", package=False)

    assert "walk(" not in made["tests/adapters/test_nordpost.py"]


SCHEMA = (Path(brik_xml.__file__).parent / "schema.xsd").read_text(encoding="utf-8")
ONE_MORE = '<xs:element name="{}" type="b:{}" minOccurs="0"/>'


def test_a_schema_is_of_the_type() -> None:
    assert list(schema_faults(SCHEMA.encode(), HUB.types["brik.kartlegging"])) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("</xs:schema>", "", [("schema.xsd", "tag-not-finished")]),
        ("<xs:simpleType", "<xs:simpleTypes", [("schema.xsd", "schema")]),
        ("<xs:sequence>", "<xs:choice>", [("schema.xsd", "schema")]),
    ],
)
def test_what_is_wrong_with_a_schema_is_told_before_anything_runs(
    old: str, new: str, told: list[tuple[str, str]]
) -> None:
    spoiled = SCHEMA.replace(old, new).replace(old.replace("<", "</"), new.replace("<", "</"))

    found = list(schema_faults(spoiled.encode(), HUB.types["brik.kartlegging"]))

    assert [(one.at, one.rule) for one in found] == told


def test_an_element_that_is_no_field_is_told() -> None:
    first = re.search(r'<xs:element name="[A-Za-z]+" type="b:([A-Za-z]+)"[^>]*/>', SCHEMA)
    assert first
    spoiled = SCHEMA.replace(first[0], first[0] + ONE_MORE.format("IngenFelt", first[1]), 1)

    [found] = schema_faults(spoiled.encode(), HUB.types["brik.kartlegging"])

    assert (found.rule, found.at.endswith("ingen_felt")) == ("path", True)


@pytest.mark.parametrize("folder", ["nav_apprec", "nav_dialog"])
def test_a_folder_answers_for_its_own_adapters_and_not_for_those_it_builds_on(folder: str) -> None:
    here = list(cases(folder, HUB))

    assert here
    assert all(case.adapter.name.startswith(folder.replace("_", "-")) for case in here)
    assert [check for case in here for check in lint(case) if not check.holds] == []
