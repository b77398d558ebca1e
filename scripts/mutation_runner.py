"""A pytest plugin that collects the tests once and then tries many mutants, each in a process forked for it.

``scripts/mutation.py`` starts it with MUTATION_PLAN, a JSON file: ``mutants`` (names), ``workers``, ``covering`` (a
folder: who tests what), ``code`` (a digest of all but the tests) and ``results`` (gets a line of JSON for each mutant).
"""

from __future__ import annotations

import functools
import gc
import hashlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import defaultdict
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import mutmut.mutation.trampoline as trampoline
import pytest
from _pytest.runner import runtestprotocol

GRACE_S = 10
"""CPU seconds that a test may take beyond twenty times its usual ones, before the mutant counts as one that hangs."""

MEMORY = 3 << 30
STATUS = {0: "survived", 1: "killed"}

AT_ITS_LOADING = (
    "tests/unit/test_engine.py",
    "tests/unit/test_guideline_pages.py",
    "tests/unit/test_pages_samples.py",
    "tests/unit/test_plugin.py",
    "tests/golden/test_golden.py",
)
"""Tried for functions that run as the plugin is loaded, beside the files that run through them later."""

COMMANDS = {"plugin.desk.": "tests/unit/test_terminology_cli.py"}
"""Tests that start processes, which are not seen to run through a function: tried for these functions, last."""

_hits: set[str] = set()
_loading: dict[str, list[str]] = {}
_gathering = os.environ["MUTANT_UNDER_TEST"] == "stats"


def _hit(name: str, **_caller: Any) -> None:
    _hits.add(name)


trampoline.record_trampoline_hit = _hit


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Load the plugin before any test does, and note what runs as it is loaded: those mutants need a start anew."""
    import plugin.services  # noqa: F401

    _loading["plugin"] = sorted(_hits)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    """Note what a file of tests runs through as it is imported, with no cache of another file's to help it."""
    if not isinstance(collector, pytest.Module) or not _gathering:
        return (yield)
    _forget()
    _hits.clear()
    report = yield
    _loading[collector.nodeid] = sorted(_hits - set(_loading["plugin"]))
    return report


