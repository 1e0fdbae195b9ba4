"""Understands a code and its words where a row has a place for one of them only."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kith.codes import meaning
from adapters.kith.datatypes import OID, Parts
from adapters.kith.tables import NATIONAL, OF_A_CODE, El
from adapters.kith.texts import Said, say

TELLING = frozenset({"7426"})
"""National lists (specialities) of which a code may tell what somebody is treated for; only its words label
that."""


def with_words(row: El, parts: Parts) -> Parts:
    """Where a row carries words and none stand there: those of a code of a national list that is known here,
    beside the code only if they label it (`TELLING`). Or else, where it carries no code, what is said where
    none fits (OT)."""
    number = str(parts.get("S", "")).removeprefix(OID + NATIONAL)
    if "DN" not in row.to or "DN" in parts or ("V" in row.to and number not in TELLING):
        return parts
    if words := meaning(number, str(parts.get("V", ""))):
        return {**parts, "DN": words}
    if "V" in row.to:
        return parts
    others = {part: value for part, value in parts.items() if part != "OT"}
    return {**others, "DN": parts["OT"]} if "OT" in parts else parts


def unread_part(row: El, parts: Mapping[str, object]) -> Said | None:
    """A code, or words for one, where the row carries only the other of the two."""
    read = row.of_a_code
    if not read or any(part in parts for part in read):
        return None
    return say("part-missing", *read) if any(part in parts for part in OF_A_CODE) else None
