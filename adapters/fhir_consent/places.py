"""Understands where in a FHIR Consent each field of a consent record is said, or would be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.fhir_consent.resource import looks_newer

_OF_RULE: Mapping[str, str] = {
    "avsendere": "actor",
    "mottakere": "actor",
    "formal": "purpose",
    "kategorier": "securityLabel",
    "fra": "period.start",
    "til": "period.end",
    "data_fra": "dataPeriod.start",
    "data_til": "dataPeriod.end",
}
_OF_BOTH: Mapping[str, str] = {
    "melding.id": "identifier",
    "samtykke.serie": "identifier",
    "samtykke.versjon": "meta.versionId",
    "samtykke.signert": "extension",
    "samtykke.forklart": "extension",
    "samtykke.form": "extension",
    "samtykke.erstatter": "extension",
    "samtykke.tekstversjon": "sourceAttachment",
}
_R4: Mapping[str, str] = {
    **_OF_BOTH,
    **{name: f"provision.{there}" for name, there in _OF_RULE.items()},
    "samtykke.gyldig_fra": "provision.period.start",
    "samtykke.gyldig_til": "provision.period.end",
    "samtykke.data_fra": "provision.dataPeriod.start",
    "samtykke.data_til": "provision.dataPeriod.end",
    "samtykke.beslutning": "provision.type",
    "samtykke.slag": "scope",
    "samtykke.gitt_av": "performer",
    "melding.sendt": "dateTime",
}
_R5: Mapping[str, str] = {
    **_OF_BOTH,
    **dict.fromkeys(("avsendere", "mottakere", "formal", "kategorier"), "provision"),
    "samtykke.gyldig_fra": "period.start",
    "samtykke.gyldig_til": "period.end",
    "samtykke.beslutning": "decision",
    "samtykke.slag": "category",
    "samtykke.gitt_av": "grantor",
    "melding.sendt": "date",
}
"""Only an exception says in R5 to whom, and what."""

_EXCEPTION = re.compile(r"((?:unntak\[[0-9]+\]\.?)+)([a-z_]*)")


def unsaid(document: Mapping[str, object], at: str) -> str | None:
    """Where this document would say what a path of the record means; None where nobody knows."""
    newer = looks_newer(document)
    inside = _EXCEPTION.match(at)
    if inside is None:
        return (_R5 if newer else _R4).get(at)
    exception = inside.group(1).rstrip(".").replace("unntak", "provision")
    there = _OF_RULE.get(inside.group(2))
    return ("" if newer else "provision.") + exception + (f".{there}" if there else "")
