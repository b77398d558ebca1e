"""What servers and callers do to a service that fetches: nobody else is called, nothing leaks, all ends in time."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.service import Answer, Plugin
from tests.contract.conftest import UNHURRIED, Json, Running, bundle, call, facts, patient, reason, thing
from tests.contract.test_fetching import ERROR, TOKEN, asking, authorization, keys
from tests.contract.toy import toy
from tests.support.fhir_server import Asked, Reply, searchset, serving

Start = Callable[..., Running]
NAME = "Canaryname"
MRN = "mrn-canary-77"


@pytest.fixture
def start(start: Start) -> Start:
    return partial(start, **UNHURRIED)


class Canary:
    """Counts who connects to a port where nobody should."""

    def __init__(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        self.heads: list[bytes] = []
        self.connects = 0
        self._listener = listener

    def listen(self) -> None:
        """Takes every connection and remembers what it says."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connects += 1
                with connection, suppress(OSError):
                    connection.settimeout(0.5)
                    self.heads.append(connection.recv(65536))


@contextmanager
def listening() -> Iterator[Canary]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        canary = Canary(listener)
        threading.Thread(target=canary.listen, daemon=True).start()
        yield canary


# A base is registered at {here}; a canary listens at {there}.
SPELLINGS = """
http://127.0.0.1:{there}/fhir
http://127.0.0.1:{there}
http://localhost:{there}/fhir
http://LOCALHOST:{there}/fhir
http://127.0.0.1.:{there}/fhir
http://127.1:{there}/fhir
http://127.0.1:{there}/fhir
http://127.0.0.01:{there}/fhir
http://127.000.000.001:{there}/fhir
http://2130706433:{there}/fhir
http://0x7f000001:{there}/fhir
http://0x7F.0x0.0x0.0x1:{there}/fhir
http://0177.0.0.1:{there}/fhir
http://017700000001:{there}/fhir
http://0:{there}/fhir
http://0.0.0.0:{there}/fhir
http://[::ffff:127.0.0.1]:{there}/fhir
http://[::ffff:7f00:1]:{there}/fhir
http://[::1]:{there}/fhir
http://[::]:{there}/fhir
http://127.0.0.1:{here}@127.0.0.1:{there}/fhir
http://127.0.0.1:{here}%40127.0.0.1:{there}/fhir
http://ehr@127.0.0.1:{there}/fhir
http://ehr:pass@127.0.0.1:{there}/fhir
http://127.0.0.1:{there}#@127.0.0.1:{here}/fhir
http://127.0.0.1:{there}?@127.0.0.1:{here}/fhir
http://127.0.0.1:{there}\\@127.0.0.1:{here}/fhir
http://127.0.0.1:{here}\\@127.0.0.1:{there}/fhir
http://127.0.0.1:{there}/127.0.0.1:{here}/fhir
http://127.0.0.1:{there}/fhir#127.0.0.1:{here}
http://127.0.0.1:{here}:{there}/fhir
http://127.0.0.1:{there}:{here}/fhir
http://127.0.0.1:0{there}/fhir
http://127.0.0.1:+{there}/fhir
http://127。0。0。1:{there}/fhir
http://127．0．0．1:{there}/fhir
http://１２７.0.0.1:{there}/fhir
http://①②⑦.0.0.1:{there}/fhir
http://localhoſt:{there}/fhir
http://lo\u00adcalhost:{there}/fhir
http://127.0.0.1\u200b:{there}/fhir
//127.0.0.1:{there}/fhir
///127.0.0.1:{there}/fhir
http:/127.0.0.1:{there}/fhir
http:127.0.0.1:{there}/fhir
http:///127.0.0.1:{there}/fhir
http:\\\\127.0.0.1:{there}\\fhir
HTTP://127.0.0.1:{there}/fhir
hTTp://127.0.0.1:{there}/FHIR
https://127.0.0.1:{there}/fhir
ftp://127.0.0.1:{there}/fhir
gopher://127.0.0.1:{there}/fhir
file://127.0.0.1:{there}/fhir
\thttp://127.0.0.1:{there}/fhir
http://127.0.0.1:{there}/fhir\t
http://127.0.0.1\t:{there}/fhir
ht\ttp://127.0.0.1:{there}/fhir
http://127.0.0.1:{here}/fhir?@127.0.0.1:{there}
http://127.0.0.1:{here}/fhir#x
http://127.0.0.1:{here}/fhir?x
http://127.0.0.1:{here}//fhir
http://127.0.0.1:{here}/fhir//
http://127.0.0.1:{here}/fhir/../fhir
http://127.0.0.1:{here}/./fhir
http://127.0.0.1:{here}/%66hir
http://127.0.0.1:{here}/fhir%2f
http://127.0.0.1:{here}/FHIR
http://127.0.0.1:{here}/fhir/Patient
http://127.0.0.1:{here}
http://127.0.0.1:0{here}/fhir
""".strip("\n").split("\n")


