"""Requests on file: recorded, read at routing and at the hand-over, ended; with their leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from consent.rows import Effect, Pack, Requires, Row
from hub import hand_over, preview, requests
from hub.audit.log import Kind
from hub.errors import HubError
from hub.identity import Desk
from hub.message import Category, Purpose
from hub.requests import Asked
from hub.store.disclosures import State
from hub.store.schema import information_request
from tests import mutating
from tests.hub.bench import Bench, number, on_the_bench, org, referral, with_door
from tests.hub.on_record import (
    KARI,
    OLA,
    expect_it_opens_only_over_a_confirmed_link,
    expect_none_in_clear,
    make_unreadable,
)

CLINIC, WARD, OFFICE = org("tsb"), org("prison_health"), org("nav")


def on_request(bench: Bench) -> Bench:
    """The way from the prison's health service to the clinic is open on request only."""

    def only_on_request(row: Row) -> Row:
        return replace(
            row, effect=Effect.DUTY_ON_REQUEST, requires=Requires(request_on_file=True), wait_days=90
        )

    pack = bench.parts.pack
    mine = [row for row in pack.forms["L23"] if row.version == 2]
    rows = (*(row for row in pack.rows if row.flow != "L23"), *map(only_on_request, mine))
    bench.parts = replace(bench.parts, pack=Pack("on request", rows, "0" * 64))
    return bench


@pytest.fixture
def asking(either: Bench) -> Bench:
    return on_request(either)


@pytest.fixture
def one(bench: Bench) -> Bench:
    return on_request(bench)


def asked(**changes: Any) -> Asked:
    plain = Asked(
        reference="2026/4711",
        asked_by=CLINIC,
        asked_of=WARD,
        flow="L23",
        purpose="treatment",
        asked_on=date(2026, 11, 20),
        valid_to=date(2026, 12, 20),
    )
    return replace(plain, **changes)


def ask(bench: Bench, who: int = 0, **changes: Any) -> str:
    return requests.add(bench.parts, number(who), asked(**changes), KARI)[0]


def refer(bench: Bench, who: int = 0, name: str = "H-1") -> None:
    bench.post("prison_health", referral(name, who=who))
    bench.drain()


def code(bench: Bench) -> str | None:
    return bench.row("tsb", agreement="henvisning-tsb").code


# -- what a request opens --------------------------------------------------------------------------


def test_without_a_request_nothing_goes_and_with_it_everything_does(asking: Bench) -> None:
    refer(asking)
    assert (asking.got("tsb"), code(asking)) == ([], "decide.no-request")

    ask(asking, 1)
    refer(asking, 1, "H-2")

    assert len(asking.got("tsb")) == 1
    assert asking.verify().whole


def test_a_request_releases_what_waited_as_a_new_decision(asking: Bench) -> None:
    refer(asking)

    ask(asking)
    asking.drain()

    assert len(asking.got("tsb")) == 1
    asked_for = [item["requests"] for leaf in asking.leaves(Kind.DECISION) for item in leaf["items"]]
    assert asked_for[-1] != []


@pytest.mark.parametrize("door", ["webhook", "inbox"])
def test_an_ended_request_stops_what_has_not_been_handed_over(asking: Bench, door: str) -> None:
    with_door(asking, "tsb", door)
    request = ask(asking)
    if door == "webhook":
        asking.push.down.add(CLINIC)
    refer(asking)
    if door == "inbox":
        assert len(asking.listed("tsb")) == 1
    lying = asking.row("tsb", agreement="henvisning-tsb")

    requests.end(asking.parts, number(0), request, OLA)

    assert asking.column(lying.id, "wrapped_key") is None
    asking.push.down.clear()
    asking.queue.soon()
    asking.drain()
    assert (asking.got("tsb"), asking.listed("tsb"), code(asking)) == ([], [], "decide.no-request")
    assert asking.verify().whole


def test_a_request_that_runs_out_on_the_way_stops_it_at_the_last_moment(asking: Bench) -> None:
    with_door(asking, "tsb", "inbox")
    ask(asking, valid_to=date(2026, 11, 21))
    refer(asking)
    [lying] = asking.listed("tsb")

    asking.clock.forward(days=2)

    with pytest.raises(HubError, match=r"receive\.not-found"):
        hand_over.fetch(asking.parts, asking.agency("tsb"), lying)


def test_another_agencys_request_opens_nothing(one: Bench) -> None:
    ask(one, 1)

    refer(one)

    assert one.got("tsb") == []


def test_the_newest_version_counts(one: Bench) -> None:
    first = ask(one)
    again, version = requests.add(one.parts, number(0), asked(valid_to=date(2026, 11, 20)), OLA)
    one.clock.forward(days=1)

    refer(one)

    assert (version, first != again, one.got("tsb")) == (2, True, [])
    stands = {each.entry.said.id: each.stands for each in of(one)}
    assert stands == {first: "superseded", again: "expired"}


