"""Audit entries for tests, and the small parts: identifiers, pseudonyms, where the store lives."""

from __future__ import annotations

import hmac
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds_hooks.audit import AuditStore, Entry, Feedback, FindingRow, StoreError, new_id, open_store
from cds_hooks.audit.location import database_path
from cds_hooks.audit.pseudonym import client_key, pseudonym
from cds_hooks.errors import Trouble

URL = "sqlite:///audit.db"
NOON = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
CARDS = [{"uuid": "c-1", "summary": "Avoid haloperidol", "indicator": "warning", "source": {"label": "Rules"}}]
RESULTS = [
    {"rule": "R-1", "subject": "Order/1", "status": "fired", "indicator": "warning", "inputs": ["Patient/1"]},
    {"rule": "R-2", "status": "clear", "inputs": ["Observation/1"]},
]


def finding(rule: str = "R-1", **changes: Any) -> FindingRow:
    made = FindingRow(rule, "MedicationRequest/1", "haloperidol", "warning", "", True)
    return msgspec.structs.replace(made, **changes)


def entry(
    time: datetime = NOON, cards: list[Any] | None = None, results: list[Any] | None = None, **changes: Any
) -> Entry:
    """Return an answered call with one card about haloperidol; ``cards`` and ``results`` are plain values."""
    cards = CARDS if cards is None else cards
    made = Entry(
        id=new_id(time),
        time=time,
        client="clinic",
        service="order-sign",
        hook="order-sign",
        hook_instance="d1577c69",
        patient="0f" * 16,
        ruleset="1.0.0+abcdefabcdef",
        status=200,
        outcome="answered",
        detail="",
        milliseconds=4.5,
        keys=b'{"medications":{"state":"satisfied"}}',
        cards=msgspec.json.encode(cards),
        results=msgspec.json.encode(RESULTS if results is None else results),
        subjects=b'[{"reference":"MedicationRequest/1","label":"haloperidol"}]',
        findings=(finding(),),
        card_uuids=tuple(card["uuid"] for card in cards),
    )
    return msgspec.structs.replace(made, **changes)


def refused(time: datetime = NOON, **changes: Any) -> Entry:
    nothing = {"keys": b"{}", "subjects": b"[]", "findings": ()}
    return entry(time, [], [], **({"outcome": "refused", "status": 412, "detail": "other-patient"} | nothing | changes))


def heard(card: str = "c-1", outcome: str = "accepted", **changes: Any) -> Feedback:
    made = Feedback(time=NOON, client="clinic", service="order-sign", card=card, outcome=outcome)
    return msgspec.structs.replace(made, **changes)


def opened(folder: Path) -> AuditStore:
    return open_store(URL, folder)


def test_ids_are_26_url_safe_characters_in_the_order_they_were_made() -> None:
    moments = [NOON + timedelta(milliseconds=step // 50) for step in range(500)]
    made = [new_id(moment) for moment in moments]
    assert made == sorted(made)
    assert len(set(made)) == 500
    assert all(len(name) == 26 and name.isalnum() and name.isascii() for name in made)


def test_a_later_id_sorts_later_whatever_was_made_between() -> None:
    late = new_id(NOON + timedelta(days=3650))
    assert new_id(NOON) < late
    assert new_id(NOON - timedelta(days=3650)) < new_id(NOON) < late


def test_pseudonyms_last_over_a_restart_and_differ_between_installations(tmp_path: Path) -> None:
    names = []
    for folder in ("a", "a", "b"):
        store = opened(tmp_path / folder)
        names.append(store.pseudonym("Patient/1"))
        assert store.pseudonym("") == ""
        assert store.pseudonym("Patient/2") != names[-1]
        store.close()
    first, again, elsewhere = names
    assert first == again != elsewhere
    assert len(first) == 32
    assert int(first, 16)


def test_each_client_has_pseudonyms_of_its_own(tmp_path: Path) -> None:
    """The same ids at two hospitals and where nobody says who calls, whose pseudonyms are those of older stores."""
    store = opened(tmp_path)
    clients = ("anonymous", "north", "south")
    people = [store.pseudonym("p1", client) for client in clients]
    visits = [store.encounter_pseudonym("p1", client) for client in clients]
    assert len({*people, *visits}) == 6
    assert store.pseudonym("p1") == people[0]
    key = bytes.fromhex((tmp_path / "pseudonym.key").read_text())
    store.close()
    assert people[0] == hmac.digest(key, b"p1", "sha256").hex()[:32]
    again = opened(tmp_path)
    assert [again.pseudonym("p1", client) for client in clients] == people
    again.close()


def test_no_patient_id_gives_the_key_of_a_client(tmp_path: Path) -> None:
    store = opened(tmp_path)
    key = bytes.fromhex((tmp_path / "pseudonym.key").read_text())
    store.close()
    named = client_key(key, "north")
    assert len(named) == len(key)
    assert all(not named.hex().startswith(pseudonym(key, id)) for id in ("client north", "north", "client\0north"))


def test_folder_key_and_database_are_for_their_owner_alone(tmp_path: Path) -> None:
    store = opened(tmp_path / "data")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    store.close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert {"audit.db", "audit.db-wal", "pseudonym.key"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_damaged_key_is_never_replaced(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "pseudonym.key").write_text("abc")
    with pytest.raises(StoreError, match=r"pseudonym\.key is damaged.*Restore it"):
        opened(tmp_path)
    assert (tmp_path / "pseudonym.key").read_text() == "abc"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///audit.db", "/data/audit.db"),
        ("sqlite:////var/lib/a.db", "/var/lib/a.db"),
        ("sqlite:///x/y.db", "/data/x/y.db"),
    ],
)
def test_a_relative_file_lies_in_the_data_folder(url: str, path: str) -> None:
    assert database_path(url, Path("/data")) == Path(path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@db/audit", "keeps its audit in SQLite"),
        ("postgresql+psycopg://me:secret@db/audit", "keeps its audit in SQLite"),
        ("mysql://me:secret@db/audit", "of the kind 'mysql'"),
        ("sqlite://", "cannot be kept in memory"),
        ("sqlite:///:memory:", "cannot be kept in memory"),
        ("sqlite:///audit.db?mode=ro", "beyond the file"),
        ("sqlite:///file:audit.db", "beyond the file"),
        ("audit.db", "not a database URL"),
    ],
)
def test_other_addresses_are_refused_with_a_sentence(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        open_store(url, tmp_path)
    assert "secret" not in str(caught.value)
    assert "sqlite:///" in str(caught.value)
    assert isinstance(caught.value, Trouble)
