"""Understands how a FHIR Consent (R4 or R5) that has ended becomes the withdrawal of what it permitted.

What is read here lifts no refusal: the record says `tillat`, and the hub ends nothing else by it. One that
says it denied is refused, so that nobody believes that it was lifted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from adapters.base import Findings
from adapters.fhir import NOT_CARRIED, Json, Reader, present
from adapters.fhir_bundle import MESSAGE_ID
from adapters.fhir_consent import vocabulary as words
from adapters.fhir_consent.resource import (
    WITHDRAWAL,
    Resolve,
    is_day,
    is_newer,
    moment,
    nowhere,
    read_identified,
    read_series,
)
from adapters.fhir_parts import ANSWERS, PERSONS, RECIPIENT, SENDER, read_organisation
from adapters.fhir_paths import below, item
from hub.message import Record

TYPE = "samtykke.trukket"
PERMITTED = words.DECISIONS["permit"]
"""What alone is withdrawn: `samtykke.beslutning`."""

_EXTENSIONS: Mapping[object, str] = {
    words.WITHDRAWN_AT: "tidspunkt",
    words.WITHDRAWN_SIGNED: "signert",
    RECIPIENT: "mottaker",
    SENDER: "avsender",
    ANSWERS: "svar_pa",
}

LEFT = (
    *("id", "language", "text", "contained", "category", "sourceAttachment", "sourceReference"),
    *("verification", "provision", "scope", "performer", "organization", "policy", "policyRule"),
    *("decision", "regulatoryBasis", "policyBasis", "policyText", "period"),
    *("grantor", "grantee", "manager", "controller"),
)
"""Of the consent that ended. What it decided is looked at, and nothing else in these; README.md says why."""

MODIFIERS = ("modifierExtension", "implicitRules")
"""What may change the meaning of all around it, wherever it stands."""

REFUSAL = (
    "a consent that permitted; a refusal is lifted with samtykke.trukket in JSON, which names the series"
)
ONCE = (
    "a moment with a time, meta.versionId, or an identifier in urn:brobygger:withdrawal: two withdrawals of"
    " one day could not be told apart"
)
UNDECIDED = (
    "permit; one that does not say so is withdrawn with samtykke.trukket in JSON, which names the series"
)


def read(document: Mapping[str, object], resolve: Resolve = nowhere) -> Record:
    """Read one withdrawal, or the notice of one, which answers something and names no series. Raises
    parse.invalid with every finding: what is not FHIR R4 or R5, a consent that did not plainly permit, and
    what is said of the withdrawal and is not understood. `resolve` finds what it refers to."""
    structure, meaning = Findings(), Findings()
    consent = Reader(document, "", meaning)
    newer = is_newer(document, consent, structure)
    consent.one_of("status", {status: status for status in words.ENDED})
    extensions = _extensions(consent)
    told = extensions.get("svar_pa") is not None
    # The id of a message that stands there, too, is that of the one which gave it.
    series, ids = read_series(consent, (WITHDRAWAL, MESSAGE_ID), needed=not told)
    patient = consent.child("subject" if newer else "patient", required=True)
    person = read_identified(patient, "Patient", PERSONS, resolve) if patient else None
    name = patient.text("display") if patient else None
    dated = "date" if newer else "dateTime"
    at = _moment(consent, dated)
    message = ids.get(WITHDRAWAL)
    if message is None:
        version = consent.peek("meta", "versionId")
        message = _made(series, person, version, at)
        if series is None:
            consent.fault("identifier", "missing", f"an identifier: {WITHDRAWAL}")
        elif version is None and is_day(consent.peek("meta", "lastUpdated") or consent.peek(dated)):
            consent.fault("meta.lastUpdated", "once", ONCE)
    _check_permitted(consent, newer=newer)
    for left in LEFT:
        for place in _modified(consent.take(left), left):
            meaning.add(place, "not-read", NOT_CARRIED)
    consent.finish()
    structure.extend(meaning)
    structure.finish()
    signed, withdrawn = extensions.pop("signert", None), extensions.pop("tidspunkt", None)
    fields = present(
        melding=present(id=message, sendt=at, **extensions),
        person=present(id=person[1] if person else None, navn=name),
        samtykke={"serie": series, "beslutning": PERMITTED} if series is not None else None,
        signert=signed,
        tidspunkt=withdrawn or at,
    )
    return Record(TYPE, fields)


def _made(series: str | None, person: tuple[str, str] | None, version: object, at: str | None) -> str:
    """The id of a withdrawal that has none: the same for the same state of the same resource, and another
    one when it is given and withdrawn again. A digest, as a series may be as long as an id, and as two
    persons may have the same."""
    try:
        when = datetime.fromisoformat(at or "").astimezone(UTC).isoformat()
    except (ValueError, OverflowError):  # told with the structure
        when = ""
    said = json.dumps([series, person, str(version), when]).encode()
    return f"trukket-{hashlib.sha256(said).hexdigest()[:40]}"


def _moment(consent: Reader, dated: str) -> str | None:
    """When it ended: when the resource was last changed, or else the day it bears."""
    meta, stated = consent.child("meta"), consent.text(dated)
    updated = None
    if meta is not None:
        meta.ignore("id", "profile", "versionId", "source", "tag", "security")
        updated = meta.text("lastUpdated")
    if updated is None and stated is None:
        consent.fault("meta.lastUpdated", "missing", "when the consent ended")
    return moment(updated or stated)


def _extensions(consent: Reader) -> Json:
    """What is said of the withdrawal. Every other extension is of the consent that ended."""
    found: Json = {}
    for extension in consent.children("extension"):
        url = extension.peek("url")
        name = _EXTENSIONS.get(url) if isinstance(url, str) else None
        if name is None:
            extension.ignore_all()
            continue
        extension.ignore("url")
        if name in found:
            extension.fault("url", "unique", "once")
            extension.ignore_all()
        elif name == "signert":
            found[name] = extension.boolean("valueBoolean")
            if found[name] is None:
                extension.fault("valueBoolean", "missing", "true or false")
        elif name == "tidspunkt":
            found[name] = moment(extension.text("valueDateTime", required=True))
        elif name == "svar_pa":
            found[name] = extension.text("valueString", required=True)
        else:
            found[name] = read_organisation(extension.child("valueIdentifier", required=True))
    return {name: value for name, value in found.items() if value is not None}


# ----------------------------------------------------------------------------- what it permitted


def _check_permitted(consent: Reader, *, newer: bool) -> None:
    """A consent that says it denied, or carries a rule and does not say what it is, is no permission. One
    that carries no rule at all may be either, and one that denies with exceptions is both: what it permitted
    ends, and what it refused stands."""
    said = [*_policies(consent, "regulatoryBasis" if newer else "policyRule"), *_rules(consent, newer=newer)]
    denies = [at for at, decision in said if decision == "deny"]
    permits = any(decision == "permit" for _, decision in said)
    if not _excepts(consent, newer=newer) or permits:
        for at in denies:
            consent.fault(at, "refusal", REFUSAL)
    unknown = [at for at, decision in said if decision not in ("permit", "deny", None)]
    if said and not denies and (unknown or not permits):
        consent.fault(unknown[0] if unknown else said[-1][0], "undecided", UNDECIDED)


def _excepts(consent: Reader, *, newer: bool) -> bool:
    """Whether its rule denies, and permits something by exception."""
    if newer:
        return consent.peek("decision") == "deny" and bool(consent.peek("provision"))
    inner = consent.peek("provision", "provision")
    permitting = [one for one in inner if isinstance(one, Mapping)] if isinstance(inner, list) else []
    denied = consent.peek("provision", "type") == "deny"
    return denied and any(one.get("type") == "permit" for one in permitting)


def _rules(consent: Reader, *, newer: bool) -> Iterator[tuple[str, object]]:
    """Where the rule says what it is, and what; None where it does not say."""
    if newer and (consent.has("decision") or consent.has("provision")):
        yield "decision", consent.peek("decision")
    elif consent.has("provision"):
        yield "provision.type", consent.peek("provision", "type")


def _policies(consent: Reader, name: str) -> Iterator[tuple[str, object]]:
    """What each policy decides, as far as it is known here; None for another one."""
    policies = consent.peek(name)
    places = {name: policies} if policies is not None else {}
    if isinstance(policies, list):
        places = {f"{name}[{index}]": policy for index, policy in enumerate(policies)}
    for at, policy in places.items():
        codings = policy.get("coding") if isinstance(policy, Mapping) else None
        found = codings if isinstance(codings, list) else []
        for number, coding in enumerate(found):
            yield f"{at}.coding[{number}].code", _decides(coding)
        if not found:
            yield at, None


def _decides(coding: object) -> str | None:
    system, code = (coding.get("system"), coding.get("code")) if isinstance(coding, Mapping) else (None, None)
    known = isinstance(system, str) and isinstance(code, str)
    return words.POLICY_RULES.get((system, code)) if known else None


def _modified(node: object, at: str) -> Iterator[str]:
    if isinstance(node, list):
        for index, one in enumerate(node):
            yield from _modified(one, item(at, index))
    elif isinstance(node, Mapping):
        for name, one in node.items():
            if name in MODIFIERS:
                yield below(at, name)
            else:
                yield from _modified(one, below(at, name))
