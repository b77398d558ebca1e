"""What a rule looks at, read from its code: the names of classes, analytes and conditions that its functions mention.

A list kept by hand would fall behind with the first new rule. What is found is what a rule may read, so a code that
touches a rule need not change its verdict; a rule that reads a code is never left out as long as its functions name
what they read, as all of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from types import CodeType, FunctionType, ModuleType

import msgspec

from plugin.rule import Rule

_OURS = "plugin."


class Reads(msgspec.Struct, frozen=True):
    """What the functions behind a rule mention: ``words`` are strings, ``classes`` those beside the classes of a drug.

    ``tiers`` is True where the tier of a drug is read.
    """

    words: frozenset[str]
    classes: frozenset[str]
    tiers: bool


@cache
def reads(rule: Rule) -> Reads:
    """Everything that the rule's functions, and those that they call, mention."""
    words: set[str] = set()
    classes: set[str] = set()
    tiers = False
    for function in _reached(rule.evaluate):
        names = {name for code in _codes(function.__code__) for name in code.co_names}
        said = set(_words([*_constants(function), *_named(function)]))
        words |= said
        classes |= said if "classes" in names else set()
        tiers = tiers or "tier" in names
    return Reads(frozenset(words), frozenset(classes), tiers)


def _reached(start: Callable[..., object]) -> Iterator[FunctionType]:
    seen: set[int] = set()
    todo: list[object] = [start]
    while todo:
        function = _bare(todo.pop())
        if isinstance(function, partial):
            todo += [function.func, *function.args, *function.keywords.values()]
        elif isinstance(function, (tuple, list)):
            todo += function
        elif isinstance(function, dict):
            todo += function.values()
        elif isinstance(function, FunctionType) and id(function) not in seen and function.__module__.startswith(_OURS):
            seen.add(id(function))
            todo += _named(function)
            yield function


def _bare(function: object) -> object:
    return getattr(function, "__wrapped__", function)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _constants(function: FunctionType) -> list[object]:
    return [one for code in _codes(function.__code__) for one in code.co_consts if one != function.__doc__]


def _named(function: FunctionType) -> list[object]:
    """What the names in a function stand for: globals, members of our modules, and what it was closed over."""
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    found = [function.__globals__[name] for name in sorted(names) if name in function.__globals__]
    modules = [one for one in found if isinstance(one, ModuleType) and one.__name__.startswith(_OURS)]
    found += [getattr(module, name) for module in modules for name in sorted(names) if hasattr(module, name)]
    return found + [cell.cell_contents for cell in function.__closure__ or ()]


def _words(values: list[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (tuple, list, set, frozenset, dict)):
            yield from _words(list(value))
