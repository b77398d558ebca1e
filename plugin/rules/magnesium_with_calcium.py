"""R-MET-03: magnesium before or with calcium, when calcium is low."""

from __future__ import annotations

from plugin import labs
from plugin.lab_results import amount, inside
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

_KEYS = ("observations",)
_REPLACEMENT = frozenset({"calcium", "vitamin-d", "active-vitamin-d"})


def evaluate(case: Case) -> Verdict:
    """Judge a calcium or vitamin D order, or the patient when a record is opened."""
    problem = _not_asked(case)
    if problem is not None:
        return problem
    calcium = case.calcium
    inputs = tuple(dict.fromkeys(result.reference for result in calcium.results))
    if calcium.grade == "unknown":
        gap = gap_verdict(case, _KEYS)
        return gap if gap is not None and calcium.reason == "no-result" else not_checked(calcium.reason, inputs)
    if not calcium.is_low:
        return gap_verdict(case, _KEYS) or clear(inputs)
    return _with_magnesium(case, calcium, inputs)


def _not_asked(case: Case) -> Verdict | None:
    if case.order is None:
        return NOT_APPLICABLE if case.patient.deceased else None
    problem = order_problem(case)
    if problem is not None:
        return problem
    replaces = any(item.classes & _REPLACEMENT for item in case.medication.ingredients)
    replaces = replaces and case.order.route != "topical"
    return None if replaces else NOT_APPLICABLE


def _with_magnesium(case: Case, calcium: labs.State, inputs: tuple[str, ...]) -> Verdict:
    magnesium = case.magnesium
    every = tuple(dict.fromkeys((*inputs, *(result.reference for result in magnesium.results))))
    if magnesium.actionable and not _ordered(case):
        return fired(_low(case, calcium, magnesium), every)
    recent = _recent(case)
    if magnesium.grade != "unknown" and any(result in recent for result in magnesium.results):
        doubt = calcium.doubt or ("" if magnesium.actionable else magnesium.doubt)
        return gap_verdict(case, _KEYS) or (not_checked(doubt, every) if doubt else clear(every))
    if any(not result.problem for result in recent):
        return not_checked(magnesium.doubt or "no-result", every)
    # "Not measured" needs a result list that was returned and is whole.
    if "observations" not in case.patient.returned:
        return gap_verdict(case, _KEYS) or not_checked("key-missing", inputs)
    # S-09: the test is among the drafts already, ordered from this card perhaps.
    silenced = "S-09" if "magnesium" in case.patient.tests_in_cart else ""
    return gap_verdict(case, _KEYS) or fired(_unmeasured(case, calcium, unread=bool(recent)), inputs, silenced)


def _ordered(case: Case) -> bool:
    """Magnesium that is current, ordered beside this order, or part of it."""
    own = any("magnesium" in item.classes for item in case.medication.ingredients)
    return own or any(e.current and "magnesium" in e.ingredient.classes for e in case.others)


def _recent(case: Case) -> list[Result]:
    """Magnesium results of the last 72 hours, readable or not; one without a unit counts as no result (D.6a)."""
    window = case.limits.span("magnesium_checked_hours")
    return [
        result
        for result in case.patient.results.get("magnesium", ())
        if (age := result.age(case.patient.now)) is not None and age <= window
    ]


def _words(name: str, state: labs.State) -> str:
    return f"{name} {amount(state)}" if state.value is not None else f"low {name}"


def _facts(case: Case, *states: labs.State) -> tuple[Fact, ...]:
    return tuple(Fact(*line) for state in states for line in labs.evidence(state, case.patient))


def _low(case: Case, calcium: labs.State, magnesium: labs.State) -> Finding:
    summary = f"{_words('Mg', magnesium)} with {_words(inside(calcium.name), calcium)}"
    notes = [*calcium.notes, *magnesium.notes]
    if any(gap.alone for gap in case.patient.gaps.get("medications", ())):
        notes.append("Current orders could not be read: magnesium may be ordered already.")
    return Finding(
        Indicator.WARNING if calcium.confirmed and magnesium.confirmed else Indicator.INFO,
        f"{summary}: calcium will not correct until magnesium is replaced.",
        ("Low magnesium blunts parathyroid hormone: calcium alone does not hold.",),
        _facts(case, calcium, magnesium),
        (),
        tuple(notes),
        _options(case, measured=True),
    )


def _unmeasured(case: Case, calcium: labs.State, *, unread: bool) -> Finding:
    words = _words(calcium.name, calcium) if calcium.value is not None else "Calcium reported low"
    what = "no readable magnesium result" if unread else "no magnesium result"
    return Finding(
        Indicator.INFO,
        f"{words}: {what} in {case.limits.magnesium_checked_hours} h. Consider checking Mg.",
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
    first = (Option("undosed", "Add magnesium (dose left to the prescriber)", ("magnesium",)),) if measured else ()
    return (*first, check, Option("advice", review))


RULE = Rule(
    "R-MET-03",
    "1.0.0",
    ("order-sign", "patient-view", "encounter-start"),
    ("observations", "medications"),
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
        "magnesium_lowest_plausible",
        "magnesium_highest_plausible",
    ),
)
