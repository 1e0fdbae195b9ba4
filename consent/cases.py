"""Understands the cases that policy rows carry: each a question that the row must answer so.

A case is asked of the whole pack its row stands in, as it would be with the row's flow switched on:
a row that another one contradicts fails its own case. A permission must rest on the row itself; a
refusal must be of a question that the row speaks to. It must not know messages or stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from consent.decide import Ask, decide
from consent.policy_files import load_pack
from consent.rows import Case, Expect, Form, Given, Pack, Row
from consent.texts import ApprovedText, Texts
from hub.message import (
    ANY,
    CONTROL_SECTORS,
    Agency,
    Basis,
    Category,
    Consent,
    Item,
    ItemDecision,
    Purpose,
    Sector,
    Verdict,
)

_TEXT = "case"
_TEXTS = Texts((ApprovedText(_TEXT, "nb", "", "", date.min, None),))
"""A case brings its own approved text: which real ones there are is another file's matter."""


@dataclass(frozen=True)
class Ran:
    """One case with what the decision said. `name` is the row's reference and the case's place in it."""

    name: str
    form: Form
    case: Case
    got: ItemDecision
    holds: bool


def run_cases() -> Iterator[Ran]:
    """Every case of every row of both shipped packs. Raises policy.invalid."""
    for form in Form:
        pack = load_pack(form)
        for row in (*pack.rows, *pack.drafts):
            yield from run_row(pack, row, form)


def run_row(pack: Pack, row: Row, form: Form) -> Iterator[Ran]:
    """The cases of one row of a pack."""
    asked = _with_drafts(pack, row)
    for index, case in enumerate(row.cases):
        got = _answer(asked, row, case)
        holds = _speaks_to(row, case) and got.verdict is not Verdict.HOLD
        if case.expect is Expect.PERMIT:
            holds = holds and got.verdict is Verdict.PERMIT and row.ref in (got.row or "").split("+")
        else:
            holds = holds and got.verdict is Verdict.DENY
        yield Ran(f"{row.ref} case {index + 1}", form, case, got, holds)


def _with_drafts(pack: Pack, row: Row) -> tuple[Row, ...]:
    """The deciding rows, and the drafts of the row's flow as if they had been approved."""
    return (*pack.rows, *(draft for draft in pack.drafts if draft.flow == row.flow))


def _speaks_to(row: Row, case: Case) -> bool:
    return (
        case.sender in row.senders
        and case.recipient in row.recipients
        and case.purpose in row.purposes
        and case.category in row.categories
        and row.in_force(day=case.at, known=case.at)
    )


def _answer(rows: tuple[Row, ...], row: Row, case: Case) -> ItemDecision:
    at = datetime.combine(case.at, time(12), UTC)
    path = "felt" if ANY in row.fields else row.fields[0]
    item = Item(path, frozenset({case.category}), frozenset({case.category}))
    ask = Ask(
        sender=Agency("", "", case.sender),
        recipient=Agency("", "", case.recipient),
        purpose=case.purpose,
        basis=Basis.CONSENT,
        agreement="",
        items=(item,),
        protected_address=False,
        data_date=case.at,
        relations=frozenset({row.relation} if row.relation is not None and case.relation else ()),
        requests={row.id: ("on file",)} if case.request else {},
    )
    (got,) = decide(ask, rows, tuple(_on_file(row, case, at)), at=at, known_at=at, texts=_TEXTS).items
    return got


def _on_file(row: Row, case: Case, at: datetime) -> Iterator[Consent]:
    if case.objection:
        yield replace(_consent(row, case, at), id="objection", permits=False, categories=None, purposes=None)
    given = _consent(row, case, at)
    match case.consent:
        case Given.NONE:
            return
        case Given.GIVEN:
            yield given
        case Given.UNSIGNED:
            yield replace(given, signed=False)
        case Given.UNEXPLAINED:
            yield replace(given, explained=False)
        case Given.OTHER_RECIPIENT:
            yield replace(given, recipients=_others(Sector, case.recipient))
        case Given.OTHER_PURPOSE:
            yield replace(given, purposes=_others(Purpose, case.purpose))
        case Given.OTHER_CATEGORY:
            yield replace(given, categories=_others(Category, case.category))
        case Given.UNAPPROVED:
            yield replace(given, text_version="draft")
        case Given.WITHDRAWN:
            yield replace(given, withdrawn_at=at - timedelta(seconds=1))


def _others(kind: type[StrEnum], one: StrEnum) -> frozenset[str]:
    return frozenset(member.value for member in kind if member is not one)


def _consent(row: Row, case: Case, at: datetime) -> Consent:
    """A document that satisfies what the row demands, and says no more than the case asks."""
    wants = row.requires
    recorders = sorted(wants.recorders) or [Sector.PERSON]
    return Consent(
        id="given",
        version=1,
        permits=True,
        recorded_at=at - timedelta(days=1),
        valid_from=case.at - timedelta(days=1),
        valid_to=case.at + timedelta(days=1),
        senders=frozenset({case.sender.value}),
        recipients=frozenset({case.recipient.value}),
        purposes=frozenset({case.purpose.value}),
        categories=frozenset({case.category.value}),
        signed=True,
        explained=True,
        form=min(wants.forms, default="skriftlig"),
        grantor=min(wants.grantors, default="person"),
        text_version=min(wants.texts, default=_TEXT),
        recorder=Sector(next(r for r in recorders if r not in CONTROL_SECTORS)),
        setting=min(wants.settings, default=""),
        under_sentence=False,
    )
