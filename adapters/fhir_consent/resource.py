"""Understands what every FHIR Consent has, one that is given and one that has ended: its release, the series
it belongs to, who a reference leads to, and a moment. It must not know what a consent permits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from fhir.resources.consent import Consent as ConsentR5
from fhir.resources.R4B.consent import Consent as ConsentR4

from adapters.base import Findings
from adapters.fhir import Json, Reader
from adapters.fhir_parts import counted
from adapters.fhir_places import said_at
from adapters.fhir_xml import Models
from hub.errors import HubError
from hub.message import Record

Resolve = Callable[[str], Mapping[str, object] | None]
"""A relative reference such as Organization/54 -> the resource, where somebody has it."""

WITHDRAWAL = "urn:brobygger:withdrawal"
"""The system of the id of a withdrawal, which a consent gets when it ends."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OSLO = ZoneInfo("Europe/Oslo")
_ONLY_R5 = frozenset(
    {"subject", "date", "period", "grantor", "grantee", "manager", "controller", "decision", "policyBasis"}
    | {"regulatoryBasis", "policyText"}
)
_ONLY_R4 = frozenset({"scope", "patient", "dateTime", "performer", "organization", "policy", "policyRule"})


def models(names: frozenset[str]) -> Models:
    """The release of the Consent whose XML has these elements."""
    return {"Consent": ConsentR5 if names & _ONLY_R5 else ConsentR4}


def nowhere(reference: str) -> None:
    """Nobody has the resource."""


def looks_newer(document: Mapping[str, object]) -> bool:
    """Whether it has what only R5 has."""
    return bool(_ONLY_R5 & document.keys()) or isinstance(document.get("provision"), list)


def is_newer(document: Mapping[str, object], consent: Reader, structure: Findings) -> bool:
    """Whether it is R5, checked as that; R4 otherwise. `structure` gets what is not FHIR."""
    newer = looks_newer(document)
    if newer and _ONLY_R4 & document.keys():
        consent.fault("", "release", "the elements of one release of FHIR, R4 or R5")
    consent.check(ConsentR5 if newer else ConsentR4, structure)
    consent.constant("resourceType", "Consent")
    return newer


def read_series(
    consent: Reader, systems: tuple[str, ...], *, needed: bool = True
) -> tuple[str | None, Mapping[str, str]]:
    """The series that the consent keeps in all versions, and the ids of messages: the identifiers in these
    systems, by system. A resource that was given without any identifier has its own id."""
    series, ids = None, dict[str, str]()
    listed = consent.peek("identifier")
    stale = WITHDRAWAL not in systems and isinstance(listed, list) and any(map(_is_of_withdrawal, listed))
    for identifier in consent.children("identifier", at_most=1 + len(systems) + stale):
        identifier.ignore("use", "type", "assigner", "period")
        if stale and identifier.peek("system") == WITHDRAWAL:
            identifier.ignore_all()  # of the time before it was given again; it names no series
            continue
        system = identifier.text("system")
        value = identifier.text("value", required=True)
        if system in systems and system not in ids:
            ids[system] = value or ""
        elif system not in systems and series is None:
            series = value
        else:
            identifier.fault("system", "unique", "one series, and at most one " + " and ".join(systems))
    own = consent.peek("id")
    if series is None and ids.keys() <= {WITHDRAWAL} and isinstance(own, str):
        series = own
    if series is None and needed:
        consent.fault("identifier", "missing", "the id that the consent keeps in all versions")
    elif series is not None and not re.fullmatch(r"[A-Za-z0-9._:-]{1,100}", series):
        consent.fault("identifier", "value", "1 to 100 of A-Z, a-z, 0-9 and ._:-")
    return series, ids


def _is_of_withdrawal(identifier: object) -> bool:
    return isinstance(identifier, Mapping) and identifier.get("system") == WITHDRAWAL


def is_day(value: object) -> bool:
    """Whether it says a day and no time."""
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def moment(value: str | None) -> str | None:
    """A day is its first moment in Oslo. Of a second, FHIR has any number of digits, and a leap second;
    nothing is decided by them."""
    if value is None or not _DAY.fullmatch(value):
        return value and counted(value)
    try:
        return said_at(datetime.fromisoformat(value).replace(tzinfo=_OSLO).isoformat(), value)
    except ValueError:  # told with the structure
        return None


def read_identified(
    reference: Reader, kind: str, systems: Mapping[str, str], resolve: Resolve
) -> tuple[str, str] | None:
    """(system, value) of what is referred to: said in the reference, or found behind it. Where both are there
    they must agree."""
    address = reference.text("reference")
    for name, said in (("type", reference.text("type")), ("reference", kind_of(address, kind))):
        if said not in (None, kind):
            reference.fault(name, "value", f"a reference to a resource {kind}")
    behind = number_behind(reference, resolve(address) if address else None, kind, systems)
    identifier = reference.child("identifier")
    if identifier is None:
        if behind is None:
            reference.fault("identifier", "missing", "an identifier: " + " or ".join(systems))
        return behind
    identifier.ignore("use", "type", "assigner", "period")
    system = identifier.one_of("system", systems)
    value = identifier.text("value", required=True)
    if system is None or value is None:
        return None
    if behind is not None and behind != (system, value):
        reference.fault("identifier", "value", "the identifier of the resource referred to")
    return system, value


def number_behind(
    reference: Reader, resource: Mapping[str, object] | None, kind: str, systems: Mapping[str, str]
) -> tuple[str, str] | None:
    """(system, value) that the resource referred to has, if it is of this kind and has one."""
    if resource is None or resource.get("resourceType") != kind:
        return None
    listed = resource.get("identifier")
    found = {
        (system, value)
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, Mapping)
        and isinstance(system := item.get("system"), str)
        and isinstance(value := item.get("value"), str)
        and system in systems
        and value
    }
    if len(found) > 1:
        reference.fault("reference", "unique", "a resource with one such identifier")
    return found.pop() if len(found) == 1 else None


def kind_of(address: str | None, silent: str) -> str | None:
    """The kind of resource that a reference names: Organization/1, or a URL that ends so; `silent` where
    it is a URN, and an empty text where it is anything else, such as a search."""
    if address is None:
        return None
    if address.startswith("urn:"):
        return silent
    named = re.search(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[^/]+)?$", address)
    return named.group(1) if named else ""


def write_exactly(
    record: Record, compose: Callable[[Record], Json], read: Callable[[Mapping[str, object]], Record]
) -> Json:
    """What `compose` makes of a record; what would not read back as the same record is render.incomplete."""
    document = compose(record)
    try:
        back = read(document)
    except HubError:
        raise HubError("render.incomplete") from None
    if back != record:
        raise HubError("render.incomplete")
    return document
