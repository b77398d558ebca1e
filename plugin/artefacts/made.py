"""All artefacts that are made from the rules, as JSON by ``<type>/<id>``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from plugin.artefacts.common import COPYRIGHT, GUIDE, USAGE, Json, Release, concept, head
from plugin.artefacts.needs import requirements
from plugin.artefacts.plan import plan_definition
from plugin.artefacts.profile import threshold_profile
from plugin.guideline_text import INTRO, OVERRIDE_REASONS, TEXTS
from plugin.needs import TYPES, complete
from plugin.rule import Rule

_PURPOSE = "So that the rules can be read, cited and reviewed outside the service that runs them."
_FHIR = ["4.0.1", "4.3.0"]


def made(rules: Sequence[Rule], release: Release, value_sets: Iterable[str]) -> Mapping[str, bytes]:
    """The PlanDefinitions, the Library, the code systems of the cards, and the ImplementationGuide over everything.

    ``value_sets`` are the keys (``<type>/<id>``) of the terminology that is published beside them.
    """
    published = sorted(value_sets)
    found = [plan_definition(rule, release) for rule in rules]
    found += [_library(rules, release, published), *_code_systems(rules, release), threshold_profile(release)]
    keys = [f"{one['resourceType']}/{one['id']}" for one in found]
    titles = {key: str(one["title"]) for key, one in zip(keys, found, strict=True)}
    found.append(_guide(release, [*keys, *published], titles))
    return {f"{one['resourceType']}/{one['id']}": msgspec.json.encode(one) for one in found}


def _library(rules: Sequence[Rule], release: Release, published: Sequence[str]) -> Json:
    """The plugin as one Library: what it reads, the value sets that it reads it with, and the rules that it holds."""
    keys = complete({key for rule in rules for key in rule.needs})
    plans = [release.url("PlanDefinition", rule.id, rule.version) for rule in rules]
    sets = [release.url(*key.split("/", 1)) for key in published if key.startswith("ValueSet/")]
    signed = all(release.standings[rule.id].signed for rule in rules)
    return {
        **head("Library", GUIDE, release, release.version, name="DystoniaCDS", title="Logic of Dystonia CDS"),
        "status": "active" if signed else "draft",
        "type": concept("http://terminology.hl7.org/CodeSystem/library-type", "logic-library", "Logic Library"),
        "description": " ".join(INTRO[:1]) + " The logic is code of the service, one function for each rule.",
        "purpose": _PURPOSE,
        "usage": USAGE,
        "copyright": COPYRIGHT,
        "relatedArtifact": [{"type": "depends-on", "resource": url} for url in (*plans, *sets)],
        "dataRequirement": requirements((key for key in TYPES if key in keys), release),
    }


def _code_systems(rules: Sequence[Rule], release: Release) -> list[Json]:
    """The two code systems that cards use: rules as topics, and the reasons for not following a card."""
    topics = {rule.id: TEXTS[rule.id].title for rule in rules}
    return [
        _code_system("rules", "Rules of Dystonia CDS", topics, release),
        _code_system("override-reasons", "Reasons for not following a card", OVERRIDE_REASONS, release),
    ]


def _code_system(key: str, title: str, codes: Mapping[str, str], release: Release) -> Json:
    name = "".join(part.capitalize() for part in key.split("-"))
    return {
        **head("CodeSystem", key, release, release.version, name=name, title=title),
        "description": f"{title}, as cards name them.",
        "purpose": _PURPOSE,
        "copyright": COPYRIGHT,
        "caseSensitive": True,
        "content": "complete",
        "count": len(codes),
        "concept": [{"code": code, "display": display} for code, display in codes.items()],
    }


def _guide(release: Release, keys: Sequence[str], titles: Mapping[str, str]) -> Json:
    """The guide that lists every artefact."""
    listed = [
        {"reference": {"reference": key}, "exampleBoolean": False, **({"name": titles[key]} if key in titles else {})}
        for key in sorted(keys)
    ]
    return {
        **head("ImplementationGuide", GUIDE, release, release.version, name="DystoniaCDS", title="Dystonia CDS"),
        "description": " ".join(INTRO[:1]),
        "copyright": COPYRIGHT,
        "packageId": GUIDE,
        "license": "Apache-2.0",
        "fhirVersion": _FHIR,
        "definition": {"resource": listed},
    }
