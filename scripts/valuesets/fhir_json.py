"""Writing FHIR R4 terminology resources: common fields, licence notes, and a stable, readable layout."""

import json
from typing import Any, Final

Json = dict[str, Any]

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
_OWN_NOTE: Final = "Names of the project's own; Apache License 2.0."
NOTES: Final = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": _RXNORM_NOTE,
    "http://loinc.org": _LOINC_NOTE,
    "http://snomed.info/sct": _SNOMED_NOTE,
    "http://hl7.org/fhir/sid/icd-10-cm": _ICD10CM_NOTE,
    "http://hl7.org/fhir/sid/icd-10": _ICD10WHO_NOTE,
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


def render(resource: Json) -> bytes:
    """The resource as UTF-8 JSON: one line per field, and one line per concept, element or include."""
    fields = [f"  {_compact(key)}: {_field(value, 2)}" for key, value in resource.items()]
    return ("{\n" + ",\n".join(fields) + "\n}\n").encode()


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _field(value: Any, indent: int) -> str:
    pad = " " * indent
    if isinstance(value, list) and value and isinstance(value[0], dict):
        lines = [f"{pad}  {_entry(one, indent + 2)}" for one in value]
        return "[\n" + ",\n".join(lines) + f"\n{pad}]"
    if isinstance(value, dict):
        lines = [f"{pad}  {_compact(key)}: {_field(one, indent + 2)}" for key, one in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
    return _compact(value)


def _entry(value: Json, indent: int) -> str:
    """A list entry: one line, unless it holds the concepts of an include or the elements of a group."""
    holds_list = "element" in value or ("system" in value and "concept" in value)
    return _field(value, indent) if holds_list else _compact(value)
