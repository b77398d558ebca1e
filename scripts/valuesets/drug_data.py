"""Drugs: ingredients with their tiers, RxNorm products, and the names and words of text matching."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec
from tables import LOCAL, Row, SourceError, listed, read_unique

from valuesets.model import Ingredient
from valuesets.release.further import further_of_brands, with_further
from valuesets.release.layout import Json
from valuesets.release.shape import (
    Described,
    Kept,
    brands_of,
    code_order,
    combined_brands,
    concept_of,
    name_concept,
    phrase_of,
    property_of,
    usable_brand,
)
from valuesets.text import Name, TextIndex, Word

TIERS: Final = ("tier", "tier_parenteral", "tier_under_18", "tier_low_dose", "tier_high_dose")
AMOUNTS: Final = ("low_dose_mg", "high_dose_mg_per_kg", "equivalent_mg", "depot_from_mg", "depot_from_mg_per_ml")


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
    return sorted(concepts, key=code_order)


class DrugNames:
    """All names of text matching with the index that the loader would make of them."""

    def __init__(self, ingredients: list[Row], products: list[Row]) -> None:
        self._rxcui = {row["name"]: row["rxcui"] for row in ingredients}
        self.names: dict[str, tuple[str, Name]] = {}
        for row in read_unique("names", "name"):
            implied = (row["long_acting"] == "yes", row["route"], bool(row["combined"]))
            further = _named(row["combined"])
            self._add(row["name"], row["kind"], listed(row["ingredients"]), *implied, further=further)
        for row in ingredients:
            self._add(row["name"], "generic", [row["name"]])
        for row in read_unique("salts", "rxcui"):
            self._add(row["name"], "salt", [row["ingredient"]])
        self._add_brands(products, {row["rxcui"]: row["name"] for row in ingredients})
        self.words = [self._word(row) for row in read_unique("text_words", "kind", "phrase")]
        known = {row["rxcui"]: Ingredient(row["rxcui"], row["name"]) for row in ingredients}
        injected = frozenset(row["rxcui"] for row in ingredients if row["injected_is_long_acting"])
        self.index = TextIndex([name for _, name in self.names.values()], self.words, known, injected)

    def _add(
        self,
        name: str,
        kind: str,
        ingredients: list[str],
        long_acting: bool = False,
        route: str = "",
        combined: bool = False,
        *,
        further: tuple[str, ...] = (),
    ) -> None:
        phrase = phrase_of(name)
        rxcuis = tuple(self._rxcui[one] for one in ingredients)
        found = Name(phrase, tuple(phrase.split(" ")[1:]), rxcuis, long_acting, route, combined, further)
        self.names.setdefault(phrase, (kind, found))

    def _add_brands(self, products: list[Row], name_of: Mapping[str, str]) -> None:
        excluded = {row["name"] for row in read_unique("brand_exclusions", "name")}
        described = [_described(row) for row in products]
        combined = combined_brands(described)
        for brand, ingredients in sorted(brands_of(described).items()):
            if brand in excluded or not usable_brand(brand):
                continue
            names = sorted(name_of[rxcui] for rxcui in ingredients)
            self._add(brand, "brand", names, combined=brand in combined)

    def _word(self, row: Row) -> Word:
        rest = tuple(row["phrase"].split(" ")[1:])
        applies_to = frozenset(self._rxcui[name] for name in listed(row["applies_to"]))
        value = row["route"] or row["frequency"]
        return Word(row["phrase"], rest, row["kind"], value, applies_to, row["parenteral_only"] == "yes")

    def name_concepts(self, products: list[Described]) -> list[Json]:
        """Concepts of the code system of drug names; a brand holds what all ``products`` of that name do."""
        shared = further_of_brands(products)
        concepts = []
        for phrase, (kind, name) in sorted(self.names.items()):
            further = name.further or (shared.get(phrase, ()) if kind == "brand" else ())
            concepts.append(name_concept(kind, msgspec.structs.replace(name, further=further)))
        return concepts

    def further_concepts(self, products: list[Described]) -> list[Json]:
        """Concepts of the code system of ingredients that are known by name alone."""
        named = {name for product in products for name in product.further}
        named |= {phrase_of(one) for _, name in self.names.values() for one in name.further}
        return [{"code": name} for name in sorted(named)]

    def word_concepts(self) -> list[Json]:
        """Concepts of the code system of text words."""
        concepts = []
        for word in sorted(self.words, key=lambda one: (one.kind, one.phrase)):
            properties = [property_of("kind", "Code", word.kind), property_of("phrase", "String", word.phrase)]
            if word.value:
                meaning = "frequency" if word.kind == "frequency" else "route"
                properties.append(property_of(meaning, "Code", word.value))
            properties += [property_of("applies-to", "String", rxcui) for rxcui in sorted(word.applies_to)]
            if word.parenteral_only:
                properties.append(property_of("parenteral-only", "Boolean", True))
            concepts.append({"code": f"{word.kind}:{word.phrase}", "property": properties})
        return concepts


def described_products(products: list[Row], index: TextIndex) -> list[Described]:
    """The products in the order of their codes, with further ingredients and with the only source of a code."""
    sources = {row["rxcui"]: row["source"] for row in read_unique("single_sources", "rxcui")}
    rows = sorted(products, key=lambda row: int(row["rxcui"]))
    unsure = {row["rxcui"] for row in rows if int(row["n_sources"]) == 1}
    if wrong := sorted(sources.keys() - unsure):
        raise SourceError(f"single_sources.csv: no product of one source has the code {wrong}")
    told = [msgspec.structs.replace(_described(row), single_source=sources.get(row["rxcui"], "")) for row in rows]
    return with_further(told, index.match)


def product_concepts(ingredients: list[Row], described: list[Described], index: TextIndex) -> list[Json]:
    """Concepts of the RxNorm supplement of products."""
    known = {row["rxcui"]: kept_of(row) for row in ingredients}
    for one in described:
        if not one.ingredients or not known.keys() >= set(one.ingredients):
            raise SourceError(f"products.csv: {one.rxcui} has an unknown ingredient")
    return [concept_of(one, known, index.match) for one in described]


def _described(row: Row) -> Described:
    ingredients, strengths = tuple(row["ingredients"].split()), tuple(listed(row["strengths"]))
    return Described(
        row["rxcui"], row["tty"], row["name"], ingredients, row["dose_form"], strengths, row["multi"] == "yes"
    )


def _named(combined: str) -> tuple[str, ...]:
    """The further ingredients of a name; "yes" says that there are some, which differ or are not known."""
    return () if combined == "yes" else tuple(listed(combined))


def kept_of(row: Row) -> Kept:
    """An ingredient as the form of drug data needs it."""
    limits = {one: Decimal(row[one]) for one in ("depot_from_mg", "depot_from_mg_per_ml") if row[one]}
    antipsychotic = "antipsychotic" in row["classes"]
    return Kept(row["rxcui"], row["name"], antipsychotic, bool(row["injected_is_long_acting"]), **limits)


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
