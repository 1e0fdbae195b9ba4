"""Understands the list of attachments of an application for social assistance: Fiks Digisos.

Wire:   UTF-8 JSON, `vedlegg.json`: `vedlegg`, each with its files by name and checksum. The files
        themselves are not in it.
Units:  none; a checksum is SHA-512 in hexadecimal.
Quirks: it says neither its time nor whom it is about; an object with nothing in it is nobody's format.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Adapter, Sniff
from adapters.digisos import UNNAMED, File
from adapters.digisos_vedlegg.profile import VEDLEGG

TYPE = "sosialhjelp.vedlegg"


def _sent(_fields: Mapping[str, object]) -> str | None:
    return None


FILE = File(TYPE, VEDLEGG, _sent)


def recognise(sniff: Sniff) -> bool:
    said = sniff.document
    return isinstance(said.get("vedlegg"), list) and not {"type", "resourceType", "hendelser", "data"} & set(
        said
    )


ADAPTER = Adapter(
    "digisos-vedlegg",
    TYPE,
    ("application/json",),
    recognise,
    FILE.parse,
    FILE.render,
    locate=FILE.locate,
    passes_over=UNNAMED,
)
