"""ServiceRequests -> referrals: topics by words, what stands and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.fhir import referrals
from plugin.fhir.referrals import referral_of
from tests.support.fhir import LOINC, concept, order, referral
from tests.support.rows import resource, row

Json = dict[str, Any]

TOPICS = [
    row("endocrinology", referral("Ambulatory referral to Endocrinology"), {"endocrinology"}),
    row("neurosurgery", referral("Refer to Neurosurgery"), {"neurosurgery"}),
    row("neurological surgery", referral("Referral to Neurological Surgery"), {"neurosurgery"}),
    row("neurology", referral("NEUROLOGY CLINIC"), {"neurology"}),
    row("both", referral("Neurology and neurosurgery opinion"), {"neurology", "neurosurgery"}),
    row("genetics", referral("Clinical genetics"), {"genetics"}),
    row("genetic test", referral("Genetic test for 22q11.2 deletion"), {"genetics"}),
    row("MRI", referral("MRI brain without contrast"), {"mri"}),
    row("CT", referral("CT head"), {"ct"}),
    row("CT in full", referral("Computed tomography of head"), {"ct"}),
    row("a word that holds ct", referral("Lactate"), None),
    row("EEG", referral("Sleep-deprived EEG"), {"eeg"}),
    row("botulinum", referral("Botulinum toxin clinic"), {"botulinum"}),
    row("a laboratory order", referral("Basic metabolic panel"), None),
    row("cardiology", referral("Cardiology"), None),
    row("by category", referral("Consult", category=[{"text": "Neurology"}]), {"neurology"}),
    row("by type of performer", referral("Consult", performerType={"text": "Endocrinologist"}), {"endocrinology"}),
    row("by performer", referral("Consult", performer=[{"display": "Dept of Neurosurgery"}]), {"neurosurgery"}),
    row("by a display", referral("", code={"coding": [{"display": "MR brain"}]}), {"mri"}),
    row("R5", referral("", code={"concept": {"text": "EEG"}}), {"eeg"}),
    row("without words", referral("", code={}), None),
]  # fmt: skip


@pytest.mark.parametrize(("record", "topics"), TOPICS)
def test_topics(record: Json, topics: set[str] | None) -> None:
    found = referral_of(resource(record))
    assert (set(found.topics) if found is not None else None) == topics


STANDING = [
    row("active", {}, True),
    row("completed", {"status": "completed"}, True),
    row("on hold", {"status": "on-hold"}, True),
    row("draft", {"status": "draft"}, False),
    row("revoked", {"status": "revoked"}, False),
    row("entered in error", {"status": "entered-in-error"}, False),
    row("unknown", {"status": "unknown"}, False),
    row("plan", {"intent": "plan"}, False),
    row("proposal", {"intent": "proposal"}, False),
    row("forbidden", {"doNotPerform": True}, False),
]


@pytest.mark.parametrize(("more", "stands"), STANDING)
def test_what_stands(more: Json, stands: bool) -> None:
    assert (referral_of(resource({**referral("Neurology"), **more})) is not None) is stands


def test_dates() -> None:
    found = referral_of(resource(referral("Neurology", "2026-10-01")))
    assert found is not None
    assert found.when is not None
    assert (found.when.text, found.reference, found.label) == ("2026-10-01", "ServiceRequest/sr1", "Neurology")
    planned = referral_of(resource(referral("Neurology", None, occurrenceDateTime="2026-12-01")))
    assert planned is not None
    assert planned.when is not None
    assert planned.when.text == "2026-12-01"
    undated = referral_of(resource(referral("Neurology", None)))
    assert undated is not None
    assert undated.when is None


def test_which_tests_the_drafts_ask_for() -> None:
    """A draft that asks for nothing stands before one that does."""

    def test(code: str, **more: Any) -> Json:
        return {**referral("", status="draft", code=concept(LOINC, code)), **more}

    drafts = [
        order("haloperidol"),
        test("17861-6", doNotPerform=True),
        test("19123-9", status="revoked"),
        {key: value for key, value in test("2731-8").items() if key != "code"},
        test("6690-2"),
        test("1994-3"),
        test("3016-3", status="active"),
    ]
    assert referrals.tests_ordered([resource(one) for one in drafts]) == {"calcium-ionised", "tsh"}
