"""When to leave a server alone: longer after each failure, and not to ask at all after several in a row."""

from __future__ import annotations

from collections.abc import Callable

FAILURES_TO_OPEN = 5
FIRST_PAUSE_SECONDS = 0.5
OPEN_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 600.0
MOST_DOUBLINGS = 30

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
STATES = (CLOSED, OPEN, HALF_OPEN)


class Breaker:
    """Times are seconds of a monotonic clock, so that steps of the wall clock change nothing.

    ``closed``: requests go out, after a short pause where the last one failed. ``open``: none does.
    ``half-open``: the pause is over, and one request will show whether the server is well again.
    """

    def __init__(
        self,
        random: Callable[[], float],
        *,
        first: float = FIRST_PAUSE_SECONDS,
        opened: float = OPEN_SECONDS,
        longest: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        """``random`` gives numbers from 0 to 1: pauses differ, so that many services do not come back at once.

        ``first`` is the pause after one failure, ``opened`` that after several in a row, both doubled by each further
        one up to ``longest``.
        """
        self._random = random
        self._first, self._opened, self._longest = first, opened, longest
        self._until = 0.0
        self.failures = 0

    def state(self, now: float) -> str:
        """Which of ``STATES``."""
        if self.failures < FAILURES_TO_OPEN:
            return CLOSED
        return OPEN if now < self._until else HALF_OPEN

    def wait(self, now: float) -> float:
        """Seconds until the next request may go out."""
        return max(0.0, self._until - now)

    def worked(self) -> None:
        """The server answered: all is forgiven."""
        self.failures = 0
        self._until = 0.0

    def failed(self, now: float, asked: float = 0.0) -> None:
        """The server did not answer usefully; ``asked`` is the pause that it asked for, if any."""
        self.failures += 1
        over = min(self.failures - FAILURES_TO_OPEN, MOST_DOUBLINGS)
        base = self._opened * 2.0**over if over >= 0 else self._first * 2.0 ** (self.failures - 1)
        pause = min(base, self._longest) * (0.5 + self._random() / 2)
        self._until = now + max(pause, asked)
