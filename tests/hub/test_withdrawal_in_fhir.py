"""The desk and a Consent that has ended: what waits is stopped, and no refusal is lifted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from adapters.fhir_consent.adapter import ADAPTERS as GIVEN
from adapters.fhir_withdrawal.adapter import ADAPTERS
from consent.receipt import digest, lines
from hub import identity, register
from hub.audit.log import Kind
from hub.errors import HubError
from hub.identity import Desk
from hub.message import Outcome, Record
from hub.store.disclosures import State
from hub.store.schema import consent as documents
from tests.hub.bench import (
    FHIR,
    Bench,
    consent,
    fhir,
    number,
    org,
    referral,
    refusal,
    withdrawal,
    xml_brik,
)
from tests.hub.on_record import make_unreadable

TSB = "samtykke-tsb.fhir.json"
XML = "application/fhir+xml"
KARI, BOTH = Desk("Kari Vik", "brev fra registeret", "kari"), (number(1), number(2))


def given(series: str, version: int = 1, who: int = 0) -> dict[str, Any]:
    """The consent to TSB as a system that keeps consents in FHIR sends it."""
    said: dict[str, Any] = json.loads(fhir(TSB, series=series, who=who))
    said["identifier"][1]["value"] = f"{series}-gitt-{(version + 1) // 2}"
    return {**said, "meta": {"versionId": str(version)}}


def ended(said: dict[str, Any], at: str = "2026-11-20T09:30:00Z") -> dict[str, Any]:
    """The same resource, with nothing but the status and the version changed."""
    version = str(int(said["meta"]["versionId"]) + 1)
    return {**said, "meta": {"versionId": version, "lastUpdated": at}, "status": "inactive"}


def bare(series: str, who: int = 0) -> dict[str, Any]:
    """An ended consent that says no more than which."""
    said = ended(given(series, who=who))
    del said["provision"]
    return said


def post(bench: Bench, said: dict[str, Any], key: str = "prison_health") -> Any:
    return bench.post(key, json.dumps(said).encode(), FHIR)


def refused(bench: Bench, said: dict[str, Any]) -> str:
    with pytest.raises(HubError) as found:
        post(bench, said)
    return found.value.code


def to_tsb(bench: Bench) -> int:
    """How many referrals have reached TSB."""
    bench.drain()
    about = {row.id for row in bench.rows("tsb", agreement="henvisning-tsb")}
    return sum(sent.disclosure in about for sent in bench.got("tsb"))


@pytest.mark.parametrize("media", [FHIR, XML])
def test_a_consent_given_in_fhir_and_ended_in_fhir_stops_what_waits(either: Bench, media: str) -> None:
    post(either, given("s"))
    either.post("prison_health", referral("H-1"))
    assert to_tsb(either) == 1
    either.post("prison_health", referral("H-2"))
    end = json.dumps(ended(given("s"))).encode()
    if media == XML:
        end = ADAPTERS[1].render(ADAPTERS[0].parse(end))

    either.post("prison_health", end, media)
    either.post("prison_health", referral("H-3"))

    assert to_tsb(either) == 1
    waits = either.rows("tsb", agreement="henvisning-tsb", state=State.WAITING)
    assert [row.outcome for row in waits] == [Outcome.WITHHELD] * 2
    assert [either.column(row.id, "wrapped_key") for row in waits] == [None, None]
    assert "samtykke.trukket" in either.got("tsb")[-1].text
    assert either.verify().whole


def test_ended_twice_is_a_duplicate_and_given_and_ended_again_is_another_message(either: Bench) -> None:
    post(either, given("s"))
    first = post(either, ended(given("s")))
    again = post(either, ended(given("s")))
    assert (again.id, again.duplicate) == (first.id, True)
    post(either, given("s", 3))
    either.post("prison_health", referral("H-1"))
    assert to_tsb(either) == 1

    second = post(either, ended(given("s", 3), at="2026-11-20T09:45:00Z"))
    either.post("prison_health", referral("H-2"))

    assert second.id != first.id
    assert to_tsb(either) == 1
    assert either.verify().whole


def test_an_earlier_state_that_permitted_does_not_lift_the_refusal_that_came_after(either: Bench) -> None:
    """Both are versions of one series; whoever ends the first has not asked to end the second."""
    post(either, given("s"))
    no = refusal("s", ["tsb"])
    no["samtykke"]["versjon"] = 2
    no["melding"]["id"] = "nei"
    either.post("prison_health", no)
    post(either, given("other"))
    post(either, ended(given("s")))
    either.post("prison_health", referral("H-1"))

    assert to_tsb(either) == 0
    assert [leaf["version"] for leaf in either.leaves(Kind.WITHDRAWAL)] == [1]
    assert either.verify().whole
    either.post("prison_health", withdrawal("s", "lifted"))
    either.post("prison_health", referral("H-2"))
    assert to_tsb(either) == 1


@pytest.mark.parametrize("say", ["bare", "permit"])
def test_a_series_that_only_refuses_is_not_lifted(either: Bench, say: str) -> None:
    post(either, given("ja"))
    either.post("prison_health", refusal("nei", ["tsb"]))
    said = bare("nei") if say == "bare" else ended(given("nei"))

    assert refused(either, said) == "consent.unknown"

    either.post("prison_health", referral("H-1"))
    assert to_tsb(either) == 0
    assert either.leaves(Kind.WITHDRAWAL) == []


@pytest.mark.parametrize("who", ["tsb", "prison"])
def test_whoever_did_not_record_the_series_is_told_how_to_end_it(either: Bench, who: str) -> None:
    """The same words whether the series is there or not, and whether the person is known or not."""
    post(either, given("s"))
    told = []
    for series, person in (("s", 0), ("never", 0), ("s", 1)):
        with pytest.raises(HubError) as refusal:
            either.post(who, withdrawal(series, f"t-{series}-{person}", who=person))
        # The column follows from what was sent, which is longer with another id.
        found = [replace(one, column=None) for one in refusal.value.findings]
        told.append((refusal.value.code, found))

    assert {code for code, _ in told} == {"consent.unknown"}
    assert [(one.at, one.rule) for one in told[0][1]] == [("samtykke.serie", "unknown")]
    assert "omfang" in told[0][1][0].expected
    assert told[0] == told[1] == told[2]
    either.post("prison_health", referral("H-1"))
    assert to_tsb(either) == 1


def test_an_ended_consent_that_says_nothing_of_its_rule_ends_what_permitted(either: Bench) -> None:
    post(either, given("s"))
    post(either, bare("s"))
    either.post("prison_health", referral("H-1"))

    assert to_tsb(either) == 0
    assert either.verify().whole


def narrow(series: str) -> dict[str, Any]:
    """Refused, but for an exception: as R5 says every permission, and R4 some."""
    said = given(series)
    inner = said.pop("provision")
    return {**said, "provision": {"type": "deny", "provision": [{**inner, "type": "permit"}]}}


WITHDRAWN: dict[str, dict[str, Any]] = {
    "in FHIR": ended(narrow("s")),
    "in FHIR, without a rule": bare("s"),
    "in JSON": {**withdrawal("s", "t-1"), "samtykke": {"serie": "s", "beslutning": "tillat"}},
    "everything": {
        **{name: value for name, value in withdrawal("s", "t-1").items() if name != "samtykke"},
        "omfang": "alle_samtykker",
        "signert": True,
    },
}


@pytest.mark.parametrize("said", WITHDRAWN.values(), ids=WITHDRAWN.keys())
def test_what_a_refusal_permitted_by_exception_ends_and_the_refusal_stands(
    either: Bench, said: dict[str, Any]
) -> None:
    post(either, narrow("s"))
    either.post("prison_health", referral("H-1"))
    assert to_tsb(either) == 1
    either.clock.forward(hours=2)

    say(either, said)

    either.post("prison_health", referral("H-2"))
    assert to_tsb(either) == 1
    post(either, given("other"))  # which what stands of the first refuses
    either.post("prison_health", referral("H-3"))
    assert to_tsb(either) == 1
    [leaf] = either.leaves(Kind.WITHDRAWAL)
    assert (leaf["version"], leaf["ends"]) == (1, "permissions")
    now = either.clock()
    [first, _] = register.of_person(either.parts, number(0), at=now, known_at=now)
    assert first.stands == "only-refuses"
    [then, *_] = register.of_person(either.parts, number(0), at=now - timedelta(hours=1), known_at=now)
    assert then.stands == "in-force"
    made = register.receipt_of(either.parts, first.entry.id, "nb")
    assert made["permissions_ended_at"] == now.isoformat()
    assert f"Det du tillot, er trukket; det du nektet, står: {now.isoformat()}" in lines(made)
    assert digest(made) == either.leaves(Kind.CONSENT)[0]["receipt"]
    assert either.verify().whole


def say(bench: Bench, said: dict[str, Any]) -> None:
    if "resourceType" in said:
        post(bench, said)
    else:
        bench.post("prison_health", said)


def test_a_row_whose_permissions_ended_without_a_leaf_is_seen(bench: Bench) -> None:
    post(bench, narrow("s"))
    with bench.parts.store.writing() as tx:
        tx.execute(update(documents).values(permissions_ended_at=bench.clock()))

    assert [what for what, _ in bench.verify().faults] == ["permissions ended in the row, not in the log"]


def test_a_control_role_hears_the_same_where_nothing_of_the_series_permits(either: Bench) -> None:
    said = {**withdrawal("nei", "t-1"), "samtykke": {"serie": "nei", "beslutning": "tillat"}}
    either.post("prison", refusal("nei", ["nav_municipal"]))
    either.post("prison_health", consent("samtykke-nav.json", "ja"))

    assert not either.post("prison", said).duplicate

    either.post("prison", xml_brik(), "application/xml")
    either.drain()
    assert either.listed("nav") == []
    assert [(leaf["consent"], leaf["version"]) for leaf in either.leaves(Kind.WITHDRAWAL)] == [("", 0)]
    assert either.verify().whole


def test_a_copy_that_was_kept_of_a_narrowed_refusal_refuses_what_it_once_permitted(either: Bench) -> None:
    post(either, {**narrow("s"), "patient": given("s", who=1)["patient"]})
    either.post("prison_health", referral("first-2", who=2))
    post(either, {**bare("s", who=1)})
    identity.link(either.parts, BOTH, KARI)
    identity.unlink(either.parts, BOTH, KARI)
    post(either, given("ja", who=2))
    either.post("prison_health", referral("H-2", who=2))

    assert to_tsb(either) == 0
    assert either.verify().whole


def test_a_copy_that_was_kept_of_a_refusal_is_not_lifted(bench: Bench) -> None:
    """What a permission on an ended link left behind can only refuse."""
    bench.post("prison_health", refusal("nei", ["tsb"], who=1))
    bench.post("prison_health", referral("first-2", who=2))
    identity.link(bench.parts, BOTH, KARI)
    identity.unlink(bench.parts, BOTH, KARI)
    post(bench, given("ja", who=2))

    assert refused(bench, bare("nei", who=2)) == "consent.unknown"

    bench.post("prison_health", referral("H-2", who=2))
    assert to_tsb(bench) == 0


def test_a_document_that_cannot_be_read_is_left_since_it_may_refuse(bench: Bench) -> None:
    post(bench, given("s"))
    make_unreadable(bench, documents)

    assert refused(bench, bare("s")) == "consent.unknown"


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.name)
def test_a_recipient_that_speaks_fhir_is_told_in_fhir(bench: Bench, adapter: Any) -> None:
    party = bench.parts.directory[org("tsb")]
    formats = {**party.agency.formats, "samtykke.trukket": adapter.name}
    entry = replace(party, agency=replace(party.agency, formats=formats))
    bench.parts = replace(bench.parts, directory={**bench.parts.directory, org("tsb"): entry})
    post(bench, given("s"))
    bench.post("prison_health", referral("H-1"))
    assert to_tsb(bench) == 1
    referred = bench.got("tsb")[-1].disclosure

    post(bench, ended(given("s")))
    bench.drain()

    told: Record = adapter.parse(bench.got("tsb")[-1].body)
    assert (told.get("melding.svar_pa"), told.get("samtykke")) == (referred, None)
    assert told.get("person.id") == number(0)
    assert not any(one.name.startswith("fhir-withdrawal") for one in GIVEN)
