"""Each value that ``suppressed`` may have is explained to people in a sentence without figures."""

from __future__ import annotations

import re

import pytest

from plugin.guideline_text import SILENCES, SUPPRESSIONS
from tests.support.fire import plugin


def test_every_value_is_explained() -> None:
    assert set(SILENCES) == SUPPRESSIONS | {"alert-non-serious", "on-request", "unsigned"}
    assert plugin().suppressions == SILENCES


@pytest.mark.parametrize("code", SILENCES)
def test_an_explanation_is_a_sentence_that_a_site_cannot_make_untrue(code: str) -> None:
    assert SILENCES[code].endswith(".")
    assert re.findall(r"\d+ (?:days|hours|weeks|months)", SILENCES[code]) == []
