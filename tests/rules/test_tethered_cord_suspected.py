"""R-DX-04: leg dystonia, toe walking or a foot deformity with a sign of a tethered cord (D.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.attacks import opened, report
from tests.support.fhir import condition, patient
from tests.support.rows import WOMAN_60, aged, outcome, row

Json = dict[str, Any]
RULE = "R-DX-04"
LEG = condition(text="Leg dystonia", id="leg")
BLADDER = condition("N31.9", text="Neurogenic bladder", id="bladder")


def verdict(*data: Json, **more: Any) -> str:
    """The verdict when the record of a child is opened."""
    return opened(aged(9), *data, **more).verdict(RULE)


LEGS = [
    row("leg dystonia", LEG, "info"),
    row("foot dystonia", condition(text="Dystonia of the foot", id="leg"), "info"),
    row("toe walking", condition(text="Toe walking", id="leg"), "info"),
    row("foot deformity", condition("Q66.0", id="leg"), "info"),
    row("a dystonia that is not of the leg", condition("G24.3", id="leg"), "not-applicable"),
    row("a dystonia whose note names the leg",
        {**condition("G24.9", id="leg"), "note": [{"text": "left leg dystonia since May"}]}, "info"),
    row("that denied in the note", {**condition("G24.9", id="leg"), "note": [{"text": "no leg dystonia"}]},
        "not-applicable"),
    row("a dystonia placed at the foot",
        {**condition("G24.9", id="leg"), "bodySite": [{"text": "Left foot"}]}, "info"),
    row("a place by its display",
        {**condition("G24.9", id="leg"), "bodySite": [{"coding": [{"display": "Structure of left lower limb"}]}]},
        "info"),
    row("one place, not in a list", {**condition("G24.9", id="leg"), "bodySite": {"text": "Leg"}}, "info"),
    row("a dystonia placed at the hand",
        {**condition("G24.9", id="leg"), "bodySite": [{"text": "Right hand"}]}, "not-applicable"),
    row("another disease of the foot",
        {**condition("L60.0", id="leg"), "bodySite": [{"text": "Left foot"}]}, "not-applicable"),
    row("not confirmed", condition(text="Leg dystonia", id="leg", verification="provisional"), "info"),
    row("refuted", condition(text="Leg dystonia", id="leg", verification="refuted"), "not-applicable"),
    row("resolved", condition(text="Leg dystonia", id="leg", clinical="resolved"), "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), LEGS)
def test_legs(record: Json, expected: str) -> None:
    assert verdict(record, BLADDER) == expected


SIGNS = [
    row("neurogenic bladder", "N31.9", "info"),
    row("incontinence", "R32", "info"),
    row("faecal incontinence", "R15.9", "info"),
    row("sacral dimple", "Q82.6", "info"),
    row("scoliosis", "M41.9", "info"),
    row("spina bifida", "Q05.9", "info"),
    row("spina bifida occulta", "Q76.0", "info"),
    row("22q11.2 deletion", "Q93.81", "info"),
    row("a tethered cord that is diagnosed", "Q06.8", "not-applicable"),
    row("another disease", "E11.9", "clear"),
]


@pytest.mark.parametrize(("code", "expected"), SIGNS)
def test_signs(code: str, expected: str) -> None:
    assert verdict(LEG, condition(code, id="sign")) == expected


@pytest.mark.parametrize(("state", "expected"), [("refuted", "clear"), ("provisional", "info")])
def test_how_sure_a_sign_is(state: str, expected: str) -> None:
    assert verdict(LEG, condition("N31.9", id="sign", verification=state)) == expected


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        row("conditions not sent", (), {"without": ("conditions",)}, "not-checked key-missing"),
        row("conditions failed", (), {"conditions": outcome()}, "not-checked key-failed"),
        row("nothing recorded", (), {}, "not-applicable"),
    ],
)
def test_what_was_not_sent(data: tuple[Json, ...], more: dict[str, Any], expected: str) -> None:
    assert verdict(*data, **more) == expected


def test_the_card() -> None:
    card = opened(aged(9), LEG, BLADDER, report("Conus at L1.", "MRI lumbar spine")).card
    assert card["summary"] == (
        "Leg dystonia + bladder or bowel dysfunction: consider tethered cord; spine MRI, neurosurgery."
    )
    assert card["indicator"] == "info"
    assert "Report: MRI lumbar spine" in card["detail"]
    assert "Condition: Leg dystonia, no date, matched by text" in card["detail"]
    assert [one["label"] for one in card["suggestions"]][:2] == ["Request MRI of the spine", "Refer to neurosurgery"]


def test_a_card_that_rests_on_a_note_says_so() -> None:
    leg = {**condition("G24.9", id="leg", recorded="90d"), "note": [{"text": "left leg dystonia"}]}
    assert "read from a note" in opened(WOMAN_60, leg, BLADDER).card["detail"]


def test_the_dead() -> None:
    assert opened(patient("2017-05-01", deceasedBoolean=True), LEG, BLADDER).verdict(RULE) == "not-applicable"


# The region is the one that was asked for; the words tell it only where the name of the image does not.
IMAGES = [
    row("of the spine", "MRI lumbar spine", True),
    row("without a region, its words speak of the spine", "MRI", True),
    row("of the brain, its words speak of the spine", "MRI brain", False),
]


@pytest.mark.parametrize(("name", "told"), IMAGES)
def test_which_images_are_told(name: str, told: bool) -> None:
    card = opened(aged(9), LEG, BLADDER, report("Nothing of the lumbar spine to see.", name)).card
    assert (f"Report: {name}" in card["detail"]) is told


def test_a_tethered_cord_of_the_past_is_known_all_the_same() -> None:
    released = condition("Q06.8", id="cord", clinical="resolved")
    assert [verdict(LEG, BLADDER), verdict(LEG, BLADDER, released)] == ["info", "not-applicable"]
