"""R-DRUG-02: a new dopamine blocker beside another one, unless the pair is haloperidol with promethazine."""

from __future__ import annotations

from datetime import UTC

from plugin.drug_risk import (
    Blocker,
    blocker_of,
    blockers_taken,
    exempt_partner,
    exposure_tier,
    history_of,
    taken_fact,
)
from plugin.patient import Exposure
from plugin.rule import (
    NOT_APPLICABLE,
    TIERS,
    Case,
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

_KEYS = ("medications", "medicationStatements", "medicationAdministrations", "medicationDispenses")
_PLANNED = {"MedicationRequest", "MedicationStatement", "MedicationUsage"}


def evaluate(case: Case) -> Verdict:
    """Judge one order against everything else that the patient takes or is being ordered."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    blocker = blocker_of(case)
    if blocker is None or TIERS[blocker.tier] < TIERS["L"]:
        return NOT_APPLICABLE
    others = _others(case, blocker)
    if not others:
        return gap_verdict(case, _KEYS) or _unresolved(case) or clear(_inputs(case))
    history = history_of(case, blocker.ingredient)
    inputs = tuple(dict.fromkeys(other.reference for other in others))
    finding = _finding(case, blocker, others)
    if history.new:
        return fired(finding, inputs)
    if not history.stable:
        undated = not_checked("date-missing", history.undated) if history.undated else gap_verdict(case, _KEYS)
        return undated or _unresolved(case) or clear(inputs)
    return fired(finding, inputs, "S-11" if _unchanged(case, history.stable, others) else "S-03")


def _unchanged(case: Case, own: Exposure, others: list[Exposure]) -> bool:
    """S-11: chronic psychosis on two antipsychotics that have not changed for long."""
    if case.patient.has("schizophrenia-bipolar") is None or len(others) != 1:
        return False
    enough, now = case.limits.span("two_antipsychotics_days"), case.patient.now
    pair = (own, others[0])
    return all(
        "antipsychotic" in one.ingredient.classes and one.start is not None and one.start.youngest(now) >= enough
        for one in pair
    )


def _inputs(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e.reference for e in case.others if e.current and e.ingredient.tier and not e.draft))


def _unresolved(case: Case) -> Verdict | None:
    """A current drug that nobody can name might be the second one."""
    unknown = case.patient.unresolved_drugs
    return not_checked("drug-unrecognised", unknown) if unknown else None


def _others(case: Case, blocker: Blocker) -> list[Exposure]:
    names = frozenset(item.name for item in case.medication.ingredients)
    partner = exempt_partner(case, blocker.ingredient)
    exempt = partner.ingredient.name if partner is not None else ""
    found: dict[str, Exposure] = {}
    for exposure in blockers_taken(case, names):
        name = exposure.ingredient.name
        if name == exempt:
            continue
        known = found.get(name)
        # Of several records of one drug the one that weighs most: a second order may go on where the first one tapers.
        if known is None or _level(case, blocker, exposure) > _level(case, blocker, known):
            found[name] = exposure
    return list(found.values())


def _level(case: Case, blocker: Blocker, other: Exposure) -> Indicator:
    antiemetic = "dopamine-antiemetic" in blocker.ingredient.classes | other.ingredient.classes
    strong = min(TIERS[blocker.tier], TIERS[exposure_tier(other, case)]) >= TIERS["M"]
    return Indicator.WARNING if (antiemetic or strong) and not _cross_taper(case, other) else Indicator.INFO


def _cross_taper(case: Case, other: Exposure) -> bool:
    if other.on_hold:
        return True
    if other.draft or other.kind not in _PLANNED or other.ends is None:
        return False
    # A date without time ends with its day, so whole days are counted.
    days = (other.ends.date() - case.patient.now.astimezone(UTC).date()).days
    return days <= case.limits.cross_taper_days


def _label_says_avoid(blocker: Blocker, others: list[Exposure]) -> bool:
    """The metoclopramide label: avoid with antipsychotics (B38)."""
    classes = [blocker.ingredient, *(other.ingredient for other in others)]
    return any(item.name == "metoclopramide" for item in classes) and any(
        "antipsychotic" in item.classes for item in classes
    )


def _finding(case: Case, blocker: Blocker, others: list[Exposure]) -> Finding:
    level = max(_level(case, blocker, other) for other in others)
    names = [other.ingredient.name for other in others]
    shown = " + ".join([blocker.title, *names[:2]]) + (f" + {len(names) - 2} more" if len(names) > 2 else "")
    count = {1: "two", 2: "three"}.get(len(names), str(len(names) + 1))
    label = " (label: avoid)" if _label_says_avoid(blocker, others) else ""
    summary = f"{shown}: {count} dopamine blockers{label}. Dystonia, TD and NMS risk."
    facts = tuple(taken_fact(other) for other in others)
    new = "refilled" if case.hook == "medication-refill" else "new"
    why = f"{blocker.title} is {new} beside {', '.join(names)}: dopamine blockade adds up."
    tapered = any(_cross_taper(case, other) for other in others)
    notes = ("The other order is on hold or ends within 14 days (cross-taper).",) if tapered else ()
    state = tuple(sorted(f"major:with-{name}" for name in names))
    return Finding(level, summary, (why,), facts, (), notes, _options(blocker, others), state=state)


def _options(blocker: Blocker, others: list[Exposure]) -> tuple[Option, ...]:
    antiemetic = "dopamine-antiemetic" in blocker.ingredient.classes
    options = (
        [Option("alternative", "Use a non-dopamine antiemetic", ("ondansetron",), tier=blocker.tier)]
        if antiemetic
        else []
    )
    options += [
        Option("stop-other", f"Stop or end-date {other.ingredient.name}", (other.ingredient.name,), other.reference)
        for other in others[:2]
    ]
    return (*options, Option("advice", "Keep both and monitor" if len(others) == 1 else "Keep all and monitor"))


RULE = Rule(
    "R-DRUG-02",
    "1.0.0",
    ("order-select", "order-sign", "medication-refill"),
    _KEYS,
    Indicator.WARNING,
    30,
    evaluate,
    (
        "new_start_days",
        "stable_days",
        "stable_days_long_acting",
        "cross_taper_days",
        "two_antipsychotics_days",
        "administration_days",
        "dispense_extra_days",
    ),
)
