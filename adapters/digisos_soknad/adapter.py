"""Understands an application for social assistance as NAV sends it to the kommune: Fiks Digisos.

Wire:   UTF-8 JSON, `soknad.json`: `version`, `data`, `mottaker`, `driftsinformasjon`, `kompatibilitet`.
Units:  whole kroner where the format says integer; times are UTC with fractions of a second.
Quirks: an answer the person did not give is a text of no length; keys that nobody named are passed over.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Adapter, Sniff
from adapters.digisos import UNNAMED, File
from adapters.digisos_soknad.profile import SOKNAD

TYPE = "sosialhjelp.soknad"


def _sent(fields: Mapping[str, object]) -> str | None:
    sent = fields.get("innsendingstidspunkt")
    return sent if isinstance(sent, str) else None


FILE = File(TYPE, SOKNAD, _sent)


def recognise(sniff: Sniff) -> bool:
    said = sniff.document
    return "type" not in said and "resourceType" not in said and "data" in said and "mottaker" in said


ADAPTER = Adapter(
    "digisos-soknad",
    TYPE,
    ("application/json",),
    recognise,
    FILE.parse,
    FILE.render,
    locate=FILE.locate,
    passes_over=UNNAMED,
)
