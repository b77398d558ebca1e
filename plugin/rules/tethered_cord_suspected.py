"""R-DX-04: leg dystonia, toe walking or a foot deformity with a sign that points to a tethered cord."""

from __future__ import annotations

from plugin.diagnosis import fact, recorded, told
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
)

_KEYS = ("conditions",)
_LEGS = {"limb-dystonia": "Leg dystonia", "toe-walking": "Toe walking", "foot-deformity": "Foot deformity"}
_SIGNS = {
    "bladder-bowel-dysfunction": "bladder or bowel dysfunction",
    "sacral-stigma": "sacral skin sign",
    "dysraphism": "spina bifida",
    "scoliosis": "scoliosis",
    "deletion-22q11": "22q11.2 deletion",
}
_KNOWN = ("tethered-cord-diagnosed",)


def evaluate(case: Case) -> Verdict:
    """Judge the record; where a tethered cord is diagnosed, R-TX-06 speaks instead."""
    if case.patient.deceased:
        return NOT_APPLICABLE
    leg = next(((name, one) for name in _LEGS if (one := recorded(case, (name,))) is not None), None)
    if leg is None:
        return gap_verdict(case, _KEYS) or NOT_APPLICABLE
    if recorded(case, _KNOWN, past=True) is not None:
        return NOT_APPLICABLE
    signs = [(name, one) for name in _SIGNS if (one := recorded(case, (name,))) is not None]
    if not signs:
        return gap_verdict(case, _KEYS) or clear((leg[1].reference,))
    images = [one for one in case.patient.presentations if one.kind == "imaging" and "spine" in one.about]
    unsure = leg[1].unconfirmed or all(one.unconfirmed for _, one in signs)
    finding = Finding(
        Indicator.INFO,
        f"{_LEGS[leg[0]]} + {_SIGNS[signs[0][0]]}{' (not confirmed)' if unsure else ''}: "
        "consider tethered cord; spine MRI, neurosurgery.",
        ("A tethered cord can show in the legs, together with signs at bladder, bowel, back or spine.",),
        (
            told(leg[1], (leg[0],)),
            *(told(one, (name,)) for name, one in signs),
            *(fact(one) for one in images[:1]),
        ),
        (),
        (),
        (
            Option("request", "Request MRI of the spine", ("mri-spine",)),
            Option("request", "Refer to neurosurgery", ("neurosurgery",)),
            Option("advice", "No image now: another cause of the gait is known"),
        ),
        state=tuple(sorted(f"sign:{name}" for name, _ in signs)),
    )
    return fired(finding, tuple(dict.fromkeys((leg[1].reference, *(one.reference for _, one in signs)))))


RULE = Rule("R-DX-04", "1.0.0", ("patient-view", "encounter-start"), _KEYS, Indicator.INFO, 63, evaluate)
