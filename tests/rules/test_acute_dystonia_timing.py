"""R-DRUG-01, time and silence: what is new or an increase, the dose factor, every suppression (C-EXP, D.8)."""

from __future__ import annotations

import pytest

from cds_hooks.service import Site
from plugin.services import PLUGIN
from tests.support.fhir import (
    allergy,
    condition,
    day,
    dispensed,
    dosage,
    encounter,
    family,
    given,
    lab,
    order,
    statement,
    subject,
    taking,
)
from tests.support.fire import sign
from tests.support.rows import WOMAN_60, aged, row

RULE = "R-DRUG-01"
DECANOATE = "rxnorm:859867"
PERPHENAZINE_AMITRIPTYLINE = "rxnorm:856825"  # 4 mg and 25 mg
CREAM = "rxnorm:362220"

# A man of 22 starts haloperidol: a warning, unless what he takes already says that it is no start.
HISTORY = [
    row("nothing on record", [], "warning"),
    row("stopped 31 days ago", [taking("haloperidol", "90d", status="stopped",
        more={"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": day(31)}}}}]})], "warning"),
    row("stopped 30 days ago: neither new nor stable", [taking("haloperidol", "90d", status="stopped",
        more={"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": day(30)}}}}]})], "clear"),
    row("given 31 days ago", [given("haloperidol", "31d")], "warning"),
    row("given 30 days ago", [given("haloperidol", "30d")], "clear"),
    row("current for 30 days (S-03)", [taking("haloperidol", "30d")], "S-03"),
    row("current for 29 days", [taking("haloperidol", "29d")], "clear"),
    row("current since a date 30 days ago (S-03)", [taking("haloperidol", day(30))], "S-03"),
    row("current since a date 29 days ago", [taking("haloperidol", day(29))], "clear"),
    row("current since last month, day unknown: 22 days at least", [taking("haloperidol", "2026-10")],
        "not-checked date-missing"),
    row("current since September, day unknown (S-03)", [taking("haloperidol", "2026-09")], "S-03"),
    row("current since an unknown date", [taking("haloperidol", more={"authoredOn": None})],
        "not-checked date-missing"),
    row("on a statement for 60 days (S-03)", [statement("haloperidol")], "S-03"),
    row("long-acting for 90 days (S-03)", [taking(DECANOATE, "90d")], "S-03"),
    row("long-acting for 89 days", [taking(DECANOATE, "89d")], "clear"),
    row("started 24 hours ago (S-04)", [taking("haloperidol", "24h")], "S-04"),
    row("started 25 hours ago", [taking("haloperidol", "25h")], "clear"),
    row("planned from 24 hours ahead (S-04)", [taking("haloperidol", "-24h", 5, 1)], "S-04"),
    row("planned from 25 hours ahead: not begun", [taking("haloperidol", "-25h", 5, 1)], "warning"),
    row("given 12 hours ago (S-04)", [given("haloperidol", "12h")], "S-04"),
    row("long order completed an hour ago, ordered again (S-04)", [taking("haloperidol", "90d", status="completed",
        more={"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2026-11-22T09:00:00Z"}}}}]})],
            "S-04"),
    row("only another drug of the class", [taking("fluphenazine", "60d", status="stopped")], "warning"),
    row("cancelled order of the same", [taking("haloperidol", "60d", status="cancelled")], "warning"),
    row("same order entered in error", [taking("haloperidol", "60d", status="entered-in-error")], "warning"),
    row("a plan for the same is no exposure", [taking("haloperidol", "60d", more={"intent": "plan"})], "warning"),
    row("an order not to give it is no exposure", [taking("haloperidol", "60d", more={"doNotPerform": True})],
        "warning"),
    row("the same one waits to start next week", [taking("haloperidol", "1d",
        more={"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": day(-7)}}}}]})], "warning"),
    row("the record's copy of this draft, active, authored now",
        [taking("haloperidol", "0h", id="draft-1")], "warning"),
    row("the record's copy of this draft, authored an hour ago",
        [taking("haloperidol", "1h", id="draft-1")], "warning"),
    row("the record's copy of this draft, still a draft",
        [taking("haloperidol", "0h", id="draft-1", status="draft")], "warning"),
    row("this very order is on record for 60 days: a renewal (S-03)",
        [taking("haloperidol", "60d", id="draft-1")], "S-03"),
    row("on hold for 60 days", [taking("haloperidol", "60d", status="on-hold")], "warning"),
    row("request of 60 days, statement 'not taken' of yesterday",
        [taking("haloperidol"), statement("haloperidol", "not-taken", "1d")], "warning"),
    row("statement 'not taken' older than the request (S-03)",
        [taking("haloperidol"), statement("haloperidol", "not-taken", "90d")], "S-03"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), HISTORY)
