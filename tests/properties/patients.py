"""Invented patients for the property tests: hook calls with every kind of record that rules read."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.fhir import (
    DYSTONIA,
    allergy,
    call,
    condition,
    day,
    encounter,
    family,
    given,
    lab,
    order,
    patient,
    prefetch,
    referral,
    statement,
    taking,
)

Json = dict[str, Any]
DRUGS = ("haloperidol", "metoclopramide", "olanzapine", "aripiprazole", "chlorpromazine", "ondansetron",
         "calcium carbonate", "prochlorperazine", "droperidol", "promethazine")  # fmt: skip
# Values around every boundary, in the unit that goes with them.
VALUES = {
    "ionised": [(0.8, "mmol/L"), (0.95, "mmol/L"), (1.14, "mmol/L"), (1.2, "mmol/L"), (3.5, "mg/dL"), (2.4, "meq/L")],
    "corrected": [(1.85, "mmol/L"), (2.0, "mmol/L"), (2.3, "mmol/L"), (9.4, "mg/dL")],
    "calcium-sc": [(1.25, "mmol/L"), (1.8, "mmol/L"), (2.05, "mmol/L"), (2.15, "mmol/L"), (8.1, "mg/dL")],
    "albumin": [(18, "g/L"), (30, "g/L"), (40, "g/L"), (52, "g/L"), (3.1, "g/dL")],
    "magnesium": [(0.45, "mmol/L"), (0.58, "mmol/L"), (0.65, "mmol/L"), (0.9, "mmol/L"), (1.3, "mg/dL")],
    "egfr": [(45, "mL/min"), (90, "mL/min/1.73m2")],
    "pth": [(10, "pg/mL"), (40, "pg/mL"), (90, "pg/mL")],
    "phosphate": [(1.2, "mmol/L"), (2.0, "mmol/L")],
    "tsh": [(0.05, "mIU/L"), (2, "mIU/L")],
    "ft4": [(15, "pmol/L"), (30, "pmol/L")],
    "glucose": [(2.5, "mmol/L"), (6, "mmol/L"), (20, "mmol/L")],
}
TIMES = ("1h", "4h", "20h", "30h", "80h", "10d", "40d", day(0), day(2), "2026-11")
LOW = {"ionised": 1.16, "corrected": 2.2, "calcium-sc": 2.2, "albumin": 35, "magnesium": 0.75, "egfr": 60,
       "pth": 15, "phosphate": 0.8, "tsh": 0.4, "ft4": 12, "glucose": 4}  # fmt: skip
HIGH = {"pth": 65, "phosphate": 1.5, "ft4": 22}


@st.composite
def results(draw: st.DrawFn) -> Json:
    """One laboratory result, readable or not quite."""
    name = draw(st.sampled_from(sorted(VALUES)))
    value, unit = draw(st.sampled_from(VALUES[name]))
    number = draw(st.integers(1, 4))
    found = lab(
        name,
        value,
        draw(st.sampled_from([unit, unit, unit, unit, None])),
        draw(st.sampled_from(TIMES)),
        id=f"{name}-{number}",
        status=draw(st.sampled_from(["final", "final", "final", "amended", "preliminary", "unknown", "cancelled"])),
        flag=draw(st.sampled_from(["", "", "", "L"])),
        comparator=draw(st.sampled_from(["", "", "", "", "<", ">"])),
    )
    if draw(st.integers(0, 3)) == 0 and unit == VALUES[name][0][1]:
        only = draw(
            st.sampled_from([{}, {}, {"appliesTo": [{"text": "male"}]}, {"age": {"low": {"value": 18, "code": "a"}}}])
        )
        ends = {"high": {"value": HIGH[name], "unit": unit}} if name in HIGH else {}
        found["referenceRange"] = [{"low": {"value": LOW[name], "unit": unit}, **ends, **only}]
    if draw(st.integers(0, 2)) == 0:
        found["specimen"] = {"reference": f"Specimen/{draw(st.integers(1, 2))}"}
    return found


RECORDS = [
    condition("G24.02", clinical="resolved", id="c1"),
    condition("E05.90", id="c2"),
    condition("D82.1", id="c3"),
    condition("G24.01", id="c4"),
    condition("I45.81", id="c5"),
    condition("F20.9", id="c6"),
    condition("E86.0", id="c7", onset="24h"),
    condition("Z51.5", id="c8"),
    condition("G24.9", id="c9", recorded="2d"),
    condition("E20.9", id="c10"),
    condition("Q21.3", id="c11"),
    condition("R56.9", id="c12", onset="2008-06-01"),
    condition("Z33.1", id="c13"),
    taking("calcium carbonate", id="m7"),
    taking("Methimazole 5 mg tablet", id="m8"),
    referral("Endocrinology", id="r1"),
    allergy("metoclopramide", DYSTONIA, id="a1"),
    allergy("haloperidol", "acute dystonia", id="a2"),
    taking("olanzapine", "5d", 10, 1, id="m1"),
    taking("haloperidol", "60d", 5, 1, id="m2"),
    taking("paroxetine", id="m3"),
    taking("benztropine", "3d", 1, 2, id="m4"),
    taking("magnesium oxide", id="m5"),
    taking("benztropine", "3d", 1, id="m6", prn=True),
    statement("risperidone", id="s1"),
    given("droperidol", "5h", id="g1"),
    family(),
    encounter("IMP"),
]
WHO = [
    patient("2004-03-01"),
    patient("2010-03-01", "female"),
    patient("1966-05-01", "female"),
    patient("2026-05-01"),
    patient("2009", None),
]


@st.composite
def calls(draw: st.DrawFn) -> Json:
    """A hook call with one or two drafts, or the opening of a record."""
    labs = draw(st.lists(results(), max_size=7, unique_by=lambda one: one["id"]))
    records = draw(
        st.lists(st.sampled_from(RECORDS), max_size=4, unique_by=lambda one: (one["resourceType"], one["id"]))
    )
    data = prefetch(draw(st.sampled_from(WHO)), *labs, *records)
    hook = draw(st.sampled_from(["order-sign", "order-sign", "order-select", "patient-view"]))
    drugs = draw(st.lists(st.sampled_from(DRUGS), min_size=1, max_size=2, unique=True))
    drafts = [
        order(
            drug, draw(st.sampled_from([None, 5, 25])), 1, id=f"draft-{number}", route=draw(st.sampled_from(["", "IM"]))
        )
        for number, drug in enumerate(drugs, 1)
    ]
    return call(None if hook == "patient-view" else drafts, data, hook)
