"""A kommune on Fiks IO: requests, answers and receipts are packages, and what comes late is not kept."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.fiks.package import MEDIA_TYPE, write_package
from adapters.fiks_svar.adapter import ADAPTER as SVAR
from hub import pipeline
from hub.errors import HubError
from hub.message import Record
from hub.store.disclosures import where
from hub.store.schema import message
from tests.hub.bench import Bench, org

PERSON = "14839030186"


def on_fiks(bench: Bench) -> None:
    """From now on the housing office gets its requests over Fiks."""
    party = bench.parts.directory[org("housing")]
    formats = {**party.agency.formats, "bolig.foresporsel": "fiks-foresporsel"}
    changed = replace(party, agency=replace(party.agency, formats=formats))
    bench.parts = replace(bench.parts, directory={**bench.parts.directory, org("housing"): changed})


def request(bench: Bench) -> tuple[dict[str, Any], dict[str, Any]]:
    """Headers and payload of the request that the office got."""
    on_fiks(bench)
    bench.post("prison_health", "samtykke-bolig.json")
    bench.post("prison", "brik.xml")
    bench.drain()
    (sent,) = (got for got in bench.got("housing") if got.body.startswith(b"PK"))
    with zipfile.ZipFile(io.BytesIO(sent.body)) as package:
        return json.loads(package.read("fiks.json")), json.loads(package.read("innhold.json"))


def answer(bench: Bench, asked: str, status: str, *, days: int) -> bytes:
    sent = bench.clock() - timedelta(hours=1)
    melding = {"id": f"svar-{status}", "sendt": sent.isoformat(timespec="seconds"), "svar_pa": asked}
    until = (sent + timedelta(days=days)).isoformat(timespec="seconds")
    fields = {"melding": melding, "person": {"id": PERSON}, "status": status, "gyldig_til": until}
    return SVAR.render(Record("bolig.svar", fields))


def receive(bench: Bench, body: bytes) -> None:
    pipeline.receive(bench.parts, bench.agency("housing"), MEDIA_TYPE, body)
    bench.drain()


def test_a_request_goes_out_as_a_package_and_its_answer_comes_back_to_the_prison(bench: Bench) -> None:
    told, payload = request(bench)

    receive(bench, answer(bench, told["KlientMeldingId"], "venteliste", days=7))

    assert told["MeldingType"] == "no.brobygger.bolig.v1.foresporsel"
    assert told["Headere"]["avsender"] == f"0192:{org('prison')}"
    assert payload["person"]["id"] == PERSON
    assert "merknad" not in payload
    got = [json.loads(rendered.body) for rendered in bench.come_for_it("prison")]
    assert [said["status"] for said in got if said["type"] == "bolig.svar"] == ["venteliste"]
    assert all("gyldig_til" not in said for said in got)


def test_a_receipt_of_fiks_reaches_the_hub_as_one(bench: Bench) -> None:
    told, _ = request(bench)
    headers = {**told, "KlientMeldingId": "kv-1", "SvarPaMelding": told["KlientMeldingId"]}
    headers["MeldingType"] = "no.brobygger.bolig.v1.mottatt"
    receive(bench, write_package({"fiks.json": json.dumps(headers).encode()}))

    with bench.parts.store.reading() as view:
        types = [row.type for row in view.execute(message.select().where(message.c.sender == org("housing")))]
    assert types == ["kvittering"]


@pytest.mark.parametrize(("hours", "kept"), [(22, True), (23, False), (24, False)])
def test_an_answer_that_comes_after_its_time_is_not_kept(bench: Bench, hours: int, kept: bool) -> None:
    told, _ = request(bench)
    body = answer(bench, told["KlientMeldingId"], "mottatt", days=1)
    bench.clock.forward(hours=hours)

    if kept:
        receive(bench, body)
    else:
        with pytest.raises(HubError) as refused:
            receive(bench, body)
        assert refused.value.code == "receive.expired"

    with bench.parts.store.reading() as view:
        stored = list(view.execute(message.select().where(message.c.sender == org("housing"))))
        assert len(stored) == kept
        assert where(view)
