"""Which code system an identifier means: canonical URLs and OIDs in any case, with or without slash and version."""

from typing import Final

RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
ICD10CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10WHO: Final = "http://hl7.org/fhir/sid/icd-10"
NDC: Final = "http://hl7.org/fhir/sid/ndc"
ATC: Final = "http://www.whocc.no/atc"
HGNC: Final = "http://www.genenames.org"
UCUM: Final = "http://unitsofmeasure.org"
ICD10_NATIONAL: Final = frozenset(
    {
        "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
        "http://fhir.de/CodeSystem/dimdi/icd-10-gm",
        "http://hl7.org/fhir/sid/icd-10-am",
        "http://hl7.org/fhir/sid/icd-10-de",
        "http://hl7.org/fhir/sid/icd-10-nl",
        "http://hl7.org/fhir/sid/icd-10-se",
        "http://hl7.org/fhir/sid/icd-10-uk",
    }
)
"""Modifications of WHO ICD-10: their categories are those of the WHO, the digits that they add are their own."""

_OIDS: Final = {
    RXNORM: "2.16.840.1.113883.6.88",
    NDC: "2.16.840.1.113883.6.69",
    ATC: "2.16.840.1.113883.6.73",
    LOINC: "2.16.840.1.113883.6.1",
    SNOMED: "2.16.840.1.113883.6.96",
    ICD10CM: "2.16.840.1.113883.6.90",
    ICD10WHO: "2.16.840.1.113883.6.3",
    HGNC: "2.16.840.1.113883.6.281",
}
_KNOWN: Final = (
    {url: url for url in _OIDS}
    | {f"urn:oid:{oid}": url for url, oid in _OIDS.items()}
    | {oid: url for url, oid in _OIDS.items()}
    | {url.lower(): url for url in ICD10_NATIONAL}
    | {f"{HGNC}/geneid": HGNC}
)
_EDITIONS: Final = f"{SNOMED}/"


def canonical_system(system: str) -> str | None:
    """The canonical URL of the code system that ``system`` names, or None if it is none of ours.

    A version after a bar ("http://loinc.org|2.78") and an edition of SNOMED CT in its URL do not matter.
    """
    known = _KNOWN.get(system)
    if known is not None:
        return known
    tidy = system.partition("|")[0].strip().lower().rstrip("/")
    if tidy.startswith("https://"):
        tidy = "http://" + tidy[len("https://") :]
    return SNOMED if tidy.startswith(_EDITIONS) else _KNOWN.get(tidy)
