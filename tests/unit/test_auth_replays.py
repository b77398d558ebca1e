"""The memory of used tokens: one call for each, across processes and restarts, wiped in time, not lost to a disk."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from cds_hooks.auth import Kept
from cds_hooks.auth.replays import Replays
from cds_hooks.auth.sealed import Use, token_hash
from cds_hooks.auth.used import FORGET_SECONDS, KEEP_SECONDS
from cds_hooks.errors import Overloaded, Unauthorised
from tests.support.tokens import Clock

ANSWER = Kept(200, b'{"cards": ["haloperidol and low calcium"]}', "audit-1")
ISSUER, CALL = "https://north.example", "/cds-services/toy"
BODY = b'{"hook": "order-sign", "patient": "p1"}'


def use(clock: Clock, jti: str = "j1", body: bytes = BODY, path: str = CALL, issuer: str = ISSUER) -> Use:
    return Use(issuer, jti, path, body, clock().timestamp() + 300)


def play(
    scene: Callable[[Replays, Clock], Awaitable[None]], folder: Path, clock: Clock | None = None, wait: float = 0.3
) -> None:
    """Plays a scene between a start and a stop."""
    clock = clock or Clock()

    async def whole() -> None:
        replays = Replays(folder / "tokens.db", clock, wait)
        await replays.start()
        try:
            await scene(replays, clock)
        finally:
            await replays.stop()

    asyncio.run(whole())


async def answered(replays: Replays, one: Use, kept: Kept = ANSWER) -> None:
    assert await replays.claim(one) is None
    replays.keep(one.id, kept)


# how the second call differs, seconds later -> refused
SECOND: list[tuple[str, dict[str, object], float, bool]] = [
    ("the same at once", {}, 0, False),
    ("the same after 59 s", {}, 59, False),
    ("the same after 60 s", {}, 60, False),
    ("the same after 61 s", {}, 61, True),
    ("the same after its end", {}, 400, True),
    ("the clock set back a little", {}, -59, False),
    ("the clock set back an hour", {}, -3600, True),
    ("another body", {"body": BODY + b" "}, 0, True),
    ("no body", {"body": b""}, 0, True),
    ("another path", {"path": CALL + "/feedback"}, 0, True),
    ("path and body cut elsewhere", {"path": CALL + "\0" + BODY.decode()[:1], "body": BODY[1:]}, 0, True),
]


@pytest.mark.conformance("J10")
@pytest.mark.parametrize(("name", "changes", "seconds", "refused"), SECOND, ids=[row[0] for row in SECOND])
def test_a_second_use(tmp_path: Path, name: str, changes: dict[str, object], seconds: float, refused: bool) -> None:
    async def scene(replays: Replays, clock: Clock) -> None:
        await answered(replays, use(clock))
        clock.move(seconds)
        again = use(clock, **changes)  # type: ignore[arg-type]
        if refused:
            for _ in range(2):
                with pytest.raises(Unauthorised) as refusal:
                    await replays.claim(again)
                assert refusal.value.reason == "replayed"
        else:
            assert await replays.claim(again) == ANSWER

    play(scene, tmp_path)


@pytest.mark.parametrize("changes", [{"jti": "j2"}, {"issuer": "https://south.example"}, {"jti": "1j1", "issuer": ""}])
def test_another_token_is_another(tmp_path: Path, changes: dict[str, str]) -> None:
    async def scene(replays: Replays, clock: Clock) -> None:
        await answered(replays, use(clock))
        assert await replays.claim(use(clock, **changes)) is None

    play(scene, tmp_path)


def test_names_cannot_be_moved_between_issuer_and_token() -> None:
    assert token_hash("ab", "c") != token_hash("a", "bc")
    assert token_hash("1", "1:x") != token_hash("11", ":x")


@pytest.mark.parametrize("changes", [{"jti": "j2"}, {"body": b"{}"}, {"path": "/x"}, {"issuer": "https://x.example"}])
def test_only_the_same_call_unseals_an_answer(changes: dict[str, object]) -> None:
    sealed = use(Clock()).seal(ANSWER)
    assert use(Clock()).unseal(sealed) == ANSWER
    with pytest.raises(InvalidTag):
        use(Clock(), **changes).unseal(sealed)  # type: ignore[arg-type]


def test_a_token_stays_used_over_a_restart(tmp_path: Path) -> None:
    clock = Clock()

    async def first(replays: Replays, clock: Clock) -> None:
        await answered(replays, use(clock))
        assert await replays.claim(use(clock, "unanswered")) is None

    async def then(replays: Replays, clock: Clock) -> None:
        assert await replays.claim(use(clock)) == ANSWER
        for body in (b"{}", BODY + b" "):
            with pytest.raises(Unauthorised):
                await replays.claim(use(clock, body=body))
        with pytest.raises(Overloaded):
            await replays.claim(use(clock, "unanswered"))
        clock.move(5)  # whoever took it is given up, and only the same call may take it again
        with pytest.raises(Unauthorised):
            await replays.claim(use(clock, "unanswered", b"{}"))
        assert await replays.claim(use(clock, "unanswered")) is None

    play(first, tmp_path, clock)
    play(then, tmp_path, clock)


def test_who_comes_meanwhile_waits_for_the_answer(tmp_path: Path) -> None:
    async def scene(replays: Replays, clock: Clock) -> None:
        one = use(clock)
        assert await replays.claim(one) is None
        waiting = [asyncio.create_task(replays.claim(use(clock))) for _ in range(200)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        replays.keep(one.id, ANSWER)
        assert await asyncio.wait_for(asyncio.gather(*waiting), 20) == [ANSWER] * 200

    play(scene, tmp_path, wait=60)


def test_who_comes_meanwhile_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def scene(replays: Replays, clock: Clock) -> None:
        assert await replays.claim(use(clock)) is None
        with pytest.raises(Overloaded, match="still being answered"):
            await replays.claim(use(clock))

    play(scene, tmp_path)


def test_two_processes_share_the_file(tmp_path: Path) -> None:
    async def scene(here: Replays, clock: Clock) -> None:
        there = Replays(tmp_path / "tokens.db", clock, 0.3)
        await there.start()
        try:
            one = use(clock)
            firsts = await asyncio.gather(
                *(side.claim(use(clock, "both")) for side in (here, there)), return_exceptions=True
            )
            assert sorted(type(found).__name__ for found in firsts) == ["NoneType", "Overloaded"]
            assert await here.claim(one) is None
            waiting = asyncio.create_task(there.claim(use(clock)))
            await asyncio.sleep(0.05)
            here.keep(one.id, ANSWER)
            assert await waiting == ANSWER
            with pytest.raises(Unauthorised):
                await there.claim(use(clock, body=b"{}"))
        finally:
            await there.stop()

    play(scene, tmp_path)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answer_that_is_none_leaves_the_call_open(tmp_path: Path, status: int) -> None:
    async def scene(replays: Replays, clock: Clock) -> None:
        await answered(replays, use(clock), Kept(status, b"later", "audit-0"))
        with pytest.raises(Unauthorised):
            await replays.claim(use(clock, body=b"{}"))
        await answered(replays, use(clock))
        assert await replays.claim(use(clock)) == ANSWER

    play(scene, tmp_path)


@pytest.mark.parametrize("status", [400, 412])
def test_a_refusal_is_an_answer(tmp_path: Path, status: int) -> None:
    async def scene(replays: Replays, clock: Clock) -> None:
        kept = Kept(status, b"outcome", "audit-0")
        await answered(replays, use(clock), kept)
        assert await replays.claim(use(clock)) == kept

    play(scene, tmp_path)


def test_the_file_tells_nothing_and_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_hooks.auth.replays.WIPE_SECONDS", 0.02)
    file = tmp_path / "tokens.db"

    def count(what: str) -> int:
        with sqlite3.connect(file) as connection:
            return int(connection.execute(f"select count({what}) from used").fetchone()[0])

    async def until(what: str, number: int) -> None:
        for _ in range(300):
            if count(what) == number:
                return
            await asyncio.sleep(0.01)
        raise AssertionError((what, count(what)))

    async def scene(replays: Replays, clock: Clock) -> None:
        await answered(replays, use(clock))
        await until("sealed", 1)
        raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert not any(word in raw for word in (b"haloperidol", b"j1", b"north", b"order-sign", b"p1", b"audit-1"))
        clock.move(KEEP_SECONDS + 1)
        await until("sealed", 0)
        clock.move(300 + FORGET_SECONDS - 100)
        await asyncio.sleep(0.2)
        assert count("*") == 1
        clock.move(100)
        await until("*", 0)

    play(scene, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_another_holds_stops_nobody_for_long(tmp_path: Path) -> None:
    async def scene(replays: Replays, clock: Clock) -> None:
        holder = sqlite3.connect(tmp_path / "tokens.db", isolation_level=None)
        holder.execute("begin exclusive")
        with pytest.raises(Overloaded, match="does not answer in time"):
            await replays.claim(use(clock))
        holder.close()
        for _ in range(20):
            with contextlib.suppress(Overloaded):
                assert await replays.claim(use(clock, "j2")) is None
                return
        raise AssertionError("it did not come back")

    play(scene, tmp_path)


def test_a_file_that_cannot_be_written_is_told_and_replaced_by_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_hooks.auth.ledger.RETRY_SECONDS", 0.1)
    file = tmp_path / "tokens.db"
    file.write_bytes(b"no database " * 1000)

    async def scene(replays: Replays, clock: Clock) -> None:
        assert replays.trouble.startswith(
            "The file of used tokens (tokens.db in the data folder) cannot be written (file is not"
        )
        await answered(replays, use(clock))
        assert await replays.claim(use(clock)) == ANSWER
        with pytest.raises(Unauthorised):
            await replays.claim(use(clock, body=b"{}"))
        file.unlink()
        await asyncio.sleep(0.15)
        # What was remembered meanwhile is in the new file.
        with pytest.raises(Unauthorised):
            await replays.claim(use(clock, body=b"{}"))
        assert replays.trouble == ""

    clock = Clock()
    play(scene, tmp_path, clock)

    async def then(replays: Replays, clock: Clock) -> None:
        assert await replays.claim(use(clock)) == ANSWER

    play(then, tmp_path, clock)