def test_new_or_not(data: list[dict], expected: str) -> None:
    answer = sign(order("haloperidol"), aged(22, "male"), *data)
    assert answer.verdict(RULE) == expected
    if expected.startswith("S-"):
        assert answer.result(RULE)["status"] == "fired"
        assert not answer.cards


# Haloperidol by mouth 5 mg once a day for 60 days; the draft is the new dose.
INCREASES = [
    row("7.5 mg, 1.5 times", order("haloperidol", 7.5, 1), "info"),
    row("7.45 mg, 1.49 times (S-03)", order("haloperidol", 7.45, 1), "S-03"),
    row("2.5 mg three times a day, 1.5 times", order("haloperidol", 2.5, 3), "info"),
    row("lower dose (S-03)", order("haloperidol", 2, 1), "S-03"),
    row("no dose stated (S-03)", order("haloperidol"), "S-03"),
    row("a dose that cannot be worked out may be an increase", order("haloperidol", 5, 1, unit="drops"),
        "not-checked dose-not-computable"),
    row("a single extra dose is no daily dose (S-03)", order("haloperidol", 10, once=True), "S-03"),
    row("6 mg every 6 hours for one day is an increase", order("haloperidol", more={"dosageInstruction": [
        {"doseAndRate": [{"doseQuantity": {"value": 6, "unit": "mg"}}],
         "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h",
                               "boundsDuration": {"value": 1, "unit": "d"}}}}]}), "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "expected"), INCREASES)
def test_increase_of_a_stable_dose(draft: dict, expected: str) -> None:
    """The person has one factor besides the dose: family history."""
    answer = sign(draft, WOMAN_60, family(), taking("haloperidol", "60d", 5, 1))
    assert answer.verdict(RULE) == expected


def test_the_card_tells_both_doses() -> None:
    card = sign(order("haloperidol", 4, 2), aged(30), taking("haloperidol", "60d", 2, 2)).card
    assert "Haloperidol 8 mg/day ordered, 4 mg/day before" in card["detail"]


def test_cover_is_named_only_where_it_is_offered() -> None:
    first, older = (sign(order("haloperidol", 10, once=True), aged(years)).card for years in (64, 65))
    assert first["summary"].endswith("Consider cover or lower-risk agent.")
    assert older["summary"].endswith("Consider a lower-risk agent.")


def test_a_stable_dose_on_record_that_cannot_be_worked_out_is_not_called_stable() -> None:
    taken = taking("haloperidol", "60d", more={"dosageInstruction": [{"text": "taper as directed"}]})
    answer = sign(order("haloperidol", 5, 1), WOMAN_60, family(), taken)
    assert answer.verdict(RULE) == "not-checked dose-not-computable"
    assert answer.result(RULE)["inputs"] == ["MedicationRequest/draft-1", "MedicationRequest/m1"]


def test_a_card_says_why_the_dose_is_not_known() -> None:
    answer = sign(order("haloperidol", 5, 1, unit="drops"), aged(22, "male"))
    card = answer.cards[0]
    assert "Dose not computable: dose unit unknown." in card["detail"]
    missing = card["extension"]["org.dystonia-cds"]["missing"]
    assert {"input": "draftOrders", "reason": "dose-not-computable"} in missing


# A factor of its own: at least 1.5 times within 72 hours. One factor is information, two a warning.
FAST = [
    row("72 hours after the start", [taking("haloperidol", "72h", 2, 1)], "info"),
    row("73 hours after the start: an increase without this factor", [taking("haloperidol", "73h", 2, 1)], "clear"),
    row("dose before unknown", [taking("haloperidol", "48h")], "clear"),
]


@pytest.mark.parametrize(("data", "expected"), FAST)
def test_fast_titration(data: list[dict], expected: str) -> None:
    answer = sign(order("haloperidol", 3, 1), WOMAN_60, *data)
    assert answer.verdict(RULE) == expected
    if expected == "info":
        assert "(fast titration)" in answer.card["summary"]
        assert "- Daily dose at least 1.5 times within 72 h\n" in answer.card["detail"]


