"""R-MET-09: what low calcium, high phosphate and parathyroid hormone together point to."""

from __future__ import annotations

from plugin import parathyroid
from plugin.metabolic import (
    DYSTONIA,
    PAROXYSMAL,
    Reading,
    calcium_facts,
    missing,
    movement_fact,
    movements,
    reading,
    result_fact,
    settled_low,
    state_references,
    unless_low,
)
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Fact,
    Finding,
    Indicator,
    Option,
    Rule,
    Verdict,
    fired,
)

_MOVEMENTS = DYSTONIA | PAROXYSMAL | {"dyskinesia", "parkinson", "parkinsonism-unspecified", "secondary-parkinsonism"}


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened; an unconfirmed low calcium counts, as the finding is information only."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    problem = unless_low(case)
    if problem is not None:
        return problem
    phosphate, hormone = reading(case, "phosphate"), parathyroid.hormone(case)
    inputs = (*state_references(case.calcium), *phosphate.references, *hormone.references)
    if not phosphate.is_above:
        decided = phosphate.is_not_above
        return settled_low(case, ("observations",), inputs, phosphate) if decided else missing(case, phosphate)
    low = parathyroid.too_low(case, hormone)
    if low is not None:
        return fired(_finding(case, phosphate, hormone, low.words, "hypoparathyroid pattern"), inputs)
    if hormone.is_above:
        pattern = "pseudohypoparathyroidism/CKD/vitamin D pattern"
        return fired(_finding(case, phosphate, hormone, "high PTH", pattern), inputs)
    return missing(case, hormone)


def _finding(case: Case, phosphate: Reading, hormone: Reading, words: str, pattern: str) -> Finding:
    movement = next(iter(movements(case, _MOVEMENTS)), None)
    scan = " Consider CT for basal ganglia calcification." if movement is not None else ""
    doubt = "" if case.calcium.confirmed and phosphate.sure and hormone.sure else "Possible: "
    facts: list[Fact] = [*calcium_facts(case)]
    facts += [result_fact(case, one.result) for one in (phosphate, hormone) if one.result is not None]
    facts += [movement_fact(movement)] if movement is not None else []
    options = [Option("request", "Refer to endocrinology", ("endocrinology",))]
    if movement is not None and not any("ct" in referral.topics for referral in case.patient.referrals):
        options.append(Option("request", "Order CT of the head for calcification of the basal ganglia", ("ct-head",)))
    return Finding(
        Indicator.INFO,
        f"{doubt}Low Ca + high PO4 + {words}: {pattern}.{scan}",
        ("Calcium, phosphate and PTH are read together, each against the range that its laboratory gave.",),
        tuple(facts),
        (),
        case.calcium.notes,
        (
            *options,
            Option("labs", "Repeat calcium, albumin, phosphate, magnesium and PTH", _PANEL),
            Option("advice", "No change: the cause is known"),
        ),
    )


_PANEL = ("calcium", "albumin", "phosphate", "magnesium", "pth")

RULE = Rule(
    "R-MET-09",
    "1.0.0",
    ("patient-view", "encounter-start"),
    ("observations", "conditions", "serviceRequests"),
    Indicator.INFO,
    57,
    evaluate,
    ("calcium_low", "ionised_low", "lab_fresh_hours_acute", "lab_fresh_days"),
)
