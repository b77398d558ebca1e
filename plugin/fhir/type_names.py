"""What is read of each resource type; of the other types of R4 nothing but the owner."""

from __future__ import annotations

OTHERS = """
Account ActivityDefinition Appointment AppointmentResponse AuditEvent Basic Binary
BiologicallyDerivedProduct BodyStructure CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
CompartmentDefinition Composition ConceptMap Consent Contract Coverage CoverageEligibilityRequest
CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement
DocumentManifest DocumentReference EffectEvidenceSynthesis Endpoint EnrollmentRequest
EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit Flag
Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization ImmunizationEvaluation
ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure
MeasureReport Media MedicationKnowledge MedicinalProduct MessageDefinition MessageHeader MolecularSequence
NamingSystem NutritionOrder ObservationDefinition OperationDefinition Organization OrganizationAffiliation Parameters
PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Provenance
Questionnaire RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition
ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter Slot
SpecimenDefinition StructureDefinition StructureMap Subscription Substance SubstanceSpecification
SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
VisionPrescription
""".split()  # noqa: SIM905

OWNER = "id subject patient"
_MEDICATION = (
    "id contained status intent medicationCodeableConcept medicationReference medication subject encounter "
    "effectiveDateTime effectivePeriod occurenceDateTime occurencePeriod dateAsserted authoredOn adherence "
    "whenPrepared whenHandedOver daysSupply dosage dosageInstruction dispenseRequest doNotPerform"
)
# What is read of each resource type, in the usual order on the wire, which is what makes decoding fast.
ELEMENTS: dict[str, str] = {
    "Bundle": "id type total link entry",
    "OperationOutcome": "id issue",
    "Patient": "id identifier name gender birthDate deceasedBoolean deceasedDateTime link",
    "Observation": (
        "id contained modifierExtension status code subject effectiveDateTime effectivePeriod effectiveInstant issued "
        "valueQuantity valueCodeableConcept valueString valueBoolean dataAbsentReason interpretation specimen "
        "referenceRange derivedFrom component"
    ),
    "Condition": (
        "id meta clinicalStatus verificationStatus code bodySite subject encounter onsetDateTime onsetAge "
        "onsetPeriod recordedDate note"
    ),
    "DiagnosticReport": (
        "id status code subject encounter effectiveDateTime effectivePeriod issued conclusion conclusionCode"
    ),
    "AllergyIntolerance": (
        "id clinicalStatus verificationStatus code patient onsetDateTime recordedDate lastOccurrence reaction"
    ),
    "AdverseEvent": (
        "id contained actuality status event code subject date detected recordedDate occurrenceDateTime suspectEntity"
    ),
    "FamilyMemberHistory": "id status patient condition",
    "QuestionnaireResponse": "id modifierExtension status subject authored item",
    "Encounter": "id status class type serviceType subject period location",
    "Medication": "id code status ingredient",
    "Specimen": "id type subject",
    "MedicationRequest": (
        "id contained identifier instantiatesCanonical instantiatesUri status intent medicationCodeableConcept "
        "medicationReference medication subject encounter authoredOn reasonCode reasonReference reason note "
        "dosageInstruction dispenseRequest doNotPerform"
    ),
    "ServiceRequest": (
        "id status intent category doNotPerform code subject encounter occurrenceDateTime authoredOn performerType "
        "performer"
    ),
    "Procedure": "id status category code subject performedDateTime performedPeriod occurrenceDateTime",
    "MedicationStatement": _MEDICATION,
    "MedicationUsage": _MEDICATION,
    "MedicationAdministration": _MEDICATION,
    "MedicationDispense": _MEDICATION,
}
