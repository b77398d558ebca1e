"""Reading a two-column CSV: comments that say whose codes they are, a header, and one mapping a row.

# position: drug
# system: urn:oid:1.2.3.4
code,target
HAL5,310672
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from plugin.desk.cells import from_cell
from plugin.desk.problems import Problems, shown
from plugin.desk.site_rows import DRUG, POSITIONS, Row

LONGEST = 200  # characters of a code or target
_SEPARATORS = ",;\t"
_COMMENT = re.compile(r"#\s*(position|system|unknown targets)\s*:\s*(.*)", re.I)
_COLUMNS = (["code", "target"], ["text", "target"])
_LENIENT = "leave out"
_WANTED = "expected code,target or text,target"


class _Head(msgspec.Struct):
    """What the lines before the mappings say."""

    told: dict[str, str] = {}
    columns: list[str] = []
    separator: str = ","
    lines: int = 0


def read_csv(name: str, content: bytes, problems: Problems) -> list[Row]:
    """The mappings of a CSV file; every row that cannot be used is a problem, and the others are read."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.error(name, str(line), "is not UTF-8; save the file as CSV UTF-8")
        return []
    head = _head(name, text, problems)
    return list(_rows(name, text, head, problems)) if head is not None else []


def _head(name: str, text: str, problems: Problems) -> _Head | None:
    head = _Head(told={})
    for number, line in enumerate(_lines(text), 1):
        bare = line.strip().strip('"').rstrip(_SEPARATORS + " ").strip('"')
        if bare.startswith("#"):
            if not _comment(name, str(number), bare, head.told, problems):
                return None
        elif bare:
            head.separator = next((sign for sign in _SEPARATORS if sign in line), ",")
            head.columns = [cell.strip().strip('"').strip().lower() for cell in line.split(head.separator)]
            head.lines = number
            return head if _complete(name, line, head, problems) else None
    problems.error(name, "", f"holds no header; {_WANTED}")
    return None


def _comment(name: str, number: str, line: str, told: dict[str, str], problems: Problems) -> bool:
    found = _COMMENT.fullmatch(line)
    if found is None:
        return True
    key, value = found[1].lower(), found[2].strip()
    if key in told:
        problems.error(name, number, f"says # {key}: a second time; put the other codes into a file of their own")
        return False
    told[key] = value if key == "system" else value.lower()
    return True


def _complete(name: str, line: str, head: _Head, problems: Problems) -> bool:
    """Whether header and comments say enough; all that is missing is told."""
    number = str(head.lines)
    if head.columns[:2] not in _COLUMNS:
        problems.error(name, number, f"got the header {shown(line.strip())}, {_WANTED}")
        return False
    position, system, texts = head.told.get("position", ""), head.told.get("system", ""), head.columns[0] == "text"
    reasons = []
    if position not in POSITIONS:
        got = f"got # position: {shown(position)}" if position else "has no line # position:"
        reasons.append(f"{got}, expected one of {', '.join(POSITIONS)}")
    elif texts and position != DRUG:
        reasons.append(f"texts are mapped for drugs only, got # position: {position}; map the code beside the text")
    if not texts and not system:
        reasons.append("has no line # system: with the coding.system that the record system sends")
    if head.told.get("unknown targets", _LENIENT) != _LENIENT:
        reasons.append(
            f"got # unknown targets: {shown(head.told['unknown targets'])}, expected {_LENIENT}, or no such line"
        )
    if texts and system:
        reasons.append("texts have no code system; remove the line # system:")
    for reason in reasons:
        problems.error(name, "", reason)
    return not reasons


def _rows(name: str, text: str, head: _Head, problems: Problems) -> Iterator[Row]:
    """Rows are numbered by the line of the file on which they start."""
    reader = csv.reader(_lines(text)[head.lines :], delimiter=head.separator, strict=True)
    system, lenient = head.told.get("system", ""), "unknown targets" in head.told
    start = 1
    try:
        for cells in reader:
            number, start = str(head.lines + start), reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if reason := _reason(cells, head):
                problems.error(name, number, reason)
            else:
                code, target = (from_cell(one.strip()) for one in cells[:2])
                yield Row(name, number, head.told["position"], system, code, target, lenient=lenient)
    except csv.Error as error:
        problems.error(name, str(head.lines + start), f"cannot be split into fields: {error}; check the quotes")


def _reason(cells: list[str], head: _Head) -> str:
    """Why a row cannot be read."""
    most = len(head.columns)
    if len(cells) < len(_COLUMNS[0]) or any(cell.strip() for cell in cells[most:]):
        return f"got {len(cells)} fields, expected {most}; put quotes around a field that holds the separator"
    return fault(cells[0], head.columns[0]) or fault(cells[1], "target")


def _lines(text: str) -> list[str]:
    """The lines with their ends, split where the csv module splits them and nowhere else."""
    return io.StringIO(text, newline="").readlines()


def fault(cell: str, what: str) -> str:
    """Why a code, text or target cannot be used as it is written; empty when it can."""
    cell = cell.strip()
    if not cell:
        return f"the {what} is empty"
    if len(cell) > LONGEST:
        return f"the {what} has {len(cell)} characters; at most {LONGEST} are read"
    hidden = next((char for char in cell if not char.isprintable()), None)
    return f"the {what} {shown(cell)} holds a character that cannot be seen (U+{ord(hidden):04X})" if hidden else ""
