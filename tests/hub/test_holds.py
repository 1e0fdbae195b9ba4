"""The desk: a held text is read by somebody who may, answered in one of four ways, and decided again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from consent.freetext import Hit, Strength
from consent.rows import Effect, OverrideRule, Pack, Requires
from hub import answers, holds, identity
from hub.answers import Word
from hub.audit.log import Kind, open_private
from hub.errors import HubError
from hub.held import Reader, may_read
from hub.identity import Desk
from hub.message import Agency, Category, Outcome, Sector
from hub.store import disclosures, people
from hub.store import holds as lines
from hub.store.disclosures import Disclosure, State, where
from hub.store.schema import audit_leaf, disclosure, hold_entry
from tests.hub.bench import Bench, consent, number, org, refusal, run_together, withdrawal

MERKNAD = "bolig.merknad"
PLAIN = "Trenger plass til to, helst i første etasje og nær skolen."
WEAK = "Ønsker en rolig bolig med litt gress utenfor."
TELLS = "Ønsker seg bort fra rusmiljøet og trenger et rolig sted å bo."
CONSENTED = ["identity", "coordination", "custody", "housing"]


def brik(text: str, message_id: str = "brik-1", **more: Any) -> dict[str, Any]:
    return {
        "type": "brik.kartlegging",
        "melding": {"id": message_id, "sendt": "2026-11-20T08:00:00+01:00"},
        "person": {"id": "14839030186", "navn": "Ask Prøvestad"},
        "enhet": "Avdeling B",
        "tilbud": {"status": "gjennomfort"},
        "kommuner": {"opphold": "9901"},
        "bolig": {"behov": "stort", "merknad": text},
        **more,
    }


def reader(bench: Bench, name: str = "kari", agency: str = "prison_health", *roles: str) -> Reader:
    return Reader(name, bench.agency(agency), frozenset(roles))


def held(bench: Bench, text: str = PLAIN) -> Disclosure:
    """A remark to the housing office that waits for a reader; everything else was delivered."""
    bench.post("prison_health", "samtykke-bolig.json")
    bench.post("prison", brik(text))
    bench.drain()
    return the_hold(bench)


def the_hold(bench: Bench) -> Disclosure:
    [item] = [row for row in bench.rows("housing") if row.outcome == Outcome.HELD]
    return item


def release(bench: Bench, item: Disclosure, who: Reader, **more: Any) -> holds.Answered:
    holds.read(bench.parts, item.id, who)
    return holds.answer(bench.parts, item.id, who, Word.RELEASE, reason="lest", **more)


def code_of(do: Callable[[], object]) -> str:
    with pytest.raises(HubError) as refused:
        do()
    return refused.value.code


def now(bench: Bench, item: Disclosure) -> Disclosure:
    return bench.row("housing", id=item.id)


def last_text(bench: Bench) -> str:
    return bench.got("housing")[-1].text


def count(bench: Bench, table: Any) -> int:
    with bench.parts.store.reading() as view:
        return len(view.execute(select(table)).all())


def leaves_of(bench: Bench, kind: Kind) -> list[dict[str, Any]]:
    with bench.parts.store.reading() as view:
        rows = view.execute(select(audit_leaf).order_by(audit_leaf.c.id)).all()
        return [
            open_private(bench.parts.vault, people.load(view, row.person_id).key, row)
            for row in rows
            if f'"kind":"{kind}"' in row.public
        ]


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
    assert len(leaves_of(bench, Kind.READ)) == 1


def test_a_read_is_on_record_before_anything_is_shown(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    item = held(bench)

    def full(*_: object, **__: object) -> None:
        raise HubError("receive.busy")

    with monkeypatch.context() as patch:
        patch.setattr(holds, "prove", full)
        assert code_of(lambda: holds.read(bench.parts, item.id, reader(bench))) == "receive.busy"
    assert count(bench, hold_entry) == 0

    holds.read(bench.parts, item.id, reader(bench))
    [leaf] = leaves_of(bench, Kind.READ)
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


def with_rows_for_two(bench: Bench) -> Any:
    """The agreement with the housing office also carries the remark on economy, as another text."""
    changed = []
    for agreement in bench.parts.agreements:
        if agreement.id == "brik-bolig-foresporsel":
            carry = replace(agreement.fields["merknad"], target="kommuner.bydel", source="okonomi.merknad")
            agreement = replace(agreement, fields={**agreement.fields, "kommuner.bydel": carry})
        changed.append(agreement)
    return replace(bench.parts, agreements=tuple(changed))


def two_texts(bench: Bench, first: str = PLAIN, second: str = "Har gjeld.") -> Disclosure:
    bench.parts = with_rows_for_two(bench)
    bench.post("prison_health", consent("samtykke-bolig.json", "s", kategorier=[*CONSENTED, "economy"]))
    bench.post("prison", brik(first, okonomi={"merknad": second}))
    bench.drain()
    return the_hold(bench)


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


def other_version(bench: Bench) -> None:
    changed = tuple(
        replace(a, version=a.version + 1) if a.id == "brik-bolig-foresporsel" else a
        for a in bench.parts.agreements
    )
    bench.parts = replace(bench.parts, agreements=changed)


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


def test_an_answer_of_one_message_is_not_an_answer_of_another(bench: Bench) -> None:
    first = held(bench)
    release(bench, first, reader(bench))
    bench.drain()
    bench.post("prison", brik(PLAIN, "brik-2"))
    bench.drain()
    [second] = [row for row in bench.rows("housing") if row.outcome == Outcome.HELD and row.id != first.id]

    assert now(bench, second).outcome == Outcome.HELD
    assert (
        code_of(lambda: holds.answer(bench.parts, second.id, reader(bench), Word.RELEASE, reason="x"))
        == "hold.unread"
    )


def test_a_line_moved_to_another_hold_opens_nothing(bench: Bench) -> None:
    first = held(bench)
    release(bench, first, reader(bench))
    bench.drain()
    bench.post("prison", brik(PLAIN, "brik-2"))
    bench.drain()
    [second] = [row for row in bench.rows("housing") if row.outcome == Outcome.HELD and row.id != first.id]
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


# -- the person's word still counts --


@pytest.mark.parametrize("seed", range(5))
def test_a_withdrawal_against_the_second_person_and_the_worker(either: Bench, seed: int) -> None:
    """Whoever comes first: nothing leaves after the withdrawal was answered."""
    item = held(either, WEAK)
    second = reader(either, "per")
    release(either, item, reader(either))
    holds.read(either.parts, item.id, second)
    chance = random.Random(seed)
    waits = [chance.choice((0, 0.001, 0.004)) for _ in range(2)]
    left: dict[str, int] = {}
    either.push.meanwhile = lambda permit: left.update({permit.disclosure: time.monotonic_ns()})

    def confirm_and_work() -> None:
        time.sleep(waits[0])
        with suppress(HubError):
            holds.confirm(either.parts, item.id, second)
        either.drain()

    def withdraw() -> int:
        time.sleep(waits[1])
        either.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))
        return time.monotonic_ns()

    _, answered = run_together(confirm_and_work, withdraw)
    while either.queue.ready:
        either.drain()

    with_text = [sent for sent in either.got("housing") if WEAK in sent.text]
    assert len(with_text) <= 1
    assert not with_text or left[item.id] < answered
    assert either.verify().whole


def test_a_withdrawal_after_the_release_stops_it(either: Bench) -> None:
    item = held(either)
    release(either, item, reader(either))
    either.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))
    either.drain()

    assert PLAIN not in "".join(sent.text for sent in either.got("housing"))
    assert now(either, item).code == "decide.withdrawn"
    assert either.verify().whole


def test_a_refusal_after_the_release_stops_it(bench: Bench) -> None:
    item = held(bench)
    release(bench, item, reader(bench))
    bench.post("prison_health", refusal("nei", ["municipality_housing"]))
    bench.drain()

    assert PLAIN not in "".join(sent.text for sent in bench.got("housing"))
    assert now(bench, item).code in ("decide.refused", "decide.conflict")


def test_a_withdrawal_makes_the_hold_go_away(bench: Bench) -> None:
    item = held(bench)
    who = reader(bench)
    holds.read(bench.parts, item.id, who)
    bench.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))

    assert code_of(lambda: holds.answer(bench.parts, item.id, who, Word.RELEASE, reason="x")) == (
        "hold.not-found"
    )
    bench.drain()
    assert holds.listed(bench.parts) == []


def test_a_withdrawal_between_the_two_persons_stops_it(bench: Bench) -> None:
    item = held(bench, WEAK)
    release(bench, item, reader(bench))
    holds.read(bench.parts, item.id, reader(bench, "per"))
    bench.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))
    bench.drain()

    assert code_of(lambda: holds.confirm(bench.parts, item.id, reader(bench, "per"))) == "hold.not-found"
    assert WEAK not in "".join(sent.text for sent in bench.got("housing"))


def test_what_waited_too_long_can_no_longer_be_answered(bench: Bench) -> None:
    item = held(bench)
    bench.clock.forward(days=91)

    assert code_of(lambda: holds.read(bench.parts, item.id, reader(bench))) == "hold.not-found"


# -- what goes wrong --


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\nb"}, "reason"),
        ({"only": ["bolig.behov"]}, "bolig.behov"),
        ({"found": {"rus.merknad": [Category.FAMILY]}}, "rus.merknad"),
        ({"found": {MERKNAD: [Category.UNKNOWN]}}, "found"),
        ({"word": Word.REFUSE, "only": [MERKNAD]}, "only"),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(bench: Bench, more: dict[str, Any], at: str) -> None:
    item = held(bench)
    holds.read(bench.parts, item.id, reader(bench))
    lines = count(bench, hold_entry)
    said = {"word": Word.RELEASE, "reason": "lest"} | more

    with pytest.raises(HubError) as refused:
        holds.answer(bench.parts, item.id, reader(bench), **said)

    assert refused.value.code == "hold.invalid"
    assert [finding.at for finding in refused.value.findings] == [at]
    assert count(bench, hold_entry) == lines
    assert now(bench, item).outcome == Outcome.HELD


def test_the_broker_being_away_delays_it_only(bench: Bench) -> None:
    item = held(bench)
    bench.queue.away = True
    release(bench, item, reader(bench))
    bench.queue.away = False
    bench.clock.forward(minutes=5)
    bench.sweep()
    bench.drain()

    assert PLAIN in last_text(bench)


@pytest.mark.parametrize("dies_in", ["write", "prove", "move", "publish"])
@pytest.mark.parametrize("step", ["read", "answer", "confirm"])
def test_dying_anywhere_leaves_a_state_to_go_on_from(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str, dies_in: str
) -> None:
    item, first, second = held(bench, WEAK), reader(bench), reader(bench, "per")
    steps: dict[str, Callable[[], object]] = {
        "read": lambda: holds.read(bench.parts, item.id, first),
        "answer": lambda: holds.answer(bench.parts, item.id, first, Word.RELEASE, reason="lest"),
        "read too": lambda: holds.read(bench.parts, item.id, second),
        "confirm": lambda: holds.confirm(bench.parts, item.id, second),
    }

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    targets = {
        "write": (lines, "write"),
        "prove": (holds, "prove"),
        "move": (disclosures, "move"),
        "publish": (bench.queue, "publish"),
    }
    for name, do in steps.items():
        if name == step:
            with monkeypatch.context() as patch:
                patch.setattr(*targets[dies_in], die)
                try:
                    do()
                except KeyboardInterrupt:
                    assert len(bench.got("housing")) == 1
                else:
                    continue  # this step does none of that
            if name == "confirm" and dies_in == "publish":
                bench.clock.forward(minutes=5)
                bench.sweep()  # it was committed: the sweeper goes on
                continue
        do()
    bench.drain()

    assert WEAK in last_text(bench)
    assert [sent.disclosure for sent in bench.got("housing")].count(item.id) == 1
    assert bench.verify().whole


# -- what the sender sees --


def returned(bench: Bench, item: Disclosure) -> holds.Answered:
    holds.read(bench.parts, item.id, reader(bench))
    return holds.answer(bench.parts, item.id, reader(bench), Word.RETURN, reason="skriv om")


def told(bench: Bench, key: str, what: dict[str, Any]) -> Any:
    shown = bench.status(key, bench.post(key, what))
    return shown[org("housing")]


def test_a_prison_is_told_which_text_to_write_anew(bench: Bench) -> None:
    item = held(bench, TELLS)

    assert returned(bench, item).told
    bench.drain()

    shown = told(bench, "prison", brik(TELLS))
    assert shown["returned"] == {"code": "decide.returned", "fields": ["bolig.merknad"]}
    assert (shown["state"], shown["code"]) == ("delivered", None)
    assert TELLS not in str(shown)


def test_before_and_without_a_return_nothing_is_told(bench: Bench) -> None:
    item = held(bench)
    assert told(bench, "prison", brik(PLAIN))["returned"] is None
    holds.read(bench.parts, item.id, reader(bench))
    holds.answer(bench.parts, item.id, reader(bench), Word.REFUSE, reason="nei")
    bench.drain()
    assert told(bench, "prison", brik(PLAIN))["returned"] is None


def test_a_prison_is_not_told_of_a_return_that_came_of_a_later_consent(bench: Bench) -> None:
    """The remark came to the desk only because the person widened the consent: the return would say so."""
    narrow = ["identity", "coordination", "custody", "housing"]
    bench.post("prison_health", consent("samtykke-bolig.json", "s", kategorier=narrow))
    bench.post("prison", brik(PLAIN))
    bench.drain()
    bench.clock.forward(days=1)
    bench.post("prison_health", consent("samtykke-nav.json", "noe-annet"))
    bench.drain()

    assert not returned(bench, the_hold(bench)).told
    bench.drain()

    assert told(bench, "prison", brik(PLAIN))["returned"] is None


@pytest.mark.parametrize("since", ["said", "linked", "unlinked"])
def test_a_prison_is_not_told_of_a_return_that_came_of_what_counts_over_a_link(
    bench: Bench, since: str
) -> None:
    """The same, where it was said under the person's other number, or the link is what came or went."""
    kari, ola, both = Desk("Kari", "brev", "k"), Desk("Ola", "brev", "o"), (number(0), number(1))

    def link() -> None:
        identity.link(bench.parts, both, kari)
        identity.confirm(bench.parts, both, ola)

    bench.post("prison_health", consent("samtykke-bolig.json", "s"))
    if since != "said":
        bench.post("prison_health", consent("samtykke-nav.json", "noe-annet", who=1))
    if since != "linked":
        link()
    bench.post("prison", brik(PLAIN))
    bench.drain()
    bench.clock.forward(days=1)
    match since:
        case "said":
            bench.post("prison_health", consent("samtykke-nav.json", "noe-annet", who=1))
        case "linked":
            link()
        case _:
            identity.unlink(bench.parts, both, ola)
    bench.drain()

    assert not returned(bench, the_hold(bench)).told


