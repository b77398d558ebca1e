"""A short run of ``python -m tests.fuzz.canaries``."""

from __future__ import annotations

import pytest

from tests.fuzz.canaries import CANARIES, FAULTS, Faults, marked, searched
from tests.fuzz.driver import loaded, run
from tests.fuzz.mutations import request

SHORT = range(500)


def test_nothing_of_a_call_gets_out_where_the_service_breaks() -> None:
    hits, broke, statuses = run(searched(SHORT, loaded()))
    assert hits == {}
    assert set(broke) == set(FAULTS)
    assert statuses[500] > len(SHORT) // 20
    assert statuses[200] > len(SHORT) // 5


def test_most_requests_hold_them_all() -> None:
    bodies = [b"".join(marked(request(seed)).pieces) for seed in SHORT]
    whole = [body for body in bodies if all(CANARIES[kind].encode() in body for kind in ("token", "name", "number"))]
    assert len(whole) > len(bodies) * 0.7


# what leaks -> where it is found
LEAKS = {
    "cds_hooks.hooks.where": "log",
    "cds_hooks.hooks.InternalError": "answer",
}


@pytest.mark.parametrize("leaking", LEAKS)
def test_a_leak_is_found(monkeypatch: pytest.MonkeyPatch, leaking: str) -> None:
    from cds_hooks.errors import InternalError

    told = {"where": lambda error: [str(error)], "InternalError": lambda _: InternalError(CANARIES["name"])}
    monkeypatch.setattr(leaking, told[leaking.rpartition(".")[2]])
    hits = run(searched(range(60), loaded()))[0]
    assert LEAKS[leaking] in hits


def test_a_fault_is_one_of_the_stage_and_of_no_other() -> None:
    faults = Faults()
    with faults.planted():
        from cds_hooks import hooks

        faults.next = "memory"
        with pytest.raises(RuntimeError, match=CANARIES["token"]):
            hooks.memory_of()  # type: ignore[call-arg]
    assert faults.broke == {"memory": 1}
