"""The official CDS Hooks sandbox in a browser, request by request as it sends them, with invented patients.

It was driven by hand against this service; what is here was made again from what it sent: its headers, its tokens, the
drafts that its forms build, dates while they are being typed, and feedback with a code and a system alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.fhir import LOINC, RXNORM, concept, patient
from tests.support.server import Answer, Service, free_port, running
from tests.support.tokens import Ehr, key_server, public_set

Json = dict[str, Any]
ISSUER = "https://sandbox.example"
PAGES = ("http://localhost:8080", "http://127.0.0.1:8080")
SETTINGS = """
auth = "required"
sandbox = true

[[clients]]
name = "sandbox"
issuer = "{issuer}"
jwks_urls = ["{keys}"]
public_urls = ["http://localhost:{port}", "http://127.0.0.1:{port}"]
dialect = "sandbox"
"""
TODAY, IN_A_WEEK = ((datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (0, 7))
HALOPERIDOL = ("310672", "Haloperidol 5 MG Oral Tablet")


@dataclass
class Page:
    """The sandbox as one opened it: where its page is from, how the service was spelt, whose record is open."""

    service: Service
    ehr: Ehr
    origin: str
    spelling: str
    who: str = field(default_factory=lambda: f"p-{uuid4().hex[:8]}")

    def ask(self, path: str, body: Any = None) -> Answer:
        """One request with a token of its own, as the page's script sends it; the answer may be read by that page."""
        audience = self.service.url.replace("127.0.0.1", self.spelling) + path
        token = self.ehr.token(audience, datetime.now(UTC))
        sent = {"Accept": "application/json", "Origin": self.origin, "Authorization": f"Bearer {token}"}
        answer = self.service.ask(path, body, **sent)
        assert answer.headers["access-control-allow-origin"] == self.origin
        return answer

    def fire(self, hook: str, context: Json, prefetch: Json | None = None) -> Answer:
        """Fires a hook for the open record, without fhirAuthorization and without an encounter."""
        told = {"patientId": self.who, "userId": "Practitioner/COREPRACTITIONER1", **context}
        call = {"hookInstance": str(uuid4()), "hook": hook, "fhirServer": "http://127.0.0.1:9/fhir", "context": told}
        data = self.prefetch() if prefetch is None else prefetch
        return self.ask(f"/cds-services/dystonia-{hook}", call | ({"prefetch": data} if data else {}))

    def order(self, hook: str, draft: Json, prefetch: Json | None = None) -> Answer:
        """Chooses or signs this draft: it stands in a Bundle without type."""
        own = draft | {"subject": {"reference": f"Patient/{self.who}"}}
        context: Json = {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": own}]}}
        if hook == "order-select":
            context = {"selections": [f"{own['resourceType']}/{own['id']}"], **context}
        return self.fire(hook, context, prefetch)

    def feedback(self, hook: str, **told: Any) -> Answer:
        """What one click on a card sends."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self.ask(f"/cds-services/dystonia-{hook}/feedback", {"feedback": [{**told, "outcomeTimestamp": stamp}]})

    def prefetch(self) -> Json:
        """What it prefetches: no encounter, and a server's warning where that server cannot search by patient."""
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-supported"}]}
        warned = [{"resource": outcome, "search": {"mode": "outcome"}}]
        empty = ("medications", "medicationStatements", "medicationDispenses", "allergies", "conditions", "procedures")
        calcium = {
            "resourceType": "Observation", "id": "ca", "status": "final", "code": concept(LOINC, "17861-6"),
            "subject": {"reference": f"Patient/{self.who}"}, "effectiveDateTime": datetime.now(UTC).isoformat(),
            "valueQuantity": {"value": 2.3, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        }  # fmt: skip
        return {
            "patient": patient(id=self.who, name=[{"given": ["Yann"], "family": "Younger"}]),
            "observations": found({"resource": calcium, "search": {"mode": "match"}}),
            "familyHistory": found(*warned, total=0),
            **{key: found() for key in empty},
        }


def found(*entries: Json, total: int | None = None) -> Json:
    """A searchset as a server answers it: without entry where nothing was found."""
    link = [{"relation": "self", "url": "http://127.0.0.1:9/fhir/Any?_count=200&_offset=0"}]
    told = {"resourceType": "Bundle", "type": "searchset", "total": len(entries) if total is None else total}
    return {**told, "link": link, **({"entry": list(entries)} if entries else {})}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Ehr]]:
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    with key_server({}) as keys:
        ehr = Ehr("sandbox", ISSUER, jku=keys.url)
        keys.document = public_set([ehr.key])
        file = folder / "settings.toml"
        file.write_text(SETTINGS.format(issuer=ISSUER, keys=keys.url, port=port), "utf-8")
        with running(folder, port, DYSTONIA_CDS_CONFIG=str(file)) as service:
            yield service, ehr


@pytest.fixture(params=[(page, name) for page in PAGES for name in ("localhost", "127.0.0.1")], ids="-".join)
def anywhere(started: tuple[Service, Ehr], request: pytest.FixtureRequest) -> Page:
    """The page and the service, each under each of its names."""
    return Page(*started, *request.param)


@pytest.fixture
def page(started: tuple[Service, Ehr]) -> Page:
    return Page(*started, PAGES[0], "localhost")


