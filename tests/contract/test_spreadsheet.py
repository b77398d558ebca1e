"""Files for people, opened in a real spreadsheet: whatever a record or an EHR wrote, no cell is a formula or a link."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cds_hooks.signoff.book import Book, Signature, add
from cds_hooks.visible import cell
from plugin.desk import cells as of_the_desk
from tests.support.hostile import corpus

OFFICE = shutil.which("soffice")
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
LINK = "{http://www.w3.org/1999/xlink}href"
# Comma, quotation mark, UTF-8, from line 1, no types set, English, quoted fields not taken for text, numbers found, all
# sheets, formulas evaluated: everything that makes formulas of texts is on.
AS_DANGEROUS_AS_CAN_BE = "CSV:44,34,76,1,,1033,false,true,false,false,false,-1,true"
BEGINNINGS = ("=1+1", "=HYPERLINK(A1)", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "＝1+1", "=cmd|' /C calc'!A0")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice (soffice): libreoffice-calc-nogui on Debian"),
]


def opened(file: Path) -> ElementTree.Element:
    """The file as LibreOffice understands it."""
    folder = file.parent
    subprocess.run(
        [
            str(OFFICE),
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            f"--infilter={AS_DANGEROUS_AS_CAN_BE}",
            *("--convert-to", "fods", "--outdir", str(folder), str(file)),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return ElementTree.fromstring(file.with_suffix(".fods").read_bytes())


def acting(sheet: ElementTree.Element) -> list[str]:
    """What of a sheet is computed, or leads elsewhere."""
    formulas = [one.get(f"{TABLE}formula", "") for one in sheet.iter() if f"{TABLE}formula" in one.attrib]
    return formulas + [
        one.get(LINK, "") for one in sheet.iter() if one.get(LINK, "").startswith(("http", "file", "js"))
    ]


def cells(sheet: ElementTree.Element) -> int:
    return sum(1 for one in sheet.iter(f"{TABLE}table-cell") if len(one))


def written(file: Path, rows: Sequence[Sequence[str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return file


def texts() -> list[str]:
    """The corpus and what begins formulas; a NUL and half a surrogate pair are what no file of text holds."""
    return [one for one in (*corpus(), *BEGINNINGS) if "\0" not in one and one.isprintable() | one.isascii()]


def test_the_spreadsheet_makes_formulas_of_what_we_did_not_write(tmp_path: Path) -> None:
    """Otherwise the tests below would show nothing."""
    assert len(acting(opened(written(tmp_path / "raw.csv", [[one] for one in BEGINNINGS])))) >= 3


@pytest.mark.parametrize("write", [cell, of_the_desk.cell], ids=["host", "terminology"])
def test_no_cell_that_we_write_is_computed(tmp_path: Path, write: Any) -> None:
    rows = [[write(one), "5 mg"] for one in texts()]
    sheet = opened(written(tmp_path / "cells.csv", rows))
    assert cells(sheet) > len(rows)
    assert acting(sheet) == []


def test_no_cell_of_a_sign_off_file_is_computed(tmp_path: Path) -> None:
    told = [one for one in texts() if one.strip() and "\r" not in one and "\n" not in one]
    made = [Signature("R-1", "1.0.0", "h", text, "role", "2026-01-01", text) for text in told]
    file = tmp_path / "signoff.csv"
    add(file, Book(tuple(made[:-1])), made[-1])
    sheet = opened(file)
    assert cells(sheet) > len(made)
    assert acting(sheet) == []
