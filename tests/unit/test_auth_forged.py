"""Forged tokens of every kind: all refused alike, and nobody is asked about them."""

from __future__ import annotations

import sys

import pytest

from cds_hooks.errors import Unauthorised, outcome_json
from tests.support.forged import forged
from tests.support.tokens import Door, Ehr, door

JKU = "https://north.example/keys/jwks.json"
CANARY = "http://127.0.0.1:9/jwks.json"
EHRS = [Ehr(jku=JKU), Ehr("south", "https://south.example", algorithm="RS384", jku=JKU)]
ROWS = [(ehr, name, headers) for ehr in EHRS for name, headers in forged(ehr, CANARY)]


class Sockets:
    """Counts what this process does with sockets while it is told to."""

    counting = False
    seen = 0

    @classmethod
    def hook(cls, event: str, _arguments: object) -> None:
        if cls.counting and event.startswith(("socket.", "urllib.", "http.")):
            cls.seen += 1


sys.addaudithook(Sockets.hook)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Door:
    folder = tmp_path_factory.mktemp("forged")
    return door(folder, *(ehr.client(folder) for ehr in EHRS))


@pytest.mark.conformance("J4", "J7", "J9")
@pytest.mark.parametrize("ehr", EHRS, ids=lambda ehr: ehr.algorithm)
def test_an_honest_token_is_accepted(both: Door, ehr: Ehr) -> None:
    assert both.bearer(ehr.token()).client.name == ehr.name


def test_there_are_more_than_sixty_kinds() -> None:
    assert len({name for _, name, _ in ROWS}) > 250


@pytest.mark.conformance("J3", "J6", "J8", "J13")
@pytest.mark.parametrize(("ehr", "name", "headers"), ROWS, ids=[f"{row[0].algorithm}: {row[1]}" for row in ROWS])
def test_each_kind_is_refused(both: Door, ehr: Ehr, name: str, headers: tuple[str | bytes, ...]) -> None:
    Sockets.counting, Sockets.seen = True, 0
    try:
        with pytest.raises(Unauthorised) as refusal:
            both.caller(*headers)
    finally:
        Sockets.counting = False
    assert Sockets.seen == 0
    assert outcome_json(refusal.value) == outcome_json(Unauthorised())
    assert refusal.value.headers == Unauthorised.headers
    assert len(refusal.value.noted) < 60
