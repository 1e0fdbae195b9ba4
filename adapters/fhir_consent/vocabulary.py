"""Understands which FHIR codes mean which of our words in a consent; what is not here is not evaluable."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.fhir_parts import ANSWERS, ORGNR, RECIPIENT, SENDER
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


NORWEGIAN_BASIS = "http://hl7.no/fhir/CodeSystem/no-basis-legal-formality-or-basis"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"

Code = tuple[str | None, str | None]

KINDS: Mapping[Code, str] = {(SCOPE, "patient-privacy"): "deling", (PROGRAMME, "program"): "program"}
CONSENT_CATEGORIES: Mapping[Code, str] = {
    (LOINC, "59284-0"): "deling",  # patient consent
    (LOINC, "64292-6"): "deling",  # release of information consent
    (ACT_CODE, "IDSCL"): "deling",  # information disclosure
}
CONSENT_CATEGORY: Code = (LOINC, "59284-0")
"""What we write."""

DECISIONS = {"permit": "tillat", "deny": "nekt"}
OPPOSITE = {"permit": "deny", "deny": "permit"}
FORMS = {"skriftlig": "skriftlig", "elektronisk": "elektronisk", "muntlig": "muntlig"}
GRANTORS = {"Patient": "pasient", "RelatedPerson": "verge"}
ROLES: Mapping[Code, str] = {
    (PARTICIPATION, "IRCP"): "mottakere",  # information recipient
    (PARTICIPATION, "CST"): "avsendere",  # custodian
    (PARTICIPATION, "PRCP"): "mottakere",  # primary information recipient
}
WRITTEN_ROLES: Mapping[str, Code] = {
    "mottakere": (PARTICIPATION, "IRCP"),
    "avsendere": (PARTICIPATION, "CST"),
}

ENDED = ("inactive", "entered-in-error")
"""The statuses of a consent that was given and holds no more: fhir-withdrawal reads those."""
STATUSES = {
    "draft": "active: a draft has not been given yet",
    "proposed": "active: a proposal has not been given yet",
    "rejected": "active: the person did not give it; a refusal is an active consent that denies",
    "inactive": "active: one that permitted and has ended is read by fhir-withdrawal",
    "not-done": "active: it was never asked for",
    "entered-in-error": "active: one that permitted by mistake is read by fhir-withdrawal",
    "unknown": "active: nobody knows whether it holds",
}
"""What every other status means; only an active consent is recorded."""

POLICY_RULES: Mapping[Code, str] = {
    (NORWEGIAN_BASIS, "PBRL5-3"): "deny",  # pasient- og brukerrettighetsloven § 5-3, a block
    (ACT_CODE, "OPTIN"): "permit",
    (ACT_CODE, "OPTOUT"): "deny",
}
"""Policies that say nothing but the decision; one that says the opposite of it is not evaluable."""
BLOCK: Code = (NORWEGIAN_BASIS, "PBRL5-3")
"""Alone enough to say that the rule denies."""

PURPOSES: Mapping[Code, str] = {
    **{(PURPOSE, purpose.value): purpose.value for purpose in Purpose},
    (ACT_REASON, "TREAT"): Purpose.TREATMENT.value,
    (ACT_REASON, "COC"): Purpose.CARE_COORDINATION.value,
}
NARROWER_PURPOSES: Mapping[Code, str] = {
    (ACT_REASON, "ETREAT"): Purpose.TREATMENT.value,
    (ACT_REASON, "BTG"): Purpose.TREATMENT.value,
    (ACT_REASON, "CLINTRCH"): Purpose.TREATMENT.value,
    (ACT_REASON, "CAREMGT"): Purpose.CARE_COORDINATION.value,
    (ACT_REASON, "ELIGDTRM"): Purpose.BENEFITS.value,
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
    (ACT_CODE, "HIV"): Category.SOMATIC_HEALTH.value,
    (ACT_CODE, "STD"): Category.SOMATIC_HEALTH.value,
    (ACT_CODE, "SICKLE"): Category.SOMATIC_HEALTH.value,
    (ACT_CODE, "PREGNANT"): Category.SOMATIC_HEALTH.value,
}
"""Parts of a category: a refusal of the part refuses the whole, a permission of it cannot be told."""

SHARING_ACTIONS = frozenset({"access", "collect", "use", "disclose"})
"""What sharing is made of. A permission names nothing else, and one of the first two below; a refusal of
any of them refuses sharing."""
HANDING_OVER = frozenset({"access", "disclose"})

NO_LIMIT = {
    "class": "no limit by kind of resource: name the categories in securityLabel",
    "documentType": "no limit by kind of document: name the categories in securityLabel",
    "resourceType": "no limit by kind of resource: name the categories in securityLabel",
    "code": "no limit by single codes: name the categories in securityLabel",
    "data": "no limit to single data: name the categories in securityLabel, or a dataPeriod",
    "expression": "no limit by a formula",
}
"""Elements of a provision that narrow it in ways the record cannot say."""

PARTIES: Mapping[str, frozenset[str]] = {
    SECTOR: frozenset({ANY, *(sector.value for sector in Sector)}),
    ORGNR: frozenset(),
}
"""The systems an actor is identified in, with the values of those that have a list."""

SIGNED = f"{CONSENT}:signert"
EXPLAINED = f"{CONSENT}:forklart"
FORM = f"{CONSENT}:form"
REPLACES = f"{CONSENT}:erstatter"
SETTING = f"{CONSENT}:sted"
INTERPRETER = f"{CONSENT}:tolk"
LANGUAGE = f"{CONSENT}:sprak"
UNDER_SENTENCE = f"{CONSENT}:under-straff"
WIDENED = f"{CONSENT}:utvidet"
WITHDRAWN_AT = f"{CONSENT}:trukket"
WITHDRAWN_SIGNED = f"{CONSENT}:trukket-signert"
OF_WITHDRAWAL = (WITHDRAWN_AT, WITHDRAWN_SIGNED)
ENDED_SAYS = (
    "inactive or entered-in-error: the document says that it is withdrawn, and fhir-withdrawal reads that"
)
PERSONNEL = frozenset({"Practitioner", "PractitionerRole"})
HPR = "urn:oid:2.16.578.1.12.4.1.4.4"
"""Number in the register of health personnel (HPR)."""
SETTINGS = {
    name: name for name in ("helsetjeneste", "fengsel", "program", "etatskontor", "digitalt", "annet")
}
INTERPRETERS = {name: name for name in ("ingen", "kvalifisert", "annen")}

EXTRA: Mapping[str, str] = {
    SETTING: "sted",
    INTERPRETER: "tolk",
    LANGUAGE: "sprak",
    UNDER_SENTENCE: "under_straff",
    WIDENED: "utvidet",
}
"""What FHIR has no element for and the record keeps under `samtykke`."""

EXTENSIONS: Mapping[str, str] = {
    SIGNED: "signert",
    EXPLAINED: "forklart",
    FORM: "form",
    REPLACES: "erstatter",
    **EXTRA,
    RECIPIENT: "mottaker",
    SENDER: "avsender",
    ANSWERS: "svar_pa",
}
"""Every extension that is read, with the name it has here. Another one is refused."""
