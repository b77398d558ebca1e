"""What the tests against peers share: settings of the service, and a look into its audit."""

from __future__ import annotations

import json
import time
from typing import Any

from cds_hooks.audit import CallRow
from cds_hooks.audit.reader import Reader
from tests.support.server import Answer, Service

# S-17 remembers what opening a record showed; here the same record is opened again and again.
PEER_SETTINGS = {"DYSTONIA_CDS_FHIR_NETWORKS": "127.0.0.0/8", "DYSTONIA_CDS_SUPPRESSIONS_OFF": "S-17"}
LATE_SECONDS = 10
UNHURRIED = {"DYSTONIA_CDS_BUDGET_MS": "9000", "DYSTONIA_CDS_FHIR_BUDGET_MS": "8000"}
"""For tests about what is answered, not about how soon."""


def audited(service: Service, answer: Answer) -> tuple[CallRow, dict[str, Any]]:
    """The audit row of an answer, late only where the answer said so, and the states of its prefetch keys."""
    reader = Reader(service.folder / "dystonia-cds.db")
    until = time.monotonic() + (0 if answer.headers["x-audit-state"] == "durable" else LATE_SECONDS)
    while (found := reader.call(answer.audit_id)) is None and time.monotonic() < until:
        time.sleep(0.02)
    reader.close()
    assert found is not None, f"the audit has no row, and the answer said {answer.headers['x-audit-state']}"
    return found.row, json.loads(found.keys)
