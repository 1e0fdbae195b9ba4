"""What a recipient may have got without our knowing: the same id never brings more, who may have it is
told of a withdrawal, and nothing that was overtaken while it waited comes later."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from hub import hand_over
from hub.errors import HubError
from hub.message import Outcome
from hub.store import people
from hub.store.disclosures import State
from hub.store.schema import consent as consent_table
from hub.store.schema import disclosure
from tests.hub.bench import (
    FHIR,
    XML,
    Bench,
    consent,
    fhir,
    org,
    referral,
    with_door,
    withdrawal,
    xml_brik,
)

WORK = ["identity", "coordination", "custody", "work"]
MORE = [*WORK, "economy"]


@pytest.fixture
def nav(either: Bench) -> Bench:
    """Where NAV is called, and not come for."""
    with_door(either, "nav", "webhook")
    return either


def to_nav(bench: Bench, series: str, categories: list[str]) -> None:
    bench.post("prison_health", consent("samtykke-nav.json", series, kategorier=categories))


def again(bench: Bench) -> None:
    bench.queue.soon()
    bench.drain()


@pytest.mark.parametrize("lost", ["untold", "crash"])
def test_what_was_widened_after_a_lost_answer_comes_under_another_id(nav: Bench, lost: str) -> None:
    to_nav(nav, "narrow", WORK)
    nav.post("prison", "brik.xml")
    nav.push.fail[org("nav")] = [lost]
    nav.drain()
    to_nav(nav, "wide", MORE)
    again(nav)
    got = nav.got("nav")
    assert len({sent.disclosure for sent in got}) == 2
    *same, wider = [json.loads(sent.body) for sent in got]
    first = nav.rows("nav")[0].id
    assert {sent.disclosure for sent in got[:-1]} == {first}
    assert all("okonomi" not in said for said in same)
    assert "okonomi" in wider
    assert nav.verify().whole


def test_the_same_id_brings_only_what_every_attempt_before_it_brought(nav: Bench) -> None:
    """Wide, then narrow, then wide: the recipient may have kept the narrow one."""
    to_nav(nav, "narrow", WORK)
    to_nav(nav, "wide", MORE)
    nav.post("prison", "brik.xml")
    nav.push.fail[org("nav")] = ["untold", "untold"]
    nav.drain()
    nav.post("prison_health", withdrawal("wide", "t"))
    nav.drain()
    to_nav(nav, "wider", MORE)
    again(nav)
    first = nav.rows("nav")[0].id
    bodies = ["okonomi" in json.loads(s.body) for s in nav.got("nav") if s.disclosure == first]
    assert bodies == [True, False, False]


def test_who_may_have_it_is_told_of_the_withdrawal(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", referral("H"))
    either.push.fail[org("tsb")] = ["untold"]
    either.drain()
    [maybe] = either.got("tsb")
    either.post("prison_health", "samtykke-tsb-trukket.json")
    again(either)
    first, notice = either.got("tsb")
    assert json.loads(notice.body)["type"] == "samtykke.trukket"
    assert first.disclosure == maybe.disclosure
    assert either.row("tsb", id=maybe.disclosure).handed_over_at is None


def test_who_cannot_have_it_is_not_told(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", referral("H"))
    either.push.fail[org("tsb")] = ["refused"]
    either.drain()
    either.post("prison_health", "samtykke-tsb-trukket.json")
    again(either)
    assert either.got("tsb") == []


def test_a_refusal_does_not_unsay_an_attempt_that_may_have_arrived(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", referral("H"))
    either.push.fail[org("tsb")] = ["untold", "refused"]
    either.drain()
    again(either)
    either.post("prison_health", "samtykke-tsb-trukket.json")
    again(either)
    assert [sent.text.count("samtykke.trukket") > 0 for sent in either.got("tsb")] == [False, True]


def test_it_is_told_of_any_of_the_consents_that_the_attempts_rested_on(either: Bench) -> None:
    for series in ("one", "two"):
        either.post("prison_health", fhir("samtykke-tsb.fhir.json", series=series), FHIR)
        if series == "one":
            either.post("prison_health", referral("H"))
            either.push.fail[org("tsb")] = ["untold"]
            either.drain()
    again(either)
    either.post("prison_health", withdrawal("one", "t"))
    either.drain()
    assert "samtykke.trukket" in either.got("tsb")[-1].text


# Who the notice comes from


@pytest.mark.parametrize("recorder", ["tsb", "prison_health"])
def test_a_notice_reaches_nav_whoever_recorded_it_and_names_nobody(either: Bench, recorder: str) -> None:
    either.post(recorder, "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    either.come_for_it("nav")
    either.post(recorder, withdrawal("skjema-1-nav", "t"))
    either.drain()
    [notice] = either.come_for_it("nav")
    assert json.loads(notice.body)["type"] == "samtykke.trukket"
    for key in ("tsb", "prison_health"):
        assert org(key).encode() not in notice.body
        assert either.agency(key).name.encode() not in notice.body


# What was overtaken while it waited


def test_an_older_mapping_that_waited_is_not_delivered_after_a_newer_one(nav: Bench) -> None:
    nav.post("prison", xml_brik(message_id="old"), XML)
    nav.drain()
    nav.clock.forward(days=1)
    nav.post("prison", xml_brik(message_id="new"), XML)
    nav.drain()
    to_nav(nav, "b", MORE)
    nav.drain()
    [sent] = nav.got("nav")
    older, newer = nav.rows("nav")
    assert sent.disclosure == newer.id
    assert (older.state, older.outcome, older.code) == (State.DONE, Outcome.WITHHELD, "route.superseded")


def test_the_rest_of_an_older_mapping_is_not_released_after_a_newer_one(nav: Bench) -> None:
    to_nav(nav, "b", WORK)
    for name in ("old", "new"):
        nav.post("prison", xml_brik(message_id=name), XML)
        nav.drain()
        nav.clock.forward(days=1)
    to_nav(nav, "more", MORE)
    nav.drain()
    third = nav.got("nav")[2:]
    assert len(third) == 1
    assert {row.message_id for row in nav.rows("nav", id=third[0].disclosure)} == {
        nav.rows("nav")[-1].message_id
    }


def test_a_mapping_that_has_its_turn_still_goes_before_the_newer(nav: Bench) -> None:
    to_nav(nav, "b", WORK)
    nav.push.fail[org("nav")] = ["unavailable"]
    for name in ("old", "new"):
        nav.post("prison", xml_brik(message_id=name), XML)
    nav.drain()
    again(nav)
    older, newer = nav.rows("nav")[:2]
    assert [sent.disclosure for sent in nav.got("nav")] == [older.id, newer.id]
    to_nav(nav, "more", MORE)
    nav.drain()
    about = {row.id: row.message_id for row in nav.rows("nav")}
    assert {about[sent.disclosure] for sent in nav.got("nav")[2:]} == {newer.message_id}


def test_what_is_handed_over_after_a_newer_one_came_in_leaves_no_rest(nav: Bench) -> None:
    to_nav(nav, "b", WORK)
    for name in ("old", "new"):
        nav.post("prison", xml_brik(message_id=name), XML)
    nav.drain()
    newest = nav.rows("nav")[-1].message_id
    to_nav(nav, "more", MORE)
    nav.drain()
    about = {row.id: row.message_id for row in nav.rows("nav")}
    assert [about[sent.disclosure] for sent in nav.got("nav")[2:]] == [newest]


def test_two_referrals_are_two_matters(either: Bench) -> None:
    for name in ("old", "new"):
        either.post("prison_health", referral(name))
    either.drain()
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.drain()
    assert len(either.got("tsb")) == 2


# Keys


def test_after_a_withdrawal_no_wrapped_key_is_left_in_the_files(bench: Bench) -> None:
    """Of SQLite, once its write-ahead log is written back; before that, the old page lies in the log."""
    bench.post("prison_health", "samtykke-tsb.fhir.json")
    bench.post("prison_health", "samtykke-nav.json")
    bench.push.down.add(org("tsb"))
    bench.post("prison_health", referral("H"))
    bench.post("prison", "brik.xml")
    bench.drain()
    with bench.parts.store.reading() as view:
        found = view.scalars(
            select(disclosure.c.wrapped_key).where(disclosure.c.recipient.in_([org("tsb"), org("nav")]))
        )
        keys = [key for key in found if key]
    assert len(keys) >= 2
    assert all(_in_files(bench, key) for key in keys)
    bench.post("prison_health", "samtykke-tsb-trukket.json")
    bench.post("prison_health", withdrawal("skjema-1-nav", "t"))
    bench.parts.store.engine.dispose()
    path = str(bench.parts.store.engine.url.database)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    assert not [key for key in keys if _in_files(bench, key)]


def _in_files(bench: Bench, key: bytes) -> bool:
    path = Path(str(bench.parts.store.engine.url.database))
    return any(key in file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file())


# The store is away, slow, or answers in part


@pytest.mark.parametrize("table", ["consent", "person", "person_link", "kept_refusal", "message"])
def test_when_a_read_of_the_decision_fails_nothing_is_sent(either: Bench, table: str) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", referral("H"))
    broken = [True]

    @event.listens_for(either.parts.store.engine, "before_cursor_execute")
    def fail(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if broken[0] and f"FROM {table}" in statement:
            raise OperationalError(statement, None, RuntimeError("gone"))

    either.drain()
    assert either.push.calls == []
    broken[0] = False
    again(either)
    either.clock.forward(hours=1)
    either.sweep()
    either.drain()
    assert len(either.got("tsb")) == 1


@pytest.mark.parametrize("column", ["ciphertext", "wrapped_key"])
def test_a_consent_that_comes_back_in_part_blocks_and_is_not_left_out(either: Bench, column: str) -> None:
    """A refusal of which half is missing still refuses, though a permission stands beside it."""
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", consent("samtykke-nav.json", "other"))
    either.post("prison_health", referral("H"))
    with either.parts.store.writing() as tx:
        newest = select(consent_table.c.id).order_by(consent_table.c.id.desc()).limit(1).scalar_subquery()
        tx.execute(consent_table.update().where(consent_table.c.id == newest).values({column: b""}))
    either.drain()
    assert either.push.calls == []
    assert either.row("tsb").code == "decide.unreadable"


def test_a_decision_read_before_the_withdrawal_is_void_at_the_fence(either: Bench) -> None:
    """A stale read, as from a replica that lags: the epoch is compared where it is written."""
    either.post("prison_health", consent("samtykke-nav.json", "n"))
    either.post("prison", "brik.xml")
    either.drain()
    [entry] = either.listed("nav")
    real = people.load

    def stale(tx: object, person_id: str) -> people.Person:
        person = real(tx, person_id)  # type: ignore[arg-type]  # passed on
        return replace(person, epoch=person.epoch - 1)

    people.load = stale
    try:
        with pytest.raises(HubError, match=r"receive\.busy"):
            hand_over.fetch(either.parts, either.agency("nav"), entry)
    finally:
        people.load = real
    assert either.row("nav", id=entry).handed_over_at is None


def test_an_amqp_notice_of_what_was_withdrawn_is_not_rung_again(either: Bench) -> None:
    with_door(either, "nav", "amqp")
    either.post("prison_health", "samtykke-nav.json")
    either.bell.broken = True
    either.post("prison", "brik.xml")
    either.drain()
    either.post("prison_health", withdrawal("skjema-1-nav", "t"))
    either.bell.broken = False
    again(either)
    assert either.bell.rung == []
