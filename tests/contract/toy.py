"""A plugin about nothing, in few lines: the host must work with any. It knows no disease, no drug and no lab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cds_hooks.service import Answer, HookCall, Plugin, Service, Site, Subject

CARD_UUID = "5f3c1c1e-0000-4000-8000-000000000001"
KEYS = {
    "patient": ("Patient", "Patient/{{context.patientId}}"),
    "things": ("Observation", "Observation?patient={{context.patientId}}"),
    "stay": ("Encounter", "Encounter/{{context.encounterId}}"),
}
HOOKS = {
    "patient-view": (),
    "order-select": ("draftOrders",),
    "order-sign": ("draftOrders",),
    "medication-refill": ("medications",),
    "problem-list-item-create": ("conditions",),
}


class Named(msgspec.Struct):
    """Identifier."""

    system: str | None = None
    value: str | None = None


class Reference(msgspec.Struct):
    """Reference."""

    reference: str | None = None
    type: str | None = None
    identifier: Named | None = None
    display: str | None = None


class Part(msgspec.Struct):
    """Link, search, issue and entry in one."""

    relation: str | None = None
    url: str | None = None
    mode: str | None = None
    severity: str | None = None
    code: str | None = None
    status: str | None = None
    fullUrl: str | None = None
    resource: Resource | None = None
    search: Part | None = None
    response: Part | None = None


class Resource(msgspec.Struct):
    """Any resource."""

    resourceType: str = ""
    id: str | None = None
    type: Any = None
    total: Any = None
    link: list[Part] | None = None
    entry: list[Part] | None = None
    issue: list[Part] | None = None
    contained: list[Resource] | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    beneficiary: Reference | None = None
    identifier: list[Named] | Named | None = None
    value: Any = None


def card(**fields: Any) -> dict[str, Any]:
    rules = {"org.dystonia-cds": {"rules": [{"id": "T-1", "version": "1.0.0", "indicator": "warning"}]}}
    base = {"uuid": CARD_UUID, "summary": "A toy", "indicator": "warning", "source": {"label": "Toy"}}
    return base | {"extension": rules} | fields


def told(call: HookCall) -> Answer:
    """One card whose facts tell what the plugin was given."""
    facts = [{"text": f"{name}: {tell(one)}"} for name, one in {**call.prefetch, **call.bundles}.items()]
    given = {"facts": facts, "rules": [{"id": "T-1", "version": "1.0.0", "indicator": "warning"}]}
    results = [
        {"rule": "T-1", "subject": "Thing/1", "status": "fired", "indicator": "warning"},
        {"rule": "T-2", "status": "not-checked", "reason": "no-result"},
    ]
    extension = {"org.dystonia-cds": given | {"subject": "Thing/1"}}
    return Answer([card(extension=extension)], results, [Subject("Thing/1", "a thing")])


def tell(one: Any) -> str:
    ids = ",".join(resource.id or "?" for resource in one.resources)
    lost = ",".join(f"{bad.resource_type}/{bad.id}" for bad in one.unreadable)
    parts = (one.state.value, one.reason, f"[{ids}]", f"foreign={one.foreign}", f"unreadable={lost}")
    return " ".join(part for part in parts if part)


def toy(evaluate: Callable[[HookCall], Answer] = told) -> Plugin:
    prefetch = {name: template for name, (_, template) in KEYS.items()}
    types = {name: kind for name, (kind, _) in KEYS.items()}
    services = [
        Service(f"toy-{hook}", hook, f"Toy {hook}", "A toy.", "", prefetch, types, evaluate, bundles, not bundles)
        for hook, bundles in HOOKS.items()
    ]
    artefacts = {"ValueSet/toys": b'{"resourceType":"ValueSet","id":"toys"}'}
    codes = {"toys": 3}
    return Plugin("Toy", "1", "1+0123456789ab", Resource, tuple(services), codes=codes, artefacts=lambda: artefacts)


def PLUGIN(site: Site) -> Plugin:
    return toy()
