"""R-MET-04: calcium not measured for long in 22q11.2 deletion or hypoparathyroidism, before it matters."""

from __future__ import annotations

from plugin import labs
from plugin.drug_risk import blocker_of
from plugin.metabolic import (
    capital,
    days_told,
    last_told,
    measured,
    problem_fact,
    replacement,
    unless_lists_whole,
)
from plugin.patient import Problem
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

_WORDS = {"deletion-22q11": "22q11.2 deletion", "hypoparathyroidism": "hypoparathyroidism"}
_PANEL = ("calcium-ionised", "albumin", "magnesium", "pth", "tsh")
# What the reason is called in the summary, and the fact that tells it.
_Reason = tuple[str, Fact | None]


def evaluate(case: Case) -> Verdict:
    """Judge an order of a dopamine blocker, or a record with an operation today or a pregnancy."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    reason = _order_reason(case) if case.order is not None else _record_reason(case)
    if isinstance(reason, Verdict):
        return reason
    found = _disorder(case.patient.problems)
    if found is None:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    return _measured(case, found, reason)


def _order_reason(case: Case) -> _Reason | Verdict:
    problem = order_problem(case)
    if problem is not None:
        return problem
    blocker = blocker_of(case)
    if blocker is None or TIERS[blocker.tier] < TIERS["L"]:
        return NOT_APPLICABLE
    return f"before {blocker.name}", None


def _record_reason(case: Case) -> _Reason | Verdict:
    surgery, pregnancy = case.patient.surgery_today, case.patient.has("pregnancy", unconfirmed=True)
    if surgery:
        return "before surgery", Fact("Operation today", surgery)
    if pregnancy is not None:
        return "in pregnancy", problem_fact(pregnancy, "pregnancy")
    return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE


def _disorder(problems: tuple[Problem, ...]) -> Problem | None:
    """The deletion before hypoparathyroidism, and a confirmed one before a rule-out, which sorts last."""
    active = [problem for problem in problems if problem.state == "active"]
    found = (problem for concept in _WORDS for problem in active if concept in problem.concepts)
    return min(found, key=lambda problem: problem.unconfirmed, default=None)


def _measured(case: Case, found: Problem, reason: _Reason) -> Verdict:
    """On replacement calcium is due more often; a list of drugs that did not arrive leaves open whether it is."""
    treated = replacement(case)
    name = "calcium_replaced_days" if treated is not None else "calcium_yearly_days"
    last = measured(case.patient, labs.CALCIUM, case.limits.span(name))
    inputs = (found.reference, *([treated.reference] if treated is not None else []), *last.references)
    if last.result is not None:
        within = measured(case.patient, labs.CALCIUM, case.limits.span("calcium_replaced_days"))
        open_question = treated is None and within.result is None
        return (unless_lists_whole(case) if open_question else None) or clear(inputs)
    if last.doubt:
        return not_checked(last.doubt, inputs)
    # "Not measured" needs a result list that was returned and is whole.
    if "observations" not in case.patient.returned:
        return gap_verdict(case, ("observations",)) or not_checked("key-missing", inputs)
    # S-09: the test is among the drafts already, ordered from this card perhaps.
    silenced = "S-09" if case.patient.tests_in_cart.intersection(labs.CALCIUM) else ""
    return gap_verdict(case, ("observations",)) or fired(_finding(case, found, reason, name), inputs, silenced)


def _finding(case: Case, found: Problem, reason: _Reason, window: str) -> Finding:
    word = next(word for concept, word in _WORDS.items() if concept in found.concepts)
    treated, (when, because) = replacement(case), reason
    facts = [problem_fact(found, word), *([because] if because is not None else [])]
    if treated is not None:
        facts.append(Fact(f"Current: {treated.ingredient.name}", treated.reference))
    told = f"possible {word}" if found.unconfirmed else word
    keep = "Go on with the order, and measure soon after" if case.order is not None else "Not now: measured elsewhere"
    return Finding(
        Indicator.INFO,
        f"{capital(told)}: no calcium in {days_told(case.limits, window)}. Check Ca, Mg, PTH, TSH {when}.",
        ("Low calcium is common here, and appears with operations, pregnancy, illness and new drugs.",),
        (*facts, *last_told(case.patient, labs.CALCIUM)),
        (),
        (),
        (
            Option("labs", "Check ionised calcium, albumin, magnesium, PTH and TSH", _PANEL),
            Option("advice", keep),
        ),
    )


RULE = Rule(
    "R-MET-04",
    "1.0.0",
    ("order-select", "order-sign", "patient-view", "encounter-start"),
    ("conditions", "observations", "medications", "procedures", "encounter"),
    Indicator.INFO,
    58,
    evaluate,
    ("calcium_yearly_days", "calcium_replaced_days"),
)
