"""The desk: a held text is read by somebody who may, answered in one of four ways, and decided again."""

from __future__ import annotations

import pytest

from hub import holds
from hub.answers import Word
from hub.audit.log import Kind
from hub.errors import HubError
from hub.held import may_read
from hub.message import Agency, Category, Outcome, Sector
from hub.store.disclosures import State
from hub.store.schema import hold_entry
from tests.hub.bench import Bench, consent, org, run_together
from tests.hub.holding import (
    CONSENTED,
    MERKNAD,
    PLAIN,
    TELLS,
    WEAK,
    code_of,
    count,
    held,
    last_text,
    now,
    reader,
    release,
    two_texts,
)

# -- what is held, and who may see it --


def test_the_remark_is_held_and_the_rest_is_delivered(bench: Bench) -> None:
    item = held(bench)

    assert (item.state, item.revision, item.code) == (State.WAITING, 2, "decide.free-text-unread")
    assert len(bench.got("housing")) == 1
    assert PLAIN not in last_text(bench)
    [listed] = holds.listed(bench.parts, reader(bench))
    assert (listed.id, listed.recipient.org, listed.leaves) == (item.id, org("housing"), 1)
    assert (listed.code, listed.proposed) == ("decide.free-text-unread", False)


def test_a_hold_shows_its_leaf_its_hit_and_its_row_and_nothing_else(bench: Bench) -> None:
    item = held(bench, TELLS)

    shown = holds.read(bench.parts, item.id, reader(bench))

    [leaf] = shown.leaves
    assert (leaf.path, leaf.text, leaf.rewritten) == (MERKNAD, TELLS, False)
    assert [piece.text for piece in leaf.heard if piece.term] == ["rusmiljøet"]
    assert "".join(piece.text for piece in leaf.heard) == TELLS
    assert [row.id for row in leaf.rows] == ["L05"]
    assert leaf.doubtful
    assert (shown.facts.recipient.name, shown.facts.purpose) == ("Elvestad boligkontor", "return_to_society")
    for word in (TELLS, "Prøvestad", "14839030186", "Avdeling B"):
        assert word not in repr(shown)


def test_a_text_that_is_not_written_as_it_sounds_is_shown_both_ways(bench: Bench) -> None:
    item = held(bench, "Vil bort fra r u s m i l j ø e t og bo rolig.")

    [leaf] = holds.read(bench.parts, item.id, reader(bench)).leaves

    assert leaf.rewritten
    assert leaf.text == "Vil bort fra r u s m i l j ø e t og bo rolig."
    assert [piece.text for piece in leaf.heard if piece.term] == ["rusmiljøet"]


def agency(sector: Sector, org: str, *serves: str) -> Agency:
    return Agency(org, "Etat", sector, serves=serves)


@pytest.mark.parametrize(
    ("who", "sender", "may"),
    [
        (agency(Sector.PRISON_HEALTH, "1", "2"), agency(Sector.PRISON, "2"), True),
        (agency(Sector.PRISON_HEALTH, "1"), agency(Sector.PRISON, "2"), False),
        (agency(Sector.GP, "2"), agency(Sector.GP, "2"), True),
        (agency(Sector.GP, "3"), agency(Sector.GP, "2"), False),
        (agency(Sector.MUNICIPALITY_HOUSING, "9", "2"), agency(Sector.PRISON, "2"), False),
        *((agency(Sector(s), "2"), agency(Sector(s), "2"), False) for s in ("prison", "probation")),
        *((agency(Sector(s), "1", "2"), agency(Sector.GP, "2"), False) for s in ("court", "prosecution")),
    ],
)
def test_who_may_read_what_goes_to_housing(who: Agency, sender: Agency, may: bool) -> None:
    assert may_read(who, sender, agency(Sector.MUNICIPALITY_HOUSING, "9")) is may


