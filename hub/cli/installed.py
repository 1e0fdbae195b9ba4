"""Understands which installation a command is about: the one that the environment names, and that is
there already. Only `up`, `serve` and `work` begin one; looking at nothing would look like all is well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hub.errors import Finding, HubError
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.parts import Parts

_SQLITE = "sqlite:///"


def installed() -> Settings:
    """The settings, or settings.invalid, also when the SQLite file they name is not there."""
    settings = Settings.from_env(os.environ)
    if settings.store.startswith(_SQLITE) and not Path(settings.store.removeprefix(_SQLITE)).is_file():
        fault = Finding("BRO_STORE", "exists", "the database of a hub that has run; `bro up` makes one")
        raise HubError("settings.invalid", [fault])
    return settings


def open_parts() -> Parts:
    """Everything a message meets, of that installation."""
    from hub.app import build  # imports everything; see hub/cli/main.py

    return build(installed(), reads=False)
