"""R-DRUG-08: a dopamine blocker in Parkinson disease, Lewy body dementia or a lesion of the basal ganglia (D.2)."""

from __future__ import annotations

import pytest

from tests.support.fhir import Json, condition, order, patient
from tests.support.fire import sign
from tests.support.rows import WOMAN_60, aged, outcome, row

RULE = "R-DRUG-08"
PARKINSON = condition("G20.A1", text="Parkinson disease")

# Condition by drug: haloperidol, metoclopramide, olanzapine, quetiapine.
TABLE = [
    row("Parkinson disease G20", condition("G20"), "critical", "warning"),
    row("Parkinson disease G20.A1", condition("G20.A1"), "critical", "warning"),
    row("Parkinson disease G20.B2", condition("G20.B2"), "critical", "warning"),
    row("WHO G20", condition("G20", system="http://hl7.org/fhir/sid/icd-10"), "critical", "warning"),
    row("dementia with Lewy bodies", condition("G31.83"), "critical", "warning"),
    row("G20.C counts for a warning only", condition("G20.C"), "warning", "warning"),
    row("degenerative disease of the basal ganglia", condition("G23.1"), "info", "info"),
    row("haemorrhage, deep", condition("I61.0"), "info", "info"),
    row("stroke with its site in words", condition("I63.9", text="Infarction of the left thalamus"), "info", "info"),
    row("stroke elsewhere", condition("I63.9", text="Infarction of the left frontal lobe"), "clear", "clear"),
    row("Parkinson disease by words", condition(text="Parkinson's disease"), "warning", "warning"),
    row("a short name", condition(text="Parkinson's"), "warning", "warning"),
    row("another name", condition(text="Morbus Parkinson"), "warning", "warning"),
    row("Lewy body disease by words", condition(text="Lewy body disease"), "warning", "warning"),
    row("Lewy bodies by words", condition(text="Dementia with Lewy bodies"), "warning", "warning"),
    row("words that are none", condition(text="Wolff-Parkinson-White syndrome"), "clear", "clear"),
    row("a rule-out", condition("G20.A1", verification="provisional"), "info", "info"),
    row("a rule-out of a lesion", condition("G23.1", verification="differential"), "info", "info"),
    row("refuted", condition("G20.A1", verification="refuted"), "clear", "clear"),
    row("resolved", condition("G20.A1", clinical="resolved"), "clear", "clear"),
    row("recurrence", condition("G20.A1", clinical="recurrence"), "critical", "warning"),
    row("drug-induced parkinsonism is another thing", condition("G21.11"), "clear", "clear"),
    row("essential tremor", condition("G25.0"), "clear", "clear"),
]


@pytest.mark.parametrize(("record", "haloperidol", "others"), TABLE)
def test_conditions(record: Json, haloperidol: str, others: str) -> None:
    assert sign(order("haloperidol"), WOMAN_60, record).verdict(RULE) == haloperidol
    assert sign(order("metoclopramide"), WOMAN_60, record).verdict(RULE) == others
    assert sign(order("olanzapine"), WOMAN_60, record).verdict(RULE) == others
    assert sign(order("quetiapine"), WOMAN_60, record).verdict(RULE) == "not-applicable"


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("jurisdiction", ["us", "eu", "uk"])
def test_everywhere(hook: str, jurisdiction: str) -> None:
    answer = sign(order("haloperidol"), WOMAN_60, PARKINSON, hook=hook, jurisdiction=jurisdiction)
    assert answer.verdict(RULE) == "critical"


def test_the_gravest_counts() -> None:
    both = [condition("G23.1", id="a"), condition("G31.83", id="b")]
    answer = sign(order("haloperidol"), WOMAN_60, *both)
    assert (answer.verdict(RULE), answer.result(RULE)["inputs"]) == ("critical", ["Condition/b"])


def test_the_card() -> None:
    card = sign(order("haloperidol"), WOMAN_60, PARKINSON).card
    assert (
        card["summary"] == "Parkinson disease: haloperidol is contraindicated; may cause severe rigidity or dystonia."
    )
    assert "decanoate" not in card["detail"].split("**Basis**")[0]
    assert {one["code"] for one in card["overrideReasons"]} == {"palliative", "benefit-outweighs"}


# The label of the depot names Lewy bodies, that of tablets does not: the card says so where it matters.
@pytest.mark.parametrize(
    ("drug", "told"), [row("haloperidol", "haloperidol", True), row("its decanoate", "rxnorm:26420", False)]
)
def test_lewy_bodies_and_the_depot(drug: str, told: bool) -> None:
    answer = sign(order(drug), WOMAN_60, condition("G31.83"))
    assert answer.verdict(RULE) == "critical"
    assert ("those of tablets" in answer.card["detail"]) is told


WORDS = [
    row("a rule-out", "haloperidol", condition("G20.A1", verification="provisional"),
        "Possible Parkinson disease: haloperidol is contraindicated if it is confirmed; "
        "may cause severe rigidity or dystonia."),
    row("another drug", "olanzapine", PARKINSON,
        "Parkinson disease: olanzapine may cause severe rigidity or dystonia. Consider another drug."),
    row("a lesion", "olanzapine", condition("G23.1"),
        "Basal ganglia or thalamic lesion: olanzapine may cause rigidity or dystonia."),
]  # fmt: skip


@pytest.mark.parametrize(("drug", "record", "summary"), WORDS)
def test_summaries(drug: str, record: Json, summary: str) -> None:
    assert sign(order(drug), WOMAN_60, record).card["summary"] == summary


MISSING = [
    row("an empty list", {}, "clear"),
    row("conditions missing", {"without": ("conditions",)}, "not-checked key-missing"),
    row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
]


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: Json, expected: str) -> None:
    assert sign(order("haloperidol"), WOMAN_60, **changes).verdict(RULE) == expected


def test_excluded_orders() -> None:
    assert sign(order("haloperidol"), patient(deceasedBoolean=True), PARKINSON).verdict(RULE) == "not-applicable"
    assert sign(order("haloperidol", status="cancelled"), WOMAN_60, PARKINSON).verdict(RULE) == "not-applicable"
    assert sign(order("rxnorm:99999999"), WOMAN_60, PARKINSON).verdict(RULE) == "not-checked drug-unrecognised"
    assert sign(order("haloperidol"), WOMAN_60, PARKINSON, condition("Z51.5", id="p")).verdict(RULE) == "critical"


def test_only_what_speaks_against_the_drug_takes_away_what_helps_to_give_it() -> None:
    """Beside a warning no cover is offered; beside mere information (a lesion) it is."""
    draft, man = order("haloperidol", 5, 1, route="IM"), aged(22, "male")
    offered = [
        [one["label"] for one in sign(draft, man, condition(code)).card["suggestions"]] for code in ("G20.A1", "G23.8")
    ]
    assert [any("benztropine" in label for label in labels) for labels in offered] == [False, True], offered
