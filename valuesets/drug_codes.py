"""From a code of any drug system to the drug: RxNorm, National Drug Codes, ATC and SNOMED CT."""

from collections.abc import Mapping
from typing import Final

import msgspec

from valuesets.drugs import LOCAL, AlikeIndex, ProductIndex
from valuesets.model import Ingredient, Product
from valuesets.ndc import PRINTED, number_of, readings
from valuesets.store import CodeSystem, Concept, Resources
from valuesets.systems import ATC, NDC, RXNORM, SNOMED

RXNORM_CODE: Final = "RxNorm code"
NDC_CODE: Final = "NDC"
ATC_CODE: Final = "ATC code"
SNOMED_CODE: Final = "SNOMED CT code"


class DrugCodes:
    """The shipped drug codes of every system.

    NDC products are kept under their number of nine digits, so that every way of writing a code is one look-up. ATC
    codes are of the 5th level alone: a code above it names a group, and no drug.
    """

    def __init__(self, resources: Resources, products: CodeSystem, ingredients: Mapping[str, Ingredient]) -> None:
        self._ingredients = ingredients
        concepts = _by_code(products)
        complete = resources.collected_for(ingredients)
        self._rxnorm = ProductIndex(concepts, ingredients, complete, RXNORM_CODE)
        made = resources.decode("CodeSystem/ndc-products", CodeSystem).concept
        self._numbers = {concept.code: number_of(concept.code) for concept in made}
        by_number = {self._numbers[concept.code]: concept for concept in made}
        self._ndc = AlikeIndex(by_number, ingredients, complete, NDC_CODE)
        self._atc = ProductIndex(_read(resources, "atc-drugs"), ingredients, matched_by=ATC_CODE)
        self._snomed = ProductIndex(_read(resources, "snomed-drugs"), ingredients, matched_by=SNOMED_CODE)
        self._as_concepts: dict[str, Product] = {}

    def find(self, system: str | None, code: str) -> Product | None:
        """The drug that a stripped ``code`` of the canonical ``system`` means, or None."""
        if system == RXNORM:
            return self._rxnorm.find(code) or self._ingredient(code)
        if system == NDC:
            return self._by_ndc(code)
        if system == ATC:
            return self._atc.find(code) or self._atc.find(code.upper())
        return self._snomed.find(code) if system == SNOMED else None

    def _ingredient(self, code: str) -> Product | None:
        """An ingredient's own code where the products do not list it."""
        known = self._ingredients.get(code)
        if known is None or code.startswith(LOCAL):
            return None
        product = Product(code, known.name, "IN", (known,), "", "", False, (), RXNORM_CODE)
        return self._as_concepts.setdefault(code, product)

    def _by_ndc(self, code: str) -> Product | None:
        """The one product, or what all products agree on that the code may mean; None where they are other drugs."""
        product, _, package = code.rpartition("-")
        number = self._numbers.get(product)
        if number is not None and len(code) == PRINTED and package.isdecimal() and package.isascii():
            return self._ndc.find(number)  # the usual way of writing, found in a third of the time
        numbers = readings(code)
        if len(numbers) == 1:
            return self._ndc.find(numbers[0])
        found = [known for number in numbers if (known := self._ndc.find(number)) is not None]
        if len(found) == 1:
            return found[0]
        if len({frozenset(product.ingredients) for product in found}) != 1:
            return None
        return _common(found[0], found[1:])


def _common(first: Product, others: list[Product]) -> Product:
    """The first product, with the fields on which the others differ left open; a depot among them counts."""
    product = msgspec.structs.replace(first, long_acting=any(one.long_acting for one in (first, *others)))
    if any(one.dose_form != first.dose_form for one in others):
        product = msgspec.structs.replace(product, dose_form="")
    if any(one.route != first.route for one in others):
        product = msgspec.structs.replace(product, route="")
    if any(one.strengths != first.strengths for one in others):
        product = msgspec.structs.replace(product, strengths=())
    return product


def _by_code(system: CodeSystem) -> dict[str, Concept]:
    return {concept.code: concept for concept in system.concept}


def _read(resources: Resources, key: str) -> dict[str, Concept]:
    return _by_code(resources.decode(f"CodeSystem/{key}", CodeSystem))
