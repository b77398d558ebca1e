"""What ``dystonia-cds fire`` prints of an answer: cards, links, silenced findings and what was not checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from cds_hooks.fire import Reply, show
from plugin.samples import PATIENTS
from tests.support.stories import fired

CARD = {
    "summary": "A toy was found.",
    "indicator": "warning",
    "detail": "**Why now**\n\n- It is sharp.\n\nFor adults.",
    "links": [{"label": "More: toys", "url": "http://127.0.0.1:8000/guideline/T-2?with=T-1", "type": "absolute"}],
}


def printed(content: Mapping[str, Any], silences: Mapping[str, str] | None = None) -> list[str]:
    written = StringIO()
    show(
        Reply(200, json.dumps(content).encode(), "", silences or {}), Console(highlight=False, width=200, file=written)
    )
    return [line.strip(" │") for line in written.getvalue().splitlines()]


def answer(*results: Mapping[str, Any], cards: tuple[Mapping[str, Any], ...] = ()) -> dict[str, Any]:
    return {"cards": list(cards), "extension": {"org.dystonia-cds": {"ruleset": "1", "results": list(results)}}}


def test_a_card_reads_as_text() -> None:
    lines = printed(answer(cards=(CARD,)))
    assert lines[1:3] == ["A toy was found.", ""]
    assert "Why now" in lines
    assert "• It is sharp." in lines
    assert "• More: toys: http://127.0.0.1:8000/guideline/T-2?with=T-1" in lines
    assert not [line for line in lines if "**" in line]


def test_the_further_lines_of_a_point_begin_below_its_first_word() -> None:
    written, address = StringIO(), f"https://example.org/{'x' * 60}"
    detail = "- Sharp toys, and others that are no less sharp than these."
    card = CARD | {"detail": detail, "links": [{"label": "More", "url": address}]}
    show(Reply(200, json.dumps(answer(cards=(card,))).encode(), "", {}), Console(width=40, file=written))
    inner = [line.strip("│").rstrip() for line in written.getvalue().splitlines()]
    first = next(place for place, line in enumerate(inner) if "• Sharp" in line)
    assert inner[first : first + 2] == ["   • Sharp toys, and others that are", "     no less sharp than these."]
    assert address in "".join(line.strip() for line in inner)


@pytest.mark.parametrize(
    ("silences", "told"),
    [({"X-1": "It was put away."}, "(X-1). It was put away."), ({}, "(X-1).")],
    ids=["with its meaning", "by its code alone"],
)
def test_a_silenced_finding_is_told(silences: Mapping[str, str], told: str) -> None:
    quiet = {"rule": "T-1", "status": "fired", "suppressed": "X-1", "subject": "Toy/1", "indicator": "info"}
    lines = printed(answer(quiet, {"rule": "T-2", "status": "not-checked", "reason": "stale"}), silences)
    assert "No card. That is not the same as safe." in lines
    assert f"Silenced: T-1 for Toy/1 {told}" in lines
    assert "Not checked: T-2 (stale)" in lines


@pytest.mark.parametrize("sample", PATIENTS, ids=lambda sample: sample.id)
def test_every_answer_is_printed_whole(sample: Any) -> None:
    body = fired(sample).body
    lines = " ".join(printed(body))
    for card in body["cards"]:
        assert " ".join(card["summary"].split()) in lines
        assert all(link["url"] in lines for link in card["links"])
