"""R-MET-03: magnesium before or with calcium, when calcium is low."""

from __future__ import annotations

from datetime import timedelta

from plugin import labs
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

_KEYS = ("observations",)
_REPLACEMENT = frozenset({"calcium", "vitamin-d", "active-vitamin-d"})


def evaluate(case: Case) -> Verdict:
    """Judge a calcium or vitamin D order, or the patient when a record is opened."""
    if case.order is None:
        if case.patient.deceased:
            return NOT_APPLICABLE
    else:
        problem = order_problem(case)
        if problem is not None:
            return problem
        if not any(item.classes & _REPLACEMENT for item in case.medication.ingredients):
            return NOT_APPLICABLE
    calcium = case.calcium
    inputs = tuple(dict.fromkeys(result.reference for result in calcium.results))
    if calcium.grade == "unknown":
        gap = gap_verdict(case, _KEYS)
        return gap if gap is not None and calcium.reason == "no-result" else not_checked(calcium.reason, inputs)
    if not calcium.is_low:
        return gap_verdict(case, _KEYS) or clear(inputs)
    return _with_magnesium(case, calcium, inputs)


def _with_magnesium(case: Case, calcium: labs.State, inputs: tuple[str, ...]) -> Verdict:
    magnesium = case.magnesium
    every = (*inputs, *(result.reference for result in magnesium.results))
    if magnesium.actionable and _ordered(case) is None:
        sure = calcium.confirmed and magnesium.confirmed
        return fired(_low(case, calcium, magnesium, Indicator.WARNING if sure else Indicator.INFO), every)
    if magnesium.actionable or _measured(case):
        return gap_verdict(case, _KEYS) or clear(every)
    # "Not measured" needs a result list that was returned and is whole.
    if "observations" not in case.patient.returned:
        return gap_verdict(case, _KEYS) or not_checked("key-missing", inputs)
    return gap_verdict(case, _KEYS) or fired(_unmeasured(case, calcium), inputs)


def _ordered(case: Case) -> str | None:
    """A magnesium order that is current or made beside this one."""
    found = (e.reference for e in case.others if e.current and "magnesium" in e.ingredient.classes)
    return next(found, None)


def _measured(case: Case) -> bool:
    """A readable magnesium within 72 hours; one without a unit counts as no result (D.6a)."""
    window = timedelta(hours=float(case.limits.magnesium_checked_hours))
    return any(
        not result.problem and (age := result.age(case.patient.now)) is not None and age <= window
        for result in case.patient.results.get("magnesium", ())
    )


def _calcium_words(calcium: labs.State) -> str:
    return f"Ca {calcium.value:.2f}" if calcium.value is not None else "low Ca"


def _facts(case: Case, *states: labs.State) -> tuple[Fact, ...]:
    return tuple(
        Fact(labs.describe(result, case.patient), result.reference) for state in states for result in state.results
    )


def _low(case: Case, calcium: labs.State, magnesium: labs.State, level: Indicator) -> Finding:
    amount = f"Mg {magnesium.value:.2f} mmol/L" if magnesium.value is not None else "Low Mg"
    summary = f"{amount} with {_calcium_words(calcium)}: calcium will not correct until magnesium is replaced."
    notes = (*calcium.notes, *magnesium.notes)
    return Finding(
        level,
        summary,
        ("Low magnesium blunts parathyroid hormone: calcium alone does not hold.",),
        _facts(case, calcium, magnesium),
        (),
        notes,
        _options(case, measured=True),
    )


def _unmeasured(case: Case, calcium: labs.State) -> Finding:
    words = f"{calcium.name} {calcium.value:.2f} mmol/L" if calcium.value is not None else "Calcium reported low"
    summary = f"{words}: no magnesium result in {case.limits.magnesium_checked_hours} h. Consider checking Mg."
    return Finding(
        Indicator.INFO,
        summary,
        ("Calcium does not correct while magnesium is low.",),
        _facts(case, calcium),
        (),
        calcium.notes,
        _options(case, measured=False),
    )


def _options(case: Case, *, measured: bool) -> tuple[Option, ...]:
    check = Option("labs", "Check magnesium", ("magnesium",))
    lowering = sorted(
        {e.ingredient.name for e in case.others if e.current and "lowers-magnesium" in e.ingredient.classes}
    )
    review = "Review drugs that lower magnesium" + (f": {', '.join(lowering[:3])}" if lowering else " (PPI, diuretic)")
    first = (Option("magnesium", "Add magnesium (dose left to the prescriber)"),) if measured else ()
    return (*first, check, Option("advice", review))


RULE = Rule(
    "R-MET-03",
    "1.0.0",
    ("order-sign", "patient-view"),
    _KEYS,
    Indicator.WARNING,
    25,
    evaluate,
    (
        "calcium_low",
        "calcium_severe",
        "ionised_low",
        "ionised_severe",
        "magnesium_low",
        "magnesium_actionable",
        "magnesium_severe",
        "magnesium_checked_hours",
        "lab_fresh_hours_acute",
        "lab_fresh_days",
    ),
)
