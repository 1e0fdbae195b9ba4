"""Understands what the tests of the console may ask for: a hub with things on its way, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from hub.api.app import create_app, server
from hub.app import Hub
from hub.console.app import mount
from hub.console.users import Users
from hub.parts import Parts
from tests.hub.cli.installation import Installation, install
from tests.hub.serving import serving

KEY = "a-console-key-of-more-than-32-characters"


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    made = install(tmp_path)
    yield made
    made.parts.store.close()


@contextmanager
def served(installed: Installation, parts: Parts, people: Users | None = None) -> Iterator[str]:
    """The URL of a hub with these parts, as `bro up` serves it."""
    app = create_app(Hub(parts), settings=installed.settings, directory=parts.directory, clock=parts.clock)
    mount(app, parts, KEY, people)
    with serving(server(app, installed.settings)) as url:
        yield url


@pytest.fixture
def visit(installed: Installation) -> Iterator[Callable[[Parts], httpx.Client]]:
    """A visitor without a cookie, to a hub with these parts."""
    with ExitStack() as stack:

        def come(parts: Parts) -> httpx.Client:
            url = stack.enter_context(served(installed, parts))
            return stack.enter_context(httpx.Client(base_url=url, timeout=60))

        yield come


@pytest.fixture
def outside(installed: Installation, visit: Callable[[Parts], httpx.Client]) -> httpx.Client:
    return visit(installed.parts)


@pytest.fixture
def inside(outside: httpx.Client) -> httpx.Client:
    """A visitor who opened the printed address."""
    return entered(outside)


def entered(visitor: httpx.Client) -> httpx.Client:
    assert visitor.get("/console/enter", params={"key": KEY}).status_code == 303
    return visitor
