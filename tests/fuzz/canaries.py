"""``python -m tests.fuzz.canaries --count 10000``: what of a call's token, names and record number gets out anywhere.

Mutated requests go to the whole service at DEBUG level, libraries included, with a fault of ours in every third: an
exception whose text, cause and local variables hold the canaries. Answers, logs, metrics, the bytes of the store and
its export are searched. The command fails if one of them holds a canary, or if a stage never broke.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging as standard
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from cds_hooks import logging
from cds_hooks.audit.export import as_json, every
from cds_hooks.audit.location import database_path
from cds_hooks.audit.model import CallFilter
from cds_hooks.audit.reader import Reader
from cds_hooks.service import Plugin
from cds_hooks.settings import Settings
from tests.fuzz.driver import MEMORY, Driver, driving, forget_loggers, loaded, run
from tests.fuzz.mutations import Request, request

CANARIES = {kind: f"zq{kind}4711qz" for kind in ("token", "claim", "name", "given", "number")}
SIGN = re.compile(b"|".join(one.encode() for one in CANARIES.values()))

FAULTS = {
    "read": "cds_hooks.hooks.read_body",
    "decode": "cds_hooks.wire.Decoder.decode",
    "identity": "cds_hooks.hooks.assess",
    "keys": "cds_hooks.hooks.check",
    "memory": "cds_hooks.hooks.memory_of",
    "plugin": "cds_hooks.hooks.prepare",
    "store": "cds_hooks.audit.store.AuditStore.append",
    "answer": "cds_hooks.hooks.send_answer",
    "note": "cds_hooks.metrics.Metrics.call",
    "feedback": "cds_hooks.feedback.read_feedback",
}
"""Where it breaks: every stage of the way of a call."""


class Faults:
    """Breaks one stage of the next call, and counts how often each broke."""

    def __init__(self) -> None:
        self.next = ""
        self.broke: Counter[str] = Counter()

    @contextmanager
    def planted(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name, place in FAULTS.items():
                holder, attribute = found(place)
                patch.setattr(holder, attribute, self._breaking(name, getattr(holder, attribute)))
            yield

    def _breaking(self, name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
        def either(*given: Any, **named: Any) -> Any:
            if self.next != name:
                return whole(*given, **named)
            self.broke[name] += 1
            told = ", ".join(CANARIES.values())
            try:
                raise ValueError(told)
            except ValueError as cause:
                raise RuntimeError(f"{told}\n{given}") from cause

        return either


def found(place: str) -> tuple[Any, str]:
    """The module or class, and the name in it."""
    holder, _, attribute = place.rpartition(".")
    try:
        return importlib.import_module(holder), attribute
    except ModuleNotFoundError:
        module, _, name = holder.rpartition(".")
        return getattr(importlib.import_module(module), name), attribute


def marked(made: Request) -> Request:
    """The request with canaries where tokens, names and record numbers stand; broken JSON gets them at its end."""
    bearer = (b"authorization", b"Bearer " + CANARIES["claim"].encode())
    body = b"".join(made.pieces)
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return replace(made, headers=(*made.headers, bearer), pieces=(body, json.dumps(CANARIES).encode()))
    if isinstance(call, dict):
        call["fhirAuthorization"] = {"access_token": CANARIES["token"], "token_type": "Bearer", "expires_in": 300}
        person = call["prefetch"].get("patient") if isinstance(call.get("prefetch"), dict) else None
        if isinstance(person, dict):
            person["name"] = [{"family": CANARIES["name"], "given": [CANARIES["given"]]}]
            person["identifier"] = [{"system": "urn:example:mrn", "value": CANARIES["number"]}]
    return replace(made, headers=(*made.headers, bearer), pieces=(json.dumps(call).encode(),))


@contextmanager
def everything_logged() -> Iterator[None]:
    """Our lines and those of every library, from DEBUG on, where the driver captures them."""
    logging.configure(standard.DEBUG)
    forget_loggers()
    root = standard.getLogger()
    before, root.level = root.level, standard.DEBUG
    try:
        yield
    finally:
        root.level = before


async def searched(seeds: range, plugin: Plugin) -> tuple[dict[str, list[str]], Counter[str], Counter[int]]:
    """Where canaries were found, by what was searched; which faults were met; the statuses of the answers."""
    faults, hits = Faults(), dict[str, list[str]]()

    def look(where: str, text: bytes, what: str) -> None:
        if SIGN.search(text):
            hits.setdefault(where, []).append(what)

    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, faults.planted():
        async with driving(plugin, data_dir=Path(folder)) as driver:
            with everything_logged():
                for seed in seeds:
                    dice = Random(seed)
                    faults.next = dice.choice((*FAULTS, *[""] * 2 * len(FAULTS)))
                    told, log = await answered(driver, marked(request(seed)))
                    look("answer", told, f"seed {seed}, fault {faults.next or 'none'}")
                    look("log", log, f"seed {seed}, fault {faults.next or 'none'}")
            faults.next = ""
            look("metrics", (await answered(driver, Request("GET", "/metrics", (), (b"",))))[0], "")
            statuses = driver.statuses
        for file in Path(folder).iterdir():
            look("store", file.read_bytes(), file.name)
        look("export", exported(Settings(data_dir=Path(folder))), "")
    return hits, faults.broke, statuses


async def answered(driver: Driver, made: Request) -> tuple[bytes, bytes]:
    """Headers and body of the answer, and what was logged meanwhile."""
    driver.log.seek(0)
    driver.log.truncate()
    status, headers, body, error = await driver.ask(made)
    driver.statuses[status] += 1
    told = b"".join(name + value for name, value in headers.items()) + body
    return told + (b"raised" if error else b""), driver.log.getvalue()


def exported(settings: Settings) -> bytes:
    """Every entry of the store as ``audit export`` writes it, with all there is of it."""
    reader = Reader(database_path(settings.database, settings.data_dir))
    try:
        rows = list(every(reader, CallFilter()))
        whole = [reader.call(row.id) for row in rows]
        return b"".join(msgspec.json.encode(as_json(one)) for one in whole if one is not None)
    finally:
        reader.close()


def main() -> int:
    """The command of the long run."""
    parser = argparse.ArgumentParser(prog="canaries", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    hits, broke, statuses = run(searched(range(chosen.seed, chosen.seed + chosen.count), loaded()))
    print(f"{chosen.count} requests, statuses {dict(sorted(statuses.items()))}, faults {dict(broke)}")
    for where, what in hits.items():
        print(f"{where}: {len(what)} with a canary, such as {what[0]}")
    return 1 if hits or set(broke) != set(FAULTS) else 0


if __name__ == "__main__":
    sys.exit(main())
