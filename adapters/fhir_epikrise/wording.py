"""Understands how an element of an epikrise is said in Norwegian words, so that no value stands without what
it is: a limit is not a measurement, and an end is not a beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.kith.codes import meaning

Group = Mapping[str, Any]

NAMES: Mapping[str, str] = {
    "administrering": "gis",
    "annet": "annet:",
    "avvik": "avvik (kode)",
    "dato": "dato",
    "doseringskode": "dosering",
    "fra": "fra",
    "forberedelse": "forberedelse:",
    "form": "form:",
    "gjelder": "gjelder (kode)",
    "handling": "handling (kode)",
    "hoy": "øvre grense <=",
    "id": "id",
    "kommentar": "kommentar:",
    "lav": "nedre grense >=",
    "merknad": "merknad:",
    "mottatt": "mottatt",
    "rad": "råd:",
    "status": "status:",
    "styrke": "styrke",
    "til": "til",
    "tid": "tid",
    "undersokt": "undersøkt",
    "utlevert": "utlevert",
    "varighet": "varighet",
    "vurdering": "vurdering:",
}
"""What stands in front of the value of a field. Any other field tells itself: a name, a text."""

UNITS: Mapping[str, str] = {
    "verdi": "enhet",
    "lav": "lav_enhet",
    "hoy": "hoy_enhet",
    "styrke": "styrke_enhet",
    "varighet": "varighet_enhet",
    "utlevert": "utlevert_enhet",
}
"""The field that holds the unit of another, said right behind it."""

SIGNS: Mapping[str, str] = {"LT": "<", "LE": "<=", "GT": ">", "GE": ">=", "EQ": "=", "NE": "ikke lik"}
"""How a number compares to what was found."""

_WITH_ANOTHER = frozenset({"system", "sammenligning", *UNITS.values()})


def words(item: Group) -> str:
    """Everything the element says, in the order of its fields; a code is said with its words."""
    said = ""
    for name, value in item.items():
        if name in _WITH_ANOTHER:
            continue
        for one in value if isinstance(value, list) else [value]:
            piece = words(one) if isinstance(one, Mapping) else _value(item, name, one)
            if piece and name in NAMES:
                said += f"; {NAMES[name]} {piece}" if said else f"{NAMES[name]} {piece}"
            elif piece:
                said += f" {piece}" if said else piece
    return said


def _value(item: Group, name: str, value: object) -> str:
    before = after = ""
    if name == "verdi" and (sign := item.get("sammenligning")):
        before = f"{SIGNS.get(str(sign), f'sammenligning {sign}:')} "
    if name in UNITS and (unit := item.get(UNITS[name])):
        after = f" {unit}"
    return f"{before}{status_words(value) if name == 'status' else value}{after}"


def status_words(status: object) -> str:
    """The status of a medicine (7307), in words where they are known."""
    return meaning("7307", str(status)) or f"kode {status} i 7307"


def codes(item: Group) -> list[Group]:
    """Every code with its system, however deep."""
    found: list[Group] = []
    if "kode" in item and "system" in item:
        text = item.get("tekst") or item.get("navn")
        found.append({"system": item["system"], "kode": item["kode"], **({"tekst": text} if text else {})})
    for value in item.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                found += codes(one)
    return found
