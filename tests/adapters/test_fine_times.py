"""Understands that a time which says more than microseconds, as .NET and Java write it, is read in our own
formats and in those that a table describes; and that nothing else is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adapters
from adapters import safe_json, xsd
from adapters.brik_xml.adapter import ADAPTER as BRIK
from adapters.json_table import JsonTable
from adapters.plain_json.adapter import adapter_for
from mappings.types import load_types
from tests.mutating import each, expect_noticed, rows

FOLDER = Path(adapters.__file__).parent
BRIK_XML = (FOLDER / "brik_xml/examples/kartlegging.xml").read_text()
RELEASE = json.loads((FOLDER / "plain_json/examples/loslatelsesdato.json").read_text())
TYPES = load_types()

READ = [
    ("2026-10-21T09:30:00.1234567+02:00", "2026-10-21T09:30:00.123456+02:00"),
    ("2026-10-21T07:30:00.123456789Z", "2026-10-21T07:30:00.123456Z"),
    ("2026-10-21T09:30:00.123456+02:00", "2026-10-21T09:30:00.123456+02:00"),
    ("2026-10-21T09:30:00+02:00", "2026-10-21T09:30:00+02:00"),
]


@pytest.mark.parametrize(("wire", "held"), READ)
def test_xml_by_a_schema(wire: str, held: str) -> None:
    record = BRIK.parse(BRIK_XML.replace("2026-10-21T09:30:00+02:00", wire).encode())

    assert record.fields["melding"]["sendt"] == held
    assert TYPES["brik.kartlegging"].check(record.fields) == ()


@pytest.mark.parametrize(("wire", "held"), READ)
def test_plain_json(wire: str, held: str) -> None:
    said: Any = {**RELEASE, "melding": {**RELEASE["melding"], "sendt": wire}}
    record = adapter_for("opphold.loslatelsesdato").parse(json.dumps(said).encode())

    assert record.fields["melding"]["sendt"] == held
    assert TYPES["opphold.loslatelsesdato"].check(record.fields) == ()


@pytest.mark.parametrize(("wire", "held"), READ)
def test_json_by_a_table(wire: str, held: str, tmp_path: Path) -> None:
    (tmp_path / "fields.json").write_text('{"naar": "melding.sendt", "flere": "tider"}')
    record = JsonTable("x", tmp_path / "fields.json").read(
        json.dumps({"naar": wire, "flere": [wire]}).encode()
    )

    assert record.fields == {"melding": {"sendt": held}, "tider": [held]}


@pytest.mark.parametrize(
    "text",
    [
        "1.12345678",
        "2026-10-21T09:30:00.1234567",
        "2026-10-21T09:30:00.1234567890Z",
        "2026-10-21T09:30:00.1234567Z.",
        "Sendt 2026-10-21T09:30:00.1234567Z",
        "2026-10-21T09:30:00.1234567Z\n",
    ],
)
def test_what_is_no_such_time_stays_as_it_is(text: str) -> None:
    assert adapter_for("x").parse(json.dumps({"type": "x", "a": [text]}).encode()).fields == {"a": [text]}


TESTS: list[Callable[..., Any]] = [
    test_xml_by_a_schema,
    test_plain_json,
    test_json_by_a_table,
    test_what_is_no_such_time_stays_as_it_is,
]


@each(
    [
        (xsd, "to_microseconds(text.strip())", "text.strip()"),
        (safe_json, "_FINE.fullmatch(value)", "False"),
        (safe_json, "_FINE.fullmatch(value)", "_FINE.search(value)"),
        (safe_json, "_FINE.fullmatch(value)", "True"),
        (safe_json, "{7,9}", "{7,}"),
        (safe_json, "{7,9}", "{7}"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str, tmp_path: Path) -> None:
    expect_noticed(
        where, old, new, lambda: (case for test in TESTS for case in rows(test, tmp_path=tmp_path))
    )
