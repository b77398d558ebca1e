"""Conditions, reactions, family history and encounters -> what they mean for the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from plugin.fhir.medication import of_concept
from plugin.fhir.types import Coding, Concept, Reaction, Resource, concept_of
from plugin.patient import DystoniaReaction, Problem
from plugin.text import plain
from plugin.vocabulary import cached, terminology
from plugin.when import When, parse
from valuesets import Ingredient

_ACTIVE = {"active", "recurrence", "relapse"}
_PAST = {"inactive", "remission", "resolved"}
_REFUTED = {"refuted", "entered-in-error"}
_UNSURE = {"unconfirmed", "provisional", "differential"}
_DYSTONIA_WORDS = ("dyston", "oculogyric", "torticollis", "lockjaw")
# Words that deny a dystonia that follows within a few words, or tell of a relative's.
_NAMED = r"\W+(?:\w+\W+){0,4}?\w*(?:dyston|oculogyric|torticollis|lockjaw)"
_DENIED = re.compile(
    r"\b(?:no|not|denie[sd]|without|negative for|ruled? out|never)" + _NAMED + r"|dyston\w*\W+ruled out"
)
_RELATIVE = re.compile(r"\b(?:family history|fhx?|mother|father|sister|brother)" + _NAMED)
_DRUG_WORDS = ("drug", "medic", "neurolep", "antipsych", "induced", "reaction", "adverse", "side effect")
_DYSTONIA_CONCEPTS = frozenset({"dystonia", "drug-dystonia", "acute-drug-dystonia", "torticollis", "oculogyric-crisis"})
_PALLIATIVE_WORDS = ("palliat", "hospice", "comfort care")
_ACUTE_CLASSES = {"IMP", "EMER", "ACUTE", "OBSENC"}
_RUNNING = {"in-progress", "arrived", "triaged", "onleave", "planned", "unknown", ""}
_NO_CONCEPTS: frozenset[str] = frozenset()


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
def says_dystonia(text: str) -> bool:
    """True when a text names a dystonia (C: "dyston", "oculogyric", "torticollis", "lockjaw") and does not deny it."""
    lowered = text.lower()
    return any(word in lowered for word in _DYSTONIA_WORDS) and not _DENIED.search(lowered)


def _own_dystonia(text: str) -> bool:
    """The same of the patient, not of a relative."""
    return says_dystonia(text) and not _RELATIVE.search(text.lower())


def status_code(status: Concept | str | None) -> str:
    """The status code, from R4's CodeableConcept or an older plain code."""
    if status is None:
        return ""
    if isinstance(status, str):
        return status.lower()
    codes = [coding.code for coding in status.coding or () if coding.code]
    return (codes[0] if codes else status.text or "").lower()


def _state(resource: Resource) -> str:
    if status_code(resource.verificationStatus) in _REFUTED:
        return "refuted"
    return "past" if status_code(resource.clinicalStatus) in _PAST else "active"


def _onset(resource: Resource) -> When | None:
    text = resource.onsetDateTime or resource.recordedDate
    return parse(text) if text else None


class Meaning(msgspec.Struct, frozen=True):
    """What the code of a Condition means, worked out once per distinct code."""

    concepts: frozenset[str]
    label: str
    by_text: bool
    drugs: tuple[Ingredient, ...]


@cached(maxsize=8192)
def meaning(raw: bytes) -> Meaning | None:
    """What the JSON of a Condition's code means; None when no rule asks for it."""
    code = concept_of(raw)
    concepts, texts, by_text = concepts_of(code), texts_of(code), False
    if "drug-dystonia" not in concepts and any(_own_dystonia(text) for text in texts):
        by_text = True
        named = bool(_drugs_in(texts)) or _mentions_drug(" ".join(texts).lower())
        concepts |= {"dystonia"} | ({"drug-dystonia-by-text"} if named else set())
    return Meaning(concepts, plain(texts[0]) if texts else "", by_text, _drugs_in(texts)) if concepts else None


def problem_of(resource: Resource, meant: Meaning) -> Problem:
    """A Condition that means something to a rule, by code or, for drug-induced dystonia alone, by words."""
    noted = _drugs_in(note.text or "" for note in resource.note or ())
    return Problem(
        meant.concepts,
        meant.label,
        f"Condition/{resource.id}" if resource.id else "Condition",
        _state(resource),
        status_code(resource.verificationStatus) in _UNSURE,
        meant.by_text,
        _onset(resource),
        tuple(dict.fromkeys((*meant.drugs, *noted))) if noted else meant.drugs,
    )


def _mentions_drug(text: str) -> bool:
    return any(word in text for word in _DRUG_WORDS)


def _drugs_in(texts: Iterable[str]) -> tuple[Ingredient, ...]:
    found = (item for text in texts for item in terminology().match_text(text).ingredients)
    return tuple(dict.fromkeys(found))


def reactions_of(resource: Resource) -> list[DystoniaReaction]:
    """The dystonic reactions that an AllergyIntolerance records, if it counts (active, not refuted)."""
    if _state(resource) != "active":
        return []
    own = of_concept(resource.code, rejecting=False) if resource.code else None
    found = []
    for reaction in resource.reaction or ():
        coded, worded = _dystonic(reaction)
        if not (coded or worded):
            continue
        drug = of_concept(reaction.substance, rejecting=False) if reaction.substance else own
        if drug is None or not drug.ingredients:
            drug = own
        found.append(
            DystoniaReaction(
                drug.ingredients if drug else (),
                plain(drug.label) if drug else "",
                f"AllergyIntolerance/{resource.id}" if resource.id else "AllergyIntolerance",
                _reaction_date(resource, reaction),
                drug is None or drug.recognised != "code",
                not coded,
            )
        )
    return found


def _dystonic(reaction: Reaction) -> tuple[bool, bool]:
    """(by code, by words): whether the manifestation of a reaction is dystonia."""
    manifestations = [inner.concept or inner for inner in reaction.manifestation or ()]
    coded = any(concepts_of(concept) & _DYSTONIA_CONCEPTS for concept in manifestations)
    texts = [text for concept in manifestations for text in texts_of(concept)] + [reaction.description or ""]
    return coded, any(_own_dystonia(text) for text in texts)


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
    if status_code(resource.status) == "entered-in-error":
        return ""
    for condition in resource.condition or ():
        named = any(says_dystonia(text) for text in texts_of(condition.code))
        if named or concepts_of(condition.code) & _DYSTONIA_CONCEPTS:
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
    """True for a running inpatient, emergency, acute or observation encounter."""
    return status_code(resource.status) in _RUNNING and bool(_class_codes(resource) & _ACUTE_CLASSES)


def is_palliative(resource: Resource) -> bool:
    """True for an encounter of comfort care or hospice, by the words of its class, type or service."""
    words = f"{resource.type or ''} {resource.serviceType or ''}".lower()
    kind = resource.encounter_class
    words += f" {kind.display or ''}".lower() if isinstance(kind, Coding) else ""
    return any(word in words for word in _PALLIATIVE_WORDS)
