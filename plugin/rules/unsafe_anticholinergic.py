"""R-DRUG-11: an anticholinergic ordered where it is unsafe."""

from __future__ import annotations

from plugin.drug_risk import LOCAL_ROUTES
from plugin.factors import age_fact
from plugin.offers import remove
from plugin.patient import PROPHYLAXIS, Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Option,
    Rule,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
    order_problem,
)
from valuesets import Ingredient

_KEYS = ("conditions",)
# Conditions that anticholinergics may worsen (B56, B58); dementia counts from the age of the elderly.
_CAUTIONS = (
    ("tardive", "tardive dyskinesia"),
    ("dementia", "dementia at {elderly} y or over"),
    ("angle-closure-glaucoma", "angle-closure glaucoma"),
    ("gi-obstruction", "bowel obstruction"),
)


def evaluate(case: Case) -> Verdict:
    """Judge one anticholinergic order; dementia with an unknown age is not checked."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    drug = next((item for item in case.medication.ingredients if item.classes & PROPHYLAXIS), None)
    if drug is None or (case.order is not None and case.order.route in LOCAL_ROUTES):
        return NOT_APPLICABLE
    for unconfirmed in (False, True):
        for concept, name in _CAUTIONS:
            found = case.patient.has(concept, unconfirmed=unconfirmed)
            if found is not None and (concept != "dementia" or _elderly(case)):
                return fired(_finding(case, drug, found, concept, name), (found.reference,))
    dementia = case.patient.has("dementia", unconfirmed=True)
    if dementia is not None and case.patient.age is None:
        return not_checked("date-missing", (dementia.reference,))
    return gap_verdict(case, _KEYS) or clear()


def _elderly(case: Case) -> bool:
    """The oldest possible age decides: it is the one at which the drug does harm."""
    age = case.patient.age
    return age is not None and age.oldest_years >= case.limits.elderly_from


def _finding(case: Case, drug: Ingredient, problem: Problem, concept: str, name: str) -> Finding:
    name = name.format(elderly=case.limits.elderly_from)
    known, age = (concept, (age_fact(case),)) if concept == "dementia" else (name, ())
    doubt = ", not confirmed" if problem.unconfirmed else ""
    since = f", since {problem.onset.short()}" if problem.onset else ""
    how = ", matched by text" if problem.in_words else ""
    title = drug.name[:1].upper() + drug.name[1:]
    return Finding(
        Indicator.INFO if problem.unconfirmed else Indicator.WARNING,
        f"{title} with {name}{doubt}: an anticholinergic is unsafe here. Consider another plan.",
        (f"{title} is anticholinergic; {name} is on record{doubt}.",),
        (Fact(f"Condition: {problem.label or known}{since}{doubt}{how}", problem.reference), *age),
        (),
        (),
        (
            remove(drug),
            Option(
                "shorten",
                f"Limit to {case.limits.cover_days} days, no refill",
                (drug.name,),
                days=case.limits.cover_days,
            ),
            Option("advice", "Review the dopamine blocker instead: lower the dose or change the drug"),
        ),
        True,
    )


RULE = Rule(
    "R-DRUG-11",
    "1.0.0",
    ("order-select", "order-sign"),
    _KEYS,
    Indicator.WARNING,
    15,
    evaluate,
    ("elderly_from", "cover_days"),
)
