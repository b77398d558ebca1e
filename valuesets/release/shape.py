"""The form of drug data: from what a source says of a product to the concept that the loader reads."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from valuesets.model import TextMatch
from valuesets.release.layout import Json
from valuesets.store import Property
from valuesets.text import Name, normalise, split_words

LOCAL: Final = "local:"
_PREFIXES: Final = {"ingredient": "", "local-ingredient": LOCAL}
PACK: Final = "Pack"
SHORTEST_BRAND: Final = 4  # letters
BRANDED: Final = frozenset({"SBD", "SBDC", "SBDF"})
_AMOUNT: Final = re.compile(r"([^=]+)=([\d.]+) mg(/ml)?")

# The first dose form word that matches gives the route; the order matters.
_ROUTE_OF_FORM: Final = (
    (r"sublingual|buccal", "sublingual"),
    (r"rectal|enema", "rectal"),
    (r"nasal", "nasal"),
    (r"ophthalmic", "ophthalmic"),
    (r"transdermal", "transdermal"),
    (r"topical", "topical"),
    (r"intraperitoneal|irrigation|otic|inhal|implant|dental|mouthwash|toothpaste|vaginal|mucosal", "other"),
    (r"inject|prefilled syringe|cartridge", "parenteral"),
    (r"oral|tablet|capsule|pill|chew|wafer|lozenge|gum|granule|extended release suspension", "oral"),
)


class Described(msgspec.Struct, frozen=True, gc=False):
    """One RxNorm concept as a source describes it; ``strengths`` are in the data's notation, "5093=5 mg/ml".

    ``multi`` says that it holds further active substances, whether they are among ``ingredients`` or not; ``further``
    names those that are none of ours. ``single_source`` is the only source of the code, "" where there are more.
    """

    rxcui: str
    tty: str
    name: str
    ingredients: tuple[str, ...]
    dose_form: str = ""
    strengths: tuple[str, ...] = ()
    multi: bool = False
    further: tuple[str, ...] = ()
    single_source: str = ""


class Kept(msgspec.Struct, frozen=True, gc=False):
    """An ingredient of ours, and from which strength in mg or mg/ml on its injection is a depot (None: by name)."""

    identity: str
    name: str
    antipsychotic: bool = False
    injected_is_long_acting: bool = False
    depot_from_mg: Decimal | None = None
    depot_from_mg_per_ml: Decimal | None = None


def phrase_of(name: str) -> str:
    """A name as text matching sees it: its words in lower case, without punctuation or bracketed remarks."""
    return " ".join(split_words(normalise(re.sub(r"\s*\([^)]*\)", "", name))))


def route_of_form(dose_form: str) -> str:
    """The route that a dose form implies, or ""."""
    form = dose_form.lower()
    return next((route for pattern, route in _ROUTE_OF_FORM if re.search(pattern, form)), "")


def property_of(code: str, kind: str, value: object) -> Json:
    """One concept property; ``kind`` is the FHIR value type, e.g. "Code"."""
    return {"code": code, f"value{kind}": value}


def identities_of(properties: Iterable[Property]) -> tuple[str, ...]:
    """The ingredients that the properties of a product's concept name."""
    return tuple([_PREFIXES[one.code] + one.text for one in properties if one.code in _PREFIXES])


def concept_of(product: Described, known: Mapping[str, Kept], match: Callable[[str], TextMatch]) -> Json:
    """The concept of a product whose ingredients are all ``known``; ``match`` reads its name as the service would."""
    text = match(product.name)
    route = text.route if product.dose_form == PACK else route_of_form(product.dose_form)
    properties = [property_of("tty", "Code", product.tty)]
    for identity in product.ingredients:
        local = identity.startswith(LOCAL)
        kind = ("local-ingredient", "String") if local else ("ingredient", "Code")
        properties.append(property_of(*kind, identity.removeprefix(LOCAL)))
    if product.multi:
        properties.append(property_of("multi", "Boolean", True))
    if product.dose_form:
        properties.append(property_of("dose-form", "String", product.dose_form))
    if route:
        properties.append(property_of("route", "Code", route))
    if text.long_acting or is_depot(product, route, known):
        properties.append(property_of("long-acting", "Boolean", True))
    properties += [property_of("strength", "String", strength) for strength in product.strengths]
    properties += further_properties(product.further)
    if product.single_source:
        properties.append(property_of("single-source", "String", product.single_source))
    return {"code": product.rxcui, "display": product.name, "property": properties}


