"""Understands the consent desk of the console: a caseworker records what a person gives, refuses or
withdraws, and hands over the receipt.

What is filled in becomes the same message that an agency's system would send, and goes the same way; the
desk knows no other. The identity number stands in forms, never in an address. An agency is shown what it
recorded itself: that somebody lets a clinic send something to a doctor would tell what is treated there. A
control role is shown no list: neither a consent, nor a refusal, nor a withdrawal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from consent.intake import ALL_PERMISSIONS, ALL_REFUSALS, OSLO
from consent.plain import CATEGORIES, PURPOSES, SECTORS, summary, word
from consent.reasons import told
from consent.receipt import lines
from consent.texts import ApprovedText
from hub import pipeline, register
from hub.console.texts import Language
from hub.console.users import DeskUser
from hub.errors import PROBLEMS, HubError
from hub.message import ANY, CONTROL_SECTORS, Category, Purpose, Sector
from hub.parts import Parts
from mappings.identifiers import is_fodselsnummer

Form = Mapping[str, list[str]]

_NEVER = frozenset({Category.UNKNOWN, Category.PROTECTED_ADDRESS})
_NO_PARTY = frozenset({Sector.OUTSIDE, Sector.PERSON, Sector.STATISTICS})
_TICKED_ALONE = Category.SUBSTANCE_USE
"""Never one of many ticks: it has a box, and words, of its own."""
_LONGEST = timedelta(days=365)
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "form": ("skriftlig", "elektronisk", "muntlig"),
    "sted": ("helsetjeneste", "fengsel", "program", "etatskontor", "digitalt", "annet"),
    "tolk": ("ingen", "kvalifisert", "annen"),
    "gitt_av": ("pasient", "verge"),
}


@dataclass(frozen=True)
class Outcome:
    """What came of a form: a receipt (in lines), or why there is none (in sentences)."""

    receipt: list[str] | None = None
    done: str = ""
    faults: tuple[str, ...] = ()


def page(parts: Parts, user: DeskUser, number: str, language: Language, outcome: Outcome) -> dict[str, Any]:
    """Everything the page shows of one person; without a number, only the question whose it is."""
    lang = language.value
    today = parts.clock().astimezone(OSLO).date()
    known = is_number(number)
    return {
        "number": number if known else "",
        "unknown": bool(number) and not known,
        "outcome": outcome,
        "control": user.agency.sector in CONTROL_SECTORS,
        "may_substance": user.agency.sector not in CONTROL_SECTORS,
        "listed": _listed(parts, user, number, lang) if known else [],
        "texts": _texts(parts, lang, today),
        "senders": _choices(SECTORS, [s for s in Sector if s not in _NO_PARTY], lang),
        "recipients": _choices(SECTORS, [s for s in Sector if s not in _NO_PARTY], lang),
        "purposes": _choices(PURPOSES, list(Purpose), lang),
        "categories": _choices(
            CATEGORIES, [c for c in Category if c not in _NEVER and c is not _TICKED_ALONE], lang
        ),
        "substance": _TICKED_ALONE.value,
        "choices": _CHOICES,
        "first": today.isoformat(),
        "latest": (today + _LONGEST).isoformat(),
        "all_permissions": ALL_PERMISSIONS,
        "all_refusals": ALL_REFUSALS,
    }


def give(parts: Parts, user: DeskUser, form: Form, language: Language) -> Outcome:
    """Record a consent or a refusal that was filled in. Nothing is ticked for the person."""
    message_id = f"skranke-{parts.new_id()}"
    series, version = _series(parts, user, form, message_id)
    categories = [*_words(form, "kategorier"), *_words(form, "rus")]
    said: dict[str, Any] = {
        "serie": series,
        "versjon": version,
        "beslutning": _one(form, "beslutning"),
        "gyldig_fra": _one(form, "gyldig_fra"),
        "gyldig_til": _one(form, "gyldig_til"),
        "signert": _one(form, "signert") == "ja",
        "forklart": _one(form, "forklart") == "ja",
        "slag": "deling",
        "tekstversjon": _one(form, "tekst").partition("|")[0],
        "sprak": _one(form, "tekst").partition("|")[2],
        **{name: _one(form, name) for name in _CHOICES},
    }
    if (served := _one(form, "under_straff")) in ("ja", "nei"):
        said["under_straff"] = served == "ja"
    document = {
        "type": "samtykke.gitt",
        "melding": {"id": message_id, "sendt": parts.clock().isoformat(timespec="seconds")},
        "person": {"id": _one(form, "number")},
        "samtykke": {name: value for name, value in said.items() if value != ""},
        "avsendere": _words(form, "avsendere"),
        "mottakere": [*_words(form, "mottakere"), *_words(form, "mottaker_org")],
        "formal": _words(form, "formal"),
        "kategorier": categories,
    }
    return _send(parts, user, {name: value for name, value in document.items() if value}, language, "give")


def withdraw(parts: Parts, user: DeskUser, form: Form, language: Language) -> Outcome:
    """Record a withdrawal: one consent that this agency recorded, or everything at once."""
    document: dict[str, Any] = {
        "type": "samtykke.trukket",
        "melding": {
            "id": f"skranke-{parts.new_id()}",
            "sendt": parts.clock().isoformat(timespec="seconds"),
        },
        "person": {"id": _one(form, "number")},
        "tidspunkt": parts.clock().isoformat(timespec="seconds"),
    }
    scope = _one(form, "omfang")
    if scope in (ALL_PERMISSIONS, ALL_REFUSALS):
        document |= {"omfang": scope, "signert": _one(form, "signert") == "ja"}
    else:
        own = _own(parts, user, _one(form, "number"), _one(form, "id"))
        document["samtykke"] = {"serie": str(own["samtykke"]["serie"]) if own else "-"}
    return _send(parts, user, document, language, "withdraw")


def is_number(number: str) -> bool:
    """Whether this can be a person: eleven digits that fit together."""
    return bool(re.fullmatch(r"[0-9]{11}", number)) and is_fodselsnummer(number)


def _send(
    parts: Parts, user: DeskUser, document: Mapping[str, Any], language: Language, done: str
) -> Outcome:
    """The way of every message, on behalf of the caseworker's agency."""
    body = json.dumps(document, ensure_ascii=False).encode()
    try:
        accepted = pipeline.receive(parts, user.agency, "application/json", body)
    except HubError as refused:
        problem = PROBLEMS[refused.code]
        title = problem.nb if language is Language.NB else problem.title
        return Outcome(faults=(title, *(told(f, language.value) for f in refused.findings)))
    if done == "withdraw":
        return Outcome(done=done)
    made = register.receipt_of(parts, accepted.id, language.value)
    return Outcome(receipt=[f"{user.name}, {user.agency.name}", *lines(made)], done=done)


