"""Understands what is said of each file in a folder of FHIR resources: accepted with what it means, or
rejected with every reason, or a withdrawal. The same reading, checks and decision as at the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.fhir_consent.places import unsaid
from adapters.fhir_consent.reading import TYPE as GIVEN
from adapters.fhir_consent.reading import read as read_fhir
from adapters.fhir_consent.vocabulary import ENDED
from adapters.fhir_places import Unsaid, at_fields, nowhere
from adapters.fhir_withdrawal.reading import TYPE as WITHDRAWN
from adapters.fhir_withdrawal.reading import read as read_ended
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

Types = Mapping[str, TypeSpec]
WITHDRAWAL = "withdrawal"
ENDS = plain.Words(
    "Det personen tillot i serien, trekkes; det som er nektet, står.",
    "What the person permitted in the series is withdrawn; what was refused stands.",
)


@dataclass(frozen=True)
class Answer:
    """What is said of one file or entry. `verdict` is accepted, withdrawal (a consent that permitted and has
    ended), rejected, other (not a consent) or unreadable."""

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
        if self.verdict == WITHDRAWAL:
            said["summary"] = {language: [ENDS.said(language)] for language in ("nb", "en")}
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


def check_folder(root: Path, types: Types, recorder: Sector, at: datetime) -> Iterator[Answer]:
    """One answer for every file, and for every resource inside a Bundle, in the order of names.

    `types` are the message types, `recorder` who would record it, `at` the moment (aware) it
    is evaluated at.
    """
    folder = Folder(root)
    for found in folder.found:
        yield _answer(found, folder, types, recorder, at)


def _answer(found: Found, folder: Folder, types: Types, recorder: Sector, at: datetime) -> Answer:
    if found.refused is not None:
        return Answer(found.place, "unreadable", "", found.refused.code, tuple(found.refused.findings))
    if found.type != "Consent" or found.resource is None:
        return Answer(found.place, "other", found.type)
    try:
        if found.resource.get("status") in ENDED:
            _check_ended(found.resource, folder, types, recorder)
            return Answer(found.place, WITHDRAWAL, "Consent")
        consent = read_consent(found.resource, folder, types, recorder, at)
    except Exception as fault:  # noqa: BLE001  whatever a document does to us, the next one gets its answer
        refused = fault if isinstance(fault, HubError) else HubError("hub.internal")
        if refused.code == "hub.internal":
            return Answer(found.place, "unreadable", "Consent", refused.code)
        findings = tuple(refused.findings) or (Finding("body", "type", "a consent"),)
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
    resource: Mapping[str, object],
    folder: Folder,
    types: Types,
    recorder: Sector,
    at: datetime,
) -> Consent:
    """The consent as the decision would read it, recorded when it says it was given. Raises
    parse.invalid and consent.* with every finding."""
    record: Record = read_fhir(resource, folder.resolve)
    with _in_place(resource, lambda document: read_fhir(document, folder.resolve), unsaid):
        if findings := types[GIVEN].check(record.fields):
            raise HubError("parse.invalid", findings)
        intake.check(record, recorder, at)
    sent = datetime.fromisoformat(str(record.get("melding.sendt")))
    return intake.read({**record.fields, intake.RECORDER: recorder.value}, min(sent, at))


def _check_ended(resource: Mapping[str, object], folder: Folder, types: Types, recorder: Sector) -> None:
    """Raises parse.invalid with every finding where it would not be taken as a withdrawal."""
    record = read_ended(resource, folder.resolve)
    with _in_place(resource, lambda document: read_ended(document, folder.resolve)):
        if findings := types[WITHDRAWN].check(record.fields):
            raise HubError("parse.invalid", findings)
        intake.check_withdrawal(record, recorder)


@contextmanager
def _in_place(
    resource: Mapping[str, object],
    read: Callable[[Mapping[str, object]], Record],
    unsaid: Unsaid = nowhere,
) -> Iterator[None]:
    """What is found by the paths of the record is told by those of the resource."""
    try:
        yield
    except HubError as refused:
        found = refused.findings or ((_ALONE[refused.code],) if refused.code in _ALONE else ())
        raise HubError(refused.code, at_fields(found, resource, read, unsaid)) from None
