"""R-DRUG-10: anticholinergic cover left running beside a stable dopamine blocker (D.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import (
    DYSTONIA,
    Json,
    allergy,
    bundle,
    call,
    condition,
    day,
    dispensed,
    given,
    order,
    patient,
    prefetch,
    statement,
    taking,
)
from tests.support.fire import Fired, fire
from tests.support.rows import WOMAN_60, outcome, row

RULE = "R-DRUG-10"
LOCAL = {"coding": [{"system": "http://example.org/local", "code": "4711"}]}


def cover(days: int = 91, drug: str = "benztropine", **more: Any) -> Json:
    """Cover ordered so many days ago."""
    return taking(drug, day(days), 1, 2, id="cover", **more)


def blocker(days: int = 90, drug: str = "risperidone", mg: float = 2, **more: Any) -> Json:
    """A dopamine blocker ordered so many days ago."""
    return taking(drug, day(days), mg, 1, **{"id": "blocker", **more})


def view(*data: Json, hook: str = "patient-view", person: Json = WOMAN_60, **changes: Any) -> Fired:
    """What opening the record answers."""
    return fire(call(None, prefetch(person, *data, **changes), hook))


DURATIONS = [
    row("91 and 90 days", [cover(91), blocker(90)], "info"),
    row("cover for 90 days", [cover(90), blocker(90)], "clear"),
    row("blocker for 89 days", [cover(91), blocker(89)], "clear"),
    row("cover by orders joined", [cover(30), {**cover(91, status="completed"), "id": "c2",
        "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": day(91), "end": day(40)}}}}]},
        blocker(90)], "info"),
    row("cover with a break", [cover(30), {**cover(91, status="completed"), "id": "c2",
        "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": day(91), "end": day(45)}}}}]},
        blocker(90)], "clear"),
    row("a statement", [statement("benztropine", since=day(91)), blocker(90)], "info"),
    row("as needed", [cover(91, prn=True), blocker(90)], "info"),
    row("cover stopped", [cover(91, status="stopped"), blocker(90)], "not-applicable"),
    row("cover not taken", [cover(91), statement("benztropine", "not-taken", day(1)), blocker(90)], "not-applicable"),
    row("given once", [given("benztropine", "2d"), blocker(90)], "clear"),
    row("dispensed once for 30 days", [dispensed("benztropine", day(20), 30), blocker(90)], "clear"),
    row("no cover", [blocker(300)], "not-applicable"),
    row("no blocker", [cover(300)], "clear"),
    row("blocker stopped", [cover(300), blocker(300, status="stopped")], "clear"),
    row("blocker on hold", [cover(300), blocker(300, status="on-hold")], "clear"),
    row("blocker raised lately", [cover(300), blocker(300, mg=2), blocker(20, mg=3, id="new")], "clear"),
    row("blocker changed a little", [cover(300), blocker(300, mg=2), blocker(20, mg=2.9, id="new")], "info"),
    row("blocker lowered", [cover(300), blocker(300, mg=4), blocker(20, mg=2, id="new")], "info"),
    row("blocker raised 89 days ago", [cover(300), blocker(300, mg=2), blocker(89, mg=3, id="new")], "clear"),
    row("blocker raised 90 days ago", [cover(300), blocker(300, mg=2), blocker(90, mg=3, id="new")], "info"),
    row("blocker raised long ago", [cover(300), blocker(300, mg=2), blocker(95, mg=4, id="new")], "info"),
    row("cover known to a month, long enough", [taking("benztropine", "2026-07", id="cover"), blocker()], "info"),
    row("cover since nobody knows when", [taking("benztropine", more={"authoredOn": None}), blocker(90)],
        "not-checked date-missing"),
    row("blocker since nobody knows when", [cover(91), taking("haloperidol", more={"authoredOn": None})],
        "not-checked date-missing"),
    row("a drug that nobody can name", [cover(91), taking("x", id="x", more={"medicationCodeableConcept": LOCAL})],
        "not-checked drug-unrecognised"),
    row("cover known to a month, perhaps", [taking("benztropine", "2026-08", id="cover"), blocker()],
        "not-checked date-missing"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), DURATIONS)
@pytest.mark.parametrize("hook", ["patient-view", "encounter-start"])
def test_durations(hook: str, data: list[Json], expected: str) -> None:
    assert view(*data, hook=hook).verdict(RULE) == expected
    assert view(*reversed(data), hook=hook).verdict(RULE) == expected


DRUGS = [
    row("trihexyphenidyl beside haloperidol", "trihexyphenidyl", "haloperidol", "info"),
    row("beside olanzapine, tier L", "benztropine", "olanzapine", "info"),
    row("beside quetiapine, tier N", "benztropine", "quetiapine", "clear"),
    row("beside sertraline", "benztropine", "sertraline", "clear"),
    row("diphenhydramine, regularly", "diphenhydramine", "haloperidol", "info"),
    row("diphenhydramine cream", "diphenhydramine 2 % cream", "haloperidol", "not-applicable"),
]


def test_diphenhydramine_as_needed_is_for_sleep_or_allergy() -> None:
    needed = taking("diphenhydramine", "200d", 25, id="cover", prn=True)
    assert view(needed, blocker(200)).verdict(RULE) == "not-applicable"


@pytest.mark.parametrize(("covering", "blocking", "expected"), DRUGS)
def test_drugs(covering: str, blocking: str, expected: str) -> None:
    assert view(cover(200, covering), blocker(200, blocking)).verdict(RULE) == expected


MOVEMENTS = [
    row("akathisia 180 days ago", condition("G25.71", onset=day(180)), "clear"),
    row("akathisia 181 days ago", condition("G25.71", onset=day(181)), "info"),
    row("acute dystonia, over, 100 days ago", condition("G24.02", onset=day(100), clinical="resolved"), "clear"),
    row("drug-induced parkinsonism", condition("G21.11", onset=day(30)), "clear"),
    row("a rule-out", condition("G25.71", onset=day(30), verification="provisional"), "clear"),
    row("refuted", condition("G25.71", onset=day(30), verification="refuted"), "info"),
    row("active without a date", condition("G25.71"), "clear"),
    row("over, without a date", condition("G25.71", clinical="resolved"), "info"),
    row("a dystonic reaction 100 days ago", allergy("haloperidol", DYSTONIA, when=day(100)), "clear"),
    row("a dystonic reaction long ago", allergy("haloperidol", DYSTONIA, when=day(181)), "info"),
    row("Parkinson disease", condition("G20.A1", onset=day(900)), "clear"),
    row("tardive dyskinesia is a reason to review", condition("G24.01", onset=day(30)), "info"),
    row("diabetes", condition("E11.9", onset=day(30)), "info"),
]


@pytest.mark.parametrize(("record", "expected"), MOVEMENTS)
def test_recorded_movement_disorders(record: Json, expected: str) -> None:
    assert view(cover(200), blocker(200), record).verdict(RULE) == expected


def refill(drug: str, *data: Json) -> Fired:
    """What refilling a drug answers."""
    return fire(call([order(drug, 1, 2)], prefetch(WOMAN_60, *data), "medication-refill"))


def test_a_refill() -> None:
    assert refill("benztropine", cover(91), blocker(90)).verdict(RULE) == "info"
    assert refill("benztropine", cover(90), blocker(90)).verdict(RULE) == "clear"
    assert refill("trihexyphenidyl", cover(91), blocker(90)).verdict(RULE) == "clear"
    assert refill("risperidone", cover(91), blocker(90)).verdict(RULE) == "not-applicable"
    assert refill("rxnorm:99999999", cover(91), blocker(90)).verdict(RULE) == "not-checked drug-unrecognised"


def test_the_card() -> None:
    answer = view(cover(200), blocker(200))
    assert answer.card["summary"] == "Benztropine >90 days without recorded EPS: consider review (cognition, TD)."
    assert answer.card["indicator"] == "info"
    assert set(answer.result(RULE)["inputs"]) == {"MedicationRequest/cover", "MedicationRequest/blocker"}
    updates = [one for one in answer.card["suggestions"] if one["label"] == "Stop or end-date benztropine"]
    assert updates[0]["actions"][0]["resource"] == {**cover(200), "status": "stopped"}


MISSING = [
    row("all there", {}, "info"),
    row("conditions missing", {"without": ("conditions",)}, "not-checked key-missing"),
    row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    row("allergies missing", {"without": ("allergies",)}, "not-checked key-missing"),
    row("statements missing do not matter where all is found", {"without": ("medicationStatements",)}, "info"),
    row("orders failed", {"medications": outcome()}, "not-checked key-failed"),
    row("orders empty", {"medications": bundle()}, "not-applicable"),
]


@pytest.mark.parametrize(("changes", "expected"), MISSING)
def test_missing_data(changes: Json, expected: str) -> None:
    assert view(cover(200), blocker(200), **changes).verdict(RULE) == expected


def test_the_deceased() -> None:
    assert view(cover(200), blocker(200), person=patient(deceasedBoolean=True)).verdict(RULE) == "not-applicable"
