"""Understands Norwegian identifiers: whether a number can be what it says it is.

Knows checksums and birth dates, not persons: a valid number need not belong to anybody. Synthetic
numbers are valid here, since every test environment in Norway uses them: Skatteetaten adds 80 to the
month, NAV adds 40. A D-number adds 40 to the day. Both can happen in the same number. An H-number, made
where somebody's number is not known yet, adds 40 to the month as well: it cannot be told from NAV's. An
FH-number begins with 8 or 9 and says nothing of a birth date.
"""

from __future__ import annotations

import re
from datetime import date

from stdnum.exceptions import ValidationError
from stdnum.no import fodselsnummer, orgnr

_PERSON = re.compile(r"[0-9]{11}")
_ORGANISATION = re.compile(r"[0-9]{9}")

_SYNTHETIC_MONTHS = (80, 40)  # Skatteetaten, NAV: tried from the largest
_D_NUMBER_DAYS = 40


def is_fodselsnummer(number: str) -> bool:
    """True for eleven digits with both check digits right and a birth date that exists."""
    return bool(_PERSON.fullmatch(number)) and _check_digits(number) and birth_date(number) is not None


def is_fh_number(number: str) -> bool:
    """True for a number that a health service was given for somebody whose own is not known."""
    return bool(_PERSON.fullmatch(number)) and number[0] in "89" and _check_digits(number)


def is_person_number(number: str) -> bool:
    """True for every kind of number that can lead to a person: fødselsnummer, D-, H- and FH-number."""
    return is_fodselsnummer(number) or is_fh_number(number)


def _check_digits(number: str) -> bool:
    first, second = fodselsnummer.calc_check_digit1(number), fodselsnummer.calc_check_digit2(number)
    return bool(number[9] == first and number[10] == second)


def birth_date(number: str) -> date | None:
    """The day of birth written in eleven digits, whatever is added to its day and month; else None."""
    if not _PERSON.fullmatch(number):
        return None
    try:
        return fodselsnummer.get_birth_date(_plain(number))
    except ValidationError:
        return None


def is_synthetic(number: str) -> bool:
    """True when the month says that the person is made up (month above 40)."""
    return is_fodselsnummer(number) and int(number[2:4]) > min(_SYNTHETIC_MONTHS)


def is_d_number(number: str) -> bool:
    """True for a number given to somebody without a fødselsnummer (day above 40)."""
    return is_fodselsnummer(number) and int(number[:2]) > _D_NUMBER_DAYS


def is_orgnr(number: str) -> bool:
    """True for nine digits whose last is the right check digit."""
    return bool(_ORGANISATION.fullmatch(number)) and orgnr.is_valid(number)


def _plain(number: str) -> str:
    """The same number with a month of 1-12 where that can be. The check digits no longer fit."""
    month = int(number[2:4])
    for added in _SYNTHETIC_MONTHS:
        if month > added:
            return f"{number[:2]}{month - added:02d}{number[4:]}"
    return number
