"""Feedback as clients send it, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cds_hooks.audit import CallFilter
from tests.conformance.standard import TWO, faults
from tests.contract.conftest import Running
from tests.support.fhir import NOW, call, order, prefetch
from tests.support.fire import plugin

Json = dict[str, Any]

SIGN = "/cds-services/dystonia-order-sign"
WORDS = "Xanthippe-Canary-4711 said so"
MOMENT = "2026-11-22T10:00:00Z"


@pytest.fixture
def real(start: Callable[..., Running]) -> Running:
    """A service of its own for each test: what was overridden is remembered."""
    return start(plugin(), clock=lambda: NOW)


@pytest.fixture
def shown(real: Running) -> tuple[Json, Json, str]:
    """A card, its first suggestion, and the id of the audit entry of its call."""
    answer = real.client.post(SIGN, json=call([order("haloperidol")], prefetch()))
    (card,) = answer.json()["cards"]
    return card, card["suggestions"][0], answer.headers["X-Audit-Id"]


def entry(card: Json, outcome: str = "overridden", **more: Any) -> Json:
    return {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": MOMENT, **more}


def send(real: Running, *entries: Json) -> Any:
    return real.client.post(f"{SIGN}/feedback", json={"feedback": list(entries)})


def outcomes(real: Running, audit_id: str) -> list[str]:
    """What the audit holds of the feedback on a call, oldest first."""
    return [one.outcome for one in real.store.call(audit_id).feedback]


@pytest.mark.conformance("H1", "H2", "H8")
def test_every_service_takes_feedback(real: Running) -> None:
    for service in real.client.get("/cds-services").json()["services"]:
        answer = real.client.post(f"/cds-services/{service['id']}/feedback", json={"feedback": []})
        assert (answer.status_code, answer.json()) == (200, {})
    assert real.client.post("/cds-services/unknown/feedback", json={"feedback": []}).status_code == 404


@pytest.mark.conformance("H3")
def test_several_cards_and_the_same_again(real: Running, shown: tuple[Json, Json, str]) -> None:
    card, suggestion, audit_id = shown
    taken = entry(card, "accepted", acceptedSuggestions=[{"id": suggestion["uuid"]}])
    assert send(real, entry(card), taken).status_code == 200
    assert send(real, entry(card)).status_code == 200
    assert outcomes(real, audit_id) == ["overridden", "accepted", "overridden"]


@pytest.mark.conformance("H4", "L400")
@pytest.mark.parametrize(
    ("field", "value"), [("card", None), ("card", ""), ("card", 7), ("outcome", None), ("outcome", "ignored")]
)
def test_what_is_no_feedback_is_refused_whole(
    real: Running, shown: tuple[Json, Json, str], field: str, value: Any
) -> None:
    card, _, audit_id = shown
    answer = send(real, entry(card), entry(card) | {field: value})
    assert answer.status_code == 400
    assert f"feedback[1].{field}" in answer.json()["issue"][0]["details"]["text"]
    assert outcomes(real, audit_id) == []


@pytest.mark.conformance("H4")
def test_a_missing_moment_loses_nothing(real: Running, shown: tuple[Json, Json, str]) -> None:
    card, _, audit_id = shown
    told = entry(card)
    del told["outcomeTimestamp"]
    assert send(real, told).status_code == 200
    assert outcomes(real, audit_id) == ["overridden"]


@pytest.mark.conformance("H5")
def test_what_was_accepted_is_kept(real: Running, shown: tuple[Json, Json, str]) -> None:
    card, suggestion, audit_id = shown
    told = entry(card, "accepted", acceptedSuggestions=[{"id": suggestion["uuid"]}])
    assert faults("feedback", {"feedback": [told]}, TWO) == []
    assert send(real, told).status_code == 200
    (kept,) = real.store.call(audit_id).feedback
    assert suggestion["uuid"] in kept.accepted.decode()


@pytest.mark.conformance("H6")
@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("coded", [True, False])
def test_a_reason_in_every_form(real: Running, shown: tuple[Json, Json, str], words: bool, coded: bool) -> None:
    card, _, audit_id = shown
    reason = card["overrideReasons"][0]
    given = ({"reason": reason} if coded else {}) | ({"userComment": WORDS} if words else {})
    told = entry(card, overrideReason=given) if given else entry(card)
    assert faults("feedback", {"feedback": [told]}, TWO) == []
    assert send(real, told).status_code == 200
    (kept,) = real.store.call(audit_id).feedback
    assert (kept.reason_code, kept.reason_system) == ((reason["code"], reason["system"]) if coded else ("", ""))
    assert kept.comment == (WORDS if words else "")


@pytest.mark.conformance("H7")
def test_silence_is_neither_acceptance_nor_override(real: Running, shown: tuple[Json, Json, str]) -> None:
    _, _, audit_id = shown
    found = {
        outcome: {row.id for row in real.store.calls(CallFilter(outcome=outcome, limit=500))}
        for outcome in ("no-feedback", "accepted", "overridden")
    }
    assert audit_id in found["no-feedback"]
    assert audit_id not in found["accepted"] | found["overridden"]


@pytest.mark.conformance("H10")
def test_a_comment_is_in_no_log_and_no_metric(
    real: Running, shown: tuple[Json, Json, str], capfd: pytest.CaptureFixture[str]
) -> None:
    card, _, audit_id = shown
    assert send(real, entry(card, overrideReason={"userComment": WORDS})).status_code == 200
    assert WORDS not in real.client.get("/metrics").text
    printed = "".join(capfd.readouterr())
    assert "feedback" in printed
    assert WORDS not in printed
    assert real.store.call(audit_id).feedback[0].comment == WORDS
