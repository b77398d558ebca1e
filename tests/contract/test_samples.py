"""Calls as real clients sent them, read from the folder ``SAMPLES_DIR`` names: each must get 200."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.contract.conftest import Running

FOLDER = Path(os.environ.get("SAMPLES_DIR", "")) / "client-requests"
FILES = sorted(FOLDER.glob("*.json")) if os.environ.get("SAMPLES_DIR") else []


@pytest.mark.skipif(not FILES, reason="SAMPLES_DIR names no folder with client-requests/*.json, so none was sent")
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_real_client_gets_200(service: Running, file: Path) -> None:
    content = json.loads(file.read_text("utf-8"))
    answer = service.call(content.get("body", content))
    assert answer.status_code == 200, answer.text
