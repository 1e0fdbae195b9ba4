"""Taking in: once, whole, and in the order of versions, however many come at the same time."""

from __future__ import annotations

import itertools
import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hub.errors import Finding, HubError
from hub.message import Outcome
from hub.shapes import Accepted
from hub.store import messages, people
from hub.store.disclosures import State
from hub.store.schema import audit_leaf, disclosure, identifier, message, person
from mappings.identifiers import Numbers
from tests.hub.bench import (
    JSON,
    XML,
    Bench,
    consent,
    fields,
    number,
    org,
    referral,
    release_date,
    run_together,
    xml_brik,
)
from tests.mappings.samples import some_number

TABLES = (message, disclosure, person, identifier, audit_leaf)


def counts(bench: Bench) -> list[int]:
    with bench.parts.store.reading() as view:
        return [view.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


def test_the_same_message_again_is_the_same_message(either: Bench) -> None:
    first = either.post("prison", "brik.xml")
    before = counts(either)
    again = either.post("prison", "brik.xml")
    assert again == Accepted(first.id, duplicate=True, message_id=first.message_id)
    assert counts(either) == before


def test_the_same_id_with_other_content_is_refused_and_changes_nothing(either: Bench) -> None:
    either.post("prison", "brik.xml")
    before = counts(either)
    other = xml_brik().replace(b"Avdeling B", b"Avdeling C")
    with pytest.raises(HubError) as refused:
        either.post("prison", other, XML)
    line = other[: other.index(b"<Melding>") + 20].count(b"\n") + 1
    told = [(one.at, one.rule, one.line) for one in refused.value.findings]
    assert (refused.value.code, told) == ("receive.duplicate-id", [("/Kartlegging/Melding/Id", "used", line)])
    assert counts(either) == before


def test_a_format_that_cannot_tell_where_takes_no_refusal_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(body: bytes, found: object) -> list[Finding]:
        raise KeyError("15859010250")

    bench.post("prison", "brik.xml")
    adapter = bench.parts.registry.by_name("brik-xml")
    monkeypatch.setattr(
        type(bench.parts.registry), "recognise", lambda self, media, body: replace(adapter, locate=breaks)
    )
    used = xml_brik().replace(b"Avdeling B", b"Avdeling C")
    unsound = xml_brik(message_id="B2").replace(b"<Sum>22", b"<Sum>23")

    told = ((used, "receive.duplicate-id", "melding.id"), (unsound, "parse.invalid", "rus.audit.sum"))
    for body, code, at in told:
        with pytest.raises(HubError) as refused:
            bench.post("prison", body, XML)
        assert refused.value.code == code
        assert [one.at for one in refused.value.findings] == [at]


def test_a_time_in_plain_json_may_say_more_than_microseconds(bench: Bench) -> None:
    said = release_date(1)
    said["melding"]["sendt"] = "2026-10-21T09:30:00.1234567+02:00"

    accepted = bench.post("prison", said)

    with bench.parts.store.reading() as view:
        stored = messages.load(view, accepted.id)
        assert stored is not None
        owner = people.load(view, stored.person_id)
        kept = messages.open_record(view, bench.parts.vault, owner, stored)
    assert kept.get("melding.sendt") == "2026-10-21T09:30:00.123456+02:00"


def test_what_the_type_refuses_is_told_by_line_and_column_of_the_senders_own_json(bench: Bench) -> None:
    body = json.dumps(fields("loslatelse-3.json"), indent=1).replace('"versjon": 3', '"versjon": 0')
    line = next(n for n, text in enumerate(body.split("\n"), 1) if '"versjon"' in text)

    with pytest.raises(HubError) as refused:
        bench.post("prison", body.encode(), JSON)

    (found,) = refused.value.findings
    assert (found.at, found.rule, found.line) == ("loslatelse.versjon", "range", line)
    assert found.column == body.split("\n")[line - 1].index("0") + 1


@pytest.mark.parametrize(
    ("takes", "number", "taken"),
    [
        (Numbers.ALL, some_number(15, 85), True),
        (Numbers.SYNTHETIC, some_number(15, 85), True),
        (Numbers.REAL, some_number(15, 85), False),
        (Numbers.ALL, some_number(15, 5), True),
        (Numbers.SYNTHETIC, some_number(15, 5), False),
        (Numbers.REAL, some_number(15, 5), True),
    ],
)
def test_a_hub_takes_the_numbers_it_is_set_to(bench: Bench, takes: Numbers, number: str, taken: bool) -> None:
    bench.parts = replace(bench.parts, numbers=takes)
    said = fields("loslatelse-3.json") | {"person": {"id": number}}
    before = counts(bench)

    if taken:
        bench.post("prison", said)
        return
    with pytest.raises(HubError) as refused:
        bench.post("prison", said)

    found = [(finding.at, finding.rule) for finding in refused.value.findings]
    assert (refused.value.code, found) == ("parse.invalid", [("person.id", "numbers")])
    assert number not in str(refused.value.findings)
    assert counts(bench) == before


def test_an_id_belongs_to_its_sender(either: Bench) -> None:
    said = fields("samtykke-nav.json")
    one, two = either.post("prison_health", said), either.post("prison", consent_with_same_id(said))
    assert one.id != two.id
    assert not two.duplicate


def consent_with_same_id(said: dict[str, object]) -> dict[str, object]:
    other = consent("samtykke-bolig.json", "another")
    other["melding"] = said["melding"]
    return other


@pytest.mark.parametrize("what", ["brik", "consent", "referral"])
def test_eight_identical_posts_at_once_are_one_message(either: Bench, what: str) -> None:
    def post() -> Accepted:
        if what == "brik":
            return either.post("prison", "brik.xml")
        if what == "consent":
            return either.post("prison_health", "samtykke-nav.json")
        return either.post("prison_health", "henvisning-2.json")

    answers = run_together(*[post] * 8)
    assert all(isinstance(answer, Accepted) for answer in answers), answers
    assert len({answer.id for answer in answers}) == 1
    assert [answer.duplicate for answer in answers].count(False) == 1
    assert counts(either)[0] == 1


def test_eight_different_contents_under_one_id_are_one_message_and_seven_refusals(either: Bench) -> None:
    posts = [xml_brik().replace(b"Avdeling B", f"Avdeling {index}".encode()) for index in range(8)]
    answers = run_together(*[lambda body=body: either.post("prison", body, XML) for body in posts])
    assert sum(isinstance(answer, Accepted) for answer in answers) == 1
    refused = [answer.code for answer in answers if isinstance(answer, HubError)]
    assert refused == ["receive.duplicate-id"] * 7
    assert counts(either)[0] == 1


def test_first_messages_about_one_person_at_once_make_one_person(either: Bench) -> None:
    posts = [
        lambda: either.post("prison", "brik.xml"),
        lambda: either.post("prison_health", "epikrise.fhir.json"),
        lambda: either.post("prison_health", "samtykke-nav.json"),
        lambda: either.post("prison", release_date(1)),
        *(lambda index=index: either.post("prison_health", referral(f"H-{index}")) for index in range(4)),
    ]
    answers = run_together(*posts)
    assert all(isinstance(answer, Accepted) for answer in answers), answers
    assert len(either.people()) == 1
    assert counts(either)[0] == 8
    places = [row.place for row in either.rows()]
    assert len(places) == len(set(places))


def test_messages_about_many_persons_at_once_are_all_taken_in(either: Bench) -> None:
    posts = [
        lambda who=who: either.post("prison", xml_brik(message_id=f"B-{who}", who=who), XML)
        for who in range(8)
    ]
    answers = run_together(*posts)
    assert all(isinstance(answer, Accepted) for answer in answers), answers
    assert len(either.people()) == 8


def test_no_number_stands_in_clear_anywhere(bench: Bench) -> None:
    bench.post("prison_health", "samtykke-nav.json")
    bench.post("prison", "brik.xml")
    bench.drain()
    bench.come_for_it("nav")
    bench.verify()
    database = Path(str(bench.parts.store.engine.url.database))
    content = b"".join(
        path.read_bytes() for path in database.parent.glob(f"{database.name}*") if path.is_file()
    )
    assert bench.row("nav").id.encode() in content
    for word in (number(0), "Ask Prøvestad", "Avdeling B", "BRIK-2026-0117", "skjema-1-nav", "rusmilj"):
        assert word.encode() not in content


def test_when_the_broker_is_away_the_message_is_safe_and_goes_later(either: Bench) -> None:
    either.queue.away = True
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", "henvisning-2.json")
    either.queue.away = False
    either.drain()
    assert either.got("tsb") == []
    either.clock.forward(minutes=2)
    either.sweep()
    either.drain()
    assert len(either.got("tsb")) == 1


@pytest.mark.parametrize(
    ("sender", "change", "code"),
    [
        ("nav", {}, "route.type-not-yours"),
        (
            "prison_health",
            {"melding": {"id": "H", "sendt": "2026-11-11T13:00:00+01:00"}},
            "route.recipient-unknown",
        ),
        ("prison_health", {"rus": {"behov": "umulig"}}, "parse.invalid"),
        ("prison_health", {"type": "finnes.ikke"}, "parse.format-unknown"),
    ],
)
def test_what_is_refused_leaves_nothing(
    either: Bench, sender: str, change: dict[str, object], code: str
) -> None:
    with pytest.raises(HubError) as refused:
        either.post(sender, referral("H-1") | change)
    assert refused.value.code == code
    assert counts(either)[0] == 0
    assert counts(either)[1] == 0
    assert not either.queue.ready


@pytest.mark.parametrize("answered", ["no-such-id", "of another", "not handed over"])
def test_an_answer_to_something_one_never_got_is_refused(either: Bench, answered: str) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison_health", "samtykke-bolig.json")
    either.post("prison", "brik.xml")
    either.drain()
    reference = {
        "no-such-id": "no-such-id",
        "of another": either.rows("housing")[0].id,
        "not handed over": either.row("nav").id,
    }[answered]
    said = fields("nav-svar.json")
    said["melding"]["svar_pa"] = reference
    with pytest.raises(HubError) as refused:
        either.post("nav", said)
    assert refused.value.code == "route.reference-unknown"


def test_an_answer_about_somebody_else_is_refused(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    [asked] = either.come_for_it("nav")
    said = fields("nav-svar.json", who=3)
    said["melding"]["svar_pa"] = json.loads(asked.body)["melding"]["id"]
    with pytest.raises(HubError) as refused:
        either.post("nav", said)
    assert refused.value.code == "route.reference-unknown"


# Versions


def told(bench: Bench) -> list[int]:
    """The release-date versions NAV was told, in the order it heard them."""
    days = []
    for rendered in bench.come_for_it("nav"):
        said = json.loads(rendered.body)
        if said["type"] == "opphold.loslatelsesdato":
            days.append(int(said["loslatelse"]["planlagt_dato"][-2:]))
    return days


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3, 4))), ids=str)
@pytest.mark.parametrize("drained", ["after each", "at the end"])
def test_whatever_the_order_nobody_hears_an_older_date_after_a_newer(
    bench: Bench, order: tuple[int, ...], drained: str
) -> None:
    bench.post("prison_health", "samtykke-nav.json")
    bench.post("prison", "brik.xml")
    bench.drain()
    bench.come_for_it("nav")
    heard = []
    for version in order:
        bench.post("prison", release_date(version))
        if drained == "after each":
            bench.drain()
            heard += told(bench)
    bench.drain()
    heard += told(bench)
    assert heard == sorted(heard)
    assert heard[-1] == 4
    if drained == "at the end":
        assert heard == [4]
    assert bench.verify().whole