def _listed(parts: Parts, user: DeskUser, number: str, language: str) -> list[dict[str, Any]]:
    if user.agency.sector in CONTROL_SECTORS:
        return []
    now = parts.clock()
    name = register.name_of(parts)
    return [
        {
            "id": shown.entry.id,
            "stands": shown.stands,
            "version": shown.entry.said.version,
            "recorded_at": shown.entry.said.recorded_at,
            "recorder": name(shown.entry.recorded_by) or shown.entry.recorded_by,
            "says": summary(shown.entry.said, language, name) if shown.entry.said.readable else [],
        }
        for shown in reversed(register.of_person(parts, number, at=now, known_at=now))
        if shown.entry.recorded_by == user.agency.org
    ]


def _own(parts: Parts, user: DeskUser, number: str, consent_id: str) -> Mapping[str, Any] | None:
    """The document of a consent that this agency recorded about this person."""
    now = parts.clock()
    for shown in register.of_person(parts, number, at=now, known_at=now):
        if shown.entry.id == consent_id and shown.entry.recorded_by == user.agency.org:
            return shown.entry.document or None
    return None


def _series(parts: Parts, user: DeskUser, form: Form, message_id: str) -> tuple[str, int]:
    """A consent of its own, or the next version of one that this agency recorded: that is narrowing."""
    number, before = _one(form, "number"), _one(form, "endrer")
    own = _own(parts, user, number, before) if before and user.agency.sector not in CONTROL_SECTORS else None
    if own is None:
        return message_id, 1
    return str(own["samtykke"]["serie"]), int(own["samtykke"]["versjon"]) + 1


def _texts(parts: Parts, language: str, today: date) -> list[ApprovedText]:
    """The texts that may be shown today, those in the reader's language first."""
    usable = [
        text
        for text in parts.texts.known
        if text.approved_from <= today and (text.approved_to is None or today <= text.approved_to)
    ]
    return sorted(usable, key=lambda text: (text.language != language, text.id, text.language))


def _choices(kind: Any, codes: Any, language: str) -> list[tuple[str, str]]:
    listed = [(str(code.value), word(kind, code.value, language)) for code in codes if code != ANY]
    return sorted(listed, key=lambda choice: choice[1].lower())


def _one(form: Form, name: str) -> str:
    values = form.get(name, [])
    return values[0].strip() if len(values) == 1 else ""


def _words(form: Form, name: str) -> list[str]:
    found = [word for value in form.get(name, []) for word in value.split()]
    return sorted(set(found))
