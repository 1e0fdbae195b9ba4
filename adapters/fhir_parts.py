"""Understands the FHIR parts that every message type has: the person, organisations, the message header.

It must not know any message type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from adapters.fhir import Json, Reader, present
from adapters.fhir_bundle import MESSAGE_ID
from adapters.fhir_extensions import may_be_left
from adapters.fhir_places import said_at
from hub.errors import Finding, HubError
from hub.message import Record
from mappings.identifiers import by_name, kinds_of

FNR = "urn:oid:2.16.578.1.12.4.1.4.1"
DNR = "urn:oid:2.16.578.1.12.4.1.4.2"
FHN = "urn:oid:2.16.578.1.12.4.1.4.3"
PERSONS: Mapping[str, str] = {FNR: FNR, DNR: DNR, FHN: FHN}
"""The systems of numbers that lead to one person anywhere, as in KITH."""

ORGNR = "urn:oid:2.16.578.1.12.4.1.4.101"
RECIPIENT = "urn:brobygger:mottaker"
SENDER = "urn:brobygger:avsender"
ANSWERS = "urn:brobygger:svar-pa"
PERSON_LEFT = ("active", "gender", "birthDate", "address", "telecom", "maritalStatus")
"""What a Patient has that is no part of any message."""

OSLO = ZoneInfo("Europe/Oslo")


SEXES = {"male": "1", "female": "2"}
"""Of AdministrativeGender what tells one person from another, and its code in 3101."""

_WHOLE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_person(patient: Reader, on: object = None, *, described: bool = False) -> Json:
    """`person` of a Patient, as it is on the day of the message. Where the type takes one who is `described`,
    a name, a whole birth date and a sex do instead of a number that leads to one person."""
    patient.ignore(*PERSON_LEFT)
    patient.left_extensions()
    number, born_and_sex = None, _born_and_sex(patient) if described else {}
    if born_and_sex:
        for identifier in patient.children("identifier"):
            identifier.ignore_all()
    for identifier in () if born_and_sex else _national(patient, on):
        identifier.ignore("period")
        number = person_number(identifier)
    name = None
    names = patient.children("name")
    current = [one for one in names if not _is_over(one, on)] or names
    if len(current) > 1:
        patient.fault("name", "count", "0 to 1")
    for entry in names:
        if entry in current:
            name = read_name(entry)
        else:
            entry.ignore_all()
    return {**present(id=number, navn=name), **born_and_sex}


def _born_and_sex(patient: Reader) -> Json:
    """What describes a person with a name and no number; nothing of one who has a number, even one that is
    over or wrong, or of whom not all is said."""
    identifiers = patient.peek("identifier")
    listed = identifiers if isinstance(identifiers, list) else []
    numbered = any(_may_lead_to_one(one) for one in listed)
    born, sex = patient.peek("birthDate"), patient.peek("gender")
    beside = patient.has("_birthDate") or patient.has("_gender")
    if numbered or beside or not _has_a_name(patient) or not (isinstance(born, str) and isinstance(sex, str)):
        return {}
    return {"fodt": born, "kjonn": SEXES[sex]} if _WHOLE_DATE.fullmatch(born) and sex in SEXES else {}


def _has_a_name(patient: Reader) -> bool:
    """Whether one is said that is not a former one."""
    names = patient.peek("name")
    return isinstance(names, list) and any(
        not (isinstance(one, Mapping) and one.get("use") in _FORMER) for one in names
    )


def _may_lead_to_one(identifier: object) -> bool:
    """Whether it says, or looks as if it said, a number that leads to one person anywhere, rather than one of
    another country or, with the type or the system HNR, of one house."""
    if not isinstance(identifier, Mapping):
        return True
    system, value, codings = (identifier.get(name) for name in ("system", "value", "type"))
    kind = codings.get("coding") if isinstance(codings, Mapping) else None
    coded = [one.get("code") for one in kind if isinstance(one, Mapping)] if isinstance(kind, list) else []
    if not isinstance(system, str | None) or system in PERSONS:
        return True
    found = kinds_of(value) if isinstance(value, str) else frozenset[str]()
    local = "HNR" in found and (system == "HNR" or "HNR" in coded)
    return not (found.isdisjoint(("FNR", "DNR", "FHN")) or local)


def _national(patient: Reader, on: object) -> list[Reader]:
    """The one identifier that is a fødselsnummer or D-number, or else an FH-number; beside it, those of other
    systems are the sender's own and left behind, and so are those that are over. Two could be two persons."""
    identifiers = patient.children("identifier", at_least=1)
    current = [one for one in identifiers if not _is_over(one, on)]
    national = [one for one in current if one.peek("system") in (FNR, DNR)]
    national = national or [one for one in current if one.peek("system") == FHN]
    if len(identifiers) > 1 and len(national) > 1:
        patient.fault("identifier", "count", "one fødselsnummer or D-number")
    former = [one for one in identifiers if one not in current and one.peek("system") in tuple(PERSONS)][:1]
    chosen = national or former or identifiers[:1]
    for one in identifiers:
        if one not in chosen:
            one.ignore_all()
    if not national and former:
        former[0].fault("", "ended", "a number that is in use")
    return chosen


