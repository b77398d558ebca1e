"""``sekmet-fhir`` as its own process on loopback: a FHIR server that we did not write, with real search and tokens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.fire import plugin
from tests.support.server import free_port

Json = dict[str, Any]
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN = re.compile(r"\{\{context\.(\w+)\}\}")
CHUNK = 200
CLIENT = "dystonia-tests"


@dataclass
class Peer:
    """A running server: its root address and, where it asks for tokens, the key of its only client."""

    root: str
    key: ec.EllipticCurvePrivateKey

    @property
    def base(self) -> str:
        """The FHIR base."""
        return f"{self.root}/fhir"

    def load(self, resources: Iterable[Json], token: str = "") -> None:
        """Puts resources under their own ids; references stay as they are."""
        entries = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in resources
        ]
        for start in range(0, len(entries), CHUNK):
            sent = {"resourceType": "Bundle", "type": "batch", "entry": entries[start : start + CHUNK]}
            status, told = post(self.base, json.dumps(sent).encode(), "application/fhir+json", token)
            assert status == 200, told
            assert {one["response"]["status"][:2] for one in told["entry"]} == {"20"}, told

    def token(self, scope: str, key: ec.EllipticCurvePrivateKey | None = None) -> tuple[int, Json]:
        """What the SMART Backend Services token endpoint answers to a signed assertion."""
        url = f"{self.root}/auth/token"
        claims = {"iss": CLIENT, "sub": CLIENT, "aud": url, "exp": int(time.time()) + 240, "jti": str(uuid4())}
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode(claims, key or self.key, "ES384", {"kid": "one"}),
        }
        return post(url, urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")

    def get(self, address: str) -> Json:
        """The JSON behind a path below the base, or behind a whole address of this server."""
        url = address if address.startswith(self.root) else f"{self.base}/{address}"
        with urllib.request.urlopen(url, timeout=60) as response:
            return dict(json.loads(response.read()))

    def prefetched(self, hook: str, context: Json) -> Json:
        """What an EHR in front of this server would send: each template's search, all its pages as one Bundle.

        sekmet cannot search family histories by patient, so that key is left to whoever asks.
        """
        templates = next(one for one in plugin().services if one.hook == hook).prefetch
        filled = {key: TOKEN.sub(lambda hole: context.get(hole[1], ""), text) for key, text in templates.items()}
        asked = {key: one for key, one in filled.items() if one[-1] != "/" and "FamilyMemberHistory" not in one}
        return {key: self._whole(one) for key, one in asked.items()}

    def _whole(self, address: str) -> Json:
        found = page = self.get(address)
        while after := [link["url"] for link in page.get("link", ()) if link["relation"] == "next"]:
            page = self.get(after[0])
            found["entry"] += page["entry"]
        found.pop("link", None)
        return found


def post(url: str, body: bytes, media: str, token: str = "") -> tuple[int, Json]:
    """Status and JSON of the answer to a POST."""
    headers = {"Content-Type": media} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def settings(folder: Path, port: int, key: ec.EllipticCurvePrivateKey, *, lifetime: int, **more: Any) -> Json:
    """Its settings: loopback, nothing outside the folder, no simulated hospital."""
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    client = {
        "client_id": CLIENT,
        "jwks": {"keys": [public | {"kid": "one", "alg": "ES384", "use": "sig"}]},
        "scopes": "system/*.read system/*.write system/Patient.rs",
    }
    return {
        "base_url": f"http://127.0.0.1:{port}/fhir",
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder),
        "db_path": str(folder / "sekmet.db"),
        "own_private_key_path": str(folder / "none.pem"),
        "validation": {"inbound": "off"},
        "simulator": {"enabled": False},
        "server_auth": {
            "types": ["smart" if lifetime else "none"],
            "smart_clients": [client],
            "token_lifetime": lifetime,
        },
        "log_inbound": False,
    } | more


@contextmanager
def sekmet(folder: Path, *, lifetime: int = 0, **more: Any) -> Iterator[Peer]:
    """Starts the server and ends it by its own process id. With ``lifetime``, that of its SMART tokens in seconds, it
    asks for them."""
    key, port = ec.generate_private_key(ec.SECP384R1()), free_port()
    config, log = folder / "settings.yaml", folder / "sekmet.log"
    config.write_text(json.dumps(settings(folder, port, key, lifetime=lifetime, **more)), "utf-8")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sekmet.cli", "serve", "--config", str(config)],
            cwd=folder,
            stdout=output,
            stderr=output,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/fhir/metadata", process, log)
            yield Peer(f"http://127.0.0.1:{port}", key)
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"sekmet did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")
