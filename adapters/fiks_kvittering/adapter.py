"""Understands the receipts of Fiks IO: received, refused and why, or not taken in time.

Wire:   ASiC-E-like zip with `fiks.json`; what the type of the message does not say is in `innhold.json`.
Units:  no TTL of its own.
Quirks: Fiks IO itself sends two of them, `tidsavbrudd` and `serverfeil`, in nobody's protocol.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Adapter
from adapters.fiks.message import PROTOCOL, Fields, FiksMessage
from adapters.fiks.package import MEDIA_TYPE

TYPE = "kvittering"
_OTHER = f"{PROTOCOL}.kvittering"

KINDS: dict[str, tuple[str, str | None]] = {
    f"{PROTOCOL}.mottatt": ("mottatt", None),
    f"{PROTOCOL}.feilmelding.ugyldigforespoersel": ("avvist", "ugyldigforespoersel"),
    f"{PROTOCOL}.feilmelding.serverfeil": ("avvist", "serverfeil"),
    f"{PROTOCOL}.feilmelding.ikkefunnet": ("avvist", "ikkefunnet"),
    "no.ks.fiks.kvittering.tidsavbrudd": ("avvist", "no.ks.fiks.tidsavbrudd"),
    "no.ks.fiks.kvittering.serverfeil.v1": ("avvist", "no.ks.fiks.serverfeil"),
}
"""What each kind of message says: the status of the receipt, and the code for why."""


_ERROR = ("feilId", "feilmelding", "funn")
"""The error body of the published protocols. Left behind on purpose: a text that another system makes of a
fault can quote the message it is about, and the kind of the receipt says what the sender can act on."""


def _into(kind: str, payload: Fields, melding: Fields) -> Fields:
    implied: Fields = {"gjelder": melding["svar_pa"]} if "svar_pa" in melding else {}
    status, code = KINDS.get(kind, (None, None))
    if status is not None:
        implied |= {"status": status}
    if code is not None:
        implied |= {"kode": code}
    kept = {name: value for name, value in payload.items() if kind == _OTHER or name not in _ERROR}
    return {**kept, **implied}


def _kind(fields: Fields) -> tuple[str, Fields]:
    says = fields.get("status"), fields.get("kode")
    for kind, implied in KINDS.items():
        if implied == says:
            return kind, {name: fields[name] for name in fields if name not in ("status", "kode", "gjelder")}
    return _OTHER, {name: fields[name] for name in fields if name != "gjelder"}


MESSAGE = FiksMessage(TYPE, (*KINDS, _OTHER), _into, _kind, said_by={"gjelder": "SvarPaMelding"})
ADAPTER = Adapter(
    "fiks-kvittering",
    TYPE,
    (MEDIA_TYPE,),
    MESSAGE.recognise,
    MESSAGE.parse,
    MESSAGE.render,
    locate=MESSAGE.locate,
)
