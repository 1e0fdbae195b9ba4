"""Understands that a format which is neither XML nor JSON is recognised, and held to what every format is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Sniff
from adapters.registry import Registry, adapters_for
from hub.errors import HubError
from hub.kit import noise, planted
from hub.kit.case import Case
from hub.kit.checked import loaded
from hub.kit.conform import Check, conform
from hub.kit.homes import Home
from mappings.types import load_types
from tests.hub.kit import semicolons
from tests.hub.kit.semicolons import ADAPTER, EXAMPLE

HUB = loaded()


def case() -> Case:
    body = {"liste.csv": EXAMPLE}
    home = Home(Path(semicolons.__file__).parent, "tests.hub.kit", (ADAPTER,))
    spec = HUB.types[ADAPTER.type]
    return Case(HUB, home, ADAPTER, spec, body, {"liste.csv": ADAPTER.parse(EXAMPLE)})


def tried(case: Case) -> dict[str, Check]:
    """Everything but what the folder holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.kit.conform.shape_faults", lambda home: ())
        return {check.name: check for check in conform(case, made=20, inputs=300)}


@pytest.mark.parametrize("charset", ["", "; charset=windows-1252", "; charset=utf-8"])
def test_it_is_recognised_among_all_by_how_it_begins(charset: str) -> None:
    registry = adapters_for(load_types(), (ADAPTER,))

    assert registry.recognise(f"text/csv{charset}", EXAMPLE) is ADAPTER
    with pytest.raises(HubError, match=r"parse\.format-unknown"):
        registry.recognise(f"text/csv{charset}", b"noe;annet\n")


def test_no_more_of_it_is_shown_than_how_it_begins() -> None:
    seen: list[bytes] = []

    def recognise(sniff: Sniff) -> bool:
        seen.append(sniff.head)
        return False

    shown = replace(ADAPTER, recognise=recognise)
    with pytest.raises(HubError):
        Registry([shown]).recognise("text/csv", EXAMPLE * 100)

    assert seen == [(EXAMPLE * 100)[:1000]]


def test_it_keeps_every_promise() -> None:
    assert {n: c.findings for n, c in tried(case()).items() if not c.holds and n != "registered"} == {}


def test_each_field_of_each_line_is_a_place() -> None:
    [seed] = noise.seeds([EXAMPLE])

    places = {one.at for one in planted.every([seed], 10**6, "a")}

    assert {"line 4, field 2", "line 4, one field more", "one line more"} <= places
