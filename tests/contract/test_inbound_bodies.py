"""What a body may hold: JSON that is JSON, and no more of it than there can be use for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_hooks import bounds
from cds_hooks.errors import BadCall, TooMuch
from tests.contract.conftest import Running, bundle, call, facts, patient, reason, thing
from tests.unit.json_corpus import EITHER, INVALID, VALID

VIEW, SIGN = "patient-view", "order-sign"


def holding(value: str, where: str) -> bytes:
    """A call with ``value``, JSON or not, in one of its places."""
    body = call(SIGN, {"patient": patient(), "things": thing("t", value="@")} if where == "resource" else None)
    if where == "context":
        body["context"]["note"] = "@"
    elif where != "resource":
        body[where] = {"note": "@"} if where == "extension" else "@"
    return json.dumps(body).replace('"@"', value).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("where", ["unknown", "context", "extension", "resource"])
def test_every_sound_value_is_read_wherever_it_stands(service: Running, where: str) -> None:
    for name, value in VALID.items():
        assert service.call(holding(value, where), SIGN).status_code == 200, name


@pytest.mark.parametrize("where", ["unknown", "context", "extension", "resource"])
def test_what_is_no_json_gets_400_wherever_it_stands(service: Running, where: str) -> None:
    for name, value in INVALID.items():
        answer = service.call(holding(value, where), SIGN)
        assert answer.status_code == 400, name
        assert "not JSON" in reason(answer) or "not UTF-8" in reason(answer), name


@pytest.mark.parametrize("where", ["unknown", "context", "extension", "resource"])
def test_what_readers_of_json_disagree_on_never_breaks_the_service(service: Running, where: str) -> None:
    for name, value in EITHER.items():
        assert service.call(holding(value, where), SIGN).status_code in (200, 400), name


NUMBERS = [
    ("9007199254740993", 400),
    ("-9007199254740993", 400),
    ("1e999", 400),
    ("9007199254740992", 200),
    ("1.5", 200),
]


@pytest.mark.parametrize("where", ["context", "extension"])
@pytest.mark.parametrize(("number", "status"), NUMBERS)
def test_numbers_of_the_envelope_are_those_that_every_reader_sees_alike(
    service: Running, number: str, status: int, where: str
) -> None:
    answer = service.call(holding(number, where), SIGN)
    assert answer.status_code == status
    assert status == 200 or "a number is out of range" in reason(answer)
    assert service.call(holding(f'"{number}"', where), SIGN).status_code == 200


def test_a_number_in_a_resource_costs_that_resource_alone(service: Running) -> None:
    body = json.dumps(call(SIGN, {"patient": patient(), "things": bundle(thing("a"), thing("b", value="@"))}))
    answer = service.call(body.replace('"@"', "1E+99999999999999999999").encode(), SIGN)
    assert facts(answer)["things"] == "satisfied [a] foreign=0 unreadable=Observation/b"


DEPTHS = [
    ("[", "]"),
    ('{"a":', "}"),
    ('{"a":[', "]}"),
    ('{"contained":[', "]}"),
    (' [\n"]", ', "]"),
    ('["\\"[[", ', "]"),
]


@pytest.mark.parametrize(("opening", "closing"), DEPTHS)
@pytest.mark.parametrize("where", ["unknown", "context", "extension", "resource"])
def test_sixty_four_levels_and_no_more(service: Running, opening: str, closing: str, where: str) -> None:
    levels = sum(opening.replace('"]"', "").replace('"\\"[["', "").count(mark) for mark in "[{")
    used = {"unknown": 1, "context": 2, "extension": 2, "resource": 3}[where]
    most = (64 - used) // levels
    assert service.call(holding(opening * most + "1" + closing * most, where), SIGN).status_code == 200
    answer = service.call(holding(opening * (most + 1) + "1" + closing * (most + 1), where), SIGN)
    assert (answer.status_code, "nested too deeply" in reason(answer)) == (400, True)


def test_a_text_full_of_brackets_is_no_depth() -> None:
    bounds.check_bytes(json.dumps({"a": "[" * 500, "b": ['\\"[{'] * 50, "c": "{" * 500}).encode())


def test_a_long_string_is_refused_and_a_shorter_is_not() -> None:
    for text in (
        "x" * bounds.LONGEST_STRING,
        '\\"' * (bounds.LONGEST_STRING // 2),
        "\\\\" * (bounds.LONGEST_STRING // 2),
    ):
        bounds.check_bytes(b'{"a":"%s","b":1}' % text.encode())
        with pytest.raises(TooMuch, match="a string of more than"):
            bounds.check_bytes(b'{"a":"%s.","b":1}' % text.encode())


def test_more_objects_than_there_can_be_use_for_are_refused() -> None:
    with pytest.raises(TooMuch, match="objects and arrays"):
        bounds.check_bytes(b"[" + b"{}," * 300_000 + b"{}]")


def test_a_body_without_end_is_seen_to_be_deep() -> None:
    with pytest.raises(BadCall, match="nested too deeply"):
        bounds.check_bytes(b'{"a":' * 65)


def test_too_many_drafts_are_refused_and_said_to_be(service: Running) -> None:
    drafts = [thing(f"d{number}", kind="MedicationRequest") for number in range(bounds.MOST_DRAFTS + 1)]
    assert service.call(call(SIGN, context={"draftOrders": bundle(*drafts[1:])})).status_code == 200
    answer = service.call(call(SIGN, context={"draftOrders": bundle(*drafts)}))
    assert answer.status_code == 413
    assert reason(answer).startswith("context.draftOrders: expected at most 250 entries")
    assert service.audited(answer).row.outcome == "refused"


def test_too_much_data_is_cut_short_and_said_to_be(service: Running) -> None:
    """An answer that says "truncated" is safer than a refusal, which nobody at the bedside sees."""
    many = [thing(f"o{number}") for number in range(bounds.MOST_ENTRIES)]
    told = facts(service.call(call(SIGN, {"things": bundle(*many), "few": bundle(thing("a")), "patient": patient()})))
    assert told["few"].startswith("satisfied [a] ")
    assert told["things"].startswith("failed truncated [o0,o1,")
    assert f"o{bounds.MOST_ENTRIES - 2}]" in told["things"]
    assert facts(service.call(call(SIGN, {"things": bundle(*many)})))["things"].startswith("satisfied [o0,")


@pytest.mark.parametrize(
    "value", [b'\xef\xbb\xbf{"hook":"patient-view"}', b'{"hook":"\\ud83d"}', b'{"hook":"\xed\xa0\xbd"}']
)
def test_marks_and_halves_of_characters_get_400(service: Running, value: Any) -> None:
    assert service.call(value, VIEW).status_code == 400
