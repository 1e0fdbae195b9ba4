"""Understands the national code lists that the KITH messages here use: the words of a code.

`codes.csv` holds list number, code and words in bokmål. It decides nothing: an unknown code is carried.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def lists() -> Mapping[str, Mapping[str, str]]:
    """Every list by its number: the words by code."""
    found: dict[str, dict[str, str]] = {}
    with Path(__file__).with_name("codes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["list"], {})[row["code"]] = row["nb"]
    return found


def meaning(number: str, code: str) -> str | None:
    """The words of a code in bokmål, or None."""
    return lists().get(number, {}).get(code)


@cache
def systems() -> Mapping[str, str]:
    """The OID, without `urn:oid:`, of each code system that other formats name by a URI (`systems.csv`)."""
    with Path(__file__).with_name("systems.csv").open(encoding="utf-8", newline="") as file:
        return {row["uri"]: row["oid"] for row in csv.DictReader(file)}


@cache
def headings() -> Mapping[str, str]:
    """The LOINC code of each section heading (8311) that has one; no LOINC code stands twice."""
    with Path(__file__).with_name("headings.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["loinc"] for row in csv.DictReader(file)}
