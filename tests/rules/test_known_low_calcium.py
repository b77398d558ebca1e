"""S-15: a low calcium that is known, stable, treated and followed up lowers R-MET-01 from warning to info."""

from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.service import Site
from plugin.services import PLUGIN
from tests.support.fhir import bundle, call, lab, order, prefetch, referral, statement, taking
from tests.support.fire import Fired, fire, sign
from tests.support.rows import WOMAN_60, outcome, row

Json = dict[str, Any]
RULE = "R-MET-01"
REPLACED = taking("calcium carbonate")
FOLLOWED = referral("Endocrinology follow-up", "100d")


def ca(value: Any = 0.85, when: str = "3h", **more: Any) -> Json:
    """An ionised calcium, severely low."""
    return lab("ionised", value, "mmol/L", when, id=more.pop("id", f"ca-{when}"), **more)


STABLE = (ca(), ca(0.86, "20d"), ca(0.84, "60d"))
# Of these drugs severe calcium is a warning; of haloperidol it is critical.
DRUG = order("risperidone")


def known(*data: Json, drug: Json = DRUG, **more: Any) -> Fired:
    """The answer for somebody on calcium with follow-up."""
    return sign(drug, WOMAN_60, *data, **more)


def verdict(*data: Json, **more: Any) -> str:
    """The verdict of R-MET-01."""
    return known(*data, **more).verdict(RULE)


RESULTS = [
    row("three of the same grade within 5 %", STABLE, "info"),
    row("two", STABLE[:2], "warning"),
    row("one", STABLE[:1], "warning"),
    row("5 % lower: 0.80 beside 0.84 is 4.8 %", (ca(0.84), ca(0.80, "20d"), ca(0.84, "60d")), "info"),
    row("5.1 %", (ca(0.80), ca(0.841, "20d"), ca(0.76, "60d")), "warning"),
    row("7 % lower", (ca(0.85), ca(0.79, "20d"), ca(0.84, "60d")), "warning"),
    row("exactly 5 %", (ca(0.80), ca(0.84, "20d"), ca(0.76, "60d")), "info"),
    row("another grade within 5 %", (ca(0.88), ca(0.91, "20d"), ca(0.88, "60d")), "warning"),
    row("the third 90 days ago", (ca(), ca(0.86, "20d"), ca(0.84, "90d")), "info"),
    row("the third 91 days ago", (ca(), ca(0.86, "20d"), ca(0.84, "91d")), "warning"),
    row("a fourth that differs, 80 days ago", (*STABLE, ca(1.2, "80d")), "warning"),
    row("a fourth that differs, 100 days ago", (*STABLE, ca(1.2, "100d")), "info"),
    row("the third not final", (*STABLE[:2], ca(0.84, "60d", status="preliminary")), "warning"),
    row("the third without unit", (*STABLE[:2], lab("ionised", 0.84, None, "60d", id="x")), "warning"),
    row("the same result sent twice", (*STABLE[:2], STABLE[1]), "warning"),
    row("of another kind of calcium", (*STABLE[:2], lab("calcium-sc", 1.7, when="60d")), "warning"),
]


@pytest.mark.parametrize(("results", "expected"), RESULTS)
def test_stable(results: tuple[Json, ...], expected: str) -> None:
    assert verdict(*results, REPLACED, FOLLOWED) == expected


TREATED = [
    row("calcium", [REPLACED], "info"),
    row("calcitriol", [taking("calcitriol 0.25 mcg capsule")], "info"),
    row("calcium without an order", [statement("calcium carbonate")], "info"),
    row("calcium stopped", [taking("calcium carbonate", status="stopped")], "warning"),
    row("nothing", [], "warning"),
]


@pytest.mark.parametrize(("drugs", "expected"), TREATED)
def test_on_replacement(drugs: list[Json], expected: str) -> None:
    assert verdict(*STABLE, FOLLOWED, *drugs) == expected


FOLLOW_UP = [
    row("365 days ago", [referral("Endocrinology follow-up", "365d")], "info"),
    row("366 days ago", [referral("Endocrinology follow-up", "366d")], "warning"),
    row("completed", [referral("Endocrine consult", status="completed")], "info"),
    row("revoked", [referral("Endocrine consult", status="revoked")], "warning"),
    row("a draft", [referral("Endocrine consult", status="draft")], "warning"),
    row("a proposal", [referral("Endocrine consult", intent="proposal")], "warning"),
    row("undated", [referral("Endocrine consult", None)], "warning"),
    row("to another specialist", [referral("Cardiology")], "warning"),
    row("none", [], "warning"),
]


@pytest.mark.parametrize(("referrals", "expected"), FOLLOW_UP)
def test_followed_up(referrals: list[Json], expected: str) -> None:
    assert verdict(*STABLE, REPLACED, *referrals) == expected


def test_critical_stays() -> None:
    assert verdict(*STABLE, REPLACED, FOLLOWED, drug=order("haloperidol")) == "critical"


def test_a_calcium_ordered_beside_the_drug_is_no_replacement_yet() -> None:
    cart = order("calcium carbonate", 500, 2, id="draft-2")
    assert verdict(*STABLE, FOLLOWED, also=(cart,)) == "warning"


def test_referrals_that_did_not_arrive_leave_the_warning() -> None:
    assert verdict(*STABLE, REPLACED, without=("serviceRequests",)) == "warning"
    answer = known(*STABLE, REPLACED, serviceRequests=outcome())
    assert answer.verdict(RULE) == "warning"
    cut = {**bundle(FOLLOWED), "link": [{"relation": "next", "url": "https://ehr.example/2"}]}
    assert verdict(*STABLE, REPLACED, serviceRequests=cut) == "info"


def test_failed_referrals_are_no_card_of_their_own() -> None:
    normal = lab("ionised", 1.2)
    answer = sign(order("haloperidol"), WOMAN_60, normal, lab("magnesium", 0.9), serviceRequests=outcome())
    assert answer.cards == []


def test_the_card_says_why_it_is_information() -> None:
    card = known(*STABLE, REPLACED, FOLLOWED).card
    texts = [fact["text"] for fact in card["extension"]["org.dystonia-cds"]["facts"]]
    assert "3 results of the same grade in 90 days" in texts
    assert "On replacement: calcium carbonate" in texts
    assert "Endocrine follow-up: Endocrinology follow-up, 2026-08-14" in texts
    assert "shown as information (S-15)" in card["detail"]


def test_a_site_may_switch_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = PLUGIN(Site(suppressions_off=("S-15",)))
    monkeypatch.setattr("tests.support.fire.plugin", lambda jurisdiction="us": loaded)
    body = call([DRUG], prefetch(WOMAN_60, *STABLE, REPLACED, FOLLOWED), "order-sign")
    assert fire(body).verdict(RULE) == "warning"
