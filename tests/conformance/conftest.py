"""Prints how each row stands after ``pytest -m conformance``, and serves the real plugin for the tests beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.rows import FAILED, MARK, PASSED, SKIPPED, read_rows, table
from tests.contract.conftest import Running, Starter
from tests.support.fhir import NOW
from tests.support.fire import plugin

MARKED = pytest.StashKey[set[str]]()
OUTCOMES = {"passed": PASSED, "failed": FAILED, "error": FAILED, "skipped": SKIPPED}


def ids_of(item: pytest.Item) -> list[str]:
    """The ids of the rows that a test stands for."""
    return [str(row) for mark in item.iter_markers(MARK) for row in mark.args]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Notes the rows of each test before any is deselected."""
    for item in items:
        item.user_properties += [(MARK, row) for row in ids_of(item)]
    collected = {item.path for item in items}
    if set(Path(__file__).parent.glob("test_*.py")) <= collected:
        config.stash[MARKED] = {row for item in items for row in ids_of(item)}


@pytest.fixture
def marked(pytestconfig: pytest.Config) -> set[str]:
    """Every row that a test of this run stands for."""
    if MARKED not in pytestconfig.stash:
        pytest.skip("Run all of tests/conformance to see which rows have tests.")
    return pytestconfig.stash[MARKED]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.getoption("markexpr") != MARK:
        return
    outcomes: dict[str, set[str]] = defaultdict(set)
    for stat, outcome in OUTCOMES.items():
        for report in terminalreporter.stats.get(stat, ()):
            for name, row in getattr(report, "user_properties", ()):
                if name == MARK:
                    outcomes[row].add(outcome)
    terminalreporter.section("conformance with CDS Hooks")
    for line in table(read_rows(), outcomes):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with the rules of this house, on loopback, for all tests of this folder."""
    starter = Starter(tmp_path_factory.mktemp("conformance"))
    yield starter(plugin(), clock=lambda: NOW, cors_origins="https://ehr.example")
    starter.running[0].stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts services with settings or a plugin of their own."""
    starter = Starter(tmp_path)
    yield starter
    for one in starter.running:
        one.stop()
