"""What a site may choose of the rules, and what it is told where it chose something that is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_hooks.errors import Trouble
from cds_hooks.service import Site
from plugin.guideline_text import SUPPRESSIONS
from plugin.needs import TYPES
from plugin.rules import RULES
from plugin.services import PLUGIN
from tests.support.rows import row

IDS = ", ".join(sorted(rule.id for rule in RULES))
CODES = ", ".join(sorted(SUPPRESSIONS))
REFUSED = [
    row("a suppression", {"suppressions_off": ("S-99", "S-08")},
        f"DYSTONIA_CDS_SUPPRESSIONS_OFF: got S-99, expected any of {CODES}."),
    row("two suppressions", {"suppressions_off": ("s-08", "S-99")},
        f"DYSTONIA_CDS_SUPPRESSIONS_OFF: got S-99, s-08, expected any of {CODES}."),
    row("a rule", {"silent_rules": ("R-DRUG-99", "R-DRUG-01")},
        f"DYSTONIA_CDS_SILENT_RULES: got R-DRUG-99, expected any of {IDS}."),
    row("a prefetch key", {"expected_keys": ("patient", "observation")},
        f"DYSTONIA_CDS_EXPECTED_KEYS: got observation, expected any of {', '.join(TYPES)}."),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "sentence"), REFUSED)
def test_what_is_not_there_is_named_beside_what_is(chosen: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Trouble, match=f"^{re.escape(sentence)}$"):
        PLUGIN(Site(**chosen))


def test_the_cards_of_the_host_are_cards_of_the_rule_on_internal_failures() -> None:
    base = "https://cds.hospital.example"
    found = PLUGIN(Site(public_url=base, canonical="https://rules.hospital.example/fhir")).incomplete
    (rule,) = (rule for rule in RULES if rule.id == "R-DQ-08")
    assert found == {
        "source": {
            "label": "Dystonia CDS guideline",
            "url": f"{base}/guideline",
            "topic": {"system": "https://rules.hospital.example/fhir/CodeSystem/rules", "code": rule.id},
        },
        "links": [
            {
                "label": f"Guideline {rule.id}: why, limits and sources",
                "type": "absolute",
                "url": f"{base}/guideline/{rule.id}",
            }
        ],
        "extension": {"org.dystonia-cds": {"rules": [{"id": rule.id, "version": rule.version, "indicator": "info"}]}},
    }
