"""Writes docs/conformance.md from the rows of the conformance tests; with --check it fails when that is stale."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conformance.rows import SECTIONS, Row, read_rows

PAGE = Path(__file__).parent.parent / "docs" / "conformance.md"
TESTED = "tested"
INTRO = """# Conformance with CDS Hooks

What CDS Hooks 2.0.1 and the ballot of 3.0 ask of a service, and of a client as far as a service has to cope with it,
row by row in our own words. **tested** rows have at least one test that bears their id; the others say why they have
none. `pytest -m conformance` runs the tests and prints the same table with their outcomes.

Levels are those of the specification: MUST and SHALL mean the same; small letters stand for what is said without such a
word, *practice* for the published best practices, *ours* for what we ask of ourselves. *duty* says whether a row binds
the service, the client, or both.

Decisions where the two versions differ, or where neither says enough:

- Discovery sends neither `version` nor `hookVersion`: 2.0.1 knows no such fields, and a strict client of 2.0.1 may
  refuse a service that has them. A client of 3.0 takes a service without them.
- `results` in our own extension stays an empty list where there is nothing to judge: its readers may rely on the field.
- The published schemas (`/schemas/discovery.json`, `request`, `response`, `feedback`, `error`) say exactly what is
  sent, and what a conformant client sends. The service itself forgives more: any `hookInstance`, references without a
  type, Bundles without `type`, a bare string among the prefetched data, feedback without a moment.
- The `$id` of a schema lies under the public address of the deployment, so that it can be fetched.

"""
HEAD = "| id | level | versions | duty | requirement | state |\n|---|---|---|---|---|---|"


def line(row: Row) -> str:
    """One row of the table."""
    state = f"not met: {row.reason}" if row.reason else TESTED
    return f"| {row.id} | {row.level} | {row.versions} | {row.duty} | {row.requirement} | {state} |"


def page() -> str:
    """The whole page."""
    rows = read_rows().values()
    reasons = sum(bool(row.reason) for row in rows)
    parts = [f"{INTRO}{len(rows)} rows: {len(rows) - reasons} tested, {reasons} not met, with reasons.\n"]
    for letter, title in SECTIONS.items():
        lines = [line(row) for row in rows if row.id[0] == letter]
        parts.append("\n".join([f"## {letter}. {title}\n", HEAD, *lines]) + "\n")
    return "\n".join(parts)


def main() -> int:
    """Write the page, or check it."""
    if "--check" in sys.argv:
        return 0 if PAGE.read_text("utf-8") == page() else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
