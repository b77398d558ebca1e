"""Ingredients and products: decoding the drug data, and building a product when it is first asked for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from valuesets.manifest import TerminologyDataError
from valuesets.model import Ingredient, Product, Strength
from valuesets.store import CodeSystem, Concept, Property, Resources

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


class _Part(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One property of a product; all of them are codes, strings or true. This is decoded on the call's path."""

    code: str
    value_code: str = ""
    value_string: str = ""


_PARTS: Final = msgspec.json.Decoder(list[_Part])


class ProductIndex:
    """Drugs by the code of one system. A concept is decoded to a Product on its first look-up and then kept.

    ``complete`` says that every product holds known ingredients only. Without it an unknown one is left out: the data
    are a snapshot made for another list of ingredients, and those that are no longer on it are ordinary drugs.
    ``matched_by`` names the system in the products.
    """

    def __init__(
        self,
        concepts: Mapping[str, Concept],
        ingredients: Mapping[str, Ingredient],
        complete: bool = True,
        matched_by: str = "RxNorm code",
    ) -> None:
        self._concepts = concepts
        self._ingredients = ingredients
        self._complete = complete
        self._matched_by = matched_by
        self._built: dict[str, Product] = {}
        self._strengths: dict[str, Strength] = {}

    def find(self, key: str) -> Product | None:
        """The drug under this key, or None."""
        built = self._built.get(key)
        if built is not None:
            return built
        concept = self._concepts.get(key)
        return None if concept is None else self._built.setdefault(key, self._build(concept))

    def _build(self, concept: Concept) -> Product:
        single: dict[str, str] = {}
        identities: list[str] = []
        strengths: list[str] = []
        for one in _PARTS.decode(concept.raw_properties):
            code = one.code
            if code == "ingredient":
                identities.append(one.value_code)
            elif code == "strength":
                strengths.append(one.value_string)
            elif code == "local-ingredient":
                identities.append(LOCAL + one.value_string)
            else:
                single[code] = one.value_code or one.value_string
        if not self._complete:
            identities = [one for one in identities if one in self._ingredients]
            strengths = [one for one in strengths if one.partition("=")[0] in self._ingredients]
        ingredients = self._known(identities, concept)
        return Product(
            concept.code,
            concept.display or " / ".join([one.name for one in ingredients]),
            single.get("tty", ""),
            ingredients,
            single.get("dose-form", ""),
            single.get("route", ""),
            "long-acting" in single,
            tuple([self._strength(one) for one in strengths]),
            self._matched_by,
            "multi" in single,
        )

    def _known(self, identities: list[str], concept: Concept) -> tuple[Ingredient, ...]:
        try:
            return tuple([self._ingredients[one] for one in identities])
        except KeyError as error:
            raise TerminologyDataError(f"product {concept.code} has an unknown ingredient {error}") from None

    def _strength(self, text: str) -> Strength:
        """Products share their strengths, so each is read once."""
        known = self._strengths.get(text)
        return known if known is not None else self._strengths.setdefault(text, read_strength(text))


def read_strength(text: str) -> Strength:
    """Read the data's strength notation: "5093=5 mg/ml", "5093=2 mg/15 ml" or "5093=10 mg"."""
    rxcui, _, amount = text.partition("=")
    amount, _, per = amount.partition("/")
    value, _, unit = amount.partition(" ")
    if not per:
        return Strength(rxcui, Decimal(value), unit)
    per_value, _, per_unit = per.rpartition(" ")
    return Strength(rxcui, Decimal(value), unit, Decimal(per_value or 1), per_unit)
