"""The table of rows is whole: each row has a test or a reason, each test a known row, and the page says the same."""

from __future__ import annotations

import pytest

from scripts.conformance_page import PAGE, page
from tests.conformance.rows import (
    FAILED,
    NO_TEST,
    PASSED,
    SECTIONS,
    SKIPPED,
    Row,
    counts,
    read_rows,
    state_of,
    table,
)

ROWS = read_rows()


@pytest.mark.conformance
def test_each_row_has_a_test_or_a_reason_and_not_both(marked: set[str]) -> None:
    assert [row.id for row in ROWS.values() if bool(row.reason) == (row.id in marked)] == []


@pytest.mark.conformance
def test_no_test_names_a_row_that_is_not_there(marked: set[str]) -> None:
    assert marked - ROWS.keys() == set()


def test_every_row_is_complete() -> None:
    for row in ROWS.values():
        assert row.id[0] in SECTIONS
        assert row.level
        assert row.requirement.endswith(".")
        assert row.versions in ("2", "3", "2+3", "-")
        assert row.duty in ("service", "client", "both", "-")


def test_the_page_is_the_one_that_the_rows_give() -> None:
    assert PAGE.read_text("utf-8") == page(), "run PYTHONPATH=. .venv/bin/python scripts/conformance_page.py"


ROW = Row("X1", "MUST", "2", "service", "Something.", "")
NOT_MET = Row("X2", "MAY", "3", "service", "Another thing.", "Not needed.")


@pytest.mark.parametrize(
    ("row", "outcomes", "state"),
    [
        (ROW, [PASSED], PASSED),
        (ROW, [PASSED, FAILED], FAILED),
        (ROW, [PASSED, SKIPPED], SKIPPED),
        (ROW, [], NO_TEST),
        (NOT_MET, [], "Not needed."),
    ],
)
def test_a_row_stands_as_its_worst_test(row: Row, outcomes: list[str], state: str) -> None:
    assert state_of(row, outcomes) == state


def test_the_printed_table() -> None:
    lines = table({"X1": ROW, "X2": NOT_MET}, {"X1": {PASSED}})
    assert [" ".join(line.split()) for line in lines[:2]] == ["X1 MUST 2 passed", "X2 MAY 3 not met: Not needed."]
    assert lines[2] == "2 rows: 1 with tests (1 passed), 1 not met, with reasons"
    assert counts({"X1": ROW}, {"X1": FAILED}) == "1 rows: 1 with tests (0 passed, 1 FAILED), 0 not met, with reasons"
