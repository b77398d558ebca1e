"""R-DRUG-03: a dystonic reaction to the same ingredient is on record (D.2)."""

from __future__ import annotations

import pytest

from tests.support.fhir import (
    DYSTONIA,
    ICD10CM,
    RXNORM,
    SNOMED,
    allergy,
    bundle,
    concept,
    condition,
    medication,
    order,
    patient,
    prefetch,
    taking,
)
from tests.support.fhir import call as hook_call
from tests.support.fire import fire, sign
from tests.support.rows import WOMAN_60, outcome, row

RULE = "R-DRUG-03"

# Which drug is ordered after which reaction: coded drug and coded manifestation.
DRUGS = [
    row("metoclopramide again: the label's contraindication", "metoclopramide", "metoclopramide", "critical"),
    row("haloperidol again", "haloperidol", "haloperidol", "warning"),
    row("olanzapine again", "olanzapine", "olanzapine", "warning"),
    row("ondansetron again: tier N too (S-06)", "ondansetron", "ondansetron", "warning"),
    row("quetiapine again: tier N too", "quetiapine", "quetiapine", "warning"),
    row("sertraline again", "sertraline", "sertraline", "warning"),
    row("a metoclopramide product", "rxnorm:311670", "metoclopramide", "critical"),
    row("haloperidol after a reaction to its decanoate", "haloperidol", "rxnorm:26420", "warning"),
    row("amitriptyline with perphenazine after perphenazine", "rxnorm:282427", "perphenazine", "warning"),
    row("perphenazine after amitriptyline with perphenazine", "perphenazine", "rxnorm:282427", "warning"),
    row("haloperidol after metoclopramide: another drug", "haloperidol", "metoclopramide", "clear"),
    row("ondansetron after metoclopramide", "ondansetron", "metoclopramide", "clear"),
    row("omeprazole, an ordinary drug", "omeprazole", "metoclopramide", "not-applicable"),
    row("a name that we do not know", "Amoxicillin 500 mg", "metoclopramide", "not-applicable"),
]


@pytest.mark.parametrize(("ordered", "reacted", "expected"), DRUGS)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_drugs(hook: str, ordered: str, reacted: str, expected: str) -> None:
    assert sign(order(ordered), WOMAN_60, allergy(reacted, DYSTONIA), hook=hook).verdict(RULE) == expected


def substance(drug: str, *, general: str = "Antiemetics") -> dict:
    """An allergy record whose own code is general and whose reaction names the drug."""
    found = allergy(general, DYSTONIA)
    found["reaction"][0]["substance"] = medication(drug)
    return found


