"""What was said at the desk of a described patient and was wrong, or was tried by somebody who may not."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from hub import desk, gates, hand_over, holds, identity
from hub.errors import HubError
from hub.held import Reader
from hub.identity import Desk
from hub.message import Outcome, Received, Record
from hub.store import people
from hub.store.disclosures import State
from tests.hub.bench import FHIR, Bench, consent, fhir, number, org, refusal
from tests.hub.test_described import (
    HELD,
    ICD,
    KARI,
    OLA,
    PLAIN,
    SUBSTANCE,
    allow,
    as_state,
    codes,
    described,
    dialog,
    named,
    post,
    record_of,
    refused,
    stands,
    whose,
)
from tests.hub.test_described import plain_gp as plain_gp

ROLE, GROUND = "health_personnel", "lov-1999-07-02-64 § 29"
OBJECTED = (State.WAITING, Outcome.WITHHELD, "decide.objection")


def set_aside(bench: Bench, message_id: str) -> None:
    """Two readers set the objection against this message aside."""
    readers = [Reader(name, bench.agency("prison_health"), frozenset({ROLE})) for name in ("lise", "jon")]
    held = bench.row("gp", message_id=message_id).id
    holds.override(bench.parts, held, readers[0], role=ROLE, ground=GROUND, reason="fare for liv")
    holds.confirm(bench.parts, held, readers[1])
    bench.drain()


def objecting(bench: Bench) -> str:
    """A message about somebody who is number 1, as two say; 1 and 2 both object to what they allowed."""
    for who in (1, 2):
        allow(bench, who)
        bench.post("prison_health", refusal(f"nei-{who}", ["gp"], who=who))
    sent = post(bench, described(diagnoser=[{"system": ICD, "kode": PLAIN}]))
    whose(bench, sent)
    assert stands(bench, sent) == OBJECTED
    return sent


def test_an_objection_set_aside_is_that_of_one_person_and_of_nobody_else(bench: Bench) -> None:
    sent = objecting(bench)
    set_aside(bench, sent)
    assert stands(bench, sent)[0] is State.OFFERED

    identity.unlink(bench.parts, (number(1), named(sent)), KARI)
    whose(bench, sent, 2)

    assert stands(bench, sent) == OBJECTED
    assert codes(bench) == []


def test_an_objection_of_whoever_may_be_the_same_is_not_set_aside_by_what_was_before(bench: Bench) -> None:
    sent = objecting(bench)
    set_aside(bench, sent)

    identity.link(bench.parts, (number(1), number(2)), KARI)
    bench.drain()

    assert stands(bench, sent) == OBJECTED


@pytest.mark.parametrize("deceased", [True, False])
def test_what_stops_somebody_else_ends_nothing_on_one_word(bench: Bench, deceased: bool) -> None:
    allow(bench)
    identity.protect(bench.parts, [number(2)], KARI, deceased=deceased)
    sent = post(bench)

    whose(bench, sent, 2, confirmed=False)

    assert stands(bench, sent) == HELD
    identity.unlink(bench.parts, (number(2), named(sent)), KARI)
    mine = record_of(bench, sent)
    assert (mine.protected_address, mine.deceased) == (False, False)
    whose(bench, sent)
    assert codes(bench) == [[SUBSTANCE, PLAIN]]


def test_what_stops_the_person_stops_the_message_when_two_have_said_so(bench: Bench) -> None:
    identity.protect(bench.parts, [number(2)], KARI)
    sent = post(bench)

    whose(bench, sent, 2)

    assert stands(bench, sent) == (State.WAITING, Outcome.WITHHELD, "decide.protected-address")
    identity.unlink(bench.parts, (number(2), named(sent)), KARI)
    assert record_of(bench, sent).protected_address


def test_whoever_got_a_description_cannot_try_which_number_it_is(bench: Bench) -> None:
    allow(bench)
    bench.post("prison_health", fhir("samtykke-gp.fhir.json", series="gp-2", who=2), FHIR)
    sent = post(bench)
    whose(bench, sent)
    [lies] = bench.listed("gp")
    hand_over.fetch(bench.parts, bench.agency("gp"), lies)
    as_state(bench, "nav")

    for who in (2, 3, 1):
        answer = dialog(f"N-{who}", svar_pa=lies, mottaker=org("nav")) | {"person": {"id": number(who)}}
        accepted = bench.post("gp", answer)
        assert not accepted.duplicate
        assert not record_of(bench, accepted.id).unidentified
        assert record_of(bench, accepted.id).id != record_of(bench, sent).id


def test_the_same_name_in_another_spelling_of_unicode_is_not_another_person(bench: Bench) -> None:
    sent = post(bench)
    one, other = (Desk(unicodedata.normalize(form, "Kåre Vik"), "x", "kare") for form in ("NFC", "NFD"))
    identity.link(bench.parts, (number(1), named(sent)), one)

    told = refused(identity.confirm, bench.parts, (number(1), named(sent)), other)

    assert [finding.rule for finding in told.findings] == ["two-persons"]


def test_what_went_over_a_chain_is_told_of_the_number(bench: Bench) -> None:
    allow(bench)
    first, second = (post(bench, described(f"EPI-{index}")) for index in (1, 2))
    pair = (named(first), named(second))
    bench.clock.forward(hours=1)
    identity.link(bench.parts, pair, KARI)
    identity.confirm(bench.parts, pair, OLA)
    whose(bench, second)
    bench.clock.forward(hours=1)
    assert len(codes(bench)) == 2
    bench.clock.forward(hours=1)

    identity.unlink(bench.parts, (number(1), named(second)), KARI)

    affected = identity.show(bench.parts, number(1))["affected"]
    assert {one["message"] for one in affected} == {first, second}


def test_a_number_forgotten_meanwhile_is_not_linked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = post(bench)
    with bench.parts.store.writing() as tx:
        people.find_or_create(tx, bench.parts.vault, number(1), bench.clock(), bench.parts.new_id)
    behind: Callable[..., Any] = gates.behind

    def forgotten(store: Any, *ids: str) -> Any:
        monkeypatch.setattr(gates, "behind", behind)
        identity.forget(bench.parts, [number(1)], OLA)
        return behind(store, *ids)

    monkeypatch.setattr(gates, "behind", forgotten)
    told = refused(identity.link, bench.parts, (number(1), named(sent)), KARI)

    assert told.code == "hub.no-such-person"
    assert record_of(bench, sent).linked == {record_of(bench, sent).id}
    whose(bench, sent)  # nothing is in the way of the next one
    assert not record_of(bench, sent).unidentified


def test_a_consent_without_a_number_is_nobodys(bench: Bench) -> None:
    """No type of a consent may describe whose it is; if one did, it must not be anybody's."""
    fields = consent("samtykke-tsb-trukket.json", "tsb-1")
    fields["person"] = {"navn": "x", "fodt": "1990-03-14", "kjonn": "1"}
    sender = bench.agency("prison_health")
    received = Received(bench.parts.new_id(), sender, "application/json", b"{}", bench.clock())

    with pytest.raises(HubError) as told:
        desk.record(bench.parts, received, Record("samtykke.trukket", fields))

    assert told.value.code == "hub.internal"
    assert bench.people() == []
