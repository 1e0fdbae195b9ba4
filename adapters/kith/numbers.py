"""Understands Id, TypeId and AdditionalId: numbers that a group's rows note, each kind with its own field.

It must not know any message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.kith.tables import Numbers
from mappings.identifiers import is_orgnr


def sort_numbers(numbers: Numbers, fields: dict[str, Any]) -> list[tuple[str, str]]:
    """What the rows of a group noted of its numbers, each with the field for its kind."""
    noted = [{"id": fields.pop(f"{numbers.name}#id", None), "type": fields.pop(f"{numbers.name}#type", None)}]
    noted += fields.pop(f"{numbers.name}#more", [])
    return [
        (str(one["id"]), numbers.kinds[str(one["type"])])
        for one in noted
        if one.get("id") is not None
        and one.get("type") in numbers.kinds
        and (one["type"] != "ENH" or is_orgnr(str(one["id"])))
    ]


def note_numbers(numbers: Numbers, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the rows of a group carry of these numbers by kind: the first to Id, others to AdditionalId."""
    there = [{"id": number, "type": kind} for kind, number in given.items() if number is not None]
    found: dict[str, Any] = {}
    if there:
        found[f"{numbers.name}#id"], found[f"{numbers.name}#type"] = there[0]["id"], there[0]["type"]
    if there[1:]:
        found[f"{numbers.name}#more"] = there[1:]
    return found
