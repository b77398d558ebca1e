"""From a story to what a hook call carries: the record of one invented patient by prefetch key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from plugin.samples.chart import Chart
from plugin.samples.fhir_parts import Json
from plugin.samples.models import SamplePatient

LISTS = (
    "medications",
    "medicationStatements",
    "medicationAdministrations",
    "medicationDispenses",
    "allergies",
    "conditions",
    "observations",
    "glucose",
    "familyHistory",
    "serviceRequests",
    "procedures",
    "diagnosticReports",
)


def searchset(found: list[Json] | Json) -> Json:
    """A search result; one without entries is a search that found nothing, and a resource stands as it is."""
    if isinstance(found, dict):
        return found
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    return {**bundle, "entry": [{"resource": resource} for resource in found]} if found else bundle


def record(write: Callable[[Chart], Json], key: str, now: datetime) -> Json:
    """The patient's data by prefetch key; a list that the story does not fill is a search without results."""
    written = write(Chart(key, now))
    single = {name: value for name, value in written.items() if name not in LISTS}
    return {**single, **{name: searchset(written.get(name, [])) for name in LISTS}}


def sample(
    write: Callable[[Chart], Json],
    key: str,
    hook: str,
    orders: tuple[str, ...] = (),
    *,
    refills: tuple[str, ...] = (),
    problems: tuple[str, ...] = (),
    **told: str,
) -> SamplePatient:
    """``told`` are name, story and what it shows; the first order, refill or problem is the one chosen at first."""
    build = partial(record, write, key)
    return SamplePatient(key, told["name"], told["story"], told["shows"], hook, orders, build, refills, problems)
