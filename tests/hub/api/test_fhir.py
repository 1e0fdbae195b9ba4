"""Understands that the FHIR door takes what the other one takes, and says no in FHIR's own words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome

import adapters
from adapters.registry import ADAPTERS
from hub.api import fhir
from hub.errors import PROBLEMS, Finding, HubError
from hub.message import Agency
from tests.hub import fakes

Bearer = Callable[[Agency], dict[str, str]]
JSON, XML = "application/fhir+json", "application/fhir+xml"
EXAMPLES = {
    "Bundle": "fhir_epikrise/examples/epikrise.json",
    "$process-message": "fhir_tsb/examples/henvisning.json",
    "Consent": "fhir_consent/examples/nektelse.json",
    "QuestionnaireResponse": "fhir_brik/examples/kartlegging.json",
    "Task": "fhir_task/examples/kvittering.json",
}
ISSUE_TYPES = {
    "login", "forbidden", "too-long", "duplicate", "invalid", "not-found", "transient", "not-supported",
    "structure", "security", "exception", "business-rule",
}  # one row per case # fmt: skip


@pytest.fixture(autouse=True)
def seen(hub: fakes.FakeHub, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What the hub was given: media type and body. The same body is the same message."""
    found: list[tuple[str, bytes]] = []
    stores = hub.receive

    def receive(sender: Agency, media_type: str, body: bytes) -> fakes.Stored:
        found.append((media_type, body))
        named = json.dumps({"id": hashlib.sha256(body).hexdigest()[:16]})
        return stores(sender, "application/json", named.encode())

    monkeypatch.setattr(hub, "receive", receive)
    return found


def example(name: str) -> bytes:
    return (Path(adapters.__file__).parent / EXAMPLES[name]).read_bytes()


def in_xml(name: str) -> bytes:
    folder = EXAMPLES[name].split("/")[0].replace("_", "-")
    as_json, as_xml = (next(a for a in ADAPTERS if a.name == n) for n in (folder, f"{folder}-xml"))
    return as_xml.render(as_json.parse(example(name)))


def outcome(answer: httpx.Response, status: int, code: str) -> Any:
    assert answer.status_code == status
    assert answer.headers["content-type"] == JSON
    assert answer.headers["cache-control"] == "no-store"
    OperationOutcome.model_validate(answer.json())
    issues = answer.json()["issue"]
    assert {issue["details"]["coding"][0]["code"] for issue in issues} == {code}
    assert {issue["code"] for issue in issues} <= ISSUE_TYPES
    return issues


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_posted_is_stored_as_it_would_be_at_the_other_door(
    client: httpx.Client, seen: list[tuple[str, bytes]], bearer: Bearer, name: str
) -> None:
    answers = [
        client.post(f"/fhir/{name}", headers=bearer(fakes.PRISON) | {"Content-Type": media}, content=body)
        for media, body in ((JSON, example(name)), (XML, in_xml(name)))
    ]

    for answer in answers:
        assert answer.status_code == 202
        assert answer.headers["content-type"] == JSON
        OperationOutcome.model_validate(answer.json())
        assert answer.json()["issue"][0]["severity"] == "information"
        assert f"GET {answer.headers['location']} " in answer.json()["issue"][0]["diagnostics"]
    assert answers[0].headers["location"].startswith("/v1/messages/")
    assert seen == [(JSON, example(name)), (XML, in_xml(name))]
    assert client.get(answers[0].headers["location"], headers=bearer(fakes.PRISON)).status_code == 200


def test_the_same_again_is_told_as_that(client: httpx.Client, bearer: Bearer) -> None:
    posted = bearer(fakes.PRISON) | {"Content-Type": JSON}

    codes = [
        client.post("/fhir/Task", headers=posted, content=example("Task")).json()["issue"][0]["code"]
        for _ in range(2)
    ]

    assert codes == ["informational", "duplicate"]


def test_a_resource_at_another_ones_address_is_not_taken(
    client: httpx.Client, seen: list[tuple[str, bytes]], bearer: Bearer
) -> None:
    for media, body in (
        (JSON, example("Consent")),
        (XML, in_xml("Consent")),
        (JSON, b'{"type":"kvittering"}'),
    ):
        answer = client.post(
            "/fhir/Task", headers=bearer(fakes.PRISON) | {"Content-Type": media}, content=body
        )
        issues = outcome(answer, 415, "parse.format-unknown")
        assert issues[0]["expression"] == ["body"]
    assert seen == []


