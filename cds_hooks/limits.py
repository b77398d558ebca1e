"""Waiting no longer than agreed, at a fraction of what ``asyncio.timeout`` costs: two of these stand on every call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Result = TypeVar("Result")


async def within(seconds: float, work: Awaitable[Result]) -> Result:
    """What ``work`` gives; raises :class:`TimeoutError` after ``seconds`` and cancels it."""
    task = asyncio.current_task()
    assert task is not None
    late = False

    def interrupt() -> None:
        nonlocal late
        late = True
        task.cancel()

    alarm = asyncio.get_running_loop().call_later(seconds, interrupt)
    try:
        return await work
    except asyncio.CancelledError:
        # Somebody else may have cancelled the task as well; that one must be heard.
        if late and task.uncancel() == 0:
            raise TimeoutError from None
        raise
    finally:
        alarm.cancel()
