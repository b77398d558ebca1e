"""Keys from an address: loaded at the start, fetched anew in the background and seldom, believed for a day."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from cds_hooks.auth.keyring import STALE_SECONDS, Keyring
from cds_hooks.auth.maker import public_set
from cds_hooks.auth.refresh import Pace, Refresher
from cds_hooks.auth.replays import Replays
from cds_hooks.clients import Client
from cds_hooks.clock import utc_now
from cds_hooks.errors import SettingsTrouble
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


async def of_processes(
    folder: Path, url: str, play: Callable[[list[Keyring]], Any], pace: Pace, count: int = 4
) -> None:
    """Plays a scene with the keys of so many processes, as they would be if each shared this folder."""
    async with AsyncExitStack() as stack:
        rings = [keyring(url) for _ in range(count)]
        for ring in rings:
            shared = Replays(folder / "tokens.db", utc_now, 0.5)
            await shared.start()
            stack.push_async_callback(shared.stop)
            refresher = Refresher(ring.published, Metrics(), pace, others=shared)
            await refresher.start()
            stack.push_async_callback(refresher.stop)
        await play(rings)


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


def test_all_processes_together_look_once_for_unknown_keys(tmp_path: Path, published: KeyServer) -> None:
    """One asks, and all of them know the new key; what was asked at the start of each is no such look-up."""

    async def play(rings: list[Keyring]) -> None:
        assert published.asked == 4
        published.document = public_set([key("new")])
        for number in range(1000):
            assert all(ring.find(f"unknown-{number}") is None for ring in rings)
        await until(lambda: all(ring.find(NEW) is not None for ring in rings))
        assert published.asked == 5
        assert all(ring.find(OLD) is None for ring in rings)
        await asyncio.sleep(1.0)
        assert published.asked == 5

    asyncio.run(of_processes(tmp_path, published.url, play, Pace(least=2.0, usual=3600)))


def test_an_address_that_fails_is_tried_by_one_process_at_a_time(tmp_path: Path, published: KeyServer) -> None:
    async def play(rings: list[Keyring]) -> None:
        published.status = 503
        for ring in rings:
            ring.find(NEW)
        await until(lambda: published.asked == 5)
        await asyncio.sleep(0.4)
        assert published.asked == 5
        assert all(ring.find(OLD) is not None for ring in rings)
        published.status = 200
        published.document = public_set([key("new")])
        await until(lambda: all(ring.find(NEW) is not None for ring in rings))
        assert published.asked == 6

    asyncio.run(of_processes(tmp_path, published.url, play, Pace(least=2.0, usual=3600)))


def test_what_did_not_change_is_logged_once(published: KeyServer) -> None:
    ring, metrics = keyring(published.url), Metrics()

    async def play() -> None:
        await until(lambda: metrics.key_fetches["north", "fetched"] >= 3)
        published.status = 503
        await until(lambda: metrics.key_fetches["north", "status"] >= 3)
        published.status = 200
        before = metrics.key_fetches["north", "fetched"]
        await until(lambda: metrics.key_fetches["north", "fetched"] >= before + 3)

    with capture_logs() as logs:
        run(ring, play, Pace(least=0.05, usual=0.1), metrics)
    told = [one["event"] for one in logs if one["event"].startswith("keys-")]
    assert told == ["keys-fetched", "keys-not-fetched", "keys-fetched"]


@pytest.mark.parametrize("hours", [-1, 0, 2])
def test_how_far_apart_the_clocks_are_is_measured(published: KeyServer, hours: int) -> None:
    published.date = format_datetime(utc_now() + timedelta(hours=hours), usegmt=True)
    metrics = Metrics()

    async def play() -> None:
        pass

    run(keyring(published.url), play, NEVER, metrics)
    ((server, offset),) = metrics.clock_offset_seconds.items()
    assert server == (urlsplit(published.url).netloc,)
    assert abs(offset - hours * 3600) < 10
    assert f'cds_clock_offset_seconds{{server="{server[0]}"}}' in metrics.render().decode()


def test_a_site_s_own_authorities_count_for_published_keys(tmp_path: Path) -> None:
    no_certificates = tmp_path / "ca.pem"
    no_certificates.write_text("none", "utf-8")
    client = Ehr(jku="https://north.example/keys.json").client(tmp_path)
    with pytest.raises(SettingsTrouble, match="holds no certificate authorities"):
        door(tmp_path, client, fhir_authorities=no_certificates)


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
            (sentence,) = gate.auth.troubles()
            assert sentence.endswith("(unreachable); the 1 of its file hold on.")
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
