"""Writes docs/hazards.md from docs/hazards.json; with --check it fails when the page is not up to date."""

from __future__ import annotations

import json
import sys
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
DATA, PAGE = DOCS / "hazards.json", DOCS / "hazards.md"
INTRO = """# Hazards and their controls

What could harm a patient although the service works as it was built, what stands against it, and the tests that prove
it. Made from `hazards.json` by `scripts/hazards_page.py`; a test fails when a test named here does not exist.
"""


def page(text: str) -> str:
    """The page of the hazards in a JSON text."""
    return "\n".join([INTRO, *(_section(hazard) for hazard in json.loads(text))])


def _section(hazard: dict) -> str:
    rows = [f"| {one['control']} | {'<br>'.join(f'`{test}`' for test in one['tests'])} |" for one in hazard["controls"]]
    heading = f"## {hazard['id']}\n\n{hazard['hazard']}\n"
    return "\n".join([heading, "| control | proved by |", "|---|---|", *rows, ""])


def main() -> int:
    """Write the page, or check it."""
    made = page(DATA.read_text("utf-8"))
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == made else 1
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
