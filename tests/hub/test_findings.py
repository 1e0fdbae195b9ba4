"""A finding has a bokmål text: its own, that of its English sentence, or that of its rule."""

from __future__ import annotations

import pytest

from hub.api.problem import document
from hub.errors import RULES_NB, Finding
from mappings.types import load_types

TYPES = load_types()
SPOILED: tuple[object, ...] = (
    *(None, 7, 10**20, True, "", "x" * 70_000, "\x07", "x", "14839030187", [], [7], {}, {"x": 1}),
)


def test_its_own_text_goes_before_that_of_the_sentence_and_that_before_the_one_of_the_rule() -> None:
    assert Finding("a", "code", "one of: x", nb="x, og ingen annen").in_bokmaal == "x, og ingen annen"
    assert Finding("a", "code", "one of: x").in_bokmaal == "en av: x"
    assert Finding("a", "code", "words from elsewhere").in_bokmaal == RULES_NB["code"]
    assert Finding("a", "no such rule", "words from elsewhere").in_bokmaal is None


def test_it_is_said_in_the_language_asked_for() -> None:
    both = Finding("a", "code", "one of: x", 3, 7)

    assert (both.said("nb"), both.said("en")) == ("en av: x", "one of: x")
    assert Finding("a", "no such rule", "words from elsewhere").said("nb") == "words from elsewhere"
    assert both.plain() == {
        "at": "a",
        "rule": "code",
        "expected": "one of: x",
        "expected_nb": "en av: x",
        "line": 3,
        "column": 7,
    }


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_finding_on_a_message_type_is_told_in_bokmaal(name: str) -> None:
    """Each field at the top spoiled in every way, one after the other, with the rest left out."""
    spec = TYPES[name]
    rules: set[str] = set()
    for field in spec.root:
        for value in SPOILED:
            found = spec.check({field: value})
            assert {one.rule for one in found if one.in_bokmaal is None} == set()
            rules |= {one.rule for one in found}
    assert {"missing", "type", "unknown-field"} <= rules
    assert [one["expected_nb"] for one in document("parse.invalid", spec.check({}))["findings"]].count(
        None
    ) == 0


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_rule_that_a_value_of_a_field_can_break_has_its_text(name: str) -> None:
    broken = {field.fault(value) for field in TYPES[name].scalars for value in SPOILED} - {None}

    assert broken - RULES_NB.keys() == set()
    assert len(broken) > 3
