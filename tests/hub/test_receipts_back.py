"""Understands that a receipt of a recipient reaches who sent the message as an AppRec that names the message
as that one named it, and says nothing else that the agreement keeps back.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Update

from adapters.apprec.adapter import BY_VERSION
from adapters.apprec.kinds import kind
from adapters.safe_xml import read_xml
from hub import answered, pipeline
from hub.app import new_id
from hub.errors import HubError
from hub.message import Record
from hub.shapes import Original
from hub.store.schema import message, person
from tests.adapters.national import Absent, schemas
from tests.hub.bench import BODIES, JSON, XML, Bench, number, org
from tests.hub.test_apprec import WHOLE, answer_to
from tests.hub.test_reading import KITH, changed
from tests.mutating import mutated

FORMATS = ("apprec-1.0", "apprec-1.1", "nav-apprec-1.0", "nav-apprec-1.1")
SENT = KITH.parse(WHOLE)
CANARY = "Kanarifugl"
FAULTS = [{"kode": "E35", "tekst": f"Ukjent {CANARY}", "forklaring": CANARY}]
OF_THE_RECIPIENT = {
    "gjelder_type": "HENVISNING",
    "gjelder_type_tekst": CANARY,
    "gjelder_sendt": "2026-11-20T10:07:33+01:00",
    "avsender": {"enhet": CANARY, "avdeling": CANARY, "behandler": CANARY},
    "mottaker": {"enhet": CANARY},
}


def arrived(bench: Bench, key: str) -> bytes:
    """What reached an agency last."""
    bench.drain()
    return ([one.body for one in bench.got(key)] or [one.body for one in bench.come_for_it(key)])[-1]


def asked(bench: Bench) -> str:
    """The id that a GP gets an epikrise under, from a prison health service that reads AppRec."""
    bench.register_gp()
    changed(bench, "gp", formats={"epikrise": KITH.name})
    bench.parts = replace(bench.parts, new_id=new_id)
    bench.post("prison_health", WHOLE, XML)
    named = read_xml(arrived(bench, "gp")).findtext("{*}MsgId")
    assert named
    return str(named)


def answer(bench: Bench, named: str, status: str = "avvist", **more: Any) -> None:
    said = answer_to(named, status, **{**OF_THE_RECIPIENT, **more})
    bench.post("gp", BY_VERSION["1.1"].render(said), XML)


@pytest.mark.parametrize("name", FORMATS)
def test_it_says_the_id_kind_and_time_that_its_reader_gave_and_nobodys_words(
    bench: Bench, name: str, absent_reference: Absent
) -> None:
    changed(bench, "prison_health", formats={"kvittering": name})
    answer(bench, asked(bench), feil=FAULTS)

    body = arrived(bench, "prison_health")

    record = bench.parts.registry.by_name(name).parse(body)
    assert {path: record.get(path) for path in ("gjelder", "gjelder_type", "gjelder_sendt")} == {
        "gjelder": SENT.get("melding.id"),
        "gjelder_type": "EPIKRISE",
        "gjelder_sendt": SENT.get("melding.sendt"),
    }
    assert record.get("gjelder_type_tekst") == "Epikrise"
    assert (record.get("status"), record.get("feil")) == ("avvist", [{"kode": "E35"}])
    assert record.get("avsender") is None
    assert record.get("melding.avsender") == org("gp")
    told = body.decode()
    assert not [word for word in (CANARY, "HENVISNING", "10:07:33") if word in told]
    if (national := schemas(1, absent_reference)) is not None:
        assert national.findings(read_xml(body), body) == ()


@pytest.mark.parametrize("name", FORMATS)
def test_a_prison_gets_the_status_alone(bench: Bench, name: str, absent_reference: Absent) -> None:
    """Of what it sent as BRIK, which list 8279 has no code for."""
    changed(bench, "prison", formats={"kvittering": name})
    bench.post("prison_health", "samtykke-nav.json")
    bench.post("prison", "brik.xml")
    bench.drain()
    [got] = bench.come_for_it("nav")
    received = json.loads(got.body)["melding"]["id"]
    said = answer_to(received, "avvist", **{**OF_THE_RECIPIENT, "feil": FAULTS, "kode": CANARY})
    melding = {**said.fields["melding"], "avsender": org("nav"), "mottaker": org("prison")}
    bench.post("nav", {"type": said.type, **said.fields, "melding": melding}, JSON)

    body = arrived(bench, "prison")

    record = bench.parts.registry.by_name(name).parse(body)
    assert (record.get("gjelder"), record.get("gjelder_type")) == ("BRIK-2026-0117", "brik.kartlegging")
    assert (record.get("status"), record.get("feil")) == ("avvist", None)
    assert not [word for word in (CANARY, "E35", "HENVISNING", "10:07:33") if word in body.decode()]
    if (national := schemas(1, absent_reference)) is not None:
        assert national.findings(read_xml(body), body) == ()


def test_other_formats_say_the_hubs_id_and_no_kind(bench: Bench) -> None:
    named = asked(bench)
    answer(bench, named)

    said = json.loads(arrived(bench, "prison_health"))

    assert said["gjelder"] == said["melding"]["svar_pa"] != SENT.get("melding.id")
    assert not {"gjelder_type", "gjelder_type_tekst", "gjelder_sendt"} & said.keys()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (message.update().values(ciphertext=None, wrapped_key=None), None),
        (message.update().values(head=None, head_key=None), "2026-11-20T09:00:00+00:00"),
        (person.update().values(wrapped_key=None), "2026-11-20T09:00:00+00:00"),
    ],
    ids=["its content", "how it was known", "the person's key"],
)
def test_what_is_said_of_it_does_not_depend_on_its_content(
    bench: Bench, gone: Update, said: str | None
) -> None:
    """Its content ends when nobody waits for anything of it any more, which only they may know. One from
    before it was kept how a message is known, and one about somebody forgotten, has the hub's own id."""
    accepted = bench.post("prison_health", WHOLE, XML)
    with bench.parts.store.writing() as tx:
        tx.execute(gone)

    [agreement] = [one for one in bench.parts.agreements if one.id == "kvittering-helse"]
    with bench.parts.store.reading() as view:
        known = answered.original(view, bench.parts, agreement, accepted.id)

    own, made = (accepted.id, said) if said else (SENT.get("melding.id"), SENT.get("melding.sendt"))
    assert known == Original(org("prison_health"), str(own), str(made), "EPIKRISE")


