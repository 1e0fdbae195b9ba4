"""Understands how a consent is told in plain words, in bokmål and English: who, to whom, what, why, when,
and what it makes exceptions for.

An organisation number is told as it stands, or by the name that the caller knows. Must not know persons.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import NamedTuple

from consent.rows import Obligation
from hub.message import ANY, Category, Consent, Purpose, Sector


class Words(NamedTuple):
    """One thing in both languages."""

    nb: str
    en: str

    def said(self, language: str) -> str:
        return self.en if language == "en" else self.nb


SECTORS: Mapping[str, Words] = {
    Sector.PRISON: Words("fengsel", "prison"),
    Sector.PROBATION: Words("friomsorg", "probation"),
    Sector.PRISON_HEALTH: Words("helsetjenesten i fengsel", "the health service in prison"),
    Sector.GP: Words("fastlege", "GP"),
    Sector.TSB: Words("spesialisert rusbehandling (TSB)", "specialised substance-use treatment (TSB)"),
    Sector.MENTAL_HEALTH_SERVICE: Words("psykisk helsevern", "mental health care"),
    Sector.NAV_STATE: Words("NAV (stat)", "NAV (state)"),
    Sector.NAV_MUNICIPAL: Words("NAV (kommune)", "NAV (municipality)"),
    Sector.MUNICIPALITY_HOUSING: Words("kommunens boligkontor", "the municipality’s housing office"),
    Sector.MUNICIPALITY_COORDINATOR: Words("kommunens koordinator", "the municipality’s coordinator"),
    Sector.MUNICIPALITY_SUBSTANCE: Words("kommunens rustjeneste", "the municipality’s substance-use service"),
    Sector.MUNICIPALITY_HEALTH: Words("kommunens helsetjeneste", "the municipality’s health service"),
    Sector.EDUCATION: Words("skole og utdanning", "school and education"),
    Sector.COURT: Words("domstol", "court"),
    Sector.PROSECUTION: Words("påtalemyndighet", "prosecution"),
    Sector.TREATMENT_INSTITUTION: Words("behandlingsinstitusjon", "treatment institution"),
    Sector.VOLUNTARY: Words("frivillig organisasjon", "voluntary organisation"),
    Sector.NEXT_OF_KIN: Words("pårørende", "next of kin"),
    Sector.COUNTY_GOVERNOR: Words("statsforvalter", "county governor"),
    Sector.STATISTICS: Words("statistikk", "statistics"),
    Sector.PERSON: Words("personen selv", "the person"),
    Sector.OUTSIDE: Words("andre utenfor samarbeidet", "others outside the co-operation"),
    ANY: Words("alle", "everybody"),
}
PURPOSES: Mapping[str, Words] = {
    Purpose.RETURN_TO_SOCIETY: Words("tilbakeføring til samfunnet", "return to society"),
    Purpose.TREATMENT: Words("behandling", "treatment"),
    Purpose.HOUSING: Words("bolig", "housing"),
    Purpose.BENEFITS: Words("ytelser", "benefits"),
    Purpose.WORK_AND_EDUCATION: Words("arbeid og utdanning", "work and education"),
    Purpose.CARE_COORDINATION: Words("samordning av hjelpen", "co-ordination of care"),
    Purpose.SENTENCE_EXECUTION: Words("straffegjennomføring", "execution of the sentence"),
    Purpose.COURT_CONTROL: Words("domstolskontroll", "court control"),
    Purpose.AFTERCARE: Words("ettervern", "aftercare"),
    Purpose.OVERDOSE_PREVENTION: Words("forebygging av overdose", "prevention of overdose"),
    Purpose.VOLUNTARY_SUPPORT: Words("frivillig støtte", "voluntary support"),
    Purpose.COMPLAINT: Words("klage", "complaint"),
    Purpose.STATISTICS: Words("statistikk", "statistics"),
    ANY: Words("ethvert formål", "any purpose"),
}
CATEGORIES: Mapping[str, Words] = {
    Category.IDENTITY: Words("navn og fødselsnummer", "name and identity number"),
    Category.COORDINATION: Words("kontaktpersoner og avtaler", "contacts and appointments"),
    Category.CUSTODY: Words("opphold og løslatelse", "imprisonment and release"),
    Category.OFFENCE: Words("dom og vilkår", "judgment and conditions"),
    Category.CONTROL: Words("kontroll og tester", "control and tests"),
    Category.SUBSTANCE_USE: Words("rus", "substance use"),
    Category.MENTAL_HEALTH: Words("psykisk helse", "mental health"),
    Category.SOMATIC_HEALTH: Words("kroppslig helse", "physical health"),
    Category.HOUSING: Words("bolig", "housing"),
    Category.ECONOMY: Words("økonomi", "economy"),
    Category.WORK: Words("arbeid", "work"),
    Category.EDUCATION: Words("utdanning", "education"),
    Category.FAMILY: Words("familie", "family"),
    Category.NETWORK: Words("nettverk og fritid", "network and leisure"),
    Category.PLAN: Words("planer", "plans"),
    Category.RISK: Words("risiko", "risk"),
    Category.PROGRAMME: Words("deltakelse i program", "participation in programmes"),
    ANY: Words("alle opplysninger", "all information"),
}
DUTIES: Mapping[str, Words] = {
    Obligation.ONLY_FOR_PURPOSE: Words("brukes bare til dette formålet", "to be used for this purpose only"),
    Obligation.NO_ONWARD_SHARING: Words("deles ikke videre", "not to be shared onward"),
    Obligation.NO_ONWARD_SHARING_OUTSIDE_HEALTH: Words(
        "deles ikke videre utenfor helsetjenesten", "not to be shared onward outside health care"
    ),
    Obligation.NOT_FOR_CONTROL: Words("brukes ikke til kontroll", "not to be used for control"),
    Obligation.VERIFY_BEFORE_USE: Words("kontrolleres før det brukes", "to be checked before use"),
    "notify_person": Words("personen skal få vite det", "the person is to be told"),
}
_EVERYTHING = {
    "senders": Words("hvem som helst", "anybody"),
    "recipients": Words("hvem som helst", "anybody"),
    "purposes": Words("ethvert formål", "any purpose"),
    "categories": Words("alle opplysninger", "all information"),
}
_NOTHING = Words("ingen er nevnt", "none is named")
_PERMITS = Words("Personen tillater deling.", "The person permits sharing.")
_REFUSES = Words("Personen nekter deling.", "The person refuses sharing.")
_EXCEPT_NOT = Words("Unntak, dette nektes:", "Exception, this is refused:")
_EXCEPT = Words("Unntak, dette tillates:", "Exception, this is permitted:")
_LINES = {
    "senders": Words("Fra", "From"),
    "recipients": Words("Til", "To"),
    "categories": Words("Hva", "What"),
    "purposes": Words("Til hva", "What for"),
}
_WHEN = Words("Når", "When")
_DATA = Words("Opplysninger fra", "Information from")

Name = Callable[[str], str | None]
"""Organisation number -> name, or None."""


_WIDENED = Words(
    "Dokumentet sperrer for bestemt personell. Vi vet ikke hvor de arbeider, og har derfor registrert "
    "sperringen som videre enn du sa: overfor alle. Du kan når som helst løfte den, eller si hvilken etat "
    "den skal gjelde.",
    "The document blocks certain personnel. We do not know where they work, so we have recorded the block as "
    "wider than you said: towards everybody. You may lift it at any time, or say which agency it shall be "
    "about.",
)


def summary(consent: Consent, language: str, name: Name = lambda org: None) -> list[str]:
    """The consent in lines; an exception is indented under what it is an exception to."""
    opening = (_PERMITS if consent.permits else _REFUSES).said(language)
    lines = [opening, *_scope(consent, language, name, whole=True), *_exceptions(consent, language, name, "")]
    return [*lines, _WIDENED.said(language)] if consent.widened else lines


def word(kind: Mapping[str, Words], code: str, language: str, name: Name = lambda org: None) -> str:
    """One code in words; an organisation by its name, or its number."""
    found = kind.get(code)
    return found.said(language) if found else name(code) or code


def _exceptions(consent: Consent, language: str, name: Name, indent: str) -> list[str]:
    lines: list[str] = []
    for exception in consent.exceptions:
        lines.append(indent + (_EXCEPT if exception.permits else _EXCEPT_NOT).said(language))
        lines += [f"{indent}  {line}" for line in _scope(exception, language, name, whole=False)]
        lines += _exceptions(exception, language, name, f"{indent}  ")
    return lines


def _scope(c: Consent, language: str, name: Name, *, whole: bool) -> list[str]:
    """What an exception leaves unsaid is as in what it is an exception to, so it is left unsaid."""
    lines: list[str] = []
    for attribute, kind in (
        ("senders", SECTORS),
        ("recipients", SECTORS),
        ("categories", CATEGORIES),
        ("purposes", PURPOSES),
    ):
        said: Collection[str] | None = getattr(c, attribute)
        if said:
            told = ", ".join(sorted(word(kind, code, language, name) for code in said))
        elif not whole:
            continue
        else:
            told = (_NOTHING if c.permits else _EVERYTHING[attribute]).said(language)
        lines.append(f"{_LINES[attribute].said(language)}: {told}")
    if whole or c.valid_from or c.valid_to:
        lines.append(f"{_WHEN.said(language)}: {_span(c.valid_from, c.valid_to, language)}")
    if c.data_from or c.data_to:
        lines.append(f"{_DATA.said(language)}: {_span(c.data_from, c.data_to, language)}")
    return lines


def _span(first: date | None, last: date | None, language: str) -> str:
    if language == "en":
        return f"from {first or 'the beginning'} to {f'{last} inclusive' if last else 'further notice'}"
    return f"fra {first or 'begynnelsen'} til {f'og med {last}' if last else 'det oppheves'}"
