"""Sample patients fired as the try-it page does, and what each one shows at its own hook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cds_hooks.service import Service
from plugin.samples import CONDITIONS, ORDERS, SamplePatient
from tests.support.fire import Fired, fire, plugin

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
NOW = datetime(2028, 2, 29, 23, 59, 30, tzinfo=UTC)

# Sample patient -> (indicator, leading rule) of its only card; None: no card.
EXPECTED: dict[str, tuple[str, str] | None] = {
    "adam-testa": ("warning", "R-DRUG-01"),
    "berta-sampler": ("critical", "R-MET-01"),
    "clara-fictiva": ("critical", "R-DRUG-03"),
    "dora-mockingham": ("warning", "R-DRUG-02"),
    "emil-placeholder": None,
    "frida-unitless": ("info", "R-DQ-02"),
    "gustav-freetext": ("info", "R-DRUG-01"),
    "hanna-probanda": None,
    "ivo-ersatz": ("warning", "R-MET-03"),
    "johanna-constant": None,
    "otto-outage": ("info", "R-DQ-05"),
    "mira-imaginaria": ("info", "R-DRUG-01"),
    "konrad-paradigm": ("critical", "R-DRUG-08"),
    "lina-minima": ("critical", "R-DRUG-05a"),
    "nora-stillwell": ("critical", "R-DRUG-04"),
    "quirin-filter": ("warning", "R-DRUG-07"),
    "enno-kickstart": ("info", "R-TX-05"),
    "ruth-longrun": ("warning", "R-DRUG-06"),
    "silas-forgotten": ("info", "R-DRUG-10"),
    "tilda-samesame": None,
    "ulla-lowlander": ("info", "R-MET-05"),
    "wanda-suddenly": ("info", "R-DX-02"),
    "xaver-blank": None,
    "viktor-riddle": ("info", "R-MET-06"),
    "yannick-twister": ("warning", "R-DX-08"),
    "zoe-unmeasured": ("info", "R-MET-02"),
}


def built(sample: SamplePatient, now: datetime = NOW) -> dict[str, Any]:
    return dict(sample.build(now))


def offers(sample: SamplePatient) -> dict[str, tuple[str, ...]]:
    return {"draftOrders": sample.orders, "medications": sample.refills, "conditions": sample.conditions}


def service_of(sample: SamplePatient) -> Service:
    return next(service for service in plugin().services if service.hook == sample.hook)


def item(key: str, place: int, patient_id: str) -> dict[str, Any]:
    """What the try-it page puts into the context."""
    found = next(one for one in (*ORDERS, *CONDITIONS) if one.id == key).resource
    made = {**found, "id": f"draft-{place}", "subject": {"reference": f"Patient/{patient_id}"}}
    return made if made["resourceType"] == "Condition" else {**made, "status": "draft", "intent": "order"}


def fired(sample: SamplePatient, chosen: tuple[str, ...] | None = None) -> Fired:
    """The answer to what the page sends for a sample; ``chosen`` in place of the item that is chosen at first."""
    service, data = service_of(sample), built(sample)
    context: dict[str, Any] = {"userId": "Practitioner/example", "patientId": sample.id}
    context["encounterId"] = data.get("encounter", {"id": f"{sample.id}-visit"})["id"]
    for field in service.context_bundles:
        ids = chosen or offers(sample)[field][:1]
        items = [item(key, place, sample.id) for place, key in enumerate(ids, 1)]
        context[field] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in items]}
        if sample.hook == "order-select":
            context["selections"] = [f"MedicationRequest/{one['id']}" for one in items]
    sent = {key: data[key] for key in service.prefetch if key in data}
    body = {"hook": sample.hook, "hookInstance": INSTANCE, "context": context, "prefetch": sent}
    return fire(body, now=NOW)


def leading(answer: Fired) -> list[tuple[str, str]]:
    return [(card["indicator"], card["source"]["topic"]["code"]) for card in answer.cards]
