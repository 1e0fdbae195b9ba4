"""Understands which hubs on the bench a test may ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.parts import Parts
from tests.hub.bench import Bench, on_the_bench


@pytest.fixture
def first_keys(first: Parts) -> Path:
    """Where the key files lie."""
    return Path(str(first.store.engine.url.database)).parent / "keys"


@pytest.fixture
def sqlite_url(first: Parts, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    shutil.copy(str(first.store.engine.url.database), tmp_path / "bro.sqlite")
    return f"sqlite:///{tmp_path}/bro.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of the test's own, of both kinds in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


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
