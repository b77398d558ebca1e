"""Keys from an address: loaded at the start, fetched anew in the background and seldom, believed for a day."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.auth.keyring import STALE_SECONDS, Keyring
from cds_hooks.auth.maker import public_set
from cds_hooks.auth.refresh import Pace, Refresher
from cds_hooks.clients import Client
from cds_hooks.metrics import Metrics
from tests.support.tokens import Ehr, KeyServer, door, key, key_server

NEVER = Pace(least=3600, usual=3600)
OLD, NEW = key("old")["kid"], key("new")["kid"]


@pytest.fixture
def published() -> Iterator[KeyServer]:
    with key_server(public_set([key("old")])) as server:
        yield server


class Ticks:
    """A monotonic clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def keyring(url: str, clock: Callable[[], float] = time.monotonic, **more: Any) -> Keyring:
    return Keyring(Client(name="north", issuer="https://north.example", jwks_urls=(url,), **more), clock)


def run(ring: Keyring, play: Callable[[], Any], pace: Pace = NEVER, metrics: Metrics | None = None) -> Refresher:
    """Plays a scene while the keys of ``ring`` are kept fresh."""

    async def whole() -> Refresher:
        refresher = Refresher(ring.published, metrics or Metrics(), pace)
        await refresher.start()
        try:
            await play()
        finally:
            await refresher.stop()
        return refresher

    return asyncio.run(whole())


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


def test_keys_are_there_after_the_start(published: KeyServer) -> None:
    ring = keyring(published.url)

    async def play() -> None:
        assert ring.find(OLD) is not None
        assert ring.find(NEW) is None

    refresher = run(ring, play)
    assert published.asked == 1
    assert refresher.troubles() == []


def test_a_thousand_unknown_keys_are_at_most_one_look_up(published: KeyServer) -> None:
    ring = keyring(published.url)

    async def play() -> None:
        for number in range(1000):
            assert ring.find(f"unknown-{number}") is None
            if number % 100 == 0:
                await asyncio.sleep(0.02)
        assert published.asked == 1
        await until(lambda: published.asked == 2)
        await asyncio.sleep(0.3)

    run(ring, play, Pace(least=1.0, usual=3600))
    assert published.asked == 2


def test_a_new_key_is_found_and_an_old_one_no_longer_believed(published: KeyServer) -> None:
    ring = keyring(published.url)

    async def play() -> None:
        published.document = public_set([key("new")])
        assert ring.find(NEW) is None
        await until(lambda: ring.find(NEW) is not None)
        assert ring.find(OLD) is None
        asked = published.asked
        await asyncio.sleep(0.4)
        assert published.asked <= asked + 1  # asked for OLD once, not for ever

    run(ring, play, Pace(least=0.05, usual=3600))


def test_keys_are_fetched_anew_without_being_asked_for(published: KeyServer) -> None:
    async def play() -> None:
        await until(lambda: published.asked >= 3)

    run(keyring(published.url), play, Pace(least=0.02, usual=0.1))


def test_a_start_that_failed_is_tried_again_soon(published: KeyServer) -> None:
    published.status = 503
    ring = keyring(published.url)

    async def play() -> None:
        assert ring.published[0].trouble == "status"
        published.status = 200
        await until(lambda: ring.published[0].trouble == "")
        assert ring.find(OLD) is not None

    run(ring, play, Pace(least=0.05, usual=3600))


# what the address gives -> the word for it
TROUBLES: list[tuple[str, dict[str, Any], str]] = [
    ("an error", {"status": 500}, "status"),
    ("not found", {"status": 404}, "status"),
    ("a redirect", {"status": 302, "location": "/elsewhere"}, "status"),
    ("no JSON", {"document": b"<html>"}, "unusable"),
    ("cut short", {"document": b'{"keys": ['}, "unusable"),
    ("no keys", {"document": {"keys": []}}, "unusable"),
    ("a private key", {"document": {"keys": [key("new")]}}, "unusable"),
    ("too much", {"document": public_set([key("new")]) | {"x": "x" * 70_000}}, "unusable"),
]


@pytest.mark.parametrize(("name", "served", "kind"), TROUBLES, ids=[row[0] for row in TROUBLES])
def test_what_cannot_be_used_changes_nothing(
    published: KeyServer, name: str, served: dict[str, Any], kind: str
) -> None:
    ring, metrics = keyring(published.url), Metrics()

    async def play() -> None:
        for member, value in served.items():
            setattr(published, member, value)
        await until(lambda: ring.published[0].trouble != "")
        assert ring.find(OLD) is not None

    refresher = run(ring, play, Pace(least=0.05, usual=0.1), metrics)
    assert ring.published[0].trouble == kind
    assert set(published.paths) == {"/.well-known/jwks.json"}
    assert metrics.key_fetches["north", kind] >= 1
    (sentence,) = refresher.troubles()
    assert sentence.startswith(f"The keys of the client north cannot be fetched ({kind}); the 1 fetched before")


def test_an_address_that_is_down_for_an_hour_stops_nobody(published: KeyServer) -> None:
    """A day is the end of it."""
    clock = Ticks()
    ring = keyring(published.url, clock)

    async def play() -> None:
        published.status = 500
        for passed, believed in ((3600.0, True), (STALE_SECONDS, True), (STALE_SECONDS + 1, False)):
            clock.now = 100.0 + passed
            assert (ring.find(OLD) is not None) is believed
        published.status = 200
        await until(lambda: ring.find(OLD) is not None)

    run(ring, play, Pace(least=0.05, usual=0.1))


def test_an_address_that_answers_late_does_not_hold_up_the_start_for_long() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ring = keyring(f"http://127.0.0.1:{silent.getsockname()[1]}/keys.json")
        begun = time.monotonic()

        async def play() -> None:
            assert ring.find(OLD) is None

        refresher = run(ring, play)
    assert time.monotonic() - begun < 10
    assert refresher.troubles() == ["The keys of the client north cannot be fetched (timeout); none are known."]


def test_keys_from_a_file_hold_while_the_address_is_down(tmp_path: Path) -> None:
    gate = door(tmp_path, Ehr(jku="http://127.0.0.1:9/keys.json").client(tmp_path))

    async def play() -> None:
        await gate.auth.start()
        try:
            assert gate.bearer(Ehr().token()).client.name == "north"
            assert len(gate.auth.troubles()) == 1
        finally:
            await gate.auth.stop()

    asyncio.run(play())


def test_the_file_wins_over_the_address(tmp_path: Path, published: KeyServer) -> None:
    """The same name in both: the operator's own word counts."""
    ehr = Ehr(jku=published.url)
    published.document = public_set([key("stranger") | {"kid": ehr.key["kid"]}])
    gate = door(tmp_path, ehr.client(tmp_path))

    async def play() -> None:
        await gate.auth.start()
        try:
            assert gate.bearer(ehr.token()).client.name == "north"
        finally:
            await gate.auth.stop()

    asyncio.run(play())
    assert published.asked == 1
