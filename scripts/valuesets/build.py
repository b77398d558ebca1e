"""Build the FHIR terminology resources of valuesets/data from the tables of scripts/valuesets/source.

Usage: python scripts/valuesets/build.py [--check]

With --check nothing is written; the exit code is 1 if a file is missing, differs or does not belong there.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from code_data import drug_codes  # noqa: E402
from condition_data import check_condition_keys, condition_words  # noqa: E402
from drug_data import (  # noqa: E402
    DrugNames,
    described_products,
    ingredient_concepts,
    product_concepts,
    read_ingredients,
    read_products,
)
from fhir_json import INGREDIENTS, ROUTES, VERSION, copyright_of, header  # noqa: E402
from gene_data import VARIANT, genes, genomics, variant_codes  # noqa: E402
from lab_data import lab_tests, read_labs  # noqa: E402
from tables import LOCAL, SYSTEMS, Row, SourceError, check_digits, read_unique  # noqa: E402

from valuesets.manifest import MANIFEST, fingerprint, make_manifest, render_manifest  # noqa: E402
from valuesets.release.layout import Json, render  # noqa: E402

DATA: Final = ROOT / "valuesets" / "data"
OBSERVATIONS: Final = (
    "albumin", "calcium", "calcium-corrected", "calcium-ionised", "ceruloplasmin", "cocaine-screen", "egfr", "ft3",
    "ft4", "magnesium", "phosphate", "potassium", "pth", "tsh", "weight",
)  # fmt: skip
ROUTE_NAMES: Final = {
    "nasal": "Nasal", "ophthalmic": "Into the eye", "oral": "By mouth", "other": "Another route",
    "parenteral": "By injection or infusion", "rectal": "Rectal", "sublingual": "Under the tongue or in the cheek",
    "topical": "On the skin, for local effect", "transdermal": "Through the skin",
}  # fmt: skip
RULES: Final = "Codes for the rules of Dystonia CDS."
SIGN_OFF: Final = f"{RULES} Holds clinical judgement that a site's pharmacist must sign off."
TIER_TEXT: Final = "Acute-dystonia tier: H high, M middle, L low, N none. Synthesised from potency, rates and class."


def value_sets(ingredients: list[Row]) -> list[Json]:
    """One ValueSet per row of value_sets.csv."""
    labs, conditions = read_labs(), read_unique("conditions", "concept", "system", "code", "scope")
    results = read_unique("results", "concept", "system", "code")
    check_digits(labs, [*conditions, *results])
    makers = {"drug": lambda key: _drug_set(ingredients, key), "lab": lambda key: _lab_set(labs, [key])}
    makers["condition"] = lambda key: _condition_set(conditions, key)
    makers["result"] = makers["reaction"] = lambda key: _result_set(results, key)
    resources = []
    for row in read_unique("value_sets", "id"):
        kind, _, key = row["id"].partition("-")
        if row["id"] == "observations":
            compose = _lab_set([*labs, *variant_codes()], [*OBSERVATIONS, VARIANT])
        elif row["id"] == "orderable-labs":
            compose = _orderable_set(labs)
        elif row["id"] == "dopamine-antagonists":
            compose = _ingredient_set([one for one in ingredients if one["tier"] in ("H", "M", "L")])
        else:
            compose = makers[kind](key)
        systems = [one["system"] for one in compose["include"]]
        status = "draft" if kind in ("drug", "condition", "dopamine") else "active"
        purpose = SIGN_OFF if status == "draft" else RULES
        fields = header("ValueSet", row["id"], row["title"], row["description"], status, purpose)
        resources.append(fields | {"copyright": copyright_of(systems), "compose": compose})
    return resources


def _drug_set(ingredients: list[Row], key: str) -> Json:
    return _ingredient_set([row for row in ingredients if key in row["classes"].split()])


def _ingredient_set(rows: list[Row]) -> Json:
    own = [row for row in rows if row["rxcui"].startswith(LOCAL)]
    coded = [row for row in rows if not row["rxcui"].startswith(LOCAL)]
    parts = [(SYSTEMS["RXNORM"], sorted(coded, key=lambda row: int(row["rxcui"]))), (INGREDIENTS, own)]
    return {
        "include": [
            {
                "system": system,
                "concept": [{"code": row["rxcui"].removeprefix(LOCAL), "display": row["name"]} for row in members],
            }
            for system, members in parts
            if members
        ]
    }


def _lab_set(labs: list[Row], analytes: list[str]) -> Json:
    rows = sorted((row for row in labs if row["analyte"] in analytes), key=lambda row: row["loinc"].zfill(9))
    concepts = [{"code": row["loinc"], "display": row["name"]} for row in rows]
    return {"include": [{"system": SYSTEMS["LOINC"], "concept": concepts}]}


def _orderable_set(labs: list[Row]) -> Json:
    """The one code by which each analyte is ordered; it must be among the analyte's own."""
    chosen = {(row["analyte"], row["loinc"]) for row in read_unique("orderable_labs", "analyte")}
    mine = [row for row in labs if (row["analyte"], row["loinc"]) in chosen]
    if len(mine) != len(chosen):
        raise SourceError("orderable_labs.csv: a code is not in labs.csv for the same analyte")
    return _lab_set(mine, [row["analyte"] for row in mine])


