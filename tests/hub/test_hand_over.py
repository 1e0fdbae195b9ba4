"""The second half of a message's way: every way a hand-over can end, and in which order they happen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from hub import hand_over, repair
from hub.errors import HubError
from hub.message import Outcome
from hub.queue.port import LADDER, Done, Work
from hub.store.disclosures import State
from hub.store.schema import person
from tests.hub.bench import (
    FHIR,
    XML,
    Bench,
    consent,
    fhir,
    fields,
    org,
    referral,
    refusal,
    release_date,
    run_together,
    with_door,
    withdrawal,
    xml_brik,
)


def referred(bench: Bench, count: int = 1, who: int = 0) -> list[str]:
    """Consent for TSB is given, and `count` referrals to it are posted. Their disclosures."""
    bench.post("prison_health", fhir("samtykke-tsb.fhir.json", series=f"tsb-{who}", who=who), FHIR)
    before = {row.id for row in bench.rows("tsb")}
    for index in range(count):
        bench.post("prison_health", referral(f"H-{who}-{index}", who=who))
    return [row.id for row in bench.rows("tsb") if row.id not in before]


def gp_has_epikrise(bench: Bench) -> str:
    """An epikrise for the GP, without the part about substance use, lies in the GP's inbox."""
    bench.register_gp()
    bench.post("prison_health", "epikrise.fhir.json")
    bench.drain()
    [entry] = bench.listed("gp")
    return entry


def not_found(bench: Bench, key: str, disclosure: str) -> bool:
    with pytest.raises(HubError) as refused:
        hand_over.fetch(bench.parts, bench.agency(key), disclosure)
    return (refused.value.code, refused.value.findings) == ("receive.not-found", ())


# How a push ends


def test_what_may_go_is_pushed_once_and_is_done(either: Bench) -> None:
    [sent] = referred(either)
    either.drain()
    [got] = either.got("tsb")
    assert (got.disclosure, got.attempt) == (sent, 1)
    row = either.row("tsb", id=sent)
    assert (row.state, row.outcome, row.attempts) == (State.DONE, Outcome.DELIVERED, 1)
    assert row.handed_over_at == either.clock()
    assert row.answer_due_at == either.clock() + timedelta(days=10)
    assert either.column(sent, "wrapped_key") is None  # the recipient has it; our copy goes
    assert either.verify().whole


def test_the_same_work_twice_sends_once(either: Bench) -> None:
    referred(either)
    either.queue.publish(list(either.queue.ready) * 3)
    either.drain()
    assert either.push.calls == [org("tsb")]


def test_what_did_not_arrive_is_sent_again_under_the_same_id(either: Bench) -> None:
    [sent] = referred(either)
    either.push.fail[org("tsb")] = ["unavailable"]
    either.drain()
    row = either.row("tsb", id=sent)
    assert (row.state, row.attempts, row.code) == (State.QUEUED, 1, "hand-over.unavailable")
    assert [step for _, step in either.queue.later] == [0]
    either.queue.soon()
    either.drain()
    assert [(got.disclosure, got.attempt) for got in either.got("tsb")] == [(sent, 2)]
    assert either.row("tsb", id=sent).outcome == Outcome.DELIVERED
    assert either.verify().whole


def test_what_arrived_without_our_knowing_is_repeated_byte_by_byte_under_the_same_id(either: Bench) -> None:
    [sent] = referred(either)
    either.push.fail[org("tsb")] = ["untold"]
    either.drain()
    either.queue.soon()
    either.drain()
    first, second = either.got("tsb")
    assert first.disclosure == second.disclosure == sent
    assert first.body == second.body
    assert either.row("tsb", id=sent).attempts == 2
    assert either.verify().whole


def test_a_worker_that_dies_after_sending_sends_the_same_again(either: Bench) -> None:
    """A crash between the send and what is written about it leaves what a real one would."""
    [sent] = referred(either)
    either.push.fail[org("tsb")] = ["crash"]
    either.drain()
    assert either.row("tsb", id=sent).state is State.QUEUED
    either.queue.soon()
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == [sent]
    assert either.verify().whole


