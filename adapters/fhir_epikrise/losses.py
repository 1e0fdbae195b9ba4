"""Understands what an epikrise from others may hold that the record has no field for, and why it may be
left behind. What is in no table here is refused with its path.

The tables are data: `reading.py` follows them, README.md lists them, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.fhir_extensions import NOT_PART

WHO_ELSE = "who else had to do with it; the unit and the clinician who wrote the document are carried"
FILING = "how the sender files it, issued anew on the way out"
MADE_BY = "how the document was made; what was made is read"

LEFT: Mapping[str, Mapping[str, str]] = {
    "Composition": {
        "title": "the title is always Epikrise",
        "attester": WHO_ELSE,
        "custodian": WHO_ELSE,
    },
    "Patient": dict.fromkeys(
        (
            "active", "gender", "birthDate", "address", "telecom", "maritalStatus", "multipleBirthBoolean",
            "multipleBirthInteger", "contact", "communication", "generalPractitioner", "managingOrganization",
        ),
        NOT_PART,
    ),
    "Organization": dict.fromkeys(
        ("active", "type", "alias", "telecom", "address", "partOf", "contact"), WHO_ELSE
    ),
    "Practitioner": dict.fromkeys(
        (
            "active", "telecom", "address", "gender", "birthDate", "qualification", "communication",
        ),
        WHO_ELSE,
    ),
    "PractitionerRole": dict.fromkeys(
        ("identifier", "active", "period", "code", "specialty", "location", "telecom"), WHO_ELSE
    ),
    "Encounter": {
        "identifier": FILING,
        "status": "a summary of it says that it is over",
        "class": FILING,
        "participant": WHO_ELSE,
        "serviceProvider": WHO_ELSE,
        "location": WHO_ELSE,
    },
    "Condition": {
        "identifier": FILING,
        "category": "the section says which it is",
        "recorder": WHO_ELSE,
        "asserter": WHO_ELSE,
        "encounter": FILING,
    },
    "MedicationStatement": {
        "identifier": FILING,
        "category": "the section says which it is",
        "informationSource": WHO_ELSE,
        "context": FILING,
    },
    "Provenance": {
        "target": MADE_BY,
        "recorded": MADE_BY,
        "occurredPeriod": MADE_BY,
        "occurredDateTime": MADE_BY,
        "activity": "that it was made, changed or signed; another act is refused (`ACTS`)",
        "location": WHO_ELSE,
        "agent": WHO_ELSE,
    },
}  # one row per entry # fmt: skip
"""By resource and element: read by nobody."""

_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_COMPLETION = "http://terminology.hl7.org/CodeSystem/v3-DocumentCompletion"
ACTS = frozenset(
    {(_OPERATION, "CREATE"), (_OPERATION, "UPDATE")} | {(_COMPLETION, code) for code in ("AU", "DO", "LA")}
)
"""What a Provenance may say was done. That something was deleted or nullified would turn it round."""

SHELL: Mapping[str, str] = {"link": FILING}
"""Elements of the Bundle itself that are read by nobody."""

BEYOND: Mapping[str, tuple[str, ...]] = {
    "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate", "severity", "bodySite"),
    "MedicationStatement": ("effectiveDateTime", "dateAsserted", "reasonCode"),
}
"""Elements of what has fields of its own that say more than the fields: the text of the section is kept,
codes, words and measures become those of the section."""

NARRATED = (
    "AllergyIntolerance",
    "CarePlan",
    "Condition",
    "Device",
    "DeviceUseStatement",
    "DiagnosticReport",
    "Encounter",
    "FamilyMemberHistory",
    "Flag",
    "Immunization",
    "Medication",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
)
"""What has no fields of its own. Its codes become the codes of the section, its words are added to the text
where they are not in it; so are numbers, moments and truths (`measures.py`) that no person's text tells."""

