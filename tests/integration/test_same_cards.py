"""A FHIR server of others: full, partial and no prefetch give the same cards, whoever brings the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.calls import HOOKS, SAMPLES, SENT_ALONE, asked, chart, resources, timeless, told
from tests.integration.peers import PEER_SETTINGS, UNHURRIED
from tests.integration.sekmet_peer import Peer, sekmet
from tests.support.server import Service, running

Json = dict[str, Any]
OUTAGE = "otto-outage"  # whose story is a server that fails
PATIENTS = tuple(one for one in SAMPLES if one != OUTAGE)
ALWAYS = ("berta-sampler", "dora-mockingham", "nora-stillwell", "ruth-longrun", "viktor-riddle", "yannick-twister")


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with sekmet(tmp_path_factory.mktemp("sekmet")) as started:
        every = (one for patient in PATIENTS for one in resources(patient))
        # Family histories would be found for every patient, because sekmet cannot search them by one.
        started.load(one for one in every if one["resourceType"] != "FamilyMemberHistory")
        yield started


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, peer: Peer) -> Iterator[Service]:
    settings = PEER_SETTINGS | UNHURRIED | {"DYSTONIA_CDS_FHIR_SERVERS": peer.base}
    with running(tmp_path_factory.mktemp("service"), **settings) as started:
        yield started


def rows() -> list[Any]:
    """Every patient at every hook that the patient's story allows; all but a few are for the whole matrix."""
    return [
        pytest.param(patient, hook, marks=() if patient in ALWAYS else pytest.mark.chaos)
        for patient in PATIENTS
        for hook in HOOKS
        if hook != "encounter-start" or chart(patient).get("encounter")
    ]


@pytest.mark.parametrize(("patient", "hook"), rows())
def test_what_was_not_sent_is_fetched_and_judged_alike(service: Service, peer: Peer, patient: str, hook: str) -> None:
    call = asked(hook, patient, "none", peer.base)
    sent = peer.prefetched(hook, call["context"])
    full = service.fire(call | {"prefetch": sent})
    assert full.status == 200
    for prefetch in ({key: sent[key] for key in SENT_ALONE}, {}):
        answer = service.fire(call | {"prefetch": prefetch})
        assert told(answer) == told(full), prefetch.keys()
        assert timeless(answer) == timeless(full), prefetch.keys()