def receipted(bench: Bench, received: str, status: str = "mottatt") -> None:
    """NAV's receipt of what it got from the prison."""
    said = answer_to(received, status)
    melding = {**said.fields["melding"], "avsender": org("nav"), "mottaker": org("prison")}
    bench.post("nav", {"type": said.type, **said.fields, "melding": melding}, JSON)
    bench.drain()


def brik_at_nav(bench: Bench) -> str:
    """The id of a BRIK record that NAV fetched, where the prison reads AppRec."""
    changed(bench, "prison", formats={"kvittering": "apprec-1.1"})
    bench.post("prison_health", "samtykke-nav.json")
    bench.post("prison", "brik.xml")
    bench.drain()
    [got] = bench.come_for_it("nav")
    return str(json.loads(got.body)["melding"]["id"])


@pytest.mark.parametrize(("status", "arrives"), [("mottatt", 2), ("startet", 1), ("avsluttet", 1)])
def test_a_receipt_that_no_apprec_says_is_not_sent_and_nobody_waits_behind_it(
    bench: Bench, status: str, arrives: int
) -> None:
    received = brik_at_nav(bench)
    receipted(bench, received, status)
    answer = json.loads((BODIES / "nav-svar.json").read_text())
    answer["melding"]["svar_pa"] = received

    bench.post("nav", answer, JSON)
    bench.drain()

    assert len(bench.come_for_it("prison")) == arrives
    assert "parked" not in {row.state for row in bench.rows("prison")}


