"""Drugs: ingredients with their tiers, RxNorm products, and the names and words of text matching."""

import re
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from fhir_json import Json
from tables import LOCAL, Row, SourceError, listed, read_unique

from valuesets.model import Ingredient
from valuesets.text import Name, TextIndex, Word, normalise, split_words

TIERS: Final = ("tier", "tier_parenteral", "tier_under_18", "tier_low_dose", "tier_high_dose")
AMOUNTS: Final = ("low_dose_mg", "high_dose_mg_per_kg", "equivalent_mg")
SHORTEST_BRAND: Final = 4  # letters
_AMOUNT: Final = re.compile(r"([^=]+)=([\d.]+) mg(/ml)?")

# The first dose form word that matches gives the route; the order matters.
_ROUTE_OF_FORM: Final = (
    (r"sublingual|buccal", "sublingual"),
    (r"rectal|enema", "rectal"),
    (r"nasal", "nasal"),
    (r"ophthalmic", "ophthalmic"),
    (r"transdermal", "transdermal"),
    (r"topical", "topical"),
    (r"intraperitoneal|irrigation|otic|inhal|implant|dental|mouthwash|toothpaste|vaginal|mucosal", "other"),
    (r"inject|prefilled syringe|cartridge", "parenteral"),
    (r"oral|tablet|capsule|pill|chew|wafer|lozenge|gum|granule|extended release suspension", "oral"),
)


def phrase_of(name: str) -> str:
    """A name as text matching sees it: its words in lower case, without punctuation or bracketed remarks."""
    return " ".join(split_words(normalise(re.sub(r"\s*\([^)]*\)", "", name))))


def route_of_form(dose_form: str) -> str:
    """The route that a dose form implies, or ""."""
    form = dose_form.lower()
    return next((route for pattern, route in _ROUTE_OF_FORM if re.search(pattern, form)), "")


def property_of(code: str, kind: str, value: object) -> Json:
    """One concept property; ``kind`` is the FHIR value type, e.g. "Code"."""
    return {"code": code, f"value{kind}": value}


def _number(text: str) -> int | float:
    amount = Decimal(text)
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def ingredient_concepts(rows: list[Row], local: bool) -> list[Json]:
    """Concepts of the RxNorm ingredients, or of the project's own ones."""
    concepts = []
    for row in rows:
        if row["rxcui"].startswith(LOCAL) != local:
            continue
        properties = [property_of(one.replace("_", "-"), "Code", row[one]) for one in TIERS if row[one]]
        properties += [property_of(one.replace("_", "-"), "Decimal", _number(row[one])) for one in AMOUNTS if row[one]]
        if row["injected_is_long_acting"]:
            properties.append(property_of("injected-is-long-acting", "Boolean", True))
        concept: Json = {"code": row["rxcui"].removeprefix(LOCAL), "display": row["name"]}
        concepts.append(concept | ({"property": properties} if properties else {}))
    return sorted(concepts, key=_code_order)


def _code_order(concept: Json) -> tuple[int, str]:
    return (int(concept["code"]) if concept["code"].isdecimal() else 0, concept["code"])


class DrugNames:
    """All names of text matching with the index that the loader would make of them."""

    def __init__(self, ingredients: list[Row], products: list[Row]) -> None:
        self._rxcui = {row["name"]: row["rxcui"] for row in ingredients}
        self.names: dict[str, tuple[str, Name]] = {}
        for row in read_unique("names", "name"):
            self._add(row["name"], row["kind"], listed(row["ingredients"]), row["long_acting"] == "yes", row["route"])
        for row in ingredients:
            self._add(row["name"], "generic", [row["name"]])
        for row in read_unique("salts", "rxcui"):
            self._add(row["name"], "salt", [row["ingredient"]])
        self._add_brands(products, {row["rxcui"]: row["name"] for row in ingredients})
        self.words = [self._word(row) for row in read_unique("text_words", "kind", "phrase")]
        known = {row["rxcui"]: Ingredient(row["rxcui"], row["name"]) for row in ingredients}
        injected = frozenset(row["rxcui"] for row in ingredients if row["injected_is_long_acting"])
        self.index = TextIndex([name for _, name in self.names.values()], self.words, known, injected)

    def _add(self, name: str, kind: str, ingredients: list[str], long_acting: bool = False, route: str = "") -> None:
        phrase = phrase_of(name)
        first, *rest = phrase.split(" ")
        rxcuis = tuple(self._rxcui[one] for one in ingredients)
        self.names.setdefault(phrase, (kind, Name(" ".join([first, *rest]), tuple(rest), rxcuis, long_acting, route)))

    def _add_brands(self, products: list[Row], name_of: Mapping[str, str]) -> None:
        excluded = {row["name"] for row in read_unique("brand_exclusions", "name")}
        for brand, ingredients in sorted(_brands(products).items()):
            if brand in excluded or len(brand.replace(" ", "")) < SHORTEST_BRAND:
                continue
            self._add(brand, "brand", sorted(name_of[rxcui] for rxcui in ingredients))

    def _word(self, row: Row) -> Word:
        rest = tuple(row["phrase"].split(" ")[1:])
        applies_to = frozenset(self._rxcui[name] for name in listed(row["applies_to"]))
        return Word(row["phrase"], rest, row["kind"], row["route"], applies_to, row["parenteral_only"] == "yes")

    def name_concepts(self) -> list[Json]:
        """Concepts of the code system of drug names."""
        concepts = []
        for phrase, (kind, name) in sorted(self.names.items()):
            properties = [property_of("kind", "Code", kind)]
            properties += [property_of("ingredient", "String", rxcui) for rxcui in name.ingredients]
            if name.long_acting:
                properties.append(property_of("long-acting", "Boolean", True))
            if name.route:
                properties.append(property_of("route", "Code", name.route))
            concepts.append({"code": phrase, "property": properties})
        return concepts

    def word_concepts(self) -> list[Json]:
        """Concepts of the code system of text words."""
        concepts = []
        for word in sorted(self.words, key=lambda one: (one.kind, one.phrase)):
            properties = [property_of("kind", "Code", word.kind), property_of("phrase", "String", word.phrase)]
            if word.value:
                properties.append(property_of("route", "Code", word.value))
            properties += [property_of("applies-to", "String", rxcui) for rxcui in sorted(word.applies_to)]
            if word.parenteral_only:
                properties.append(property_of("parenteral-only", "Boolean", True))
            concepts.append({"code": f"{word.kind}:{word.phrase}", "property": properties})
        return concepts


