"""Which drugs a card may propose for this patient (D.0): lower-risk alternatives and anticholinergic cover.

What could not be read counts as a reason against: a proposal needs data that speak for it.
"""

from __future__ import annotations

from plugin import labs
from plugin.age_limits import too_young
from plugin.drug_risk import blockers_taken
from plugin.rule import TIERS, Case, tier_of
from valuesets import Ingredient

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

    An unknown age and unreadable or missing conditions and allergies withhold it too: cautions could not be checked.
    """
    patient = case.patient
    cautions = (
        words
        for concept, words in _COVER_CAUTIONS.items()
        if patient.has(concept, past=concept == "tardive", unconfirmed=True)
    )
    reason = _age_caution(case) or next(cautions, "")
    if not reason and "benztropine" in patient.allergies:
        return "recorded allergy or intolerance"
    if not reason and (patient.gaps.get("conditions") or patient.gaps.get("allergies")):
        return "conditions or allergies not available, cautions not checked"
    return reason


def _age_caution(case: Case) -> str:
    age, limits = case.patient.age, case.limits
    if age is None:
        return "age not known"
    if age.years < limits.cover_from:
        return f"age under {limits.cover_from} y"
    return f"age {limits.elderly_from} y or over" if age.oldest_years >= limits.elderly_from else ""


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
    if too_young(case, candidate.name):
        return False
    if case.patient.gaps.get("allergies") or candidate.name in case.patient.allergies or _reacted(case, candidate):
        return False
    if "antipsychotic" in candidate.classes and (age is None or age.years < case.limits.antipsychotic_from):
        return False
    blocks = TIERS[tier] >= TIERS["L"]
    if blocks and (_movement_disorder(case) or _would_fire(case)):
        return False
    return not (candidate.classes & {"qt-alternative", "qt-antiemetic"} and _long_qt_risk(case))


def _already_taken(case: Case, candidate: Ingredient) -> bool:
    return any(e.current and e.ingredient.name == candidate.name for e in case.others)


def _reacted(case: Case, candidate: Ingredient) -> bool:
    return any(candidate in reaction.ingredients for reaction in case.patient.reactions)


def _would_fire(case: Case) -> bool:
    """A dopamine blocker would bring its own card: a dystonic reaction is on record, or another blocker is taken."""
    patient, names = case.patient, frozenset(item.name for item in case.medication.ingredients)
    prior = ("drug-dystonia", "drug-dystonia-by-text")
    return (
        bool(patient.reactions)
        or any(patient.has(concept, past=True, unconfirmed=True) for concept in prior)
        or bool(blockers_taken(case, names))
    )


def _movement_disorder(case: Case) -> bool:
    """What R-DRUG-04 and R-DRUG-08 would fire on; unread conditions count as such."""
    if case.patient.gaps.get("conditions"):
        return True
    if case.patient.has("tardive", past=True, unconfirmed=True):
        return True
    return any(case.patient.has(concept, unconfirmed=True) for concept in _MOVEMENT)


def _long_qt_risk(case: Case) -> bool:
    """Long QT, severe hypocalcaemia, low potassium or magnesium, or any of these not known for want of data."""
    if case.patient.gaps.get("conditions") or case.patient.gaps.get("observations"):
        return True
    named = ("long-qt", "hypokalaemia", "hypomagnesaemia")
    if any(case.patient.has(concept, unconfirmed=True) for concept in named):
        return True
    calcium, magnesium = case.calcium, case.magnesium
    metabolic = bool(calcium.doubt or magnesium.doubt) or calcium.grade == "severe" or magnesium.is_low
    return metabolic or labs.potassium_may_be_low(case.patient, case.limits)
