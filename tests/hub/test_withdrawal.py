"""Withdrawing against handing over: after the answer to a withdrawal, nothing more leaves."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest

from hub import hand_over, inbox
from hub.demo.world import CAST
from hub.desk import WITHDRAWN
from hub.errors import HubError
from hub.message import CONTROL_SECTORS, Outcome, Sector
from hub.parts import Parts
from hub.shapes import Accepted
from hub.store.disclosures import State
from tests.hub.bench import (
    FHIR,
    XML,
    Bench,
    consent,
    fhir,
    on_the_bench,
    org,
    referral,
    refusal,
    run_together,
    with_door,
    withdrawal,
    xml_brik,
)


class Slow:
    """A call that takes a moment, of a random length, and writes down when it went out."""

    def __init__(self, chance: random.Random) -> None:
        self.left: list[tuple[int, str]] = []
        self._chance = chance

    def __call__(self, permit: object) -> None:
        time.sleep(self._chance.choice((0, 0.0002, 0.001, 0.003)))
        self.left.append((time.monotonic_ns(), getattr(permit, "disclosure", "")))


def one_round(bench: Bench, chance: random.Random, number: int) -> bool:
    """Withdraw while three workers send. True when something was sent before the withdrawal."""
    series = f"s-{number}"
    slow = bench.push.meanwhile = Slow(chance)
    bench.post("prison_health", fhir("samtykke-tsb.fhir.json", series=series, who=number), FHIR)
    for index in range(3):
        bench.post("prison_health", referral(f"H-{number}-{index}", who=number))
    works = list(bench.queue.ready)
    bench.queue.ready.clear()
    answered: list[int] = []

    def withdraw() -> None:
        time.sleep(chance.choice((0, 0.001, 0.004, 0.01)))
        assert isinstance(
            bench.post("prison_health", withdrawal(series, f"t-{number}", who=number)), Accepted
        )
        answered.append(time.monotonic_ns())

    def work() -> None:
        time.sleep(chance.choice((0, 0.005, 0.02, 0.05)))  # or the slower side never wins
        for item in works:
            hand_over.attempt(bench.parts, item)

    assert [r for r in run_together(work, work, withdraw) if r is not None] == []
    bench.push.meanwhile = late = Slow(chance)
    bench.drain()
    about = {row.id for row in bench.rows("tsb") if row.agreement == "henvisning-tsb"}
    assert [d for at, d in slow.left if at > answered[0] and d in about] == []
    assert [d for _, d in late.left if d in about] == []
    return bool(slow.left)


def race(bench: Bench, chance: random.Random, numbers: range) -> None:
    """All these rounds, and more until each side has won one: else it was no race."""
    won = {one_round(bench, chance, number) for number in numbers}
    for number in range(numbers.stop, numbers.stop + 300):
        if won == {True, False}:
            return
        won.add(one_round(bench, chance, number))
    assert won == {True, False}, "the race was never one"


def many_rounds(bench: Bench, rounds: int) -> None:
    chance = random.Random(20261122)
    race(bench, chance, range(rounds))
    report = bench.verify()
    assert report.whole, report.faults
    sent = Counter(s.disclosure for s in bench.got("tsb"))
    assert set(sent.values()) == {1}


@pytest.mark.parametrize("shift", range(2))
def test_nothing_is_sent_after_a_withdrawal_was_answered(first: Parts, sqlite_url: str, shift: int) -> None:
    """Fresh persons keep each round as quick as the first; the seeds make 2 * 75 different races."""
    bench = on_the_bench(first, sqlite_url)
    chance = random.Random(shift)
    race(bench, chance, range(shift * 1000, shift * 1000 + 75))
    assert bench.verify().whole
    bench.parts.store.close()


def test_nothing_is_sent_after_a_withdrawal_was_answered_on_postgresql(
    first: Parts, postgres_url: str
) -> None:
    bench = on_the_bench(first, postgres_url)
    many_rounds(bench, 20)
    bench.parts.store.close()


def test_a_withdrawal_waits_for_what_is_being_sent(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", "henvisning-2.json")
    happened: list[str] = []
    threads = []

    def withdraw() -> None:
        either.post("prison_health", "samtykke-tsb-trukket.json")
        happened.append("withdrawn")

    def hold(permit: object) -> None:
        either.push.meanwhile = lambda permit: None
        threads.append(threading.Thread(target=withdraw, daemon=True))
        threads[0].start()
        threads[0].join(0.4)
        happened.append("sent")

    either.push.meanwhile = hold
    either.drain()
    threads[0].join(10)
    assert happened == ["sent", "withdrawn"]


def test_a_withdrawal_does_not_wait_for_what_is_sent_about_others(either: Bench) -> None:
    either.post("prison_health", fhir("samtykke-tsb.fhir.json", series="a", who=1), FHIR)
    either.post("prison_health", fhir("samtykke-tsb.fhir.json", series="b", who=2), FHIR)
    either.post("prison_health", referral("H", who=1))
    answers: list[Accepted] = []

    def hold(permit: object) -> None:
        thread = threading.Thread(
            target=lambda: answers.append(either.post("prison_health", withdrawal("b", "t", who=2))),
            daemon=True,
        )
        thread.start()
        thread.join(10)

    either.push.meanwhile = hold
    either.drain()
    assert len(answers) == 1
    assert len(either.got("tsb")) == 1


def test_a_fetch_after_a_withdrawal_gets_nothing_however_they_race(first: Parts, sqlite_url: str) -> None:
    bench = on_the_bench(first, sqlite_url)
    chance, before = random.Random(7), 0
    nav = bench.agency("nav")
    for index in range(300):
        if index >= 30 and before:
            break
        bench.post("prison_health", consent("samtykke-nav.json", f"n{index}", who=index + 1))
        bench.post("prison", xml_brik(message_id=f"B{index}", who=index + 1), XML)
        bench.drain()
        [entry] = [entry["id"] for entry in inbox.entries(bench.parts, nav, None, 100)]
        fetched: list[int] = []
        answered: list[int] = []

        def fetch(entry: str = entry, fetched: list[int] = fetched) -> None:
            for _ in range(6):
                try:
                    hand_over.fetch(bench.parts, nav, entry)
                except HubError as refused:
                    assert refused.code == "receive.not-found"  # noqa: PT017  # any other code is a fault
                    return
                fetched.append(time.monotonic_ns())

        def withdraw(index: int = index, answered: list[int] = answered) -> None:
            time.sleep(chance.choice((0, 0.002, 0.005)))
            bench.post("prison_health", withdrawal(f"n{index}", f"t{index}", who=index + 1))
            answered.append(time.monotonic_ns())

        assert run_together(fetch, withdraw) == [None, None]
        with pytest.raises(HubError):
            hand_over.fetch(bench.parts, nav, entry)
        before += bool(fetched)
        bench.drain()
        bench.come_for_it("nav")  # the notice that it was withdrawn
    assert before > 0
    assert bench.verify().whole
    bench.parts.store.close()


@pytest.mark.parametrize("when", ["before the first attempt", "while the recipient is down"])
def test_of_twenty_persons_one_withdraws_and_all_others_get_everything(bench: Bench, when: str) -> None:
    persons, each = 20, 15
    for who in range(persons):
        bench.post("prison_health", fhir("samtykke-tsb.fhir.json", series=f"tsb-{who}", who=who), FHIR)
    wanted: dict[int, list[str]] = {who: [] for who in range(persons)}
    for index in range(each):
        for who in range(persons):
            accepted = bench.post("prison_health", referral(f"H-{who}-{index}", who=who))
            wanted[who].append(bench.row("tsb", message_id=accepted.id).id)
    if when == "while the recipient is down":
        bench.push.down.add(org("tsb"))
        bench.drain()
        bench.push.down.clear()
    bench.post("prison_health", withdrawal("tsb-7", "t-7", who=7))
    bench.queue.soon()
    bench.drain()
    got = [sent.disclosure for sent in bench.got("tsb")]
    gone = set(wanted.pop(7))
    assert not gone & set(got)
    for disclosures in wanted.values():
        assert [disclosure for disclosure in got if disclosure in disclosures] == disclosures
    rows = [row for row in bench.rows("tsb") if row.id in gone]
    assert {(row.state, row.outcome, row.code) for row in rows} == {
        (State.WAITING, Outcome.WITHHELD, "decide.withdrawn")
    }
    assert {bench.column(row.id, "wrapped_key") for row in rows} == {None}
    assert bench.verify().whole


# What a withdrawal does besides


def test_a_withdrawal_takes_back_what_lies_in_inboxes(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    [entry] = either.listed("nav")
    assert either.column(entry, "wrapped_key") is not None
    either.post("prison_health", withdrawal("skjema-1-nav", "t-1"))
    assert either.listed("nav") == []
    assert either.column(entry, "wrapped_key") is None
    assert either.column(entry, "ciphertext") is None
    either.drain()
    assert either.listed("nav") == []


def test_a_withdrawal_destroys_every_rendering_that_was_not_handed_over(either: Bench) -> None:
    for index in range(3):
        either.post("prison_health", fhir("samtykke-tsb.fhir.json", series=f"s{index}"), FHIR)
    either.post("prison_health", referral("H-1"))
    either.push.down.add(org("tsb"))
    either.drain()
    item = either.row("tsb")
    assert either.column(item.id, "wrapped_key") is not None
    either.post("prison_health", withdrawal("s0", "t"))
    assert either.column(item.id, "wrapped_key") is None


def test_those_who_were_told_are_told_of_the_withdrawal_once_and_no_control_role(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison_health", "samtykke-bolig.json")
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison", "brik.xml")
    either.post("prison_health", referral("H-1"))
    either.drain()
    either.come_for_it("nav")
    pushed = len(either.push.got)
    either.post("prison_health", "samtykke-tsb-trukket.json")
    either.drain()
    told = either.push.got[pushed:]
    assert [sent.recipient for sent in told] == [org("tsb")]
    assert "samtykke.trukket" in told[0].text
    for key in ("nav", "prison", "gp", "school"):
        assert either.come_for_it(key) == []
    control = {agency.org for agency in CAST if agency.sector in CONTROL_SECTORS}
    assert Sector.PRISON in CONTROL_SECTORS
    assert {row.recipient for row in either.rows(message_id=_last(either))} & control == set()


def _last(bench: Bench) -> str:
    return max((row.place, row.message_id) for row in bench.rows("tsb"))[1]


def test_no_agreement_tells_a_control_role_of_a_withdrawal(first: Parts) -> None:
    notices = [agreement for agreement in first.agreements if agreement.source[1] == WITHDRAWN]
    assert notices
    assert not {agreement.target[0] for agreement in notices} & CONTROL_SECTORS


def test_who_got_nothing_is_not_told_of_the_withdrawal(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()  # lies in the inbox, never fetched
    either.post("prison_health", withdrawal("skjema-1-nav", "t-1"))
    either.drain()
    assert either.come_for_it("nav") == []


def _refuse(bench: Bench, who: int) -> None:
    recipients = ["nav_municipal", "municipality_housing", "education"]
    bench.post("prison_health", refusal(f"nei-{who}", recipients, who=who))


def _withdraw(bench: Bench, who: int) -> None:
    bench.post("prison_health", consent("samtykke-nav.json", f"n-{who}", who=who))
    bench.post("prison_health", withdrawal(f"n-{who}", f"t-{who}", who=who))


def _allow_something_else(bench: Bench, who: int) -> None:
    bench.post("prison_health", fhir("samtykke-tsb.fhir.json", series=f"tsb-{who}", who=who), FHIR)


def test_a_control_role_sees_the_same_whether_refused_withdrawn_or_never_asked(either: Bench) -> None:
    seen = []
    for who, say in enumerate((None, _refuse, _withdraw, _allow_something_else)):
        if say is not None:
            say(either, who)
        accepted = either.post("prison", xml_brik(message_id=f"B-{who}", who=who), XML)
        early = either.status("prison", accepted)
        either.drain()
        seen.append((early, either.status("prison", accepted)))
    assert seen[0][0] == seen[0][1]
    assert [shown == seen[0] for shown in seen] == [True] * 4


def test_amqp_recipients_lose_what_lies_ready_too(either: Bench) -> None:
    with_door(either, "nav", "amqp")
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    [entry] = either.bell.rung
    either.post("prison_health", withdrawal("skjema-1-nav", "t-1"))
    with pytest.raises(HubError) as refused:
        hand_over.fetch(either.parts, either.agency("nav"), entry)
    assert refused.value.code == "receive.not-found"
