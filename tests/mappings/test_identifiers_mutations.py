"""Every check of an identifier is needed: each is taken out in turn, and the tables notice."""

from __future__ import annotations

import pytest

from mappings import identifiers
from tests import mutating
from tests.mappings import test_identifiers

MUTATIONS = [
    ("and _check_digits(number, on) and birth_date(number) is not None", "and birth_date(number) is not None"),
    ("and _check_digits(number, on) and birth_date(number) is not None", "and _check_digits(number, on)"),
    ('number[0] in "89"', "True"),
    ('number[0] in "89" and _check_digits(number, on)', 'number[0] in "89"'),
    ("return is_fodselsnummer(number) or is_fh_number(number)", "return is_fodselsnummer(number)"),
    ("return is_fodselsnummer(number) or is_fh_number(number)", "return is_fh_number(number)"),
    ("return is_fodselsnummer(number) and int(number[2:4]) > _NAV", "return is_fodselsnummer(number)"),
    ("and int(number[:2]) > _D_NUMBER_DAYS", ""),
    ("and _NAV < int(number[2:4]) < _NHN", "and _NAV < int(number[2:4])"),
    ("and _NAV < int(number[2:4]) < _NHN", "and int(number[2:4]) < _NHN"),
    ("return not (is_fodselsnummer(number) and int(number[2:4]) > _NHN)", "return True"),
    ("and int(number[2:4]) > _NHN)", "and int(number[2:4]) > _NAV)"),
    ("and int(number[2:4]) > _NHN)", "and int(number[2:4]) > _TENOR)"),
    ("            return is_synthetic(number)", "            return is_person_number(number)"),
    ("and orgnr.is_valid(number)", ""),
    ("bool(_ORGANISATION.fullmatch(number)) and ", ""),
    (r'_ORGANISATION = re.compile(r"[1-9][0-9]{8}")', r'_ORGANISATION = re.compile(r"[0-9]{9}")'),
    ('number[10:] == f"{left:02d}"', "True"),
    ('number[10:] == f"{left:02d}"', 'number[10:] == f"{left}"'),
    ("    if not _DUF.fullmatch(number):\n        return False\n", ""),
    ("_DUF_WEIGHTS = (4, 6, 3, 2, 4, 6,", "_DUF_WEIGHTS = (4, 6, 3, 2, 7, 5,"),
    ("most = 3 if", "most = 4 if"),
    ("most = 3 if", "most = 2 if"),
    ("on is not None and on >= NEW_NUMBERS", "on is not None"),
    ("on is not None and on >= NEW_NUMBERS", "on is not None and on > NEW_NUMBERS"),
    ("else 0\n", "else 1\n"),
    ("left <= most and bool(number[10] == second)", "left <= most"),
    ("left <= most and bool(number[10] == second)", "bool(number[10] == second)"),
    ("for one in (_TENOR, _NHN)", "for one in (_TENOR,)"),
    ("for one in (_TENOR, _NHN)", "for one in (_NHN,)"),
    ("for one in (_TENOR, _NHN)", "for one in (_NHN, _TENOR)"),
    ("and not is_d_number(number)", ""),
    ("known.code == code and known.about in about", "known.code == code"),
    ("known.code == code and known.about in about", "known.about in about"),
    ('about = _LISTS.get(system.removeprefix("urn:oid:"), ())', "about = _LISTS.get(system, ())"),
    ('plain = name.removeprefix("urn:oid:")', "plain = name"),
    ("if kind.fits(number)), known[0] if known else None)", "), known[0] if known else None)"),
    ("if k.about is About.PERSON and k.fits(number)", "if k.fits(number)"),
    ("return bool(_KOMMUNE.fullmatch(number))", "return bool(_KOMMUNE.match(number))"),
    ("return bool(pattern.fullmatch(text))", "return bool(pattern.match(text))"),
]  # one row per case # fmt: skip


def test_unbroken_the_tables_hold() -> None:
    assert not mutating.noticed(mutating.cases(test_identifiers))


@pytest.mark.parametrize(("old", "new"), MUTATIONS, ids=map(str, range(len(MUTATIONS))))
def test_a_check_that_is_taken_out_is_noticed(old: str, new: str) -> None:
    mutating.expect_noticed(identifiers, old, new, lambda: mutating.cases(test_identifiers))
