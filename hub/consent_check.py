"""Understands what is said of each file in a folder of FHIR resources: accepted with what it means, or
rejected with every reason. The same reading, the same checks and the same decision as at the desk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.fhir_consent.reading import read as read_fhir
from consent import intake, plain
from consent.evaluation import Line, evaluate, state
from consent.reasons import told
from hub.consent_folder import Folder, Found
from hub.errors import Finding, HubError
from hub.message import Consent, Record, Sector
from mappings.types import TypeSpec

_ALONE = {
    "consent.recorder-control": Finding("kategorier", "recorder", "a recorder outside the control roles"),
    "consent.programme-only": Finding("samtykke.slag", "programme", "a consent to share"),
}


@dataclass(frozen=True)
class Answer:
    """What is said of one file or entry. `verdict` is accepted, rejected, other (not a consent) or
    unreadable."""

    place: str
    verdict: str
    type: str = ""
    code: str = ""
    findings: tuple[Finding, ...] = ()
    consent: Consent | None = None
    state: str = ""
    lines: tuple[Line, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON, in both languages."""
        said: dict[str, Any] = {"file": self.place, "verdict": self.verdict, "type": self.type or None}
        if self.code:
            said["code"] = self.code
            said["reasons"] = [
                {
                    **finding.plain(),
                    "nb": told(finding, "nb"),
                    "en": told(finding, "en"),
                }
                for finding in self.findings
            ]
        if self.consent is not None:
            said["summary"] = {language: plain.summary(self.consent, language) for language in ("nb", "en")}
            said["evaluation"] = {
                "state": self.state,
                "lines": [
                    {
                        "from": line.sender,
                        "to": line.recipient,
                        "purpose": line.purpose,
                        "permits": list(line.permits),
                        "refuses": list(line.refuses),
                    }
                    for line in self.lines
                ],
            }
        return said


def check_folder(root: Path, spec: TypeSpec, recorder: Sector, at: datetime) -> Iterator[Answer]:
    """One answer for every file, and for every resource inside a Bundle, in the order of names.

    `spec` is the message type samtykke.gitt, `recorder` who would record it, `at` the moment (aware) it
    is evaluated at.
    """
    folder = Folder(root)
    for found in folder.found:
        yield _answer(found, folder, spec, recorder, at)


def _answer(found: Found, folder: Folder, spec: TypeSpec, recorder: Sector, at: datetime) -> Answer:
    if found.refused is not None:
        return Answer(found.place, "unreadable", "", found.refused.code, tuple(found.refused.findings))
    if found.type != "Consent" or found.resource is None:
        return Answer(found.place, "other", found.type)
    try:
        consent = read_consent(found.resource, folder, spec, recorder, at)
    except Exception as fault:  # noqa: BLE001  whatever a document does to us, the next one gets its answer
        refused = fault if isinstance(fault, HubError) else HubError("hub.internal")
        if refused.code == "hub.internal":
            return Answer(found.place, "unreadable", "Consent", refused.code)
        findings = tuple(refused.findings) or (
            _ALONE.get(refused.code, Finding("body", "type", "a consent")),
        )
        return Answer(found.place, "rejected", "Consent", refused.code, findings)
    day = at.astimezone(intake.OSLO).date()
    return Answer(
        found.place,
        "accepted",
        "Consent",
        consent=consent,
        state=state(consent, day),
        lines=evaluate(consent, at),
    )


def read_consent(
    resource: Mapping[str, object], folder: Folder, spec: TypeSpec, recorder: Sector, at: datetime
) -> Consent:
    """The consent as the decision would read it, recorded when it says it was given. Raises
    parse.invalid and consent.* with every finding."""
    record: Record = read_fhir(resource, folder.resolve)
    if findings := spec.check(record.fields):
        raise HubError("parse.invalid", findings)
    intake.check(record, recorder, at)
    sent = datetime.fromisoformat(str(record.get("melding.sendt")))
    return intake.read({**record.fields, intake.RECORDER: recorder.value}, min(sent, at))
