"""The terminology: one object, loaded once, that answers what a code or a text means."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from valuesets.conditions import ConditionIndex
from valuesets.drugs import ProductIndex, read_ingredients
from valuesets.model import Coding, Ingredient, Product, TextMatch
from valuesets.store import CodeSystem, ConceptMap, Resources, ValueSet
from valuesets.systems import LOINC, RXNORM, canonical_system
from valuesets.text import Name, TextIndex, Word

_NO_CONCEPTS: Final[frozenset[str]] = frozenset()


class Terminology:
    """Everything that the value sets know. Immutable in effect and safe to share between threads.

    Code systems may be given by canonical URL or as ``urn:oid:``, in any case, with or without a trailing slash.
    An unknown system or code is never an error: the answer is None or empty.
    """

    version: str

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._ingredients, injected = read_ingredients(resources)
        products = resources.decode("CodeSystem/rxnorm-products", CodeSystem)
        self.version = products.version
        self._products = ProductIndex(products.concept, self._ingredients)
        self._text = TextIndex(_names(resources), _words(resources), self._ingredients, injected)
        self._by_name = _ingredients_by_name(resources, self._ingredients)
        self._analytes = _analytes(resources)
        self._conditions = ConditionIndex(resources.value_sets("condition-"))
        self._routes = _routes(resources)

    @property
    def content_hash(self) -> str:
        """SHA-256 (hexadecimal) over all data files; changes when any code or wording in them changes."""
        return self._resources.content_hash

    def product(self, system: str, code: str) -> Product | None:
        """The RxNorm concept ``code`` of any kind (ingredient, salt, combination, form, product, brand, pack).

        Returns None for another system or a code that the data do not hold; about three in ten of today's US product
        codes are newer than the data, so None does not mean that the drug is harmless.
        """
        if canonical_system(system) != RXNORM:
            return None
        return self._products.find(code.strip())

    def ingredient(self, name_or_rxcui: str) -> Ingredient | None:
        """The ingredient with this RxNorm code, local identity, generic name, other name or salt name."""
        found = self._ingredients.get(name_or_rxcui)
        return found if found is not None else self._by_name.get(" ".join(name_or_rxcui.casefold().split()))

    def match_text(self, text: str) -> TextMatch:
        """The drugs that a free text names by whole-word generic name, salt or brand, in the order of the text.

        Case, punctuation, accents and Unicode forms do not matter. A text that also holds a rejection word ("allerg",
        "avoid", "history of", ...) keeps its ingredients but has ``rejected_by`` set, and so has one in which every
        name follows "no", "not" or "without"; a name so denied beside others is left out. The first 1,536 characters
        are read. A text without any known name gives a match without ingredients.
        """
        return self._text.match(text)

    def analyte(self, system: str, code: str) -> str | None:
        """The analyte ("calcium", "magnesium", "egfr", ...) of a LOINC code, or None."""
        return self._analytes.get(code.strip()) if canonical_system(system) == LOINC else None

    def concepts(self, system: str, code: str) -> frozenset[str]:
        """The condition keys ("dystonia", "tardive", "parkinson", ...) of a coded problem; empty if none.

        ICD-10-CM and WHO ICD-10 codes belong to a set with their ancestors; dots are optional. SNOMED CT codes belong
        to the sets that list them, without their descendants.
        """
        canonical = canonical_system(system)
        return self._conditions.find(canonical, code) if canonical is not None else _NO_CONCEPTS

    def route(self, system: str, code: str) -> str | None:
        """The route key ("oral", "parenteral", "rectal") of a coded route, or None."""
        return self._routes.get((canonical_system(system) or "", code.strip()))

    def route_text(self, text: str) -> str | None:
        """The route key that the text of a route field names ("IM", "by mouth", "per rectum"), or None."""
        return self._text.route(text)

    def members(self, value_set: str) -> tuple[Coding, ...]:
        """The codes of a value set by id ("observations", "lab-calcium", "condition-tardive", "drug-ssri").

        The bare key of a class, analyte or condition ("ssri") will do where it stands for one set only. A set that
        includes a code with all below it lists that code. Raises KeyError for an unknown or ambiguous id.
        """
        keys = [f"ValueSet/{prefix}{value_set}" for prefix in ("", "drug-", "lab-", "condition-")]
        known = [key for key in keys if key in self._resources]
        if len(known) != 1:
            raise KeyError(f"value set {value_set!r}: expected the id of one set, found {known or 'none'}")
        found: list[Coding] = []
        for include in self._resources.decode(known[0], ValueSet).compose.include:
            found += [Coding(include.system, concept.code, concept.display) for concept in include.concept]
            found += [Coding(include.system, rule.value) for rule in include.filter]
        return tuple(found)

    def resources(self) -> Mapping[str, bytes]:
        """Every FHIR resource as JSON bytes by "<type>/<id>", e.g. "ValueSet/dopamine-antagonists"; read lazily."""
        return self._resources


@cache
def load() -> Terminology:
    """Load the terminology; the first call reads the data files, later calls return the same object.

    Raises TerminologyDataError when the installed data files are missing or damaged.
    """
    return Terminology(Resources())


def _names(resources: Resources) -> list[Name]:
    names = []
    for concept in resources.decode("CodeSystem/drug-names", CodeSystem).concept:
        properties = concept.properties
        names.append(
            Name(
                phrase=concept.code,
                rest=tuple(concept.code.split(" ")[1:]),
                ingredients=tuple(one.value_string for one in properties if one.code == "ingredient"),
                long_acting=any(one.code == "long-acting" for one in properties),
                route=next((one.value_code for one in properties if one.code == "route"), ""),
            )
        )
    return names


def _words(resources: Resources) -> list[Word]:
    words = []
    for concept in resources.decode("CodeSystem/text-words", CodeSystem).concept:
        properties = concept.properties
        single = {one.code: one.text for one in properties}
        phrase = single["phrase"]
        words.append(
            Word(
                phrase=phrase,
                rest=tuple(phrase.split(" ")[1:]),
                kind=single["kind"],
                value=single.get("route", ""),
                applies_to=frozenset(one.value_string for one in properties if one.code == "applies-to"),
                parenteral_only="parenteral-only" in single,
            )
        )
    return words


def _ingredients_by_name(resources: Resources, ingredients: Mapping[str, Ingredient]) -> dict[str, Ingredient]:
    by_name = {one.name: one for one in ingredients.values()}
    for concept in resources.decode("CodeSystem/drug-names", CodeSystem).concept:
        properties = concept.properties
        kind = next((one.text for one in properties if one.code == "kind"), "")
        rxcuis = [one.value_string for one in properties if one.code == "ingredient"]
        if kind != "brand" and len(rxcuis) == 1:
            by_name.setdefault(concept.code, ingredients[rxcuis[0]])
    return by_name


def _analytes(resources: Resources) -> dict[str, str]:
    return {
        concept.code: key
        for key, value_set in resources.value_sets("lab-")
        for include in value_set.compose.include
        for concept in include.concept
    }


def _routes(resources: Resources) -> dict[tuple[str, str], str]:
    groups = resources.decode("ConceptMap/routes", ConceptMap).group
    return {(group.source, element.code): element.target[0].code for group in groups for element in group.element}
