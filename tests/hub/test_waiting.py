"""What was withheld for lack of consent waits as long as its row allows: released in time, expired after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from consent import waiting
from consent.rows import Effect
from hub import hand_over, settle
from hub.errors import HubError
from hub.message import Outcome
from hub.store.disclosures import State, where
from hub.store.schema import message
from tests import mutating
from tests.hub.bench import Bench, consent, org, referral, with_door

CONSENT, REFERRAL = "samtykke-tsb.fhir.json", "henvisning-tsb"


def allowing(bench: Bench, **days: int) -> Bench:
    """The rows let what they withhold wait so many days."""
    pack = bench.parts.pack
    rows = tuple(replace(row, wait_days=days.get(row.id, row.wait_days)) for row in pack.rows)
    bench.parts = replace(bench.parts, pack=replace(pack, rows=rows))
    return bench


def refer(bench: Bench) -> None:
    bench.post("prison_health", referral("H"))
    bench.drain()


def allow(bench: Bench) -> None:
    bench.post("prison_health", CONSENT)
    bench.drain()


def test_after_the_days_of_the_row_it_has_expired_and_its_key_is_destroyed(either: Bench) -> None:
    refer(allowing(either, L23b=5))
    either.clock.forward(days=5, seconds=-1)
    either.sweep()
    assert either.row("tsb").state is State.WAITING

    either.clock.forward(seconds=1)
    either.sweep()

    row = either.row("tsb")
    assert (row.state, row.outcome, row.code) == (State.DONE, Outcome.EXPIRED, "hand-over.expired")
    either.clock.forward(days=1)
    either.sweep()
    with either.parts.store.reading() as view:
        kept = view.execute(select(message.c.type, message.c.wrapped_key)).all()
    assert [row.wrapped_key for row in kept if row.type == "tsb.henvisning"] == [None]
    allow(either)
    assert either.got("tsb") == []
    assert either.verify().whole


def test_a_consent_within_the_days_of_the_row_releases_it(either: Bench) -> None:
    refer(allowing(either, L23b=5))
    either.clock.forward(days=5, seconds=-1)

    allow(either)

    assert len(either.got("tsb")) == 1
    assert either.verify().whole


def test_a_consent_after_the_days_of_the_row_releases_nothing_even_before_the_sweep(bench: Bench) -> None:
    refer(allowing(bench, L23b=5))
    bench.clock.forward(days=5)

    allow(bench)

    assert bench.got("tsb") == []


def test_an_agreement_may_say_fewer_days_and_never_more(bench: Bench) -> None:
    refer(allowing(bench, L23b=5000))

    bench.clock.forward(days=90)
    bench.sweep()

    assert bench.row("tsb").outcome == Outcome.EXPIRED


def test_what_was_released_in_time_is_not_late_because_its_recipient_is(bench: Bench) -> None:
    refer(allowing(bench, L23b=5))
    bench.push.down.add(org("tsb"))
    bench.clock.forward(days=4)
    allow(bench)
    bench.clock.forward(days=4)

    bench.push.down.clear()
    bench.queue.soon()
    bench.drain()

    assert len(bench.got("tsb")) == 1


def test_what_lies_in_the_inbox_in_time_may_be_fetched_later(bench: Bench) -> None:
    with_door(bench, "tsb", "inbox")
    refer(allowing(bench, L23b=5))
    assert bench.row("tsb").code == "decide.no-consent"
    bench.clock.forward(days=4)
    allow(bench)
    row = bench.row("tsb")
    assert (row.state, row.code) == (State.OFFERED, None)  # why it waited is over
    bench.clock.forward(days=4)

    assert len(bench.come_for_it("tsb")) == 1


def summary(bench: Bench, after: int) -> list[str]:
    """An epikrise of which all waits, and the consent for the GP after some days: what the GP gets. What is
    not about substance use may wait half a year, the rest 5 days."""
    pack = allowing(bench, L21b=5).parts.pack
    asking: dict[str, Any] = {"effect": Effect.CONSENT, "override": None, "wait_days": 180}
    rows = tuple(replace(row, **asking) if row.id == "L21a" else row for row in pack.rows)
    bench.parts = replace(bench.parts, pack=replace(pack, rows=rows))
    bench.register_gp()
    bench.post("prison_health", "epikrise.fhir.json")
    bench.drain()
    assert bench.listed("gp") == []
    bench.clock.forward(days=after)
    kinds = ["identity", "coordination", "custody", "somatic_health", "mental_health", "substance_use"]
    to_gp: dict[str, Any] = {"avsendere": ["prison_health"], "mottakere": ["gp"], "formal": ["treatment"]}
    bench.post("prison_health", consent("samtykke-nav.json", "gp", kategorier=kinds, **to_gp))
    bench.drain()
    return [got.body.decode() for got in bench.come_for_it("gp")]


def test_two_rows_of_one_way_each_keep_their_own_days(bench: Bench) -> None:
    [late] = summary(bench, 10)

    assert "J45" in late
    assert "F11" not in late
    [rest] = [row for row in bench.rows("gp") if row.revision == 2]
    assert (rest.state, rest.outcome, rest.code) == (State.WAITING, Outcome.EXPIRED, "hand-over.expired")
    bench.post("prison_health", "samtykke-nav.json")  # whatever is said, it is decided again and not sent
    bench.drain()
    assert bench.listed("gp") == []
    bench.clock.forward(days=170)
    bench.sweep()
    assert bench.row("gp", id=rest.id).outcome == Outcome.EXPIRED
    assert bench.verify().whole


def test_in_time_both_go(bench: Bench) -> None:
    [whole] = summary(bench, 4)

    assert "F11" in whole


def test_when_it_ends_does_not_tell_what_was_withheld(bench: Bench) -> None:
    """What went whole, and what waits, keep their open row for the same time."""
    allowing(bench, L23b=5)
    refer(bench)
    allow(bench)
    bench.post("prison_health", referral("H-2"))
    bench.drain()
    with bench.parts.store.reading() as view:
        open_rows = [
            row.due_at - row.created_at
            for row in where(view)
            if row.state is State.WAITING and row.agreement == REFERRAL and row.due_at is not None
        ]

    assert len(open_rows) == 2
    assert len(set(open_rows)) == 1


BROKEN: list[tuple[Any, str, str, Callable[[Bench], None]]] = [
    (settle, "timedelta(days=days(rows, route.agreement.wait_days, day=day))", "timedelta(days=90)",
     test_after_the_days_of_the_row_it_has_expired_and_its_key_is_destroyed),
    (hand_over, "or item.attempts > 0:", ":",
     test_what_was_released_in_time_is_not_late_because_its_recipient_is),
    (hand_over, "item.offered_at if item.state is State.OFFERED else None", "None",
     test_what_lies_in_the_inbox_in_time_may_be_fetched_later),
    (settle, "code=None,\n        offered_at", "offered_at",
     test_what_lies_in_the_inbox_in_time_may_be_fetched_later),
    (waiting, "waited < timedelta(days=allowed)", "True", test_two_rows_of_one_way_each_keep_their_own_days),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "promise"), BROKEN)
def test_a_promise_broken_is_noticed(
    bench: Bench, where: Any, old: str, new: str, promise: Callable[[Bench], None]
) -> None:
    with mutating.mutated(where, old, new), pytest.raises((AssertionError, ValueError, HubError)):
        promise(bench)
