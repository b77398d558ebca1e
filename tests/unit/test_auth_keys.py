"""JWK Sets: which keys are taken, which are left out and why; the file of a client; keys and tokens that we make."""

from __future__ import annotations

import json
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from cds_hooks.auth.jwks import SIZE_LIMIT, KeysTrouble, read_set
from cds_hooks.auth.maker import make_key, public_set, sign
from cds_hooks.errors import SettingsTrouble
from tests.support.tokens import BASE, PATH, Ehr, door, key

Json = dict[str, Any]
GOOD = public_set([key("good")])["keys"][0]
RSA = public_set([key("good", "RS384")])["keys"][0]


def number(value: int) -> str:
    return urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()


def rsa_key(bits: int) -> Json:
    public = rsa.generate_private_key(65537, bits).public_key()
    return {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "k"}


def curve_key(curve: ec.EllipticCurve) -> Json:
    return {**ECAlgorithm.to_jwk(ec.generate_private_key(curve).public_key(), as_dict=True), "kid": "k"}


def edwards_key() -> Json:
    return {**OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True), "kid": "k"}


# the key -> a word of the reason why it is left out
LEFT_OUT: list[tuple[str, Callable[[], Any], str]] = [
    ("RSA of 1024 bits", lambda: rsa_key(1024), "1024 bits"),
    ("RSA of 2047 bits", lambda: RSA | {"n": number((1 << 2046) + 1)}, "2047 bits"),
    ("RSA of 16384 bits", lambda: RSA | {"n": number((1 << 16383) + 1)}, "16384 bits"),
    ("RSA with exponent 3", lambda: RSA | {"e": number(3)}, "exponent"),
    ("RSA with exponent 1", lambda: RSA | {"e": number(1)}, "no key"),
    ("P-521", lambda: curve_key(ec.SECP521R1()), "curve"),
    ("secp256k1", lambda: curve_key(ec.SECP256K1()), "curve"),
    ("a curve of a wrong kind", lambda: GOOD | {"crv": ["P-384"]}, "curve"),
    ("the wrong curve", lambda: GOOD | {"crv": "P-256", "alg": "ES256"}, "no key"),
    ("a point beside the curve", lambda: GOOD | {"x": GOOD["y"], "y": GOOD["x"]}, "no key"),
    ("Ed25519", edwards_key, "expected kty"),
    ("symmetric", lambda: {"kty": "oct", "k": "AAAA", "kid": "k"}, "private or symmetric"),
    ("private EC", lambda: key("good"), "private or symmetric"),
    ("private RSA", lambda: key("good", "RS384"), "private or symmetric"),
    ("for encryption", lambda: GOOD | {"use": "enc"}, "not for signatures"),
    ("for signing alone", lambda: GOOD | {"key_ops": ["sign"]}, "key_ops"),
    ("operations of a wrong kind", lambda: GOOD | {"key_ops": "verify"}, "key_ops"),
    ("an alg that does not fit", lambda: GOOD | {"alg": "RS384"}, "alg"),
    ("a symmetric alg", lambda: RSA | {"alg": "HS256"}, "alg"),
    ("RSA for PSS", lambda: RSA | {"alg": "PS384"}, "alg"),
    ("an alg of a wrong kind", lambda: GOOD | {"alg": ["ES384"]}, "alg"),
    ("no kid", lambda: {name: GOOD[name] for name in GOOD if name != "kid"}, "kid"),
    ("an empty kid", lambda: GOOD | {"kid": ""}, "kid"),
    ("a long kid", lambda: GOOD | {"kid": "x" * 129}, "kid"),
    ("a kid of a wrong kind", lambda: GOOD | {"kid": 7}, "kid"),
    ("no x", lambda: {name: GOOD[name] for name in GOOD if name != "x"}, "base64url"),
    ("x of a wrong kind", lambda: GOOD | {"x": 7}, "base64url"),
    ("x in other letters", lambda: GOOD | {"x": GOOD["x"][:-1] + "+"}, "base64url"),
    ("x cut short", lambda: GOOD | {"x": GOOD["x"][:-2]}, "no key"),
    ("no kty", lambda: {name: GOOD[name] for name in GOOD if name != "kty"}, "expected kty"),
    ("kty of a wrong kind", lambda: GOOD | {"kty": ["EC"]}, "expected kty"),
    ("no object", lambda: "key", "JSON object"),
]


@pytest.mark.parametrize(("name", "made", "reason"), LEFT_OUT, ids=[row[0] for row in LEFT_OUT])
def test_a_key_that_is_not_good_is_left_out(name: str, made: Callable[[], Any], reason: str) -> None:
    bad = made()
    with pytest.raises(KeysTrouble, match=reason):
        read_set(json.dumps({"keys": [bad]}).encode())
    found = read_set(json.dumps({"keys": [bad, GOOD | {"kid": "beside"}]}).encode())
    assert list(found.keys) == ["beside"]
    (flaw,) = found.flaws
    assert flaw.startswith("Key 1 of 2 is left out: ")
    assert not any(str(value) in flaw for value in (GOOD["x"], RSA["n"], key("good")["d"]))


