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
from hub.message import Record, walk
from mappings import types
from mappings.fields import Kind
from mappings.types import TypeSpec, load_types
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


# -- where only the type knows which text is a time: plain JSON, and JSON by a table --

BRIK = TYPES["brik.kartlegging"]


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({"melding": {"sendt": FINE}}, {"melding": {"sendt": "2026-10-21T09:30:00.123456+02:00"}}),
        ({"melding": {"sendt": 7}}, {"melding": {"sendt": 7}}),
        ({"melding": [FINE]}, {"melding": [FINE]}),
        ({"melding": FINE, "enhet": FINE}, {"melding": FINE, "enhet": FINE}),
        ({"melding": {"id": FINE, "ukjent": FINE}}, {"melding": {"id": FINE, "ukjent": FINE}}),
        ({"ukjent": {"sendt": FINE}}, {"ukjent": {"sendt": FINE}}),
    ],
)
def test_a_type_cuts_its_times_and_nothing_else(fields: dict[str, Any], held: dict[str, Any]) -> None:
    assert BRIK.in_microseconds(Record("brik.kartlegging", fields)).fields == held


def test_times_in_lists_are_cut() -> None:
    for name, spec in TYPES.items():
        for moment in (one for one in spec.scalars if one.kind is Kind.DATETIME):
            fields = _at(spec, moment.path, FINE)
            cut = spec.in_microseconds(Record(name, fields))
            assert [value for _, value in walk(cut.fields)] == ["2026-10-21T09:30:00.123456+02:00"], (
                moment.path
            )


def _at(spec: TypeSpec, path: str, value: str) -> dict[str, Any]:
    """A record that says nothing but this."""
    said: Any = value
    for end in range(path.count("."), -1, -1):
        here = spec.field(".".join(path.split(".")[: end + 1]))
        said = {here.name: [said] if here.many else said}
    return dict(said)


TESTS: list[Callable[..., Any]] = [
    test_a_time_has_at_most_six_digits_of_a_second,
    test_a_text_that_looks_like_one_stays_as_it_is,
    test_a_type_cuts_its_times_and_nothing_else,
    test_times_in_lists_are_cut,
]


@each(
    [
        (xsd, "to_microseconds(text.strip())", "text.strip()"),
        (types, "spec.kind is Kind.DATETIME and ", ""),
        (types, "        return [_cut(spec, element) for element in value]", "        return value"),
        (types, "        return _in_microseconds(spec.children, value)", "        return value"),
        (xsd, "            return text\n", "            return to_microseconds(text)\n"),
    ]
)
def test_each_check_is_needed(where: ModuleType, old: str, new: str) -> None:
    expect_noticed(where, old, new, lambda: (case for test in TESTS for case in rows(test)))
