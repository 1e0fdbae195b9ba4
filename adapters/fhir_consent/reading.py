"""Understands how a FHIR Consent becomes a consent record, or a list of what cannot be evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fhir.resources.R4B.consent import Consent

from adapters.base import Findings
from adapters.fhir import Json, Reader, coding, open_coding, open_resource, present
from adapters.fhir_bundle import MESSAGE_ID
from adapters.fhir_consent import vocabulary as words
from adapters.fhir_parts import ANSWERS, ORGNR, RECIPIENT, SENDER, person_number, read_organisation
from adapters.safe_json import read_json
from hub.message import Record

TYPE = "samtykke.gitt"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse(body: bytes) -> Record:
    """Read one consent. Raises parse.invalid when it is not FHIR R4, consent.not-evaluable with
    every finding when it says something that the record cannot say exactly."""
    document = read_json(body)
    structure, meaning = Findings(), Findings()
    consent = Reader(document, "", meaning)
    if consent.has("contained"):  # fhir.resources does not survive every contained resource
        consent.fault("contained", "not-read", "nothing contained")
        meaning.finish("consent.not-evaluable")
    Reader(document, "", structure).check(Consent)
    structure.finish()
    consent.constant("resourceType", "Consent")
    fields = _consent(consent)
    consent.finish()
    meaning.finish("consent.not-evaluable")
    return Record(TYPE, fields)


def _consent(consent: Reader) -> Json:
    consent.ignore("organization")
    version = _version(consent)
    open_resource(consent)
    consent.constant("status", "active")
    series, message = _identifiers(consent)
    extensions = _extensions(consent)
    decision, provision = _provision(consent)
    samtykke = present(
        serie=series,
        versjon=version,
        beslutning=words.DECISIONS.get(decision or ""),
        **_periods(provision),
        signert=extensions.pop("signert", False),
        forklart=extensions.pop("forklart", False),
        tekstversjon=_text_version(consent),
        form=extensions.pop("form", None),
        gitt_av=_grantor(consent),
        slag=_kind(consent),
        erstatter=extensions.pop("erstatter", None),
    )
    _category(consent)
    _policy(consent)
    scope, exceptions = _scope(provision, decision), _exceptions(provision, decision)
    melding = present(
        id=message or f"{series}.{version}", sendt=consent.text("dateTime", required=True), **extensions
    )
    person = _person(consent)
    return present(melding=melding, person=person, samtykke=samtykke, **scope, unntak=exceptions)


def _version(consent: Reader) -> int | None:
    version = consent.peek("meta", "versionId")
    if isinstance(version, str) and re.fullmatch(r"[1-9][0-9]{0,5}", version):
        return int(version)
    consent.fault("meta.versionId", "value", "an integer from 1")
    return None


def _identifiers(consent: Reader) -> tuple[str | None, str | None]:
    """The series the consent keeps in all versions, and the id of this message."""
    series = message = None
    for identifier in consent.children("identifier", at_least=1, at_most=2):
        identifier.ignore("use", "type", "assigner")
        system = identifier.text("system")
        value = identifier.text("value", required=True)
        if system == MESSAGE_ID and message is None:
            message = value
        elif system != MESSAGE_ID and series is None:
            series = value
        else:
            identifier.fault("system", "unique", f"one series, and at most one {MESSAGE_ID}")
    if series is None:
        consent.fault("identifier", "missing", "the id that the consent keeps in all versions")
    return series, message


def _extensions(consent: Reader) -> Json:
    found: Json = {}
    known = {
        words.SIGNED: "signert",
        words.EXPLAINED: "forklart",
        words.FORM: "form",
        words.REPLACES: "erstatter",
        RECIPIENT: "mottaker",
        SENDER: "avsender",
        ANSWERS: "svar_pa",
    }
    for extension in consent.children("extension"):
        name = extension.one_of("url", known)
        if name is None or name in found:
            extension.fault("url", "value", "a known extension, once")
            extension.ignore_all()
        elif name in ("signert", "forklart"):
            found[name] = extension.boolean("valueBoolean")
        elif name == "form":
            found[name] = extension.one_of("valueCode", words.FORMS)
        elif name in ("mottaker", "avsender"):
            found[name] = read_organisation(extension.child("valueIdentifier", required=True))
        else:
            found[name] = extension.text("valueString", required=True)
    if "form" not in found:
        consent.fault("extension", "missing", words.FORM)
    return found


def _person(consent: Reader) -> Json:
    patient = consent.child("patient", required=True)
    if patient is None:
        return {}
    patient.ignore("reference", "type")
    identifier = patient.child("identifier", required=True)
    return present(id=person_number(identifier) if identifier else None, navn=patient.text("display"))


def _grantor(consent: Reader) -> str | None:
    performers = consent.children("performer", at_least=1, at_most=1)
    if not performers:
        return None
    performers[0].ignore("reference", "identifier", "display")
    return performers[0].one_of("type", words.GRANTORS)


def _kind(consent: Reader) -> str | None:
    scope = consent.child("scope", required=True)
    found = coding(scope)
    if scope is None or found is None:
        return None
    if found[:2] not in words.KINDS:
        scope.fault("coding[0].code", "code", "patient-privacy, or program for taking part in a programme")
    return words.KINDS.get(found[:2])


def _category(consent: Reader) -> None:
    for category in consent.children("category", at_least=1):
        found = coding(category)
        if found is not None and found[:2] != words.CONSENT_CATEGORY:
            category.fault("coding[0].code", "code", "LOINC 59284-0")


def _policy(consent: Reader) -> None:
    for policy in consent.children("policy"):
        policy.ignore("authority")
        policy.constant("uri", words.POLICY)


def _text_version(consent: Reader) -> str | None:
    attachment = consent.child("sourceAttachment")
    if attachment is None:
        return None
    attachment.ignore("contentType", "language", "creation", "size", "hash")
    return attachment.text("title", required=True)


# ------------------------------------------------------------------------------------ provision


def _provision(consent: Reader) -> tuple[str | None, Reader | None]:
    provision = consent.child("provision", required=True)
    if provision is None:
        return None, None
    provision.ignore("id")
    decision = provision.one_of("type", {name: name for name in words.DECISIONS})
    return decision, provision


def _periods(provision: Reader | None) -> Json:
    if provision is None:
        return {}
    valid, data = _period(provision, "period"), _period(provision, "dataPeriod")
    return present(gyldig_fra=valid[0], gyldig_til=valid[1], data_fra=data[0], data_til=data[1])


def _period(provision: Reader, name: str) -> tuple[str | None, str | None]:
    period = provision.child(name)
    if period is None:
        return None, None
    ends = []
    for end in ("start", "end"):
        value = period.text(end)
        if value is not None and not _DAY.fullmatch(value):
            period.fault(end, "value", "a whole day, YYYY-MM-DD")
        ends.append(value)
    if ends == [None, None]:
        provision.fault(name, "missing", "a start or an end")
    return ends[0], ends[1]


def _scope(provision: Reader | None, decision: str | None) -> Json:
    if provision is None:
        return {}
    actors: dict[str, list[object]] = {"avsendere": [], "mottakere": []}
    for actor in provision.children("actor"):
        _actor(actor, actors)
    categories = dict(words.CATEGORIES)
    if decision == "deny":
        categories |= words.NARROWER
    return present(
        **actors,
        formal=_codes(provision, "purpose", words.PURPOSES),
        kategorier=_codes(provision, "securityLabel", categories),
    )


def _actor(actor: Reader, actors: Mapping[str, list[object]]) -> None:
    role, reference = actor.child("role", required=True), actor.child("reference", required=True)
    found = coding(role)
    side = words.ROLES.get(found[:2]) if found else None
    if role is not None and side is None:
        role.fault("coding[0].code", "code", "IRCP (recipient) or CST (sender)")
    if reference is None:
        return
    reference.ignore("display", "type")
    identifier = reference.child("identifier", required=True)
    if identifier is None:
        return
    system = identifier.one_of("system", {name: name for name in words.PARTIES})
    value = identifier.text("value", required=True)
    known = words.PARTIES.get(system or "", frozenset())
    if value is not None and known and value not in known:
        identifier.fault("value", "code", "a sector, or * for all")
    if system == ORGNR and value is not None and not re.fullmatch(r"\d{9}", value):
        identifier.fault("value", "value", "9 digits")
    if side is not None and value is not None:
        actors[side].append(value)


def _codes(provision: Reader, name: str, known: Mapping[words.Code, str]) -> list[str]:
    found: list[str] = []
    for item in provision.children(name):
        system, code, _ = open_coding(item)
        word = known.get((system, code))
        if word is None:
            item.fault("code", "code", "a code that the README lists, as wide as our own word")
        elif word not in found:
            found.append(word)
    return found


def _exceptions(provision: Reader | None, decision: str | None) -> list[Json]:
    found: list[Json] = []
    for child in provision.children("provision") if provision else []:
        child.ignore("id")
        opposite = words.OPPOSITE.get(decision or "")
        if child.text("type", required=True) != opposite:
            child.fault("type", "value", "the opposite of the rule it is an exception to")
        if child.has("provision"):
            child.fault("provision", "nested", "one level of exceptions")
            child.ignore("provision")
        scope = _scope(child, opposite)
        if scope.pop("avsendere", None):
            child.fault("actor", "code", "recipients only in an exception")
        first, last = _period(child, "period")
        exception = present(**scope, fra=first, til=last)
        if not exception:
            child.fault("", "missing", "what the exception is about")
        found.append(exception)
    return found
