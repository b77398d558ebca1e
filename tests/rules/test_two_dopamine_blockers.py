"""R-DRUG-02: a new dopamine blocker beside another one (section B, combinations; D.2)."""

from __future__ import annotations

import pytest

from tests.support.fhir import (
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
    subject,
    taking,
)
from tests.support.fire import fire, sign
from tests.support.rows import WOMAN_60, aged, outcome, row

RULE = "R-DRUG-02"
DECANOATE = "Haloperidol decanoate 100 mg IM"


def until(end: str) -> dict:
    """The dosage of an order that ends then."""
    return {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": end}}}}]}


def without(found: dict, name: str) -> dict:
    """The resource without one element."""
    return {key: value for key, value in found.items() if key != name}


# Level by pair: antiemetic in it, or both of tier M or H: warning; else information.
PAIRS = [
    row("metoclopramide on olanzapine (label: avoid)", "metoclopramide", "olanzapine", "warning"),
    row("olanzapine on metoclopramide", "olanzapine", "metoclopramide", "warning"),
    row("prochlorperazine on metoclopramide", "prochlorperazine", "metoclopramide", "warning"),
    row("promethazine on metoclopramide", "promethazine", "metoclopramide", "warning"),
    row("promethazine on olanzapine: two low tiers, one an antiemetic", "promethazine", "olanzapine", "warning"),
    row("droperidol on olanzapine", "droperidol", "olanzapine", "warning"),
    row("haloperidol on risperidone: high and medium", "haloperidol", "risperidone", "warning"),
    row("risperidone on paliperidone: two medium", "risperidone", "rxnorm:679314", "warning"),
    row("haloperidol on olanzapine: high and low", "haloperidol", "olanzapine", "info"),
    row("olanzapine on aripiprazole: two low", "olanzapine", "aripiprazole", "info"),
    row("domperidone on olanzapine", "domperidone", "olanzapine", "info"),
    row("amoxapine on olanzapine", "amoxapine", "olanzapine", "info"),
    row("perphenazine with amitriptyline on risperidone", "rxnorm:282427", "risperidone", "warning"),
    row("haloperidol on perphenazine with amitriptyline", "haloperidol", "rxnorm:282427", "warning"),
    row("haloperidol on olanzapine with fluoxetine", "haloperidol", "rxnorm:403969", "info"),
    row("risperidone on Reglan, matched by text", "risperidone", "Reglan 10 mg tab", "warning"),
    row("haloperidol on promethazine is exempt", "haloperidol", "promethazine", "clear"),
    row("promethazine on haloperidol is exempt", "promethazine", "haloperidol", "clear"),
    row("haloperidol on haloperidol decanoate is one ingredient", "haloperidol", DECANOATE, "clear"),
    row("haloperidol on quetiapine: tier N", "haloperidol", "quetiapine", "clear"),
    row("haloperidol on clozapine: tier N", "haloperidol", "clozapine", "clear"),
    row("haloperidol on ondansetron", "haloperidol", "ondansetron", "clear"),
    row("haloperidol on sertraline", "haloperidol", "sertraline", "clear"),
    row("haloperidol on amoxicillin", "haloperidol", "Amoxicillin 500 mg", "clear"),
    row("quetiapine on haloperidol: a draft of tier N", "quetiapine", "haloperidol", "not-applicable"),
    row("ondansetron on metoclopramide", "ondansetron", "metoclopramide", "not-applicable"),
    row("amoxicillin on metoclopramide", "Amoxicillin 500 mg", "metoclopramide", "not-applicable"),
]


@pytest.mark.parametrize(("new", "current", "expected"), PAIRS)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_pairs(hook: str, new: str, current: str, expected: str) -> None:
    assert sign(order(new), WOMAN_60, taking(current, "60d"), hook=hook).verdict(RULE) == expected


# The tier of a pair depends on route and age too.
CONDITIONAL = [
    row("haloperidol on oral chlorpromazine", order("haloperidol"), [taking("chlorpromazine", "60d")], "info"),
    row("haloperidol on injected chlorpromazine", order("haloperidol"), [taking("chlorpromazine", "60d", route="IM")],
        "warning"),
    row("haloperidol on aripiprazole at 17", order("haloperidol"), [aged(17), taking("aripiprazole", "60d")],
        "warning"),
    row("haloperidol on aripiprazole at 18", order("haloperidol"), [aged(18), taking("aripiprazole", "60d")], "info"),
    row("haloperidol on promethazine and olanzapine: the third drug is told", order("haloperidol"),
        [taking("promethazine", "60d"), taking("olanzapine", "60d", id="m2")], "info"),
    row("two others: the worse pair decides", order("risperidone"),
        [taking("olanzapine", "60d"), taking("metoclopramide", "60d", id="m2")], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "data", "expected"), CONDITIONAL)
def test_tier_and_third_drugs(draft: dict, data: list[dict], expected: str) -> None:
    assert sign(draft, WOMAN_60, *data).verdict(RULE) == expected


# What is current (C-EXP): risperidone is ordered, metoclopramide stands on record in many ways.
CURRENT = [
    row("active order", [taking("metoclopramide")], "warning"),
    row("active order with an end ahead of 30 days", [taking("metoclopramide", more=until(day(-30)))], "warning"),
    row("active order, open-ended by 9999-12-31", [taking("metoclopramide", more=until("9999-12-31"))], "warning"),
    row("active order that ended yesterday", [taking("metoclopramide", more=until(day(1)))], "clear"),
    row("active order that ends today", [taking("metoclopramide", more=until(day(0)))], "info"),
    row("active order past the validity of its dispensing",
        [taking("metoclopramide", more={"dispenseRequest": {"validityPeriod": {"end": day(1)}}})], "clear"),
    row("stopped order", [taking("metoclopramide", status="stopped")], "clear"),
    row("completed order", [taking("metoclopramide", status="completed")], "clear"),
    row("cancelled order", [taking("metoclopramide", status="cancelled")], "clear"),
    row("order entered in error", [taking("metoclopramide", status="entered-in-error")], "clear"),
    row("draft on record, not among this session's", [taking("metoclopramide", status="draft")], "clear"),
    row("order of status unknown", [taking("metoclopramide", status="unknown")], "clear"),
    row("plan", [taking("metoclopramide", more={"intent": "plan"})], "clear"),
    row("proposal", [taking("metoclopramide", more={"intent": "proposal"})], "clear"),
    row("order not to give it", [taking("metoclopramide", more={"doNotPerform": True})], "clear"),
    row("order without an intent", [without(taking("metoclopramide"), "intent")], "warning"),
    row("reflex order", [taking("metoclopramide", more={"intent": "reflex-order"})], "warning"),
    row("active statement", [statement("metoclopramide")], "warning"),
    row("statement of status unknown", [statement("metoclopramide", "unknown")], "clear"),
    row("statement completed", [statement("metoclopramide", "completed")], "clear"),
    row("statement intended", [statement("metoclopramide", "intended")], "clear"),
    row("statement past its period", [statement("metoclopramide", effectivePeriod={"end": day(1)})], "clear"),
    row("given 7 days ago", [given("metoclopramide", "7d")], "warning"),
    row("given 8 days ago", [given("metoclopramide", "8d")], "clear"),
    row("being given", [given("metoclopramide", "9d", status="in-progress")], "warning"),
    row("not given", [given("metoclopramide", "1d", status="not-done")], "clear"),
    row("given, entered in error", [given("metoclopramide", "1d", status="entered-in-error")], "clear"),
    row("depot given 42 days ago", [given("", "42d", text=DECANOATE)], "warning"),
    row("depot given 43 days ago", [given("", "43d", text=DECANOATE)], "clear"),
    row("dispensed for 30 days, 37 days ago", [dispensed("metoclopramide", "37d", 30)], "warning"),
    row("dispensed for 30 days, 38 days ago", [dispensed("metoclopramide", "38d", 30)], "clear"),
    row("dispensed without days, 7 days ago", [dispensed("metoclopramide", "7d")], "warning"),
    row("dispensed without days, 8 days ago", [dispensed("metoclopramide", "8d")], "clear"),
    row("order, newer statement 'not taken'",
        [taking("metoclopramide"), statement("metoclopramide", "not-taken", "1d")], "clear"),
    row("order, older statement 'not taken'",
        [taking("metoclopramide"), statement("metoclopramide", "not-taken", "90d")], "warning"),
    row("order, 'not taken' of long ago that was asserted lately",
        [taking("metoclopramide"), statement("metoclopramide", "not-taken", "90d", dateAsserted=day(1))], "clear"),
    row("order, 'not taken' older and newer, older first",
        [taking("metoclopramide"), statement("metoclopramide", "not-taken", "90d"),
         statement("metoclopramide", "not-taken", "1d", id="s2")], "clear"),
    row("order, 'not taken' older and newer, newer first",
        [taking("metoclopramide"), statement("metoclopramide", "not-taken", "1d", id="s2"),
         statement("metoclopramide", "not-taken", "90d")], "clear"),
    row("statement of long ago, asserted again after 'not taken'",
        [statement("metoclopramide", since="90d", dateAsserted=day(1)),
         statement("metoclopramide", "not-taken", "30d", id="s2")], "warning"),
    row("R5 statement, adherence not-taking", [taking("metoclopramide"), statement("metoclopramide", "recorded", "1d",
        adherence={"code": {"coding": [{"code": "not-taking"}]}})], "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), CURRENT)
def test_what_is_current(data: list[dict], expected: str) -> None:
    assert sign(order("risperidone"), WOMAN_60, *data).verdict(RULE) == expected


def test_a_contradiction_is_told() -> None:
    data = [taking("metoclopramide"), statement("metoclopramide", "not-taken", "90d")]
    assert "Records contradict" in sign(order("risperidone"), WOMAN_60, *data).card["detail"]


# Cross-taper: risperidone is new, haloperidol ends soon. A warning becomes information.
CROSS_TAPER = [
    row("ends in 14 days", [taking("haloperidol", more=until(day(-14)))], "info"),
    row("ends in 15 days", [taking("haloperidol", more=until(day(-15)))], "warning"),
    row("ends in 14 days, to the minute", [taking("haloperidol", more=until("2026-12-06T10:00:00Z"))], "info"),
    row("on hold", [taking("haloperidol", status="on-hold")], "info"),
    row("statement on hold", [statement("haloperidol", "on-hold")], "info"),
    row(
        "one order tapers, a second one goes on",
        [taking("haloperidol", "90d", more=until(day(-14))), taking("haloperidol", "60d", id="m2")],
        "warning",
    ),
    row(
        "one order is on hold, a second one goes on",
        [taking("haloperidol", "90d", status="on-hold"), taking("haloperidol", "60d", id="m2")],
        "warning",
    ),
    row("given yesterday: its effect ends, but it is no taper", [given("haloperidol", "1d")], "warning"),
    row("dispensed with 3 days left: no taper either", [dispensed("haloperidol", "27d", 30)], "warning"),
]


@pytest.mark.parametrize(("data", "expected"), CROSS_TAPER)
def test_cross_taper(data: list[dict], expected: str) -> None:
    assert sign(order("risperidone"), WOMAN_60, *data).verdict(RULE) == expected


# Only the new drug is told (S-11); a renewal leaves its trace.
RENEWALS = [
    row("risperidone new", [], "warning"),
    row("risperidone for 30 days (S-03)", [taking("risperidone", "30d", id="own")], "S-03"),
    row("risperidone for 29 days", [taking("risperidone", "29d", id="own")], "clear"),
    row("risperidone since yesterday", [taking("risperidone", "12h", id="own")], "clear"),
    row("risperidone given 31 days ago", [given("risperidone", "31d")], "warning"),
    row("the record's own copy of the draft", [taking("risperidone", "1h", id="draft-1")], "warning"),
]


@pytest.mark.parametrize(("data", "expected"), RENEWALS)
def test_only_a_new_drug_is_told(data: list[dict], expected: str) -> None:
    assert sign(order("risperidone"), WOMAN_60, taking("haloperidol"), *data).verdict(RULE) == expected


# S-11: chronic psychosis on two antipsychotics that have not changed for 90 days.
PSYCHOSIS = condition("F20.9")
CHRONIC = [
    row("both for 90 days", [taking("haloperidol", "90d"), taking("risperidone", "90d", id="own"), PSYCHOSIS], "S-11"),
    row("the other one for 89 days",
        [taking("haloperidol", "89d"), taking("risperidone", "90d", id="own"), PSYCHOSIS], "S-03"),
    row("its own for 89 days",
        [taking("haloperidol", "90d"), taking("risperidone", "89d", id="own"), PSYCHOSIS], "S-03"),
    row("bipolar disorder",
        [taking("haloperidol", "90d"), taking("risperidone", "90d", id="own"), condition("F31.9")], "S-11"),
    row("no psychosis on record", [taking("haloperidol", "90d"), taking("risperidone", "90d", id="own")], "S-03"),
    row("a psychosis that is not confirmed", [taking("haloperidol", "90d"), taking("risperidone", "90d", id="own"),
        condition("F20.9", verification="provisional")], "S-03"),
    row("the other one is an antiemetic",
        [taking("metoclopramide", "90d"), taking("risperidone", "90d", id="own"), PSYCHOSIS], "S-03"),
    row("three of them", [taking("haloperidol", "90d"), taking("olanzapine", "90d", id="m2"),
        taking("risperidone", "90d", id="own"), PSYCHOSIS], "S-03"),
    row("since when is not told", [taking("haloperidol", more={"authoredOn": None}),
        taking("risperidone", "90d", id="own"), PSYCHOSIS], "S-03"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), CHRONIC)
def test_two_antipsychotics_that_have_not_changed(data: list[dict], expected: str) -> None:
    answer = sign(order("risperidone"), WOMAN_60, *data)
    assert (answer.verdict(RULE), answer.result(RULE)["status"]) == (expected, "fired")


# Drafts signed together.
TOGETHER = [
    row("two blockers", order("risperidone"), order("haloperidol", id="b"), "warning", "warning"),
    row("the exempt pair", order("promethazine"), order("haloperidol", id="b"), "clear", "clear"),
    row("one cancelled", order("risperidone"), order("haloperidol", id="b", status="cancelled"), "clear",
        "not-applicable"),
    row("one that is not to be performed", order("risperidone"),
        order("haloperidol", id="b", more={"doNotPerform": True}), "clear", "not-applicable"),
    row("two orders of one drug", order("haloperidol"), order("haloperidol", id="b"), "clear", "clear"),
    row("a blocker and quetiapine", order("haloperidol"), order("quetiapine", id="b"), "clear", "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "mine", "other"), TOGETHER)
def test_drafts_signed_together(first: dict, second: dict, mine: str, other: str) -> None:
    answer = sign(first, WOMAN_60, also=(second,))
    assert answer.verdict(RULE) == mine
    assert answer.verdict(RULE, "MedicationRequest/b") == other


# What the draft that bears the id of the other drug's order on record makes of it.
CHANGED = [
    row("stopped", order("haloperidol", id="m1", status="stopped"), "clear"),
    row("cancelled", order("haloperidol", id="m1", status="cancelled"), "clear"),
    row("another order is stopped", order("haloperidol", id="m2", status="stopped"), "warning"),
    row("its dose is changed", order("haloperidol", 2, 1, id="m1"), "warning"),
    row("changed to quetiapine", order("quetiapine", id="m1"), "clear"),
    row("changed to a drug that nobody can name", order("rxnorm:99999999", id="m1"), "warning"),
]


@pytest.mark.parametrize(("other", "expected"), CHANGED)
def test_the_other_order_is_changed_in_this_session(other: dict, expected: str) -> None:
    answer = sign(order("risperidone"), WOMAN_60, taking("haloperidol", id="m1"), also=(other,))
    assert answer.verdict(RULE) == expected


def test_an_order_that_is_changed_to_another_drug_is_no_second_blocker() -> None:
    changed = order("olanzapine", id="m1")
    answer = sign(changed, WOMAN_60, taking("haloperidol", id="m1"))
    assert answer.verdict(RULE, "MedicationRequest/m1") == "clear"


def test_order_select_takes_the_other_drafts_as_context() -> None:
    drafts = [order("risperidone", id="a"), order("haloperidol", id="b")]
    answer = fire(call(drafts, prefetch(WOMAN_60), "order-select", selections=["MedicationRequest/a"]))
    assert [(r["subject"], r["indicator"]) for r in answer.results if r["rule"] == RULE] == [
        ("MedicationRequest/a", "warning")
    ]


EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}

# Nothing beside it: clear only where it was looked for.
MISSING = [
    row("all searches empty", {}, "clear"),
    row("medications null", {"medications": None}, "clear"),
    row("medications missing", {"without": ("medications",)}, "not-checked key-missing"),
    row("medications failed", {"medications": outcome()}, "not-checked key-failed"),
    row("statements failed", {"medicationStatements": outcome()}, "not-checked key-failed"),
    row("administrations failed", {"medicationAdministrations": outcome()}, "not-checked key-failed"),
    row("dispenses failed", {"medicationDispenses": outcome()}, "not-checked key-failed"),
    row("allergies missing do not matter here", {"without": ("allergies",)}, "clear"),
    row("patient missing does not matter here", {"without": ("patient",)}, "clear"),
    row("an active drug that nobody can name", {"medications": {**EMPTY, "entry": [
        {"resource": taking("rxnorm:99999999")}]}}, "not-checked drug-unrecognised"),
    row("a stopped drug that nobody can name", {"medications": {**EMPTY, "entry": [
        {"resource": taking("rxnorm:99999999", status="stopped")}]}}, "clear"),
    row("an order not to give a drug that nobody can name", {"medications": {**EMPTY, "entry": [
        {"resource": taking("rxnorm:99999999", more={"doNotPerform": True})}]}}, "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: dict, expected: str) -> None:
    assert sign(order("risperidone"), **{"patient": WOMAN_60, **changes}).verdict(RULE) == expected


EXCLUDED = [
    row("deceased", order("risperidone"), patient(deceasedBoolean=True), "not-applicable"),
    row("cancelled", order("risperidone", status="cancelled"), WOMAN_60, "not-applicable"),
    row("do not perform", order("risperidone", more={"doNotPerform": True}), WOMAN_60, "not-applicable"),
    row("no name", order("rxnorm:99999999"), WOMAN_60, "not-checked drug-unrecognised"),
]


@pytest.mark.parametrize(("draft", "person", "expected"), EXCLUDED)
def test_excluded_orders(draft: dict, person: dict, expected: str) -> None:
    assert sign(draft, person, taking("haloperidol")).verdict(RULE) == expected


def test_palliative_care_does_not_silence_a_pair() -> None:
    assert sign(order("risperidone"), WOMAN_60, taking("haloperidol"), condition("Z51.5")).verdict(RULE) == "warning"


WORDS = [
    row("an order", taking("haloperidol", "20d"), "Haloperidol: current since 2026-11-02"),
    row("an order with an end", taking("haloperidol", "20d", more=until("2026-12-12")),
        "Haloperidol: current since 2026-11-02, until 2026-12-12"),
    row("on hold", taking("haloperidol", "20d", status="on-hold"), "Haloperidol: on hold since 2026-11-02"),
    row("given once", given("haloperidol", "2d"), "Haloperidol: given 2026-11-20"),
    row("dispensed", dispensed("haloperidol", "10d", 30), "Haloperidol: dispensed 2026-11-12"),
]  # fmt: skip


@pytest.mark.parametrize(("other", "expected"), WORDS)
def test_how_the_other_drug_is_told(other: dict, expected: str) -> None:
    card = sign(order("risperidone"), WOMAN_60, other).card
    assert expected in [fact["text"] for fact in card["extension"]["org.dystonia-cds"]["facts"]]


def test_with_a_third_drug_all_may_be_kept() -> None:
    others = (taking("haloperidol", "90d"), taking("olanzapine", "90d", id="m2"))
    labels = [one["label"] for one in sign(order("risperidone"), WOMAN_60, *others).card["suggestions"]]
    assert "Keep all and monitor" in labels
    assert "Keep both and monitor" not in labels


def test_the_card_names_the_pair_the_label_and_the_other_order() -> None:
    answer = sign(order("metoclopramide"), WOMAN_60, taking("olanzapine", "60d", id="m7"))
    assert answer.card["summary"] == (
        "Metoclopramide + olanzapine: two dopamine blockers (label: avoid). Dystonia, TD and NMS risk."
    )
    assert answer.result(RULE)["inputs"] == ["MedicationRequest/m7"]


# Every shape in which the other drug may arrive.
HALDOL = {"code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "5093"}]}}
SHAPES = [
    row("contained Medication", {"contained": [{"resourceType": "Medication", "id": "c", **HALDOL}],
        "medicationReference": {"reference": "#c"}}),
    row("display of the reference only", {"medicationReference": {"display": "Haloperidol 5 mg tablet"}}),
    row("text only", {"medicationCodeableConcept": {"text": "haloperidol"}}),
    row("R5 medication.concept", {"medication": {"concept": HALDOL["code"]}}),
    row("R5 medication.reference", {"contained": [{"resourceType": "Medication", "id": "c", **HALDOL}],
        "medication": {"reference": {"reference": "#c"}}}),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_the_other_drug_in_every_shape(kind: str, shape: dict) -> None:
    record = {"resourceType": kind, "id": "m1", "status": "active", "intent": "order", "subject": subject(), **shape}
    assert sign(order("risperidone"), WOMAN_60, record).verdict(RULE) == "warning"


@pytest.mark.parametrize("reference", ["Medication/3f1c", "urn:uuid:3f1c", "Medication/3f1c/_history/2"])
def test_the_other_drug_in_a_medication_that_came_with_it(reference: str) -> None:
    named = {"resourceType": "Medication", "id": "3f1c", **HALDOL}
    record = {"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order",
              "subject": subject(), "medicationReference": {"reference": reference}}  # fmt: skip
    whole = sign(order("risperidone"), WOMAN_60, medications=bundle(record, named))
    assert whole.verdict(RULE) == "warning"
    alone = sign(order("risperidone"), WOMAN_60, medications=bundle(record))
    assert alone.verdict(RULE) == "not-checked drug-unrecognised"


def test_beside_an_antiemetic_another_kind_is_offered() -> None:
    known = (lab("ionised", 1.2), lab("magnesium", 0.9))
    answer = sign(order("metoclopramide", 10, 3), WOMAN_60, taking("olanzapine", "90d"), *known)
    (changed,) = (
        action["resource"]
        for one in answer.card["suggestions"]
        for action in one.get("actions", [])
        if action["type"] == "update" and action["resource"]["id"] == "draft-1"
    )
    assert changed["medicationCodeableConcept"]["text"] == "ondansetron"
    assert RULE in changed["identifier"][-1]["value"].partition("/")[0].split(".")
