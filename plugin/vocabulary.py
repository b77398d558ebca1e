"""The terminology in force in this process: the shipped codes, the site's own, and what a resolver learned since.

Everything that is worked out from codes and kept (``cached``) is forgotten when the terminology changes, so that the
next call with a code that was learned knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, Protocol, TypeVar, cast

from valuesets import Terminology, load

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class Cached(Protocol[P, R_co]):
    """A function whose answers are kept until the terminology changes."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """The answer, kept or new."""

    def cache_clear(self) -> None:
        """Forget every answer."""


_forget: list[Callable[[], None]] = []
_in_force: list[Terminology] = []


def terminology() -> Terminology:
    """The terminology in force; the shipped one until another is put into force."""
    if not _in_force:
        _in_force.append(load())
    return _in_force[0]


def use(found: Terminology) -> None:
    """Put a terminology into force for the whole process and forget what was worked out with the one before."""
    _in_force[:] = [found]
    forget()


def forget() -> None:
    """Forget every kept answer: the terminology in force has changed."""
    for clear in _forget:
        clear()


def cached(maxsize: int) -> Callable[[Callable[P, R_co]], Cached[P, R_co]]:
    """``lru_cache`` for a function whose answer depends on the terminology in force."""

    def decorate(function: Callable[P, R_co]) -> Cached[P, R_co]:
        kept = lru_cache(maxsize=maxsize)(function)
        _forget.append(kept.cache_clear)
        return cast("Cached[P, R_co]", kept)

    return decorate
