"""Compares the golden cases with their kept texts; with --write it writes the texts anew. Run it with PYTHONPATH=."""

from __future__ import annotations

import logging as levels
import sys

from cds_hooks import logging
from tests.golden import harness
from tests.golden import kept as published


def main() -> int:
    """Write the texts, or name those that differ; 1 where some do."""
    logging.configure(levels.CRITICAL)
    found = harness.cases()
    told = harness.answers(found)
    texts, kept, grounds = harness.texts(found, told), harness.expected(), harness.grounds_text(told)
    moved = not harness.GROUNDS.exists() or harness.GROUNDS.read_text("utf-8") != grounds
    differing = sorted(name for name in texts.keys() | kept.keys() if texts.get(name) != kept.get(name))
    others = [name for name in published.KEPT if published.made(name) != published.kept(name)]
    if "--write" not in sys.argv:
        differing += [harness.GROUNDS.name] * moved + [f"kept/{name}.json" for name in others]
        print("\n".join(differing) or f"{len(texts)} cases as kept.")
        return 1 if differing else 0
    harness.GROUNDS.write_text(grounds, "utf-8")
    for name in others:
        published.FOLDER.mkdir(exist_ok=True)
        (published.FOLDER / f"{name}.json").write_text(published.text(published.made(name)), "utf-8")
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
