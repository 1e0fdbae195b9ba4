from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.identifiers import (
    IDENTIFIERS,
    NEW_NUMBERS,
    ORGANISATION_TYPES,
    PERSON_TYPES,
    About,
    Numbers,
    birth_date,
    by_code,
    by_name,
    is_d_number,
    is_duf,
    is_fh_number,
    is_fodselsnummer,
    is_h_number,
    is_kommune,
    is_orgnr,
    is_person_number,
    is_synthetic,
    is_taken,
    kinds_of,
)
from tests.mappings.samples import check_digit, some_number

FNR, DNR, FHN = some_number(15, 5), some_number(55, 5), some_number(85, 5)
TENOR, TENOR_D = some_number(15, 85), some_number(55, 85)
NAV, NAV_D = some_number(15, 45), some_number(55, 45)
NHN, NHN_D = some_number(15, 70), some_number(55, 70)

# number, the kinds it can be, made up, and whether each kind of installation takes it
PERSONS = {
    "a fødselsnummer": (FNR, {"FNR"}, False, True, False),
    "a D-number": (DNR, {"DNR"}, False, True, False),
    "Skatteetaten's": (TENOR, {"FNR"}, True, False, True),
    "Skatteetaten's D-number": (TENOR_D, {"DNR"}, True, False, True),
    "Norsk helsenett's": (NHN, {"FNR"}, True, False, True),
    "Norsk helsenett's D-number": (NHN_D, {"DNR"}, True, False, True),
    "NAV's, or an H-number": (NAV, {"FNR", "HNR"}, True, True, True),
    "NAV's D-number, or an H-number": (NAV_D, {"DNR", "HNR"}, True, True, True),
    "an FH-number": (FHN, {"FHN"}, False, True, False),
}


@pytest.mark.parametrize(("number", "kinds", "made_up", "real", "test"), PERSONS.values())
def test_a_persons_number_is_what_its_digits_say(
    number: str, kinds: set[str], made_up: bool, real: bool, test: bool
) -> None:
    assert is_person_number(number)
    assert kinds_of(number) == kinds
    assert is_synthetic(number) is made_up
    assert (is_d_number(number), is_h_number(number)) == ("DNR" in kinds, "HNR" in kinds)
    assert is_fh_number(number) is ("FHN" in kinds) is not is_fodselsnummer(number)
    assert is_taken(number, Numbers.ALL)
    assert is_taken(number, Numbers.REAL) is real
    assert is_taken(number, Numbers.SYNTHETIC) is test


@pytest.mark.parametrize("number", [TENOR, TENOR_D, NHN, NHN_D, NAV, NAV_D])
def test_whatever_is_added_the_birth_date_is_the_same(number: str) -> None:
    assert birth_date(number) == date(1990, 5, 15)


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
    [
        (0, 85),
        (32, 85),
        (31, 84),
        (30, 82),
        (15, 80),
        (15, 93),
        (15, 53),
        (15, 65),
        (15, 78),
        (31, 76),
        (15, 99),
        (72, 85),
        (15, 13),
    ],
)
def test_a_date_that_does_not_exist_is_no_number(day: int, month: int) -> None:
    assert not is_fodselsnummer(some_number(day, month))
    assert kinds_of(some_number(day, month)) == set()


@given(st.integers(0, 10), st.integers(1, 9), st.sampled_from([TENOR, TENOR_D, NAV]))
def test_one_wrong_digit_is_found(position: int, added: int, made: str) -> None:
    wrong = made[:position] + str((int(made[position]) + added) % 10) + made[position + 1 :]

    assert not is_person_number(wrong)


@given(st.integers(0, 9), st.sampled_from([TENOR, TENOR_D, NAV]))
def test_two_neighbours_that_changed_places_are_found(position: int, made: str) -> None:
    wrong = made[:position] + made[position + 1] + made[position] + made[position + 2 :]

    assert wrong == made or not is_fodselsnummer(wrong)


@pytest.mark.parametrize("left", [0, 1, 2, 3, 4, 10])
def test_a_number_of_2032_may_leave_a_remainder_of_three_and_not_before(left: int) -> None:
    made = _with_remainder(left)
    day_before = date(2031, 12, 31)

    assert is_fodselsnummer(made, on=NEW_NUMBERS) is (left <= 3)
    assert is_fodselsnummer(made, on=day_before) is is_fodselsnummer(made) is (left == 0)
    assert is_fh_number("8" + made[1:], on=NEW_NUMBERS) is False  # its second digit is another


