"""R-DQ-01 to R-DQ-08: what could not be checked is said; alone only for a tier H or M drug, else beside a finding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_hooks.service import KeyState, Prefetched, Site
from plugin.rules import RULES, data_quality
from plugin.services import PLUGIN
from tests.support.fhir import (
    RXNORM,
    bundle,
    call,
    condition,
    day,
    dispensed,
    given,
    lab,
    order,
    patient,
    prefetch,
    statement,
    taking,
)
from tests.support.fire import Fired, fire, fire_keys, plugin, sign
from tests.support.rows import WOMAN_60, outcome, resource, row

Json = dict[str, Any]
YOUNG_MAN = patient()
FRESH = (lab("ionised", 1.2), lab("magnesium", 0.85))
EXPECTED = ("patient", "medications", "allergies", "conditions", "observations")
OTHERS = ("medicationStatements", "medicationAdministrations", "medicationDispenses", "familyHistory")
NEXT = {"link": [{"relation": "next", "url": "https://ehr.example/page2"}]}


def alone(drug: str = "haloperidol", *data: Json, who: Json = WOMAN_60, **more: Any) -> Fired:
    """The answer for a woman of 60, who has no factor: a card can only be one about data."""
    return sign(order(drug), who, *data, **more)


def rules(card: Json) -> list[str]:
    """The rules merged into a card, the leading one first."""
    return [rule["id"] for rule in card["extension"]["org.dystonia-cds"]["rules"]]


# R-DQ-05, keys: alone when expected by the site and not supplied, or failed; nothing when the site does not expect it.
KEYS = [
    *(row(f"{key} missing, which the site expects", key, "missing", "R-DQ-05") for key in EXPECTED),
    *(row(f"{key} missing, which the site does not expect", key, "missing", "") for key in OTHERS),
    *(row(f"{key} null is returned and empty", key, "null", "") for key in EXPECTED[1:]),
    *(row(f"{key} is an OperationOutcome", key, "failed", "R-DQ-05") for key in (*EXPECTED, *OTHERS)),
    *(row(f"{key} holds an OperationOutcome", key, "among", "R-DQ-05") for key in (*EXPECTED[1:], *OTHERS)),
    *(row(f"{key} has further pages", key, "next", "R-DQ-05") for key in (*EXPECTED[1:], *OTHERS)),
    *(row(f"{key} is an empty Bundle", key, "empty", "") for key in EXPECTED[1:]),
]


def _with(key: str, state: str) -> Json:
    empty: Json = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    values = {
        "null": None,
        "failed": outcome(),
        "among": bundle(outcome()),
        "next": {**empty, **NEXT},
        "empty": empty,
    }
    return {"without": (key,)} if state == "missing" else {key: values[state]}


@pytest.mark.parametrize(("key", "state", "leader"), KEYS)
def test_keys(key: str, state: str, leader: str) -> None:
    answer = alone("haloperidol", *FRESH, **_with(key, state))
    assert [rules(card)[0] for card in answer.cards] == ([leader] if leader else [])
    if leader:
        card = answer.card
        assert card["indicator"] == "info"
        assert card["summary"].startswith("Dystonia check incomplete for haloperidol: ")
        assert {"input": key, "reason": _reason(state)} in card["extension"]["org.dystonia-cds"]["missing"]


def _reason(state: str) -> str:
    return {"missing": "key-missing", "next": "truncated"}.get(state, "key-failed")


def test_keys_that_the_site_does_not_expect_are_named_beside_a_finding() -> None:
    answer = alone("haloperidol", *FRESH, who=YOUNG_MAN, without=OTHERS)
    assert (
        "Not supplied to this service: medication statements, medication administrations, medication dispenses, "
        "family history." in answer.card["detail"]
    )
    assert answer.card["source"]["topic"]["code"] == "R-DRUG-01"


# A search that was cut off is whole when its oldest entry is older than the window of the rules.
WINDOWS = [
    row("orders: 400 days are the window", "medications", taking("sertraline", "400d"), ""),
    row("orders: 399 days are not enough", "medications", taking("sertraline", "399d"), "R-DQ-05"),
    row("statements: 400 days", "medicationStatements", statement("sertraline", since="400d"), ""),
    row("statements: 399 days", "medicationStatements", statement("sertraline", since="399d"), "R-DQ-05"),
    row("administrations: 45 days", "medicationAdministrations", given("sertraline", "45d"), ""),
    row("administrations: 44 days", "medicationAdministrations", given("sertraline", "44d"), "R-DQ-05"),
    row("dispenses: 120 days", "medicationDispenses", dispensed("sertraline", "120d", 30), ""),
    row("dispenses: 119 days", "medicationDispenses", dispensed("sertraline", "119d", 30), "R-DQ-05"),
    row("results: 400 days", "observations", lab("albumin", 40, "g/L", when="400d"), ""),
    row("results: 399 days", "observations", lab("albumin", 40, "g/L", when="399d"), "R-DQ-05"),
    row("results: no date tells nothing", "observations", lab("albumin", 40, "g/L", when=None), "R-DQ-05"),
    row("conditions have no window", "conditions", condition("I10", onset="2000d"), "R-DQ-05"),
]


@pytest.mark.parametrize(("key", "oldest", "leader"), WINDOWS)
def test_windows_of_searches_that_were_cut_off(key: str, oldest: Json, leader: str) -> None:
    recent = FRESH if key == "observations" else ()
    data = () if key == "observations" else FRESH
    answer = alone("haloperidol", *data, **{key: {**bundle(*recent, oldest), **NEXT}})
    assert [rules(card)[0] for card in answer.cards] == ([leader] if leader else [])


def test_a_list_with_an_error_in_it_is_not_whole_however_old_its_oldest_entry() -> None:
    answer = alone("haloperidol", *FRESH, medications=bundle(taking("sertraline", "400d"), outcome()))
    assert [rules(card)[0] for card in answer.cards] == ["R-DQ-05"]


# Resources that could not be read, and those of somebody else.
BROKEN = [
    row("an order", "medications", {**taking("sertraline"), "medicationCodeableConcept": 5}, "MedicationRequest/m1"),
    row("a result", "observations", {**lab("ionised", 1.2), "valueQuantity": "1.2"}, "Observation/ionised-1"),
    row("a condition", "conditions", {**condition("I10"), "code": [1]}, "Condition/c1"),
    row("a result with a number in place of its date", "observations", {**lab("ionised", 1.2),
        "effectiveDateTime": 20261122}, "Observation/ionised-1"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "broken", "reference"), BROKEN)
def test_unreadable_resources(key: str, broken: Json, reference: str) -> None:
    answer = alone("haloperidol", **{key: bundle(broken)})
    assert rules(answer.card)[0] == "R-DQ-05"
    assert f"{reference} in " in answer.card["detail"]
    facts = answer.card["extension"]["org.dystonia-cds"]["facts"]
    assert reference in {fact.get("reference") for fact in facts}


def test_an_unreadable_resource_that_no_rule_reads_is_no_gap() -> None:
    broken = {"resourceType": "Practitioner", "id": "x", "name": 5}
    assert alone("haloperidol", *FRESH, conditions=bundle(broken, condition("I10"))).cards == []


def test_ids_from_a_record_are_harmless_in_the_detail() -> None:
    broken = {**condition("I10", id="<b>*x*</b>"), "code": [1]}
    detail = alone("haloperidol", *FRESH, conditions=bundle(broken)).card["detail"]
    assert "<b>" not in detail
    assert "*x*" not in detail


def test_data_of_a_different_patient() -> None:
    foreign = condition("G24.02")
    foreign["subject"] = {"reference": "Patient/p2"}
    answer = alone("haloperidol", *FRESH, conditions=bundle(foreign))
    assert rules(answer.card)[0] == "R-DQ-07"
    assert answer.card["summary"] == (
        "Dystonia check incomplete for haloperidol: data of a different patient left out."
    )
    assert "(1 in conditions)" in answer.card["detail"]
    assert {"input": "conditions", "reason": "other-patient"} in answer.card["extension"]["org.dystonia-cds"]["missing"]
    assert "p2" not in str(answer.body)


def test_data_of_a_merged_record_are_used_and_said_beside_a_finding() -> None:
    keys = {
        "conditions": Prefetched(KeyState.SATISFIED, resources=[resource(condition("E20.9"))], merged=2),
        "allergies": Prefetched(KeyState.SATISFIED, merged=1),
    }
    answer = fire_keys(call([order("haloperidol")], prefetch(patient("2004-03-01"), *FRESH)), keys)
    line = "Data under another id of this patient were used (3 in allergies, conditions): the record says they were"
    assert f"{line} merged." in answer.card["detail"]
    assert "hypoparathyroidism" in answer.card["detail"].lower()
    nothing_found = fire_keys(
        call([order("haloperidol")], prefetch(WOMAN_60, *FRESH)), {"allergies": keys["allergies"]}
    )
    assert nothing_found.cards == []


# Who may have a note alone: tiers H and M, and drugs that were not recognised. Never L, N or ordinary drugs.
DRUGS = [
    row("haloperidol, tier H", "haloperidol", True),
    row("metoclopramide, tier M", "metoclopramide", True),
    row("risperidone, tier M", "risperidone", True),
    row("olanzapine, tier L", "olanzapine", False),
    row("promethazine, tier L", "promethazine", False),
    row("quetiapine, tier N", "quetiapine", False),
    row("ondansetron, tier N", "ondansetron", False),
    row("sertraline", "sertraline", False),
    row("calcium", "calcium carbonate", False),
    row("an ordinary drug", "Amoxicillin 500 mg", False),
]


@pytest.mark.parametrize(("drug", "told"), DRUGS)
def test_which_drugs_have_a_note_alone(drug: str, told: bool) -> None:
    broken = bundle(lab("ionised", 1.2, None))
    foreign = bundle({**condition("I10"), "subject": {"reference": "Patient/p2"}})
    for replaced in ({"observations": broken}, {"conditions": outcome()}, {"allergies": foreign}):
        assert bool(alone(drug, **replaced).cards) is told
    assert bool(alone(drug, without=("medications",)).cards) is told


def test_tier_m_by_age_and_route() -> None:
    assert alone("aripiprazole", who=patient("2010-01-01"), without=("allergies",)).cards
    assert not alone("aripiprazole", without=("allergies",)).cards
    chlorpromazine = order("chlorpromazine", 25, 1, route="IM")
    assert sign(chlorpromazine, WOMAN_60, without=("allergies",)).cards


# R-DQ-01: the drug itself.
def _order_of(**medication: Any) -> Json:
    found = order()
    del found["medicationCodeableConcept"]
    return {**found, **medication}


UNRECOGNISED = [
    row("a code without any name", _order_of(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "1"}]}),
        "not-checked drug-unrecognised", "this order"),
    row("a local code without any name",
        _order_of(medicationCodeableConcept={"coding": [{"system": "urn:local", "code": "HAL5"}]}),
        "not-checked drug-unrecognised", "this order"),
    row("a reference without display", _order_of(medicationReference={"reference": "Medication/77"}),
        "not-checked drug-unrecognised", "this order"),
    row("a text that denies haloperidol", _order_of(medicationCodeableConcept={"text": "no haloperidol"}),
        "not-checked drug-unrecognised", "haloperidol"),
    row("a text that says allergic to prochlorperazine",
        _order_of(medicationCodeableConcept={"text": "allergic to prochlorperazine"}),
        "not-checked drug-unrecognised", "prochlorperazine"),
    row("a tier H drug misspelt beyond doubt", _order_of(medicationCodeableConcept={"text": "haloperidolex tabs"}),
        "not-checked drug-unrecognised", "haloperidol"),
    row("a reference with a display is a drug", _order_of(medicationReference={"reference": "Medication/77",
        "display": "Haloperidol 5 mg"}), "clear", None),
    row("an ordinary name", _order_of(medicationCodeableConcept={"text": "Amoxicillin"}), "not-applicable", None),
    row("an ordinary name with an unknown code",
        _order_of(medicationCodeableConcept={"text": "Amoxicillin", "coding": [{"code": "1"}]}),
        "not-applicable", None),
    row("no medication yet", _order_of(), "not-applicable", None),
    row("an empty medication", _order_of(medicationCodeableConcept={}), "not-applicable", None),
    row("an empty text", _order_of(medicationCodeableConcept={"text": " "}), "not-applicable", None),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "verdict", "named"), UNRECOGNISED)
def test_drugs_that_are_not_recognised(draft: Json, verdict: str, named: str | None) -> None:
    answer = sign(draft, patient("1966-05-01"), *FRESH)
    assert answer.verdict("R-DRUG-01") == verdict
    about_drug = [card for card in answer.cards if rules(card)[0] == "R-DQ-01"]
    assert bool(about_drug) is (named is not None)
    if named is not None:
        assert answer.card["summary"] == f"Dystonia check incomplete for {named}: drug not recognised."
        assert "dystonia rules not run for this order" in answer.card["detail"]
        assert answer.card["extension"]["org.dystonia-cds"]["subject"] == "MedicationRequest/draft-1"


def test_an_order_that_cannot_be_decoded_is_an_order_whose_drug_nobody_saw() -> None:
    answer = sign({**order(), "medicationCodeableConcept": "haloperidol"}, WOMAN_60, *FRESH)
    assert rules(answer.card) == ["R-DQ-01"]


def test_orders_that_are_none_have_no_note() -> None:
    dead = patient("1966-05-01", deceasedDateTime="2026-01-01")
    assert alone("haloperidol", who=dead, without=("allergies",)).cards == []
    for draft in (order(status="cancelled"), order(more={"doNotPerform": True})):
        assert sign(draft, WOMAN_60, without=("allergies",)).cards == []


# R-DQ-02: results that cannot be used. (result, words of the summary; None: no card of its own)
RESULTS = [
    row("no unit", lab("ionised", 1.2, None), "calcium has no unit"),
    row("an unknown unit", lab("ionised", 1.2, "furlong"), "calcium has a unit that is not known"),
    row("an impossible value", lab("ionised", 9), "calcium is implausible or unreadable"),
    row("a value that is text", lab("ionised", "1.2"), "calcium is implausible or unreadable"),
    row("a future date", lab("ionised", 1.2, when="-1d"), "calcium is dated in the future"),
    row("no date", lab("ionised", 1.2, when=None), "calcium has no usable date"),
    row("a unit from the range only", lab("ionised", 1.2, None, low=1.1, low_unit="mmol/L"), "calcium has no unit"),
    row("magnesium without unit", lab("magnesium", 0.5, None), "magnesium has no unit"),
    row("magnesium in the future", lab("magnesium", 0.5, when="-1h"), "magnesium is dated in the future"),
    row("a limit that decides nothing", lab("ionised", 1.0, comparator=">"), None),
    row("preliminary", lab("ionised", 1.2, status="preliminary"), None),
    row("stale", lab("ionised", 1.2, when="40d"), None),
    row("normal", lab("ionised", 1.2), None),
    row("none", lab("albumin", 40, "g/L"), None),
    row("stale and without unit", lab("ionised", 1.2, None, when="40d"), None),
]


@pytest.mark.parametrize(("result", "words"), RESULTS)
def test_results_that_cannot_be_used(result: Json, words: str | None) -> None:
    answer = alone("haloperidol", result)
    summaries = [card["summary"] for card in answer.cards]
    assert summaries == ([f"Dystonia check incomplete for haloperidol: {words}."] if words else [])
    if words:
        assert rules(answer.card)[0] == "R-DQ-02"
        assert answer.card["extension"]["org.dystonia-cds"]["facts"][0]["reference"] == f"Observation/{result['id']}"


# The same beside a finding: lines on its card. The patient is a young man, so that R-DRUG-01 fires.
LINES = [
    row("the last readable one is told", [lab("ionised", 1.2, None), lab("ionised", 1.15, when="9d", id="b")],
        "Ionised Ca 1.2 (no unit) (2026-11-22, 3 h ago; status final) has no unit: not used. Last readable: "
        "Ionised Ca 1.15 mmol/L (2026-11-13, 9 d ago; status final)."),
    row("preliminary", [lab("ionised", 1.2, status="preliminary")],
        "Ionised Ca 1.2 mmol/L (2026-11-22, 3 h ago; status preliminary): not final, so not counted as a factor."),
    row("status unknown", [lab("magnesium", 0.5, status="unknown")],
        "Mg 0.5 mmol/L (2026-11-22, 3 h ago; status unknown): not final, so not counted as a factor."),
    row("a limit that decides nothing", [lab("ionised", 1.0, comparator=">")],
        "Ionised Ca >1.0 mmol/L (2026-11-22, 3 h ago; status final): a limit that decides nothing."),
    row("stale", [lab("ionised", 1.2, when=day(40))],
        "Last ionised Ca 1.2 mmol/L (2026-10-13, 40 d ago; status final): too old to use."),
    row("stale magnesium", [lab("magnesium", 0.5, when="40d")], "Last Mg 0.5 mmol/L (2026-10-13"),
    row("an albumin without unit that leaves the total open",
        [lab("calcium-sc", 2.3), lab("albumin", 40, None)], "Albumin 40 (no unit) (2026-11-22, 3 h ago; status final) "
        "has no unit: not used."),
    row("in the future", [lab("ionised", 1.2, when="-2d")], "is dated in the future: not used."),
    row("a total without unit beside a normal ionised is told and stands in nobody's way",
        [lab("ionised", 1.2), lab("calcium-sc", 2.0, None)], "Total Ca 2.0 (no unit)"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "line"), LINES)
def test_lines_beside_a_finding(results: list[Json], line: str) -> None:
    answer = alone("haloperidol", *results, who=YOUNG_MAN)
    assert rules(answer.card)[0] == "R-DRUG-01"
    assert line in answer.card["detail"]


def test_a_readable_newest_result_leaves_older_ones_untold() -> None:
    answer = alone("haloperidol", lab("ionised", 1.2), lab("ionised", 1.0, None, when="9d", id="b"), who=YOUNG_MAN)
    assert "no unit" not in answer.card["detail"]


# R-DQ-03: the birth date.
BIRTHS = [
    row("missing", None, "Birth date not recorded: age not counted."),
    row("year only", "2004", "Birth date only 2004: age uncertain, the youngest possible age was used."),
    row("month only", "2004-03", "Birth date only 2004-03: age uncertain"),
    row("whole", "2004-03-01", None),
]


@pytest.mark.parametrize(("birth", "line"), BIRTHS)
def test_birth_dates_beside_a_finding(birth: str | None, line: str | None) -> None:
    answer = sign(order("haloperidol", 5, 1, route="IM"), patient(birth), *FRESH)
    assert ("R-DQ-03" in rules(answer.card)) is (line is not None)
    assert (line or "") in answer.card["detail"]
    lacking = answer.card["extension"]["org.dystonia-cds"].get("missing", [])
    assert [one["input"] for one in lacking if one["reason"] == "date-missing"] == ([] if birth else ["patient"])


def test_a_missing_birth_date_makes_no_card_and_an_unreadable_one_does() -> None:
    assert (
        alone("haloperidol", lab("ionised", 1.2, low=1.1), lab("magnesium", 0.9), who=patient(None, "female")).cards
        == []
    )
    for birth in ("1966-13-01", "unknown", "2027-01-01"):
        card = alone("haloperidol", *FRESH, who=patient(birth, "female")).card
        assert card["summary"] == "Dystonia check incomplete for haloperidol: birth date unreadable."
        assert "- Birth date unreadable: age not counted.\n" in card["detail"]


# R-DQ-04: prochlorperazine has a weight limit; asked from 2 to under 4 years, where weight may be under 20 lb.
WEIGHTS = [
    row("2 years, no weight", "2024-11-22", [], True),
    row("just under 4 years, no weight", "2022-11-23", [], True),
    row("4 years, no weight", "2022-11-22", [], False),
    row("3 years, weight of today", "2023-11-22", [lab("weight", 14, "kg")], False),
    row("3 years, weight of 180 days ago", "2023-11-22", [lab("weight", 14, "kg", when="180d")], False),
    row("3 years, weight of 181 days ago", "2023-11-22", [lab("weight", 14, "kg", when="181d")], True),
    row("3 years, weight in pounds", "2023-11-22", [lab("weight", 30, "[lb_av]")], False),
    row("3 years, weight without unit", "2023-11-22", [lab("weight", 14, None)], True),
]


@pytest.mark.parametrize(("birth", "weights", "asked"), WEIGHTS)
def test_weight_for_prochlorperazine(birth: str, weights: list[Json], asked: bool) -> None:
    answer = sign(order("prochlorperazine"), patient(birth), *FRESH, *weights, condition("D82.1"))
    assert (answer.result("R-DQ-04")["status"] == "fired") is asked
    assert ("R-DQ-04" in rules(answer.card)) is asked
    other = sign(order("haloperidol"), patient(birth), *FRESH, *weights)
    assert other.verdict("R-DQ-04") == "clear"


def test_the_weight_is_asked_for_even_where_nothing_else_is_found() -> None:
    card = sign(order("prochlorperazine"), patient("2023-11-22", "female"), *FRESH).card
    assert card["summary"] == "Dystonia check incomplete for prochlorperazine: weight needed."
    assert rules(card) == ["R-DQ-04"]


def test_a_site_may_ask_for_the_weight_of_older_children(monkeypatch: pytest.MonkeyPatch) -> None:
    site = PLUGIN(Site(thresholds={"weight_needed_below": Decimal(5)}))
    monkeypatch.setattr("tests.support.fire.plugin", lambda jurisdiction="us": site)
    assert sign(order("prochlorperazine"), patient("2022-11-22"), *FRESH).verdict("R-DQ-04") == "info"
    assert sign(order("prochlorperazine"), patient("2021-11-22"), *FRESH).verdict("R-DQ-04") == "clear"


# R-DQ-06: sources that contradict each other.
def test_code_and_text_of_the_order_name_different_drugs() -> None:
    draft = _order_of(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "5093"}], "text": "olanzapine"})
    card = sign(draft, YOUNG_MAN, *FRESH).card
    assert "The order's code and text name different drugs; the code was used." in card["detail"]
    assert card["summary"].startswith("Haloperidol")
    assert sign(draft, WOMAN_60, *FRESH).cards == []


def test_an_active_request_and_a_newer_statement_that_it_is_not_taken() -> None:
    records = (taking("olanzapine", "60d"), statement("olanzapine", "not-taken", "2d"))
    card = alone("haloperidol", *FRESH, *records, who=YOUNG_MAN).card
    assert "R-DQ-06" in rules(card)
    assert "Records contradict: " in card["detail"]


# R-DQ-08: what was not evaluated at all.
def test_rules_that_were_not_evaluated_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin.engine.monotonic", lambda: 1e18)
    answer = alone("haloperidol", *FRESH)
    assert answer.verdict("R-DRUG-01") == "not-checked time"
    lost = [one["rule"] for one in answer.results if one.get("reason") == "time"]
    summary = f"Dystonia check incomplete for haloperidol: {len(lost)} rules not evaluated, time ran out."
    assert answer.card["summary"] == summary
    assert f"- Not evaluated, time ran out: {', '.join(lost)}." in answer.card["detail"]
    assert alone("olanzapine", *FRESH).cards == []


# Options of the client.
def _asking(body: Json, **options: bool) -> Fired:
    items = {name.replace("_", "-"): value for name, value in options.items()}
    return fire({**body, "extension": {"pddi-configuration-items": items}})


def test_without_info_cards_notes_about_data_stay() -> None:
    woman_in_30s = patient("1993-01-01", "female")
    one_minor = call([order()], prefetch(woman_in_30s, *FRESH))
    assert fire(one_minor).card["indicator"] == "info"
    quiet = _asking(one_minor, alert_non_serious=False)
    assert quiet.cards == []
    assert quiet.verdict("R-DRUG-01") == "alert-non-serious"
    lost = call([order()], prefetch(woman_in_30s, *FRESH, without=("allergies",)))
    kept = _asking(lost, alert_non_serious=False).card
    assert rules(kept)[0] == "R-DQ-05"
    assert "R-DRUG-01" not in rules(kept)
    warning = call([order()], prefetch(YOUNG_MAN, *FRESH))
    assert _asking(warning, alert_non_serious=False).card["indicator"] == "warning"


def test_without_evidence_support_the_guideline_stays_linked() -> None:
    body = call([order()], prefetch(YOUNG_MAN, *FRESH))
    shown, bare = fire(body).card, _asking(body, show_evidence_support=False).card
    assert [link["url"].rsplit("/", 1)[1] for link in bare["links"]] == ["R-DRUG-01"]
    assert len(shown["links"]) > len(bare["links"])
    assert "Sources:" in shown["detail"]
    assert "Sources:" not in bare["detail"]


def test_a_note_on_data_cites_no_evidence() -> None:
    note = fire(call([order()], prefetch(WOMAN_60, *FRESH, without=("allergies",)))).card
    assert rules(note)[0] == "R-DQ-05"
    assert "Evidence:" not in note["detail"]
    assert "Evidence:" in fire(call([order()], prefetch(YOUNG_MAN, *FRESH))).card["detail"]


# At the record: notes never stand alone there.
def test_notes_at_the_record_are_lines_only() -> None:
    def view(*data: Json, **replaced: Any) -> Fired:
        return fire(call(None, prefetch(WOMAN_60, *data, **replaced), "patient-view"))

    assert view(lab("ionised", 1.2, None)).cards == []
    beside = view(lab("ionised", 0.8), lab("magnesium", 0.5, None)).card
    assert rules(beside) == ["R-MET-03", "R-DQ-02"]


def test_every_note_has_its_own_rule_and_is_information() -> None:
    assert [rule.id for rule in data_quality.RULES] == [f"R-DQ-{number:02d}" for number in range(1, 9)]
    assert {rule.ceiling.word for rule in data_quality.RULES} == {"info"}
    assert {rule.id for rule in RULES if rule.about_data} == {rule.id for rule in data_quality.RULES}
    assert {page.id for page in plugin().guideline} >= {rule.id for rule in data_quality.RULES}
