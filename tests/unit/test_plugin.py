"""What the plugin hands to the host: services, pages, and all that the try-it page offers, field by field."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from cds_hooks.content import Citation
from cds_hooks.service import Plugin, Site
from plugin import samples
from plugin.evidence import BIBLIOGRAPHY
from plugin.fingerprint import hashed
from plugin.guideline_text import DISCLAIMER, INTRO, OVERRIDE_REASONS, SILENCES, TEXTS
from plugin.hooks import HOOKS
from plugin.needs import TYPES, keys_of, template
from plugin.rule import Rule
from plugin.rules import RULES
from plugin.services import PLUGIN, VERSION
from plugin.thresholds import TABLE, Limits
from tests.support.fhir import NOW
from tests.support.fire import plugin

ORDER_HOOKS = {"order-select": "draftOrders", "order-sign": "draftOrders", "medication-refill": "medications"}
ABOUT = ORDER_HOOKS | {"problem-list-item-create": "conditions"}


@pytest.fixture(scope="module")
def loaded() -> Plugin:
    return plugin()


def test_name_and_version(loaded: Plugin) -> None:
    assert (loaded.name, loaded.version) == ("Dystonia CDS", VERSION)
    version, _, content = loaded.ruleset.partition("+")
    assert (version, len(content)) == (VERSION, 12)
    assert int(content, 16) > 0


def test_the_rule_set_changes_with_what_the_site_chose(loaded: Plugin) -> None:
    chosen: list[dict[str, Any]] = [
        {"jurisdiction": "eu"},
        {"suppressions_off": ("S-02",)},
        {"prophylaxis_order_sets": ("https://ehr.example/set",)},
        {"expected_keys": ("patient",)},
        {"silent": True},
        {"silent_rules": ("R-DRUG-01",)},
        {"thresholds": {"elderly_from": 66}},
    ]
    found = [PLUGIN(Site(**one)).ruleset for one in chosen]
    assert len({loaded.ruleset, *found}) == len(found) + 1


@pytest.mark.parametrize("hook", HOOKS)
def test_a_service_asks_for_what_its_rules_read(loaded: Plugin, hook: str) -> None:
    (service,) = (one for one in loaded.services if one.hook == hook)
    keys = keys_of(hook)
    assert service.id == f"dystonia-{hook}"
    assert service.prefetch == {key: template(key) for key in keys}
    assert service.resource_types == {key: TYPES[key] for key in keys}
    assert service.context_bundles == ((ABOUT[hook],) if hook in ABOUT else ())
    assert ("the answer is 412" in service.usage_requirements) is (hook not in ORDER_HOOKS)
    assert service.usage_requirements.endswith(" R4 resources.")
    assert service.title.startswith(("Dystonia risk: ", "Dystonia and calcium: ", "New dystonia: "))
    assert service.description.startswith("Judges ")


def test_the_try_it_page_offers_every_patient_order_and_problem(loaded: Plugin) -> None:
    assert [(one.id, one.name, one.resource, one.fields) for one in loaded.orders] == [
        (one.id, one.name, one.resource, one.fields) for one in samples.ORDERS
    ]
    assert [(one.id, one.name, one.resource) for one in loaded.conditions] == [
        (one.id, one.name, one.resource) for one in samples.CONDITIONS
    ]
    fields = ("id", "name", "story", "shows", "hook", "orders", "refills", "conditions")
    assert [[getattr(one, name) for name in fields] for one in loaded.samples] == [
        [getattr(one, name) for name in fields] for one in samples.PATIENTS
    ]
    assert [one.build(NOW) for one in loaded.samples] == [one.build(NOW) for one in samples.PATIENTS]


def test_what_stands_on_every_page(loaded: Plugin) -> None:
    assert (loaded.intro, loaded.disclaimer) == (tuple(INTRO), tuple(DISCLAIMER))
    assert loaded.suppressions == SILENCES
    assert {one.code: one.display for one in loaded.override_reasons} == OVERRIDE_REASONS
    assert loaded.codes["rules"] == len(RULES) == len(loaded.guideline)
    assert loaded.questions
    assert len({page.id for page in loaded.pages}) == len(loaded.pages) > 0
    assert loaded.terminology is not None
    assert loaded.terminology.explain("rxnorm|5093").resolved


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_tells_the_rule_its_figures_and_its_sources(loaded: Plugin, rule: Rule) -> None:
    (page,) = (one for one in loaded.guideline if one.id == rule.id)
    text, limits = TEXTS[rule.id], Limits()
    assert (page.version, page.hooks, page.indicator) == (rule.version, rule.hooks, rule.ceiling.word)
    assert page.summary_example == text.summary_example
    for name in ("title", "group", "question", "looks_for", "levels", "missing_data", "suppressions", "options"):
        assert getattr(page, name) == getattr(text, name), name
    assert (page.strength, page.not_covered) == (text.strength, text.not_covered)
    assert page.override_reasons == tuple(OVERRIDE_REASONS[code] for code in text.overrides)
    assert page.seed == tuple(statement.text for statement in text.seed)
    assert page.thresholds == tuple(
        (name.replace("_", " "), f"{getattr(limits, name):f}", TABLE[name].unit, TABLE[name].source)
        for name in rule.thresholds
    )
    assert page.bounds == tuple(
        tuple(f"{figure:f}" for figure in (TABLE[name].value, TABLE[name].lowest, TABLE[name].highest))
        for name in rule.thresholds
    )
    sources = [BIBLIOGRAPHY[key] for key in text.sources]
    assert [asdict(one) for one in page.evidence] == [
        {name: getattr(source, name) for name in Citation.__slots__} for source in sources
    ]
    assert page.reviewed == max((source.date_read for source in sources), default="")
    assert page.review_by == min((source.review_by for source in sources), default="")
    assert (len(page.fingerprint) >= 12, page.signoff.signed) == (True, False)


def test_a_hash_is_the_same_whatever_the_order_of_keys() -> None:
    assert hashed({"a": {"c": 1, "d": 2}, "b": 3}) == hashed({"b": 3, "a": {"d": 2, "c": 1}})
    assert hashed({"a": 1}) != hashed({"a": 2})