def test_a_newer_date_takes_the_older_one_out_of_the_inbox(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    either.come_for_it("nav")
    either.post("prison", release_date(1))
    either.drain()
    [old] = either.listed("nav")
    either.post("prison", release_date(2))
    assert either.listed("nav") == []
    assert either.column(old, "wrapped_key") is None
    either.drain()
    assert told(either) == [2]


def test_two_series_do_not_meet(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.post("prison", release_date(2, series="a"))
    either.post("prison", release_date(1, series="b"))
    either.post("prison_health", consent("samtykke-nav.json", "n1", who=1))
    either.post("prison", xml_brik(message_id="other", who=1), XML)
    either.post("prison", release_date(1, series="a2", who=1))
    either.drain()
    assert sorted(told(either)) == [1, 1, 2]


def test_versions_that_come_at_once_end_with_the_highest(either: Bench) -> None:
    either.post("prison_health", "samtykke-nav.json")
    either.post("prison", "brik.xml")
    either.drain()
    either.come_for_it("nav")
    answers = run_together(
        *[lambda version=version: either.post("prison", release_date(version)) for version in range(1, 7)]
    )
    assert all(isinstance(answer, Accepted) for answer in answers), answers
    either.drain()
    assert told(either) == [6]
    offered = [
        row for row in either.rows("nav", agreement="loslatelsesdato-nav") if row.state is not State.DONE
    ]
    assert offered == []


def test_a_newer_date_that_comes_while_the_older_is_being_sent_comes_after_it(either: Bench) -> None:
    """What was sent is on record as sent, although it was overtaken in that moment."""
    either.post("prison_health", "samtykke-bolig.json")
    either.post("prison", "brik.xml")
    either.drain()
    before = len(either.got("housing"))
    either.post("prison", release_date(1))
    answers: list[object] = []

    def overtake(permit: object) -> None:
        either.push.meanwhile = lambda permit: None
        thread = threading.Thread(
            target=lambda: answers.extend(run_together(lambda: either.post("prison", release_date(2)))),
            daemon=True,
        )
        thread.start()
        thread.join(1.0)

    either.push.meanwhile = overtake
    either.drain()
    deadline = time.monotonic() + 10
    while not answers and time.monotonic() < deadline:
        time.sleep(0.01)
    assert isinstance(answers[0], Accepted), answers
    either.queue.soon()
    either.drain()
    days = [json.loads(sent.body)["loslatelse"]["planlagt_dato"] for sent in either.got("housing")[before:]]
    assert days == ["2027-04-01", "2027-04-02"]
    sent = [row for row in either.rows("housing") if row.agreement == "loslatelsesdato-bolig"]
    assert [row.outcome for row in sent if row.revision == 1] == [Outcome.DELIVERED, Outcome.DELIVERED]
    assert either.verify().whole


def test_what_is_overtaken_lets_what_waits_behind_it_go(either: Bench) -> None:
    either.post("prison_health", "samtykke-bolig.json")
    either.post("prison", "brik.xml")
    either.drain()
    before = len(either.got("housing"))
    either.push.fail[org("housing")] = ["unavailable"]
    either.post("prison", release_date(1))
    either.post("prison", release_date(1, series="other"))
    either.drain()
    either.post("prison", release_date(2))
    either.drain()
    assert len(either.got("housing")) - before == 2


def test_a_protected_address_that_comes_while_something_is_sent_waits_for_it(either: Bench) -> None:
    """After its answer nothing leaves; so it is answered when what is on its way has arrived."""
    either.post("prison_health", "samtykke-tsb.fhir.json")
    either.post("prison_health", "henvisning-2.json")
    graded = release_date(1)
    graded["person_adressegradering"] = "fortrolig"
    happened: list[str] = []

    def protect(permit: object) -> None:
        def post() -> None:
            either.post("prison", graded)
            happened.append("protected")

        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        thread.join(0.5)
        happened.append("sent")

    either.push.meanwhile = protect
    either.drain()
    deadline = time.monotonic() + 10
    while len(happened) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert happened == ["sent", "protected"]
