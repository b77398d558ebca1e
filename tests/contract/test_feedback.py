"""Feedback: kept as it comes, refused only where it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import Running, Starter, call, reason
from tests.contract.toy import CARD_UUID

PATH = "/cds-services/toy-patient-view/feedback"
CANARY = "Xanthippe-Canary-4711"
ACCEPTED = {
    "card": CARD_UUID,
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}],
    "outcomeTimestamp": "2026-11-22T10:00:00Z",
}
OVERRIDDEN = {
    "card": CARD_UUID,
    "outcome": "overridden",
    "overrideReason": {
        "reason": {"code": "other", "system": "https://a.example/r", "display": "Other"},
        "userComment": CANARY,
    },
    "outcomeTimestamp": "2026-11-22T10:00:01Z",
}


def test_feedback_is_kept_with_the_call_that_showed_the_card(start: Starter) -> None:
    service = start()
    shown = service.call(call())
    answer = service.client.post(PATH, json={"feedback": [ACCEPTED, OVERRIDDEN]})
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["X-Audit-State"] == "durable"
    first, second = service.audited(shown).feedback
    assert (first.outcome, first.accepted, first.known) == ("accepted", b'["s1","s2"]', True)
    assert first.outcome_timestamp == "2026-11-22T10:00:00Z"
    assert (second.reason_code, second.reason_display, second.comment) == ("other", "Other", CANARY)


EPIC = "com.epic.cdshooks.feedback.overrideReason."
CODED = {"code": "other", "system": "https://a.example/r", "display": "Other"}

# what stands beside the outcome of an overridden card -> the reason that is kept: its code, its words
REASONS: list[tuple[str, Any, tuple[str, str]]] = [
    ("as CDS Hooks has it", {"overrideReason": {"reason": CODED}}, ("other", "Other")),
    ("in the plural", {"overrideReasons": {"reason": CODED}}, ("other", "Other")),
    ("both", {"overrideReason": {"reason": CODED}, "overrideReasons": {"reason": {"code": "b"}}}, ("other", "Other")),
    ("a list", {"overrideReasons": [{"reason": CODED}]}, ("", "")),
    (
        "of the site's list",
        {"overrideReasons": {"extension": {f"{EPIC}reasonTitle": "t", f"{EPIC}reasonDisplay": "Not met"}}},
        ("", "Not met"),
    ),
    ("a title", {"overrideReason": {"extension": {f"{EPIC}reasonTitle": "Not met"}}}, ("", "Not met")),
    ("a number", {"overrideReason": {"extension": {f"{EPIC}reasonTitle": 7}}}, ("", "")),
    ("too long", {"overrideReason": {"extension": {f"{EPIC}reasonTitle": "x" * 256}}}, ("", "")),
    ("no object", {"overrideReason": {"extension": ["reasonTitle"]}}, ("", "")),
    (
        "a coded reason first",
        {"overrideReason": {"reason": {"code": "other"}, "extension": {f"{EPIC}reasonTitle": "Not met"}}},
        ("other", ""),
    ),
]


@pytest.mark.parametrize(("given", "kept"), [row[1:] for row in REASONS], ids=[row[0] for row in REASONS])
def test_a_reason_is_kept_as_clients_spell_it(start: Starter, given: Any, kept: tuple[str, str]) -> None:
    service = start()
    shown = service.call(call())
    entry = {"card": CARD_UUID, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:01Z"} | given
    assert service.client.post(PATH, json={"feedback": [entry]}).status_code == 200
    (row,) = service.audited(shown).feedback
    assert (row.reason_code, row.reason_display) == kept


KEPT: list[tuple[str, Any]] = [
    ("an unknown card", ACCEPTED | {"card": "0f4f1a3c-0000-4000-8000-00000000000a"}),
    ("again", ACCEPTED),
    ("no timestamp", {"card": CARD_UUID, "outcome": "accepted"}),
    ("no reason", {"card": CARD_UUID, "outcome": "overridden"}),
    ("null everywhere", ACCEPTED | dict.fromkeys(("overrideReason", "acceptedSuggestions", "outcomeTimestamp"))),
    ("null reason", ACCEPTED | {"overrideReason": {"reason": None, "userComment": None}}),
    ("comment only", {"card": CARD_UUID, "outcome": "overridden", "overrideReason": {"userComment": "x" * 4000}}),
    ("strange extras", ACCEPTED | {"more": [1], "extension": {"x": 10**19}}),
    ("a card that is no uuid", ACCEPTED | {"card": "card-1"}),
]


@pytest.mark.parametrize("entry", [row[1] for row in KEPT], ids=[row[0] for row in KEPT])
def test_feedback_is_read_forgivingly(service: Running, entry: Any) -> None:
    answer = service.client.post(PATH, json={"feedback": [entry], "more": True})
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["X-Audit-State"] == "durable"


def test_no_feedback_is_feedback_too(service: Running) -> None:
    assert service.client.post(PATH, json={"feedback": []}).status_code == 200


REFUSED: list[tuple[str, bytes, str]] = [
    ("not JSON", b"{", "not JSON"),
    ("an array", b"[]", "feedback: expected an array, got nothing"),
    ("no feedback", b"{}", "feedback: expected an array, got nothing"),
    ("an object", b'{"feedback": {}}', "feedback: expected an array, got an object"),
    ("an entry that is text", b'{"feedback": ["x"]}', "feedback[0]: expected an object, got a string"),
    ("no card", b'{"feedback": [{"outcome": "accepted"}]}', "feedback[0].card: expected the uuid of a card, got noth"),
    ("a number", b'{"feedback": [{"card": 7, "outcome": "accepted"}]}', "feedback[0].card: expected the uuid of a car"),
    (
        "no outcome",
        b'{"feedback": [{"card": "a"}]}',
        "feedback[0].outcome: expected accepted or overridden, got nothing",
    ),
    (
        "an unknown outcome in the second",
        b'{"feedback": [{"card": "a", "outcome": "accepted"}, {"card": "b", "outcome": "Xanthippe"}]}',
        "feedback[1].outcome: expected accepted or overridden, got another string",
    ),
    ("nesting", b'{"feedback": ' + b"[" * 100_000, "nested too deeply"),
    ("a huge integer", b'{"feedback": [], "x": ' + b"9" * 4301 + b"}", "a number that is out of range"),
    ("a huge exponent", b'{"feedback": [], "x": 1e99999999999999999999}', "a number that is out of range"),
]


@pytest.mark.parametrize(("body", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_says_nothing_gets_400(service: Running, body: bytes, text: str) -> None:
    answer = service.client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert text in reason(answer)
    assert "Xanthippe" not in answer.text


SUGGESTIONS, OVERRIDE = "feedback[1].acceptedSuggestions", "feedback[1].overrideReason"
MISTYPED: list[tuple[dict[str, Any], str]] = [
    ({"acceptedSuggestions": CANARY}, f"{SUGGESTIONS}: expected an array of objects with id, got a string."),
    ({"acceptedSuggestions": {"id": "s1"}}, f"{SUGGESTIONS}: expected an array of objects with id, got an object."),
    ({"acceptedSuggestions": [{"id": "a"}, CANARY]}, f"{SUGGESTIONS}[1]: expected an object with id, got a string."),
    ({"acceptedSuggestions": [{}]}, f"{SUGGESTIONS}[0].id: expected a string, got nothing."),
    ({"acceptedSuggestions": [{"id": ""}]}, f"{SUGGESTIONS}[0].id: expected a string, got an empty string."),
    ({"acceptedSuggestions": [{"id": 7}]}, f"{SUGGESTIONS}[0].id: expected a string, got a number."),
    ({"overrideReason": CANARY}, f"{OVERRIDE}: expected an object, got a string."),
    ({"overrideReason": [CANARY]}, f"{OVERRIDE}: expected an object, got an array."),
    ({"overrideReason": {"reason": CANARY}}, f"{OVERRIDE}.reason: expected an object, got a string."),
    ({"overrideReason": {"reason": {"code": 7}}}, f"{OVERRIDE}.reason.code: expected a string, got a number."),
    ({"overrideReason": {"userComment": [CANARY]}}, f"{OVERRIDE}.userComment: expected a string, got an array."),
    (
        {"overrideReason": {"userComment": "x" * 4001}},
        f"{OVERRIDE}.userComment: expected at most 4000 characters, got 4001.",
    ),
    ({"outcomeTimestamp": 7}, "feedback[1].outcomeTimestamp: expected a string, got a number."),
    ({"outcomeTimestamp": False}, "feedback[1].outcomeTimestamp: expected a string, got a boolean."),
    ({"card": "x" * 256}, "feedback[1].card: expected at most 255 characters, got 256."),
]


@pytest.mark.parametrize(("change", "text"), MISTYPED, ids=[row[1].partition("].")[2][:50] for row in MISTYPED])
def test_a_field_of_another_type_is_named_and_nothing_is_cut(service: Running, change: Any, text: str) -> None:
    answer = service.client.post(PATH, json={"feedback": [ACCEPTED, ACCEPTED | change]})
    assert (answer.status_code, reason(answer)) == (400, text)
    assert CANARY not in answer.text


def test_every_answer_names_its_audit_entry_and_refused_feedback_is_audited(service: Running) -> None:
    kept = service.client.post(PATH, json={"feedback": [ACCEPTED]})
    assert (len(kept.headers["X-Audit-Id"]), kept.headers["X-Audit-State"]) == (26, "durable")
    refusals = [
        (service.client.post(PATH, json={"feedback": [{"card": CANARY}]}), 400, "toy-patient-view", "feedback[0].outc"),
        (service.client.post(PATH, content=b"{}"), 415, "toy-patient-view", "Content-Type"),
        (service.client.get(PATH), 405, "toy-patient-view", "Feedback is a POST."),
        (service.client.post(f"/cds-services/{CANARY}/feedback", json={}), 404, "?", "There is no such service."),
    ]
    for answer, status, name, text in refusals:
        assert answer.headers["X-Audit-State"] == "durable"
        row = service.audited(answer).row
        assert (answer.status_code, row.status, row.outcome, row.service) == (status, status, "refused", name)
        assert row.detail.startswith(f"Feedback: {text}")
        assert (row.hook, row.patient, row.cards, row.results) == ("", "", b"[]", b"[]")
        assert CANARY not in str(row)


def test_without_an_audit_feedback_says_so(start: Starter) -> None:
    service = start(audit=False)
    for body, status in (({"feedback": [ACCEPTED]}, 200), ({}, 400)):
        answer = service.client.post(PATH, json=body)
        assert (answer.status_code, answer.headers["X-Audit-State"]) == (status, "off")
        assert answer.headers["X-Audit-Id"]


def test_transport_of_feedback(start: Starter) -> None:
    service = start(body_limit=1000)
    unknown = service.client.post("/cds-services/unknown/feedback", json={"feedback": []})
    assert (unknown.status_code, reason(unknown)[:25]) == (404, "There is no such service.")
    assert service.client.get(PATH).status_code == 405
    assert service.client.post(PATH, content=b"{}").status_code == 415
    assert service.client.post(PATH, json={"feedback": ["x" * 2000]}).status_code == 413


def test_a_comment_is_never_logged(start: Starter, capfd: pytest.CaptureFixture[str]) -> None:
    service = start()
    service.client.post(PATH, json={"feedback": [OVERRIDDEN]})
    assert CANARY not in "".join(capfd.readouterr())
