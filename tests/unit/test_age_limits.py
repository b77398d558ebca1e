"""Drugs that a card must not propose below the age that their labels name (R-DRUG-05)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plugin.age_limits import AGE_LIMITS, too_young
from plugin.fhir.age import age_of
from plugin.rules.paediatric_limits import RULES
from plugin.thresholds import Limits
from tests.support.fhir import NOW
from tests.support.rows import row

TABLE = [
    row("haloperidol, 3 years today", "haloperidol", "2023-11-22", False),
    row("haloperidol, 3 years tomorrow", "haloperidol", "2023-11-23", True),
    row("metoclopramide, 1 year today", "metoclopramide", "2025-11-22", False),
    row("metoclopramide, 1 year tomorrow", "metoclopramide", "2025-11-23", True),
    row("promethazine, perhaps 2 years", "promethazine", "2024", True),
    row("benztropine, 3 years tomorrow", "benztropine", "2023-11-23", True),
    row("prochlorperazine, age not known", "prochlorperazine", "", True),
    row("ondansetron has no limit here", "ondansetron", "2026-01-01", False),
    row("quetiapine, age not known", "quetiapine", "", False),
]


@pytest.mark.parametrize(("drug", "birth", "expected"), TABLE)
def test_too_young(drug: str, birth: str, expected: bool) -> None:
    lived = age_of(birth, NOW) if birth else None
    case = SimpleNamespace(limits=Limits(), patient=SimpleNamespace(age=lived[0] if lived else None))
    assert too_young(case, drug) is expected  # type: ignore[arg-type]


def test_every_rule_with_an_age_limit_is_here() -> None:
    figures = {name for rule in RULES for name in rule.thresholds}
    assert set(AGE_LIMITS.values()) <= figures
    assert len(AGE_LIMITS) == len(RULES)
