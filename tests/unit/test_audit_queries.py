"""Looking entries up: every filter, paging, feedback, and the JSON for other programs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from cds_hooks.audit import AuditStore, CallFilter, StoreError
from cds_hooks.audit.export import as_json, every, open_reader
from tests.unit.test_audit_entries import CARDS, NOON, RESULTS, URL, entry, finding, heard, opened, refused

NOT_CHECKED = [{"rule": "R-2", "status": "not-checked", "reason": "key-failed", "inputs": []}]
CLEAR = [{"rule": "R-2", "status": "clear", "inputs": []}]


def made(uuid: str, indicator: str) -> list[dict[str, object]]:
    return [CARDS[0] | {"uuid": uuid, "indicator": indicator}]


# name: entry; one minute apart, in this order
ENTRIES = {
    "warned": entry(NOON, made("w", "warning")),
    "critical": entry(
        NOON + timedelta(minutes=1),
        made("k1", "info") + made("k2", "critical"),
        service="order-select",
        patient="ab" * 16,
        subjects=b'[{"reference":"MedicationRequest/2","label":"Tetrabenazine 25 mg"},{"label":"Levodopa 100%"}]',
        findings=(finding("R-1", indicator="critical", label="Tetrabenazine 25 mg"), finding("R-5", indicator="info")),
    ),
    "suppressed": entry(NOON + timedelta(minutes=2), [], findings=(finding("R-5", suppressed="S-03", shown=False),)),
    "clear": entry(NOON + timedelta(minutes=3), [], CLEAR, findings=(), subjects=b"[]", client="other"),
    "unread": entry(NOON + timedelta(minutes=4), [], NOT_CHECKED, findings=(), subjects=b"[]"),
    "refused": refused(NOON + timedelta(minutes=5)),
    "ignored": entry(NOON + timedelta(minutes=6), made("i", "warning"), findings=(finding(indicator="warning"),)),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditStore]:
    store = opened(tmp_path_factory.mktemp("audit"))

    async def fill() -> None:
        for given in ENTRIES.values():
            assert await store.append(given)
        assert await store.append_feedback([heard("w", "overridden"), heard("k1", "accepted", service="order-select")])
        assert await store.append_feedback([heard("i", "accepted", service="order-select")])

    asyncio.run(fill())
    yield store
    store.close()


def test_what_another_client_says_of_a_card_is_not_heard(tmp_path: Path) -> None:
    """North shows a card; south, which should not even know of it, says that it was overridden."""
    store = opened(tmp_path)
    shown = entry(NOON, made("n1", "warning"), client="north", patient="ab" * 16, findings=(finding(card="n1"),))
    said = [heard("n1", "overridden", client=client, reason_code="other") for client in ("south", "north")]

    def remembered() -> list[str]:
        return [one.override_reason for one in store.shown("ab" * 16, "north", "", NOON)]

    async def fill(number: int) -> None:
        if number == 0:
            assert await store.append(shown)
        assert await store.append_feedback([said[number]])

    try:
        asyncio.run(fill(0))
        assert remembered() == [""]
        assert store.shown("ab" * 16, "south", "", NOON) == []
        assert [len(store.calls(CallFilter(outcome=name))) for name in ("overridden", "no-feedback")] == [0, 1]
        found = store.call(shown.id)
        assert found is not None
        assert (list(found.feedback), found.row.feedback) == ([], ())
        asyncio.run(fill(1))
        assert remembered() == ["other"]
        assert [len(store.calls(CallFilter(outcome=name))) for name in ("overridden", "no-feedback")] == [1, 0]
        found = store.call(shown.id)
        assert found is not None
        assert ([one.known for one in found.feedback], found.row.feedback) == ([True], ("overridden",))
        with closing(sqlite3.connect(store.path)) as raw:
            kept = raw.execute("select client, known from audit_feedback order by seq").fetchall()
        assert kept == [("south", 0), ("north", 1)]
    finally:
        store.close()


def names(store: AuditStore, where: CallFilter) -> str:
    ids = {given.id: name for name, given in ENTRIES.items()}
    return " ".join(ids[row.id] for row in store.calls(where))


ALL = "ignored refused unread clear suppressed critical warned"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (CallFilter(), ALL),
        (CallFilter(since=NOON + timedelta(minutes=5)), "ignored refused"),
        (CallFilter(until=NOON + timedelta(minutes=1)), "warned"),
        (CallFilter(since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=3)), "suppressed critical"),
        (CallFilter(rule="R-1"), "ignored critical warned"),
        (CallFilter(rule="R-5"), "suppressed critical"),
        (CallFilter(rule="R"), ""),
        (CallFilter(indicator="critical"), "critical"),
        (CallFilter(indicator="warning"), "ignored suppressed warned"),
        (CallFilter(rule="R-5", indicator="critical"), ""),
        (CallFilter(rule="R-5", indicator="info"), "critical"),
        (CallFilter(drug="tetraBENA"), "critical"),
        (CallFilter(drug="levodopa"), "critical"),
        (CallFilter(drug="100%"), "critical"),
        (CallFilter(drug="%"), "critical"),
        (CallFilter(drug="_"), ""),
        (CallFilter(drug="' or 1=1 --"), ""),
        (CallFilter(drug="haloperidol"), "ignored suppressed critical warned"),
        (CallFilter(outcome="answered"), "ignored unread clear suppressed critical warned"),
        (CallFilter(outcome="refused"), "refused"),
        (CallFilter(outcome="silent"), "unread clear suppressed"),
        (CallFilter(outcome="fired"), "ignored suppressed critical warned"),
        (CallFilter(outcome="not-checked"), "unread"),
        (CallFilter(outcome="accepted"), "critical"),
        (CallFilter(outcome="overridden"), "warned"),
        (CallFilter(outcome="no-feedback"), "ignored"),
        (CallFilter(outcome="no-such-outcome"), ""),
        (CallFilter(service="order-select"), "critical"),
        (CallFilter(client="other"), "clear"),
        (CallFilter(patient="ab" * 16), "critical"),
        (CallFilter(outcome="fired", rule="R-1", drug="halo", since=NOON + timedelta(minutes=1)), "ignored critical"),
        (CallFilter(limit=2), "ignored refused"),
        (CallFilter(limit=2, before=ENTRIES["refused"].id), "unread clear"),
        (CallFilter(before=ENTRIES["warned"].id), ""),
        (CallFilter(before="unknown"), ""),
        (CallFilter(limit=0), ""),
        (CallFilter(limit=-1), ""),
    ],
)
def test_filters(store: AuditStore, where: CallFilter, found: str) -> None:
    assert names(store, where) == found
    if not where.before and where.limit == 50:
        assert store.count(where) == len(found.split())


def test_counting_stops_at_the_cap(store: AuditStore) -> None:
    assert store.count() == 7
    assert store.count(cap=3) == 3


def test_a_row_says_what_its_cards_were(store: AuditStore) -> None:
    rows = {row.id: row for row in store.calls()}
    critical = rows[ENTRIES["critical"].id]
    assert (critical.card_count, critical.indicator, critical.feedback) == (2, "critical", ("accepted",))
    assert critical.labels == ("Tetrabenazine 25 mg", "Levodopa 100%", "haloperidol")
    assert [item.rule for item in critical.findings] == ["R-1", "R-5"]
    silent = rows[ENTRIES["clear"].id]
    assert (silent.card_count, silent.indicator, silent.labels, silent.findings) == (0, "", (), ())


def test_an_unknown_id_is_none(store: AuditStore) -> None:
    assert store.call("unknown") is None
    assert store.call("") is None


def test_all_pages_together_are_everything_once(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_hooks.audit.export._PAGE", 2)
    expected = [row.id for row in store.calls()]
    assert [row.id for row in every(store, CallFilter())] == expected
    assert [row.id for row in every(store, CallFilter(), limit=3)] == expected[:3]
    assert [row.id for row in every(store, CallFilter(outcome="silent"))] == expected[2:5]
    assert list(every(store, CallFilter(), limit=0)) == []


def test_a_listing_has_exactly_its_eight_fields(store: AuditStore) -> None:
    listed = as_json(store.calls(CallFilter(outcome="overridden"))[0])
    assert listed == {
        "id": ENTRIES["warned"].id,
        "time": "2025-03-04T12:00:00+00:00",
        "client": "clinic",
        "service": "order-sign",
        "hook": "order-sign",
        "hookInstance": "d1577c69",
        "cards": made("w", "warning"),
        "results": RESULTS,
    }
    assert list(listed) == ["id", "time", "client", "service", "hook", "hookInstance", "cards", "results"]
    assert msgspec.json.encode(listed)


def test_a_detail_has_the_rest(store: AuditStore) -> None:
    detail = store.call(ENTRIES["warned"].id)
    assert detail
    shown = as_json(detail)
    assert set(shown) - set(as_json(detail.row)) == {
        *("status", "outcome", "detail", "patient", "ruleset", "milliseconds", "keys", "subjects", "feedback"),
    }
    assert shown["keys"] == {"medications": {"state": "satisfied"}}
    assert shown["subjects"] == [{"reference": "MedicationRequest/1", "label": "haloperidol"}]
    assert shown["feedback"] == [
        {"time": "2025-03-04T12:00:00+00:00", "client": "clinic", "card": "w", "known": True, "outcome": "overridden"}
    ]


def test_a_store_that_vanished_while_reading_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    opened(tmp_path).close()
    reader = open_reader(URL, tmp_path)
    (tmp_path / "audit.db").unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        reader.calls()
