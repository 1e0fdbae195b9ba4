"""Understands which uses a dialog has (list 8279), and under which ebXML names each is sent.

National rule: Service `S-` and the code, Action the code. NAV has names of its own, told by what is asked or
answered: `services.csv` holds them. It must not know how a message is read.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

USES = (
    "DIALOG_HELSEFAGLIG",
    "DIALOG_FORESPORSEL",
    "DIALOG_SVAR",
    "DIALOG_NOTAT",
    "DIALOG_AVVIK",
    "DIALOG_TIL_ARKIVERING",
    "DIALOG_STATUS_HENVISNING",
    "DIALOG_INNBYGGER_AVTALEAVBESTILLING",
    "DIALOG_INNBYGGER_AVTALEBESTILLING",
    "DIALOG_INNBYGGER_AVTALEUTSENDING",
    "DIALOG_INNBYGGER_BEHANDLEROVERSIKT",
    "DIALOG_INNBYGGER_DIGITALBRUKER",
    "DIALOG_INNBYGGER_EKONSULTASJON",
    "DIALOG_INNBYGGER_EKONTAKT",
    "DIALOG_INNBYGGER_HELSEPERSONELL",
    "DIALOG_INNBYGGER_HREG_INNSYN",
    "DIALOG_INNBYGGER_HREG_INNSYN_UTLEVERING",
    "DIALOG_INNBYGGER_HREG_MELDE_FEIL",
    "DIALOG_INNBYGGER_KOORDINATOR",
    "DIALOG_INNBYGGER_MELDINGSFORMIDLING",
    "DIALOG_INNBYGGER_RESEPTFORNYELSE",
    "DIALOG_INNBYGGER_SAMTYKKE",
    "DIALOG_INNBYGGER_TEST",
    "DIALOG_INNBYGGER_TIMEONSKE",
    "DIALOG_INNBYGGER_TIMER",
    "DIALOG_INNBYGGER_TIMERESERVASJON",
)
_LIST = "urn:oid:2.16.578.1.12.4.1.1."
_NEEDS_CONSENT = (f"{_LIST}9069", "4")


class Names(NamedTuple):
    """What an ebXML envelope says of a message, and what its receipt is called."""

    service: str
    action: str
    receipt: str


@cache
def _of_nav() -> Mapping[tuple[str, str, str], Names]:
    """NAV's names by who sends (`nav`, `partner`), the use and the code list of what is asked or answered."""
    lines = Path(__file__).with_name("services.csv").read_text(encoding="utf-8").splitlines()
    return {
        (row["from"], row["use"], row["list"]): Names(row["service"], row["action"], row["receipt"])
        for row in csv.DictReader(lines)
    }


def national_names(fields: Mapping[str, Any]) -> Names:
    """Service, Action and receipt of a dialog between health services (HISD 1209)."""
    use = str(fields["meldingstype"])
    return Names(f"S-{use}", use, "APPREC")


def nav_names(fields: Mapping[str, Any], *, from_nav: bool) -> Names | None:
    """Service, Action and receipt of a dialog with NAV, or None where NAV has no such dialog."""
    sender = "nav" if from_nav else "partner"
    of_nav = _of_nav()
    for system, _ in _said(fields):
        names = of_nav.get((sender, str(fields["meldingstype"]), system.removeprefix(_LIST)))
        if names is not None:
            return names
    return None


def needs_consent(fields: Mapping[str, Any]) -> bool:
    """Whether the answer is that the patient must consent first (list 9069, code 4)."""
    return any(
        (str(note.get("tema", {}).get("system")), str(note.get("tema", {}).get("kode"))) == _NEEDS_CONSENT
        for note in fields.get("notater", ())
    )


def _said(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The codes of what is asked and answered, with their systems."""
    codes = [note.get("tema", {}) for note in fields.get("notater", ())]
    codes += [asked.get("type", {}) for asked in fields.get("foresporsler", ())]
    return [(str(code.get("system", "")), str(code.get("kode", ""))) for code in codes]
