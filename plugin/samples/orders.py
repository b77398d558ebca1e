"""The orders that a visitor may put before a hook."""

from __future__ import annotations

from plugin.samples import drugs
from plugin.samples.fhir_parts import EVERY_4_WEEKS, ONCE, Json, daily, dosage
from plugin.samples.models import SampleOrder
from valuesets.systems import UCUM

REFILL = ("medications",)


def order(
    key: str,
    name: str,
    medication: Json,
    *dosages: Json,
    supply_days: int | None = None,
    fields: tuple[str, ...] = ("draftOrders",),
) -> SampleOrder:
    resource: Json = {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": medication,
        "dosageInstruction": list(dosages),
    }
    if supply_days is not None:
        supply = {"value": supply_days, "unit": "days", "system": UCUM, "code": "d"}
        resource["dispenseRequest"] = {"expectedSupplyDuration": supply}
    return SampleOrder(key, name, resource, fields)


ORDERS: tuple[SampleOrder, ...] = (
    order("haloperidol-im", "Haloperidol 5 mg IM, once", drugs.HALOPERIDOL_INJECTION, dosage(5, "IM", ONCE)),
    order("haloperidol-po", "Haloperidol 5 mg PO, twice a day", drugs.HALOPERIDOL_5_TABLET, dosage(5, "PO", daily(2))),
    order(
        "haloperidol-po-low", "Haloperidol 2 mg PO, once a day", drugs.HALOPERIDOL_2_TABLET, dosage(2, "PO", daily())
    ),
    order(
        "haloperidol-decanoate",
        "Haloperidol decanoate 50 mg IM, every 4 weeks",
        drugs.HALOPERIDOL_DECANOATE,
        dosage(50, "IM", EVERY_4_WEEKS),
    ),
    order("droperidol-im", "Droperidol 5 mg IM, once", drugs.DROPERIDOL_INJECTION, dosage(5, "IM", ONCE)),
    order("droperidol-iv", "Droperidol 1.25 mg IV, once", drugs.DROPERIDOL_INJECTION, dosage(1.25, "IV", ONCE)),
    order(
        "metoclopramide-po",
        "Metoclopramide 10 mg PO, four times a day, 14 days",
        drugs.METOCLOPRAMIDE_TABLET,
        dosage(10, "PO", daily(4, 14)),
        supply_days=14,
    ),
    order(
        "metoclopramide-po-long",
        "Metoclopramide 10 mg PO, four times a day, 120 days",
        drugs.METOCLOPRAMIDE_TABLET,
        dosage(10, "PO", daily(4, 120)),
        supply_days=120,
    ),
    order("metoclopramide-iv", "Metoclopramide 10 mg IV, once", drugs.METOCLOPRAMIDE_INJECTION, dosage(10, "IV", ONCE)),
    order(
        "prochlorperazine-text",
        "Prochlorperazine 10 mg IV, once (free text, no code)",
        drugs.PROCHLORPERAZINE_AS_TEXT,
        dosage(10, "IV", ONCE),
    ),
    order(
        "prochlorperazine-po",
        "Prochlorperazine 10 mg PO, up to three times a day as needed",
        drugs.PROCHLORPERAZINE_TABLET,
        dosage(10, "PO", daily(3), as_needed=True),
    ),
    order(
        "prochlorperazine-im",
        "Prochlorperazine 10 mg IM, once",
        drugs.PROCHLORPERAZINE_INJECTION,
        dosage(10, "IM", ONCE),
    ),
    order(
        "promethazine-po",
        "Promethazine 25 mg PO, up to four times a day as needed",
        drugs.PROMETHAZINE_TABLET,
        dosage(25, "PO", daily(4), as_needed=True),
    ),
    order("promethazine-im", "Promethazine 25 mg IM, once", drugs.PROMETHAZINE_INJECTION, dosage(25, "IM", ONCE)),
    order(
        "promethazine-liquid",
        "Promethazine liquid 6.25 mg PO, once",
        drugs.PROMETHAZINE_LIQUID,
        dosage(6.25, "PO", ONCE),
    ),
    order("olanzapine-po", "Olanzapine 10 mg PO, once a day", drugs.OLANZAPINE_TABLET, dosage(10, "PO", daily())),
    order("olanzapine-im", "Olanzapine 10 mg IM, once", drugs.OLANZAPINE_INJECTION, dosage(10, "IM", ONCE)),
    order("risperidone-po", "Risperidone 1 mg PO, twice a day", drugs.RISPERIDONE_TABLET, dosage(1, "PO", daily(2))),
    order(
        "risperidone-po-high", "Risperidone 3 mg PO, twice a day", drugs.RISPERIDONE_TABLET, dosage(3, "PO", daily(2))
    ),
    order("aripiprazole-po", "Aripiprazole 10 mg PO, once a day", drugs.ARIPIPRAZOLE_TABLET, dosage(10, "PO", daily())),
    order("quetiapine-po", "Quetiapine 100 mg PO, once a day", drugs.QUETIAPINE_TABLET, dosage(100, "PO", daily())),
    order(
        "chlorpromazine-po",
        "Chlorpromazine 25 mg PO, three times a day",
        drugs.CHLORPROMAZINE_TABLET,
        dosage(25, "PO", daily(3)),
    ),
    order("chlorpromazine-im", "Chlorpromazine 25 mg IM, once", drugs.CHLORPROMAZINE_INJECTION, dosage(25, "IM", ONCE)),
    order(
        "ondansetron-po", "Ondansetron 4 mg PO, three times a day", drugs.ONDANSETRON_TABLET, dosage(4, "PO", daily(3))
    ),
    order("ondansetron-iv", "Ondansetron 4 mg IV, once", drugs.ONDANSETRON_INJECTION, dosage(4, "IV", ONCE)),
    order(
        "calcium-carbonate",
        "Calcium carbonate 1250 mg PO, twice a day",
        drugs.CALCIUM_TABLET,
        dosage(1250, "PO", daily(2)),
    ),
    order(
        "magnesium-oxide", "Magnesium oxide 400 mg PO, twice a day", drugs.MAGNESIUM_TABLET, dosage(400, "PO", daily(2))
    ),
    order(
        "benztropine-po",
        "Benztropine 1 mg PO, twice a day, 7 days",
        drugs.BENZTROPINE_TABLET,
        dosage(1, "PO", daily(2, 7)),
    ),
    order(
        "diphenhydramine-po",
        "Diphenhydramine 25 mg PO, three times a day",
        drugs.DIPHENHYDRAMINE_CAPSULE,
        dosage(25, "PO", daily(3)),
    ),
    order("sertraline-po", "Sertraline 50 mg PO, once a day", drugs.SERTRALINE_TABLET, dosage(50, "PO", daily())),
    order(
        "carbamazepine-po",
        "Carbamazepine 200 mg PO, twice a day",
        drugs.CARBAMAZEPINE_TABLET,
        dosage(200, "PO", daily(2)),
    ),
    order(
        "amoxicillin-text",
        "Amoxicillin 500 mg PO, three times a day (free text, no code)",
        drugs.AMOXICILLIN_AS_TEXT,
        dosage(500, "PO", daily(3, 7)),
    ),
    order(
        "metoclopramide-refill",
        "Metoclopramide 10 mg PO, four times a day, 30 days",
        drugs.METOCLOPRAMIDE_TABLET,
        dosage(10, "PO", daily(4)),
        supply_days=30,
        fields=REFILL,
    ),
    order(
        "metoclopramide-refill-short",
        "Metoclopramide 10 mg PO, four times a day, 3 days",
        drugs.METOCLOPRAMIDE_TABLET,
        dosage(10, "PO", daily(4, 3)),
        supply_days=3,
        fields=REFILL,
    ),
    order(
        "benztropine-refill",
        "Benztropine 1 mg PO, twice a day, 90 days",
        drugs.BENZTROPINE_TABLET,
        dosage(1, "PO", daily(2)),
        supply_days=90,
        fields=REFILL,
    ),
    order(
        "risperidone-refill",
        "Risperidone 1 mg PO, twice a day, 90 days",
        drugs.RISPERIDONE_TABLET,
        dosage(1, "PO", daily(2)),
        supply_days=90,
        fields=REFILL,
    ),
    order(
        "haloperidol-refill",
        "Haloperidol 5 mg PO, twice a day, 30 days",
        drugs.HALOPERIDOL_5_TABLET,
        dosage(5, "PO", daily(2)),
        supply_days=30,
        fields=REFILL,
    ),
    order(
        "quetiapine-refill",
        "Quetiapine 100 mg PO, once a day, 90 days",
        drugs.QUETIAPINE_TABLET,
        dosage(100, "PO", daily()),
        supply_days=90,
        fields=REFILL,
    ),
)
