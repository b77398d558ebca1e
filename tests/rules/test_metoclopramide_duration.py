"""R-DRUG-06: metoclopramide for longer than its label allows (D.2). More than 84 days in the US, 5 days elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest

from tests.support.fhir import (
    UCUM,
    Json,
    bundle,
    call,
    condition,
    day,
    dispensed,
    encounter,
    given,
    order,
    patient,
    prefetch,
    statement,
    taking,
)
from tests.support.fire import Fired, fire, sign
from tests.support.rows import WOMAN_60, outcome, row

RULE = "R-DRUG-06"


def supply(days: float, repeats: int | None = None, **more: Any) -> Json:
    """A dispense request for so many days, with repeats."""
    found: Json = {"expectedSupplyDuration": {"value": days, "unit": "d", "system": UCUM, "code": "d"}, **more}
    return {"dispenseRequest": found | ({"numberOfRepeatsAllowed": repeats} if repeats is not None else {})}


def draft(days: float | None = None, repeats: int | None = None, drug: str = "metoclopramide", **more: Any) -> Json:
    """An order of 10 mg three times daily for so many days of supply."""
    return order(drug, 10, 3, more=supply(days, repeats, **more) if days is not None else None)


PLANNED = [
    row("84 days", draft(84), "clear"),
    row("85 days", draft(85), "warning"),
    row("28 days with 2 repeats", draft(28, 2), "clear"),
    row("28 days with 3 repeats", draft(28, 3), "warning"),
    row("12 weeks", draft(12, expectedSupplyDuration={"value": 12, "code": "wk", "unit": "wk", "system": UCUM}),
        "clear"),
    row("bounded to 84 days", order("metoclopramide", 10, 3, days=84), "clear"),
    row("bounded to 85 days", order("metoclopramide", 10, 3, days=85), "warning"),
    row("a single dose", order("metoclopramide", 10, once=True), "clear"),
    row("no length", draft(), "not-checked date-missing"),
    row("haloperidol for long", draft(300, drug="haloperidol"), "not-applicable"),
    row("domperidone for long", draft(300, drug="domperidone"), "not-applicable"),
    row("Reglan by name", draft(120, drug="Reglan 10 mg tablet"), "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("ordered", "expected"), PLANNED)
def test_planned_length(ordered: Json, expected: str) -> None:
    assert sign(ordered, WOMAN_60).verdict(RULE) == expected


ELSEWHERE = [
    row("5 days", draft(5), "clear"),
    row("6 days", draft(6), "warning"),
    row("3 days after 2", [draft(3), taking("metoclopramide", day(2))], "clear"),
    row("3 days after 3", [draft(3), taking("metoclopramide", day(3))], "warning"),
    row("no length after 4 days", [draft(), taking("metoclopramide", day(4))], "not-checked date-missing"),
    row("no length after 5 days", [draft(), taking("metoclopramide", day(5))], "info"),
]


@pytest.mark.parametrize(("records", "expected"), ELSEWHERE)
@pytest.mark.parametrize("jurisdiction", ["eu", "uk"])
def test_in_europe(jurisdiction: str, records: Json | list[Json], expected: str) -> None:
    ordered, *data = records if isinstance(records, list) else [records]
    assert sign(ordered, WOMAN_60, *data, jurisdiction=jurisdiction).verdict(RULE) == expected


def ended(start: int, end: int, *, id: str = "old") -> Json:
    """An order of metoclopramide that ran from so many days ago to so many days ago."""
    line = {"timing": {"repeat": {"boundsPeriod": {"start": day(start), "end": day(end)}}}}
    return taking("metoclopramide", day(start), id=id, status="completed", more={"dosageInstruction": [line]})


def old(days_ago: int, days: int, repeats: int = 0, status: str = "completed", id: str = "old") -> Json:
    """An order from so many days ago with a supply."""
    return taking("metoclopramide", day(days_ago), id=id, status=status, more=supply(days, repeats))


# What was taken before counts as well: 30 days are ordered, so 54 before are the limit.
PRIOR = [
    row("current for 54 days", [taking("metoclopramide", day(54))], "clear"),
    row("current for 55 days", [taking("metoclopramide", day(55))], "warning"),
    row("a statement of 55 days", [statement("metoclopramide", since=day(55))], "warning"),
    row("ended today after 55 days", [ended(55, 0)], "warning"),
    row("ended 14 days ago: joined", [ended(55, 14)], "warning"),
    row("ended 15 days ago: a break", [ended(55, 15)], "clear"),
    row("two courses, 14 days between", [ended(70, 40, id="a"), ended(26, 0, id="b")], "warning"),
    row("two courses, 15 days between", [ended(70, 41, id="a"), ended(26, 0, id="b")], "clear"),
    row("supply of 50 days from 55 days ago", [old(55, 50)], "warning"),
    row("supply of 20 days with a repeat", [old(55, 20, 1)], "clear"),
    row("supply of 20 days with 2 repeats", [old(55, 20, 2)], "warning"),
    row("dispensed 55 days ago for 45 days", [dispensed("metoclopramide", day(55), 45)], "warning"),
    row("dispensed 55 days ago for 30 days", [dispensed("metoclopramide", day(55), 30)], "clear"),
    row("stopped on an unknown day", [old(55, 50, status="stopped")], "not-checked date-missing"),
    row("given 10 days ago", [given("metoclopramide", "10d")], "clear"),
    row("on hold", [taking("metoclopramide", day(55), status="on-hold")], "clear"),
    row("not taken", [statement("metoclopramide", "not-taken", day(55))], "clear"),
    row("another drug", [taking("domperidone", day(300))], "clear"),
    row("a month only, long enough at the least", [taking("metoclopramide", "2026-08")], "warning"),
    row(
        "current since nobody knows when",
        [taking("metoclopramide", more={"authoredOn": None})],
        "not-checked date-missing",
    ),
    row("a month only, perhaps long enough", [taking("metoclopramide", "2026-09")], "not-checked date-missing"),
    row("a month only, not long enough", [taking("metoclopramide", "2026-10")], "clear"),
]


@pytest.mark.parametrize(("data", "expected"), PRIOR)
def test_what_was_taken_before(data: list[Json], expected: str) -> None:
    assert sign(draft(30), WOMAN_60, *data).verdict(RULE) == expected
    assert sign(draft(30), WOMAN_60, *reversed(data)).verdict(RULE) == expected


OPEN = [
    row("83 days before", [taking("metoclopramide", day(83))], "not-checked date-missing"),
    row("84 days before", [taking("metoclopramide", day(84))], "info"),
    row("a year before", [taking("metoclopramide", day(365))], "info"),
]


@pytest.mark.parametrize(("data", "expected"), OPEN)
def test_an_order_without_a_length(data: list[Json], expected: str) -> None:
    assert sign(draft(), WOMAN_60, *data).verdict(RULE) == expected


def refill(ordered: Json, *data: Json) -> Fired:
    """What medication-refill answers."""
    return fire(call([ordered], prefetch(WOMAN_60, *data), "medication-refill"))


def test_a_refill() -> None:
    assert (
        refill({**draft(30), "id": "m1"}, taking("metoclopramide", day(60))).verdict(RULE, "MedicationRequest/m1")
        == "warning"
    )
    assert refill(draft(30), taking("metoclopramide", day(30))).verdict(RULE) == "clear"


def test_it_does_not_run_at_order_select() -> None:
    answer = sign(draft(120), WOMAN_60, hook="order-select")
    assert RULE not in {result["rule"] for result in answer.results}


HOSPICE = {**encounter("IMP"), "type": [{"text": "Hospice care"}]}


@pytest.mark.parametrize(
    ("record", "expected"),
    [row("Z51.5", condition("Z51.5"), "S-10"), row("hospice", HOSPICE, "S-10"),
     row("Z51.5, resolved", condition("Z51.5", clinical="resolved"), "warning")],
)  # fmt: skip
def test_palliative_care_silences_it(record: Json, expected: str) -> None:
    assert sign(draft(120), WOMAN_60, record).verdict(RULE) == expected


SUMMARIES = [
    row("planned", "us", draft(120), [],
        "Metoclopramide planned 120 days: avoid >12 weeks (tardive dyskinesia boxed warning)."),
    row("past and planned", "us", draft(30), [taking("metoclopramide", day(60))],
        "Metoclopramide 60 days so far, 30 more planned: avoid >12 weeks (tardive dyskinesia boxed warning)."),
    row("open", "us", draft(), [taking("metoclopramide", day(90))],
        "Metoclopramide 90 days so far, no end stated: avoid >12 weeks (tardive dyskinesia boxed warning)."),
    row("Europe", "eu", draft(10), [], "Metoclopramide planned 10 days: limit 5 days (EMA/MHRA)."),
]  # fmt: skip


@pytest.mark.parametrize(("jurisdiction", "ordered", "data", "summary"), SUMMARIES)
def test_summaries(jurisdiction: str, ordered: Json, data: list[Json], summary: str) -> None:
    card = sign(ordered, WOMAN_60, *data, jurisdiction=jurisdiction).card
    assert card["summary"] == summary
    assert ("diabetic gastroparesis" in card["detail"]) is (jurisdiction == "us")


def shortened(ordered: Json, *data: Json) -> tuple[str, Json | None]:
    """(label, updated draft) of the suggestion to shorten."""
    found = [one for one in sign(ordered, WOMAN_60, *data).card["suggestions"] if one["label"].startswith("Shorten")]
    actions = found[0].get("actions", []) if found else []
    return (found[0]["label"] if found else "", actions[0]["resource"] if actions else None)


def test_shortening_gives_the_whole_draft_back() -> None:
    ordered = {**draft(40, 2, quantity={"value": 360}), "requester": {"display": "Dr N"}, "note": [{"text": "nausea"}]}
    label, changed = shortened(ordered)
    assert label == "Shorten to 84 days, no refill"
    assert changed is not None
    assert changed["dispenseRequest"] == {
        "expectedSupplyDuration": {"value": 84, "unit": "d", "system": UCUM, "code": "d"}, "numberOfRepeatsAllowed": 0,
    }  # fmt: skip
    untouched = ("id", "requester", "note", "dosageInstruction", "medicationCodeableConcept", "subject", "intent")
    assert {name: changed[name] for name in untouched} == {name: ordered[name] for name in untouched}
    MedicationRequest.model_validate(changed)


def test_shortening_leaves_room_for_what_was_taken() -> None:
    assert shortened(draft(60), taking("metoclopramide", day(30)))[0] == "Shorten to 54 days, no refill"
    assert shortened(draft(60), taking("metoclopramide", day(84)))[0] == ""


def test_bounds_are_shortened_too() -> None:
    _, changed = shortened(order("metoclopramide", 10, 3, days=120))
    assert changed is not None
    assert changed["dosageInstruction"][0]["timing"]["repeat"]["boundsDuration"]["value"] == 84
    MedicationRequest.model_validate(changed)


def test_a_length_in_words_is_not_contradicted() -> None:
    worded = order("metoclopramide", 10, 3, days=120)
    worded["dosageInstruction"][0]["text"] = "10 mg three times a day for 120 days"
    assert shortened(worded) == ("Shorten to 84 days, no refill", None)
    worded["dosageInstruction"][0]["text"] = "10 mg three times a day"
    assert shortened(worded)[1] is not None


def test_an_accepted_suggestion_does_not_alert_again() -> None:
    _, changed = shortened(draft(120))
    assert changed is not None
    assert sign(changed, WOMAN_60).verdict(RULE) == "clear"
    assert sign({**changed, **supply(100)}, WOMAN_60).verdict(RULE) == "S-09"


MISSING = [
    row("all there", {}, "clear"),
    row("orders missing", {"without": ("medications",)}, "not-checked key-missing"),
    row("orders failed", {"medications": outcome()}, "not-checked key-failed"),
    row("dispenses missing", {"without": ("medicationDispenses",)}, "not-checked key-missing"),
    row("a drug that nobody can name", {"medications": bundle(taking("rxnorm:99999999", "5d"))},
        "not-checked drug-unrecognised"),
    row("allergies failed do not matter", {"allergies": outcome()}, "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: Json, expected: str) -> None:
    assert sign(draft(30), WOMAN_60, **changes).verdict(RULE) == expected
    assert sign(draft(120), WOMAN_60, **changes).verdict(RULE) == "warning"


def test_excluded_orders() -> None:
    assert sign(draft(120), patient(deceasedBoolean=True)).verdict(RULE) == "not-applicable"
    assert sign({**draft(120), "status": "cancelled"}, WOMAN_60).verdict(RULE) == "not-applicable"
    assert sign(draft(120, drug="rxnorm:99999999"), WOMAN_60).verdict(RULE) == "not-checked drug-unrecognised"


def test_the_fact_names_the_record_that_the_course_began_with() -> None:
    first = {**taking("metoclopramide", day(90), days=80, status="completed"), "id": "first"}
    card = sign(draft(30), WOMAN_60, first, taking("metoclopramide", day(12), id="second")).card
    (since,) = [fact for fact in card["extension"]["org.dystonia-cds"]["facts"] if "since" in fact["text"]]
    assert since["reference"] == "MedicationRequest/first"
    assert day(90) in since["text"]
