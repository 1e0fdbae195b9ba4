"""Killed between the writes of the desk: a request for information, or a registered GP, is recorded whole,
with its leaf and its consequences, or not at all. Whoever typed it and got no answer types it again.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from hub import hand_over, requests
from hub.audit.log import Kind
from hub.errors import HubError
from hub.store import people
from hub.store.disclosures import Disclosure, State
from hub.store.schema import registered_gp
from tests.faults.killing import at_every_point, start_again
from tests.hub.bench import Bench, number, org, with_door
from tests.hub.on_record import OLA
from tests.hub.test_gps import post as post_epikrise
from tests.hub.test_gps import record as record_gp
from tests.hub.test_requests import ask, on_request, refer


def person_of(bench: Bench, who: int) -> str | None:
    with bench.parts.store.reading() as view:
        return people.find_id(view, bench.parts.vault, number(who))


def row_of(bench: Bench, who: int, key: str) -> Disclosure:
    """The disclosure about that person that matters: the first one to the agency."""
    return bench.rows(key, person_id=str(person_of(bench, who)))[0]


def leaves(bench: Bench, who: int, kind: Kind) -> list[dict[str, Any]]:
    """The private part of every leaf of a kind about the person; of nobody where there is none yet."""
    return bench.leaves(kind, person_of(bench, who) or "")


def stands(bench: Bench, who: int) -> list[tuple[int, str]]:
    """Version and standing of every request about the person."""
    now = bench.clock()
    shown = requests.of_person(bench.parts, number(who), at=now, known_at=now)
    return sorted((one.entry.said.version, one.stands) for one in shown)


def test_a_request_is_recorded_whole_or_not_at_all(mortal: Bench) -> None:
    bench = on_request(mortal)

    def waiting(who: int) -> int:
        refer(bench, who, f"H-{who}")
        return who

    for who, _ in at_every_point(bench, waiting, lambda own, who: ask(own, who), least=5):
        assert stands(bench, who) == [(1, "in-force")]
        assert [leaf["version"] for leaf in leaves(bench, who, Kind.REQUEST)] == [1]
        assert row_of(bench, who, "tsb").state == State.QUEUED

        start_again(bench)
        assert len(bench.got("tsb")) == who + 1, "what is on file lets it go"
        ask(bench, who)
        bench.drain()

        assert stands(bench, who) == [(1, "superseded"), (2, "in-force")]
        assert [leaf["version"] for leaf in leaves(bench, who, Kind.REQUEST)] == [1, 2]
        assert len(bench.got("tsb")) == who + 1, "said twice it goes once"
    assert bench.verify().whole


def test_a_request_about_somebody_not_met_before_is_recorded_whole_or_not_at_all(mortal: Bench) -> None:
    """The person's own record is a transaction before; without a request it tells nobody anything."""
    bench = on_request(mortal)

    for who, _ in at_every_point(bench, lambda who: who, lambda own, who: ask(own, who), least=3):
        there = stands(bench, who)
        assert there in ([], [(1, "in-force")])
        assert len(leaves(bench, who, Kind.REQUEST)) == len(there)
        if not there and who > 0:
            continue

        start_again(bench)
        ask(bench, who)
        refer(bench, who, f"H-{who}")

        assert stands(bench, who)[-1] == (len(there) + 1, "in-force")
        assert bench.got("tsb")[-1].disclosure == row_of(bench, who, "tsb").id
    assert bench.verify().whole


def test_a_request_ends_whole_or_not_at_all(mortal: Bench) -> None:
    """Also what it let lie ready: when the request has ended, that can be opened no more."""
    bench = on_request(mortal)
    with_door(bench, "tsb", "inbox")

    def lying(who: int) -> tuple[int, str]:
        request = ask(bench, who)
        ask(bench, who)
        refer(bench, who, f"H-{who}")
        return who, request

    def end(own: Bench, said: tuple[int, str]) -> int:
        return requests.end(own.parts, number(said[0]), said[1], OLA)

    for (who, request), _ in at_every_point(bench, lying, end, least=5):
        row = row_of(bench, who, "tsb")
        assert stands(bench, who) == [(1, "superseded"), (2, "ended")]
        assert [leaf["action"] for leaf in leaves(bench, who, Kind.REQUEST)] == ["add"] * 2 + ["end"] * 2
        assert bench.column(row.id, "wrapped_key") is None

        start_again(bench)

        assert bench.listed("tsb") == []
        with pytest.raises(HubError, match=r"receive\.not-found"):
            hand_over.fetch(bench.parts, bench.agency("tsb"), row.id)
        with pytest.raises(HubError, match=r"request\.unknown"):
            end(bench, (who, request))
    assert bench.verify().whole


def said_gp(bench: Bench, who: int) -> list[str]:
    """What is recorded of the person's GP, as the leaves say it; one row for each."""
    said = [leaf["org"] for leaf in leaves(bench, who, Kind.IDENTITY)]
    with bench.parts.store.reading() as view:
        mine = registered_gp.c.person_id == person_of(bench, who)
        assert len(view.execute(select(registered_gp.c.id).where(mine)).all()) == len(said)
    return said


def test_a_registered_gp_is_recorded_whole_or_not_at_all(mortal: Bench) -> None:
    bench = mortal

    def waiting(who: int) -> int:
        post_epikrise(bench, who)
        return who

    for who, _ in at_every_point(bench, waiting, lambda own, who: record_gp(own, who), least=5):
        assert said_gp(bench, who) == [org("gp")]
        assert row_of(bench, who, "gp").state == State.QUEUED

        start_again(bench)
        assert len(bench.listed("gp")) == who + 1, "what is recorded lets it go"
        record_gp(bench, who)
        bench.drain()

        assert len(bench.listed("gp")) == who + 1, "said twice it goes once"
        assert said_gp(bench, who) == [org("gp")] * 2
    assert bench.verify().whole


def test_who_leaves_a_list_leaves_it_whole_or_not_at_all(mortal: Bench) -> None:
    """Also what lay ready for the practice: it can be opened no more."""
    bench = mortal

    def lying(who: int) -> int:
        record_gp(bench, who)
        post_epikrise(bench, who)
        assert len(bench.listed("gp")) == 1
        bench.clock.forward(seconds=1)
        return who

    def leave(own: Bench, who: int) -> None:
        record_gp(own, who, org="", source="melding fra legen")

    for who, _ in at_every_point(bench, lying, leave, least=5):
        row = row_of(bench, who, "gp")
        assert said_gp(bench, who) == [org("gp"), ""]
        assert bench.column(row.id, "wrapped_key") is None

        start_again(bench)

        assert bench.listed("gp") == []
        with pytest.raises(HubError, match=r"receive\.not-found"):
            hand_over.fetch(bench.parts, bench.agency("gp"), row.id)
        leave(bench, who)
        assert said_gp(bench, who) == [org("gp"), "", ""]
    assert bench.verify().whole
