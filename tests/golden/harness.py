"""The golden cases: where they lie, how they are run, and what they are compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.cases.files import Case, read_cases
from cds_hooks.cases.run import run
from cds_hooks.cases.text import readable, verdict
from cds_hooks.models import EXTENSION

Json = dict[str, Any]

FOLDER = Path(__file__).parent
CASES, EXPECTED, GROUNDS = FOLDER / "cases", FOLDER / "expected", FOLDER / "grounds.json"
PLUGIN = "plugin.services:PLUGIN"
OK = 200


def cases() -> dict[str, Case]:
    """Every golden case by its name."""
    return read_cases(CASES)


def answers(found: dict[str, Case]) -> dict[str, Json]:
    """What the rules of this tree answer to each case."""
    return run({name: msgspec.to_builtins(case) for name, case in found.items()}, PLUGIN)


def texts(found: dict[str, Case], told: dict[str, Json]) -> dict[str, str]:
    """The readable text of each case."""
    return {name: readable(case, told[name]) for name, case in found.items()}


def told(answer: Json, about: str) -> str:
    """What an answer says about "cards", a rule, or a rule and an order ("R-DRUG-01, MedicationRequest/x")."""
    body = answer["body"]
    if about == "cards":
        return ", ".join(card["indicator"] for card in body["cards"]) or "none"
    rule, _, order = about.partition(", ")
    found = [one for one in body["extension"][EXTENSION]["results"] if one["rule"] == rule]
    words = {verdict(one).removeprefix("fired, ") for one in found if order in ("", one.get("subject"))}
    return " and ".join(sorted(words)) or "not judged"


def grounds(answer: Json) -> Json:
    """The records that each verdict rests on, and the record behind each fact of a card."""
    body = answer["body"]
    if answer["status"] != OK:
        return {}
    results = (one for one in body["extension"][EXTENSION]["results"] if "inputs" in one)
    facts = (fact for card in body["cards"] for fact in card["extension"][EXTENSION]["facts"])
    return {
        "verdicts": [" ".join((one["rule"], one.get("subject", ""), "<-", *one["inputs"])) for one in results],
        "facts": [f"{fact['text']} <- {fact.get('reference', '')}".rstrip() for fact in facts],
    }


def grounds_text(told: dict[str, Json]) -> str:
    """The grounds of all cases as they are kept."""
    found = {name: grounds(told[name]) for name in sorted(told)}
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def expected() -> dict[str, str]:
    """The texts that are kept."""
    return {str(path.relative_to(EXPECTED).with_suffix("")): path.read_text("utf-8") for path in EXPECTED.rglob("*.md")}
