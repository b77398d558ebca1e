"""``make fuzz``: ``python -m tests.fuzz --count 100000``, ``--minutes 30``, ``--seed 7``, ``--keep FOLDER``."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from time import monotonic

from tests.fuzz.driver import Driver, driving, loaded
from tests.fuzz.mutations import request

ROUND = 5_000
"""Requests for one service: then a new one with an empty store takes over."""

PATIENCE = 30.0
GROWTH_MIB = 200


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many requests")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first request; the others follow")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="stop after so many minutes")
    parser.add_argument("--keep", type=Path, help="a folder for the requests that failed, one file for each seed")
    parser.add_argument("--audit", choices=("on", "off"), default="on", help="with a store, or without")
    return parser.parse_args()


def resident() -> int:
    """MiB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * 4096 // 2**20


async def main(chosen: argparse.Namespace) -> int:
    until, done, failed, plugin = monotonic() + chosen.minutes * 60, 0, 0, loaded()
    statuses: Counter[int] = Counter()
    slowest, began, settled = 0.0, monotonic(), 0
    while done < chosen.count and monotonic() < until:
        async with driving(plugin, audit=chosen.audit == "on") as driver:
            seeds = range(chosen.seed + done, chosen.seed + min(chosen.count, done + ROUND))
            bad = await play(driver, seeds, until)
        for seed, wrong in bad.items():
            print(f"seed {seed}: {', '.join(wrong)}", flush=True)
            keep(chosen.keep, seed, wrong)
        statuses += driver.statuses
        slowest, failed, done = max(slowest, driver.slowest), failed + len(bad), done + driver.statuses.total()
        settled = settled or resident()
        told = " ".join(f"{status}:{count}" for status, count in sorted(statuses.items()))
        rate = done / (monotonic() - began)
        print(
            f"{done} requests, {rate:.0f}/s, {failed} failed, slowest {slowest:.3f} s, {resident()} MiB, {told}",
            flush=True,
        )
    if settled and resident() - settled > GROWTH_MIB:
        print(f"Memory grew from {settled} to {resident()} MiB.")
        return 1
    return 1 if failed else 0


async def play(driver: Driver, seeds: range, until: float) -> dict[int, list[str]]:
    """What was wrong, by seed."""
    bad: dict[int, list[str]] = {}
    for seed in seeds:
        try:
            wrong = await asyncio.wait_for(driver.wrong(request(seed)), PATIENCE)
        except TimeoutError:
            wrong = ["hangs"]
        if wrong:
            bad[seed] = wrong
        if monotonic() > until:
            break
    return bad


def keep(folder: Path | None, seed: int, wrong: list[str]) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    made = request(seed)
    told = {"seed": seed, "wrong": wrong, "method": made.method, "path": made.path}
    told["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in made.headers]  # type: ignore[assignment]
    told["body"] = [piece.decode("latin-1") for piece in made.pieces]
    (folder / f"{seed}.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(arguments())))
