"""``python -m tests.fuzz.wrong_patient --count 100000``: the property of ``tests/properties/test_wrong_patient.py``."""

from __future__ import annotations

import argparse
import sys
from time import monotonic

from tests.properties.test_wrong_patient import wrong

TOLD_EVERY = 10_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="wrong_patient", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many calls with data of someone else")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    chosen = parser.parse_args()
    began, bad = monotonic(), 0
    for done, seed in enumerate(range(chosen.seed, chosen.seed + chosen.count), 1):
        if text := wrong(seed):
            bad += 1
            print(f"seed {seed}: {text}", flush=True)
        if done % TOLD_EVERY == 0 or done == chosen.count:
            print(f"{done} calls, {bad} used a foreign value, {monotonic() - began:.0f} s", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
