"""Understands a person's name in pieces and as one text: `navn#given`, `navn#middle`, `navn#family`.

Records have one text; MsgHead has three elements. The last word is the family name, unless the text is in the
form "Family, Given", which a family name of several words gets. It must not know any message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PIECES = ("given", "middle", "family")


def split_name(name: str) -> Mapping[str, str]:
    """The pieces of a name that a format with several elements needs. Whatever the text, one is the family
    name: a comma with nothing before it tells no form."""
    said = name.strip().lstrip(", ") or name.strip()
    family, comma, given = (part.strip() for part in said.partition(","))
    if not (comma and family):
        given, _, family = said.rpartition(" ")
    return {piece: text for piece, text in (("given", given.strip()), ("family", family.strip())) if text}


def join_pieces(pieces: Mapping[str, str]) -> str:
    """One text of the pieces, from which `split_name` makes the same family name."""
    given = " ".join(pieces[piece] for piece in PIECES[:2] if pieces.get(piece))
    family = pieces.get("family", "")
    if given and " " in family and "," not in given + family:
        return f"{family}, {given}"
    return f"{given} {family}".strip()


def join_names(fields: dict[str, Any]) -> None:
    """Replace `navn#given` and its likes, wherever they stand, by the one text `navn`."""
    for key in [key for key in fields if "#" in key]:
        name, _, _ = key.partition("#")
        if said := join_pieces({piece: fields.pop(f"{name}#{piece}", "") for piece in PIECES}):
            fields.setdefault(name, said)
    for value in fields.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                join_names(item)
