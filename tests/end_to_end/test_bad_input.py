"""Bad input at the door: one problem document each, all findings, never a value, nothing stored."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import func, select

from hub.demo.story import FHIR, JSON, XML, body
from hub.demo.world import PERSON, World
from hub.store import schema

CANARY = "KANARI-4711"
BRIK = body("brik.xml").replace(b"BRIK-2026-0117", b"BAD-1")
DATE = json.loads(body("loslatelse-2.json"))
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "'
    + b"a" * 50
    + b'">'
    + b"".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">'.encode() for i in range(9))
    + b"]><x>&j;</x>"
)


def changed(**values: object) -> bytes:
    return json.dumps({**DATE, **values}).encode()


CASES = [
    ("malformed XML", XML, BRIK[:-20] + CANARY.encode(), 400, "parse.malformed"),
    ("malformed JSON", JSON, b'{"type": "' + CANARY.encode(), 400, "parse.malformed"),
    ("an unknown element", XML, BRIK.replace(b"<Enhet>", b"<Kanari4711>x</Kanari4711><Enhet>"), 422, "parse.invalid"),
    ("an unknown field", JSON, changed(kanari4711=CANARY), 422, "parse.invalid"),
    ("a wrong checksum", XML, BRIK.replace(PERSON.encode(), b"14839030187"), 422, "parse.invalid"),
    ("an unknown code", XML, BRIK.replace(b"ubetinget", CANARY.encode()), 422, "parse.invalid"),
    ("several faults", XML, BRIK.replace(b"ubetinget", CANARY.encode()).replace(b"<Sum>22", b"<Sum>99"), 422, "parse.invalid"),
    ("an unknown type", JSON, changed(type=CANARY), 415, "parse.format-unknown"),
    ("an unknown media type", "text/csv", CANARY.encode(), 415, "parse.format-unknown"),
    ("an unknown recipient", JSON, changed(melding={**DATE["melding"], "mottaker": "310000132"}), 422, "route.recipient-unknown"),
    ("an external entity", XML, b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', 400, "parse.forbidden-construct"),
    ("billion laughs", XML, BOMB, 400, "parse.forbidden-construct"),
    ("deep JSON", JSON, b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "parse.forbidden-construct"),
    ("a key that stands twice", JSON, b'{"type": "x", "type": "y"}', 400, "parse.malformed"),
    ("nothing at all", JSON, b"", 400, "parse.malformed"),
    ("UTF-16", JSON, '{"type": "x"}'.encode("utf-16"), 400, "parse.malformed"),
    ("FHIR of another kind", FHIR, b'{"resourceType": "Patient"}', 415, "parse.format-unknown"),
]  # one row per case # fmt: skip


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as running:
        yield running


def post(world: World, media_type: str, content: bytes) -> httpx.Response:
    token = world.agencies["prison"].client.token()
    return httpx.post(
        f"{world.hub_url}/v1/messages",
        content=content,
        headers={"Authorization": f"Bearer {token}", "Content-Type": media_type},
        timeout=60,
    )


def stored(world: World) -> list[int]:
    """How many rows there are in every table that a message could leave something in."""
    tables = (schema.message, schema.disclosure, schema.person, schema.audit_leaf, schema.queue_item)
    with world.parts.store.reading() as view:
        return [view.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


@pytest.mark.parametrize(
    ("media_type", "content", "status", "code"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_bad_input_is_one_problem_and_leaves_nothing(
    world: World, media_type: str, content: bytes, status: int, code: str
) -> None:
    before = stored(world)

    answer = post(world, media_type, content)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"title", "title_nb", "actor", "findings"} <= set(problem)
    for value in (CANARY, "Kanari4711", "kanari4711", "14839030187", "root:"):
        assert value not in answer.text
    assert stored(world) == before


def test_all_faults_of_one_body_are_told_at_once_with_line_and_column(world: World) -> None:
    content = next(c[2] for c in CASES if c[0] == "several faults")

    findings = post(world, XML, content).json()["findings"]

    assert len(findings) >= 2
    assert all(finding["line"] and finding["column"] for finding in findings)


def test_fifty_megabytes_are_refused_without_reading_them_all(world: World) -> None:
    answer = post(world, XML, b"x" * 50 * 1024 * 1024)

    assert (answer.status_code, answer.json()["code"]) == (413, "receive.too-large")


def test_an_id_used_again_with_other_content_is_refused_and_the_first_stands(world: World) -> None:
    first = post(world, XML, BRIK.replace(b"BAD-1", b"TWICE-1"))
    other = BRIK.replace(b"BAD-1", b"TWICE-1").replace(b"<VarighetMinutter>70", b"<VarighetMinutter>71")

    second, again = post(world, XML, other), post(world, XML, BRIK.replace(b"BAD-1", b"TWICE-1"))

    assert first.status_code == 202
    assert (second.status_code, second.json()["code"]) == (409, "receive.duplicate-id")
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["duplicate"] is True


def test_a_token_of_one_agency_neither_posts_as_nor_reads_for_another(world: World) -> None:
    posted = world.agencies["prison"].post(XML, BRIK.replace(b"BAD-1", b"OWN-1"))
    nav = world.agencies["nav"].client.token()
    headers = {"Authorization": f"Bearer {nav}"}

    as_prison = httpx.post(
        f"{world.hub_url}/v1/messages", content=BRIK, headers={**headers, "Content-Type": XML}
    )
    status = httpx.get(f"{world.hub_url}/v1/messages/{posted['id']}", headers=headers)
    nothing = httpx.get(f"{world.hub_url}/v1/messages/{'a' * 26}", headers=headers)

    assert (as_prison.status_code, as_prison.json()["code"]) == (403, "route.type-not-yours")
    assert status.status_code == 404
    same = ("code", "title", "status", "findings")
    assert [status.json()[key] for key in same] == [nothing.json()[key] for key in same]
