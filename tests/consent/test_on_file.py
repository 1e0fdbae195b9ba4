"""Requests on file: which of them call on a row, by table; each check taken out is noticed; and a request
never carries substance use in the strict form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from consent import on_file
from consent.decide import decide
from consent.policy_files import load_pack
from consent.rows import Effect, Relation, Row
from hub.message import Agency, Category, Item, Purpose, RegisteredGp, Request, Sector
from tests import mutating
from tests.consent.asking import GP, HEALTH, NAV, NOON, TSB, ask, row

STATE = Agency("977777777", "NAV stat", Sector.NAV_STATE)
ROWS = [row(Effect.DUTY_ON_REQUEST, id="L90a"), row(Effect.DUTY_ON_REQUEST, id="L91"), row(id="L90")]
DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 9, 1, 22, 30, tzinfo=UTC)  # past it, in Oslo
Calls = dict[str, tuple[str, ...]]


def asked(**changes: Any) -> Request:
    """A request that calls on L90a in every question of this table, but for what is changed."""
    plain = Request(
        id="R1",
        series="s",
        version=1,
        recorded_at=NOON - DAY,
        ended_at=None,
        asked_by=NAV.org,
        asked_of=HEALTH.org,
        flow="L90",
        purpose="benefits",
        valid_from=date(2026, 8, 1),
        valid_to=date(2026, 9, 30),
    )
    return replace(plain, **changes)


def called(*requests: Request, at: datetime = NOON, known_at: datetime = NOON, **how: Any) -> Calls:
    question: dict[str, Any] = {
        "sender": HEALTH,
        "recipient": NAV,
        "purpose": Purpose.BENEFITS,
        "data_date": date(2026, 8, 1),
    }
    question |= how
    return on_file.calling_on(requests, ROWS, **question, at=at, known_at=known_at)


ON: Calls = {"L90a": ("R1",)}
LATER = {"id": "R2", "version": 2, "recorded_at": NOON - DAY / 2}
TABLE: list[tuple[str, list[Request], dict[str, Any], Calls]] = [
    ("as asked", [asked()], {}, ON),
    ("nothing on file", [], {}, {}),
    ("by another agency", [asked(asked_by=GP.org)], {}, {}),
    ("of another agency", [asked(asked_of=GP.org)], {}, {}),
    ("a sector is no agency", [asked()], {"recipient": Agency("", "nav", Sector.NAV_MUNICIPAL)}, {}),
    (
        "nor where nobody is said to have asked",
        [asked(asked_by="")],
        {"recipient": Agency("", "nav", Sector.NAV_MUNICIPAL)},
        {},
    ),
    ("another purpose", [asked(purpose="housing")], {}, {}),
    ("another flow", [asked(flow="L92")], {}, {}),
    ("a flow whose row asks for consent", [asked(flow="L90")], {}, ON),
    ("two flows", [asked(), asked(id="R2", series="t", flow="L91")], {}, {**ON, "L91": ("R2",)}),
    ("two of one flow", [asked(id="R2", series="t"), asked()], {}, {"L90a": ("R1", "R2")}),
    ("the first day", [asked(valid_from=date(2026, 9, 1))], {}, ON),
    ("the day before it begins", [asked(valid_from=date(2026, 9, 2))], {}, {}),
    ("the last day", [asked(valid_to=date(2026, 9, 1))], {}, ON),
    ("the day after", [asked(valid_to=date(2026, 8, 31))], {}, {}),
    ("already the next day in Oslo", [asked(valid_to=date(2026, 9, 1))],
     {"at": MIDNIGHT, "known_at": MIDNIGHT}, {}),
    ("ended", [asked(ended_at=NOON)], {}, {}),
    ("ended a moment later", [asked(ended_at=NOON + timedelta(microseconds=1))], {}, ON),
    ("ended, and it was not known then", [asked(ended_at=NOON)], {"known_at": NOON - DAY / 4}, ON),
    ("ended later than asked about", [asked(ended_at=NOON)], {"at": NOON - DAY / 4}, ON),
    ("recorded later than known", [asked()], {"known_at": NOON - 2 * DAY}, {}),
    ("recorded at that moment", [asked()], {"known_at": NOON - DAY}, ON),
    ("unreadable", [asked(readable=False)], {}, {}),
    ("a newer version", [asked(), asked(**LATER)], {}, {"L90a": ("R2",)}),
    ("a newer version, the other way round", [asked(**LATER), asked()], {}, {"L90a": ("R2",)}),
    ("a newer version of somebody else", [asked(), asked(**LATER, asked_by=GP.org)], {}, {}),
    ("a newer version that has run out", [asked(), asked(**LATER, valid_to=date(2026, 8, 2))], {}, {}),
    ("a newer version that is ended", [asked(), asked(**LATER, ended_at=NOON)], {}, {}),
    ("a newer version that cannot be read", [asked(), asked(**LATER, readable=False)], {}, {}),
    ("a newer version nobody knew of", [asked(), asked(**LATER)], {"known_at": NOON - DAY}, ON),
    ("data of the period", [asked(data_from=date(2026, 8, 1), data_to=date(2026, 8, 1))], {}, ON),
    ("data from before", [asked(data_from=date(2026, 8, 2))], {}, {}),
    ("data from after", [asked(data_to=date(2026, 7, 31))], {}, {}),
    ("data of unknown date", [asked(data_to=date(2026, 8, 31))], {"data_date": None}, {}),
    ("of unknown date, asked from a day on", [asked(data_from=date(2026, 8, 1))], {"data_date": None}, {}),
    ("data of unknown date and no period", [asked()], {"data_date": None}, ON),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "requests", "how", "expected"), TABLE, ids=[case[0] for case in TABLE])
def test_which_requests_call_on_which_row(
    name: str, requests: list[Request], how: dict[str, Any], expected: Calls
) -> None:
    assert called(*requests, **how) == expected


THREE = "(request.asked_by, request.asked_of, request.purpose)"
# -- who the registered GP is ------------------------------------------------------------------------


def listed(org: str = GP.org, **changes: Any) -> RegisteredGp:
    """On that practice's list from 1 August 2026 on, recorded a day ago."""
    return replace(RegisteredGp("g1", NOON - DAY, org, date(2026, 8, 1), None), **changes)


