"""Understands Norwegian identifiers: whether a number can be what it says it is, and what it may be.

Knows check digits and birth dates, not persons: a valid number need not belong to anybody. `IDENTIFIERS`
is the one table: what each kind is called in the national code lists (8116 persons, 9051 organisations),
under which OID and other names it travels, and what it is about.

A D-number adds 40 to the day. A made-up number adds 80 to the month (Skatteetaten, Tenor), 65 (Norsk
helsenett) or 40 (NAV, Dolly), also to a D-number. An H-number, made where somebody's number is not known
yet, adds 40 to the month as well: it cannot be told from NAV's. An FH-number begins with 8 or 9 and says
nothing of a birth date. Which of them an installation takes is a setting; here all are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial

from stdnum.exceptions import ValidationError
from stdnum.no import fodselsnummer, orgnr

_PERSON = re.compile(r"[0-9]{11}")
_ORGANISATION = re.compile(r"[1-9][0-9]{8}")
_DUF = re.compile(r"(?:19|20)[0-9]{10}")
_KOMMUNE = re.compile(r"(?!00)[0-9]{2}(?!00)[0-9]{2}")  # nn00 is a county
_REGISTER = re.compile(r"[1-9][0-9]{0,8}")
_HER = re.compile(r"[1-9][0-9]{0,6}")

_TENOR, _NHN, _NAV = 80, 65, 40  # added to the month of a made-up number
_D_NUMBER_DAYS = 40
_DUF_WEIGHTS = (4, 6, 3, 2, 4, 6, 3, 2, 7, 5)

NEW_NUMBERS = date(2032, 1, 1)
"""From then on the first check digit of a new number may leave a remainder of up to 3."""


class About(StrEnum):
    """What an identifier points at."""

    PERSON = "person"
    PRACTITIONER = "practitioner"
    ORGANISATION = "organisation"
    PLACE = "place"


class Numbers(StrEnum):
    """Whose numbers an installation takes. An H-number counts as both: the digits do not tell."""

    ALL = "all"
    REAL = "real"
    SYNTHETIC = "synthetic"


NUMBERS = {
    Numbers.ALL: "a number with valid check digits",
    Numbers.REAL: "a number that is not made up; this hub takes no month above 65",
    Numbers.SYNTHETIC: "a made-up number (month + 80, + 65 or + 40); this hub takes no real person's",
}
"""What an installation takes, in words."""


@dataclass(frozen=True)
class Identifier:
    """One kind of number. `code` is its code in 8116 or 9051; `names` are the systems it goes under
    elsewhere, the OID first; `fits` says whether a text can be such a number."""

    code: str
    about: About
    nb: str
    en: str
    names: tuple[str, ...]
    fits: Callable[[str], bool] = field(repr=False)


def is_fodselsnummer(number: str, *, on: date | None = None) -> bool:
    """True for eleven digits with both check digits right and a birth date that exists: a
    fødselsnummer, D-number or H-number, real or made up. `on`: the day whose rules count; without
    it, those before 2032."""
    return bool(_PERSON.fullmatch(number)) and _check_digits(number, on) and birth_date(number) is not None


def is_fh_number(number: str, *, on: date | None = None) -> bool:
    """True for a number that a health service was given for somebody whose own is not known."""
    return bool(_PERSON.fullmatch(number)) and number[0] in "89" and _check_digits(number, on)


def is_person_number(number: str) -> bool:
    """True for every kind of number that can lead to a person: fødselsnummer, D-, H- and FH-number."""
    return is_fodselsnummer(number) or is_fh_number(number)


def birth_date(number: str) -> date | None:
    """The day of birth written in eleven digits, whatever is added to its day and month; else None."""
    if not _PERSON.fullmatch(number):
        return None
    try:
        return fodselsnummer.get_birth_date(_plain(number))
    except ValidationError:
        return None


def is_synthetic(number: str) -> bool:
    """True when the month says that the person is, or with an H-number may be, made up."""
    return is_fodselsnummer(number) and int(number[2:4]) > _NAV


def is_d_number(number: str) -> bool:
    """True for a number given to somebody without a fødselsnummer (day above 40)."""
    return is_fodselsnummer(number) and int(number[:2]) > _D_NUMBER_DAYS


def is_h_number(number: str) -> bool:
    """True when a health service may have made the number itself (month 41 to 52). So do NAV's."""
    return is_fodselsnummer(number) and _NAV < int(number[2:4]) < _NHN


def is_taken(number: str, numbers: Numbers) -> bool:
    """Whether an installation that takes such numbers takes this one, a person's of whatever kind.

    A real installation refuses only what nobody alive can have (month + 80 or + 65). One for made-up persons
    refuses whatever could be somebody's, an FH-number too.
    """
    match numbers:
        case Numbers.ALL:
            return True
        case Numbers.REAL:
            return not (is_fodselsnummer(number) and int(number[2:4]) > _NHN)
        case Numbers.SYNTHETIC:
            return is_synthetic(number)


