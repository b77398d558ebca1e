"""Which drug an order or a record names: code first, then text, every ingredient kept (C-TXT)."""

from __future__ import annotations

import msgspec

from plugin.fhir.types import Concept, Resource, concept_of
from plugin.patient import Medication
from plugin.vocabulary import cached, terminology
from valuesets import Product

_NOTHING = Medication("none")
_STEM_TIERS = ("H", "M")


@cached(maxsize=8192)
def _product(system: str, code: str) -> Product | None:
    return terminology().product(system, code)


@cached(maxsize=8192)
def _from_text(text: str, rejecting: bool = True) -> Medication:
    match = terminology().match_text(text)
    if match.ingredients and not (rejecting and match.rejected_by):
        return Medication("text", text, match.ingredients, match.route, match.long_acting)
    return Medication("ordinary", text, route=match.route, stem=_stem(text))


@cached(maxsize=1)
def _stems() -> tuple[str, ...]:
    known = (terminology().ingredient(coding.code) for coding in terminology().members("dopamine-antagonists"))
    return tuple(sorted(item.name for item in known if item is not None and item.tier in _STEM_TIERS))


def _stem(text: str) -> str:
    lowered = text.lower()
    return next((name for name in _stems() if name in lowered or name[:-1] in lowered), "")


@cached(maxsize=8192)
def _from_codes(codes: tuple[tuple[str, str], ...], texts: tuple[str, ...], rejecting: bool = True) -> Medication:
    label = texts[0] if texts else ""
    products = [found for system, code in codes if (found := _product(system, code)) is not None]
    if products:
        return _from_product(products, label, texts)
    for text in texts:
        match = _from_text(text, rejecting)
        if match.ingredients:
            return match
    if texts:
        stem = next((name for text in texts if (name := _from_text(text).stem)), "")
        return Medication("ordinary", label, route=_from_text(label).route, stem=stem)
    return Medication("unrecognised") if codes else _NOTHING


def _from_product(products: list[Product], label: str, texts: tuple[str, ...]) -> Medication:
    """The most specific product; text that names other known drugs, or codes that differ, is a conflict (R-DQ-06)."""
    best = max(products, key=lambda product: (bool(product.dose_form), len(product.ingredients), product.rxcui))
    names = {item.name for item in best.ingredients}
    others = [{item.name for item in product.ingredients} for product in products]
    worded = [{item.name for item in match.ingredients} for text in texts if (match := _from_text(text)).ingredients]
    conflict = any(not (names & other) for other in (*others, *worded))
    worded_route = next((match.route for text in texts if (match := _from_text(text)).route), "")
    long_acting = best.long_acting or any(_from_text(text).long_acting for text in texts)
    strengths = tuple(
        (part.ingredient_rxcui, part.value, part.unit, part.per_value, part.per_unit) for part in best.strengths
    )
    return Medication(
        "code",
        label or best.name,
        best.ingredients,
        best.route or worded_route,
        long_acting,
        conflict,
        named=_hidden(best, texts) if conflict else "",
        strengths=strengths,
    )


def _hidden(product: Product, texts: tuple[str, ...]) -> str:
    """The H/M drug that a text names and the code does not mean."""
    meant = {item.name for item in product.ingredients}
    worded = (item for text in texts for item in _from_text(text).ingredients)
    return next((item.name for item in worded if item.tier in _STEM_TIERS and item.name not in meant), "")


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


def of_resource(resource: Resource, medications: dict[str, Resource]) -> Medication:
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
    if reference is None:
        return _NOTHING
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


def _target(resource: Resource, reference: str, medications: dict[str, Resource]) -> Resource | None:
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
    if own.ingredients or not target.ingredient:
        return own
    concepts = (part.itemCodeableConcept or (part.item.concept if part.item else None) for part in target.ingredient)
    inner = [found for concept in concepts if concept and (found := of_concept(concept)).ingredients]
    if not inner:
        return own
    every = tuple(dict.fromkeys(item for found in inner for item in found.ingredients))
    return msgspec.structs.replace(inner[0], ingredients=every, label=own.label or inner[0].label)
