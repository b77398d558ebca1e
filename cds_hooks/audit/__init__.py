"""The append-only audit: every call and every feedback, on the disk before the answer leaves."""

from __future__ import annotations

from cds_hooks.audit.errors import StoreError
from cds_hooks.audit.ids import new_id
from cds_hooks.audit.model import (
    CallDetail,
    CallFilter,
    CallRow,
    Entry,
    Feedback,
    FeedbackRow,
    FindingRow,
    StoreHealth,
)
from cds_hooks.audit.store import AuditStore, open_store
from cds_hooks.audit.writer import GATHER_SECONDS

__all__ = [
    "GATHER_SECONDS",
    "AuditStore",
    "CallDetail",
    "CallFilter",
    "CallRow",
    "Entry",
    "Feedback",
    "FeedbackRow",
    "FindingRow",
    "StoreError",
    "StoreHealth",
    "new_id",
    "open_store",
]
