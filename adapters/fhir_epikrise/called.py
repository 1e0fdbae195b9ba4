"""Understands what a diagnosis or a medicine with fields of its own is called, by its code and in words."""

from __future__ import annotations

from adapters.fhir import Json, Reader, coding, only_code, present
from adapters.fhir_epikrise.lines import plain
from adapters.fhir_places import said_at


def is_another_diagnosis(resource: Reader) -> bool:
    """One that has no place among those that stand, but in the text: it is over or not yet certain, or has
    several codings, each of which must be labelled."""
    codings = resource.peek("code", "coding")
    if isinstance(codings, list) and len(codings) > 1:
        return True
    return any(_peeked(resource, name) not in (None, value) for name, value in _STANDS)


def _peeked(resource: Reader, name: str) -> object:
    codings = resource.peek(name, "coding")
    first = codings[0] if isinstance(codings, list) and codings else None
    return first.get("code") if isinstance(first, dict) else None


_STANDS = (("verificationStatus", "confirmed"), ("clinicalStatus", "active"))
IN_NORWEGIAN = {"confirmed": "bekreftet", "active": "aktiv"}


def read_condition(resource: Reader) -> Json:
    """A diagnosis that stands. One that was ruled out would read as its opposite."""
    for name, value in _STANDS:
        status = only_code(resource.child(name), IN_NORWEGIAN[value])
        if status is not None and status[1] != value:
            resource.fault(name, "code", value)
    return read_coded(coding(resource.child("code", required=True)), resource, "code", "tekst")


def read_coded(
    found: tuple[str | None, str | None, str | None] | None, resource: Reader, at: str, words: str
) -> Json:
    if found is None:
        return {}
    system, code, text = found
    if system is None or code is None:
        resource.fault(f"{at}.coding[0]", "missing", "a system and a code")
    return present(system=system, kode=code, **{words: text})


def with_names(item: Json, field: str, *displays: object) -> Json:
    """A diagnosis or a medicine, called what references to it call it, too."""
    for display in displays:
        said = item.get(field)
        words, code = said if isinstance(said, str) else "", str(item.get("kode", ""))
        there = map(plain, (words, code, f"{code} {words}", *words.split(" / ")))
        if isinstance(display, str) and display.strip() and plain(display) not in there:
            item = {**item, field: said_at(f"{words} / {display}" if words else display, said or display)}
    return item
