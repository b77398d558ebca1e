"""What is published beside the cards, kept word for word: pages, sample patients and orders, and a few artefacts."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cds_hooks.service import Site
from plugin.samples import CONDITIONS, ORDERS, PATIENTS
from plugin.services import PLUGIN
from tests.support.stories import NOW

Json = dict[str, Any]

FOLDER = Path(__file__).parent / "kept"
SITE = Site(canonical="https://rules.hospital.example/fhir", public_url="https://cds.hospital.example")
# One plan with figures, one with a jurisdiction in it, one about data; the others differ in the text of the guideline.
ARTEFACTS = (
    *("PlanDefinition/R-DRUG-01", "PlanDefinition/R-DRUG-05c", "PlanDefinition/R-DQ-01", "Library/dystonia-cds"),
    *("CodeSystem/rules", "CodeSystem/override-reasons", "StructureDefinition/threshold"),
)


def pages() -> Json:
    """The pages that belong to no single rule, and the questions of the index."""
    loaded = PLUGIN(SITE)
    found = {page.id: msgspec.to_builtins(page) for page in loaded.pages}
    return {**found, "questions": msgspec.to_builtins(loaded.questions)}


def samples() -> Json:
    """Every sample patient with the record at one moment, every order and every condition."""
    told = ("name", "story", "shows", "hook", "orders", "refills", "conditions")
    patients = {one.id: {name: getattr(one, name) for name in told} | dict(one.build(NOW)) for one in PATIENTS}
    items = {one.id: {"name": one.name, "resource": one.resource} for one in (*ORDERS, *CONDITIONS)}
    return {**patients, **items}


def artefacts() -> Json:
    """Some of the artefacts, without the version of the rule set, which changes with every text."""
    loaded = PLUGIN(SITE)
    found = loaded.artefacts()
    return {key: json.loads(found[key].replace(loaded.ruleset.encode(), b"(version)")) for key in ARTEFACTS}


KEPT: dict[str, Callable[[], Json]] = {"pages": pages, "samples": samples, "artefacts": artefacts}


@cache
def made(name: str) -> Json:
    """One of them as it is now, as JSON reads it."""
    found: Json = json.loads(text(KEPT[name]()))
    return found


@cache
def kept(name: str) -> Json:
    """One of them as it is kept; nothing where it never was."""
    path = FOLDER / f"{name}.json"
    found: Json = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def text(found: Json) -> str:
    """As it is written into the file."""
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
