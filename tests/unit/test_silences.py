"""Each value that ``suppressed`` may have is explained to people in a sentence without figures."""

from __future__ import annotations

import re

import pytest

from plugin.guideline_text import SILENCES, SUPPRESSIONS
from plugin.rules import RULES
from tests.support.fire import plugin


def test_every_value_is_explained() -> None:
    stronger = {code for code in SILENCES if code.startswith("R-")}
    others = {"alert-non-serious", "notes-only", "on-request", "silent-mode", "three-cards", "unsigned"}
    assert set(SILENCES) - stronger == SUPPRESSIONS | others
    assert stronger <= {rule.id for rule in RULES}
    assert plugin().suppressions == SILENCES


@pytest.mark.parametrize("code", SILENCES)
def test_an_explanation_is_a_sentence_that_a_site_cannot_make_untrue(code: str) -> None:
    assert SILENCES[code].endswith(".")
    assert re.findall(r"\d+ (?:days|hours|weeks|months)", SILENCES[code]) == []
