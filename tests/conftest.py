"""Understands what every test may ask for: private servers, the parts and the database that all hubs on the
bench begin with (loaded when they are asked for), and a place to note absent reference material.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.servers import PostgreSQL, RabbitMQ, private_postgres, private_rabbit

if TYPE_CHECKING:
    from hub.parts import Parts

_ABSENT = pytest.StashKey[dict[str, int]]()

gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="module", autouse=True)
def what_is_there_stays() -> None:
    """Modules, models and tables of a run are a gigabyte: to look through it for garbage again and again is a
    fifth of the run's time, and a fork would copy it."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Types, agreements, directory, keys: the same for all."""
    from tests.hub.bench import first_parts

    parts = first_parts(tmp_path_factory.mktemp("first"))
    parts.store.close()
    return parts


@pytest.fixture(scope="session")
def migrated(postgres: PostgreSQL) -> str:
    """One database for all tests: making one takes longer than most of them."""
    from hub.store.engine import Store

    url = postgres.fresh_database()
    store = Store(url)
    store.migrate()
    store.close()
    return url


@pytest.fixture
def postgres_url(migrated: str) -> str:
    """A migrated PostgreSQL database, emptied for the test."""
    from hub.store.schema import metadata

    engine = create_engine(migrated, poolclass=NullPool)
    with engine.begin() as connection:
        tables = ", ".join(metadata.tables)
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return migrated


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
