"""Understands the rules that no schema knows: identifiers, steering codes, what is said of a patient.

A rule is a pure function by name, so that a table can ask for it. It must not know any message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lxml import etree

from adapters.kith.codes import lists
from adapters.kith.tables import El
from adapters.kith.texts import Said, say
from mappings.identifiers import is_d_number, is_fh_number, is_fodselsnummer, is_orgnr, is_person_number

_UUID = re.compile(r"\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?")


def _uuid(parts: Mapping[str, object], _: El) -> Said | None:
    """MsgHead (HIS 80601) demands a UUID as MsgId."""
    return None if _UUID.fullmatch(str(parts.get("text", ""))) else say("msgid-uuid")


def _value(parts: Mapping[str, object], row: El) -> Said | None:
    return None if row.type is not None and row.type.main in parts else say("empty")


def _day(parts: Mapping[str, object], _: El) -> Said | None:
    return None if "day" in parts else say("day")


def _person_number(parts: Mapping[str, object], _: El) -> Said | None:
    if "text" not in parts:
        return say("person-number-missing")
    return None if is_person_number(str(parts["text"])) else say("person-number")


def _orgnr(parts: Mapping[str, object], _: El) -> Said | None:
    return None if "text" not in parts or is_orgnr(str(parts["text"])) else say("orgnr")


def _code(parts: Mapping[str, object], row: El) -> Said | None:
    """For codes that steer what happens to the message; a clinical code that nobody knows is carried."""
    known = lists()[row.codes]
    return None if parts.get("V") in known else say("code", *known)


NUMBERS = ("FNR", "DNR", "FHN")
"""Kinds of number (8116) that lead to one person anywhere. An H-number does so only where it was made."""

_KIND = ("TypeId", "TypeOffId")


def _person_kind(fields: Mapping[str, Any]) -> dict[str, object]:
    number = str(fields.get("id", ""))
    if is_d_number(number):
        return {"V": "DNR"}
    return {"V": "FHN" if is_fh_number(number) and not is_fodselsnummer(number) else "FNR"}


DERIVED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, object]]] = {"person-kind": _person_kind}
"""What is written of the fields around it."""

CHECKS: Mapping[str, Callable[[Mapping[str, object], El], Said | None]] = {
    "uuid": _uuid,
    "value": _value,
    "day": _day,
    "person-number": _person_number,
    "orgnr": _orgnr,
    "code": _code,
}
"""Rules of one value, asked with its parts."""


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next((below for below in element if etree.QName(below).localname == name), None)


def _names(element: etree._Element, *names: str) -> bool:
    """Whether any element of these names, however deep, holds text."""
    return any(
        etree.QName(below).localname in names and (below.text or "").strip() for below in element.iter()
    )


def _patient(element: etree._Element) -> Iterator[tuple[etree._Element, Said]]:
    """A patient has a number that leads to one person, and a name. Both MsgHead's form and the older one."""
    numbers = [child for child in element if etree.QName(child).localname == "Ident" and _names(child, "Id")]
    older = _child(element, "OffId")
    if older is not None and (older.text or "").strip():
        numbers.append(element)
    kinds = {kind.get("V") for number in numbers for kind in number if etree.QName(kind).localname in _KIND}
    if not numbers:
        yield element, say("person-number-missing")
    elif kinds and not kinds & set(NUMBERS):
        yield element, say("person-number")
    if not any(_is_name(child) for child in element):
        yield element, say("person-name-missing")


def _is_name(element: etree._Element) -> bool:
    return etree.QName(element).localname in ("Name", "FamilyName") and bool((element.text or "").strip())


def _party(rule: str) -> Callable[[etree._Element], Iterator[tuple[etree._Element, Said]]]:
    def check(element: etree._Element) -> Iterator[tuple[etree._Element, Said]]:
        if not _names(element, "Name", "OrganisationName", "Id"):
            yield element, say(rule)

    return check


GROUP_CHECKS: Mapping[str, Callable[[etree._Element], Iterator[tuple[etree._Element, Said]]]] = {
    "patient": _patient,
    "sender": _party("sender-missing"),
    "receiver": _party("receiver-missing"),
}
"""Rules of a group, asked with the element; each fault with the element it stands at."""
