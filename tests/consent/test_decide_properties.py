"""What holds of the decision whatever anyone writes down: order, doubt and unknown never release."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.decide import decide
from consent.rows import Effect, Pack, Row, load_pack
from hub.message import ANY, Category, Consent, Decision, Item, Purpose, Sector, Verdict
from tests.consent.asking import GP, HEALTH, HOUSING_OFFICE, NAV, NOON, PRISON, TSB, ask, but, no, row, yes

ENOUGH = settings(max_examples=150, deadline=None)
DAYS = st.none() | st.dates(date(2025, 1, 1), date(2028, 1, 1))
CATEGORIES = st.sampled_from(sorted(set(Category)))
NAMED = [c.value for c in (Category.HOUSING, Category.SUBSTANCE_USE, Category.IDENTITY)]


def some(*words: str) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from([*words, ANY]), max_size=3)


SAID: dict[str, st.SearchStrategy[Any]] = {
    "senders": some("prison", "prison_health", PRISON.org),
    "recipients": some("gp", "tsb", "municipality_housing", NAV.org),
    "purposes": some("housing", "treatment"),
    "categories": some(*NAMED),
    "valid_from": DAYS,
    "valid_to": DAYS,
    "data_from": st.none() | DAYS,
    "data_to": st.none(),
}


@st.composite
def documents(draw: st.DrawFn, permits: bool | None = None, exceptions: bool = True) -> Consent:
    decision = draw(st.booleans()) if permits is None else permits
    number = draw(st.integers(1, 10_000))
    document = replace(
        yes(id=f"{'P' if decision else 'R'}{number}"),
        permits=decision,
        signed=draw(st.booleans()),
        explained=draw(st.booleans()),
        recorder=draw(st.none() | st.sampled_from([Sector.PRISON, Sector.PERSON])),
        kind=draw(st.sampled_from(["sharing", "sharing", "programme"])),
        withdrawn_at=draw(st.none() | st.just(NOON - timedelta(days=1))),
        **draw(st.fixed_dictionaries(SAID)),
    )
    # One whose period ends before it begins blocks whatever it says; that has a test of its own.
    if document.valid_from and document.valid_to:
        first, last = sorted((document.valid_from, document.valid_to))
        document = replace(document, valid_from=first, valid_to=last)
    if exceptions and draw(st.booleans()):
        said = draw(st.fixed_dictionaries({k: SAID[k] for k in ("recipients", "categories", "purposes")}))
        document = replace(document, exceptions=(but(not decision, **said),))
    return document


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(Effect),
        st.sampled_from([Category.HOUSING, Category.SUBSTANCE_USE, Category.IDENTITY]),
        id=st.sampled_from(["A", "B", "C"]),
        version=st.integers(1, 3),
    ),
    max_size=5,
)


@st.composite
def items(draw: st.DrawFn) -> tuple[Item, ...]:
    labels = st.frozensets(st.sampled_from([*map(Category, NAMED), Category.UNKNOWN]), max_size=3)
    return tuple(
        Item(f"felt{i}", draw(labels), draw(labels), draw(st.booleans()))
        for i in range(draw(st.integers(1, 4)))
    )


AGENCIES = st.sampled_from([GP, TSB, HOUSING_OFFICE, NAV])
ASKS = st.builds(
    lambda what, to, sender, purpose, data: ask(*what, to=to, sender=sender, purpose=purpose, data_date=data),
    items(),
    AGENCIES,
    st.sampled_from([PRISON, HEALTH]),
    st.sampled_from([Purpose.HOUSING, Purpose.TREATMENT]),
    DAYS,
)


def now(question: object, rows: list[Row], consents: list[Consent]) -> Decision:
    return decide(question, rows, consents, at=NOON, known_at=NOON)  # type: ignore[arg-type]  # an Ask


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), documents(permits=False, exceptions=False))
def test_one_more_refusal_never_releases_more(
    question: object, rows: list[Row], consents: list[Consent], refusal: Consent
) -> None:
    refusal = replace(refusal, id="fresh")

    before = now(question, rows, consents).paths(Verdict.PERMIT)
    after = now(question, rows, [*consents, refusal]).paths(Verdict.PERMIT)

    assert after <= before


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), documents(permits=True, exceptions=False))
def test_one_readable_permission_less_never_releases_more(
    question: object, rows: list[Row], consents: list[Consent], permission: Consent
) -> None:

    with_it = now(question, rows, [*consents, permission]).paths(Verdict.PERMIT)
    without = now(question, rows, consents).paths(Verdict.PERMIT)

    assert without <= with_it


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), st.data())
def test_withdrawing_a_permission_never_releases_more(
    question: object, rows: list[Row], consents: list[Consent], data: st.DataObject
) -> None:
    permissions = [c for c in consents if c.permits and c.withdrawn_at is None]
    if not permissions:
        return
    one = data.draw(st.sampled_from(permissions))
    withdrawn = [replace(c, withdrawn_at=NOON) if c == one else c for c in consents]

    before = now(question, rows, consents).paths(Verdict.PERMIT)

    assert now(question, rows, withdrawn).paths(Verdict.PERMIT) <= before


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), st.randoms())
def test_the_order_of_what_is_on_file_changes_nothing(
    question: object, rows: list[Row], consents: list[Consent], random: object
) -> None:
    shuffled_rows = list({r.ref: r for r in rows}.values())
    shuffled, straight = list(consents), list(shuffled_rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
    random.shuffle(shuffled_rows)  # type: ignore[attr-defined]  # a Random

    assert now(question, straight, consents) == now(question, shuffled_rows, shuffled)


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), documents())
def test_a_document_about_others_changes_no_verdict(
    question: object, rows: list[Row], consents: list[Consent], other: Consent
) -> None:
    other = replace(other, id="fresh", recipients=frozenset({"310000299"}), exceptions=())

    before, after = now(question, rows, consents), now(question, rows, [*consents, other])

    assert [(v.verdict, v.consents, v.row) for v in before.items] == [
        (v.verdict, v.consents, v.row) for v in after.items
    ]


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4))
def test_an_unreadable_document_leaves_only_duties(
    question: object, rows: list[Row], consents: list[Consent]
) -> None:
    unreadable = replace(no(id="fresh"), readable=False)
    duties = {r.ref for r in rows if r.effect is Effect.DUTY}

    got = now(question, rows, [*consents, unreadable])

    assert all(set((v.row or "").split("+")) <= duties for v in got.items if v.verdict is Verdict.PERMIT)


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4))
def test_unknown_is_never_permitted_and_every_verdict_has_a_reason(
    question: object, rows: list[Row], consents: list[Consent]
) -> None:
    asked: tuple[Item, ...] = question.items  # type: ignore[attr-defined]  # an Ask

    for what, verdict in zip(asked, now(question, rows, consents).items, strict=True):
        assert verdict.reason.startswith("decide.")
        if Category.UNKNOWN in what.categories | what.declared or not what.categories | what.declared:
            assert verdict.verdict is not Verdict.PERMIT


STRICT: Pack = load_pack("strict")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(Sector),
    st.sampled_from(Sector),
    st.sampled_from(Purpose),
    st.lists(documents(), max_size=4),
)
def test_in_the_strict_pack_substance_use_always_names_its_consent(
    sender: Sector, recipient: Sector, purpose: Purpose, consents: list[Consent]
) -> None:
    everyone = [*consents, yes(id="open")]
    drugs = Item("felt", frozenset(), frozenset({Category.SUBSTANCE_USE}))
    question = replace(
        ask(drugs, purpose=purpose),
        sender=replace(PRISON, sector=sender),
        recipient=replace(GP, sector=recipient),
    )

    for on_file in (consents, everyone, []):
        (got,) = now(question, list(STRICT.between(sender, recipient, purpose)), on_file).items
        assert got.verdict is not Verdict.PERMIT or got.consents


@pytest.mark.parametrize("sector", Sector)
def test_without_a_word_from_the_person_no_sector_gets_substance_use(sector: Sector) -> None:
    drugs = Item("felt", frozenset(), frozenset({Category.SUBSTANCE_USE}))

    for sender in Sector:
        for purpose in Purpose:
            question = replace(
                ask(drugs, purpose=purpose),
                sender=replace(PRISON, sector=sender),
                recipient=replace(GP, sector=sector),
            )
            assert not now(question, list(STRICT.rows), []).paths(Verdict.PERMIT)
