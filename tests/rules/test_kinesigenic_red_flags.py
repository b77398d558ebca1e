"""R-DX-01: red flags for a secondary cause of paroxysmal kinesigenic dyskinesia (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.attacks import entered, opened, pkd, report, told, years
from tests.support.fhir import call, condition, patient, prefetch
from tests.support.fire import answer_of
from tests.support.rows import MAN_60, WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-DX-01"
DURATION, EXAMINATION, RESPONSE = (
    "attack duration",
    "interictal neurological examination",
    "response to anticonvulsant",
)
NONE_OF_THEM = (
    told(DURATION, 30),
    told(EXAMINATION, "normal"),
    told(RESPONSE, "good"),
    report("Normal study."),
    pkd(age=years(12)),
)


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record of a woman of 60 years is opened."""
    return opened(WOMAN_60, *data, **more).verdict(RULE)


DURATIONS = [
    row("5 minutes", told(DURATION, 5, "min"), "info"),
    row("61 s", told(DURATION, 61), "info"),
    row("60 s: not longer than a minute", told(DURATION, 60), "not-checked no-result"),
    row("1 min", told(DURATION, 1, "min"), "not-checked no-result"),
    row("1.1 min", told(DURATION, 1.1, "min"), "info"),
    row("more than 60 s", told(DURATION, 60, comparator=">"), "info"),
    row("60 s or more", told(DURATION, 60, comparator=">="), "not-checked no-result"),
    row("61 s or more", told(DURATION, 61, comparator=">="), "info"),
    row("less than 5 min decides nothing", told(DURATION, 5, "min", comparator="<"), "not-checked no-result"),
    row("another case of the name", told("ATTACK  Duration", 5, "min"), "info"),
    row("the name as a display", told("", 5, "min", id="o", code={"coding": [{"display": "Attack duration"}]}), "info"),
    row("a longer name", told("attack duration of migraine", 5, "min"), "not-checked no-result"),
    row("no unit", told(DURATION, 5, None), "not-checked unit-missing"),
    row("a unit that we do not know", told(DURATION, 5, "beats"), "not-checked unit-unknown"),
    row("in words", told(DURATION, "5 min"), "not-checked implausible"),
    row("negative", told(DURATION, -300), "not-checked implausible"),
    row("in the future", told(DURATION, 300, when="-2d"), "not-checked implausible"),
    row("preliminary", told(DURATION, 300, status="preliminary"), "info"),
    row("of unknown status", told(DURATION, 300, status="unknown"), "info"),
    row("entered in error", told(DURATION, 300, status="entered-in-error"), "not-checked no-result"),
    row("said to be absent",
        told(DURATION, 300, dataAbsentReason={"text": "asked but unknown"}), "not-checked no-result"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), DURATIONS)
def test_duration(record: Json, expected: str) -> None:
    assert verdict(pkd(), record) == expected


ONSETS = [
    row("21 years", pkd(age=years(21)), "info"),
    row("20 years", pkd(age=years(20)), "not-checked no-result"),
    row("20.5 years", pkd(age=years(20.5)), "info"),
    row("252 months are 21 years", pkd(age=years(252, "mo")), "info"),
    row("no unit", pkd(age={"value": 33}), "not-checked no-result"),
    row("said as a limit", pkd(age={**years(33), "comparator": ">"}), "not-checked no-result"),
    row("an age that nobody has", pkd(age=years(400)), "not-checked no-result"),
    row("on the 21st birthday", pkd(onset="1987-05-01"), "info"),
    row("the day before the 21st birthday", pkd(onset="1987-04-30"), "not-checked no-result"),
    row("in the year of the 22nd birthday: 21 at least", pkd(onset="1988"), "info"),
    row("in the year of the 21st birthday: perhaps 20", pkd(onset="1987"), "not-checked no-result"),
    row("recorded at 58, onset not told", pkd(recorded="800d"), "not-checked no-result"),
]


@pytest.mark.parametrize(("record", "expected"), ONSETS)
def test_onset(record: Json, expected: str) -> None:
    assert verdict(record) == expected


@pytest.mark.parametrize(("told_years", "shown"), [(33, "onset 33 y"), (20.5, "onset 20.5 y")])
def test_the_age_is_told_as_it_was(told_years: float, shown: str) -> None:
    assert f"({shown})" in opened(WOMAN_60, pkd(age=years(told_years))).card["summary"]


# Told at one and the same time: what speaks for another cause counts, whichever comes first.
AT_ONCE = [
    row("examinations", EXAMINATION, "normal", "abnormal"),
    row("responses", RESPONSE, "good", "none"),
]


