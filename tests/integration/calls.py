"""Hook calls about the invented patients of the try-it page, with full, partial or no prefetch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from plugin.samples import CONDITIONS, ORDERS, PATIENTS, SamplePatient
from tests.integration.record import resources_of
from tests.support.fire import plugin
from tests.support.server import Answer

Json = dict[str, Any]
OURS = "org.dystonia-cds"
HOOKS = tuple(service.hook for service in plugin().services)
PREFETCHES = ("full", "partial", "none")
SENT_ALONE = ("patient", "medications")
"""What a partial prefetch holds."""
INSTANCE = "8c1f0b5e-93b0-4c57-9d21-6c3f4f0a7d10"
TOKEN = "an-access-token-that-must-not-leak"
NOW = datetime.now(UTC).replace(microsecond=0)

# What is put before a hook for a patient whose story is about another one.
USUAL = {"draftOrders": "haloperidol-po", "medications": "metoclopramide-refill", "conditions": CONDITIONS[0].id}
SAMPLES: Mapping[str, SamplePatient] = {one.id: one for one in PATIENTS}


@cache
def chart(patient: str) -> Mapping[str, Any]:
    """All data of an invented patient by prefetch key."""
    return dict(SAMPLES[patient].build(NOW))


def resources(patient: str) -> list[Json]:
    """The same as resources."""
    return [one for value in chart(patient).values() for one in resources_of(value)]


def authorization(token: str = TOKEN, scope: str = "patient/*.read") -> Json:
    """What a client sends along for the way back to its FHIR server."""
    return {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": scope, "subject": "cds"}


def asked(hook: str, patient: str, prefetch: str, server: str = "", *, token: str = TOKEN, **more: Any) -> Json:
    """A call; ``prefetch`` is full, partial or none, ``server`` the FHIR base that may be asked for the rest."""
    service = next(one for one in plugin().services if one.hook == hook)
    data = chart(patient)
    context: Json = {"userId": "Practitioner/example", "patientId": patient}
    if data.get("encounter"):
        context["encounterId"] = data["encounter"]["id"]
    for field in service.context_bundles:
        context[field] = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": _item(field, patient)}],
        }
        if hook == "order-select":
            context["selections"] = ["MedicationRequest/draft-1"]
    found: Json = {"hook": hook, "hookInstance": INSTANCE, "context": context}
    sent = {key: data[key] for key in service.prefetch if key in data and (prefetch == "full" or key in SENT_ALONE)}
    found |= {} if prefetch == "none" else {"prefetch": sent}
    found |= {"fhirServer": server, "fhirAuthorization": authorization(token)} if server else {}
    return json.loads(json.dumps(found | more))


def missing(hook: str, patient: str, prefetch: str) -> dict[str, Any]:
    """The declared keys that such a call does not bring, with the data behind them."""
    brought = asked(hook, patient, prefetch).get("prefetch", {})
    declared = next(one for one in plugin().services if one.hook == hook).prefetch
    return {key: value for key, value in chart(patient).items() if key in declared and key not in brought}


def _item(field: str, patient: str) -> Json:
    sample = SAMPLES[patient]
    own = {"draftOrders": sample.orders, "medications": sample.refills, "conditions": sample.conditions}[field]
    wanted = own[0] if own else USUAL[field]
    found = next(one.resource for one in (*ORDERS, *CONDITIONS) if one.id == wanted)
    made = {**found, "id": "draft-1", "subject": {"reference": f"Patient/{patient}"}}
    return made if made["resourceType"] == "Condition" else {**made, "status": "draft", "intent": "order"}


Told = tuple[int, list[tuple[Any, ...]], dict[tuple[str, str], tuple[str, str]]]


def results(answer: Answer) -> list[Json]:
    """The verdicts of an answer; none for a refusal."""
    return list(answer.body.get("extension", {}).get(OURS, {}).get("results", ()))


def told(answer: Answer) -> Told:
    """What an answer says, without wording and reasons: status, cards by rule, verdicts by rule and order."""
    cards = [
        (
            card["indicator"],
            card["source"]["topic"]["code"],
            tuple(sorted(rule["id"] for rule in card["extension"][OURS]["rules"])),
            card["extension"][OURS].get("subject", ""),
        )
        for card in answer.body.get("cards", ())
    ]
    return answer.status, cards, statuses(answer)


def timeless(answer: Answer) -> Any:
    """All of an answer but what a server adds to a resource, and the moment at which a suggested one is recorded."""
    return _without(answer.body, ("meta", "recordedDate"))


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {name: _without(one, names) for name, one in value.items() if name not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value


def statuses(answer: Answer) -> dict[tuple[str, str], tuple[str, str]]:
    """Each verdict with what silenced it, by rule and order."""
    return {
        (one["rule"], one.get("subject", "")): (one["status"], one.get("suppressed", "")) for one in results(answer)
    }