def _result_set(results: list[Row], key: str) -> Json:
    rows = [row for row in results if row["concept"] == key]
    return {"include": [{"system": SYSTEMS[row["system"]], "concept": [_coded(row)]} for row in rows]}


def _condition_set(conditions: list[Row], key: str) -> Json:
    rows = [row for row in conditions if row["concept"] == key]
    include: list[Json] = []
    exclude: list[Json] = []
    for name in ("ICD10CM", "ICD10WHO", "SNOMED"):
        mine = [row for row in rows if row["system"] == name]
        exact = [_coded(row) for row in mine if row["scope"] == "exact"]
        if exact:
            include.append({"system": SYSTEMS[name], "concept": exact})
        include += [_below(row) for row in mine if row["scope"] == "below"]
        exclude += [_below(row) for row in mine if row["scope"] == "exclude"]
    return {"include": include} | ({"exclude": exclude} if exclude else {})


def _coded(row: Row) -> Json:
    return {"code": row["code"]} | ({"display": row["title"]} if row["title"] else {})


def _below(row: Row) -> Json:
    return {"system": SYSTEMS[row["system"]], "filter": [{"property": "concept", "op": "is-a", "value": row["code"]}]}


# The properties of each code system: code, type, meaning.
_TIER: Final = [
    ("tier", "code", TIER_TEXT),
    ("tier-parenteral", "code", "Tier when given by injection, where it differs."),
    ("tier-under-18", "code", "Tier below 18 years, where it differs."),
    ("low-dose-mg", "decimal", "Single doses below this many mg have the low-dose tier."),
    ("tier-low-dose", "code", "Tier of low doses."),
    ("high-dose-mg-per-kg", "decimal", "Single doses of at least this many mg per kg have the high-dose tier."),
    ("tier-high-dose", "code", "Tier of high doses."),
    ("equivalent-mg", "decimal", "mg equal to 100 mg oral chlorpromazine, AAPP table; ranks drugs, never doses."),
    ("depot-from-mg", "decimal", "An injection of at least this many mg is a depot."),
    ("depot-from-mg-per-ml", "decimal", "An injection of at least this many mg per ml is a depot."),
    ("injected-is-long-acting", "boolean", "Every injection of this ingredient is a long-acting one."),
]
_INGREDIENT: Final = ("ingredient", "string", "RxNorm code of an ingredient, or local: and a code of the ingredients.")
_ROUTE: Final = ("route", "code", "Route key.")
_FURTHER: Final = ("further-ingredient", "string", "A further ingredient, known by name only; no rule looks at it.")
_PRODUCT: Final = [
    ("tty", "code", "RxNorm term type."),
    ("ingredient", "code", "RxNorm code of an ingredient."),
    ("local-ingredient", "string", "Code of an ingredient of the project's own code system."),
    ("multi", "boolean", "It holds further active substances, listed here or not."),
    ("dose-form", "string", "Dose form."),
    _ROUTE,
    ("long-acting", "boolean", "A depot or other long-acting injection."),
    ("strength", "string", "Ingredient code, equals sign, amount: 5093=5 mg/ml."),
    _FURTHER,
    ("single-source", "string", "The only source that gives this code; a second one does not confirm it."),
]
_NAME: Final = [
    ("kind", "code", "generic, salt or brand."),
    _INGREDIENT,
    ("long-acting", "boolean", "The name means a long-acting injection."),
    _ROUTE,
    ("combined", "boolean", "The product holds further ingredients, whose strengths a text may give."),
    _FURTHER,
]
_WORD: Final = [
    (
        "kind",
        "code",
        "rejection, rejection-first or rejection-last (at one end of the text), neutral, route, "
        "route-form, route-field, long-acting, frequency, beside (may stand between a name and its "
        "amount), look-alike (no misspelling of a drug) or not-a-drug (holds a drug's name and means "
        "something else).",
    ),
    ("phrase", "string", "The word or words; a rejection of one word counts as the start of a word."),
    _ROUTE,
    ("frequency", "code", "How often, as a code of Timing or a Latin abbreviation: BID, Q6H, PRN."),
    ("applies-to", "string", "Ingredient for which a long-acting word counts."),
    ("parenteral-only", "boolean", "The long-acting word counts with an injection only."),
]


