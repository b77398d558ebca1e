"""A sick disk, a bad row, a removed file: told, counted, shown, and mended without a restart."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

import cds_hooks.audit.sqlite as sqlite_module
import cds_hooks.audit.writer as writer_module
from cds_hooks.audit import AuditStore, StoreError
from cds_hooks.audit.sqlite import run_pragma
from tests.unit.test_audit_entries import NOON, entry, finding, heard, opened

BULK = b'"' + b"x" * 200_000 + b'"'
CANARY = "canary-7f3a"


def append(store: AuditStore, *entries: object) -> list[bool]:
    async def together() -> list[bool]:
        return await asyncio.gather(*(store.append(given) for given in entries))  # type: ignore[arg-type]

    return asyncio.run(together())


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_PAUSE_SECONDS", 0.05)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[AuditStore], Callable[[], None]]:
    """Return a function that leaves the database no page more; what it returns gives the space back."""

    def fill(store: AuditStore) -> Callable[[], None]:
        connection = store._writer._connection.open()
        full = f"max_page_count={run_pragma(connection, 'page_count')}"
        usual = sqlite_module._WRITER_PRAGMAS
        monkeypatch.setattr(sqlite_module, "_WRITER_PRAGMAS", (*usual, full))
        run_pragma(connection, full)
        return lambda: monkeypatch.setattr(sqlite_module, "_WRITER_PRAGMAS", usual)

    return fill


def test_a_full_disk_is_told_counted_and_shown_and_mends_by_itself(tmp_path: Path, fill_the_disk) -> None:
    store = opened(tmp_path)
    before = entry()
    assert append(store, before) == [True]
    give_back = fill_the_disk(store)
    with capture_logs() as logs:
        assert append(store, entry(cards=[], client=CANARY, results=[CANARY], keys=BULK)) == [False]
        assert append(store, *(entry(keys=BULK) for _ in range(3))) == [False] * 3
        health = store.health()
        assert not health.ok
        assert "disk is full" in health.reason
        assert health.failed == 4
        assert health.last_error_time
        assert store.count() == 1
        give_back()
        until(lambda: store.health().ok)
    assert CANARY not in repr(logs)
    assert {"audit.write-failed", "audit.recovered"} <= {line["event"] for line in logs}
    after = entry(keys=BULK)
    assert append(store, after) == [True]
    assert [row.id for row in store.calls()] == [after.id, before.id]
    health = store.health()
    assert (health.ok, health.reason, health.failed, health.written) == (True, "", 4, 2)
    store.close()


def test_a_disk_that_stays_full_is_logged_once_while_nobody_writes(tmp_path: Path, fill_the_disk, monkeypatch) -> None:
    store = opened(tmp_path)
    fill_the_disk(store)
    with capture_logs() as logs:
        assert append(store, entry(keys=BULK)) == [False]
        probed = []
        monkeypatch.setattr(store._writer._connection, "probe", lambda: probed.append(1) or 1 / 0)
        until(lambda: len(probed) > 2)
    assert len([line for line in logs if line["event"] == "audit.write-failed"]) <= 2
    store.close()


def test_a_bad_row_does_not_take_the_others_down(tmp_path: Path) -> None:
    store = opened(tmp_path)
    twin = entry()
    assert append(store, twin) == [True]
    good = [entry() for _ in range(5)]
    assert append(store, *good[:2], twin, *good[2:]) == [True, True, False, True, True, True]
    health = store.health()
    assert (health.ok, health.failed, health.written) == (True, 1, 6)
    assert store.count() == 6
    store.close()


def test_half_a_surrogate_pair_is_replaced_and_the_row_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    odd = entry(hook_instance="a\ud800b", findings=(finding(label="\udfff"),), keys=b"\xff{")
    odd = msgspec.structs.replace(odd, results=b"not json")
    assert append(store, entry(), odd, entry()) == [True] * 3
    got = store.call(odd.id)
    assert got
    assert got.row.hook_instance == "a?b"
    assert got.row.results == b"not json"
    assert asyncio.run(store.append_feedback([heard(comment="\ud800")]))
    store.close()


def test_a_row_of_the_wrong_type_fails_alone(tmp_path: Path) -> None:
    store = opened(tmp_path)
    untimed = msgspec.structs.replace(entry(), time="now")
    assert append(store, entry(client=None), entry(), entry(status={}), untimed) == [False, True, False, False]
    assert append(store, entry()) == [True]
    store.close()


def test_a_removed_database_is_noticed_and_made_anew(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert append(store, entry()) == [True]
    for path in tmp_path.glob("audit.db*"):
        path.unlink()
    assert append(store, entry()) == [False]
    assert not store.health().ok
    until(lambda: store.health().ok)
    assert append(store, entry()) == [True]
    assert store.count() == 1
    store.close()


def test_a_backlog_without_end_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "BACKLOG_LIMIT", 10)
    store = opened(tmp_path)
    answers = append(store, *(entry() for _ in range(2000)))
    assert True in answers
    assert answers.count(False) == store.health().failed > 0
    assert store.count() == answers.count(True)
    store.close()


LIMITED = """
import asyncio, resource, sys, time
from pathlib import Path
from tests.unit.test_audit_entries import entry, opened

