"""R-TX-02, 03, 04 and 07: references that are shown by a link on a card that stands for other reasons (D.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fhir import (
    LOINC,
    bundle,
    call,
    concept,
    condition,
    patient,
    prefetch,
    referral,
    statement,
    subject,
    taking,
)
from tests.support.fire import Fired, fire
from tests.support.rows import aged, outcome, row

Json = dict[str, Any]

# A low calcium with too little hormone is not needed: a new dystonia without results is card enough (R-MET-02).
CARD = condition("G24.9", recorded="2d", id="new")
HGNC = "http://www.genenames.org"


def view(*data: Json, who: Json | None = None, without: tuple[str, ...] = (), **replaced: Any) -> Fired:
    """The answer when the record of a person of 20 is opened."""
    return fire(call(None, prefetch(who or aged(20), *data, without=without, **replaced), "patient-view"))


def verdict(rule: str, *data: Json, **more: Any) -> str:
    """The verdict beside a card that stands for other reasons."""
    return view(CARD, *data, **more).verdict(rule)


def focal(onset: str = "200d", **more: Any) -> Json:
    """A focal dystonia of some months."""
    return condition(text="Focal dystonia of the foot", **({"onset": onset} | more))


FOCAL = [
    row("focal dystonia for more than six months", (focal(),), "info"),
    row("the day after six months", (focal("184d"),), "info"),
    row("six months to the day", (focal("183d"),), "clear"),
    row("cervical dystonia by code", (condition("G24.3", onset="200d"),), "info"),
    row("task-specific", (condition(text="Task-specific dystonia", onset="200d"),), "info"),
    row("dystonia of the leg", (condition(text="Leg dystonia", onset="200d"),), "info"),
    row("no onset, recorded long ago", (focal("", recorded="200d"),), "info"),
    row("no date at all", (focal(""),), "not-checked date-missing"),
    row("age at onset two years ago", ({**focal(""), "onsetAge": {"value": 18, "unit": "a"}},), "info"),
    row("age at onset last year: perhaps yesterday", ({**focal(""), "onsetAge": {"value": 19, "unit": "a"}},),
        "not-checked date-missing"),
    row("onset in a month that may be recent", (focal("2026-05"),), "not-checked date-missing"),
    row("onset in a month that is recent", (focal("2026-06"),), "clear"),
    row("onset in a month that is long ago", (focal("2026-04"),), "info"),
    row("a rule-out is information all the same", (focal(verification="provisional"),), "info"),
    row("resolved", (focal(clinical="resolved"),), "not-applicable"),
    row("refuted", (focal(verification="refuted"),), "not-applicable"),
    row("another dystonia", (condition("G24.1", onset="200d"),), "not-applicable"),
    row("a drug is blamed", (condition(text="Focal dystonia due to haloperidol", onset="200d"),), "not-applicable"),
    row("a referral to neurology a year ago", (focal(), referral("Neurology", "365d")), "clear"),
    row("a referral longer ago", (focal(), referral("Neurology", "366d")), "info"),
    row("a referral for botulinum toxin", (focal(), referral("Botulinum toxin clinic")), "clear"),
    row("a referral planned next month", (focal(), referral("Neurology", "-30d")), "clear"),
    row("a referral without a date", (focal(), referral("Neurology", None)), "not-checked date-missing"),
    row("a revoked referral", (focal(), referral("Neurology", status="revoked")), "info"),
    row("another referral", (focal(), referral("Endocrinology")), "info"),
    row("botulinum toxin is given", (focal(), statement("OnabotulinumtoxinA 100 units")), "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), FOCAL)
def test_botulinum_toxin(data: tuple[Json, ...], expected: str) -> None:
    assert verdict("R-TX-02", *data) == expected


GENERALISED = [
    row("two classes failed", "Generalised dystonia, failed trihexyphenidyl and baclofen", "info"),
    row("botulinum toxin failed", "Segmental dystonia refractory to botulinum toxin", "info"),
    row("two drugs of one class", "Generalised dystonia, failed trihexyphenidyl and benztropine", "clear"),
    row("one class", "Generalised dystonia, failed trihexyphenidyl", "clear"),
    row("drugs named, none said to have failed", "Generalised dystonia, on baclofen and tetrabenazine",
        "not-applicable"),
    row("no drug named", "Generalised dystonia, failed treatment", "clear"),
    row("focal dystonia", "Focal dystonia, failed trihexyphenidyl and baclofen", "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), GENERALISED)
def test_deep_brain_stimulation(text: str, expected: str) -> None:
    assert verdict("R-TX-03", condition(text=text, onset="900d")) == expected


def test_failures_in_the_notes_of_a_coded_condition() -> None:
    coded = condition("425492002", system="http://snomed.info/sct", onset="900d")
    noted = {**coded, "note": [{"text": "Inadequate response to clonazepam and trihexyphenidyl."}]}
    assert verdict("R-TX-03", noted) == "info"
    assert verdict("R-TX-03", coded) == "clear"


def limb(**more: Any) -> Json:
    """A dystonia of the leg since a year."""
    return condition(text="Leg dystonia", **({"onset": "365d"} | more))


LEVODOPA = [
    row("a young person", (limb(),), aged(20), "info"),
    row("a child", (limb(),), aged(9), "info"),
    row("onset the day before turning 30", (limb(onset="2020-11-21"),), patient("1990-11-22"), "info"),
    row("onset on the 30th birthday", (limb(onset="2020-11-22"),), patient("1990-11-22"), "clear"),
    row("age at onset 29", ({**limb(onset=""), "onsetAge": {"value": 29, "unit": "a"}},), aged(60), "info"),
    row("age at onset 30", ({**limb(onset=""), "onsetAge": {"value": 30, "unit": "a"}},), aged(60), "clear"),
    row("recorded late, onset unknown", (limb(onset="", recorded="10d"),), aged(60), "not-checked date-missing"),
    row("no birth date", (limb(),), patient(None), "not-checked date-missing"),
    row("levodopa now", (limb(), taking("Levodopa and carbidopa")), aged(20), "clear"),
    row("levodopa once", (limb(), taking("Madopar", status="stopped")), aged(20), "clear"),
    row("another form", (condition("G24.1", onset="365d"),), aged(20), "not-applicable"),
    row("resolved", (limb(clinical="resolved"),), aged(20), "not-applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "who", "expected"), LEVODOPA)
def test_levodopa(data: tuple[Json, ...], who: Json, expected: str) -> None:
    assert verdict("R-TX-04", *data, who=who) == expected


def test_levodopa_never_accompanies_the_paroxysmal_rules() -> None:
    pkd = condition(text="Paroxysmal kinesigenic dyskinesia", id="pkd", onset="400d")
    flagged = {**pkd, "onsetAge": {"value": 25, "unit": "a"}}
    del flagged["onsetDateTime"]
    fired = view(CARD, limb(), flagged, who=aged(28))
    assert fired.verdict("R-DX-01") == "info"
    assert fired.verdict("R-TX-04") == "not-applicable"


def variant(gene: str = "GCH1", significance: str = "LA6668-3", present: str = "LA9633-4") -> Json:
    """A reported variant."""
    return {
        "resourceType": "Observation",
        "id": "v1",
        "status": "final",
        "subject": subject(),
        "code": concept(LOINC, "69548-6"),
        "valueCodeableConcept": concept(LOINC, present),
        "effectiveDateTime": "2025-05-05",
        "component": [
            {"code": concept(LOINC, "48018-6"), "valueCodeableConcept": {"text": gene}},
            {"code": concept(LOINC, "53037-8"), "valueCodeableConcept": concept(LOINC, significance)},
        ],
    }


GENES = [
    row("GCH1", (variant(),), "info"),
    row("SLC2A1", (variant("SLC2A1"),), "info"),
    row("PNKD, likely pathogenic", (variant("PNKD", "LA26332-9"),), "info"),
    row("of uncertain significance", (variant(significance="LA26333-7"),), "clear"),
    row("benign", (variant(significance="LA6675-8"),), "clear"),
    row("absent", (variant(present="LA9634-2"),), "clear"),
    row("an answer that cannot be read", (variant(present="LA9999-9"),), "not-checked implausible"),
    row("another gene", (variant("TOR1A"),), "clear"),
    row("GLUT1 deficiency by code", (condition("E74.810"),), "info"),
    row("dopa-responsive dystonia in words", (condition(text="Dopa-responsive dystonia"),), "info"),
    row("refuted", (condition("E74.810", verification="refuted"),), "clear"),
    row("nothing", (), "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), GENES)
def test_genetic_forms(data: tuple[Json, ...], expected: str) -> None:
    assert verdict("R-TX-07", *data) == expected


ALL = [
    ("R-TX-02", focal(id="c2")),
    ("R-TX-03", condition(text="Generalised dystonia, failed trihexyphenidyl and baclofen", onset="900d", id="c3")),
    ("R-TX-04", limb(id="c4")),
    ("R-TX-07", condition("E74.810", id="c7")),
]


@pytest.mark.parametrize(("rule", "data"), ALL)
def test_a_link_on_the_card_of_another_rule_and_no_card_of_its_own(rule: str, data: Json) -> None:
    beside = view(CARD, data)
    linked = [link for link in beside.card["links"] if f"/guideline/{rule}?with=" in link["url"]]
    assert [link["type"] for link in linked] == ["absolute"]
    assert "p1" not in linked[0]["url"].partition("/guideline/")[2]
    alone = view(data, labs())
    assert alone.cards == []
    assert alone.verdict(rule) == "on-request"


def labs() -> Json:
    """A recent normal calcium, without which R-MET-02 would have a card."""
    return {
        "resourceType": "Observation",
        "id": "ca",
        "status": "final",
        "subject": subject(),
        "code": concept(LOINC, "17861-6"),
        "valueQuantity": {"value": 2.4, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        "effectiveDateTime": "2026-11-01",
    }


GAPS = [
    row("no conditions", "R-TX-02", {"without": ("conditions",)}, "not-checked key-missing"),
    row("no referrals", "R-TX-02", {"without": ("serviceRequests",)}, "not-checked key-missing"),
    row("referrals failed", "R-TX-02", {"serviceRequests": outcome()}, "not-checked key-failed"),
    row("no conditions", "R-TX-03", {"without": ("conditions",)}, "not-checked key-missing"),
    row("no medications", "R-TX-04", {"without": ("medications",)}, "not-checked key-missing"),
    row("medications failed", "R-TX-04", {"medications": outcome()}, "not-checked key-failed"),
    row("null is an empty list", "R-TX-04", {"medications": None}, "on-request"),
    row("no results", "R-TX-07", {"without": ("observations",)}, "not-checked key-missing"),
    row("empty lists", "R-TX-07", {"observations": bundle()}, "clear"),
]


@pytest.mark.parametrize(("rule", "more", "expected"), GAPS)
def test_what_was_not_sent(rule: str, more: dict[str, Any], expected: str) -> None:
    data = () if rule == "R-TX-07" else (limb(),)
    assert view(*data, **more).verdict(rule) == expected


@pytest.mark.parametrize(("rule", "data"), ALL)
def test_the_dead_need_no_reference(rule: str, data: Json) -> None:
    assert verdict(rule, data, who={**aged(20), "deceasedBoolean": True}) == "not-applicable"
