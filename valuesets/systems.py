"""Which code system an identifier means: canonical URLs and OIDs, in any case, with or without a trailing slash."""

from typing import Final

RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
ICD10CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10WHO: Final = "http://hl7.org/fhir/sid/icd-10"

_OIDS: Final = {
    RXNORM: "2.16.840.1.113883.6.88",
    LOINC: "2.16.840.1.113883.6.1",
    SNOMED: "2.16.840.1.113883.6.96",
    ICD10CM: "2.16.840.1.113883.6.90",
    ICD10WHO: "2.16.840.1.113883.6.3",
}
_KNOWN: Final = {url: url for url in _OIDS} | {f"urn:oid:{oid}": url for url, oid in _OIDS.items()}


def canonical_system(system: str) -> str | None:
    """The canonical URL of the code system that ``system`` names, or None if it is none of ours."""
    known = _KNOWN.get(system)
    if known is not None:
        return known
    tidy = system.strip().lower().rstrip("/")
    if tidy.startswith("https://"):
        tidy = "http://" + tidy[len("https://") :]
    return _KNOWN.get(tidy)