def test_what_a_prison_is_told_does_not_change_when_the_person_says_more(bench: Bench) -> None:
    item = held(bench)
    returned(bench, item)
    bench.drain()
    before = told(bench, "prison", brik(PLAIN))
    bench.clock.forward(days=1)
    bench.post("prison_health", withdrawal("skjema-1-bolig", "t-1"))
    bench.drain()

    assert told(bench, "prison", brik(PLAIN)) == before


# -- an objection set aside --

GROUND = "tungtveiende grunner"
RULE = OverrideRule(GROUND, frozenset({"lege"}), notify_person=True)


def objected(bench: Bench, rule: OverrideRule | None = RULE) -> Disclosure:
    """A row that lets go unless the person objects, and a person who objects."""
    rows = []
    for row in bench.parts.pack.rows:
        if row.id in ("L03", "L05"):
            row = replace(row, effect=Effect.MAY_UNLESS_OBJECTION, requires=Requires(), override=rule)
        rows.append(row)
    bench.parts = replace(bench.parts, pack=Pack("objection", tuple(rows), "0" * 64))
    bench.post("prison_health", refusal("nei", ["municipality_housing"]))
    bench.post("prison", brik(PLAIN))
    bench.drain()
    return bench.row("housing")


def test_the_person_objects_and_nothing_goes(bench: Bench) -> None:
    item = objected(bench)

    assert (item.state, item.outcome, item.code) == (State.WAITING, Outcome.WITHHELD, "decide.objection")
    assert holds.listed(bench.parts) == []
    assert bench.got("housing") == []


