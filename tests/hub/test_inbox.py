"""An inbox: everything that lies ready, in order, nothing of others, and nothing about what it is."""

from __future__ import annotations

import pytest

from hub import hand_over, inbox
from hub.errors import HubError
from tests.hub.bench import FHIR, XML, Bench, consent, fhir, withdrawal, xml_brik


def filled(bench: Bench, persons: int) -> list[str]:
    """One BRIK each about several persons lies at NAV, all offered in the same instant."""
    for who in range(persons):
        bench.post("prison_health", consent("samtykke-nav.json", f"n{who}", who=who))
        bench.post("prison", xml_brik(message_id=f"B{who}", who=who), XML)
    bench.drain()
    return sorted(row.id for row in bench.rows("nav"))


def pages(bench: Bench, size: int) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while page := inbox.entries(bench.parts, bench.agency("nav"), after, size):
        assert len(page) <= size
        found += [entry["id"] for entry in page]
        after = page[-1]["position"]
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_page_by_page_everything_is_shown_once(either: Bench, size: int) -> None:
    wanted = filled(either, 5)
    assert sorted(pages(either, size)) == wanted


def test_what_was_fetched_and_not_acknowledged_is_shown_again(either: Bench) -> None:
    filled(either, 2)
    first, second = either.listed("nav")
    hand_over.fetch(either.parts, either.agency("nav"), first)
    shown = inbox.entries(either.parts, either.agency("nav"), None, 10)
    assert [(entry["id"], entry["fetched"]) for entry in shown] == [(first, True), (second, False)]
    hand_over.acknowledge(either.parts, either.agency("nav"), first)
    assert either.listed("nav") == [second]


def test_an_entry_tells_ids_and_times_only(either: Bench) -> None:
    filled(either, 1)
    [entry] = inbox.entries(either.parts, either.agency("nav"), None, 10)
    assert set(entry) == {"id", "position", "available_at", "fetched"}


def test_nobody_sees_what_lies_at_others(either: Bench) -> None:
    filled(either, 1)
    for key in ("gp", "prison", "school", "tsb", "housing", "prison_health"):
        assert either.listed(key) == []


def test_what_is_pushed_never_lies_in_an_inbox(either: Bench) -> None:
    either.post("prison_health", fhir("samtykke-tsb.fhir.json"), FHIR)
    either.post("prison_health", "henvisning-2.json")
    either.drain()
    assert either.got("tsb")
    assert either.listed("tsb") == []


def test_what_was_taken_back_is_not_shown(either: Bench) -> None:
    filled(either, 2)
    either.post("prison_health", withdrawal("n0", "t0"))
    assert len(either.listed("nav")) == 1


@pytest.mark.parametrize("after", ["", "x", "-", "1", "-1", "1-", "٣-x", "9" * 17 + "-x"])
def test_a_position_that_is_none_is_refused(bench: Bench, after: str) -> None:
    with pytest.raises(HubError) as refused:
        inbox.entries(bench.parts, bench.agency("nav"), after, 10)
    assert refused.value.code == "receive.request-invalid"
