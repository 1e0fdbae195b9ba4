"""Understands what payloads share: coded values as fields, and the persons and units of felleskomponent1.

    coded("TemaKodet", "tema")  ->  tema.kode, tema.system, tema.tekst

A unit or a person is told by name and by the numbers of the registers; addresses, telephone numbers and
dates of birth of others are dropped. It must not know any message.
"""

from __future__ import annotations

from adapters.kith.datatypes import CS, CV, DATE, OPAQUE, ST
from adapters.kith.msghead import FK1, address, ident, telecom
from adapters.kith.tables import MANY, El, Row, group, leaf, typed, without

OTHERS_WHY = "a name is enough to know another person by; no more is told of those who did not ask for it"


def coded(name: str, field: str, least: int = 0, most: int = 1, *, listed: bool = False) -> El:
    """A CV as a group of the code, its system and its words; a list of such groups where it repeats, or where
    it does in another version (`listed`). Nothing is added on writing: what is read again is the same."""
    parts = {"V": "kode", "S": "system", "DN": "tekst", "OT": "annet"}
    if most > 1 or listed:
        return leaf(name, CV, least, most, to=parts, into=field)
    to = {part: f"{field}.{last}" for part, last in parts.items()}
    return leaf(name, CV, least, to=to, blank=least > 0)


def status(name: str, field: str, least: int = 0, most: int = 1) -> El:
    """A CS as a group of the code and its words; the list is fixed by the element."""
    parts = {"V": "kode", "DN": "tekst"}
    if most > 1:
        return leaf(name, CS, least, most, to=parts, into=field)
    to = {part: f"{field}.{last}" for part, last in parts.items()}
    return leaf(name, CS, least, to=to, blank=least > 0)


def lines(name: str, field: str, least: int = 0, most: int = 1) -> El:
    """A string with its line breaks."""
    return leaf(name, ST, least, most, to={"lines": field}, blank=least > 0)


def names(*, given_first: bool = False) -> tuple[El, ...]:
    """The three elements of a name as the one text `navn`."""
    rows = (
        leaf("FamilyName", ST, 0, to="navn#family"),
        leaf("MiddleName", ST, 0, to="navn#middle"),
        leaf("GivenName", ST, 0, to="navn#given"),
    )
    return rows[::-1] if given_first else rows


def _numbers(ns: str, codes: str, least: int) -> El:
    """Every number of a unit or a professional with its kind, as `numre`."""
    number = leaf("Id", ST, to="id", blank=True)
    kind = leaf("TypeId", CV, to={"V": "type"}, codes=codes, blank=True)
    row = group("Ident", number, kind, least=least, most=MANY, into="numre")
    return typed(ns, row) if ns else row


def _private() -> tuple[El, ...]:
    return (
        leaf("DateOfBirth", DATE, 0, why=OTHERS_WHY),
        leaf("Sex", CS, 0, why=OTHERS_WHY),
        leaf("Nationality", CS, 0, why=OTHERS_WHY),
    )


def person_rows(*, given_first: bool = False) -> tuple[Row, ...]:
    """What a person who is not the patient has: the name is carried."""
    return (
        *names(given_first=given_first),
        *_private(),
        *ident(FK1, {}, least=0, why=OTHERS_WHY),
        address(FK1),
        telecom(FK1, OTHERS_WHY),
    )


def professional_rows(least_ident: int = 0) -> tuple[Row, ...]:
    """What a health professional has: name, occupation, role to the patient and numbers are carried."""
    return (
        status("TypeHealthcareProfessional", "yrke"),
        coded("RoleToPatient", "pasientrolle"),
        *names(),
        *_private(),
        _numbers(FK1, "8116", least_ident),
        address(FK1),
        telecom(FK1),
    )


def person(name: str, into: str, least: int = 1) -> El:
    """An element of the type fk1:Person."""
    return typed(FK1, group(name, *person_rows(), least=least, into=into))


def professional(name: str, into: str, least: int = 1) -> El:
    """An element of the type fk1:HealthcareProfessional."""
    return typed(FK1, group(name, *professional_rows(1), least=least, into=into))


def unit(name: str, into: str, least: int = 1) -> El:
    """An element of the type fk1:Organisation: name and numbers are carried, of a unit inside it too; a third
    level is not."""
    third = without(_unit("Organisation", "x", 0), "the address register has two levels")
    return typed(FK1, _unit(name, into, least, _unit("Organisation", "avdeling", 0, third)))


def _unit(name: str, into: str, least: int, *below: El) -> El:
    return group(
        name,
        leaf("TypeOrganisation", CV, 0, why="the name and the numbers say which unit it is"),
        leaf("OrganisationName", ST, to="navn", blank=True),
        _numbers("", "9051", 1),
        address(),
        telecom(),
        *(below or (leaf("Organisation", OPAQUE, 0),)),
        least=least,
        into=into,
    )
