"""A release that cannot be read, or a snapshot that cannot be written: one sentence, and nothing half done."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rxnorm_release import Release, excerpt
from valuesets import load
from valuesets.release import snapshot
from valuesets.release.rrf import ReleaseError
from valuesets.store import Resources


def build(release: Path, out: Path, version: str = "2026-03-02") -> list[tuple[str, str]]:
    return snapshot.build_snapshot(release, out, version, Resources(), load(), lambda name, done, size: None)


def _append(table: str, line: bytes) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        with (folder / "rrf" / f"{table}.RRF").open("ab") as file:
            file.write(line)

    return damage


def _last_line(table: str, folder: Path) -> int:
    return len((folder / "rrf" / f"{table}.RRF").read_bytes().splitlines())


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no concepts": (lambda one: (one / "rrf" / "RXNCONSO.RRF").unlink(), "holds no RXNCONSO.RRF. Give the folder of"),
    "no relations": (lambda one: (one / "rrf" / "RXNREL.RRF").unlink(), "holds no RXNREL.RRF. Give the folder of"),
    "no attributes": (lambda one: (one / "rrf" / "RXNSAT.RRF").unlink(), "holds no RXNSAT.RRF. Give the folder of"),
    "a line cut off": (
        _append("RXNREL", b"5093||CUI|RO|316030||CUI|has_ing"),
        "RXNREL.RRF, line {RXNREL}: got 7 columns, expected 16, each ended by a bar",
    ),
    "a line of ours cut off": (
        _append("RXNCONSO", b"5093|ENG||||||1||5093||RXNORM|IN|50"),
        "RXNCONSO.RRF, line {RXNCONSO}: got 13 columns, expected 18",
    ),
    "one bar too many": (
        _append("RXNSAT", b"|" * 14 + b"\n"),
        "RXNSAT.RRF, line {RXNSAT}: got 14 columns, expected 13",
    ),
    "a spreadsheet": (
        _append("RXNCONSO", b"RXCUI,LAT,TS\n"),
        "RXNCONSO.RRF, line {RXNCONSO}: got 0 columns, expected 18",
    ),
    "not UTF-8": (
        _append("RXNCONSO", b"5093|ENG||||||1||5093||RXNORM|IN|5093|halop\xe9ridol||N|4096|\n"),
        "RXNCONSO.RRF, line {RXNCONSO}: not UTF-8",
    ),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGE.values(), ids=DAMAGE)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, damage: Callable[[Path], object], told: str) -> None:
    release = excerpt().write(tmp_path / "release")
    damage(release)
    lines = {one: _last_line(one, release) for one in ("RXNCONSO", "RXNREL", "RXNSAT") if "{" + one in told}
    with pytest.raises(ReleaseError) as caught:
        build(release, tmp_path / "out")
    assert told.format(**lines) in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release"]


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    release = excerpt().write(tmp_path / "release")
    for path in (release / "rrf").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    build(release, tmp_path / "out")
    build(excerpt().write(tmp_path / "again"), tmp_path / "out2")
    assert Resources(snapshot=tmp_path / "out").content_hash == Resources(snapshot=tmp_path / "out2").content_hash


def test_a_release_of_other_drugs_is_refused(tmp_path: Path) -> None:
    release = Release()
    release.concept(1, "IN", "gold")
    release.relation(release.new(), "form_of", 1)
    release.attribute(1, "NDC", "00000000000")
    with pytest.raises(ReleaseError, match="holds no product of our ingredients"):
        build(release.write(tmp_path / "release"), tmp_path / "out")


VERSIONS = {
    "full release": ("RxNorm_full_03022026", "", "", "2026-03-02"),
    "prescribable content": ("RxNorm_full_prescribe_11032025", "", "", "2025-11-03"),
    "a name of the site's own": ("rxnorm", "RXNORM_20AA_260302F", "", "2026-03-02"),
    "given": ("RxNorm_full_03022026", "", "march", "march"),
    "not a date": ("ticket_99999999", "20AA_251103F", "", "2025-11-03"),
}


@pytest.mark.parametrize(("name", "rxnsab", "given", "expected"), VERSIONS.values(), ids=VERSIONS)
def test_where_the_version_comes_from(tmp_path: Path, name: str, rxnsab: str, given: str, expected: str) -> None:
    release = excerpt()
    if rxnsab:
        release.add("RXNSAB", "", "", rxnsab, "RXNORM", "RxNorm Vocabulary", "RXNORM", rxnsab.removeprefix("RXNORM_"))
    assert dict(build(release.write(tmp_path / name), tmp_path / "out", given))["version"] == expected


def test_a_release_without_version_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="tells its version"):
        build(excerpt().write(tmp_path / "release"), tmp_path / "out", "")
    with pytest.raises(ReleaseError, match=r"is '\.\./x'. Give it with --version, such as 2026-03-02"):
        build(tmp_path / "release", tmp_path / "out", "../x")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(ReleaseError, match="out exists and is not empty"):
        build(excerpt().write(tmp_path / "release"), tmp_path / "out")
    assert (tmp_path / "out" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    build(excerpt().write(tmp_path / "release"), tmp_path / "out")
    assert Resources(snapshot=tmp_path / "out").manifests[-1].version == "2026-03-02"


FAILURES = {
    "disk full": (OSError(errno.ENOSPC, "No space left on device"), ReleaseError),
    "disk gone": (OSError(errno.EIO, "Input/output error"), ReleaseError),
    "interrupted": (KeyboardInterrupt(), KeyboardInterrupt),
}


@pytest.mark.parametrize(("failure", "expected"), FAILURES.values(), ids=FAILURES)
def test_a_build_that_is_interrupted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, expected: type[BaseException]
) -> None:
    release = excerpt().write(tmp_path / "release")

    def fail(file: object) -> None:
        raise failure

    monkeypatch.setattr(snapshot.os, "fsync", fail)
    with pytest.raises(expected) as caught:
        build(release, tmp_path / "out")
    if expected is ReleaseError:
        assert "could not be written" in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release"]


def test_progress_is_told_by_bytes(tmp_path: Path) -> None:
    told: dict[str, tuple[int, int]] = {}
    release = excerpt().write(tmp_path / "release")

    def progress(name: str, done: int, size: int) -> None:
        told[name] = (done, size)

    snapshot.build_snapshot(release, tmp_path / "out", "1", Resources(), load(), progress)
    sizes = {path.name: path.stat().st_size for path in (release / "rrf").iterdir()}
    assert told == {name: (size, size) for name, size in sizes.items()}
