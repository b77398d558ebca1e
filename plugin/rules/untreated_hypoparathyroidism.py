"""R-MET-05: low calcium with too little parathyroid hormone, and neither calcium nor active vitamin D current."""

from __future__ import annotations

from plugin import parathyroid
from plugin.metabolic import (
    DRUG_LISTS,
    Reading,
    calcium_facts,
    calcium_words,
    followed_up,
    problem_fact,
    replacement,
    settled_low,
    state_references,
    unless_low,
)
from plugin.parathyroid import Cause
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
    gap_verdict,
    not_checked,
)

_TREATMENT = ("calcium", "active-vitamin-d")


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    problem = unless_low(case)
    if problem is not None:
        return problem
    inputs = state_references(case.calcium)
    if not case.calcium.confirmed:
        return not_checked(case.calcium.doubt or "no-result", inputs)
    hormone = parathyroid.hormone(case)
    recorded = parathyroid.recorded(case)
    # A confirmed record decides; a rule-out gives way to a hormone that was measured.
    measured = parathyroid.too_low(case, hormone)
    cause = recorded if recorded is not None and recorded.sure else measured or recorded
    if cause is None:
        return gap_verdict(case, ("conditions",)) or parathyroid.unless_low(case, ("observations",), inputs, hormone)
    read = [hormone] if cause is measured else []
    return _untreated(case, cause, read, (*inputs, *cause.references))


def _untreated(case: Case, cause: Cause, read: list[Reading], inputs: tuple[str, ...]) -> Verdict:
    treated = replacement(case, _TREATMENT)
    if treated is not None:
        return settled_low(case, (), (*inputs, treated.reference), *read)
    # "Not on the list" needs a list that was returned and is whole.
    if "medications" not in case.patient.returned:
        return gap_verdict(case, ("medications",)) or not_checked("key-missing", inputs)
    return gap_verdict(case, ("medications",)) or fired(_finding(case, cause), inputs)


def _finding(case: Case, cause: Cause) -> Finding:
    severe = case.calcium.grade == "severe"
    tetany = case.patient.has("tetany")
    watch = "Severe or symptomatic low calcium: intravenous replacement needs ECG monitoring (see the linked guidance)."
    grade = f"{calcium_words(case.calcium)}, severely low," if severe else "Low calcium"
    return Finding(
        Indicator.WARNING if severe and cause.sure else Indicator.INFO,
        f"{grade} with {cause.words}: no calcium/active vitamin D on the list.",
        ("Calcium and active vitamin D are the first-line treatment of chronic hypoparathyroidism.",),
        (*calcium_facts(case), *cause.facts, *((problem_fact(tetany, "tetany"),) if tetany else ()), *_followed(case)),
        (watch,) if severe or tetany else (),
        (*case.calcium.notes, *_limits_of_list(case)),
        _options(case),
        state=("severe:calcium",) if severe else (),
    )


def _followed(case: Case) -> tuple[Fact, ...]:
    referral = followed_up(case)
    if referral is None or referral.when is None:
        return ()
    return (Fact(f"Referral on record: {referral.label}, {referral.when.short()}", referral.reference),)


def _limits_of_list(case: Case) -> list[str]:
    """What may hold a treatment that was not seen."""
    lost = any(case.patient.gaps.get(key) for key in DRUG_LISTS)
    notes = ["Not every list of drugs was supplied: calcium without prescription may be missing."] if lost else []
    if case.patient.unresolved_drugs:
        notes.append("A drug on record could not be recognised; it may be the treatment.")
    return notes


def _options(case: Case) -> tuple[Option, ...]:
    drafts = Option("undosed", "Add calcium and active vitamin D (doses left to the prescriber)", _TREATMENT)
    refer = Option("request", "Refer to endocrinology", ("endocrinology",))
    keep = Option("advice", "No change: treatment is arranged elsewhere, or monitoring goes on")
    return (drafts, keep) if followed_up(case) is not None else (drafts, refer, keep)


RULE = Rule(
    "R-MET-05",
    "1.0.0",
    ("patient-view", "encounter-start"),
    ("conditions", "observations", "medications", "serviceRequests"),
    Indicator.WARNING,
    50,
    evaluate,
    ("calcium_low", "calcium_severe", "ionised_low", "ionised_severe", "lab_fresh_hours_acute", "lab_fresh_days",
     "referral_days"),
)  # fmt: skip
