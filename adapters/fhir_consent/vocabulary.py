"""Understands which FHIR codes mean which of our words in a consent; what is not here is not evaluable."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.fhir_parts import ORGNR
from hub.message import ANY, Category, Purpose, Sector

CONSENT = "urn:brobygger:consent"
SECTOR = "urn:brobygger:sector"
PURPOSE = "urn:brobygger:purpose"
CATEGORY = "urn:brobygger:category"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
PROGRAMME = "urn:brobygger:consent-scope"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
LOINC = "http://loinc.org"
POLICY = "urn:brobygger:policy:samtykke"

Code = tuple[str | None, str | None]

KINDS: Mapping[Code, str] = {(SCOPE, "patient-privacy"): "deling", (PROGRAMME, "program"): "program"}
CONSENT_CATEGORY: Code = (LOINC, "59284-0")
DECISIONS = {"permit": "tillat", "deny": "nekt"}
OPPOSITE = {"permit": "deny", "deny": "permit"}
FORMS = {"skriftlig": "skriftlig", "elektronisk": "elektronisk", "muntlig": "muntlig"}
GRANTORS = {"Patient": "pasient", "RelatedPerson": "verge"}
ROLES: Mapping[Code, str] = {(PARTICIPATION, "IRCP"): "mottakere", (PARTICIPATION, "CST"): "avsendere"}
"""Information recipient, custodian."""

PURPOSES: Mapping[Code, str] = {
    **{(PURPOSE, purpose.value): purpose.value for purpose in Purpose},
    (ACT_REASON, "TREAT"): Purpose.TREATMENT.value,
}
_UNSAYABLE = {Category.UNKNOWN, Category.PROTECTED_ADDRESS}
CATEGORIES: Mapping[Code, str] = {
    **{(CATEGORY, item.value): item.value for item in Category if item not in _UNSAYABLE},
    (ACT_CODE, "ETH"): Category.SUBSTANCE_USE.value,
    (ACT_CODE, "SUD"): Category.SUBSTANCE_USE.value,
    (ACT_CODE, "MH"): Category.MENTAL_HEALTH.value,
}
NARROWER: Mapping[Code, str] = {
    (ACT_CODE, "ETHUD"): Category.SUBSTANCE_USE.value,
    (ACT_CODE, "OPIOIDUD"): Category.SUBSTANCE_USE.value,
    (ACT_CODE, "PSY"): Category.MENTAL_HEALTH.value,
    (ACT_CODE, "PSYTHPN"): Category.MENTAL_HEALTH.value,
}
"""Parts of a category: a refusal of the part refuses the whole, a permission of it cannot be told."""

PARTIES: Mapping[str, frozenset[str]] = {
    SECTOR: frozenset({ANY, *(sector.value for sector in Sector)}),
    ORGNR: frozenset(),
}
"""The systems an actor is identified in, with the values of those that have a list."""

SIGNED = f"{CONSENT}:signert"
EXPLAINED = f"{CONSENT}:forklart"
FORM = f"{CONSENT}:form"
REPLACES = f"{CONSENT}:erstatter"