@pytest.mark.parametrize(("name", "harmless", "grave"), AT_ONCE)
@pytest.mark.parametrize("first", ["harmless", "grave"])
def test_of_two_answers_of_one_time_the_graver_counts(name: str, harmless: str, grave: str, first: str) -> None:
    ids = ("a", "b") if first == "harmless" else ("b", "a")
    assert verdict(pkd(), told(name, harmless, id=ids[0]), told(name, grave, id=ids[1])) == "info"
    assert verdict(pkd(), told(name, harmless, "s", "9d", id=ids[0]), told(name, grave, id=ids[1])) == (
        "not-checked no-result"
    )


def test_without_a_birth_date_a_date_of_onset_tells_no_age() -> None:
    assert opened(patient(None), pkd(onset="1999-01-01")).verdict(RULE) == "not-checked no-result"


FINDINGS = [
    row("abnormal examination", told(EXAMINATION, "Abnormal"), "info"),
    row("normal examination", told(EXAMINATION, "normal"), "not-checked no-result"),
    row("an answer that we do not know", told(EXAMINATION, "see letter"), "not-checked implausible"),
    row("no response", told(RESPONSE, "none"), "info"),
    row("poor response", told(RESPONSE, "poor"), "info"),
    row("good response", told(RESPONSE, "good"), "not-checked no-result"),
    row("a concept", told(RESPONSE, "", valueString=None, valueCodeableConcept={"text": "none"}), "info"),
    row("two answers", told(RESPONSE, "good", valueCodeableConcept={"text": "none"}), "not-checked implausible"),
    row("abnormal MRI", report("Old infarct in the left thalamus."), "info"),
    row("abnormal CT", report("Calcification of the basal ganglia.", "CT head"), "info"),
    row("normal MRI", report("Unremarkable."), "not-checked no-result"),
    row("denied in words", report("No lesion. No evidence of infarction."), "not-checked no-result"),
    row("words that decide nothing", report("See previous report."), "not-checked no-result"),
    row("an MRI of the knee", report("Lesion of the meniscus.", "MRI knee"), "not-checked no-result"),
    row("an MRI of the spine", report("Abnormal signal of the cord.", "MRI lumbar spine"), "not-checked no-result"),
    row("an MRI without region whose words tell it", report("Lesion in the left thalamus.", "MRI"), "info"),
    row("an EEG is no image", report("Abnormal: epileptiform discharges.", "EEG"), "not-checked no-result"),
    row("a laboratory report", report("Abnormal brain enzymes.", "Blood chemistry"), "not-checked no-result"),
    row("a cancelled report", report("Lesion in the thalamus.", status="cancelled"), "not-checked no-result"),
    row("a preliminary report", report("Lesion in the thalamus.", status="preliminary"), "info"),
    row("a coded conclusion", report("", conclusionCode=[condition("I61.0")["code"]]), "info"),
    row("a recorded lesion", condition("G23.8"), "info"),
    row("a past stroke", condition("I63.9", clinical="resolved"), "info"),
    row("a refuted stroke", condition("I63.9", verification="refuted"), "not-checked no-result"),
]


@pytest.mark.parametrize(("record", "expected"), FINDINGS)
def test_findings(record: Json, expected: str) -> None:
    assert verdict(pkd(), record) == expected


NOTES = [
    row("lasting 5 min", "Attacks lasting 5 min, several a day.", "info"),
    row("lasting 10-30 s", "Attacks lasting 10-30 s.", "not-checked no-result"),
    row("lasting up to 2 minutes", "Episodes last up to 2 minutes", "info"),
    row("every 2 hours is no duration", "Attacks every 2 hours", "not-checked no-result"),
    row("no response", "No response to carbamazepine", "info"),
    row("abnormal between attacks", "Interictal neurological examination abnormal", "info"),
    row("denied", "Not refractory to carbamazepine", "not-checked no-result"),
]


@pytest.mark.parametrize(("note", "expected"), NOTES)
def test_words_in_a_note(note: str, expected: str) -> None:
    assert verdict({**pkd(), "note": [{"text": note}]}) == expected


PHENOTYPES = [
    row("PKD", pkd(), "info"),
    row("PKD, not confirmed", pkd(verification="provisional"), "info"),
    row("PKD, resolved", pkd(clinical="resolved"), "not-applicable"),
    row("PKD, refuted", pkd(verification="refuted"), "not-applicable"),
    row("non-kinesigenic", condition(text="Paroxysmal non-kinesigenic dyskinesia"), "not-applicable"),
    row("a focal dystonia that began at 40", condition("G24.3", onset="2006-05-01"), "not-applicable"),
    row("polycystic kidney disease", condition(text="PKD"), "not-applicable"),
]


