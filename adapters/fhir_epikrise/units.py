"""Understands how an amount of FHIR is said in bokmål: a number with its unit as it stands, a range, a ratio.

A unit that is nothing but a code of UCUM has its word here; any other is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from adapters.base import Findings
from adapters.fhir import NOT_CARRIED
from adapters.fhir_extensions import check_extensions, check_siblings
from adapters.fhir_paths import below

UCUM = "http://unitsofmeasure.org"
UNITS: Mapping[str, tuple[str, str]] = {
    **{
        code: (word, word)
        for code, word in (
            ("kg", "kg"), ("g", "g"), ("mg", "mg"), ("ug", "mikrogram"), ("ng", "nanogram"), ("L", "l"),
            ("l", "l"), ("dL", "dl"), ("dl", "dl"), ("cL", "cl"), ("cl", "cl"), ("mL", "ml"), ("ml", "ml"),
            ("uL", "mikroliter"), ("mol", "mol"), ("mmol", "mmol"), ("umol", "mikromol"), ("meq", "mekv"),
            ("[iU]", "IE"), ("[IU]", "IE"), ("[arb'U]", "enheter"), ("%", "%"), ("cm", "cm"), ("mm", "mm"),
            ("m", "m"), ("m2", "m2"), ("cm2", "cm2"), ("mm[Hg]", "mmHg"), ("MBq", "MBq"), ("kcal", "kcal"),
            ("1", ""),
        )
    },
    "[drp]": ("dråpe", "dråper"),
    "s": ("sekund", "sekunder"),
    "min": ("minutt", "minutter"),
    "h": ("time", "timer"),
    "d": ("døgn", "døgn"),
    "wk": ("uke", "uker"),
    "mo": ("måned", "måneder"),
    "a": ("år", "år"),
}  # few lines # fmt: skip
"""One of it and several of it, by the code of UCUM."""

_KNOWN = frozenset(
    {"value", "comparator", "unit", "system", "code", "low", "high", "numerator", "denominator"}
)
CONCEPT = frozenset({"coding", "text"})
CODING = frozenset({"system", "version", "code", "display", "userSelected"})
"""What a CodeableConcept and a Coding may hold beside extensions."""

_COMPARED: Mapping[str, str] = {"<": "under", "<=": "høyst", ">=": "minst", ">": "over"}
_IN_WORDS = re.compile(r"\{([^{}]+)\}")
_NO_UNIT = "a code of UCUM that is known here, or the unit in words in unit"


def say_amount(value: object, at: str, findings: Findings, *, coded: bool = False) -> str:
    """A Quantity, a Range or a Ratio; empty for one that says nothing. `coded`: a unit of UCUM that has no
    word is said by its code, as laboratories write it. Findings: a unit without words, and a comparison that
    FHIR does not have."""
    if not isinstance(value, Mapping):
        return ""
    look_over(value, _KNOWN, at, findings)
    if "numerator" in value or "denominator" in value:
        above, below = (
            say_amount(value.get(part), f"{at}.{part}", findings, coded=coded)
            for part in ("numerator", "denominator")
        )
        return f"{above} per {below.removeprefix('1 ')}" if above and below else _half(at, findings)
    if "low" in value or "high" in value:
        low, high = (
            say_amount(value.get(end), f"{at}.{end}", findings, coded=coded) for end in ("low", "high")
        )
        if low and high:
            same = low[0].isdigit() and low.partition(" ")[2] == high.partition(" ")[2]
            return f"{low.partition(' ')[0] if same else low} til {high}"
        return f"minst {low}" if low else f"høyst {high}" if high else ""
    return _quantity(value, at, findings, coded=coded)


def look_over(node: Mapping[str, object], known: frozenset[str], at: str, findings: Findings) -> None:
    """Refuse what stands beside the elements that are read: what is unknown, and extensions that may say
    anything."""
    for name, value in node.items():
        if name == "extension":
            check_extensions(value, f"{at}.extension", findings)
        elif name.startswith("_") and name[1:] in known:
            check_siblings(value, f"{at}.{name}", findings)
        elif name not in known:
            findings.add(below(at, name), "not-read", NOT_CARRIED)


def _half(at: str, findings: Findings) -> str:
    findings.add(at, "missing", "a numerator and a denominator")
    return ""


def _quantity(value: Mapping[str, object], at: str, findings: Findings, *, coded: bool) -> str:
    number = written(value.get("value"))
    if number is None:
        if value.keys() - {"extension", "_value"}:
            findings.add(f"{at}.value", "missing", "a value")
        return ""
    compared = value.get("comparator")
    if compared is not None and str(compared) not in _COMPARED:
        findings.add(f"{at}.comparator", "code", "one of " + ", ".join(_COMPARED))
    sign = _COMPARED.get(str(compared), "")
    unit = _unit(value, number, at, findings, coded=coded)
    return " ".join(one for one in (sign, number, unit) if one)


def written(number: object) -> str | None:
    """A number of JSON digit by digit."""
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return None
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def _unit(value: Mapping[str, object], number: str, at: str, findings: Findings, *, coded: bool) -> str:
    unit, code = value.get("unit"), value.get("code")
    if isinstance(unit, str) and unit.strip():
        return unit.strip()
    if code is None:
        return ""
    ucum = value.get("system") == UCUM
    word = word_of(str(code), one=number == "1") if ucum else None
    if word is None and ucum and coded:
        return str(code)
    if word is None:
        findings.add(f"{at}.code", "code", _NO_UNIT)
    return word or ""


def word_of(code: str, *, one: bool) -> str | None:
    """The word for a code of UCUM, of one or of several; None for one that is not known."""
    first, *under = code.split("/")
    front = _word(first, one=one)
    behind = [_word(each, one=True) for each in under]
    if front is None or None in behind:
        return None
    return " per ".join([front, *(each for each in behind if each)]).strip()


def _word(code: str, *, one: bool) -> str | None:
    if (told := _IN_WORDS.fullmatch(code)) is not None:
        return told.group(1)
    return UNITS[code][0 if one else 1] if code in UNITS else None
