"""Understands the demo's issuer and the client that agencies use, against each other and the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from prometheus_client import CollectorRegistry

from hub.api.app import create_app, server
from hub.api.client import AgencyClient, ProblemAnswer
from hub.issuer import GRANT, Client, Issuer, Refused, create_issuer, new_client_key, public_half
from hub.settings import Settings
from tests.hub import fakes
from tests.hub.serving import serving

SCOPES = frozenset({"bro:messages.write", "bro:messages.read"})
NOW = int(fakes.NOW.timestamp())
URL = "http://issuer.local/"

Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def key() -> ECKey:
    return new_client_key()


@pytest.fixture
def issuer(key: ECKey) -> Issuer:
    signing = RSAKey.generate_key(2048)
    client = Client("fengsel", fakes.PRISON.org, public_half(key), frozenset({"bro:messages.write"}))
    return Issuer(URL, audience=fakes.AUDIENCE, key=signing, clients=[client], clock=lambda: fakes.NOW)


def assertion(key: ECKey | RSAKey, header: dict[str, Any] | None = None, **changes: Any) -> str:
    whole = {
        "aud": URL,
        "iss": "fengsel",
        "scope": "bro:messages.write",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "once",
    } | changes
    claims = {name: value for name, value in whole.items() if value is not None}
    return fakes.sign(key, claims, **(header or {}))


def test_a_client_gets_a_token_in_the_maskinporten_shape(issuer: Issuer, key: ECKey) -> None:
    answer = issuer.token(assertion(key))

    assert answer["token_type"] == "Bearer"
    public = RSAKey.import_key(issuer.jwks()["keys"][0])
    claims = jwt.decode(str(answer["access_token"]), public).claims
    assert claims["consumer"] == {"authority": "iso6523-actorid-upis", "ID": "0192:310000108"}
    assert (claims["iss"], claims["aud"], claims["scope"]) == (URL, fakes.AUDIENCE, "bro:messages.write")
    assert claims["exp"] - claims["iat"] == 120
    assert not {"d", "p", "q"} & set(issuer.jwks()["keys"][0])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a claim it does not know": ({"org": "1"}, "invalid_request"),
    "a delegation": ({"consumer_org": "310000116"}, "invalid_request"),
    "another audience": ({"aud": "http://other/"}, "invalid_grant"),
    "a list of audiences": ({"aud": [URL]}, "invalid_grant"),
    "another client": ({"iss": "nav"}, "invalid_grant"),
    "longer than two minutes": ({"exp": NOW + 121}, "invalid_grant"),
    "expired": ({"iat": NOW - 130, "exp": NOW - 10}, "invalid_grant"),
    "from the future": ({"iat": NOW + 11, "exp": NOW + 100}, "invalid_grant"),
    "ends before it begins": ({"iat": NOW, "exp": NOW - 1}, "invalid_grant"),
    "no jti": ({"jti": None}, "invalid_grant"),
    "an empty jti": ({"jti": ""}, "invalid_grant"),
    "a scope it may not have": ({"scope": "bro:messages.read"}, "invalid_scope"),
    "no scope": ({"scope": ""}, "invalid_scope"),
    "a token for another API": ({"resource": "https://other.example/"}, "invalid_target"),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_assertion_gets_no_token(
    issuer: Issuer, key: ECKey, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        issuer.token(assertion(key, **changes))

    assert str(refused.value) == code


def test_an_assertion_is_good_once(issuer: Issuer, key: ECKey) -> None:
    issuer.token(assertion(key))

    with pytest.raises(Refused):
        issuer.token(assertion(key))
    issuer.token(assertion(key, jti="again"))


def test_an_assertion_of_another_key_gets_no_token(issuer: Issuer, key: ECKey) -> None:
    for forged in (
        assertion(new_client_key(), {"kid": key.kid}),
        assertion(RSAKey.generate_key(2048), {"kid": key.kid}),
        assertion(key, {"kid": "other"}),
        "a.b.c",
    ):
        with pytest.raises(Refused):
            issuer.token(forged)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[str, str, fakes.FakeHub, dict[str, ECKey]]]:
    """A real issuer and a real API, each on its own port: hub URL, issuer URL, hub, client keys."""
    keys = {agency.org: new_client_key() for agency in (fakes.PRISON, fakes.NAV)}
    hub = fakes.FakeHub()
    issuer = Issuer(
        "http://set-below/",
        audience=fakes.AUDIENCE,
        key=ECKey.generate_key("P-256"),
        clients=[Client(org, org, public_half(key), SCOPES) for org, key in keys.items()],
        clock=lambda: datetime.now(UTC),
    )
    config = uvicorn.Config(create_issuer(issuer), log_config=None, lifespan="off", ws="none")
    with serving(uvicorn.Server(config)) as issuer_url:
        issuer.url = issuer_url + "/"
        settings = Settings(issuer=issuer.url, audience=fakes.AUDIENCE, jwks_url=f"{issuer_url}/jwks")
        app = create_app(
            hub,
            settings=settings,
            directory=fakes.directory(),
            clock=lambda: datetime.now(UTC),
            registry=CollectorRegistry(),
        )
        with serving(server(app, settings)) as hub_url:
            yield hub_url, issuer.url, hub, keys


def test_an_agency_posts_asks_fetches_and_acknowledges_with_the_client(
    world: tuple[str, str, fakes.FakeHub, dict[str, ECKey]],
) -> None:
    hub_url, issuer_url, hub, keys = world
    org = fakes.PRISON.org
    hub.inboxes[org] = {"d_1": b"<svar/>"}

    with AgencyClient(hub_url, issuer_url=issuer_url, client_id=org, key=keys[org]) as agency:
        posted = agency.post_message("application/json", b'{"id": "a-1"}')
        assert agency.status(posted["status_url"])["state"] == "received"
        assert [entry["id"] for entry in agency.inbox()["entries"]] == ["d_1"]
        assert agency.fetch("d_1").body == b"<svar/>"
        agency.acknowledge("d_1")
        with pytest.raises(ProblemAnswer) as refused:
            agency.fetch("d_2")

    assert refused.value.code == "receive.not-found"
    assert hub.acknowledged == [(org, "d_1")]


def test_a_client_cannot_be_another_organisation(
    world: tuple[str, str, fakes.FakeHub, dict[str, ECKey]],
) -> None:
    hub_url, issuer_url, hub, keys = world
    thief = AgencyClient(hub_url, issuer_url=issuer_url, client_id=fakes.NAV.org, key=keys[fakes.PRISON.org])

    with thief, pytest.raises(ProblemAnswer) as refused:
        thief.post_message("application/json", b'{"id": "a-1"}')

    assert refused.value.code == "receive.unauthenticated"
    assert hub.bodies == []


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": GRANT}, "invalid_request"),
        ({"grant_type": GRANT, "assertion": "x", "client_id": "y"}, "invalid_request"),
        ({"grant_type": GRANT, "assertion": fakes.CANARY}, "invalid_grant"),
        ({"grant_type": GRANT, "assertion": "x" * 20_000}, "invalid_request"),
    ],
)
def test_the_token_address_refuses_by_code_and_repeats_nothing(
    world: tuple[str, str, fakes.FakeHub, dict[str, ECKey]], form: dict[str, str], error: str
) -> None:
    started = time.monotonic()

    answer = httpx.post(world[1] + "token", data=form, trust_env=False)

    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert time.monotonic() - started < 2


def test_the_metadata_names_the_addresses(world: tuple[str, str, fakes.FakeHub, dict[str, ECKey]]) -> None:
    issuer_url = world[1]

    metadata = httpx.get(f"{issuer_url}.well-known/oauth-authorization-server", trust_env=False).json()

    assert (metadata["issuer"], metadata["token_endpoint"]) == (issuer_url, f"{issuer_url}token")
    assert metadata["jwks_uri"] == f"{issuer_url}jwks"