def step(sequence: int, mg: float, days: int | None = None) -> dict:
    """One of several lines that follow each other."""
    return {"sequence": sequence, **dosage(mg, 1, days=days)}


STEPS = [
    row("2 mg for 3 days, then 3 mg", [step(1, 2, 3), step(2, 3)], "info"),
    row("2 mg for 4 days, then 3 mg", [step(1, 2, 4), step(2, 3)], "clear"),
    row("2 mg for 3 days, then 2.9 mg", [step(1, 2, 3), step(2, 2.9)], "clear"),
    row("in two small steps within 3 days", [step(1, 2, 1), step(2, 2.5, 2), step(3, 3)], "info"),
    row("lowered", [step(1, 3, 2), step(2, 2)], "clear"),
    row("taken together", [dosage(2, 1), dosage(3, 1)], "clear"),
]


@pytest.mark.parametrize(("lines", "expected"), STEPS)
def test_fast_titration_within_the_order(lines: list[dict], expected: str) -> None:
    draft = {**order("haloperidol"), "dosageInstruction": lines}
    assert sign(draft, WOMAN_60).verdict(RULE) == expected


def dosed(*lines: dict) -> dict:
    """A haloperidol draft with these dosage lines."""
    return order("haloperidol", more={"dosageInstruction": list(lines)})


def line(mg: float, unit: str = "mg", text: str = "", **repeat: object) -> dict:
    """A dosage line with a dose and the elements of its repeat."""
    found: dict = {"doseAndRate": [{"doseQuantity": {"value": mg, "unit": unit}}]}
    if repeat:
        found["timing"] = {"repeat": repeat}
    return {**found, **({"text": text} if text else {})}


DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}

# High dose: first 24 hours at least 10 mg haloperidol or the equal of it. The woman of 60 has no other factor.
HIGH_DOSE = [
    row("haloperidol 10 mg a day", order("haloperidol", 5, 2), "info"),
    row("haloperidol 9.9 mg a day", order("haloperidol", 3.3, 3), "clear"),
    row("haloperidol 10 mg once", order("haloperidol", 10, once=True), "info"),
    row("haloperidol 9.9 mg once", order("haloperidol", 9.9, once=True), "clear"),
    row("haloperidol 0.01 g once", order("haloperidol", 0.01, once=True, unit="g"), "info"),
    row("two tablets of 5 mg", order("rxnorm:310672", 2, 1, unit="{tbl}"), "info"),
    row("one tablet of 5 mg", order("rxnorm:310672", 1, 1, unit="{tbl}"), "clear"),
    row("two lines taken together", dosed(line(5, **DAILY), line(5, **DAILY)), "info"),
    row("5 mg at two times of the day", dosed(line(5, period=1, periodUnit="d", timeOfDay=["08:00:00", "20:00:00"])),
        "info"),
    row("2.5 mg every 6 hours", dosed(line(2.5, frequency=1, period=6, periodUnit="h")), "info"),
    row("2.5 mg every 6 hours for 12 hours only", dosed(line(2.5, frequency=1, period=6, periodUnit="h",
        boundsDuration={"value": 12, "unit": "h"})), "clear"),
    row("5 mg four times a day, two doses only", dosed(line(5, frequency=4, period=1, periodUnit="d", count=2)),
        "info"),
    row("5 mg four times a day, one dose only", dosed(line(5, frequency=4, period=1, periodUnit="d", count=1)),
        "clear"),
    row("a range counts with its high end", dosed({"doseAndRate": [{"doseRange": {
        "low": {"value": 5, "unit": "mg"}, "high": {"value": 10, "unit": "mg"}}}]}), "info"),
    row("fluphenazine 10 mg", order("fluphenazine", 10, 1), "info"),
    row("perphenazine 40 mg is the equal, of medium tier one factor is silent", order("perphenazine", 40, 1), "clear"),
    row("thiothixene 20 mg is the equal", order("rxnorm:10510", 20, 1), "info"),
    row("thiothixene 19 mg is not", order("rxnorm:10510", 19, 1), "clear"),
    row("droperidol has no published equivalent", order("droperidol", 20, 1), "clear"),
    row("a depot does not count", order(DECANOATE, 100, more={"dosageInstruction": [line(100)]}), "info"),
    row("no dose", order("haloperidol"), "clear"),
    row("dose in plain words", dosed({"text": "10 mg by mouth daily"}), "info"),
    row("dose in words that are not plain", dosed({"text": "10 mg by mouth daily, hold if sedated"}),
        "not-checked dose-not-computable"),
    row("dose known, schedule in words", dosed(line(5, text="twice daily")), "info"),
    row("dose known, schedule in words that are not plain", dosed(line(5, text="as directed")),
        "not-checked dose-not-computable"),
    row("12 mg, whatever the schedule, is already high", dosed(line(12, text="as directed")), "info"),
    row("by body weight", dosed(line(0.1, "mg/kg", **DAILY)), "not-checked dose-not-computable"),
    row("0.5 mg an hour by infusion", dosed({"doseAndRate": [{"rateQuantity": {"value": 0.5, "unit": "mg/h"}}]}),
        "info"),
    row("dose known, schedule unknown", dosed(line(5, frequency=2)), "not-checked dose-not-computable"),
    row("perphenazine, dose in words: of medium tier it would not matter",
        order("perphenazine", more={"dosageInstruction": [{"text": "40 mg daily"}]}), "clear"),
    row("risperidone, dose in words: no dose factor", order("risperidone", more={"dosageInstruction": [
        {"text": "4 mg daily"}]}), "clear"),
    row("dose in an unknown unit", dosed(line(10, "drops")), "not-checked dose-not-computable"),
    row("dose that is no number", dosed({"doseAndRate": [{"doseQuantity": {"value": "10", "unit": "mg"}}]}),
        "not-checked dose-not-computable"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "expected"), HIGH_DOSE)
