"""Conditions, reactions, family history and encounters -> what they mean for the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from plugin.fhir.medication import of_concept
from plugin.fhir.ranges import amount_of
from plugin.fhir.types import Coding, Concept, Quantity, Reaction, Resource, concept_of
from plugin.patient import DystoniaReaction, Medication, Problem
from plugin.text import plain
from plugin.vocabulary import cached, terminology
from plugin.when import When, parse
from valuesets import Ingredient
from valuesets.systems import ICD10_NATIONAL, ICD10CM, ICD10WHO, canonical_system

_PAST = {"inactive", "remission", "resolved"}
_REFUTED = {"refuted", "entered-in-error"}
_UNSURE = {"unconfirmed", "provisional", "differential"}
_DYSTONIA_CONCEPTS = frozenset({"dystonia", "drug-dystonia", "acute-drug-dystonia", "torticollis", "oculogyric-crisis"})
# Trismus is a dystonia where it is the reaction to a drug; of its own it is mostly an affair of the jaw.
_REACTIONS = {
    "dystonia": _DYSTONIA_CONCEPTS | {"trismus"},
    "akathisia": frozenset({"akathisia"}),
    "extrapyramidal": frozenset({"extrapyramidal", "extrapyramidal-unspecified"}),
}
_IN_A_YEAR = {
    unit: Decimal(parts)
    for parts, units in (
        (1, ("a", "year", "years", "yr", "y")),
        (12, ("mo", "month", "months")),
        (52, ("wk", "week", "weeks")),
        (365, ("d", "day", "days")),
    )
    for unit in units
}
_OLDEST = 120
_INTENSIVE = re.compile(r"\b(?:intensive|critical) care\b|\b[pnms]?icu\b")
_PALLIATIVE_WORDS = ("palliat", "hospice", "comfort care")
_ACUTE_CLASSES = {"IMP", "EMER", "ACUTE", "OBSENC"}
_RUNNING = {"in-progress", "arrived", "triaged", "onleave", "planned", "unknown", ""}
_NO_CONCEPTS: frozenset[str] = frozenset()
_CLASSIFICATIONS = ICD10_NATIONAL | {ICD10CM, ICD10WHO}
_BY_TEXT = frozenset({"dystonia", "drug-dystonia-by-text"})
_PARTS = r"(?:legs?\b|foot\b|feet\b|toes?\b|ankles?\b|calf\b|calves\b|thighs?\b|lower (?:limb|extremit))"
_LEG = re.compile(rf"\b{_PARTS}", re.IGNORECASE)
_OF_A_LEG = re.compile(
    rf"\bdyston\w*\W+(?:(?:of|in|at|affecting|involving|the|left|right|both|bilateral)\W+){{0,4}}{_PARTS}",
    re.IGNORECASE,
)
_REMEDIES = frozenset({"botulinum-toxin", "levodopa"})
_LIMB = frozenset({"limb-dystonia"})
_ATTACKS = frozenset({"paroxysmal-kinesigenic", "paroxysmal-dyskinesia"})


@cached(maxsize=16384)
def _concepts(system: str, code: str) -> frozenset[str]:
    return terminology().concepts(system, code)


def concepts_of(concept: Concept | None) -> frozenset[str]:
    """Every concept that the codings mean."""
    if concept is None or concept.coding is None:
        return _NO_CONCEPTS
    found = _NO_CONCEPTS
    for coding in concept.coding:
        if coding.code and coding.system:
            found |= _concepts(coding.system, coding.code)
    return found


def texts_of(concept: Concept | None) -> list[str]:
    """The text and the displays of a concept."""
    if concept is None:
        return []
    texts = [concept.text] + [coding.display for coding in concept.coding or ()]
    return [text for text in texts if text]


@cached(maxsize=8192)
def words_for(text: str, *, reaction: bool = False, relatives: bool = False, suspected: bool = True) -> frozenset[str]:
    """The conditions that a text names and does not deny, of the patient alone or of relatives too."""
    words = terminology().condition_words
    return words.find(text, reaction=reaction, relatives=relatives, suspected=suspected)


def _worded(texts: Iterable[str], *, reaction: bool = False, suspected: bool = True) -> frozenset[str]:
    return _NO_CONCEPTS.union(*(words_for(text, reaction=reaction, suspected=suspected) for text in texts))


def status_code(status: Concept | str | None) -> str:
    """The status code, from R4's CodeableConcept or an older plain code."""
    if status is None:
        return ""
    if isinstance(status, str):
        return status.lower()
    for coding in status.coding or ():
        if coding.code:
            return coding.code.lower()
    return (status.text or "").lower()


