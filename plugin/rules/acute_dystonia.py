"""R-DRUG-01: acute dystonia when a dopamine blocker is started or its dose is raised (matrix D.1)."""

from __future__ import annotations

from collections.abc import Sequence

from plugin import labs
from plugin.alternatives import cover_withheld
from plugin.drug_risk import (
    Blocker,
    History,
    blocker_of,
    exempt_partner,
    history_of,
    palliative,
    prophylaxis,
    raised_from,
    weight_doubt,
)
from plugin.factors import MAJOR, MINOR, Factor, dose_unread, factors_of, undated
from plugin.metabolic import unless_lists_whole
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

_WARNING_AT = {"H": 2, "M": 3}
_KEYS = (
    "patient",
    "medications",
    "medicationStatements",
    "medicationAdministrations",
    "medicationDispenses",
    "allergies",
    "conditions",
    "observations",
    "familyHistory",
    "encounter",
)
_WATCH = (
    "Risk is highest in the first 7 days; onset is usually 24 to 96 hours after the start or an increase.",
    "Watch for spasm of neck, jaw, eyes, tongue, throat or leg. Stridor, a swollen tongue or trouble breathing is an "
    "emergency: use the emergency pathway.",
)
# The factor that an unreadable dose might be.
_HIGH_DOSE = Factor("high-dose", MINOR, "high dose", Fact("High dose"))
_TIER_WORDS = {"H": "high", "M": "medium", "L": "low"}


def evaluate(case: Case) -> Verdict:
    """Judge one order by the tier of its drug and the factors present."""
    problem = order_problem(case)
    if problem is not None:
        return problem
    blocker = blocker_of(case)
    if blocker is None or blocker.tier == "N":
        return NOT_APPLICABLE
    history = history_of(case, blocker.ingredient)
    factors = factors_of(case, blocker, history, with_dose=case.hook != "order-select")
    level = matrix(blocker.tier, factors)
    inputs = _inputs(case, factors)
    if level is None:
        return gap_verdict(case, _KEYS) or _unread(case, blocker, factors) or clear(inputs)
    return _timed(case, blocker, history, factors, level, inputs)


def matrix(tier: str, factors: Sequence[Factor]) -> Indicator | None:
    """D.1; a diagnosis that is only a rule-out lifts silence to info and no further."""
    sure = _level(tier, [factor for factor in factors if not factor.capped])
    every = _level(tier, factors)
    if sure is None and every is not None:
        return Indicator.INFO
    return sure


def _level(tier: str, factors: Sequence[Factor]) -> Indicator | None:
    majors = [factor for factor in factors if factor.weight == MAJOR]
    if tier == "L":
        if any(factor.key == "prior-dystonia" for factor in majors):
            return Indicator.WARNING
        return Indicator.INFO if majors else None
    minors = len(factors) - len(majors)
    if majors or minors >= _WARNING_AT[tier]:
        return Indicator.WARNING
    return Indicator.INFO if minors == _WARNING_AT[tier] - 1 else None


def _inputs(case: Case, factors: Sequence[Factor]) -> tuple[str, ...]:
    own = [f"Patient/{case.patient.id}"] if case.patient.age is not None else []
    return tuple(dict.fromkeys([*own, *(factor.fact.reference for factor in factors if factor.fact.reference)]))


def _unread(case: Case, blocker: Blocker, factors: list[Factor]) -> Verdict | None:
    """What was sent and cannot be read might have been a factor: a drug, a result, a date, the dose of this order."""
    if case.patient.unresolved_drugs:
        return not_checked("drug-unrecognised", case.patient.unresolved_drugs)
    for state in (case.calcium, case.magnesium):
        if state.doubt:
            return not_checked(state.doubt, tuple(result.reference for result in state.results))
    doubt = weight_doubt(case) if blocker.ingredient.high_dose_mg_per_kg is not None else None
    if doubt is not None:
        return not_checked(doubt[0], (doubt[1],))
    dateless = undated(case, blocker)
    if dateless:
        return not_checked("date-missing", dateless)
    unread = case.hook != "order-select" and dose_unread(case, blocker)
    if unread and case.order is not None and matrix(blocker.tier, [*factors, _HIGH_DOSE]) is not None:
        return not_checked("dose-not-computable", (case.order.reference,))
    return None


