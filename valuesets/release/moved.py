"""Codes that RxNorm has retired in favour of another: old orders and old lists still carry them."""

from collections import defaultdict
from typing import Final

from valuesets.release.graph import TYPES
from valuesets.release.rrf import Release

_LONGEST_CHAIN: Final = 20


def retired(release: Release) -> dict[int, int]:
    """The code that stands for each retired one; a code that was split among several has none.

    RXNATOMARCHIVE.RRF and RXNCUI.RRF are read where the release has them. Chains are followed to their end.
    """
    targets: dict[int, set[int]] = defaultdict(set)
    for old, tty, new in release.rows("RXNATOMARCHIVE", 13, 12, 14, 15):
        if tty in TYPES:
            _add(targets, old, new)
    for old, cardinality, new in release.rows("RXNCUI", None, 0, 3, 4):
        if cardinality == "1":
            _add(targets, old, new)
    single = {old: next(iter(new)) for old, new in targets.items() if len(new) == 1}
    return {old: end for old in single if (end := _end(old, single)) is not None}


def _add(targets: dict[int, set[int]], old: str, new: str) -> None:
    if old.isdecimal() and new.isdecimal() and old != new:
        targets[int(old)].add(int(new))


def _end(old: int, single: dict[int, int]) -> int | None:
    at = old
    for _ in range(_LONGEST_CHAIN):
        if at not in single:
            return at
        at = single[at]
    return None