SINCE: dict[str, Any] = {"id": "g2", "recorded_at": NOON - DAY / 2}
OTHER = TSB.org
GPS: list[tuple[str, list[RegisteredGp], dict[str, Any], str | None]] = [
    ("recorded", [listed()], {}, GP.org),
    ("unknown", [], {}, None),
    ("the first day", [listed(valid_from=date(2026, 9, 1))], {}, GP.org),
    ("the day before", [listed(valid_from=date(2026, 9, 2))], {}, None),
    ("the last day", [listed(valid_to=date(2026, 9, 1))], {}, GP.org),
    ("the day after", [listed(valid_to=date(2026, 8, 31))], {}, None),
    ("already the next day in Oslo", [listed(valid_to=date(2026, 9, 1))],
     {"at": MIDNIGHT, "known_at": MIDNIGHT}, None),
    ("recorded later than known", [listed()], {"known_at": NOON - 2 * DAY}, None),
    ("known at that moment", [listed()], {"known_at": NOON - DAY}, GP.org),
    ("changed", [listed(), listed(OTHER, **SINCE)], {}, OTHER),
    ("changed, the other way round", [listed(OTHER, **SINCE), listed()], {}, OTHER),
    ("changed, and nobody knew", [listed(), listed(OTHER, **SINCE)], {"known_at": NOON - DAY}, GP.org),
    ("changed from later on", [listed(), listed(OTHER, **SINCE, valid_from=date(2026, 10, 1))], {}, GP.org),
    ("nobody's any more", [listed(), listed("", **SINCE)], {}, None),
    ("two at one moment", [listed(), listed(OTHER, id="g2")], {}, None),
    ("the same twice at one moment", [listed(), listed(id="g2")], {}, GP.org),
    ("the last cannot be read", [listed(), listed(**SINCE, readable=False)], {}, None),
    ("an older one cannot be read", [listed(readable=False), listed(**SINCE)], {}, GP.org),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("name", "records", "how", "gp"), GPS, ids=[case[0] for case in GPS])
def test_who_the_registered_gp_is(
    name: str, records: list[RegisteredGp], how: dict[str, Any], gp: str | None
) -> None:
    times = {"at": NOON, "known_at": NOON} | how
    assert on_file.registered_gp(records, **times) == gp
    for recipient in (GP, TSB, Agency("", "gp", Sector.GP)):
        is_it = gp is not None and recipient.org in (gp, "")
        assert on_file.relations(records, recipient, **times) == frozenset(Relation if is_it else ())