ADMINISTRATIVE = ("Patient", "Practitioner", "PractitionerRole", "Organization", "Location")
"""What may be referred to from what is narrated, and is then left behind: `WHO_ELSE`."""

DEVICES = frozenset({"Device", "DeviceMetric"})
"""What something was done or measured with: carried, but where it stands for who did it."""

WHO = frozenset({*ADMINISTRATIVE, *DEVICES, "CareTeam", "Group", "HealthcareService", "RelatedPerson"})
"""What a reference to who else had to do with it may name, and is then left behind: `WHO_ELSE`."""

ANOTHER = frozenset({("focus", "Group"), ("focus", "Patient"), ("focus", "RelatedPerson")})
"""References by whose type a finding may be that of another person: refused."""

FILED = (
    "account", "appointment", "basedOn", "context", "encounter", "episodeOfCare", "eventHistory", "insurance",
    "partOf", "priorPrescription", "replaces", "request",
)  # few lines # fmt: skip
"""References that may say no more than a number: `FILING`. Any other one has its words, or is refused."""

FIRST = frozenset(
    {
        "code",
        "medicationCodeableConcept",
        "medicationReference",
        "relationship",
        "title",
        "vaccineCode",
    }
)
"""Elements that tell what the rest of their resource is about, wherever they stand in it."""

FIRST_OF = frozenset(
    {
        ("Annotation", "text"),
        ("Device", "type"),
        ("DeviceUseStatement", "device"),
        ("ObservationReferenceRange", "text"),
    }
)
"""By type and element: those that do so there alone."""

MAIN = frozenset(
    {
        "addresses", "complicationDetail", "condition", "detail", "device", "focus", "itemReference",
        "manipulated", "medicationReference", "productReference", "reasonReference", "usedReference",
    }
)  # few lines # fmt: skip
"""References to what a line would not be understood without: it says what they lead to."""

RELATIVE = "FamilyMemberHistory"
"""What is about one of the family. Its codes are words, so that none is taken for the person's."""

OF_WHOM = frozenset({"relationship", "sex"})
"""Elements that tell which of the family; their codes say no more than their words."""

UNSAID: Mapping[str, frozenset[str]] = {
    "status": frozenset(
        (
            "entered-in-error", "not-done", "not-taken", "cancelled", "draft", "unknown", "stopped",
            "revoked",            "inactive", "on-hold", "preparation", "ended", "intended", "suspended",
        )
    ),
    "verificationStatus": frozenset({"refuted", "entered-in-error"}),
    "doNotPerform": frozenset({"True"}),
    "intent": frozenset({"proposal", "option"}),
}  # one row per element # fmt: skip
"""What would read as its opposite, if only its words were carried: refused wherever it stands."""

STANDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("CarePlan", "status"): frozenset({"active"}),
    ("Device", "status"): frozenset({"active", "inactive"}),
    ("DeviceUseStatement", "status"): frozenset({"active"}),
    ("Encounter", "status"): frozenset({"arrived", "triaged", "in-progress", "onleave", "finished"}),
    ("DiagnosticReport", "status"): frozenset({"final", "amended", "corrected", "appended"}),
    ("FamilyMemberHistory", "status"): frozenset({"completed", "partial"}),
    ("Flag", "status"): frozenset({"active"}),
    ("Immunization", "status"): frozenset({"completed"}),
    ("Medication", "status"): frozenset({"active"}),
    ("MedicationAdministration", "status"): frozenset({"completed", "in-progress"}),
    ("MedicationRequest", "status"): frozenset({"active"}),
    ("MedicationRequest", "intent"): frozenset(
        ("order", "original-order", "reflex-order", "filler-order", "instance-order")
    ),
    ("MedicationStatement", "status"): frozenset({"active"}),
    ("Observation", "status"): frozenset({"final", "amended", "corrected"}),
    ("Procedure", "status"): frozenset({"completed", "in-progress"}),
}
"""By resource and element: the codes with which its words stand alone. With another one it is refused."""

