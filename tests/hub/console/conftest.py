"""Understands what the tests of the console may ask for: a hub with things on its way, and its pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hub.api.app import create_app
from hub.app import Hub
from hub.console.app import mount
from tests.hub.cli.installation import Installation, install

KEY = "a-console-key-of-more-than-32-characters"


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    made = install(tmp_path)
    yield made
    made.parts.store.close()


@pytest.fixture
def outside(installed: Installation) -> Iterator[TestClient]:
    """A visitor without a cookie."""
    with TestClient(console(installed), follow_redirects=False) as client:
        yield client


@pytest.fixture
def inside(outside: TestClient) -> TestClient:
    """A visitor who opened the printed address."""
    assert outside.get("/console/enter", params={"key": KEY}).status_code == 303
    return outside


def console(installed: Installation) -> object:
    """The whole app, as `bro up` serves it."""
    parts = installed.parts
    app = create_app(Hub(parts), settings=installed.settings, directory=parts.directory, clock=parts.clock)
    mount(app, parts, KEY)
    return app
