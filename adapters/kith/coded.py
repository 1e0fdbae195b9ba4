"""Understands a code and its words where a row has a place for one of them only."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kith.tables import OF_A_CODE, El
from adapters.kith.texts import Said, say


def unread_part(row: El, parts: Mapping[str, object]) -> Said | None:
    """A code, or words for one, where the row carries only the other of the two."""
    read = row.of_a_code
    if not read or any(part in parts for part in read):
        return None
    return say("part-missing", *read) if any(part in parts for part in OF_A_CODE) else None
