"""Understands the parts that API tests share: keys, a hub in memory, a client over the real app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey, RSAKey
from prometheus_client import CollectorRegistry

from hub.api.app import create_app, server
from hub.message import Agency
from tests.hub import fakes
from tests.hub.serving import serving


@pytest.fixture(scope="session")
def issuer_key() -> RSAKey:
    key = RSAKey.generate_key(2048)
    key.ensure_kid()
    return key


@pytest.fixture(scope="session")
def issuer_ec_key() -> ECKey:
    key = ECKey.generate_key("P-256")
    key.ensure_kid()
    return key


@pytest.fixture
def hub() -> fakes.FakeHub:
    return fakes.FakeHub()


@pytest.fixture
def app(hub: fakes.FakeHub, issuer_key: RSAKey, issuer_ec_key: ECKey, tmp_path: Path) -> FastAPI:
    (tmp_path / "jwks.json").write_bytes(fakes.key_document(issuer_key, issuer_ec_key))
    return create_app(
        hub,
        settings=fakes.settings(tmp_path, max_body_bytes=20_000, body_seconds=2),
        directory=fakes.directory(),
        clock=lambda: fakes.NOW,
        registry=CollectorRegistry(),
    )


@pytest.fixture
def url(app: FastAPI, tmp_path: Path) -> Iterator[str]:
    """Where the app really listens."""
    with serving(server(app, fakes.settings(tmp_path))) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def bearer(issuer_key: RSAKey) -> Callable[[Agency], dict[str, str]]:
    """The headers of a call by an agency."""
    return lambda agency: {"Authorization": "Bearer " + fakes.sign(issuer_key, fakes.claims(agency))}