def _timed(
    case: Case, blocker: Blocker, history: History, factors: list[Factor], level: Indicator, inputs: tuple[str, ...]
) -> Verdict:
    """Only a new start or an increase counts; renewals leave their trace as suppressed.

    Whether it is an increase is not known where a dose is stated and cannot be worked out.
    """
    if not (history.new or history.increase):
        if history.unsure and case.hook != "order-select":
            return not_checked("dose-not-computable", history.unsure)
        silenced = "S-03" if history.stable else "S-04" if history.reordered else ""
        if not silenced:
            return _not_new(case, history) or clear(inputs)
        return fired(_finding(case, blocker, history, factors, level, ""), inputs, silenced)
    if palliative(case):
        return fired(_finding(case, blocker, history, factors, level, ""), inputs, "S-10")
    return _covered(case, blocker, history, factors, level, inputs)


def _not_new(case: Case, history: History) -> Verdict | None:
    """Why it is not known that this is neither stable nor an increase: a date, a list or a drug that cannot be read."""
    if history.undated:
        return not_checked("date-missing", history.undated)
    return unless_lists_whole(case)


def _covered(
    case: Case, blocker: Blocker, history: History, factors: list[Factor], level: Indicator, inputs: tuple[str, ...]
) -> Verdict:
    """S-02 (cover present or the exempt pair) silences, as-needed cover and S-08 (single dose, tier M) lower."""
    scheduled, as_needed = prophylaxis(case)
    partner = exempt_partner(case, blocker.ingredient)
    cover = scheduled or partner
    prior = any(factor.key == "prior-dystonia" for factor in factors)
    major = any(factor.weight == MAJOR for factor in factors)
    note = ""
    if not major and _small_intraoperative(case, blocker):
        return fired(_finding(case, blocker, history, factors, level, note), inputs, "S-18")
    if cover is not None or _in_set(case):
        note = "Cover is part of the order set."
        if cover is not None:
            note = f"Cover present: {cover.ingredient.name} ({'ordered together' if cover.draft else 'current'})."
        if not prior:
            silenced = "S-02" if cover is not None else "S-16"
            return fired(_finding(case, blocker, history, factors, level, note), inputs, silenced)
        level = Indicator.INFO
    elif as_needed is not None and case.suppresses("S-02"):
        level = Indicator.INFO
        how = "is ordered as needed only" if as_needed.as_needed else "was given, but is not ordered"
        note = f"{as_needed.ingredient.name.capitalize()} {how}, which is no prophylaxis."
    single = case.order is not None and case.order.dose.single and case.suppresses("S-08")
    if single and blocker.tier == "M" and not major and level is Indicator.WARNING:
        level = Indicator.INFO
        note = f"{note} A single dose of a drug of medium risk: shown as information (S-08).".strip()
    return fired(_finding(case, blocker, history, factors, level, note), inputs)


def _in_set(case: Case) -> bool:
    """S-16: the order comes from an order set of the site that includes cover."""
    return case.order is not None and not case.policy.covered_sets.isdisjoint(case.order.order_sets)


def _small_intraoperative(case: Case, blocker: Blocker) -> bool:
    """S-18: a small dose of droperidol around an operation."""
    order, limit = case.order, case.limits.droperidol_intraoperative_mg
    each = order.dose.each_mg if order is not None else None
    around = order is not None and (order.perioperative or bool(case.patient.surgery_today))
    return blocker.name == "droperidol" and around and each is not None and each <= limit


def _finding(
    case: Case, blocker: Blocker, history: History, factors: list[Factor], level: Indicator, note: str
) -> Finding:
    new = "dose increase" if history.increase else "new start"
    why = [
        f"{blocker.title} (drug of {_TIER_WORDS[blocker.tier]} dystonia risk), {new}. Factors: "
        + ", ".join(factor.word for factor in factors)
        + "."
    ]
    why += [note] if note else []
    covered = any(prophylaxis(case)) or _in_set(case)
    notes = []
    if not history.increase and any(gap.alone for gap in case.patient.gaps.get("medications", ())):
        notes.append("Medication history not available: treated as a new start.")
    gap = case.order.dose.gap(case.order.reference) if case.order is not None else None
    if gap is not None and case.order is not None and case.order.dose.unreadable and case.hook != "order-select":
        notes.append(f"{gap.text}.")
    facts = (*_raised(case, blocker), *(factor.fact for factor in factors))
    options = _options(case, blocker, covered)
    summary = _summary(blocker, factors, covered or bool(cover_withheld(case)))
    return Finding(level, summary, tuple(why), facts, _WATCH, tuple(notes), options, state=_state(case, factors))


