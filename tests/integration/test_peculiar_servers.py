"""What sound FHIR servers do differently: pages, references, spellings of a search, parameters that are ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.calls import NOW, asked, authorization, resources, results, statuses, timeless, told
from tests.integration.faulty import FaultServer, sound
from tests.integration.peers import PEER_SETTINGS, UNHURRIED, audited
from tests.integration.record import Record
from tests.integration.sekmet_peer import Peer, sekmet
from tests.support.fhir import medication
from tests.support.server import Answer, Service, running

Json = dict[str, Any]
PATIENT, CROWDED, POINTING = "dora-mockingham", "emil-crowded", "emil-pointing"
MANY = 450
HOOK = "order-sign"


def prescription(id: str, patient: str, days_ago: int, **drug: Any) -> Json:
    """An active prescription of some days ago."""
    since = (NOW - timedelta(days=days_ago)).isoformat()
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": since,
        **drug,
    }


def crowded() -> list[Json]:
    """Someone whose oldest prescription, behind two pages of others, is an antipsychotic."""
    others = [
        prescription(f"other-{number}", CROWDED, 1, medicationCodeableConcept={"text": "paracetamol"})
        for number in range(MANY)
    ]
    first = prescription("oldest", CROWDED, 300, medicationCodeableConcept=medication("olanzapine"))
    return [{"resourceType": "Patient", "id": CROWDED, "birthDate": "1990-03-01"}, *others, first]


def pointing() -> list[Json]:
    """Someone whose prescription names its drug by a reference."""
    held = prescription("points", POINTING, 30, medicationReference={"reference": "Medication/held"})
    drug = {"resourceType": "Medication", "id": "held", "code": medication("olanzapine")}
    drafted = {"resourceType": "Medication", "id": "drafted", "code": medication("haloperidol")}
    return [{"resourceType": "Patient", "id": POINTING, "birthDate": "1990-03-01"}, held, drug, drafted]


def somebody_else() -> list[Json]:
    """Another patient, whose family is known for dystonia."""
    owner = "someone-else"
    history = {
        "resourceType": "FamilyMemberHistory",
        "id": "family-of-someone-else",
        "status": "completed",
        "patient": {"reference": f"Patient/{owner}"},
        "relationship": {"text": "mother"},
        "condition": [{"code": {"text": "Acute dystonia after haloperidol"}}],
    }
    return [{"resourceType": "Patient", "id": owner}, history]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with sekmet(tmp_path_factory.mktemp("sekmet"), server_behaviour={"absolute_references": True}) as started:
        started.load([*resources(PATIENT), *crowded(), *pointing(), *somebody_else()])
        yield started


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, peer: Peer) -> Iterator[Service]:
    settings = PEER_SETTINGS | UNHURRIED | {"DYSTONIA_CDS_FHIR_SERVERS": peer.base}
    with running(tmp_path_factory.mktemp("service"), **settings) as started:
        yield started


def fired(service: Service, patient: str, base: str, **draft: Any) -> tuple[Answer, Json]:
    """The answer to an order of haloperidol without any data, and the audited states of the keys."""
    call = asked(HOOK, PATIENT, "none", base)
    del call["context"]["encounterId"]
    call["context"]["patientId"] = patient
    own = call["context"]["draftOrders"]["entry"][0]["resource"]
    own |= {"subject": {"reference": f"Patient/{patient}"}, **draft}
    if "medicationReference" in draft:
        del own["medicationCodeableConcept"]
    answer = service.fire(call)
    return answer, audited(service, answer)[1]


def rules(answer: Answer) -> set[str]:
    """The rules that fired."""
    return {one["rule"] for one in results(answer) if one["status"] == "fired"}


def test_all_pages_are_read(service: Service, peer: Peer) -> None:
    answer, keys = fired(service, CROWDED, peer.base)
    assert keys["medications"] == {"state": "satisfied", "fetched": True}
    assert "R-DRUG-02" in rules(answer)


def test_a_drug_behind_a_reference_is_fetched(service: Service, peer: Peer) -> None:
    answer, _ = fired(service, POINTING, peer.base)
    assert "R-DRUG-02" in rules(answer)


@pytest.mark.parametrize("reference", ["Medication/drafted", "{base}/Medication/drafted"])
def test_the_drug_of_a_draft_behind_a_reference_is_fetched(service: Service, peer: Peer, reference: str) -> None:
    drug = {"reference": reference.format(base=peer.base)}
    answer, _ = fired(service, POINTING, peer.base, medicationReference=drug)
    assert answer.body["cards"]
    assert "R-DRUG-02" in rules(answer)
    assert not {one["rule"] for one in results(answer)} & {"R-DQ-01"} & rules(answer)


def test_what_a_server_found_by_ignoring_a_parameter_is_not_the_patients(service: Service, peer: Peer) -> None:
    told_of = peer.get(f"FamilyMemberHistory?patient={PATIENT}")
    kinds = [entry["resource"]["resourceType"] for entry in told_of["entry"]]
    assert kinds == ["FamilyMemberHistory", "OperationOutcome"], "sekmet is no longer what this test is about"
    answer, keys = fired(service, PATIENT, peer.base)
    sent = asked(HOOK, PATIENT, "full")
    sent["prefetch"]["familyHistory"] = told_of
    assert "family-of-someone-else" not in json.dumps(answer.body)
    found = statuses(answer)
    for pair, (status, _) in statuses(service.fire(sent)).items():
        assert status != "clear" or pair[0].startswith("R-DQ-") or found[pair][0] in ("clear", "not-checked"), pair
    assert keys["familyHistory"] != {"state": "satisfied"}


SPELLINGS = {"bare and with its type": ("{}", "Patient/{}"), "with its type": ("Patient/{}",), "bare": ("{}",)}


@pytest.fixture(scope="module")
def spelling(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Service, dict[str, str]]]:
    server = FaultServer(tmp_path_factory.mktemp("places"))
    places = {name: server.open(sound, Record(resources(PATIENT), known)) for name, known in SPELLINGS.items()}
    bases = {name: place.base for name, place in places.items()}
    settings = PEER_SETTINGS | UNHURRIED | {"DYSTONIA_CDS_FHIR_SERVERS": " ".join(bases.values())}
    try:
        with running(tmp_path_factory.mktemp("service"), **settings) as started:
            yield started, bases
    finally:
        server.close()


@pytest.mark.parametrize("known", SPELLINGS)
@pytest.mark.parametrize("prefetch", ["partial", "none"])
def test_either_spelling_of_patient_is_found(
    spelling: tuple[Service, dict[str, str]], known: str, prefetch: str
) -> None:
    service, bases = spelling
    alone = service.fire(asked(HOOK, PATIENT, "full"))
    answer = service.fire(asked(HOOK, PATIENT, prefetch, bases[known]))
    assert told(answer) == told(alone)
    assert timeless(answer) == timeless(alone)


def test_without_a_token_nothing_is_asked(spelling: tuple[Service, dict[str, str]]) -> None:
    service, bases = spelling
    call = asked(HOOK, PATIENT, "none", bases["bare"])
    for given in (None, authorization(""), authorization(" "), {"access_token": None}):
        changed = {name: value for name, value in call.items() if name != "fhirAuthorization"}
        changed |= {"fhirAuthorization": given} if given is not None else {}
        assert told(service.fire(changed)) == told(service.fire(asked(HOOK, PATIENT, "none")))
