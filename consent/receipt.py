"""Understands the receipt a person gets for what was recorded: fields after Kantara Consent Receipt 1.1 and
ISO/IEC TS 27560, the words that were shown with their hash, and how to withdraw. As data and as text.

Pure. It holds no identity number and no name of the person, only a pseudonym: a receipt is printed, left on
a table and photographed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent.plain import CATEGORIES, PURPOSES, SECTORS, Name, Words, summary, word
from consent.texts import ApprovedText, Texts
from hub.message import ANY, Category, Consent

VERSION = "1"
JURISDICTION = "NO"
SENSITIVE = frozenset(
    {
        Category.SUBSTANCE_USE.value,
        Category.MENTAL_HEALTH.value,
        Category.SOMATIC_HEALTH.value,
        Category.OFFENCE.value,
        Category.CONTROL.value,
        ANY,
    }
)
"""GDPR art. 9 and 10."""

_METHODS: Mapping[str, Words] = {
    "skriftlig": Words("skriftlig på papir", "in writing on paper"),
    "elektronisk": Words("elektronisk", "electronically"),
    "muntlig": Words("muntlig", "orally"),
    "": Words("ikke oppgitt", "not stated"),
}
_HOW = Words(
    "Du kan trekke dette når som helst, uten å si hvorfor: der du ga det, eller ved en annen etat som "
    "hjelper deg. Du skriver under, og det virker med en gang, også for det som venter. Det som alt er "
    "sendt, kan ikke hentes tilbake.",
    "You may withdraw this at any time, without saying why: where you gave it, or at another agency that "
    "helps you. You sign, and it works at once, also for what is waiting. What has been sent already "
    "cannot be taken back.",
)
_THIRD = Words(
    "Den som får opplysningene, kan ikke dele dem videre uten et nytt grunnlag.",
    "Whoever gets the information may not pass it on without a new basis.",
)
_END = Words("Når du trekker det.", "When you withdraw it.")
_END_ON = Words("Siste dag er {day}, eller når du trekker det.", "On {day}, or when you withdraw it.")


@dataclass(frozen=True)
class Recorded:
    """What the register knows beside the document: the receipt's id, who recorded it (organisation number
    and name), and the person's pseudonym."""

    id: str
    recorder: str
    recorder_name: str
    person: str


def receipt(said: Consent, recorded: Recorded, texts: Texts, language: str, name: Name) -> dict[str, Any]:
    """The receipt as data, in `nb` or `en`; the words shown are in the language they were shown in."""
    shown = _shown(said, texts)
    parties = sorted(said.recipients or ())
    last = said.valid_to
    return {
        "receipt_version": VERSION,
        "jurisdiction": JURISDICTION,
        "receipt_id": recorded.id,
        "time": said.recorded_at.isoformat(),
        "method": _METHODS.get(said.form, _METHODS[""]).said(language),
        "language": language,
        "person": recorded.person,
        "controllers": [{"org": recorded.recorder, "name": recorded.recorder_name}],
        "version": said.version,
        "decision": "permit" if said.permits else "refuse",
        "withdrawn_at": said.withdrawn_at.isoformat() if said.withdrawn_at else None,
        "permissions_ended_at": said.permissions_ended_at.isoformat() if said.permissions_ended_at else None,
        "summary": summary(said, language, name),
        "purposes": _told(said.purposes, PURPOSES, language, name),
        "categories": _told(said.categories, CATEGORIES, language, name),
        "recipients": [word(SECTORS, party, language, name) for party in parties],
        "senders": _told(said.senders, SECTORS, language, name),
        "third_parties": _THIRD.said(language),
        "sensitive": said.categories is None or bool(said.categories & SENSITIVE),
        "termination": _END_ON.said(language).format(day=last) if last else _END.said(language),
        "how_to_withdraw": _HOW.said(language),
        "text": {
            "id": said.text_version or None,
            "language": shown.language if shown else said.language or None,
            "words": shown.text if shown else None,
            "sha256": shown.sha256 if shown else None,
        },
    }


def digest(made: Mapping[str, Any]) -> str:
    """SHA-256 over the receipt as canonical JSON, hex: what the audit leaf of the recording holds. A
    later withdrawal does not change it, nor that what a refusal permitted by exception ended."""
    recorded = {key: value for key, value in made.items() if key != "permissions_ended_at"}
    body = json.dumps(
        {**recorded, "withdrawn_at": None}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(body.encode()).hexdigest()


_LINES = (
    ("receipt_id", Words("Kvittering", "Receipt")),
    ("time", Words("Registrert", "Recorded")),
    ("method", Words("Hvordan", "How")),
    ("person", Words("Person (pseudonym)", "Person (pseudonym)")),
    ("version", Words("Versjon", "Version")),
    ("withdrawn_at", Words("Trukket", "Withdrawn")),
    (
        "permissions_ended_at",
        Words(
            "Det du tillot, er trukket; det du nektet, står",
            "What you permitted is withdrawn; what you refused stands",
        ),
    ),
    ("termination", Words("Slutter", "Ends")),
    ("third_parties", Words("Videre deling", "Passing on")),
    ("how_to_withdraw", Words("Slik trekker du det", "How to withdraw it")),
)
_BY = Words("Registrert av", "Recorded by")
_SENSITIVE = Words("Gjelder sensitive opplysninger", "Concerns sensitive information")
_WORDS = Words("Teksten som ble vist", "The words that were shown")


def lines(made: Mapping[str, Any]) -> list[str]:
    """The receipt as text for print, in its own language."""
    language = str(made["language"])
    told = list(made["summary"])
    controller = made["controllers"][0]
    told.append(f"{_BY.said(language)}: {controller['name']} ({controller['org']})")
    told += [f"{label.said(language)}: {made[key]}" for key, label in _LINES if made[key] is not None]
    if made["sensitive"]:
        told.append(f"{_SENSITIVE.said(language)}.")
    text = made["text"]
    if text["words"]:
        told.append(f"{_WORDS.said(language)} ({text['id']}, {text['language']}, SHA-256 {text['sha256']}):")
        told += str(text["words"]).splitlines()
    return told


def _shown(said: Consent, texts: Texts) -> ApprovedText | None:
    wanted = said.language or "nb"
    found = [text for text in texts.known if text.id == said.text_version]
    return next((text for text in found if text.language == wanted), None)


def _told(codes: frozenset[str] | None, kind: Mapping[str, Words], language: str, name: Name) -> list[str]:
    return [word(kind, code, language, name) for code in sorted(codes or ())]
