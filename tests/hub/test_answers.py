"""What persons said at the desk, added up: who counts as two, what is bound to what, and what a no does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.answers import (
    Act,
    Content,
    Counts,
    Entry,
    OnLeaf,
    Word,
    add_up,
    as_entry,
    as_line,
    counting,
)
from hub.message import Category, Decision, ItemDecision, Override, Reading, Verdict
from tests.hub.bench import START

NONE: frozenset[Category] = frozenset()
FAMILY = frozenset({Category.FAMILY})
PLAIN = OnLeaf("d1", Word.RELEASE)
DOUBTFUL = OnLeaf("d1", Word.RELEASE, doubtful=True)
NOW = Content({"merknad": "d1", "andre": "d2"}, "w1", {})


def line(id_: int, act: Act, reader: str, leaf: OnLeaf | None = None, **said: object) -> Entry:
    leaves = {"merknad": leaf} if leaf else {}
    return Entry(id_, act, reader, START + timedelta(minutes=id_), leaves=leaves, **said)  # type: ignore[arg-type]  # fields of Entry


def answer(id_: int, reader: str, leaf: OnLeaf) -> Entry:
    return line(id_, Act.ANSWER, reader, leaf)


def confirm(id_: int, reader: str, of: int) -> Entry:
    return line(id_, Act.CONFIRM, reader, confirms=of)


def override(id_: int, reader: str, whole: str = "w1") -> Entry:
    return line(id_, Act.OVERRIDE, reader, ground="fare", role="reader", whole=whole)


TABLE = [
    # what happened -> who stands behind the release of the leaf, the no, what waits for a second person
    ([], (), "", None),
    ([answer(1, "a", PLAIN)], ("a",), "", None),
    ([answer(1, "a", DOUBTFUL)], (), "", 1),
    ([answer(1, "a", DOUBTFUL), confirm(2, "b", 1)], ("a", "b"), "", None),
    ([answer(1, "a", DOUBTFUL), confirm(2, "a", 1)], (), "", 1),
    ([answer(1, "a", DOUBTFUL), confirm(2, "b", 7)], (), "", 1),
    ([confirm(1, "b", 1)], (), "", None),
    ([answer(1, "a", PLAIN), confirm(2, "b", 1)], ("a",), "", None),
    ([answer(1, "a", DOUBTFUL), answer(2, "b", DOUBTFUL)], (), "", 2),
    ([answer(1, "a", DOUBTFUL), answer(2, "b", DOUBTFUL), confirm(3, "b", 1)], (), "", 2),
    ([answer(1, "a", DOUBTFUL), answer(2, "b", DOUBTFUL), confirm(3, "b", 2)], (), "", 2),
    ([answer(1, "a", DOUBTFUL), answer(2, "b", DOUBTFUL), confirm(3, "a", 2)], ("b", "a"), "", None),
    ([answer(1, "a", DOUBTFUL), confirm(2, "b", 1), confirm(3, "c", 1)], ("a", "b"), "", None),
    ([answer(1, "a", OnLeaf("d1", Word.REFUSE))], (), "decide.reader-refused", None),
    ([answer(1, "a", OnLeaf("d1", Word.RETURN, doubtful=True))], (), "decide.returned", None),
    (
        [answer(1, "a", DOUBTFUL), answer(2, "b", OnLeaf("d1", Word.REFUSE)), confirm(3, "c", 1)],
        (),
        "decide.reader-refused",
        None,
    ),
    ([answer(1, "a", PLAIN), answer(2, "b", OnLeaf("d1", Word.REFUSE))], (), "decide.reader-refused", None),
    ([answer(1, "a", OnLeaf("other", Word.RELEASE))], (), "", None),
    ([answer(1, "a", OnLeaf("other", Word.REFUSE))], (), "", None),
    ([line(1, Act.READ, "a", OnLeaf("d1", Word.SEEN))], (), "", None),
]


@pytest.mark.parametrize(("entries", "readers", "no", "proposed"), TABLE)
def test_what_counts_after(
    entries: list[Entry], readers: tuple[str, ...], no: str, proposed: int | None
) -> None:
    book = add_up(entries)

    counts = counting(book, NOW)

    assert counts.readings == ({"merknad": Reading(NONE, readers)} if readers else {})
    assert counts.denied == ({"merknad": no} if no else {})
    assert (book.proposed.id if book.proposed else None) == proposed


def test_a_confirmation_is_of_everything_that_was_proposed_and_found() -> None:
    leaves = {
        "merknad": OnLeaf("d1", Word.RELEASE, FAMILY, doubtful=True),
        "andre": OnLeaf("d2", Word.REFUSE),
    }
    proposed = Entry(1, Act.ANSWER, "a", START, leaves=leaves)

    counts = counting(add_up([proposed, confirm(2, "b", 1)]), NOW)

    assert counts.readings == {"merknad": Reading(FAMILY, ("a", "b"))}
    assert counts.denied == {"andre": "decide.reader-refused"}
    assert counting(add_up([proposed]), NOW) == Counts()


def test_what_stands_beside_a_leaf_is_not_cleared_by_reading_the_leaf() -> None:
    beside = replace(NOW, around={"merknad": frozenset({Category.SUBSTANCE_USE})})

    counts = counting(add_up([answer(1, "a", DOUBTFUL), confirm(2, "b", 1)]), beside)

    assert counts.readings["merknad"].categories == {Category.SUBSTANCE_USE}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([override(1, "a")], None),
        ([override(1, "a"), confirm(2, "a", 1)], None),
        ([override(1, "a"), confirm(2, "b", 1)], Override("fare", "reader", ("a", "b"))),
        ([override(1, "a", "w0"), confirm(2, "b", 1)], None),
    ],
)
def test_an_override_counts_with_two_persons_and_for_that_content(
    entries: list[Entry], expected: Override | None
) -> None:
    assert counting(add_up(entries), NOW).override == expected


def test_who_has_read_what_as_it_stands() -> None:
    book = add_up([line(1, Act.READ, "a", OnLeaf("d1", Word.SEEN))])

    assert book.has_read("a", {"merknad": "d1"})
    assert not book.has_read("b", {"merknad": "d1"})
    assert not book.has_read("a", {"merknad": "d9"})
    assert not book.has_read("a", {"merknad": "d1", "andre": "d2"})
    assert not book.has_read("a", {})


def test_the_sender_is_told_of_a_return_until_another_answer_stands() -> None:
    returned = replace(answer(1, "a", OnLeaf("d1", Word.RETURN)), told=True)

    assert add_up([returned]).told == {"merknad"}
    assert add_up([returned, answer(2, "b", OnLeaf("d1", Word.REFUSE))]).told == frozenset()
    assert add_up([replace(returned, told=False)]).told == frozenset()


@given(st.sets(st.sampled_from(["a", "b", "c"])), st.sampled_from(Verdict))
def test_a_no_never_permits(said_no_to: set[str], verdict: Verdict) -> None:
    items = tuple(ItemDecision(path, verdict, "decide.row", "L01/1", ("c/1",)) for path in "abc")
    counts = Counts(denied=dict.fromkeys(said_no_to, "decide.returned"))

    after = counts.narrowed(Decision(items, START))

    for before, now in zip(items, after.items, strict=True):
        if before.path in said_no_to:
            assert now.verdict is Verdict.DENY
        else:
            assert now == before


LEAVES = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.builds(
        OnLeaf,
        st.text(max_size=8),
        st.sampled_from(Word),
        st.frozensets(st.sampled_from(Category), max_size=3),
        st.booleans(),
    ),
    max_size=3,
)
ENTRIES = st.builds(
    Entry,
    st.integers(0, 99),
    st.sampled_from(Act),
    st.text(max_size=8),
    st.just(START),
    st.text(max_size=8),
    LEAVES,
    st.none() | st.integers(0, 9),
    st.booleans(),
    st.text(max_size=8),
    st.text(max_size=8),
    st.text(max_size=8),
)


@given(ENTRIES)
def test_a_line_that_is_kept_says_the_same_again(entry: Entry) -> None:
    kept = json.loads(json.dumps(as_line(entry)))

    assert as_entry(entry.id, entry.at, kept) == entry


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=6))
def test_one_person_alone_never_releases_what_the_hub_found_something_in(
    steps: list[tuple[str, bool]],
) -> None:
    """Whatever one person does in whatever order, under one name."""
    entries = [
        confirm(n, "a", max(1, n - 1)) if confirming else answer(n, "a", DOUBTFUL)
        for n, (_, confirming) in enumerate(steps, start=1)
    ]

    assert counting(add_up(entries), NOW).readings == {}
