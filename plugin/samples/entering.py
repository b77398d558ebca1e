"""Invented patients for whom a problem is being entered on the problem list."""

from __future__ import annotations

from plugin.samples import drugs
from plugin.samples.chart import Chart
from plugin.samples.fhir_parts import ONCE, Json, dosage
from plugin.samples.models import SamplePatient
from plugin.samples.telling import sample


def after_an_antiemetic(chart: Chart) -> Json:
    given = dosage(10, "IV", ONCE)
    return {
        "patient": chart.patient("Yannick", "Twister", "male", 20),
        "encounter": chart.encounter("EMER", hours=1),
        "medications": [chart.request("pcp", drugs.PROCHLORPERAZINE_INJECTION, given, days=0.75)],
        "medicationAdministrations": [chart.administration("pcp-given", drugs.PROCHLORPERAZINE_INJECTION, hours=18)],
    }


def unmeasured(chart: Chart) -> Json:
    return {"patient": chart.patient("Zoe", "Unmeasured", "female", 35)}


ENTERING: tuple[SamplePatient, ...] = (
    sample(
        after_an_antiemetic,
        "yannick-twister",
        "problem-list-item-create",
        problems=("acute-dystonia",),
        name="Yannick Twister, 20, male",
        story="Back in the emergency department with a twisted neck, 18 hours after prochlorperazine for migraine.",
        shows="Warning: which drug, and a draft to record it",
    ),
    sample(
        unmeasured,
        "zoe-unmeasured",
        "problem-list-item-create",
        problems=("tetany", "hypertension"),
        name="Zoe Unmeasured, 35, female",
        story="Tetany is being entered; calcium and magnesium have not been measured for years.",
        shows="Info: not measured. Try hypertension: no card",
    ),
)
