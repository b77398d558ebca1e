"""Which spellings of an address mean a registered base, and which links lead below it."""

from __future__ import annotations

import pytest

from cds_hooks.fhir_access.bases import Bases, target_below

BASE = "https://ehr.example/fhir/R4"
OTHER = "http://127.0.0.1:8080/fhir"
BASES = Bases((BASE, OTHER, "https://[2001:db8::1]/fhir"))

SAME = [
    ("https://ehr.example/fhir/R4", BASE),
    ("https://ehr.example/fhir/R4/", BASE),
    ("HTTPS://ehr.example/fhir/R4", BASE),
    ("https://EHR.Example/fhir/R4", BASE),
    ("https://ehr.example:443/fhir/R4", BASE),
    ("HTTPS://EHR.EXAMPLE:443/fhir/R4/", BASE),
    ("http://127.0.0.1:8080/fhir/", OTHER),
    ("https://[2001:DB8::1]:443/fhir", "https://[2001:db8::1]/fhir"),
]

DIFFERENT = [
    "",
    " ",
    "ehr.example/fhir/R4",
    "//ehr.example/fhir/R4",
    "http://ehr.example/fhir/R4",
    "ftp://ehr.example/fhir/R4",
    "javascript://ehr.example/fhir/R4",
    "https:/ehr.example/fhir/R4",
    "https:ehr.example/fhir/R4",
    "https:///ehr.example/fhir/R4",
    "https:\\\\ehr.example\\fhir\\R4",
    "https://ehr.example\\@evil.example/fhir/R4",
    "https://user@ehr.example/fhir/R4",
    "https://user:pass@ehr.example/fhir/R4",
    "https://@ehr.example/fhir/R4",
    "https://ehr.example@evil.example/fhir/R4",
    "https://ehr.example%40evil.example/fhir/R4",
    "https://ehr.example#@evil.example/fhir/R4",
    "https://ehr.example?@evil.example/fhir/R4",
    "https://ehr.example.evil.example/fhir/R4",
    "https://evil.example/https://ehr.example/fhir/R4",
    "https://ehr.example./fhir/R4",
    "https://.ehr.example/fhir/R4",
    "https://ehr..example/fhir/R4",
    "https://ehr。example/fhir/R4",
    "https://ehr．example/fhir/R4",
    "https://ｅｈｒ.example/fhir/R4",
    "https://ehr.examplе/fhir/R4",
    "https://ehr.exam\u00adple/fhir/R4",
    "https://ehr.example\u200b/fhir/R4",
    "https://ehr.example:80/fhir/R4",
    "https://ehr.example:8443/fhir/R4",
    "https://ehr.example:0443/fhir/R4",
    "https://ehr.example:00443/fhir/R4",
    "https://ehr.example:+443/fhir/R4",
    "https://ehr.example:/fhir/R4",
    "https://ehr.example:443:443/fhir/R4",
    "https://ehr.example:４４３/fhir/R4",
    "https://ehr.example:65979/fhir/R4",
    "https://ehr.example/FHIR/R4",
    "https://ehr.example/fhir/r4",
    "https://ehr.example/fhir",
    "https://ehr.example/fhir/R4/Patient",
    "https://ehr.example//fhir/R4",
    "https://ehr.example/fhir//R4",
    "https://ehr.example/fhir/R4//",
    "https://ehr.example/fhir/./R4",
    "https://ehr.example/fhir/../fhir/R4",
    "https://ehr.example/x/../fhir/R4",
    "https://ehr.example/fhir%2fR4",
    "https://ehr.example/fhir%2FR4",
    "https://ehr.example/%66hir/R4",
    "https://ehr.example/fhir/R4%00",
    "https://ehr.example/fhir/R4?",
    "https://ehr.example/fhir/R4?x=1",
    "https://ehr.example/fhir/R4#",
    "https://ehr.example/fhir/R4;x",
    " https://ehr.example/fhir/R4",
    "https://ehr.example/fhir/R4 ",
    "https://ehr.example/fhir/R4\n",
    "https://ehr.example/fhir/R4\r\nHost: evil.example",
    "ht\ttps://ehr.example/fhir/R4",
    "https://ehr.exam\tple/fhir/R4",
    "https://ehr.exam\nple/fhir/R4",
    "https://ehr.example\x00/fhir/R4",
    "http://127.1:8080/fhir",
    "http://127.0.0.01:8080/fhir",
    "http://127.000.000.001:8080/fhir",
    "http://2130706433:8080/fhir",
    "http://0x7f000001:8080/fhir",
    "http://0x7f.0.0.1:8080/fhir",
    "http://017700000001:8080/fhir",
    "http://0177.0.0.1:8080/fhir",
    "http://[::ffff:127.0.0.1]:8080/fhir",
    "http://[::ffff:7f00:1]:8080/fhir",
    "http://[::1]:8080/fhir",
    "http://[::]:8080/fhir",
    "http://0.0.0.0:8080/fhir",
    "http://0:8080/fhir",
    "http://localhost:8080/fhir",
    "http://127.0.0.1.nip.example:8080/fhir",
    "http://①②⑦.0.0.1:8080/fhir",
    "http://127。0。0。1:8080/fhir",
    "http://127.0.0.1:8080\\fhir",
    "http://127.0.0.1:08080/fhir",
    "http://127.0.0.1/fhir",
    "https://[2001:db8:0::1]/fhir",
    "https://[2001:db8::1%25eth0]/fhir",
    "https://ehr.example/fhir/R4" + "/" * 10_000,
    "https://" + "a" * 100_000 + "/fhir",
]


