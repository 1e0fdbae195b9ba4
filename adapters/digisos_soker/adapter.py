"""Understands what the kommune tells of an application for social assistance: Fiks Digisos.

Wire:   UTF-8 JSON, `digisos-soker.json`: `version`, `avsender`, `hendelser`. Each file has the whole
        history and takes the place of the one before.
Units:  kroner with a fraction where there is one; times are UTC with fractions of a second.
Quirks: whom it is about is known by what it answers; keys that nobody named are passed over.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Adapter, Sniff
from adapters.digisos import UNNAMED, File
from adapters.digisos_soker.profile import SOKER

TYPE = "digisos.soker"


def _sent(fields: Mapping[str, object]) -> str | None:
    """The time of the newest event. All are UTC, so the texts compare but for the Z."""
    events = fields.get("hendelser")
    if not isinstance(events, list):
        return None
    times = (event.get("hendelsestidspunkt") for event in events if isinstance(event, Mapping))
    return max((t for t in times if isinstance(t, str)), key=lambda t: t.rstrip("Z"), default=None)


FILE = File(TYPE, SOKER, _sent)


def recognise(sniff: Sniff) -> bool:
    said = sniff.document
    ours = "hendelser" in said or isinstance(sniff.at("avsender", "systemnavn"), str)
    return "type" not in said and "resourceType" not in said and ours


ADAPTER = Adapter(
    "digisos-soker",
    TYPE,
    ("application/json",),
    recognise,
    FILE.parse,
    FILE.render,
    locate=FILE.locate,
    passes_over=UNNAMED,
)
