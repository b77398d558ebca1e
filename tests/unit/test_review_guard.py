"""Who may see the review pages: this machine, addressed as such, without a proxy between."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from cds_hooks.review import routes
from tests.support.asgi import ask
from tests.unit.test_audit_entries import opened

HERE = "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "host", "headers", "said"),
    [
        (HERE, "127.0.0.1:8000", {}, ""),
        (HERE, "localhost:8000", {}, ""),
        (HERE, "LOCALHOST", {}, ""),
        (HERE, "[::1]:8000", {}, ""),
        ("127.8.9.10", "127.8.9.10", {}, ""),
        ("::1", "localhost", {}, ""),
        ("::ffff:127.0.0.1", "localhost", {}, ""),
        ("192.0.2.7", "localhost", {}, "another machine"),
        ("10.0.0.1", "10.0.0.2:8000", {}, "another machine"),
        ("::ffff:192.0.2.7", "localhost", {}, "another machine"),
        ("2001:db8::1", "localhost", {}, "another machine"),
        ("localhost.evil.example", "localhost", {}, "another machine"),
        ("", "localhost", {}, "another machine"),
        (HERE, "localhost", {"X-Forwarded-For": "127.0.0.1"}, "through a proxy"),
        (HERE, "localhost", {"x-forwarded-host": "cds.example"}, "through a proxy"),
        (HERE, "localhost", {"Forwarded": "for=127.0.0.1"}, "through a proxy"),
        (HERE, "localhost", {"X-Real-IP": "127.0.0.1"}, "through a proxy"),
        (HERE, "localhost", {"Via": "1.1 proxy"}, "through a proxy"),
        (HERE, "localhost:8000", {"Origin": "http://localhost:8000"}, ""),
        (HERE, "localhost", {"Origin": "https://ehr.example"}, "another site"),
        (HERE, "localhost", {"Origin": "null"}, "another site"),
        (HERE, "localhost", {"Origin": "http://localhost"}, ""),
        (HERE, "[::1]:8000", {"Origin": "http://[::1]:8000"}, ""),
        (HERE, "localhost:8000", {"Origin": "http://localhost:3000"}, "another site"),
        (HERE, "localhost:8000", {"Origin": "http://localhost"}, "another site"),
        (HERE, "localhost:8000", {"Origin": "https://localhost:8000"}, "another site"),
        (HERE, "localhost:8000", {"Origin": "http://127.0.0.1:8000"}, "another site"),
        (HERE, "localhost:8000", {"Origin": ""}, "another site"),
        (HERE, "evil.example", {}, "another name"),
        (HERE, "localhost.evil.example:8000", {}, "another name"),
        (HERE, "127.0.0.1.evil.example", {}, "another name"),
        (HERE, "0.0.0.0:8000", {}, "another name"),
        (HERE, "[::1", {}, "another name"),
        (HERE, "user@evil.example", {}, "another name"),
    ],
)
@pytest.mark.parametrize("path", ["/review", "/review/x"])
def test_guard(peer: str, host: str, headers: dict[str, str], said: str, path: str, tmp_path: Path) -> None:
    store = opened(tmp_path)
    app = Starlette(routes=routes(lambda: store))
    response = ask(app, path, peer=peer, headers={"Host": host, **headers})
    store.close()
    if said:
        assert response.status_code == 403
        assert said in response.text
        assert "SSH tunnel" in response.text
        assert response.headers["cache-control"] == "no-store"
    else:
        assert response.status_code == (200 if path == "/review" else 404)