def _brands(products: list[Row]) -> dict[str, frozenset[str]]:
    """Brands with the ingredients that all their products share; a brand without shared ones is left out.

    RxNorm marks a changed recipe ("Slow-Mag Reformulated Feb 2012"); people write the brand only.
    """
    by_product: dict[str, list[frozenset[str]]] = defaultdict(list)
    by_name: dict[str, frozenset[str]] = {}
    for row in products:
        ingredients = frozenset(row["ingredients"].split())
        if row["tty"] == "BN":
            by_name.setdefault(_brand(row["name"]), ingredients)
        elif row["tty"] in ("SBD", "SBDC", "SBDF"):
            for brand in re.findall(r"\[([^\]]+)\]", row["name"]):
                by_product[_brand(brand)].append(ingredients)
    shared = {brand: frozenset.intersection(*sets) for brand, sets in by_product.items()}
    return {brand: rxcuis for brand, rxcuis in (by_name | shared).items() if rxcuis}


def _brand(name: str) -> str:
    return phrase_of(name).partition(" reformulated")[0]


def product_concepts(ingredients: list[Row], products: list[Row], index: TextIndex) -> list[Json]:
    """Concepts of the RxNorm supplement of products."""
    known = {row["rxcui"]: row for row in ingredients}
    return [_product(row, known, index) for row in sorted(products, key=lambda row: int(row["rxcui"]))]


def _product(row: Row, known: dict[str, Row], index: TextIndex) -> Json:
    rxcuis = row["ingredients"].split()
    if not rxcuis or not known.keys() >= set(rxcuis):
        raise SourceError(f"products.csv: {row['rxcui']} has an unknown ingredient")
    form = row["dose_form"]
    text = index.match(row["name"])
    route = text.route if form == "Pack" else route_of_form(form)
    properties = [property_of("tty", "Code", row["tty"])]
    for rxcui in rxcuis:
        local = rxcui.startswith(LOCAL)
        kind = ("local-ingredient", "String") if local else ("ingredient", "Code")
        properties.append(property_of(*kind, rxcui.removeprefix(LOCAL)))
    if form:
        properties.append(property_of("dose-form", "String", form))
    if route:
        properties.append(property_of("route", "Code", route))
    if text.long_acting or _is_depot(row, route, [known[rxcui] for rxcui in rxcuis], known):
        properties.append(property_of("long-acting", "Boolean", True))
    properties += [property_of("strength", "String", strength) for strength in listed(row["strengths"])]
    return {"code": row["rxcui"], "display": row["name"], "property": properties}


def _is_depot(row: Row, route: str, ingredients: list[Row], known: dict[str, Row]) -> bool:
    """True where form or strength tell a depot that the name does not: RxNorm often leaves the ester out."""
    if route == "parenteral" and any(one["injected_is_long_acting"] for one in ingredients):
        return True
    if row["dose_form"] == "Injectable Suspension" and any("antipsychotic" in one["classes"] for one in ingredients):
        return True
    for amount in filter(None, map(_AMOUNT.fullmatch, listed(row["strengths"]))):
        limit = known[amount[1]]["depot_from_mg_per_ml" if amount[3] else "depot_from_mg"]
        if limit and Decimal(amount[2]) >= Decimal(limit):
            return True
    return False


def read_products() -> list[Row]:
    """The product table, with every code once and every source count above zero."""
    rows = read_unique("products", "rxcui")
    bad = [row["rxcui"] for row in rows if int(row["n_sources"]) < 1]
    if bad:
        raise SourceError(f"products.csv: no source for {bad}")
    return rows


def read_ingredients() -> list[Row]:
    """The ingredient table, with every code and every name once."""
    rows = read_unique("ingredients", "rxcui")
    if len({row["name"] for row in rows}) != len(rows):
        raise SourceError("ingredients.csv: a name stands twice")
    return rows