def test_sixty_spellings_of_a_base_are_refused_without_a_connection(start: Start) -> None:
    with serving(patient()) as server, listening() as canary:
        service = start(fhir_servers=(server.base,), fhir_open=True)
        here = server.base.rpartition(":")[2].partition("/")[0]
        for spelling in SPELLINGS:
            address = spelling.format(here=here, there=canary.port)
            answer = service.call(asking(server, fhirServer=address))
            assert answer.status_code == 200
            assert keys(service, answer)["patient"]["fetch"] == "not-registered", address
        assert (len(SPELLINGS) >= 60, canary.connects, server.asked) == (True, 0, [])
        assert f'cds_fhir_requests_total{{outcome="not-registered"}} {len(SPELLINGS)}.0' in _metrics(service)


def test_a_spelling_that_means_the_same_calls_the_registered_one(start: Start) -> None:
    with serving(patient()) as server:
        service = start(fhir_servers=(server.base,))
        for spelling in (server.base + "/", server.base.replace("http", "HTTP")):
            answer = service.call(asking(server, fhirServer=spelling))
            assert facts(answer)["patient"].startswith("satisfied")
    assert {one.headers["Host"] for one in server.asked} == {server.base.split("/")[2]}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["http://127.0.0.1:{there}/fhir", "//127.0.0.1:{there}/", "{base}/Patient/p1", ""])
def test_a_redirect_is_not_followed(start: Start, status: int, place: str) -> None:
    with listening() as canary, serving() as server:
        location = place.format(there=canary.port, base=server.base)
        server.fault = lambda _: Reply(b"", status, {"Location": location})
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"things": bundle()}))
        assert keys(service, answer)["patient"]["fetch"] == f"status-{status}"
        assert (len(server.asked), canary.connects) == (1, 0)


@pytest.mark.parametrize("place", ["http://127.0.0.1:{there}/fhir/Observation?x=1", "//127.0.0.1:{there}/fhir?x=1"])
def test_the_token_does_not_follow_a_page_to_another_port(start: Start, place: str) -> None:
    with listening() as canary, serving() as server:
        link = [{"relation": "next", "url": place.format(there=canary.port)}]
        server.fault = lambda _: searchset(thing("o1"), link=link)
        service = start(fhir_servers=(server.base,))
        sent = {"patient": patient(), "things": bundle(thing("o0"), link=link)}
        for given in ({"patient": patient()}, sent):
            assert keys(service, service.call(asking(server, given)))["things"]["fetch"] == "foreign-next"
        assert (canary.connects, canary.heads) == (0, [])


