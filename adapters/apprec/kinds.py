"""Understands what list 8279 calls a message that the hub holds as a record.

It is for a receipt that comes back through the hub: it says the kind of what its reader sent, not of what
that became for the one who answers. It must not know how a message is read or written.
"""

from __future__ import annotations

from collections.abc import Mapping

_OF_TYPE: Mapping[str, str] = {
    "epikrise": "EPIKRISE",
    "henvisning": "HENVISNING",
    "pleie.soknad": "HELSEOPPL_SOKNAD",
}


def kind(type_name: str, said: str | None) -> str:
    """The code of list 8279: as the record `said` it (`meldingstype`), or of its type. A type that the list
    has no code for is named as its sender named it to the hub."""
    return said or _OF_TYPE.get(type_name, type_name)
