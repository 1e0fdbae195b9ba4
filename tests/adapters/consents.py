"""Understands how to make consents in FHIR that say everything the adapter reads, in R4 and in R5."""

from __future__ import annotations

import copy
import json
from typing import Any

from adapters.fhir_consent.adapter import ADAPTERS
from adapters.fhir_consent.reading import read
from adapters.fhir_consent.resource import nowhere
from adapters.fhir_withdrawal import reading
from hub.errors import HubError

ADAPTER = ADAPTERS[0]
V3 = "http://terminology.hl7.org/CodeSystem/v3-"
ACT_CODE, ACT_REASON, ROLE = f"{V3}ActCode", f"{V3}ActReason", f"{V3}ParticipationType"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
BASIS = "http://hl7.no/fhir/CodeSystem/no-basis-legal-formality-or-basis"
LOINC = "http://loinc.org"
OURS = "urn:brobygger:"
FNR, DNR, ORGNR = (f"urn:oid:2.16.578.1.12.4.1.4.{n}" for n in ("1", "2", "101"))
PERSON = "14839030186"


def code(system: str, word: str) -> dict[str, str]:
    return {"system": system, "code": word}


def concept(system: str, word: str) -> dict[str, Any]:
    return {"coding": [code(system, word)]}


def party(role: str, value: str) -> dict[str, Any]:
    system = ORGNR if value.isdigit() else f"{OURS}sector"
    return {
        "role": concept(ROLE, role),
        "reference": {"identifier": {"system": system, "value": value}},
    }


def _extension(name: str, kind: str, value: object) -> dict[str, object]:
    return {"url": OURS + name, f"value{kind}": value}


EXTENSIONS = [
    _extension("consent:signert", "Boolean", True),
    _extension("consent:forklart", "Boolean", True),
    _extension("consent:form", "Code", "skriftlig"),
    _extension("consent:sted", "Code", "helsetjeneste"),
    _extension("consent:tolk", "Code", "kvalifisert"),
    _extension("consent:sprak", "Code", "en"),
    _extension("consent:under-straff", "Boolean", False),
    _extension("consent:erstatter", "String", "s-0"),
    _extension("mottaker", "Identifier", {"system": ORGNR, "value": "310000043"}),
    _extension("avsender", "Identifier", {"system": ORGNR, "value": "310000078"}),
    _extension("svar-pa", "String", "m-0"),
]


def _period(first: str, last: str) -> dict[str, str]:
    return {"start": first, "end": last}


RULE = {
    "period": _period("2026-01-01", "2026-12-31"),
    "dataPeriod": _period("2025-01-01", "2025-12-31"),
    "actor": [party("IRCP", "tsb"), party("IRCP", "310000043"), party("CST", "prison")],
    "purpose": [code(f"{OURS}purpose", "treatment")],
    "securityLabel": [code(f"{OURS}category", "identity"), code(f"{OURS}category", "substance_use")],
}
EXCEPTION = {
    "type": "deny",
    "period": _period("2026-02-01", "2026-03-01"),
    "dataPeriod": _period("2025-02-01", "2025-03-01"),
    "actor": [party("IRCP", "310000043"), party("CST", "prison")],
    "purpose": [code(f"{OURS}purpose", "treatment")],
    "securityLabel": [code(f"{OURS}category", "substance_use")],
    "provision": [{"type": "permit", "purpose": [code(f"{OURS}purpose", "benefits")]}],
}
R4: dict[str, Any] = {
    "resourceType": "Consent",
    "meta": {"versionId": "3"},
    "extension": EXTENSIONS,
    "identifier": [
        {"system": f"{OURS}consent", "value": "s-1"},
        {"system": f"{OURS}message", "value": "m-1"},
    ],
    "status": "active",
    "scope": concept(SCOPE, "patient-privacy"),
    "category": [concept(LOINC, "59284-0")],
    "patient": {"identifier": {"system": FNR, "value": PERSON}, "display": "Ask Prøvestad"},
    "dateTime": "2026-01-01T10:00:00+01:00",
    "performer": [{"type": "Patient"}],
    "sourceAttachment": {"title": "tekst-2"},
    "policy": [{"uri": f"{OURS}policy:samtykke"}],
    "provision": {"type": "permit", **RULE, "provision": [EXCEPTION]},
}
"""As the hub itself writes it."""

SCOPES: dict[str, Any] = {
    "avsendere": ["prison"],
    "mottakere": ["tsb", "310000043"],
    "formal": ["treatment"],
    "kategorier": ["identity", "substance_use"],
}
RECORD: dict[str, Any] = {
    "melding": {
        "id": "m-1", "sendt": "2026-01-01T10:00:00+01:00", "mottaker": "310000043",
        "avsender": "310000078", "svar_pa": "m-0",
    },
    "person": {"id": PERSON, "navn": "Ask Prøvestad"},
    "samtykke": {
        "serie": "s-1", "versjon": 3, "beslutning": "tillat", "gyldig_fra": "2026-01-01",
        "gyldig_til": "2026-12-31", "data_fra": "2025-01-01", "data_til": "2025-12-31", "signert": True,
        "forklart": True, "form": "skriftlig", "tekstversjon": "tekst-2", "gitt_av": "pasient",
        "slag": "deling", "sted": "helsetjeneste", "tolk": "kvalifisert", "sprak": "en",
        "under_straff": False, "erstatter": "s-0",
    },
    **SCOPES,
    "unntak": [
        {
            "avsendere": ["prison"], "mottakere": ["310000043"], "formal": ["treatment"],
            "kategorier": ["substance_use"], "fra": "2026-02-01", "til": "2026-03-01",
            "data_fra": "2025-02-01", "data_til": "2025-03-01", "unntak": [{"formal": ["benefits"]}],
        }
    ],
}  # one row per case # fmt: skip


