"""Mutation tests: changes plugin/ in one small place at a time and sees whether a test notices. See docs/mutation.md.

Run it with PYTHONPATH=. ; ``make mutation`` does.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from math import sqrt
from pathlib import Path

from scripts.mutants import TREE, WORK, Mutant, build, difference

TESTS = (
    "tests/rules",
    "tests/golden",
    "tests/unit",
    "tests/contract/test_artefacts.py",
    "tests/properties/test_dose.py",
)
# Of the unit tests those that call the plugin, and those that reach it through a command.
CALLS_THE_PLUGIN = re.compile(
    r"^\s*(?:from|import) (?:plugin|tests\.support\.(?:attacks|fire|stories))\b", re.MULTILINE
)
BY_COMMANDS = ("test_release_build.py", "test_release_diff.py", "test_release_trouble.py", "test_terminology_cli.py")
# Read the plugin's own files, start processes that know nothing of a mutant, or measure time.
NOT_THESE = (
    "test_house.py",
    "test_cli.py",
    "test_clinical_diff.py",
    "test_signoff.py",
    "test_mutation.py",
    "test_patterns.py",
    "test_resolver_pace.py",
)
NOTICED = ("killed", "timeout")
Z = 1.959964


def main() -> int:
    """Try a sample, or all; print the shares by module and the survivors; 1 where less than --least is noticed."""
    wanted = _arguments()
    everything = build()
    chosen = _chosen(everything, wanted)
    print(f"{len(everything):,} mutants of plugin/; {len(chosen):,} of them are tried, seed {wanted.seed}.", flush=True)
    results = _tried(chosen, wanted)
    by_name = {mutant.name: mutant for mutant in chosen}
    _report(by_name, results)
    if wanted.show:
        for name, found in sorted(results.items()):
            if found["status"] not in NOTICED:
                print(f"\n{name}: {found['status']}\n{difference(by_name[name])}")
    return int(_share(results) < wanted.least)


def _arguments() -> argparse.Namespace:
    reader = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    reader.add_argument("--sample", type=int, default=600, help="how many mutants are drawn (600)")
    reader.add_argument("--seed", type=int, default=1, help="which sample is drawn (1)")
    reader.add_argument("--all", action="store_true", help="all mutants, which takes hours")
    reader.add_argument("--only", nargs="*", default=[], metavar="START", help="mutants whose name starts like this")
    reader.add_argument("--again", metavar="FILE", help="those that this file of results says survived")
    reader.add_argument("--workers", type=int, default=2, help="how many are tried at a time (2)")
    reader.add_argument("--budget", type=float, default=0, help="seconds of tests to try for each, 0 for all (0)")
    reader.add_argument("--results", type=Path, default=WORK / "results.jsonl", help="where each result is written")
    reader.add_argument("--go-on", action="store_true", help="keep the results that are there, and try the rest")
    reader.add_argument("--show", action="store_true", help="print what each survivor changes")
    reader.add_argument("--least", type=float, default=0.0, metavar="SHARE", help="leave with 1 below this share (0)")
    return reader.parse_args()


def _chosen(everything: list[Mutant], wanted: argparse.Namespace) -> list[Mutant]:
    if wanted.again:
        lines = [json.loads(line) for line in Path(wanted.again).read_text("utf-8").splitlines()]
        names = {line["mutant"] for line in lines if line["status"] not in NOTICED}
        return [mutant for mutant in everything if mutant.name in names]
    if wanted.only:
        everything = [mutant for mutant in everything if mutant.name.startswith(tuple(wanted.only))]
    return everything if wanted.all or wanted.only else sample(everything, wanted.sample, wanted.seed)


def sample(everything: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """One of each of ``count`` equal stretches of the list, so that every module has its share."""
    chance = random.Random(seed)
    edges = [len(everything) * n // count for n in range(count + 1)]
    return [everything[chance.randrange(start, max(end, start + 1))] for start, end in pairwise(edges)]


def _tried(chosen: list[Mutant], wanted: argparse.Namespace) -> dict[str, dict[str, str]]:
    """What became of each mutant."""
    wanted.results.touch()
    known = _read(wanted.results) if wanted.go_on else {}
    wanted.results.write_text("".join(f"{json.dumps(found)}\n" for found in known.values()), "utf-8")
    order = [mutant.name for mutant in chosen if mutant.name not in known]
    random.Random(wanted.seed).shuffle(order)
    plan = {
        "mutants": order,
        "workers": wanted.workers,
        "budget": wanted.budget,
        "covering": str(WORK / "covering"),
        "code": _digest(),
        "results": str(wanted.results),
    }
    path = WORK / "plan.json"
    path.write_text(json.dumps(plan), "utf-8")
    with (WORK / "tests.log").open("w", encoding="utf-8") as log:
        subprocess.run(_pytest(), cwd=TREE, env=_environment(path), stdout=log, stderr=log, check=True)
    results = _read(wanted.results)
    return {mutant.name: results[mutant.name] for mutant in chosen}


def _read(path: Path) -> dict[str, dict[str, str]]:
    return {line["mutant"]: line for line in map(json.loads, path.read_text("utf-8").splitlines())}


def _pytest() -> list[str]:
    plugin = ["-p", "no:cacheprovider", "-p", "scripts.mutation_runner"]
    ignored = [
        f"--ignore={path.relative_to(TREE)}" for path in (TREE / "tests" / "unit").glob("*.py") if _is_idle(path)
    ]
    return [sys.executable, "-m", "pytest", "-q", "-s", *plugin, *sorted(ignored), *TESTS]


def _is_idle(path: Path) -> bool:
    """Whether a file of unit tests can tell nothing of a mutant."""
    calls = path.name in BY_COMMANDS or CALLS_THE_PLUGIN.search(path.read_text("utf-8"))
    return path.name in NOT_THESE or not calls


def _environment(plan: Path) -> dict[str, str]:
    temporary = WORK / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    more = {"PYTHONPATH": str(TREE), "MUTANT_UNDER_TEST": "stats", "PYTEST_DEBUG_TEMPROOT": str(temporary)}
    return {**os.environ, **more, "MUTATION_PLAN": str(plan)}


def _digest() -> str:
    """What the code and the helpers of tests are, in short."""
    made = hashlib.sha256()
    for path in sorted(path for path in TREE.rglob("*") if path.suffix in {".py", ".json", ".csv", ".md"}):
        if not path.name.startswith("test_") and "scripts" not in path.parts and "docs" not in path.parts:
            made.update(path.read_bytes())
    return made.hexdigest()


def _group(mutant: Mutant) -> str:
    parts = Path(mutant.path).parts
    return f"plugin/{parts[1]}/" if len(parts) > 2 else mutant.path


def _share(results: dict[str, dict[str, str]]) -> float:
    return sum(found["status"] in NOTICED for found in results.values()) / len(results)


def interval(noticed: int, tried: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson)."""
    share, square = noticed / tried, Z * Z
    middle = (share + square / (2 * tried)) / (1 + square / tried)
    half = Z * sqrt(share * (1 - share) / tried + square / (4 * tried * tried)) / (1 + square / tried)
    return middle - half, middle + half


def _report(by_name: dict[str, Mutant], results: dict[str, dict[str, str]]) -> None:
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for name, found in results.items():
        for group in (_group(by_name[name]), "all"):
            groups[group][found["status"]] += 1
    print("| part | tried | killed | timeout | survived | no tests | noticed | 95 % interval |")
    print("|---" * 8 + "|")
    for group, counted in sorted(groups.items(), key=lambda entry: (entry[0] == "all", -entry[1].total())):
        tried, noticed = counted.total(), sum(counted[status] for status in NOTICED)
        low, high = interval(noticed, tried)
        figures = " | ".join(str(counted[name]) for name in ("killed", "timeout", "survived", "no tests"))
        print(f"| {group} | {tried} | {figures} | {noticed / tried:.1%} | {low:.1%} to {high:.1%} |")


if __name__ == "__main__":
    sys.exit(main())
