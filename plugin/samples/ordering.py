"""Invented patients for whom a drug is ordered. Dates are computed from "now", so the stories hold on any day."""

from __future__ import annotations

from plugin.samples import drugs, findings
from plugin.samples.chart import Chart, mmol_per_litre
from plugin.samples.fhir_parts import Json, concept, daily, dosage
from plugin.samples.models import SamplePatient
from plugin.samples.telling import sample
from valuesets.systems import RXNORM


def young_man(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Adam", "Testa", "male", 22),
        "encounter": chart.encounter("EMER", hours=1),
        "observations": [chart.result("ca", findings.CALCIUM, mmol_per_litre(2.31), hours=1)],
    }


def low_calcium(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Berta", "Sampler", "female", 58),
        "encounter": chart.encounter("IMP", hours=40),
        "conditions": [chart.condition("hypopara", findings.POSTSURGICAL_HYPOPARATHYROIDISM, days=2)],
        "observations": [chart.result("ica", findings.CALCIUM_IONISED, mmol_per_litre(0.84), hours=3)],
    }


def prior_reaction(chart: Chart) -> Json:
    substance = concept(RXNORM, "6915", "Metoclopramide")
    return {
        "patient": chart.patient("Clara", "Fictiva", "female", 41),
        "allergies": [chart.reaction("reaction", substance, findings.DYSTONIA, days=400)],
    }


def two_blockers(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Dora", "Mockingham", "female", 46),
        "encounter": chart.encounter("EMER", hours=2),
        "conditions": [chart.condition("scz", findings.SCHIZOPHRENIA, days=2000)],
        "medications": [chart.request("olanzapine", drugs.OLANZAPINE_TABLET, dosage(10, "PO", daily()), days=200)],
    }


def with_cover(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Emil", "Placeholder", "male", 24),
        "encounter": chart.encounter("IMP", hours=5),
        "medications": [chart.request("cover", drugs.BENZTROPINE_TABLET, dosage(1, "PO", daily(2, 7)), days=0.1)],
        "observations": [chart.result("ca", findings.CALCIUM, mmol_per_litre(2.28), hours=4)],
    }


def no_unit(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Frida", "Unitless", "female", 68),
        "encounter": chart.encounter("IMP", hours=20),
        "observations": [chart.result("ca", findings.CALCIUM, {"value": 1.8}, hours=6)],
    }


def free_text(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Gustav", "Freetext", "male", 19),
        "encounter": chart.encounter("EMER", hours=1),
    }


def no_risk(chart: Chart) -> Json:
    return {"patient": chart.patient("Hanna", "Probanda", "female", 30)}


def low_magnesium(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Ivo", "Ersatz", "male", 63),
        "encounter": chart.encounter("IMP", hours=18),
        "medications": [chart.request("ppi", drugs.PANTOPRAZOLE_TABLET, dosage(40, "PO", daily()), days=300)],
        "observations": [
            chart.result("ca", findings.CALCIUM_CORRECTED, mmol_per_litre(1.85), hours=5),
            chart.result("mg", findings.MAGNESIUM, mmol_per_litre(0.5), hours=5),
        ],
    }


def stable_renewal(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Johanna", "Constant", "female", 78),
        "conditions": [chart.condition("scz", findings.SCHIZOPHRENIA, days=6000)],
        "medications": [chart.request("risperidone", drugs.RISPERIDONE_TABLET, dosage(1, "PO", daily(2)), days=240)],
        "medicationDispenses": [chart.dispense("supply", drugs.RISPERIDONE_TABLET, days=27, supply=30)],
    }


def failed_search(chart: Chart) -> Json:
    said = {"severity": "error", "code": "timeout", "diagnostics": "The laboratory system did not answer."}
    return {
        "patient": chart.patient("Otto", "Outage", "male", 66),
        "encounter": chart.encounter("IMP", hours=9),
        "observations": {"resourceType": "OperationOutcome", "issue": [said]},
    }


