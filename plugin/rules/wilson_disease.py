"""R-DX-09: a new dystonia without a recorded cause, and ceruloplasmin never measured: think of Wilson disease."""

from __future__ import annotations

from plugin.diagnosis import cause_of, new_dystonia, no_new_dystonia, told
from plugin.patient import Problem
from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Finding,
    Indicator,
    Rule,
    Status,
    Verdict,
    clear,
    fired,
    gap_verdict,
    not_checked,
)
from plugin.rules import drug_induced_dystonia

_KEYS = ("patient", "conditions", "observations")
_ANALYTE = "ceruloplasmin"
# The cards that this line may stand on.
_BESIDE = ("R-MET-02", "R-DX-01", "R-DX-02", "R-DX-03", "R-DX-04", "R-DX-05", "R-DX-07")


def evaluate(case: Case) -> Verdict:
    """A line on the card of another rule, never a card of its own, and none where a drug is the likely cause."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    dystonia = new_dystonia(case)
    if dystonia is None:
        return no_new_dystonia(case)
    age, limits = case.patient.age, case.limits
    if age is None:
        return gap_verdict(case, ("patient",)) or not_checked("date-missing", (dystonia.reference,))
    if not limits.copper_from <= age.years <= limits.copper_to:
        return NOT_APPLICABLE
    return _explained(case, dystonia) or _unmeasured(case, dystonia)


def _explained(case: Case, dystonia: Problem) -> Verdict | None:
    cause = cause_of(case.patient)
    if cause is not None:
        return clear((dystonia.reference, cause.reference))
    by_drug = drug_induced_dystonia.RULE.evaluate(case).status is Status.FIRED
    return clear((dystonia.reference,)) if by_drug else None


def _unmeasured(case: Case, dystonia: Problem) -> Verdict:
    """Fires where the results that came back, as far as they reach, hold no ceruloplasmin of any date."""
    measured = (*case.patient.results.get(_ANALYTE, ()), *case.patient.earlier.get(_ANALYTE))
    if measured:
        return clear((dystonia.reference, min(result.reference for result in measured)))
    if "observations" not in case.patient.returned:
        return gap_verdict(case, ("observations",)) or not_checked("key-missing", (dystonia.reference,))
    gap = gap_verdict(case, _KEYS)
    return gap or fired(_finding(dystonia), (dystonia.reference,))


def _finding(dystonia: Problem) -> Finding:
    return Finding(
        Indicator.INFO,
        "No cause and no ceruloplasmin on record: consider Wilson disease.",
        ("No cause and no ceruloplasmin is on record: Wilson disease is one of the treatable causes to consider.",),
        (told(dystonia, ("dystonia",)),),
        beside=_BESIDE,
    )


RULE = Rule(
    "R-DX-09",
    "1.0.0",
    ("patient-view", "encounter-start"),
    _KEYS,
    Indicator.INFO,
    94,
    evaluate,
    ("copper_from", "copper_to", "new_record_days"),
)
