"""Understands what a code of a medical code system tells about a person.

Each listed code has a tier: A names substance use by itself, B points to it strongly, C only in
context, D is tobacco, E indirect, J prison or justice. Our lists are complete for the closed systems:
a code of theirs that is not listed raises nothing.
Open systems (SNOMED CT, LOINC) are too large for that: what is not listed there is unknown, as is
every code of a system we do not know. It must not know messages.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.errors import Finding, HubError
from hub.message import Category

CODES = Path(__file__).parent / "codes"
COLUMNS = ("system", "code", "tier", "category", "note", "source")
TIERS = frozenset("ABCDEJ-")

_UNKNOWN = frozenset({Category.UNKNOWN})
_SUBSTANCE = frozenset({Category.SUBSTANCE_USE})
_WRITTEN = re.compile(r"[A-Z0-9-]*[A-Z0-9]")
_PARTS = re.compile(r"[^A-Za-z0-9.\-]")
_FORMS = {
    "7110": re.compile(r"[A-Z][0-9]{2}[0-9A-Z]{0,4}"),
    "7170": re.compile(r"[A-Z][0-9]{2,4}|-[0-9]{2}"),
    "7180": re.compile(r"[A-Z](?:[0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?)?"),
    "7280": re.compile(r"[A-Z]{3}[0-9]{5}"),
}
"""How a code of a closed system is written. What is not written so is unknown."""
_NOT_LATIN = re.compile(r"[^\W\u0000-\u024f]")
# F1 in any notation is a diagnosis of substance use in every edition of ICD, but for tobacco.
_F1 = re.compile(r"F1[0-689][0-9A-Z]*")


@dataclass(frozen=True)
class Entry:
    """What one listed code tells: always, or (tier C) only where nothing speaks of substance use."""

    category: Category
    tier: str

    def tells(self, in_context: bool) -> Category:
        return Category.SUBSTANCE_USE if in_context and self.tier == "C" else self.category


Listed = Mapping[str, Entry]
"""Codes without dots; a trailing `*` stands for everything that begins so."""


@dataclass(frozen=True)
class CodeLists:
    """The lists of all systems, by the name we give a system; `aliases` are its other names."""

    listed: Mapping[str, Listed]
    aliases: Mapping[str, str]
    open_systems: frozenset[str]

    def categories(self, system: str, code: str, *, in_context: bool = False) -> frozenset[Category]:
        """What the code tells, beyond what its field declares. An empty set: nothing more.

        `in_context`: something else in the message, or its sender, speaks of substance use.
        """
        name = self.aliases.get(system_name(system))
        spelt = spellings(code)
        if any(_F1.fullmatch(spelling) for spelling in spelt):
            return _SUBSTANCE
        if name is not None:
            codes = self.listed.get(name, {})
            found = [entry for spelling in spelt if (entry := _look_up(codes, spelling))]
            told = frozenset(entry.tells(in_context) for entry in found)
            several = sum(1 for part in _PARTS.split(code) if part) > 1
            if name in self.open_systems and several and not told & _SUBSTANCE:
                return told | _UNKNOWN  # an expression of several codes, not all of which we know
            if told:
                return told
            if name not in self.open_systems:
                form = _FORMS.get(name)
                latin = not _NOT_LATIN.search(unicodedata.normalize("NFKC", code))
                return frozenset() if form and latin and any(map(form.fullmatch, spelt)) else _UNKNOWN
        return _SUBSTANCE if any(map(self.names_substance, spelt)) else _UNKNOWN

    def names_substance(self, code: str) -> bool:
        """Whether any list has the code, in capitals and without dots, as substance use."""
        found = (_look_up(codes, code) for codes in self.listed.values())
        return any(entry is not None and entry.category is Category.SUBSTANCE_USE for entry in found)


def load_codes(folder: Path = CODES) -> CodeLists:
    """Every list of the folder. Raises policy.invalid with all findings."""
    findings: list[Finding] = []
    aliases: dict[str, str] = {}
    open_systems: set[str] = set()
    for at, row in _rows(folder / "systems.csv", ("system", "alias", "coverage"), findings):
        if row["coverage"] not in {"open", "closed"}:
            findings.append(Finding(at, "coverage", "open or closed"))
        if aliases.setdefault(system_name(row["alias"]), row["system"]) != row["system"]:
            findings.append(Finding(at, "alias", "one system for each name"))
        if row["coverage"] != "closed":
            open_systems.add(row["system"])
    listed: dict[str, dict[str, Entry]] = {}
    known = {category.value for category in Category}
    for path in sorted(folder.glob("*.csv")):
        for at, row in _rows(path, COLUMNS, findings) if path.name != "systems.csv" else ():
            if row["category"] not in known or row["system"] not in aliases.values():
                findings.append(Finding(at, "code", "a known system and category"))
                continue
            if row["tier"] not in TIERS or (row["tier"] in {"A", "B"}) != (
                row["category"] == "substance_use"
            ):
                findings.append(Finding(at, "tier", "A or B for substance use and for nothing else"))
            codes = listed.setdefault(row["system"], {})
            code = row["code"].upper().replace(".", "")
            if not _WRITTEN.fullmatch(code.removesuffix("*")) or code in codes:
                findings.append(Finding(at, "code", "each code once, letters and digits"))
            codes[code] = Entry(Category(row["category"]), row["tier"])
    if findings or not listed:
        raise HubError("policy.invalid", findings)
    return CodeLists(listed, aliases, frozenset(open_systems))


def _rows(path: Path, columns: tuple[str, ...], findings: list[Finding]) -> list[tuple[str, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            if tuple(next(reader, ())) != columns:
                findings.append(Finding(path.name, "columns", ",".join(columns)))
                return []
            rows = [(f"{path.name}:{reader.line_num}", row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error):
        findings.append(Finding(path.name, "file", "a readable UTF-8 table"))
        return []
    whole = [(at, row) for at, row in rows if len(row) == len(columns) and all(row[:3])]
    if len(whole) != len(rows):
        findings.append(Finding(path.name, "columns", "every column filled in every row"))
    return [(at, dict(zip(columns, row, strict=True))) for at, row in whole]


def system_name(name: str) -> str:
    """The name of a code system without what varies: scheme, case, version, last slash."""
    name = unicodedata.normalize("NFKC", name).strip().lower().partition("|")[0].rstrip("/ ")
    for prefix in ("urn:oid:", "oid:", "https://", "http://", "www."):
        name = name.removeprefix(prefix)
    return name


def spellings(code: str) -> set[str]:
    """The code as one word, and each code of a string that holds several (`P19 -> F11.2`)."""
    code = unicodedata.normalize("NFKC", code)
    parts = {re.sub(r"[\W_]", "", code), *_PARTS.split(code), *_PARTS.split(code.replace("-", " "))}
    return {part.replace(".", "").upper() for part in parts}


def _look_up(codes: Listed, code: str) -> Entry | None:
    """The entry of the code, or of the longest beginning that is listed with a `*`."""
    if code in codes:
        return codes[code]
    for end in range(len(code), 0, -1):
        if f"{code[:end]}*" in codes:
            return codes[f"{code[:end]}*"]
    return None
