"""Rows of calls that nobody judged: written together, each durable before anybody is told, and none lost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from cds_hooks import errors
from cds_hooks.audit import GATHER_SECONDS, AuditStore, Entry
from cds_hooks.audit.job import A_FEW, Job, resolve
from tests.unit.test_audit_entries import entry, opened


def unhurried() -> Entry:
    return msgspec.structs.replace(entry(), unhurried=True)


def commits(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Into which the size of every batch is written from now on."""
    sizes: list[int] = []
    connection = store._writer._connection
    write = connection.write

    def counted(jobs: list[Job]) -> None:
        sizes.append(len(jobs))
        write(jobs)

    monkeypatch.setattr(connection, "write", counted)
    return sizes


async def one_after_another(store: AuditStore, given: list[Entry], seconds: float) -> tuple[list[bool], list[float]]:
    """What became of each, and how long it took; one is begun every so many seconds."""
    took = [0.0] * len(given)

    async def one(number: int) -> bool:
        await asyncio.sleep(number * seconds)
        began = time.perf_counter()
        stored = await store.append(given[number])
        took[number] = time.perf_counter() - began
        return stored

    return await asyncio.gather(*map(one, range(len(given)))), took


def test_they_wait_for_each_other_and_are_written_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    sizes = commits(store, monkeypatch)
    given = [unhurried() for _ in range(20)]
    stored, took = asyncio.run(one_after_another(store, given, 0.0005))
    assert stored == [True] * 20
    assert max(sizes) >= 5, sizes
    assert took[0] >= GATHER_SECONDS * 0.9
    assert all(store.call(one.id) for one in given)
    store.close()


def test_one_that_is_in_a_hurry_waits_for_none_and_takes_them_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    monkeypatch.setattr("cds_hooks.audit.writer.GATHER_SECONDS", 30)
    sizes = commits(store, monkeypatch)
    given = [*[unhurried() for _ in range(4)], entry()]
    began = time.perf_counter()
    assert asyncio.run(one_after_another(store, given, 0))[0] == [True] * 5
    assert time.perf_counter() - began < 10
    assert sum(sizes) == 5
    store.close()


def test_what_still_waits_is_written_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    monkeypatch.setattr("cds_hooks.audit.writer.GATHER_SECONDS", 30)
    given = unhurried()

    async def gone() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.append(given), 0.05)

    asyncio.run(gone())
    assert store.health().pending == 1
    store.close()
    again = opened(tmp_path)
    assert again.call(given.id) is not None
    again.close()


def test_who_is_in_a_hurry_is_told_at_once_and_the_others_a_few_at_a_time() -> None:
    """An answer costs more than its row: sixty in one turn of the loop would hold up every other call."""

    async def crowd() -> tuple[list[int], bool]:
        jobs = [Job(unhurried()) for _ in range(4 * A_FEW + 1)] + [Job(entry())]
        for job in jobs:
            job.stored = True
        resolve(jobs)
        seen = []
        for _ in range(7):
            await asyncio.sleep(0)
            seen.append(sum(job.future.done() for job in jobs[:-1]))
            first = jobs[-1].future.done()
            assert first == bool(seen[-1])
        return seen, all(job.future.result() for job in jobs)

    seen, stored = asyncio.run(crowd())
    assert [one // A_FEW for one in seen if one][:4] == [1, 2, 3, 4]
    assert (seen[-1], stored) == (4 * A_FEW + 1, True)


UNREAD = {"Unauthorised", "NotForClient", "UnknownService", "WrongMethod", "SlowBody", "SlowHead", "TooLarge"}
UNREAD |= {"WrongMedia", "Overloaded"}


@pytest.mark.parametrize("kind", [one for one in vars(errors).values() if isinstance(one, type)])
def test_only_calls_of_which_nothing_was_read_may_wait(kind: type) -> None:
    """Any other refusal is of a call that took its time already."""
    assert getattr(kind, "before_reading", False) == (kind.__name__ in UNREAD)
