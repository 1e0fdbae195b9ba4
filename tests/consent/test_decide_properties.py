"""What holds of the decision whatever anyone writes down: order, doubt and unknown never release."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.decide import Ask, decide
from consent.policy_files import load_pack
from consent.rows import Effect, OverrideRule, Pack, Row
from hub.message import (
    ANY,
    HEALTH_SECTORS,
    Category,
    Consent,
    Decision,
    Item,
    Override,
    Purpose,
    Reading,
    Sector,
    Verdict,
)
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
        grantor=draw(st.sampled_from(["person", "person", "guardian"])),
        active=draw(st.sampled_from([True, True, False])),
        person=draw(st.sampled_from(["", "", "p2"])),
        withdrawn_at=draw(st.none() | st.just(NOON - timedelta(days=1))),
        **draw(st.fixed_dictionaries(SAID)),
    )
    # One whose period ends before it begins blocks whatever it says; that has a test of its own.
    if document.valid_from and document.valid_to:
        first, last = sorted((document.valid_from, document.valid_to))
        document = replace(document, valid_from=first, valid_to=last)
    if exceptions and draw(st.booleans()):
        said = draw(st.fixed_dictionaries({k: SAID[k] for k in ("recipients", "categories", "purposes")}))
        deeper = draw(st.fixed_dictionaries({k: SAID[k] for k in ("recipients", "categories", "purposes")}))
        inner = (but(decision, **deeper),) if draw(st.booleans()) and any(deeper.values()) else ()
        document = replace(document, exceptions=(but(not decision, **said, exceptions=inner),))
    return document


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(Effect),
        st.sampled_from([Category.HOUSING, Category.SUBSTANCE_USE, Category.IDENTITY]),
        id=st.sampled_from(["A", "B", "C"]),
        version=st.integers(1, 3),
        override=st.none() | st.just(OverrideRule("ground", frozenset({"doctor"}), notify_person=True)),
    ),
    max_size=5,
)


@st.composite
def items(draw: st.DrawFn) -> tuple[Item, ...]:
    labels = st.frozensets(st.sampled_from([*map(Category, NAMED), Category.UNKNOWN]), max_size=3)
    return tuple(
        Item(
            f"felt{i}",
            draw(labels),
            draw(labels),
            draw(st.booleans()),
            draw(st.sampled_from([frozenset(), frozenset(), frozenset({"p2"}), frozenset({"p3"})])),
        )
        for i in range(draw(st.integers(1, 4)))
    )


AGENCIES = st.sampled_from([GP, TSB, HOUSING_OFFICE, NAV])
READINGS = st.builds(
    Reading,
    st.frozensets(st.sampled_from([*map(Category, NAMED)]), max_size=2),
    st.lists(st.sampled_from(["kari", "ola", ""]), max_size=2).map(tuple),
)
ASKS = st.builds(
    lambda what, to, sender, purpose, data, readings, override, requests: ask(
        *what,
        to=to,
        sender=sender,
        purpose=purpose,
        data_date=data,
        readings=readings,
        override=override,
        requests=dict.fromkeys(requests, ("asked",)),
    ),
    items(),
    AGENCIES,
    st.sampled_from([PRISON, HEALTH]),
    st.sampled_from([Purpose.HOUSING, Purpose.TREATMENT]),
    DAYS,
    st.dictionaries(st.sampled_from(["felt0", "felt1"]), READINGS, max_size=2),
    st.none() | st.builds(Override, st.just("g"), st.just("doctor"), st.sampled_from([("a", "b"), ("a",)])),
    st.frozensets(st.sampled_from(["A", "B", "C"]), max_size=2),
)


def now(question: object, rows: list[Row], consents: list[Consent] | None) -> Decision:
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
def test_an_unreadable_document_or_an_unreadable_register_leaves_nothing(
    question: object, rows: list[Row], consents: list[Consent]
) -> None:
    unreadable = replace(no(id="fresh"), readable=False)

    assert not now(question, rows, [*consents, unreadable]).paths(Verdict.PERMIT)
    assert not now(question, rows, None).paths(Verdict.PERMIT)


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4))
def test_unknown_is_never_permitted_and_every_verdict_has_a_reason(
    question: object, rows: list[Row], consents: list[Consent]
) -> None:
    asked: tuple[Item, ...] = question.items  # type: ignore[attr-defined]  # an Ask

    for what, verdict in zip(asked, now(question, rows, consents).items, strict=True):
        assert verdict.reason.startswith("decide.")
        # Only two readers together may say of free text what the scanner could not.
        asked_about = what.declared if what.free_text else what.categories | what.declared
        if Category.UNKNOWN in asked_about or not what.categories | what.declared:
            assert verdict.verdict is not Verdict.PERMIT or what.path in question.readings  # type: ignore[attr-defined]  # an Ask


def released(question: object, rows: list[Row], consents: list[Consent]) -> frozenset[str]:
    return now(question, rows, consents).paths(Verdict.PERMIT)


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), st.data())
def test_raising_a_label_never_releases_more(
    question: Ask, rows: list[Row], consents: list[Consent], data: st.DataObject
) -> None:
    raised = data.draw(CATEGORIES)
    in_content = data.draw(st.booleans())
    name = "categories" if in_content else "declared"
    items = tuple(replace(i, **{name: getattr(i, name) | {raised}}) for i in question.items)
    # Content raised in free text is for the readers, who may clear it.
    readings = {} if in_content else question.readings
    question = replace(question, readings=readings)

    # An item about nothing at all is unknown; any label makes it known.
    empty = {i.path for i in question.items if not i.categories | i.declared}

    assert (
        released(replace(question, items=items), rows, consents) <= released(question, rows, consents) | empty
    )


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), st.sampled_from(["p2", "p3", ""]))
def test_one_more_person_in_an_item_never_releases_more(
    question: Ask, rows: list[Row], consents: list[Consent], person: str
) -> None:
    more = replace(question, items=tuple(replace(i, persons=i.persons | {person}) for i in question.items))

    assert released(more, rows, consents) <= released(question, rows, consents)


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4))
def test_without_readers_override_or_requests_no_more_is_released(
    question: Ask, rows: list[Row], consents: list[Consent]
) -> None:
    everything = released(question, rows, consents)

    assert released(replace(question, override=None), rows, consents) <= everything
    for_machine = replace(question, readings={})
    if question.recipient.sector not in HEALTH_SECTORS:
        assert released(for_machine, rows, consents) <= everything
    assert not question.override or all(
        "notify_person" in v.obligations
        for v in now(question, rows, consents).items
        if v.reason == "decide.overridden"
    )


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), st.sampled_from(NAMED))
def test_one_more_prohibition_never_releases_more(
    question: Ask, rows: list[Row], consents: list[Consent], named: str
) -> None:
    forbidden = row(Effect.PROHIBIT, Category(named), id="X")

    assert released(question, [*rows, forbidden], consents) <= released(question, rows, consents)


UNSAID = st.sampled_from(["senders", "recipients", "purposes", "categories", "valid_from", "valid_to"])


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=3), documents(exceptions=False), UNSAID)
def test_what_is_not_said_widens_a_refusal_and_narrows_a_permission(
    question: Ask, rows: list[Row], consents: list[Consent], one: Consent, unsaid: str
) -> None:
    one = replace(one, id="fresh")
    vague = replace(one, **{unsaid: None})  # type: ignore[arg-type]  # each of these may be None

    assert released(question, rows, [*consents, vague]) <= released(question, rows, [*consents, one])


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=3), documents(permits=False, exceptions=False), st.data())
def test_a_refusal_known_earlier_never_releases_more(
    question: Ask, rows: list[Row], consents: list[Consent], refusal: Consent, data: st.DataObject
) -> None:
    hours = data.draw(st.integers(-48, 48))
    refusal = replace(refusal, id="fresh", recorded_at=NOON + timedelta(hours=hours))
    earlier = replace(
        refusal, recorded_at=refusal.recorded_at - timedelta(hours=data.draw(st.integers(0, 96)))
    )
    undated = replace(refusal, recorded_at=refusal.recorded_at.replace(tzinfo=None))

    late, early = ([*consents, refusal], [*consents, earlier])

    assert released(question, rows, early) <= released(question, rows, late)
    assert released(question, rows, [*consents, undated]) <= released(question, rows, early)


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), st.randoms())
def test_the_order_of_the_items_changes_no_verdict(
    question: Ask, rows: list[Row], consents: list[Consent], random: Any
) -> None:
    items = list(question.items)
    random.shuffle(items)
    got, turned = now(question, rows, consents), now(replace(question, items=tuple(items)), rows, consents)

    assert {v.path: v for v in got.items} == {v.path: v for v in turned.items}
    assert got.alarms == turned.alarms


@ENOUGH
@given(ASKS, ROWS, st.lists(documents(), max_size=4), documents())
def test_a_document_of_a_person_nobody_tells_about_changes_nothing(
    question: Ask, rows: list[Row], consents: list[Consent], other: Consent
) -> None:
    other = replace(other, id="fresh", person="somebody else")

    assert now(question, rows, consents) == now(question, rows, [*consents, other])


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
