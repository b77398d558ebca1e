"""Genes, and the codes by which a variant is reported."""

import re
from typing import Final

from checks import loinc_ok
from fhir_json import BASE, copyright_of, header
from tables import SYSTEMS, Row, SourceError, listed, read_unique

from valuesets.release.layout import Json

HGNC: Final = "http://www.genenames.org"
GENOMICS: Final = f"{BASE}/CodeSystem/genomics"
_SYSTEMS: Final = SYSTEMS | {"GENOMICS": "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"}
VARIANT: Final = "variant"
_PURPOSE: Final = "Tells the gene of a reported variant. Holds no statement about a patient's risk."
_NAMES: Final = {
    "variant": "A genetic variant assessment", "implication": "What a variant means for a diagnosis",
    "gene": "The gene studied", "significance": "The clinical significance", "zygosity": "The allelic state",
    "source-class": "Where the variant was found", "present": "Present", "absent": "Absent", "no-call": "Not decided",
    "pathogenic": "Pathogenic", "likely-pathogenic": "Likely pathogenic", "uncertain": "Of uncertain significance",
    "benign": "Benign or likely benign", "heterozygous": "Heterozygous", "homozygous": "Homozygous",
    "hemizygous": "Hemizygous", "somatic": "Somatic", "fetal": "Of the fetus",
}  # fmt: skip
_GENE_PROPERTIES: Final = (
    ("name", "string", "Approved name."),
    ("group", "code", "specification, dystonia, metabolic, structural or pharmacogene."),
    ("mds-name", "string", "Name of the movement disorder as the MDS task force gives it."),
    ("inheritance", "code", "AD, AR, XL, XLD or XLR: of the diseases with dystonia, else of all."),
    ("alias", "string", "Another symbol that means this gene and no other."),
    ("previous", "string", "A symbol that the gene had before."),
)


def variant_codes() -> list[Row]:
    """The LOINC codes of a variant, as rows of a laboratory test."""
    rows = read_unique("genomics", "key", "system", "code")
    found = [row for row in rows if row["key"] == VARIANT and row["system"] == "LOINC"]
    return [{"analyte": VARIANT, "loinc": row["code"], "name": row["title"]} for row in found]


def genes() -> Json:
    """The CodeSystem supplement with the genes of the rules. Raises SourceError for a name that two genes have."""
    rows = read_unique("genes", "hgnc")
    _check(rows)
    fields = header("CodeSystem", "genes", "Genes", "Genes of dystonia and its causes.", "draft", _PURPOSE)
    return fields | {
        "copyright": copyright_of([HGNC]),
        "content": "supplement",
        "supplements": HGNC,
        "property": [{"code": code, "description": text, "type": kind} for code, kind, text in _GENE_PROPERTIES],
        "concept": [_gene(row) for row in sorted(rows, key=lambda row: row["symbol"])],
    }


def _check(rows: list[Row]) -> None:
    excluded = {(row["symbol"], row["name"].upper()) for row in read_unique("gene_exclusions", "symbol", "name")}
    owner: dict[str, str] = {}
    for row in rows:
        if not re.fullmatch(r"HGNC:\d+", row["hgnc"]):
            raise SourceError(f"genes.csv: {row['symbol']} has {row['hgnc']!r}, expected HGNC: and a number")
        for name in (row["symbol"], *listed(row["aliases"]), *listed(row["previous"])):
            if owner.setdefault(name.upper(), row["symbol"]) != row["symbol"]:
                raise SourceError(f"genes.csv: {name} names {owner[name.upper()]} and {row['symbol']}")
            if (row["symbol"], name.upper()) in excluded:
                raise SourceError(f"genes.csv: {name} of {row['symbol']} stands in gene_exclusions.csv")


def _gene(row: Row) -> Json:
    found = [("name", "String", row["name"]), ("group", "Code", row["group"])]
    found += [("mds-name", "String", row["mds_name"])] if row["mds_name"] else []
    found += [("inheritance", "Code", mode) for mode in listed(row["inheritance"])]
    found += [("alias", "String", name) for name in listed(row["aliases"])]
    found += [("previous", "String", name) for name in listed(row["previous"])]
    properties = [{"code": code, f"value{kind}": value} for code, kind, value in found]
    return {"code": row["hgnc"], "display": row["symbol"], "property": properties}


def genomics() -> list[Json]:
    """The codes of variant reports: a ConceptMap from LOINC to keys, and the CodeSystem of the keys."""
    rows = read_unique("genomics", "system", "code")
    for row in rows:
        answer = row["code"].startswith("LA")  # the check digit of answers follows a rule of its own
        if row["system"] == "LOINC" and not answer and not loinc_ok(row["code"]):
            raise SourceError(f"genomics.csv: {row['code']} has a wrong check digit")
    title = "Variant reports"
    fields = header("ConceptMap", "genomics", title, "Codes of variant reports by key.", "active", _PURPOSE)
    groups = [
        {
            "source": _SYSTEMS[name],
            "target": GENOMICS,
            "element": [
                {"code": row["code"], "display": row["title"], "target": [{"code": row["key"], "equivalence": "wider"}]}
                for row in rows
                if row["system"] == name
            ],
        }
        for name in sorted({row["system"] for row in rows})
    ]
    systems = [_SYSTEMS[row["system"]] for row in rows]
    keys = {
        "copyright": copyright_of([GENOMICS]),
        "caseSensitive": True,
        "content": "complete",
        "concept": [{"code": key, "display": name} for key, name in _NAMES.items()],
    }
    return [
        fields | {"copyright": copyright_of(systems), "group": groups},
        header("CodeSystem", "genomics", title, "Keys of the codes of variant reports.", "active", _PURPOSE) | keys,
    ]
