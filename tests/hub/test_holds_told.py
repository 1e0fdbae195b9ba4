"""The desk: what the sender of a held text is told, an objection set aside, and what onlookers see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from consent.rows import Effect, OverrideRule, Pack, Requires
from hub import holds, identity
from hub.answers import Word
from hub.audit.log import Kind
from hub.held import Reader
from hub.identity import Desk
from hub.message import Outcome, Sector
from hub.store.disclosures import Disclosure, State, where
from hub.store.schema import disclosure, hold_entry
from tests.hub.bench import Bench, consent, number, org, refusal, withdrawal
from tests.hub.holding import (
    PLAIN,
    TELLS,
    WEAK,
    brik,
    code_of,
    held,
    other_version,
    reader,
    release,
    the_hold,
)

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
    said = bench.leaves(Kind.HOLD)
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
