"""Compares the golden cases with their kept texts; with --write it writes the texts anew. Run it with PYTHONPATH=."""

from __future__ import annotations

import logging as levels
import sys

from cds_hooks import logging
from tests.golden import harness


def main() -> int:
    """Write the texts, or name those that differ; 1 where some do."""
    logging.configure(levels.CRITICAL)
    found = harness.cases()
    texts, kept = harness.texts(found, harness.answers(found)), harness.expected()
    differing = sorted(name for name in texts.keys() | kept.keys() if texts.get(name) != kept.get(name))
    if "--write" not in sys.argv:
        print("\n".join(differing) or f"{len(texts)} cases as kept.")
        return 1 if differing else 0
    for name in differing:
        path = harness.EXPECTED / f"{name}.md"
        if name in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[name], "utf-8")
        else:
            path.unlink()
    print(f"{len(texts)} cases, {len(differing)} texts written or removed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
