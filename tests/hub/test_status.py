"""A sender's view of its own message: what it may know, and who may ask."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hub import standing, status
from hub.errors import PROBLEMS, HubError
from hub.store.disclosures import State
from tests.hub.bench import Bench, fields, org, release_date
from tests.hub.failing import OURS, rendering_fails


def test_only_the_sender_may_ask_and_all_others_hear_the_same(either: Bench) -> None:
    posted = either.post("prison", "brik.xml")
    for key, message_id in (("nav", posted.id), ("prison_health", posted.id), ("prison", "no-such-id")):
        with pytest.raises(HubError) as refused:
            status.of_message(either.parts, either.agency(key), message_id)
        assert (refused.value.code, refused.value.findings) == ("receive.not-found", ())


def test_a_control_role_sees_no_recipient_whose_name_tells_of_substance_use(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    posted = either.post("prison", "brik.xml")
    either.drain()
    assert either.got("tsb")
    assert set(either.status("prison", posted)) == {org(key) for key in ("nav", "housing", "school")}


def test_a_control_role_sees_positive_facts_only(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    posted = either.post("prison", "brik.xml")
    either.drain()
    words = {row["state"] for row in either.status("prison", posted).values()}
    assert words == {"accepted"}
    either.come_for_it("nav")
    shown = either.status("prison", posted)
    assert shown[org("nav")]["state"] == "delivered"
    assert {row["code"] for row in shown.values()} == {None}
    assert {row["state"] for row in shown.values()} == {"accepted", "delivered"}


def test_health_sees_why_nothing_went(either: Bench) -> None:
    posted = either.post("prison_health", "henvisning-2.json")
    either.drain()
    [row] = either.status("prison_health", posted).values()
    assert (row["state"], row["code"]) == ("waiting", "decide.no-consent")


def test_health_sees_what_was_reduced(either: Bench) -> None:
    either.register_gp()
    posted = either.post("prison_health", "epikrise.fhir.json")
    either.drain()
    either.come_for_it("gp")
    [row] = either.status("prison_health", posted).values()
    assert row["state"] == "reduced"
    assert row["acknowledged_at"] is not None


def test_an_answer_that_does_not_come_is_overdue_until_it_does(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    posted = either.post("prison", "brik.xml")
    either.drain()
    [asked] = either.come_for_it("nav")
    either.clock.forward(days=14)
    assert not either.status("prison", posted)[org("nav")]["overdue"]
    either.clock.at += timedelta(microseconds=1)
    assert either.status("prison", posted)[org("nav")]["overdue"]
    said = fields("nav-svar.json")
    said["melding"]["svar_pa"] = json.loads(asked.body)["melding"]["id"]
    either.post("nav", said)
    assert either.status("prison", posted)[org("nav")]["overdue"], "the prison does not have it yet"
    either.drain()
    either.come_for_it("prison")
    shown = either.status("prison", posted)[org("nav")]
    assert not shown["overdue"]
    assert shown["answered_at"] == either.clock().isoformat()


def test_an_overtaken_message_says_so(either: Bench) -> None:
    either.post("prison", release_date(2))
    late = either.post("prison", release_date(1))
    shown = status.of_message(either.parts, either.agency("prison"), late.id)
    assert (shown["state"], shown["recipients"]) == ("superseded", [])


def test_of_what_the_person_said_the_outside_hears_two_words() -> None:
    codes = [
        code for code, problem in PROBLEMS.items() if code.startswith("decide.") and problem.status == 403
    ]
    of_rows_and_content = {
        "decide.no-row",
        "decide.no-request",
        "decide.not-registered-gp",
        "decide.prohibited",
        "decide.unknown-category",
        "decide.free-text-unread",
        "decide.protected-address",
        "decide.essential-missing",
        "decide.deceased",
        "decide.person-unidentified",
        "decide.returned",
        "decide.reader-refused",
    }

    shown = {code: status.shown_code(code) for code in codes}

    assert set(shown.values()) == {"decide.no-consent", "decide.refused", *of_rows_and_content}
    assert all(
        PROBLEMS[word or ""].waiting_helps == PROBLEMS[code].waiting_helps for code, word in shown.items()
    )


def test_of_a_fault_of_ours_a_sender_hears_nothing() -> None:
    ours = {code for code in PROBLEMS if code.startswith(("translate.", "render.", "hub.internal"))}

    assert ours == set(OURS) == {"translate.unmapped", "render.incomplete", "hub.internal"}
    assert {code for code in PROBLEMS if status.shown_code(code) is None} == ours
    assert status.shown_code(None) is None


@pytest.mark.parametrize("code", OURS)
def test_a_fault_that_is_parked_is_shown_to_operations_and_not_to_the_sender(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    bench.post("prison_health", "samtykke-tsb.fhir.json")
    rendering_fails(monkeypatch, HubError(code))
    posted = bench.post("prison_health", "henvisning-2.json")
    for _ in range(len(bench.parts.ladder) + 1):
        bench.drain()
        bench.queue.soon()

    shown = bench.status("prison_health", posted)[org("tsb")]
    assert (shown["state"], shown["code"]) == ("accepted", None)
    row = bench.row("tsb", message_id=posted.id)
    assert (row.state, row.code, standing.shown_code(row.code)) == (State.PARKED, code, code)
