"""Understands which hubs the leak oracles may ask for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.parts import Parts
from tests.hub.bench import first_parts

Fresh = Callable[[], tuple[Path, str]]


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Types, agreements, directory, keys and an empty database: the same for all."""
    parts = first_parts(tmp_path_factory.mktemp("leaks"))
    parts.store.close()
    return parts


@pytest.fixture
def fresh(first: Parts, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """A folder and a migrated database of its own, each time it is called."""

    def one() -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("lab")
        shutil.copy(str(first.store.engine.url.database), folder / "bro.sqlite")
        return folder, f"sqlite:///{folder}/bro.sqlite"

    return one
