"""What is built for others: the wheel holds every file that the code reads beside itself, and is the same each time."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cds_hooks", "plugin", "valuesets")
UNREAD = {".pyc", ".db"}


def built(folder: Path) -> Path:
    """The wheel, built without asking anybody."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_every_file_of_the_packages_and_the_notices(wheel: Path) -> None:
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
    expected = {str(path.relative_to(ROOT)) for path in files if path.suffix not in UNREAD}
    held = set(zipfile.ZipFile(wheel).namelist())
    assert len(expected) > 500
    assert expected - held == set()
    assert {name.rsplit("/", 1)[1] for name in held if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert {name.split("/", 1)[0] for name in held if ".dist-info/" not in name} == set(PACKAGES)


def test_the_same_files_give_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    again = built(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()
