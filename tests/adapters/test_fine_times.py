"""Understands that a time which says more than microseconds, as .NET and Java write it, is read in XML that a
schema of ours describes; and that nothing but a time is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import adapters
from adapters import xsd
from adapters.brik_xml.adapter import ADAPTER
from mappings.types import load_types
from tests.mutating import each, expect_noticed, rows

EXAMPLE = (Path(adapters.__file__).parent / "brik_xml/examples/kartlegging.xml").read_text()
TYPES = load_types()
FINE = "2026-10-21T09:30:00.1234567+02:00"


@pytest.mark.parametrize(
    ("wire", "held"),
    [
        (FINE, "2026-10-21T09:30:00.123456+02:00"),
        ("2026-10-21T07:30:00.123456789Z", "2026-10-21T07:30:00.123456Z"),
        ("2026-10-21T09:30:00.123456+02:00", "2026-10-21T09:30:00.123456+02:00"),
        ("2026-10-21T09:30:00+02:00", "2026-10-21T09:30:00+02:00"),
    ],
)
def test_a_time_has_at_most_six_digits_of_a_second(wire: str, held: str) -> None:
    record = ADAPTER.parse(EXAMPLE.replace("2026-10-21T09:30:00+02:00", wire).encode())

    assert record.fields["melding"]["sendt"] == held
    assert TYPES["brik.kartlegging"].check(record.fields) == ()


def test_a_text_that_looks_like_one_stays_as_it_is() -> None:
    record = ADAPTER.parse(EXAMPLE.replace("Furulund fengsel", FINE).encode())

    assert record.fields["enhet"] == FINE


TESTS: list[Callable[..., Any]] = [
    test_a_time_has_at_most_six_digits_of_a_second,
    test_a_text_that_looks_like_one_stays_as_it_is,
]


@each(
    [
        (xsd, "to_microseconds(text.strip())", "text.strip()"),
        (xsd, "            return text\n", "            return to_microseconds(text)\n"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