store = opened(Path(sys.argv[1]))
append = lambda: asyncio.run(store.append(entry(keys=b'"' + b"x" * 20_000 + b'"')))
acked = sum(append() for _ in range(10))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
limited = [append() for _ in range(60)]
assert False in limited, limited
sick = store.health()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
end = time.monotonic() + 10
while not store.health().ok and time.monotonic() < end:
    time.sleep(0.05)
acked += sum(limited) + append()
assert store.health().ok and not sick.ok and sick.failed, (sick, store.health())
assert store.count() >= acked, (store.count(), acked)
store.close()
print("survived")
"""


def test_errors_of_the_operating_system_are_survived(tmp_path: Path) -> None:
    """Real write errors: the process may not let any file grow past a limit, which is then lifted."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert "survived" in done.stdout, done.stderr


APPENDING = """
import asyncio, sys
from pathlib import Path
from tests.unit.test_audit_entries import entry, opened

async def one(store):
    while True:
        given = entry()
        if await store.append(given):
            print(given.id, flush=True)

async def main():
    store = opened(Path(sys.argv[1]))
    await asyncio.gather(*(one(store) for _ in range(16)))

asyncio.run(main())
"""


def test_kill_9_loses_no_acknowledged_entry(tmp_path: Path) -> None:
    acked: set[str] = set()
    for wanted in (1, 40, 400, 1500):
        with subprocess.Popen(
            [sys.executable, "-c", APPENDING, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert process.stderr
            lines = [process.stdout.readline() for _ in range(wanted)]
            assert all(lines), process.stderr.read()
            os.kill(process.pid, signal.SIGKILL)
            lines += process.stdout.readlines()
        acked |= {line.strip() for line in lines if len(line.strip()) == 26}
    store = opened(tmp_path)
    assert len(acked) > 1900
    assert acked <= {row.id for row in store._reader._engine.connect().exec_driver_sql("select id from audit_call")}
    assert store._reader._engine.connect().exec_driver_sql("pragma integrity_check").scalar() == "ok"
    store.close()


def test_what_was_shown_is_read_from_the_file_that_is_there(tmp_path: Path) -> None:
    """The connection that remembers stays open: a file that is gone must not go on answering through it."""
    store = opened(tmp_path)
    patient = "ab" * 16

    def shown() -> list[str]:
        return [one.label for one in store.shown(patient, "clinic", "", NOON)]

    def shows(label: str) -> object:
        return entry(NOON, client="clinic", patient=patient, findings=(finding(label=label),))

    assert append(store, shows("haloperidol")) == [True]
    assert shown() == ["haloperidol"]
    for path in tmp_path.glob("audit.db*"):
        path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        shown()
    assert append(store, entry()) == [False]
    until(lambda: store.health().ok)
    assert shown() == []
    assert append(store, shows("droperidol")) == [True]
    assert shown() == ["droperidol"]
    store.close()


def test_a_closed_store_is_one_file_though_it_was_asked_what_was_shown(tmp_path: Path) -> None:
    """An open reader would keep the log from being folded into the database at the end."""
    store = opened(tmp_path)
    assert append(store, entry()) == [True]
    assert list(store.shown("ab" * 16, "clinic", "", NOON)) == []
    store.close()
    assert sorted(path.name for path in tmp_path.glob("audit.db-*")) == []
