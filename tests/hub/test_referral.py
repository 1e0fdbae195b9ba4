"""What an office answers to a request: only as it may move, and "not ours" sends the request on."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from adapters.kith.rules import message_uuid
from hub import housing, identity, pipeline, standing
from hub.app import new_id
from hub.demo.world import PERSON
from hub.errors import HubError
from hub.identity import Desk
from hub.message import Agency, Record, Rendered, Sector
from hub.parts import Parts
from hub.referral import is_asked
from hub.shapes import Original
from hub.store import disclosures, messages
from hub.store.disclosures import State
from hub.store.messages import Stored
from hub.store.schema import disclosure, message
from mappings.agreements import Target
from tests.hub.bench import XML, Bench, consent, number, org, release_date, run_together, xml_brik
from tests.hub.holding import brik

OTHER = "310000108"
SECOND = number(7)
_ids = itertools.count(1)


def other_office(bench: Bench, sector: Sector = Sector.MUNICIPALITY_HOUSING, kommune: str = "9902") -> None:
    """From now on there is an office in another kommune."""
    party = bench.parts.directory[org("housing")]
    agency = Agency(OTHER, "Fjordby boligkontor", sector, kommuner=(kommune,), door="webhook")
    bench.parts = replace(
        bench.parts, directory={**bench.parts.directory, OTHER: replace(party, agency=agency)}
    )


def asked(
    bench: Bench,
    permits: dict[str, Any] | str = "samtykke-bolig.json",
    mapping: dict[str, Any] | str = "brik.xml",
) -> str:
    """The housing office has the request; its id there."""
    bench.post("prison_health", permits)
    bench.post("prison", mapping)
    bench.drain()
    return next(got.disclosure for got in bench.got("housing"))


def brik_of(bench: Bench, request: str) -> str:
    """The prison's message that became the request."""
    with bench.parts.store.reading() as view:
        sent = disclosures.load(view, request)
        assert sent is not None
        return sent.message_id


def said(request: str, status: str, *, person: str = PERSON, **more: Any) -> dict[str, Any]:
    """An answer of a housing office, under an id of its own."""
    melding = {"id": f"svar-{next(_ids)}", "sendt": "2026-11-10T11:00:00+01:00", "svar_pa": request}
    return {"type": "bolig.svar", "melding": melding, "person": {"id": person}, "status": status, **more}


def answer(bench: Bench, request: str, status: str, **more: Any) -> None:
    bench.post("housing", said(request, status, **more))
    bench.drain()


def answers_to(bench: Bench, request: str) -> list[Stored]:
    """What was kept of the answers to a request."""
    with bench.parts.store.reading() as view:
        return messages.answers_to(view, {request}, "bolig.svar")


def link(bench: Bench) -> None:
    """The person has a second number, which somebody confirmed."""
    both = (PERSON, SECOND)
    identity.link(bench.parts, both, Desk("Kari Vik", "prøve", "kari"))
    identity.confirm(bench.parts, both, Desk("Ola Vik", "prøve", "ola"))


def got_there(bench: Bench) -> list[dict[str, Any]]:
    return [json.loads(sent.body) for sent in bench.push.got if sent.recipient == OTHER]


def test_an_answer_that_the_request_cannot_take_is_refused_and_nothing_of_it_is_kept(bench: Bench) -> None:
    request = asked(bench)
    answer(bench, request, "mottatt")
    answer(bench, request, "avslag", avslag_grunn="ingen_ledig")
    before = bench.listed("prison")

    with pytest.raises(HubError) as refused:
        answer(bench, request, "tilbud_permanent")

    bench.drain()
    assert (refused.value.code, refused.value.findings[0].at) == ("route.move-not-allowed", "status")
    assert len(before) == 2
    assert bench.listed("prison") == before
    with bench.parts.store.reading() as view:
        assert disclosures.load(view, request) is not None


def test_a_request_is_the_same_one_however_its_id_is_spelled(bench: Bench) -> None:
    bench.parts = replace(bench.parts, new_id=new_id)
    request = asked(bench)
    upper = message_uuid(request).upper()
    answer(bench, request, "avslag", avslag_grunn="ingen_ledig")

    for spelled in (request, message_uuid(request), upper):
        with pytest.raises(HubError, match=r"route\.move-not-allowed"):
            answer(bench, spelled, "tilbud_permanent")

    assert upper != message_uuid(request)
    assert [stored.type for stored in answers_to(bench, request)] == ["bolig.svar"]


