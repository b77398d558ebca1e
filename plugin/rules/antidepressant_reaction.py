"""R-DRUG-09: an SSRI, an SNRI or bupropion after a movement reaction to any antidepressant.

Part b of the rule, a strong CYP2D6 inhibitor beside metoclopramide, is R-DRUG-07 on the same order; part c, amoxapine,
is its tier.
"""

from __future__ import annotations

from collections.abc import Iterable

from plugin.factors import reaction_fact
from plugin.offers import remove
from plugin.patient import DystoniaReaction, Problem
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

_KEYS = ("allergies", "conditions")
_CLASSES = frozenset({"ssri", "snri"})
_BUPROPION = "bupropion"
_WORDS = {"dystonia": "dystonia", "akathisia": "akathisia", "extrapyramidal": "extrapyramidal symptoms"}
_REACTIONS = {
    "dystonia": "dystonic reaction",
    "akathisia": "akathisia as a reaction",
    "extrapyramidal": "extrapyramidal reaction",
}
# Conditions that may name an antidepressant, and what they are called.
_CONDITIONS = {
    "drug-dystonia": "dystonia",
    "acute-drug-dystonia": "dystonia",
    "drug-dystonia-by-text": "dystonia",
    "drug-parkinsonism": "parkinsonism",
    "akathisia": "akathisia",
    "extrapyramidal": "extrapyramidal symptoms",
    "extrapyramidal-unspecified": "extrapyramidal symptoms",
}


def evaluate(case: Case) -> Verdict:
    """Judge one order of an antidepressant by what the record says of earlier ones; alone it never fires."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    drug = next((item for item in case.medication.ingredients if _is_one(item)), None)
    if drug is None:
        return NOT_APPLICABLE
    found = next(iter([*_reactions(case), *_problems(case)]), None)
    if found is not None:
        return fired(_finding(drug, *found), (found[2].reference,))
    unnamed = tuple(r.reference for r in _recorded(case) if not r.ingredients and not r.label)
    unread = not_checked("drug-unrecognised", unnamed) if unnamed else None
    return gap_verdict(case, _KEYS) or unread or clear()


def _is_one(item: Ingredient) -> bool:
    return bool(item.classes & _CLASSES) or item.name == _BUPROPION


def _recorded(case: Case) -> tuple[DystoniaReaction, ...]:
    return case.patient.reactions + case.patient.other_reactions


# What is known of an earlier reaction: its name, its drug, and the fact.
_Earlier = tuple[str, Ingredient, Fact]


def _reactions(case: Case) -> Iterable[_Earlier]:
    for reaction in _recorded(case):
        drug = _antidepressant(reaction.ingredients)
        if drug is not None:
            name = _WORDS[reaction.kind]
            yield name, drug, reaction_fact(reaction, _REACTIONS[reaction.kind])


def _problems(case: Case) -> Iterable[_Earlier]:
    for problem in case.patient.problems:
        name = next((words for concept, words in _CONDITIONS.items() if concept in problem.concepts), "")
        drug = _antidepressant(problem.drugs)
        if name and drug is not None and problem.state != "refuted":
            yield name, drug, Fact(_told(problem, name), problem.reference)


def _told(problem: Problem, name: str) -> str:
    since = f", since {problem.onset.short()}" if problem.onset else ""
    doubt = ", not confirmed" if problem.unconfirmed else ""
    return f"Condition: {problem.label or name}{since}{doubt}, drug read from its words"


def _antidepressant(drugs: Iterable[Ingredient]) -> Ingredient | None:
    return next((item for item in drugs if "antidepressant" in item.classes), None)


def _finding(drug: Ingredient, reaction: str, earlier: Ingredient, fact: Fact) -> Finding:
    again = "them" if reaction.endswith("symptoms") else "it"
    return Finding(
        Indicator.INFO,
        f"Prior {reaction} on {earlier.name} recorded; {drug.name} may recur {again} (case reports).",
        (f"{drug.name[:1].upper()}{drug.name[1:]} is ordered after a movement reaction to an antidepressant.",),
        (fact,),
        (),
        (),
        (Option("advice", "Continue and monitor for movement symptoms"), remove(drug)),
    )


RULE = Rule("R-DRUG-09", "1.0.0", ("order-sign",), _KEYS, Indicator.INFO, 45, evaluate)
