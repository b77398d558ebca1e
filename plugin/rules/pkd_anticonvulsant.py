"""R-TX-05: an anticonvulsant is ordered for somebody with paroxysmal kinesigenic dyskinesia: what is known of it."""

from __future__ import annotations

from plugin.drug_risk import history_of
from plugin.metabolic import problem_fact
from plugin.patient import Problem
from plugin.presentation import Presentation
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
    order_problem,
)
from valuesets import Ingredient

_CLASS = "pkd-anticonvulsant"
_PKD = "paroxysmal-kinesigenic"


def evaluate(case: Case) -> Verdict:
    """Judge one order."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    drug = next((item for item in case.medication.ingredients if _CLASS in item.classes), None)
    if drug is None:
        return NOT_APPLICABLE
    recorded = case.patient.has(_PKD) or case.patient.has(_PKD, unconfirmed=True)
    if recorded is None:
        return gap_verdict(case, ("conditions",)) or clear()
    tests = [one for one in case.patient.presentations if one.kind == "hla-b-1502"]
    inputs = (recorded.reference, *(one.reference for one in tests))
    silenced = "S-03" if history_of(case, drug).stable is not None else ""
    return fired(_finding(drug, recorded, tests), inputs, silenced)


def _finding(drug: Ingredient, recorded: Problem, tests: list[Presentation]) -> Finding:
    read = next((one for one in tests if not one.problem and not one.provisional), None)
    told = f"HLA-B*15:02 result on record: {read.value}" if read is not None else "no HLA-B*15:02 result received"
    word = "Possible PKD" if recorded.unconfirmed else "PKD"
    summary = f"{word} on record: a low dose of {drug.name} usually suffices; {told}."
    if read is not None and read.value == "positive":
        # A positive result comes first, and nothing beside it reads as an encouragement.
        summary = f"HLA-B*15:02 positive on record: serious skin reactions with {drug.name}. Consider another drug."
    return Finding(
        Indicator.INFO,
        summary,
        (
            "Attacks of paroxysmal kinesigenic dyskinesia mostly respond to a low dose; valproate is not typical here.",
            "Serious skin reactions to these drugs are linked with HLA-B*15:02. Only a test result counts: it is never "
            "inferred from race or ancestry.",
        ),
        (problem_fact(recorded), *(_test_fact(one) for one in tests if not one.problem)),
        (),
        _notes(recorded, tests, read),
    )


def _test_fact(one: Presentation) -> Fact:
    dated = f", {one.when.short()}" if one.when else ", no date"
    return Fact(f"HLA-B*15:02: {one.shown}{dated}, status {one.status}", one.reference)


def _notes(recorded: Problem, tests: list[Presentation], read: Presentation | None) -> tuple[str, ...]:
    notes = ["The diagnosis was read from the words of the record, not from a code."] if _PKD in recorded.worded else []
    if any(one.problem for one in tests):
        notes.append("A result for HLA-B*15:02 could not be read.")
    if read is None:
        notes.append("Whether the patient was tested for HLA-B*15:02 elsewhere is not known to this service.")
    return tuple(notes)


RULE = Rule(
    "R-TX-05",
    "1.0.0",
    ("order-sign",),
    ("conditions", "observations", "medications"),
    Indicator.INFO,
    78,
    evaluate,
    ("stable_days",),
)
