"""Understands that a KITH message gets its AppRec from the hub, and that an AppRec finds what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.apprec.adapter import BY_VERSION, TYPE
from adapters.kith_epikrise.adapter import ADAPTERS
from adapters.safe_xml import read_xml
from hub import apprec
from hub.app import new_id
from hub.errors import PROBLEMS, HubError
from hub.message import Record
from tests.adapters.national import Absent, schemas
from tests.hub.bench import XML, Bench, number, org, refusal
from tests.hub.test_reading import body as epikrise
from tests.hub.test_reading import changed

OLD, NEW = ADAPTERS
PERSON = {"id": number(0), "navn": "Testesen, Test"}
WHOLE = epikrise(person=PERSON)
SPOILT = WHOLE.replace(b"<MIGversion>", b"<MIG>").replace(b"</MIGversion>", b"</MIG>")


def receipt(bench: Bench, key: str, body: bytes) -> Record | None:
    """Post, and the receipt for how that went."""
    refused: HubError | None = None
    try:
        bench.post(key, body, XML)
    except HubError as error:
        refused = error
    given = apprec.of_message(bench.parts, bench.agency(key), body, refused)
    return None if given is None else BY_VERSION[given.adapter.rpartition("-")[2]].parse(given.body)


def codes(record: Record | None) -> tuple[str, list[str]]:
    assert record is not None
    return str(record.get("status")), [fault["kode"] for fault in record.get("feil") or []]


def old(body: bytes) -> bytes:
    return OLD.render(NEW.parse(body))


def nowhere(body: bytes) -> bytes:
    return body.replace(org("gp").encode(), b"310000027")


ANSWERS: dict[str, tuple[str, bytes, str, list[str]]] = {
    "taken in": ("prison_health", WHOLE, "mottatt", []),
    "taken in, in the older version": ("prison_health", old(WHOLE), "mottatt", []),
    "not valid": ("prison_health", SPOILT, "avvist", ["T02", "T02"]),
    "not well formed": ("prison_health", WHOLE[:-4], "avvist", ["T01"]),
    "a number without its check digits": (
        "prison_health",
        WHOLE.replace(number(0).encode(), number(0)[:-1].encode() + b"x"),
        "avvist",
        ["E31"],
    ),
    "to nobody": ("prison_health", nowhere(WHOLE), "avvist", ["E21"]),
    "from who may not send it": ("prison", WHOLE, "avvist", ["X99"]),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_follows_from_how_it_was_taken_in(
    bench: Bench, name: str, absent_reference: Absent
) -> None:
    key, body, status, expected = ANSWERS[name]
    record = receipt(bench, key, body)

    assert codes(record) == (status, expected)
    assert record is not None
    assert record.get("gjelder") in body.decode()
    if (national := schemas(1, absent_reference)) is not None:
        written = BY_VERSION["1.1"].render(record)
        assert national.findings(read_xml(written), written) == ()


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_is_the_same_whatever_the_person_has_said(bench: Bench, name: str) -> None:
    """A refusal of everything to the GP, recorded before, changes nothing in the receipt but its id."""
    key, body, _, _ = ANSWERS[name]
    before = receipt(bench, key, body)
    bench.post("prison_health", refusal("nei-1", [org("gp")]), "application/json")
    after = receipt(bench, key, body.replace(b"0d6f7c58", b"1d6f7c58"))

    assert before is not None
    assert after is not None
    assert _without_ids(after) == _without_ids(before)


def _without_ids(record: Record) -> Mapping[str, Any]:
    fields = {name: value for name, value in record.fields.items() if name != "gjelder"}
    kept = ("avsender", "mottaker")
    return {**fields, "melding": {name: record.get(f"melding.{name}") for name in kept}}


BUSY = [code for code, problem in PROBLEMS.items() if problem.waiting_helps]


@pytest.mark.parametrize("code", [*BUSY, "hub.internal", "decide.refused", "decide.withdrawn"])
def test_what_is_no_fault_of_the_message_gets_no_receipt(bench: Bench, code: str) -> None:
    assert apprec.of_message(bench.parts, bench.agency("prison_health"), WHOLE, HubError(code)) is None


@pytest.mark.parametrize("body", [b"{}", b'<Kartlegging xmlns="urn:brobygger:brik:1"/>', b"", b"\xff"])
def test_what_is_no_kith_message_gets_no_receipt(bench: Bench, body: bytes) -> None:
    sender = bench.agency("prison_health")
    for refused in (None, HubError("parse.malformed")):
        assert apprec.of_message(bench.parts, sender, body, refused) is None


def test_a_receipt_gets_no_receipt(bench: Bench) -> None:
    assert receipt(bench, "gp", BY_VERSION["1.1"].render(answer_to("x", "mottatt"))) is None


# -- and the other way: a partner answers what it got --


def answer_to(number_: str, status: str, **more: Any) -> Record:
    melding = {
        "id": f"kvittering-{status}",
        "sendt": "2026-11-20T11:00:00+01:00",
        "avsender": org("gp"),
        "mottaker": org("prison_health"),
        "svar_pa": number_,
    }
    about = {"gjelder": number_, "gjelder_type": "EPIKRISE", "gjelder_sendt": "2026-11-20T10:00:00+01:00"}
    return Record(TYPE, {"melding": melding, **about, "status": status, **more})


@pytest.mark.parametrize("version", sorted(BY_VERSION))
@pytest.mark.parametrize("by_her_id", [False, True])
def test_an_apprec_reaches_who_sent_the_message_by_the_id_it_got_and_without_words(
    bench: Bench, version: str, *, by_her_id: bool
) -> None:
    """Also where the receipt knows its recipient by a HER-id only, which the directory need not have."""
    bench.register_gp()
    changed(bench, "gp", formats={"epikrise": NEW.name})
    bench.parts = replace(bench.parts, new_id=new_id)  # as long as they are, they go out as UUIDs
    accepted = bench.post("prison_health", WHOLE, XML)
    bench.drain()
    (sent,) = [one.body for one in bench.got("gp")] or [one.body for one in bench.come_for_it("gp")]
    got = read_xml(sent)
    named = got.findtext("{*}MsgId")
    assert named
    assert len(named) == 36
    faults = [{"kode": "E35", "tekst": "Pasienten finnes ikke", "forklaring": "Kanarifugl"}]
    answer = answer_to(named, "avvist", feil=faults)
    if by_her_id:
        fields = {**answer.fields, "mottaker": {"enhet": "Helse", "her": "70001"}}
        fields["melding"] = {key: said for key, said in answer.fields["melding"].items() if key != "mottaker"}
        answer = Record(TYPE, fields)
    bench.post("gp", BY_VERSION[version].render(answer), XML)
    bench.drain()

    (back,) = [one.body for one in bench.got("prison_health")] or [
        one.body for one in bench.come_for_it("prison_health")
    ]
    said = json.loads(back)
    assert (said["type"], said["status"]) == (TYPE, "avvist")
    assert said["gjelder"] == said["melding"]["svar_pa"] == accepted.id
    assert said["feil"] == [{"kode": "E35"}]
    assert "Kanarifugl" not in back.decode()


@pytest.mark.parametrize(
    "reference",
    ["0d6f7c58-2a41-4b7e-9a53-5d1f6f2f9c99", "ingenting", "x" * 100],
    ids=["a UUID of nothing", "no UUID", "a long one"],
)
def test_an_apprec_for_nothing_is_refused(bench: Bench, reference: str) -> None:
    with pytest.raises(HubError) as refused:
        bench.post("gp", BY_VERSION["1.1"].render(answer_to(reference, "mottatt")), XML)

    assert refused.value.code == "route.reference-unknown"


def test_a_receipt_is_made_in_navs_wrapper_whatever_letters_its_elements_have(bench: Bench) -> None:
    """`Formål` is the name of an element there."""
    body = (Path(adapters.__file__).parent / "nav_dialog/examples/alt-1.0-2.xml").read_bytes()
    assert "<Formål".encode() in body

    given = apprec.of_message(bench.parts, bench.agency("prison_health"), body, None)

    assert given is not None
    record = BY_VERSION[given.adapter.rpartition("-")[2]].parse(given.body)
    assert codes(record) == ("mottatt", [])
