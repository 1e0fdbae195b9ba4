"""Understands what stands on a receipt, as data and on paper, and that a withdrawal does not change it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from consent.plain import CATEGORIES, summary
from consent.receipt import Recorded, digest, lines, receipt
from consent.texts import ApprovedText, Texts
from hub.message import ANY, Category, Consent
from tests.consent.asking import as_read

AT = datetime(2026, 1, 2, 12, tzinfo=UTC)
SAID = as_read(AT, "work", "housing", form="muntlig")
KNOWN = Recorded("K-1", "310000078", "Elvestad fengselshelse", "p-123")
TEXTS = Texts(
    (
        ApprovedText("t", "en", "I agree.\nAlways.", "e" * 64, date.min, None),
        ApprovedText("t", "nb", "Jeg er enig.", "b" * 64, date.min, None),
        ApprovedText("u", "nb", "Noe annet.", "c" * 64, date.min, None),
    )
)


def name(org: str) -> str | None:
    return "Elvestad bolig" if org == "310000043" else None


EXPECTED = {
    "receipt_version": "1",
    "jurisdiction": "NO",
    "receipt_id": "K-1",
    "time": "2026-01-02T12:00:00+00:00",
    "method": "orally",
    "language": "en",
    "person": "p-123",
    "controllers": [{"org": "310000078", "name": "Elvestad fengselshelse"}],
    "version": 3,
    "decision": "permit",
    "withdrawn_at": None,
    "permissions_ended_at": None,
    "summary": summary(SAID, "en", name),
    "purposes": ["treatment"],
    "categories": [CATEGORIES[code].en for code in ("housing", "work")],
    "recipients": ["Elvestad bolig", "GP"],
    "senders": ["prison"],
    "third_parties": "Whoever gets the information may not pass it on without a new basis.",
    "sensitive": False,
    "termination": "On 2026-12-31, or when you withdraw it.",
    "how_to_withdraw": (
        "You may withdraw this at any time, without saying why: where you gave it, or at another agency that "
        "helps you. You sign, and it works at once, also for what is waiting. What has been sent already "
        "cannot be taken back."
    ),
    "text": {"id": "t", "language": "nb", "words": "Jeg er enig.", "sha256": "b" * 64},
}


def test_a_receipt_says_all_this_and_no_more() -> None:
    made = receipt(SAID, KNOWN, TEXTS, "en", name)

    assert made == EXPECTED


BARE = replace(
    SAID,
    permits=False,
    valid_to=None,
    senders=None,
    recipients=None,
    purposes=None,
    categories=None,
    form="",
    text_version="",
    withdrawn_at=AT,
)
ROWS: list[tuple[Consent, str, object]] = [
    (BARE, "decision", "refuse"),
    (BARE, "withdrawn_at", "2026-01-02T12:00:00+00:00"),
    (replace(SAID, permissions_ended_at=AT), "permissions_ended_at", "2026-01-02T12:00:00+00:00"),
    (BARE, "termination", "When you withdraw it."),
    (BARE, "senders", []),
    (BARE, "recipients", []),
    (BARE, "purposes", []),
    (BARE, "categories", []),
    (BARE, "sensitive", True),
    (BARE, "method", "not stated"),
    (BARE, "text", {"id": None, "language": None, "words": None, "sha256": None}),
    (replace(SAID, form="skriftlig"), "method", "in writing on paper"),
    (replace(SAID, form="elektronisk"), "method", "electronically"),
    (replace(SAID, form="på tavla"), "method", "not stated"),
    (replace(SAID, language="nb"), "text", EXPECTED["text"]),
    (
        replace(SAID, language="en"),
        "text",
        {"id": "t", "language": "en", "words": "I agree.\nAlways.", "sha256": "e" * 64},
    ),
    (replace(SAID, language="se"), "text", {"id": "t", "language": "se", "words": None, "sha256": None}),
    (
        replace(SAID, categories=frozenset(CATEGORIES)),
        "categories",
        [CATEGORIES[code].en for code in sorted(CATEGORIES)],
    ),
    *(
        (replace(SAID, categories=frozenset({one, "work"})), "sensitive", True)
        for one in ("substance_use", "mental_health", "somatic_health", "offence", "control", ANY)
    ),
    *(
        (replace(SAID, categories=frozenset({one.value})), "sensitive", False)
        for one in (Category.WORK, Category.HOUSING, Category.ECONOMY, Category.EDUCATION)
    ),
]


@pytest.mark.parametrize(("said", "key", "value"), ROWS)
def test_what_each_part_says(said: Consent, key: str, value: object) -> None:
    assert receipt(said, KNOWN, TEXTS, "en", name)[key] == value


def test_the_digest_is_that_of_the_canonical_receipt_and_outlives_a_withdrawal() -> None:
    made = receipt(SAID, KNOWN, TEXTS, "nb", name)
    recorded = {key: value for key, value in made.items() if key != "permissions_ended_at"}
    canonical = json.dumps(recorded, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    assert digest(made) == hashlib.sha256(canonical).hexdigest()
    assert digest(dict(reversed(made.items()))) == digest(made)
    assert digest({**made, "withdrawn_at": "2026-01-03"}) == digest(made)
    assert digest({**made, "permissions_ended_at": "2026-01-03"}) == digest(made)
    assert digest({**made, "version": 4}) != digest(made)


PAPER = {
    "nb": [
        *summary(SAID, "nb", name),
        "Registrert av: Elvestad fengselshelse (310000078)",
        "Kvittering: K-1",
        "Registrert: 2026-01-02T12:00:00+00:00",
        "Hvordan: muntlig",
        "Person (pseudonym): p-123",
        "Versjon: 3",
        "Slutter: Siste dag er 2026-12-31, eller når du trekker det.",
        "Videre deling: Den som får opplysningene, kan ikke dele dem videre uten et nytt grunnlag.",
        "Slik trekker du det: Du kan trekke dette når som helst, uten å si hvorfor: der du ga det, eller ved "
        "en annen etat som hjelper deg. Du skriver under, og det virker med en gang, også for det som "
        "venter. Det som alt er sendt, kan ikke hentes tilbake.",
        f"Teksten som ble vist (t, nb, SHA-256 {'b' * 64}):",
        "Jeg er enig.",
    ],
    "en": [
        *summary(SAID, "en", name),
        "Recorded by: Elvestad fengselshelse (310000078)",
        "Receipt: K-1",
        "Recorded: 2026-01-02T12:00:00+00:00",
        "How: orally",
        "Person (pseudonym): p-123",
        "Version: 3",
        f"Ends: {EXPECTED['termination']}",
        f"Passing on: {EXPECTED['third_parties']}",
        f"How to withdraw it: {EXPECTED['how_to_withdraw']}",
        f"The words that were shown (t, nb, SHA-256 {'b' * 64}):",
        "Jeg er enig.",
    ],
}


@pytest.mark.parametrize("language", ["nb", "en"])
def test_on_paper_it_says_the_same(language: str) -> None:
    assert lines(receipt(SAID, KNOWN, TEXTS, language, name)) == PAPER[language]


def test_on_paper_what_is_withdrawn_or_sensitive_says_so() -> None:
    told = lines(receipt(BARE, KNOWN, TEXTS, "en", name))

    assert "Withdrawn: 2026-01-02T12:00:00+00:00" in told
    assert told[-1] == "Concerns sensitive information."
    assert lines(receipt(BARE, KNOWN, TEXTS, "nb", name))[-1] == "Gjelder sensitive opplysninger."
    shown = replace(SAID, language="en")
    assert lines(receipt(shown, KNOWN, TEXTS, "en", name))[-2:] == ["I agree.", "Always."]