def r4() -> dict[str, Any]:
    return copy.deepcopy(R4)


def refusal() -> dict[str, Any]:
    """R4, and no exception in it: what is said may be read wider."""
    made = r4()
    made["provision"] = {"type": "deny", **copy.deepcopy(RULE)}
    return made


def r5() -> dict[str, Any]:
    """The same in R5: refused but for what the R4 rule permits."""
    old = r4()
    rule = old.pop("provision")
    for name in ("scope", "policy"):
        del old[name]
    for name, new in (("patient", "subject"), ("dateTime", "date"), ("performer", "grantor")):
        old[new] = old.pop(name)
    old["sourceAttachment"] = [old["sourceAttachment"]]
    old["date"] = "2026-01-01"
    inner = copy.deepcopy({k: v for k, v in EXCEPTION.items() if k not in ("type", "provision")})
    rule = {name: value for name, value in rule.items() if name not in ("type", "period")}
    return {
        **old,
        "decision": "deny",
        "period": _period("2026-01-01", "2026-12-31"),
        "provision": [{**rule, "period": _period("2026-01-01", "2026-06-30"), "provision": [inner]}],
    }


ID_PARTS = {
    "use": "official", "type": {"text": "x"}, "assigner": {"display": "x"}, "period": {"start": "2020-01-01"},
}  # one row per case # fmt: skip


def dress(document: dict[str, Any]) -> dict[str, Any]:
    """Everything beside it that says nothing of what is permitted."""
    document["id"] = "c-1"
    document["language"] = "nb"
    document["text"] = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    document["meta"] |= {
        "profile": ["urn:x"], "lastUpdated": "2026-01-01T10:00:00+01:00", "source": "urn:x",
        "tag": [code("urn:x", "y")],
        "security": [{**code(f"{V3}Confidentiality", "N"), "display": "normal", "version": "1"}],
    }  # one row per case # fmt: skip
    for identifier in document["identifier"]:
        identifier |= ID_PARTS
    who = document.get("patient") or document["subject"]
    who["identifier"] |= ID_PARTS
    who |= {"reference": "Patient/1", "type": "Patient"}
    for giver in document.get("performer") or document["grantor"]:
        giver |= {"reference": "Patient/1", "display": "x", "identifier": {**ID_PARTS, **who["identifier"]}}
    attached = document["sourceAttachment"]
    for attachment in attached if isinstance(attached, list) else [attached]:
        attachment |= {
            "contentType": "text/plain", "language": "nb", "creation": "2026-01-01", "size": 1,
            "hash": "eA==",
        }  # one row per case # fmt: skip
    kind = document["category"][0]
    kind["coding"][0] |= {"version": "1", "userSelected": True, "display": "Samtykke"}
    kind["text"] = "Samtykke"
    for rule in _rules(document.get("provision")):
        rule["id"] = "p-1"
        for actor in rule.get("actor", ()):
            actor["reference"] |= {"display": "x", "type": "Organization"}
            if actor["reference"]["identifier"]["system"] == ORGNR:
                actor["reference"]["reference"] = "Organization/1"
            actor["reference"]["identifier"] |= ID_PARTS
    if "patient" in document:
        document["organization"] = [{"reference": "Organization/1"}]
        document["policy"][0]["authority"] = "https://x.example"
    else:
        document["manager"] = document["controller"] = [{"reference": "Organization/1"}]
    return document


def _rules(around: Any) -> list[dict[str, Any]]:
    here = around if isinstance(around, list) else [around] if around else []
    return here + [rule for one in here for rule in _rules(one.get("provision"))]


def parse(document: Any) -> Any:
    return ADAPTER.parse(json.dumps(document).encode()).fields


def told(document: Any, resolve: Any = nowhere) -> set[tuple[str, str, str]]:
    """The code of the refusal with every place and rule; empty when it is read."""
    try:
        read(document, resolve)
    except HubError as refused:
        return {(refused.code, finding.at, finding.rule) for finding in refused.findings}
    return set()


ENDED_AT = "2026-11-12T09:55:00+01:00"


def ended_r4() -> dict[str, Any]:
    """R4, ended by whoever changes nothing but the status and the version."""
    meta = {"versionId": "4", "lastUpdated": ENDED_AT}
    return {**r4(), "meta": meta, "status": "inactive"}


def ended_r5() -> dict[str, Any]:
    """The same in R5, and permitted in one word."""
    meta = {"versionId": "4", "lastUpdated": ENDED_AT}
    return {**r5(), "meta": meta, "status": "inactive", "decision": "permit"}


def told_of_ended(document: Any) -> set[tuple[str, str]]:
    """Every place and rule of a consent that has ended; empty when it is read."""
    try:
        reading.read(document)
    except HubError as refused:
        return {(finding.at, finding.rule) for finding in refused.findings}
    return set()
