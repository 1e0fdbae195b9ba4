"""Understands which hubs on the bench a test may ask for."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.pool import NullPool

from hub.parts import Parts
from hub.store.engine import Store
from tests.hub.bench import Bench, first_parts, on_the_bench
from tests.servers import PostgreSQL


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Types, agreements, directory, keys: the same for all."""
    parts = first_parts(tmp_path_factory.mktemp("first"))
    parts.store.close()
    return parts


@pytest.fixture
def sqlite_url(first: Parts, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    shutil.copy(str(first.store.engine.url.database), tmp_path / "bro.sqlite")
    return f"sqlite:///{tmp_path}/bro.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of the test's own, of both kinds in turn."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    template: URL = request.getfixturevalue("migrated")
    fresh = template.set(database=f"bro_{secrets.token_hex(6)}")
    on_template(template, f"CREATE DATABASE {fresh.database} TEMPLATE {template.database}")
    return fresh.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def migrated(postgres: PostgreSQL) -> URL:
    """A migrated database to copy."""
    url = postgres.fresh_database()
    store = Store(url)
    store.migrate()
    store.close()
    return make_url(url)


def on_template(template: URL, statement: str) -> None:
    engine = create_engine(template.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


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
