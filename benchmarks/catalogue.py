"""Ordinary drugs, diagnoses and laboratory tests that the invented calls are made of."""

from __future__ import annotations

from typing import NamedTuple


class Drug(NamedTuple):
    """A product of RxNorm and how it is commonly taken."""

    code: str
    text: str
    dose: float
    unit: str
    sig: str


class Diagnosis(NamedTuple):
    """A diagnosis in ICD-10-CM."""

    icd10: str
    text: str


class Lab(NamedTuple):
    """A test of LOINC with an adult's reference range; values are rounded to ``digits``."""

    code: str
    text: str
    display: str
    unit: str
    low: float
    high: float
    digits: int


DRUGS = (
    Drug("314076", "lisinopril 10 MG Oral Tablet", 10, "mg", "Take 1 tablet by mouth daily"),
    Drug("861007", "metformin hydrochloride 500 MG Oral Tablet", 500, "mg", "Take 1 tablet by mouth daily with food"),
    Drug("617310", "atorvastatin 20 MG Oral Tablet", 20, "mg", "Take 1 tablet by mouth at bedtime"),
    Drug("197361", "amlodipine 5 MG Oral Tablet", 5, "mg", "Take 1 tablet by mouth daily"),
    Drug("198051", "omeprazole 20 MG Delayed Release Oral Capsule", 20, "mg", "Take 1 capsule before breakfast"),
    Drug("310798", "hydrochlorothiazide 25 MG Oral Tablet", 25, "mg", "Take 1 tablet by mouth every morning"),
    Drug("197805", "ibuprofen 400 MG Oral Tablet", 400, "mg", "Take 1 tablet by mouth daily as directed"),
    Drug("313782", "acetaminophen 325 MG Oral Tablet", 325, "mg", "Take 1 tablet by mouth daily as directed"),
    Drug("312961", "simvastatin 20 MG Oral Tablet", 20, "mg", "Take 1 tablet by mouth at bedtime"),
    Drug("1014678", "cetirizine hydrochloride 10 MG Oral Tablet", 10, "mg", "Take 1 tablet by mouth daily"),
)

DIAGNOSES = (
    Diagnosis("I10", "Essential (primary) hypertension"),
    Diagnosis("E11.9", "Type 2 diabetes mellitus without complications"),
    Diagnosis("E78.5", "Hyperlipidemia, unspecified"),
    Diagnosis("J45.909", "Unspecified asthma, uncomplicated"),
    Diagnosis("K21.9", "Gastro-esophageal reflux disease without esophagitis"),
    Diagnosis("M54.50", "Low back pain, unspecified"),
    Diagnosis("G43.909", "Migraine, unspecified, not intractable"),
    Diagnosis("J30.9", "Allergic rhinitis, unspecified"),
    Diagnosis("N39.0", "Urinary tract infection, site not specified"),
    Diagnosis("D50.9", "Iron deficiency anemia, unspecified"),
)

LABS = (
    Lab("17861-6", "Calcium", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", 8.6, 10.2, 1),
    Lab("2823-3", "Potassium", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3.5, 5.1, 1),
    Lab("1751-7", "Albumin", "Albumin [Mass/volume] in Serum or Plasma", "g/dL", 3.5, 5.0, 1),
    Lab("2951-2", "Sodium", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 136, 145, 0),
    Lab("19123-9", "Magnesium", "Magnesium [Mass/volume] in Serum or Plasma", "mg/dL", 1.7, 2.4, 1),
    Lab("718-7", "Hemoglobin", "Hemoglobin [Mass/volume] in Blood", "g/dL", 13.5, 17.5, 1),
    Lab("33914-3", "eGFR", "Glomerular filtration rate predicted", "mL/min/{1.73_m2}", 90, 120, 0),
    Lab("6690-2", "Leukocytes", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 4.5, 11.0, 1),
)
