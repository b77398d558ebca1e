"""Content hashes: of one rule as a clinician signs it off, and of all that decides an answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from plugin.evidence import BIBLIOGRAPHY
from plugin.guideline_text import TEXTS
from plugin.pages.basis import basis_of
from plugin.rule import Policy, Rule
from plugin.thresholds import TABLE, Limits

# Our imports are written in one form, which ruff keeps; a syntax tree of every module would cost a fifth of the start.
_IMPORT = re.compile(r"^\s*from (plugin[\w.]*) import (\([^)]*\)|.+)$", re.MULTILINE)
_NAME = re.compile(r"\w+")

# Modules that carry facts and figures between rules and decide nothing of one; a rule's own figures count by name.
_NO_JUDGEMENT = frozenset({"plugin.patient", "plugin.rule", "plugin.thresholds", "plugin.vocabulary", "plugin.rules"})


def fingerprint(rule: Rule, limits: Limits, policy: Policy) -> str:
    """The hash (64 hex digits) of one rule as it is in force here: what a clinician signs off.

    It changes with the rule's version, hooks and level, its figures in force, the jurisdiction, its wording and
    sources, and the code of its module and of the modules of judgement that this one uses; comments and blank lines
    aside. Codes of the terminology do not count: a newly mapped product is the same rule.
    """
    text, basis = TEXTS[rule.id], basis_of(rule, limits)
    told = {
        "rule": [rule.id, rule.version, rule.hooks, rule.needs, rule.ceiling, rule.rank, rule.about_data],
        "figures": {name: [str(getattr(limits, name)), TABLE[name].unit] for name in rule.thresholds},
        "jurisdiction": policy.jurisdiction,
        "words": asdict(text),
        "basis": [basis.intended_use, basis.population, basis.interaction, basis.reference],
        "sources": [_cited(key) for key in text.sources],
        "code": code_of(rule.evaluate.__module__),
    }
    return hashed(told)


def hashed(told: Any) -> str:
    """The SHA-256 of a value, the same whatever the order of keys."""
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def content_hash(fingerprints: Sequence[str], limits: Limits, told: dict[str, Any]) -> str:
    """One hash over the rules' fingerprints, the figures and what else is told: what decides an answer."""
    return hashed(told | {"rules": fingerprints, "limits": limits.as_dict()})


def _cited(key: str) -> list[str]:
    """A source without the days on which it was and will be read: reading it again changes nothing in a rule."""
    source = BIBLIOGRAPHY[key]
    return [source.key, source.label, source.url, source.strength, source.supports, source.mark]


@cache
def code_of(module: str) -> tuple[str, ...]:
    """The code of a module and of the modules of judgement that it uses, directly or through them."""
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = _source(name)
            waiting += [used for used in _uses(name) if used not in _NO_JUDGEMENT]
    return tuple(text for _, text in sorted(seen.items()))


@cache
def _source(module: str) -> str:
    """The lines of a module that are not comments, nor blank."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    lines = Path(spec.origin).read_text("utf-8").splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


@cache
def _uses(module: str) -> tuple[str, ...]:
    """The modules of the plugin that a module imports."""
    found: list[str] = []
    for package, names in _IMPORT.findall(_source(module)):
        inner = [full for name in _NAME.findall(names) if _is_module(package, full := f"{package}.{name}")]
        found += inner or [package]
    return tuple(found)


@cache
def _is_module(package: str, name: str) -> bool:
    spec = find_spec(package)
    return bool(spec and spec.submodule_search_locations) and find_spec(name) is not None
