"""What two sets of drug data treat differently: codes gained, codes lost, and codes that mean something else."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from valuesets.ndc import readings
from valuesets.release.shape import LOCAL, identities_of
from valuesets.store import BRANDS, CodeSystem, Concept, Resources, ValueSet

_TIERED: Final = (("CodeSystem/rxnorm-ingredients", ""), ("CodeSystem/ingredients", LOCAL))
_PRODUCTS: Final = (
    ("RxNorm", "CodeSystem/rxnorm-products"),
    ("NDC", "CodeSystem/ndc-products"),
    ("ATC", "CodeSystem/atc-drugs"),
    ("SNOMED CT", "CodeSystem/snomed-drugs"),
)
_KINDS: Final = ("gained", "lost", "changed")


class Meaning(msgspec.Struct, frozen=True):
    """What the data say of one code: ``aspects`` by name, and the ingredients and value sets that it concerns."""

    name: str
    aspects: Mapping[str, str]
    ingredients: tuple[str, ...] = ()
    value_set: str = ""


class Change(msgspec.Struct, frozen=True):
    """One code that is treated differently; ``kind`` is "gained", "lost" or "changed".

    ``what`` says what it is a code of: "RxNorm", "NDC", "ATC", "SNOMED CT", "ingredient", "name", or the id of a value
    set. ``before`` and
    ``after`` tell the aspects in which it differs, "" where the code is unknown.
    """

    kind: str
    what: str
    code: str
    name: str
    before: str
    after: str
    ingredients: tuple[str, ...] = ()
    value_set: str = ""


def changes(old: Resources, new: Resources) -> list[Change]:
    """Every difference between two sets of data, sorted by kind, what and code."""
    before, after = dict(_meanings(old)), dict(_meanings(new))
    found = [_change(key, before.get(key), after.get(key)) for key in before.keys() | after.keys()]
    return sorted([one for one in found if one is not None], key=_order)


def _order(change: Change) -> tuple[int, str, int, str]:
    return _KINDS.index(change.kind), change.what, int(change.code) if change.code.isdecimal() else 0, change.code


def _change(key: tuple[str, str], old: Meaning | None, new: Meaning | None) -> Change | None:
    if old is None and new is not None:
        return Change("gained", *key, new.name, "", _told(new.aspects), new.ingredients, new.value_set)
    if new is None and old is not None:
        return Change("lost", *key, old.name, _told(old.aspects), "", old.ingredients, old.value_set)
    if old is None or new is None or old.aspects == new.aspects:
        return None
    differing = [name for name in {**old.aspects, **new.aspects} if old.aspects.get(name) != new.aspects.get(name)]
    before, after = (_told({name: one.aspects.get(name, "none") for name in differing}) for one in (old, new))
    ingredients = tuple(dict.fromkeys(old.ingredients + new.ingredients))
    return Change("changed", *key, new.name, before, after, ingredients, new.value_set)


def _told(aspects: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in aspects.items())


def _meanings(resources: Resources) -> Iterator[tuple[tuple[str, str], Meaning]]:
    names = dict(_ingredient_names(resources))
    for key, prefix in _TIERED:
        for concept in resources.decode(key, CodeSystem).concept:
            yield ("ingredient", prefix + concept.code), _ingredient(concept, prefix + concept.code)
    for what, key in _PRODUCTS:
        for concept in resources.decode(key, CodeSystem).concept:
            yield (what, _same(what, concept.code)), _product(concept, names)
    further = resources.decode(BRANDS, CodeSystem).concept if BRANDS in resources else []
    for concept in resources.decode("CodeSystem/drug-names", CodeSystem).concept + further:
        identities = tuple(one.text for one in concept.properties if one.code == "ingredient")
        yield ("name", concept.code), Meaning(concept.code, {"ingredients": _listed(identities, names)}, identities)
    for key, value_set in resources.value_sets(""):
        yield from _members(key, value_set)


def _same(what: str, code: str) -> str:
    """One way of writing for codes that can be written in several."""
    return readings(code)[0] if what == "NDC" else code


def _ingredient_names(resources: Resources) -> Iterator[tuple[str, str]]:
    for key, prefix in _TIERED:
        for concept in resources.decode(key, CodeSystem).concept:
            yield prefix + concept.code, concept.display


def _ingredient(concept: Concept, identity: str) -> Meaning:
    aspects = {one.code: one.text or str(one.value_decimal or one.value_boolean) for one in concept.properties}
    return Meaning(concept.display, aspects, (identity,))


def _product(concept: Concept, names: Mapping[str, str]) -> Meaning:
    properties = concept.properties
    identities = identities_of(properties)
    aspects = {"ingredients": _listed(identities, names)}
    route = next((one.text for one in properties if one.code == "route"), "")
    strengths = sorted(one.text for one in properties if one.code == "strength")
    if any(one.code == "multi" for one in properties):
        aspects["further substances"] = "yes"
    if route:
        aspects["route"] = route
    if strengths:
        aspects["strength"] = ", ".join(_strength(one, names) for one in strengths)
    if any(one.code == "long-acting" for one in properties):
        aspects["long-acting"] = "yes"
    return Meaning(concept.display, aspects, identities)


def _strength(strength: str, names: Mapping[str, str]) -> str:
    identity, _, amount = strength.partition("=")
    return f"{names.get(identity, identity)} {amount}"


def _listed(identities: tuple[str, ...], names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names.get(identity, identity) for identity in identities))


def _members(key: str, value_set: ValueSet) -> Iterator[tuple[tuple[str, str], Meaning]]:
    for scope, parts in (("included", value_set.compose.include), ("excluded", value_set.compose.exclude)):
        for part in parts:
            for concept in part.concept:
                meaning = Meaning(concept.display, {scope: "alone", "system": part.system}, (), key)
                yield (key, concept.code), meaning
            for rule in part.filter:
                meaning = Meaning("", {scope: "with all below it", "system": part.system}, (), key)
                yield (key, rule.value), meaning
