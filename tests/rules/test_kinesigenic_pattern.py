"""R-DX-02: attacks that fit paroxysmal kinesigenic dyskinesia; R-DX-10: what else looks like them (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.attacks import entered, opened, pkd, report, told, variant, years
from tests.support.fhir import condition, family, patient
from tests.support.rows import WOMAN_60, aged, outcome, row

Json = dict[str, Any]
RULE, ALIKE = "R-DX-02", "R-DX-10"
TRIGGER = told("attack trigger", "sudden movement")
AWARE = told("awareness during attack", "preserved")
SHORT = told("attack duration", 20)
FITTING = (TRIGGER, AWARE, SHORT)


def verdict(*data: Json, rule: str = RULE, **more: Any) -> str:
    """The verdict when the record of a woman of 60 years is opened."""
    return opened(WOMAN_60, *data, **more).verdict(rule)


TRIGGERS = [
    row("sudden movement", "Sudden movement", "info"),
    row("sudden voluntary movements", "sudden voluntary movements", "info"),
    row("standing up", "on standing up from a chair", "info"),
    row("startle to move", "startle to move", "info"),
    row("kinesigenic", "kinesigenic", "info"),
    row("one of several", "stress; sudden movement", "info"),
    row("non-kinesigenic", "non-kinesigenic", "clear"),
    row("stress", "emotional stress", "clear"),
    row("alcohol", "alcohol, coffee", "clear"),
    row("denied", "not sudden movement", "clear"),
    row("empty", " ", "not-checked implausible"),
]


@pytest.mark.parametrize(("words", "expected"), TRIGGERS)
def test_triggers(words: str, expected: str) -> None:
    assert verdict(told("attack trigger", words), AWARE, SHORT) == expected


# Told at one and the same time: what does not fit counts, whichever comes first.
AT_ONCE = [
    row("triggers", FITTING[1:], "attack trigger", "sudden movement", "stress"),
    row("awareness", (FITTING[0], FITTING[2]), "awareness during attack", "preserved", "impaired"),
]


@pytest.mark.parametrize(("others", "name", "fits", "does_not"), AT_ONCE)
@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_of_two_answers_of_one_time_the_one_that_does_not_fit_counts(
    others: tuple[Json, ...], name: str, fits: str, does_not: str, ids: tuple[str, str]
) -> None:
    assert verdict(*others, told(name, fits, id=ids[0]), told(name, does_not, id=ids[1])) == "clear"


def test_a_trigger_as_a_concept() -> None:
    trigger = told(
        "attack trigger", "", valueString=None, valueCodeableConcept={"coding": [{"display": "Startle to move"}]}
    )
    assert verdict(trigger, AWARE, SHORT) == "info"


DURATIONS = [
    row("59 s", told("attack duration", 59), "info"),
    row("60 s: not less than a minute", told("attack duration", 60), "clear"),
    row("1 min", told("attack duration", 1, "min"), "clear"),
    row("0.5 min", told("attack duration", 0.5, "min"), "info"),
    row("less than 60 s", told("attack duration", 60, comparator="<"), "info"),
    row("60 s or less", told("attack duration", 60, comparator="<="), "not-checked no-result"),
    row("less than 5 min decides nothing", told("attack duration", 5, "min", comparator="<"), "not-checked no-result"),
    row("more than 30 s decides nothing", told("attack duration", 30, comparator=">"), "not-checked no-result"),
    row("more than 60 s", told("attack duration", 60, comparator=">"), "clear"),
    row("no unit", told("attack duration", 20, None), "not-checked unit-missing"),
]


@pytest.mark.parametrize(("record", "expected"), DURATIONS)
def test_durations(record: Json, expected: str) -> None:
    assert verdict(TRIGGER, AWARE, record) == expected


FEATURES = [
    row("all three", FITTING, "info"),
    row("awareness impaired", (TRIGGER, told("awareness during attack", "impaired"), SHORT), "clear"),
    row("awareness in other words", (TRIGGER, told("awareness during attack", "partly"), SHORT),
        "not-checked implausible"),
    row("awareness not recorded", (TRIGGER, SHORT), "not-checked no-result"),
    row("trigger alone", (TRIGGER,), "not-checked no-result"),
    row("duration not recorded", (TRIGGER, AWARE), "not-checked no-result"),
    row("preliminary", (TRIGGER, AWARE, told("attack duration", 20, status="preliminary")), "info"),
    row("cancelled", (TRIGGER, AWARE, told("attack duration", 20, status="cancelled")), "not-checked no-result"),
    row("nothing", (), "not-applicable"),
    row("PKD recorded", (pkd(),), "info"),
    row("PKD recorded, not confirmed", (pkd(verification="differential"),), "info"),
    row("PKD recorded, refuted", (pkd(verification="refuted"),), "not-applicable"),
    row("PKD recorded, awareness impaired", (pkd(), told("awareness during attack", "impaired")), "clear"),
    row("PKD recorded, trigger in its note", ({**pkd(), "note": [{"text": "awareness preserved, aura"}]},), "info"),
    row("PKD recorded, loss of awareness in its note",
        ({**pkd(), "note": [{"text": "loss of awareness in attacks"}]},), "clear"),
    row("PKD recorded, that denied in its note",
        ({**pkd(), "note": [{"text": "no loss of awareness in attacks"}]},), "info"),
    row("another paroxysmal dyskinesia", (condition(text="Paroxysmal dyskinesia"),), "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), FEATURES)
def test_features(data: tuple[Json, ...], expected: str) -> None:
    assert verdict(*data) == expected


def test_it_yields_to_red_flags() -> None:
    answer = opened(WOMAN_60, pkd(age=years(33)))
    assert answer.verdict("R-DX-01") == "info"
    assert answer.verdict(RULE) == "R-DX-01"
    assert "Features fit PKD" not in str(answer.cards)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        row("conditions not sent", {"without": ("conditions",)}, "not-checked key-missing"),
        row("results failed", {"observations": outcome()}, "not-checked key-failed"),
        row("reports not sent do not matter", {"without": ("diagnosticReports",)}, "not-applicable"),
    ],
)
def test_what_was_not_sent(more: dict[str, Any], expected: str) -> None:
    assert verdict(**more) == expected


def test_the_card() -> None:
    card = opened(aged(12, "male"), *FITTING, told("aura", "present"), family(), pkd(age=years(7))).card
    assert card["summary"] == ("Features fit PKD: exclude metabolic/structural causes; consider PRRT2-first testing.")
    assert card["indicator"] == "info"
    for fact in ("Aura: present", "Onset at 7 y, the usual age", "Male", "Family history of dystonia recorded"):
        assert fact in card["detail"]
    labels = [one["label"] for one in card["suggestions"]]
    assert "Request a genetic panel, PRRT2 first" in labels
    assert "Read R-TX-05 on a carbamazepine-class trial" in labels


@pytest.mark.parametrize(
    ("words", "told_of"),
    [("Paroxysmal kinesigenic dyskinesia", True), ("No paroxysmal dyskinesia", False), ("Epilepsy", False)],
)
def test_attacks_in_the_family(words: str, told_of: bool) -> None:
    card = opened(WOMAN_60, *FITTING, family(words)).card
    assert ("Family history of paroxysmal dyskinesia recorded" in card["detail"]) is told_of


@pytest.mark.parametrize(("found", "told_of"), [("abnormal", True), ("normal", False)])
def test_an_abnormal_examination_is_told_beside_the_pattern(found: str, told_of: bool) -> None:
    card = opened(WOMAN_60, *FITTING, told("interictal neurological examination", found)).card
    assert ("abnormal" in card["detail"]) is told_of


@pytest.mark.parametrize(("age", "usual"), [(6, False), (7, True), (15, True), (16, False)])
def test_the_usual_age(age: int, usual: bool) -> None:
    assert ("the usual age" in opened(WOMAN_60, pkd(age=years(age))).card["detail"]) is usual


GENES = [
    row("pathogenic", variant("PRRT2"), True, "Genetic finding on record: variant reported as pathogenic"),
    row("likely pathogenic", variant("PRRT2", "likely-pathogenic"), True, "reported as likely pathogenic"),
    row(
        "of uncertain significance", variant("PRRT2", "uncertain"), False, "of uncertain significance: information only"
    ),
]


@pytest.mark.parametrize(("record", "known", "fact"), GENES)
def test_a_variant_is_a_recorded_fact(record: Json, known: bool, fact: str) -> None:
    card = opened(WOMAN_60, *FITTING, record).card
    assert fact in card["detail"]
    assert ("a genetic finding is recorded" in card["summary"]) is known
    assert "PRRT2" not in card["summary"] or not known
    assert ("Request a genetic panel, PRRT2 first" in str(card["suggestions"])) is not known


def test_a_variant_without_a_meaning_is_information_only() -> None:
    unsaid = variant("PRRT2")
    unsaid["component"] = unsaid["component"][:1]
    card = opened(WOMAN_60, *FITTING, unsaid).card
    assert "Genetic finding on record: variant reported, significance not stated: information only" in card["detail"]


@pytest.mark.parametrize("record", [variant("PRRT2", "benign"), variant("TOR1A")])
def test_other_variants_are_not_told(record: Json) -> None:
    assert "variant" not in opened(WOMAN_60, *FITTING, record).card["detail"]


def test_what_looks_alike_is_one_line_on_the_card() -> None:
    answer = opened(WOMAN_60, *FITTING, condition("G40.9", id="epilepsy", text="Epilepsy"))
    assert answer.verdict(ALIKE) == "info"
    assert answer.card["source"]["topic"]["code"] == RULE
    assert "Also to consider: functional movement disorder, tics, epilepsy, hyperekplexia." in answer.card["detail"]
    assert "Condition: Epilepsy" in answer.card["detail"]


def test_the_line_does_not_stand_on_other_cards() -> None:
    answer = opened(WOMAN_60, pkd(age=years(33)))
    assert answer.verdict(ALIKE) == "on-request"
    assert "Also to consider" not in answer.card["detail"]
    assert verdict(rule=ALIKE) == "not-applicable"


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        row("results not sent", (), {"without": ("observations",)}, "not-checked key-missing"),
        row("conditions failed", (), {"conditions": outcome()}, "not-checked key-failed"),
        row("not sent, but recorded as PKD", (pkd(),), {"without": ("observations",)}, "info"),
        row("a trigger that does not fit", (told("attack trigger", "stress"),), {"conditions": outcome()},
            "not-applicable"),
    ],
)  # fmt: skip
def test_what_looks_alike_without_data(data: tuple[Json, ...], more: dict[str, Any], expected: str) -> None:
    assert verdict(*data, rule=ALIKE, **more) == expected


def test_at_the_problem_list() -> None:
    assert entered(pkd(), WOMAN_60).verdict(RULE) == "info"
    assert entered(condition("G24.9"), WOMAN_60, pkd()).verdict(RULE) == "not-applicable"


def test_the_dead() -> None:
    dead = patient("1966-05-01", deceasedBoolean=True)
    assert opened(dead, *FITTING, report("Normal.")).verdict(RULE) == "not-applicable"
    assert opened(dead, *FITTING).verdict(ALIKE) == "not-applicable"


def test_a_duration_that_cannot_be_read_leaves_a_longer_one_of_a_note_open() -> None:
    long = {**pkd(), "note": [{"text": "attacks last 5 minutes"}]}
    assert verdict(TRIGGER, AWARE, long) == "clear"
    assert verdict(TRIGGER, AWARE, long, told("attack duration", 20, None)) == "not-checked unit-missing"


def test_a_fixed_dystonia_is_a_line_on_the_card_of_another_rule() -> None:
    fixed = condition(text="Fixed dystonia of the right foot", recorded="2d")
    answer = opened(WOMAN_60, fixed)
    assert answer.verdict(ALIKE) == "info"
    assert "consider a functional dystonia or a complex regional pain syndrome" in answer.card["detail"]
    assert (
        opened(WOMAN_60, {**fixed, "code": {"text": "Dystonia of the right foot"}}).verdict(ALIKE) == "not-applicable"
    )
    assert opened(WOMAN_60, condition(text="Fixed dystonia", recorded="300d")).verdict(ALIKE) == "on-request"
