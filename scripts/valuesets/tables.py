"""Reading the source tables and refusing rows that break their rules."""

import csv
from pathlib import Path
from typing import Final

from checks import loinc_ok, snomed_ok

Row = dict[str, str]

SOURCE: Final = Path(__file__).resolve().parent / "source"
SYSTEMS: Final = {
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "LOINC": "http://loinc.org",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "ATC": "http://www.whocc.no/atc",
    "SNOMED": "http://snomed.info/sct",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD10WHO": "http://hl7.org/fhir/sid/icd-10",
}
LOCAL: Final = "local:"


class SourceError(ValueError):
    """A source table breaks a rule; the message names the table and the row."""


def read(table: str) -> list[Row]:
    """All rows of one source table."""
    with (SOURCE / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_unique(table: str, *key: str) -> list[Row]:
    """All rows of one table, after a check that no two have the same key."""
    rows = read(table)
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        identity = tuple(row[column] for column in key)
        if identity in seen:
            raise SourceError(f"{table}.csv: {identity} stands twice")
        seen.add(identity)
    return rows


def check_digits(labs: list[Row], coded: list[Row]) -> None:
    """Refuse LOINC and SNOMED CT codes whose check digit is wrong."""
    for row in labs:
        if not loinc_ok(row["loinc"]):
            raise SourceError(f"labs.csv: {row['loinc']} has a wrong check digit")
    for row in coded:
        if row["system"] == "SNOMED" and not snomed_ok(row["code"]):
            raise SourceError(f"SNOMED CT {row['code']} has a wrong check digit")


def listed(cell: str) -> list[str]:
    """The items of a cell that holds several, separated by semicolons."""
    return [item.strip() for item in cell.split(";") if item.strip()]