def _with_remainder(left: int) -> str:
    """A made-up number whose first check digit leaves this, and whose second is right."""
    for serial in range(100, 499):
        digits = f"158590{serial}"
        first = check_digit(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2))
        wanted = (int(first) + left) % 11 if first else 10
        second = check_digit(f"{digits}{wanted}", (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) if wanted < 10 else None
        if second:
            return f"{digits}{wanted}{second}"
    raise AssertionError("no such number")


@pytest.mark.parametrize("number", ["310000108", "9901", "222200063", ""])
def test_what_is_no_persons_number_is_no_kind_of_person(number: str) -> None:
    assert kinds_of(number) == set()


@given(st.text(max_size=14))
def test_noise_is_no_number_and_never_fails(noise: str) -> None:
    for known in IDENTIFIERS:
        assert known.fits(noise) in (True, False)
        assert known.fits(noise) is False or (noise.isascii() and noise.isdigit())
    assert kinds_of(noise) <= {"FNR", "DNR", "HNR", "FHN", "DUF"}


@pytest.mark.parametrize("shape", ["{} ", " {}", "{}\n", "{:.6} {}", "٠" * 11, "", "1", "00000000000"])
def test_a_number_is_eleven_plain_digits_and_nothing_else(shape: str) -> None:
    assert not is_person_number(shape.format(TENOR, TENOR))


def test_an_organisation_number_has_the_right_last_digit() -> None:
    weights = (3, 2, 7, 6, 5, 4, 3, 2)
    digits = next(str(d) for d in range(31101001, 31101099) if check_digit(str(d), weights))
    last = check_digit(digits, weights)
    assert last is not None

    assert is_orgnr(digits + last)
    assert not is_orgnr(digits + str((int(last) + 1) % 10))
    assert not is_orgnr(f"NO {digits}{last} MVA")
    assert not is_orgnr(f"{digits}{last}\n")


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
    others = ("310 000 043", "310000044", "31000004", "NO310000043MVA", "000000000")

    assert is_orgnr("310000043")
    assert [number for number in others if is_orgnr(number)] == []


DUF = {
    "202600000109": True,  # 8 + 6 + 12 + 5 = 31, and 31 - 2 * 11 = 9
    "200000010010": True,  # 8 + 2 = 10
    "200000001004": True,  # 8 + 7 = 15, and 15 - 11 = 4
    "200000000102": True,  # 8 + 5 = 13, and 13 - 11 = 2
    "200011000007": True,  # 8 + 4 + 6 = 18, and 18 - 11 = 7
    "200000000103": False,
    "20000000012": False,
    "2000000001": False,
    "2000000001020": False,
    "180000000102": False,  # 4 + 48 + 5 = 57, and 57 - 5 * 11 = 2: but no number is so old
}


@pytest.mark.parametrize(("number", "right"), DUF.items())
def test_a_duf_number_worked_out_by_hand(number: str, right: bool) -> None:
    assert is_duf(number) is right


def duf(year: int, serial: int) -> str:
    """Written apart from the code under test: the six digits first, then the year."""
    weights = (4, 6, 3, 2, 7, 5, 4, 6, 3, 2)
    left = sum(int(d) * w for d, w in zip(f"{serial:06d}{year}", weights, strict=True)) % 11
    return f"{year}{serial:06d}{left:02d}"


@given(st.integers(1950, 2050), st.integers(0, 999_999), st.integers(0, 11), st.integers(1, 9))
def test_a_duf_number_ends_in_its_remainder(year: int, serial: int, position: int, added: int) -> None:
    made = duf(year, serial)
    wrong = made[:position] + str((int(made[position]) + added) % 10) + made[position + 1 :]

    assert is_duf(made)
    assert not is_duf(wrong)
    assert not is_duf(made + "0")
    assert "DUF" not in kinds_of(made[:11])


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        *[("9901", True), ("0301", True), ("0101", True), ("2100", False), ("0001", False), ("0000", False)],
        *[("990", False), ("99010", False), ("٩٩٠١", False), ("9901\n", False), ("", False)],
    ],
)
def test_a_municipality_has_four_digits_and_is_no_county(text: str, valid: bool) -> None:
    assert is_kommune(text) is valid


