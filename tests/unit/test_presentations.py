"""Attacks by name, notes and reports of images, as the reader gives them to the rules."""

from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.service import KeyState, Prefetched
from plugin.fhir.observations import meaning_of
from plugin.fhir.reader import read as read_call
from plugin.patient import Patient
from plugin.presentation import PRESENTATIONS, Presentation
from plugin.thresholds import Limits
from plugin.vocabulary import terminology, use
from tests.support.attacks import pkd, report, told, years
from tests.support.fhir import NOW, PATIENT, condition, lab
from tests.support.rows import resource, row
from valuesets import load
from valuesets.overlay import Overlay

Json = dict[str, Any]
LOCAL = "urn:oid:1.2.3.4"


def read(*resources: Json) -> Patient:
    """The patient whose record holds these resources, whatever their key."""
    found = Prefetched(KeyState.SATISFIED, "", [resource(one) for one in resources])
    return read_call(PATIENT, NOW, {"observations": found}, None, Limits(), types={}, expected=())[0]


def only(*resources: Json) -> Presentation:
    """The only presentation."""
    (found,) = read(*resources).presentations
    return found


@pytest.mark.parametrize(("name", "kind"), PRESENTATIONS.items())
def test_names(name: str, kind: str) -> None:
    assert only(told(name.upper(), "x")).kind == kind


@pytest.mark.parametrize("kind", sorted(set(PRESENTATIONS.values())))
def test_codes_that_the_site_maps(kind: str) -> None:
    before = terminology()
    use(load(Overlay(analytes={(LOCAL, "A1"): kind}, version="t")))
    try:
        assert only(told("", "x", id="o", code={"coding": [{"system": LOCAL, "code": "A1"}]})).kind == kind
    finally:
        use(before)


@pytest.mark.parametrize("record", [lab("calcium", 2.2), lab("glucose", 5), told("Aura of migraine", "present")])
def test_other_observations_are_not_looked_at_again(record: Json) -> None:
    assert not meaning_of(resource(record)).rare
    assert read(record).presentations == ()


def panel(*parts: Json, **more: Any) -> Json:
    """An observation that tells of an attack in parts."""
    found = told("Attack description", "see the parts", id="attack")
    return {**{key: value for key, value in found.items() if key != "valueString"}, "component": list(parts), **more}


def test_the_parts_of_an_observation_count_like_observations() -> None:
    minute = {"value": 61, "unit": "s", "system": "http://unitsofmeasure.org", "code": "s"}
    parts = (
        {"code": {"text": "Attack trigger"}, "valueString": "sudden movement"},
        {"code": {"text": "Attack duration"}, "valueQuantity": minute},
        {"code": {"text": "Aura"}, "dataAbsentReason": {"text": "not asked"}},
        {"code": {"text": "Heart rate"}, "valueQuantity": {"value": 80}},
        {"valueString": "nameless"},
    )
    found = read(panel(*parts)).presentations
    assert [(one.kind, one.value, one.seconds, one.reference) for one in found] == [
        ("attack-duration", "", 61, "Observation/attack"),
        ("attack-trigger", "kinesigenic", None, "Observation/attack"),
    ]
    assert read(panel(*parts, status="entered-in-error")).presentations == ()
    assert all(one.provisional for one in read(panel(*parts, status="preliminary")).presentations)