class Covering:
    """Which tests run through which function, how long each takes, and which functions run as files are imported.

    What is known of a file of tests is kept until that file, its helpers or the code changes.
    """

    def __init__(self, items: list[pytest.Item], kept: Path, code: str) -> None:
        self.items = {item.nodeid: item for item in items}
        self.files: dict[str, list[str]] = defaultdict(list)
        for test in self.items:
            self.files[test.partition("::")[0]].append(test)
        kept.mkdir(parents=True, exist_ok=True)
        digests = {name: hashlib.sha256(f"{code}{Path(name).read_text('utf-8')}".encode()) for name in self.files}
        self.kept = {name: kept / f"{digest.hexdigest()[:24]}.json" for name, digest in digests.items()}
        self.seconds: dict[str, float] = {}
        self.tests: dict[str, set[str]] = defaultdict(set)
        self.loading: dict[str, set[str]] = defaultdict(set)

    def read(self) -> None:
        """Fill in what is known, after a run of the tests of which nothing is."""
        unknown = [name for name, path in self.kept.items() if not path.exists()]
        if unknown and os.waitstatus_to_exitcode(_forked(lambda: self._gather(unknown))):
            raise pytest.UsageError("tests fail, or cannot run, without any mutant: see above")
        for name, path in self.kept.items():
            known = json.loads(path.read_text("utf-8"))
            self.seconds |= known["seconds"]
            for function in known["loading"]:
                self.loading[function].add(name)
            for test, functions in known["tests"].items():
                for function in functions:
                    self.tests[function].add(test)

    def _gather(self, unknown: list[str]) -> int:
        failed: list[str] = []
        for name in unknown:
            _forget()
            seconds, tests, wrong = {}, {}, []
            for test, following in pairwise([*self.files[name], None]):
                _hits.clear()
                start = _used()
                reports = runtestprotocol(self.items[test], log=False, nextitem=self.items.get(following or ""))
                seconds[test], tests[test] = _used() - start, sorted(_hits)
                wrong += [f"{report.nodeid}\n{report.longreprtext}" for report in reports if report.failed]
            failed += wrong
            if not wrong:
                found = {"loading": _loading.get(name, []), "seconds": seconds, "tests": tests}
                self.kept[name].write_text(json.dumps(found), "utf-8")
        print(*failed, sep="\n", flush=True)
        return bool(failed)

    def ordered(self, function: str, budget: float) -> list[str]:
        """The tests to try: files that run through the function, its own first, then those that take least.

        Files are left out once the tests take ``budget`` seconds, as is one that takes four times as many; 0 leaves
        none out.

        A file is run whole, those that were seen to run through the function first: what a cache keeps is noted for the
        first test alone that asks for it.
        """
        seen = self.tests.get(function, set())
        files = {test.partition("::")[0] for test in seen}
        files |= {name for start, name in COMMANDS.items() if function.startswith(start) and name in self.files}
        stem = function.rpartition(".")[0].rpartition(".")[2]
        ranked = sorted(files, key=lambda name: (stem not in name, self.cost(name), name))
        ranked = self._within(ranked, budget)
        return [test for name in ranked for test in sorted(self.files[name], key=lambda test: test not in seen)]

    def anew(self, function: str, budget: float) -> list[str]:
        """The files to run in a new interpreter: those that run through the function as they are imported."""
        files = set(self.loading.get(function, ()))
        if function in _loading["plugin"]:
            files |= {test.partition("::")[0] for test in self.tests.get(function, ())} | set(AT_ITS_LOADING)
        return self._within(sorted(files, key=lambda name: (self.cost(name), name)), budget)

    def _within(self, files: list[str], budget: float) -> list[str]:
        spent = accumulate(map(self.cost, files), initial=0.0)
        parts = zip(files, spent, strict=False)
        return [name for name, before in parts if not budget or before + self.cost(name) / 4 < budget]

    def cost(self, name: str) -> float:
        """The seconds of a file of tests; the golden cases come early for what they take, because they see most."""
        return sum(self.seconds[test] for test in self.files[name]) / (8 if "golden" in name else 1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    plan = json.loads(Path(os.environ["MUTATION_PLAN"]).read_text("utf-8"))
    covering = Covering(session.items, Path(plan["covering"]), plan["code"])
    covering.read()
    _forget()
    _hits.clear()
    importlib.import_module("tests.support.fire").plugin()
    warm = frozenset(_hits)
    gc.freeze()
    Trying(covering, warm, plan).all()
    return True


def _used() -> float:
    """Seconds of processor time so far, those of ended children too."""
    return sum(os.times()[:4])


def _forked(work: Any) -> int:
    pid = os.fork()
    if not pid:
        try:
            os._exit(work())
        finally:
            os._exit(3)
    return os.waitpid(pid, 0)[1]


_caches: list[Any] = []


def _forget() -> None:
    """Empty every cache, so that what it holds is computed again, by the mutant."""
    if not gc.get_freeze_count():
        _caches[:] = [found for found in gc.get_objects() if isinstance(found, functools._lru_cache_wrapper)]
    for cache in _caches:
        cache.cache_clear()


class Trying:
    """Tries mutants a few at a time and writes what became of each."""

    def __init__(self, covering: Covering, warm: frozenset[str], plan: dict[str, Any]) -> None:
        self.covering, self.warm, self.results = covering, warm, Path(plan["results"])
        self.budget: float = plan["budget"]
        self.waiting, self.workers = list(reversed(plan["mutants"])), plan["workers"]
        self.running: dict[int, tuple[str, float, float]] = {}

    def all(self) -> None:
        while self.waiting or self.running:
            if self.waiting and len(self.running) < self.workers:
                self._start(self.waiting.pop())
                continue
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._end(pid, os.waitstatus_to_exitcode(status))
            else:
                self._stop_late()

    def _start(self, name: str) -> None:
        function = name.partition("__mutmut_")[0]
        tests, anew = self.covering.ordered(function, self.budget), self.covering.anew(function, self.budget)
        if not tests and not anew:
            self._note(name, "no tests")
            return
        pid = os.fork()
        if not pid:
            _child(Task(name, tests, anew, function in self.warm), self.covering, self._killer(name))
        usual = sum(self.covering.seconds[test] for test in tests)
        self.running[pid] = (name, time.monotonic(), time.monotonic() + 600 + 20 * usual)

    def _stop_late(self) -> None:
        for pid, (_, _, late) in self.running.items():
            if late < time.monotonic():
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.01)

    def _end(self, pid: int, code: int) -> None:
        name, start, _ = self.running.pop(pid)
        killer = self._killer(name)
        by = killer.read_text("utf-8") if killer.exists() else ""
        killer.unlink(missing_ok=True)
        self._note(name, STATUS.get(code, "timeout"), by=by, code=code, seconds=round(time.monotonic() - start, 2))

    def _killer(self, name: str) -> Path:
        return self.results.with_name(f"{name}.by")

    def _note(self, name: str, status: str, **more: Any) -> None:
        with self.results.open("a", encoding="utf-8") as results:
            results.write(json.dumps({"mutant": name, "status": status, **more}) + "\n")


class Task(NamedTuple):
    """One mutant, the tests to run in this process, the files to run in a new one, and whether caches may hold it."""

    name: str
    tests: list[str]
    anew: list[str]
    cached: bool


def _child(task: Task, covering: Covering, killer: Path) -> None:
    """Run the tests until one fails, and leave with 1 then, 0 if none does, 2 where one hangs."""
    status = 3
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGPROF, lambda *_: os._exit(2))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.environ["MUTANT_UNDER_TEST"] = task.name
        trampoline.get_mutant_under_test = lambda: task.name
        if task.cached:
            _forget()
        status = _warm(task, covering, killer) or _cold(task.anew, killer)
    finally:
        os._exit(status)


def _warm(task: Task, covering: Covering, killer: Path) -> int:
    for test, following in pairwise([*task.tests, None]):
        signal.setitimer(signal.ITIMER_PROF, GRACE_S + 20 * covering.seconds[test])
        reports = runtestprotocol(covering.items[test], log=False, nextitem=covering.items.get(following or ""))
        if any(report.failed for report in reports):
            killer.write_text(test, "utf-8")
            return 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    return 0


def _cold(files: list[str], killer: Path) -> int:
    """Run the files in a new interpreter, for what runs as they are imported."""
    if not files:
        return 0
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    try:
        failed = subprocess.run(command, capture_output=True, timeout=600, check=False).returncode
    except subprocess.TimeoutExpired:
        return 2
    if failed:
        killer.write_text("a new start", "utf-8")
    return int(bool(failed))
