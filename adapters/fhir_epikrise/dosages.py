"""Understands how a medicine is taken: the text of each dosage and, in bokmål, what its numbers, units and
times say beside that. What has a code of its own (a route, when it is needed) is left to the caller, so that
the code stands by its words.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Findings
from adapters.fhir import Json, Reader, present
from adapters.fhir_epikrise.lines import plain
from adapters.fhir_epikrise.names import name_of
from adapters.fhir_epikrise.schedules import say_timing
from adapters.fhir_epikrise.units import CODING, CONCEPT, look_over, say_amount
from adapters.fhir_places import said_at

AMOUNTS: Mapping[str, str] = {
    "dose": "{}",
    "doseQuantity": "{}",
    "doseRange": "{}",
    "rateRatio": "hastighet {}",
    "rateRange": "hastighet {}",
    "rateQuantity": "hastighet {}",
    "maxDosePerPeriod": "høyst {}",
    "maxDosePerAdministration": "høyst {} om gangen",
    "maxDosePerLifetime": "høyst {} i alt",
}
"""How each amount is said, in the order in which they are."""

_CONCEPTS = ("additionalInstruction", "asNeededCodeableConcept", "site", "route", "method", "type")
_DOSE_TYPE = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
DOSE_TYPES: Mapping[str, str] = {"ordered": "", "calculated": "beregnet"}
"""Whether a dose was ordered as it is; of that nothing is said."""

KINDS = frozenset({"Dosage", "MedicationAdministrationDosage"})
"""The types of FHIR that say how a medicine is taken."""


def read_dosages(medicine: Reader, findings: Findings) -> tuple[str | None, list[Json]]:
    """The words of all dosages as one, and of each what they do not say: of one among several, behind its
    words. Those with one sequence are taken side by side, those with a higher one afterwards."""
    told: list[tuple[int | None, str]] = []
    left: list[Json] = []
    dosages = medicine.children("dosage")
    for dosage in dosages:
        sequence = dosage.integer("sequence")
        text, rest = say_dosage(dosage.rest(), dosage.at, findings)
        of_which = present(text=text, sequence=sequence) if rest and len(dosages) > 1 else {}
        left.append({**rest, **of_which})
        if text is None and not rest:
            dosage.fault("text", "missing", "a value")
        elif text is not None:
            told.append((sequence, text))
    sequences = [sequence for sequence, _ in told if sequence is not None]
    if len(told) > 1 and sequences and (len(sequences) < len(told) or sequences != sorted(sequences)):
        medicine.fault("dosage", "order", "a sequence for each dosage, in its order, or for none")
    said, before = "", None
    for sequence, text in told:
        then = "deretter: " if said and sequence != before else ""
        said += f"; {then}{text}" if said else text
        before = sequence
    return (said_at(said, told[0][1]) if said else None), left


def say_dosage(dosage: Json, at: str, findings: Findings) -> tuple[str | None, Json]:
    """Its text and, behind a stroke, what the rest of it says in words; and what has codes of its own.
    Findings are units and codes that have no words."""
    said, rest = _said(dosage, "Dosage", at, findings)
    text = dosage.get("text")
    words = text.strip() if isinstance(text, str) else ""
    rest.pop("text", None)
    structured = ", ".join(said)
    told = " / ".join(one for one in (words, "" if plain(structured) == plain(words) else structured) if one)
    return (said_at(told, text if words else next(iter(said), None)) if told else None), rest


def _said(dosage: Json, kind: str, at: str, findings: Findings) -> tuple[list[str], Json]:
    rest, said = dict(dosage), []
    kept = []
    for index, one in enumerate(_listed(rest.pop("doseAndRate", []))):
        inside, left = _said(one, "DosageDoseAndRate", f"{at}.doseAndRate[{index}]", findings)
        said.append(" ".join(inside))
        kept.append(left)
    if any(kept):
        rest["doseAndRate"] = kept
    for name, form in AMOUNTS.items():
        if name in rest and (amount := say_amount(rest.pop(name), f"{at}.{name}", findings)):
            said.append(form.format(amount))
    if "timing" in rest:
        said += say_timing(rest.pop("timing"), f"{at}.timing", findings)
    if isinstance(rest.get("asNeededBoolean"), bool) and rest.pop("asNeededBoolean"):
        said.append("ved behov")
    for name in _CONCEPTS:
        said += _uncoded(rest, kind, name, at, findings)
    if isinstance(instruction := rest.pop("patientInstruction", None), str) and instruction.strip():
        said.append(f"{name_of('Dosage', 'patientInstruction')}: {instruction.strip()}")
    return [one for one in said if one], rest


def _uncoded(rest: Json, kind: str, name: str, at: str, findings: Findings) -> list[str]:
    """The words of concepts that have no code but one that is fixed; all others stay."""
    concepts = rest.get(name)
    listed = concepts if isinstance(concepts, list) else [concepts]
    found = [_words(one) for one in listed]
    if None in found:
        return []
    rest.pop(name)
    for index, one in enumerate(listed):
        place = f"{at}.{name}[{index}]" if listed is concepts else f"{at}.{name}"
        look_over(one, CONCEPT, place, findings)
        for number, coding in enumerate(one.get("coding", [])):
            look_over(coding, CODING, f"{place}.coding[{number}]", findings)
    return [f"{name_of(kind, name)}: {words}" for words in found if words]


def _words(concept: object) -> str | None:
    if not isinstance(concept, dict):
        return None
    there = {name for name in concept if name != "extension" and not name.startswith("_")}
    text, coding = concept.get("text"), concept.get("coding")
    if isinstance(text, str) and there == {"text"}:
        return text.strip()
    codings = coding if isinstance(coding, list) and there == {"coding"} else []
    found = [
        DOSE_TYPES.get(str(one.get("code")))
        for one in codings
        if isinstance(one, dict) and one.get("system") == _DOSE_TYPE
    ]
    return found[0] if len(found) == len(codings) == 1 else None


def _listed(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