@pytest.mark.parametrize("key", ["prison", "housing", "nav", "gp", "tsb"])
def test_for_everybody_else_there_is_no_such_hold(bench: Bench, key: str) -> None:
    item, stranger = held(bench), reader(bench, "ola", key)
    reader_of = reader(bench)
    holds.read(bench.parts, item.id, reader_of)

    assert holds.listed(bench.parts, stranger) == []
    for do in (
        lambda: holds.facts(bench.parts, item.id, stranger),
        lambda: holds.read(bench.parts, item.id, stranger),
        lambda: holds.answer(bench.parts, item.id, stranger, Word.RELEASE, reason="x"),
        lambda: holds.confirm(bench.parts, item.id, stranger),
        lambda: holds.override(bench.parts, item.id, stranger, role="r", ground="g", reason="x"),
        lambda: holds.read(bench.parts, "nowhere", reader_of),
    ):
        assert code_of(do) == "hold.not-found"
    assert len(bench.leaves(Kind.READ)) == 1


def test_a_read_is_on_record_before_anything_is_shown(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    item = held(bench)

    def full(*_: object, **__: object) -> None:
        raise HubError("receive.busy")

    with monkeypatch.context() as patch:
        patch.setattr(holds, "prove", full)
        assert code_of(lambda: holds.read(bench.parts, item.id, reader(bench))) == "receive.busy"
    assert count(bench, hold_entry) == 0

    holds.read(bench.parts, item.id, reader(bench))
    [leaf] = bench.leaves(Kind.READ)
    assert (leaf["reader"], leaf["fields"]) == ("kari", ["bolig.merknad seen"])
    assert PLAIN not in str(leaf)


def test_reads_are_counted_by_person(bench: Bench) -> None:
    item = held(bench)
    for _ in range(holds.MANY_IN_AN_HOUR + 1):
        holds.read(bench.parts, item.id, reader(bench))
    bench.clock.forward(hours=2)
    holds.read(bench.parts, item.id, reader(bench, "per"))

    by_name = {one.reader: (one.hour, one.day, one.many) for one in holds.reads(bench.parts)}

    assert by_name == {"kari": (0, 21, False), "per": (1, 1, False)}
    bench.clock.forward(hours=-2)
    assert [one.many for one in holds.reads(bench.parts) if one.reader == "kari"] == [True]


# -- the four answers --


def test_a_released_remark_arrives(either: Bench) -> None:
    item = held(either)

    assert not release(either, item, reader(either)).waits
    assert len(either.got("housing")) == 1  # an answer sends nothing
    either.drain()

    assert len(either.got("housing")) == 2
    assert PLAIN in last_text(either)
    assert now(either, item).outcome == Outcome.DELIVERED
    assert holds.listed(either.parts) == []
    assert either.verify().whole


def test_what_was_answered_is_no_hold_even_before_the_worker_came(bench: Bench) -> None:
    item = held(bench)
    release(bench, item, reader(bench))

    assert code_of(lambda: holds.read(bench.parts, item.id, reader(bench))) == "hold.not-found"
    assert len(bench.queue.ready) == 1


@pytest.mark.parametrize(
    ("word", "outcome", "code"),
    [
        (Word.REFUSE, Outcome.WITHHELD, "decide.reader-refused"),
        (Word.RETURN, Outcome.REJECTED, "decide.returned"),
    ],
)
def test_a_no_is_final_and_sends_nothing(bench: Bench, word: Word, outcome: Outcome, code: str) -> None:
    item = held(bench)
    holds.read(bench.parts, item.id, reader(bench))
    holds.answer(bench.parts, item.id, reader(bench), word, reason="lest")
    bench.drain()

    assert (now(bench, item).outcome, now(bench, item).code) == (outcome, code)
    assert now(bench, item).state is State.WAITING  # docs/decisions/0005
    again = reader(bench)
    for do in (
        lambda: holds.read(bench.parts, item.id, again),
        lambda: holds.answer(bench.parts, item.id, again, Word.RELEASE, reason="likevel"),
    ):
        assert code_of(do) == "hold.not-found"
    bench.post("prison_health", consent("samtykke-bolig.json", "skjema-2", kategorier=CONSENTED))
    bench.drain()
    assert len(bench.got("housing")) == 1
    assert now(bench, item).outcome == outcome
    bench.clock.forward(days=200)
    bench.sweep()
    assert (now(bench, item).state, now(bench, item).outcome) == (State.DONE, outcome)
    assert bench.verify().whole


def test_a_reduced_release_lets_go_of_what_was_chosen_and_refuses_the_rest(bench: Bench) -> None:
    item = two_texts(bench)
    assert [one.leaves for one in holds.listed(bench.parts)] == [2]

    release(bench, item, reader(bench), only=[MERKNAD])
    bench.drain()

    assert PLAIN in last_text(bench)
    assert "Har gjeld" not in last_text(bench)
    assert holds.listed(bench.parts) == []
    [rest] = [row for row in bench.rows("housing") if row.revision == 3]
    assert (rest.outcome, rest.code) == (Outcome.WITHHELD, "decide.reader-refused")


def test_what_the_reader_finds_needs_a_consent_too(bench: Bench) -> None:
    item = held(bench)
    release(bench, item, reader(bench), found={MERKNAD: [Category.FAMILY]})
    bench.drain()

    assert len(bench.got("housing")) == 1
    assert now(bench, item).code == "decide.consent-mismatch"

    bench.post("prison_health", consent("samtykke-bolig.json", "s", kategorier=[*CONSENTED, "family"]))
    bench.drain()
    assert PLAIN in last_text(bench)


def test_what_the_reader_finds_that_no_row_lets_go_stays(bench: Bench) -> None:
    item = held(bench)
    release(bench, item, reader(bench), found={MERKNAD: [Category.SUBSTANCE_USE]})
    bench.drain()

    assert len(bench.got("housing")) == 1
    assert now(bench, item).outcome == Outcome.WITHHELD


# -- two persons --


@pytest.mark.parametrize("text", [WEAK, TELLS])
def test_a_text_in_which_the_hub_found_something_takes_two(bench: Bench, text: str) -> None:
    item = held(bench, text)

    assert release(bench, item, reader(bench)).waits
    bench.drain()
    assert not bench.queue.ready
    assert len(bench.got("housing")) == 1
    assert (now(bench, item).state, now(bench, item).outcome) == (State.WAITING, Outcome.HELD)
    assert [one.proposed for one in holds.listed(bench.parts)] == [True]

    shown = holds.read(bench.parts, item.id, reader(bench, "per"))
    assert shown.proposal is not None
    assert (shown.proposal.reader, shown.proposal.reason) == ("kari", "lest")
    holds.confirm(bench.parts, item.id, reader(bench, "per"))
    bench.drain()
    assert text in last_text(bench)


def test_nobody_confirms_what_they_proposed(bench: Bench) -> None:
    item = held(bench, WEAK)
    release(bench, item, reader(bench))

    for name in ("kari", "KARI", "ka\u00adri"):
        assert (
            code_of(lambda name=name: holds.confirm(bench.parts, item.id, reader(bench, name)))  # type: ignore[misc]  # bound now
            == "hold.second-person"
        )
    bench.drain()
    assert len(bench.got("housing")) == 1


def test_who_confirms_has_read_it(bench: Bench) -> None:
    item = held(bench, WEAK)
    release(bench, item, reader(bench))

    assert code_of(lambda: holds.confirm(bench.parts, item.id, reader(bench, "per"))) == "hold.unread"


def test_there_must_be_something_to_confirm(bench: Bench) -> None:
    item = held(bench, WEAK)
    holds.read(bench.parts, item.id, reader(bench))

    assert code_of(lambda: holds.confirm(bench.parts, item.id, reader(bench))) == "hold.nothing-proposed"


def test_a_no_takes_one_person_also_against_a_proposal(bench: Bench) -> None:
    item = held(bench, WEAK)
    release(bench, item, reader(bench))
    other = reader(bench, "per")
    holds.read(bench.parts, item.id, other)
    holds.answer(bench.parts, item.id, other, Word.REFUSE, reason="nei")
    bench.drain()

    assert now(bench, item).code == "decide.reader-refused"
    assert code_of(lambda: holds.confirm(bench.parts, item.id, other)) == "hold.not-found"


def test_two_at_once_make_one_hand_over(either: Bench) -> None:
    item = held(either, WEAK)
    release(either, item, reader(either))
    others = [reader(either, name) for name in ("per", "ida")]
    for other in others:
        holds.read(either.parts, item.id, other)

    results = run_together(*[lambda o=o: holds.confirm(either.parts, item.id, o) for o in others])
    either.drain()

    codes = sorted(r.code if isinstance(r, HubError) else "done" for r in results)
    assert codes == ["done", "hold.not-found"]
    assert [sent.disclosure for sent in either.got("housing")].count(item.id) == 1