def test_the_same_reference_of_another_agency_is_another_request(one: Bench) -> None:
    pack = one.parts.pack
    wider = [replace(row, recipients=row.recipients | {one.agency("gp").sector}) for row in pack.rows]
    one.parts = replace(one.parts, pack=replace(pack, rows=tuple(wider)))

    ask(one)
    _, version = requests.add(one.parts, number(0), asked(asked_by=org("gp")), OLA)

    assert version == 1
    assert [each.stands for each in of(one)] == ["in-force", "in-force"]


def test_over_a_link_in_doubt_a_request_opens_nothing_and_over_a_confirmed_one_it_does(one: Bench) -> None:
    refer(one)
    ask(one, 1)

    expect_it_opens_only_over_a_confirmed_link(one, lambda: one.got("tsb"))


def test_what_cannot_be_opened_asks_for_nothing(one: Bench) -> None:
    ask(one)
    make_unreadable(one, information_request)

    refer(one)

    assert (one.got("tsb"), [each.stands for each in of(one)]) == ([], ["unreadable"])


# -- both time axes --------------------------------------------------------------------------------


def of(bench: Bench, **back: float) -> list[requests.Shown]:
    then = bench.clock() - timedelta(**back)
    return requests.of_person(bench.parts, number(0), at=then, known_at=then)


def test_the_register_shows_what_was_in_force_and_what_was_known(one: Bench) -> None:
    request = ask(one)
    one.clock.forward(days=2)
    requests.end(one.parts, number(0), request, OLA)
    one.clock.forward(days=2)

    assert [each.stands for each in of(one)] == ["ended"]
    assert [each.stands for each in of(one, days=3)] == ["in-force"]
    assert of(one, days=5) == []
    now = one.clock()
    known_then = requests.of_person(one.parts, number(0), at=now, known_at=now - timedelta(days=3))
    assert [each.stands for each in known_then] == ["in-force"]
    later = requests.of_person(one.parts, number(0), at=now + timedelta(days=90), known_at=now)
    assert [each.stands for each in later] == ["ended"]


def test_explain_names_the_request_and_when_it_was_known(one: Bench) -> None:
    request = ask(one)
    clinic, ward = one.agency("tsb"), one.agency("prison_health")
    question = preview.Question(ward, clinic, Purpose.TREATMENT, frozenset({Category.SOMATIC_HEALTH}))

    now, _ = preview.of_question(one.parts, number(0), question, by="test")
    before = replace(question, known_at=one.clock() - timedelta(minutes=1))
    then, _ = preview.of_question(one.parts, number(0), before, by="test")

    assert [(i.reason, i.requests) for i in now.items] == [("decide.row", (request,))]
    assert [(i.reason, i.requests) for i in then.items] == [("decide.no-request", ())]


# -- recording -------------------------------------------------------------------------------------

UNFIT: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    ({"reference": " "}, {("reference", "text")}),
    ({"reference": "a\tb"}, {("reference", "text")}),
    ({"reference": "a" * 501}, {("reference", "text")}),
    ({"flow": "L99"}, {("row", "on-request")}),
    ({"flow": "L24"}, {("row", "on-request")}),  # no row of it speaks on request
    ({"asked_by": "399999999"}, {("asked-by", "known")}),
    ({"asked_of": ""}, {("asked-of", "known")}),
    ({"asked_by": OFFICE}, {("asked-by", "sector")}),
    ({"asked_of": OFFICE}, {("asked-of", "sector")}),
    ({"purpose": "housing"}, {("purpose", "code")}),
    ({"asked_on": date(2026, 11, 21)}, {("asked-on", "period")}),
    ({"valid_to": date(2026, 11, 19)}, {("until", "period")}),
    ({"data_from": date(2026, 2, 1), "data_to": date(2026, 1, 31)}, {("data-to", "period")}),
    ({"purpose": "x", "asked_by": "1", "reference": ""},
     {("purpose", "code"), ("asked-by", "known"), ("reference", "text")}),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), UNFIT)