MUTATIONS: list[mutating.Mutation] = [
    (on_file, "if request.recorded_at <= known_at:", "if True:"),
    (on_file, "known.version < request.version", "known.version > request.version"),
    (on_file, 'if state(request, at, known_at) == "in-force"]', "]"),
    (on_file, "if not request.readable:", "if False:"),
    (on_file, "request.ended_at is not None and request.ended_at <= min(at, known_at)", "False"),
    (on_file, "request.ended_at <= min(at, known_at)", "request.ended_at <= at"),
    (on_file, "request.ended_at <= min(at, known_at)", "request.ended_at <= known_at"),
    (on_file, "request.ended_at <= min(at, known_at)", "request.ended_at < min(at, known_at)"),
    (on_file, "at.astimezone(OSLO).date()", "at.date()"),
    (on_file, "if day < request.valid_from:", "if False:"),
    (on_file, "if request.valid_to < day", "if False"),
    (on_file, THREE, "(recipient.org, request.asked_of, request.purpose)"),
    (on_file, THREE, "(request.asked_by, sender.org, request.purpose)"),
    (on_file, THREE, "(request.asked_by, request.asked_of, purpose.value)"),
    (on_file, "or not recipient.org", ""),
    (on_file, "or not _asks_for(request, data_date)", ""),
    (on_file, "r.effect is Effect.DUTY_ON_REQUEST and", ""),
    (on_file, "and r.flow == request.flow", ""),
    (on_file, "    if data_date is None:\n        return False\n", "    data_date = data_date or date.max\n"),
    (on_file, "(request.data_from or date.min) <= data_date", "True"),
    (on_file, "<= (request.data_to or date.max)", "<= date.max"),
    (on_file, "if record.recorded_at <= known_at and", "if"),
    (on_file, "record.valid_from <= day <=", "day <="),
    (on_file, "<= day <= (record.valid_to or date.max)", "<= day"),
    (on_file, "    day = at.astimezone(OSLO).date()\n    speaking", "    day = at.date()\n    speaking"),
    (on_file, "last = max(", "last = min("),
    (on_file, 'record.org if record.readable else ""', "record.org"),
    (on_file, "if record.recorded_at == last}", "}"),
    (on_file, "if len(said) == 1 else None", "if said else None"),
    (on_file, 'recipient.org in (gp, "")', "True"),
    (on_file, "gp is not None and", ""),
]  # one row per case # fmt: skip


@mutating.each(MUTATIONS)
def test_a_check_taken_out_is_noticed(where: Any, old: str, new: str) -> None:
    tables: list[mutating.Case] = [
        *(partial(test_which_requests_call_on_which_row, *case) for case in TABLE),
        *(partial(test_who_the_registered_gp_is, *case) for case in GPS),
    ]
    assert not mutating.noticed(tables)
    mutating.expect_noticed(where, old, new, lambda: tables)


# -- the shipped rows ------------------------------------------------------------------------------


def on_request(form: str) -> list[Row]:
    pack = load_pack(form)
    return [r for r in (*pack.rows, *pack.drafts) if r.effect is Effect.DUTY_ON_REQUEST]


def test_in_the_strict_pack_no_request_reaches_substance_use() -> None:
    strict = on_request("strict")

    assert {r.flow for r in strict} >= {"L01", "L30", "L44", "L51"}
    assert [r.ref for r in strict if Category.SUBSTANCE_USE in r.categories] == []
    assert [r.ref for r in on_request("statutory") if Category.SUBSTANCE_USE in r.categories] != []


@pytest.mark.parametrize("sender", [HEALTH, GP, TSB])
@pytest.mark.parametrize(
    ("form", "categories", "reason"),
    [
        ("strict", {Category.SOMATIC_HEALTH}, "decide.row"),
        ("strict", {Category.SUBSTANCE_USE}, "decide.no-consent"),
        ("strict", {Category.SOMATIC_HEALTH, Category.SUBSTANCE_USE}, "decide.no-consent"),
        ("statutory", {Category.SOMATIC_HEALTH, Category.SUBSTANCE_USE}, "decide.row"),
    ],
)
def test_the_states_demand_for_a_statement(
    sender: Agency, form: str, categories: set[Category], reason: str
) -> None:
    """L30: folketrygdloven § 21-4. Substance use still needs a consent in the strict pack."""
    rows = load_pack(form).rows
    demand = asked(asked_by=STATE.org, asked_of=sender.org, flow="L30")
    requests = on_file.calling_on(
        [demand], rows, sender, STATE, Purpose.BENEFITS, None, at=NOON, known_at=NOON
    )
    item = Item("felt", frozenset(categories), frozenset(categories))
    question = ask(item, to=STATE, sender=sender, purpose=Purpose.BENEFITS, requests=requests)

    (got,) = decide(question, rows, [], at=NOON, known_at=NOON).items
    (without,) = decide(replace(question, requests={}), rows, [], at=NOON, known_at=NOON).items

    assert got.reason == reason
    assert got.requests == (("R1",) if reason == "decide.row" else ())
    assert without.reason in ("decide.no-request", "decide.no-consent")
