"""Understands which receipt a message over Fiks gets: received, refused as it is, or not the sender's fault.

Pure: what the hub answered is given as its code. The error body has the two keys of the published Fiks
protocols, `feilId` and `feilmelding`, and every finding; never a value of the message.
"""

from __future__ import annotations

import re
from datetime import datetime

from adapters.fiks.headers import FILE, NOBODY
from adapters.fiks.message import PAYLOAD, PROTOCOL, Fields, read_headers
from adapters.fiks.package import write_package
from adapters.json_profile import write_text
from hub.errors import Actor, HubError

RECEIVED = f"{PROTOCOL}.mottatt"
INVALID = f"{PROTOCOL}.feilmelding.ugyldigforespoersel"
NOT_FOUND = f"{PROTOCOL}.feilmelding.ikkefunnet"
FAILED = f"{PROTOCOL}.feilmelding.serverfeil"
TOO_LATE = "no.ks.fiks.kvittering.tidsavbrudd"

_NOT_FOUND = {"route.reference-unknown", "route.recipient-unknown", "receive.not-found", "consent.unknown"}
_ID = re.compile(r"[!#-%(-;=?-\[\]-~]{1,100}")


def kind_of(refused: HubError | None) -> str:
    """The kind of receipt for what became of a message."""
    if refused is None:
        return RECEIVED
    if refused.code == "receive.expired":
        return TOO_LATE
    if refused.code in _NOT_FOUND:
        return NOT_FOUND
    return INVALID if refused.problem.actor in (Actor.SENDER, Actor.CASEWORKER) else FAILED


def receipt(about: bytes, refused: HubError | None, *, number: str, at: datetime) -> bytes | None:
    """The package that answers a package. `number` is the id of the receipt, `at` an aware time. None when
    what it answers does not say what it is called."""
    try:
        given = read_headers(about)
    except HubError:
        return None
    called = given.get("KlientMeldingId")
    if not isinstance(called, str) or not _ID.fullmatch(called):
        return None
    correlation = given.get("KlientKorrelasjonsId")
    known = isinstance(correlation, str) and _ID.fullmatch(correlation)
    headers: Fields = {
        "MeldingId": NOBODY,
        "KlientMeldingId": number,
        "KlientKorrelasjonsId": correlation if known else called,
        "MeldingType": kind_of(refused),
        "AvsenderKontoId": NOBODY,
        "MottakerKontoId": NOBODY,
        "SvarPaMelding": called,
        "Resendt": False,
        "Headere": {"sendt": at.isoformat(timespec="seconds")},
    }
    files = {FILE: write_text(headers).encode()}
    if refused is not None and headers["MeldingType"] != TOO_LATE:  # Fiks IO's own has headers only
        files[PAYLOAD] = write_text(_why(refused)).encode()
    return write_package(files)


def _why(refused: HubError) -> Fields:
    found: list[object] = [
        {"sti": one.at, "regel": one.rule, "ventet": one.said("nb"), **_place(one.line, one.column)}
        for one in refused.findings
    ]
    return {"feilId": refused.code, "feilmelding": refused.problem.nb, **({"funn": found} if found else {})}


def _place(line: int | None, column: int | None) -> Fields:
    return {"linje": line, "kolonne": column} if line is not None and column is not None else {}
