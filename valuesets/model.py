"""The values that the terminology hands out: ingredients, products, text matches and codings."""

from decimal import Decimal

import msgspec


class Coding(msgspec.Struct, frozen=True, gc=False):
    """One code of one code system; ``display`` is empty where a licence lets us ship the code only."""

    system: str
    code: str
    display: str = ""


class Ingredient(msgspec.Struct, frozen=True, gc=False):
    """One active ingredient with its acute-dystonia tier; two ingredients are the same if their ``rxcui`` is.

    ``rxcui`` is an RxNorm ingredient code, or ``local:<name>`` for the few ingredients whose RxNorm code two
    independent sources do not confirm. ``tier`` is "H", "M", "L" or "N" for an adult oral order, "" for an
    ordinary drug outside the risk table; the other ``tier_*`` fields say where the tier differs ("" = it does not).
    ``equivalent_mg`` is the dose in mg equal to 100 mg oral chlorpromazine by the AAPP table (of a range, the lower
    figure). It ranks drugs and must not be used to compute a patient's dose.
    """

    rxcui: str
    name: str
    tier: str = ""
    tier_parenteral: str = ""
    tier_under_18: str = ""
    low_dose_mg: Decimal | None = None
    tier_low_dose: str = ""
    high_dose_mg_per_kg: Decimal | None = None
    tier_high_dose: str = ""
    equivalent_mg: Decimal | None = None
    classes: frozenset[str] = frozenset()


class Strength(msgspec.Struct, frozen=True, gc=False):
    """How much of one ingredient a product holds: ``value`` ``unit`` per ``per_value`` ``per_unit``.

    A tablet of 5 mg is ``(5, "mg", None, "")``; a solution of 5 mg/ml is ``(5, "mg", 1, "ml")``. Other denominators
    that RxNorm uses are "mg", "h" and "actuat". Units are lower case.
    """

    ingredient_rxcui: str
    value: Decimal
    unit: str
    per_value: Decimal | None = None
    per_unit: str = ""


class Product(msgspec.Struct, frozen=True, gc=False):
    """What one code means: a drug of any kind (``tty`` where it is an RxNorm concept) with every ingredient we know.

    ``rxcui`` is the code itself, whatever its system. ``matched_by`` tells how the code was recognised: "RxNorm code",
    "NDC", "ATC code", "SNOMED CT code", "site map" or the name of the resolver that learned it.

    ``route`` is one of "oral", "parenteral", "rectal", "nasal", "transdermal", "topical", "ophthalmic", "sublingual",
    "other", or "" where the dose form does not tell. A pack whose parts differ in strength has no strength here.
    ``multi`` says that it holds further active substances, whether they are among ``ingredients`` or not; ``further``
    names those that are known by name only, which no rule looks at. ``single_source`` is the only source that gives
    the code, "" for the others.
    """

    rxcui: str
    name: str
    tty: str
    ingredients: tuple[Ingredient, ...]
    dose_form: str
    route: str
    long_acting: bool
    strengths: tuple[Strength, ...]
    matched_by: str = "RxNorm code"
    multi: bool = False
    further: tuple[str, ...] = ()
    single_source: str = ""


class TextMatch(msgspec.Struct, frozen=True):
    """What a free text says about drugs; no match is a ``TextMatch`` without ingredients.

    ``rejected_by`` is the word that makes the text no statement of use ("allerg", "history of", "no", ...), else "".
    ``words`` are the names that matched, as normalised for matching, in the order of the text. ``misspelt`` are the
    words as written (normalised) that match a name of eight letters or more at edit distance 1. ``strengths`` holds the
    one amount that the text gives, where it names one ingredient alone and no other word parts the two; mass is in mg.
    The text does not tell whether that is the product's strength or the dose. ``frequency`` is "BID", "Q6H", "QHS",
    "PRN", "TID PRN", ... where the text says one plainly. ``further`` are the names that stand beside the ingredients,
    or that a brand among them implies, and that are known as ingredients of combinations only.
    """

    ingredients: tuple[Ingredient, ...]
    rejected_by: str
    words: tuple[str, ...]
    long_acting: bool
    route: str
    misspelt: tuple[str, ...] = ()
    strengths: tuple[Strength, ...] = ()
    frequency: str = ""
    further: tuple[str, ...] = ()
