"""A dry run: it answers as the real thing would, keeps nothing but that somebody asked, and tells a
control role nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from hub import identity, preview
from hub.app import Hub
from hub.demo.world import PERSON
from hub.errors import HubError
from hub.identity import Desk
from hub.message import Category, Purpose, Verdict
from hub.preview import Question
from hub.store.schema import audit_leaf, consent, disclosure, message, person
from tests.hub.bench import BODIES, FHIR, JSON, XML, Bench, fields, number, org, refusal
from tests.hub.bench import consent as said
from tests.hub.failing import OURS, rendering_fails
from tests.hub.test_referral import asked, other_office
from tests.hub.test_referral import said as answering

EVERYTHING = (consent, disclosure, message, person)


def counts(bench: Bench) -> list[int]:
    with bench.parts.store.reading() as view:
        return [view.scalar(select(func.count()).select_from(table)) or 0 for table in EVERYTHING]


def leaves(bench: Bench) -> list[str]:
    with bench.parts.store.reading() as view:
        return [json.loads(public)["kind"] for public in view.scalars(select(audit_leaf.c.public))]


def tried(bench: Bench, key: str, name: str) -> dict[str, dict[str, Any]]:
    media_type = FHIR if ".fhir." in name else XML if name.endswith(".xml") else JSON
    told = Hub(bench.parts).preview(bench.agency(key), media_type, (BODIES / name).read_bytes())
    return {row["org"]: row for row in told["recipients"]}


def question(bench: Bench, **changes: Any) -> Question:
    asked: dict[str, Any] = {
        "sender": bench.agency("prison"),
        "recipient": bench.agency("nav"),
        "purpose": Purpose.RETURN_TO_SOCIETY,
        "categories": frozenset({Category.WORK, Category.SUBSTANCE_USE}),
    }
    return Question(**(asked | changes))


def goes(bench: Bench, asked: Question) -> frozenset[str]:
    decision, _ = preview.of_question(bench.parts, PERSON, asked, by="personvernombudet")
    return decision.paths(Verdict.PERMIT)


def test_what_is_tried_is_what_then_happens(either: Bench) -> None:
    before = tried(either, "prison_health", "henvisning-2.json")[org("tsb")]
    either.post("prison_health", "samtykke-tsb.fhir.json")
    after = tried(either, "prison_health", "henvisning-2.json")[org("tsb")]
    posted = either.post("prison_health", "henvisning-2.json")
    either.drain()
    either.come_for_it("tsb")

    assert (before["state"], before["code"]) == ("nothing", "decide.no-consent")
    assert after["state"] == "whole"
    assert either.status("prison_health", posted)[org("tsb")]["state"] == "delivered"


@pytest.mark.parametrize("code", OURS)
def test_a_fault_of_ours_looks_as_it_does_after_posting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    bench.post("prison_health", "samtykke-tsb.fhir.json")
    rendering_fails(monkeypatch, HubError(code))
    shown = tried(bench, "prison_health", "henvisning-2.json")[org("tsb")]
    posted = bench.post("prison_health", "henvisning-2.json")
    bench.drain()
    then = bench.status("prison_health", posted)[org("tsb")]

    assert (shown["state"], shown["code"], shown["withheld"]) == ("accepted", None, None)
    assert {name: then[name] for name in ("state", "code")} == {"state": "accepted", "code": None}


def test_nothing_is_kept_but_that_somebody_asked(either: Bench) -> None:
    tried(either, "prison_health", "henvisning-2.json")
    assert counts(either) == [0, 0, 0, 0]
    assert leaves(either) == ["preview"]

    either.post("prison_health", "samtykke-nav.json")
    kept, written = counts(either), len(leaves(either))
    tried(either, "prison", "brik.xml")
    tried(either, "prison", "brik.xml")
    goes(either, question(either))

    assert counts(either) == kept
    assert leaves(either)[written:] == ["preview"] * 3
    assert not either.queue.ready
    assert either.verify().faults == []


def test_a_message_may_be_tried_before_and_after_it_is_posted(either: Bench) -> None:
    tried(either, "prison_health", "henvisning-2.json")
    posted = either.post("prison_health", "henvisning-2.json")
    tried(either, "prison_health", "henvisning-2.json")

    assert not posted.duplicate
    assert either.post("prison_health", "henvisning-2.json").duplicate


def tried_answer(bench: Bench, body: dict[str, Any]) -> Any:
    return Hub(bench.parts).preview(bench.agency("housing"), JSON, json.dumps(body).encode())


def test_an_answer_that_the_request_cannot_take_is_refused_as_posting_would(either: Bench) -> None:
    request = asked(either)
    for status, more in (("mottatt", {}), ("avslag", {"avslag_grunn": "annet"})):
        body = answering(request, status, **more)
        assert [row["state"] for row in tried_answer(either, body)["recipients"]] == ["whole"]
        either.post("housing", body)
    before = counts(either)

    with pytest.raises(HubError) as refused:
        tried_answer(either, answering(request, "tilbud_permanent"))

    assert (refused.value.code, refused.value.findings[0].at) == ("route.move-not-allowed", "status")
    assert either.post("housing", body).duplicate
    assert [row["state"] for row in tried_answer(either, body)["recipients"]] == ["whole"]
    assert counts(either) == before


def test_a_try_tells_nothing_of_where_a_request_would_go_and_sends_nothing_on(bench: Bench) -> None:
    request = asked(bench)
    nowhere = tried_answer(bench, answering(request, "ansvar_bestridt", foreslatt_kommune="9902"))
    other_office(bench)
    before = counts(bench)

    somewhere = tried_answer(bench, answering(request, "ansvar_bestridt", foreslatt_kommune="9902"))

    assert nowhere == somewhere
    assert [row["org"] for row in somewhere["recipients"]] == [org("prison")]
    assert counts(bench) == before


SAID = ["nothing", "samtykke-nav.json", "samtykke-tsb.fhir.json", "refused", "withdrawn"]


@pytest.mark.parametrize("said", SAID)
def test_a_control_role_is_told_the_same_whatever_the_person_said(
    either: Bench, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = tried(either, "prison", "brik.xml")
    if said in ("refused", "withdrawn"):
        either.post("prison_health", "samtykke-nav.json")
    if said == "refused":
        refusal = fields("samtykke-nav.json", message_id="nei")
        refusal["samtykke"] |= {"beslutning": "nekt", "serie": "nei"}
        either.post("prison_health", refusal)
    elif said == "withdrawn":
        gone = fields("samtykke-tsb-trukket.json", message_id="trukket")
        gone["samtykke"]["serie"] = fields("samtykke-nav.json")["samtykke"]["serie"]
        either.post("prison_health", gone)
    elif said != "nothing":
        either.post("prison_health", said)
    decided: list[object] = []
    monkeypatch.setattr("hub.pipeline.prepare", lambda *args: decided.append(args))

    told = tried(either, "prison", "brik.xml")

    assert told == nothing
    assert {(row["state"], row["code"], row["withheld"]) for row in told.values()} == {
        ("accepted", None, None)
    }
    assert org("tsb") not in told
    assert decided == []


def test_what_posting_would_refuse_is_refused(either: Bench) -> None:
    for body, code in (
        (b"{", "parse.malformed"),
        ((BODIES / "samtykke-nav.json").read_bytes(), "route.agreement-missing"),
    ):
        with pytest.raises(HubError, match=code):
            preview.of_own_message(either.parts, either.agency("prison_health"), JSON, body)
    assert leaves(either) == []


def test_the_same_question_as_if_a_consent_were_withdrawn_and_as_known_then(either: Bench) -> None:
    start = either.clock()
    asked = question(either)
    assert goes(either, asked) == frozenset()
    either.clock.forward(minutes=5)
    either.post("prison_health", "samtykke-nav.json")
    series = fields("samtykke-nav.json")["samtykke"]["serie"]

    assert goes(either, asked) == {"work"}
    assert goes(either, question(either, withdrawn=series)) == frozenset()
    assert goes(either, question(either, known_at=start)) == frozenset()
    assert goes(either, question(either, at=start + timedelta(days=5000))) == frozenset()
    with pytest.raises(HubError, match=r"consent\.unknown"):
        goes(either, question(either, withdrawn="no such"))


def test_a_question_about_the_dead_is_answered_as_everything_about_them(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    assert goes(either, question(either)) == {"work"}
    identity.protect(either.parts, (number(0),), Desk("Kari", "brev", "k"), deceased=True)
    assert goes(either, question(either)) == frozenset()


def test_as_known_then_counts_the_links_that_were_known_then(bench: Bench) -> None:
    bench.post("prison_health", said("samtykke-nav.json", "n", who=1))
    bench.post("gp", refusal("nei", ["tsb"]))
    bench.clock.forward(minutes=5)
    before = bench.clock()
    bench.clock.forward(minutes=5)
    both = (number(0), number(1))
    identity.link(bench.parts, both, Desk("Kari", "brev", "k"))
    identity.confirm(bench.parts, both, Desk("Ola", "brev", "o"))
    assert goes(bench, question(bench)) == {"work"}
    assert goes(bench, question(bench, known_at=before)) == frozenset()
