"""The terminology: one object, loaded once, that answers what a code or a text means."""

import hashlib
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from valuesets.condition_text import ConditionWords, read_words
from valuesets.conditions import ConditionIndex
from valuesets.drug_codes import DrugCodes
from valuesets.drugs import read_ingredients
from valuesets.genes import Gene, GeneIndex, read_genes
from valuesets.model import Coding, Ingredient, Product, TextMatch
from valuesets.overlay import EMPTY, Overlay
from valuesets.store import BRANDS, CodeSystem, ConceptMap, Resources, ValueSet
from valuesets.systems import HGNC, LOINC, canonical_system
from valuesets.text import Name, TextIndex, Word

_NO_CONCEPTS: Final[frozenset[str]] = frozenset()


class Terminology:
    """Everything that the value sets know. Immutable in effect and safe to share between threads.

    Code systems may be given by canonical URL or as ``urn:oid:``, in any case, with or without a trailing slash.
    An unknown system or code is never an error: the answer is None or empty.
    """

    version: str

    def __init__(self, resources: Resources, overlay: Overlay = EMPTY) -> None:
        self._resources = resources
        self._overlay = overlay
        self._learned = EMPTY
        self._ingredients, injected = read_ingredients(resources)
        products = resources.decode("CodeSystem/rxnorm-products", CodeSystem)
        self.version = products.version
        self._drug_codes = DrugCodes(resources, products, self._ingredients)
        names = [*_names(resources, self._ingredients), *_local_names(overlay)]
        further = [one.code for one in resources.decode("CodeSystem/further-ingredients", CodeSystem).concept]
        self._text = TextIndex(names, _words(resources), self._ingredients, injected, further)
        self._by_name = _ingredients_by_name(resources, self._ingredients)
        self._analytes = _analytes(resources)
        self._conditions = ConditionIndex(resources.value_sets("condition-"))
        self._routes = _mapped(resources, "ConceptMap/routes")

    @property
    def content_hash(self) -> str:
        """SHA-256 (hexadecimal) over all data files and the site's overlay; changes when anything in them changes."""
        shipped = self._resources.content_hash
        if not self._overlay.version:
            return shipped
        return hashlib.sha256(f"{shipped}\0{self._overlay.version}".encode()).hexdigest()

    @property
    def overlay(self) -> Overlay:
        """The site's own codes and names."""
        return self._overlay

    @property
    def learned(self) -> Overlay:
        """The codes that a resolver learned; asked last."""
        return self._learned

    def learn(self, learned: Overlay) -> None:
        """Replace the learned codes, all at once for every thread. Names of a learned overlay are not read."""
        self._learned = learned

    def product(self, system: str, code: str) -> Product | None:
        """The drug that ``code`` means: an RxNorm concept of any kind, NDC, ATC code or SNOMED CT identifier.

        RxNorm is known as ingredient, salt, combination, form, product, brand and pack; an NDC in every way of writing
        it, with or without its package; ATC at the 5th level. What the data do not hold is asked of the site's overlay
        and then of what a resolver learned. About three in ten of today's US product codes are newer than the data, so
        None does not mean that the drug is harmless. A product without ingredients is known to be none of ours.
        """
        canonical, code = canonical_system(system), code.strip()
        found = self._drug_codes.find(canonical, code)
        if found is not None:
            return found
        key = (canonical or system.strip(), code)
        return self._overlay.drugs.get(key) or self._learned.drugs.get(key)

    def ingredient(self, name_or_rxcui: str) -> Ingredient | None:
        """The ingredient with this RxNorm code, local identity, generic name, other name or salt name."""
        found = self._ingredients.get(name_or_rxcui)
        return found if found is not None else self._by_name.get(" ".join(name_or_rxcui.casefold().split()))

    def match_text(self, text: str) -> TextMatch:
        """The drugs that a free text names by whole-word generic name, salt or brand, in the order of the text.

        Case, punctuation, accents and Unicode forms do not matter. A text that also holds a rejection word ("allerg",
        "avoid", "history of", ...) keeps its ingredients but has ``rejected_by`` set, and so has one in which every
        name follows "no", "not" or "without"; a name so denied beside others is left out. The first 1,024 characters
        are read. A text without any known name gives a match without ingredients.
        """
        return self._text.match(text)

    def analyte(self, system: str, code: str) -> str | None:
        """The analyte ("calcium", "magnesium", "egfr", ...) of a LOINC code or of the site's own code, or None."""
        canonical, code = canonical_system(system), code.strip()
        found = self._analytes.get(code) if canonical == LOINC else None
        if found is not None:
            return found
        key = (canonical or system.strip(), code)
        return self._overlay.analytes.get(key) or self._learned.analytes.get(key)

    def concepts(self, system: str, code: str) -> frozenset[str]:
        """The condition keys ("dystonia", "tardive", "parkinson", ...) of a coded problem; empty if none.

        ICD-10-CM and WHO ICD-10 codes belong to a set with their ancestors; dots are optional. SNOMED CT codes belong
        to the sets that list them, without their descendants.
        """
        canonical = canonical_system(system)
        found = self._conditions.find(canonical, code) if canonical is not None else _NO_CONCEPTS
        if found:
            return found
        key = (canonical or system.strip(), code.strip())
        return self._overlay.conditions.get(key) or self._learned.conditions.get(key, _NO_CONCEPTS)

    @cached_property
    def condition_words(self) -> ConditionWords:
        """The words by which texts name the few conditions that have no code. Made when first asked for."""
        return read_words(self._resources.decode("CodeSystem/condition-words", CodeSystem))

    def gene(self, system: str, code: str) -> Gene | None:
        """The gene of an HGNC identifier ("HGNC:30500", "30500") or of a symbol in its place; None for others."""
        return self._genes.find(code) if canonical_system(system) == HGNC else None

    def gene_text(self, text: str) -> tuple[Gene, ...]:
        """The genes that a text names by symbol, alias or previous symbol as a whole word, in the order of the text.

        Names that also mean something else ("PKC", "MR-1") are left out. The first 300 characters are read.
        """
        return self._genes.in_text(text)

    def genomic(self, system: str, code: str) -> str | None:
        """What a code of a variant report means ("variant", "gene", "present", "pathogenic", ...), or None."""
        return self._genomics.get((canonical_system(system) or system.strip(), code.strip()))

    @cached_property
    def _genes(self) -> GeneIndex:
        return read_genes(self._resources.decode("CodeSystem/genes", CodeSystem))

    @cached_property
    def _genomics(self) -> dict[tuple[str, str], str]:
        return _mapped(self._resources, "ConceptMap/genomics")

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