@pytest.mark.parametrize(
    ("code", "about", "text", "valid"),
    [
        *[("HPR", About.PRACTITIONER, n, ok) for n, ok in [("1", True), ("222200063", True), ("012", False)]],
        *[("HPR", About.PRACTITIONER, n, False) for n in ["", "1234567890", "12a", "12\n"]],
        *[("HER", About.ORGANISATION, n, ok) for n, ok in [("8142520", True), ("81425200", False)]],
        *[("RSH", About.ORGANISATION, n, ok) for n, ok in [("4208723", True), ("42087233", False)]],
    ],
)  # one row per case # fmt: skip
def test_a_register_number_is_short_and_begins_with_no_zero(
    code: str, about: About, text: str, valid: bool
) -> None:
    known = next(k for k in IDENTIFIERS if k.code == code and k.about is about)

    assert known.fits(text) is valid


@pytest.mark.parametrize(
    ("system", "code", "about"),
    [
        *[(PERSON_TYPES, code, About.PERSON) for code in ("FNR", "DNR", "FHN", "HNR", "DUF")],
        *[(PERSON_TYPES, code, About.PRACTITIONER) for code in ("HPR", "HER")],
        *[(f"urn:oid:{ORGANISATION_TYPES}", code, About.ORGANISATION) for code in ("ENH", "RSH", "HER")],
        *[(PERSON_TYPES, code, None) for code in ("ENH", "XXX", "KOMMUNE", "", "fnr")],
        *[(ORGANISATION_TYPES, code, None) for code in ("FNR", "LOK", "KOMMUNE")],
        ("2.16.578.1.12.4.1.1.3402", "KOMMUNE", None),
    ],
)
def test_a_code_of_the_national_lists_names_its_kind(system: str, code: str, about: About | None) -> None:
    found = by_code(system, code)

    assert (found and found.about, found and found.code) == (about, code if about else None)


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        ("urn:oid:2.16.578.1.12.4.1.4.1", FNR, "FNR"),
        ("2.16.578.1.12.4.1.4.2", DNR, "DNR"),
        ("urn:oid:2.16.578.1.12.4.1.4.1", DNR, "FNR"),  # says one thing and is another: `fits` tells
        ("urn:oid:2.16.578.1.12.4.1.4.3", "", "FHN"),
        ("urn:oid:2.16.578.1.12.4.1.4.4", "", "HPR"),
        ("urn:oid:2.16.578.1.12.4.1.4.5", "", "DUF"),
        ("urn:oid:2.16.578.1.12.4.1.4.101", "", "ENH"),
        ("urn:oid:2.16.578.1.12.4.1.4.102", "", "RSH"),
        ("urn:oid:2.16.578.1.12.4.1.2", "", "HER"),
        ("urn:oid:2.16.578.1.12.4.1.1.3402", "", "KOMMUNE"),
        ("HNR", NAV, "HNR"),
        ("0192", "", "ENH"),
        ("urn:altinn:organization:identifier-no", "", "ENH"),
        ("urn:altinn:person:identifier-no", FNR, "FNR"),
        ("urn:altinn:person:identifier-no", DNR, "DNR"),
        ("urn:altinn:person:identifier-no", "", "FNR"),
    ],
)
def test_an_identifier_is_known_by_every_name_it_travels_under(name: str, number: str, code: str) -> None:
    found = by_name(name, number)

    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("name", ["", "urn:oid:", "2.16.578.1.12.4.1.4", "urn:oid:1.2.3", "urn:uuid:HNR"])
def test_another_name_is_nobodys(name: str) -> None:
    assert by_name(name) is None


def test_the_table_says_each_kind_once_and_in_both_languages() -> None:
    assert len({(k.code, k.about) for k in IDENTIFIERS}) == len(IDENTIFIERS)
    assert all(k.nb and k.en for k in IDENTIFIERS)
    assert {k.code for k in IDENTIFIERS if k.about is About.PERSON} == {"FNR", "DNR", "FHN", "HNR", "DUF"}
