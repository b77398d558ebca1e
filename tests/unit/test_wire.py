"""The decoder alone: whatever comes is a call or a :class:`BadCall`, and reading piece by piece reads the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks.duplicates import has_duplicate_keys
from cds_hooks.errors import BadCall
from cds_hooks.request_models import CONTEXTS
from cds_hooks.service import Service, Unreadable
from cds_hooks.shapes import ReadBundle, WrongShape
from cds_hooks.wire import PUBLISHED_HOOKS, Call, make_decoder
from tests.contract.conftest import bundle, call, patient, thing
from tests.contract.toy import Resource, toy

DECODER = make_decoder(Resource)
SERVICES = {service.hook: service for service in toy().services}
SIGN = SERVICES["order-sign"]

NAMES = st.sampled_from(
    ["resourceType", "id", "entry", "resource", "subject", "reference", "link", "total", "search", "identifier", "x"]
)
TEXTS = st.none() | st.booleans() | st.text(max_size=8)


def values(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        TEXTS | numbers,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    )


VALUES = values(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
# Numbers of the context itself are bounded; test_inbound_bodies has those beyond.
CONTEXT_VALUES = values(st.integers(-(2**53), 2**53) | st.floats(-(2.0**53), 2.0**53))
SOUND = [patient(), thing("a"), bundle(thing("a"), thing("b")), None]


def decode(body: Any, service: Service = SIGN) -> Call:
    return DECODER.decode(body if isinstance(body, bytes) else json.dumps(body).encode(), service)


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
@settings(deadline=None)
def test_any_bytes_are_a_call_or_none(body: bytes) -> None:
    with pytest.raises(BadCall):
        decode(body)


@given(st.dictionaries(st.sampled_from(["patient", "things", "own"]), VALUES | st.sampled_from(SOUND), max_size=3))
@settings(max_examples=300, deadline=None)
def test_any_prefetch_can_be_read(prefetch: dict[str, Any]) -> None:
    read = decode(call("order-sign", prefetch)).prefetch
    assert isinstance(read, dict)
    assert set(read) == set(prefetch)


@given(CONTEXT_VALUES)
@settings(max_examples=300, deadline=None)
def test_any_context_is_read_or_refused(value: Any) -> None:
    body = call("order-sign", context={"draftOrders": value, "userId": value, "selections": value})
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        assert decode(body).bundles["draftOrders"].resourceType == "Bundle"  # type: ignore[union-attr]
    else:
        with pytest.raises(BadCall, match=r"context\.draftOrders: expected a Bundle"):
            decode(body)


@given(st.lists(VALUES | st.sampled_from(SOUND), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_resource_is_read_or_unreadable_and_never_lost(resources: list[Any]) -> None:
    entries = [{"resource": one} for one in resources]
    read = decode(call("order-sign", {"things": {"resourceType": "Bundle", "entry": entries, "id": 7}})).prefetch
    assert isinstance(read, dict)
    given_bundle = read["things"]
    assert isinstance(given_bundle, ReadBundle)
    assert len(given_bundle.entry) == len(resources)
    for entry, one in zip(given_bundle.entry, resources, strict=True):
        assert (entry.resource is None) == (one is None)
        if one in SOUND and one is not None:
            assert not isinstance(entry.resource, Unreadable)


def test_reading_piece_by_piece_reads_the_same() -> None:
    sound = {"patient": patient(), "things": bundle(thing("a"), thing("b", value=1.10), total=2, link=[])}
    typed = decode(call("order-sign", sound)).prefetch
    loose = decode(call("order-sign", sound | {"bad": patient(link="wrong")})).prefetch
    assert isinstance(typed, dict)
    assert isinstance(loose, dict)
    assert typed["patient"] == loose["patient"]
    assert isinstance(typed["things"], Resource)
    assert loose["things"] == typed["things"]
    assert loose["bad"] == Unreadable("Patient", "p1")


def test_numbers_stay_exact() -> None:
    read = decode(
        b'{"hook":"order-sign","hookInstance":"i","context":{"patientId":"p","draftOrders":{"resourceType":'
        b'"Bundle","entry":[{"resource":{"resourceType":"X","value":{"a":1.10}}}]}}}'
    )
    assert str(read.bundles["draftOrders"].entry[0].resource.value["a"]) == "1.10"  # type: ignore[union-attr,index]


@pytest.mark.parametrize(("value", "kind"), [([], "array"), ("x", "string"), (7, "number"), (True, "boolean")])
def test_a_prefetch_of_a_wrong_type_is_told(value: Any, kind: str) -> None:
    assert decode(call("order-sign") | {"prefetch": value}).prefetch == WrongShape(kind)


@pytest.mark.parametrize("field", ["userId", "encounterId", "selections"])
@pytest.mark.parametrize("value", [None, 7, {}, [], [7], "Encounter/e"])
def test_optional_context_is_read_forgivingly(field: str, value: Any) -> None:
    read = decode(call(context={field: value}), SERVICES["patient-view"])
    assert isinstance(read.user_id, str)
    assert read.encounter_id in ("", "e")
    assert read.selections == ()


PAIRS = st.recursive(
    st.integers(-9, 9).map(str) | st.sampled_from(['"a\\"b\\":"', '"\\u0061"', "1.0", "1e5", "null", '"é"', '""']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + " , ".join(items) + "]")
        | st.lists(st.tuples(st.sampled_from(['"a"', '"b"', '"\\u0061"', '"a\\\\"', '"a:"']), inner), max_size=3).map(
            lambda members: "{" + ",".join(f"{key} :{value}" for key, value in members) + "}"
        )
    ),
    max_leaves=8,
)


def truly_duplicate(text: str) -> bool:
    found = []

    def see(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        found.append(len(names) != len(set(names)))

    json.loads(text, object_pairs_hook=see)
    return any(found)


@given(PAIRS)
@settings(max_examples=500, deadline=None)
def test_the_quick_look_for_duplicate_keys_is_exact(text: str) -> None:
    assert has_duplicate_keys(text.encode()) == truly_duplicate(text)


def test_a_plugin_struct_without_defaults_for_its_type_is_read_as_well() -> None:
    class Strict(msgspec.Struct):
        resourceType: str
        id: str | None = None
        entry: list[Any] | None = None

    body = call("patient-view", {"things": {}, "patient": {"resourceType": "Patient", "id": "p1"}})
    read = make_decoder(Strict).decode(json.dumps(body).encode(), SERVICES["patient-view"])
    assert isinstance(read.prefetch, dict)
    assert read.prefetch["things"] == WrongShape("an object without resourceType")
    assert read.prefetch["patient"] == Strict("Patient", "p1")


def test_a_bundle_within_a_bundle_that_cannot_be_read_whole_is_unreadable() -> None:
    inner = bundle(thing("a")) | {"total": {}, "link": 7}
    read = decode(call("order-sign", {"things": bundle(thing("b"), inner)})).prefetch
    assert isinstance(read, dict)
    assert [type(entry.resource).__name__ for entry in read["things"].entry] == ["Resource", "Unreadable"]  # type: ignore[union-attr]


def test_the_hooks_that_may_be_named_are_those_with_a_published_context() -> None:
    assert CONTEXTS.keys() == PUBLISHED_HOOKS
