"""Which drug an order or a record names: code first, then text, every ingredient kept (C-TXT)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from plugin.fhir.types import Concept, Reference, Resource, concept_of
from plugin.patient import Medication
from plugin.text import READ_AT_MOST
from plugin.vocabulary import cached, terminology
from valuesets import Ingredient, Product, Strength

_NOTHING = Medication("none")
_STEM_TIERS = ("H", "M")
_UNSPECIFIC = frozenset({"calcium", "magnesium", "vitamin-d"})
"""Classes of which a text often names one without saying which: "vitamin D" does not contradict cholecalciferol."""
_ORDER = ("RxNorm code", "NDC", "ATC code", "SNOMED CT code", "site map")
"""Which of several equally specific codes counts; what a resolver learned comes last."""


@cached(maxsize=8192)
def _product(system: str, code: str) -> Product | None:
    return terminology().product(system, code)


@cached(maxsize=8192)
def _from_text(text: str, rejecting: bool = True) -> Medication:
    match = terminology().match_text(text)
    if match.ingredients and not (rejecting and match.rejected_by):
        how = "misspelt text" if match.misspelt else "text"
        strengths = _strengths(match.strengths, text)
        found = Medication("text", text, match.ingredients, match.route, match.long_acting, strengths=strengths)
        return msgspec.structs.replace(found, matched_by=how, further=match.further)
    denied = next((item.name for item in match.ingredients if item.tier in _STEM_TIERS), "")
    return Medication("ordinary", text, route=match.route, stem=denied or _stem(text))


# "5 mg tablet" is what a tablet holds; "5 mg" alone may as well be the dose.
_PER_PIECE = re.compile(
    r"\d\s*(?:mg|mcg|ug|µg|g)\b\s*(?:\w+\s+){0,2}(?:tab|cap|supp|caplet|pill|film|odt)[a-z]*", re.IGNORECASE
)


def _strengths(
    strengths: Sequence[Strength], text: str = ""
) -> tuple[tuple[str, Decimal, str, Decimal | None, str], ...]:
    """The strengths of a product; of those read in a ``text`` the ones that it says to be per mL or per piece."""
    sure = [part for part in strengths if not text or part.per_unit or _PER_PIECE.search(text[:READ_AT_MOST])]
    return tuple([(part.ingredient_rxcui, part.value, part.unit, part.per_value, part.per_unit) for part in sure])


@cached(maxsize=1)
def _stems() -> tuple[str, ...]:
    known = (terminology().ingredient(coding.code) for coding in terminology().members("dopamine-antagonists"))
    return tuple(sorted(item.name for item in known if item is not None and item.tier in _STEM_TIERS))


def _stem(text: str) -> str:
    lowered = text.lower()
    return next((name for name in _stems() if name in lowered or name[:-1] in lowered), "")


@cached(maxsize=8192)
def _from_codes(codes: tuple[tuple[str, str], ...], texts: tuple[str, ...], rejecting: bool = True) -> Medication:
    known = [found for system, code in codes if (found := _product(system, code)) is not None]
    # A code that is known to be no drug of ours still has a name, which is read like any other text.
    others = [product for product in known if not product.ingredients]
    texts += tuple(product.name for product in others if product.name)
    label = texts[0] if texts else ""
    products = [product for product in known if product.ingredients]
    if products:
        return _from_products(products, label, texts)
    worded = [match for text in texts if (match := _from_text(text, rejecting)).ingredients]
    if worded:
        return _from_words(worded)
    if texts or others:
        stem = next((name for text in texts if (name := _from_text(text).stem)), "")
        return Medication("ordinary", label, route=_from_text(label).route, stem=stem)
    return Medication("unrecognised") if codes else _NOTHING


def _from_words(worded: list[Medication]) -> Medication:
    """What the first text names, or a longer text of the same drug; a plain spelling counts before a misspelt one."""
    first = next((match for match in worded if match.matched_by == "text"), worded[0])
    widest = max((match for match in worded if _holds(match, first)), key=lambda match: len(match.ingredients))
    return _compared(widest, worded)


def _from_products(products: list[Product], label: str, texts: tuple[str, ...]) -> Medication:
    """The most specific product, with every ingredient that another code of the same drug adds."""
    best = max(products, key=_specific)
    widest = max((one for one in products if _holds(one, best)), key=lambda one: (len(one.ingredients), _specific(one)))
    worded = [_from_text(text) for text in texts]
    medication = Medication(
        "code",
        label or best.name,
        widest.ingredients,
        best.route or next((match.route for match in worded if match.route), ""),
        best.long_acting or any(match.long_acting for match in worded),
        strengths=_strengths(best.strengths),
        matched_by=best.matched_by,
        dose_form=best.dose_form,
        several=best.multi,
        further=tuple(dict.fromkeys(best.further + widest.further)),
        single_source=best.single_source,
    )
    return _compared(medication, [*products, *worded])


def _compared(medication: Medication, claims: Sequence[Product | Medication]) -> Medication:
    """R-DQ-06: what the other codes and texts say; ``named`` is a tier H or M drug among it that is not judged."""
    others = [claim for claim in claims if _differs(medication, claim)]
    if not others:
        return medication
    lost = (item for claim in others for item in claim.ingredients if _is_lost(item, medication))
    named = next((item.name for item in lost), "")
    return msgspec.structs.replace(medication, conflict=True, named=named)


def _differs(medication: Medication, claim: Product | Medication) -> bool:
    """True if the claim names drugs and none of them is meant, or a tier H or M drug that is not meant."""
    if any(_is_lost(item, medication) for item in claim.ingredients):
        return True
    if not claim.ingredients or not set(claim.ingredients).isdisjoint(medication.ingredients):
        return False
    return not _unspecific(claim) & _unspecific(medication)


def _is_lost(item: Ingredient, medication: Medication) -> bool:
    return item.tier in _STEM_TIERS and item not in medication.ingredients


def _unspecific(claim: Product | Medication) -> frozenset[str]:
    return _UNSPECIFIC.intersection(*(item.classes for item in claim.ingredients))


def _specific(product: Product) -> tuple[int, int, int, str]:
    """How much a code tells of the drug: form and strength, ingredients, then the order of the code systems."""
    rank = _ORDER.index(product.matched_by) if product.matched_by in _ORDER else len(_ORDER)
    return bool(product.dose_form) + bool(product.strengths), len(product.ingredients), -rank, product.rxcui


def _holds(one: Product | Medication, other: Product | Medication) -> bool:
    return set(one.ingredients) >= set(other.ingredients)


def of_concept(concept: Concept, *also: str, rejecting: bool = True) -> Medication:
    """The medication that a CodeableConcept names; ``also`` are further texts, such as a reference's display.

    ``rejecting`` is False where "allergy to ..." names the drug that is meant, as in an AllergyIntolerance.
    """
    codes: list[tuple[str, str]] = []
    texts: list[str] = [concept.text] if concept.text and concept.text.strip() else []
    for coding in concept.coding or ():
        if coding.code:
            codes.append((coding.system or "", coding.code))
        if coding.display and coding.display.strip() and coding.display not in texts:
            texts.append(coding.display)
    texts.extend(text for text in also if text and text.strip() and text not in texts)
    return _from_codes(tuple(codes), tuple(texts), rejecting)


def of_resource(resource: Resource, medications: Mapping[str, Resource]) -> Medication:
    """The medication of an order, statement, administration or dispense, in every shape in which it arrives.

    ``medications`` are the Medication resources of the call by ``Medication/id`` and by fullUrl.
    """
    if resource.raw_medicationCodeableConcept:
        found = _of_raw(bytes(resource.raw_medicationCodeableConcept))
        if found is not None:
            return found
    concept, reference = None, resource.medicationReference
    if resource.medication is not None:
        concept = resource.medication.concept or _bare(resource.medication)
        reference = reference or resource.medication.reference
    if concept is not None and (concept.coding or concept.text):
        return of_concept(concept)
    return of_reference(resource, reference, medications) if reference is not None else _NOTHING


def of_reference(resource: Resource, reference: Reference, medications: Mapping[str, Resource]) -> Medication:
    """The medication that a reference in ``resource`` leads to, by its target first and else by its display."""
    target = _target(resource, reference.reference or "", medications)
    display = reference.display or ""
    if target is not None:
        found = _of_medication(target, display)
        if found.recognised != "none":
            return found
    if display.strip():
        return _from_codes((), (display,))
    return Medication("unrecognised") if (reference.reference or reference.identifier) else _NOTHING


@cached(maxsize=8192)
def _of_raw(raw: bytes) -> Medication | None:
    """What a CodeableConcept names, worked out once per distinct concept; None for an empty one."""
    concept = concept_of(raw)
    return of_concept(concept) if concept is not None and (concept.coding or concept.text) else None


def _bare(concept: Concept) -> Concept | None:
    return concept if concept.coding or concept.text else None


def _target(resource: Resource, reference: str, medications: Mapping[str, Resource]) -> Resource | None:
    if reference.startswith("#"):
        contained = resource.contained or ()
        return next((inner for inner in contained if inner.id and inner.id.lstrip("#") == reference[1:]), None)
    if "/_history/" in reference:
        reference = reference.split("/_history/", 1)[0]
    found = medications.get(reference)
    if found is None and "/Medication/" in reference:
        found = medications.get("Medication/" + reference.rsplit("/", 1)[1])
    return found


def _of_medication(target: Resource, display: str) -> Medication:
    own = (
        of_concept(target.code, display) if target.code is not None else _from_codes((), (display,) if display else ())
    )
    concepts = (
        part.itemCodeableConcept or (part.item.concept if part.item else None) for part in target.ingredient or ()
    )
    listed = [of_concept(concept) for concept in concepts if concept]
    inner = [found for found in listed if found.ingredients]
    every = tuple(dict.fromkeys(item for found in inner for item in found.ingredients))
    others = tuple(found.label for found in listed if found.recognised == "ordinary" and found.label)
    if own.ingredients:
        # Excipients are listed as well; none of them has a tier.
        more = tuple(item for item in every if item.tier and item not in own.ingredients)
        return msgspec.structs.replace(own, ingredients=own.ingredients + more) if more else own
    if not inner:
        return own
    label = own.label or inner[0].label
    return msgspec.structs.replace(inner[0], ingredients=every, label=label, further=inner[0].further + others)
