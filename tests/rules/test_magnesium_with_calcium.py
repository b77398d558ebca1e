"""R-MET-03: magnesium before or with calcium. One row is one patient; Ca is low unless the row says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import bundle, call, encounter, lab, order, patient, prefetch, taking
from tests.support.fire import Fired, fire, sign
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-MET-03"
CALCIUM_ORDER = order("calcium carbonate", 500, 2)


def ca(value: Any = 0.95, unit: str | None = "mmol/L", **more: Any) -> Json:
    """An ionised calcium, low."""
    return lab("ionised", value, unit, **more)


def mg(value: Any, unit: str | None = "mmol/L", **more: Any) -> Json:
    """A magnesium."""
    return lab("magnesium", value, unit, **more)


def view(*data: Json, who: Json = WOMAN_60, without: tuple[str, ...] = (), **replaced: Any) -> Fired:
    """The answer when the record is opened."""
    return fire(call(None, prefetch(who, *data, without=without, **replaced), "patient-view"))


def verdict(*data: Json, drug: str = "calcium carbonate", **more: Any) -> str:
    """The verdict of the rule when a calcium order is signed, unless another drug is named."""
    return sign(order(drug), WOMAN_60, *data, **more).verdict(RULE)


# (a) magnesium low enough to act on, (b) no magnesium in 72 hours.
MAGNESIUM = [
    row("0.59 is acted on", [mg(0.59)], "warning"),
    row("0.60 is low and not acted on", [mg(0.60)], "clear"),
    row("0.49 is severe", [mg(0.49)], "warning"),
    row("0.70 is normal", [mg(0.70)], "clear"),
    row("0.69 is low and not acted on", [mg(0.69)], "clear"),
    row("1.4 mg/dL = 0.576", [mg(1.4, "mg/dL")], "warning"),
    row("1.45 mg/dL = 0.597", [mg(1.45, "mg/dL")], "warning"),
    row("1.46 mg/dL = 0.601", [mg(1.46, "mg/dL")], "clear"),
    row("1.19 meq/L = 0.595", [mg(1.19, "meq/L")], "warning"),
    row("1.2 meq/L = 0.60", [mg(1.2, "meq/L")], "clear"),
    row("599 umol/L", [mg(599, "umol/L")], "warning"),
    row("<0.60 is acted on", [mg(0.60, comparator="<")], "warning"),
    row("<0.61 is low, how low is not known", [mg(0.61, comparator="<")], "clear"),
    row(">0.50 decides nothing", [mg(0.5, comparator=">")], "not-checked no-result"),
    row("0.58 is acted on whatever the laboratory's limit", [mg(0.58, low=0.5)], "warning"),
    row("none at all", [], "info"),
    row("5 days old and low: acted on", [mg(0.55, when="5d")], "warning"),
    row("72 hours old and normal", [mg(0.9, when="72h")], "clear"),
    row("73 hours old and normal: not measured lately", [mg(0.9, when="73h")], "info"),
    row("31 days old and low: not fresh, hence not measured", [mg(0.55, when="31d")], "info"),
    row("without unit: no result", [mg(0.55, None)], "info"),
    row("in an unknown unit: no result", [mg(0.55, "furlong")], "info"),
    row("undated: no result", [mg(0.55, when=None)], "info"),
    row("unit inferred and low: information", [mg(0.55, None, low=0.7, low_unit="mmol/L")], "info"),
    row("preliminary and low: information", [mg(0.55, status="preliminary")], "info"),
    row("preliminary and normal: not final, not unmeasured", [mg(0.9, status="preliminary")], "not-checked no-result"),
    row("cancelled: no result", [mg(0.9, status="cancelled")], "info"),
    row("in red cells: no result", [lab("2597-3", 0.9)], "info"),
    row("in urine: no result", [lab("24447-5", 0.9)], "info"),
    row("newest without unit beside a normal one of the last 72 hours",
        [mg(0.9, when="9h"), mg(0.9, None, id="b")], "not-checked unit-missing"),
    row("newest without unit beside an older one", [mg(0.9, when="90h"), mg(0.9, None, id="b")], "info"),
    row("older low, newest normal", [mg(0.5, when="9h"), mg(0.9, id="b")], "clear"),
    row("older normal, newest low", [mg(0.9, when="9h"), mg(0.5, id="b")], "warning"),
    row("two at the same time: the lower counts", [mg(0.9), mg(0.5, id="b")], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("results", "expected"), MAGNESIUM)
def test_magnesium_when_calcium_is_low(results: list[Json], expected: str) -> None:
    assert verdict(ca(), *results) == expected
    assert view(ca(), *results).verdict(RULE) == expected


LOW_MG = mg(0.5)
CALCIUM = [
    row("severe", [ca(0.8)], "warning"),
    row("low", [ca(1.11)], "warning"),
    row("normal", [ca(1.12)], "clear"),
    row("none", [], "not-checked no-result"),
    row("stale", [ca(when="31d")], "not-checked stale"),
    row("without unit", [ca(0.95, None)], "not-checked unit-missing"),
    row("unconfirmed total", [lab("calcium-sc", 1.8)], "info"),
    row("total explained by albumin", [lab("calcium-sc", 2.0), lab("albumin", 30, "g/L")], "clear"),
    row("total corrected and still low", [lab("calcium-sc", 1.7), lab("albumin", 35, "g/L")], "warning"),
    row("preliminary", [ca(status="preliminary")], "info"),
    row("flagged low without unit", [ca(0.95, None, flag="L")], "info"),
]


@pytest.mark.parametrize(("results", "expected"), CALCIUM)
def test_calcium_when_magnesium_is_low(results: list[Json], expected: str) -> None:
    assert verdict(*results, LOW_MG) == expected


# Calcium that cannot be used as it is, and magnesium that was measured lately and is not acted on.
DOUBTS = [
    row("certain", [ca(0.95), mg(0.9)], "clear"),
    row("calcium preliminary", [ca(0.95, status="preliminary"), mg(0.9)], "not-checked no-result"),
    row(
        "total calcium without albumin: low as it may be, magnesium is known",
        [lab("calcium-sc", 1.8), mg(0.9)],
        "clear",
    ),
    row("calcium flagged low without unit", [ca(0.95, None, flag="L"), mg(0.9)], "not-checked unit-missing"),
]


@pytest.mark.parametrize(("results", "expected"), DOUBTS)
def test_an_unusable_calcium_leaves_the_rule_open(results: list[Json], expected: str) -> None:
    assert verdict(*results) == expected


def test_inpatients_have_72_hours() -> None:
    assert verdict(ca(when="73h"), LOW_MG, encounter("IMP")) == "not-checked stale"
    assert verdict(ca(), mg(0.5, when="73h"), encounter("IMP")) == "info"


# Which orders, and magnesium that is ordered already.
ORDERS = [
    row("calcium carbonate", "calcium carbonate", "warning"),
    row("calcium in words", "Calcium gluconate 10 % injection", "warning"),
    row("cholecalciferol", "cholecalciferol", "warning"),
    row("active vitamin D in words", "calcitriol 0.25 mcg capsule", "warning"),
    row("a calcium and magnesium product holds magnesium", "calcium carbonate and magnesium oxide tablet", "clear"),
    row("magnesium itself", "magnesium oxide", "not-applicable"),
    row("haloperidol", "haloperidol", "not-applicable"),
    row("omeprazole", "omeprazole", "not-applicable"),
    row("an ordinary drug", "Amoxicillin 500 mg", "not-applicable"),
]


@pytest.mark.parametrize(("drug", "expected"), ORDERS)
def test_orders(drug: str, expected: str) -> None:
    assert verdict(ca(), LOW_MG, drug=drug) == expected


def test_calcium_on_the_skin_replaces_nothing() -> None:
    on_the_skin = order("calcium carbonate", more={"dosageInstruction": [{"route": {"text": "topical"}}]})
    swallowed = order("calcium carbonate", more={"dosageInstruction": [{"route": {"text": "oral"}}]})
    assert sign(on_the_skin, WOMAN_60, ca(), LOW_MG).verdict(RULE) == "not-applicable"
    assert sign(swallowed, WOMAN_60, ca(), LOW_MG).verdict(RULE) == "warning"


def test_a_draft_that_is_cancelled_or_forbidden_is_no_order() -> None:
    for draft in (
        order("calcium carbonate", status="cancelled"),
        order("calcium carbonate", more={"doNotPerform": True}),
    ):
        assert sign(draft, WOMAN_60, ca(), LOW_MG).verdict(RULE) == "not-applicable"


ORDERED = [
    row("magnesium current", [taking("magnesium oxide")], "clear"),
    row("magnesium stopped", [taking("magnesium oxide", status="stopped")], "warning"),
    row("magnesium on hold", [taking("magnesium oxide", status="on-hold")], "warning"),
    row("another drug current", [taking("omeprazole")], "warning"),
]


@pytest.mark.parametrize(("records", "expected"), ORDERED)
def test_magnesium_ordered_already(records: list[Json], expected: str) -> None:
    assert verdict(ca(), LOW_MG, *records) == expected
    assert view(ca(), LOW_MG, *records).verdict(RULE) == expected


def test_magnesium_ordered_together() -> None:
    also = order("magnesium oxide", 400, 1, id="draft-2")
    assert sign(CALCIUM_ORDER, WOMAN_60, ca(), LOW_MG, also=(also,)).verdict(RULE) == "clear"


def test_magnesium_ordered_does_not_replace_measuring_it_again() -> None:
    assert verdict(ca(), mg(0.55, when="5d"), taking("magnesium oxide")) == "info"


# "Not measured" is said only of results that were returned, whole and readable.
def test_not_measured_needs_results_that_were_returned() -> None:
    truncated = {**bundle(ca()), "link": [{"relation": "next", "url": "https://ehr.example/page2"}]}
    broken = bundle(ca(), {**lab("albumin", 40), "code": "x"})
    failed = bundle(ca(), outcome())
    for observations, reason in ((truncated, "truncated"), (broken, "key-failed"), (failed, "key-failed")):
        assert verdict(observations=observations) == f"not-checked {reason}"
    assert verdict(without=("observations",)) == "not-checked key-missing"
    whole = {**bundle(ca(), ca(1.2, when="400d", id="old")), "link": [{"relation": "next", "url": "https://x"}]}
    assert verdict(observations=whole) == "info"


def test_low_magnesium_is_told_even_when_results_are_cut_off() -> None:
    cut = {**bundle(ca(), LOW_MG), "link": [{"relation": "next", "url": "https://ehr.example/page2"}]}
    assert verdict(observations=cut) == "warning"


def test_orders_that_could_not_be_read_are_said_beside_the_warning() -> None:
    card = view(ca(), LOW_MG, medications=outcome()).card
    assert "Current orders could not be read: magnesium may be ordered already." in card["detail"]
    assert card["indicator"] == "warning"


# The record as it is opened: without any order.
def test_patient_view_without_an_order() -> None:
    card = view(ca(1.0), mg(0.5)).card
    assert card["summary"] == (
        "Mg 0.50 mmol/L with ionised Ca 1.00 mmol/L: calcium will not correct until magnesium is replaced."
    )
    assert "subject" not in card["extension"]["org.dystonia-cds"]
    assert view(ca(1.2), mg(0.5)).cards == []
    assert view(ca(1.0), mg(0.5), who=patient(deceasedBoolean=True)).verdict(RULE) == "not-applicable"


def test_the_rule_is_not_asked_at_order_select() -> None:
    answer = sign(CALCIUM_ORDER, WOMAN_60, ca(), LOW_MG, hook="order-select")
    assert RULE not in {result["rule"] for result in answer.results}


# The cards.
def test_the_card_of_a_low_magnesium() -> None:
    card = sign(CALCIUM_ORDER, WOMAN_60, lab("calcium-sc", 6.8, "mg/dL"), lab("albumin", 34, "g/L"),
                mg(1.2, "mg/dL"), taking("omeprazole")).card  # fmt: skip
    assert card["indicator"] == "warning"
    assert (
        card["summary"]
        == "Mg 1.2 mg/dL = 0.49 mmol/L with corrected Ca 7.3 mg/dL = 1.82 mmol/L: calcium will not correct until "
        "magnesium is replaced."
    )
    texts = [fact["text"] for fact in card["extension"]["org.dystonia-cds"]["facts"]]
    assert texts == [
        "Total Ca 6.8 mg/dL = 1.70 mmol/L (2026-11-22, 3 h ago; status final)",
        "Albumin 34 g/L (2026-11-22, 3 h ago; status final)",
        "Corrected for albumin: 1.82 mmol/L",
        "Mg 1.2 mg/dL = 0.49 mmol/L (2026-11-22, 3 h ago; status final)",
        "Calcium carbonate matched by RxNorm code",
    ]
    add, check, review = card["suggestions"]
    assert add["label"] == "Add magnesium (dose left to the prescriber)"
    drug = add["actions"][0]["resource"]
    assert (drug["status"], drug["intent"], "dosageInstruction" in drug) == ("draft", "order", False)
    assert [action["resource"]["resourceType"] for action in check["actions"]] == ["ServiceRequest"]
    assert (review["label"], "actions" in review) == ("Review drugs that lower magnesium: omeprazole", False)


def test_the_card_of_a_magnesium_that_was_not_measured() -> None:
    card = sign(CALCIUM_ORDER, WOMAN_60, ca()).card
    assert card["indicator"] == "info"
    assert card["summary"] == "Ionised Ca 0.95 mmol/L: no magnesium result in 72 h. Consider checking Mg."
    flagged = sign(CALCIUM_ORDER, WOMAN_60, ca(0.95, None, flag="L")).card
    assert flagged["summary"] == "Calcium reported low: no magnesium result in 72 h. Consider checking Mg."
    unread = sign(CALCIUM_ORDER, WOMAN_60, ca(), mg(0.5, None)).card
    assert "no readable magnesium result in 72 h" in unread["summary"]
    assert "Mg 0.5 (no unit)" in unread["detail"]
    assert [reason["code"] for reason in unread["overrideReasons"]][-1] == "other"
