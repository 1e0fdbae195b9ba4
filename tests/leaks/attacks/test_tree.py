"""What lies in the project itself: attack 60. Every person is synthetic and every agency invented."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from stdnum.no import orgnr

ROOT = Path(__file__).parents[3]
SKIPPED = {
    ".git",
    ".venv",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".import_linter_cache",
    ".hypothesis",
}
_ELEVEN = re.compile(rb"(?<![\d.])(\d{11})(?!\d)")
_SPACED = re.compile(rb"(?<!\d)(\d{6}) (\d{5})(?!\d)")
_NINE = re.compile(rb"(?<![\d.])([89]\d{8})(?![\d.])")

REAL_NAMES = (
    *("Oslo fengsel", "Bergen fengsel", "Ila fengsel", "Ullersmo", "Halden fengsel", "Bjørgvin fengsel", "Trondheim fengsel"),
    *("Ringerike fengsel", "Romerike fengsel", "Bastøy", "Bredtveit", "Ravneberget", "Eidsberg fengsel", "Agder fengsel"),
    *("Oslo universitetssykehus", "Haukeland", "Ahus", "St. Olavs", "Helse Bergen", "Helse Vest", "Sørlandet sykehus"),
    *("Sykehuset Innlandet", "Vestre Viken", "Lovisenberg", "Diakonhjemmet", "Helse Stavanger", "Sunnaas"),
    *("NAV Grünerløkka", "NAV Lerkendal", "NAV Bergenhus", "NAV Grorud", "NAV Alna", "Lade kommune", "Oslo kommune"),
    *("Bergen kommune", "Trondheim kommune", "Stavanger kommune", "Kristiansand kommune", "Bærum kommune"),
)  # one row per case # fmt: skip
"""Prisons, hospitals, offices and municipalities that exist. Names of treatment institutions that the
free-text scan must know stand in the list of terms, and in its tests, and nowhere else."""

CLINICS = (
    *("Riisby", "Blå Kors", "Kirkens Bymisjon", "Fossumkollektivet", "Phoenix Haga", "Origosenteret", "Bergensklinikken"),
    *("Borgestadklinikken", "Trasoppklinikken", "Manifestsenteret", "Rusakutten Aker", "Incognito klinikk"),
)  # one row per case # fmt: skip
WHERE_CLINICS_ARE_TERMS = ("consent/", "tests/consent/")


def _files() -> Iterator[tuple[str, bytes]]:
    """What belongs to the project: as git sees it, or else everything that lies here."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if not SKIPPED & set(p.parts)]
    for name in names:
        if (ROOT / name).is_file() and name != str(Path(__file__).relative_to(ROOT)):
            yield name, (ROOT / name).read_bytes()


def real_number(digits: str) -> bool:
    """Whether a number could be somebody's: right check digits, a day of the calendar, and neither series
    of synthetic months (+ 40, + 80). A D-number has its day + 40, an H-number its month + 40."""
    n = [int(digit) for digit in digits]
    first = 11 - sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), n, strict=False)) % 11
    second = 11 - sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), n, strict=False)) % 11
    if (first % 11, second % 11) != (n[9], n[10]):
        return False
    day, month = int(digits[:2]), int(digits[2:4])
    day -= 40 if day > 40 else 0
    try:
        date(2000 + int(digits[4:6]), month, day)  # both centuries have the leap days that matter here
    except ValueError:
        return False
    return True


def test_the_eye_for_real_numbers_sees_them() -> None:
    assert not real_number("14839030186"), "month + 80"
    assert not real_number("12345678901"), "no check digits"
    made = _number_of_nobody()
    assert real_number(made)
    assert real_number(f"{int(made[:2]) + 0:02d}{made[2:]}")


def _number_of_nobody() -> str:
    """Valid and not synthetic, made here so that it stands nowhere: born in the future."""
    for serial in range(900, 1000):
        base = f"310{1}99{serial}"[:9]
        n = [int(digit) for digit in base]
        first = 11 - sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), n, strict=True)) % 11
        if first % 11 == 10 or first == 10:
            continue
        n.append(first % 11)
        second = 11 - sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), n, strict=True)) % 11
        if second != 10:
            return f"{base}{first % 11}{second % 11}"
    raise AssertionError


def test_no_file_holds_the_identity_number_of_a_real_person() -> None:
    """Attack 60."""
    found, scanned = [], 0
    for name, content in _files():
        scanned += 1
        numbers = [match.group(1) for match in _ELEVEN.finditer(content)]
        numbers += [match.group(1) + match.group(2) for match in _SPACED.finditer(content)]
        found += [name for number in numbers if real_number(number.decode())]
    assert scanned > 200
    assert found == []


def test_no_file_holds_the_number_of_a_real_organisation() -> None:
    """Attack 60: organisations that exist have numbers that begin with 8 or 9; synthetic ones with 2 or 3."""
    found = [
        (name, match.group(1).decode())
        for name, content in _files()
        if not name.endswith((".lock", ".csv"))
        for match in _NINE.finditer(content)
        if orgnr.is_valid(match.group(1).decode())
    ]
    assert found == []


def test_no_file_names_a_real_agency() -> None:
    """Attack 60."""
    found = []
    for name, content in _files():
        text = content.decode("utf-8", "ignore")
        found += [(name, real) for real in REAL_NAMES if re.search(rf"\b{re.escape(real)}\b", text)]
        if not name.startswith(WHERE_CLINICS_ARE_TERMS):
            found += [(name, real) for real in CLINICS if real in text]
    assert found == []