# How the record says it. Metoclopramide is ordered: text alone is capped at warning.
RECORDS = [
    row("all coded", allergy("metoclopramide", DYSTONIA), "critical"),
    row("manifestation G24.02", allergy("metoclopramide", concept(ICD10CM, "G24.02")), "critical"),
    row("manifestation in words", allergy("metoclopramide", "Acute dystonia"), "warning"),
    row("manifestation oculogyric", allergy("metoclopramide", "OCULOGYRIC CRISIS"), "warning"),
    row("manifestation torticollis", allergy("metoclopramide", "Torticollis"), "warning"),
    row("manifestation lockjaw", allergy("metoclopramide", "lockjaw for hours"), "warning"),
    row("a display without a known code", allergy("metoclopramide", concept(SNOMED, "1", "Dystonic reaction")),
        "warning"),
    row("drug in words", allergy("Reglan", DYSTONIA), "warning"),
    row("drug in words, 'allergy to'", allergy("Allergy to metoclopramide", DYSTONIA), "warning"),
    row("drug named by the reaction's substance", substance("metoclopramide"), "critical"),
    row("another substance than the record's own drug", substance("haloperidol", general="metoclopramide"), "clear"),
    row("a substance that is no drug, of a record that names one",
        substance("the coating of the tablet", general="metoclopramide"), "critical"),
    row("no date", allergy("metoclopramide", DYSTONIA, when=""), "critical"),
    row("confirmed", allergy("metoclopramide", DYSTONIA, verification="confirmed"), "critical"),
    row("unconfirmed", allergy("metoclopramide", DYSTONIA, verification="unconfirmed"), "critical"),
    row("no statuses", allergy("metoclopramide", DYSTONIA, clinical="", verification=""), "critical"),
    row("refuted", allergy("metoclopramide", DYSTONIA, verification="refuted"), "clear"),
    row("entered in error", allergy("metoclopramide", DYSTONIA, verification="entered-in-error"), "clear"),
    row("inactive", allergy("metoclopramide", DYSTONIA, clinical="inactive"), "clear"),
    row("resolved", allergy("metoclopramide", DYSTONIA, clinical="resolved"), "clear"),
    row("no manifestation", allergy("metoclopramide", None), "clear"),
    row("another manifestation", allergy("metoclopramide", "Rash"), "clear"),
    row("R5 manifestation", {**allergy("metoclopramide", None),
        "reaction": [{"manifestation": [{"concept": DYSTONIA}]}]}, "critical"),
    row("described in words only", {**allergy("metoclopramide", None),
        "reaction": [{"description": "severe dystonia of the neck"}]}, "warning"),
    row("a drug that is a code without a name", {**allergy("x", DYSTONIA), "code": concept(RXNORM, "99999999")},
        "not-checked drug-unrecognised"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_how_it_is_recorded(record: dict, expected: str) -> None:
    assert sign(order("metoclopramide"), WOMAN_60, record).verdict(RULE) == expected


def event(drug: dict | None, what: dict | str = DYSTONIA, **more: object) -> dict:
    """An AdverseEvent that blames a reference, which is contained or has a display."""
    found = {
        "resourceType": "AdverseEvent",
        "id": "ae1",
        "actuality": "actual",
        "subject": {"reference": "Patient/p1"},
        "event": {"text": what} if isinstance(what, str) else what,
        "date": "2024-03-02",
    }
    if drug is not None:
        found["contained"] = [{"resourceType": "Medication", "id": "m", "code": drug}]
        found["suspectEntity"] = [{"instance": {"reference": "#m"}}]
    return found | more


METOCLOPRAMIDE = medication("metoclopramide")
EVENTS = [
    row("all coded", event(METOCLOPRAMIDE), "critical"),
    row("the event in words", event(METOCLOPRAMIDE, "Acute dystonia"), "warning"),
    row("the drug by display", event(None, suspectEntity=[{"instance": {"display": "Reglan"}}]), "warning"),
    row("the drug in the words of the event", event(None, "Dystonia after metoclopramide"), "warning"),
    row("the drug in words that tell of an allergy", event(None, "Dystonia, allergic to metoclopramide"), "warning"),
    row("R5's names", {**event(None, suspectEntity=[{"instanceCodeableConcept": METOCLOPRAMIDE}]),
        "event": None, "code": DYSTONIA}, "critical"),
    row("one of two suspects", event(METOCLOPRAMIDE, suspectEntity=[
        {"instance": {"display": "omeprazole"}}, {"instance": {"reference": "#m"}}]), "critical"),
    row("no date", {**event(METOCLOPRAMIDE), "date": None}, "critical"),
    row("only possible", event(METOCLOPRAMIDE, actuality="potential"), "clear"),
    row("entered in error", event(METOCLOPRAMIDE, status="entered-in-error"), "clear"),
    row("another event", event(METOCLOPRAMIDE, "Rash"), "clear"),
    row("no dystonia", event(METOCLOPRAMIDE, "No dystonia"), "clear"),
    row("akathisia is another reaction", event(METOCLOPRAMIDE, "Akathisia"), "clear"),
    row("another drug", event(medication("haloperidol")), "clear"),
    row("of somebody else", event(METOCLOPRAMIDE, subject={"reference": "Patient/other"}), "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), EVENTS)
def test_adverse_events(record: dict, expected: str) -> None:
    told = {key: value for key, value in record.items() if value is not None}
    fired = sign(order("metoclopramide"), WOMAN_60, adverseEvents=bundle(told))
    assert fired.verdict(RULE) == expected


# A condition whose words name the drug; the drug is matched by text, so never above warning.
CONDITIONS = [
    row("coded, drug in its text", condition("G24.02", text="Acute dystonia due to metoclopramide"), "warning"),
    row("words alone", condition(text="Acute dystonic reaction to metoclopramide"), "warning"),
    row("words with a brand", condition(text="Reglan dystonia"), "warning"),
    row("resolved: it happened", condition("G24.02", text="Metoclopramide dystonia", clinical="resolved"), "warning"),
    row("a rule-out is information at most",
        condition("G24.02", text="Metoclopramide dystonia", verification="provisional"), "info"),
    row("refuted", condition("G24.02", text="Metoclopramide dystonia", verification="refuted"), "clear"),
    row("entered in error", condition("G24.02", text="Metoclopramide dystonia", verification="entered-in-error"),
        "clear"),
    row("another drug named", condition("G24.02", text="Haloperidol dystonia"), "clear"),
    row("no drug named", condition("G24.02"), "clear"),
    row("a dystonia that no drug caused", condition("G24.1", text="Torsion dystonia"), "clear"),
    row("named in a note", {**condition("G24.02"), "note": [{"text": "after metoclopramide 10 mg IV"}]}, "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), CONDITIONS)
def test_conditions(record: dict, expected: str) -> None:
    assert sign(order("metoclopramide"), WOMAN_60, record).verdict(RULE) == expected


# Several records: the strongest decides, whatever their order.
SEVERAL = [
    row("words first, code second", [allergy("metoclopramide", "dystonia", id="a"),
        allergy("metoclopramide", DYSTONIA, id="b")], "critical"),
    row("code first, words second", [allergy("metoclopramide", DYSTONIA, id="a"),
        allergy("metoclopramide", "dystonia", id="b")], "critical"),
    row("refuted and active", [allergy("metoclopramide", DYSTONIA, id="a", verification="refuted"),
        allergy("metoclopramide", DYSTONIA, id="b")], "critical"),
    row("a rule-out and a sure condition", [
        condition("G24.02", text="Metoclopramide dystonia", verification="provisional", id="a"),
        condition("G24.02", text="Metoclopramide dystonia", id="b")], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), SEVERAL)
def test_several_records(records: list[dict], expected: str) -> None:
    assert sign(order("metoclopramide"), WOMAN_60, *records).verdict(RULE) == expected
    assert sign(order("metoclopramide"), WOMAN_60, *reversed(records)).verdict(RULE) == expected


# Whether it is a start, how it is covered and why it is given do not matter to a contraindication.
NOT_SUPPRESSED = [
    row("taken for 60 days", [taking("metoclopramide")]),
    row("with scheduled cover", [taking("benztropine", "1d", 1, 2)]),
    row("in palliative care (S-10)", [condition("Z51.5")]),
]


@pytest.mark.parametrize("data", NOT_SUPPRESSED)
def test_nothing_silences_it(data: list[dict]) -> None:
    draft = order("metoclopramide", 10, once=True)
    assert sign(draft, WOMAN_60, allergy("metoclopramide", DYSTONIA), *data).verdict(RULE) == "critical"


@pytest.mark.parametrize(
    ("jurisdiction", "words"), [("us", "in the US label"), ("eu", "in the EU label"), ("uk", "in the UK label")]
)
def test_the_summary_names_drug_date_and_label(jurisdiction: str, words: str) -> None:
    answer = sign(order("metoclopramide"), WOMAN_60, allergy("metoclopramide", DYSTONIA), jurisdiction=jurisdiction)
    expected = f"Recorded dystonic reaction to metoclopramide (2024-03-02). Contraindicated {words}."
    assert answer.card["summary"] == expected
    assert answer.result(RULE)["inputs"] == ["AllergyIntolerance/al1"]


def test_a_match_by_words_is_said() -> None:
    answer = sign(order("metoclopramide"), WOMAN_60, allergy("Reglan", "dystonia"))
    assert "matched by text" in answer.card["summary"]
    assert "check the allergy record" in answer.card["detail"]


MISSING = [
    row("both searches empty", {}, "clear"),
    row("allergies null", {"allergies": None}, "clear"),
    row("allergies missing", {"without": ("allergies",)}, "not-checked key-missing"),
    row("conditions missing", {"without": ("conditions",)}, "not-checked key-missing"),
    row("allergies failed", {"allergies": outcome()}, "not-checked key-failed"),
    row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    row("medications failed do not matter here", {"medications": outcome()}, "clear"),
    row("patient missing does not matter here", {"without": ("patient",)}, "clear"),
    row("another patient's allergy left out",
        {"allergies": bundle({**allergy("metoclopramide", DYSTONIA), "patient": {"reference": "Patient/other"}})},
        "not-checked other-patient"),
    row("allergies incomplete",
        {"allergies": {**bundle(allergy("x", "Rash")), "link": [{"relation": "next", "url": "https://e.example/2"}]}},
        "not-checked truncated"),
    row("allergies incomplete, but the reaction is there",
        {"allergies": {**bundle(allergy("metoclopramide", DYSTONIA)),
         "link": [{"relation": "next", "url": "https://e.example/2"}]}}, "critical"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: dict, expected: str) -> None:
    assert sign(order("metoclopramide"), **{"patient": WOMAN_60, **changes}).verdict(RULE) == expected


EXCLUDED = [
    row("deceased", order("metoclopramide"), patient(deceasedBoolean=True), "not-applicable"),
    row("cancelled", order("metoclopramide", status="cancelled"), WOMAN_60, "not-applicable"),
    row("do not perform", order("metoclopramide", more={"doNotPerform": True}), WOMAN_60, "not-applicable"),
    row("no name", order("rxnorm:99999999"), WOMAN_60, "not-checked drug-unrecognised"),
]


@pytest.mark.parametrize(("draft", "person", "expected"), EXCLUDED)
def test_excluded_orders(draft: dict, person: dict, expected: str) -> None:
    assert sign(draft, person, allergy("metoclopramide", DYSTONIA)).verdict(RULE) == expected


def test_without_any_prefetch_nothing_is_clear() -> None:
    answer = fire(hook_call([order("metoclopramide")], None))
    assert answer.verdict(RULE) == "not-checked key-missing"


def test_the_drug_of_the_reaction_is_a_prior_dystonia_for_every_other() -> None:
    answer = fire(hook_call([order("haloperidol")], prefetch(WOMAN_60, allergy("metoclopramide", DYSTONIA))))
    assert answer.verdict(RULE) == "clear"
    assert answer.verdict("R-DRUG-01") == "warning"
