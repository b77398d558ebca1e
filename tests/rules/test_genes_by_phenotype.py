"""R-DX-06: genes by phenotype, on request only (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.rules.genes_by_phenotype import PHENOTYPES
from plugin.vocabulary import terminology
from tests.support.attacks import opened, pkd, told, variant, years
from tests.support.fhir import condition, patient
from tests.support.rows import WOMAN_60, aged, outcome, row

Json = dict[str, Any]
RULE = "R-DX-06"
LEG = condition(text="Leg dystonia", id="leg", recorded="90d")
# A card for another reason, on which the link can stand.
BLADDER = condition("N31.9", id="bladder")


def shown(answer: Any) -> bool:
    """Whether a card links to the page."""
    return any(f"/guideline/{RULE}?with=" in link["url"] for card in answer.cards for link in card["links"])


FORMS = [
    row("PKD", pkd(), "info"),
    row("PNKD", condition(text="Paroxysmal nonkinesigenic dyskinesia"), "on-request"),
    row("exertional", condition(text="Paroxysmal exercise-induced dyskinesia"), "on-request"),
    row("dopa-responsive", condition(text="Dopa-responsive dystonia", recorded="90d"), "on-request"),
    row("leg dystonia that began at 17",
        {**condition(text="Leg dystonia", recorded="90d"), "onsetAge": years(17)}, "on-request"),
    row("leg dystonia that began at 18",
        {**condition(text="Leg dystonia", recorded="90d"), "onsetAge": years(18)}, "not-applicable"),
    row("leg dystonia of an adult, onset not told", condition(text="Leg dystonia", recorded="90d"), "not-applicable"),
    row("a focal dystonia", condition("G24.3", recorded="90d"), "not-applicable"),
    row("PKD, refuted", pkd(verification="refuted"), "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), FORMS)
def test_forms(record: Json, expected: str) -> None:
    answer = opened(WOMAN_60, record)
    assert answer.verdict(RULE) == expected
    assert shown(answer) is (expected == "info")


def test_a_child_with_leg_dystonia() -> None:
    assert opened(aged(9), LEG).verdict(RULE) == "on-request"
    assert opened(aged(18), LEG).verdict(RULE) == "not-applicable"


def test_each_dystonia_is_looked_at() -> None:
    """One that began in adult age hides no other that began in childhood."""
    late = {**condition("G24.9", id="a", onset="30d"), "note": [{"text": "left leg dystonia"}]}
    early = condition(text="Generalised dystonia", id="b", onset="2012-03-01")
    assert opened(patient("2004-03-01"), late, early).verdict(RULE) == "info"
    assert opened(patient("2004-03-01"), late).verdict(RULE) == "not-applicable"


def test_it_is_never_a_card_of_its_own_and_a_link_on_the_card_of_others() -> None:
    alone = opened(aged(9), LEG)
    assert alone.cards == []
    beside = opened(aged(9), LEG, BLADDER)
    assert beside.card["source"]["topic"]["code"] == "R-DX-04"
    assert shown(beside)
    assert "Genes by phenotype" not in beside.card["summary"]


def test_features_without_a_recorded_pkd() -> None:
    features = (told("attack trigger", "standing up"), told("awareness during attack", "preserved"))
    assert opened(WOMAN_60, *features, told("attack duration", 20)).verdict(RULE) == "info"
    assert opened(WOMAN_60, *features).verdict(RULE) == "not-applicable"


def facts(*data: Json) -> str:
    """All facts of the card of a child with leg dystonia and a bladder disorder."""
    card = opened(aged(9), LEG, BLADDER, *data).card
    return " | ".join(fact["text"] for fact in card["extension"]["org.dystonia-cds"]["facts"])


def test_variants_of_the_genes_of_the_form_are_recorded_facts() -> None:
    assert "variant reported as pathogenic" in facts(variant("TOR1A"))
    assert "TOR1A" not in facts(variant("TOR1A"))
    assert "of uncertain significance: information only" in facts(variant("TOR1A", "uncertain"))
    assert "variant" not in facts(variant("TOR1A", "benign"))
    assert "variant" not in facts(variant("KCNA1"))


def test_every_gene_of_the_map_is_known() -> None:
    known = {terminology().gene_text(symbol)[0].symbol for one in PHENOTYPES for symbol in one.genes}
    assert known == {symbol for one in PHENOTYPES for symbol in one.genes}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        row("conditions not sent", {"without": ("conditions",)}, "not-checked key-missing"),
        row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    ],
)
def test_what_was_not_sent(more: dict[str, Any], expected: str) -> None:
    assert opened(WOMAN_60, **more).verdict(RULE) == expected


def test_the_dead() -> None:
    assert opened(patient("2017-05-01", deceasedBoolean=True), LEG).verdict(RULE) == "not-applicable"