def test_neither_a_proxy_nor_a_netrc_of_the_environment_is_used(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password netrc-canary\n")
    netrc.chmod(0o600)
    with listening() as canary, serving(patient()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        service = start(fhir_servers=(server.base,), fhir_open=True)
        service.call(asking(server, fhirAuthorization=None))
        assert canary.connects == 0
    assert len(server.asked) > 0
    assert not [one for one in server.asked if "Authorization" in one.headers]


def _metrics(service: Running) -> str:
    return service.client.get("/metrics").text


def _ready(service: Running) -> Json:
    told: Json = service.client.get("/readyz").json()
    return told


# --- Time ------------------------------------------------------------------------------------------------------------


def _quickest(service: Running, body: Json, tries: int = 3) -> tuple[float, Any]:
    """The best of a few calls: the machine has other work too."""
    best, answer = 60.0, None
    for _ in range(tries):
        begun = time.perf_counter()
        answer = service.call(body)
        best = min(best, time.perf_counter() - begun)
    return best, answer


def test_a_server_that_hangs_costs_its_budget_and_what_came_counts(start: Start) -> None:
    ended = threading.Event()

    def hang(asked: Asked) -> Reply | None:
        if asked.path == "Observation":
            ended.wait(5)
        return None

    with serving(patient(), fault=hang) as server:
        service = start(fhir_servers=(server.base,), fhir_budget_ms=150)
        seconds, answer = _quickest(service, asking(server))
        ended.set()
    told = keys(service, answer)
    assert (told["patient"], told["things"]) == (
        {"state": "satisfied", "fetched": True},
        {"state": "failed", "reason": "key-failed", "fetch": "timeout"},
    )
    assert 0.15 <= seconds < 0.5


def test_a_budget_larger_than_the_call_leaves_time_for_the_answer(start: Start) -> None:
    ended = threading.Event()
    with serving(fault=lambda _: Reply() if ended.wait(5) else None) as server:
        service = start(fhir_servers=(server.base,), fhir_budget_ms=5000, budget_ms=400)
        seconds, answer = _quickest(service, asking(server))
        ended.set()
    assert answer.status_code == 200
    assert seconds < 0.45


def test_a_slow_drip_and_an_endless_answer_end_with_the_budget_and_the_limit(start: Start) -> None:
    big = b'{"resourceType":"Bundle","entry":[' + b" " * (6 * 1024 * 1024) + b"]}"
    with serving(fault=lambda asked: Reply(big) if asked.path == "Observation" else None) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, {"patient": patient()}))
        assert keys(service, answer)["things"]["fetch"] == "unusable"


