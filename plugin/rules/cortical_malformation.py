"""R-DX-05: a cortical malformation and paroxysmal movements: seizure or dystonia."""

from __future__ import annotations

from plugin.diagnosis import EEG, NEUROLOGY, fact, recorded, told, unread
from plugin.metabolic import PAROXYSMAL
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
)

_KEYS = ("conditions", "observations", "diagnosticReports")
_MALFORMATION = ("cortical-malformation",)
_ATTACKS = frozenset({"attack-duration", "attack-trigger", "attack-awareness", "attack-aura"})


def evaluate(case: Case) -> Verdict:
    """Judge the record: paroxysmal movements are a condition, or attacks that an Observation describes."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    malformation = _malformation(case)
    if malformation is None:
        return gap_verdict(case, ("conditions", "diagnosticReports")) or NOT_APPLICABLE
    attacks = _attacks(case)
    if attacks is None:
        lost = unread(case, _ATTACKS)
        if lost:
            return not_checked(lost[0].problem, (malformation.reference, *(one.reference for one in lost)))
        return gap_verdict(case, _KEYS) or clear((malformation.reference,))
    finding = Finding(
        Indicator.INFO,
        "Cortical malformation with paroxysmal limb posturing: EEG to separate seizure from dystonia.",
        ("A cortical malformation can cause focal seizures that look like paroxysmal dystonia.",),
        (malformation, attacks),
        (),
        (),
        (EEG, NEUROLOGY, Option("advice", "No EEG now: the nature of the attacks is known")),
    )
    return fired(finding, (malformation.reference, attacks.reference))


def _malformation(case: Case) -> Fact | None:
    problem = recorded(case, _MALFORMATION, past=True)
    if problem is not None:
        return told(problem, _MALFORMATION)
    image = next((one for one in case.patient.presentations if one.concepts.intersection(_MALFORMATION)), None)
    return fact(image) if image is not None else None


def _attacks(case: Case) -> Fact | None:
    problem = recorded(case, PAROXYSMAL)
    if problem is not None:
        return told(problem, PAROXYSMAL)
    one = next((one for one in case.patient.presentations if one.kind in _ATTACKS and not one.problem), None)
    return fact(one) if one is not None else None


RULE = Rule("R-DX-05", "1.0.0", ("patient-view", "encounter-start"), _KEYS, Indicator.INFO, 64, evaluate)
