"""The inbox: what of a call gets into it, cleaned of persons; how it is counted, kept, ranked and emptied."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.audit import open_store
from cds_hooks.audit.terms import LearnedRow, UnmappedRow, count_unmapped
from cds_hooks.metrics import Metrics
from cds_hooks.terminology.entry import Entry, entry_of
from cds_hooks.terminology.inbox import Inbox, forget_known
from cds_hooks.terminology.unmapped import ranked
from plugin.desk import TerminologyDesk
from plugin.fhir.unmapped import MOST, clean
from tests.support.fhir import LOINC, NOW, RXNORM, SNOMED, call, condition, order, patient, prefetch, taking
from tests.support.fire import unmapped_of

Json = dict[str, Any]
URL = "sqlite:///audit.db"
LOCAL = "urn:oid:1.2.3.4"


def drug(*codings: tuple[str, str, str], text: str = "") -> Json:
    return {"medicationCodeableConcept": _concept(*codings, text=text)}


def _concept(*codings: tuple[str, str, str], text: str = "") -> Json:
    coded = [{"system": system, "code": code, "display": display} for system, code, display in codings]
    return ({"coding": coded} if coded else {}) | ({"text": text} if text else {})


def observation(*codings: tuple[str, str, str], text: str = "", **more: Any) -> Json:
    told = {"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p1"}}
    return told | {"code": _concept(*codings, text=text)} | more


# what the call holds -> (position, system, code, text, understood) of each item
HELD: dict[str, tuple[list[Json], list[Json], list[tuple[str, str, str, str, bool]]]] = {
    "a code that the data know": ([order("haloperidol")], [], []),
    "a text that names a drug of ours": ([order("Haldol 5 mg tablet")], [], []),
    "a new code beside a name: for the resolver alone": (
        [order(more=drug((RXNORM, "99000001", "haloperidol 5 MG Oral Tablet")))], [],
        [("drug", RXNORM, "99000001", "haloperidol 5 MG Oral Tablet", True)],
    ),
    "a code without a name": (
        [order(more=drug((LOCAL, "HAL5", "")))], [], [("drug", LOCAL, "HAL5", "", False)],
    ),
    "an ordinary drug": (
        [order(more=drug((LOCAL, "L10", "Lisinopril 10 MG")))], [], [("drug", LOCAL, "L10", "Lisinopril 10 MG", False)],
    ),
    "an ordinary text": ([order("Lisinopril 10 mg")], [], [("drug", "", "", "Lisinopril 10 mg", False)]),
    "two codes": (
        [order(more=drug((LOCAL, "A", ""), ("urn:oid:9", "B", ""), text="Xyz"))], [],
        [("drug", LOCAL, "A", "Xyz", False), ("drug", "urn:oid:9", "B", "Xyz", False)],
    ),
    "a reference with a display alone": (
        [order(more={"medicationCodeableConcept": None, "medicationReference": {"display": "Lisinopril"}})], [],
        [("drug", "", "", "Lisinopril", False)],
    ),
    "a reference to a Medication": (
        [
            order(more={"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m9"}}),
            {"resourceType": "Medication", "id": "m9", "code": _concept((LOCAL, "A", "Lisinopril"))},
        ],
        [],
        [("drug", LOCAL, "A", "Lisinopril", False)],
    ),
    "a drug on record": (
        [], [taking("haloperidol", more=drug((LOCAL, "A", "Lisinopril")))], [("drug", LOCAL, "A", "Lisinopril", False)],
    ),
    "a result of ours": ([], [observation((LOINC, "17861-6", "Calcium"))], []),
    "a local result": ([], [observation((LOCAL, "CA", "Calcium"))], [("lab", LOCAL, "CA", "Calcium", False)]),
    "a local result beside its LOINC code": (
        [], [observation((LOCAL, "CA", "Calcium"), (LOINC, "17861-6", "Calcium"))], [],
    ),
    "the parts of a panel": (
        [],
        [
            observation(
                (LOCAL, "BMP", "Panel"),
                component=[{"code": _concept((LOCAL, "CA", "Calcium"))}, {"code": _concept((LOINC, "17861-6", ""))}],
            )
        ],
        [("lab", LOCAL, "CA", "Calcium", False)],
    ),
    "a problem of ours": ([], [condition("G24.01")], []),
    "a problem of nobody's": (
        [], [condition("990000001", system=SNOMED, text="Flat foot")],
        [("problem", SNOMED, "990000001", "Flat foot", False)],
    ),
    "a problem in words": ([], [condition(text="Flat foot")], [("problem", "", "", "Flat foot", False)]),
    "the same twice": (
        [order("Lisinopril"), order("Lisinopril", id="d2")], [], [("drug", "", "", "Lisinopril", False)],
    ),
    "a code with a blank": ([order(more=drug((LOCAL, "A 1", "")))], [], []),
    "a system with markup": ([order(more=drug(("<script>", "A", "")))], [], []),
    "nothing ordered yet": ([order(more={"medicationCodeableConcept": None})], [], []),
    "unreadable": ([order(more={"medicationCodeableConcept": 7})], [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_what_of_a_call_is_unmapped(name: str) -> None:
    orders, record, expected = HELD[name]
    orders = [{key: value for key, value in one.items() if value is not None} for one in orders]
    found = unmapped_of(call(orders or [order()], prefetch(patient(), *record)))
    assert [(one.position, one.system, one.code, one.text, one.understood) for one in found] == expected


# a text as it came -> what is kept of it
TEXTS = [
    ("  Lisinopril \n 10   MG ", "Lisinopril 10 MG"),
    ("Nystatin 100000 UNT/ML", "Nystatin UNT/ML"),
    ("Haloperidol 2.5-5 mg every 4-6 h", "Haloperidol 2.5-5 mg every 4-6 h"),
    ("Vitamin B12 1000mcg", "Vitamin B12 1000mcg"),
    ("MS Contin 15 mg", "MS Contin 15 mg"),
    ("Zolpidem, name: Jane Doe", "Zolpidem"),
    ("Zolpidem for: Jane Doe", "Zolpidem"),
    ("Zolpidem MRN# A-1234", "Zolpidem"),
    ("Zolpidem DOB 3/1/2004", "Zolpidem DOB"),
    ("Zolpidem 01.03.2004", "Zolpidem"),
    ("Zolpidem born 1 March 2004", "Zolpidem born"),
    ("Zolpidem from March 1, 2004", "Zolpidem from"),
    ("Zolpidem per Dr. House", "Zolpidem per"),
    ("Zolpidem ask jane@example.org", "Zolpidem ask"),
    ("Zolpidem call +1 (555) 010-9999", "Zolpidem call"),
    ("Zolpidem 943 476 5919", "Zolpidem"),
    ("Zolpidem SSN 123-45-6789", "Zolpidem SSN"),
    ("Zolpidem see https://ehr.example/Patient/p1", "Zolpidem see"),
    ("Zolpidem 550e8400-e29b-41d4-a716-446655440000", "Zolpidem"),
    ("Zolpidem\u202e\x00", "Zolpidem"),
    ("x" * 500, "x" * 80),
    ("", ""),
    ("12345678", ""),
]


@pytest.mark.parametrize(("text", "kept"), TEXTS)
def test_what_is_kept_of_a_text(text: str, kept: str) -> None:
    assert clean(text) == kept


# the patient, the drug's text -> kept?
PERSONS = [
    ({"name": [{"family": "Ersatz", "given": ["Ivo"]}]}, "Lisinopril", True),
    ({"name": [{"family": "Ersatz", "given": ["Ivo"]}]}, "Lisinopril for Ivo", False),
    ({"name": [{"family": "Ersatz", "given": ["Ivo"]}]}, "ERSATZ lisinopril", False),
    ({"name": [{"family": "Ersatz", "given": ["Ivo"]}]}, "lisinopril-ersatz'", False),
    ({"name": [{"family": "Ersatz"}]}, "LisinoprilErsatz", False),
    ({"name": [{"family": "Érsätz"}]}, "Lisinopril ersatz", False),
    ({"name": [{"text": "Ivo van Ersatz"}]}, "Lisinopril van", False),
    ({"name": [{"family": "Li"}]}, "Lisinopril", True),
    ({"name": [{"family": "Ersatz", "prefix": ["Dr"]}]}, "Lisinopril dr", True),
    ({"name": {"family": "Ersatz"}}, "Lisinopril Ersatz", False),
    ({"name": "Ersatz"}, "Lisinopril", True),
    ({"identifier": [{"value": "AB-12"}]}, "Lisinopril ab 12", False),
    ({"identifier": [{"value": "AB-12"}]}, "Lisinopril AB12", False),
    ({"identifier": {"value": "Q9"}}, "Lisinopril q9", False),
    ({"birthDate": "2004-03-01"}, "Lisinopril 2004", False),
]  # fmt: skip


@pytest.mark.parametrize(("person", "text", "kept"), PERSONS)
def test_a_text_that_names_the_patient_is_dropped(person: Json, text: str, kept: bool) -> None:
    found = unmapped_of(call([order(text)], prefetch(patient(**person))))
    assert bool(found) is kept


def test_a_code_that_is_an_identifier_of_the_patient_is_dropped() -> None:
    record = prefetch(patient(identifier=[{"value": "7654321"}]))
    assert unmapped_of(call([order(more=drug((LOCAL, "7654321", "")))], record)) == ()
    assert unmapped_of(call([order(more=drug((f"{LOCAL}/7654321", "A", "")))], record)) == ()


def test_one_call_cannot_fill_the_inbox() -> None:
    orders = [
        order(f"Ordinary{chr(97 + number // 26)}{chr(97 + number % 26)}", id=f"d{number}") for number in range(200)
    ]
    assert len(unmapped_of(call(orders, prefetch(patient())))) == MOST


def row(code: str = "A", count: int = 1, text: str = "", *, position: str = "drug", seen: int = 0) -> UnmappedRow:
    moment = NOW + timedelta(minutes=seen)
    return UnmappedRow(
        position=position, system=LOCAL if code else "", code=code, text=text, count=count,
        first_seen=moment, last_seen=moment,
    )  # fmt: skip


def item(code: str = "A", text: str = "", understood: bool = False) -> Entry:
    return Entry("drug", LOCAL if code else "", code, text, understood)


def test_counts_add_up_across_flushes_and_starts(tmp_path: Path) -> None:
    async def run(minutes: int, *texts: str) -> None:
        inbox = Inbox(Metrics())
        store = open_store(URL, tmp_path)
        try:
            for number, text in enumerate(texts):
                inbox.count([item("A", text)], NOW + timedelta(minutes=minutes + number))
                await inbox.flush(store)
            assert (inbox.size, inbox.stored) == (0, 1)
        finally:
            store.close()

    asyncio.run(run(10, "first", "second"))
    asyncio.run(run(0, "third"))
    store = open_store(URL, tmp_path)
    try:
        [found] = store.unmapped()
    finally:
        store.close()
    assert (found.count, found.text) == (3, "third")
    assert (found.first_seen, found.last_seen) == (NOW, NOW + timedelta(minutes=11))


# items of one call -> distinct rows
DISTINCT = [
    ("the same code with other words", [item("A", "x"), item("A", "y")], 1),
    ("the same words in other case", [item("", "Xyz"), item("", "xYZ")], 1),
    ("other words", [item("", "Xyz"), item("", "Abc")], 2),
    ("another code", [item("A"), item("B")], 2),
    ("understood by its text", [item("A", "haloperidol", understood=True)], 0),
]


@pytest.mark.parametrize(("name", "items", "rows"), DISTINCT)
def test_what_counts_as_one(name: str, items: list[Entry], rows: int) -> None:
    inbox = Inbox(Metrics())
    inbox.count(items, NOW)
    assert inbox.size == rows, name


def test_a_full_memory_lets_go_of_the_least_counted_and_says_so() -> None:
    metrics = Metrics()
    inbox = Inbox(metrics, limit=10)
    for number in range(10):
        inbox.count([item(str(number))] * (number + 1), NOW)
    inbox.count([item("new")], NOW)
    assert sorted(one.code for one in inbox.rows()) == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "new"]
    assert sum(metrics.unmapped_dropped.values()) == 1


def test_a_full_table_lets_go_of_the_least_counted(tmp_path: Path) -> None:
    store = open_store(URL, tmp_path)
    try:
        connection = store._writer._connection.open()
        with connection.begin():
            assert count_unmapped(connection, [row(str(number), number + 1) for number in range(5)], limit=3) == 2
        assert [one.code for one in store.unmapped()] == ["4", "3", "2"]
    finally:
        store.close()


class SickStore:
    """Takes nothing."""

    async def count_unmapped(self, _: Any) -> None:
        return None


def test_a_store_that_takes_nothing_loses_no_count() -> None:
    inbox = Inbox(Metrics())
    inbox.count([item()], NOW)
    asyncio.run(inbox.flush(SickStore()))  # type: ignore[arg-type]
    inbox.count([item()], NOW + timedelta(minutes=1))
    asyncio.run(inbox.flush(SickStore()))  # type: ignore[arg-type]
    [found] = inbox.rows()
    assert (found.count, found.first_seen, found.last_seen) == (2, NOW, NOW + timedelta(minutes=1))


def test_without_a_store_it_stays_in_memory() -> None:
    inbox = Inbox(Metrics())
    inbox.count([item()], NOW)
    asyncio.run(inbox.flush(None))
    assert (inbox.size, inbox.stored) == (1, 0)


def test_what_is_known_by_now_leaves_at_the_start(tmp_path: Path) -> None:
    async def play() -> list[str]:
        store = open_store(URL, tmp_path)
        try:
            known = UnmappedRow(
                position="drug", system=RXNORM, code="5093", text="", count=9, first_seen=NOW, last_seen=NOW
            )
            await store.count_unmapped([known, row("A"), row("", text="Haldol 5 mg"), row("", text="Lisinopril")])
            assert await forget_known(store, TerminologyDesk()) == 2
            return [one.code or one.text for one in store.unmapped()]
        finally:
            store.close()

    assert asyncio.run(play()) == ["A", "Lisinopril"]


def test_what_was_learned_is_kept_and_replaced(tmp_path: Path) -> None:
    def learned(name: str, known: bool = True, minutes: int = 0) -> LearnedRow:
        return LearnedRow(
            position="drug", system=RXNORM, code="990", name=name, targets=("5093", "local:x"), source="RxNav",
            known=known, time=NOW + timedelta(minutes=minutes), expires=NOW + timedelta(days=90),
        )  # fmt: skip

    async def play() -> Any:
        store = open_store(URL, tmp_path)
        try:
            assert await store.keep_learned([learned("old")])
            assert await store.keep_learned([learned("new", False, 1)])
            return store.learned()
        finally:
            store.close()

    assert asyncio.run(play()) == [learned("new", False, 1)]


# text -> the likeliest meaning, or none
LIKELY = [
    ("drug", "Haloperidoll 5mg", "haloperidol"),
    ("drug", "haloperidone tab", "haloperidol"),
    ("drug", "METOCLOPRAM 10", "metoclopramide"),
    ("drug", "Haldoll", "haloperidol"),
    ("drug", "Symbyaxx 6/25", "olanzapine + fluoxetine"),
    ("drug", "qqqq", None),
    ("drug", "", None),
    ("lab", "Calcium total (local)", "calcium"),
    ("lab", "Calcium ionised whole blood", "calcium-ionised"),
    ("lab", "Ionized Calcium", "calcium-ionised"),
    ("lab", "iCa, ionised calcium (POC)", "calcium-ionised"),
    ("lab", "calcium ionisd", "calcium-ionised"),
    ("lab", "Magnesium, serum", "magnesium"),
    ("lab", "RBC magnesium", None),
    ("lab", "Urine calcium", None),
    ("problem", "Tardive dyskinesie", "tardive"),
]


@pytest.mark.parametrize(("position", "text", "target"), LIKELY)
def test_the_likeliest_meaning(position: str, text: str, target: str | None) -> None:
    guesses = TerminologyDesk().likely(Entry(position, "", "", text), 3)
    assert (guesses[0].target if guesses else None) == target
    assert all(0 < guess.likeness <= 1 for guess in guesses)


def test_the_list_is_ranked_by_count_and_likeness() -> None:
    rows = [
        row("", 500, "qqqq wwww"),
        row("", 2, "Halloperidone"),
        row("NAMELESS", 500),
        row("", 40, "Halloperidone tabs"),
        row("ONCE", 1),
    ]
    found = ranked(rows, TerminologyDesk())
    told = [one.row.code or one.row.text for one in found]
    assert told == ["Halloperidone tabs", "NAMELESS", "Halloperidone", "ONCE", "qqqq wwww"]
    assert told == [one.row.code or one.row.text for one in ranked(rows[::-1], TerminologyDesk())]


def test_a_row_is_asked_about_as_it_is() -> None:
    assert entry_of(row("A", text="x")) == Entry("drug", LOCAL, "A", "x")
