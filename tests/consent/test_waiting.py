"""How long what was withheld may wait, by table; each check taken out is noticed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from consent import waiting
from consent.rows import Effect, Row
from hub.message import Decision, ItemDecision, Verdict
from tests import mutating
from tests.consent.asking import NOON, row

MAY, ASKED, DUTY = Effect.MAY_UNLESS_OBJECTION, Effect.DUTY_ON_REQUEST, Effect.DUTY
DAY = date(2026, 9, 1)
PERMIT, DENY, HOLD = Verdict.PERMIT, Verdict.DENY, Verdict.HOLD


def waits(days: int, effect: Effect = Effect.CONSENT, **changes: Any) -> Row:
    return row(effect, wait_days=days, **changes)


DAYS: list[tuple[str, list[Row], int, int]] = [
    ("the row's", [waits(5)], 90, 5),
    ("never longer than agreed", [waits(90)], 30, 30),
    ("a row that lets nothing wait", [waits(0)], 90, 0),
    ("of several the longest", [waits(5), waits(40, id="R2")], 90, 40),
    ("on request", [waits(7, ASKED)], 90, 7),
    ("rows that answer at once", [waits(5, MAY), waits(5, DUTY, id="R2")], 90, 90),
    ("a consent beside such a row", [waits(5), waits(0, MAY, id="R2")], 90, 5),
    ("what forbids", [waits(5, Effect.PROHIBIT)], 90, 90),
    ("no row", [], 90, 90),
    ("a row of yesterday", [waits(5), waits(60, id="R2", valid_to=date(2026, 8, 31))], 90, 5),
    ("a row of tomorrow", [waits(5), waits(60, id="R2", valid_from=date(2026, 9, 2))], 90, 5),
]


@pytest.mark.parametrize(("name", "rows", "agreed", "expected"), DAYS, ids=[case[0] for case in DAYS])
def test_for_how_long_a_disclosure_stays_open(name: str, rows: list[Row], agreed: int, expected: int) -> None:
    assert waiting.days(rows, agreed, day=DAY) == expected


ROWS = [waits(5), waits(40, id="R2"), waits(0, MAY, id="R3"), waits(5, ASKED, id="R4")]
OUT = (DENY, "decide.waited-out")
NARROWED: list[tuple[str, Verdict, str | None, timedelta | None, tuple[Verdict, str]]] = [
    ("in time", PERMIT, "R1/1", timedelta(days=5, microseconds=-1), (PERMIT, "decide.consent")),
    ("out", PERMIT, "R1/1", timedelta(days=5), OUT),
    ("another row", PERMIT, "R2/1", timedelta(days=39), (PERMIT, "decide.consent")),
    ("under both", PERMIT, "R1/1+R2/1", timedelta(days=6), OUT),
    ("under one that answers at once", PERMIT, "R3/1", timedelta(days=6), (PERMIT, "decide.consent")),
    ("beside one that answers at once", PERMIT, "R1/1+R3/1", timedelta(days=4), (PERMIT, "decide.consent")),
    ("on request", PERMIT, "R4/1", timedelta(days=6), OUT),
    ("it never waited", PERMIT, "R1/1", None, (PERMIT, "decide.consent")),
    ("no row that is known here", PERMIT, "R9/1", timedelta(days=99), (PERMIT, "decide.consent")),
    ("no row at all", PERMIT, None, timedelta(days=99), (PERMIT, "decide.consent")),
    ("denied anyway", DENY, "R1/1", timedelta(days=99), (DENY, "decide.consent")),
    ("held anyway", HOLD, "R1/1", timedelta(days=99), (HOLD, "decide.consent")),
]


@pytest.mark.parametrize(
    ("name", "verdict", "under", "waited", "expected"), NARROWED, ids=[case[0] for case in NARROWED]
)
def test_what_has_waited_longer_than_its_row_allows_does_not_go(
    name: str, verdict: Verdict, under: str | None, waited: timedelta | None, expected: tuple[Verdict, str]
) -> None:
    asked = Decision((ItemDecision("felt", verdict, "decide.consent", under, ("C1/1",)),), NOON, ("alarm",))

    got = waiting.narrowed(asked, ROWS, waited)

    (item,) = got.items
    assert (item.verdict, item.reason) == expected
    assert (item.path, item.row, item.consents) == ("felt", under, ("C1/1",))
    assert (got.at, got.alarms) == (NOON, ("alarm",))


MUTATIONS: list[mutating.Mutation] = [
    (waiting, "if row.effect in _ASKING and row.in_force", "if row.in_force"),
    (waiting, "and row.in_force(day=day, known=day)]", "]"),
    (waiting, "min(agreed, max(", "max(agreed, max("),
    (waiting, "max(allowed, default=agreed))", "min(allowed, default=agreed))"),
    (waiting, "min(agreed, max(allowed, default=agreed))", "agreed"),
    (waiting, "    if waited is None:\n        return decision\n", "    waited = timedelta(days=999)\n"),
    (waiting, "item.verdict is not Verdict.PERMIT or", ""),
    (waiting, "waited < timedelta", "waited <= timedelta"),
    (waiting, "for row in under if row.effect in _ASKING), default=None", "for row in under), default=None"),
    (waiting, "allowed = min((", "allowed = max(("),
    (waiting, '"decide.waited-out", item.row, item.consents)', '"decide.waited-out")'),
]  # one row per case # fmt: skip


@mutating.each(MUTATIONS)
def test_a_check_taken_out_is_noticed(where: Any, old: str, new: str) -> None:
    tables: list[mutating.Case] = [
        *(partial(test_for_how_long_a_disclosure_stays_open, *case) for case in DAYS),
        *(partial(test_what_has_waited_longer_than_its_row_allows_does_not_go, *case) for case in NARROWED),
    ]
    assert not mutating.noticed(tables)
    mutating.expect_noticed(where, old, new, lambda: tables)
