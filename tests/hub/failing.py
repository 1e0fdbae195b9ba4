"""Understands a hub that cannot make what a recipient is to get, by a fault of its own."""

from __future__ import annotations

import pytest

from hub import pipeline
from hub.errors import HubError

OURS = ("translate.unmapped", "render.incomplete", "hub.internal")
"""The codes of it."""
FAULTS: dict[str, Exception] = {
    "render.incomplete": HubError("render.incomplete"),
    "hub.internal": KeyError("x"),
}
"""What is raised somewhere below, and the code that it then has."""


def rendering_fails(patch: pytest.MonkeyPatch, fault: Exception) -> None:
    """From now on, for everybody, until the patch is undone."""

    def failing(*_: object) -> None:
        raise fault

    patch.setattr(pipeline, "render", failing)