def test_a_refusal_is_final_and_what_waited_behind_it_goes(either: Bench) -> None:
    first, second = referred(either, 2)
    either.push.fail[org("tsb")] = ["refused"]
    either.drain()
    row = either.row("tsb", id=first)
    assert (row.state, row.outcome, row.code) == (State.DONE, Outcome.REJECTED, "hand-over.refused")
    assert either.column(first, "wrapped_key") is None
    assert [got.disclosure for got in either.got("tsb")] == [second]
    assert either.verify().whole


def test_when_every_attempt_failed_an_operator_decides(either: Bench) -> None:
    [sent] = referred(either)
    either.push.down.add(org("tsb"))
    steps = []
    for _ in range(len(LADDER) + 1):
        either.drain()
        steps += [step for _, step in either.queue.later]
        either.queue.soon()
    assert steps == list(range(len(LADDER)))
    row = either.row("tsb", id=sent)
    assert (row.state, row.code, row.attempts) == (State.PARKED, "hand-over.gave-up", len(LADDER) + 1)
    assert not either.queue.ready
    assert not either.queue.later
    either.push.down.clear()
    repair.retry(either.parts, sent, operator="vakt", reason="oppe igjen")
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == [sent]
    assert either.verify().whole


def test_a_push_can_use_its_permit_once_only(either: Bench) -> None:
    referred(either)
    spent = []

    def spend(permit: object) -> None:
        spent.append(permit)

    either.push.meanwhile = spend
    either.push.fail[org("tsb")] = ["unavailable"]
    either.drain()
    either.queue.soon()
    either.drain()
    assert len({id(permit) for permit in spent}) == 2


# Order


def test_order_is_kept_while_the_first_is_tried_again(either: Bench) -> None:
    wanted = referred(either, 4)
    either.push.fail[org("tsb")] = ["unavailable", "untold", "unavailable"]
    for _ in range(4):
        either.drain()
        either.queue.soon()
    seen = list(dict.fromkeys(got.disclosure for got in either.got("tsb")))
    assert seen == wanted


def test_order_is_kept_when_work_comes_in_the_wrong_order(either: Bench) -> None:
    wanted = referred(either, 5)
    either.queue.ready = type(either.queue.ready)(reversed(either.queue.ready))
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == wanted


def test_order_is_kept_through_parking_and_repair(either: Bench) -> None:
    first, second, third = referred(either, 3)
    either.push.down.add(org("tsb"))
    for _ in range(len(LADDER) + 1):
        either.drain()
        either.queue.soon()
    assert either.row("tsb", id=first).state is State.PARKED
    either.push.down.clear()
    either.clock.forward(hours=3)
    either.sweep()
    either.drain()
    assert either.got("tsb") == []
    repair.retry(either.parts, first, operator="vakt", reason="oppe igjen")
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == [first, second, third]


def test_dropping_what_is_parked_lets_the_next_go(either: Bench) -> None:
    first, second = referred(either, 2)
    either.push.down.add(org("tsb"))
    for _ in range(len(LADDER) + 1):
        either.drain()
        either.queue.soon()
    either.push.down.clear()
    repair.drop(either.parts, first, operator="vakt", reason="feil mottaker")
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == [second]


def test_other_persons_and_other_recipients_are_not_delayed(either: Bench) -> None:
    mine = referred(either, 2)
    theirs = referred(either, 1, who=1)
    either.push.fail[org("tsb")] = ["unavailable"]
    either.post("prison", xml_brik(), XML)  # to the health service, and to others, about the same person
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == theirs
    assert either.got("prison_health")
    either.queue.soon()
    either.drain()
    assert [got.disclosure for got in either.got("tsb") if got.disclosure in mine] == mine


# Fetching


def test_to_fetch_is_to_hand_over(either: Bench) -> None:
    entry = gp_has_epikrise(either)
    row = either.row("gp", id=entry)
    assert (row.state, row.handed_over_at) == (State.OFFERED, None)
    rendered = hand_over.fetch(either.parts, either.agency("gp"), entry)
    assert b"J45" in rendered.body
    assert b"F11" not in rendered.body
    row = either.row("gp", id=entry)
    assert (row.state, row.outcome) == (State.DONE, Outcome.REDUCED)
    assert row.handed_over_at == either.clock()
    assert either.verify().hand_overs == 1


