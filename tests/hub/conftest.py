"""Understands which hubs on the bench a test may ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from hub.parts import Parts
from hub.store.engine import Store
from hub.store.schema import metadata
from tests.hub.bench import Bench, first_parts, on_the_bench
from tests.servers import PostgreSQL


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Types, agreements, directory, keys: the same for all."""
    parts = first_parts(tmp_path_factory.mktemp("first"))
    parts.store.close()
    return parts


@pytest.fixture
def first_keys(first: Parts) -> Path:
    """Where the key files lie."""
    return Path(str(first.store.engine.url.database)).parent / "keys"


@pytest.fixture
def sqlite_url(first: Parts, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    shutil.copy(str(first.store.engine.url.database), tmp_path / "bro.sqlite")
    return f"sqlite:///{tmp_path}/bro.sqlite"


@pytest.fixture
def postgres_url(migrated: str) -> str:
    """A migrated PostgreSQL database, emptied for the test."""
    engine = create_engine(migrated, poolclass=NullPool)
    with engine.begin() as connection:
        tables = ", ".join(metadata.tables)
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return migrated


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of the test's own, of both kinds in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(scope="session")
def migrated(postgres: PostgreSQL) -> str:
    """One database for all tests: making one takes longer than most of them."""
    url = postgres.fresh_database()
    store = Store(url)
    store.migrate()
    store.close()
    return url


@pytest.fixture
def bench(first: Parts, sqlite_url: str) -> Iterator[Bench]:
    """A hub on SQLite."""
    made = on_the_bench(first, sqlite_url)
    yield made
    made.parts.store.close()


@pytest.fixture
def either(first: Parts, url: str) -> Iterator[Bench]:
    """A hub on SQLite, and then one on PostgreSQL."""
    made = on_the_bench(first, url)
    yield made
    made.parts.store.close()