SETS: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("no JSON", b"<html>"),
    ("an array", json.dumps([GOOD]).encode()),
    ("one key", json.dumps(GOOD).encode()),
    ("no keys", b"{}"),
    ("keys of a wrong kind", b'{"keys": {}}'),
    ("an empty list", b'{"keys": []}'),
    ("two lists", b'{"keys": [], "keys": [%b]}' % json.dumps(GOOD).encode()),
    ("a member twice", b'{"keys": [%b]}' % json.dumps(GOOD).replace("{", '{"kid": "x", ', 1).encode()),
    ("two keys of one name", json.dumps({"keys": [GOOD, GOOD]}).encode()),
    ("two kinds of keys of one name", json.dumps({"keys": [GOOD, RSA | {"kid": GOOD["kid"]}]}).encode()),
    ("too large", json.dumps({"keys": [GOOD], "x": "x" * SIZE_LIMIT}).encode()),
    ("utf-16", json.dumps({"keys": [GOOD]}).encode("utf-16")),
    ("deep", b'{"keys": ' + b"[" * 20000 + b"]" * 20000 + b"}"),
]


@pytest.mark.parametrize(("name", "data"), SETS, ids=[row[0] for row in SETS])
def test_a_set_that_cannot_be_used(name: str, data: bytes) -> None:
    with pytest.raises(KeysTrouble):
        read_set(data)


# what a key says of itself -> the algorithms that its tokens may name
BOUND: list[tuple[Json, set[str]]] = [
    (GOOD, {"ES384"}),
    ({name: GOOD[name] for name in GOOD if name not in ("alg", "use")}, {"ES384"}),
    (RSA, {"RS384"}),
    ({name: RSA[name] for name in RSA if name != "alg"}, {"RS384", "RS256"}),
    (RSA | {"alg": "RS256", "x5c": ["AAAA"], "x5u": "http://127.0.0.1:9/", "key_ops": ["verify"]}, {"RS256"}),
    (public_set([key("good", "ES256")])["keys"][0], {"ES256"}),
]


@pytest.mark.conformance("J6", "J13")
@pytest.mark.parametrize(("given", "algorithms"), BOUND)
def test_a_key_is_bound_to_its_algorithms(given: Json, algorithms: set[str]) -> None:
    (found,) = read_set(json.dumps({"keys": [given]}).encode()).keys.values()
    assert set(found.by_algorithm) == algorithms
    assert {one.algorithm_name for one in found.by_algorithm.values()} == algorithms


def test_mutated_sets_end_in_keys_or_in_a_sentence() -> None:
    chance = random.Random(3)
    whole = json.dumps({"keys": [GOOD, RSA, public_set([key("good", "ES256")])["keys"][0]]}).encode()
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_set(bytes(data))
        except KeysTrouble:
            continue


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "ES256", "RS256"])
def test_what_we_make_is_what_we_take(tmp_path: Path, algorithm: str) -> None:
    made = make_key(algorithm)
    assert made["alg"] == algorithm
    assert made.keys() >= {"d", "kid", "kty", "use"}
    published = public_set([made])
    assert not {"d", "p", "q", "dp", "dq", "qi", "key_ops"} & published["keys"][0].keys()
    (tmp_path / "keys.json").write_text(json.dumps(published), "utf-8")
    ehr = Ehr()
    client = ehr.client(tmp_path, jwks_file=tmp_path / "keys.json", algorithms=[algorithm])
    token = sign(made, ehr.claims(BASE + PATH), {"jku": "https://x.example/keys.json"})
    gate = door(tmp_path, client | {"jwks_urls": ["https://x.example/keys.json"]})
    assert gate.bearer(token).client.name == "north"


def test_an_algorithm_that_nobody_makes() -> None:
    with pytest.raises(ValueError, match="ES384, RS384, ES256, RS256"):
        make_key("HS256")


# what stands in the settings -> what the sentence says
STARTS: list[tuple[Json, str]] = [
    ({"jwks_file": None}, "got an issuer without keys"),
    ({"jwks_file": "nowhere.json"}, "nowhere.json, which cannot be read: No such file"),
    ({"jwks_file": "."}, "cannot be read: Is a directory"),
    ({"jwks_file": None, "jwks_urls": ["http://ehr.example/keys.json"]}, "without encryption"),
    ({"jwks_file": None, "jwks_urls": ["https://me:secret@ehr.example/keys.json"]}, "without user, password"),
]


@pytest.mark.parametrize(("more", "sentence"), STARTS)
def test_a_start_without_usable_keys_is_refused(tmp_path: Path, more: Json, sentence: str) -> None:
    with pytest.raises(SettingsTrouble, match=sentence) as trouble:
        door(tmp_path, Ehr().client(tmp_path, **more))
    assert "secret" not in str(trouble.value)


def test_a_file_of_weak_keys_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weak.json").write_text(json.dumps({"keys": [rsa_key(1024)]}), "utf-8")
    with pytest.raises(SettingsTrouble, match=r"weak\.json: Key 1 of 1 is left out: got an RSA key of 1024 bits"):
        door(tmp_path, Ehr().client(tmp_path, jwks_file=tmp_path / "weak.json"))
