"""R-DRUG-05a to e: limits of age and weight below which a label says no."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from plugin.drug_risk import weight_doubt, weight_of
from plugin.factors import age_fact
from plugin.labs import describe, newest
from plugin.offers import instead, remove
from plugin.patient import Result
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

_KEYS = ("patient",)
_CRITICAL, _WARNING = Indicator.CRITICAL, Indicator.WARNING

Judge = Callable[[Case, Ingredient], Verdict]


def _drug(case: Case, name: str) -> Ingredient | None:
    return next((item for item in case.medication.ingredients if item.name == name), None)


def _rule(letter: str, drug: str, ceiling: Indicator, judge: Judge, figures: tuple[str, ...], *keys: str) -> Rule:
    def evaluate(case: Case) -> Verdict:
        problem = order_problem(case)
        if problem is not None:
            return problem
        ingredient = _drug(case, drug)
        return NOT_APPLICABLE if ingredient is None else judge(case, ingredient)

    hooks = ("order-select", "order-sign")
    return Rule(f"R-DRUG-05{letter}", "1.0.0", hooks, (*_KEYS, *keys), ceiling, 11, evaluate, figures)


def _below(case: Case, years: Decimal) -> Verdict | bool:
    """Whether the patient may be younger: the youngest possible age decides, an unknown one is not checked."""
    age = case.patient.age
    if age is None:
        return gap_verdict(case, _KEYS) or not_checked("date-missing", (f"Patient/{case.patient.id}",))
    return age.years < years


def _finding(case: Case, drug: Ingredient, level: Indicator, summary: str, why: str, *facts: Fact) -> Finding:
    age = case.patient.age
    notes = ("Age uncertain: the youngest possible age was used.",) if age is not None and age.uncertain else ()
    return Finding(
        level,
        summary,
        (why,),
        (age_fact(case), *facts),
        (),
        notes,
        (remove(drug), instead(drug), Option("advice", "Keep the order, with the reason on record")),
        True,
    )


def _by_age(figure: str, level: Callable[[Case], Indicator], summary: str, why: str) -> Judge:
    """A limit of age alone; ``summary`` and ``why`` name it as {years}."""

    def judge(case: Case, drug: Ingredient) -> Verdict:
        below = _below(case, getattr(case.limits, figure))
        if isinstance(below, Verdict):
            return below
        inputs = (f"Patient/{case.patient.id}",)
        if not below:
            return clear(inputs)
        years = _in_years(getattr(case.limits, figure))
        finding = _finding(case, drug, level(case), summary.format(years=years), why.format(years=years))
        return fired(finding, inputs)

    return judge


def _in_years(limit: Decimal) -> str:
    return f"{limit} year" if limit == 1 else f"{limit} years"


def _prochlorperazine(case: Case, drug: Ingredient) -> Verdict:
    """Younger than 2 years or lighter than 20 lb; an operation today in any child is a warning."""
    below = _below(case, case.limits.prochlorperazine_from)
    weight = weight_of(case)
    inputs = (f"Patient/{case.patient.id}", *([weight.reference] if weight is not None else []))
    level = _CRITICAL if below is True else _light(case, weight)
    operated = _surgery_today(case, drug, inputs) if level is Indicator.INFO else None
    if operated is not None and operated.finding is not None:
        return operated
    if level is not None:
        summary = (
            f"Prochlorperazine under {case.limits.prochlorperazine_from} years or 20 lb (9 kg) is contraindicated."
        )
        why = "The label holds prochlorperazine contraindicated below this age or weight."
        return fired(_finding(case, drug, level, summary, why, *_weight_facts(case, weight)), inputs)
    if isinstance(below, Verdict):
        return below
    return _surgery_today(case, drug, inputs) or _weight_needed(case, weight, inputs) or clear(inputs)


def _light(case: Case, weight: Result | None) -> Indicator | None:
    """Critical below the label's weight; a weight that is not final or has no unit of its own is information only."""
    if weight is None or weight.value is None or weight.value >= case.limits.prochlorperazine_weight_kg:
        return None
    return Indicator.INFO if weight.provisional or weight.inferred else _CRITICAL


def _weight_facts(case: Case, weight: Result | None) -> tuple[Fact, ...]:
    return (Fact(describe(weight, case.patient), weight.reference),) if weight is not None else ()


def _surgery_today(case: Case, drug: Ingredient, inputs: tuple[str, ...]) -> Verdict | None:
    age = case.patient.age
    if age is None or age.years >= case.limits.adult_from:
        return None
    surgery = case.patient.surgery_today
    if not surgery:
        return gap_verdict(case, ("procedures", "encounter"))
    summary = "Prochlorperazine in a child with an operation today: the label says not in paediatric surgery."
    why = "The label holds prochlorperazine contraindicated in paediatric surgery."
    fact = Fact("Operation today", surgery)
    return fired(_finding(case, drug, _WARNING, summary, why, fact), (*inputs, surgery))


def _weight_needed(case: Case, weight: Result | None, inputs: tuple[str, ...]) -> Verdict | None:
    """Between 2 and 4 years the weight decides, and R-DQ-04 asks for it; one that cannot be read is no weight."""
    doubt = weight_doubt(case)
    if doubt is not None:
        return not_checked(doubt[0], (*inputs, doubt[1]))
    age = case.patient.age
    if weight is not None or age is None or age.years >= case.limits.weight_needed_below:
        return None
    old = newest(case.patient, ("weight",))
    if old is not None:
        return not_checked("stale", (*inputs, old.reference))
    return gap_verdict(case, ("observations",)) or not_checked("no-result", inputs)


def _metoclopramide_level(case: Case) -> Indicator:
    return _WARNING if case.jurisdiction == "us" else _CRITICAL


RULES: tuple[Rule, ...] = (
    _rule(
        "a",
        "promethazine",
        _CRITICAL,
        _by_age(
            "promethazine_from",
            lambda case: _CRITICAL,
            "Promethazine under {years}: boxed warning (fatal respiratory depression), also dystonia.",
            "The label warns in a box against promethazine below {years}, by any route and in combinations too.",
        ),
        ("promethazine_from",),
    ),
    _rule(
        "b",
        "prochlorperazine",
        _CRITICAL,
        _prochlorperazine,
        (
            "prochlorperazine_from",
            "prochlorperazine_weight_kg",
            "weight_needed_below",
            "adult_from",
            "weight_days_infant",
            "weight_days_toddler",
            "weight_days_child",
            "surgery_days",
        ),
        "observations",
        "procedures",
        "encounter",
    ),
    _rule(
        "c",
        "metoclopramide",
        _CRITICAL,
        _by_age(
            "metoclopramide_from",
            _metoclopramide_level,
            "Metoclopramide under {years}: contraindicated (EMA/MHRA); not recommended (US label).",
            "EMA and MHRA hold metoclopramide contraindicated below {years}; the US label does not recommend it for "
            "children.",
        ),
        ("metoclopramide_from",),
    ),
    _rule(
        "d",
        "haloperidol",
        _WARNING,
        _by_age(
            "haloperidol_from",
            lambda case: _WARNING,
            "Haloperidol under {years}: use not established (label); high dystonia risk.",
            "Oral dosing of haloperidol starts at {years} in the label; below, use is not established.",
        ),
        ("haloperidol_from",),
    ),
    _rule(
        "e",
        "benztropine",
        _CRITICAL,
        _by_age(
            "cover_from",
            lambda case: _CRITICAL,
            "Benztropine under {years}: contraindicated by the label.",
            "The label holds benztropine contraindicated below {years}.",
        ),
        ("cover_from",),
    ),
)
