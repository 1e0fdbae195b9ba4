"""The desk: an answer about a held text counts for what was read, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, insert, select

from consent.freetext import Hit, Strength
from hub import answers, holds
from hub.answers import Word
from hub.errors import HubError
from hub.message import Outcome
from hub.store.disclosures import Disclosure
from hub.store.schema import hold_entry
from tests.hub.bench import Bench
from tests.hub.holding import (
    MERKNAD,
    PLAIN,
    WEAK,
    brik,
    code_of,
    count,
    held,
    last_text,
    now,
    other_version,
    reader,
    release,
    the_hold,
)

# -- what an answer is bound to --


def test_an_answer_takes_a_reading_of_what_stands_there(bench: Bench) -> None:
    item = held(bench)

    assert (
        code_of(lambda: holds.answer(bench.parts, item.id, reader(bench), Word.RELEASE, reason="x"))
        == "hold.unread"
    )
    assert count(bench, hold_entry) == 0


@contextmanager
def other_lists(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The term list finds something more in every text about a place."""

    def scan(text: str) -> tuple[Hit, ...]:
        return (Hit("new", Strength.WEAK, 0, 7),) if text.startswith(("Trenger", "Ønsker")) else ()

    with monkeypatch.context() as patch:
        patch.setattr(answers, "scan", scan)
        yield


def test_a_reading_of_a_text_in_which_the_lists_find_more_since_does_not_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = held(bench)
    release(bench, item, reader(bench))

    with other_lists(monkeypatch):
        bench.drain()

    assert len(bench.got("housing")) == 1
    assert now(bench, item).outcome == Outcome.HELD


def test_a_reading_under_another_version_of_the_agreement_does_not_count(bench: Bench) -> None:
    item = held(bench)
    release(bench, item, reader(bench))
    other_version(bench)
    bench.drain()

    assert len(bench.got("housing")) == 1
    assert now(bench, item).outcome == Outcome.HELD
    release(bench, item, reader(bench))
    bench.drain()
    assert PLAIN in last_text(bench)


def test_a_refusal_under_another_version_is_asked_again(bench: Bench) -> None:
    item = held(bench)
    holds.read(bench.parts, item.id, reader(bench))
    other_version(bench)

    do = lambda: holds.answer(bench.parts, item.id, reader(bench), Word.REFUSE, reason="x")  # noqa: E731  # one line, called twice
    assert code_of(do) == "hold.unread"


def test_a_proposal_about_what_has_changed_cannot_be_confirmed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = held(bench, WEAK)
    release(bench, item, reader(bench))
    other = reader(bench, "per")
    with other_lists(monkeypatch):
        holds.read(bench.parts, item.id, other)
        assert code_of(lambda: holds.confirm(bench.parts, item.id, other)) == "hold.changed"
    other_version(bench)
    holds.read(bench.parts, item.id, other)
    assert code_of(lambda: holds.confirm(bench.parts, item.id, other)) == "hold.changed"
    bench.drain()
    assert len(bench.got("housing")) == 1


def a_second_hold(bench: Bench) -> Disclosure:
    """The same text came again, after the first was released."""
    first = held(bench)
    release(bench, first, reader(bench))
    bench.drain()
    bench.post("prison", brik(PLAIN, "brik-2"))
    bench.drain()
    [second] = [row for row in bench.rows("housing") if row.outcome == Outcome.HELD and row.id != first.id]
    return second


def test_an_answer_of_one_message_is_not_an_answer_of_another(bench: Bench) -> None:
    second = a_second_hold(bench)

    assert now(bench, second).outcome == Outcome.HELD
    assert (
        code_of(lambda: holds.answer(bench.parts, second.id, reader(bench), Word.RELEASE, reason="x"))
        == "hold.unread"
    )


def test_a_line_moved_to_another_hold_opens_nothing(bench: Bench) -> None:
    second = a_second_hold(bench)
    with bench.parts.store.writing() as tx:
        for row in tx.execute(select(hold_entry)).all():
            values = {name: getattr(row, name) for name in ("at", "ciphertext", "wrapped_key")}
            tx.execute(insert(hold_entry).values(disclosure_id=second.id, **values))

    assert code_of(lambda: holds.read(bench.parts, second.id, reader(bench))) == "hold.not-found"


BLOB = "UkVTVUxUQVQ6IEhlcm9pbiBww6V2aXN0" * 6


def test_what_no_person_can_read_is_not_released(bench: Bench) -> None:
    item = held(bench, f"Se vedlegg {BLOB}")
    who = reader(bench)
    [leaf] = holds.read(bench.parts, item.id, who).leaves
    assert not leaf.legible

    with pytest.raises(HubError) as refused:
        holds.answer(bench.parts, item.id, who, Word.RELEASE, reason="ser greit ut")

    assert [(f.at, f.rule) for f in refused.value.findings] == [(MERKNAD, "legible")]
    holds.answer(bench.parts, item.id, who, Word.RETURN, reason="vedlegg")
    bench.drain()
    assert now(bench, item).code == "decide.returned"


def test_a_name_in_doubt_is_cleared_by_two(bench: Bench) -> None:
    """Not free text, and held because one of its words may mean something else."""
    bench.post("prison_health", "samtykke-bolig.json")
    bench.post("prison", brik(PLAIN, kommuner={"opphold": "9901", "bydel": "Gress"}))
    bench.drain()
    item = the_hold(bench)
    first, second = reader(bench), reader(bench, "per")
    paths = {leaf.path for leaf in holds.read(bench.parts, item.id, first).leaves}
    assert paths == {MERKNAD, "kommuner.bydel"}
    assert holds.answer(bench.parts, item.id, first, Word.RELEASE, reason="et sted").waits
    holds.read(bench.parts, item.id, second)
    holds.confirm(bench.parts, item.id, second)
    bench.drain()

    assert '"bydel":"Gress"' in last_text(bench).replace(": ", ":")
    assert holds.listed(bench.parts) == []


def test_a_line_that_was_taken_out_or_put_in_is_noticed(bench: Bench) -> None:
    item = held(bench)
    release(bench, item, reader(bench))
    assert bench.verify().whole
    with bench.parts.store.writing() as tx:
        last = tx.execute(select(hold_entry).order_by(hold_entry.c.id.desc())).first()
        assert last is not None
        tx.execute(delete(hold_entry).where(hold_entry.c.id == last.id))
    faults = bench.verify().faults
    assert faults == [("lines of the desk and leaves differ in number", f"disclosure {item.id}")]
    with bench.parts.store.writing() as tx:
        for _ in range(2):
            values = {name: getattr(last, name) for name in ("at", "ciphertext", "wrapped_key")}
            tx.execute(insert(hold_entry).values(disclosure_id=item.id, **values))
    assert bench.verify().faults == faults
