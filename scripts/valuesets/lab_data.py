"""The table of laboratory tests: which rows may ship, and the supplement that tells specimen and property."""

from typing import Final

from fhir_json import copyright_of, header
from tables import SYSTEMS, Row, SourceError, read_unique

from valuesets.release.layout import Json

# Parts of LOINC that the rules may read: blood in every form, and no cells, urine or other fluids.
BLOOD: Final = frozenset({"Ser/Plas", "Ser/Plas/Bld", "Bld", "BldA", "BldC", "BldV"})
PROPERTIES: Final = frozenset({"MCnc", "SCnc", "ACnc", "ArVRat"})
_OTHERWISE: Final = {"weight": ("", ""), "cocaine-screen": ("Urine", "")}
_SOURCES: Final = 2
_SPECIFIED: Final = "named in the clinical specification"
_PURPOSE: Final = (
    "Tells analyte, specimen and property of the laboratory tests that the rules read. The unit of a result is taken "
    "from the result and never from here."
)
_DEFINED: Final = (
    ("analyte", "code", "Analyte: the ValueSet lab- and this code holds the test."),
    ("specimen", "string", "Specimen, as LOINC abbreviates it."),
    ("property", "string", "Kind of quantity, as LOINC abbreviates it: mass, substance or arbitrary concentration."),
)


def read_labs() -> list[Row]:
    """All rows of labs.csv. Raises SourceError for a specimen or property that no rule may read, or a lone source."""
    rows = read_unique("labs", "loinc")
    for row in rows:
        check(row)
    return rows


def check(row: Row) -> None:
    """Raises SourceError for one row that may not ship."""
    found = (row["specimen"], row["property"])
    expected = _OTHERWISE.get(row["analyte"])
    fits = found == expected if expected is not None else found[0] in BLOOD and found[1] in PROPERTIES
    if not fits:
        raise SourceError(f"labs.csv: {row['loinc']} has specimen and property {found}; expected a test of blood")
    if row["note"] != _SPECIFIED and int(row["n_sources"] or 0) < _SOURCES:
        raise SourceError(f"labs.csv: {row['loinc']} has {row['n_sources'] or 'no'} source; two are needed")


def lab_tests(rows: list[Row]) -> Json:
    """The supplement to LOINC."""
    title = "Laboratory tests by analyte"
    fields = header("CodeSystem", "loinc-tests", title, f"{title}, specimen and property.", "active", _PURPOSE)
    return fields | {
        "copyright": copyright_of([SYSTEMS["LOINC"]]),
        "content": "supplement",
        "supplements": SYSTEMS["LOINC"],
        "property": [{"code": code, "description": text, "type": kind} for code, kind, text in _DEFINED],
        "concept": [_concept(row) for row in sorted(rows, key=lambda row: row["loinc"].zfill(9))],
    }


def _concept(row: Row) -> Json:
    values = [{"code": "analyte", "valueCode": row["analyte"]}]
    values += [{"code": name, "valueString": row[name]} for name in ("specimen", "property") if row[name]]
    return {"code": row["loinc"], "display": row["name"], "property": values}