def form(*items: Json, **more: Any) -> Json:
    """A questionnaire that was filled in three days ago."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "form",
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authored": "2026-11-19T10:00:00Z",
        "item": list(items),
        **more,
    }


def question(text: str, *answers: Json, **more: Any) -> Json:
    """A question and its answers."""
    return {"linkId": "1", "text": text, "answer": list(answers), **more}


ANSWERS = [
    row("a duration", question("Attack duration", {"valueQuantity": {"value": 2, "unit": "min"}}),
        ("attack-duration", "", 120, "")),
    row("a duration without unit", question("attack duration", {"valueInteger": 2}),
        ("attack-duration", "", None, "unit-missing")),
    row("a trigger in words", question("Attack trigger", {"valueString": "sudden movement"}),
        ("attack-trigger", "kinesigenic", None, "")),
    row("awareness, chosen from a list", question("Awareness during attack", {"valueCoding": {"display": "Preserved"}}),
        ("attack-awareness", "preserved", None, "")),
    row("an aura: yes", question("Aura", {"valueBoolean": True}), ("attack-aura", "present", None, "")),
    row("an aura: no", question("Aura", {"valueBoolean": False}), ("attack-aura", "absent", None, "")),
    row("in a group", {"text": "Attacks", "item": [question("Aura", {"valueBoolean": True})]},
        ("attack-aura", "present", None, "")),
    row("below an answer", question("Any attacks?", {"valueBoolean": True, "item": [question("Aura",
        {"valueBoolean": True})]}), ("attack-aura", "present", None, "")),
]  # fmt: skip


@pytest.mark.parametrize(("item", "expected"), ANSWERS)
def test_questionnaires(item: Json, expected: tuple[Any, ...]) -> None:
    found = only(form(item))
    assert (found.kind, found.value, found.seconds, found.problem) == expected
    assert (found.reference, found.provisional) == ("QuestionnaireResponse/form", False)
    assert only(form(item, status="in-progress")).provisional
    assert read(form(item, status="entered-in-error")).presentations == ()


def test_questions_of_another_kind_and_without_an_answer_say_nothing() -> None:
    assert read(form(question("Headache", {"valueBoolean": True}), question("Aura"))).presentations == ()


def test_the_newest_comes_first_and_a_note_last() -> None:
    older, newer = told("aura", "absent", when="9d", id="a"), told("aura", "present", when="2d", id="b")
    noted = {**pkd(), "note": [{"text": "aura"}]}
    found = read(older, noted, newer).presentations
    assert [one.reference for one in found] == ["Observation/b", "Observation/a", "Condition/pkd"]
    assert found == read(newer, older, noted).presentations
    assert found[-1].noted


NOTES = [
    row("trigger", "Provoked by sudden movement", ("attack-trigger", "kinesigenic", None)),
    row("awareness", "consciousness fully preserved", ("attack-awareness", "preserved", None)),
    row("impaired", "loss of consciousness", ("attack-awareness", "impaired", None)),
    row("aura", "Tingling aura", ("attack-aura", "present", None)),
    row("duration", "Attacks last about 20 sec", ("attack-duration", "", 20)),
    row("a range: the longer", "duration: 10 to 40 s", ("attack-duration", "", 40)),
    row("the longest of several", "lasting 20 s, once lasting 3 min", ("attack-duration", "", 180)),
    row("a drug that helps", "good response to carbamazepine", ("anticonvulsant-response", "good", None)),
    row("normal between attacks", "normal interictal examination", ("interictal-examination", "normal", None)),
    row("denied", "no aura, never provoked by sudden movement", None),
    row("of a relative", "mother has attacks with aura", None),
    row("another unit", "lasting 20 beats", None),
]


@pytest.mark.parametrize(("text", "expected"), NOTES)
def test_notes(text: str, expected: tuple[str, str, int | None] | None) -> None:
    found = [(one.kind, one.value, one.seconds) for one in read({**pkd(), "note": [{"text": text}]}).presentations]
    assert found == ([expected] if expected else [])


def test_the_note_of_another_disease_tells_of_no_attack() -> None:
    assert read({**condition("G40.9"), "note": [{"text": "aura, lasting 5 min"}]}).presentations == ()


REPORTS = [
    row("brain", report("Normal."), ("normal", {"mri", "brain"}, set())),
    row("region by its words", report("Unremarkable brain.", "CT"), ("normal", {"ct", "brain"}, set())),
    row("EEG", report("Normal.", "EEG"), ("normal", {"eeg", "brain"}, set())),
    row("cord", report("Tethered cord.", "MRI spine"),
        ("abnormal", {"mri", "spine"}, {"tethered-cord", "tethered-cord-diagnosed"})),
    row("no abnormality", report("No focal abnormality."), ("normal", {"mri", "brain"}, set())),
    row("old, and otherwise normal", report("Old lacunar infarct, otherwise normal."),
        ("abnormal", {"mri", "brain"}, set())),
    row("nothing that decides", report("Artefacts."), ("", {"mri", "brain"}, set())),
    row("a place without a finding", report("Thalamus of normal size."), ("normal", {"mri", "brain"}, set())),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), REPORTS)
def test_reports(record: Json, expected: tuple[str, set[str], set[str]]) -> None:
    one = only(record)
    assert (one.value, set(one.about), set(one.concepts)) == expected


@pytest.mark.parametrize(
    "record",
    [
        row("no image", report("Abnormal.", "Blood count")),
        row("entered in error", report("Normal.", status="entered-in-error")),
        row("no code", {**report("Normal."), "code": None}),
    ],
)
def test_what_is_no_report(record: Json) -> None:
    assert read(record).presentations == ()


def test_a_report_without_a_conclusion_is_not_read() -> None:
    assert only(report("")).problem == "no-result"


AGES = [
    row("years", years(33), 33),
    row("months", years(18, "mo"), 1.5),
    row("a unit in words", {"value": 33, "unit": "years"}, 33),
    row("no unit", {"value": 33}, None),
    row("text", {"value": "33", "code": "a"}, None),
    row("negative", years(-3), None),
]


@pytest.mark.parametrize(("age", "expected"), AGES)
def test_onset_age(age: Json, expected: float | None) -> None:
    (problem,) = read(pkd(age=age)).problems
    assert problem.onset_age == expected
