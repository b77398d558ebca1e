"""R-DRUG-09: an antidepressant after a movement reaction to one (D.2). Part b is R-DRUG-07, part c a tier."""

from __future__ import annotations

import pytest

from tests.support.fhir import DYSTONIA, Json, allergy, bundle, condition, order, patient
from tests.support.fire import sign
from tests.support.rows import WOMAN_60, outcome, row

RULE = "R-DRUG-09"

DRUGS = [
    row("sertraline", "sertraline", "info"),
    row("paroxetine", "paroxetine", "info"),
    row("escitalopram by name", "Lexapro 10 mg", "info"),
    row("venlafaxine by name", "venlafaxine 75 mg", "info"),
    row("duloxetine by name", "duloxetine 60 mg", "info"),
    row("bupropion by name", "bupropion 150 mg", "info"),
    row("mirtazapine is none of them", "mirtazapine 15 mg", "not-applicable"),
    row("amitriptyline is none of them", "amitriptyline 25 mg", "not-applicable"),
    row("amoxapine is a tier of its own", "amoxapine", "not-applicable"),
    row("haloperidol", "haloperidol", "not-applicable"),
    row("a code without a name", "rxnorm:99999999", "not-checked drug-unrecognised"),
]


@pytest.mark.parametrize(("drug", "expected"), DRUGS)
def test_drugs(drug: str, expected: str) -> None:
    assert sign(order(drug), WOMAN_60, allergy("fluoxetine 20 mg", DYSTONIA)).verdict(RULE) == expected


RECORDS = [
    row("dystonia from the same drug", allergy("sertraline", DYSTONIA), "info"),
    row("dystonia from another SSRI", allergy("paroxetine", DYSTONIA), "info"),
    row("dystonia from a tricyclic", allergy("amitriptyline", DYSTONIA), "info"),
    row("dystonia from amoxapine", allergy("amoxapine", DYSTONIA), "info"),
    row("akathisia", allergy("paroxetine", "Akathisia"), "info"),
    row("EPS", allergy("paroxetine", "EPS"), "info"),
    row("words alone", allergy("Paxil", "muscle dystonia"), "info"),
    row("a condition that names the drug", condition("G24.02", text="Dystonia due to paroxetine"), "info"),
    row("akathisia that names the drug", condition("G25.71", text="Akathisia from sertraline"), "info"),
    row("a condition that is over", condition("G24.02", text="Paroxetine dystonia", clinical="resolved"), "info"),
    row("refuted", condition("G24.02", text="Paroxetine dystonia", verification="refuted"), "clear"),
    row("a condition that names no drug", condition("G24.02"), "clear"),
    row("a condition that names haloperidol", condition("G24.02", text="Haloperidol dystonia"), "clear"),
    row("dystonia from haloperidol", allergy("haloperidol", DYSTONIA), "clear"),
    row("dystonia from metoclopramide", allergy("metoclopramide", DYSTONIA), "clear"),
    row("a rash from paroxetine", allergy("paroxetine", "Rash"), "clear"),
    row("refuted reaction", allergy("paroxetine", DYSTONIA, verification="refuted"), "clear"),
    row("resolved reaction", allergy("paroxetine", DYSTONIA, clinical="resolved"), "clear"),
    row("tremor", allergy("paroxetine", "Tremor"), "clear"),
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_records(record: Json, expected: str) -> None:
    assert sign(order("sertraline", 50, 1), WOMAN_60, record).verdict(RULE) == expected


def test_an_antidepressant_alone_never_fires() -> None:
    answer = sign(order("sertraline", 50, 1), patient("2010-01-01"))
    assert answer.cards == []
    assert answer.verdict(RULE) == "clear"


def test_it_runs_at_order_sign_only() -> None:
    answer = sign(order("sertraline"), WOMAN_60, allergy("paroxetine", DYSTONIA), hook="order-select")
    assert RULE not in {result["rule"] for result in answer.results}


SUMMARIES = [
    row("dystonia", allergy("paroxetine", DYSTONIA),
        "Prior dystonia on paroxetine recorded; sertraline may recur it (case reports)."),
    row("akathisia", allergy("paroxetine", "Akathisia"),
        "Prior akathisia on paroxetine recorded; sertraline may recur it (case reports)."),
    row("EPS", allergy("paroxetine", "EPS"),
        "Prior extrapyramidal symptoms on paroxetine recorded; sertraline may recur them (case reports)."),
]  # fmt: skip


@pytest.mark.parametrize(("record", "summary"), SUMMARIES)
def test_summaries(record: Json, summary: str) -> None:
    answer = sign(order("sertraline"), WOMAN_60, record)
    assert answer.card["summary"] == summary
    assert answer.result(RULE)["inputs"] == ["AllergyIntolerance/al1"]


MISSING = [
    row("empty lists", {}, "clear"),
    row("another disease", {"conditions": bundle(condition("E05.90", text="Sertraline in Graves disease"))}, "clear"),
    row("allergies missing", {"without": ("allergies",)}, "not-checked key-missing"),
    row("conditions missing", {"without": ("conditions",)}, "not-checked key-missing"),
    row("allergies failed", {"allergies": outcome()}, "not-checked key-failed"),
]


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: Json, expected: str) -> None:
    assert sign(order("sertraline"), WOMAN_60, **changes).verdict(RULE) == expected


def test_a_reaction_to_a_drug_that_nobody_can_name() -> None:
    nameless = {**allergy("x", DYSTONIA), "code": {"coding": [{"system": "urn:x", "code": "1"}]}}
    assert sign(order("sertraline"), WOMAN_60, nameless).verdict(RULE) == "not-checked drug-unrecognised"


def test_excluded_orders() -> None:
    reaction = allergy("paroxetine", DYSTONIA)
    assert sign(order("sertraline"), patient(deceasedBoolean=True), reaction).verdict(RULE) == "not-applicable"
    assert sign(order("sertraline", status="cancelled"), WOMAN_60, reaction).verdict(RULE) == "not-applicable"
