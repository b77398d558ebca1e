"""The page where a newcomer fires hooks at sample patients and sees the answer as an EHR would draw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cds_hooks.clock import Clock, utc_now
from cds_hooks.errors import outcome
from cds_hooks.pages import html_response
from cds_hooks.service import Plugin, SampleCondition, SampleOrder, SamplePatient, Service

DRAFTS, REFILLS, CONDITIONS = "draftOrders", "medications", "conditions"
JSON_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(plugin: Plugin, clock: Clock = utc_now) -> list[Route]:
    """The page, what it may choose from, and the record of one sample patient as it stands now."""
    samples = {sample.id: sample for sample in plugin.samples}

    def page(_request: Request) -> Response:
        return html_response("try_it.html", nav="try-it", plugin=plugin)

    def data(_request: Request) -> Response:
        return JSONResponse(choices(plugin), headers=JSON_HEADERS)

    def patient(request: Request) -> Response:
        sample = samples.get(request.path_params["patient_id"])
        if sample is None:
            told = outcome("not-found", "There is no sample patient with this id; GET /try-it/data lists them.")
            return JSONResponse(told, 404, headers=JSON_HEADERS)
        return JSONResponse(dict(sample.build(clock())), headers=JSON_HEADERS)

    return [Route("/", page), Route("/try-it/data", data), Route("/try-it/patients/{patient_id}", patient)]


def choices(plugin: Plugin) -> dict[str, Any]:
    """All that the page may choose from, in the order in which the plugin gives it."""
    return {
        "patients": [_patient(sample) for sample in plugin.samples],
        "items": _items(plugin),
        "services": [_service(service) for service in plugin.services],
        "overrideReasons": [{"code": reason.code, "display": reason.display} for reason in plugin.override_reasons],
        "rules": {page.id: {"title": page.title, "silences": dict(page.suppressions)} for page in plugin.guideline},
        "suppressions": dict(plugin.suppressions),
    }


def _patient(sample: SamplePatient) -> dict[str, Any]:
    """A sample patient, with the ids of what it offers by the field of the context that takes it."""
    return {
        "id": sample.id,
        "name": sample.name,
        "story": sample.story,
        "shows": sample.shows,
        "hook": sample.hook,
        "items": {DRAFTS: list(sample.orders), REFILLS: list(sample.refills), CONDITIONS: list(sample.conditions)},
    }


def _items(plugin: Plugin) -> dict[str, list[dict[str, Any]]]:
    """What may be put before a hook, by the field of the context that takes it."""
    offered: dict[str, Sequence[SampleOrder | SampleCondition]] = {
        field: [order for order in plugin.orders if field in order.fields] for field in (DRAFTS, REFILLS)
    }
    offered[CONDITIONS] = plugin.conditions
    return {
        field: [{"id": item.id, "name": item.name, "resource": dict(item.resource)} for item in items]
        for field, items in offered.items()
    }


def _service(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "hook": service.hook,
        "title": service.title,
        "description": service.description,
        "prefetch": dict(service.resource_types),
        "bundles": list(service.context_bundles),
    }
