"""Understands a code and its words where a row has a place for one of them only."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kith.codes import meaning
from adapters.kith.datatypes import OID, Parts
from adapters.kith.tables import NATIONAL, El
from adapters.kith.texts import Said, say

_OF_A_CODE = ("V", "DN", "OT")


def with_words(row: El, parts: Parts) -> Parts:
    """Where a row carries words and no code, and none stand there: those of a code of a national list that is
    known here, or else what is said where no code fits (OT)."""
    if "DN" not in row.to or "V" in row.to or "DN" in parts:
        return parts
    number = str(parts.get("S", "")).removeprefix(OID + NATIONAL)
    if words := meaning(number, str(parts.get("V", ""))):
        return {**parts, "DN": words}
    others = {part: value for part, value in parts.items() if part != "OT"}
    return {**others, "DN": parts["OT"]} if "OT" in parts else parts


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
