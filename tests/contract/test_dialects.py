"""Dialects and silent mode over HTTP, with the real plugin, a real store and real tokens."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cds_hooks.auth.maker import make_key, public_set, sign
from cds_hooks.clients import Client
from cds_hooks.errors import Trouble
from cds_hooks.models import EXTENSION, CdsResponse
from cds_hooks.plugins import load_others
from cds_hooks.service import Answer, HookCall, Site
from cds_hooks.settings import Settings
from plugin.services import PLUGIN
from tests.contract.conftest import Running, Starter
from tests.contract.conftest import call as toy_call
from tests.contract.toy import told as toy_told
from tests.contract.toy import toy
from tests.support.fhir import NOW, call, lab, order, patient, prefetch
from tests.support.rows import row

Json = dict[str, Any]
EPIC = {"com.epic.cdshooks.request.bpa-trigger-action": "21"}
FILTER = {"pddi-configuration-items": {"filter-out-repeated-alerts": True}}
KEEP = {"pddi-configuration-items": {"cache-for-order-sign-filtering": True}}
ENTRY = "urn:com.epic.cdshooks.action.code.system.preference-list-item"


def haloperidol(hook: str = "order-sign", **more: Any) -> Json:
    """A young man is to get haloperidol: a card with suggestions; his calcium is low, so that tests are offered."""
    return call([order("haloperidol", 5, 2)], prefetch(lab("calcium", 1.9)), hook) | more


def post(service: Running, body: Json, **headers: str) -> httpx.Response:
    answer = service.client.post(f"/cds-services/dystonia-{body['hook']}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    CdsResponse.model_validate(answer.json())
    return answer


def verdicts(answer: httpx.Response) -> dict[str, str]:
    """What became of every rule that fired."""
    results = answer.json()["extension"][EXTENSION]["results"]
    return {one["rule"]: one.get("suppressed", "shown") for one in results if one["status"] == "fired"}


def real(start: Starter, **settings: Any) -> Running:
    """The service with the real plugin as its settings make it."""
    return start(PLUGIN(Settings(**settings).site("http://127.0.0.1:8000")), clock=lambda: NOW, **settings)


@pytest.mark.conformance("G10", "G11", "G13", "G14", "G15", "G18", "G19", "G20", "G33", "G40", "G41", "G42", "G50")
@pytest.mark.parametrize("name", ["generic", "epic", "oracle", "athena", "sandbox"])
def test_every_dialect_over_http(start: Starter, name: str) -> None:
    """Valid cards in every dialect; what was sent is what the audit keeps."""
    service = real(start, dialect=name, preference_list={"http://loinc.org|1751-7": "4711"})
    answer = post(service, haloperidol())
    body = answer.json()
    assert (
        service.audited(answer).row.cards
        == json.dumps(body["cards"], separators=(",", ":"), ensure_ascii=False).encode()
    )
    assert body["extension"][EXTENSION]["ruleset"]
    assert body["cards"][0]["extension"][EXTENSION]["rules"][0]["id"] == "R-DRUG-01"
    plain = post(real(start), haloperidol()).json()["cards"]
    assert [one["uuid"] for one in body["cards"]] == [one["uuid"] for one in plain]
    assert [one["summary"] for one in body["cards"]] == [one["summary"] for one in plain]


def test_epic_is_known_by_its_extensions(start: Starter) -> None:
    service = real(start, preference_list={"http://loinc.org|1751-7": "4711"})
    (plain,) = post(service, haloperidol()).json()["cards"]
    (epic,) = post(service, haloperidol(extension=EPIC)).json()["cards"]
    assert plain["selectionBehavior"] == "at-most-one"
    assert plain["source"]["topic"]["code"] == "R-DRUG-01"
    assert epic["selectionBehavior"] == "any"
    assert epic["source"]["topic"]["code"] == "RDRUG01"
    codes = [
        coding["code"]
        for one in epic["suggestions"]
        for coding in one["actions"][0].get("resource", {}).get("code", {}).get("coding", ())
        if coding["system"] == ENTRY
    ]
    assert codes == ["4711"]
    assert "- Order magnesium" in epic["detail"]
    assert "**Options**" in epic["detail"]


@pytest.mark.parametrize("extension", [["com.epic.x"], "com.epic.x", {"a": EPIC}, None, {"com.epicer": 1}, 7])
def test_other_extensions_choose_nothing(start: Starter, extension: Any) -> None:
    (made,) = post(real(start), haloperidol(extension=extension)).json()["cards"]
    assert made["selectionBehavior"] == "at-most-one"


def test_the_client_options_beside_the_extension_still_count(start: Starter) -> None:
    body = haloperidol(extension=EPIC | {"pddi-configuration-items": {"show-evidence-support": False}})
    (made,) = post(real(start), body).json()["cards"]
    assert made["source"]["topic"]["code"] == "RDRUG01"
    assert "Sources:" not in made["detail"]


def test_oracle_is_brief_and_loses_no_message(start: Starter) -> None:
    (plain,) = post(real(start), haloperidol()).json()["cards"]
    (made,) = post(real(start, dialect="oracle"), haloperidol()).json()["cards"]
    assert "Sources:" in plain["detail"]
    assert "Sources:" not in made["detail"]
    assert "**" not in made["detail"]
    for suggestion in plain["suggestions"]:
        assert f"- {suggestion['label']}" in made["detail"]
    assert all("/guideline/" in link["url"] for link in made["links"])


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "patient-view", "encounter-start"])
def test_a_hook_that_a_dialect_does_not_have_is_answered_all_the_same(start: Starter, hook: str) -> None:
    drafts = [order("haloperidol", 5, 2)] if hook.startswith("order") else None
    body = call(drafts, prefetch(lab("calcium", 1.5)), hook)
    assert post(real(start, dialect="oracle"), body).json()["cards"]


# ----------------------------------------------------------------------------------------------------- silent mode


def test_silent_mode_evaluates_and_audits_and_shows_nothing(start: Starter) -> None:
    shown = verdicts(post(real(start), haloperidol()))
    assert "shown" in shown.values()
    service = real(start, silent=True)
    answer = post(service, haloperidol())
    assert answer.json()["cards"] == []
    assert verdicts(answer) == {rule: "silent-mode" if word == "shown" else word for rule, word in shown.items()}
    kept = service.audited(answer).row
    assert kept.cards == b"[]"
    found = {one.rule: (one.suppressed, one.shown, one.card) for one in kept.findings}
    assert found == dict.fromkeys(verdicts(answer), ("silent-mode", False, ""))


def test_silent_mode_tells_nothing_about_missing_data_either(start: Starter) -> None:
    body = call([order("haloperidol", 5, 2)], {"patient": patient()}, "order-sign")
    told = verdicts(post(real(start), body))
    assert any(rule.startswith("R-DQ-") for rule in told)
    answer = post(real(start, silent=True), body)
    assert answer.json()["cards"] == []
    assert set(verdicts(answer).values()) == {"silent-mode"}


def test_silent_rules_leave_the_others_alone(start: Starter) -> None:
    body = haloperidol()
    loud = verdicts(post(real(start), body))
    assert {"R-DRUG-01", "R-MET-01"} <= {rule for rule, word in loud.items() if word == "shown"}
    answer = post(real(start, silent_rules=("R-DRUG-01",)), body)
    assert verdicts(answer) == loud | {"R-DRUG-01": "silent-mode"}
    named = {one["id"] for made in answer.json()["cards"] for one in made["extension"][EXTENSION]["rules"]}
    assert "R-DRUG-01" not in named
    assert "R-MET-01" in named
    assert "R-DRUG-01" not in answer.text.replace(json.dumps(answer.json()["extension"]), "").split('"extension":')[0]


def test_a_silent_rule_that_does_not_exist_is_told() -> None:
    with pytest.raises(Trouble, match=r"DYSTONIA_CDS_SILENT_RULES: got R-DRUG-99, expected any of .*R-DRUG-01"):
        PLUGIN(Site(silent_rules=("R-DRUG-01", "R-DRUG-99")))


def test_what_was_silent_was_never_shown(start: Starter) -> None:
    """S-01 and S-17 ask what was shown: after silent mode everything is news."""
    silent = real(start, silent=True)
    body = call(None, prefetch(lab("calcium", 1.5)), "patient-view")
    assert verdicts(post(silent, body)) == dict.fromkeys(verdicts(post(silent, body)), "silent-mode")
    loud = start(PLUGIN(Site()), silent.store, lambda: NOW + timedelta(minutes=1))
    first = post(loud, body)
    assert first.json()["cards"]
    assert set(verdicts(first).values()) == {"shown"}
    again = post(loud, body)
    assert again.json()["cards"] == []
    assert "S-17" in verdicts(again).values()


def test_silent_mode_does_not_hide_what_was_answered_at_select(start: Starter) -> None:
    silent = real(start, silent=True)
    post(silent, haloperidol("order-select", extension=KEEP))
    loud = start(PLUGIN(Site()), silent.store, lambda: NOW)
    signed = post(loud, haloperidol("order-sign", extension=FILTER))
    assert "S-01" not in verdicts(signed).values()
    assert signed.json()["cards"]


def test_silent_mode_is_a_part_of_the_rule_set() -> None:
    sites = [Site(), Site(silent=True), Site(silent_rules=("R-DRUG-01",)), Site(silent_rules=("R-MET-01",))]
    assert len({PLUGIN(site).ruleset for site in sites}) == len(sites)


def test_the_host_keeps_silent_for_a_plugin_that_does_not(start: Starter) -> None:
    service = start(toy(), silent=True)
    answer = service.call(toy_call("order-sign"))
    assert answer.json()["cards"] == []
    assert verdicts(answer) == {"T-1": "silent-mode"}
    (finding,) = service.audited(answer).row.findings
    assert not finding.shown


def _breaks(call: HookCall) -> Answer:
    raise RuntimeError("broken on purpose")


def _half(call: HookCall) -> Answer:
    answer = toy_told(call)
    return Answer([{"uuid": "no card"}], answer.results)


@pytest.mark.parametrize("evaluate", [_breaks, _half])
def test_silent_mode_shows_no_card_about_an_error_either(start: Starter, evaluate: Any) -> None:
    assert len(start(toy(evaluate)).call(toy_call("order-sign")).json()["cards"]) == 1
    service = start(toy(evaluate), silent=True)
    answer = service.call(toy_call("order-sign"))
    assert answer.json()["cards"] == []
    assert service.audited(answer).row.cards == b"[]"


# ------------------------------------------------------------------------------------------------- client by client

# What a client's table says, what it is then shown at order-sign.
CLIENTS = [
    row("as the deployment", {}, ["shown"], "at-most-one"),
    row("silent", {"silent": True}, [], ""),
    row("one rule silent", {"silent_rules": ["R-DRUG-01"]}, ["silent-mode", "shown"], "at-most-one"),
    row("epic", {"dialect": "epic"}, ["shown"], "any"),
]


def token(key: Json, name: str, audience: str, now: datetime) -> str:
    moment = int(now.timestamp())
    claims = {
        "iss": f"https://{name}.example",
        "aud": audience,
        "iat": moment,
        "exp": moment + 300,
        "jti": str(uuid4()),
    }
    return sign(key, claims)


def test_each_client_has_its_own_silence_and_dialect(start: Starter, tmp_path: Path) -> None:
    key = make_key()
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(public_set([key])))
    tables = [
        Client(name=f"c{place}", issuer=f"https://c{place}.example", jwks_file=file, **one.values[0])
        for place, one in enumerate(CLIENTS)
    ]
    settings = {"auth": "required", "clients": tuple(tables), "public_url": "https://cds.example"}
    chosen = Settings(**settings)
    plugin = PLUGIN(chosen.site(""))
    others = load_others(chosen, "", plugin)
    assert set(others) == {"c1", "c2"}
    service = start(plugin, clock=lambda: NOW, others=others, **settings)
    for place, one in enumerate(CLIENTS):
        _, words, behaviour = one.values
        body = haloperidol()
        audience = "https://cds.example/cds-services/dystonia-order-sign"
        answer = post(service, body, Authorization=f"Bearer {token(key, f'c{place}', audience, NOW)}")
        assert service.audited(answer).row.client == f"c{place}"
        found = verdicts(answer)
        assert set(words) <= set(found.values()) if words else set(found.values()) == {"silent-mode"}
        assert bool(answer.json()["cards"]) == bool(words)
        assert {made.get("selectionBehavior", behaviour) for made in answer.json()["cards"]} <= {behaviour}