def a_doctor(bench: Bench, name: str, *roles: str) -> Reader:
    """Somebody of the agency that the information comes from, which is no control role here."""
    party = bench.parts.directory[org("prison")]
    doctor = replace(party.agency, sector=Sector.GP)
    return Reader(name, doctor, frozenset(roles or ("lege",)))


@pytest.mark.parametrize(
    ("role", "ground", "roles", "rule"),
    [
        ("lege", "noe annet", ("lege",), RULE),
        ("sykepleier", GROUND, ("sykepleier",), RULE),
        ("lege", GROUND, ("sykepleier",), RULE),
        ("lege", GROUND, ("lege",), None),
    ],
)
def test_an_override_needs_a_row_a_role_and_a_ground(
    bench: Bench, role: str, ground: str, roles: tuple[str, ...], rule: OverrideRule | None
) -> None:
    item = objected(bench, rule)
    who = a_doctor(bench, "lise", *roles)

    do = lambda: holds.override(bench.parts, item.id, who, role=role, ground=ground, reason="x")  # noqa: E731  # one line, called twice
    assert code_of(do) == "hold.no-override"


def test_an_override_takes_two_and_is_decided_like_everything_else(bench: Bench) -> None:
    item = objected(bench)
    first, second = a_doctor(bench, "lise"), a_doctor(bench, "jon")

    assert holds.override(
        bench.parts, item.id, first, role="lege", ground=GROUND, reason="fare for liv"
    ).waits
    bench.drain()
    assert bench.got("housing") == []
    assert code_of(lambda: holds.confirm(bench.parts, item.id, first)) == "hold.second-person"
    done = holds.confirm(bench.parts, item.id, second)
    assert done.notify
    bench.drain()

    assert len(bench.got("housing")) == 1
    said = leaves_of(bench, Kind.HOLD)
    assert [(leaf["act"], leaf["reader"]) for leaf in said] == [("override", "lise"), ("confirm", "jon")]
    assert said[-1]["notify_person"] is True
    assert bench.verify().whole


