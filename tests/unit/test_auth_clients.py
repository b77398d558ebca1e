"""The registered EHRs: each found by what its tokens say, none twice, nothing misspelt."""

from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.clients import ANONYMOUS, Client, Registry
from cds_hooks.errors import SettingsTrouble
from cds_hooks.settings import Settings

ONE = {"name": "one", "issuer": "https://one.example"}
WARD = {"name": "ward", "issuer": "https://one.example", "tenant": "ward"}

TWICE: list[tuple[list[dict[str, Any]], str]] = [
    ([ONE, ONE | {"issuer": "https://two.example"}], r"the same name \(one\)"),
    ([ONE, ONE | {"name": "two"}], r"the same issuer and tenant \(https://one\.example\)"),
    ([WARD, WARD | {"name": "two"}], r"the same issuer and tenant \(https://one\.example ward\)"),
    ([{"name": ANONYMOUS}], r"the same name \(anonymous\)"),
]


@pytest.mark.parametrize(("clients", "sentence"), TWICE)
def test_no_two_clients_are_taken_for_each_other(clients: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(SettingsTrouble, match=sentence):
        Registry.of(Settings(clients=clients))


def test_a_token_finds_its_client() -> None:
    registry = Registry.of(Settings(clients=[ONE, WARD, {"name": "fetch-only"}]))
    found = {
        (issuer, tenant): client.name if (client := registry.of_token(issuer, tenant)) else None
        for issuer in ("https://one.example", "https://two.example", "")
        for tenant in ("", "ward", "WARD")
    }
    assert {pair: name for pair, name in found.items() if name} == {
        ("https://one.example", ""): "one",
        ("https://one.example", "ward"): "ward",
    }
    assert registry.issuers() == {"https://one.example"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "With Space"},
        {"name": "x" * 65},
        {"name": "../x"},
        {"issuers": "https://one.example"},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": ["ES512"]},
        {"dialect": "other"},
    ],
)
def test_what_is_misspelt_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Client(**(ONE | wrong))


def test_whoever_calls_without_a_token_may_use_the_bases_of_all() -> None:
    bases = ["https://a.example/fhir", "https://b.example/fhir"]
    clients = [ONE | {"fhir_servers": bases[:1]}, WARD | {"fhir_servers": bases}]
    registry = Registry.of(Settings(clients=clients, fhir_servers=["https://c.example/fhir"]))
    assert registry.anonymous.fhir_servers == ("https://c.example/fhir", *bases)
    assert registry.anonymous.name == ANONYMOUS
