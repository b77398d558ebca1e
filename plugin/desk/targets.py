"""What the target of a site's mapping means: a drug, an analyte, or conditions; or why it means none of them."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from plugin.desk.problems import shown
from plugin.desk.site_rows import DRUG, LAB, PROBLEM, Row
from plugin.presentation import PRESENTATIONS
from valuesets import Ingredient, Product, Terminology
from valuesets.systems import ATC, ICD10_NATIONAL, ICD10CM, ICD10WHO, LOINC, NDC, RXNORM, SNOMED, canonical_system

NONE: Final = "none"
MATCHED_BY: Final = "site map"
_OWN: Final = {"/CodeSystem/ingredients": DRUG, "/CodeSystem/analytes": LAB, "/CodeSystem/conditions": PROBLEM}
POSITIONS_OF: Final[dict[str, str]] = {
    **dict.fromkeys((RXNORM, NDC, ATC), DRUG),
    LOINC: LAB,
    **dict.fromkeys((ICD10CM, ICD10WHO, *ICD10_NATIONAL), PROBLEM),
}
"""The position of the codes of each standard system that has one position alone."""
SHORT: Final = {
    "rxnorm": RXNORM,
    "ndc": NDC,
    "atc": ATC,
    "loinc": LOINC,
    "snomed": SNOMED,
    "icd-10-cm": ICD10CM,
    "icd-10": ICD10WHO,
}
_CODE: Final = re.compile(r"(?=.*\d)[A-Za-z0-9.-]+")
_EXPECTED: Final = {
    DRUG: "an RxNorm or ATC code, the name of an ingredient (several with + between them), or none",
    LAB: "a LOINC code, an analyte such as calcium, or none",
    PROBLEM: "an ICD-10 or SNOMED CT code, a condition such as tardive (several with + between them), or none",
}
Meaning = Product | str | frozenset[str]
"""A drug, the key of an analyte, or the keys of conditions; without ingredients, or empty: known, and none of ours."""


class Refused(ValueError):
    """A target that cannot be used; the text says why."""


class NotHeld(Refused):
    """A code of a standard system that the data do not hold: perhaps none of ours, perhaps newer than the data."""


class Targets:
    """Reads targets by the codes that ship with the service, or by those of the snapshot in force."""

    def __init__(self, shipped: Terminology) -> None:
        self._shipped = shipped
        sets = [key.removeprefix("ValueSet/") for key in shipped.resources() if key.startswith("ValueSet/")]
        self._tests = frozenset(key.removeprefix("lab-") for key in sets if key.startswith("lab-"))
        self._analytes = self._tests | frozenset(PRESENTATIONS.values())
        coded = {key.removeprefix("condition-") for key in sets if key.startswith("condition-")}
        self._conditions = shipped.condition_words.keys | coded
        self._read = {DRUG: self._drug, LAB: self._analyte, PROBLEM: self._condition}
        self._kept: dict[tuple[str, str, str], Meaning] = {}

    def meaning(self, row: Row) -> tuple[str, Meaning]:
        """(position, meaning) of a row's target. Raises Refused."""
        if row.adds:
            return self._member(row.target)
        system, target = _split(row)
        position = row.position or self._position(system, target)
        if target.casefold() == NONE and not system:
            return position, nothing(position)
        found = self._kept.get((position, system, target)) or self._read[position](system, target)
        if found:
            self._kept[position, system, target] = found
            return position, found
        is_code = not system.endswith(tuple(_OWN)) if system else bool(_CODE.fullmatch(target))
        raise (NotHeld if is_code else Refused)(self._unknown(position, system, target))

    def _member(self, value_set: str) -> tuple[str, Meaning]:
        prefix, _, key = value_set.partition("-")
        if prefix == "lab" and key in self._tests:
            return LAB, key
        if prefix == "condition" and key in self._conditions:
            return PROBLEM, frozenset({key})
        told = (
            "a class of drugs does not say which drug a code is; map the code to an ingredient in a ConceptMap or CSV"
        )
        told = told if prefix == "drug" else "expected a url that ends in /ValueSet/lab-… or /ValueSet/condition-…"
        raise Refused(f"codes cannot be added to the value set {shown(value_set)}: {told}")

    def _position(self, system: str, target: str) -> str:
        """Which position a target of a ConceptMap is for."""
        own = next((position for end, position in _OWN.items() if system.endswith(end)), "")
        position = own or POSITIONS_OF.get(system, "")
        if position:
            return position
        if system != SNOMED:
            ours = ", ".join(f"…{end}" for end in _OWN)
            raise Refused(
                f"the target system {shown(system)} is none that we read; expected {', '.join(SHORT)}, {ours}"
            )
        fitting = [position for position in self._read if self._read[position](system, target)]
        if len(fitting) != 1:
            raise NotHeld(f"the SNOMED CT code {shown(target)} is not in the data")
        return fitting[0]

    def _drug(self, system: str, target: str) -> Product | None:
        if system.endswith("/CodeSystem/ingredients"):
            return self._named(target)
        if system:
            return self._shipped.product(system, target)
        return self._shipped.product(RXNORM, target) or self._shipped.product(ATC, target) or self._named(target)

    def _named(self, target: str) -> Product | None:
        """Ingredients by name, with what the name says of form and route ("haloperidol decanoate").

        Beside them may stand what is known by name only ("promethazine + codeine").
        """
        known = {part.strip(): self._shipped.ingredient(part.strip()) for part in target.split("+")}
        ingredients = tuple(dict.fromkeys(item for item in known.values() if item is not None))
        said = self._shipped.match_text(target)
        further = tuple(phrase for name, item in known.items() if item is None and (phrase := name.casefold()))
        if not ingredients or not set(further) <= set(said.further):
            return None
        name = " + ".join([*(item.name for item in ingredients), *further])
        parts = ingredients, "", said.route, said.long_acting, ()
        return Product("", name, "", *parts, MATCHED_BY, bool(further), further)

    def _analyte(self, system: str, target: str) -> str:
        if not system or system.endswith("/CodeSystem/analytes"):
            key = target.casefold()
            if key in self._analytes:
                return key
        return self._shipped.analyte(system or LOINC, target) or ""

    def _condition(self, system: str, target: str) -> frozenset[str]:
        if not system or system.endswith("/CodeSystem/conditions"):
            keys = frozenset(part.strip().casefold() for part in target.split("+"))
            if keys <= self._conditions:
                return keys
        if system:
            return self._shipped.concepts(system, target)
        found = {one: self._shipped.concepts(one, target) for one in (SNOMED, ICD10CM, ICD10WHO)}
        meanings = list(dict.fromkeys(keys for keys in found.values() if keys))
        if len(meanings) > 1:
            ours, who = listed(found[ICD10CM]), listed(found[ICD10WHO])
            told = f"the target {shown(target)} means {ours} in ICD-10-CM and {who} in ICD-10 of the WHO"
            raise Refused(f"{told}; write icd-10-cm|{target} or icd-10|{target}")
        return meanings[0] if meanings else frozenset()

    def _unknown(self, position: str, system: str, target: str) -> str:
        """Why a target has no meaning in its position, and what it may have been meant to be."""
        text = f"the target {shown(f'{system}|{target}' if system else target)} is not known"
        for other in self._read:
            found = self._read[other](system, target) if other != position else None
            if found:
                return f"the target {shown(target)} is {said(found)}, a {other}; expected {_EXPECTED[position]}"
        named = [item.name for item in self._shipped.match_text(target).ingredients] if position == DRUG else []
        hint = f"; it names {' + '.join(named)}, so write that" if named else ""
        return f"{text}{hint}; expected {_EXPECTED[position]}"


