"""Invented patients whose prescription is to be refilled."""

from __future__ import annotations

from plugin.samples import drugs, findings
from plugin.samples.chart import Chart
from plugin.samples.fhir_parts import Json, daily, dosage
from plugin.samples.models import SamplePatient
from plugin.samples.telling import sample


def long_course(chart: Chart) -> Json:
    four_daily = dosage(10, "PO", daily(4))
    return {
        "patient": chart.patient("Ruth", "Longrun", "female", 57),
        "conditions": [chart.condition("gp", findings.GASTROPARESIS, days=200)],
        "medications": [chart.request("mcp", drugs.METOCLOPRAMIDE_TABLET, four_daily, days=80)],
        "medicationDispenses": [
            chart.dispense("first", drugs.METOCLOPRAMIDE_TABLET, days=80, supply=40),
            chart.dispense("second", drugs.METOCLOPRAMIDE_TABLET, days=40, supply=40),
        ],
    }


def cover_left_running(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Silas", "Forgotten", "male", 52),
        "conditions": [chart.condition("scz", findings.SCHIZOPHRENIA, days=3000)],
        "medications": [
            chart.request("risperidone", drugs.RISPERIDONE_TABLET, dosage(1, "PO", daily(2)), days=200),
            chart.request("benztropine", drugs.BENZTROPINE_TABLET, dosage(1, "PO", daily(2)), days=190),
        ],
    }


def stable_refill(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Tilda", "Samesame", "female", 63),
        "medications": [chart.request("quetiapine", drugs.QUETIAPINE_TABLET, dosage(100, "PO", daily()), days=300)],
    }


REFILLING: tuple[SamplePatient, ...] = (
    sample(
        long_course,
        "ruth-longrun",
        "medication-refill",
        refills=("metoclopramide-refill",),
        name="Ruth Longrun, 57, female",
        story="Gastroparesis, on metoclopramide without a break for eleven weeks. A refill for 30 days is asked for.",
        shows="Warning: longer than twelve weeks",
    ),
    sample(
        cover_left_running,
        "silas-forgotten",
        "medication-refill",
        refills=("benztropine-refill", "risperidone-refill"),
        name="Silas Forgotten, 52, male",
        story="Benztropine was begun with risperidone half a year ago and never stopped. It is to be refilled.",
        shows="Info: cover that was left running",
    ),
    sample(
        stable_refill,
        "tilda-samesame",
        "medication-refill",
        refills=("quetiapine-refill",),
        name="Tilda Samesame, 63, female",
        story="The same dose of quetiapine for ten months; nothing else on record.",
        shows="No card: nothing against it in these rules",
    ),
)
