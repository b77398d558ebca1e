"""What is left of a failing call when all that does not matter is taken away: the report of a property that failed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def hold(body: Json, check: Callable[[Json], str]) -> None:
    """Fails with the smallest call for which ``check`` still says what is wrong; it says "" where all is well."""
    if not check(body):
        return
    found = smallest(body, check)
    raise AssertionError(f"{check(found)}\n{json.dumps(found, indent=1)}")


def smallest(body: Json, check: Callable[[Json], str]) -> Json:
    """The call without the resources that it fails without as well."""
    found = body
    for key in body["prefetch"]:
        for number in reversed(range(len(body["prefetch"][key].get("entry", [])))):
            less = copy.deepcopy(found)
            del less["prefetch"][key]["entry"][number]
            less["prefetch"][key]["total"] = len(less["prefetch"][key]["entry"])
            found = less if check(less) else found
    return found
