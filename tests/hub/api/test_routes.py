"""Understands the REST door through its routes: who gets what, and what a refusal says."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey

from hub.api import fiks
from hub.errors import PROBLEMS, RULES_NB, Finding, HubError
from hub.message import Agency
from tests.hub import fakes

Bearer = Callable[[Agency], dict[str, str]]
JSON = {"Content-Type": "application/json"}
PROBLEM = "application/problem+json"
MEMBERS = {
    "type", "title", "title_nb", "status", "code", "actor", "waiting_helps", "findings", "instance",
}  # one row per case # fmt: skip


def problem(answer: httpx.Response, code: str) -> None:
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert set(body) == MEMBERS
    assert (body["code"], body["status"]) == (code, answer.status_code)
    assert body["type"] == f"urn:brobygger:problem:{code}"


def post(client: httpx.Client, headers: dict[str, str], body: bytes | str) -> httpx.Response:
    return client.post("/v1/messages", headers=JSON | headers, content=body)


def test_a_stored_message_is_answered_202_with_where_to_ask(client: httpx.Client, bearer: Bearer) -> None:
    answer = post(client, bearer(fakes.PRISON), '{"id": "a-1"}')

    assert answer.status_code == 202
    assert answer.json()["message_id"] == "a-1"
    assert answer.json()["duplicate"] is False
    assert answer.headers["location"] == answer.json()["status_url"] == f"/v1/messages/{answer.json()['id']}"
    status = client.get(answer.headers["location"], headers=bearer(fakes.PRISON))
    assert status.json() == {"id": answer.json()["id"], "state": "received"}


@pytest.mark.parametrize(
    ("accept", "receipt"),
    [
        ("application/xml", True),
        ("text/xml;q=1, application/json", True),
        ("application/json, application/xml", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_asks_for_xml_is_answered_by_an_apprec_with_the_same_status(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer, accept: str, receipt: bool
) -> None:
    hub.receipts = True
    headers = bearer(fakes.PRISON) | {"Accept": accept}
    taken, refused = post(client, headers, '{"id": "a-1"}'), post(client, headers, "{")

    assert (taken.status_code, refused.status_code) == (202, 400)
    if receipt:
        assert taken.headers["content-type"] == refused.headers["content-type"] == "application/xml"
        assert (taken.text, refused.text) == ("<AppRec>1</AppRec>", "<AppRec>parse.malformed</AppRec>")
        assert taken.headers["location"].startswith("/v1/messages/m_")
    else:
        assert taken.json()["message_id"] == "a-1"
        problem(refused, "parse.malformed")


def test_a_repetition_and_what_has_no_apprec_are_answered_as_ever(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    headers = bearer(fakes.PRISON) | {"Accept": "application/xml"}
    first = post(client, headers, '{"id": "a-1"}')
    hub.receipts = True
    again = post(client, headers, '{"id": "a-1"}')

    assert first.json()["duplicate"] is False
    assert (again.status_code, again.json()["duplicate"]) == (202, True)


@pytest.mark.parametrize("fault", [HubError("parse.malformed"), KeyError("x")])
@pytest.mark.parametrize("kind", ["apprec", "fiks"])
def test_a_fault_with_the_receipt_never_replaces_the_answer(
    client: httpx.Client,
    hub: fakes.FakeHub,
    bearer: Bearer,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    fault: Exception,
) -> None:
    def faulty(*_: object, **__: object) -> None:
        raise fault

    maker: tuple[object, str] = (hub, "apprec") if kind == "apprec" else (fiks, "receipt_for")
    monkeypatch.setattr(*maker, faulty)
    headers = bearer(fakes.PRISON) | {"Accept": "application/xml"}
    taken = post(client, headers, '{"id": "a-1"}')
    hub.raises = [HubError("parse.invalid")]
    refused = post(client, headers, '{"id": "a-2"}')

    assert (taken.status_code, taken.json()["message_id"]) == (202, "a-1")
    problem(refused, "parse.invalid")


@pytest.mark.parametrize("kind", ["apprec", "fiks"])
def test_a_receipt_is_made_where_it_keeps_nobody_waiting(
    client: httpx.Client,
    hub: fakes.FakeHub,
    bearer: Bearer,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """Making one reads the whole body again: not on the event loop, which serves everybody."""
    on_the_loop = []

    def made(*_: object, **__: object) -> None:
        on_the_loop.append(asyncio._get_running_loop() is not None)

    maker: tuple[object, str] = (hub, "apprec") if kind == "apprec" else (fiks, "receipt_for")
    monkeypatch.setattr(*maker, made)
    post(client, bearer(fakes.PRISON) | {"Accept": "application/xml"}, '{"id": "a-1"}')

    assert on_the_loop == [False]


def test_the_same_message_twice_is_one_message(client: httpx.Client, bearer: Bearer) -> None:
    first = post(client, bearer(fakes.PRISON), '{"id": "a-1"}')
    second = post(client, bearer(fakes.PRISON), '{"id": "a-1"}')

    assert second.status_code == 202
    assert second.json()["duplicate"] is True
    assert second.json()["id"] == first.json()["id"]


def test_the_sender_is_whom_the_token_says_and_nobody_else(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    post(client, bearer(fakes.NAV) | {"X-Sender": fakes.PRISON.org}, '{"id": "a-1", "sender": "310000108"}')

    assert [org for org, _, _ in hub.messages.values()] == [fakes.NAV.org]


def test_another_agencys_token_reads_nothing_of_ours(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    hub.inboxes[fakes.NAV.org] = {"d_1": b"<x/>"}
    sent = post(client, bearer(fakes.PRISON), '{"id": "a-1"}').json()["status_url"]

    answers = [
        client.get(sent, headers=bearer(fakes.NAV)),
        client.get("/v1/inbox/d_1", headers=bearer(fakes.PRISON)),
        client.post("/v1/inbox/d_1/acknowledgement", headers=bearer(fakes.PRISON)),
        client.get("/v1/messages/m_none", headers=bearer(fakes.NAV)),
        client.get("/v1/inbox/%0d%0aX: y", headers=bearer(fakes.NAV)),
        client.get("/v1/nowhere", headers=bearer(fakes.NAV)),
    ]

    for answer in answers:
        problem(answer, "receive.not-found")
    without_instance = [{**answer.json(), "instance": ""} for answer in answers]
    assert all(body == without_instance[0] for body in without_instance)
    assert client.get("/v1/inbox", headers=bearer(fakes.PRISON)).json() == {"entries": [], "after": None}
    assert hub.acknowledged == []


def test_the_inbox_pages_from_where_the_reader_stopped(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    hub.inboxes[fakes.NAV.org] = {"d_1": b"1", "d_2": b"2", "d_3": b"3"}

    first = client.get("/v1/inbox?limit=2", headers=bearer(fakes.NAV)).json()
    second = client.get(f"/v1/inbox?after={first['after']}", headers=bearer(fakes.NAV)).json()
    third = client.get(f"/v1/inbox?after={second['after']}", headers=bearer(fakes.NAV)).json()

    assert [entry["id"] for entry in first["entries"]] == ["d_1", "d_2"]
    assert [entry["id"] for entry in second["entries"]] == ["d_3"]
    assert third == {"entries": [], "after": "3"}


def test_a_fetched_entry_comes_in_the_readers_own_format_and_is_not_kept_on_the_way(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    hub.inboxes[fakes.NAV.org] = {"d_1": b"<sak/>"}

    answer = client.get("/v1/inbox/d_1", headers=bearer(fakes.NAV))

    assert answer.content == b"<sak/>"
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["bro-disclosure-id"] == "d_1"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_entry_may_be_acknowledged_again(client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer) -> None:
    hub.inboxes[fakes.NAV.org] = {"d_1": b"<sak/>"}

    answers = [client.post("/v1/inbox/d_1/acknowledgement", headers=bearer(fakes.NAV)) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2


def test_without_a_token_the_answer_says_how_to_come_back(client: httpx.Client, hub: fakes.FakeHub) -> None:
    for method, path in [("POST", "/v1/messages"), ("GET", "/v1/inbox"), ("GET", "/v1/inbox/d_1")]:
        answer = client.request(method, path)
        problem(answer, "receive.unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert hub.bodies == []


def test_a_read_token_cannot_post_and_a_write_token_cannot_read(
    client: httpx.Client, hub: fakes.FakeHub, issuer_key: RSAKey
) -> None:
    def only(scope: str) -> dict[str, str]:
        return {"Authorization": "Bearer " + fakes.sign(issuer_key, fakes.claims(fakes.NAV, scope=scope))}

    refused = post(client, only("bro:messages.read"), '{"id": "a"}')
    problem(refused, "receive.scope-missing")
    assert 'scope="bro:messages.write"' in refused.headers["www-authenticate"]
    problem(client.get("/v1/inbox", headers=only("bro:messages.write")), "receive.scope-missing")
    assert hub.bodies == []


def test_two_authorization_headers_are_nobody(client: httpx.Client, bearer: Bearer) -> None:
    both = [("Authorization", bearer(agency)["Authorization"]) for agency in (fakes.NAV, fakes.PRISON)]

    problem(client.get("/v1/inbox", headers=both), "receive.unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("DELETE", "/v1/messages", 405, "receive.request-invalid"),
        ("HEAD", "/v1/inbox/d_1", 405, "receive.request-invalid"),
        ("GET", "/", 404, "receive.not-found"),
        ("GET", "/docs", 404, "receive.not-found"),
        ("GET", "/v1/inbox/", 404, "receive.not-found"),
        ("GET", "/v1/inbox?limit=0", 400, "receive.request-invalid"),
        ("GET", f"/v1/inbox?limit={fakes.CANARY}", 400, "receive.request-invalid"),
        ("GET", f"/v1/inbox?after={fakes.CANARY}%20", 400, "receive.request-invalid"),
    ],
)
def test_what_the_framework_refuses_has_the_same_shape_and_repeats_nothing(
    client: httpx.Client, bearer: Bearer, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path, headers=bearer(fakes.NAV))

    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert fakes.CANARY not in answer.text
    if method != "HEAD":
        problem(answer, code)


def test_all_wrong_parameters_are_named_at_once(client: httpx.Client, bearer: Bearer) -> None:
    answer = client.get("/v1/inbox?limit=x&after=%20", headers=bearer(fakes.NAV))

    assert {finding["at"] for finding in answer.json()["findings"]} == {"query.limit", "query.after"}


@pytest.mark.parametrize(
    ("headers", "at"),
    [
        ({"Content-Type": ""}, "header.content-type"),
        ({"Content-Type": f"{fakes.CANARY}"}, "header.content-type"),
        ({"Content-Type": "application/json; charset=utf-16"}, "header.content-type"),
        ({"Content-Type": "application/json; charset=iso-8859-1"}, "header.content-type"),
        ({"Content-Type": "application/xml; charset=utf-16"}, "header.content-type"),
        ({"Content-Encoding": "gzip"}, "header.content-encoding"),
    ],
)
def test_a_body_that_is_not_plain_is_refused_by_its_headers(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer, headers: dict[str, str], at: str
) -> None:
    answer = post(client, bearer(fakes.NAV) | headers, b"{}")

    problem(answer, "receive.request-invalid")
    assert answer.json()["findings"][0]["at"] == at
    assert fakes.CANARY not in answer.text
    assert hub.bodies == []


def test_what_is_neither_xml_nor_json_may_say_another_charset(client: httpx.Client, bearer: Bearer) -> None:
    """It comes to where formats are known; here is none of that media type."""
    headers = bearer(fakes.NAV) | {"Content-Type": "text/csv; charset=windows-1252"}

    problem(post(client, headers, b"felt;verdi"), "parse.format-unknown")


def test_every_finding_reaches_the_sender_with_its_place(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    findings = [
        Finding("bolig.behov", "code", "one of: ingen, noe", 7, 3, nb="en av: ingen, noe"),
        Finding("id", "required", "an id"),
    ]
    hub.raises = [HubError("parse.invalid", findings)]

    answer = post(client, bearer(fakes.PRISON), "{}")

    problem(answer, "parse.invalid")
    code = {"at": "bolig.behov", "rule": "code", "expected": "one of: ingen, noe"}
    missing = {"at": "id", "rule": "required", "expected": "an id"}
    assert answer.json()["findings"] == [
        {**code, "expected_nb": "en av: ingen, noe", "line": 7, "column": 3},
        {**missing, "expected_nb": RULES_NB["required"], "line": None, "column": None},
    ]


SHOWN_STEPS = {"receive", "parse", "route", "consent", "hub"}
HIDDEN = [code for code in PROBLEMS if code.partition(".")[0] not in SHOWN_STEPS]


@pytest.mark.parametrize("code", HIDDEN)
def test_what_the_hub_decides_or_does_behind_the_door_is_not_told(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer, code: str
) -> None:
    hub.raises = [HubError(code, [Finding(fakes.CANARY, fakes.CANARY, fakes.CANARY)])]

    answer = client.get("/v1/inbox/d_1", headers=bearer(fakes.NAV))

    assert answer.json()["code"] in {"receive.not-found", "receive.busy", "hub.internal"}
    if code.startswith(("decide.", "seal.")):
        problem(answer, "receive.not-found")
    assert fakes.CANARY not in answer.text
    assert code not in answer.text
    assert PROBLEMS[code].title not in answer.text


def test_a_fault_of_the_hub_shows_nothing_of_what_was_in_it(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.raises = [ValueError(fakes.CANARY)]

    answer = post(client, bearer(fakes.PRISON), json.dumps({"id": fakes.CANARY}))

    problem(answer, "hub.internal")
    assert fakes.CANARY not in answer.text
    record = next(record for record in caplog.records if record.name == "hub.api.guard")
    assert record.__dict__["error"] == "ValueError"
    assert "fakes.py" in record.__dict__["where"]
    assert fakes.CANARY not in repr([record.__dict__ for record in caplog.records])


def test_when_the_store_is_away_the_sender_is_told_to_come_back(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    hub.raises = [HubError("receive.busy")]

    answer = post(client, bearer(fakes.PRISON), '{"id": "a"}')

    problem(answer, "receive.busy")
    assert answer.headers["retry-after"] == "5"


def test_health_and_metrics_need_no_token_and_tell_no_details(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json() == {"status": "ok"}
    assert client.get("/metrics").status_code == 200


def test_the_description_is_openapi_31_and_documents_every_refusal(app: FastAPI) -> None:
    schema = app.openapi()

    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            assert path.startswith(("/health", "/metrics", "/fhir/metadata")) or operation["security"], path
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    kind = "application/fhir+json" if path.startswith("/fhir/") else PROBLEM
                    receipt = ["application/xml"] if path == "/v1/messages" else []
                    assert list(response["content"]) in ([kind], [kind, *receipt]), (path, status)
                    assert response["content"][kind]["examples"], (path, status)
    text = json.dumps(schema)
    for reference in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert reference in schema["components"]["schemas"]
    assert set(schema["components"]["schemas"]["ProblemDocument"]["properties"]) == MEMBERS


def test_a_message_is_tried_with_a_scope_of_its_own(client: httpx.Client, issuer_key: RSAKey) -> None:
    def only(scope: str) -> dict[str, str]:
        return {"Authorization": "Bearer " + fakes.sign(issuer_key, fakes.claims(fakes.NAV, scope=scope))}

    def tried(headers: dict[str, str]) -> httpx.Response:
        return client.post("/v1/decisions:preview", headers=JSON | headers, content=b'{"id": "a"}')

    answer = tried(only("bro:decisions.preview"))

    assert answer.status_code == 200
    (row,) = answer.json()["recipients"]
    assert set(row) == {"agreement", "org", "name", "state", "code", "withheld"}
    problem(tried(only("bro:messages.write")), "receive.scope-missing")
    problem(tried({}), "receive.unauthenticated")
    problem(post(client, only("bro:decisions.preview"), b"{}"), "receive.scope-missing")


def test_what_is_wrong_with_a_tried_message_is_said(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer
) -> None:
    hub.raises.append(HubError("parse.invalid", [Finding("bolig.behov", "code", "one of: noe, stort")]))
    answer = client.post("/v1/decisions:preview", headers=JSON | bearer(fakes.PRISON), content=b"{}")

    problem(answer, "parse.invalid")
    assert answer.json()["findings"][0]["at"] == "bolig.behov"