def test_high_first_day_dose(draft: dict, expected: str) -> None:
    """The depot is an injection, which is its one factor; the dose would be a second one."""
    assert sign(draft, WOMAN_60).verdict(RULE) == expected


@pytest.mark.parametrize(("tablets", "expected"), [(5, "info"), (4, "clear")])
def test_each_ingredient_of_a_combination_has_its_own_dose(tablets: int, expected: str) -> None:
    """Twice a day: 40 mg perphenazine are the equal of 10 mg haloperidol; family history is the other factor."""
    draft = order(PERPHENAZINE_AMITRIPTYLINE, tablets, 2, unit="{tbl}")
    assert sign(draft, WOMAN_60, family()).verdict(RULE) == expected


@pytest.mark.parametrize(("hook", "expected"), [("order-select", "clear"), ("order-sign", "info")])
def test_the_dose_is_no_factor_at_order_select(hook: str, expected: str) -> None:
    assert sign(order("haloperidol", 20, 1), WOMAN_60, hook=hook).verdict(RULE) == expected


# S-02, S-10: haloperidol for a man of 22 (a warning), with cover or in palliative care.
PRIOR = condition("G24.02")
COVER = [
    row("benztropine, scheduled (S-02)", [taking("benztropine", "1d", 1, 2)], "S-02"),
    row("trihexyphenidyl, scheduled (S-02)", [taking("trihexyphenidyl", "1d", 2, 2)], "S-02"),
    row("diphenhydramine by mouth, scheduled (S-02)", [taking("diphenhydramine", "1d", 25, 3)], "S-02"),
    row("benztropine on a statement (S-02)", [statement("benztropine")], "S-02"),
    row("benztropine dispensed for 7 days, yesterday (S-02)", [dispensed("benztropine", "1d", 7)], "S-02"),
    row("scheduled cover with a prior dystonia is information", [taking("benztropine", "1d", 1, 2), PRIOR], "info"),
    row("scheduled cover with a recorded reaction is information",
        [taking("benztropine", "1d", 1, 2), allergy("risperidone")], "info"),
    row("benztropine as needed lowers to information", [taking("benztropine", "1d", 1, prn=True)], "info"),
    row("benztropine as needed in words", [taking("benztropine", "1d",
        more={"dosageInstruction": [{"text": "1 mg as required"}]})], "info"),
    row("scheduled beside as needed (S-02)",
        [taking("benztropine", "1d", 1, prn=True), taking("diphenhydramine", "1d", 25, 3, id="m2")], "S-02"),
    row("benztropine given two days ago is no schedule", [given("benztropine", "48h")], "info"),
    row("benztropine given 8 days ago", [given("benztropine", "8d")], "warning"),
    row("benztropine stopped", [taking("benztropine", "9d", status="stopped")], "warning"),
    row("benztropine on hold", [taking("benztropine", "9d", status="on-hold")], "warning"),
    row("benztropine, but not taken", [taking("benztropine", "9d"), statement("benztropine", "not-taken", "1d")],
        "warning"),
    row("diphenhydramine cream is no cover", [taking(CREAM, "1d")], "warning"),
    row("diphenhydramine cream in words is no cover", [taking("Diphenhydramine 2% topical cream", "1d")], "warning"),
    row("cetirizine is no cover", [taking("Cetirizine 10 mg", "1d")], "warning"),
    row("promethazine, current: the exempt pair (S-02)", [taking("promethazine", "1d", 25, 2)], "S-02"),
    row("the exempt pair with a prior dystonia is information", [taking("promethazine", "1d", 25, 2), PRIOR], "info"),
    row("promethazine cream is no partner: a second dopamine blocker", [taking("Promethazine 2% cream", "1d")],
        "warning"),
    row("palliative care Z51.5 (S-10)", [condition("Z51.5")], "S-10"),
    row("palliative care, resolved", [condition("Z51.5", clinical="resolved")], "warning"),
    row("hospice encounter (S-10)", [{**encounter("HH"), "type": [{"text": "Hospice"}]}], "S-10"),
    row("comfort care encounter (S-10)", [{**encounter(), "serviceType": {"text": "Comfort care"}}], "S-10"),
    row("other encounter", [encounter()], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), COVER)
