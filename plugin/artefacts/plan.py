"""One rule as a PlanDefinition: an event-condition-action rule with its figures, options and sources."""

from __future__ import annotations

from html import escape

import msgspec

from plugin.artefacts.common import (
    COPYRIGHT,
    GUIDE,
    JURISDICTIONS,
    USAGE,
    Json,
    Release,
    bullets,
    concept,
    head,
    paragraphs,
)
from plugin.artefacts.needs import requirements
from plugin.artefacts.profile import THRESHOLD
from plugin.evidence import BIBLIOGRAPHY, Source
from plugin.fingerprint import code_of
from plugin.guideline_text import TEXTS, RuleText
from plugin.needs import complete
from plugin.rule import Rule
from plugin.thresholds import TABLE

_PLAN_TYPE = "http://terminology.hl7.org/CodeSystem/plan-definition-type"
_QUALITY = "http://hl7.org/fhir/StructureDefinition/cqf-qualityOfEvidence"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def plan_definition(rule: Rule, release: Release) -> Json:
    """The PlanDefinition of a rule; it is a draft until somebody of the site signed the rule off."""
    text = TEXTS[rule.id]
    sources = [BIBLIOGRAPHY[key] for key in text.sources]
    found = head("PlanDefinition", rule.id, release, rule.version, name=rule.id.replace("-", "_"), title=text.title)
    found["text"] = _narrative(rule, text, release)
    found["identifier"] = [{"system": release.url("CodeSystem", "rules"), "value": rule.id}]
    found["extension"] = [_figure(name, release) for name in rule.thresholds]
    found["type"] = concept(_PLAN_TYPE, "eca-rule", "ECA Rule")
    found["status"] = "active" if release.standings[rule.id].signed else "draft"
    found["description"] = _description(rule, text, release)
    found["purpose"] = text.question
    found["usage"] = paragraphs(USAGE, bullets("When data are missing", text.missing_data))
    found["copyright"] = COPYRIGHT
    found |= _jurisdiction(rule, release) | _dates(rule, sources, release)
    found["topic"] = [{"text": text.group}]
    found["relatedArtifact"] = _related(rule, sources, release)
    found["library"] = [release.url("Library", GUIDE, release.version)]
    found["action"] = [_action(rule, text, release)]
    return {name: value for name, value in found.items() if value != []}


def _dates(rule: Rule, sources: list[Source], release: Release) -> Json:
    """Approval is that of the site's clinicians: while there is none, the element says that it is absent."""
    since = release.standings[rule.id].since
    absent = {"extension": [{"url": _ABSENT, "valueCode": "not-performed"}]}
    found: Json = {"approvalDate": since} if since else {"_approvalDate": absent}
    if sources:
        found["lastReviewDate"] = max(one.date_read for one in sources)
        found["effectivePeriod"] = {"end": min(one.review_by for one in sources)}
    return found


def _jurisdiction(rule: Rule, release: Release) -> Json:
    """Told where the code of the rule asks whose labels apply."""
    if not any(".jurisdiction" in source for source in code_of(rule.evaluate.__module__)):
        return {}
    return {"jurisdiction": [{"coding": [JURISDICTIONS[release.policy.jurisdiction]]}]}


def _value(name: str, release: Release) -> str:
    return f"{getattr(release.limits, name):f}"


def _figures(rule: Rule, release: Release) -> list[str]:
    return [
        f"{name.replace('_', ' ')}: {_value(name, release)} {TABLE[name].unit} ({TABLE[name].source})"
        for name in rule.thresholds
    ]


def _figure(name: str, release: Release) -> Json:
    """A figure in force with its bounds, exact, as an extension."""
    entry = TABLE[name]
    amounts = (("value", _value(name, release)), ("lowest", f"{entry.lowest:f}"), ("highest", f"{entry.highest:f}"))
    told: list[Json] = [{"url": "name", "valueCode": name.replace("_", "-")}]
    told += [
        {"url": part, "valueQuantity": {"value": msgspec.Raw(amount.encode()), "unit": entry.unit}}
        for part, amount in amounts
    ]
    told.append({"url": "source", "valueString": entry.source})
    return {"url": release.url("StructureDefinition", THRESHOLD), "extension": told}


def _description(rule: Rule, text: RuleText, release: Release) -> str:
    return paragraphs(
        text.question,
        bullets("What it looks for", text.looks_for),
        bullets("Levels", [f"{level}: {when}" for level, when in text.levels]),
        bullets("Figures in force", _figures(rule, release)),
        bullets("When it is silenced or lowered", [f"{code}: {effect}" for code, effect in text.suppressions]),
        bullets("Not covered", text.not_covered),
    )


def _narrative(rule: Rule, text: RuleText, release: Release) -> Json:
    figures = "".join(f"<li>{escape(line)}</li>" for line in _figures(rule, release))
    told = f"<p>{escape(rule.id)} {escape(text.title)}</p><p>{escape(text.question)}</p>"
    listed = f"<ul>{figures}</ul>" if figures else ""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{told}{listed}</div>'}


def _related(rule: Rule, sources: list[Source], release: Release) -> list[Json]:
    page = f"{release.public_url}/guideline/{rule.id}"
    found: list[Json] = [{"type": "documentation", "label": "Guideline page", "url": page}]
    for one in sources:
        cited = {"type": "citation", "label": one.label, "citation": f"{one.label}: {one.strength} [{one.mark}]"}
        found.append({**cited, "display": one.supports, **({"url": one.url} if one.url else {})})
    library = {"type": "depends-on", "resource": release.url("Library", GUIDE, release.version)}
    return [*found, library]


def _action(rule: Rule, text: RuleText, release: Release) -> Json:
    """The rule itself: its events, what must hold, what it reads, and its options as actions to choose from."""
    options = [{"title": option} for option in text.options]
    found: Json = {
        "extension": [{"url": _QUALITY, "valueCodeableConcept": {"text": text.strength}}],
        "title": text.title,
        "description": text.question,
        "textEquivalent": paragraphs(*(f"{level}: {when}" for level, when in text.levels)),
        "documentation": [{"type": "documentation", "url": f"{release.public_url}/guideline/{rule.id}"}],
        "trigger": [{"type": "named-event", "name": hook} for hook in rule.hooks],
        "condition": [_condition(rule, text, release)],
        "input": requirements(complete(set(rule.needs)), release),
    }
    if options:
        choice = {"groupingBehavior": "visual-group", "selectionBehavior": "at-most-one"}
        found |= {**choice, "action": options}
    return found


def _condition(rule: Rule, text: RuleText, release: Release) -> Json:
    """In words, and by the name under which the Library holds the logic."""
    expression = {
        "description": " ".join(text.looks_for),
        "name": rule.id,
        "language": "text/x-python",
        "reference": release.url("Library", GUIDE, release.version),
    }
    return {"kind": "applicability", "expression": expression}
