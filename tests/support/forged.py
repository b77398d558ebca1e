"""Tokens that must be refused, by kind. Those of a stranger are signed with keys that nobody registered; those of the
EHR itself are signed as they should be, and say what they must not say."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cds_hooks.auth.maker import public_set
from tests.support.tokens import ALGORITHMS, BASE, DROP, NOW, PATH, Ehr, compact, decoded, encoded

STRANGER = Ehr("stranger", "https://stranger.example")
AUD = BASE + PATH
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
Row = tuple[str, tuple[str | bytes, ...]]


def forged(ehr: Ehr, canary: str) -> Iterator[Row]:
    """Each kind by name, with its Authorization headers. ``canary`` is an address that nobody may ask."""
    yield from _spelt(ehr)
    yield from ((name, (f"Bearer {token}",)) for name, token in _tokens(ehr, canary))


def _spelt(ehr: Ehr) -> Iterator[Row]:
    good = ehr.token()
    head, body, tail = good.split(".")
    spellings: dict[str, str | bytes] = {
        "empty": "",
        "basic": f"Basic {good}",
        "no scheme": good,
        "scheme alone": "Bearer",
        "scheme and space": "Bearer ",
        "two spaces": f"Bearer  {good}",
        "space behind": f"Bearer {good} ",
        "tab": f"Bearer\t{good}",
        "colon": f"Bearer: {good}",
        "quoted": f'Bearer "{good}"',
        "two tokens": f"Bearer {good}, Bearer {good}",
        "one part": f"Bearer {head}",
        "two parts": f"Bearer {head}.{body}",
        "four parts": f"Bearer {good}.{tail}",
        "five parts": f"Bearer {good}.{tail}.{tail}",
        "no header part": f"Bearer .{body}.{tail}",
        "no claims part": f"Bearer {head}..{tail}",
        "no signature": f"Bearer {head}.{body}.",
        "padding": f"Bearer {head}==.{body}.{tail}",
        "plus": f"Bearer {head}.{body}.+{tail[1:]}",
        "newline": f"Bearer {head}.{body}.\n{tail}",
        "nul": f"Bearer {head}.{body}.{tail}\0",
        "not ascii": b"Bearer \xc3\xa9" + good.encode(),
        "long": f"Bearer {ehr.token(pad='x' * 8192)}",
        "one letter part": f"Bearer a.{body}.{tail}",
    }
    yield "none at all", ()
    yield "two headers", (f"Bearer {good}", f"Bearer {good}")
    yield from ((name, (value,)) for name, value in spellings.items())


def _tokens(ehr: Ehr, canary: str) -> Iterator[tuple[str, str]]:
    yield from _unreadable(ehr)
    yield from _unsigned(ehr)
    yield from _confused(ehr)
    yield from _headers(ehr, canary)
    yield from _strangers(ehr, canary)
    yield from _signatures(ehr)
    for name, changes in _claims(ehr).items():
        yield f"claim {name}", ehr.token(**changes)


def _unreadable(ehr: Ehr) -> Iterator[tuple[str, str]]:
    header, claims = json.dumps(ehr.header()), json.dumps(ehr.claims())
    headers: dict[str, bytes] = {
        "not json": b"{",
        "an array": b"[]",
        "text": b'"ES384"',
        "utf-16": header.encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + header.encode(),
        "alg twice": header.replace("{", '{"alg": "none", ', 1).encode(),
        "half a letter": header.replace("JWT", "\udcff").encode("utf-8", "surrogateescape"),
        "deep": b'{"a":' + b"[" * 2500 + b"]" * 2500 + b"}",
        "not a number": header.replace("{", '{"x": NaN, ', 1).encode(),
    }
    for name, value in headers.items():
        yield f"header {name}", compact(value, claims.encode(), ehr.sign)
        body = claims.encode() if name == "alg twice" else value
        if name != "alg twice":
            yield f"claims {name}", compact(header.encode(), body, ehr.sign)
    yield "claims iss twice", compact(header.encode(), claims.replace("{", '{"iss": "x", ', 1).encode(), ehr.sign)
    yield "claims exp NaN", compact(header.encode(), _spliced(ehr, "exp", "NaN"), ehr.sign)
    yield "claims exp Infinity", compact(header.encode(), _spliced(ehr, "exp", "Infinity"), ehr.sign)
    yield "claims exp 1e999", compact(header.encode(), _spliced(ehr, "exp", "1e999"), ehr.sign)
    yield "claims exp of 5000 digits", compact(header.encode(), _spliced(ehr, "exp", "9" * 5000), ehr.sign)


def _spliced(ehr: Ehr, claim: str, text: str) -> bytes:
    return json.dumps(ehr.claims(**{claim: "@"})).replace('"@"', text).encode()


def _unsigned(ehr: Ehr) -> Iterator[tuple[str, str]]:
    for alg in ("none", "None", "NONE", "nOnE", "none ", "", None, 0, [], ["ES384"], {"a": 1}, DROP):
        name = "absent" if alg is DROP else repr(alg)
        for how, sign in (("with signature", ehr.sign), ("with one byte", lambda _text: b"\0")):
            yield f"alg {name} {how}", compact(ehr.header(alg=alg), ehr.claims(), sign)


def public_forms(ehr: Ehr) -> dict[str, bytes]:
    """The public key as an attacker could take it for a shared secret."""
    public = ALGORITHMS[ehr.algorithm].from_jwk(public_set([ehr.key])["keys"][0])
    forms = {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "SSH": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "JWK": json.dumps(public_set([ehr.key])["keys"][0]).encode(),
        "JWKS": json.dumps(public_set([ehr.key])).encode(),
        "number": decoded(ehr.key.get("x") or ehr.key["n"]),
        "nothing": b"",
    }
    return forms | {"PEM without newline": forms["PEM"].strip()}


def by_hmac(algorithm: str, secret: bytes) -> Callable[[bytes], bytes]:
    """A signature with a shared secret."""
    return lambda text: hmac.new(secret, text, getattr(hashlib, HASHES[algorithm])).digest()


def _confused(ehr: Ehr) -> Iterator[tuple[str, str]]:
    for algorithm in HASHES:
        for name, secret in public_forms(ehr).items():
            yield f"{algorithm} by {name}", compact(ehr.header(alg=algorithm), ehr.claims(), by_hmac(algorithm, secret))
    for algorithm in ("ES256", "ES512", "ES256K", "RS256", "RS384", "RS512", "PS384", "EdDSA", "es384", "ES384 "):
        if algorithm != ehr.algorithm:
            yield f"alg {algorithm}", compact(ehr.header(alg=algorithm), ehr.claims(), ehr.sign)
            secret = public_forms(ehr)["PEM"]
            yield f"alg {algorithm} by HMAC", compact(ehr.header(alg=algorithm), ehr.claims(), by_hmac("HS384", secret))


def _headers(ehr: Ehr, canary: str) -> Iterator[tuple[str, str]]:
    kid = ehr.key["kid"]
    kids = [DROP, None, 1, "", [kid], {"kid": kid}, f"{kid} ", f" {kid}", kid.upper(), kid[:-1], f"{kid}\0", "x" * 129]
    kids += ["x" * 5000, "../../../../dev/null", "/etc/passwd", "' or 1=1 --", "' union select 'x", "${jndi:ldap://x}"]
    kids += ["\ud800", "|| sleep 5 ||", "%00", "keys", "__class__", "0"]
    addresses = ["", None, 1, [], canary, f"{canary}?x", "file:///etc/passwd", "data:application/json,{}"]
    addresses += ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "//x", "ftp://x/y"]
    if ehr.jku:
        addresses += [[ehr.jku], f"{ehr.jku}#x", f"{ehr.jku}/", ehr.jku.upper(), f"{ehr.jku}@x.example/"]
        addresses += [ehr.jku.replace("://", "://x@"), f" {ehr.jku}", f"{ehr.jku}/../x"]
    others: dict[str, list[Any]] = {
        "typ": ["at+jwt", "JWE", "JOSE", "", None, 1, ["JWT"], "application/jwt"],
        "crit": [["exp"], ["b64"], [], None, "b64", ["http://x"]],
        "b64": [False, True, None],
        "kid": kids,
        "jku": addresses,
    }
    for name, values in others.items():
        for value in values:
            shown = "absent" if value is DROP else repr(value)[:40]
            yield f"{name} {shown}", compact(ehr.header(**{name: value}), ehr.claims(), ehr.sign)


def _strangers(ehr: Ehr, canary: str) -> Iterator[tuple[str, str]]:
    """Signed well, with a key that the token brings along or points to."""
    other = STRANGER if ehr.algorithm == "ES384" else Ehr("stranger", algorithm=ehr.algorithm)
    mine = public_set([other.key])["keys"][0]
    own = other.key["kid"]
    brought: dict[str, dict[str, Any]] = {
        "nothing": {},
        "jwk": {"jwk": mine},
        "jwk of the same name": {"jwk": mine | {"kid": ehr.key["kid"]}},
        "private jwk": {"jwk": other.key},
        "jwks": {"jwks": {"keys": [mine]}},
        "jku": {"jku": canary},
        "x5u": {"x5u": canary},
        "x5c": {"x5c": [encoded(b"certificate")]},
        "x5t": {"x5t": "AAAA", "x5t#S256": "AAAA"},
        "everything": {"jwk": mine, "jku": canary, "x5u": canary},
    }
    for name, more in brought.items():
        for kid in (own, ehr.key["kid"]):
            whose = "its own" if kid == own else "the EHR's"
            token = compact(ehr.header(kid=kid, **more), ehr.claims(), other.sign)
            yield f"stranger with {name}, {whose} kid", token


def _signatures(ehr: Ehr) -> Iterator[tuple[str, str]]:
    good, again = ehr.token(), ehr.token()
    head, body, tail = good.split(".")
    raw = decoded(tail)
    half = len(raw) // 2
    pair = encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
    kinds = {
        "zero": bytes(len(raw)),
        "ones": bytes([255]) * len(raw),
        "cut short": raw[:-1],
        "longer": raw + b"\0",
        "a zero before": b"\0" + raw,
        "halves swapped": raw[half:] + raw[:half],
        "DER": pair,
        "one bit": bytes([raw[0] ^ 1]) + raw[1:],
        "last bit": raw[:-1] + bytes([raw[-1] ^ 1]),
        "of another token": decoded(again.split(".")[2]),
        "half": raw[:half],
        "first half zero": bytes(half) + raw[half:],
        "twice": raw + raw,
        "hash alone": hashlib.sha384(f"{head}.{body}".encode()).digest(),
    }
    for name, value in kinds.items():
        yield f"signature {name}", f"{head}.{body}.{encoded(value)}"
    yield "other claims", f"{head}.{encoded(json.dumps(ehr.claims(exp=9999999999)).encode())}.{tail}"
    yield "other header", f"{encoded(json.dumps(ehr.header(x=1)).encode())}.{body}.{tail}"
    yield "a spelling of the header with spaces", f"{encoded(decoded(head) + b' ')}.{body}.{tail}"
    if len(raw) % 3:
        yield "spare bits", f"{head}.{body}.{tail[:-1]}{chr(ord(tail[-1]) + 1)}"


def _claims(ehr: Ehr) -> dict[str, dict[str, Any]]:
    now = int(NOW.timestamp())
    bad_times = [DROP, None, True, False, "", str(now + 300), now + 0.5, float(now + 300), 1e300, -1, [], {}, 10**400]
    rows: dict[str, list[Any]] = {
        "iss": [DROP, None, "", 1, [ehr.issuer], f"{ehr.issuer}/", ehr.issuer.upper(), f"{ehr.issuer} ", "https://x"],
        "tenant": ["", None, 1, "nobody", ["nobody"], "*", "\ud800"],
        "aud": [DROP, None, "", [], [""], 1, {}, {AUD: 1}, True, [AUD, 1], [[AUD]], BASE, f"{BASE}/cds-services"],
        "exp": [*bad_times, 0, now - 60, now - 3600, now, now + 3601, now + 86400, now + 315360000],
        "iat": [*bad_times, now + 61, now + 3600, now - 3301, now + 300, 0],
        "nbf": [None, True, "", str(now), now + 61, now + 3600, now + 0.5, 1e300, -1, []],
        "jti": [DROP, None, "", 1, True, [], ["x"], {}, "x" * 256],
    }
    rows["aud"] += [f"{AUD}/", f"{AUD}?", f"{AUD}#", f"{AUD}/feedback", f"{AUD} ", AUD.upper(), AUD[:-1], PATH, "*"]
    rows["aud"] += [AUD.replace("https", "http"), AUD.replace("cds.", "cds2."), AUD.replace("cds.", "x@cds.")]
    rows["aud"] += [
        AUD.replace("example/", "example:443/"),
        AUD.replace("-sign", "-select"),
        [AUD.upper(), "https://x"],
    ]
    named = {}
    for claim, values in rows.items():
        for value in values:
            named[f"{claim} {'absent' if value is DROP else repr(value)[:60]}"] = {claim: value}
    return named | {
        "made tomorrow": {"now": NOW + timedelta(days=1)},
        "made yesterday": {"now": NOW - timedelta(days=1)},
        "ends when it is made": {"exp": now, "iat": now},
        "ends before it is made": {"exp": now - 1, "iat": now},
    }
