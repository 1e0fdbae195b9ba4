"""Understands how to make up persons and messages for the tests of types and agreements."""

from __future__ import annotations

from typing import Any

_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def check_digit(digits: str, weights: tuple[int, ...]) -> str | None:
    """The modulus-11 digit, or None where there is none. Written apart from the code under test."""
    left = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return "0" if left == 0 else None if left == 1 else str(11 - left)


def number(day: int, month: int, year: int, serial: int) -> str | None:
    """Eleven digits with valid check digits for exactly these parts, or None where there are none."""
    digits = f"{day:02d}{month:02d}{year:02d}{serial:03d}"
    first = check_digit(digits, _FIRST)
    second = check_digit(digits + first, _SECOND) if first else None
    return f"{digits}{first}{second}" if first and second else None


def some_number(day: int, month: int, year: int = 90, serial: int = 100) -> str:
    """The first number at or after `serial` that has check digits."""
    return next(made for tried in range(serial, 1000) if (made := number(day, month, year, tried)))


PERSON = some_number(15, 85)
MELDING = {"id": "m-1", "sendt": "2030-02-01T12:00:00+01:00"}
HEADER = {"id": "d-1", "sendt": "2030-02-02T12:00:00+01:00"}
AUDIT = [3, 2, 3, 2, 2, 1, 2, 1, 4, 2]
DUDIT = [4, 3, 3, 3, 2, 3, 2, 2, 3, 4, 2]


def brik(**more: Any) -> dict[str, Any]:
    """A BRIK mapping with the least that it must have, and more."""
    return {
        "melding": dict(MELDING),
        "person": {"id": PERSON},
        "enhet": "Eksempel fengsel",
        "tilbud": {"status": "gjennomfort"},
        **more,
    }


def screening(instrument: str, answers: list[int]) -> dict[str, Any]:
    return {
        "instrument": instrument,
        "versjon": "1",
        "dato": "2030-01-20",
        "svar": answers,
        "sum": sum(answers),
    }
