"""Patients who are described by name, birth date and sex: taken in, held, and let go by two at the desk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from hub import hand_over, identity, intake, pipeline, preview, requests
from hub.audit.log import Kind
from hub.errors import HubError
from hub.gps import Said
from hub.gps import record as record_gp
from hub.identity import Desk
from hub.message import Outcome, Sector
from hub.parts import Parts
from hub.store import messages, people
from hub.store.disclosures import State
from hub.store.schema import identifier, person
from tests.hub.bench import FHIR, JSON, Bench, fhir, number, on_the_bench, org, refusal

KARI, OLA = Desk("Kari Vik", "passet er sett", "kari"), Desk("Ola Nes", "kontrollert", "ola")
NAME = "Ask Prøvestad"
HELD = (State.WAITING, Outcome.WAITING, "decide.person-unidentified")
ICD = "urn:oid:2.16.578.1.12.4.1.1.7110"
SUBSTANCE, PLAIN = "F11.2", "J45.9"


@pytest.fixture(autouse=True)
def plain_gp(request: pytest.FixtureRequest) -> None:
    """The GP gets plain JSON here; what other formats say of somebody without a number is theirs to test."""
    name = "either" if "either" in request.fixturenames else "bench"
    bench: Bench = request.getfixturevalue(name)
    party = bench.parts.directory[org("gp")]
    plain = replace(party, agency=replace(party.agency, formats={}))
    bench.parts = replace(bench.parts, directory={**bench.parts.directory, org("gp"): plain})


def described(name: str = "EPI-1", navn: str = NAME, **said: Any) -> dict[str, Any]:
    """An epikrise to the GP about somebody without a number."""
    return {
        "type": "epikrise",
        "melding": {"id": name, "sendt": "2026-11-20T09:00:00+01:00", "mottaker": org("gp")},
        "person": {"navn": navn, "fodt": "1990-03-14", "kjonn": "1"},
        "dato": "2026-11-19",
        "diagnoser": [{"system": ICD, "kode": code} for code in (SUBSTANCE, PLAIN)],
        **said,
    }


def dialog(name: str, **head: str) -> dict[str, Any]:
    said = described(name)
    del said["dato"], said["diagnoser"]
    said["melding"] |= head
    return said | {"type": "dialogmelding", "meldingstype": "DIALOG_NOTAT"}


def post(bench: Bench, what: dict[str, Any] | None = None) -> str:
    """Its id at the hub, once the worker has done all it can."""
    accepted = bench.post("prison_health", what or described())
    bench.drain()
    return accepted.id


def named(message_id: str) -> str:
    return f"message:{message_id}"


def allow(bench: Bench, who: int = 1) -> None:
    """All that the GP of this number may get with a consent."""
    bench.register_gp(who)
    bench.post("prison_health", fhir("samtykke-gp.fhir.json", series=f"gp-{who}", who=who), FHIR)


def whose(bench: Bench, message_id: str, who: int = 1, *, confirmed: bool = True) -> None:
    """Said at the desk, by one or by two."""
    lines = (number(who), named(message_id))
    identity.link(bench.parts, lines, KARI)
    if confirmed:
        identity.confirm(bench.parts, lines, OLA)
    bench.drain()


def codes(bench: Bench) -> list[list[str]]:
    """The diagnoses in each epikrise that the GP fetches, in order."""
    got = [json.loads(rendered.body) for rendered in bench.come_for_it("gp")]
    return [[one["kode"] for one in said.get("diagnoser", ())] for said in got]


def stands(bench: Bench, message_id: str) -> tuple[State, str | None, str | None]:
    row = bench.row("gp", message_id=message_id)
    return row.state, row.outcome, row.code


def record_of(bench: Bench, message_id: str) -> people.Person:
    with bench.parts.store.reading() as view:
        stored = messages.load(view, message_id)
        assert stored
        return people.load(view, stored.person_id)


def refused(do: Any, *arguments: Any, **more: Any) -> HubError:
    with pytest.raises(HubError) as found:
        do(*arguments, **more)
    return found.value


# Taken in, and held


@pytest.mark.parametrize("what", [described(), dialog("D-1")], ids=["epikrise", "dialogmelding"])
def test_it_is_taken_in_and_nothing_of_it_leaves_whatever_a_namesake_allows(
    either: Bench, what: dict[str, Any]
) -> None:
    allow(either)
    namesake = described("EPI-N") | {"person": {"id": number(1), "navn": NAME}}
    post(either, namesake)
    assert codes(either) == [[SUBSTANCE, PLAIN]]

    accepted = either.post("prison_health", what)
    either.drain()

    assert not accepted.duplicate
    assert stands(either, accepted.id) == HELD
    assert either.row("gp", message_id=accepted.id).due_at
    assert codes(either) == []
    shown = either.status("prison_health", accepted)[org("gp")]
    assert (shown["state"], shown["code"]) == ("waiting", "decide.person-unidentified")
    assert record_of(either, accepted.id).unidentified
    assert either.verify().whole


def test_two_messages_about_one_description_are_two_records_and_no_number_leads_there(either: Bench) -> None:
    ids = [post(either, described(f"EPI-{index}")) for index in (1, 2)]

    records = {record_of(either, message_id).id for message_id in ids}
    assert len(records) == 2
    with either.parts.store.reading() as view:
        assert view.execute(select(identifier)).all() == []
        numbered = view.execute(select(person.c.id, person.c.numbered)).all()
    assert {row.id: row.numbered for row in numbered} == dict.fromkeys(records, False)


def test_posted_again_it_is_the_same_message_and_the_same_record(bench: Bench) -> None:
    first = bench.post("prison_health", described())
    again = bench.post("prison_health", described())

    assert (again.id, again.duplicate) == (first.id, True)
    assert len(bench.people()) == 1


def test_a_preview_says_why_and_leaves_nobody_behind(bench: Bench) -> None:
    body = json.dumps(described()).encode()

    [found] = preview.of_own_message(bench.parts, bench.agency("prison_health"), JSON, body)

    told = preview.shown([found])["recipients"][0]
    assert (told["state"], told["code"]) == ("nothing", "decide.person-unidentified")
    assert bench.people() == []


def test_an_ordinary_person_costs_no_question_more(either: Bench) -> None:
    with either.parts.store.writing() as tx:
        vault, new_id = either.parts.vault, either.parts.new_id
        known = people.find_or_create(tx, vault, number(1), either.clock(), new_id)
    asked: list[str] = []
    engine = either.parts.store.engine
    with either.parts.store.reading() as view:
        event.listen(engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
        loaded = people.load(view, known.id)

    assert loaded == known
    assert not loaded.unidentified
    assert len(asked) == 2


def test_a_grading_said_of_it_stops_it_for_good(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """No type that may describe its patient has a field for it today."""
    monkeypatch.setattr(intake, "says_graded", lambda labelled: True)
    sent = post(bench)
    monkeypatch.undo()
    allow(bench)
    whose(bench, sent)

    assert stands(bench, sent) == (State.WAITING, Outcome.WITHHELD, "decide.protected-address")
    assert record_of(bench, sent).protected_address
    assert codes(bench) == []


def test_its_time_ends_as_that_of_others(either: Bench) -> None:
    sent = post(either)
    key = either.row("gp", message_id=sent).id
    either.clock.forward(days=181)

    either.sweep()
    either.drain()

    assert stands(either, sent) == (State.DONE, Outcome.EXPIRED, "hand-over.expired")
    assert either.column(key, "wrapped_key") is None
    allow(either)
    whose(either, sent)
    assert codes(either) == []


# Whose it is


def test_one_at_the_desk_releases_nothing_and_the_same_one_cannot_confirm(either: Bench) -> None:
    allow(either)
    sent = post(either)

    whose(either, sent, confirmed=False)

    again = Desk(" kari  VIK", "jeg igjen", "kari")
    lines = (named(sent), number(1))
    assert refused(identity.confirm, either.parts, lines, again).code == "hub.identity-refused"
    either.drain()
    assert stands(either, sent) == HELD
    assert record_of(either, sent).unidentified
    assert codes(either) == []


@pytest.mark.parametrize("allowed", [True, False])
def test_two_release_it_as_far_as_the_number_allows(either: Bench, allowed: bool) -> None:
    either.register_gp(1)
    if allowed:
        allow(either)
    sent = post(either)

    whose(either, sent)

    assert not record_of(either, sent).unidentified
    [got] = either.come_for_it("gp")
    said = json.loads(got.body)
    assert said["person"] == {"navn": NAME, "fodt": "1990-03-14", "kjonn": "1"}
    assert [one["kode"] for one in said["diagnoser"]] == ([SUBSTANCE, PLAIN] if allowed else [PLAIN])
    assert number(1) not in got.body.decode()
    assert either.verify().whole


def test_without_anything_on_file_for_the_number_it_goes_on_waiting(either: Bench) -> None:
    sent = post(either)

    whose(either, sent)

    assert stands(either, sent) == (State.WAITING, Outcome.WAITING, "decide.not-registered-gp")
    allow(either)
    either.drain()
    assert codes(either) == [[SUBSTANCE, PLAIN]]


def test_what_the_number_refused_holds(either: Bench) -> None:
    allow(either)
    either.post("prison_health", refusal("nei", ["gp"], who=1))
    sent = post(either)

    whose(either, sent)

    assert stands(either, sent) == (State.WAITING, Outcome.WITHHELD, "decide.objection")
    assert codes(either) == []


def test_merged_is_as_good_as_confirmed(bench: Bench) -> None:
    allow(bench)
    sent = post(bench)
    lines = (named(sent), number(1))

    assert identity.merge(bench.parts, lines, KARI) == "merge-asked"
    bench.drain()
    assert codes(bench) == []
    assert identity.merge(bench.parts, lines, OLA) == "merged"
    bench.drain()
    assert codes(bench) == [[SUBSTANCE, PLAIN]]
    assert identity.split(bench.parts, lines, KARI) == "split"
    assert record_of(bench, sent).unidentified


def test_unlinked_before_it_is_fetched_it_is_held_again(either: Bench) -> None:
    allow(either)
    sent = post(either)
    whose(either, sent)
    [lies] = either.listed("gp")

    identity.unlink(either.parts, (number(1), named(sent)), KARI)

    assert either.listed("gp") == []
    assert refused(hand_over.fetch, either.parts, either.agency("gp"), lies).code == "receive.not-found"
    either.drain()
    assert stands(either, sent) == HELD
    assert record_of(either, sent).unidentified
    whose(either, sent)
    assert codes(either) == [[SUBSTANCE, PLAIN]]


def test_a_stop_of_the_number_stops_it_too(either: Bench) -> None:
    allow(either)
    sent = post(either)
    whose(either, sent)

    identity.protect(either.parts, [number(1)], KARI)
    either.drain()

    assert stands(either, sent) == (State.WAITING, Outcome.WITHHELD, "decide.protected-address")
    assert codes(either) == []


def test_the_described_patient_can_be_stopped_by_the_message(bench: Bench) -> None:
    allow(bench)
    sent = post(bench)

    assert identity.protect(bench.parts, [named(sent)], KARI, deceased=True) == "protected"
    whose(bench, sent)

    assert codes(bench) == []
    assert record_of(bench, sent).deceased


def test_two_descriptions_tell_nobody_whose_they_are_until_one_has_a_number(either: Bench) -> None:
    allow(either)
    one, other = (post(either, described(f"EPI-{index}")) for index in (1, 2))
    lines = (named(one), named(other))
    identity.link(either.parts, lines, KARI)
    identity.confirm(either.parts, lines, OLA)
    either.drain()
    assert (stands(either, one), stands(either, other)) == (HELD, HELD)

    whose(either, other)

    assert codes(either) == [[SUBSTANCE, PLAIN]] * 2


def test_forgetting_the_number_forgets_it_and_nothing_names_it_any_more(bench: Bench) -> None:
    sent = post(bench)
    whose(bench, sent)

    assert identity.forget(bench.parts, [number(1)], KARI) == "forgotten"

    assert record_of(bench, sent).key is None
    assert refused(identity.show, bench.parts, named(sent)).code == "hub.no-such-person"
    with bench.parts.store.reading() as view:
        assert sorted(view.scalars(select(person.c.numbered))) == [False, True]


# What a line may name


@pytest.mark.parametrize("create", [identity.link, identity.confirm, identity.merge, identity.unlink])
def test_the_message_of_a_numbered_person_names_nobody(bench: Bench, create: Any) -> None:
    sent = post(bench, described() | {"person": {"id": number(1), "navn": NAME}})
    before = bench.people()
    for line in (named(sent), named("nowhere")):
        assert refused(create, bench.parts, (number(2), line), KARI).code == "hub.no-such-person"
    assert refused(identity.show, bench.parts, named(sent)).code == "hub.no-such-person"
    assert bench.people() == before, "nor has the number beside it got a record"


@pytest.mark.parametrize("line", ["message:", "message:a b", "message:../x", "MESSAGE:id000001", NAME])
def test_what_is_neither_a_number_nor_a_message_is_a_finding(bench: Bench, line: str) -> None:
    found = refused(identity.link, bench.parts, (number(1), line), KARI)

    assert found.code == "hub.identity-refused"
    assert [(one.at, one.expected, bool(one.in_bokmaal)) for one in found.findings] == [
        ("line 2", "an identity number with valid check digits, or message:ID", True)
    ]


def test_the_same_record_twice_is_one(bench: Bench) -> None:
    sent = post(bench)
    assert refused(identity.link, bench.parts, (named(sent), named(sent)), KARI).findings[0].rule == "same"


def test_what_opens_a_way_is_recorded_on_numbers_only(bench: Bench) -> None:
    """A registered GP and a request on file: of a description no register knows anything."""
    sent = post(bench)
    gp = Said(org("gp"), bench.clock().date(), None, "fastlegeregisteret")

    assert refused(record_gp, bench.parts, named(sent), gp, KARI).code == "hub.identity-refused"
    ended = refused(requests.end, bench.parts, named(sent), "r", KARI)
    assert [one.expected for one in ended.findings] == ["an identity number with valid check digits"]


def test_what_is_known_of_it_is_shown(bench: Bench) -> None:
    sent = post(bench)
    assert identity.show(bench.parts, named(sent))["unidentified"]
    whose(bench, sent)

    told = identity.show(bench.parts, named(sent))

    assert not told["unidentified"]
    assert told["same"] == [identity.show(bench.parts, number(1))["person"]]
    assert [done["action"] for done in told["done"]] == ["link", "confirm"]
    assert not identity.show(bench.parts, number(1))["unidentified"]
    assert all(NAME not in str(leaf) for leaf in bench.leaves(Kind.IDENTITY))


# Answers


def test_an_answer_is_never_about_whom_it_answers(either: Bench) -> None:
    allow(either, 0)
    either.post("prison", "brik.xml")
    either.drain()
    [asked] = [row for row in either.rows("prison_health") if row.handed_over_at]

    sent = post(either, dialog("D-2", svar_pa=asked.id))

    assert record_of(either, sent).id != asked.person_id
    assert stands(either, sent) == HELD
    assert codes(either) == []


def test_an_answer_without_anybody_is_still_about_whom_it_answers(bench: Bench) -> None:
    """Also where that is a described patient: what two said of the message they said of its answers."""
    allow(bench)
    sent = post(bench)
    whose(bench, sent)
    [lies] = bench.listed("gp")
    hand_over.fetch(bench.parts, bench.agency("gp"), lies)
    about = dialog("D-3", svar_pa=lies, mottaker=org("nav"))
    del about["person"]
    as_state(bench, "nav")

    answer = bench.post("gp", about)

    assert record_of(bench, answer.id).id == record_of(bench, sent).id


def as_state(bench: Bench, key: str) -> None:
    """From now on this office is one of NAV's own, which gets dialogs."""
    party = bench.parts.directory[org(key)]
    agency = replace(party.agency, sector=Sector.NAV_STATE)
    directory = {**bench.parts.directory, org(key): replace(party, agency=agency)}
    bench.parts = replace(bench.parts, directory=directory)


