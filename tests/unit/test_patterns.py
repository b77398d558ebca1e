"""Every regular expression of the service, on long texts made to make it try again and again."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from time import process_time
from types import ModuleType
from typing import Any

import pytest

import cds_hooks
import plugin
import valuesets
from plugin import changed_drafts, fingerprint, rule
from plugin import text as words
from plugin.fhir import medication, orders, presentations, procedures, specimen, unmapped
from plugin.fhir.dosing import grammar, timing
from plugin.fhir.dosing import words as dose_words
from plugin.fhir.dosing.grammar import SCANNER
from tests.support.fhir import NOW
from tests.support.fire import plugin as loaded
from tests.support.rows import resource
from valuesets import Strength
from valuesets.release import naming, shape
from valuesets.text import READ_AT_MOST, sig
from valuesets.text import words as naming_words

SIZES = (20, 240, 2_000, 10_000, 100_000)
LIMIT = 0.005
"""Seconds of CPU that any text of 100 kB, or of what its reader looks at, may take."""

NOISE = 4
"""How many times slower a busy machine may be at the best of several tries."""

TRIES = 4

BOUNDED = {
    SCANNER.pattern: 240,
    **{one.pattern: 400 for one in (unmapped._PERSONAL, unmapped._LABEL)},
    **{one.pattern: 480 for one in (words._LINK, words._COMPARED, words._NUMBERED)},
    **{one.pattern: READ_AT_MOST for one in (naming_words.WORD, sig._SECOND, sig._AMOUNT)},
    **{one.pattern: words.READ_AT_MOST for one in (grammar.NO_REASON, grammar.TWO_WAYS, grammar.BETWEEN)},
    **{one.pattern: words.READ_AT_MOST for one in (dose_words._RANGE, dose_words._SAID_TWICE, presentations._LASTING)},
    **{one.pattern: words.READ_AT_MOST for one in (timing._AGAIN_WORDS, timing._ONCE_WORDS, timing._AS_NEEDED_WORDS)},
    **{one.pattern: words.READ_AT_MOST for one in (specimen._OTHER, specimen._BLOOD, specimen._CELLS)},
    **{one.pattern: words.READ_AT_MOST for one in (procedures._SURGERY, procedures._BESIDE, orders._OPERATION)},
    **{one.pattern: words.READ_AT_MOST for one in (medication._PER_PIECE, changed_drafts._OFTEN)},
    **{one.pattern: words.READ_AT_MOST for one in (changed_drafts._TIME_IN_WORDS,)},
}
"""Patterns that see no longer text than this: a test below shows that a long one costs its reader no more."""

OWN_WORDS = frozenset({fingerprint._IMPORT.pattern, naming._QUANTITY.pattern, shape._AMOUNT.pattern, rule._AGO.pattern})
"""Patterns that read our own code and sentences, or an official release on its way into a snapshot; never a call."""

SEEDS = (
    *("a", "A", "0", " ", "-", ".", "/", "\n", "=", "é", "a ", "a-", "a.", "0.", "1 ", "a,", "a/", "0 mg ", "mg/"),
    *("http://", "a:", "%2f", "[", "(", '"', "\\", '\\"', "<", "*", "_", "not ", "5 to ", "1-", "x x ", "every "),
    *("{{", "context.", "data:"),
)


def modules() -> Iterator[ModuleType]:
    for package in (cds_hooks, plugin, valuesets):
        yield package
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__") and ".migrations" not in info.name:
                yield importlib.import_module(info.name)


def held(value: Any, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    """The patterns in a value, and in the containers and objects of ours in it."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for one in list(value.values())[:2_000]:
            yield from held(one, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for one in list(value)[:2_000]:
            yield from held(one, depth - 1)
    elif depth and type(value).__module__.split(".")[0] in {"cds_hooks", "plugin", "valuesets"}:
        slots = [getattr(value, name, None) for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        yield from held([*slots, *getattr(value, "__dict__", {}).values()], depth - 1)


def asked(name: str) -> tuple[str, ...]:
    """How the code asks the pattern of this name; one that lies in a table may be asked in every way."""
    ways = set(re.findall(rf"\b{re.escape(name)}\.(match|fullmatch|search|sub|finditer|findall|split)\b", sources()))
    return tuple(sorted({"search" if way not in ("match", "fullmatch") else way for way in ways})) or (
        "match",
        "fullmatch",
    )


@cache
def sources() -> str:
    roots = [Path(package.__path__[0]) for package in (cds_hooks, plugin, valuesets)]
    return "\n".join(path.read_text("utf-8") for root in roots for path in sorted(root.rglob("*.py")))


def patterns() -> dict[tuple[str, int], tuple[re.Pattern[Any], tuple[str, ...]]]:
    """Every pattern, with the ways in which it is asked."""
    loaded()
    found: dict[tuple[str, int], tuple[re.Pattern[Any], tuple[str, ...]]] = {}
    for module in modules():
        for name, value in list(vars(module).items()):
            for one in held(value):
                found.setdefault((str(one.pattern), one.flags), (one, asked(name)))
    return found


def pumped(pattern: re.Pattern[Any], size: int) -> Iterator[Any]:
    """Texts of one piece again and again, with an end that does not fit; the pattern's own words among the pieces."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    pieces = re.findall(r"[A-Za-z0-9]{2,12}", source)[:4]
    for seed in (*SEEDS, *(f"{word} " for word in pieces)):
        text = (seed * (size // len(seed) + 1))[:size] + "\0!"
        yield text if isinstance(pattern.pattern, str) else text.encode("utf-8")


def slowest(pattern: re.Pattern[Any], ways: tuple[str, ...]) -> tuple[float, int, str]:
    """Seconds of the slowest text, its length, and what it was; longer texts are tried only while shorter are quick."""
    worst = (0.0, 0, "")
    for size in (size for size in SIZES if size <= BOUNDED.get(str(pattern.pattern), size)):
        for text in pumped(pattern, size):
            for way in ways:
                took = _timed(getattr(pattern, way), text)
                for _ in range(TRIES):  # another look, should the machine have been busy
                    if LIMIT < took < 1:
                        took = min(took, _timed(getattr(pattern, way), text))
                worst = max(worst, (took, size, f"{way} {text[:12]!r}"))
                if took > _fair(size):
                    return NOISE * LIMIT + took, size, f"{way} {text[:12]!r}"
    return worst


def _fair(size: int) -> float:
    """The share of the limit that a text of this length may take: a pattern that is slow on longer ones shows early."""
    return NOISE * LIMIT * max(size / SIZES[-1], 0.2)


def _timed(ask: Any, text: Any) -> float:
    began = process_time()
    ask(text)
    return process_time() - began


def test_no_pattern_takes_long_on_any_text() -> None:
    found = patterns()
    assert len(found) > 30
    times = {source: slowest(*one) for (source, _), one in found.items() if source not in OWN_WORDS}
    assert {source: took for source, took in times.items() if took[0] > NOISE * LIMIT} == {}


READERS: dict[str, Callable[[str], object]] = {
    "a dosage": dose_words.read,
    "a dosage, how often": timing._says_once,
    "a dosage, as needed": timing._says_as_needed,
    "a specimen": specimen._is_not_blood,
    "a line to be changed": changed_drafts._is_about_time,
    "a strength": lambda text: medication._strengths([Strength("1", Decimal(1), "mg", None, "")], text),
    "the reason of an order": lambda text: orders._is_perioperative(
        resource({"resourceType": "MedicationRequest", "reasonCode": [{"text": text}]})
    ),
    "a procedure": lambda text: procedures.operation_today(
        resource({"resourceType": "Procedure", "status": "in-progress", "code": {"text": text}}), NOW
    ),
    "a code that nothing knows": unmapped.clean,
    "words for a card": words.plain,
}
LONG = 10 * SIZES[-1]
READING = 0.1
"""Seconds for a text of a million characters, most of them to take it out of its JSON; a pattern takes 0.2 to 0.4."""


@pytest.mark.parametrize("name", READERS)
def test_long_texts_are_cut_before_they_are_read(name: str) -> None:
    for piece in ("1 1 ", "a:", "every ", "follow ", "1-", "x x "):
        texts = [f"{number} {piece * (LONG // len(piece))}" for number in range(TRIES)]
        assert min(_timed(READERS[name], text) for text in texts) < READING, piece


def test_words_for_a_card_are_no_longer_than_agreed() -> None:
    assert all(len(words.plain(seed * LONG)) <= words.LONGEST for seed in SEEDS)


def test_the_measure_sees_a_pattern_that_backtracks() -> None:
    assert slowest(re.compile(r"(?:a+)+x"), ("match",))[0] > NOISE * LIMIT


if __name__ == "__main__":
    rows = sorted(((*slowest(*one), str(one[0].pattern)[:90]) for one in patterns().values()), reverse=True)
    for row in rows[:25]:
        sys.stdout.write(f"{row[0] * 1000:8.2f} ms {row[1]:7} {row[2]:24} {row[3]}\n")
    sys.stdout.write(f"{len(rows)} patterns\n")
