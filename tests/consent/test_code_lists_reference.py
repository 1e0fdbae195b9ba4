"""Every code that the reference lists as substance use is known to ours, in every notation."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from consent.labels import load_codes
from hub.message import Category

DATA = Path(__file__).parents[3] / "shared" / "consent" / "data"
CODE_LISTS = load_codes()
SUBSTANCE = {Category.SUBSTANCE_USE}
NORWEGIAN = {
    "icd10_no_substance.csv": ("7110", 486),
    "icpc2_no_substance.csv": ("7170", 9),
    "atc_substance.csv": ("7180", 144),
    "nlk_substance.csv": ("7280", 1405),
}
INTERNATIONAL = "c2s_substance_international.csv"
SPOILT = {"2.88781E+14"}
"""A SNOMED code that a spreadsheet has ruined: whatever it was, it cannot be listed."""


def systems(number: str) -> tuple[str, ...]:
    oid = f"2.16.578.1.12.4.1.1.{number}"
    return (number, oid, f"urn:oid:{oid}", f"URN:OID:{oid}", f" {oid} ", f"{oid}|2026")


def notations(code: str) -> set[str]:
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in code)
    return {code, code.replace(".", ""), code.lower(), f"{code}+", f"{code}*", f"{code}.", f" {code} ", wide,
            f"{code[0]} {code[1:]}"}  # one row per case # fmt: skip


@pytest.mark.parametrize("name", NORWEGIAN)
def test_every_norwegian_code_has_its_tier(name: str, absent_reference: Callable[[str, int], None]) -> None:
    number, count = NORWEGIAN[name]
    if not (DATA / name).exists():
        absent_reference(name, count)
        return
    rows = list(csv.DictReader((DATA / name).read_text(encoding="utf-8").splitlines()))
    strong = [row["code"] for row in rows if row["tier"] in {"A", "B"}]
    context = [row["code"] for row in rows if row["tier"] == "C"]

    assert len(rows) == count
    assert [
        c for c in strong for n in notations(c) if not CODE_LISTS.categories(number, n) >= SUBSTANCE
    ] == []
    assert [c for c in strong for s in systems(number) if CODE_LISTS.categories(s, c) != SUBSTANCE] == []
    assert [c for c in strong if CODE_LISTS.categories("", c) != SUBSTANCE] == []
    assert [c for c in context if CODE_LISTS.categories(number, c) & SUBSTANCE] == []
    assert [c for c in context if CODE_LISTS.categories(number, c, in_context=True) != SUBSTANCE] == []
    assert [
        row["code"]
        for row in rows
        if row["tier"] in {"D", "E", "J"}
        and CODE_LISTS.categories(number, row["code"], in_context=True) & SUBSTANCE
    ] == []


def test_every_international_code_is_known(absent_reference: Callable[[str, int], None]) -> None:
    if not (DATA / INTERNATIONAL).exists():
        absent_reference(INTERNATIONAL, 2881)
        return
    rows = list(csv.DictReader((DATA / INTERNATIONAL).read_text(encoding="utf-8").splitlines()))
    strong = [row for row in rows if row["tier"] == "A"]

    assert len(rows) == 2881
    assert {
        row["code"] for row in strong if CODE_LISTS.categories(row["system"], row["code"]) != SUBSTANCE
    } == SPOILT
    assert {
        row["code"]
        for row in strong
        if CODE_LISTS.categories(f"{row['system'].replace('http:', 'https:')}/", row["code"]) != SUBSTANCE
    } == SPOILT
    assert not [
        r for r in rows if r["tier"] == "D" and CODE_LISTS.categories(r["system"], r["code"]) & SUBSTANCE
    ]


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        ("http://snomed.info/sct", "75544000:363698007=18639004", SUBSTANCE),
        ("http://snomed.info/sct", "404684003:246075003=75544000|Opioid dependence|", SUBSTANCE),
        ("http://snomed.info/sct", "56294008:246075003=1", {Category.SOMATIC_HEALTH, Category.UNKNOWN}),
        ("7180", "N07BC01-900123", SUBSTANCE),
        ("7180", "N07BC0199", SUBSTANCE),
        ("7170", "P19.0003", SUBSTANCE),
        ("7170", "P76 (F10.2)", SUBSTANCE),
        ("7110", "Ｆ１１．２", SUBSTANCE),
        ("http://hl7.org/fhir/sid/icd-10-cm", "T40.2X1A", SUBSTANCE),
        ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPIOIDUD", SUBSTANCE),
        ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R", {Category.UNKNOWN}),
        ("HCPCS", "H0010", SUBSTANCE),
        ("7110", "G47.4", set()),
        ("7110", "J66.2", set()),
        ("7110", "L24.2", set()),
        ("7110", "Z99.1", set()),
        ("7110", "Z88.5", set()),
    ],
)
def test_a_code_written_in_an_unusual_way(system: str, code: str, expected: set[Category]) -> None:
    assert CODE_LISTS.categories(system, code) == expected
