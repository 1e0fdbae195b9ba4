"""Understands which hubs a test may ask for that kills a process between two writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub.app import new_id
from hub.parts import Parts
from tests.hub.bench import Bench, on_the_bench


@pytest.fixture
def mortal(first: Parts, postgres_url: str) -> Iterator[Bench]:
    """A hub on PostgreSQL, with ids that no two processes both make."""
    made = on_the_bench(first, postgres_url)
    made.parts = replace(made.parts, new_id=new_id)
    yield made
    made.parts.store.close()