CODES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("AllergyIntolerance", "type"): {"allergy": "allergi", "intolerance": "intoleranse"},
    ("AllergyIntolerance", "criticality"): {
        "low": "kritisk: lav",
        "high": "kritisk: høy",
        "unable-to-assess": "kritisk: kan ikke vurderes",
    },
    ("AllergyIntoleranceReaction", "severity"): {
        "mild": "mild",
        "moderate": "moderat",
        "severe": "alvorlig",
    },
    ("CarePlanActivityDetail", "status"): {
        "not-started": "ikke startet",
        "scheduled": "avtalt",
        "in-progress": "pågår",
        "completed": "gjennomført",
    },
    ("Device", "status"): {"active": "", "inactive": "ikke i bruk"},
    ("FamilyMemberHistory", "status"): {"completed": "", "partial": "ikke fullstendig"},
    ("MedicationAdministration", "status"): {"completed": "", "in-progress": "pågår"},
    ("MedicationRequest", "priority"): {
        "routine": "",
        "urgent": "haster",
        "asap": "så snart som mulig",
        "stat": "øyeblikkelig",
    },
    ("Procedure", "status"): {"completed": "", "in-progress": "pågår"},
}
"""Codes that FHIR itself fixes and that a reader must know, in words; of an ordinary one nothing is said."""

LEFT_CODES: Mapping[tuple[str, str], str] = {
    ("CarePlan", "intent"): "a plan and an order of it say the same; another one is refused",
    ("CarePlanActivityDetail", "kind"): FILING,
    ("DeviceDeviceName", "type"): "which of its names it is; the name is carried",
    ("DeviceUdiCarrier", "entryType"): FILING,
    ("EncounterLocation", "status"): WHO_ELSE,
}
"""Codes that FHIR itself fixes and that say nothing more of the person. So do those in `STANDS`."""

COUNTED = frozenset(
    {
        ("EncounterDiagnosis", "rank"),
        ("ImmunizationProtocolApplied", "doseNumberPositiveInt"),
        ("ImmunizationProtocolApplied", "seriesDosesPositiveInt"),
    }
)
"""Numbers without a unit that are said in the line, as no text tells them."""

ORDINARY: Mapping[str, frozenset[str]] = {
    "clinicalStatus": frozenset({"active"}),
    "verificationStatus": frozenset({"confirmed"}),
}
"""The codes that say no more than the words; another one is said (`SAYS`), or told by a text that a person
wrote."""

SAYS: Mapping[str, str] = {
    "inactive": "ikke aktiv",
    "resolved": "avsluttet",
    "remission": "i remisjon",
    "recurrence": "tilbakefall",
    "relapse": "tilbakefall",
    "unconfirmed": "ikke bekreftet",
    "provisional": "foreløpig",
    "differential": "differensialdiagnose",
}
"""The words of the statuses of a diagnosis or an allergy, said in its own line."""

FREE = frozenset({"Id", "Code", "Uri", "Url", "Canonical", "Oid", "Uuid", "Xhtml", "Base64Binary"})
"""Types of one value that say nothing to a reader of the text; the codes among them are those of `STANDS`,
`SILENT` and `LEFT_CODES`."""

GRADED = frozenset({"interpretation", "referenceRange"})
"""Elements that grade a measure: like that, in a text that a person wrote or else in the line."""

SILENT: Mapping[str, str] = {
    "id": FILING,
    "language": FILING,
    "category": "the section says which it is",
    "class": FILING,
    "issued": FILING,
    "statusHistory": FILING,
    "classHistory": FILING,
}
"""Elements of what is narrated, and of the types in it, that say nothing of their own."""

TYPES: Mapping[str, str] = {
    "ContactPoint": WHO_ELSE,
    "Identifier": FILING,
    "Meta": FILING,
    "Narrative": "generated from the rest; another one is refused",
}
"""Types that are left behind wherever they stand in what is narrated."""
