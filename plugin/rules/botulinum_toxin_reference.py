"""R-TX-02: a lasting focal dystonia, and nobody asked about botulinum toxin: a reference, shown by link only."""

from __future__ import annotations

from plugin.metabolic import problem_fact
from plugin.patient import Exposure, Problem
from plugin.rule import (
    NOT_APPLICABLE,
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
)
from plugin.treatment import asked, dystonias, has_lasted, read_from_words

_FORMS = frozenset({"focal-dystonia", "limb-dystonia"})
_TOPICS = ("botulinum", "neurology")


def evaluate(case: Case) -> Verdict:
    """Judge the record as it is opened."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    found = dystonias(case, _FORMS)
    if not found:
        return gap_verdict(case, ("conditions",)) or NOT_APPLICABLE
    return _lasting(case, found)


def _lasting(case: Case, found: list[Problem]) -> Verdict:
    told = {problem: has_lasted(case, problem, case.limits.span("focal_dystonia_days")) for problem in found}
    lasting = [problem for problem, long in told.items() if long]
    if not lasting:
        undated = tuple(problem.reference for problem, long in told.items() if long is None)
        unknown = not_checked("date-missing", undated) if undated else gap_verdict(case, ("conditions",))
        return unknown or clear(tuple(p.reference for p in found))
    treated = _treated(case)
    if treated is not None:
        return clear((lasting[0].reference, treated.reference))
    return asked(case, _TOPICS, "specialist_referral_days") or fired(_finding(lasting), (lasting[0].reference,))


def _treated(case: Case) -> Exposure | None:
    known = (e for e in case.patient.exposures if "botulinum-toxin" in e.ingredient.classes)
    return next((exposure for exposure in known if not exposure.draft), None)


def _finding(lasting: list[Problem]) -> Finding:
    return Finding(
        Indicator.INFO,
        "Long-standing focal dystonia, no referral on record: botulinum toxin is a specialist option.",
        ("Botulinum toxin is a specialist option for focal dystonia; evidence is weaker in the leg.",),
        (problem_fact(lasting[0]),),
        (),
        read_from_words(lasting[:1], _FORMS),
        (Option("request", "Refer for assessment of focal dystonia", ("botulinum-assessment",)),),
        by_link=True,
    )


RULE = Rule(
    "R-TX-02",
    "1.0.0",
    ("patient-view", "encounter-start"),
    ("conditions", "serviceRequests", "medications", "patient"),
    Indicator.INFO,
    82,
    evaluate,
    ("focal_dystonia_days", "specialist_referral_days"),
)