def test_a_body_of_another_media_type_is_not_taken(client: httpx.Client, bearer: Bearer) -> None:
    posted = bearer(fakes.PRISON) | {"Content-Type": "text/plain"}

    outcome(client.post("/fhir/Task", headers=posted, content=b"x"), 415, "parse.format-unknown")


def test_a_malformed_body_tells_its_line_and_column(client: httpx.Client, bearer: Bearer) -> None:
    posted = bearer(fakes.PRISON) | {"Content-Type": JSON}

    [issue] = outcome(
        client.post("/fhir/Task", headers=posted, content=b'{"a":1,\n "a":2}'), 400, "parse.malformed"
    )

    places = {one["url"].rpartition("-")[2]: one["valueInteger"] for one in issue["extension"]}
    assert places == {"line": 2, "col": 2}


def test_without_a_token_nothing_is_taken(client: httpx.Client, seen: list[tuple[str, bytes]]) -> None:
    for name in EXAMPLES:
        answer = client.post(f"/fhir/{name}", headers={"Content-Type": JSON}, content=example(name))
        outcome(answer, 401, "receive.unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert seen == []


def test_what_is_not_there_and_what_may_not_be_done_is_said_in_fhir_too(
    client: httpx.Client, bearer: Bearer
) -> None:
    outcome(client.get("/fhir/Patient/1", headers=bearer(fakes.NAV)), 404, "receive.not-found")
    outcome(client.get("/fhir", headers=bearer(fakes.NAV)), 404, "receive.not-found")
    outcome(client.delete("/fhir/Consent", headers=bearer(fakes.NAV)), 405, "receive.request-invalid")
    assert (
        client.get("/fhirs", headers=bearer(fakes.NAV)).headers["content-type"] == "application/problem+json"
    )


def test_the_capability_statement_is_open_and_says_what_is_there(client: httpx.Client) -> None:
    answer = client.get("/fhir/metadata")
    described = client.get("/openapi.json").json()["paths"]

    assert answer.headers["content-type"] == JSON
    CapabilityStatement.model_validate(answer.json())
    [rest] = answer.json()["rest"]
    told = {f"/fhir/{one['type']}" for one in rest["resource"]} | {
        f"/fhir/${one['name']}" for one in rest["operation"]
    }
    assert told == {path for path in described if path.startswith("/fhir/")} - {"/fhir/metadata"}


def test_every_refusal_is_valid_fhir_and_no_more_than_the_other_door_tells() -> None:
    for code in PROBLEMS:
        finding = Finding("a.b", "rule", "something", 3, 4)
        said = fhir.outcome(code, (finding,))
        OperationOutcome.model_validate(said)
        told = said["issue"][0]["details"]["coding"][0]["code"]
        assert told == code or "expression" not in said["issue"][0], code
        assert not told.startswith(("decide.", "seal."))
    assert fhir.ISSUES.keys() <= PROBLEMS.keys()
    assert set(fhir.ISSUES.values()) < ISSUE_TYPES


def test_a_refusal_of_the_hub_keeps_its_status_and_its_findings(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise HubError(
            "parse.invalid", [Finding("a", "x", "y", 1, 2), Finding("b", "x", "y", 3, 4, "på norsk")]
        )

    monkeypatch.setattr(hub, "receive", refuses)

    issues = outcome(
        client.post(
            "/fhir/Task", headers=bearer(fakes.PRISON) | {"Content-Type": JSON}, content=example("Task")
        ),
        422,
        "parse.invalid",
    )

    assert [issue["expression"] for issue in issues] == [["a"], ["b"]]
    assert [issue["diagnostics"] for issue in issues] == ["x: y", "x: y / på norsk"]


def test_what_nobody_foresaw_is_an_outcome_without_a_word_of_it(
    client: httpx.Client, hub: fakes.FakeHub, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("KANARI-7c1f")

    monkeypatch.setattr(hub, "receive", breaks)

    answer = client.post(
        "/fhir/Task", headers=bearer(fakes.PRISON) | {"Content-Type": JSON}, content=example("Task")
    )

    outcome(answer, 500, "hub.internal")
    assert "KANARI" not in answer.text
