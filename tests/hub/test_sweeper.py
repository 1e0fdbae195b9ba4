"""Because time passes: forgotten work comes back, waiting ends, leaves enter the tree."""

from __future__ import annotations

import threading

from sqlalchemy import func, select

from hub import sweeper
from hub.errors import HubError
from hub.message import Outcome
from hub.store.disclosures import State
from hub.store.schema import audit_leaf
from tests.hub.bench import Bench, org, referral


def test_work_that_the_broker_forgot_comes_back(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    for index in range(5):
        either.post("prison_health", referral(f"H{index}"))
    wanted = [either.parts.vault.read_handle(work.ref) for work in either.queue.ready]
    either.queue.ready.clear()
    either.clock.forward(seconds=29)
    either.sweep()
    assert not either.queue.ready
    either.clock.forward(seconds=1)
    either.sweep()
    either.drain()
    assert [sent.disclosure for sent in either.got("tsb")] == wanted


def test_what_is_on_the_ladder_is_not_brought_back_early(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", referral("H"))
    either.push.down.add(org("tsb"))
    either.drain()
    either.clock.forward(seconds=2 + 30 + 29)
    either.sweep()
    assert not either.queue.ready
    either.clock.forward(seconds=1)
    either.sweep()
    assert len(either.queue.ready) == 1


def test_bringing_back_twice_in_a_row_brings_back_once(either: Bench) -> None:
    either.post("prison_health", referral("H"))
    either.queue.ready.clear()
    either.clock.forward(minutes=5)
    either.sweep()
    either.sweep()
    assert len(either.queue.ready) == 1


def test_what_is_settled_never_comes_back(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison", "brik.xml")
    either.post("prison_health", referral("H"))
    either.drain()
    either.clock.forward(days=1)
    either.sweep()
    assert not either.queue.ready


def test_when_the_broker_is_away_nothing_is_forgotten(either: Bench) -> None:
    either.post("prison_health", referral("H"))
    either.queue.ready.clear()
    either.queue.away = True
    for _ in range(3):
        either.clock.forward(minutes=5)
        try:
            either.sweep()
        except HubError as away:
            assert away.code == "enqueue.unavailable"  # noqa: PT017  # any other code is a fault
    either.queue.away = False
    either.clock.forward(minutes=5)
    either.sweep()
    assert len(either.queue.ready) == 1


def test_waiting_ends_on_its_day_and_is_proved(either: Bench) -> None:
    either.post("prison_health", referral("H"))
    either.drain()
    assert either.row("tsb").state is State.WAITING
    either.clock.forward(days=90)
    either.sweep()
    row = either.row("tsb")
    assert (row.state, row.outcome, row.due_at) == (State.DONE, Outcome.EXPIRED, None)
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.drain()
    assert either.got("tsb") == []
    assert either.verify().whole


def test_a_consent_in_the_last_moment_still_counts_and_one_after_it_does_not(either: Bench) -> None:
    either.post("prison_health", referral("H"))
    either.drain()
    either.clock.forward(days=89, hours=23)
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.clock.forward(hours=2)
    either.sweep()
    either.drain()
    assert len(either.got("tsb")) == 1


def test_a_turn_takes_every_leaf_into_the_tree(either: Bench) -> None:
    either.post("prison", "brik.xml")
    either.sweep()
    with either.parts.store.reading() as view:
        query = select(func.count()).select_from(audit_leaf).where(audit_leaf.c.position.is_(None))
        assert view.scalar(query) == 0


def test_the_sweeper_outlives_a_turn_that_fails_in_any_way(bench: Bench) -> None:
    stop, turns = threading.Event(), []

    def failing() -> object:
        turns.append(1)
        if len(turns) == 3:
            stop.set()
        raise RuntimeError("nobody foresaw this")

    bench.clock.__class__ = type("Broken", (type(bench.clock),), {"__call__": lambda self: failing()})
    thread = threading.Thread(
        target=sweeper.run, args=(bench.parts, stop), kwargs={"every": 0.01}, daemon=True
    )
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(turns) >= 3
