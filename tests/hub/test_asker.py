"""What whoever asked is told of an answer: what it was handed, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub import hand_over, pipeline, preview, standing, status
from hub.message import Agency, Outcome, Sector
from hub.shapes import Accepted
from hub.status import expected
from hub.store import disclosures
from hub.store.messages import Told
from tests.hub.bench import JSON, XML, Bench, consent, org, refusal, release_date, xml_brik
from tests.hub.holding import brik
from tests.hub.test_referral import OTHER, answer, asked, brik_of, got_there, other_office, said

AT = datetime(2030, 2, 1, 12, tzinfo=UTC)
DUE = AT + timedelta(days=14)


def days(count: int) -> datetime:
    return AT + timedelta(days=count)


@pytest.mark.parametrize(
    ("told", "answered", "due"),
    [
        ([], None, DUE),
        ([Told(days(3), None)], days(3), DUE),
        ([Told(days(3), days(33))], None, days(33)),
        ([Told(days(3), days(33)), Told(days(5), days(35))], None, days(35)),
        ([Told(days(5), days(35)), Told(days(6), days(33))], None, days(35)),
        ([Told(days(3), days(33)), Told(days(9), None)], days(9), days(33)),
        ([Told(days(9), None), Told(days(12), None)], days(9), DUE),
    ],
)
def test_the_dates_of_an_answer_follow_from_what_was_handed_over(
    told: list[Told], answered: datetime | None, due: datetime
) -> None:
    assert expected(DUE, told) == (answered, due)
    assert expected(None, []) == (None, None)


def as_another_role(bench: Bench) -> Agency:
    """Who asked, if it were no control role."""
    return replace(bench.agency("prison"), sector=Sector.MUNICIPALITY_COORDINATOR)


def page(bench: Bench, request: str, reader: Agency | None = None) -> dict[str, Any]:
    return status.of_message(bench.parts, reader or bench.agency("prison"), brik_of(bench, request))


def housing_row(bench: Bench, request: str, reader: Agency | None = None) -> dict[str, Any]:
    (row,) = [row for row in page(bench, request, reader)["recipients"] if row["org"] == org("housing")]
    return dict(row)


STATUSES: list[tuple[str, dict[str, Any]]] = [
    ("mottatt", {}),
    ("venteliste", {"venteliste_dato": "2027-06-01"}),
    ("avslag", {"avslag_grunn": "annet"}),
    ("ansvar_bestridt", {"foreslatt_kommune": "9902"}),
    ("ansvar_bestridt", {"foreslatt_kommune": "9903"}),
]


@pytest.mark.parametrize("role", ["prison", "another"])
@pytest.mark.parametrize(("said", "more"), STATUSES)
def test_of_a_withheld_answer_the_page_is_as_if_none_had_come(
    bench: Bench, said: str, more: dict[str, Any], role: str
) -> None:
    other_office(bench)
    request = asked(bench)
    bench.post("prison_health", refusal("nei", [org("prison")]))
    reader = as_another_role(bench) if role == "another" else None
    before = page(bench, request, reader)

    answer(bench, request, said, **more)

    assert bench.listed("prison") == []
    assert page(bench, request, reader) == before
    bench.clock.forward(days=15)
    assert housing_row(bench, request, reader)["overdue"]


def test_an_answer_shows_from_when_it_is_fetched_and_as_the_answer_it_is(bench: Bench) -> None:
    request = asked(bench)
    due = housing_row(bench, request)["answer_due_at"]
    for word, more in (("mottatt", {}), ("venteliste", {"venteliste_dato": "2027-06-01"})):
        answer(bench, request, word, **more)
        bench.clock.forward(days=1)
    assert housing_row(bench, request)["answer_due_at"] == due
    promise, final = bench.listed("prison")

    hand_over.fetch(bench.parts, bench.agency("prison"), promise)
    promised = housing_row(bench, request)
    bench.clock.forward(days=2)
    hand_over.fetch(bench.parts, bench.agency("prison"), final)
    answered = housing_row(bench, request)

    assert (promised["answered_at"], promised["answer_due_at"] > due) == (None, True)
    assert answered["answered_at"] == bench.clock().isoformat()


def recipients(bench: Bench, request: str, reader: Agency | None = None) -> set[tuple[str, str | None]]:
    return {(row["org"], row["code"]) for row in page(bench, request, reader)["recipients"]}


def test_where_a_request_went_on_to_is_for_no_control_role(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    before = recipients(bench, request)

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert got_there(bench)
    assert OTHER not in {org for org, _ in recipients(bench, request, as_another_role(bench))}
    assert len(bench.come_for_it("prison")) == 1
    assert recipients(bench, request) == before
    assert OTHER in {org for org, _ in recipients(bench, request, as_another_role(bench))}


def test_who_got_only_a_part_of_the_answer_is_not_told_where_it_led(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")
    bench.come_for_it("prison")
    (row,) = bench.rows("prison")
    whole = recipients(bench, request, as_another_role(bench))
    with bench.parts.store.writing() as tx:
        disclosures.note(tx, row.id, outcome=Outcome.REDUCED)

    part = recipients(bench, request, as_another_role(bench))

    assert {org for org, _ in whole - part} == {OTHER}
    assert housing_row(bench, request, as_another_role(bench))["answered_at"] is not None


def test_that_a_request_went_nowhere_is_for_no_control_role(bench: Bench) -> None:
    request = asked(bench)
    before = recipients(bench, request)

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9903")

    assert len(bench.come_for_it("prison")) == 1
    assert recipients(bench, request) == before
    assert ("", "route.recipient-unknown") in recipients(bench, request, as_another_role(bench))


def dates(bench: Bench, reader: Agency, posted: Accepted) -> set[str]:
    shown = status.of_message(bench.parts, reader, posted.id)
    return {row["org"] for row in shown["recipients"]}


def test_what_is_planned_for_an_office_only_because_of_an_answer_is_for_no_control_role(
    bench: Bench,
) -> None:
    """A release date goes to everyone who had something planned: the prison must not read the offices
    of others' answers off it, when it posts one nor when it tries one."""
    other_office(bench)
    request = asked(bench)
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")
    bench.come_for_it("prison")
    prison, body = bench.agency("prison"), json.dumps(release_date(1)).encode()

    tried = preview.shown(preview.of_own_message(bench.parts, prison, JSON, body))
    posted = bench.post("prison", body)
    bench.drain()

    assert [sent["type"] for sent in got_there(bench)] == ["bolig.foresporsel", "opphold.loslatelsesdato"]
    assert OTHER not in dates(bench, prison, posted)
    assert org("housing") in dates(bench, prison, posted)
    assert OTHER in dates(bench, as_another_role(bench), posted)
    assert {row["org"] for row in tried["recipients"]} == dates(bench, prison, posted)


