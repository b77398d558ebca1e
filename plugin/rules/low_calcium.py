"""R-MET-01: low calcium with a dopamine blocker or a QT-prolonging antiemetic."""

from __future__ import annotations

import msgspec

from plugin import labs
from plugin.chronic_calcium import known_and_stable
from plugin.drug_risk import Blocker, blocker_of
from plugin.lab_results import NAMES, amount
from plugin.rule import (
    NOT_APPLICABLE,
    TIERS,
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

_KEYS = ("observations",)
_GRADED = {"low": "Low", "severe": "Severely low"}
_ANALYTES = ("calcium-ionised", "albumin", "magnesium")


def evaluate(case: Case) -> Verdict:
    """Judge one order by the calcium state C-CA; stale results are never acted on (S-13)."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    blocker = blocker_of(case)
    if blocker is None or not _applies(blocker):
        return NOT_APPLICABLE
    state = case.calcium
    inputs = tuple(dict.fromkeys(result.reference for result in state.results))
    level = _level(blocker, state)
    if level is not None:
        return _known(case, fired(_finding(case, blocker, state, level), inputs), state)
    if state.grade == "unknown":
        gap = gap_verdict(case, _KEYS)
        return gap if gap is not None and state.reason == "no-result" else not_checked(state.reason, inputs)
    return gap_verdict(case, _KEYS) or _undecided(case, blocker, state, inputs) or clear(inputs)


def _known(case: Case, verdict: Verdict, state: labs.State) -> Verdict:
    """S-15: a warning about a calcium that is known, stable, treated and followed up becomes information."""
    finding = verdict.finding
    if finding is None or finding.indicator is not Indicator.WARNING or not case.suppresses("S-15"):
        return verdict
    known = known_and_stable(case, state)
    if not known:
        return verdict
    why = (*finding.why, "Known and stable, on replacement, with endocrine follow-up: shown as information (S-15).")
    inputs = tuple(dict.fromkeys((*verdict.inputs, *(fact.reference for fact in known))))
    lowered = msgspec.structs.replace(finding, indicator=Indicator.INFO, why=why, facts=(*finding.facts, *known))
    return fired(lowered, inputs)


def _undecided(case: Case, blocker: Blocker, state: labs.State, inputs: tuple[str, ...]) -> Verdict | None:
    """Low calcium that is of no consequence for this drug as far as known: it may be severe, or the patient a child."""
    if state.is_low and state.doubt:
        return not_checked(state.doubt, inputs)
    if state.is_low and case.patient.age is None and TIERS[blocker.ingredient.tier_under_18 or ""] >= TIERS["M"]:
        return gap_verdict(case, ("patient",)) or not_checked("date-missing", inputs)
    return None


def _applies(blocker: Blocker) -> bool:
    return TIERS[blocker.tier] >= TIERS["L"] or "qt-antiemetic" in blocker.ingredient.classes


def _level(blocker: Blocker, state: labs.State) -> Indicator | None:
    if not state.is_low:
        return None
    strong = TIERS[blocker.tier] >= TIERS["M"]
    if state.grade == "severe":
        if not state.confirmed:
            return Indicator.INFO
        return Indicator.CRITICAL if "qt-critical" in blocker.ingredient.classes else Indicator.WARNING
    return Indicator.INFO if strong else None


def _amount(case: Case, state: labs.State) -> str:
    if state.value is None:
        return "Calcium reported low without a unit"
    first = state.results[0]
    told = (first.when.told(case.patient.now) or first.when.short()) if first.when is not None else "no date"
    return f"{state.name} {amount(state)} ({told})"


def _finding(case: Case, blocker: Blocker, state: labs.State, level: Indicator) -> Finding:
    long_qt = bool(blocker.ingredient.classes & {"qt-critical", "qt-antiemetic"})
    if level is Indicator.INFO:
        ionised = state.name == NAMES["calcium-ionised"]
        sure = "check Mg, repeat ionised Ca." if ionised else "check ionised Ca and Mg."
        advice = sure if state.confirmed else "unconfirmed, check ionised Ca."
    else:
        advice = f"consider correcting calcium first ({'QT, ' if long_qt else ''}tetany, dystonia)."
    effects = "tetany and dystonia" + (", and a long QT interval" if long_qt else "")
    grade = _GRADED[state.grade] if state.confirmed else "Possibly low"
    notes = list(state.notes)
    if any(result.provisional for result in state.results):
        notes.append("The result is not final.")
    options = (
        Option("labs", "Check ionised calcium, albumin and magnesium", _ANALYTES),
        Option("advice", "Hold the order until calcium is corrected"),
        Option("advice", "Continue with ECG and calcium monitoring"),
    )
    return Finding(
        level,
        f"{_amount(case, state)} + {blocker.name}: {advice}",
        (f"{grade} calcium adds to the risk of {blocker.name}: {effects}.",),
        tuple(Fact(*line) for line in labs.evidence(state, case.patient)),
        (),
        tuple(notes),
        options,
        state=("severe:calcium",) if state.grade == "severe" else (),
    )


RULE = Rule(
    "R-MET-01",
    "1.0.0",
    ("order-select", "order-sign"),
    (*_KEYS, "medications", "serviceRequests"),
    Indicator.CRITICAL,
    20,
    evaluate,
    (
        "ionised_low",
        "ionised_severe",
        "calcium_low",
        "calcium_severe",
        "calcium_severe_total_alone",
        "calcium_per_albumin",
        "albumin_reference",
        "albumin_pair_hours",
        "albumin_unreliable_below",
        "egfr_unreliable_below",
        "egfr_window_days",
        "lab_fresh_hours_acute",
        "lab_fresh_days",
        "albumin_lowest_plausible",
        "albumin_highest_plausible",
        "lab_shown_days",
        "calcium_lowest_plausible",
        "calcium_highest_plausible",
        "ionised_lowest_plausible",
        "ionised_highest_plausible",
        "chronic_calcium_days",
        "chronic_calcium_results",
        "chronic_calcium_percent",
        "referral_days",
    ),
)
