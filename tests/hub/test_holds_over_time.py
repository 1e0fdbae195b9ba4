"""The desk: what the person says afterwards counts, and whatever goes wrong leaves a state to go on from."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hub import holds
from hub.answers import Word
from hub.errors import HubError
from hub.message import Category, Outcome
from hub.store import disclosures
from hub.store import holds as lines
from hub.store.schema import hold_entry
from tests.hub.bench import Bench, refusal, run_together, withdrawal
from tests.hub.holding import MERKNAD, PLAIN, WEAK, code_of, count, held, last_text, now, reader, release

# -- the person's word still counts --


@pytest.mark.parametrize("seed", range(5))
def test_a_withdrawal_against_the_second_person_and_the_worker(either: Bench, seed: int) -> None:
    """Whoever comes first: nothing leaves after the withdrawal was answered."""
    item = held(either, WEAK)
    second = reader(either, "per")
    release(either, item, reader(either))
    holds.read(either.parts, item.id, second)
    chance = random.Random(seed)
    waits = [chance.choice((0, 0.001, 0.004)) for _ in range(2)]
    left: dict[str, int] = {}
    either.push.meanwhile = lambda permit: left.update({permit.disclosure: time.monotonic_ns()})

    def confirm_and_work() -> None:
        time.sleep(waits[0])
        with suppress(HubError):
            holds.confirm(either.parts, item.id, second)
        either.drain()

    def withdraw() -> int:
        time.sleep(waits[1])
        either.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))
        return time.monotonic_ns()

    _, answered = run_together(confirm_and_work, withdraw)
    while either.queue.ready:
        either.drain()

    with_text = [sent for sent in either.got("housing") if WEAK in sent.text]
    assert len(with_text) <= 1
    assert not with_text or left[item.id] < answered
    assert either.verify().whole


def test_a_withdrawal_after_the_release_stops_it(either: Bench) -> None:
    item = held(either)
    release(either, item, reader(either))
    either.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))
    either.drain()

    assert PLAIN not in "".join(sent.text for sent in either.got("housing"))
    assert now(either, item).code == "decide.withdrawn"
    assert either.verify().whole


def test_a_refusal_after_the_release_stops_it(bench: Bench) -> None:
    item = held(bench)
    release(bench, item, reader(bench))
    bench.post("prison_health", refusal("nei", ["municipality_housing"]))
    bench.drain()

    assert PLAIN not in "".join(sent.text for sent in bench.got("housing"))
    assert now(bench, item).code in ("decide.refused", "decide.conflict")


def test_a_withdrawal_makes_the_hold_go_away(bench: Bench) -> None:
    item = held(bench)
    who = reader(bench)
    holds.read(bench.parts, item.id, who)
    bench.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))

    assert code_of(lambda: holds.answer(bench.parts, item.id, who, Word.RELEASE, reason="x")) == (
        "hold.not-found"
    )
    bench.drain()
    assert holds.listed(bench.parts) == []


def test_a_withdrawal_between_the_two_persons_stops_it(bench: Bench) -> None:
    item = held(bench, WEAK)
    release(bench, item, reader(bench))
    holds.read(bench.parts, item.id, reader(bench, "per"))
    bench.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))
    bench.drain()

    assert code_of(lambda: holds.confirm(bench.parts, item.id, reader(bench, "per"))) == "hold.not-found"
    assert WEAK not in "".join(sent.text for sent in bench.got("housing"))


def test_what_waited_too_long_can_no_longer_be_answered(bench: Bench) -> None:
    item = held(bench)
    bench.clock.forward(days=91)

    assert code_of(lambda: holds.read(bench.parts, item.id, reader(bench))) == "hold.not-found"


# -- what goes wrong --


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\nb"}, "reason"),
        ({"only": ["bolig.behov"]}, "bolig.behov"),
        ({"found": {"rus.merknad": [Category.FAMILY]}}, "rus.merknad"),
        ({"found": {MERKNAD: [Category.UNKNOWN]}}, "found"),
        ({"word": Word.REFUSE, "only": [MERKNAD]}, "only"),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(bench: Bench, more: dict[str, Any], at: str) -> None:
    item = held(bench)
    holds.read(bench.parts, item.id, reader(bench))
    lines = count(bench, hold_entry)
    said = {"word": Word.RELEASE, "reason": "lest"} | more

    with pytest.raises(HubError) as refused:
        holds.answer(bench.parts, item.id, reader(bench), **said)

    assert refused.value.code == "hold.invalid"
    assert [finding.at for finding in refused.value.findings] == [at]
    assert count(bench, hold_entry) == lines
    assert now(bench, item).outcome == Outcome.HELD


def test_the_broker_being_away_delays_it_only(bench: Bench) -> None:
    item = held(bench)
    bench.queue.away = True
    release(bench, item, reader(bench))
    bench.queue.away = False
    bench.clock.forward(minutes=5)
    bench.sweep()
    bench.drain()

    assert PLAIN in last_text(bench)


@pytest.mark.parametrize("dies_in", ["write", "prove", "move", "publish"])
@pytest.mark.parametrize("step", ["read", "answer", "confirm"])
def test_dying_anywhere_leaves_a_state_to_go_on_from(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str, dies_in: str
) -> None:
    item, first, second = held(bench, WEAK), reader(bench), reader(bench, "per")
    steps: dict[str, Callable[[], object]] = {
        "read": lambda: holds.read(bench.parts, item.id, first),
        "answer": lambda: holds.answer(bench.parts, item.id, first, Word.RELEASE, reason="lest"),
        "read too": lambda: holds.read(bench.parts, item.id, second),
        "confirm": lambda: holds.confirm(bench.parts, item.id, second),
    }

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    targets = {
        "write": (lines, "write"),
        "prove": (holds, "prove"),
        "move": (disclosures, "move"),
        "publish": (bench.queue, "publish"),
    }
    for name, do in steps.items():
        if name == step:
            with monkeypatch.context() as patch:
                patch.setattr(*targets[dies_in], die)
                try:
                    do()
                except KeyboardInterrupt:
                    assert len(bench.got("housing")) == 1
                else:
                    continue  # this step does none of that
            if name == "confirm" and dies_in == "publish":
                bench.clock.forward(minutes=5)
                bench.sweep()  # it was committed: the sweeper goes on
                continue
        do()
    bench.drain()

    assert WEAK in last_text(bench)
    assert [sent.disclosure for sent in bench.got("housing")].count(item.id) == 1
    assert bench.verify().whole
