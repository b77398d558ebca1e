"""Every hook that is served, in one table. A new hook is one row here, and its name among the hooks of some rules."""

from __future__ import annotations

import msgspec


class Hook(msgspec.Struct, frozen=True):
    """What the service of a hook is called, looks at and judges, in words.

    ``field`` is the field of the context that holds what it judges; without one it is the record. ``orders`` says that
    these are orders.
    """

    title: str
    looks_at: str
    judges: str
    field: str = ""
    orders: bool = False


HOOKS: dict[str, Hook] = {
    "order-select": Hook(
        "Dystonia risk: order select", "drug choice", "a medication order that is being chosen", "draftOrders", True
    ),
    "order-sign": Hook(
        "Dystonia risk: order sign", "drug, dose, route and duration", "a medication order", "draftOrders", True
    ),
    "patient-view": Hook("Dystonia and calcium: patient view", "the metabolic causes on record", "an open record"),
    "encounter-start": Hook(
        "Dystonia and calcium: encounter start",
        "the metabolic causes on record",
        "the record at the start of an encounter",
    ),
    "medication-refill": Hook(
        "Dystonia risk: medication refill",
        "duration, dose and what the record holds against it",
        "a prescription that is being renewed",
        "medications",
        True,
    ),
    "problem-list-item-create": Hook(
        "New dystonia: problem list",
        "drugs given in the last days, calcium and magnesium",
        "a dystonia, tetany or paroxysmal movement that is being entered",
        "conditions",
    ),
}
