"""Understands that operators see ids, agencies, times and codes, and repair by command."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hub.store.disclosures import State
from tests.hub.cli.conftest import Said
from tests.hub.cli.installation import CANARY, NAV, PERSON, Installation

Bro = Callable[..., Said]


def test_the_list_shows_each_disclosure_that_is_open(bro: Bro, installed: Installation) -> None:
    item = installed.parked()

    said = bro("messages", "list", "--json")

    assert said.code == 0
    (row,) = [row for row in json.loads(said.out) if row["disclosure"] == item.id]
    assert row == {
        "disclosure": item.id,
        "message": item.message_id,
        "recipient": NAV,
        "agreement": "brik-nav-sak",
        "revision": 1,
        "state": "parked",
        "outcome": None,
        "code": "hand-over.gave-up",
        "attempts": 7,
        "age_seconds": row["age_seconds"],
    }


def test_the_table_says_the_same_and_cuts_no_id(bro: Bro, installed: Installation) -> None:
    item = installed.parked()

    said = bro("messages", "list").out

    for word in (item.id, item.message_id, NAV, "brik-nav-sak", "parked", "hand-over.gave-up"):
        assert word in said


def test_stuck_is_what_failed_and_nothing_else(bro: Bro, installed: Installation) -> None:
    item = installed.parked()
    installed.mapping(2)

    rows = json.loads(bro("messages", "list", "--stuck", "--json").out)

    assert [row["disclosure"] for row in rows] == [item.id]


def test_a_state_can_be_asked_for(bro: Bro, installed: Installation) -> None:
    installed.parked()

    assert {
        row["state"] for row in json.loads(bro("messages", "list", "--state", "queued", "--json").out)
    } == {"queued"}
    assert bro("messages", "list", "--state", "offered").out == "Nothing in these states.\n"


def test_an_empty_list_says_where_what_waits_for_the_person_is(bro: Bro) -> None:
    said = bro("messages", "list").out

    assert said == (
        "Nothing in these states. `bro messages list --state waiting` shows what waits for the person.\n"
    )


def test_when_nothing_is_stuck_it_says_so(bro: Bro, installed: Installation) -> None:
    assert bro("messages", "list", "--stuck") == (0, "Nothing is stuck.\n", "")


def test_stuck_and_a_state_together_are_refused(bro: Bro) -> None:
    assert bro("messages", "list", "--stuck", "--state", "done").code == 2


def test_astray_is_what_has_nobody_to_go_to_with_the_reason(bro: Bro, installed: Installation) -> None:
    nothing = bro("messages", "list", "--astray").out
    first = installed.mapping()
    installed.clock.forward(minutes=1)
    second = installed.mapping(2)

    rows = json.loads(bro("messages", "list", "--astray", "--json").out)
    said = bro("messages", "list", "--astray").out

    assert nothing == "Nothing is astray.\n"
    assert list(dict.fromkeys(row["message"] for row in rows)) == [second, first]
    assert {row["code"] for row in rows} == {"route.recipient-unknown"}
    assert "brik-bolig-foresporsel" in {row["agreement"] for row in rows}
    assert "nobody" in said
    assert len(json.loads(bro("messages", "list", "--astray", "--limit", "1", "--json").out)) == 1
    assert bro("messages", "list", "--stuck", "--astray").code == 2


def test_the_way_of_a_message_is_shown_by_either_id(bro: Bro, installed: Installation) -> None:
    item = installed.parked()

    whole = json.loads(bro("messages", "show", item.message_id, "--json").out)
    one = json.loads(bro("messages", "show", item.id, "--json").out)

    assert whole["message"] == one["message"] == item.message_id
    assert [row["disclosure"] for row in one["disclosures"]] == [item.id]
    assert item.id in [row["disclosure"] for row in whole["disclosures"]]
    assert one["disclosures"][0]["created_at"].startswith("2031-03-01T12:00:00")


def test_an_unknown_id_is_refused(bro: Bro) -> None:
    said = bro("messages", "show", "nobody")

    assert said.code == 2
    assert "hub.no-such-id" in said.err


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_no_command_shows_content_or_person(bro: Bro, installed: Installation, as_json: list[str]) -> None:
    item = installed.parked()

    said = [
        bro("messages", "list", *as_json),
        bro("messages", "show", item.message_id, *as_json),
        bro("messages", "retry", item.id, "--reason", "Hemmeligfuglen", *as_json),
    ]

    for answer in said:
        for secret in (PERSON, CANARY, item.person_id, "middels", "Hemmeligfuglen"):
            assert secret not in answer.out + answer.err


def test_retry_and_drop_work_on_several_and_report_each(bro: Bro, installed: Installation) -> None:
    item = installed.parked()

    said = bro("messages", "retry", item.id, "nobody", "--reason", "up again", "--json")

    assert said.code == 2
    assert json.loads(said.out) == [
        {"disclosure": item.id, "done": True, "code": None},
        {"disclosure": "nobody", "done": False, "code": "hub.no-such-id"},
    ]
    assert installed.to_nav(State.QUEUED)


def test_drop_ends_it(bro: Bro, installed: Installation) -> None:
    item = installed.parked()

    assert bro("messages", "drop", item.id, "--reason", "on paper") == (0, f"{item.id} dropped\n", "")
    assert installed.to_nav(State.DONE)
    assert bro("messages", "drop", item.id, "--reason", "on paper").code == 2


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_without_a_reason_nothing_happens(bro: Bro, installed: Installation, command: str) -> None:
    item = installed.parked()

    assert bro("messages", command, item.id).code == 2
    assert bro("messages", command, item.id, "--reason", " ").code == 2
    assert installed.to_nav(State.PARKED)