@pytest.mark.parametrize(("address", "base"), SAME)
def test_a_spelling_that_means_the_same_finds_the_registered_one(address: str, base: str) -> None:
    assert BASES.find(address) == base


@pytest.mark.parametrize("address", DIFFERENT, ids=range(len(DIFFERENT)))
def test_a_spelling_that_means_anything_else_finds_none(address: str) -> None:
    assert BASES.find(address) is None


def test_there_are_sixty_of_them() -> None:
    assert len(set(DIFFERENT)) == len(DIFFERENT) >= 60


BELOW: list[tuple[str, str | None]] = [
    ("https://ehr.example/fhir/R4/Observation?patient=p1&page=2", "Observation?patient=p1&page=2"),
    ("https://EHR.example:443/fhir/R4/Observation?page=2", "Observation?page=2"),
    ("https://ehr.example/fhir/R4?_getpages=ab-1&_getpagesoffset=20", "?_getpages=ab-1&_getpagesoffset=20"),
    ("https://ehr.example/fhir/R4/_search/next/abc", "_search/next/abc"),
    ("Observation?page=2", "Observation?page=2"),
    ("?page=2", "?page=2"),
    ("/fhir/R4/Observation?page=2", "Observation?page=2"),
    (
        "https://ehr.example/fhir/R4/Observation?code=http://loinc.org|1751-7",
        "Observation?code=http://loinc.org|1751-7",
    ),
    ("https://ehr.example/fhir/R4", None),
    ("https://ehr.example/fhir/R4/", None),
    ("https://ehr.example/fhir/R5/Observation?page=2", None),
    ("https://ehr.example/fhir/R4x/Observation?page=2", None),
    ("https://ehr.example/Observation?page=2", None),
    ("/Observation?page=2", None),
    ("../Observation?page=2", None),
    ("https://ehr.example/fhir/R4/../../admin?page=2", None),
    ("https://ehr.example/fhir/R4/..%2f..%2fadmin?page=2", None),
    ("https://ehr.example/fhir/R4//Observation?page=2", None),
    ("//evil.example/fhir/R4/Observation?page=2", None),
    ("http://ehr.example/fhir/R4/Observation?page=2", None),
    ("https://ehr.example:8443/fhir/R4/Observation?page=2", None),
    ("https://u@ehr.example/fhir/R4/Observation?page=2", None),
    ("https://ehr.example@evil.example/fhir/R4/Observation", None),
    ("https://evil.example/fhir/R4/Observation?page=2", None),
    ("https://ehr.example/fhir/R4/Observation?page=2#x", None),
    ("https://ehr.example/fhir/R4/Observation?page=2 x", None),
    ("https://ehr.example/fhir/R4/Observation?page=2\r\nX: y", None),
    ("https://ehr.example/fhir/R4\\Observation?page=2", None),
    ("javascript:alert(1)", None),
    ("data:application/json,{}", None),
    ("", None),
    ("Observation?" + "x" * 10_000, None),
]


@pytest.mark.parametrize(("address", "target"), BELOW, ids=[row[0][:80] or "nothing" for row in BELOW])
def test_which_links_are_followed(address: str, target: str | None) -> None:
    assert target_below(BASE, address) == target
