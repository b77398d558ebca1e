"""How many examples each property tries: a fixed set by default, many times as many and new ones on request."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

TIMES = int(os.environ.get("PROPERTY_EXAMPLES_TIMES", "1"))
"""Set PROPERTY_EXAMPLES_TIMES=50 for a long search, which is another one each time."""


def examples(count: int) -> settings:
    """The settings of a property that tries so many invented calls by default.

    A call is made from one number, so that a smaller number is no simpler call: see ``smallest``.
    """
    phases = (Phase.explicit, Phase.generate)
    return settings(derandomize=TIMES == 1, max_examples=count * TIMES, deadline=None, phases=phases, database=None)
