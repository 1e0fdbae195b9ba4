"""Understands a housing request as it goes to a kommune over Fiks IO.

Wire:   ASiC-E-like zip: `fiks.json` (headers) and `innhold.json`; `no.brobygger.bolig.v1.foresporsel`.
Units:  TTL in whole seconds, from when it was sent; dates are ISO 8601.
Quirks: no protocol for this is published; this one is the hub's own (adapters/fiks/README.md).
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Adapter
from adapters.fiks.message import PROTOCOL, Fields, FiksMessage
from adapters.fiks.package import MEDIA_TYPE

TYPE, KIND = "bolig.foresporsel", f"{PROTOCOL}.foresporsel"


def _into(_kind: str, payload: Fields, _melding: Fields) -> Fields:
    return payload


def _kind(fields: Fields) -> tuple[str, Fields]:
    return KIND, fields


MESSAGE = FiksMessage(TYPE, (KIND,), _into, _kind, expires=True)
ADAPTER = Adapter(
    "fiks-foresporsel",
    TYPE,
    (MEDIA_TYPE,),
    MESSAGE.recognise,
    MESSAGE.parse,
    MESSAGE.render,
    locate=MESSAGE.locate,
)
