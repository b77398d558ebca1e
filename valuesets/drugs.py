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
        if concept is None:
            return None
        try:
            return self._built.setdefault(key, self._build(concept))
        except KeyError as error:
            raise TerminologyDataError(f"product {concept.code} has an unknown ingredient {error}") from None

    def _build(self, concept: Concept) -> Product:
        """One loop with a local name for each part, which takes half the time of a dictionary of them."""
        known, amounts = self._ingredients, self._strengths
        ingredients: list[Ingredient] = []
        strengths: list[Strength] = []
        others: list[_Part] = []
        tty = dose_form = route = ""
        long_acting = multi = False
        for one in _PARTS.decode(concept.raw_properties) if self._complete else self._kept(concept):
            code = one.code
            if code == "ingredient":
                ingredients.append(known[one.value_code])
            elif code == "local-ingredient":
                ingredients.append(known[LOCAL + one.value_string])
            elif code == "strength":
                text = one.value_string
                strengths.append(amounts.get(text) or self._strength(text))
            elif code == "tty":
                tty = one.value_code
            elif code == "dose-form":
                dose_form = one.value_string
            elif code == "route":
                route = one.value_code
            elif code == "multi":
                multi = True
            elif code == "long-acting":
                long_acting = True
            else:
                others.append(one)
        name = concept.display or " / ".join([one.name for one in ingredients])
        parts = tuple(ingredients), dose_form, route, long_acting, tuple(strengths)
        told = _told(others) if others else ((), "")
        return Product(concept.code, name, tty, *parts, self._matched_by, multi, *told)

    def _kept(self, concept: Concept) -> list[_Part]:
        """The parts of a product without those of unknown ingredients."""
        known = self._ingredients
        parts = _PARTS.decode(concept.raw_properties)
        return [one for one in parts if (identity := _identity(one)) is None or identity in known]

    def _strength(self, text: str) -> Strength:
        """Products share their strengths, so each is read once."""
        return self._strengths.setdefault(text, read_strength(text))


def _told(others: list[_Part]) -> tuple[tuple[str, ...], str]:
    """The further ingredients, and the only source of the code."""
    further = tuple([one.value_string for one in others if one.code == "further-ingredient"])
    return further, next((one.value_string for one in others if one.code == "single-source"), "")


class AlikeIndex(ProductIndex):
    """Drugs by a code of which many say the same, as those of a drug's makers do: what they say is decoded once."""

    def __init__(
        self, concepts: Mapping[str, Concept], ingredients: Mapping[str, Ingredient], complete: bool, matched_by: str
    ) -> None:
        super().__init__(concepts, ingredients, complete, matched_by)
        self._alike: dict[bytes, Product] = {}

    def _build(self, concept: Concept) -> Product:
        said = bytes(concept.raw_properties)
        like = self._alike.get(said) or self._alike.setdefault(said, super()._build(concept))
        name = concept.display or " / ".join([one.name for one in like.ingredients])
        parts = like.tty, like.ingredients, like.dose_form, like.route, like.long_acting, like.strengths
        return Product(concept.code, name, *parts, like.matched_by, like.multi, like.further)


def _identity(part: _Part) -> str | None:
    """The ingredient of which a part tells, or None."""
    if part.code == "ingredient":
        return part.value_code
    if part.code == "local-ingredient":
        return LOCAL + part.value_string
    return part.value_string.partition("=")[0] if part.code == "strength" else None


def read_strength(text: str) -> Strength:
    """Read the data's strength notation: "5093=5 mg/ml", "5093=2 mg/15 ml" or "5093=10 mg"."""
    rxcui, _, amount = text.partition("=")
    amount, _, per = amount.partition("/")
    value, _, unit = amount.partition(" ")
    if not per:
        return Strength(rxcui, Decimal(value), unit)
    per_value, _, per_unit = per.rpartition(" ")
    return Strength(rxcui, Decimal(value), unit, Decimal(per_value or 1), per_unit)
