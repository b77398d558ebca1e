"""Records whose code says nothing: they may be what a rule asks for, so that no rule says "clear" without them."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.fhir.readable import says_nothing
from tests.support.attacks import opened, report
from tests.support.fhir import condition, encounter, given, lab, order, referral
from tests.support.fire import sign
from tests.support.rows import WOMAN_60, row

Json = dict[str, Any]
LOCAL = {"coding": [{"system": "http://example.org/local", "code": "4711"}]}

CODES = [
    row("none", b"", True),
    row("null", b"null", True),
    row("an empty object", b"{}", True),
    row("a foreign code alone", b'{"coding": [{"system": "urn:x", "code": "1"}]}', True),
    row("a code without its system", b'{"coding": [{"code": "G24.9"}]}', True),
    row("a system without a code", b'{"coding": [{"system": "http://snomed.info/sct"}]}', True),
    row("a foreign code with its name", b'{"coding": [{"system": "urn:x", "code": "1", "display": "Gout"}]}', False),
    row("words", b'{"text": "Gout"}', False),
    row("a code of ours that no rule asks for",
        b'{"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}', False),
    row("ICD-10 of another country",
        b'{"coding": [{"system": "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "code": "M10.9"}]}', False),
    row("R5's CodeableReference", b'{"concept": {"text": "MRI of the brain"}}', False),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "expected"), CODES)
def test_codes(raw: bytes, expected: bool) -> None:
    assert says_nothing(raw) is expected


CONDITIONS = [
    row("by a foreign code alone", {"code": LOCAL}, "not-checked key-failed"),
    row("without a code", {"code": None}, "not-checked key-failed"),
    row("refuted", {"code": LOCAL, "verificationStatus": {"coding": [{"code": "refuted"}]}}, "clear"),
    row("with words", {"code": {**LOCAL, "text": "Gout"}}, "clear"),
]


@pytest.mark.parametrize(("changed", "expected"), CONDITIONS)
def test_a_condition(changed: Json, expected: str) -> None:
    answer = sign(order("haloperidol"), WOMAN_60, {**condition("M10.9"), **changed})
    assert answer.verdict("R-DRUG-08") == answer.verdict("R-DRUG-04") == expected


CORD = condition("Q06.8", text="Tethered cord", id="cord")
REQUESTS = [
    row("by a foreign code alone", {**referral("x"), "code": LOCAL}, "not-checked key-failed"),
    row("with words", referral("Physiotherapy"), "info"),
]


@pytest.mark.parametrize(("request_", "expected"), REQUESTS)
def test_a_referral(request_: Json, expected: str) -> None:
    assert opened(CORD, request_).verdict("R-TX-06") == expected


def test_a_report() -> None:
    dystonia = condition("G24.9", recorded="2d")
    unread = {**report("Lesion of the thalamus."), "code": LOCAL}
    assert opened(dystonia, unread).verdict("R-DX-03") == "not-checked key-failed"


def test_a_result_without_a_code() -> None:
    old = lab("ionised", 1.2, when="20h", id="old")
    new = {**lab("ionised", 0.8, when="1h", id="new"), "code": None}
    assert sign(order("haloperidol"), WOMAN_60, old).verdict("R-MET-01") == "clear"
    assert sign(order("haloperidol"), WOMAN_60, old, new).verdict("R-MET-01") == "not-checked key-failed"


def test_an_encounter_without_a_class_leaves_open_how_old_results_may_be() -> None:
    calcium = lab("ionised", 1.2, when="5d")
    unclear = {name: value for name, value in encounter("AMB").items() if name != "class"}
    assert sign(order("haloperidol"), WOMAN_60, calcium, encounter("AMB")).verdict("R-MET-01") == "clear"
    assert sign(order("haloperidol"), WOMAN_60, calcium, encounter("IMP")).verdict("R-MET-01") == "not-checked stale"
    assert sign(order("haloperidol"), WOMAN_60, calcium, unclear).verdict("R-MET-01") == "not-checked key-failed"


DRUGS = [
    row("given 5 days ago", "5d", "completed", "not-checked drug-unrecognised"),
    row("given 8 days ago", "8d", "completed", "clear"),
    row("not given", "5d", "not-done", "clear"),
]


@pytest.mark.parametrize(("when", "status", "expected"), DRUGS)
def test_a_drug_that_was_given(when: str, status: str, expected: str) -> None:
    unknown = {**given("haloperidol", when, status=status), "medicationCodeableConcept": LOCAL}
    assert sign(order("risperidone"), WOMAN_60, unknown).verdict("R-DRUG-02") == expected


def test_a_drug_given_in_a_year_that_leaves_it_open() -> None:
    answer = sign(order("risperidone"), WOMAN_60, given("haloperidol", "2026"))
    assert answer.verdict("R-DRUG-02") == "not-checked key-failed"
