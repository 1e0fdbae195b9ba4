from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.identifiers import (
    birth_date,
    is_d_number,
    is_fh_number,
    is_fodselsnummer,
    is_orgnr,
    is_person_number,
    is_synthetic,
)
from tests.mappings.samples import check_digit, some_number


@pytest.mark.parametrize(
    ("added_to_day", "added_to_month", "synthetic", "d_number"),
    [
        (0, 80, True, False),
        (0, 40, True, False),
        (40, 80, True, True),
        (40, 40, True, True),
    ],
)
def test_a_synthetic_number_is_valid_and_known_as_synthetic(
    added_to_day: int, added_to_month: int, synthetic: bool, d_number: bool
) -> None:
    made = some_number(15 + added_to_day, 5 + added_to_month)

    assert is_fodselsnummer(made)
    assert birth_date(made) == date(1990, 5, 15)
    assert is_synthetic(made) is synthetic
    assert is_d_number(made) is d_number


@pytest.mark.parametrize(
    ("year", "serial", "born"),
    [(90, 100, 1990), (60, 500, 1860), (5, 500, 2005), (39, 950, 2039), (45, 900, 1945)],
)
def test_the_serial_number_decides_the_century(year: int, serial: int, born: int) -> None:
    assert birth_date(some_number(15, 85, year, serial)) == date(born, 5, 15)


def test_a_century_that_no_serial_number_gives_is_no_number() -> None:
    assert not is_fodselsnummer(some_number(15, 85, 45, 600))


@pytest.mark.parametrize(
    ("day", "month"),
    [(0, 85), (32, 85), (31, 84), (30, 82), (15, 80), (15, 93), (15, 53), (15, 99), (72, 85)],
)
def test_a_date_that_does_not_exist_is_no_number(day: int, month: int) -> None:
    assert not is_fodselsnummer(some_number(day, month))


@given(st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_found(position: int, added: int) -> None:
    made = some_number(15, 85)
    wrong = made[:position] + str((int(made[position]) + added) % 10) + made[position + 1 :]

    assert not is_fodselsnummer(wrong)


@given(st.text(max_size=14))
def test_noise_is_no_number_and_never_fails(noise: str) -> None:
    assert is_fodselsnummer(noise) in (True, False)
    assert is_orgnr(noise) in (True, False)


@pytest.mark.parametrize("shape", ["{} ", " {}", "{}\n", "{:.6} {}", "٠" * 11, "", "1", "00000000000"])
def test_a_number_is_eleven_plain_digits_and_nothing_else(shape: str) -> None:
    made = some_number(15, 85)

    assert not is_fodselsnummer(shape.format(made, made))


def test_an_organisation_number_has_the_right_last_digit() -> None:
    weights = (3, 2, 7, 6, 5, 4, 3, 2)
    digits = next(str(d) for d in range(31101001, 31101099) if check_digit(str(d), weights))
    last = check_digit(digits, weights)
    assert last is not None

    assert is_orgnr(digits + last)
    assert not is_orgnr(digits + str((int(last) + 1) % 10))
    assert not is_orgnr(f"NO {digits}{last} MVA")


FIRST, SECOND = (3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def _made(digits: str, wrong: int = 0) -> str:
    """Eleven digits of these nine; the first check digit is `wrong` away, the second fits what is there."""
    for serial in range(100, 200):
        first = check_digit(body := digits[:6] + str(serial), FIRST)
        if first is not None:
            body += str((int(first) + wrong) % 10)
            if (second := check_digit(body, SECOND)) is not None:
                return body + second
    raise AssertionError("no serial number gives check digits")


VALID, FH = _made("158590"), _made("858590")
KINDS: list[tuple[str, tuple[bool, bool, bool, bool]]] = [
    # number, whether it is a fødselsnummer, an FH-number, synthetic, a D-number
    (VALID, (True, False, True, False)),
    (_made("150590"), (True, False, False, False)),
    (_made("550590"), (True, False, False, True)),
    (_made("154590"), (True, False, True, False)),
    (FH, (False, True, False, False)),
    (_made("958590"), (False, True, False, False)),
    (_made("758590"), (False, False, False, False)),
    (_made("158590", wrong=1), (False, False, False, False)),
    (VALID[:10] + str((int(VALID[10]) + 1) % 10), (False, False, False, False)),
    (_made("858590", wrong=1), (False, False, False, False)),
    (FH[:10] + str((int(FH[10]) + 1) % 10), (False, False, False, False)),
    (_made("159390"), (False, False, False, False)),
    (_made("328590"), (False, False, False, False)),
    (FH + "0", (False, False, False, False)),
    (FH + "\n", (False, False, False, False)),
    (FH[:10], (False, False, False, False)),
    ("", (False, False, False, False)),
    ("x" * 11, (False, False, False, False)),
]


@pytest.mark.parametrize(("number", "kinds"), KINDS)
def test_each_kind_of_number_is_told_apart(number: str, kinds: tuple[bool, bool, bool, bool]) -> None:
    found = (is_fodselsnummer(number), is_fh_number(number), is_synthetic(number), is_d_number(number))
    assert found == kinds
    assert is_person_number(number) is (kinds[0] or kinds[1])


@pytest.mark.parametrize("noise", ["", "1", "15859", "x" * 11, "٠١٠٥٩٠١٠٠٠٠", VALID + "0"])
def test_a_birth_date_stands_in_eleven_plain_digits(noise: str) -> None:
    assert birth_date(noise) is None
    assert not is_synthetic(noise)
    assert not is_d_number(noise)


def test_an_organisation_number_is_nine_plain_digits() -> None:
    assert [
        is_orgnr(number) for number in ("310000043", "310 000 043", "310000044", "31000004", "NO310000043MVA")
    ] == [True, False, False, False, False]
