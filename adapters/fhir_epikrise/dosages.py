"""Understands the dosage of a medicine: its text, and nothing beside it. What else stands there would have to
be said in words (a dose, a rhythm, a route) and could then tell of substance use without its code, or
something else than the text does: it is refused."""

from __future__ import annotations

from adapters.fhir import Reader
from adapters.fhir_places import said_at


def read_dosages(medicine: Reader) -> str | None:
    """The texts of all dosages as one. Those with one sequence are taken side by side, those with a higher
    one afterwards."""
    told: list[tuple[int | None, str]] = []
    for dosage in medicine.children("dosage"):
        text, sequence = dosage.text("text", required=True), dosage.integer("sequence")
        if text is not None:
            told.append((sequence, text))
    sequences = [sequence for sequence, _ in told if sequence is not None]
    if len(told) > 1 and sequences and (len(sequences) < len(told) or sequences != sorted(sequences)):
        medicine.fault("dosage", "order", "a sequence for each dosage, in its order, or for none")
    said, before = "", None
    for sequence, text in told:
        then = "deretter: " if said and sequence != before else ""
        said += f"; {then}{text}" if said else text
        before = sequence
    return said_at(said, told[0][1]) if said else None
