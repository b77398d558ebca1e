"""R-DRUG-03: a dystonic reaction to the same ingredient is on record."""

from __future__ import annotations

from plugin.factors import prior_fact, reaction_fact
from plugin.offers import instead, remove
from plugin.patient import DystoniaReaction, Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
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

_KEYS = ("allergies", "conditions")
# The US, EU and UK labels hold metoclopramide contraindicated after a dystonic reaction to it (B38).
_CONTRAINDICATED = "metoclopramide"
_LABELS = {"us": "in the US label", "eu": "in the EU label", "uk": "in the UK label"}


def evaluate(case: Case) -> Verdict:
    """Judge one order: critical for metoclopramide with a coded reaction, otherwise a warning, whatever the tier."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    found = [verdict for item in case.medication.ingredients if (verdict := _of_ingredient(case, item)) is not None]
    if found:
        return max(found, key=lambda verdict: verdict.finding.indicator if verdict.finding else 0)
    if not any(item.tier for item in case.medication.ingredients):
        return NOT_APPLICABLE
    return gap_verdict(case, _KEYS) or _unnamed(case) or clear()


def _of_ingredient(case: Case, ingredient: Ingredient) -> Verdict | None:
    reaction = _reaction(case, ingredient)
    if reaction is not None:
        return fired(_from_reaction(case, ingredient, reaction), (reaction.reference,))
    condition = _condition(case, ingredient)
    if condition is not None:
        return fired(_from_condition(case, ingredient, condition), (condition.reference,))
    return None


def _unnamed(case: Case) -> Verdict | None:
    """A dystonic reaction to a drug that nobody can name might have been to this one."""
    unnamed = tuple(r.reference for r in case.patient.reactions if not r.ingredients and not r.label)
    return not_checked("drug-unrecognised", unnamed) if unnamed else None


def _reaction(case: Case, ingredient: Ingredient) -> DystoniaReaction | None:
    return next((r for r in case.patient.reactions if ingredient in r.ingredients), None)


def _condition(case: Case, ingredient: Ingredient) -> Problem | None:
    """A drug-induced dystonia whose words name this ingredient."""
    for problem in case.patient.problems:
        named = problem.concepts & {"drug-dystonia", "acute-drug-dystonia", "drug-dystonia-by-text"}
        if problem.state != "refuted" and named and ingredient in problem.drugs:
            return problem
    return None


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def _from_reaction(case: Case, ingredient: Ingredient, reaction: DystoniaReaction) -> Finding:
    worded = reaction.drug_by_text or reaction.reaction_by_text
    contraindicated = ingredient.name == _CONTRAINDICATED
    level = Indicator.CRITICAL if contraindicated and not worded else Indicator.WARNING
    date = f" ({reaction.when.short()})" if reaction.when else ""
    tail = f"Contraindicated {_LABELS[case.jurisdiction]}." if contraindicated else "Consider another drug."
    by_text = ", matched by text" if worded else ""
    summary = f"Recorded dystonic reaction to {ingredient.name}{date}{by_text}. {tail}"
    notes = ("Matched by text: check the allergy record before relying on it.",) if worded else ()
    return Finding(
        level,
        summary,
        (f"{_title(ingredient.name)} is ordered again after a recorded dystonic reaction to it.",),
        (reaction_fact(reaction),),
        (),
        notes,
        _options(ingredient),
        True,
    )


def _from_condition(case: Case, ingredient: Ingredient, problem: Problem) -> Finding:
    level = Indicator.INFO if problem.unconfirmed else Indicator.WARNING
    date = f" ({problem.onset.short()})" if problem.onset else ""
    tail = (
        f"Contraindicated {_LABELS[case.jurisdiction]}."
        if ingredient.name == _CONTRAINDICATED
        else "Consider another drug."
    )
    summary = f"Recorded dystonic reaction to {ingredient.name}{date}, matched by text. {tail}"
    note = "The drug was read from the words of a condition."
    return Finding(
        level,
        summary,
        (f"{_title(ingredient.name)} is named in a recorded drug-induced dystonia.",),
        (prior_fact(problem),),
        (),
        (note,),
        _options(ingredient, "Correct the problem list if it is wrong"),
        True,
    )


def _options(ingredient: Ingredient, mending: str = "Correct the allergy record if it is wrong") -> tuple[Option, ...]:
    return remove(ingredient), instead(ingredient), Option("advice", mending)


RULE = Rule(
    "R-DRUG-03", "1.0.0", ("order-select", "order-sign", "medication-refill"), _KEYS, Indicator.CRITICAL, 10, evaluate
)
