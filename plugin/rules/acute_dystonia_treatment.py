"""R-TX-01: what is known of the treatment of acute drug-induced dystonia; a reference on the card of R-DX-08."""

from __future__ import annotations

from plugin.rule import (
    NOT_APPLICABLE,
    Case,
    Finding,
    Indicator,
    Rule,
    Status,
    Verdict,
    fired,
    not_checked,
)
from plugin.rules import drug_induced_dystonia

_LEADER = drug_induced_dystonia.RULE
_EMERGENCY = "Airway, stridor, jaw/tongue swelling: emergency pathway, not this card."
_CAUSE = "The drug is stopped, or its dose is lowered."
_ADULT = (
    "Adults: benztropine 1-2 mg or diphenhydramine 25-50 mg IM/IV, in Europe also biperiden 5 mg IM; relief is "
    "expected in 5-20 min; repeated once; then by mouth for 48-72 h."
)
_CHILD = (
    "Children: diphenhydramine 1-2 mg/kg (max 50 mg; its injection not in newborn or premature infants); benztropine "
    "not under 3 y."
)
_OTHER = "No or partial response: calcium, magnesium, tetanus, a seizure or a stroke come into question."
REFERENCE = (_CAUSE, _ADULT, _CHILD, _OTHER)
"""All lines, for the page of the rule."""


def evaluate(case: Case) -> Verdict:
    """Judge the record; the condition is that of R-DX-08, which leads the card."""
    leader = _LEADER.evaluate(case)
    if leader.status is Status.NOT_CHECKED:
        return not_checked(leader.reason, leader.inputs)
    # What helps in acute dystonia harms in a tardive form.
    if leader.finding is None or drug_induced_dystonia.TARDIVE in leader.finding.state:
        return NOT_APPLICABLE
    return fired(_finding(case, leader.finding.state), leader.inputs, leader.suppressed)


def _finding(case: Case, state: tuple[str, ...]) -> Finding:
    return Finding(
        Indicator.INFO,
        "Acute drug-induced dystonia: reference. Airway, stridor, jaw or tongue swelling: emergency pathway.",
        watch=(_EMERGENCY,),
        reference=(_CAUSE, *_doses(case), _OTHER),
        state=state,
        beside=(_LEADER.id,),
    )


def _doses(case: Case) -> tuple[str, ...]:
    """The lines for adults or for children; both where the age leaves it open."""
    age, adult = case.patient.age, case.limits.adult_from
    grown = age is None or age.oldest_years >= adult
    young = age is None or age.years < adult
    return (*((_ADULT,) if grown else ()), *((_CHILD,) if young else ()))


RULE = Rule(
    "R-TX-01",
    "1.0.0",
    ("patient-view", "encounter-start", "problem-list-item-create"),
    _LEADER.needs,
    Indicator.INFO,
    76,
    evaluate,
    ("adult_from",),
)
