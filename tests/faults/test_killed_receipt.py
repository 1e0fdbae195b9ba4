"""Killed while the receipt of a KITH message is made and given: it is never stored, and never given twice.
Who got none posts the message again, unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey
from prometheus_client import CollectorRegistry

from adapters.apprec.adapter import BY_VERSION
from hub.api.app import create_app
from hub.app import Hub
from tests.faults.killing import at_every_point, killed, on, rows, start_again
from tests.hub import fakes
from tests.hub.bench import XML, Bench
from tests.hub.test_apprec import SPOILT, WHOLE

Post = Callable[[Bench, bytes], httpx.Response]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """The prison's health service posts at the real API, and asks for an AppRec."""
    key = ECKey.generate_key("P-256")
    key.ensure_kid()
    (tmp_path / "jwks.json").write_bytes(fakes.key_document(key))

    async def posted(bench: Bench, body: bytes) -> httpx.Response:
        app = create_app(
            Hub(bench.parts),
            settings=fakes.settings(tmp_path),
            directory=bench.parts.directory,
            clock=lambda: fakes.NOW,
            registry=CollectorRegistry(),
            even_out=0,
        )
        token = fakes.sign(key, fakes.claims(bench.agency("prison_health")))
        headers = {"Authorization": f"Bearer {token}", "Accept": XML, "Content-Type": XML}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            return await client.post("/v1/messages", content=body, headers=headers)

    return lambda bench, body: asyncio.run(posted(bench, body))


def status_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == XML
    return str(BY_VERSION["1.1"].parse(answer.content).get("status"))


def test_a_message_is_stored_and_its_receipt_given_once_or_never(mortal: Bench, post: Post) -> None:
    """A process that gets through all its writes has made the receipt; that it was given is not written."""
    mortal.register_gp()

    def message(who: int) -> bytes:
        return WHOLE.replace(b"0d6f7c58", f"{who:08x}".encode())

    post(mortal, message(99))  # what is read once per process is read here, and not by each of them anew

    def act(own: Bench, body: bytes) -> None:
        answer = post(own, body)
        assert (answer.status_code, status_of(answer)) == (202, "mottatt")

    killings = at_every_point(mortal, message, act, least=4)
    for count, (body, _) in enumerate(killings, 1):
        start_again(mortal)
        assert len(mortal.listed("gp")) == count + 1

        again = post(mortal, body)
        mortal.drain()

        assert (again.status_code, again.headers["content-type"]) == (202, "application/json")
        assert again.json()["duplicate"] is True
        assert len(mortal.listed("gp")) == count + 1
    assert mortal.verify().whole


def test_what_was_refused_left_nothing_and_is_refused_again_in_the_same_words(
    mortal: Bench, post: Post
) -> None:
    before = rows(mortal)

    assert killed(on(mortal, lambda own: post(own, SPOILT)), 0)
    start_again(mortal)
    answer = post(mortal, SPOILT)

    assert (answer.status_code, status_of(answer)) == (422, "avvist")
    assert rows(mortal) == before
