"""The owner check against every mixture: nothing that names someone else is ever handed over."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks.limits import within
from cds_hooks.prefetch import Plan, assess
from cds_hooks.service import KeyState, Unreadable
from cds_hooks.wire import make_decoder
from tests.contract.conftest import bundle, call, patient, thing
from tests.contract.toy import Named, Part, Reference, Resource, toy

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


LATE = {
    "total": msgspec.json.Decoder(Any, float_hook=Decimal),
    "link": msgspec.json.Decoder(list[Part]),
    "issue": msgspec.json.Decoder(list[Part]),
    "identifier": msgspec.json.Decoder(list[Named]),
    "contained": msgspec.json.Decoder(list[Resource]),
}


def late(name: str) -> property:
    """An element that is read when it is asked for, as a plugin may do it for speed."""

    def read(self: Any) -> Any:
        raw = self.raw.get(name)
        return LATE[name].decode(raw) if raw else None

    return property(read)


class LateEntry(msgspec.Struct):
    """An entry without ``response``."""

    fullUrl: str | None = None
    resource: Late | None = None
    search: Part | None = None


class Late(msgspec.Struct):
    """A resource whose rarer elements are read late. The tests put them all under ``raw``."""

    resourceType: str = ""
    id: str | None = None
    type: Any = None
    entry: list[LateEntry] | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    raw: dict[str, msgspec.Raw] = {}
    total, link, issue, identifier, contained = map(late, LATE)


LATE_DECODER = make_decoder(Late)
NUMBERS = ("1e99999999999999999999", "9" * 4301, "1e999", "10000000000000000000000")
ERROR = {"resourceType": "OperationOutcome", "raw": {"issue": "x"}}
BY_IDENTIFIER = thing("a", {"identifier": MRN})
CONTAINED = thing("a", "#c", raw={"contained": "x"})
LATE_ROWS: list[tuple[str, Any, str, str, list[str], int]] = [
    ("link", bundle(thing("a"), raw={"link": "x"}), "truncated", "a", [], 0),
    ("link with a good total", bundle(thing("a"), raw={"link": 1, "total": 1}), "truncated", "a", [], 0),
    ("issue", bundle(thing("a"), ERROR), "key-failed", "a", [], 0),
    ("contained", bundle(CONTAINED, thing("b")), "", "b", ["a"], 0),
    ("contained, alone", CONTAINED, "key-failed", "", ["a"], 0),
    ("the patient's identifier", bundle(BY_IDENTIFIER, thing("b")), "", "b", [], 1),
    ("a good identifier", bundle(thing("b", raw={"identifier": [MRN]})), "", "b", [], 0),
]


@pytest.mark.parametrize(
    ("value", "reason", "kept", "unreadable", "foreign"), [row[1:] for row in LATE_ROWS], ids=[r[0] for r in LATE_ROWS]
)
def test_what_raises_when_it_is_read_late(
    value: Any, reason: str, kept: str, unreadable: list[str], foreign: int
) -> None:
    prefetch = {"patient": patient(raw={"identifier": "x"}), "things": value}
    body = json.dumps(call("order-sign", prefetch, {"draftOrders": bundle(CONTAINED, raw={"link": 7})})).encode()
    received = assess(PLAN, LATE_DECODER.decode(body, PLAN.service))
    found, orders = received.prefetch["things"], received.bundles["draftOrders"]
    assert (found.state is KeyState.FAILED, found.reason) == (bool(reason), reason)
    assert [one.id for one in found.resources] == [*kept]
    assert found.unreadable == [Unreadable("Observation", id) for id in unreadable]
    assert found.foreign == foreign
    assert (orders.reason, orders.unreadable) == ("truncated", [Unreadable("Observation", "a")])


@pytest.mark.parametrize("number", NUMBERS, ids=[number[:12] for number in NUMBERS])
@pytest.mark.parametrize("more", ["", '"type":7,'], ids=["as a whole", "piece by piece"])
@pytest.mark.parametrize("decoder", [DECODER, LATE_DECODER], ids=["at once", "late"])
def test_a_total_beyond_reason_means_that_there_is_more(number: str, more: str, decoder: Any) -> None:
    total = f'"total":{number},"raw":{{"total":{number}}}'
    value = f'{{"resourceType":"Bundle",{more}{total},"entry":[{{"resource":{{"resourceType":"Observation"}}}}]}}'
    body = json.dumps(call("order-sign", {"things": "?"})).replace('"?"', value)
    found = assess(PLAN, decoder.decode(body.encode(), PLAN.service)).prefetch["things"]
    assert (found.state, found.reason, len(found.resources)) == (KeyState.FAILED, "truncated", 1)


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