@pytest.mark.parametrize(("record", "expected"), PHENOTYPES)
def test_only_a_paroxysmal_phenotype(record: Json, expected: str) -> None:
    assert verdict(record, told(DURATION, 5, "min")) == expected


def test_clear_where_all_five_were_read() -> None:
    assert verdict(*NONE_OF_THEM) == "clear"


@pytest.mark.parametrize("left_out", range(4), ids=["duration", "examination", "response", "image"])
def test_not_clear_where_one_is_not_recorded(left_out: int) -> None:
    rest = [one for place, one in enumerate(NONE_OF_THEM) if place != left_out]
    assert verdict(*rest) == "not-checked no-result"


def test_the_newest_counts() -> None:
    older, newer = told(DURATION, 300, when="90d", id="a"), told(DURATION, 30, when="1d", id="b")
    assert verdict(pkd(), older, newer) == "not-checked no-result"
    assert verdict(pkd(), told(DURATION, 300, when="1d", id="a"), told(DURATION, 30, when="90d", id="b")) == "info"


def test_an_unreadable_newer_one_does_not_hide_it() -> None:
    assert verdict(pkd(), told(DURATION, 300, id="a"), told(DURATION, 30, None, "1d", id="b")) == "info"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        row("conditions not sent", {"without": ("conditions",)}, "not-checked key-missing"),
        row("conditions failed", {"conditions": outcome()}, "not-checked key-failed"),
    ],
)
def test_what_was_not_sent(more: dict[str, Any], expected: str) -> None:
    assert verdict(**more) == expected


@pytest.mark.parametrize("key", ["observations", "diagnosticReports"])
def test_not_clear_without_results_or_reports(key: str) -> None:
    assert verdict(pkd(age=years(12)), without=(key,)) == "not-checked key-missing"


def test_the_card() -> None:
    data = (pkd(age=years(33)), told(DURATION, 5, "min"), told(EXAMINATION, "?"), told(RESPONSE, "poor"))
    card = opened(MAN_60, *data, report("Old infarct in the left thalamus.")).card
    assert card["summary"] == (
        "PKD with red flags (onset 33 y, attacks 5 min, abnormal MRI, 1 more): look for a secondary cause."
    )
    assert card["indicator"] == "info"
    assert card["source"]["topic"]["code"] == RULE
    assert "Recorded but not readable: interictal neurological examination." in card["detail"]
    assert "Attack duration: 5 min, 2026-11-12, status final" in card["detail"]
    assert "MRI brain (abnormal, read from its conclusion), 2026-11-02" in card["detail"]
    assert "infarct" not in card["detail"]
    labels = [one["label"] for one in card["suggestions"]]
    assert {"Request MRI of the brain", "Request an EEG", "Refer to neurology"} <= set(labels)


def test_each_red_flag_is_remembered_by_its_kind() -> None:
    """A finding that was overridden comes back when a flag of another kind appears (S-07)."""
    data = (pkd(age=years(33)), told(DURATION, 5, "min"), told(EXAMINATION, "abnormal"), told(RESPONSE, "poor"))
    body = call(None, prefetch(MAN_60, *data, report("Old infarct in the left thalamus.")), "patient-view")
    (memo,) = (one for one in answer_of(body).memos if one.rule == RULE)
    assert memo.state == ("flag:duration", "flag:examination", "flag:imaging", "flag:onset", "flag:response")


def test_an_abnormal_examination_is_told() -> None:
    card = opened(MAN_60, pkd(), told(EXAMINATION, "abnormal")).card
    assert "(abnormal examination)" in card["summary"]
    possible = opened(MAN_60, pkd(verification="provisional"), told(EXAMINATION, "abnormal")).card
    assert possible["summary"].startswith("Possible PKD with ")


def test_what_is_not_recorded_is_named() -> None:
    detail = opened(WOMAN_60, pkd(), told(DURATION, 5, "min")).card["detail"]
    assert "Not recorded: interictal neurological examination, response to anticonvulsant." in detail
    assert "Not recorded: age at onset." in detail


def test_at_the_problem_list_the_condition_that_is_entered_counts() -> None:
    assert entered(pkd(age=years(33)), WOMAN_60).verdict(RULE) == "info"
    assert entered(condition("G24.9"), WOMAN_60, pkd(age=years(33))).verdict(RULE) == "not-applicable"


def test_the_dead() -> None:
    assert opened(patient("1966-05-01", deceasedBoolean=True), pkd(age=years(33))).verdict(RULE) == "not-applicable"