def test_a_request_that_no_row_could_answer_is_refused(
    one: Bench, changes: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    with pytest.raises(HubError) as refused:
        ask(one, **changes)

    assert refused.value.code == "request.invalid"
    assert {(finding.at, finding.rule) for finding in refused.value.findings} == expected
    with one.parts.store.reading() as view:
        assert view.execute(select(information_request)).all() == []


def test_a_flow_may_be_named_by_one_of_its_rows(one: Bench) -> None:
    ask(one, flow="L23/2")

    assert [each.entry.said.flow for each in of(one)] == ["L23"]


def test_who_wrote_it_and_why_must_be_said(one: Bench) -> None:
    with pytest.raises(HubError, match=r"hub\.identity-refused"):
        requests.add(one.parts, number(0), asked(), Desk("", "", "kari"))


def test_only_what_stands_about_this_person_can_be_ended(one: Bench) -> None:
    request = ask(one)
    ask(one, 1, reference="another")

    for who, what in ((1, request), (0, "unknown")):
        with pytest.raises(HubError, match=r"request\.unknown"):
            requests.end(one.parts, number(who), what, OLA)
    assert requests.end(one.parts, number(0), request, OLA) == 1
    with pytest.raises(HubError, match=r"request\.unknown"):
        requests.end(one.parts, number(0), request, OLA)


def test_ending_a_request_ends_every_version_of_it(one: Bench) -> None:
    ask(one)
    second = ask(one)

    assert requests.end(one.parts, number(0), second, OLA) == 2
    refer(one)

    assert one.got("tsb") == []
    assert one.verify().whole


def test_no_number_and_no_word_of_it_stands_in_the_table_in_clear(one: Bench) -> None:
    ask(one, reference="CANARY-REF")

    words = ("CANARY-REF", number(0), CLINIC, WARD, "Kari", "L23")
    expect_none_in_clear(one, information_request, *words)


# -- the leaves ------------------------------------------------------------------------------------


def test_each_step_has_a_leaf_that_says_who_and_what(one: Bench) -> None:
    request = ask(one)
    requests.end(one.parts, number(0), request, OLA)

    added, ended = one.leaves(Kind.REQUEST)

    assert (added["action"], added["by"], added["rows"]) == ("add", "Kari Vik", ["L23/2"])
    assert (added["asked_by"], added["asked_of"], added["request"]) == (CLINIC, WARD, request)
    assert (ended["action"], ended["by"], ended["request"]) == ("end", "Ola Nes", request)


ANOTHER = {"id": "x", "version": 9, "ended_at": None}
TAMPERED: list[tuple[str, Callable[[Any, Any], Any], str]] = [
    ("an end taken out", lambda tx, row: update(information_request).values(ended_at=None),
     "request ended in the log, not in the row"),
    ("a row taken out", lambda tx, row: delete(information_request), "leaf of a request without its row"),
    ("a row put in", lambda tx, row: insert(information_request).values({**row, **ANOTHER}),
     "request row without its leaf"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "change", "fault"), TAMPERED, ids=[case[0] for case in TAMPERED])
def test_the_log_notices_what_is_done_to_the_table(
    one: Bench, name: str, change: Callable[[Any, Any], Any], fault: str
) -> None:
    requests.end(one.parts, number(0), ask(one), OLA)
    assert one.verify().whole
    with one.parts.store.writing() as tx:
        row = dict(tx.execute(select(information_request)).one()._mapping)
        tx.execute(change(tx, row))

    assert fault in {what for what, _ in one.verify().faults}


def test_an_end_that_nobody_made_is_noticed(one: Bench) -> None:
    ask(one)
    with one.parts.store.writing() as tx:
        tx.execute(update(information_request).values(ended_at=one.clock()))

    assert [what for what, _ in one.verify().faults] == ["request ended in the row, not in the log"]


# -- broken on purpose -----------------------------------------------------------------------------

BROKEN: list[tuple[Any, str, str, Callable[[Bench], None]]] = [
    (requests, "identity.decide_again_after(tx, parts, owner.linked)\n        return request_id",
     "return request_id", test_a_request_releases_what_waited_as_a_new_decision),
    (hand_over, "outgoing = pipeline.prepare(parts, case.route, labelled, case.person, given, now,",
     "outgoing = pipeline.prepare(parts, case.route, labelled, case.person, given, case.route.received_at,",
     test_a_request_that_runs_out_on_the_way_stops_it_at_the_last_moment),
    (requests, "        identity.decide_again_after(tx, parts, owner.linked)\n        return len(ended)",
     "        return len(ended)",
     partial(test_an_ended_request_stops_what_has_not_been_handed_over, door="inbox")),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "promise"), BROKEN, ids=["add", "last-moment", "end"])
def test_a_promise_broken_is_noticed(
    one: Bench, where: Any, old: str, new: str, promise: Callable[[Bench], None]
) -> None:
    with mutating.mutated(where, old, new), pytest.raises((AssertionError, pytest.fail.Exception)):
        promise(one)


def test_a_hub_that_starts_again_still_knows(one: Bench) -> None:
    ask(one)
    again = on_the_bench(one.parts, one.url)
    try:
        assert [each.stands for each in of(again)] == ["in-force"]
    finally:
        again.parts.store.close()


def test_what_waits_for_a_request_is_open_until_its_time_is_out(one: Bench) -> None:
    refer(one)

    assert one.row("tsb", agreement="henvisning-tsb").state is State.WAITING
