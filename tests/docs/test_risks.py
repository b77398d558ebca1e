"""The page about risks: all seventeen are there, and every test that it names is one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "risks.md").read_text("utf-8")
ROWS = re.findall(r"^\| (R\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
NAMED = [(risk, named) for risk, _, _, tests in ROWS for named in re.findall(r"`([^`]+)`", tests)]


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The test functions of a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, kinds))


def test_all_seventeen_risks_are_there_in_order() -> None:
    assert [risk for risk, *_ in ROWS] == [f"R{number}" for number in range(1, 18)]


@pytest.mark.parametrize(("risk", "words", "control", "tests"), ROWS, ids=[row[0] for row in ROWS])
def test_each_risk_has_a_control_and_proofs(risk: str, words: str, control: str, tests: str) -> None:
    assert words.endswith(".")
    assert control.endswith(".")
    assert [one for one, _ in NAMED if one == risk], tests


@pytest.mark.parametrize(("risk", "named"), NAMED)
def test_each_proof_is_a_test(risk: str, named: str) -> None:
    file, _, test = named.partition("::")
    assert test.startswith("test_")
    assert test in functions_of(ROOT / file), f"{risk} names {named}"
