"""Understands that a receipt of a recipient reaches who sent the message as an AppRec that names the message
as that one named it, and says nothing else that the agreement keeps back.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from adapters.apprec.adapter import BY_VERSION
from adapters.apprec.kinds import kind
from adapters.safe_xml import read_xml
from hub import answered, pipeline
from hub.app import new_id
from hub.errors import HubError
from hub.message import Record
from hub.shapes import Original
from hub.store.schema import message
from tests.adapters.national import Absent, schemas
from tests.hub.bench import JSON, XML, Bench, number, org
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


def test_when_the_content_is_gone_it_says_what_the_hub_told_of_it(bench: Bench) -> None:
    changed(bench, "prison_health", formats={"kvittering": "apprec-1.1"})
    named = asked(bench)
    with bench.parts.store.writing() as tx:
        tx.execute(update(message).values(ciphertext=None, wrapped_key=None))
    answer(bench, named, "mottatt")

    record = BY_VERSION["1.1"].parse(arrived(bench, "prison_health"))

    [row] = [row for row in bench.rows("gp") if row.revision == 1]
    assert record.get("gjelder") == row.message_id
    assert record.get("gjelder_type") == "EPIKRISE"
    assert record.get("gjelder_sendt") == "2026-11-20T09:00:00+00:00"


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

    there = answered.said_back(bench.parts, receipt, original)

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
    ("type_name", "fields", "expected"),
    [
        ("epikrise", {}, "EPIKRISE"),
        ("epikrise", None, "EPIKRISE"),
        ("henvisning", {}, "HENVISNING"),
        ("henvisning", {"meldingstype": "HENVISNING_VIDERE"}, "HENVISNING_VIDERE"),
        ("pleie.soknad", {}, "HELSEOPPL_SOKNAD"),
        ("pleie.rapport", {"meldingstype": "INNLEGGELSESRAPPORT"}, "INNLEGGELSESRAPPORT"),
        ("dialogmelding", {"meldingstype": "DIALOG_SVAR"}, "DIALOG_SVAR"),
        ("dialogmelding", None, "dialogmelding"),
        ("bolig.foresporsel", {}, "bolig.foresporsel"),
    ],
)
def test_the_kind_is_that_of_list_8279_where_it_has_one(
    type_name: str, fields: dict[str, str] | None, expected: str
) -> None:
    assert kind(type_name, None if fields is None else Record(type_name, fields)) == expected


def test_a_person_is_named_by_no_apprec(bench: Bench) -> None:
    changed(bench, "prison_health", formats={"kvittering": "apprec-1.1"})
    answer(bench, asked(bench))

    assert number(0) not in arrived(bench, "prison_health").decode()
