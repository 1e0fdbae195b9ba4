"""The runner of the policy's cases says when a case does not hold; and a row says when it is the law.

Each check of `consent/cases.py` and of the rows' own questions is taken out in turn, and the tables notice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from consent import cases, rows
from consent.policy_files import load_pack
from consent.rows import Case, Effect, Expect, Form, Given, Legal, Pack, Row, Status
from hub.message import ANY, Category, Purpose, Sector
from tests import mutating
from tests.consent import test_policy_pack, test_rows

STRICT, STATUTORY = load_pack(Form.STRICT), load_pack(Form.STATUTORY)
DAY = date(2026, 11, 1)
BY_CONSENT, BY_OBJECTION = (
    next(
        row
        for row in pack.of_flow("L21")
        if row.id == name and row.effect is effect and row.in_force(day=DAY, known=DAY)
    )
    for pack, name, effect in (
        (STRICT, "L21b", Effect.CONSENT),
        (STATUTORY, "L21", Effect.MAY_UNLESS_OBJECTION),
    )
)


def holds(pack: Pack, row: Row, **said: Any) -> bool:
    """Whether one case holds; where nothing else is said, that a consent lets it through."""
    case = Case(
        Sector.PRISON_HEALTH, Sector.GP, Purpose.TREATMENT, Category.SUBSTANCE_USE, Expect.PERMIT, DAY,
        consent=Given.GIVEN if row.effect is Effect.CONSENT else Given.NONE,
    )  # one row per case # fmt: skip
    changed = replace(row, cases=(replace(case, **said),))
    taken = tuple(changed if one.ref == row.ref else one for one in pack.rows)
    (ran,) = cases.run_row(replace(pack, rows=taken), changed, Form.STRICT)
    return ran.holds


ASKED: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"expect": Expect.DENY}, False),
    ({"consent": Given.NONE, "expect": Expect.DENY}, True),
    ({"consent": Given.NONE}, False),
    *[
        ({"consent": given, "expect": Expect.DENY}, True)
        for given in Given
        if given not in (Given.GIVEN, Given.UNAPPROVED)
    ],
    ({"objection": True, "expect": Expect.DENY}, True),
    ({"objection": True}, False),
    # a denial by another row, or by none, says nothing of this one
    ({"sender": Sector.EDUCATION, "expect": Expect.DENY}, False),
    ({"recipient": Sector.EDUCATION, "expect": Expect.DENY}, False),
    ({"purpose": Purpose.STATISTICS, "expect": Expect.DENY}, False),
    ({"category": Category.WORK, "consent": Given.NONE, "expect": Expect.DENY}, False),
    ({"at": date(1999, 1, 1), "expect": Expect.DENY}, False),
]


@pytest.mark.parametrize(("said", "expected"), ASKED)
def test_a_case_holds_or_not(said: dict[str, Any], expected: bool) -> None:
    assert holds(STRICT, BY_CONSENT, **said) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, True),
        ({"objection": True}, False),
        ({"objection": True, "expect": Expect.DENY}, True),
        ({"expect": Expect.DENY}, False),
    ],
)
def test_a_case_without_a_consent_holds_or_not(said: dict[str, Any], expected: bool) -> None:
    assert holds(STATUTORY, BY_OBJECTION, **said) is expected


def test_a_text_that_nobody_approved_is_a_case_where_the_row_asks_for_one() -> None:
    demanding = replace(BY_CONSENT, requires=replace(BY_CONSENT.requires, approved_text=True))

    assert holds(STRICT, demanding)
    assert holds(STRICT, demanding, consent=Given.UNAPPROVED, expect=Expect.DENY)


def test_of_a_row_for_some_fields_a_field_of_it_is_asked_about() -> None:
    assert holds(STRICT, replace(BY_CONSENT, fields=("rus",)))
    assert BY_CONSENT.fields == (ANY,)


@pytest.mark.parametrize(
    ("known", "first", "last", "expected"),
    [
        (DAY, DAY, DAY, True),
        (DAY, DAY, None, True),
        (date(2026, 11, 2), DAY, None, False),
        (DAY, date(2026, 11, 2), None, False),
        (DAY, date(2026, 10, 1), date(2026, 10, 31), False),
    ],
)
def test_a_row_is_the_law_on_its_days_once_it_is_known(
    known: date, first: date, last: date | None, expected: bool
) -> None:
    row = replace(BY_CONSENT, known_from=known, valid_from=first, valid_to=last)
    assert row.in_force(day=DAY, known=DAY) is expected


@pytest.mark.parametrize(
    ("status", "legal", "expected"),
    [
        (Status.DRAFT, Legal.CLEAR, True),
        (Status.DRAFT, Legal.NLS, True),
        (Status.APPROVED, Legal.NLS, True),
        (Status.APPROVED, Legal.CLEAR, False),
    ],
)
def test_a_draft_and_what_lawyers_doubt_needs_sign_off(status: Status, legal: Legal, expected: bool) -> None:
    assert replace(BY_CONSENT, status=status, legal=legal).needs_sign_off is expected


C, R = cases, rows
MUTATIONS: list[mutating.Mutation] = [
    (C, "holds = _speaks_to(row, case) and", "holds ="),
    (C, "if case.expect is Expect.PERMIT:", "if True:"),
    (C, "if case.expect is Expect.PERMIT:", "if False:"),
    (C, "holds = holds and got.verdict is Verdict.PERMIT and", "holds = holds and"),
    (C, "holds = holds and got.verdict is Verdict.DENY", "holds = True"),
    (C, "case.sender in row.senders\n        and ", ""),
    (C, "and case.recipient in row.recipients", ""),
    (C, "and case.purpose in row.purposes", ""),
    (C, "and case.category in row.categories", ""),
    (C, "and row.in_force(day=case.at, known=case.at)", ""),
    (C, '"felt" if ANY in row.fields else row.fields[0]', '"felt"'),
    (C, "    if case.objection:\n", "    if True:\n"),
    (C, "    if case.objection:\n", "    if False:\n"),
    *[
        (C, f"        case Given.{given}:\n            yield replace(given, {change})", f"        case Given.{given}:\n            yield given")
        for given, change in (
            ("UNSIGNED", "signed=False"),
            ("UNEXPLAINED", "explained=False"),
            ("OTHER_RECIPIENT", "recipients=_others(Sector, case.recipient)"),
            ("OTHER_PURPOSE", "purposes=_others(Purpose, case.purpose)"),
            ("OTHER_CATEGORY", "categories=_others(Category, case.category)"),
            ("UNAPPROVED", 'text_version="draft"'),
            ("WITHDRAWN", "withdrawn_at=at - timedelta(seconds=1)"),
        )
    ],
    (R, "self.status is Status.DRAFT or ", ""),
    (R, " or self.legal is Legal.NLS", ""),
    (R, "if self.known_from > known or self.valid_from > day:", "if self.known_from > known:"),
    (R, "if self.known_from > known or self.valid_from > day:", "if self.valid_from > day:"),
    (R, "self.known_from > known", "self.known_from >= known"),
    (R, "self.valid_from > day", "self.valid_from >= day"),
    (R, "self.valid_to is None or day <= self.valid_to", "True"),
    (R, "self.valid_to is None or day <= self.valid_to", "self.valid_to is None or day < self.valid_to"),
    (R, "flow in base.forms and approval.of == base.form_digest(flow)", "flow in base.forms"),
    (R, "[row for row in base.rows if row.flow not in on]", "list(base.rows)"),
    (R, "        if not on:\n            return base\n", ""),
]  # one row per case # fmt: skip


def tables() -> list[mutating.Case]:
    """The quick ones first."""
    own = [
        test_a_text_that_nobody_approved_is_a_case_where_the_row_asks_for_one,
        test_a_case_holds_or_not, test_a_case_without_a_consent_holds_or_not,
        test_of_a_row_for_some_fields_a_field_of_it_is_asked_about,
        test_a_row_is_the_law_on_its_days_once_it_is_known, test_a_draft_and_what_lawyers_doubt_needs_sign_off,
    ]  # one row per case # fmt: skip
    return [
        *(case for test in own for case in mutating.rows(test)),
        test_policy_pack.test_a_switched_flow_replaces_its_strict_rows_and_no_others,
        *mutating.cases(test_rows),
    ]


def test_the_tables_hold_for_what_is_not_mutated() -> None:
    assert not mutating.noticed(tables())


@mutating.each(MUTATIONS)
def test_a_check_taken_out_is_noticed(where: ModuleType, old: str, new: str) -> None:
    mutating.expect_noticed(where, old, new, tables)