def test_a_dead_server_costs_nothing_once_it_is_known_to_be_dead(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        base = f"http://127.0.0.1:{reserved.getsockname()[1]}/fhir"
    service = start(fhir_servers=(base,))
    body = call("order-sign", {}, fhirServer=base, fhirAuthorization=authorization())
    for _ in range(5):
        assert keys(service, service.call(body))["patient"]["fetch"] == "unreachable"
    told = keys(service, service.call(body))["patient"]
    assert told == {"state": "failed", "reason": "key-failed", "fetch": "open-circuit"}
    assert _ready(service)["status"] == "degraded"
    assert "127.0.0.1" in _ready(service)["reasons"][-1]
    assert 'cds_fhir_servers{state="open"} 1.0' in _metrics(service)


@pytest.mark.parametrize("rest", ["3600", "120", "Fri, 31 Dec 2099 23:59:59 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_rest_is_not_asked_again(start: Start, status: int, rest: str) -> None:
    with serving(fault=lambda _: Reply(ERROR, status, {"Retry-After": rest})) as server:
        service = start(fhir_servers=(server.base,))
        for word in (f"status-{status}", "open-circuit", "open-circuit"):
            assert keys(service, service.call(asking(server)))["patient"]["fetch"] == word
        assert len(server.asked) == 2


def test_a_server_that_refuses_the_token_is_not_asked_twice_and_stays_well(start: Start) -> None:
    with serving(fault=lambda _: Reply(ERROR, 401)) as server:
        service = start(fhir_servers=(server.base,))
        for _ in range(7):
            assert keys(service, service.call(asking(server)))["patient"]["fetch"] == "status-401"
        assert len(server.asked) == 14
    assert _ready(service)["status"] == "ok"


# --- What the deployment makes of failed keys ------------------------------------------------------------------------

PARTLY = {"patient": patient(), "things": ERROR}
POLICIES: list[tuple[str, int, str]] = [
    ("note", 200, "failed key-failed"),
    ("omit", 200, "missing key-missing"),
    ("fail", 412, ""),
]


@pytest.mark.parametrize(("policy", "status", "told"), POLICIES)
def test_what_becomes_of_a_key_that_failed(start: Start, policy: str, status: int, told: str) -> None:
    with serving(fault=lambda _: Reply(ERROR, 500)) as server:
        service = start(fhir_servers=(server.base,), failed_keys=policy)
        answer = service.call(asking(server, PARTLY))
    assert answer.status_code == status
    if status == 200:
        assert facts(answer)["things"].startswith(told)
    else:
        assert "could not be fetched: things." in reason(answer)
    assert keys(service, answer)["things"] == {"state": "failed", "reason": "key-failed", "fetch": "status-500"}


def test_a_key_that_was_fetched_after_all_fails_no_call(start: Start) -> None:
    with serving(thing("o1")) as server:
        service = start(fhir_servers=(server.base,), failed_keys="fail")
        assert facts(service.call(asking(server, PARTLY)))["things"].startswith("satisfied [o1]")


# what the call says -> what the refusal of a patient-level hook says
NOTHING: list[tuple[Json, str]] = [
    ({"fhirServer": None}, "names no FHIR server"),
    ({"fhirServer": "https://other.example/fhir"}, "not registered here"),
    ({"fhirAuthorization": {"access_token": ""}}, "no access token"),
    ({"fhirAuthorization": authorization(scope="openid")}, "does not allow"),
    ({"fhirAuthorization": authorization(patient="p2")}, "for another patient"),
    ({}, "none could be fetched"),
]


@pytest.mark.parametrize(("more", "told"), NOTHING, ids=[row[1] for row in NOTHING])
def test_a_patient_level_hook_without_anything_says_what_was_wrong(start: Start, more: Json, told: str) -> None:
    with serving(fault=lambda _: Reply(ERROR, 403)) as server:
        service = start(fhir_servers=(server.base,))
        answer = service.call(asking(server, hook="patient-view", **more))
    assert answer.status_code == 412
    assert told in reason(answer)
    assert "patient, things, stay" in reason(answer)


def test_a_patient_level_hook_works_from_what_is_fetched(start: Start) -> None:
    with serving(patient()) as server:
        service = start(fhir_servers=(server.base,))
        assert facts(service.call(asking(server, hook="patient-view")))["patient"].startswith("satisfied [p1]")


# --- Nothing leaks ---------------------------------------------------------------------------------------------------


def test_neither_token_nor_patient_is_found_anywhere_afterwards(
    start: Start, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    who = patient(MRN, name=[{"family": NAME}])
    faults: list[Any] = [
        None,
        Reply(ERROR, 500),
        Reply(b"<html>" + TOKEN.encode(), 200, {"Content-Type": "text/html"}),
        Reply(b"{", 200),
        Reply(b"", 302, {"Location": f"http://127.0.0.1:1/{TOKEN}/{MRN}"}),
        searchset(thing(NAME), link=[{"relation": "next", "url": f"http://{MRN}.example/{TOKEN}"}]),
        {**who, "birthDate": {"a": NAME}},
    ]
    with serving(who, thing("o1", f"Patient/{MRN}")) as server, caplog.at_level(logging.DEBUG):
        for name in ("httpx", "httpcore", "asyncio", "h11"):
            logging.getLogger(name).disabled = False
        # The toy's own card tells every id that it was given: here it says nothing.
        service = start(toy(lambda _: Answer()), fhir_servers=(server.base,))
        drafts = bundle(thing("d1", f"Patient/{MRN}", "MedicationRequest"))
        for fault in faults:
            server.fault = lambda _, fault=fault: fault
            body = asking(server, context={"patientId": MRN, "draftOrders": drafts})
            service.call(body)
            service.call({**body, "fhirServer": f"http://127.0.0.1:1/{TOKEN}"})
            service.call({**body, "hook": "patient-view"}, fhirAuthorization="")
        shown = _metrics(service) + json.dumps(_ready(service))
        service.stop()
    assert len(server.asked) > len(faults)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    captured = capfd.readouterr()
    every = {
        "metrics": shown,
        "output": captured.out + captured.err,
        "log": caplog.text,
        "files": written.decode("latin1"),
    }
    found = [(place, canary) for place, text in every.items() for canary in (TOKEN, MRN, NAME) if canary in text]
    assert "fhir-trouble" in captured.err + captured.out + caplog.text
    assert found == []


# --- References ------------------------------------------------------------------------------------------------------


def _pointing() -> Plugin:
    """A toy whose things point at other things by their ``value``."""
    plugin = toy()
    return Plugin(
        plugin.name,
        plugin.version,
        plugin.ruleset,
        plugin.resource,
        plugin.services,
        references=lambda resources: [one.value for one in resources if isinstance(one.value, str)],
    )


POINTERS: list[tuple[str, str, str, list[str]]] = [
    ("on the server", "Medication/m1", "d1,m1", ["Medication/m1"]),
    ("a version", "Medication/m1/_history/3", "d1,m1", ["Medication/m1"]),
    ("absolute, below the base", "{base}/Medication/m1", "d1,m1", ["Medication/m1"]),
    ("absolute, elsewhere", "http://127.0.0.1:{there}/fhir/Medication/m1", "d1", []),
    ("below the base and out again", "{base}/../Medication/m1", "d1", []),
    ("unknown to the server", "Medication/m9", "d1", ["Medication/m9"]),
    ("of another patient", "Observation/foreign", "d1", ["Observation/foreign"]),
    ("no reference", "urn:uuid:7", "d1", []),
    ("a search", "Medication?_id=m1", "d1", []),
    ("upwards", "Medication/..", "d1", []),
    ("not granted", "Specimen/s1", "d1", []),
]


@pytest.mark.parametrize(("pointer", "told", "asked"), [row[1:] for row in POINTERS], ids=[row[0] for row in POINTERS])
def test_what_a_draft_points_at_is_read(start: Start, pointer: str, told: str, asked: list[str]) -> None:
    kept = [thing("m1", None, "Medication"), thing("foreign", "Patient/p2"), thing("s1", None, "Specimen")]
    with listening() as canary, serving(*kept) as server:
        service = start(_pointing(), fhir_servers=(server.base,))
        value = pointer.format(base=server.base, there=canary.port)
        drafts = bundle(thing("d1", kind="MedicationRequest", value=value))
        scope = "patient/Medication.read patient/Observation.read"
        sent = {"patient": patient(), "things": bundle()}
        answer = service.call(
            asking(server, sent, context={"draftOrders": drafts}, fhirAuthorization=authorization(scope=scope))
        )
        assert facts(answer)["draftOrders"].startswith(f"satisfied [{told}]")
        assert (server.targets(), canary.connects) == (asked, 0)


def test_fifty_targets_are_read_and_none_that_came_already(start: Start) -> None:
    kept = [thing(f"m{number}", None, "Medication") for number in range(70)]
    with serving(*kept) as server:
        service = start(_pointing(), fhir_servers=(server.base,), fhir_budget_ms=2000, budget_ms=3000)
        pointing = [thing(f"o{number}", value=f"Medication/m{number}") for number in range(70)]
        sent = {"patient": patient(), "things": bundle(*pointing, kept[0])}
        service.call(asking(server, sent))
    assert len(server.asked) == 50
    assert "Medication/m0" not in server.targets()
