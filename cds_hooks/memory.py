"""What a call may know of earlier ones: the findings that cards of the same patient showed to the same client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from cds_hooks.audit import StoreError
from cds_hooks.recording import Trace
from cds_hooks.service import Shown
from cds_hooks.state import State

log = structlog.get_logger()

Memory = Callable[[datetime], Sequence[Shown]]


def memory_of(state: State, trace: Trace, client: str) -> Memory:
    """Reads the store when it is asked; without a store, or with a sick one, nothing is remembered and all is shown."""
    store = state.store

    def remember(since: datetime) -> Sequence[Shown]:
        if store is None or not trace.patient:
            return ()
        try:
            return store.shown(trace.patient, client, trace.encounter, since)
        except StoreError as error:
            state.metrics.memory_failures[()] += 1
            log.error("memory-not-read", audit=trace.id, error=type(error).__name__)
            return ()

    return remember