def deletion_syndrome(chart: Chart) -> Json:
    return {
        "patient": chart.patient("Mira", "Imaginaria", "female", 27),
        "conditions": [chart.condition("22q", findings.DELETION_22Q11, days=5000)],
    }


ORDERING: tuple[SamplePatient, ...] = (
    sample(
        young_man,
        "adam-testa",
        "order-sign",
        ("haloperidol-im", "haloperidol-po", "olanzapine-im"),
        name="Adam Testa, 22, male",
        story="Agitated in the emergency department, never had an antipsychotic. Haloperidol is ordered by injection.",
        shows="Warning: several risk factors at once",
    ),
    sample(
        low_calcium,
        "berta-sampler",
        "order-sign",
        ("haloperidol-po-low", "quetiapine-po"),
        name="Berta Sampler, 58, female",
        story="Delirious on the ward two days after thyroid surgery; ionised calcium 0.84 mmol/L three hours ago.",
        shows="Critical: severe low calcium",
    ),
    sample(
        prior_reaction,
        "clara-fictiva",
        "order-select",
        ("metoclopramide-po", "ondansetron-po"),
        name="Clara Fictiva, 41, female",
        story="Had a dystonic reaction to metoclopramide last year; it is a coded entry of the allergy list.",
        shows="Critical: a reaction is on record",
    ),
    sample(
        two_blockers,
        "dora-mockingham",
        "order-sign",
        ("metoclopramide-iv", "ondansetron-iv"),
        name="Dora Mockingham, 46, female",
        story="Takes olanzapine every day and vomits. Metoclopramide is ordered on top of it.",
        shows="Warning: two dopamine blockers",
    ),
    sample(
        with_cover,
        "emil-placeholder",
        "order-sign",
        ("haloperidol-po",),
        name="Emil Placeholder, 24, male",
        story="Starts haloperidol today; benztropine twice a day for a week was ordered two hours ago.",
        shows="No card: prophylaxis is there",
    ),
    sample(
        no_unit,
        "frida-unitless",
        "order-sign",
        ("haloperidol-po-low",),
        name="Frida Unitless, 68, female",
        story="Her calcium result arrived as 1.8, without any unit.",
        shows="Info: what could not be checked",
    ),
    sample(
        free_text,
        "gustav-freetext",
        "order-sign",
        ("prochlorperazine-text", "prochlorperazine-im"),
        name="Gustav Freetext, 19, male",
        story="Migraine with vomiting. The order is typed as free text and has no drug code.",
        shows="A card: drug recognised by its name",
    ),
    sample(
        no_risk,
        "hanna-probanda",
        "order-sign",
        ("ondansetron-po", "amoxicillin-text"),
        name="Hanna Probanda, 30, female",
        story="Nausea; ondansetron is ordered, which does not block dopamine.",
        shows="No card, and why there is none",
    ),
    sample(
        low_magnesium,
        "ivo-ersatz",
        "order-sign",
        ("calcium-carbonate", "magnesium-oxide"),
        name="Ivo Ersatz, 63, male",
        story="On pantoprazole for months; corrected calcium 1.85 and magnesium 0.50 mmol/L. Calcium is ordered alone.",
        shows="Warning: magnesium first. Order it too, fire again",
    ),
    sample(
        stable_renewal,
        "johanna-constant",
        "order-sign",
        ("risperidone-po", "risperidone-po-high"),
        name="Johanna Constant, 78, female",
        story="Eight months on the same dose of risperidone; the prescription is renewed.",
        shows="No card: a stable renewal",
    ),
    sample(
        failed_search,
        "otto-outage",
        "order-sign",
        ("haloperidol-po-low",),
        name="Otto Outage, 66, male",
        story="The search for his results failed: the laboratory system did not answer.",
        shows="Info: a failed search is not a normal result",
    ),
    sample(
        deletion_syndrome,
        "mira-imaginaria",
        "order-select",
        ("risperidone-po", "aripiprazole-po"),
        name="Mira Imaginaria, 27, female",
        story="22q11.2 deletion syndrome, calcium never measured here; risperidone is chosen for the first time.",
        shows="Info: two smaller factors, and no calcium on record",
    ),
)
