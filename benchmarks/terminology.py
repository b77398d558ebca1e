"""What the terminology costs: loading it, and asking it what a code means; each run in a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
from rich.table import Table

if TYPE_CHECKING:
    from valuesets import Terminology

RUNS = 3
ROUNDS = 5
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
LOAD_GOAL, MEMORY_GOAL, CODE_GOAL = 100.0, 30.0, 5.0
NAME_GOAL, WORST_GOAL = 50.0, 200.0
LONGEST = 1024
_AMOUNT = " 5 mg tab"
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured; ``goal`` is the highest value that is good enough."""

    what: str
    value: float
    unit: str
    goal: float | None = None


def resident() -> float:
    """The memory that this process holds now, in MB; its highest mark would be that of the process it came from."""
    held: int = psutil.Process().memory_info().rss
    return held / MEGABYTE


def each(calls: Sequence[tuple[str, ...]], ask: Callable[..., Any], rounds: int = ROUNDS) -> float:
    """The CPU time of one call in microseconds, best of the rounds."""
    best = float("inf")
    for _ in range(rounds):
        before = time.process_time()
        for call in calls:
            ask(*call)
        best = min(best, time.process_time() - before)
    return best / len(calls) * 1e6


def load_figures() -> tuple[list[Figure], Terminology]:
    """Loading, with the library that reads the files already imported, as it is in the service."""
    from valuesets import Terminology
    from valuesets.store import Resources

    memory, before = resident(), time.perf_counter()
    loaded = Terminology(Resources())
    took, held = time.perf_counter() - before, resident() - memory
    figures = [
        Figure("load everything", took * 1000, "ms", LOAD_GOAL),
        Figure("memory of everything", held, "MB", MEMORY_GOAL),
    ]
    return figures, loaded


def code_figures(codes: Terminology) -> Iterable[Figure]:
    """Every shipped code of each system once, then again; the first time a code is asked for it is decoded."""
    kinds = {
        RXNORM: ("RxNorm code", shipped(codes, "rxnorm-products")),
        NDC: ("NDC with hyphens", [packaged(code) for code in shipped(codes, "ndc-products")]),
        ATC: ("ATC code", shipped(codes, "atc-drugs")),
        SNOMED: ("SNOMED CT code", shipped(codes, "snomed-drugs")),
    }
    for system, (what, known) in kinds.items():
        calls = [(system, code) for code in known]
        yield Figure(f"{what}, asked for the first time", each(calls, codes.product, rounds=1), "µs", CODE_GOAL)
        yield Figure(f"{what}, again", each(calls, codes.product), "µs", CODE_GOAL)
    digits = [(NDC, code.replace("-", "")) for code in kinds[NDC][1]]
    yield Figure("NDC of ten digits without hyphens", each(digits, codes.product), "µs", CODE_GOAL)
    unknown = [(RXNORM, str(number)) for number in range(90_000_000, 90_010_000)]
    yield Figure("RxNorm code that is not known", each(unknown, codes.product), "µs", CODE_GOAL)


def packaged(product: str) -> str:
    """An NDC of ten digits for a product: the package takes what is left."""
    left = 10 - len(product.replace("-", ""))
    return f"{product}-{'1'.zfill(left)}"


def shipped(codes: Terminology, key: str) -> list[str]:
    """Every code of one of the data files."""
    return [concept["code"] for concept in _concepts(codes, key)]


def _concepts(codes: Terminology, key: str) -> list[dict[str, Any]]:
    concepts: list[dict[str, Any]] = json.loads(codes.resources()[f"CodeSystem/{key}"])["concept"]
    return concepts