def test_an_office_that_the_prison_itself_asked_shows_whatever_was_sent_on_to_it(bench: Bench) -> None:
    """Both were asked of their own: that one also points to the other makes nothing of it a secret."""
    other_office(bench)
    request = asked(bench)
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")
    there = bench.parts.directory[OTHER]
    moved = replace(there, agency=replace(there.agency, kommuner=("9901",)))
    bench.parts = replace(bench.parts, directory={**bench.parts.directory, OTHER: moved})
    bench.post("prison", xml_brik(message_id="BRIK-3"), XML)
    bench.drain()

    posted = bench.post("prison", release_date(1))

    assert OTHER in dates(bench, bench.agency("prison"), posted)


def test_an_answer_to_one_revision_answers_the_request_for_operations_too(either: Bench) -> None:
    """More of it was allowed and went later, under an id of its own; whichever of the two is answered."""
    request = asked(either, mapping=brik("Trenger et sted.", familie={"husstand": "alene"}))
    wide = ["identity", "coordination", "custody", "housing", "family"]
    either.post("prison_health", consent("samtykke-bolig.json", "more", kategorier=wide))
    either.drain()
    first, second = (got.disclosure for got in either.got("housing"))
    assert first == request

    answer(either, second, "mottatt")
    either.clock.forward(days=29)
    waits = standing.read(either.parts).overdue
    either.clock.forward(days=2)
    late = standing.read(either.parts).overdue
    answer(either, first, "tilbud_permanent")
    either.clock.forward(days=90)

    assert waits == ()
    assert {one.message for one in late} == {brik_of(either, request)}
    assert len(late) == 1
    assert standing.read(either.parts).overdue == ()


def test_one_request_that_is_answered_leaves_another_overdue(either: Bench) -> None:
    request = asked(either)
    either.post("prison", xml_brik(message_id="BRIK-2"), XML)
    either.drain()
    anew = either.got("housing")[-1].disclosure

    answer(either, request, "tilbud_permanent")
    either.clock.forward(days=90)
    (late,) = standing.read(either.parts).overdue

    assert anew != request
    assert late.message == brik_of(either, anew)


def test_a_control_role_gets_what_the_other_office_answers_and_its_page_shows_nothing_of_it(
    bench: Bench,
) -> None:
    other_office(bench)
    request = asked(bench)
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")
    bench.come_for_it("prison")
    before = page(bench, request)
    onward = next(sent.disclosure for sent in bench.push.got if sent.recipient == OTHER)

    there = bench.parts.directory[OTHER].agency
    pipeline.receive(bench.parts, there, JSON, json.dumps(said(onward, "mottatt")).encode())
    bench.drain()
    (got,) = (json.loads(body.body) for body in bench.come_for_it("prison"))

    assert (got["melding"]["avsender"], got["status"]) == (OTHER, "mottatt")
    assert page(bench, request) == before
    assert OTHER not in {row["org"] for row in before["recipients"]}