def test_every_fetch_is_decided_and_is_a_leaf(either: Bench) -> None:
    entry = gp_has_epikrise(either)
    before = either.verify().leaves
    bodies = {hand_over.fetch(either.parts, either.agency("gp"), entry).body for _ in range(3)}
    report = either.verify()
    assert len(bodies) == 1
    assert report.whole
    assert report.leaves == before + 6  # a decision and a hand-over each
    assert len(either.rows("gp", state="waiting")) == 1  # and the rest waits once


def test_unknown_of_others_and_withdrawn_are_answered_the_same(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    [entry] = either.listed("nav")
    assert not_found(either, "gp", entry)
    assert not_found(either, "nav", "no-such-id")
    either.post("prison_health", withdrawal("skjema-1-nav", "t-1"))
    assert not_found(either, "nav", entry)
    either.drain()
    assert not_found(either, "nav", entry)
    assert either.row("nav", id=entry).handed_over_at is None


def test_a_recipient_that_is_called_cannot_fetch(either: Bench) -> None:
    [sent] = referred(either)
    assert not_found(either, "tsb", sent)
    either.drain()
    assert not_found(either, "tsb", sent)


def test_what_ran_out_in_the_inbox_is_not_handed_over(either: Bench) -> None:
    """The decision at the fetch counts, not the one at the offer."""
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    [entry] = either.listed("nav")
    either.clock.forward(days=400)
    assert not_found(either, "nav", entry)
    assert either.row("nav", id=entry).handed_over_at is None
    assert either.column(entry, "wrapped_key") is None


def test_what_was_fetched_stays_delivered_when_it_may_not_be_fetched_again(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    posted = either.post("prison", "brik.xml")
    either.drain()
    [entry] = either.listed("nav")
    hand_over.fetch(either.parts, either.agency("nav"), entry)
    delivered = either.status("prison", posted)
    either.post("prison_health", withdrawal("skjema-1-nav", "t-1"))
    either.drain()
    assert not_found(either, "nav", entry)
    assert entry not in either.listed("nav")
    assert either.column(entry, "wrapped_key") is None
    row = either.row("nav", id=entry)
    assert (row.state, row.outcome) == (State.DONE, Outcome.DELIVERED)
    assert either.status("prison", posted) == delivered
    hand_over.acknowledge(either.parts, either.agency("nav"), entry)
    assert either.row("nav", id=entry).acknowledged_at is not None


def test_a_second_fetch_never_brings_more_than_the_first(either: Bench) -> None:
    """The same id is the same content: a recipient drops the second copy unread."""
    entry = gp_has_epikrise(either)
    first = hand_over.fetch(either.parts, either.agency("gp"), entry)
    either.post("prison_health", "samtykke-gp.fhir.json")
    second = hand_over.fetch(either.parts, either.agency("gp"), entry)
    assert second.body == first.body
    either.drain()
    bodies = {rendered.body for rendered in either.come_for_it("gp")}
    assert any(b"F11" in body for body in bodies)


# Acknowledging


def test_to_acknowledge_destroys_our_copy_and_twice_is_once(either: Bench) -> None:
    entry = gp_has_epikrise(either)
    hand_over.fetch(either.parts, either.agency("gp"), entry)
    assert either.column(entry, "wrapped_key") is not None
    for _ in range(2):
        hand_over.acknowledge(either.parts, either.agency("gp"), entry)
        either.clock.forward(hours=1)
    assert either.column(entry, "wrapped_key") is None
    assert either.column(entry, "ciphertext") is None
    assert either.row("gp", id=entry).acknowledged_at == either.clock() - timedelta(hours=2)
    assert not_found(either, "gp", entry)
    assert either.listed("gp") == []


def test_only_what_was_fetched_by_oneself_can_be_acknowledged(either: Bench) -> None:
    entry = gp_has_epikrise(either)
    for key, disclosure in (("gp", entry), ("nav", entry), ("gp", "no-such-id")):
        with pytest.raises(HubError) as refused:
            hand_over.acknowledge(either.parts, either.agency(key), disclosure)
        assert refused.value.code == "receive.not-found"


def test_fetching_and_acknowledging_at_once_leave_no_copy(either: Bench) -> None:
    either.register_gp()
    for index in range(6):
        either.post("prison_health", json_epikrise(index))
        either.drain()
        entry = either.listed("gp")[-1]
        gp = either.agency("gp")
        hand_over.fetch(either.parts, gp, entry)
        fetch = partial(hand_over.fetch, either.parts, gp, entry)
        acknowledge = partial(hand_over.acknowledge, either.parts, gp, entry)
        run_together(fetch, acknowledge, fetch, acknowledge, fetch)
        assert either.column(entry, "wrapped_key") is None
    assert either.verify().whole


def json_epikrise(index: int) -> bytes:
    return fhir("epikrise.fhir.json").replace(b"EPI-5512", f"EPI-{index}".encode())


# What may not go


def test_where_nothing_is_left_of_what_is_essential_nothing_goes(either: Bench) -> None:
    """Housing may get who, but not the need: a question without a question is not asked."""
    either.post(
        "prison_health",
        consent("samtykke-bolig.json", "b", kategorier=["identity", "custody", "coordination"]),
    )
    either.post("prison", "brik.xml")
    either.drain()
    row = either.row("housing")
    assert either.got("housing") == []
    assert (row.state, row.attempts) == (State.WAITING, 0)


def test_a_protected_address_stops_everything(either: Bench) -> None:
    referred(either, 1)
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    graded = release_date(1)
    graded["person_adressegradering"] = "strengt_fortrolig"
    either.post("prison", graded)
    either.drain()
    assert either.push.calls == []
    assert either.listed("nav") == []
    assert {row.outcome for row in either.rows()} == {Outcome.WITHHELD}
    assert {row.code for row in either.rows()} == {"decide.protected-address"}


def test_without_consent_nothing_is_pushed_and_nothing_is_kept_rendered(either: Bench) -> None:
    either.post("prison_health", referral("H-1"))
    either.drain()
    row = either.row("tsb")
    assert (row.state, row.outcome, row.code) == (State.WAITING, Outcome.WAITING, "decide.no-consent")
    assert either.column(row.id, "wrapped_key") is None
    assert either.push.calls == []


def test_a_refusal_by_the_person_ends_it(either: Bench) -> None:
    either.post("prison_health", refusal("nei", ["tsb"]))
    either.post("prison_health", referral("H-1"))
    either.drain()
    row = either.row("tsb")
    assert (row.state, row.outcome, row.code) == (State.WAITING, Outcome.WITHHELD, "decide.objection")


def test_what_was_refused_is_not_released_by_a_later_consent(either: Bench) -> None:
    either.post("prison_health", refusal("nei", ["tsb"]))
    either.post("prison_health", referral("H-1"))
    either.drain()
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.drain()
    assert either.got("tsb") == []
    assert either.row("tsb").outcome == Outcome.WITHHELD


# The rest


def test_a_later_consent_releases_the_rest_exactly_once(either: Bench) -> None:
    entry = gp_has_epikrise(either)
    either.come_for_it("gp")
    either.post("prison_health", "samtykke-gp.fhir.json")
    either.drain()
    [rest] = either.come_for_it("gp")
    assert b"F11" in rest.body
    either.post("prison_health", fhir("samtykke-gp.fhir.json", series="another"), FHIR)
    either.drain()
    assert either.come_for_it("gp") == []
    assert [(row.id == entry, row.revision) for row in either.rows("gp")] == [(True, 1), (False, 2)]
    assert either.verify().whole


def test_a_consent_about_something_else_releases_nothing(either: Bench) -> None:
    gp_has_epikrise(either)
    either.come_for_it("gp")
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison_health", fhir("samtykke-gp.fhir.json", series="other", who=1), FHIR)
    either.drain()
    assert either.come_for_it("gp") == []
    assert [row.state for row in either.rows("gp")] == [State.DONE, State.WAITING]


def test_the_rest_is_over_when_its_time_is_and_its_key_is_gone(either: Bench) -> None:
    gp_has_epikrise(either)
    either.come_for_it("gp")
    [rest] = either.rows("gp", state="waiting")
    assert either.column(rest.id, "sent_key") is not None
    either.clock.forward(days=179)
    either.sweep()
    assert either.row("gp", id=rest.id).state is State.WAITING
    either.clock.forward(days=1)
    either.sweep()
    row = either.row("gp", id=rest.id)
    assert (row.state, row.outcome, row.code) == (State.DONE, Outcome.EXPIRED, "hand-over.expired")
    assert either.column(rest.id, "sent_key") is None
    either.post("prison_health", fhir("samtykke-gp.fhir.json"), FHIR)
    either.drain()
    assert either.come_for_it("gp") == []


def test_a_held_remark_stays_held_whatever_else_is_allowed(either: Bench) -> None:
    either.post("prison_health", "samtykke-bolig.json")
    either.post("prison", "brik.xml")
    either.drain()
    [sent] = either.got("housing")
    assert "merknad" not in json.loads(sent.body)
    either.post(
        "prison_health",
        consent(
            "samtykke-bolig.json",
            "more",
            kategorier=[
                "identity",
                "coordination",
                "custody",
                "housing",
                "family",
                "economy",
                "substance_use",
            ],
        ),
    )
    either.drain()
    assert all("rusmilj" not in got.text for got in either.got("housing"))
    assert [row.outcome for row in either.rows("housing", state="waiting")] == [Outcome.HELD]


# Recipients with a queue of their own


def test_an_amqp_recipient_is_told_and_fetches(either: Bench) -> None:
    with_door(either, "gp", "amqp")
    entry = gp_has_epikrise(either)
    assert either.bell.rung == [entry]
    assert hand_over.fetch(either.parts, either.agency("gp"), entry).body


def test_what_could_not_be_told_can_be_fetched_all_the_same_and_is_told_later(either: Bench) -> None:
    with_door(either, "gp", "amqp")
    either.bell.broken = True
    entry = gp_has_epikrise(either)
    either.bell.broken = False
    either.queue.soon()
    either.drain()
    assert either.bell.rung == [entry]
    assert hand_over.fetch(either.parts, either.agency("gp"), entry).body


def test_who_died_before_telling_tells_later(either: Bench) -> None:
    with_door(either, "gp", "amqp")
    either.register_gp()
    either.post("prison_health", "epikrise.fhir.json")
    ring = either.bell.send
    either.bell.send = lambda permit: (_ for _ in ()).throw(SystemExit)  # type: ignore[method-assign]  # dies here
    with pytest.raises(SystemExit):
        either.drain()
    either.bell.send = ring  # type: ignore[method-assign]  # and comes back
    either.clock.forward(hours=1)
    either.sweep()
    either.drain()
    assert either.bell.rung == either.listed("gp")
    assert len(either.bell.rung) == 1


# Work that means nothing any more


def test_work_about_nothing_is_done(either: Bench) -> None:
    assert hand_over.attempt(either.parts, Work("no-such-id", 0)) == Done()


def test_what_an_agency_missing_from_the_directory_should_get_waits_for_it(either: Bench) -> None:
    [sent] = referred(either)
    whole = either.parts.directory
    left = {key: party for key, party in either.parts.directory.items() if key != org("tsb")}
    either.parts = replace(either.parts, directory=left)
    either.drain()
    row = either.row("tsb", id=sent)
    assert either.push.calls == []
    assert (row.state, row.code) == (State.QUEUED, "route.recipient-unknown")
    either.parts = replace(either.parts, directory=whole)
    either.queue.soon()
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == [sent]


def test_keys_that_do_not_fit_end_nothing(either: Bench) -> None:
    [sent] = referred(either)
    right = either.parts.vault
    either.parts = replace(either.parts, vault=replace(right, master=b"x" * 32))
    either.drain()
    assert either.push.calls == []
    assert either.row("tsb", id=sent).state is State.QUEUED
    either.parts = replace(either.parts, vault=right)
    either.queue.soon()
    either.drain()
    assert [got.disclosure for got in either.got("tsb")] == [sent]


def test_nothing_goes_about_somebody_who_is_forgotten(either: Bench) -> None:
    [sent] = referred(either)
    with either.parts.store.writing() as tx:
        tx.execute(update(person).values(wrapped_key=None))
    either.drain()
    assert either.push.calls == []
    assert either.row("tsb", id=sent).outcome == Outcome.EXPIRED


def test_an_answer_reaches_who_asked_and_nobody_else(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    posted = either.post("prison", "brik.xml")
    either.drain()
    [asked] = either.come_for_it("nav")
    answer = fields("nav-svar.json")
    answer["melding"]["svar_pa"] = json.loads(asked.body)["melding"]["id"]
    either.post("nav", answer)
    either.drain()
    [told] = either.come_for_it("prison")
    assert json.loads(told.body)["melding"]["svar_pa"] == posted.id
    assert either.status("prison", posted)[org("nav")]["answered_at"]