def further_properties(names: Iterable[str]) -> list[Json]:
    """The properties that name the further ingredients of a product or of a brand."""
    return [property_of("further-ingredient", "String", name) for name in names]


def is_depot(product: Described, route: str, known: Mapping[str, Kept]) -> bool:
    """True where form or strength tell a depot that the name does not: RxNorm often leaves the ester out."""
    ingredients = [known[identity] for identity in product.ingredients]
    if route == "parenteral" and any(one.injected_is_long_acting for one in ingredients):
        return True
    if product.dose_form == "Injectable Suspension" and any(one.antipsychotic for one in ingredients):
        return True
    for amount in filter(None, map(_AMOUNT.fullmatch, product.strengths)):
        one = known[amount[1]]
        limit = one.depot_from_mg_per_ml if amount[3] else one.depot_from_mg
        if limit is not None and Decimal(amount[2]) >= limit:
            return True
    return False


def brands_of(products: Iterable[Described]) -> dict[str, frozenset[str]]:
    """Brands with the ingredients that all their products share; a brand without shared ones is left out.

    RxNorm marks a changed recipe ("Slow-Mag Reformulated Feb 2012"); people write the brand only.
    """
    by_product: dict[str, list[frozenset[str]]] = defaultdict(list)
    by_name: dict[str, frozenset[str]] = {}
    for product in products:
        ingredients = frozenset(product.ingredients)
        if product.tty == "BN":
            by_name.setdefault(brand_of(product.name), ingredients)
        elif product.tty in BRANDED:
            for brand in re.findall(r"\[([^\]]+)\]", product.name):
                by_product[brand_of(brand)].append(ingredients)
    shared = {brand: frozenset.intersection(*sets) for brand, sets in by_product.items()}
    return {brand: identities for brand, identities in (by_name | shared).items() if identities}


def combined_brands(products: Iterable[Described]) -> frozenset[str]:
    """Brands of which a product holds several ingredients, whether we know them all or not."""
    names = [product.name for product in products if product.tty in BRANDED and " / " in product.name]
    return frozenset(brand_of(brand) for name in names for brand in re.findall(r"\[([^\]]+)\]", name))


def usable_brand(brand: str) -> bool:
    """True for a brand that is long enough to be found in texts."""
    return len(brand.replace(" ", "")) >= SHORTEST_BRAND


def brand_of(name: str) -> str:
    """A brand as text matching sees it, without the mark of a changed recipe."""
    return phrase_of(name).partition(" reformulated")[0]


def name_concept(kind: str, name: Name) -> Json:
    """The concept of a drug name; ``kind`` is "generic", "salt" or "brand"."""
    properties = [property_of("kind", "Code", kind)]
    properties += [property_of("ingredient", "String", rxcui) for rxcui in name.ingredients]
    if name.long_acting:
        properties.append(property_of("long-acting", "Boolean", True))
    if name.route:
        properties.append(property_of("route", "Code", name.route))
    if name.combined:
        properties.append(property_of("combined", "Boolean", True))
    properties += further_properties(name.further)
    return {"code": name.phrase, "property": properties}


def code_order(concept: Json) -> tuple[int, str]:
    """Sort key of concepts: numeric codes by number."""
    return (int(concept["code"]) if concept["code"].isdecimal() else 0, concept["code"])