def _split(row: Row) -> tuple[str, str]:
    """(canonical system or "", code or word) of a target: ``system|code`` where a CSV row needs to say the system."""
    system, bar, code = row.target.rpartition("|")
    if row.target_system or not bar:
        return (canonical_system(row.target_system) or row.target_system), row.target
    system = system.strip()
    known = SHORT.get(system.casefold()) or canonical_system(system)
    if known is None:
        raise Refused(f"the target system {shown(system)} is none that we read; expected one of {', '.join(SHORT)}")
    return known, code.strip()


def nothing(position: str) -> Meaning:
    """What says that a code is known and is none of ours."""
    if position == DRUG:
        return Product("", "", "", (), "", "", False, (), MATCHED_BY)
    return "" if position == LAB else frozenset()


def said(meaning: Meaning) -> str:
    """A meaning in words."""
    if isinstance(meaning, Product):
        names = " + ".join([*(item.name for item in meaning.ingredients), *meaning.further])
        return (meaning.name if meaning.dose_form else names) or NONE
    return (meaning or NONE) if isinstance(meaning, str) else listed(meaning)


def listed(keys: frozenset[str]) -> str:
    return " + ".join(sorted(keys)) or NONE


def same(one: Meaning, other: Meaning) -> bool:
    """Whether two meanings are the same to every rule: names and codes aside, for drugs."""
    return _compared(one) == _compared(other)


def _compared(meaning: Meaning) -> object:
    if not isinstance(meaning, Product):
        return meaning
    bare = msgspec.structs.replace(meaning, rxcui="", name="", tty="", matched_by="", ingredients=())
    return msgspec.structs.replace(bare, multi=False, further=(), single_source=""), _ids(meaning)


def _ids(product: Product) -> frozenset[str]:
    return frozenset(item.rxcui for item in product.ingredients)


def ingredients_of(meaning: Meaning) -> tuple[Ingredient, ...]:
    return meaning.ingredients if isinstance(meaning, Product) else ()