def test_a_receipt_of_a_notice_does_not_go_back_to_who_may_not_know_of_it(bench: Bench) -> None:
    brik_at_nav(bench)
    bench.clock.forward(minutes=5)
    withdrawn = json.loads((BODIES / "samtykke-nav.json").read_text())
    now = "2026-11-20T09:00:00+01:00"
    bench.post(
        "prison",
        {
            "type": "samtykke.trukket",
            "melding": {"id": "trekk-1", "sendt": now},
            "person": {"id": withdrawn["person"]["id"]},
            "omfang": "alle_samtykker",
            "signert": True,
            "tidspunkt": now,
        },
        JSON,
    )
    bench.drain()
    [notice] = bench.come_for_it("nav")

    receipted(bench, json.loads(notice.body)["melding"]["id"])

    assert bench.come_for_it("prison") == []


def told_to(bench: Bench, sender: str) -> Record:
    """What a GP would read of a receipt for what `sender` sent."""
    receipt = answer_to("m-1", "mottatt")
    bare = {name: receipt.fields[name] for name in ("melding", "status", "gjelder")}
    original = Original(org(sender), "egen-1", "2026-11-20T08:00:00+01:00", "EPIKRISE")
    gp = replace(bench.agency("gp"), formats={"kvittering": "apprec-1.1"})
    body = pipeline.render(bench.parts, gp, Record(receipt.type, bare), original).body
    return BY_VERSION["1.1"].parse(body)


@pytest.mark.parametrize(("said", "words"), [("EPIKRISE", "Epikrise"), ("brik.kartlegging", None)])
def test_no_word_of_the_answer_stands_beside_what_is_said_back(
    bench: Bench, said: str, words: str | None
) -> None:
    receipt = answer_to("m-1", "mottatt", **OF_THE_RECIPIENT)
    original = Original(org("gp"), "egen-1", "2026-11-20T08:00:00+01:00", said)

    there = answered.said_back(receipt, original)

    assert there.get("gjelder_type_tekst") == words
    assert there.get("gjelder") == there.get("melding.svar_pa") == "egen-1"


def test_nobody_but_who_sent_it_is_told_its_id_kind_and_time(bench: Bench) -> None:
    assert told_to(bench, "gp").get("gjelder") == "egen-1"
    with pytest.raises(HubError) as refused:
        told_to(bench, "prison_health")
    assert refused.value.code == "render.incomplete"
    with mutated(pipeline, " and original.sender == recipient.org", ""):
        assert told_to(bench, "prison_health").get("gjelder") == "egen-1"


def test_only_a_receipt_that_goes_back_asks_for_what_it_answers(bench: Bench) -> None:
    accepted = bench.post("prison", "brik.xml")
    agreements = {one.id: one for one in bench.parts.agreements}

    def of(name: str, message_id: str | None = accepted.id, **otherwise: Any) -> Original | None:
        with bench.parts.store.reading() as view:
            agreement = replace(agreements[name], **otherwise)
            return answered.original(view, bench.parts, agreement, message_id)

    assert of("kvittering-fengsel") == Original(
        org("prison"), "BRIK-2026-0117", "2026-11-03T08:30:00+01:00", "brik.kartlegging"
    )
    assert of("kvittering-fengsel", route="addressed") is None
    assert of("kvittering-fengsel", None) is None
    assert of("kvittering-fengsel", "ukjent") is None
    assert of("nav-svar-fengsel") is None


@pytest.mark.parametrize(
    ("type_name", "said", "expected"),
    [
        ("epikrise", None, "EPIKRISE"),
        ("henvisning", None, "HENVISNING"),
        ("henvisning", "HENVISNING_VIDERE", "HENVISNING_VIDERE"),
        ("pleie.soknad", None, "HELSEOPPL_SOKNAD"),
        ("pleie.rapport", "INNLEGGELSESRAPPORT", "INNLEGGELSESRAPPORT"),
        ("dialogmelding", "DIALOG_SVAR", "DIALOG_SVAR"),
        ("dialogmelding", None, "dialogmelding"),
        ("bolig.foresporsel", None, "bolig.foresporsel"),
    ],
)
def test_the_kind_is_that_of_list_8279_where_it_has_one(
    type_name: str, said: str | None, expected: str
) -> None:
    assert kind(type_name, said) == expected


def test_a_person_is_named_by_no_apprec(bench: Bench) -> None:
    changed(bench, "prison_health", formats={"kvittering": "apprec-1.1"})
    answer(bench, asked(bench))

    assert number(0) not in arrived(bench, "prison_health").decode()