def text_figures(codes: Terminology) -> Iterable[Figure]:
    """Texts that name a drug, and the worst ones: as long as is read, and every word nearly a drug's name."""
    before = time.process_time()
    codes.match_text("haloperidl")
    yield Figure("first text, with the index of misspellings", (time.process_time() - before) * 1000, "ms")
    names = shipped(codes, "drug-names")
    orders = [(f"{name.upper()} 5 MG/ML IJ SOLN",) for name in names]
    products = [concept["display"] for concept in _concepts(codes, "rxnorm-products")]
    yield Figure("known name", each([(name,) for name in names], codes.match_text), "µs", NAME_GOAL)
    yield Figure("known name with strength, route and form", each(orders, codes.match_text), "µs", NAME_GOAL)
    yield Figure("product name of RxNorm", each([(name,) for name in products], codes.match_text), "µs")
    worst = [(text,) for text in near_misses(names)]
    yield Figure("1,024 characters of near misses, every text new", each(worst, codes.match_text, 1), "µs", WORST_GOAL)
    for what, text in hostile(names).items():
        yield Figure(f"1,024 characters of {what}", each([(text,)], codes.match_text, 100), "µs", WORST_GOAL)


def hostile(names: list[str]) -> dict[str, str]:
    """Texts as long as is read that hold as much to find as can be, and an amount, by what they are made of."""
    denied = "".join(f"no {name} " for name in names)
    texts = {
        "one name": "haloperidol " * LONGEST,
        "one name denied": "no haloperidol " * LONGEST,
        "every name, denied": denied,
        "every name, denied, and an arrow": f"\u2192 {denied}",
        "the first word of many phrases": "glucose " * LONGEST,
        "signs that stand for eighteen letters": "\ufdfa" * LONGEST,
        "names with accents": "halop\u00e9ridol " * LONGEST,
        "one misspelt name": "haloperidl " * LONGEST,
        "frequencies": "haloperidol " + "b i d q 4 h " * LONGEST,
        "routes": "haloperidol " + "p o i m " * LONGEST,
        "letters with two accents each": "haloperidol " + "\u1fb7 " * LONGEST,
    }
    return {what: text[: LONGEST - len(_AMOUNT)] + _AMOUNT for what, text in texts.items()}


def near_misses(names: list[str], texts: int = 500) -> list[str]:
    """Texts of words that differ from a long name in two letters; the same ones in every run."""
    chance = random.Random(1)
    long = [name for name in names if len(name) >= 8 and name.isalpha()]
    return [" ".join(_two_wrong(chance.choice(long), chance) for _ in range(200))[:LONGEST] for _ in range(texts)]


def _two_wrong(name: str, chance: random.Random) -> str:
    first, second = sorted(chance.sample(range(len(name)), 2))
    wrong = [chance.choice(ascii_lowercase) for _ in range(2)]
    return name[:first] + wrong[0] + name[first + 1 : second] + wrong[1] + name[second + 1 :]


PARTS: list[Callable[[Terminology], Iterable[Figure]]] = [code_figures, text_figures]
"""What is measured with the loaded terminology, in the order of the table."""


def once() -> list[Figure]:
    """All figures of one process."""
    figures, codes = load_figures()
    return figures + [figure for part in PARTS for figure in part(codes)]


def measure() -> list[Figure]:
    """The best of several processes, figure by figure."""
    command = [sys.executable, "-m", "benchmarks.terminology"]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
    return [Figure(**min(same, key=lambda one: one["value"])) for same in zip(*runs, strict=True)]


def table(figures: Iterable[Figure]) -> Table:
    """The figures beside their goals."""
    found = Table(title=f"The terminology (best of {RUNS} processes)", title_justify="left")
    for heading in ("figure", "value", "goal"):
        found.add_column(heading)
    for one in figures:
        kept = "" if one.goal is None else f"≤ {one.goal:g} {one.unit} {'met' if one.value <= one.goal else 'MISSED'}"
        found.add_row(one.what, f"{one.value:.3g} {one.unit}", kept)
    return found


def main() -> None:
    """Prints the figures of this process as JSON, for ``measure``."""
    print(json.dumps([asdict(figure) for figure in once()]))


if __name__ == "__main__":
    main()
