"""Understands which resources may occur in an epikrise."""

from __future__ import annotations

from fhir.resources.R4B.allergyintolerance import AllergyIntolerance
from fhir.resources.R4B.careplan import CarePlan
from fhir.resources.R4B.composition import Composition
from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.deviceusestatement import DeviceUseStatement
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.encounter import Encounter
from fhir.resources.R4B.familymemberhistory import FamilyMemberHistory
from fhir.resources.R4B.flag import Flag
from fhir.resources.R4B.immunization import Immunization
from fhir.resources.R4B.location import Location
from fhir.resources.R4B.medication import Medication
from fhir.resources.R4B.medicationadministration import MedicationAdministration
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.organization import Organization
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.practitioner import Practitioner
from fhir.resources.R4B.practitionerrole import PractitionerRole
from fhir.resources.R4B.procedure import Procedure
from fhir.resources.R4B.provenance import Provenance

from adapters.fhir_xml import Models

RESOURCES: Models = {
    model.__name__: model
    for model in (
        Composition,
        Patient,
        Organization,
        Practitioner,
        PractitionerRole,
        Location,
        Device,
        Encounter,
        Condition,
        MedicationStatement,
        Medication,
        MedicationRequest,
        MedicationAdministration,
        Procedure,
        Observation,
        DiagnosticReport,
        AllergyIntolerance,
        Immunization,
        FamilyMemberHistory,
        DeviceUseStatement,
        CarePlan,
        Flag,
        Provenance,
    )
}
