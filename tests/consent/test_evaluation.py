"""What one consent alone lets through and stops: between all it names, and others."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from consent.evaluation import OTHERS, Line, evaluate, state
from hub.message import ANY, Category, Consent, Purpose, Sector
from tests.consent.asking import NOON, but, no, yes

ORG = "310000078"
ALL = tuple(sorted(c.value for c in set(Category) - {Category.UNKNOWN, Category.PROTECTED_ADDRESS}))
REST = tuple(c for c in ALL if c != "work")
LATER = datetime(2027, 3, 2, 10, 0, tzinfo=UTC)
ONE: dict[str, Any] = {
    "senders": frozenset({"prison"}),
    "recipients": frozenset({ORG}),
    "purposes": frozenset({"housing"}),
}
NOTHING: dict[str, Any] = {"senders": None, "recipients": None, "purposes": None, "categories": None}


def lines(consent: Consent, at: datetime = NOON, data_date: date | None = None) -> set[Line]:
    told = evaluate(consent, at, data_date)
    assert len(set(told)) == len(told)
    return set(told)


EVALUATED: list[tuple[str, Consent, set[Line]]] = [
    ("one of each", yes("work", **ONE), {Line("prison", ORG, "housing", ("work",), ())}),
    ("anybody, anything", yes(), {Line(OTHERS, OTHERS, OTHERS, ALL, ())}),
    ("nobody is named", yes("work", **{**NOTHING, "categories": frozenset({"work"})}), set()),
    ("a refusal of everything", no(**NOTHING), {Line(OTHERS, OTHERS, OTHERS, (), ALL)}),
    ("a refusal of one", no("work", **ONE), {Line("prison", ORG, "housing", (), ("work",))}),
    (
        "an exception",
        yes(**ONE, exceptions=(but(False, categories=frozenset({"work"})),)),
        {Line("prison", ORG, "housing", REST, ("work",))},
    ),
    (
        "an exception for one recipient",
        yes(senders=frozenset({ANY}), recipients=frozenset({ANY}), purposes=frozenset({"housing"}),
            exceptions=(but(False, recipients=frozenset({"court"})),)),
        {Line(OTHERS, "court", "housing", (), ALL), Line(OTHERS, OTHERS, "housing", ALL, ())},
    ),
    (
        "an exception in an exception",
        yes(senders=frozenset({ANY}), recipients=frozenset({ANY}), purposes=frozenset({"housing"}),
            exceptions=(but(False, recipients=frozenset({"gp"}),
                            exceptions=(but(True, purposes=frozenset({"housing"}),
                                            senders=frozenset({"tsb"})),)),)),
        {
            Line("tsb", "gp", "housing", ALL, ()), Line("tsb", OTHERS, "housing", ALL, ()),
            Line(OTHERS, "gp", "housing", (), ALL), Line(OTHERS, OTHERS, "housing", ALL, ()),
        },
    ),
    (
        "two recipients",
        yes("work", senders=frozenset({"gp"}), recipients=frozenset({"prison", "court"}),
            purposes=frozenset({"housing", "treatment"})),
        {Line("gp", to, purpose, ("work",), ()) for to in ("prison", "court")
         for purpose in ("housing", "treatment")},
    ),
    (
        "every sector but one is named",
        yes("work", senders=frozenset(s.value for s in Sector if s is not Sector.OUTSIDE),
            recipients=frozenset({"gp"}), purposes=frozenset({"housing"})),
        {Line(s.value, "gp", "housing", ("work",), ()) for s in Sector if s is not Sector.OUTSIDE},
    ),
    (
        "every sector is named",
        yes("work", **{**ONE, "senders": frozenset(Sector), "recipients": frozenset({*Sector, ORG})}),
        {Line(sender, to, "housing", ("work",), ()) for sender in Sector for to in (*Sector, ORG)},
    ),
    (
        "every purpose is named",
        yes("work", **{**ONE, "purposes": frozenset(Purpose)}),
        {Line("prison", ORG, purpose, ("work",), ()) for purpose in Purpose},
    ),
    (
        "a recipient is no sender",
        yes("work", senders=frozenset({ANY}), recipients=frozenset({"gp"}), purposes=frozenset({"housing"})),
        {Line(OTHERS, "gp", "housing", ("work",), ())},
    ),
    (
        "every purpose but one is named",
        yes("work", **{**ONE, "purposes": frozenset(p.value for p in Purpose if p is not Purpose.COMPLAINT)}),
        {Line("prison", ORG, p.value, ("work",), ()) for p in Purpose if p is not Purpose.COMPLAINT},
    ),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("consent", "told"), [row[1:] for row in EVALUATED], ids=[r[0] for r in EVALUATED])
def test_what_it_permits_and_refuses(consent: Consent, told: set[Line]) -> None:
    assert lines(consent) == told


def test_the_order_is_that_of_the_names_and_others_are_last() -> None:
    senders = [ORG, "court", "gp", "prison", "probation", "tsb", "voluntary"]

    told = evaluate(no(senders=frozenset({ANY, *senders}), recipients=None, purposes=None), NOON)

    assert [line.sender for line in told] == [*senders, OTHERS]


def test_it_is_asked_at_the_moment_and_about_the_date_of_the_data() -> None:
    old = yes("work", **ONE, data_from=date(2026, 6, 1))

    assert lines(yes("work", **ONE), LATER) == set()
    assert lines(old, data_date=date(2026, 5, 1)) == set()
    assert lines(old, data_date=date(2026, 7, 1)) == {Line("prison", ORG, "housing", ("work",), ())}


STATES = [
    (date(2026, 2, 28), "not-yet"),
    (date(2026, 3, 1), "in-force"),
    (date(2027, 3, 1), "in-force"),
    (date(2027, 3, 2), "expired"),
]


@pytest.mark.parametrize(("day", "told"), STATES)
def test_where_a_day_falls(day: date, told: str) -> None:
    assert state(yes(), day) == told
    assert state(yes(valid_from=None, valid_to=None), day) == "in-force"
