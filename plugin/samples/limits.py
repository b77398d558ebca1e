"""Invented patients whose condition, age or kidneys matter to what is ordered."""

from __future__ import annotations

from plugin.samples import findings
from plugin.samples.chart import Chart, ml_per_minute
from plugin.samples.fhir_parts import Json
from plugin.samples.models import SamplePatient
from plugin.samples.telling import sample


def parkinson(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Konrad", "Paradigm", "male", 74),
        "encounter": chart.encounter("IMP", hours=30),
        "conditions": [chart.condition("pd", findings.PARKINSON, days=2200)],
    }


def infant(chart: Chart) -> Json:
    return {"patient": chart.patient("Lina", "Minima", "female", 1)}


def tardive(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Nora", "Stillwell", "female", 66),
        "conditions": [chart.condition("td", findings.TARDIVE, days=900)],
    }


def poor_kidneys(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Quirin", "Filter", "male", 61),
        "conditions": [chart.condition("gp", findings.GASTROPARESIS, days=300)],
        "observations": [chart.result("egfr", findings.EGFR, ml_per_minute(48), hours=50)],
    }


def kinesigenic(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Enno", "Kickstart", "male", 16),
        "conditions": [chart.condition("pkd", findings.KINESIGENIC, days=90)],
    }


LIMITS: tuple[SamplePatient, ...] = (
    sample(
        parkinson,
        "konrad-paradigm",
        "order-sign",
        ("haloperidol-po-low", "quetiapine-po"),
        name="Konrad Paradigm, 74, male",
        story="Parkinson disease for years; at night he sees people who are not there. Haloperidol is ordered.",
        shows="Critical: contraindicated. Try quetiapine instead",
    ),
    sample(
        infant,
        "lina-minima",
        "order-sign",
        ("promethazine-liquid", "ondansetron-po"),
        name="Lina Minima, 15 months, female",
        story="A toddler with a cold who does not sleep. Promethazine liquid is ordered.",
        shows="Critical: promethazine below two years",
    ),
    sample(
        tardive,
        "nora-stillwell",
        "order-select",
        ("metoclopramide-po", "ondansetron-po"),
        name="Nora Stillwell, 66, female",
        story="Has tardive dyskinesia from earlier treatment; metoclopramide is chosen for nausea.",
        shows="Critical: contraindicated",
    ),
    sample(
        poor_kidneys,
        "quirin-filter",
        "order-sign",
        ("metoclopramide-po",),
        name="Quirin Filter, 61, male",
        story="Gastroparesis; eGFR 48 two days ago. Metoclopramide 10 mg four times a day is ordered.",
        shows="Warning: too much a day for these kidneys",
    ),
    sample(
        kinesigenic,
        "enno-kickstart",
        "order-sign",
        ("carbamazepine-po",),
        name="Enno Kickstart, 16, male",
        story="Paroxysmal kinesigenic dyskinesia; carbamazepine is ordered for the first time.",
        shows="Info: low dose, and a test to recall",
    ),
)
