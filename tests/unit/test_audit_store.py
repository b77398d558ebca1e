"""Writing: what is acknowledged is on the disk, in order, once, and can never be changed."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import cds_hooks.audit.migrations
from cds_hooks.audit import CallFilter, StoreError, making, open_store
from cds_hooks.audit.export import open_reader
from cds_hooks.audit.schema import HEAD, REVISIONS, metadata
from cds_hooks.audit.sqlite import run_pragma, writer_engine
from tests.unit.test_audit_entries import URL, entry, finding, heard, opened, refused

MIGRATIONS = Path(cds_hooks.audit.migrations.__file__).parent


def raw(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "audit.db")


def test_an_entry_comes_back_as_it_went_in(tmp_path: Path) -> None:
    given = entry(findings=(finding(), finding("R-3", suppressed="S-03", shown=False)))
    store = opened(tmp_path)
    assert asyncio.run(store.append(given))
    got = store.call(given.id)
    assert got
    for name in ("id", "time", "client", "service", "hook", "hook_instance", "patient", "ruleset", "status", "outcome"):
        assert getattr(got.row, name) == getattr(given, name)
    for name in ("detail", "milliseconds", "cards", "results", "findings"):
        assert getattr(got.row, name) == getattr(given, name)
    assert (got.keys, got.subjects, got.card_uuids) == (given.keys, given.subjects, given.card_uuids)
    assert (got.row.card_count, got.row.indicator, got.row.labels) == (1, "warning", ("haloperidol",))
    store.close()


def test_an_acknowledged_entry_is_committed_with_a_full_sync(tmp_path: Path) -> None:
    store = opened(tmp_path)
    given = entry()
    assert asyncio.run(store.append(given))
    with raw(tmp_path) as other:
        assert other.execute("select id, time from audit_call").fetchall() == [
            (given.id, "2025-03-04T12:00:00.000000+00:00")
        ]
        assert other.execute("pragma journal_mode").fetchone() == ("wal",)
    engine = writer_engine(tmp_path / "audit.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
    store.close()


def test_many_appenders_at_once_lose_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)

    async def one() -> str:
        given = entry()
        assert await store.append(given)
        return given.id

    async def many() -> list[str]:
        return await asyncio.gather(*(one() for _ in range(2000)))

    ids = asyncio.run(many())
    assert store.count() == 2000
    assert store.health().written == 2000
    store.close()
    with raw(tmp_path) as other:
        seqs, stored = zip(*other.execute("select seq, id from audit_call order by seq"), strict=True)
    assert sorted(stored) == sorted(ids)
    assert seqs == tuple(range(1, 2001))


def test_several_event_loops_share_one_store(tmp_path: Path) -> None:
    store = opened(tmp_path)
    answers: list[bool] = []

    async def many() -> None:
        answers.extend(await asyncio.gather(*(store.append(entry()) for _ in range(50))))

    threads = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 200
    assert store.count() == 200
    store.close()


def test_a_caller_that_stops_waiting_does_not_take_its_entry_back(tmp_path: Path) -> None:
    store = opened(tmp_path)
    given = entry()

    async def impatient() -> None:
        waiting = asyncio.ensure_future(store.append(given))
        await asyncio.sleep(0)
        waiting.cancel()
        assert await store.append(entry())

    asyncio.run(impatient())
    assert store.call(given.id)
    store.close()


def test_closing_writes_what_waits_and_refuses_what_comes_later(tmp_path: Path) -> None:
    store = opened(tmp_path)

    async def close_at_once() -> list[bool]:
        waiting = [asyncio.ensure_future(store.append(entry())) for _ in range(300)]
        await asyncio.sleep(0)
        store.close()
        return await asyncio.gather(*waiting, store.append(entry()))

    answers = asyncio.run(close_at_once())
    assert answers == [True] * 300 + [False]
    assert not (tmp_path / "audit.db-wal").exists()
    health = store.health()
    assert (health.ok, health.failed, health.pending) == (False, 1, 0)
    store.close()
    again = opened(tmp_path)
    assert again.count() == 300
    again.close()


@pytest.mark.parametrize("table", ["audit_call", "audit_finding", "audit_card", "audit_feedback"])
@pytest.mark.parametrize("change", ["delete from {}", "update {} set service = 'x'", "update {} set rule = 'x'"])
def test_rows_can_only_be_added(table: str, change: str, tmp_path: Path) -> None:
    store = opened(tmp_path)
    asyncio.run(store.append(entry()))
    asyncio.run(store.append_feedback([heard()]))
    store.close()
    with raw(tmp_path) as other, pytest.raises(sqlite3.DatabaseError, match=r"append-only|no such column"):
        other.execute(change.format(table))


def test_every_feedback_is_kept_and_says_whether_its_card_is_known(tmp_path: Path) -> None:
    store = opened(tmp_path)
    given = entry()
    asyncio.run(store.append(given))
    rows = [
        heard("c-1", "accepted", accepted=b'["s-1"]', outcome_timestamp="2025-03-04T12:01:00Z"),
        heard("C-1 ", "overridden", reason_code="r", reason_system="urn:s", reason_display="Reason", comment="because"),
        heard("c-1", "accepted"),
        heard("c-1", "accepted"),
        heard("never-seen", "accepted"),
        heard("c-1", "accepted", service="another-service"),
    ]
    assert asyncio.run(store.append_feedback(rows))
    assert asyncio.run(store.append_feedback([]))
    with raw(tmp_path) as other:
        assert [known for (known,) in other.execute("select known from audit_feedback order by seq")] == [
            1,
            1,
            1,
            1,
            0,
            0,
        ]
    detail = store.call(given.id)
    assert detail
    assert [item.outcome for item in detail.feedback] == ["accepted", "overridden", "accepted", "accepted"]
    assert detail.feedback[0].accepted == b'["s-1"]'
    assert (detail.feedback[1].reason_code, detail.feedback[1].comment) == ("r", "because")
    assert detail.row.feedback == ("accepted", "overridden")
    store.close()


def test_feedback_that_waits_with_its_call_knows_the_card(tmp_path: Path) -> None:
    store = opened(tmp_path)

    async def together() -> list[bool]:
        return await asyncio.gather(
            store.append_feedback([heard()]), store.append(entry()), store.append_feedback([heard()])
        )

    assert asyncio.run(together()) == [True] * 3
    with raw(tmp_path) as other:
        assert other.execute("select known from audit_feedback order by seq").fetchall()[-1] == (1,)
    store.close()


def test_only_one_process_or_store_writes(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(StoreError, match="in use by another process"):
        opened(tmp_path)
    store.close()
    opened(tmp_path).close()


def test_readers_read_while_the_service_writes_and_after_it_ended(tmp_path: Path) -> None:
    store = opened(tmp_path)
    reader = open_reader(URL, tmp_path)
    stop = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(reader.count())
            assert len(reader.calls(CallFilter(limit=5))) <= 5

    async def write() -> None:
        for _ in range(20):
            assert all(await asyncio.gather(*(store.append(entry()) for _ in range(25))))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(write())
    stop.set()
    for thread in threads:
        thread.join()
    assert max(seen) > min(seen)
    assert reader.count() == 500
    store.close()
    assert reader.count() == 500
    assert open_reader(URL, tmp_path).count() == 500


def test_a_refused_call_is_kept_too(tmp_path: Path) -> None:
    store = opened(tmp_path)
    given = refused()
    assert asyncio.run(store.append(given))
    detail = store.call(given.id)
    assert detail
    assert (detail.row.outcome, detail.row.status, detail.row.detail) == ("refused", 412, "other-patient")
    store.close()


def older(folder: Path, revision: str) -> None:
    """Makes the store as a service of an older version left it, by running the migrations up to its revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writer_engine(folder / "audit.db").connect() as connection:
        run_pragma(connection, "journal_mode=wal")
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


