"""Brand names that a release adds to those that ship."""

import json
from collections.abc import Callable, Mapping

from valuesets.model import TextMatch
from valuesets.release.collect import Collected
from valuesets.release.further import further_of_brands, with_further
from valuesets.release.layout import Json
from valuesets.release.shape import (
    Described,
    Kept,
    brands_of,
    combined_brands,
    identities_of,
    name_concept,
    usable_brand,
)
from valuesets.store import BRANDS, CodeSystem, Concept, Resources
from valuesets.text import Name

_NAMES = "CodeSystem/drug-names"


def further_brands(
    collected: Collected, resources: Resources, kept: Mapping[str, Kept], match: Callable[[str], TextMatch]
) -> Json:
    """The code system of the brands that are new; it has no concepts where there are none.

    A brand that ships, or that was left out on purpose, stays as it is. A brand that others use for a recipe without
    our ingredients is left out: its name alone does not say what is in it.
    """
    fields: Json = json.loads(resources[_NAMES])
    products = [*collected.products, *collected.foreign_brands]
    known = {one["code"] for one in fields["concept"]} | brands_of(_shipped(resources)).keys()
    combined, further = combined_brands(products), further_of_brands(with_further(products, match))
    names = []
    for brand, identities in sorted(brands_of(products).items()):
        read = {one.rxcui for one in match(brand).ingredients}
        if brand not in known and usable_brand(brand) and read != identities:
            ordered = tuple(sorted(identities, key=lambda identity: kept[identity].name))
            held = further.get(brand, ())
            names.append(Name(brand, tuple(brand.split(" ")[1:]), ordered, combined=brand in combined, further=held))
    key = BRANDS.partition("/")[2]
    about = {"id": key, "url": fields["url"].replace(fields["id"], key), "name": "RxnormBrands"}
    title = {"title": "Further brand names for text matching"}
    return fields | about | title | {"concept": [name_concept("brand", name) for name in names]}


def _shipped(resources: Resources) -> list[Described]:
    concepts = resources.decode("CodeSystem/rxnorm-products", CodeSystem).concept
    return [_as_described(concept) for concept in concepts]


def _as_described(concept: Concept) -> Described:
    properties = concept.properties
    tty = next((one.text for one in properties if one.code == "tty"), "")
    return Described(concept.code, tty, concept.display, identities_of(properties))
