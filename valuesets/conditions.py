"""From a coded problem to the conditions that rules know, with the hierarchy of ICD-10 read from its codes."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from valuesets.store import Include, ValueSet
from valuesets.systems import ICD10_NATIONAL, ICD10CM, ICD10WHO

_NONE: Final[frozenset[str]] = frozenset()
_ROOT: Final = 3  # an ICD-10 category has three characters
_LONGEST: Final = 7  # and the longest ICD-10-CM code has seven
_WHO_LONGEST: Final = 4  # and a WHO code four, but for few subdivisions


class ConditionIndex:
    """Look-up from (system, code) to condition keys.

    An ICD-10 code names its ancestors: G24.02 lies below G24.0 and G24. So a set that includes G24 includes every code
    that starts with it, and an exclusion removes a code with all below it.
    """

    def __init__(self, value_sets: Iterable[tuple[str, ValueSet]]) -> None:
        exact: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        below: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        out: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for key, value_set in value_sets:
            for include in value_set.compose.include:
                _collect(include, key, exact[include.system], below[include.system])
            for exclude in value_set.compose.exclude:
                _collect(exclude, key, out[exclude.system], out[exclude.system])
        self._exact = _freeze(exact)
        self._below = _freeze(below)
        self._out = _freeze(out)

    def find(self, system: str, code: str) -> frozenset[str]:
        """Condition keys of ``code`` in the code system with canonical URL ``system``."""
        national = system in ICD10_NATIONAL
        if system not in (ICD10CM, ICD10WHO) and not national:
            return self._exact.get(system, {}).get(code.strip(), _NONE)
        flat = code.strip().upper().replace(".", "")
        if not _ROOT <= len(flat) <= _LONGEST or not flat.isalnum():
            return _NONE
        found, excluded = self._icd(ICD10WHO if national else system, flat)
        if system == ICD10WHO and _of_cm_only(flat):
            also, not_these = self._icd(ICD10CM, flat)
            found, excluded = found | also, excluded | not_these
        return found - excluded if excluded else found

    def _icd(self, system: str, flat: str) -> tuple[frozenset[str], frozenset[str]]:
        """The sets that include the code or one above it, and those that exclude it or one above it."""
        below = self._below.get(system, {})
        out = self._out.get(system, {})
        found = self._exact.get(system, {}).get(flat, _NONE)
        excluded = _NONE
        for end in range(_ROOT, len(flat) + 1):
            stem = flat[:end]
            if stem in below:
                found |= below[stem]
            if stem in out:
                excluded |= out[stem]
        return found, excluded


def _of_cm_only(flat: str) -> bool:
    """True for a code of a shape that only ICD-10-CM has; many US systems send these under the URL of the WHO."""
    return len(flat) > _WHO_LONGEST or not flat[1:].isdecimal()


def _collect(part: Include, key: str, exact: dict[str, set[str]], below: dict[str, set[str]]) -> None:
    flatten = part.system in (ICD10CM, ICD10WHO)
    for concept in part.concept:
        exact[concept.code.replace(".", "") if flatten else concept.code].add(key)
    for rule in part.filter:
        below[rule.value.replace(".", "")].add(key)


def _freeze(index: dict[str, dict[str, set[str]]]) -> dict[str, dict[str, frozenset[str]]]:
    return {system: {code: frozenset(keys) for code, keys in codes.items()} for system, codes in index.items()}
