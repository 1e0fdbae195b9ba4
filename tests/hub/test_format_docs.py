"""Understands that the published BRIK format says of every element who gets it and why it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

import adapters
from adapters.brik_xml.adapter import ADAPTER, FORMAT
from adapters.xsd import leaves
from hub.format_docs import pages, reasons, unreasoned
from mappings.agreements import load_agreements
from mappings.types import load_types

EXAMPLES = Path(adapters.__file__).parent / "brik_xml/examples"
PAGE = pages("")["formats/brik.md"]
TYPES = load_types()


def test_every_element_has_a_reason_and_every_reason_an_element() -> None:
    assert unreasoned(reasons(), leaves(FORMAT.root)) == []


@pytest.mark.parametrize("gone", ["rus.lar", "melding.id", "*.behov", "rus.audit.svar"])
def test_a_missing_reason_is_noticed(gone: str) -> None:
    said = {field: why for field, why in reasons().items() if field != gone}

    left = unreasoned(said, leaves(FORMAT.root))

    assert left
    assert all(field == gone or field.endswith(gone.removeprefix("*")) for field in left)


def test_a_reason_for_nothing_is_noticed() -> None:
    assert unreasoned({**reasons(), "rus.gone": "Why?"}, leaves(FORMAT.root)) == ["rus.gone"]


def test_every_element_stands_on_the_page_with_its_labels_its_reason_and_who_gets_it() -> None:
    agreements = [one for one in load_agreements(TYPES) if one.source.type == ADAPTER.type]
    rows = [row for row in PAGE.splitlines() if row.startswith("| `") and row.count(" | ") == 4]
    told = {row.split("`")[1]: row for row in rows}
    fields = list(leaves(FORMAT.root))
    wanted = {field: "/".join(_element(part) for part in field.split(".")) for field in fields}

    assert [path for path in wanted.values() if path not in told] == []
    for field, path in wanted.items():
        spec, row = TYPES[ADAPTER.type].by_path[field], told[path]
        to = {one.id for one in agreements if f"agreement-{one.id}.md" in row}
        why = reasons().get(field) or reasons()["*." + field.rpartition(".")[2]]
        assert to == {one.id for one in agreements if field in one.carries}, field
        assert why in row
        assert spec.says.nb in row
        assert f"| {', '.join(sorted(label.value for label in spec.labels))} |" in row


def _element(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def test_every_example_is_on_the_page_and_holds() -> None:
    files = sorted(EXAMPLES.glob("*"))

    assert len(files) == 3
    for file in files:
        assert f"examples/{file.name})" in PAGE
        record = ADAPTER.parse(file.read_bytes())
        assert TYPES[record.type].check(record.fields) == ()


def test_the_page_shows_a_real_refusal_with_its_places() -> None:
    refusal = PAGE.partition("## A refusal")[2].partition("##")[0]

    assert "`parse.invalid`" in refusal
    assert [row.split(" | ")[1:4] for row in refusal.splitlines() if row.startswith("| `/")] == [
        ["2", "1", "`missing`"],
        ["10", "3", "`datatype-valid-1-2-1`"],
        ["13", "5", "`enumeration-valid`"],
    ]
