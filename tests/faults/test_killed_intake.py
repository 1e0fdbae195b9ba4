"""Killed between the writes of an answer: it is taken in whole, with what it answers, what it owes, and the
request that it sends on, or nothing of it is. Who posted it and got no answer posts it again, unchanged.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.errors import HubError
from hub.store import disclosures
from hub.store.disclosures import Disclosure, State
from hub.store.schema import disclosure, message
from tests.faults.killing import at_every_point, start_again
from tests.hub.bench import XML, Bench, consent, number, org, xml_brik
from tests.hub.test_referral import OTHER, REQUEST, brik_of, lost, other_office, said


def requested(bench: Bench, who: int) -> str:
    """The housing office has the request about that person; its id there."""
    permits = consent("samtykke-bolig.json", f"bolig-{who}", who=who)
    bench.post("prison_health", permits)
    bench.post("prison", xml_brik(message_id=f"BRIK-{who}", who=who), XML)
    bench.drain()
    return bench.got("housing")[-1].disclosure


def answered(bench: Bench, request: str) -> list[tuple[str, str | None, int | None, bool]]:
    """Every answer about the person of a request: id, what it answers, its number, if it owes another."""
    columns = (message.c.id, message.c.answers, message.c.answer_no, message.c.owes_at)
    with bench.parts.store.reading() as view:
        about = select(disclosure.c.person_id).where(disclosure.c.id == request).scalar_subquery()
        mine = (message.c.person_id == about, message.c.type == "bolig.svar")
        rows = view.execute(select(*columns).where(*mine).order_by(message.c.answer_no)).all()
    return [(row.id, row.answers, row.answer_no, row.owes_at is not None) for row in rows]


def of_message(bench: Bench, message_id: str) -> list[Disclosure]:
    with bench.parts.store.reading() as view:
        return disclosures.of_message(view, message_id)


def first_to(bench: Bench, message_id: str, recipient: str) -> list[Disclosure]:
    return [row for row in of_message(bench, message_id) if (row.recipient, row.revision) == (recipient, 1)]


Prepared = tuple[int, str, bytes]


def prepared(bench: Bench, status: str, who: int, **more: Any) -> Prepared:
    request = requested(bench, who)
    body = said(request, status, person=number(who), **more)
    return who, request, json.dumps(body).encode()


def post(own: Bench, said: Prepared) -> None:
    own.post("housing", said[2])


def test_an_answer_is_taken_in_with_what_it_answers_and_owes_or_not_at_all(mortal: Bench) -> None:
    prepare = partial(prepared, mortal, "mottatt")

    for (_, request, body), _ in at_every_point(mortal, prepare, post, least=5):
        [(one, *said_of_it)] = answered(mortal, request)
        assert said_of_it == [request, 1, True]
        [to_prison] = of_message(mortal, one)

        start_again(mortal)
        again = mortal.post("housing", body)
        mortal.drain()

        assert (again.id, again.duplicate) == (one, True)
        assert len(answered(mortal, request)) == 1
        assert mortal.listed("prison").count(to_prison.id) == 1
        assert not any(row.answered_at for row in of_message(mortal, brik_of(mortal, request)))
    assert mortal.verify().whole


def test_not_ours_is_said_and_the_request_sent_on_or_neither(mortal: Bench) -> None:
    other_office(mortal)
    prepare = partial(prepared, mortal, "ansvar_bestridt", foreslatt_kommune="9902")

    for (who, request, body), _ in at_every_point(mortal, prepare, post, least=7):
        [(one, *said_of_it)] = answered(mortal, request)
        [onward] = first_to(mortal, brik_of(mortal, request), OTHER)
        assert said_of_it == [request, 1, False]
        assert (onward.because_of, onward.state) == (one, State.QUEUED)

        start_again(mortal)
        again = mortal.post("housing", body)
        mortal.drain()

        assert (again.id, again.duplicate) == (one, True)
        assert len(answered(mortal, request)) == 1
        assert [row.id for row in first_to(mortal, brik_of(mortal, request), OTHER)] == [onward.id]
        there = [sent.disclosure for sent in mortal.push.got if sent.recipient == OTHER]
        assert (there.count(onward.id), len(there)) == (1, who + 1)
        [to_prison] = first_to(mortal, one, org("prison"))
        assert mortal.listed("prison").count(to_prison.id) == 1
        with pytest.raises(HubError, match=r"route\.move-not-allowed"):
            mortal.post("housing", said(request, "tilbud_permanent", person=number(who)))
    assert mortal.verify().whole


def test_a_request_that_has_nowhere_to_go_says_so_once_or_is_not_answered(mortal: Bench) -> None:
    other_office(mortal)
    prepare = partial(prepared, mortal, "ansvar_bestridt", foreslatt_kommune="9903")

    for (who, request, body), _ in at_every_point(mortal, prepare, post, least=6):
        assert len(answered(mortal, request)) == 1
        assert lost(mortal, request) == [(REQUEST, "route.recipient-unknown")]

        start_again(mortal)
        mortal.post("housing", body)

        assert lost(mortal, request) == [(REQUEST, "route.recipient-unknown")]
        mortal.post("housing", said(request, "avslag", person=number(who), avslag_grunn="annet"))
        assert [count for _, _, count, _ in answered(mortal, request)] == [1, 2]
    assert mortal.verify().whole


def test_a_request_that_goes_on_reaches_the_other_office_under_one_id(mortal: Bench, tmp_path: Path) -> None:
    """Killed while it is handed over there: before or after it left, and before that was written down."""
    other_office(mortal)
    outside = tmp_path / "got"
    outside.mkdir()

    def kept(disclosure_id: str, body: bytes) -> None:
        (outside / f"{disclosure_id}.{len(list(outside.iterdir()))}").write_bytes(body)

    def sent_on(who: int) -> str:
        _, request, body = prepared(mortal, "ansvar_bestridt", who, foreslatt_kommune="9902")
        mortal.post("housing", body)
        mortal.queue.ready = deque(  # only what goes there: the rest is on its way as ever
            work
            for work in mortal.queue.ready
            if mortal.parts.vault.read_handle(work.ref)
            in {row.id for row in first_to(mortal, brik_of(mortal, request), OTHER)}
        )
        return request

    seen = set[int]()
    for request, _ in at_every_point(mortal, sent_on, lambda own, _: own.drain(), kept, least=2, step=2):
        [onward] = first_to(mortal, brik_of(mortal, request), OTHER)
        before = [file.read_bytes() for file in outside.glob(f"{onward.id}.*")]
        assert onward.handed_over_at or onward.uncertain_at, "what may have left is on record"
        assert len(before) == 1 or not onward.handed_over_at

        mortal.clock.forward(minutes=5)
        start_again(mortal)

        copies = before + [sent.body for sent in mortal.push.got if sent.disclosure == onward.id]
        seen.add(len(copies))
        assert len(set(copies)) == 1
        [onward] = first_to(mortal, brik_of(mortal, request), OTHER)
        assert onward.handed_over_at is not None
    assert seen == {1, 2}
    assert mortal.verify().whole


def test_a_message_that_is_good_until_a_time_is_kept_with_it_or_not_at_all(mortal: Bench) -> None:
    """The time stands in the sealed message itself, so there is no write between the two."""

    def prepare(who: int) -> Prepared:
        until = (mortal.clock() + timedelta(hours=2)).isoformat(timespec="seconds")
        return prepared(mortal, "mottatt", who, gyldig_til=until)

    for (_, request, body), _ in at_every_point(mortal, prepare, post, least=5):
        [(one, *_)] = answered(mortal, request)
        mortal.clock.forward(hours=2)

        start_again(mortal)
        again = mortal.post("housing", body)

        [row] = of_message(mortal, one)
        assert (again.id, again.duplicate) == (one, True)
        assert (row.state, row.code) == (State.DONE, "hand-over.expired")
        assert mortal.column(row.id, "wrapped_key") is None
    assert mortal.listed("prison") == []
    assert mortal.verify().whole


def test_what_ends_as_expired_ends_whole_or_is_ended_by_the_next_turn(mortal: Bench) -> None:
    def prepare(who: int) -> str:
        until = (mortal.clock() + timedelta(hours=2)).isoformat(timespec="seconds")
        accepted = mortal.post("housing", prepared(mortal, "mottatt", who, gyldig_til=until)[2])
        mortal.clock.forward(hours=2)
        return accepted.id

    for kept, _ in at_every_point(mortal, prepare, lambda own, _: own.drain(), least=3):
        [row] = of_message(mortal, kept)
        assert (row.state, row.code) == (State.DONE, "hand-over.expired")
        assert mortal.column(row.id, "wrapped_key") is None

        start_again(mortal)

        assert len(of_message(mortal, kept)) == 1
    assert mortal.listed("prison") == []
    assert mortal.verify().whole
