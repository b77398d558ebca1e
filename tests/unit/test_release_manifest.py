"""A data folder is as its manifest says, or it is refused with the file's name and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from valuesets import load
from valuesets.manifest import MANIFEST, TerminologyDataError, make_manifest, read_manifest, render_manifest
from valuesets.store import DATA, CodeSystem, Resources, ValueSet

FILE = "ValueSet-lab-calcium.json"


def _edited(folder: Path) -> None:
    path = folder / FILE
    path.write_bytes(path.read_bytes().replace(b"2000-8", b"2000-9"))


def _rewritten_with_manifest(folder: Path) -> None:
    """As someone would who edits a file and its hash, but not the hash over all."""
    _edited(folder)
    manifest = read_manifest(folder)
    files = {**manifest.files, FILE: make_manifest({FILE: (folder / FILE).read_bytes()}, "", "", "", "").files[FILE]}
    (folder / MANIFEST).write_bytes(render_manifest(msgspec.structs.replace(manifest, files=files)))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (_edited, f"{FILE} is not as its manifest says"),
    "missing": (lambda folder: (folder / FILE).unlink(), f"{FILE} cannot be read"),
    "extra": (lambda folder: (folder / "ValueSet-mine.json").write_text("{}"), "ValueSet-mine.json is not in the man"),
    "emptied": (lambda folder: (folder / FILE).write_text(""), f"{FILE} is not as its manifest says"),
    "without manifest": (lambda folder: (folder / MANIFEST).unlink(), f"{MANIFEST} cannot be read"),
    "another manifest": (lambda folder: (folder / MANIFEST).write_text("{}"), f"{MANIFEST} is no manifest of ours"),
    "manifest edited": (_rewritten_with_manifest, f"{MANIFEST} was edited by hand"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


@pytest.mark.parametrize(("damage", "told"), DAMAGE.values(), ids=DAMAGE)
def test_a_folder_edited_by_hand_is_refused(copy: Path, damage: Callable[[Path], object], told: str) -> None:
    damage(copy)
    with pytest.raises(TerminologyDataError, match=told) as caught:
        Resources(copy)
    assert str(copy) in str(caught.value)
    assert "build the snapshot again with `dystonia-cds terminology build`" in str(caught.value)


def test_an_untouched_copy_is_the_same_data(copy: Path) -> None:
    assert Resources(copy).content_hash == Resources().content_hash == load().content_hash
    assert dict(Resources(copy)) == dict(Resources())


def test_the_installed_data_say_to_reinstall() -> None:
    with pytest.raises(TerminologyDataError, match="no data file ValueSet/lab-gold; reinstall the package"):
        Resources().decode("ValueSet/lab-gold", ValueSet)


def test_a_file_that_changes_later_is_refused_as_well(copy: Path) -> None:
    """What is published is what was loaded, even if the folder is changed under a running service."""
    resources = Resources(copy)
    first = resources["ValueSet/lab-calcium"]
    assert resources["ValueSet/lab-calcium"] == first
    _edited(copy)
    with pytest.raises(TerminologyDataError, match=FILE):
        resources["ValueSet/lab-calcium"]


def test_a_file_that_is_listed_but_not_readable_is_named(tmp_path: Path) -> None:
    files = {"CodeSystem-odd.json": b'{"version": 1'}
    (tmp_path / "CodeSystem-odd.json").write_bytes(files["CodeSystem-odd.json"])
    (tmp_path / MANIFEST).write_bytes(render_manifest(make_manifest(files, "1", "test", "test", "")))
    with pytest.raises(TerminologyDataError, match=r"CodeSystem-odd\.json cannot be read: "):
        Resources(tmp_path).decode("CodeSystem/odd", CodeSystem)


def test_files_of_a_snapshot_stand_in_for_those_that_ship(tmp_path: Path) -> None:
    content = (DATA / FILE).read_bytes().replace(b"2000-8", b"9999-9")
    (tmp_path / FILE).write_bytes(content)
    (tmp_path / MANIFEST).write_bytes(render_manifest(make_manifest({FILE: content}, "1", "test", "test", "")))
    layered = Resources(snapshot=tmp_path)
    assert layered["ValueSet/lab-calcium"] == content
    assert layered["ValueSet/lab-magnesium"] == Resources()["ValueSet/lab-magnesium"]
    assert set(layered) == set(Resources())
    assert layered.content_hash != Resources().content_hash
