"""Understands that nobody acts on a message after the time that it was good for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from consent.rows import Effect
from hub import hand_over, preview
from hub.errors import HubError
from hub.store.disclosures import State
from tests.hub.bench import JSON, Bench, org, refusal, with_door
from tests.hub.test_referral import answer, answers_to, asked, said


def until(bench: Bench, **after: int) -> str:
    return (bench.clock() + timedelta(**after)).isoformat(timespec="seconds")


def test_the_same_answer_again_after_its_time_is_the_same_answer(bench: Bench) -> None:
    body = json.dumps(said(asked(bench), "mottatt", gyldig_til=until(bench, hours=2))).encode()
    first = bench.post("housing", body)
    bench.clock.forward(hours=3)

    again = bench.post("housing", body)

    assert (again.id, again.duplicate) == (first.id, True)
    shown = preview.of_own_message(bench.parts, bench.agency("housing"), JSON, body)
    assert [one.route.recipient.org for one in shown] == [org("prison")]


def test_an_answer_after_its_time_is_refused_and_nothing_of_it_is_kept(bench: Bench) -> None:
    request = asked(bench)
    body = json.dumps(said(request, "mottatt", gyldig_til=until(bench, hours=2))).encode()
    bench.clock.forward(hours=2)

    for ask in (
        partial(bench.post, "housing", body),
        partial(preview.of_own_message, bench.parts, bench.agency("housing"), JSON, body),
    ):
        with pytest.raises(HubError, match=r"receive\.expired"):
            ask()

    assert answers_to(bench, request) == []


@pytest.mark.parametrize("door", ["webhook", "inbox", "amqp"])
@pytest.mark.parametrize(("hours", "goes"), [(1, True), (2, False)])
def test_what_was_not_handed_over_in_its_time_never_is(
    bench: Bench, door: str, hours: int, *, goes: bool
) -> None:
    with_door(bench, "prison", door)
    accepted = bench.post("housing", said(asked(bench), "mottatt", gyldig_til=until(bench, hours=2)))
    bench.clock.forward(hours=hours)
    bench.drain()
    bench.come_for_it("prison")

    first, *_ = bench.rows("prison", message_id=accepted.id)
    assert (first.handed_over_at is not None) is goes
    if not goes:
        assert (first.state, first.outcome, first.code) == (State.DONE, "expired", "hand-over.expired")
        assert (bench.listed("prison"), bench.bell.rung, bench.got("prison")) == ([], [], [])
        assert bench.status("housing", accepted)[org("prison")]["code"] == "hand-over.expired"
    assert bench.verify().whole


def test_what_lies_in_the_inbox_after_its_time_is_not_handed_out(bench: Bench) -> None:
    accepted = bench.post("housing", said(asked(bench), "mottatt", gyldig_til=until(bench, hours=2)))
    bench.drain()
    [entry] = bench.listed("prison")
    bench.clock.forward(hours=2)

    with pytest.raises(HubError, match=r"receive\.not-found"):
        hand_over.fetch(bench.parts, bench.agency("prison"), entry)

    row = bench.row("prison", message_id=accepted.id)
    assert (row.state, row.outcome, row.code) == (State.DONE, "expired", "hand-over.expired")
    assert bench.listed("prison") == []


def test_what_was_fetched_in_its_time_stays_handed_over_and_is_not_fetched_again(bench: Bench) -> None:
    accepted = bench.post("housing", said(asked(bench), "mottatt", gyldig_til=until(bench, hours=2)))
    bench.drain()
    [entry] = bench.listed("prison")
    hand_over.fetch(bench.parts, bench.agency("prison"), entry)
    bench.clock.forward(hours=2)

    with pytest.raises(HubError, match=r"receive\.not-found"):
        hand_over.fetch(bench.parts, bench.agency("prison"), entry)

    first, *_ = bench.rows("prison", message_id=accepted.id)
    assert (first.state, first.outcome) == (State.DONE, "delivered")
    assert bench.listed("prison") == []


def test_what_waits_behind_an_answer_whose_time_is_out_goes(bench: Bench) -> None:
    with_door(bench, "prison", "webhook")
    bench.push.down.add(org("prison"))
    request = asked(bench)
    answer(bench, request, "mottatt", gyldig_til=until(bench, hours=2))
    answer(bench, request, "avslag", avslag_grunn="ingen_ledig")
    bench.push.down.clear()
    bench.clock.forward(hours=2)
    bench.queue.soon()
    bench.drain()

    assert [json.loads(sent.body)["status"] for sent in bench.got("prison")] == ["avslag"]


def test_what_waits_for_the_person_waits_no_longer_than_it_is_good(bench: Bench) -> None:
    """Here every row and agreement lets what has no consent wait half a year."""
    request = asked(bench)
    pack = bench.parts.pack
    rows = tuple(replace(row, effect=Effect.CONSENT, override=None, wait_days=180) for row in pack.rows)
    agreements = tuple(replace(one, wait_days=180) for one in bench.parts.agreements)
    bench.parts = replace(bench.parts, pack=replace(pack, rows=rows), agreements=agreements)
    bench.post("prison_health", refusal("nei", [org("prison")]))
    accepted = bench.post("housing", said(request, "mottatt", gyldig_til=until(bench, hours=2)))
    bench.drain()
    bench.clock.forward(hours=1)
    bench.sweep()
    [row] = bench.rows("prison", message_id=accepted.id)
    assert row.state is State.WAITING

    bench.clock.forward(hours=1)
    bench.sweep()

    assert bench.row("prison", message_id=accepted.id).state is State.DONE
