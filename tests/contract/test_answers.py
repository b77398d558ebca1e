"""What goes out: discovery, cards checked one by one, verdicts, and what happens when the plugin fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_hooks.models import CdsResponse, Discovery, OperationOutcome
from cds_hooks.service import Answer, HookCall
from tests.contract.conftest import Running, Starter, call, patient
from tests.contract.toy import CARD_UUID, card, toy

EXTENSION = "org.dystonia-cds"
CANARY = "Xanthippe-Canary-4711"


def test_discovery_lists_every_service_without_empty_values(service: Running) -> None:
    answer = service.client.get("/cds-services")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    services = answer.json()["services"]
    assert [one["hook"] for one in services] == [one["id"].removeprefix("toy-") for one in services]
    assert services[0]["prefetch"]["patient"] == "Patient/{{context.patientId}}"
    assert "usageRequirements" not in services[0]
    Discovery.model_validate(answer.json())
    assert service.client.head("/cds-services").status_code == 200


def test_an_answer_has_cards_ruleset_and_results(service: Running) -> None:
    answer = service.call(call())
    content = answer.json()
    CdsResponse.model_validate(content)
    ours = content["extension"][EXTENSION]
    assert ours["ruleset"] == "1+0123456789ab"
    assert [one["status"] for one in ours["results"]] == ["fired", "not-checked"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_finding_there_is_an_empty_list(start: Starter) -> None:
    service = start(toy(lambda _call: Answer()))
    content = service.call(call()).json()
    assert content == {"cards": [], "extension": {EXTENSION: {"ruleset": "1+0123456789ab", "results": []}}}


def answering(*cards: Any, results: list[dict[str, Any]] | None = None) -> Callable[[HookCall], Answer]:
    fired = [{"rule": "T-1", "status": "fired", "indicator": "warning", "inputs": ["Patient/p1"]}]
    return lambda _call: Answer(cards, fired if results is None else results)


ABSOLUTE = {"label": "a", "url": "https://a.example/", "type": "absolute"}
ACTION = {"type": "create", "description": "d", "resource": {"resourceType": "Task"}}
CHOICE = {"label": "l", "uuid": CARD_UUID, "actions": [ACTION]}

INVALID: list[tuple[str, Any]] = [
    ("not a card", "text"),
    ("no summary", {key: value for key, value in card().items() if key != "summary"}),
    ("summary too long", card(summary="x" * 140)),
    ("empty summary", card(summary="")),
    ("hard-stop", card(indicator="hard-stop")),
    ("no source", {key: value for key, value in card().items() if key != "source"}),
    ("source without label", card(source={"url": "https://a.example/"})),
    ("no uuid", {key: value for key, value in card().items() if key != "uuid"}),
    ("uuid with prefix", card(uuid=f"urn:uuid:{CARD_UUID}")),
    ("null detail", card(detail=None)),
    ("empty detail", card(detail="")),
    ("empty links", card(links=[])),
    ("relative link", card(links=[ABSOLUTE | {"url": "/guideline"}])),
    ("script link", card(links=[ABSOLUTE | {"url": "javascript:alert(1)"}])),
    ("link type", card(links=[ABSOLUTE | {"type": "relative"}])),
    ("appContext on absolute", card(links=[ABSOLUTE | {"appContext": "x"}])),
    ("unknown field", card(colour="red")),
    ("suggestions without behaviour", card(suggestions=[CHOICE])),
    ("unknown behaviour", card(suggestions=[CHOICE], selectionBehavior="all")),
    ("two recommended", card(suggestions=[CHOICE | {"isRecommended": True}] * 2, selectionBehavior="at-most-one")),
    ("create without resource", card(suggestions=[CHOICE | {"actions": [ACTION | {"resource": {}}]}])),
    ("action without description", card(suggestions=[CHOICE | {"actions": [{"type": "delete", "resourceId": "a"}]}])),
    ("delete with resource", card(suggestions=[CHOICE | {"actions": [ACTION | {"type": "delete"}]}])),
    ("reason without display", card(overrideReasons=[{"code": "a", "system": "b"}])),
    ("topic without system", card(source={"label": "a", "topic": {"code": "a"}})),
    ("null inside extension", card(extension={EXTENSION: {"rules": [{"id": "T-1", "version": None}]}})),
    ("empty list inside extension", card(extension={EXTENSION: {"rules": [{"id": "T-1"}], "facts": []}})),
    ("not JSON", card(extension={EXTENSION: {"rules": [{"id": "T-1"}], "x": object()}})),
]


@pytest.mark.parametrize("bad", [row[1] for row in INVALID], ids=[row[0] for row in INVALID])
def test_an_invalid_card_is_dropped_and_its_finding_counts_as_not_checked(start: Starter, bad: Any) -> None:
    other = {"rule": "T-2", "status": "clear", "inputs": ["Patient/p1"]}
    fired = {"rule": "T-1", "status": "fired", "indicator": "warning", "inputs": ["Patient/p1"], "suppressed": "S-1"}
    service = start(toy(answering(bad, results=[fired, other])))
    content = service.call(call()).json()
    assert [(one["indicator"], one["summary"][:16]) for one in content["cards"]] == [("info", "Check incomplete")]
    lost = {"rule": "T-1", "status": "not-checked", "reason": "internal", "inputs": ["Patient/p1"]}
    assert content["extension"][EXTENSION]["results"] == [lost, other]
    CdsResponse.model_validate(content)
    assert 'cds_invalid_cards_total{service="toy-patient-view"} 1.0' in service.client.get("/metrics").text


def test_the_other_cards_are_unchanged_when_one_is_dropped(start: Starter) -> None:
    good = card(detail='ends with ""', extension={EXTENSION: {"rules": [{"id": "T-2"}]}})
    fired = [{"rule": rule, "status": "fired", "indicator": "warning"} for rule in ("T-1", "T-2")]
    service = start(toy(answering(card(summary=""), good, results=fired)))
    content = service.call(call()).json()
    assert content["cards"][0] == good
    assert [one["status"] for one in content["extension"][EXTENSION]["results"]] == ["not-checked", "fired"]


def test_a_finding_about_another_order_is_not_touched(start: Starter) -> None:
    bad = card(summary="", extension={EXTENSION: {"rules": [{"id": "T-1"}], "subject": "Thing/1"}})
    fired = [{"rule": "T-1", "status": "fired", "subject": f"Thing/{number}"} for number in (1, 2)]
    results = start(toy(answering(bad, results=fired))).call(call()).json()["extension"][EXTENSION]["results"]
    assert [one["status"] for one in results] == ["not-checked", "fired"]


def test_at_most_three_cards_go_out(start: Starter) -> None:
    service = start(toy(answering(*[card(summary=f"Card {number}") for number in range(5)])))
    assert [one["summary"] for one in service.call(call()).json()["cards"]] == ["Card 0", "Card 1", "Card 2"]


def failing(_call: HookCall) -> Answer:
    raise RuntimeError(CANARY)


def test_a_failing_plugin_is_seen_by_the_clinician(start: Starter, capfd: pytest.CaptureFixture[str]) -> None:
    service = start(toy(failing))
    answer = service.call(call())
    assert answer.status_code == 200
    (only,) = answer.json()["cards"]
    assert only["indicator"] == "info"
    assert only["summary"].startswith("Check incomplete")
    CdsResponse.model_validate(answer.json())
    assert 'cds_evaluate_errors_total{service="toy-patient-view"} 1.0' in service.client.get("/metrics").text
    printed = "".join(capfd.readouterr())
    assert "RuntimeError" in printed
    assert answer.headers["X-Audit-Id"] in printed
    assert CANARY not in printed + answer.text


def test_the_same_call_gives_the_same_card_when_the_plugin_fails(start: Starter) -> None:
    service = start(toy(failing))
    assert service.call(call()).content == service.call(call()).content


def test_results_that_are_no_json_do_not_break_the_answer(start: Starter) -> None:
    service = start(toy(answering(card(), results=[{"rule": object()}])))
    assert service.call(call()).json()["cards"][0]["summary"].startswith("Check incomplete")


def test_a_bug_of_the_host_gets_500_without_data(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr("cds_hooks.hooks.assess", broken)
    answer = service.call(call())
    assert answer.status_code == 500
    OperationOutcome.model_validate(answer.json())
    assert CANARY not in answer.text
    assert answer.headers["X-Audit-Id"] in answer.text
    assert service.audited(answer).row.status == 500


def test_what_the_plugin_is_told(start: Starter) -> None:
    heard: list[HookCall] = []

    def listening(heard_call: HookCall) -> Answer:
        heard.append(heard_call)
        return Answer()

    service = start(toy(listening))
    options = {"filter-out-repeated-alerts": True, "show-evidence-support": False, "alert-non-serious": "no", "x": True}
    context = {"encounterId": "Encounter/e1", "selections": ["MedicationRequest/d1", 7, None]}
    body = call("order-select", context=context, extension={"pddi-configuration-items": options})
    entry = body["context"]["draftOrders"]["entry"][0]
    entry["fullUrl"] = "urn:uuid:d1"
    service.call(body)
    (told,) = heard
    assert (told.patient_id, told.user_id, told.encounter_id) == ("p1", "Practitioner/u1", "e1")
    assert told.selections == ("MedicationRequest/d1",)
    assert told.bundles["draftOrders"].full_urls == ["urn:uuid:d1"]
    assert told.now.utcoffset() is not None
    assert json.loads(told.body) == body
    assert told.options.filter_out_repeated_alerts
    assert not told.options.show_evidence_support
    assert told.options.alert_non_serious


@pytest.mark.parametrize(
    "extension", [None, 7, "pddi-configuration-items", {"pddi-configuration-items": [1]}, ["pddi-configuration-items"]]
)
def test_an_extension_may_hold_anything(service: Running, extension: Any) -> None:
    assert service.call(call() | {"extension": extension}).status_code == 200


def test_the_access_token_is_not_needed_and_not_kept(service: Running) -> None:
    token = {"access_token": CANARY, "token_type": "Bearer", "expires_in": 300, "scope": "", "subject": ""}
    answer = service.call(
        call(prefetch={"patient": patient()}, fhirServer="https://a.example", fhirAuthorization=token)
    )
    assert answer.status_code == 200
    assert CANARY not in str(service.audited(answer))
