"""Four servers on one data folder: a token counts once for all, and stays used when they start again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from cds_hooks.clock import utc_now
from tests.support.fhir import call, order, prefetch
from tests.support.server import Answer, Service, running
from tests.support.tokens import BASE, Ehr, public_set

EHR = Ehr()
SERVICE = "/cds-services/dystonia-order-sign"
BODY = json.dumps(call([order()], prefetch())).encode()
TIMES = 200
PROCESSES = 4
AT_ONCE = 16

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "north.jwks.json").write_text(json.dumps(public_set([EHR.key])), "utf-8")
    file = tmp_path / "site.toml"
    file.write_text(
        f'auth = "required"\npublic_url = "{BASE}"\naudit = false\nqueue_limit = 1000\nbudget_ms = 5000\n'
        f'[[clients]]\nname = "north"\nissuer = "{EHR.issuer}"\njwks_file = "north.jwks.json"\n',
        "utf-8",
    )
    return {"DYSTONIA_CDS_CONFIG": str(file)}


@pytest.fixture
def four(tmp_path: Path, settings: dict[str, str]) -> Iterator[list[Service]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running(tmp_path, **settings)) for _ in range(PROCESSES)]


def metric(services: list[Service], line: str) -> float:
    texts = [service.ask("/metrics").body.decode().splitlines() for service in services]
    return sum(float(one.rpartition(" ")[2]) for text in texts for one in text if one.startswith(line))


def post(service: Service, token: str, body: bytes = BODY) -> Answer:
    return service.ask(SERVICE, body, Authorization=f"Bearer {token}")


@pytest.mark.conformance("J10")
def test_one_token_is_one_call_for_four_processes(
    tmp_path: Path, four: list[Service], settings: dict[str, str]
) -> None:
    for _ in range(3):
        token, barrier = EHR.token(BASE + SERVICE, utc_now()), threading.Barrier(AT_ONCE)

        def one(number: int, token: str = token, barrier: threading.Barrier = barrier) -> Answer:
            if number < AT_ONCE:
                barrier.wait(30)
            return post(four[number % PROCESSES], token)

        with ThreadPoolExecutor(AT_ONCE) as crowd:
            answers = list(crowd.map(one, range(TIMES)))
        assert {answer.status for answer in answers} == {200}
        assert len({json.dumps(answer.body) for answer in answers}) == 1
    assert metric(four, 'cds_tokens_total{client="north",outcome="accepted"}') == 3
    assert metric(four, 'cds_tokens_total{client="north",outcome="re-sent"}') == 3 * (TIMES - 1)
    assert metric(four, "cds_verdicts_total") == 3 * len(answers[0].body["extension"]["org.dystonia-cds"]["results"])
    for service in four:
        assert post(service, token, BODY + b" ").status == 401
    with running(tmp_path, **settings) as another:
        assert post(another, token, BODY + b" ").status == 401
        assert post(another, token).body == answers[0].body
        assert metric([another], "cds_verdicts_total") == 0
