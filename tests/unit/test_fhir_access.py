"""Who may ask which server, what is asked, and when a server is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import monotonic, perf_counter
from typing import Any

import msgspec
import pytest

from cds_hooks.clients import Client, Registry
from cds_hooks.errors import SettingsTrouble
from cds_hooks.fhir_access import FhirAccess
from cds_hooks.fhir_access.queries import TYPED, query_of
from cds_hooks.fhir_access.server import LONGEST_REST, OPEN_SECONDS, Server
from cds_hooks.metrics import Metrics
from cds_hooks.outbound import Outbound
from cds_hooks.prefetch import Key, Plan, Received, assess
from cds_hooks.service import Prefetched
from cds_hooks.settings import Settings
from cds_hooks.wire import Call, make_decoder
from tests.contract.toy import Resource, toy
from tests.support.fhir_server import FhirServer, serving

Json = dict[str, Any]
ONE = {"resourceType": "Patient", "id": "p1"}
PLUGIN = toy()
PLAN = Plan.of(PLUGIN.services[0])
DECODE = make_decoder(Resource).decode


def made(base: str, token: Any = "tok", prefetch: Json | None = None, **authorization: Any) -> Call:
    """A decoded call that names a server."""
    body = {
        "hook": "patient-view",
        "hookInstance": "1",
        "fhirServer": base,
        "context": {"patientId": "p1", "userId": "Practitioner/u1"},
        "prefetch": prefetch or {},
        "fhirAuthorization": {"access_token": token, "token_type": "Bearer"} | authorization,
    }
    return DECODE(msgspec.json.encode(body), PLAN.service)


def completed(call: Call, client: Client, **settings: Any) -> tuple[dict[str, Prefetched], Metrics]:
    """The keys after fetching for a client, and the counters."""
    own = Settings(clients=(client,), **settings)
    metrics = Metrics()

    async def play() -> Received:
        access = FhirAccess(own, Registry.of(own), PLUGIN, metrics)
        try:
            return await access.complete(PLAN, call, assess(PLAN, call), client, monotonic() + 2)
        finally:
            await access.close()

    return dict(asyncio.run(play()).prefetch), metrics


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with serving(ONE) as running:
        yield running


def test_a_client_reaches_its_own_servers_and_no_other(server: FhirServer) -> None:
    mine = Client(name="mine", fhir_servers=(server.base,))
    other = Client(name="other", fhir_servers=("https://ehr.example/fhir",))
    for client, settings in ((other, {}), (other, {"fhir_servers": (server.base,)}), (Client(name="none"), {})):
        keys, metrics = completed(made(server.base), client, **settings)
        assert [one.fetch for one in keys.values()] == ["not-registered", "not-registered", ""]
        assert metrics.fhir_requests == {("not-registered",): 1}
    assert server.asked == []
    keys, metrics = completed(made(server.base), mine)
    assert [one.fetch for one in keys.values()] == ["fetched", "fetched", ""]
    assert metrics.fhir_requests == {("answered",): 3}


# authorization, settings of the client -> the words for Patient and Observation
ACCESS: list[tuple[str, Json, Json, list[str]]] = [
    ("a token", {}, {}, ["fetched", "fetched"]),
    ("an empty token", {"access_token": ""}, {}, ["no-token", "no-token"]),
    ("another kind of token", {"token_type": "mac"}, {}, ["no-token", "no-token"]),
    ("an open server", {"access_token": ""}, {"fhir_open": True}, ["fetched", "fetched"]),
    ("one read", {"scope": "patient/Patient.read"}, {}, ["fetched", "scope"]),
    ("one search", {"scope": "user/Observation.rs"}, {}, ["scope", "fetched"]),
    ("a read where a search is needed", {"scope": "patient/*.r"}, {}, ["fetched", "scope"]),
    ("no resource at all", {"scope": "openid"}, {}, ["scope", "scope"]),
    ("a part", {"scope": "patient/*.rs?x=y"}, {}, ["fetched", "restricted"]),
    ("the same patient", {"patient": "p1"}, {}, ["fetched", "fetched"]),
    ("the same patient as a reference", {"patient": "Patient/p1"}, {}, ["fetched", "fetched"]),
    ("another patient", {"patient": "p2"}, {}, ["other-patient", "other-patient"]),
]


@pytest.mark.parametrize(("given", "own", "words"), [row[1:] for row in ACCESS], ids=[row[0] for row in ACCESS])
def test_what_a_call_may_have_fetched(server: FhirServer, given: Json, own: Json, words: list[str]) -> None:
    client = Client(name="ehr", fhir_servers=(server.base,), **own)
    token = given.get("access_token", "tok")
    keys, _ = completed(made(server.base, token, **{k: v for k, v in given.items() if k != "access_token"}), client)
    assert [keys["patient"].fetch, keys["things"].fetch] == words
    if words[0] == "other-patient":
        assert {(one.state.value, one.reason) for one in (keys["patient"], keys["things"])} == {
            ("failed", "other-patient")
        }
    if words[1] == "scope":
        assert (keys["things"].state.value, keys["things"].reason) == ("missing", "key-missing")
    if words[1] == "restricted":
        assert (keys["things"].state.value, keys["things"].reason) == ("failed", "key-failed")
    if not any(word in ("fetched", "restricted") for word in words):
        assert server.asked == []
    if own.get("fhir_open"):
        assert "Authorization" not in server.asked[0].headers


def test_a_private_address_is_connected_to_only_where_the_operator_listed_it(server: FhirServer) -> None:
    port = server.base.rpartition(":")[2]
    for host, networks in (("localhost", ()), ("127.0.0.1", ())):
        keys, _ = completed(
            made(f"http://{host}:{port}"),
            Client(name="e", fhir_servers=(f"http://{host}:{port}",), fhir_networks=networks),
        )
        assert keys["patient"].fetch == "fetched"


UNUSABLE = [
    ({"fhir_servers": ("http://ehr.example/fhir",)}, "without encryption"),
    ({"fhir_servers": ("https://ehr.example/fhir%20base",)}, "plain letters"),
    ({"fhir_servers": ("https://ehr.example/a/../fhir",)}, "plain letters"),
]


@pytest.mark.parametrize(("settings", "told"), UNUSABLE)
def test_a_base_that_cannot_be_used_is_told_at_the_start(settings: Json, told: str) -> None:
    own = Settings(**settings)
    with pytest.raises(SettingsTrouble, match=told):
        FhirAccess(own, Registry.of(own), PLUGIN, Metrics())


def test_with_nothing_missing_it_costs_next_to_nothing() -> None:
    own = Settings(fhir_servers=("https://ehr.example/fhir",))
    registry = Registry.of(own)
    access = FhirAccess(own, registry, PLUGIN, Metrics())
    call = made("https://ehr.example/fhir", prefetch={"patient": ONE, "things": None})
    received = assess(PLAN, call)

    async def play() -> float:
        best = 1.0
        for _ in range(5):
            begun = perf_counter()
            for _ in range(1000):
                assert await access.complete(PLAN, call, received, registry.anonymous, 0.0) is received
            best = min(best, (perf_counter() - begun) / 1000)
        await access.close()
        return best

    assert asyncio.run(play()) < 100e-6


# template, resource type -> what is asked, in the other spelling, and without arrangement
CALL = made("https://ehr.example/fhir")
CALL.encounter_id = "e-1.x"
TEMPLATES: list[tuple[str, str, str | None, str, str]] = [
    ("Patient/{{context.patientId}}", "Patient", "Patient/p1", "Patient/p1", "Patient/p1"),
    ("Encounter/{{ context.encounterId }}", "Encounter", "Encounter/e-1.x", "Encounter/e-1.x", "Encounter/e-1.x"),
    (
        "Observation?patient={{context.patientId}}&code=http://loinc.org|17861-6,http://loinc.org|2-9&_sort=-date&_count=9",
        "Observation",
        "Observation?patient=p1&code=http:%2F%2Floinc.org%7C17861-6,http:%2F%2Floinc.org%7C2-9&_sort=-date&_count=9",
        "Observation?patient=Patient%2Fp1&code=http:%2F%2Floinc.org%7C17861-6,http:%2F%2Floinc.org%7C2-9&_sort=-date"
        "&_count=9",
        "Observation?patient=p1&code=http:%2F%2Floinc.org%7C17861-6,http:%2F%2Floinc.org%7C2-9",
    ),
    ("Group?member={{context.userId}}", "Group", *["Group?member=Practitioner%2Fu1"] * 3),
    ("Group?member=Patient/{{context.patientId}}", "Group", *["Group?member=Patient%2Fp1"] * 3),
    ("Observation?patient={{context.unknown}}", "Observation", None, "", ""),
    ("Observation?patient={{userPatientId}}", "Observation", None, "", ""),
    ("Observation?date=ge{{today() - 30 days}}", "Observation", None, "", ""),
    ("Condition?patient={{context.patientId}}", "Observation", None, "", ""),
]


@pytest.mark.parametrize(("template", "kind", "bare", "typed", "plain"), TEMPLATES, ids=[row[0] for row in TEMPLATES])
def test_what_is_asked(template: str, kind: str, bare: str | None, typed: str, plain: str) -> None:
    query = query_of(template, Key("k", kind, "?" in template, ()), CALL)
    if bare is None:
        assert query is None
        return
    assert query is not None
    assert (query.target(), query.target(TYPED), query.target(plain=True)) == (bare, typed, plain)


def _server(times: list[float]) -> Server:
    return Server(Outbound("http://127.0.0.1:9"), now=lambda: times[0])


def test_after_five_calls_in_vain_nothing_is_asked_for_ten_seconds_and_then_by_one_call() -> None:
    times = [100.0]
    server = _server(times)
    for _ in range(5):
        assert server.enter()
        server.leave(worked=False)
    assert (server.enter(), server.state, server.is_well) == (False, "open", False)
    times[0] += OPEN_SECONDS - 0.01
    assert not server.enter()
    times[0] += 0.01
    assert [server.enter(), server.enter()] == [True, False]
    server.leave(worked=False)
    assert not server.enter()
    times[0] += OPEN_SECONDS
    assert server.enter()
    server.leave(worked=True)
    assert (server.enter(), server.enter(), server.state, server.is_well) == (True, True, "closed", True)


def test_a_trial_that_asked_nothing_leaves_the_way_open_for_the_next() -> None:
    times = [100.0]
    server = _server(times)
    for _ in range(5):
        server.leave(worked=False)
    times[0] += OPEN_SECONDS
    assert server.enter()
    server.leave(worked=None)
    assert server.enter()


def test_failures_that_are_not_in_a_row_are_forgiven() -> None:
    server = _server([100.0])
    for worked in [False] * 4 + [True] + [False] * 4:
        assert server.enter()
        server.leave(worked=worked)
    assert server.is_well


@pytest.mark.parametrize(("rest", "seconds"), [(1.0, 1.0), (30.0, 30.0), (3600.0, LONGEST_REST)])
def test_a_server_that_asks_for_rest_gets_it_within_reason(rest: float, seconds: float) -> None:
    times = [100.0]
    server = _server(times)
    assert server.enter()
    server.leave(worked=True, rest=rest)
    times[0] += seconds - 0.01
    assert not server.enter()
    times[0] += 0.02
    assert server.enter()


def test_a_server_that_is_down_for_days_stays_countable() -> None:
    server = _server([100.0])
    for _ in range(5000):
        server.leave(worked=False)
    assert server.state == "open"