_FORMER = ("old", "maiden")


def _is_over(entry: Reader, on: object) -> bool:
    """Whether an identifier or a name is said to be a former one, or to have ended before this day. An end
    may be a year or a month: it is over when that is."""
    end = entry.peek("period", "end")
    ended = isinstance(end, str) and isinstance(on, str) and end[:10] < on[: len(end[:10])]
    return ended or entry.peek("use") in _FORMER


def person_number(identifier: Reader) -> str | None:
    """A fødselsnummer, D-number or FH-number; its digits are checked by the message type."""
    identifier.ignore("use", "type", "assigner")
    identifier.one_of("system", PERSONS)
    return identifier.text("value", required=True)


def person_identifier(number: object) -> Json:
    """The identifier of a person, in the system its first digit tells: of the day of birth, or of none."""
    digit = number[:1] if isinstance(number, str) else ""
    system = DNR if digit in tuple("4567") else FHN if digit in tuple("89") else FNR
    return {"system": system, "value": number}


def read_name(entry: Reader) -> str | None:
    """A HumanName as one text."""
    entry.ignore("id", "use", "period", "prefix", "suffix")
    entry.left_extensions("text", "family", "given", "prefix", "suffix")
    given, family = entry.texts("given"), entry.text("family")
    parts = [*given, *([family] if family else [])]
    return entry.text("text") or (said_at(" ".join(parts), parts[0]) if parts else None) or None


def write_person(person: object) -> dict[str, object]:
    """The elements of a Patient."""
    fields = person if isinstance(person, Mapping) else {}
    name = fields.get("navn")
    genders = {code: gender for gender, code in SEXES.items()}
    return {
        "identifier": [person_identifier(fields.get("id"))] if "id" in fields else None,
        "name": [{"text": name}] if name is not None else None,
        "birthDate": fields.get("fodt"),
        "gender": genders.get(str(fields.get("kjonn"))),
    }


def read_header(shell: Reader) -> Json:
    """`melding.id` and `melding.sendt` of a Bundle."""
    number = None
    identifier = shell.child("identifier", required=True)
    if identifier is not None:
        identifier.ignore("use", "system", "type", "assigner")
        number = identifier.text("value", required=True)
    return present(id=number, sendt=read_moment(shell, "timestamp"))


def write_header(record: Record) -> dict[str, object]:
    """`identifier` and `timestamp` of a Bundle."""
    return {
        "identifier": {"system": MESSAGE_ID, "value": needed(record, "melding.id")},
        "timestamp": instant(needed(record, "melding.sendt")),
    }


_ADDRESSING = {RECIPIENT: "mottaker", SENDER: "avsender", ANSWERS: "svar_pa"}


def read_addressing(resource: Reader) -> Json:
    """`melding.mottaker`, `avsender` and `svar_pa`, for which FHIR documents have no element."""
    found: Json = {}
    for extension in resource.children("extension"):
        if may_be_left(extension.peek("url")):
            extension.ignore_all()
            continue
        name = extension.one_of("url", _ADDRESSING)
        if name is None:
            extension.ignore_all()
        elif name in found:
            extension.fault("url", "unique", "once")
        elif name in ("mottaker", "avsender"):
            found[name] = read_organisation(extension.child("valueIdentifier", required=True))
        else:
            found[name] = extension.text("valueString", required=True)
    return present(**found)