def code_systems(ingredients: list[Row]) -> list[Json]:
    """The supplements to RxNorm and the project's own small code systems."""
    products = read_products()
    names = DrugNames(ingredients, products)
    described = described_products(products, names.index)
    return [
        _supplement("rxnorm-ingredients", "Ingredients with dystonia tier", "draft", SIGN_OFF, _TIER)
        | {"concept": ingredient_concepts(ingredients, local=False)},
        _own("ingredients", "Ingredients without a confirmed RxNorm code", "draft", SIGN_OFF, _TIER)
        | {"concept": ingredient_concepts(ingredients, local=True)},
        _supplement(
            "rxnorm-products",
            "Products and forms of the ingredients",
            "active",
            "Tells the ingredients, form and strength of a coded drug. A point-in-time list: about three in ten of "
            "today's US product codes are newer; an unlisted code says nothing about the drug.",
            _PRODUCT,
        )
        | {"concept": product_concepts(ingredients, described, names.index)},
        _own(
            "drug-names",
            "Names of drugs for text matching",
            "active",
            "Generic, salt and brand names by which a text names ingredients; lower case, words only.",
            _NAME,
        )
        | {"concept": names.name_concepts(described)},
        _own(
            "further-ingredients",
            "Ingredients of combinations that are known by name only",
            "active",
            "Told where the ingredients of a product are listed; they have no code here, no tier and no class.",
            [],
        )
        | {"concept": names.further_concepts(described)},
        _own(
            "text-words",
            "Words with a meaning of their own in a drug's text",
            "active",
            "Words that reject a text, tell a route, a frequency or a long-acting form, or prevent a misreading.",
            _WORD,
        )
        | {"concept": names.word_concepts()},
        *drug_codes(ingredients, names.index.match, {one["code"] for one in names.further_concepts(described)}),
        _own("routes", "Routes", "active", RULES, [])
        | {"concept": [{"code": code, "display": name} for code, name in sorted(ROUTE_NAMES.items())]},
    ]


def _supplement(key: str, title: str, status: str, purpose: str, properties: list[tuple[str, str, str]]) -> Json:
    fields = _code_system(key, title, status, purpose, properties, [SYSTEMS["RXNORM"]])
    return fields | {"content": "supplement", "supplements": SYSTEMS["RXNORM"]} | _defined(properties)


def _own(key: str, title: str, status: str, purpose: str, properties: list[tuple[str, str, str]]) -> Json:
    fields = _code_system(key, title, status, purpose, properties, [INGREDIENTS])
    return fields | {"caseSensitive": True, "content": "complete"} | _defined(properties)


def _code_system(
    key: str, title: str, status: str, purpose: str, properties: list[tuple[str, str, str]], systems: list[str]
) -> Json:
    return header("CodeSystem", key, title, f"{title}.", status, purpose) | {"copyright": copyright_of(systems)}


def _defined(properties: list[tuple[str, str, str]]) -> Json:
    if not properties:
        return {}
    return {"property": [{"code": code, "description": text, "type": kind} for code, kind, text in properties]}


def route_map() -> Json:
    """The ConceptMap from coded routes to route keys."""
    rows = read_unique("routes", "system", "code")
    check_digits([], rows)
    groups = []
    for name in sorted({row["system"] for row in rows}):
        elements = [
            {"code": row["code"], "target": [{"code": row["route"], "equivalence": "wider"}]}
            for row in rows
            if row["system"] == name
        ]
        groups.append({"source": SYSTEMS[name], "target": ROUTES, "element": elements})
    fields = header("ConceptMap", "routes", "Routes", "Coded routes of administration by route key.", "active", RULES)
    return fields | {"copyright": copyright_of([SYSTEMS[row["system"]] for row in rows]), "group": groups}


def build() -> dict[str, bytes]:
    """The content of every data file, by file name. Raises SourceError when a table breaks a rule."""
    ingredients = read_ingredients()
    resources = [*value_sets(ingredients), *code_systems(ingredients), lab_tests(read_labs()), route_map()]
    resources += [condition_words(), genes(), *genomics()]
    check_condition_keys()
    files = {f"{one['resourceType']}-{one['id']}.json": render(one) for one in resources}
    source = "the tables of scripts/valuesets/source"
    collected_for = fingerprint(row["rxcui"] for row in ingredients)
    manifest = make_manifest(files, VERSION, "scripts/valuesets/build.py", source, collected_for)
    return files | {MANIFEST: render_manifest(manifest)}


def differences(files: dict[str, bytes]) -> list[str]:
    """What is missing from, different in, or too much in the data folder."""
    found = {path.name: path.read_bytes() for path in DATA.glob("*.json")}
    wrong = [f"missing: {name}" for name in files.keys() - found.keys()]
    wrong += [f"not from the tables: {name}" for name in found.keys() - files.keys()]
    return sorted(wrong + [f"differs: {name}" for name in files.keys() & found.keys() if files[name] != found[name]])


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


def main() -> int:
    """Write the data files, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build valuesets/data from scripts/valuesets/source.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the data files are not up to date")
    arguments = parser.parse_args()
    try:
        files = build()
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if arguments.check:
        wrong = differences(files)
        print("\n".join([*wrong, "run: python scripts/valuesets/build.py"]) if wrong else "data files are up to date")
        return 1 if wrong else 0
    DATA.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in DATA.glob("*.json")} - files.keys():
        (DATA / stale).unlink()
    changed = [name for name, content in sorted(files.items()) if not _holds(DATA / name, content)]
    for name in changed:
        (DATA / name).write_bytes(files[name])
    print(f"{len(files)} files in {DATA.relative_to(ROOT)}, {len(changed)} of them written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
