"""Builds questions, rows and consents for the decision tests: plain defaults, one change each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from consent.decide import Ask, decide
from consent.rows import Effect, Requires, Row
from hub.message import (
    ANY,
    Agency,
    Basis,
    Category,
    Consent,
    Decision,
    Item,
    ItemDecision,
    Purpose,
    Sector,
)

NOON = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
PRISON = Agency("911111111", "Fjordvik fengsel", Sector.PRISON)
HEALTH = Agency("922222222", "Helseavdelingen", Sector.PRISON_HEALTH)
HOUSING_OFFICE = Agency("933333333", "Boligkontoret", Sector.MUNICIPALITY_HOUSING)
NAV = Agency("944444444", "NAV Fjordvik", Sector.NAV_MUNICIPAL)
GP = Agency("955555555", "Legesenteret", Sector.GP)
TSB = Agency("966666666", "Poliklinikken", Sector.TSB)


def item(
    *categories: Category, path: str = "felt", declared: tuple[Category, ...] = (), free: bool = False
) -> Item:
    return Item(path, frozenset(declared or categories), frozenset(categories), free)


def ask(*items: Item, to: Agency = HOUSING_OFFICE, sender: Agency = PRISON, **changes: object) -> Ask:
    plain = Ask(
        sender=sender,
        recipient=to,
        purpose=Purpose.HOUSING,
        basis=Basis.CONSENT,
        agreement="a",
        items=items or (item(Category.HOUSING),),
        protected_address=False,
        data_date=date(2026, 8, 1),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


def row(effect: Effect = Effect.CONSENT, *categories: Category, id: str = "R1", **changes: object) -> Row:
    plain = Row(
        id=id,
        version=1,
        valid_from=date(2026, 1, 1),
        valid_to=None,
        known_from=date(2026, 1, 1),
        effect=effect,
        senders=frozenset(Sector),
        recipients=frozenset(Sector),
        purposes=frozenset(Purpose),
        categories=frozenset(categories or {Category.HOUSING}),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


EVERYTHING = row(Effect.CONSENT, *(set(Category) - {Category.UNKNOWN, Category.PROTECTED_ADDRESS}))
SIGNED = Requires(signed=True)


def yes(*categories: str, id: str = "C1", **changes: object) -> Consent:
    """A permission that covers every question of these tests, but for its categories."""
    plain = Consent(
        id=id,
        version=1,
        permits=True,
        recorded_at=datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
        valid_from=date(2026, 3, 1),
        valid_to=date(2027, 3, 1),
        senders=frozenset({ANY}),
        recipients=frozenset({ANY}),
        purposes=frozenset({ANY}),
        categories=frozenset(categories or {ANY}),
        signed=True,
        explained=True,
        form="elektronisk",
        text_version="2",
        recorder=Sector.PERSON,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


def no(*categories: str, id: str = "N1", **changes: object) -> Consent:
    refusal = replace(yes(*categories, id=id), permits=False)
    return replace(refusal, **changes)  # type: ignore[arg-type]  # any field of a Consent


def but(permits: bool, **said: object) -> Consent:
    """An exception: says nothing but what is given."""
    plain = Consent("", 0, permits, NOON, None, None, None, None, None, None)
    return replace(plain, **said)  # type: ignore[arg-type]  # each test names real fields


def decided(question: Ask, rows: list[Row], consents: list[Consent], at: datetime = NOON) -> Decision:
    return decide(question, rows, consents, at=at, known_at=at)


def only(question: Ask, rows: list[Row], consents: list[Consent], at: datetime = NOON) -> ItemDecision:
    (verdict,) = decided(question, rows, consents, at).items
    return verdict


def as_read(recorded_at: datetime, *categories: str, **changes: object) -> Consent:
    """A permission as a form gives it: from the prison to the GP and an agency by number, for a year."""
    plain = Consent(
        id="s",
        version=3,
        permits=True,
        recorded_at=recorded_at,
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 12, 31),
        senders=frozenset({"prison"}),
        recipients=frozenset({"gp", "310000043"}),
        purposes=frozenset({"treatment"}),
        categories=frozenset(categories),
        text_version="t",
        recorder=Sector.PRISON_HEALTH,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields
