"""The owner check against every mixture: nothing that names someone else is ever handed over."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks.limits import within
from cds_hooks.prefetch import Plan, assess
from cds_hooks.wire import make_decoder
from tests.contract.conftest import bundle, call, patient, thing
from tests.contract.toy import Resource, toy

DECODER = make_decoder(Resource)
PLAN = Plan.of(next(service for service in toy().services if service.hook == "order-sign"))
MRN = {"system": "urn:mrn", "value": "77"}
OTHER = {"system": "urn:mrn", "value": "78"}
SERVER = "https://ehr.example/r4"

MINE: list[Any] = [
    "Patient/p1",
    "Patient/p1/_history/1",
    f"{SERVER}/Patient/p1",
    "urn:uuid:p1",
    {"identifier": MRN},
    {"display": "x"},
    None,
]
FOREIGN: list[Any] = [
    "Patient/p2",
    "Patient/p2/_history/1",
    f"{SERVER}/Patient/p2",
    "https://other.example/Patient/p1",
    "urn:uuid:p2",
    "Group/p1",
    {"identifier": OTHER},
    {"reference": "Patient/p2", "identifier": MRN},
    {"reference": "Patient/p2", "display": "p1"},
    {"type": "Patient"},
    "#c",
]
ENTRIES = st.lists(
    st.tuples(st.booleans(), st.sampled_from(MINE), st.sampled_from(FOREIGN), st.booleans()), min_size=1, max_size=12
)


def a_resource(number: int, spelling: Any, unreadable: bool) -> dict[str, Any]:
    more: dict[str, Any] = {"contained": [patient("c", identifier=[OTHER])]} if spelling == "#c" else {}
    return thing(f"t{number}", spelling, **more) | ({"link": "wrong"} if unreadable else {})


@given(ENTRIES)
@settings(max_examples=400, deadline=None)
def test_nothing_foreign_is_handed_over(entries: list[tuple[bool, Any, Any, bool]]) -> None:
    resources = [a_resource(n, mine if own else other, bad) for n, (own, mine, other, bad) in enumerate(entries)]
    prefetch = {"patient": patient(identifier=[MRN]), "things": bundle(*resources)}
    body = json.dumps(call("order-sign", prefetch, fhirServer=SERVER)).encode()
    found = assess(PLAN, DECODER.decode(body, PLAN.service)).prefetch["things"]
    readable = [(n, own) for n, (own, _, _, bad) in enumerate(entries) if not bad]
    assert [one.id for one in found.resources] == [f"t{n}" for n, own in readable if own]
    assert found.foreign == sum(not own for _, own in readable)
    assert [one.id for one in found.unreadable] == [f"t{n}" for n, (_, _, _, bad) in enumerate(entries) if bad]


def test_a_plan_knows_what_each_template_asks_for() -> None:
    keys = {key.name: key for key in PLAN.keys}
    assert (keys["patient"].search, keys["patient"].needs) == (False, ("patient_id",))
    assert (keys["things"].search, keys["things"].resource_type) == (True, "Observation")
    assert keys["stay"].needs == ("encounter_id",)


def test_waiting_ends_when_it_should() -> None:
    async def later(seconds: float) -> int:
        await asyncio.sleep(seconds)
        return 7

    async def cancelled() -> None:
        task = asyncio.ensure_future(within(10, later(10)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def scenario() -> None:
        assert await within(5, later(0)) == 7
        with pytest.raises(TimeoutError):
            await within(0.01, later(5))
        assert await within(5, later(0)) == 7
        await cancelled()

    asyncio.run(scenario())
