"""One EHR's server is silent: its own calls are answered in time, soon at once, and nobody else's are any slower."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter, sleep

import pytest

from tests.integration.calls import asked, resources, told
from tests.integration.faults import silence
from tests.integration.faulty import FaultServer, Place, sound
from tests.integration.peers import PEER_SETTINGS, audited
from tests.integration.record import Record
from tests.support.server import Answer, Service, running

HOOK, PATIENT = "order-sign", "berta-sampler"
ALLOWED_SECONDS = 0.55
OPEN_SECONDS = 10
CALLERS = 8
TRIES = 3


@dataclass
class Street:
    """A service with servers that are silent and one that is well."""

    service: Service
    silent: list[Place]
    live: Place

    def timed(self, place: Place) -> tuple[Answer, float]:
        started = perf_counter()
        answer = self.service.fire(asked(HOOK, PATIENT, "none", place.base))
        return answer, perf_counter() - started


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    server, record = FaultServer(tmp_path_factory.mktemp("places")), Record(resources(PATIENT))
    silent, live = [server.open(silence, record) for _ in range(TRIES + 1)], server.open(sound, record)
    settings = PEER_SETTINGS | {"DYSTONIA_CDS_FHIR_SERVERS": " ".join(one.base for one in (*silent, live))}
    try:
        with running(tmp_path_factory.mktemp("service"), **settings) as service:
            service.fire(asked(HOOK, PATIENT, "none", live.base))
            yield Street(service, silent, live)
    finally:
        server.close()


def test_nobody_waits_for_a_neighbours_server(street: Street) -> None:
    whole = street.service.fire(asked(HOOK, PATIENT, "full"))
    slowest = []
    for silent in street.silent[:TRIES]:
        with ThreadPoolExecutor(CALLERS) as callers:
            waiting = [callers.submit(street.timed, silent) for _ in range(CALLERS - 1)]
            answer, seconds = street.timed(street.live)
            others = [one.result() for one in waiting]
        assert {one.status for one, _ in others} == {200}
        slowest.append(max(seconds, *(took for _, took in others)))
        if told(answer) == told(whole) and slowest[-1] <= ALLOWED_SECONDS:
            return
    raise AssertionError(f"slowest call of each try: {slowest}")


def test_a_dead_server_soon_costs_no_time_and_is_asked_again_later(street: Street) -> None:
    silent = street.silent[-1]
    for _ in range(7):
        street.timed(silent)
    before = silent.connections
    answer, seconds = min((street.timed(silent) for _ in range(TRIES)), key=lambda one: one[1])
    assert silent.connections == before
    assert seconds < 0.2
    assert {one["fetch"] for one in audited(street.service, answer)[1].values() if "fetch" in one} == {"open-circuit"}
    sleep(OPEN_SECONDS + 1)
    street.timed(silent)
    assert silent.connections > before