def draft(drug: tuple[str, str] | None = HALOPERIDOL, bounds: Json | None = None, number: int = 1, **more: Any) -> Json:
    """The order that the form builds: category an object, the dose in pills without a unit."""
    made: Json = {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft"}
    made["authoredOn"] = TODAY
    if drug is None:
        return made | more
    dose = {"value": number, "system": "http://unitsofmeasure.org", "code": "{pill}"}
    repeat = {"frequency": 1, "period": 1, "periodUnit": "d"} | ({"boundsPeriod": bounds} if bounds else {})
    supply = {"value": 30, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    category = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
    return {
        **made,
        "dosageInstruction": [{"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}],
        "dispenseRequest": {"expectedSupplyDuration": supply},
        "intent": "order",
        "category": {"coding": [{"system": category, "code": "community"}]},
        "medicationCodeableConcept": concept(RXNORM, *drug, drug[1]),
        **more,
    }


def imaging() -> Json:
    """The imaging screen before anything was chosen there."""
    empty = {"code": {"coding": [{}]}, "reasonCode": []}
    return {"resourceType": "ServiceRequest", "id": "example-request-id", "status": "draft", "intent": "plan", **empty}


# name -> (draft, rule of the only card or None)
DRAFTS: dict[str, tuple[Json, str | None]] = {
    "no drug yet": (draft(None), None),
    "no drug yet, but a reason": (draft(None, reasonCode={"text": "agitation"}), None),
    "a drug": (draft(), "R-DRUG-01"),
    "a drug and a reason": (draft(reasonCode=concept("http://snomed.info/sct", "24199005", text="x")), "R-DRUG-01"),
    "a period": (draft(bounds={"start": TODAY, "end": IN_A_WEEK}), "R-DRUG-01"),
    "a year being typed": (draft(bounds={"start": "0002-11-22", "end": "0020-11-29"}), "R-DRUG-01"),
    "a date that is none yet": (draft(bounds={"start": TODAY, "end": "Invalid date"}), "R-DRUG-01"),
    "the drug of our suggestion, the pills of the form": (draft(("1424", "benztropine 1 mg oral tablet")), None),
    "imaging": (imaging(), None),
}


def rules(answer: Answer) -> list[str]:
    return [card["source"]["topic"]["code"] for card in answer.body["cards"]]


def test_its_services_are_found_and_a_record_is_opened(anywhere: Page) -> None:
    services = anywhere.ask("/cds-services").body["services"]
    assert {"patient-view", "order-select", "order-sign"} <= {one["hook"] for one in services}
    answer = anywhere.fire("patient-view", {})
    assert (answer.status, answer.body["cards"]) == (200, [])


@pytest.mark.parametrize("name", DRAFTS)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_what_its_forms_build_is_read(page: Page, hook: str, name: str) -> None:
    order, rule = DRAFTS[name]
    answer = page.order(hook, order)
    assert answer.status == 200, answer.body
    assert rules(answer) == ([rule] if rule else [])


def test_the_dose_counts_when_the_order_is_signed_and_not_before(page: Page) -> None:
    high = draft(number=5)
    chosen, signed = (page.order(hook, high).body["cards"][0]["detail"] for hook in ("order-select", "order-sign"))
    assert "First-day dose 25 mg" in signed
    assert "First-day dose" not in chosen


def test_a_click_on_a_card_is_feedback(anywhere: Page) -> None:
    chosen, signed = anywhere.order("order-select", draft()), anywhere.order("order-sign", draft())
    suggested, overridden = chosen.body["cards"][0], signed.body["cards"][0]
    taken = [{"id": suggested["suggestions"][0]["uuid"]}]
    reason = {name: overridden["overrideReasons"][0][name] for name in ("code", "system")}
    answers = [
        anywhere.feedback("order-select", card=suggested["uuid"], outcome="accepted", acceptedSuggestions=taken),
        anywhere.feedback("order-sign", card=overridden["uuid"], outcome="overridden"),
    ]
    assert rules(anywhere.order("order-sign", draft())) == ["R-DRUG-01"], "dismissed without a reason, it comes again"
    given = {"reason": reason}
    answers.append(anywhere.feedback("order-sign", card=overridden["uuid"], outcome="overridden", overrideReason=given))
    assert [(one.status, one.body) for one in answers] == [(200, {})] * 3
    assert rules(anywhere.order("order-sign", draft())) == []
    assert kept(anywhere.service, chosen) == [("accepted", None)]
    assert kept(anywhere.service, signed) == [("overridden", None), ("overridden", reason["code"])]


def kept(service: Service, answer: Answer) -> list[tuple[str, str | None]]:
    """Outcomes and reasons of the feedback to an answer, and who was the client."""
    shown = json.loads(service.command("audit", "show", answer.audit_id, "--json"))
    assert shown["client"] == "sandbox"
    return [(one["outcome"], (one.get("overrideReason") or {}).get("code")) for one in shown["feedback"]]


def test_without_what_it_could_not_prefetch_an_order_gets_a_card_that_says_so(page: Page) -> None:
    """Its FHIR server is down and is not registered here. A refusal would look to it like "All clear!"."""
    assert rules(page.order("order-sign", draft(), {})) == ["R-DQ-05"]
    assert rules(page.order("order-sign", draft(), {"patient": page.prefetch()["patient"]})) == ["R-DRUG-01"]
    refused = page.fire("patient-view", {}, {})
    assert (refused.status, refused.body["resourceType"]) == (412, "OperationOutcome")


def test_a_token_for_the_other_service_is_refused(page: Page) -> None:
    other = page.ehr.token(page.service.url + "/cds-services/dystonia-order-select", datetime.now(UTC))
    sent = {"Origin": page.origin, "Authorization": f"Bearer {other}"}
    assert page.service.ask("/cds-services/dystonia-order-sign", {}, **sent).status == 401
