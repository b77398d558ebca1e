"""A code that nothing here knows, over real HTTP: not checked at first, recognised once the resolver has answered."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.fhir import RXNORM, call, order, patient
from tests.support.rxnav import history, serving
from tests.support.server import Service, running

Json = dict[str, Any]
NEW = "99000001"
ANSWERS = {f"/rxcui/{NEW}/historystatus.json": history("haloperidol 5 MG Oral Tablet", ("5093", "Haloperidol"))}
LONG_ENOUGH = 60


def bare_code() -> Json:
    """An order with a code alone, under which the card of a young man would warn."""
    code = {"coding": [{"system": RXNORM, "code": NEW}]}
    draft = order("haloperidol", 5, 2, more={"medicationCodeableConcept": code})
    return call([draft], {"patient": patient()}, "order-sign", instance=str(uuid4()))


def verdict(answer: Json, rule: str) -> Json:
    results: list[Json] = answer["extension"]["org.dystonia-cds"]["results"]
    return next(one for one in results if one["rule"] == rule)


def fired(service: Service) -> Json:
    """The answer as soon as R-DRUG-01 fires; the last one if it never does."""
    until = time.monotonic() + LONG_ENOUGH
    while True:
        answer: Json = service.fire(bare_code()).body
        if verdict(answer, "R-DRUG-01")["status"] == "fired" or time.monotonic() > until:
            return answer
        time.sleep(0.1)


def test_the_next_call_knows_the_code_and_so_does_the_next_start(tmp_path: Path) -> None:
    asked: list[str] = []
    with serving(ANSWERS, asked) as base:
        settings = {"DYSTONIA_CDS_RESOLVER": "rxnav", "DYSTONIA_CDS_RESOLVER_URL": base}
        with running(tmp_path, **settings) as service:
            first = verdict(service.fire(bare_code()).body, "R-DRUG-01")
            assert (first["status"], first["reason"]) == ("not-checked", "drug-unrecognised")
            answer = fired(service)
            assert verdict(answer, "R-DRUG-01")["status"] == "fired"
            told = [card["extension"]["org.dystonia-cds"]["facts"] for card in answer["cards"]]
            facts = [fact["text"] for card in told for fact in card]
            assert any("matched by RxNav" in fact for fact in facts), facts
            ready = service.ask("/readyz").body
            assert "RxNav" in service.command("terminology", "explain", f"{RXNORM}|{NEW}", **settings)
            assert ready["terminology"]["resolver"] == {"source": "rxnav", "state": "closed", "queue": 0}
        before = len(asked)
        with running(tmp_path, **settings) as service:
            assert verdict(service.fire(bare_code()).body, "R-DRUG-01")["status"] == "fired"
        assert asked[before:] == []
    assert asked == [f"/rxcui/{NEW}/historystatus.json"]


def test_the_inbox_counts_what_nothing_resolved_and_lets_go_of_what_was_accepted(tmp_path: Path) -> None:
    local = "urn:oid:1.2.3.4"
    draft = order(more={"medicationCodeableConcept": {"coding": [{"system": local, "code": "HAL5"}]}})
    with running(tmp_path) as service:
        for _ in range(3):
            service.fire(call([draft], {"patient": patient()}, "order-sign", instance=str(uuid4())))
    rows = [json.loads(line) for line in service.command("terminology", "unmapped", "--json").splitlines()]
    assert [(row["count"], row["position"], row["system"], row["code"]) for row in rows] == [(3, "drug", local, "HAL5")]
    told = service.command("terminology", "accept", f"{local}|HAL5", "haloperidol")
    assert "The site map was empty and is" in told
    assert "Restart the service" in told
    assert service.command("terminology", "unmapped").strip() == "Nothing is unmapped."
    with running(tmp_path) as again:
        answer = again.fire(call([draft], {"patient": patient()}, "order-sign", instance=str(uuid4()))).body
        assert verdict(answer, "R-DRUG-01")["status"] == "fired"
        assert again.ask("/readyz").body["terminology"]["unmapped"] == 0
