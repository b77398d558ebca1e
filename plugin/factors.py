"""The named risk factors of section C for one order: which are present, on which data, and how much each counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from plugin import labs
from plugin.drug_risk import Blocker, History, blockers_taken, exempt_partner, taken_fact
from plugin.lab_results import NAMES
from plugin.patient import DystoniaReaction, Problem
from plugin.rule import Case, Fact

MAJOR, MINOR = "MAJ", "min"


class Factor(msgspec.Struct, frozen=True):
    """One factor: ``word`` for the summary, ``fact`` for the card.

    ``key`` names the factor. ``capped`` marks a rule-out diagnosis, which may support an info card only, and
    ``worded`` a match by text, which may support a warning at most.
    """

    key: str
    weight: str
    word: str
    fact: Fact
    capped: bool = False


Finder = Callable[[Case, Blocker, History], Iterable[Factor]]


def factors_of(case: Case, blocker: Blocker, history: History, *, with_dose: bool) -> list[Factor]:
    """Every factor that is present, major ones first; the dose counts at order-sign only."""
    found = [factor for finder in _FINDERS for factor in finder(case, blocker, history)]
    if with_dose:
        found += _dose(case, blocker, history)
    return sorted(found, key=lambda factor: factor.weight != MAJOR)


def _prior_dystonia(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    reaction: DystoniaReaction | None = next(iter(case.patient.reactions), None)
    if reaction is not None:
        yield Factor("prior-dystonia", MAJOR, "prior drug-induced dystonia", reaction_fact(reaction))
        return
    problem = case.patient.has("drug-dystonia", past=True, unconfirmed=True) or case.patient.has(
        "drug-dystonia-by-text", past=True, unconfirmed=True
    )
    if problem is not None:
        word = _possibly("prior drug-induced dystonia", problem)
        yield Factor("prior-dystonia", MAJOR, word, prior_fact(problem), problem.unconfirmed)


def prior_fact(problem: Problem) -> Fact:
    """A recorded drug-induced dystonia in words."""
    words = f"Drug-induced dystonia recorded{f': {problem.label}' if problem.label else ''}{_dated(problem)}"
    words += " (matched by text)" if problem.by_text else ""
    words += " (not confirmed)" if problem.unconfirmed else ""
    return Fact(words, problem.reference)


def reaction_fact(reaction: DystoniaReaction, word: str = "dystonic reaction") -> Fact:
    """A recorded reaction in words."""
    drug = reaction.ingredients[0].name if reaction.ingredients else reaction.label or "a drug not named"
    text = f"Recorded {word} to {drug}"
    text += f" ({reaction.when.short()})" if reaction.when else " (no date)"
    text += ", matched by text" if reaction.drug_by_text or reaction.reaction_by_text else ""
    return Fact(text, reaction.reference)


def _dated(problem: Problem) -> str:
    return f", {problem.onset.short()}" if problem.onset else ""


def _cocaine(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    """Substance use is shown as a recorded risk factor only: who may read it is not known here (42 CFR Part 2)."""
    limit = case.limits.span("cocaine_screen_days")
    for result in case.patient.cocaine_positive:
        age = result.when.youngest(case.patient.now) if result.when is not None else None
        if age is not None and age <= limit and not result.provisional:
            yield Factor("recorded-risk", MAJOR, "recorded risk factor", Fact("Recorded risk factor", result.reference))
            return
    problem = case.patient.has("cocaine")
    if problem is not None:
        yield Factor("recorded-risk", MAJOR, "recorded risk factor", Fact("Recorded risk factor", problem.reference))


def _second_blocker(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    names = frozenset(item.name for item in case.medication.ingredients)
    partner = exempt_partner(case, blocker.ingredient)
    for exposure in blockers_taken(case, names):
        if exposure.on_hold or (partner is not None and exposure.ingredient.name == partner.ingredient.name):
            continue
        yield Factor("second-blocker", MAJOR, f"with {exposure.ingredient.name}", taken_fact(exposure))
        return


def _age(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    age = case.patient.age
    if age is None:
        return
    below = case.limits.age_below_antipsychotic
    if "young-below-30" in blocker.ingredient.classes:
        below = case.limits.age_below_metoclopramide
    if age.years < below:
        yield Factor("age", MINOR, f"age <{below}", age_fact(case))


def age_fact(case: Case) -> Fact:
    """The age in words, with what is uncertain about it."""
    age = case.patient.age
    if age is None:
        return Fact("Age unknown")
    shown = f"{age.years} y" if age.years >= 2 else f"{age.months} months"
    doubt = f" or more (birth date only {age.birth_date}: age uncertain)" if age.uncertain else ""
    return Fact(f"Age {shown}{doubt}", f"Patient/{case.patient.id}")


def _sex(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    age, limits, classes = case.patient.age, case.limits, blocker.ingredient.classes
    if age is None:
        return
    reference = f"Patient/{case.patient.id}"
    if case.patient.gender == "male" and age.years < limits.male_age_below and "male-sex-not-counted" not in classes:
        yield Factor("male", MINOR, "male", Fact(f"Male, under {limits.male_age_below} y", reference))
    in_band = age.oldest_years >= limits.female_from and age.years <= limits.female_to
    if case.patient.gender == "female" and in_band and "female-adolescent-risk" in classes:
        band = f"{limits.female_from}-{limits.female_to}"
        yield Factor("female", MINOR, f"female {band} y", Fact(f"Female, {band} y", reference))


def _route(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    order = case.order
    if order is not None and order.route == "parenteral":
        yield Factor("parenteral", MINOR, "injection", Fact("Parenteral route (injection)", order.reference))


def _calcium(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    state = case.calcium
    if state.is_low and state.confirmed:
        yield Factor("low-calcium", MINOR, "low calcium", _lab_fact(case, state))


def _magnesium(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    state = case.magnesium
    if state.is_low and state.confirmed:
        yield Factor("low-magnesium", MINOR, "low magnesium", _lab_fact(case, state))


def _lab_fact(case: Case, state: labs.State) -> Fact:
    result = state.results[0]
    return Fact(labs.describe(result, case.patient), result.reference)


def _conditions(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    for concept, word in (("hypoparathyroidism", "hypoparathyroidism"), ("deletion-22q11", "22q11.2 deletion")):
        problem = case.patient.has(concept, unconfirmed=True)
        if problem is not None:
            yield _problem_factor("calcium-disease", word, problem)
            break


def _problem_factor(key: str, word: str, problem: Problem) -> Factor:
    text = f"{word[:1].upper() + word[1:]} recorded{_dated(problem)}{' (not confirmed)' if problem.unconfirmed else ''}"
    text += " (matched by text)" if problem.in_words else ""
    return Factor(key, MINOR, _possibly(word, problem), Fact(text, problem.reference), problem.unconfirmed)


def _possibly(word: str, problem: Problem) -> str:
    return f"possible {word}" if problem.unconfirmed else word


def _thyroid(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    problem = case.patient.has("hyperthyroidism", unconfirmed=True)
    if problem is not None:
        yield _problem_factor("hyperthyroidism", "hyperthyroidism", problem)
        return
    excess = labs.thyroid_excess(case.patient, case.limits)
    if excess:
        low, high = excess
        text = f"{labs.describe(low, case.patient)}; {NAMES[high.analyte]} {high.shown} is above the laboratory's range"
        yield Factor("hyperthyroidism", MINOR, "hyperthyroidism", Fact(text, excess[0].reference))


def _dehydration(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    """Acute dehydration counts in children and with phenothiazines (labels B39, B68)."""
    problem = case.patient.has("dehydration", unconfirmed=True)
    if problem is None or problem.onset is None:
        return
    limit = case.limits.span("dehydration_hours")
    if problem.onset.youngest(case.patient.now) <= limit and _dehydration_counts(case, blocker):
        yield _problem_factor("dehydration", "dehydration", problem)


def undated(case: Case, blocker: Blocker) -> tuple[str, ...]:
    """What would count while it is recent, but tells no date: a positive screen, a dehydration."""
    found = [result.reference for result in case.patient.cocaine_positive if result.when is None]
    problem = case.patient.has("dehydration", unconfirmed=True)
    if problem is not None and problem.onset is None and _dehydration_counts(case, blocker):
        found.append(problem.reference)
    return tuple(found)


def _dehydration_counts(case: Case, blocker: Blocker) -> bool:
    child = case.patient.age is not None and case.patient.age.years < case.limits.adult_from
    return child or "phenothiazine" in blocker.ingredient.classes


def _family(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    for reference in case.patient.family_dystonia[:1]:
        yield Factor("family", MINOR, "family history", Fact("Family history of dystonia recorded", reference))


def _metaboliser(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    for exposure in case.others:
        if exposure.current and "strong-cyp2d6-inhibitor" in exposure.ingredient.classes:
            text = f"Strong CYP2D6 inhibitor: {exposure.ingredient.name}"
            yield Factor("cyp2d6", MINOR, "CYP2D6 inhibitor", Fact(text, exposure.reference))
            return
    if case.patient.poor_metaboliser:
        fact = Fact("CYP2D6 poor metaboliser recorded", case.patient.poor_metaboliser)
        yield Factor("cyp2d6", MINOR, "CYP2D6 poor metaboliser", fact)


def _child_psychosis(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    age = case.patient.age
    if age is None or age.years >= case.limits.adult_from or "antipsychotic" not in blocker.ingredient.classes:
        return
    problem = case.patient.has("schizophrenia-bipolar", unconfirmed=True)
    if problem is not None:
        word = "schizophrenia or bipolar disorder"
        yield Factor(
            "child-psychosis",
            MINOR,
            "schizophrenia or bipolar",
            _problem_factor("", word, problem).fact,
            problem.unconfirmed,
        )


def _dose(case: Case, blocker: Blocker, history: History) -> Iterable[Factor]:
    """High first-day dose of a first-generation drug in haloperidol equivalents, or a fast increase; not for depots."""
    order = case.order
    if order is None or order.medication.long_acting:
        return
    if history.fast:
        yield Factor(
            "fast-titration",
            MINOR,
            "fast titration",
            Fact("Daily dose at least 1.5 times within 72 h", order.reference),
        )
        return
    equivalent, first_day = first_day_equivalent(case, blocker), order.dose.of(blocker.ingredient).first_day_mg
    if first_day is not None and equivalent is not None and equivalent >= case.limits.high_dose_haloperidol_mg:
        text = f"First-day dose {first_day.normalize():f} mg"
        yield Factor("high-dose", MINOR, "high dose", Fact(text, order.reference))


def dose_unread(case: Case, blocker: Blocker) -> bool:
    """True when the order states a dose that cannot be worked out and whose height might count."""
    order, ingredient = case.order, blocker.ingredient
    ranked = bool(ingredient.equivalent_mg) and "first-generation" in ingredient.classes
    return order is not None and ranked and order.dose.unreadable and not order.medication.long_acting


def first_day_equivalent(case: Case, blocker: Blocker) -> Decimal | None:
    """First-day dose as oral haloperidol in mg, for first-generation drugs with a published equivalent (B47).

    Equivalents only rank; they never propose a dose.
    """
    order, ingredient = case.order, blocker.ingredient
    if order is None or not ingredient.equivalent_mg or "first-generation" not in ingredient.classes:
        return None
    first_day = order.dose.of(ingredient).first_day_mg
    return first_day * _HALOPERIDOL_MG / ingredient.equivalent_mg if first_day is not None else None


# Haloperidol equal to 100 mg chlorpromazine (B47, AAPP table), the unit of the "haloperidol equivalent".
_HALOPERIDOL_MG = Decimal(2)

_FINDERS: tuple[Finder, ...] = (
    _prior_dystonia,
    _cocaine,
    _second_blocker,
    _age,
    _sex,
    _route,
    _calcium,
    _magnesium,
    _conditions,
    _thyroid,
    _dehydration,
    _family,
    _metaboliser,
    _child_psychosis,
)
