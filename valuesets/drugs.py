"""Ingredients and products: decoding the drug data, and building a product when it is first asked for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from valuesets.model import Ingredient, Product, Strength
from valuesets.store import CodeSystem, Concept, Property, Resources, TerminologyDataError

LOCAL: Final = "local:"
_TIERS: Final = {
    "tier": "tier",
    "tier-parenteral": "tier_parenteral",
    "tier-under-18": "tier_under_18",
    "tier-low-dose": "tier_low_dose",
    "tier-high-dose": "tier_high_dose",
}
_AMOUNTS: Final = {
    "low-dose-mg": "low_dose_mg",
    "high-dose-mg-per-kg": "high_dose_mg_per_kg",
    "equivalent-mg": "equivalent_mg",
}


def read_ingredients(resources: Resources) -> tuple[dict[str, Ingredient], frozenset[str]]:
    """Ingredients by identity, and the identities of those whose every injection is long-acting."""
    classes = _classes(resources)
    ingredients: dict[str, Ingredient] = {}
    injected: set[str] = set()
    for key, prefix in (("CodeSystem/rxnorm-ingredients", ""), ("CodeSystem/ingredients", LOCAL)):
        for concept in resources.decode(key, CodeSystem).concept:
            rxcui = prefix + concept.code
            properties = concept.properties
            ingredients[rxcui] = _ingredient(rxcui, concept.display, properties, classes.get(rxcui, frozenset()))
            if any(one.code == "injected-is-long-acting" for one in properties):
                injected.add(rxcui)
    return ingredients, frozenset(injected)


def _classes(resources: Resources) -> dict[str, frozenset[str]]:
    members: dict[str, set[str]] = {}
    for key, value_set in resources.value_sets("drug-"):
        for include in value_set.compose.include:
            prefix = LOCAL if include.system.endswith("/ingredients") else ""
            for concept in include.concept:
                members.setdefault(prefix + concept.code, set()).add(key)
    return {rxcui: frozenset(keys) for rxcui, keys in members.items()}


def _ingredient(rxcui: str, name: str, properties: list[Property], classes: frozenset[str]) -> Ingredient:
    tiers = {_TIERS[one.code]: one.text for one in properties if one.code in _TIERS}
    amounts = {_AMOUNTS[one.code]: one.value_decimal for one in properties if one.code in _AMOUNTS}
    return Ingredient(rxcui=rxcui, name=name, classes=classes, **tiers, **amounts)  # type: ignore[arg-type]


class ProductIndex:
    """RxNorm products by code. A concept is decoded to a Product on its first look-up and then kept."""

    def __init__(self, concepts: list[Concept], ingredients: Mapping[str, Ingredient]) -> None:
        self._concepts = {concept.code: concept for concept in concepts}
        self._ingredients = ingredients
        self._built: dict[str, Product] = {}

    def find(self, code: str) -> Product | None:
        """The product with RxNorm code ``code``, or None."""
        built = self._built.get(code)
        if built is not None:
            return built
        concept = self._concepts.get(code)
        if concept is not None:
            return self._built.setdefault(code, self._build(concept))
        ingredient = self._ingredients.get(code)
        if ingredient is None or code.startswith(LOCAL):
            return None
        return self._built.setdefault(code, Product(code, ingredient.name, "IN", (ingredient,), "", "", False, ()))

    def _build(self, concept: Concept) -> Product:
        single: dict[str, str] = {}
        rxcuis: list[str] = []
        strengths: list[Strength] = []
        for one in concept.properties:
            if one.code == "ingredient":
                rxcuis.append(one.value_code)
            elif one.code == "local-ingredient":
                rxcuis.append(LOCAL + one.value_string)
            elif one.code == "strength":
                strengths.append(read_strength(one.value_string))
            else:
                single[one.code] = one.text
        return Product(
            rxcui=concept.code,
            name=concept.display,
            tty=single.get("tty", ""),
            ingredients=tuple(self._ingredient(rxcui, concept) for rxcui in rxcuis),
            dose_form=single.get("dose-form", ""),
            route=single.get("route", ""),
            long_acting="long-acting" in single,
            strengths=tuple(strengths),
        )

    def _ingredient(self, rxcui: str, concept: Concept) -> Ingredient:
        try:
            return self._ingredients[rxcui]
        except KeyError:
            raise TerminologyDataError(f"product {concept.code} has an unknown ingredient {rxcui}") from None


def read_strength(text: str) -> Strength:
    """Read the data's strength notation: "5093=5 mg/ml", "5093=2 mg/15 ml" or "5093=10 mg"."""
    rxcui, _, amount = text.partition("=")
    amount, _, per = amount.partition("/")
    value, _, unit = amount.partition(" ")
    if not per:
        return Strength(rxcui, Decimal(value), unit)
    per_value, _, per_unit = per.rpartition(" ")
    return Strength(rxcui, Decimal(value), unit, Decimal(per_value or 1), per_unit)
