"""A consent in plain words: every line in both languages, and what is left unsaid."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from consent import plain
from consent.plain import summary, word
from hub.message import ANY, Category, Consent, Purpose, Sector
from tests.consent.asking import but, no, yes

ORG = "310000078"
NARROW: dict[str, Any] = {
    "senders": frozenset({"prison", ORG}), "recipients": frozenset({"gp"}),
    "purposes": frozenset({"treatment", "housing"}), "categories": frozenset({"substance_use"}),
}  # one row per case # fmt: skip
BARE: dict[str, Any] = {
    "senders": None, "recipients": None, "purposes": None, "categories": None,
    "valid_from": None, "valid_to": None,
}  # one row per case # fmt: skip

TOLD: list[tuple[Consent, str, list[str]]] = [
    (
        yes(**NARROW),
        "nb",
        ["Personen tillater deling.", f"Fra: {ORG}, fengsel", "Til: fastlege", "Hva: rus",
         "Til hva: behandling, bolig", "Når: fra 2026-03-01 til og med 2027-03-01"],
    ),
    (
        yes(**NARROW),
        "en",
        ["The person permits sharing.", f"From: {ORG}, prison", "To: GP", "What: substance use",
         "What for: housing, treatment", "When: from 2026-03-01 to 2027-03-01 inclusive"],
    ),
    (
        no(**BARE),
        "nb",
        ["Personen nekter deling.", "Fra: hvem som helst", "Til: hvem som helst", "Hva: alle opplysninger",
         "Til hva: ethvert formål", "Når: fra begynnelsen til det oppheves"],
    ),
    (
        no(**BARE),
        "en",
        ["The person refuses sharing.", "From: anybody", "To: anybody", "What: all information",
         "What for: any purpose", "When: from the beginning to further notice"],
    ),
    (
        yes(**BARE),
        "en",
        ["The person permits sharing.", "From: none is named", "To: none is named", "What: none is named",
         "What for: none is named", "When: from the beginning to further notice"],
    ),
    (
        yes(),
        "nb",
        ["Personen tillater deling.", "Fra: alle", "Til: alle", "Hva: alle opplysninger",
         "Til hva: ethvert formål", "Når: fra 2026-03-01 til og med 2027-03-01"],
    ),
    (
        no(**{**BARE, "data_from": date(2026, 1, 1)}),
        "nb",
        ["Personen nekter deling.", "Fra: hvem som helst", "Til: hvem som helst", "Hva: alle opplysninger",
         "Til hva: ethvert formål", "Når: fra begynnelsen til det oppheves",
         "Opplysninger fra: fra 2026-01-01 til det oppheves"],
    ),
    (
        no(**{**BARE, "data_to": date(2026, 1, 1)}),
        "en",
        ["The person refuses sharing.", "From: anybody", "To: anybody", "What: all information",
         "What for: any purpose", "When: from the beginning to further notice",
         "Information from: from the beginning to 2026-01-01 inclusive"],
    ),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("consent", "language", "lines"), TOLD)
def test_a_consent_is_told_line_by_line(consent: Consent, language: str, lines: list[str]) -> None:
    assert summary(consent, language) == lines


EXCEPTIONS: list[tuple[Consent, str, list[str]]] = [
    (but(False, recipients=frozenset({"court"})), "nb", ["Unntak, dette nektes:", "  Til: domstol"]),
    (but(False, purposes=frozenset({"housing"})), "en",
     ["Exception, this is refused:", "  What for: housing"]),
    (but(False, valid_from=date(2026, 5, 1)), "en",
     ["Exception, this is refused:", "  When: from 2026-05-01 to further notice"]),
    (but(False, valid_to=date(2026, 5, 1)), "nb",
     ["Unntak, dette nektes:", "  Når: fra begynnelsen til og med 2026-05-01"]),
    (
        but(False, categories=frozenset({"work"}),
            exceptions=(but(True, senders=frozenset({"gp"})), but(True, senders=frozenset({"tsb"})))),
        "nb",
        ["Unntak, dette nektes:", "  Hva: arbeid", "  Unntak, dette tillates:", "    Fra: fastlege",
         "  Unntak, dette tillates:", "    Fra: spesialisert rusbehandling (TSB)"],
    ),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("exception", "language", "lines"), EXCEPTIONS)
def test_an_exception_says_only_what_differs(exception: Consent, language: str, lines: list[str]) -> None:
    assert summary(yes(exceptions=(exception,)), language)[6:] == lines


def test_an_organisation_is_told_by_the_name_that_the_caller_knows() -> None:
    def name(org: str) -> str | None:
        return "Elvestad" if org == ORG else None

    consent = yes(**NARROW, exceptions=(but(False, recipients=frozenset({ORG, "320000000"})),))

    told = summary(consent, "nb", name)

    assert told[1] == "Fra: Elvestad, fengsel"
    assert told[-1] == "  Til: 320000000, Elvestad"
    assert word(plain.SECTORS, "gp", "nb", name) == "fastlege"
    assert word(plain.SECTORS, ORG, "nb") == ORG


def test_every_code_has_words_of_its_own_in_both_languages() -> None:
    kinds = [
        (plain.SECTORS, {*Sector, ANY}),
        (plain.PURPOSES, {*Purpose, ANY}),
        (plain.CATEGORIES, {*Category, ANY} - {Category.UNKNOWN, Category.PROTECTED_ADDRESS}),
    ]
    for kind, codes in kinds:
        assert set(kind) == codes
        for language in ("nb", "en"):
            assert len({word(kind, code, language) for code in codes}) == len(codes)
            assert not {word(kind, code, language) for code in codes} & {""}
