"""The registered GP: recorded, read at routing and at the hand-over, changed; with its leaves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from hub import gps, hand_over, identity
from hub.errors import HubError
from hub.gps import Said
from hub.message import Outcome
from hub.store.disclosures import State
from hub.store.schema import registered_gp
from tests.hub.bench import FHIR, Bench, fhir, number, org
from tests.hub.on_record import (
    KARI,
    expect_it_opens_only_over_a_confirmed_link,
    expect_none_in_clear,
    make_unreadable,
)

EPIKRISE = "epikrise.fhir.json"


def record(bench: Bench, who: int = 0, **changes: Any) -> None:
    said: dict[str, Any] = {"org": org("gp"), "valid_from": date(2026, 1, 1), "valid_to": None}
    said |= {"source": "registeret"} | changes
    gps.record(bench.parts, number(who), Said(**said), KARI)


def post(bench: Bench, who: int = 0) -> None:
    body = fhir(EPIKRISE, who=who).replace(b"EPI-5512", f"EPI-{who}".encode())
    bench.post("prison_health", body, FHIR)
    bench.drain()


def test_while_it_is_unknown_nothing_goes_and_once_it_is_recorded_it_does(either: Bench) -> None:
    post(either)
    row = either.row("gp")
    assert (either.listed("gp"), row.state, row.outcome) == ([], State.WAITING, Outcome.WAITING)
    assert row.code == "decide.not-registered-gp"

    record(either)
    either.drain()

    assert len(either.listed("gp")) == 1
    assert either.verify().whole


def test_the_record_of_another_practice_or_of_another_person_opens_nothing(bench: Bench) -> None:
    record(bench, org="")
    record(bench, 1)

    post(bench)

    assert bench.listed("gp") == []


def test_who_leaves_the_list_before_it_is_fetched_gets_nothing(either: Bench) -> None:
    record(either)
    post(either)
    [lying] = either.listed("gp")

    record(either, org="", source="melding fra legen")

    assert either.column(lying, "wrapped_key") is None
    either.drain()
    assert either.listed("gp") == []
    with pytest.raises(HubError, match=r"receive\.not-found"):
        hand_over.fetch(either.parts, either.agency("gp"), lying)


def test_a_list_that_ends_on_the_way_stops_it_at_the_last_moment(bench: Bench) -> None:
    record(bench, valid_to=date(2026, 11, 21))
    post(bench)
    [lying] = bench.listed("gp")

    bench.clock.forward(days=2)

    with pytest.raises(HubError, match=r"receive\.not-found"):
        hand_over.fetch(bench.parts, bench.agency("gp"), lying)


def test_over_a_link_in_doubt_it_opens_nothing_and_over_a_confirmed_one_it_does(bench: Bench) -> None:
    post(bench)
    record(bench, 1)

    expect_it_opens_only_over_a_confirmed_link(bench, lambda: bench.listed("gp"))


def test_what_cannot_be_opened_opens_nothing(bench: Bench) -> None:
    record(bench)
    make_unreadable(bench, registered_gp)

    post(bench)

    assert bench.listed("gp") == []


def test_the_desk_shows_who_it_was_then(bench: Bench) -> None:
    record(bench)
    bench.clock.forward(days=2)
    record(bench, org="")

    now = identity.show(bench.parts, number(0))
    then = identity.show(bench.parts, number(0), known_at=bench.clock() - timedelta(days=1))

    assert (now["registered_gp"], then["registered_gp"]) == (None, org("gp"))
    assert [(done["action"], done["source"]) for done in now["done"]] == [("registered-gp", "registeret")] * 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"org": org("tsb")}, ("agency", "known")),
        ({"org": "399999999"}, ("agency", "known")),
        ({"valid_to": date(2025, 12, 31)}, ("to", "period")),
        ({"source": ""}, ("source", "text")),
        ({"source": "a\nb"}, ("source", "text")),
        ({"source": "a" * 501}, ("source", "text")),
    ],
)
def test_what_cannot_be_so_is_refused(
    bench: Bench, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    with pytest.raises(HubError) as refused:
        record(bench, **changes)

    assert refused.value.code == "hub.identity-refused"
    assert [(finding.at, finding.rule) for finding in refused.value.findings] == [expected]
    assert bench.people() == []


@pytest.mark.parametrize(
    ("put_in", "fault"),
    [(True, "record of a GP without its leaf"), (False, "leaf of a GP without its row")],
)
def test_the_log_notices_what_is_done_to_the_table(bench: Bench, put_in: bool, fault: str) -> None:
    record(bench)
    assert bench.verify().whole
    with bench.parts.store.writing() as tx:
        row = dict(tx.execute(select(registered_gp)).one()._mapping)
        tx.execute(insert(registered_gp).values({**row, "id": "x"}) if put_in else delete(registered_gp))

    assert [what for what, _ in bench.verify().faults] == [fault]


def test_no_word_of_it_stands_in_the_table_in_clear(bench: Bench) -> None:
    record(bench, source="CANARY-SOURCE")

    expect_none_in_clear(bench, registered_gp, "CANARY-SOURCE", org("gp"), number(0))