def _state(case: Case, factors: list[Factor]) -> tuple[str, ...]:
    """What re-opens an overridden card when it is new (S-07)."""
    found = {f"major:{factor.key}" for factor in factors if factor.weight == MAJOR}
    if case.calcium.grade == "severe" and any(factor.key == "low-calcium" for factor in factors):
        found.add("severe:calcium")
    return tuple(sorted(found))


def _raised(case: Case, blocker: Blocker) -> tuple[Fact, ...]:
    """Both daily doses where the order raises one."""
    before = raised_from(case, blocker.ingredient)
    daily = case.order.dose.of(blocker.ingredient).per_day_mg if case.order is not None else None
    if before is None or before.per_day_mg is None or daily is None:
        return ()
    doses = f"{daily.normalize():f} mg/day ordered, {before.per_day_mg.normalize():f} mg/day before"
    return (Fact(f"{blocker.title} {doses}", before.reference),)


def _summary(blocker: Blocker, factors: list[Factor], without_cover: bool) -> str:
    """Names the drug and as many factors as fit, major ones first; no cover where there is or can be none."""
    words = [factor.word for factor in factors]
    tail = "Consider a lower-risk agent." if without_cover else "Consider cover or lower-risk agent."
    for count in range(len(words), 0, -1):
        more = f", +{len(words) - count} more" if count < len(words) else ""
        text = f"{blocker.title}: raised acute dystonia risk ({', '.join(words[:count])}{more}). {tail}"
        if len(text) <= 125:
            return text
    return f"{blocker.title}: raised acute dystonia risk. {tail}"


def _options(case: Case, blocker: Blocker, covered: bool) -> tuple[Option, ...]:
    """What could be done; no second anticholinergic beside one that is current or in the cart."""
    antiemetic = blocker.ingredient.classes & {"dopamine-antiemetic", "male-sex-not-counted"}
    antipsychotic = "antipsychotic" in blocker.ingredient.classes
    others = ("ondansetron",) if antiemetic and not antipsychotic else ("olanzapine", "quetiapine", "aripiprazole")
    if blocker.name in {"prochlorperazine", "droperidol"}:
        others = ("ondansetron",)
    oral = case.order is not None and case.order.route == "oral"
    options = [] if covered else [Option("cover", "Add short anticholinergic cover", ("benztropine",))]
    options += [
        Option("alternative", "Change to a lower-risk option", others, tier=blocker.tier),
        Option("dose", "Reduce the dose" if oral else "Reduce the dose or use the oral route"),
    ]
    metabolic = case.patient.has("hypoparathyroidism") or case.patient.has("deletion-22q11")
    if metabolic is not None and not _fresh_calcium(case):
        options.append(
            Option("labs", "Check calcium, albumin and magnesium", ("calcium-ionised", "albumin", "magnesium"))
        )
    return tuple(options)


def _fresh_calcium(case: Case) -> bool:
    return any(
        labs.fresh(case.patient, analyte, case.limits)
        for analyte in ("calcium-ionised", "calcium-corrected", "calcium")
    )


RULE = Rule(
    "R-DRUG-01",
    "1.0.0",
    ("order-select", "order-sign"),
    _KEYS,
    Indicator.WARNING,
    40,
    evaluate,
    (
        "age_below_antipsychotic",
        "age_below_metoclopramide",
        "male_age_below",
        "female_from",
        "female_to",
        "new_start_days",
        "stable_days",
        "stable_days_long_acting",
        "dose_increase_factor",
        "fast_titration_hours",
        "high_dose_haloperidol_mg",
        "reorder_hours",
        "single_dose_hours",
        "cocaine_screen_days",
        "dehydration_hours",
        "administration_days",
        "long_acting_interval_days",
        "long_acting_extra_days",
        "dispense_extra_days",
        "record_window_days",
        "adult_from",
        "elderly_from",
        "cover_from",
        "antipsychotic_from",
        "potassium_low",
        "tsh_low",
        "weight_days_adult",
    ),
)
