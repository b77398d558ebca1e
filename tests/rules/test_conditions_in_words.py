"""Conditions that a record tells in words alone: they count by their full names, are marked, and are never critical."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.vocabulary import terminology
from tests.support.fhir import Json, call, condition, lab, order, prefetch
from tests.support.fire import fire, sign
from tests.support.rows import WOMAN_60, aged, row

SNOMED = "http://snomed.info/sct"
LOW = lab("ionised", 1.0)


def words(text: str, **more: Any) -> Json:
    """A condition of some years ago, in words alone."""
    return condition(text=text, **({"id": "words", "recorded": "900d"} | more))


def view(person: Json, *data: Json) -> Any:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(person, *data), "patient-view"))


NEW = condition("G24.9", recorded="2d", id="new")
# What is opened, the words, and the rule that they make speak.
OPENED = [
    row("a thalamic infarct", [NEW, words("Thalamic infarct, left")], "R-DX-03", "info"),
    row("a stroke long ago", [NEW, words("History of stroke")], "R-DX-03", "info"),
    row("multiple sclerosis", [NEW, words("Multiple sclerosis")], "R-DX-03", "info"),
    row("a stroke that is suspected", [NEW, words("Suspected stroke")], "R-DX-03", "info"),
    row("a stroke that is feared", [NEW, words("Risk of stroke")], "R-DX-03", "clear"),
    row("a tethered cord that is suspected", [words("Suspected tethered cord")], "R-TX-06", "not-applicable"),
    row("a malformation with spells", [words("Focal cortical dysplasia"), words("Paroxysmal limb posturing", id="b")],
        "R-DX-05", "info"),
    row("a hairy patch", [words("Toe walking", id="leg"), words("Lumbosacral hairy patch")], "R-DX-04", "info"),
    row("what was taught about it", [NEW, words("Multiple sclerosis education")], "R-DX-03", "clear"),
    row("a stroke of the father", [NEW, words("Father had a stroke")], "R-DX-03", "clear"),
    row("a refuted stroke", [NEW, words("Stroke", verification="refuted")], "R-DX-03", "clear"),
    row("a stroke by a code of SNOMED CT that nobody mapped",
        [NEW, condition("99999999", system=SNOMED, text="Cerebral infarction", id="words")], "R-DX-03", "info"),
    row("a code of ICD-10 that is none of ours, whatever its words",
        [NEW, condition("Z13.9", text="Stroke", id="words")], "R-DX-03", "clear"),
    row("a sacral dimple", [words("Toe walking", id="leg"), words("Sacral dimple")], "R-DX-04", "info"),
    row("a scoliosis", [words("Toe walking", id="leg"), words("Scoliosis")], "R-DX-04", "info"),
    row("no scoliosis", [words("Toe walking", id="leg"), words("No scoliosis")], "R-DX-04", "clear"),
    row("hypoparathyroidism", [LOW, words("Hypoparathyroidism")], "R-MET-05", "info"),
    row("hyperthyroidism", [words("Dystonia", id="leg"), words("Hyperthyroidism")], "R-MET-07", "info"),
    row("hyperthyroidism that is over", [words("Dystonia", id="leg"), words("Hyperthyroidism, treated")], "R-MET-07",
        "not-checked no-result"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "rule", "expected"), OPENED)
def test_opening_the_record(data: list[Json], rule: str, expected: str) -> None:
    assert view(WOMAN_60, *data).verdict(rule) == expected


SIGNED = [
    row("angle-closure glaucoma", "benztropine", "Angle-closure glaucoma", "R-DRUG-11", "warning"),
    row("open-angle glaucoma", "benztropine", "Open-angle glaucoma", "R-DRUG-11", "clear"),
    row("22q11.2 deletion", "risperidone", "22q11.2 deletion syndrome", "R-MET-04", "info"),
    row("parkinsonism", "haloperidol", "Parkinsonism", "R-DRUG-08", "warning"),
    row("a lesion of the thalamus", "haloperidol", "Thalamic lesion", "R-DRUG-08", "info"),
    row("cocaine", "olanzapine", "Cocaine use disorder", "R-DRUG-01", "info"),
    row("cocaine, in remission", "olanzapine", "Cocaine use disorder, in remission", "R-DRUG-01", "clear"),
]


@pytest.mark.parametrize(("drug", "text", "rule", "expected"), SIGNED)
def test_signing(drug: str, text: str, rule: str, expected: str) -> None:
    assert sign(order(drug), WOMAN_60, words(text)).verdict(rule) == expected


def test_dialysis_lowers_the_limit_of_metoclopramide() -> None:
    draft = order("metoclopramide", 10, 3)
    found = sign(draft, WOMAN_60, words("End-stage renal disease on haemodialysis"))
    assert found.verdict("R-DRUG-07") == "warning"
    assert "matched by text" in found.card["detail"]


def test_words_withhold_cover_and_drugs_that_prolong_the_qt_interval() -> None:
    offered = [one["label"] for one in sign(order("droperidol", 5, 1), aged(22, "male")).card["suggestions"]]
    assert any("benztropine" in one for one in offered)
    assert any("ondansetron" in one for one in offered)
    spoken = words("Angle-closure glaucoma"), words("Prolonged QT", id="qt")
    left = [one["label"] for one in sign(order("droperidol", 5, 1), aged(22, "male"), *spoken).card["suggestions"]]
    assert not any("benztropine" in one or "ondansetron" in one for one in left)


def test_the_card_says_that_words_were_read() -> None:
    for data in ([NEW, words("Multiple sclerosis")], [LOW, words("Hypoparathyroidism")]):
        facts = [one["text"] for one in view(WOMAN_60, *data).card["extension"]["org.dystonia-cds"]["facts"]]
        assert any(fact.startswith("Condition: ") and fact.endswith(", matched by text") for fact in facts), facts


@pytest.mark.parametrize(
    "text", ["Wilson's disease carrier", "Carrier of Wilson disease", "Carrier for Wilson disease"]
)
def test_a_carrier_is_not_ill(text: str) -> None:
    known = terminology().condition_words
    assert known.names("Wilson's disease") == {"wilson"}
    assert not known.names(text)
