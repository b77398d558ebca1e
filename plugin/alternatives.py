"""Which drugs a card may propose for this patient (D.0): lower-risk alternatives and anticholinergic cover."""

from __future__ import annotations

from plugin import labs
from plugin.rule import TIERS, Case, tier_of
from valuesets import Ingredient

# Fewer years than this and an antipsychotic alternative is named in words only: no label covers it. [J]
_ANTIPSYCHOTIC_FROM_YEARS = 13
_COVER_FROM_YEARS = 3
_COVER_CAUTIONS = {
    "dementia": "dementia",
    "delirium": "delirium",
    "angle-closure-glaucoma": "angle-closure glaucoma",
    "urinary-retention": "urinary retention",
    "gi-obstruction": "bowel obstruction",
    "myasthenia-gravis": "myasthenia gravis",
    "tachyarrhythmia": "tachyarrhythmia",
    "tardive": "tardive dyskinesia",
    "anticholinergic-toxicity": "anticholinergic toxicity",
}
_MOVEMENT = ("parkinson", "parkinsonism-unspecified", "lewy-body", "basal-ganglia-lesion")


def cover_withheld(case: Case) -> str:
    """Why anticholinergic cover is not offered to this patient; empty when it may be.

    Unreadable or missing conditions and allergies withhold it too: cautions could not be checked.
    """
    age, patient = case.patient.age, case.patient
    if age is not None and age.years < _COVER_FROM_YEARS:
        return f"age under {_COVER_FROM_YEARS} y"
    if age is not None and age.oldest_years >= case.limits.elderly_from:
        return f"age {case.limits.elderly_from} y or over"
    for concept, words in _COVER_CAUTIONS.items():
        if patient.has(concept, past=concept == "tardive", unconfirmed=True):
            return words
    if "benztropine" in patient.allergies:
        return "recorded allergy or intolerance"
    if patient.gaps.get("conditions") or patient.gaps.get("allergies"):
        return "conditions or allergies not available, cautions not checked"
    return ""


def cover_dose_filled(case: Case) -> bool:
    """Doses are filled for adults of 18 to 64 years only."""
    age = case.patient.age
    return (
        age is not None
        and not age.uncertain
        and age.years >= case.limits.adult_from
        and age.years < case.limits.elderly_from
    )


def allowed(case: Case, candidate: Ingredient, below: str) -> bool:
    """True when the candidate has a lower tier than ``below`` and none of the D.0 reasons speaks against it."""
    age = case.patient.age
    tier = tier_of(candidate, "", age.years if age else None)
    if TIERS[tier] >= TIERS[below] or _already_taken(case, candidate):
        return False
    if candidate.name in case.patient.allergies or _reacted(case, candidate):
        return False
    if "antipsychotic" in candidate.classes and (age is None or age.years < _ANTIPSYCHOTIC_FROM_YEARS):
        return False
    blocks = TIERS[tier] >= TIERS["L"]
    if blocks and _movement_disorder(case):
        return False
    return not (candidate.classes & {"qt-alternative", "qt-antiemetic"} and _long_qt_risk(case))


def _already_taken(case: Case, candidate: Ingredient) -> bool:
    return any(e.current and e.ingredient.name == candidate.name for e in case.others)


def _reacted(case: Case, candidate: Ingredient) -> bool:
    return any(candidate in reaction.ingredients for reaction in case.patient.reactions)


def _movement_disorder(case: Case) -> bool:
    """What R-DRUG-04 and R-DRUG-08 would fire on; unread conditions count as such."""
    if case.patient.gaps.get("conditions"):
        return True
    if case.patient.has("tardive", past=True, unconfirmed=True):
        return True
    return any(case.patient.has(concept, unconfirmed=True) for concept in _MOVEMENT)


def _long_qt_risk(case: Case) -> bool:
    """Long QT, severe hypocalcaemia, low potassium or magnesium; unread conditions or results count as such."""
    if case.patient.gaps.get("conditions") or case.patient.gaps.get("observations"):
        return True
    named = ("long-qt", "hypokalaemia", "hypomagnesaemia")
    if any(case.patient.has(concept, unconfirmed=True) for concept in named):
        return True
    calcium, magnesium = case.calcium, case.magnesium
    unread = calcium.reason in labs.UNREADABLE or magnesium.reason in labs.UNREADABLE
    return unread or calcium.grade == "severe" or magnesium.is_low
