"""Codes of the results and conditions in the sample records."""

from __future__ import annotations

from plugin.samples.fhir_parts import Json, concept
from valuesets.systems import ICD10CM, LOINC, SNOMED

CALCIUM = concept(LOINC, "2000-8", "Calcium [Moles/volume] in Serum or Plasma")
CALCIUM_CORRECTED = concept(LOINC, "29265-6", "Calcium corrected for albumin [Moles/volume] in Serum or Plasma")
CALCIUM_IONISED = concept(LOINC, "1994-3", "Calcium.ionized [Moles/volume] in Blood")
PARATHYRIN = concept(LOINC, "14866-8", "Parathyrin.intact [Moles/volume] in Serum or Plasma")
EGFR = concept(LOINC, "98979-8", "Glomerular filtration rate/1.73 sq M.predicted (CKD-EPI 2021)")
MAGNESIUM = concept(LOINC, "2601-3", "Magnesium [Moles/volume] in Serum or Plasma")
DYSTONIA = concept(SNOMED, "15802004", "Dystonia (disorder)")
SCHIZOPHRENIA = concept(ICD10CM, "F20.9", "Schizophrenia, unspecified")
PARKINSON = concept(ICD10CM, "G20.A1", "Parkinson's disease without dyskinesia, without mention of fluctuations")
TARDIVE = concept(ICD10CM, "G24.01", "Drug induced subacute dyskinesia")
DELETION_22Q11 = concept(ICD10CM, "Q93.81", "Velo-cardio-facial syndrome")
POSTSURGICAL_HYPOPARATHYROIDISM = concept(ICD10CM, "E89.2", "Postprocedural hypoparathyroidism")
HYPOPARATHYROIDISM = concept(ICD10CM, "E20.9", "Hypoparathyroidism, unspecified")
FALLOT = concept(ICD10CM, "Q21.3", "Tetralogy of Fallot")
HYPERTENSION = concept(ICD10CM, "I10", "Essential (primary) hypertension")
GASTROPARESIS = concept(ICD10CM, "K31.84", "Gastroparesis")
KINESIGENIC: Json = {"text": "Paroxysmal kinesigenic dyskinesia"}
