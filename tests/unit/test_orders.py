"""A draft order as rules see it: until when, whether it counts, what its words say; one row is one draft."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.fhir.orders import as_exposures, order_of, unreadable_order
from plugin.patient import Order
from plugin.thresholds import Limits
from tests.support.fhir import concept, dosage, order
from tests.support.rows import resource, row

Json = dict[str, Any]
LIMITS = Limits()


def read(**more: Any) -> Order:
    """A draft for haloperidol with these elements."""
    return order_of(resource(order(more=more)), 3, LIMITS, {})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def period(**ends: str) -> Json:
    return {"timing": {"repeat": {"boundsPeriod": ends}}}


ENDS = [
    row("nothing said", {}, None),
    row("five days from its date", {"authoredOn": "2026-11-22T10:00:00Z", "dosageInstruction": [dosage(5, 1, days=5)]},
        moment("2026-11-27T10:00:00")),
    row("five days, not dated", {"dosageInstruction": [dosage(5, 1, days=5)]}, None),
    row("five days, one line without", {"authoredOn": "2026-11-22", "dosageInstruction": [
        dosage(5, 1, days=5), dosage(5, 1)]}, None),
    row("the longer of two lines", {"authoredOn": "2026-11-22T10:00:00Z", "dosageInstruction": [
        dosage(5, 1, days=5), dosage(5, 2, days=7)]}, moment("2026-11-29T10:00:00")),
    row("a period", {"dosageInstruction": [period(end="2026-12-12T08:00:00Z")]}, moment("2026-12-12T08:00:00")),
    row("a period without end", {"dosageInstruction": [period(start="2026-12-12")]}, None),
    row("a prescription's validity", {"dispenseRequest": {"validityPeriod": {"end": "2026-12-01T00:00:00Z"}}},
        moment("2026-12-01T00:00:00")),
]  # fmt: skip


@pytest.mark.parametrize(("more", "ends"), ENDS)
def test_until_when(more: Json, ends: datetime | None) -> None:
    found = read(**more)
    assert found.ends == ends
    assert [one.ends for one in as_exposures(found)] == [ends]


COUNTS = [
    row("draft", {}, True),
    row("active", {"status": "active"}, True),
    row("on hold", {"status": "on-hold"}, True),
    row("not to be given", {"doNotPerform": True}, False),
    row("cancelled", {"status": "cancelled"}, False),
    row("entered in error", {"status": "entered-in-error"}, False),
    row("stopped", {"status": "stopped"}, False),
    row("completed", {"status": "completed"}, False),
    row("ended", {"status": "ended"}, False),
]


@pytest.mark.parametrize(("more", "active"), COUNTS)
def test_whether_it_counts(more: Json, active: bool) -> None:
    assert read(**more).active is active
    assert read(**more).status == more.get("status", "draft")


WORDS = [
    row("nothing", {}, False),
    row("reason", {"reasonCode": [{"text": "intra-operative nausea"}]}, True),
    row("coded reason", {"reasonCode": [concept("urn:x", "1", "Surgery")]}, True),
    row("note", {"note": [{"text": "PONV"}]}, True),
    row("instructions", {"dosageInstruction": [{"text": "at induction of anaesthesia"}]}, True),
    row("American spelling", {"note": [{"text": "Anesthesiologist's standing order"}]}, True),
    row("hyphen left out", {"note": [{"text": "periop"}]}, True),
    row("the day after", {"note": [{"text": "post-op day 2"}]}, False),
    row("inside a word", {"note": [{"text": "cooperation"}]}, False),
    row("another reason", {"reasonCode": [{"text": "nausea"}]}, False),
]


@pytest.mark.parametrize(("more", "perioperative"), WORDS)
def test_words_about_an_operation(more: Json, perioperative: bool) -> None:
    assert read(**more).perioperative is perioperative


SETS = [
    row("none", {}, ()),
    row("canonical", {"instantiatesCanonical": ["urn:a", "urn:b"]}, ("urn:a", "urn:b")),
    row("uri", {"instantiatesUri": ["urn:c"]}, ("urn:c",)),
    row("both", {"instantiatesCanonical": ["urn:a"], "instantiatesUri": ["urn:c"]}, ("urn:a", "urn:c")),
    row("not in a list", {"instantiatesCanonical": "urn:a"}, ("urn:a",)),
]


@pytest.mark.parametrize(("more", "sets"), SETS)
def test_order_sets(more: Json, sets: tuple[str, ...]) -> None:
    assert read(**more).order_sets == sets


REASONS = [
    row("none", {}, (), False),
    row("in words", {"reasonCode": [{"text": "nausea"}]}, (), True),
    row("a condition of the record", {"reasonReference": [{"reference": "Condition/c1"}]}, ("Condition/c1",), True),
    row("a version of it", {"reasonReference": [{"reference": "Condition/c1/_history/2"}]}, ("Condition/c1",), True),
    row("a name alone", {"reasonReference": [{"display": "nausea"}]}, (), True),
]


@pytest.mark.parametrize(("more", "references", "stated"), REASONS)
def test_reasons(more: Json, references: tuple[str, ...], stated: bool) -> None:
    found = read(**more)
    assert (found.reason_references, found.reason_stated) == (references, stated)


MARK = "https://example.org/NamingSystem/suggestion"
MARKS = [
    row("none", [], frozenset()),
    row("ours", [{"system": MARK, "value": "R-DRUG-01/haloperidol/x"}], frozenset({"R-DRUG-01"})),
    row("of two rules", [{"system": MARK, "value": "R-DRUG-01.R-MET-01/haloperidol"}], {"R-DRUG-01", "R-MET-01"}),
    row("not in a list", {"system": MARK, "value": "R-DRUG-01/haloperidol"}, frozenset({"R-DRUG-01"})),
    row("for another drug", [{"system": MARK, "value": "R-DRUG-01/ondansetron"}], frozenset()),
    row("no value", [{"system": MARK}], frozenset()),
    row("of another system", [{"system": "urn:x", "value": "R-DRUG-01/haloperidol"}], frozenset()),
]


@pytest.mark.parametrize(("identifier", "rules"), MARKS)
def test_whose_suggestion_it_is(identifier: Any, rules: frozenset[str]) -> None:
    assert read(identifier=identifier).suggested_by == rules


UNREADABLE = [
    row("a request", ("MedicationRequest", "d1"), ("MedicationRequest/d1", "d1")),
    row("a request without id", ("MedicationRequest", ""), ("draftOrders.unreadable[3]", "")),
    row("nobody can say what", ("", "d1"), ("MedicationRequest/d1", "d1")),
    row("a type that nobody knows", ("Strange", "d1"), ("MedicationRequest/d1", "d1")),
    row("something else", ("ServiceRequest", "d1"), None),
]


@pytest.mark.parametrize(("given", "expected"), UNREADABLE)
def test_a_draft_that_cannot_be_read_is_never_an_absent_one(
    given: tuple[str, str], expected: tuple[str, str] | None
) -> None:
    found = unreadable_order(*given, 3)
    assert (found and (found.reference, found.id)) == expected
    if found is not None:
        assert (found.active, found.status, found.medication.ingredients, found.ends) == (True, "draft", (), None)


def test_a_draft_is_context_for_the_others() -> None:
    (one,) = as_exposures(read(encounter={"reference": "Encounter/e1"}, dosageInstruction=[dosage(5, 2)]))
    assert (one.ingredient.name, one.reference, one.kind) == (
        "haloperidol",
        "MedicationRequest/draft-1",
        "MedicationRequest",
    )
    assert (one.current, one.on_hold, one.draft, one.start, one.last) == (True, False, True, None, None)
    assert one.per_day_mg == 10
    assert read(encounter={"reference": "Encounter/e1"}).encounter == "Encounter/e1"
    assert read(encounter={"display": "the visit"}).encounter == ""
    assert read().encounter == ""
