"""Drug codes beside RxNorm: NDC products, ATC codes of the 5th level and SNOMED CT substances, by ingredient."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from drug_data import kept_of
from fhir_json import copyright_of, header
from tables import LOCAL, SYSTEMS, Row, SourceError, check_digits, listed, read_unique

from valuesets.model import TextMatch
from valuesets.ndc import readings
from valuesets.release.further import unsalted
from valuesets.release.layout import Json
from valuesets.release.shape import Described, Kept, further_properties, is_depot, phrase_of, property_of

_ATC: Final = re.compile(r"[A-Z]\d\d[A-Z]{2}\d\d")
_FEWEST_SOURCES: Final = 2  # a SNOMED CT code is taken from nobody's word alone
_PURPOSE: Final = "Tells the ingredients of a coded drug; an unlisted code says nothing about the drug."
_INGREDIENTS: Final = [
    ("ingredient", "code", "RxNorm code of an ingredient."),
    ("local-ingredient", "string", "Code of an ingredient of the project's own code system."),
]
_ROUTE: Final = ("route", "code", "Route key.")
_PRODUCT: Final = [
    ("multi", "boolean", "It holds further active substances, listed here or not."),
    ("dose-form", "string", "Dose form."),
    ("long-acting", "boolean", "A depot or other long-acting injection."),
    ("strength", "string", "Ingredient code, equals sign, amount: 5093=5 mg/ml."),
    ("further-ingredient", "string", "A further ingredient, known by name only; no rule looks at it."),
]


def drug_codes(ingredients: list[Row], match: Callable[[str], TextMatch], further: Collection[str]) -> list[Json]:
    """The supplements to NDC, ATC and SNOMED CT.

    ``match`` reads a product's name as the service would; ``further`` are ingredients that are known by name only.
    """
    known = {row["rxcui"]: kept_of(row) for row in ingredients}
    named = {row["name"]: row["rxcui"] for row in ingredients}
    return [
        _supplement("ndc-products", "NDC products of the ingredients", "NDC", [*_INGREDIENTS, _ROUTE, *_PRODUCT])
        | {"concept": [_ndc(row, known, match, further) for row in _read_ndc()]},
        _supplement("atc-drugs", "ATC codes of the ingredients", "ATC", [*_INGREDIENTS, _ROUTE])
        | {"concept": [_named(row, named, row["route"]) for row in _read_atc()]},
        _supplement("snomed-drugs", "SNOMED CT codes of the ingredients", "SNOMED", _INGREDIENTS)
        | {"concept": [_named(row, named) for row in _read_snomed()]},
    ]


def _supplement(key: str, title: str, system: str, properties: list[tuple[str, str, str]]) -> Json:
    url = SYSTEMS[system]
    fields = header("CodeSystem", key, title, f"{title}.", "active", _PURPOSE) | {"copyright": copyright_of([url])}
    defined = [{"code": code, "description": text, "type": kind} for code, kind, text in properties]
    return fields | {"content": "supplement", "supplements": url, "property": defined}


def _read_ndc() -> list[Row]:
    """The NDC products; every one is read to one product number, and no two to the same."""
    rows = read_unique("ndc", "product")
    seen: dict[str, str] = {}
    for row in rows:
        numbers = readings(row["product"])
        if len(numbers) != 1 or seen.setdefault(numbers[0], row["product"]) != row["product"]:
            raise SourceError(f"ndc.csv: {row['product']} is no product code, or means the same number as another")
    return sorted(rows, key=lambda row: readings(row["product"]))


def _read_atc() -> list[Row]:
    rows = read_unique("atc", "code")
    wrong = [row["code"] for row in rows if not _ATC.fullmatch(row["code"]) or not row["source"]]
    if wrong:
        raise SourceError(f"atc.csv: no code of the 5th level, or without a source: {wrong}")
    return sorted(rows, key=lambda row: row["code"])


def _read_snomed() -> list[Row]:
    rows = read_unique("drug_snomed", "code")
    check_digits([], [{"system": "SNOMED", "code": row["code"]} for row in rows])
    unsure = [row["code"] for row in rows if int(row["n_sources"]) < _FEWEST_SOURCES]
    if unsure:
        raise SourceError(f"drug_snomed.csv: fewer than two sources for {unsure}")
    return sorted(rows, key=lambda row: int(row["code"]))


def _named(row: Row, named: Mapping[str, str], route: str = "") -> Json:
    properties = _identities([named[name] for name in listed(row["ingredients"])])
    properties += [property_of("route", "Code", route)] if route else []
    return {"code": row["code"], "property": properties}


def _ndc(row: Row, known: Mapping[str, Kept], match: Callable[[str], TextMatch], further: Collection[str]) -> Json:
    identities, strengths, route = row["ingredients"].split(), listed(row["strengths"]), row["route"]
    if not identities or not known.keys() >= set(identities):
        raise SourceError(f"ndc.csv: {row['product']} has an unknown ingredient")
    properties = _identities(identities)
    properties += [property_of("multi", "Boolean", True)] if row["multi"] else []
    properties += [property_of("dose-form", "String", row["dose_form"])] if row["dose_form"] else []
    properties += [property_of("route", "Code", route)] if route else []
    described = Described(row["product"], "", row["name"], tuple(identities), row["dose_form"], tuple(strengths))
    worded = match(f"{row['name']} {row['substances']} {row['dose_form']}").long_acting
    if route in ("parenteral", "") and (worded or is_depot(described, route, known)):
        properties.append(property_of("long-acting", "Boolean", True))
    properties += [property_of("strength", "String", strength) for strength in strengths]
    properties += further_properties([unsalted(name, further) for name in _further(row, match)] if row["multi"] else [])
    return {"code": row["product"], "display": row["name"], "property": properties}


def _further(row: Row, match: Callable[[str], TextMatch]) -> list[str]:
    """The active substances that are read as none of the product's ingredients."""
    read = {name: {one.rxcui for one in match(name).ingredients} for name in listed(row["substances"])}
    held = set(row["ingredients"].split())
    return [phrase_of(name) for name, found in read.items() if not found or not found <= held]


def _identities(rxcuis: list[str]) -> list[Json]:
    return [
        property_of("local-ingredient", "String", rxcui.removeprefix(LOCAL))
        if rxcui.startswith(LOCAL)
        else property_of("ingredient", "Code", rxcui)
        for rxcui in rxcuis
    ]