# Twins


@pytest.fixture
def two_hubs(first: Parts, bench: Bench, tmp_path: Path) -> Iterator[tuple[Bench, Bench]]:
    """Two hubs that have met nothing."""
    shutil.copy(str(first.store.engine.url.database), tmp_path / "other.sqlite")
    other = on_the_bench(first, f"sqlite:///{tmp_path}/other.sqlite")
    other.parts = replace(other.parts, directory=bench.parts.directory)
    yield bench, other
    other.parts.store.close()


def test_what_the_patient_is_called_shows_nowhere(two_hubs: tuple[Bench, Bench]) -> None:
    """One hub hears one name twice, the other two names: neither broker, nor sender, nor rows differ."""
    seen = []
    for hub, names in zip(two_hubs, ((NAME, NAME), (NAME, "Bo Annen")), strict=True):
        posted = [
            pipeline.receive(hub.parts, hub.agency("prison_health"), JSON, json.dumps(what).encode())
            for what in (described(f"EPI-{index}", name) for index, name in enumerate(names))
        ]
        works = [(hub.parts.vault.read_handle(work.ref), work.shard) for work in hub.queue.ready]
        hub.drain()
        told = [hub.status("prison_health", one) for one in posted]
        seen.append((posted, works, told, [(row.state, row.code, row.due_at) for row in hub.rows()]))

    assert seen[0] == seen[1]
