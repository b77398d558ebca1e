"""R-TX-07: a genetic form on record whose treatment is its own: a reference, shown by link only."""

from __future__ import annotations

import msgspec

from plugin.diagnosis import variant_facts
from plugin.metabolic import problem_fact
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Rule,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
)

_KEYS = ("observations", "conditions")


class _Form(msgspec.Struct, frozen=True):
    """One genetic form: the gene, the condition that names it where there is one, and what treatment is known for."""

    gene: str
    concept: str
    words: str


_FORMS = (
    _Form("SLC2A1", "glut1-deficiency", "GLUT1 deficiency (SLC2A1): ketogenic diet is the treatment described."),
    _Form("GCH1", "dopa-responsive-dystonia", "Dopa-responsive dystonia (GCH1): levodopa is the treatment described."),
    _Form("PNKD", "", "PNKD: caffeine and alcohol are avoided as triggers; benzodiazepines are described."),
)


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = [(form, fact) for form in _FORMS if (fact := _recorded(case, form)) is not None]
    if found:
        return fired(_finding(found), tuple(dict.fromkeys(fact.reference for _, fact in found)))
    gap = gap_verdict(case, _KEYS)
    unread = tuple(variant.reference for variant in case.patient.variants if variant.problem)
    return gap or (not_checked("implausible", unread) if unread else clear())


def _recorded(case: Case, form: _Form) -> Fact | None:
    """A variant that the laboratory holds for (likely) pathogenic, else a condition that counts."""
    for variant in case.patient.variants:
        if variant.causal and variant.gene is not None and variant.gene.symbol == form.gene:
            return variant_facts([variant])[0]
    problem = case.patient.has(form.concept, unconfirmed=True) if form.concept else None
    return problem_fact(problem) if problem is not None else None


def _finding(found: list[tuple[_Form, Fact]]) -> Finding:
    return Finding(
        Indicator.INFO,
        "Genetic form on record: it has a treatment of its own.",
        tuple(form.words for form, _ in found),
        tuple(fact for _, fact in found),
        by_link=True,
    )


RULE = Rule(
    "R-TX-07",
    "1.0.0",
    ("patient-view", "encounter-start"),
    _KEYS,
    Indicator.INFO,
    88,
    evaluate,
)
