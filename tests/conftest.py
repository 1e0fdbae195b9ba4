"""Understands what every test may ask for: private servers, and a place to note absent reference material."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers import PostgreSQL, RabbitMQ, private_postgres, private_rabbit

_ABSENT = pytest.StashKey[dict[str, int]]()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """One private PostgreSQL for the whole run; take a `fresh_database()` each."""
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitMQ]:
    """One private RabbitMQ for the whole run; take a `fresh_vhost()` each."""
    with private_rabbit() as server:
        yield server


@pytest.fixture
def absent_reference(pytestconfig: pytest.Config) -> Callable[[str, int], None]:
    """`absent_reference(name, count)`: reference material that was not there; named in the summary."""
    absent = pytestconfig.stash.setdefault(_ABSENT, {})

    def note(name: str, count: int) -> None:
        absent[name] = count

    return note


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of a run on several cores has no summary of its own: what it noted goes to one that has."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["absent"] = session.config.stash.get(_ABSENT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash.setdefault(_ABSENT, {}).update(getattr(node, "workeroutput", {}).get("absent", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, count in sorted(config.stash.get(_ABSENT, {}).items()):
        terminalreporter.write_line(f"reference material absent: {name} ({count} checks could not run)")