def load(overlay: Overlay = EMPTY, snapshot: Path | None = None) -> Terminology:
    """Load the terminology: the installed data, or those of the folder ``snapshot``, with a site's ``overlay``.

    Without arguments the first call reads the data files and later calls return the same object. Raises
    TerminologyDataError when the data files are missing or damaged.
    """
    if overlay is EMPTY and snapshot is None:
        return _installed()
    return Terminology(Resources(snapshot=snapshot), overlay)


@cache
def _installed() -> Terminology:
    return Terminology(Resources())


def _local_names(overlay: Overlay) -> list[Name]:
    return [
        Name(phrase, tuple(phrase.split(" ")[1:]), ingredients, further=overlay.further.get(phrase, ()))
        for phrase, ingredients in sorted(overlay.names.items())
    ]


def _names(resources: Resources, ingredients: Mapping[str, Ingredient]) -> list[Name]:
    names = []
    concepts = resources.decode("CodeSystem/drug-names", CodeSystem).concept
    if BRANDS in resources:
        concepts = concepts + resources.decode(BRANDS, CodeSystem).concept
    for concept in concepts:
        properties = concept.properties
        names.append(
            Name(
                phrase=concept.code,
                rest=tuple(concept.code.split(" ")[1:]),
                ingredients=tuple(one.value_string for one in properties if one.code == "ingredient"),
                long_acting=any(one.code == "long-acting" for one in properties),
                route=next((one.value_code for one in properties if one.code == "route"), ""),
                combined=any(one.code == "combined" for one in properties),
                further=tuple(one.value_string for one in properties if one.code == "further-ingredient"),
            )
        )
    # A snapshot of an older version may name ingredients that are no longer among ours.
    return [name for name in names if all(identity in ingredients for identity in name.ingredients)]


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
                value=single.get("route") or single.get("frequency", ""),
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


def _mapped(resources: Resources, key: str) -> dict[tuple[str, str], str]:
    groups = resources.decode(key, ConceptMap).group
    return {(group.source, element.code): element.target[0].code for group in groups for element in group.element}
