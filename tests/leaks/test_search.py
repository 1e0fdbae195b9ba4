"""The search for canaries finds what it claims to find; a search that finds nothing proves nothing."""

from __future__ import annotations

import os

import pytest

from tests.leaks.search import Search, every_wrapping

MARKER = "Kanari-Qx7pm"
WRAPPINGS = every_wrapping(MARKER)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_search_finds_a_marker_in_the_middle_of_anything(wrapping: str) -> None:
    noise = os.urandom(3001)
    inside = noise + b"\n" + WRAPPINGS[wrapping] + b"\n" + noise
    assert {hit.marker for hit in Search({"it": MARKER}).hits(inside)} == {"it"}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_search_finds_a_marker_that_stands_alone(wrapping: str) -> None:
    assert {hit.marker for hit in Search({"it": MARKER}).hits(WRAPPINGS[wrapping])} == {"it"}


def test_the_search_finds_all_of_several_markers_that_overlap() -> None:
    markers = {"short": "F11.2", "long": "F11.21", "other": "1.21 and more"}
    assert {hit.marker for hit in Search(markers).hits(b"x F11.21 and more x")} == set(markers)


def test_the_search_finds_nothing_where_nothing_is() -> None:
    assert not Search({"it": MARKER, "code": "F11.21"}).hits(os.urandom(200_000) + b"Kanari-Qx7pn F11.2")