def test_an_override_of_another_content_does_not_count(bench: Bench) -> None:
    item = objected(bench)
    first, second = a_doctor(bench, "lise"), a_doctor(bench, "jon")
    holds.override(bench.parts, item.id, first, role="lege", ground=GROUND, reason="fare for liv")
    other_version(bench)

    assert code_of(lambda: holds.confirm(bench.parts, item.id, second)) == "hold.changed"


# -- onlookers --


@pytest.mark.parametrize("word", [Word.RELEASE, Word.REFUSE, Word.RETURN])
def test_every_answer_makes_the_same_traffic(bench: Bench, word: Word) -> None:
    item = held(bench)
    holds.read(bench.parts, item.id, reader(bench))
    assert not bench.queue.ready

    holds.answer(bench.parts, item.id, reader(bench), word, reason="lest")

    assert [bench.parts.vault.read_handle(work.ref) for work in bench.queue.ready] == [item.id]
    bench.drain()
    bench.post("prison_health", consent("samtykke-nav.json", "senere"))
    assert len(bench.queue.ready) == len(
        [row for row in all_rows(bench) if row.state in (State.QUEUED, State.WAITING)]
    )


def all_rows(bench: Bench) -> list[Disclosure]:
    with bench.parts.store.reading() as view:
        return where(view, disclosure.c.id.is_not(None), limit=1000)


def test_nothing_of_what_was_said_at_the_desk_rests_in_clear(bench: Bench) -> None:
    item = held(bench, WEAK)
    release(bench, item, reader(bench, "kanarifuglen"))
    with bench.parts.store.reading() as view:
        rows = [str(tuple(row)) for row in view.execute(select(hold_entry))]

    assert len(rows) == 2
    for word in ("kanarifuglen", "gress", "lest", "release", "merknad"):
        assert not [row for row in rows if word in row]