def is_refuted(resource: Resource) -> bool:
    """Whether a Condition or an AllergyIntolerance says of itself that it is not so."""
    return status_code(resource.verificationStatus) in _REFUTED


def _state(resource: Resource) -> str:
    if is_refuted(resource):
        return "refuted"
    return "past" if status_code(resource.clinicalStatus) in _PAST else "active"


def _onset(resource: Resource) -> When | None:
    return _began(resource) or _date(resource.recordedDate)


def _began(resource: Resource) -> When | None:
    period = resource.onsetPeriod if resource.raw_onsetPeriod else None
    return _date(resource.onsetDateTime or (period.start if period else None))


def _date(text: str | None) -> When | None:
    return parse(text) if text else None


class Meaning(msgspec.Struct, frozen=True):
    """What the code of a Condition means, worked out once per distinct code; ``worded`` is known by words only.

    ``suspected`` is True where no code tells it and the words are of a suspicion ("suspected dystonia").
    """

    concepts: frozenset[str]
    label: str
    by_text: bool
    drugs: tuple[Ingredient, ...]
    worded: frozenset[str]
    suspected: bool = False


@cached(maxsize=8192)
def meaning(raw: bytes) -> Meaning | None:
    """What the JSON of a Condition's code means; None when no rule asks for it."""
    code = concept_of(raw)
    coded, texts = concepts_of(code), texts_of(code)
    named = code is not None and not coded and not _is_classified(code)
    certain = _in_words(coded, texts, named=named, suspected=bool(coded))
    worded = certain or _in_words(coded, texts, named=named, suspected=True)
    if not (coded or worded):
        return None
    by_text = bool(worded & _BY_TEXT) and "drug-dystonia" not in coded
    label = plain(texts[0]) if texts else ""
    return Meaning(coded | worded, label, by_text, _drugs_in(texts), worded, not (coded or certain))


def _is_classified(code: Concept) -> bool:
    """Whether a code of ICD-10 says what the condition is: our sets of it are whole, so that its words add nothing."""
    systems = (canonical_system(one.system or "") for one in code.coding or () if one.code)
    return any(system in _CLASSIFICATIONS for system in systems)


def _in_words(coded: frozenset[str], texts: list[str], *, named: bool, suspected: bool) -> frozenset[str]:
    """What the texts of a Condition add to its codes; ``named`` reads the names of coded conditions as well."""
    found = _worded(texts, suspected=suspected)
    if named:
        words = terminology().condition_words
        found = found.union(*(words.names(text, suspected=suspected) for text in texts))
    if "dystonia" in found | coded and any(_OF_A_LEG.search(text) for text in texts):
        found |= _LIMB
    failed = "treatment-failed" in found
    if "dystonia" in found and "drug-dystonia" not in coded and _blames_drug(texts, failed):
        found |= {"drug-dystonia-by-text"}
    if "stroke" in coded:
        found = found.union(*(terminology().condition_words.site(text) for text in texts))
    return found - coded


def _blames_drug(texts: list[str], failed: bool) -> bool:
    # A drug that failed to help, or is there to help, is not blamed, unless it can cause dystonia itself.
    named = [drug for drug in _drugs_in(texts) if drug.tier or not (failed or _REMEDIES.intersection(drug.classes))]
    return bool(named) or terminology().condition_words.blames_drug(" ".join(texts))


