"""The page of hazards: made from its data, and every test that it names is there."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = json.loads((ROOT / "docs" / "hazards.json").read_text("utf-8"))
NAMED = sorted({test for hazard in DATA for control in hazard["controls"] for test in control["tests"]})


def functions_of(path: Path) -> set[str]:
    """The test functions of a file."""
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("named", NAMED)
def test_each_test_that_is_named_exists(named: str) -> None:
    file, _, test = named.partition("::")
    assert test.startswith("test_")
    assert test in functions_of(ROOT / file)


def test_the_page_is_the_one_that_the_data_give() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "hazards_page.py"), "--check"]
    assert subprocess.run(script, check=False).returncode == 0, "run scripts/hazards_page.py"


def test_each_hazard_has_controls_and_each_control_a_proof() -> None:
    assert [hazard["id"] for hazard in DATA] == [f"H-{number:02}" for number in range(1, len(DATA) + 1)]
    for hazard in DATA:
        assert hazard["hazard"].endswith(".")
        assert hazard["controls"]
        for control in hazard["controls"]:
            assert control["tests"]
            assert re.fullmatch(r"[^|\n]+\.", control["control"])


def test_all_hazards_of_the_specification_are_there() -> None:
    assert len(DATA) >= 10
