"""Understands what the doors need of the hub: eight calls, all blocking, all raising HubError.

The doors know these and nothing behind them; `hub/app.py` makes the object that has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hub.errors import HubError
from hub.message import Agency, Rendered


class Accepted(Protocol):
    """A message the store holds. Answered again, as `duplicate`, when the same one is sent again."""

    @property
    def id(self) -> str: ...

    @property
    def duplicate(self) -> bool: ...

    @property
    def message_id(self) -> str: ...


class Facade(Protocol):
    """The hub as its doors see it."""

    def receive(self, sender: Agency, media_type: str, body: bytes) -> Accepted:
        """Take a message. It is stored when this returns, or nothing of it is."""
        ...

    def apprec(self, sender: Agency, body: bytes, refused: HubError | None) -> Rendered | None:
        """The national receipt for a body that `receive` just took in or refused; None where none is due."""
        ...

    def of_message(self, reader: Agency, message_id: str) -> Mapping[str, Any]:
        """Where the reader's own message stands; `receive.not-found` for any other."""
        ...

    def preview(self, sender: Agency, media_type: str, body: bytes) -> Mapping[str, Any]:
        """What the recipients of a message would get if it were posted now; nothing of it is stored."""
        ...

    def receipt(self, reader: Agency, consent_id: str, language: str) -> Mapping[str, Any]:
        """The receipt of what the reader recorded; `receive.not-found` for anything else."""
        ...

    def entries(self, reader: Agency, after: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        """What waits for the reader, oldest first, after the position given."""
        ...

    def fetch(self, reader: Agency, disclosure: str) -> Rendered:
        """Hand one disclosure over, deciding again; `receive.not-found` whatever the reason not to."""
        ...

    def acknowledge(self, reader: Agency, disclosure: str) -> None:
        """The reader has it safely. Doing it twice is doing it once."""
        ...
