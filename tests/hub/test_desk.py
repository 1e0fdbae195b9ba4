"""The consent desk: what giving, narrowing, refusing and withdrawing do to what is under way."""

from __future__ import annotations

import hashlib
import json

import pytest

from consent.receipt import digest
from hub.app import Hub
from hub.errors import HubError
from hub.message import Outcome
from hub.store.disclosures import State
from tests.hub.bench import (
    FHIR,
    XML,
    Bench,
    consent,
    fhir,
    org,
    referral,
    refusal,
    run_together,
    withdrawal,
    xml_brik,
)


def refused(bench: Bench, key: str, document: dict[str, object]) -> str:
    with pytest.raises(HubError) as refusal:
        bench.post(key, document)
    return refusal.value.code


def test_a_consent_is_recorded_once(either: Bench) -> None:
    first = either.post("prison_health", "samtykke-nav.json")
    again = either.post("prison_health", "samtykke-nav.json")
    assert (again.id, again.duplicate) == (first.id, True)


def test_the_same_id_with_another_document_is_refused(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n"))
    other = consent("samtykke-nav.json", "n", gyldig_til="2028-01-01")
    assert refused(either, "prison_health", other) == "receive.duplicate-id"


def test_an_id_that_was_used_is_told_where_it_stands(either: Bench) -> None:
    either.post("prison_health", fhir("samtykke-tsb.fhir.json", series="s"), FHIR)
    given = json.loads(fhir("samtykke-tsb.fhir.json", series="s"))
    own = {"system": "urn:brobygger:withdrawal", "value": "trukket-1"}
    ended = [
        {**given, "status": "inactive", "meta": {"versionId": number, "lastUpdated": f"{day}T10:00:00Z"},
         "identifier": [*given["identifier"][:1], own]}
        for number, day in (("2", "2026-11-01"), ("4", "2026-11-02"))
    ]  # one row per version # fmt: skip
    either.post("prison_health", json.dumps(ended[0]).encode(), FHIR)
    body = json.dumps(ended[1], indent=1)

    with pytest.raises(HubError) as refusal:
        either.post("prison_health", body.encode(), FHIR)

    line = next(n for n, line in enumerate(body.splitlines(), start=1) if "trukket-1" in line)
    assert refusal.value.code == "receive.duplicate-id"
    assert [(one.at, one.rule, one.line) for one in refusal.value.findings] == [
        ("identifier[1].value", "used", line)
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_an_old_version_is_refused_and_changes_nothing(either: Bench, version: int) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n", 2))
    late = consent("samtykke-nav.json", "n", version)
    late["melding"]["id"] = "another"
    late["samtykke"]["beslutning"] = "nekt"
    assert refused(either, "prison_health", late) == "consent.version-old"
    either.post("prison", "brik.xml")
    either.drain()
    assert len(either.listed("nav")) == 1


def test_what_was_never_given_cannot_be_withdrawn(either: Bench) -> None:
    assert refused(either, "prison_health", withdrawal("n", "t")) == "consent.unknown"
    either.post("prison_health", consent("samtykke-nav.json", "n"))
    assert refused(either, "prison_health", withdrawal("n", "t", who=1)) == "consent.unknown"
    either.post("prison_health", withdrawal("n", "t1"))
    assert refused(either, "prison_health", withdrawal("n", "t2")) == "consent.unknown"


def test_what_was_refused_at_the_desk_changes_nothing(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    before = either.listed("nav")
    unsigned = consent("samtykke-nav.json", "other", signert=False)
    assert refused(either, "prison_health", unsigned) == "consent.form-missing"
    assert either.listed("nav") == before
    assert not either.queue.ready


def test_what_the_desk_refuses_is_told_where_it_stands_in_what_was_sent(either: Bench) -> None:
    as_fhir = json.loads(fhir("samtykke-tsb.fhir.json", series="s"))
    as_fhir["provision"]["period"].pop("end")
    as_json = consent("samtykke-nav.json", "n", form=None)
    del as_json["samtykke"]["form"]
    told: list[list[tuple[str, int | None]]] = []
    for body, media_type in ((as_fhir, FHIR), (as_json, "")):
        with pytest.raises(HubError) as refusal:
            either.post(
                "prison_health", json.dumps(body, indent=1).encode(), media_type or "application/json"
            )
        told.append([(one.at, one.line) for one in refusal.value.findings])

    lines = [json.dumps(body, indent=1).splitlines() for body in (as_fhir, as_json)]
    period = next(n for n, line in enumerate(lines[0], start=1) if line.strip().startswith('"period"'))
    given = next(n for n, line in enumerate(lines[1], start=1) if line.strip().startswith('"samtykke"'))
    assert told == [[("provision.period.end", period)], [("samtykke.form", given)]]


def test_a_control_role_cannot_record_a_consent_to_tell_of_substance_use(either: Bench) -> None:
    asked = consent("samtykke-nav.json", "n", kategorier=["identity", "substance_use"])
    assert refused(either, "prison", asked) == "consent.recorder-control"


def test_a_narrower_version_takes_back_what_lies_in_the_inbox(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n", 1))
    either.post("prison", "brik.xml")
    either.drain()
    narrow = consent("samtykke-nav.json", "n", 2, kategorier=["identity", "coordination", "custody", "work"])
    either.post("prison_health", narrow)
    assert either.listed("nav") == []
    either.drain()
    [rendered] = either.come_for_it("nav")
    said = json.loads(rendered.body)
    assert "arbeid" in said
    assert "okonomi" not in said


def test_a_withdrawn_consent_can_be_given_anew(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n", 1))
    either.post("prison_health", withdrawal("n", "t"))
    either.post("prison_health", consent("samtykke-nav.json", "n", 2))
    either.post("prison", "brik.xml")
    either.drain()
    assert len(either.listed("nav")) == 1


def test_a_refusal_beats_an_older_and_a_newer_permission(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "old"))
    either.post("prison_health", refusal("nei", ["nav_municipal"]))
    either.post("prison_health", consent("samtykke-nav.json", "new"))
    either.post("prison", "brik.xml")
    either.drain()
    assert either.listed("nav") == []


def test_a_consent_releases_what_waits_for_it_and_only_for_its_person(either: Bench) -> None:
    for who in (0, 1):
        either.post("prison_health", referral(f"H{who}", who=who))
    either.drain()
    either.post("prison_health", fhir("samtykke-tsb.fhir.json", series="s", who=1), FHIR)
    either.drain()
    [sent] = either.got("tsb")
    assert sent.disclosure == either.row("tsb", person_id=either.row("tsb", id=sent.disclosure).person_id).id
    assert sorted(row.state for row in either.rows("tsb")) == [State.DONE, State.WAITING]


def test_a_withdrawal_leaves_what_is_parked_with_the_operator_but_without_content(either: Bench) -> None:
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", referral("H"))
    either.push.down.add(org("tsb"))
    for _ in range(7):
        either.drain()
        either.queue.soon()
    item = either.row("tsb", agreement="henvisning-tsb")
    assert item.state is State.PARKED
    either.post("prison_health", "samtykke-tsb-trukket.json")
    assert either.row("tsb", agreement="henvisning-tsb").state is State.PARKED
    assert either.column(item.id, "wrapped_key") is None


def test_when_the_broker_is_away_a_consent_counts_all_the_same(either: Bench) -> None:
    either.post("prison_health", referral("H"))
    either.drain()
    either.queue.away = True
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.queue.away = False
    either.clock.forward(minutes=1)
    either.sweep()
    either.drain()
    assert len(either.got("tsb")) == 1


def test_consents_and_withdrawals_at_once_end_as_if_one_came_after_the_other(either: Bench) -> None:
    either.post("prison_health", referral("H"))
    either.drain()
    tasks = [
        lambda version=version: either.post("prison_health", consent("samtykke-nav.json", "n", version))
        for version in range(1, 5)
    ]
    answers = run_together(*tasks)
    codes = {answer.code for answer in answers if isinstance(answer, HubError)}
    assert codes <= {"consent.version-old"}
    either.post("prison", "brik.xml")
    either.drain()
    assert len(either.listed("nav")) == 1
    assert either.row("tsb", agreement="henvisning-tsb").outcome == Outcome.WAITING
    assert either.verify().whole


# Who may end what


def everything(scope: str, message_id: str, *, signed: bool = True, who: int = 0) -> dict[str, object]:
    said = withdrawal("x", message_id, who)
    del said["samtykke"]
    return {**said, "omfang": scope, "signert": signed}


def test_nobody_can_withdraw_what_another_recorded_or_learn_that_it_exists(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n"))
    there = refused(either, "gp", withdrawal("n", "t1"))
    nowhere = refused(either, "gp", withdrawal("never", "t2"))
    assert there == nowhere == "consent.unknown"
    either.post("prison", "brik.xml")
    either.drain()
    assert len(either.listed("nav")) == 1


def test_another_agency_with_the_same_id_records_a_consent_of_its_own(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n", 2))
    late = consent("samtykke-nav.json", "n", 1, beslutning="nekt")
    either.post("gp", late)  # neither "version old" nor a replacement
    either.post("prison", "brik.xml")
    either.drain()
    assert either.listed("nav") == []
    either.post("gp", withdrawal("n", "t"))
    either.post("prison", xml_brik(message_id="B2"), XML)
    either.drain()
    assert len(either.listed("nav")) == 1


def test_the_person_withdraws_everything_at_any_agency(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n"))
    either.post("prison", "brik.xml")
    either.drain()
    assert len(either.listed("nav")) == 1
    assert refused(either, "gp", everything("alle_samtykker", "t0", signed=False)) == "consent.form-missing"
    either.post("gp", everything("alle_samtykker", "t1"))
    assert either.listed("nav") == []
    assert either.verify().whole


def test_withdrawing_everything_is_answered_alike_whether_there_was_something(either: Bench) -> None:
    either.post("gp", everything("alle_samtykker", "t1", who=3))
    either.post("gp", everything("alle_samtykker", "t2", who=3))
    assert either.verify().whole


@pytest.mark.parametrize("what", ["alle_samtykker", "alle_nektelser"])
def test_a_control_role_cannot_tell_by_withdrawing_whether_it_ended_elsewhere(
    either: Bench, what: str
) -> None:
    answers = []
    for who in (1, 2):
        said = consent("samtykke-bolig.json", f"s{who}", who=who)
        if what == "alle_nektelser":
            said = refusal(f"s{who}", ["nav_municipal"], who=who)
        either.post("prison", said)
        if who == 2:
            either.post("gp", everything(what, "t", who=who))
        answers.append(either.post("prison", withdrawal(f"s{who}", f"t{who}", who=who)).duplicate)
    assert answers == [False, False]
    assert refused(either, "prison", withdrawal("never", "t3", who=1)) == "consent.unknown"
    assert either.verify().whole


def test_withdrawing_everything_permitted_lifts_no_refusal(either: Bench) -> None:
    either.post("prison_health", refusal("nei", ["nav_municipal"]))
    either.post("gp", everything("alle_samtykker", "t1"))
    either.post("prison_health", consent("samtykke-nav.json", "ja"))
    either.post("prison", "brik.xml")
    either.drain()
    assert either.listed("nav") == []


def test_a_refusal_recorded_by_a_control_role_is_lifted_at_another_agency(either: Bench) -> None:
    either.post("prison", refusal("nei", ["nav_municipal"]))
    either.post("prison_health", consent("samtykke-nav.json", "ja"))
    either.post("prison", "brik.xml")
    either.drain()
    assert either.listed("nav") == []
    assert refused(either, "prison", everything("alle_nektelser", "t0")) == "consent.recorder-control"
    either.post("prison_health", everything("alle_nektelser", "t1"))
    either.post("prison", xml_brik(message_id="B2"), XML)
    either.drain()
    assert len(either.listed("nav")) == 1
    assert either.verify().whole


def test_one_version_is_withdrawn_and_the_others_keep_their_time(either: Bench) -> None:
    either.post("prison_health", consent("samtykke-nav.json", "n", 1))
    either.post("prison_health", consent("samtykke-nav.json", "n", 2))
    said = withdrawal("n", "t")
    said["samtykke"]["versjon"] = 1
    either.post("prison_health", said)
    either.post("prison", "brik.xml")
    either.drain()
    assert len(either.listed("nav")) == 1
    said["samtykke"]["versjon"] = 3
    said["melding"]["id"] = "t3"
    assert refused(either, "prison_health", said) == "consent.unknown"
    said["samtykke"]["versjon"] = 2
    said["melding"]["id"] = "t2"
    either.post("prison_health", said)
    assert either.listed("nav") == []
    assert either.verify().whole


# Receipts


def test_the_recorder_gets_the_receipt_and_nobody_else(either: Bench) -> None:
    hub = Hub(either.parts)
    given = either.post("prison_health", consent("samtykke-nav.json", "n"))
    made = hub.receipt(either.agency("prison_health"), given.id, "nb")
    assert (made["receipt_id"], made["decision"], made["version"]) == (given.id, "permit", 1)
    assert made["text"]["sha256"] == hashlib.sha256(made["text"]["words"].encode()).hexdigest()
    for key, consent_id in (("gp", given.id), ("prison", given.id), ("prison_health", "nothing")):
        with pytest.raises(HubError) as refused_:
            hub.receipt(either.agency(key), consent_id, "nb")
        assert refused_.value.code == "receive.not-found"


def test_a_control_role_gets_no_receipt_of_a_refusal_it_recorded(either: Bench) -> None:
    given = either.post("prison", refusal("nei", ["nav_municipal"]))
    with pytest.raises(HubError) as refused_:
        Hub(either.parts).receipt(either.agency("prison"), given.id, "nb")
    assert refused_.value.code == "receive.not-found"


def test_the_receipt_handed_over_is_the_one_in_the_audit_log(either: Bench) -> None:
    given = either.post("prison_health", consent("samtykke-nav.json", "n"))
    before = digest(Hub(either.parts).receipt(either.agency("prison_health"), given.id, "nb"))
    either.post("prison_health", withdrawal("n", "t"))
    after = Hub(either.parts).receipt(either.agency("prison_health"), given.id, "nb")
    assert after["withdrawn_at"] is not None
    assert digest(after) == before
