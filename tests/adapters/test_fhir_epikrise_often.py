"""Understands that how often a medicine is taken tells as much by numbers and codes as in words."""

from __future__ import annotations

import pytest

from adapters.fhir_epikrise import schedules
from consent.code_lists import load_codes
from consent.labels import label
from hub.message import Category
from mappings.types import load_types
from tests.adapters.test_fhir_epikrise_dosages import medicine
from tests.adapters.test_fhir_epikrise_words import Part, read, told

TYPES = load_types()


def in_words(*given: Part) -> set[Category]:
    """What a medicine that tells nothing itself is labelled as, taken so."""
    record = read(told(medicine(*given)))
    items = label(record, TYPES["epikrise"].leaves(record), load_codes()).items
    return {one for item in items if item.path == "legemidler[0].dosering" for one in item.categories}


@pytest.mark.parametrize(
    ("text", "repeat"),
    [
        ("Sublingvalt", {"frequency": 1, "period": 1, "periodUnit": "d"}),
        ("Sublingvalt", {"frequency": 2, "period": 1, "periodUnit": "d"}),
        ("Under tilsyn", {"frequency": 1, "period": 1, "periodUnit": "d"}),
        ("Depotinjeksjon", {"frequency": 1, "period": 1, "periodUnit": "wk"}),
        ("Depotinjeksjon", {"frequency": 1, "period": 7, "periodUnit": "d"}),
    ],
)
def test_how_often_tells_as_much_by_numbers_as_in_words(text: str, repeat: Part) -> None:
    assert Category.SUBSTANCE_USE not in in_words({"text": text})
    assert Category.SUBSTANCE_USE in in_words({"text": text, "timing": {"repeat": repeat}})


@pytest.mark.parametrize("code", ["QD", "BID", "TID", "QID"])
def test_how_often_tells_as_much_by_a_code_as_in_words(code: str) -> None:
    timing = {"code": {"coding": [{"system": schedules.GTS, "code": code}]}}

    assert Category.SUBSTANCE_USE in in_words({"text": "Sublingvalt", "timing": timing})
