"""A package of Fiks gets a package back, if its sender takes one, and never more than anybody would be told."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapters.fiks.package import MEDIA_TYPE
from adapters.fiks_kvittering.adapter import ADAPTER as KVITTERING
from adapters.fiks_svar.adapter import ADAPTER as SVAR
from hub.errors import Finding, HubError
from hub.message import Agency, Record
from mappings.types import load_types
from tests.hub import fakes

Bearer = Callable[[Agency], dict[str, str]]
PACKAGE = {"Content-Type": MEDIA_TYPE, "Accept": f"application/json;q=0.5, {MEDIA_TYPE}"}
MELDING = {"id": "svar-1", "sendt": "2030-02-04T09:30:00+01:00", "svar_pa": "fsp-1"}
BODY = SVAR.render(Record("bolig.svar", {"melding": MELDING, "status": "mottatt"}))
KVITTERING_TYPE = load_types()["kvittering"]


def unpacked(answer: httpx.Response) -> tuple[dict[str, Any], dict[str, Any] | None]:
    assert answer.headers["content-type"] == MEDIA_TYPE
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        names = package.namelist()
        payload = json.loads(package.read("innhold.json")) if "innhold.json" in names else None
        return json.loads(package.read("fiks.json")), payload


def post(client: httpx.Client, bearer: Bearer, body: bytes = BODY, **headers: str) -> httpx.Response:
    return client.post("/v1/messages", headers={**PACKAGE, **headers, **bearer(fakes.PRISON)}, content=body)


def test_what_is_stored_is_receipted_as_received(client: httpx.Client, bearer: Bearer) -> None:
    answer = post(client, bearer)

    headers, payload = unpacked(answer)
    record = KVITTERING.parse(answer.content)
    assert (answer.status_code, payload) == (202, None)
    assert headers["MeldingType"] == "no.brobygger.bolig.v1.mottatt"
    assert (headers["SvarPaMelding"], headers["KlientKorrelasjonsId"]) == ("svar-1", "fsp-1")
    assert KVITTERING_TYPE.check(record.fields) == ()
    assert (record.get("gjelder"), record.get("status")) == ("svar-1", "mottatt")


@pytest.mark.parametrize(
    ("code", "status", "kind", "told"),
    [
        ("parse.invalid", 422, "no.brobygger.bolig.v1.feilmelding.ugyldigforespoersel", "parse.invalid"),
        ("route.move-not-allowed", 409, "no.brobygger.bolig.v1.feilmelding.ugyldigforespoersel", "route.move-not-allowed"),
        ("route.reference-unknown", 422, "no.brobygger.bolig.v1.feilmelding.ikkefunnet", "route.reference-unknown"),
        ("receive.busy", 503, "no.brobygger.bolig.v1.feilmelding.serverfeil", "receive.busy"),
        ("hub.internal", 500, "no.brobygger.bolig.v1.feilmelding.serverfeil", "hub.internal"),
        ("map.invalid", 500, "no.brobygger.bolig.v1.feilmelding.serverfeil", "hub.internal"),
        ("decide.refused", 404, "no.brobygger.bolig.v1.feilmelding.ikkefunnet", "receive.not-found"),
        ("receive.expired", 410, "no.ks.fiks.kvittering.tidsavbrudd", None),
    ],
)  # one row per case # fmt: skip
def test_what_is_refused_is_receipted_by_its_kind_and_tells_what_anybody_would_be_told(
    client: httpx.Client,
    hub: fakes.FakeHub,
    bearer: Bearer,
    code: str,
    status: int,
    kind: str,
    told: str | None,
) -> None:
    hub.raises = [HubError(code, [Finding("status", "move", "one of: avslag", 3, 7, nb="en av: avslag")])]

    answer = post(client, bearer)

    headers, payload = unpacked(answer)
    record = KVITTERING.parse(answer.content)
    assert (answer.status_code, headers["MeldingType"]) == (status, kind)
    assert (payload or {}).get("feilId") == told
    found = [{"sti": "status", "regel": "move", "ventet": "en av: avslag", "linje": 3, "kolonne": 7}]
    assert (payload or {}).get("funn") == (found if told == code else None)
    assert KVITTERING_TYPE.check(record.fields) == ()
    assert record.get("status") == "avvist"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {"Accept": "application/json"}),
        (BODY, {"Accept": "*/*"}),
        (b'{"id": "a-1"}', {"Content-Type": "application/json"}),
        (b"PK\x03\x04 noe annet", {}),
    ],
)
def test_everybody_else_gets_the_plain_answer(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer, body: bytes, headers: dict[str, str]
) -> None:
    hub.raises = [HubError("parse.malformed", [Finding("body", "package", "a sound zip")])]

    answer = post(client, bearer, body, **headers)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
