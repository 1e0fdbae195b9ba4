"""Understands a code and its words where a row has a place for one of them only."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kith.tables import El
from adapters.kith.texts import Said, say

_OF_A_CODE = ("V", "DN", "OT")


def unread_part(row: El, parts: Mapping[str, object]) -> Said | None:
    """A code, or words for one, where the row carries only the other of the two."""
    read = [part for part in _OF_A_CODE if part in row.to]
    if (
        not read
        or row.absent
        or "code" in row.must
        or row.type is None
        or not row.type.attributes.issuperset(("V", "DN"))
    ):
        return None
    said = any(part in parts for part in _OF_A_CODE)
    return say("part-missing", *read) if said and not any(part in parts for part in read) else None
