"""FHIR R4 terminology resources: common fields and licence notes."""

from typing import Final

from valuesets.release.layout import Json

BASE: Final = "https://dystonia-cds.example/fhir"
VERSION: Final = "0.1.0"
DATE: Final = "2026-11-22"
PUBLISHER: Final = "Dystonia CDS contributors"
INGREDIENTS: Final = f"{BASE}/CodeSystem/ingredients"
ROUTES: Final = f"{BASE}/CodeSystem/routes"

_RXNORM_NOTE: Final = (
    "RxNorm codes and names are of the source RXNORM (SAB=RXNORM, releases of February 2015 to 2025), courtesy of the "
    "U.S. National Library of Medicine (NLM), National Institutes of Health, Department of Health and Human Services; "
    "NLM is not responsible for the product and does not endorse or recommend this or any other product."
)
_LOINC_NOTE: Final = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright (c) Regenstrief Institute, Inc. "
    "and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the "
    "license at http://loinc.org/license. LOINC(R) is a registered United States trademark of Regenstrief Institute, "
    "Inc."
)
_SNOMED_NOTE: Final = (
    "SNOMED CT codes are listed without names and without hierarchy. SNOMED CT is copyright (c) 2002+ International "
    "Health Terminology Standards Development Organisation (IHTSDO); its use needs an affiliate licence, which is free "
    "in member countries."
)
_ICD10CM_NOTE: Final = (
    "ICD-10-CM is a work of the U.S. National Center for Health Statistics and the Centers for Medicare & Medicaid "
    "Services, in the public domain in the United States."
)
_ICD10WHO_NOTE: Final = "ICD-10 codes are listed without titles; ICD-10 is copyright World Health Organization."
_HGNC_NOTE: Final = (
    "Gene symbols, names and identifiers are of the HUGO Gene Nomenclature Committee (HGNC), CC0. Modes of inheritance "
    "are of the annotations of the Human Phenotype Ontology, release of 16 January 2025 "
    "(http://www.human-phenotype-ontology.org)."
)
_GENOMICS_NOTE: Final = "Codes of the HL7 Genomics Reporting guide are of Health Level Seven International, CC0."
_ATC_NOTE: Final = (
    "ATC codes are copyright WHO Collaborating Centre for Drug Statistics Methodology, Oslo; single codes are listed "
    "as identifiers, without names, defined daily doses or the index, which are obtained from the Centre."
)
_NDC_NOTE: Final = (
    "National Drug Codes are of the directory of the U.S. Food and Drug Administration (FDA), a work of the U.S. "
    "government; the FDA does not endorse this product."
)
_OWN_NOTE: Final = "Names of the project's own; Apache License 2.0."
NOTES: Final = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": _RXNORM_NOTE,
    "http://loinc.org": _LOINC_NOTE,
    "http://snomed.info/sct": _SNOMED_NOTE,
    "http://hl7.org/fhir/sid/icd-10-cm": _ICD10CM_NOTE,
    "http://hl7.org/fhir/sid/icd-10": _ICD10WHO_NOTE,
    "http://www.whocc.no/atc": _ATC_NOTE,
    "http://hl7.org/fhir/sid/ndc": _NDC_NOTE,
    "http://www.genenames.org": _HGNC_NOTE,
    "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs": _GENOMICS_NOTE,
}


def header(kind: str, key: str, title: str, description: str, status: str, purpose: str) -> Json:
    """The fields that every resource carries."""
    return {
        "resourceType": kind,
        "id": key,
        "url": f"{BASE}/{kind}/{key}",
        "version": VERSION,
        "name": "".join(part[:1].upper() + part[1:] for part in key.split("-")),
        "title": title,
        "status": status,
        "experimental": False,
        "date": DATE,
        "publisher": PUBLISHER,
        "description": description,
        "purpose": purpose,
    }


def copyright_of(systems: list[str]) -> str:
    """The licence notes of the code systems used, in the order of their URLs."""
    return " ".join([NOTES.get(system, _OWN_NOTE) for system in sorted(set(systems))])