def test_every_revision_of_a_request_is_the_same_request(bench: Bench) -> None:
    """More of it was allowed and went later, under an id of its own."""
    request = asked(bench, mapping=brik("Trenger et sted.", familie={"husstand": "alene"}))
    wide = ["identity", "coordination", "custody", "housing", "family"]
    bench.post("prison_health", consent("samtykke-bolig.json", "more", kategorier=wide))
    bench.drain()
    first, second = (got.disclosure for got in bench.got("housing"))
    answer(bench, first, "avslag", avslag_grunn="ingen_ledig")

    with pytest.raises(HubError, match=r"route\.move-not-allowed"):
        answer(bench, second, "tilbud_permanent")

    assert first == request


def test_the_answer_that_was_taken_in_last_counts_whatever_the_clocks_say(bench: Bench) -> None:
    request = asked(bench)
    answer(bench, request, "mottatt")
    bench.clock.forward(minutes=-5)
    answer(bench, request, "avslag", avslag_grunn="annet")

    with pytest.raises(HubError, match=r"route\.move-not-allowed"):
        answer(bench, request, "tilbud_permanent")


def test_of_two_answers_at_once_the_second_is_held_against_the_first(
    either: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when they name the person by different numbers, so that nothing else makes one wait. Whoever
    comes to the move gives the other time to come there, too."""
    both, move = threading.Barrier(2), housing.move

    def slowly(*asked: Any) -> housing.Standing:
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        return move(*asked)

    monkeypatch.setattr(housing, "move", slowly)
    either.parts = replace(either.parts, new_id=new_id)
    link(either)
    request = asked(either)
    bodies = (said(request, "avslag"), said(request, "tilbud_permanent", person=SECOND))

    results = run_together(*(partial(either.post, "housing", body) for body in bodies))

    refused = [one for one in results if isinstance(one, HubError)]
    assert [one.code for one in refused] == ["route.move-not-allowed"]
    assert len(answers_to(either, request)) == 1


def test_whoever_only_received_a_request_still_owes_an_answer(bench: Bench) -> None:
    request = asked(bench)

    answer(bench, request, "mottatt")
    bench.clock.forward(days=29)
    early = standing.read(bench.parts).overdue
    bench.clock.forward(days=2)
    (late,) = standing.read(bench.parts).overdue
    answer(bench, request, "venteliste", venteliste_dato="2027-06-01")

    assert early == ()
    assert (late.message, late.due) == (brik_of(bench, request), bench.clock() - timedelta(days=1))
    assert standing.read(bench.parts).overdue == ()


def test_not_ours_sends_the_request_on_as_the_prisons_own(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    (there,) = got_there(bench)
    assert there["type"] == "bolig.foresporsel"
    assert there["melding"]["avsender"] == org("prison")
    assert there["melding"]["id"] != request
    assert "merknad" not in there
    first = json.loads(bench.got("housing")[0].body)
    assert {**there, "melding": 0} == {**first, "melding": 0}


def test_the_request_goes_on_only_where_the_person_permits_it(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench, consent("samtykke-bolig.json", "b", mottakere=[org("housing")]))

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert got_there(bench) == []
    with bench.parts.store.reading() as view:
        (waits,) = disclosures.where(view, disclosure.c.recipient == OTHER)
    assert (waits.handed_over_at, waits.state) == (None, State.WAITING)


def test_what_the_person_refused_that_office_does_not_go_on(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    bench.post("prison_health", consent("samtykke-bolig.json", "nei", beslutning="nekt", mottakere=[OTHER]))

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert got_there(bench) == []


def test_what_is_withdrawn_does_not_go_on(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    bench.post("prison_health", consent("samtykke-bolig.json", "skjema-1-bolig", 2, beslutning="nekt"))

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert got_there(bench) == []


def lost(bench: Bench, request: str) -> list[tuple[str, str | None]]:
    """What a request should have been and went nowhere, under which agreement and by which code."""
    with bench.parts.store.reading() as view:
        sent = disclosures.of_message(view, brik_of(bench, request))
    return [(row.agreement, row.code) for row in sent if row.recipient == "" and row.because_of]


REQUEST = "brik-bolig-foresporsel"


@pytest.mark.parametrize(
    ("kommune", "code"), [("9901", "route.all-asked"), ("9903", "route.recipient-unknown")]
)
def test_what_has_nowhere_to_go_is_seen_and_can_be_answered_again(
    bench: Bench, kommune: str, code: str
) -> None:
    other_office(bench)
    request = asked(bench)

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune=kommune)
    nowhere = lost(bench, request)
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune=kommune)
    twice = lost(bench, request)
    answer(bench, request, "tilbud_permanent")

    assert got_there(bench) == []
    assert nowhere == [(REQUEST, code)]
    assert twice == [(REQUEST, code)] * 2
    assert len(answers_to(bench, request)) == len(bench.listed("prison")) == 3
    with pytest.raises(HubError, match=r"route\.move-not-allowed"):
        answer(bench, request, "avslag", avslag_grunn="annet")


def test_what_had_nowhere_to_go_can_still_be_sent_where_there_is_an_office(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    answer(bench, request, "mottatt")
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9903")

    with pytest.raises(HubError, match=r"route\.move-not-allowed"):
        answer(bench, request, "mottatt")
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert len(got_there(bench)) == 1
    for status in ("mottatt", "ansvar_avklart", "tilbud_permanent"):
        with pytest.raises(HubError, match=r"route\.move-not-allowed"):
            answer(bench, request, status)


def test_that_a_request_went_on_counts_when_the_answer_itself_is_forgotten(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")
    forget(bench, answers_to(bench, request)[0].id)

    with pytest.raises(HubError, match=r"route\.move-not-allowed"):
        answer(bench, request, "tilbud_permanent")


def test_of_several_offices_in_a_kommune_it_goes_to_one_that_has_not_had_it(bench: Bench) -> None:
    request = asked(bench)
    other_office(bench, kommune="9901")

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9901")

    assert len(got_there(bench)) == 1
    assert lost(bench, request) == []


def forget(bench: Bench, message_id: str) -> None:
    """The content of a message is gone."""
    gone = update(message).where(message.c.id == message_id).values(ciphertext=None, wrapped_key=None)
    with bench.parts.store.writing() as tx:
        tx.execute(gone)


def test_a_request_that_nobody_can_read_again_does_not_vanish_in_silence(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    forget(bench, brik_of(bench, request))

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert got_there(bench) == []
    assert lost(bench, request) == [(REQUEST, "seal.key-destroyed")]
    assert len(bench.listed("prison")) == 1


def test_a_request_that_cannot_be_made_for_the_other_office_does_not_cost_the_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_office(bench)
    request = asked(bench)
    render = pipeline.render

    def fails(parts: Parts, recipient: Agency, record: Record, original: Original | None) -> Rendered:
        if recipient.org == OTHER:
            raise HubError("render.incomplete")
        return render(parts, recipient, record, original)

    monkeypatch.setattr(pipeline, "render", fails)

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert lost(bench, request) == []
    assert len(bench.listed("prison")) == 1
    [waits] = [row for row in bench.rows() if row.recipient == OTHER]
    assert (waits.state, waits.code) == (State.QUEUED, "render.incomplete")
    monkeypatch.undo()
    bench.queue.soon()
    bench.drain()
    assert len(got_there(bench)) == 1


@pytest.mark.parametrize("kommune", [{}, {"foreslatt_kommune": "9900"}, {"foreslatt_kommune": "x"}])
def test_whoever_says_not_ours_names_a_kommune(bench: Bench, kommune: dict[str, str]) -> None:
    request = asked(bench)

    with pytest.raises(HubError) as refused:
        answer(bench, request, "ansvar_bestridt", **kommune)

    (finding,) = refused.value.findings
    assert (refused.value.code, finding.at) == ("parse.invalid", "foreslatt_kommune")
    assert finding.rule == ("format" if kommune else "required-when")
    assert answers_to(bench, request) == []


def test_what_was_withdrawn_between_the_answer_and_the_hand_over_does_not_go_on(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    bench.post("housing", said(request, "ansvar_bestridt", foreslatt_kommune="9902"))
    bench.post("prison_health", consent("samtykke-bolig.json", "skjema-1-bolig", 2, beslutning="nekt"))

    bench.drain()

    assert got_there(bench) == []


def test_what_goes_on_survives_that_the_broker_was_away(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    bench.queue.away = True
    bench.post("housing", said(request, "ansvar_bestridt", foreslatt_kommune="9902"))
    bench.queue.away = False
    bench.drain()
    before = got_there(bench)
    bench.clock.forward(hours=1)

    bench.sweep()
    bench.drain()

    assert before == []
    assert len(got_there(bench)) == 1
    assert len(bench.listed("prison")) == 1


def test_two_offices_that_point_at_each_other_end_it(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")
    onward = next(sent.disclosure for sent in bench.push.got if sent.recipient == OTHER)
    before = len(bench.got("housing"))
    melding = {"id": "tilbake-1", "sendt": "2026-11-10T11:00:00+01:00", "svar_pa": onward}
    back = {"type": "bolig.svar", "melding": melding, "person": {"id": "14839030186"}}

    body = json.dumps(back | {"status": "ansvar_bestridt", "foreslatt_kommune": "9901"}).encode()
    pipeline.receive(bench.parts, bench.parts.directory[OTHER].agency, "application/json", body)
    bench.drain()

    assert len(bench.got("housing")) == before
    assert lost(bench, request) == [(REQUEST, "route.all-asked")]
    again = back | {"status": "tilbud_permanent", "melding": melding | {"id": "tilbake-2"}}
    there = bench.parts.directory[OTHER].agency
    pipeline.receive(bench.parts, there, "application/json", json.dumps(again).encode())
    with pytest.raises(HubError, match=r"route\.move-not-allowed"):
        answer(bench, request, "tilbud_permanent")


def test_another_status_sends_nothing_on(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)

    answer(bench, request, "ansvar_avklart", foreslatt_kommune="9902")

    assert got_there(bench) == []


def test_a_nav_office_sends_on_what_is_not_theirs_too(bench: Bench) -> None:
    other_office(bench, Sector.NAV_MUNICIPAL)
    bench.post("prison_health", "samtykke-nav.json")
    bench.post("prison", "brik.xml")
    bench.drain()
    (first,) = (json.loads(got.body) for got in bench.come_for_it("nav"))
    request = first["melding"]["id"]
    melding = {"id": "nav-1", "sendt": "2026-11-10T11:00:00+01:00", "svar_pa": request}
    said = {
        "tema": "tilbakeforing",
        "handling": "svar",
        "svar": {"status": "ikke_var", "foreslatt_kommune": "9902"},
    }

    bench.post("nav", {"type": "nav.sak", "melding": melding, "person": {"id": "14839030186"}, **said})
    bench.drain()

    (there,) = got_there(bench)
    assert {**there, "melding": 0} == {**first, "melding": 0}


@pytest.mark.parametrize("status", ["ansvar_bestridt", "avslag"])
def test_what_was_no_request_does_not_go_on_whatever_points_at_it(bench: Bench, status: str) -> None:
    """Else an office could have the release date of a person sent to an office of its choice."""
    other_office(bench)
    asked(bench)
    bench.post("prison", release_date(1))
    bench.drain()
    date = bench.got("housing")[-1]
    assert json.loads(date.body)["type"] == "opphold.loslatelsesdato"

    answer(bench, date.disclosure, status, foreslatt_kommune="9902")

    assert got_there(bench) == []
    with bench.parts.store.reading() as view:
        caused = disclosures.where(view, disclosure.c.because_of.is_not(None))
    assert caused == []


CAN_GO_ON = {"brik-bolig-foresporsel": "bolig.svar", "brik-nav-sak": "nav.sak"}


def test_what_can_be_sent_on_is_what_an_agreement_asks_and_expects_an_answer_to(bench: Bench) -> None:
    says = {name: spec.not_ours for name, spec in bench.parts.types.items() if spec.not_ours}
    found = {
        agreement.id: answer
        for agreement in bench.parts.agreements
        for answer, not_ours in says.items()
        if is_asked(agreement, answer, not_ours)
    }
    unexpected = [replace(a, expects=None) for a in bench.parts.agreements if a.id in CAN_GO_ON]
    other = [
        replace(a, target=Target(a.target.sector, "kvittering"))
        for a in bench.parts.agreements
        if a.id in CAN_GO_ON
    ]

    assert found == CAN_GO_ON
    assert not [a for a in (*unexpected, *other) for name, how in says.items() if is_asked(a, name, how)]


def test_each_request_stands_for_itself(bench: Bench) -> None:
    request = asked(bench)
    answer(bench, request, "avslag", avslag_grunn="annet")
    bench.post("prison", xml_brik(message_id="BRIK-2"), XML)
    bench.drain()
    anew = bench.got("housing")[-1].disclosure

    answer(bench, anew, "mottatt")

    assert anew != request
    assert bench.row("housing", id=anew).answered_at is None


def test_an_old_request_does_not_go_on_when_a_newer_says_more(bench: Bench) -> None:
    other_office(bench)
    request = asked(bench)
    bench.post("prison", xml_brik(message_id="BRIK-2"), XML)
    bench.drain()

    answer(bench, request, "ansvar_bestridt", foreslatt_kommune="9902")

    assert got_there(bench) == []
    with bench.parts.store.reading() as view:
        assert disclosures.where(view, disclosure.c.recipient == OTHER) == []