def problem_of(resource: Resource, meant: Meaning) -> Problem:
    """A Condition that means something to a rule, by code or, for the few that have none, by words."""
    notes = notes_of(resource)
    noted = _drugs_in(notes)
    placed = _at_the_leg(resource, meant)
    return Problem(
        meant.concepts | placed,
        meant.label,
        f"Condition/{resource.id}" if resource.id else "Condition",
        _state(resource),
        meant.suspected or status_code(resource.verificationStatus) in _UNSURE,
        meant.by_text,
        _onset(resource),
        tuple(dict.fromkeys((*meant.drugs, *noted))) if noted else meant.drugs,
        worded=meant.worded | placed,
        recorded=_date(resource.recordedDate),
        updated=_date(resource.meta.lastUpdated) if resource.meta else None,
        began=_began(resource),
        onset_age=_years(resource.onsetAge) if resource.raw_onsetAge else None,
        noted=_worded(notes) - meant.concepts if notes else _NO_CONCEPTS,
    )


def _at_the_leg(resource: Resource, meant: Meaning) -> frozenset[str]:
    """Leg dystonia, where the place that a dystonia names beside its code is at the leg."""
    if not resource.raw_bodySite or "dystonia" not in meant.concepts:
        return _NO_CONCEPTS
    sites = resource.bodySite or ()
    places = (text for site in ([sites] if isinstance(sites, Concept) else sites) for text in texts_of(site))
    return _LIMB - meant.concepts if any(_LEG.search(text) for text in places) else _NO_CONCEPTS


def notes_of(resource: Resource) -> list[str]:
    """The texts of a resource's notes."""
    return [note.text for note in resource.note or () if note.text] if resource.raw_note else []


def _years(age: Quantity | None) -> Decimal | None:
    """An age in years; None without a number or a unit that we know, or where it is only said to be more or less."""
    amount = amount_of(age) if age is not None and not age.comparator else None
    unit = ((age.code or age.unit or "") if age is not None else "").strip().lower()
    parts = _IN_A_YEAR.get(unit)
    return amount / parts if amount is not None and parts is not None and 0 <= amount / parts <= _OLDEST else None


def _drugs_in(texts: Iterable[str]) -> tuple[Ingredient, ...]:
    found = (item for text in texts for item in terminology().match_text(text).ingredients)
    return tuple(dict.fromkeys(found))


def reactions_of(resource: Resource) -> list[DystoniaReaction]:
    """The dystonic and other movement reactions that an AllergyIntolerance records, if it counts (active, not refuted).

    A record that lists no reaction may tell it in the words of its own code ("metoclopramide: dystonia").
    """
    if _state(resource) != "active":
        return []
    own = of_concept(resource.code, rejecting=False) if resource.code else None
    parts = [part for part in resource.reaction or () if part.manifestation or part.description]
    told = [_Told(kind, coded, part) for part in parts for kind, coded in _kinds_of(part)]
    if not parts:
        said = _worded(texts_of(resource.code), reaction=True)
        told = [_Told(kind, False, Reaction()) for kind, meant in _REACTIONS.items() if said & meant]
    return [_reaction(resource, own, one) for one in told]


class _Told(msgspec.Struct, frozen=True, gc=False):
    """One kind of reaction that a part of a record tells, by code or by words."""

    kind: str
    coded: bool
    part: Reaction


def _reaction(resource: Resource, own: Medication | None, told: _Told) -> DystoniaReaction:
    drug = of_concept(told.part.substance, rejecting=False) if told.part.substance else own
    if drug is None or not drug.ingredients:
        drug = own
    return DystoniaReaction(
        drug.ingredients if drug else (),
        plain(drug.label) if drug else "",
        f"AllergyIntolerance/{resource.id}" if resource.id else "AllergyIntolerance",
        _reaction_date(resource, told.part),
        drug is None or drug.recognised != "code",
        not told.coded,
        told.kind,
    )


