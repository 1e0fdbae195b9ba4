"""An inbox: everything that lies ready, in order, nothing of others, and nothing about what it is."""

from __future__ import annotations

import pytest

from hub import hand_over, inbox, repair
from hub.errors import HubError
from hub.store.disclosures import State
from tests.hub.bench import FHIR, XML, Bench, consent, fhir, with_door, withdrawal, xml_brik
from tests.hub.failing import FAULTS, rendering_fails


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


@pytest.mark.parametrize("code", FAULTS)
def test_what_cannot_be_made_at_the_fetch_leaves_the_inbox_and_is_parked_for_operations(
    either: Bench, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    with_door(either, "tsb", "inbox")
    either.post("prison_health", "samtykke-tsb.fhir.json")
    posted = either.post("prison_health", "henvisning-2.json")
    either.drain()
    [entry] = either.listed("tsb")
    rendering_fails(monkeypatch, FAULTS[code])
    with pytest.raises(HubError) as refused:
        hand_over.fetch(either.parts, either.agency("tsb"), entry)

    row = either.row("tsb", message_id=posted.id)
    assert (refused.value.code, refused.value.findings) == ("receive.not-found", ())
    assert (row.state, row.code, row.attempts, row.handed_over_at) == (State.QUEUED, code, 1, None)
    assert either.listed("tsb") == []

    for _ in either.parts.ladder:
        either.clock.forward(days=1)
        either.sweep()
        either.drain()
    row = either.row("tsb", message_id=posted.id)
    assert (row.state, row.code) == (State.PARKED, code)

    monkeypatch.undo()
    repair.retry(either.parts, entry, operator="Kari Vik", reason="mended")
    either.drain()
    assert len(either.come_for_it("tsb")) == 1
    assert either.row("tsb", message_id=posted.id).outcome == "delivered"
    assert either.verify().whole


def test_what_was_fetched_and_cannot_be_made_again_stays_handed_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_door(bench, "tsb", "inbox")
    bench.post("prison_health", "samtykke-tsb.fhir.json")
    posted = bench.post("prison_health", "henvisning-2.json")
    bench.drain()
    [entry] = bench.listed("tsb")
    first = hand_over.fetch(bench.parts, bench.agency("tsb"), entry)
    with monkeypatch.context() as patch:
        rendering_fails(patch, FAULTS["render.incomplete"])
        with pytest.raises(HubError, match=r"receive\.not-found"):
            hand_over.fetch(bench.parts, bench.agency("tsb"), entry)

    row = bench.row("tsb", message_id=posted.id)
    assert (row.state, row.outcome) == (State.DONE, "delivered")
    assert hand_over.fetch(bench.parts, bench.agency("tsb"), entry).body == first.body