def test_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    older(tmp_path, HEAD)
    with writer_engine(tmp_path / "audit.db").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def described(folder: Path) -> set[tuple[object, ...]]:
    """All that a database holds, but for the order of columns and the spelling of statements."""
    with raw(folder) as found:
        made: set[tuple[object, ...]] = set()
        for kind, name, sql in found.execute("select type, name, lower(sql) from sqlite_master where sql is not null"):
            is_table = kind == "table"
            made.add((kind, name, "without rowid" in sql if is_table else " ".join(sql.split())))
        for name in [name for kind, name, _ in made if kind == "table"]:
            made |= {(name, *column[1:]) for column in found.execute(f"pragma table_info({name})")}
            made |= {(name, "key", *key[2:]) for key in found.execute(f"pragma foreign_key_list({name})")}
            for _, index, unique, origin, _ in found.execute(f"pragma index_list({name})").fetchall():
                columns = tuple(one[2] for one in found.execute(f"pragma index_info({index})"))
                made |= {(name, "index", origin, unique, columns)}
    found.close()
    return made


def test_a_new_store_is_what_the_migrations_make(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    opened(tmp_path / "new").close()
    older(tmp_path / "old", HEAD)
    assert described(tmp_path / "new") == described(tmp_path / "old")


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_any_older_version_is_brought_up_to_date(tmp_path: Path, revision: str) -> None:
    older(tmp_path, revision)
    store = opened(tmp_path)
    assert asyncio.run(store.append(entry()))
    store.close()
    with raw(tmp_path) as other:
        assert other.execute("select version_num from alembic_version").fetchall() == [(HEAD,)]
    other.close()


def test_the_last_migration_is_the_head_that_the_code_expects() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [HEAD]
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == REVISIONS


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with raw(tmp_path) as other:
        other.execute("update alembic_version set version_num = '9999'")
    other.close()
    for attempt in (opened, lambda folder: open_reader(URL, folder)):
        with pytest.raises(StoreError, match=rf"newer version \(got revision 9999, expected {HEAD}"):
            attempt(tmp_path)


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    with raw(tmp_path) as other:
        other.execute("create table recipes (name)")
    other.close()
    with pytest.raises(StoreError, match="holds something else"):
        opened(tmp_path)
    with raw(tmp_path) as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("recipes",)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "audit.db").write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StoreError, match="not an SQLite database"):
        opened(tmp_path)
    assert (tmp_path / "audit.db").read_bytes().startswith(b"Dear diary")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write in the folder .*DYSTONIA_CDS_DATA_DIR"):
        open_store(URL, tmp_path / "file" / "data")


def test_a_store_that_could_not_be_made_whole_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(making, "HEAD", object())  # nothing that a database takes: the very last statement fails
        with pytest.raises(StoreError, match="cannot be opened for writing"):
            opened(tmp_path)
    with raw(tmp_path) as other:
        assert other.execute("select count(*) from sqlite_master").fetchone() == (0,)
    opened(tmp_path).close()


def test_an_interrupted_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    older(tmp_path, REVISIONS[0])
    before = described(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(op, "add_column", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            opened(tmp_path)
    assert described(tmp_path) == before
    opened(tmp_path).close()


def test_reading_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no audit database"):
        open_reader(URL, tmp_path)
    assert list(tmp_path.iterdir()) == []
