"""Mutated tokens: none is accepted, and a signature bent into its other valid form is the same call, not a new one."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from cds_hooks.auth import Kept
from cds_hooks.errors import Unauthorised
from tests.support.mutated import EHRS, KINDS, accepted, mutated, strange
from tests.support.tokens import Door, compact, decoded, door, encoded

COUNT = 2000
ORDER_OF_P384 = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)


@pytest.fixture
def gate(tmp_path: Path) -> Door:
    return door(tmp_path, *(ehr.client(tmp_path) for ehr in EHRS))


def test_no_mutated_token_is_accepted(gate: Door) -> None:
    passed, reasons = accepted(gate, seed=11, count=COUNT)
    assert passed == []
    assert sum(reasons.values()) == COUNT
    # The generator reaches each step of the check.
    assert set(reasons) >= {"malformed", "algorithm", "type", "critical", "key-name", "key-address", "unknown-key"}
    assert set(reasons) >= {"unknown-issuer", "unknown-tenant", "signature", "audience", "claims", "lifetime"}


def test_ten_thousand_names_of_keys(gate: Door) -> None:
    """A name is looked up as it stands and goes nowhere else: into no path, no query, no address."""
    chance = random.Random(4)
    ehr = EHRS[0]
    names = {strange(chance) * chance.choice((1, 1, 1, 9)) for _ in range(10_000)}
    reasons = set()
    for name in names:
        with pytest.raises(Unauthorised) as refusal:
            gate.bearer(compact(ehr.header(kid=name), ehr.claims(), lambda _text: b"x"))
        reasons.add(refusal.value.reason)
        assert name[:9] not in refusal.value.noted or len(name) < 9
    assert reasons == {"unknown-key", "key-name"}


def test_a_seed_gives_the_same_kinds_again() -> None:
    first, again = mutated(5), mutated(5)
    kinds = [next(first)[0] for _ in range(60)]
    assert kinds == [next(again)[0] for _ in range(60)]
    assert set(kinds) == {kind.__name__ for kind in KINDS}


def test_the_other_form_of_a_signature_is_no_other_call(gate: Door) -> None:
    """Whoever sees an ECDSA signature can compute a second one of the same text; the token's name stays used."""
    token = EHRS[0].token()
    head, body, tail = token.split(".")
    raw = decoded(tail)
    bent = ORDER_OF_P384 - int.from_bytes(raw[48:])
    other = f"{head}.{body}.{encoded(raw[:48] + bent.to_bytes(48))}"

    async def play() -> None:
        await gate.auth.start()
        try:
            first, second = gate.bearer(token), gate.bearer(other)
            assert await gate.auth.claim(first, b"{}") is None
            gate.auth.keep(first, Kept(200, b"answer", "id"))
            assert await gate.auth.claim(second, b"{}") == Kept(200, b"answer", "id")
            with pytest.raises(Unauthorised):
                await gate.auth.claim(second, b"{ }")
        finally:
            await gate.auth.stop()

    asyncio.run(play())
