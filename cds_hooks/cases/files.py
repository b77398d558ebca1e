"""Case files: a hook call, the moment at which it is made, and what happened before, as JSON.

``{"title": "…", "now": "2026-11-22T10:00:00Z", "call": {…}}`` is a whole case. ``settings`` are settings of the site
by the names of the settings file; ``before`` are earlier calls, each with ``now``, ``call`` and, where every card of
its answer was overridden, the code of the reason in ``override``. ``expects`` is what has to come of it, written down
before it was run: the verdict in words by rule ("R-DRUG-01") or by rule and order, and the cards under "cards".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.errors import CallTrouble

Json = dict[str, Any]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An earlier call of a case."""

    now: datetime
    call: Json
    override: str = ""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One case; ``now`` and those of ``before`` carry an offset."""

    title: str
    now: datetime
    call: Json
    settings: Json = {}
    before: tuple[Step, ...] = ()
    expects: dict[str, str] = {}


def read_cases(folder: Path) -> dict[str, Case]:
    """Every case below a folder by its path without ending (``drugs/two-blockers``), in the order of the names.

    Raises CallTrouble for a folder without cases, and for the first file that is not a case.
    """
    if not folder.is_dir():
        raise CallTrouble(f"The folder {folder} does not exist, expected one with cases as JSON files.")
    found = {str(path.relative_to(folder).with_suffix("")): read_case(path) for path in sorted(folder.rglob("*.json"))}
    if not found:
        raise CallTrouble(f"The folder {folder} holds no case: expected *.json files, in folders below it or not.")
    return dict(sorted(found.items()))


def read_case(path: Path) -> Case:
    """One case; raises CallTrouble naming the file and what is wrong with it."""
    try:
        case = msgspec.json.decode(path.read_bytes(), type=Case)
    except OSError as error:
        raise CallTrouble(f"The case {path} cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallTrouble(f"The file {path} is not a case: {error}. Expected title, now and call.") from None
    for flaw in _flaws(case):
        raise CallTrouble(f"The file {path} is not a case: {flaw}.")
    return case


def _flaws(case: Case) -> Iterator[str]:
    """What the types alone do not tell."""
    if not case.title.strip():
        yield "its title is empty"
    steps: list[tuple[str, Case | Step]] = [("", case)]
    steps += [(f"before[{index}].", step) for index, step in enumerate(case.before)]
    for where, step in steps:
        if step.now.tzinfo is None:
            yield f"{where}now has no offset, expected one such as 2026-11-22T10:00:00Z"
        if not isinstance(step.call.get("hook"), str):
            yield f"{where}call names no hook"
    if any(earlier.now > case.now for earlier in case.before):
        yield "something before it is later than its now"
