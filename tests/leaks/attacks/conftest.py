"""Understands which hub an attack may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.parts import Parts
from tests.leaks.conftest import Fresh
from tests.leaks.lab import Lab


@pytest.fixture
def lab(first: Parts, fresh: Fresh) -> Iterator[Lab]:
    """A hub of the attack's own, in which nobody has said anything yet."""
    with Lab(first, *fresh()) as lab:
        lab.step("attack")
        yield lab
