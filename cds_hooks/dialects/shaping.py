"""Cards as one EHR can show them: what it cannot show is left out, the message never."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


def shaped(cards: Sequence[Json], dialect: str) -> Sequence[Json]:
    """The cards in the shape of ``dialect``."""
    return cards