def test_cover_and_palliative_care(data: list[dict], expected: str) -> None:
    answer = sign(order("haloperidol"), aged(22, "male"), *data)
    assert answer.verdict(RULE) == expected
    assert answer.result(RULE)["status"] == "fired"


# Drafts signed together.
TOGETHER = [
    row("with benztropine (S-02)", order("haloperidol"), order("benztropine", 1, 2, id="b"), "S-02"),
    row("with benztropine as needed", order("haloperidol"), order("benztropine", 1, prn=True, id="b"), "info"),
    row("with benztropine, cancelled", order("haloperidol"), order("benztropine", 1, 2, id="b", status="cancelled"),
        "warning"),
    row("with benztropine 'do not perform'", order("haloperidol"),
        order("benztropine", 1, 2, id="b", more={"doNotPerform": True}), "warning"),
    row("haloperidol with promethazine (S-02)", order("haloperidol"), order("promethazine", 25, 1, id="b"), "S-02"),
    row("promethazine with haloperidol (S-02)", order("promethazine", route="IM"), order("haloperidol", id="b"),
        "S-02"),
    row("olanzapine with promethazine is a second blocker", order("olanzapine"), order("promethazine", id="b"), "info"),
    row("haloperidol with omeprazole", order("haloperidol"), order("omeprazole", id="b"), "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "other", "expected"), TOGETHER)
def test_drafts_signed_together(draft: dict, other: dict, expected: str) -> None:
    assert sign(draft, aged(22, "male"), also=(other,)).verdict(RULE) == expected


# S-08: a single dose, or a course of at most 24 hours, of a drug of medium tier without a major factor.
MIGRAINE = [aged(25, "female"), family()]
SINGLE = [
    row("prochlorperazine IV 10 mg once", order("prochlorperazine", 10, route="IV", once=True), [], "info"),
    row("prochlorperazine IV three times a day", order("prochlorperazine", 10, 3, route="IV"), [], "warning"),
    row("a course of 24 hours", order("prochlorperazine", 10, 3, route="IV", days=1), [], "info"),
    row("a course of 25 hours", order("prochlorperazine", route="IV", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d",
         "boundsDuration": {"value": 25, "unit": "h"}}}}]}), [], "warning"),
    row("today only, by date", order("prochlorperazine", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "timing": {"repeat": {"boundsPeriod": {"start": day(0), "end": day(0)}}}}]}), [],
            "info"),
    row("today and tomorrow, by date", order("prochlorperazine", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "timing": {"repeat": {"boundsPeriod": {"start": day(0), "end": day(-1)}}}}]}), [],
        "warning"),
    row("once in words", order("prochlorperazine", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "text": "10 mg IV once"}]}), [], "info"),
    row("once daily in words is not once", order("prochlorperazine", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "text": "10 mg IV once daily"}]}), [], "warning"),
    row("now, then every 6 hours is not once", order("prochlorperazine", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "text": "10 mg IV stat, then every 6 h"}]}), [], "warning"),
    row("timing code 'once daily' is not once", order("prochlorperazine", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "timing": {"code": {"text": "Once daily"}}}]}), [], "warning"),
    row("timing code once", order("prochlorperazine", more={"dosageInstruction": [
        {"route": {"text": "IV"}, "timing": {"code": {"text": "Once"}}}]}), [], "info"),
    row("once, but a prior dystonia", order("prochlorperazine", 10, route="IV", once=True), [PRIOR], "warning"),
    row("once, but of high tier", order("haloperidol", 5, route="IM", once=True), [], "warning"),
    row("metoclopramide once under 18 is high tier", order("metoclopramide", 10, route="IV", once=True),
        [aged(17)], "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "data", "expected"), SINGLE)
def test_single_dose(draft: dict, data: list[dict], expected: str) -> None:
    """Otherwise a woman of 25 with a family history: with the injection three minor factors, a warning."""
    answer = sign(draft, *MIGRAINE, *data)
    assert answer.verdict(RULE) == expected
    assert ("shown as information (S-08)" in answer.card["detail"]) is (expected == "info")


# S-18: droperidol IV around an operation, for a man of 22 (a warning).
OPERATION = {"reasonCode": [{"text": "Intraoperative nausea prophylaxis"}]}
TODAY = {
    "resourceType": "Procedure",
    "id": "op",
    "status": "in-progress",
    "subject": subject(),
    "code": {"text": "Appendectomy"},
}
AROUND = [
    row("1.25 mg (S-18)", order("droperidol", 1.25, route="IV", more=OPERATION), [], "S-18"),
    row("0.625 mg (S-18)", order("droperidol", 0.625, route="IV", more=OPERATION), [], "S-18"),
    row("1.26 mg", order("droperidol", 1.26, route="IV", more=OPERATION), [], "warning"),
    row("no dose told", order("droperidol", route="IV", more=OPERATION), [], "warning"),
    row("no operation", order("droperidol", 1.25, route="IV"), [], "warning"),
    row("an operation of today on record (S-18)", order("droperidol", 1.25, route="IV"), [TODAY], "S-18"),
    row("a prior dystonia: a major factor", order("droperidol", 1.25, route="IV", more=OPERATION), [PRIOR], "warning"),
    row("haloperidol", order("haloperidol", 1.25, route="IV", more=OPERATION), [], "warning"),
]


@pytest.mark.parametrize(("draft", "data", "expected"), AROUND)
def test_droperidol_around_an_operation(draft: dict, data: list[dict], expected: str) -> None:
    assert sign(draft, aged(22, "male"), *data).verdict(RULE) == expected


# S-16: the order says that it comes from an order set of the site that holds cover.
SETS = "https://hospital.example/order-sets"
FROM_SETS = [
    row("by canonical (S-16)", {"instantiatesCanonical": [f"{SETS}/agitation"]}, [], "S-16"),
    row("another set", {"instantiatesCanonical": [f"{SETS}/sedation"]}, [], "warning"),
    row("no set", {}, [], "warning"),
    row("with a prior dystonia it is information", {"instantiatesCanonical": [f"{SETS}/agitation"]}, [PRIOR], "info"),
]


@pytest.mark.parametrize(("more", "data", "expected"), FROM_SETS)
def test_from_an_order_set_with_cover(
    monkeypatch: pytest.MonkeyPatch, more: dict, data: list[dict], expected: str
) -> None:
    loaded = PLUGIN(Site(prophylaxis_order_sets=(f"{SETS}/agitation",)))
    monkeypatch.setattr("tests.support.fire.plugin", lambda jurisdiction="us": loaded)
    assert sign(order("haloperidol", more=more), aged(22, "male"), *data).verdict(RULE) == expected


def test_a_woman_of_60_with_at_most_one_factor_needs_no_rule_of_its_own() -> None:
    """S-12 is the matrix itself for drugs of medium tier."""
    assert sign(order("risperidone"), WOMAN_60, family()).verdict(RULE) == "clear"


def test_stale_calcium_is_no_factor() -> None:
    """S-13."""
    assert sign(order("haloperidol"), WOMAN_60, lab("ionised", 1.0, when="60d")).verdict(RULE) == "clear"