def is_orgnr(number: str) -> bool:
    """True for nine digits, no 0 first, whose last is the right check digit. Nine zeros would have it,
    too, and stand where a form was not filled in."""
    return bool(_ORGANISATION.fullmatch(number)) and orgnr.is_valid(number)


def is_duf(number: str) -> bool:
    """True for a number of the immigration authorities: the year, six digits, a remainder in two."""
    if not _DUF.fullmatch(number):
        return False
    left = sum(int(digit) * weight for digit, weight in zip(number, _DUF_WEIGHTS, strict=False)) % 11
    return number[10:] == f"{left:02d}"


def is_kommune(number: str) -> bool:
    """True for four digits that can be a kommune's, today's or an earlier one's (code list 3402)."""
    return bool(_KOMMUNE.fullmatch(number))


def _check_digits(number: str, on: date | None) -> bool:
    first, second = fodselsnummer.calc_check_digit1(number), fodselsnummer.calc_check_digit2(number)
    left = (int(number[9]) - int(first)) % 11
    most = 3 if on is not None and on >= NEW_NUMBERS else 0
    return left <= most and bool(number[10] == second)


def _plain(number: str) -> str:
    """The same number without the additions to the month that the library does not know. The check digits
    no longer fit."""
    month = int(number[2:4])
    added = next((one for one in (_TENOR, _NHN) if month > one), 0)
    return f"{number[:2]}{month - added:02d}{number[4:]}"


def _is_fnr(number: str) -> bool:
    return is_fodselsnummer(number) and not is_d_number(number)


def _shaped(pattern: re.Pattern[str], text: str) -> bool:
    return bool(pattern.fullmatch(text))


_OID = "2.16.578.1.12.4.1."
PERSON_TYPES, ORGANISATION_TYPES = f"{_OID}1.8116", f"{_OID}1.9051"
_HPR, _HERS = partial(_shaped, _REGISTER), partial(_shaped, _HER)
_OWNER, _HOLDER = "urn:altinn:person:identifier-no", "urn:altinn:organization:identifier-no"

_P, _O = About.PERSON, About.ORGANISATION

IDENTIFIERS = (
    Identifier("FNR", _P, "Fødselsnummer", "National identity number", (f"{_OID}4.1", _OWNER), _is_fnr),
    Identifier("DNR", _P, "D-nummer", "D-number", (f"{_OID}4.2", _OWNER), is_d_number),
    Identifier("FHN", _P, "Felles hjelpenummer", "FH-number", (f"{_OID}4.3",), is_fh_number),
    Identifier("HNR", _P, "H-nummer", "H-number", ("HNR",), is_h_number),
    Identifier("DUF", _P, "DUF-nummer", "DUF number", (f"{_OID}4.5",), is_duf),
    Identifier("HPR", About.PRACTITIONER, "HPR-nummer", "HPR number", (f"{_OID}4.4",), _HPR),
    Identifier("HER", About.PRACTITIONER, "HER-id for en person", "HER-id of a person", (), _HERS),
    Identifier("ENH", _O, "Organisasjonsnummer", "Organisation number",
               (f"{_OID}4.101", _HOLDER, "0192"), is_orgnr),
    Identifier("RSH", _O, "RESH-id", "RESH id", (f"{_OID}4.102",), _HERS),
    Identifier("HER", _O, "HER-id for en virksomhet", "HER-id of an organisation", (f"{_OID}2",), _HERS),
    Identifier("KOMMUNE", About.PLACE, "Kommunenummer", "Municipality number",
               (f"{_OID}1.3402",), is_kommune),
)  # one row per entry # fmt: skip
"""Every kind. 3402 is a code list, not a type of identifier; `KOMMUNE` is our word for it."""

_LISTS = {
    PERSON_TYPES: (About.PERSON, About.PRACTITIONER),
    ORGANISATION_TYPES: (About.ORGANISATION,),
}


def by_code(system: str, code: str) -> Identifier | None:
    """The kind that a code of 8116 or 9051 names. `system` with or without `urn:oid:`; None for a code
    that says nothing of how the number is made (LOK, UID, XXX ...) and for another list."""
    about = _LISTS.get(system.removeprefix("urn:oid:"), ())
    return next((known for known in IDENTIFIERS if known.code == code and known.about in about), None)


def by_name(name: str, number: str = "") -> Identifier | None:
    """The kind that travels under an OID (with or without `urn:oid:`) or another system's name. Where two
    share one, the kind that the number fits, or else the first."""
    plain = name.removeprefix("urn:oid:")
    known = [kind for kind in IDENTIFIERS if plain in kind.names]
    return next((kind for kind in known if kind.fits(number)), known[0] if known else None)


def kinds_of(number: str) -> frozenset[str]:
    """The codes of the person kinds that these digits can be; more than one where they do not tell."""
    return frozenset(k.code for k in IDENTIFIERS if k.about is About.PERSON and k.fits(number))
