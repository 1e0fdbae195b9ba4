"""Understands how a value of FHIR that is no text and no code is said in bokmål: an amount, a moment,
a truth.

What cannot be said is None: a series of samples, and a truth whose words are not in the table.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.base import Findings
from adapters.fhir_epikrise.schedules import say_moment, say_period, say_timing
from adapters.fhir_epikrise.units import say_amount, written
from adapters.fhir_places import said_at

TRUTHS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("Observation", "valueBoolean"): ("ja", "nei"),
    ("ObservationComponent", "valueBoolean"): ("ja", "nei"),
    ("FamilyMemberHistory", "deceasedBoolean"): ("er død", "er i live"),
    ("FamilyMemberHistory", "estimatedAge"): ("alderen er anslått", ""),
    ("FamilyMemberHistoryCondition", "contributedToDeath"): (
        "medvirket til døden",
        "medvirket ikke til døden",
    ),
    ("Immunization", "primarySource"): ("", "opplyst av andre"),
    ("Immunization", "isSubpotent"): ("svekket dose", ""),
    ("ImmunizationReaction", "reported"): ("opplyst av pasienten", ""),
    ("CarePlanActivityDetail", "doNotPerform"): ("", ""),  # what is true is refused before
    ("MedicationRequest", "doNotPerform"): ("", ""),
    ("MedicationIngredient", "isActive"): ("virksomt", "uvirksomt"),
    ("MedicationRequest", "reportedBoolean"): ("opplyst av andre", ""),
    ("MedicationRequestSubstitution", "allowedBoolean"): ("bytte tillatt", "bytte ikke tillatt"),
}
"""By type and element: what is said when it is true, and when it is false; of an ordinary one nothing."""

GRADES_OF = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
GRADES: Mapping[str, str] = {
    "L": "lav", "LL": "svært lav", "H": "høy", "HH": "svært høy", "N": "normal", "A": "unormal",
    "AA": "svært unormal", "POS": "positiv", "NEG": "negativ", "IND": "ikke avgjort", "E": "tvetydig",
    "DET": "påvist", "ND": "ikke påvist", "S": "følsom", "I": "middels følsom", "R": "resistent",
    "<": "under målegrensen", ">": "over målegrensen", "B": "bedre", "W": "verre", "U": "økende",
    "D": "synkende",
}  # few lines # fmt: skip
"""What a measure was found to be, by the code of HL7: said with the words it has, or else with these."""

AMOUNTS = frozenset({"Age", "Duration", "Quantity", "Range", "Ratio"})
MOMENTS = frozenset({"Date", "DateTime", "Instant", "Time"})
NUMBERS = frozenset({"Decimal", "Integer", "PositiveInt", "UnsignedInt"})
MEASURES = frozenset({*AMOUNTS, *MOMENTS, *NUMBERS, "Boolean", "Period", "SampledData", "Timing"})
"""Types whose values a text of the section tells, or else the line."""


def say_measure(holds: str, place: tuple[str, str], value: object, at: str, findings: Findings) -> str | None:
    """A value of one of MEASURES; empty for what says nothing beyond the ordinary. `place` is the type and
    the element that it stands in. Findings are codes and units that have no words."""
    if holds in AMOUNTS:
        return say_amount(value, at, findings, coded=True)
    if holds == "Timing":
        return ", ".join(say_timing(value, at, findings))
    if holds == "Period":
        return say_period(value, at, findings)
    if holds == "Boolean":
        words = TRUTHS.get(place)
        return words[value is False] if words and isinstance(value, bool) else None
    if holds in NUMBERS:
        return written(value)
    return say_moment(value) if holds in MOMENTS and isinstance(value, str) else None


def in_words(coding: object) -> object:
    """A coding of how a measure is graded, as its words alone where the code is one of GRADES: they say all
    that it does, and what nobody knows would hold the whole section. Any other one as it is."""
    if not isinstance(coding, Mapping) or coding.get("system") != GRADES_OF:
        return coding
    words = GRADES.get(str(coding.get("code")))
    if words is None:
        return coding
    rest = {name: value for name, value in coding.items() if name not in ("system", "code", "version")}
    return {**rest, "display": coding.get("display") or said_at(words, coding.get("code"))}