def write_addressing(record: Record) -> list[Json]:
    """The extensions that `read_addressing` reads."""
    extensions: list[Json] = []
    for url, name in ((RECIPIENT, "mottaker"), (SENDER, "avsender")):
        if (org := record.get(f"melding.{name}")) is not None:
            extensions.append({"url": url, "valueIdentifier": write_organisation(org)})
    answers = record.get("melding.svar_pa")
    if answers is not None:
        extensions.append({"url": ANSWERS, "valueString": answers})
    return extensions


def read_organisation(identifier: Reader | None) -> str | None:
    """An organisation number."""
    if identifier is None:
        return None
    identifier.ignore("use", "type", "assigner")
    identifier.constant("system", ORGNR)
    return identifier.text("value", required=True)


def register_number(identifier: Reader) -> str | None:
    """The value of an identifier of a register (HPR, RESH), which must be such as the system's OID says."""
    number, system = identifier.text("value", required=True), identifier.text("system")
    kind = by_name(system or "")
    if number is not None and kind is not None and not kind.fits(number):
        identifier.fault("value", "format", f"the digits of an identifier of this kind: {kind.code}")
    return number


def is_register_number(system: str, number: object) -> bool:
    """Whether `register_number` would read this one."""
    kind = by_name(system)
    return kind is None or (isinstance(number, str) and kind.fits(number))


def write_register_number(system: str, number: object) -> list[Json] | None:
    """The identifier that `register_number` reads."""
    return None if number is None else [{"system": system, "value": number}]


def write_organisation(number: object) -> Json:
    """The identifier of an organisation."""
    return {"system": ORGNR, "value": number}


_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:)([0-9]{2})(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def counted(value: str) -> str:
    """A moment in microseconds at most and without the leap second of FHIR; any other text as it is."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return value
    to_minute, second, fraction, zone = found.groups()
    return said_at(f"{to_minute}{'59' if second == '60' else second}{(fraction or '')[:7]}{zone}", value)


def read_moment(resource: Reader, name: str) -> str | None:
    """A moment that must be there."""
    value = resource.text(name, required=True)
    return None if value is None else counted(value)


def day(value: str | None) -> str | None:
    """The day of a FHIR dateTime in Norway (Europe/Oslo); one without a zone is as it is written, a month or
    year alone stays and is refused later."""
    if value is None or "T" not in value:
        return value
    try:
        moment = datetime.fromisoformat(counted(value))
        there = moment.astimezone(OSLO) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # also at the ends of the calendar
        return said_at(value[:10], value)
    return said_at(there.date().isoformat(), value)


def instant(value: str) -> str:
    """A time with the seconds that a FHIR instant must have."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise HubError(
            "render.incomplete", [Finding("melding.sendt", "value", "a time with offset")]
        ) from None
    return value if value[16:17] == ":" else moment.isoformat()


def needed(record: Record, path: str) -> str:
    """A text that the type requires, or render.incomplete."""
    value = record.get(path)
    if not isinstance(value, str) or not value:
        raise HubError("render.incomplete", [Finding(path, "missing", "a value")])
    return value


def check_fields(record: Record, type_name: str, known: frozenset[str]) -> None:
    """Refuse to render a record with fields that the format has no place for."""
    if record.type != type_name or not set(record.fields) <= known:
        raise HubError(
            "render.incomplete", [Finding("record", "unknown-field", "a field that the format has")]
        )


def elements(value: object) -> list[Mapping[str, object]]:
    """The groups of a repeated group."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def read_subject(reference: Reader | None) -> Json | None:
    """`person` of a reference that says the number itself, instead of pointing to a Patient."""
    if reference is None:
        return None
    reference.ignore("type", "id")
    identifier = reference.child("identifier", required=True)
    number = person_number(identifier) if identifier is not None else None
    return present(id=number, navn=reference.text("display"))


def write_subject(record: Record) -> Json | None:
    """The reference that `read_subject` reads."""
    number = record.get("person.id")
    if number is None:
        return None
    return present(identifier=person_identifier(number), display=record.get("person.navn"))


def read_message_id(identifier: Reader | None) -> str | None:
    """`melding.id` of the identifier of a resource that is a message of its own."""
    if identifier is None:
        return None
    identifier.ignore("use", "type", "assigner")
    identifier.constant("system", MESSAGE_ID)
    return identifier.text("value", required=True)


def write_message_id(record: Record) -> Json:
    """The identifier that `read_message_id` reads."""
    return {"system": MESSAGE_ID, "value": needed(record, "melding.id")}