def _kinds_of(part: Reaction) -> list[tuple[str, bool]]:
    """The kinds of movement reaction that one reaction is, each with whether a code says so."""
    return kinds_of([inner.concept or inner for inner in part.manifestation or ()], part.description or "")


def kinds_of(manifestations: list[Concept], description: str = "") -> list[tuple[str, bool]]:
    """The kinds of movement reaction that concepts and words name, each with whether a code says so."""
    coded = _NO_CONCEPTS.union(*map(concepts_of, manifestations))
    texts = [text for concept in manifestations for text in texts_of(concept)] + [description]
    worded = _worded(texts, reaction=True)
    return [(kind, bool(coded & meant)) for kind, meant in _REACTIONS.items() if (coded | worded) & meant]


def _reaction_date(resource: Resource, reaction: Reaction) -> When | None:
    text = reaction.onset or resource.onsetDateTime or resource.lastOccurrence or resource.recordedDate
    return parse(text) if text else None


def allergens_of(resource: Resource) -> frozenset[str]:
    """Names of the known ingredients that an active allergy or intolerance is about, whatever the reaction."""
    if _state(resource) != "active":
        return frozenset()
    concepts = [resource.code] + [reaction.substance for reaction in resource.reaction or ()]
    drugs = (of_concept(concept, rejecting=False) for concept in concepts if concept)
    return frozenset(item.name for drug in drugs for item in drug.ingredients)


def family_dystonia(resource: Resource) -> str:
    """The reference of a family history that holds dystonia; empty when it does not."""
    return _in_family(resource, _DYSTONIA_CONCEPTS)


def family_attacks(resource: Resource) -> str:
    """The reference of a family history that holds paroxysmal dyskinesia; empty when it does not."""
    return _in_family(resource, _ATTACKS)


def _in_family(resource: Resource, wanted: frozenset[str]) -> str:
    if status_code(resource.status) == "entered-in-error":
        return ""
    for condition in resource.condition or ():
        worded = (words_for(text, relatives=True) for text in texts_of(condition.code))
        if concepts_of(condition.code).union(*worded) & wanted:
            return f"FamilyMemberHistory/{resource.id}" if resource.id else "FamilyMemberHistory"
    return ""


def _class_codes(resource: Resource) -> set[str]:
    kind = resource.encounter_class
    if kind is None:
        return set()
    # One Coding in R4, a list of concepts in R5.
    codings = [kind] if isinstance(kind, Coding) else [coding for concept in kind for coding in concept.coding or ()]
    return {(coding.code or "").upper() for coding in codings}


def is_acute(resource: Resource) -> bool:
    """True for a running inpatient, emergency, acute or observation encounter.

    Raises msgspec.ValidationError for a running one that does not say of which class it is.
    """
    if status_code(resource.status) not in _RUNNING:
        return False
    codes = _class_codes(resource)
    if not codes - {""}:
        raise msgspec.ValidationError("no class")
    return bool(codes & _ACUTE_CLASSES)


def is_palliative(resource: Resource) -> bool:
    """True for an encounter of comfort care or hospice, by the words of its class, type or service."""
    words = _encounter_words(resource)
    return any(word in words for word in _PALLIATIVE_WORDS)


def is_intensive(resource: Resource) -> bool:
    """True for a running encounter of intensive care, by the words of its class, type, service or present place."""
    if status_code(resource.status) not in _RUNNING:
        return False
    places = [one for one in resource.location or () if isinstance(one, dict) and one.get("status") != "completed"]
    return _INTENSIVE.search(f"{_encounter_words(resource)} {places}".lower()) is not None


def _encounter_words(resource: Resource) -> str:
    kind = resource.encounter_class
    shown = (kind.display or "") if isinstance(kind, Coding) else ""
    return f"{resource.type or ''} {resource.serviceType or ''} {shown}".lower()
