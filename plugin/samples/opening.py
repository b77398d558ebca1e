"""Invented patients whose record is opened, or whose visit begins."""

from __future__ import annotations

from plugin.samples import drugs, findings
from plugin.samples.chart import Chart, mmol_per_litre, pmol_per_litre
from plugin.samples.fhir_parts import Json, daily, dosage
from plugin.samples.models import SamplePatient
from plugin.samples.telling import sample


def untreated(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Ulla", "Lowlander", "female", 49),
        "conditions": [chart.condition("hypopara", findings.HYPOPARATHYROIDISM, days=700)],
        "observations": [
            chart.result("ica", findings.CALCIUM_IONISED, mmol_per_litre(1.02), hours=20),
            chart.result("mg", findings.MAGNESIUM, mmol_per_litre(0.81), hours=20),
        ],
    }


def unexplained(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Viktor", "Riddle", "male", 24),
        "encounter": chart.encounter("IMP", hours=2),
        "conditions": [chart.condition("heart", findings.FALLOT, days=5000)],
        "medications": [chart.request("calcium", drugs.CALCIUM_TABLET, dosage(1250, "PO", daily(2)), days=0.1)],
        "observations": [
            chart.result("ica", findings.CALCIUM_IONISED, mmol_per_litre(1.01), hours=6),
            chart.result("mg", findings.MAGNESIUM, mmol_per_litre(0.78), hours=6),
            chart.result("pth", findings.PARATHYRIN, pmol_per_litre(0.6), hours=6, usual=(1.6, 6.9)),
        ],
    }


def kinesigenic(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Wanda", "Suddenly", "female", 13),
        "conditions": [chart.condition("pkd", findings.KINESIGENIC, days=10)],
        "observations": [
            chart.result("ca", findings.CALCIUM, mmol_per_litre(2.35), hours=200),
            chart.result("mg", findings.MAGNESIUM, mmol_per_litre(0.84), hours=200),
            chart.said("trigger", "attack trigger", "sudden movement, standing up", days=10),
            chart.said("awareness", "awareness during attack", "preserved", days=10),
            chart.lasting("duration", "attack duration", 15, days=10),
        ],
    }


def nothing(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Xaver", "Blank", "male", 44),
        "conditions": [chart.condition("htn", findings.HYPERTENSION, days=900)],
        "observations": [chart.result("ca", findings.CALCIUM, mmol_per_litre(2.3), hours=300)],
    }


OPENING: tuple[SamplePatient, ...] = (
    sample(
        untreated,
        "ulla-lowlander",
        "patient-view",
        name="Ulla Lowlander, 49, female",
        story="Hypoparathyroidism; ionised calcium 1.02 mmol/L yesterday, and no calcium or vitamin D on her list.",
        shows="Info: low calcium, no treatment listed",
    ),
    sample(
        kinesigenic,
        "wanda-suddenly",
        "patient-view",
        name="Wanda Suddenly, 13, female",
        story="Short attacks of twisting when she stands up suddenly; she stays aware. Calcium is normal.",
        shows="Info: a pattern, and which tests may help",
    ),
    sample(
        nothing,
        "xaver-blank",
        "patient-view",
        name="Xaver Blank, 44, male",
        story="High blood pressure and a normal calcium; no movement disorder on record.",
        shows="No card: nothing that these rules look for",
    ),
    sample(
        unexplained,
        "viktor-riddle",
        "encounter-start",
        name="Viktor Riddle, 24, male",
        story="Cramps; calcium and parathyroid hormone are low, calcium was begun today. A heart defect since birth.",
        shows="Info: consider testing for 22q11.2 deletion",
    ),
)
