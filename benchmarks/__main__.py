"""``python -m benchmarks``: the service against a bare ASGI application, in one run, as a table of ratios."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks import report, rounds, terminology
from benchmarks.load import EACH
from benchmarks.payloads import PATH, SHAPES, payload
from benchmarks.servers import (
    Launch,
    Server,
    StartError,
    bare_command,
    free_port,
    post,
    running,
    service_command,
    service_settings,
)

STARTS = 3
TYPICAL = "60KB"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about 20 seconds instead of two minutes")
    parser.add_argument("--one-patient", action="store_true", help="all calls about one, of whom much is remembered")
    parser.add_argument("--only", action="append", choices=SHAPES, help="this size of call only (may be repeated)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples to FILE as well")
    parser.add_argument("--profile", choices=SHAPES, help="instead: the service in this process under cProfile")
    parser.add_argument("--calls", type=int, default=200, help="calls to profile (default 200)")
    parser.add_argument("--audit", action="store_true", help="profile with the audit on")
    return parser.parse_args()


def plan(chosen: argparse.Namespace) -> rounds.Plan:
    number, seconds = (3, 0.25) if chosen.quick else (5, 1.2)
    each = rounds.MOST_CALLS if chosen.one_patient else EACH
    return rounds.Plan(chosen.only or list(SHAPES), (1, 16), number, seconds, each)


class Bench:
    """One run in a temporary folder, which holds the calls, the logs and the services' data."""

    def __init__(self, folder: Path, planned: rounds.Plan, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.plan = planned
        self.tell = tell
        self.calls = {name: payload(name) for name in SHAPES}
        for name, body in self.calls.items():
            (folder / f"{name}.json").write_bytes(body)

    def service(self, stack: ExitStack, name: str) -> Server:
        """The service as a user starts it, its data folder still empty."""
        port = free_port()
        data = self.folder / f"data-{port}"
        data.mkdir()
        settings = service_settings(data, audit=name == report.ON)
        return self.start(stack, Launch(name, service_command(port), port, settings, self.folder / f"{port}.log"))

    def bare(self, stack: ExitStack, answer_bytes: int) -> Server:
        port = free_port()
        command = bare_command(port, answer_bytes)
        return self.start(stack, Launch(rounds.BARE, command, port, {}, self.folder / f"{port}.log"))

    def start(self, stack: ExitStack, launch: Launch) -> Server:
        return stack.enter_context(running(launch, PATH, self.calls["5KB"]))

    def time_start(self) -> float:
        with ExitStack() as stack:
            return self.service(stack, report.ON).seconds

    def run(self) -> report.Figures:
        self.tell("starting the service")
        starts = [self.time_start() for _ in range(STARTS)]
        with ExitStack() as stack:
            services = [self.service(stack, name) for name in (report.OFF, report.ON)]
            size = len(post(services[0].port, PATH, self.calls[TYPICAL])[1])
            servers = [self.bare(stack, size), *services]
            bodies = {name: str(self.folder / f"{name}.json") for name in self.plan.sizes}
            fire = stack.enter_context(rounds.load_process())
            cells, tally = rounds.measure(self.plan, servers, fire, PATH, bodies, self.tell)
            memory = {server.name: server.resident() / 1e6 for server in servers}
        body_bytes = {name: len(self.calls[name]) for name in self.plan.sizes}
        return report.Figures(self.plan, cells, tally, starts, memory, size, body_bytes)


def bench(chosen: argparse.Namespace) -> int:
    """Runs, prints, and says by the exit code whether every answer was right; timing never fails a run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that the servers are ended too
    progress = Console(stderr=True)
    console = Console() if sys.stdout.isatty() else Console(width=130)
    with TemporaryDirectory(prefix="benchmarks-") as folder, progress.status("") as status:
        try:
            figures = Bench(Path(folder), plan(chosen), status.update).run()
        except (StartError, rounds.LoadError) as error:
            progress.print(f"FAILED: no good answer from {error}", markup=False, soft_wrap=True)
            return 1
        status.update("the terminology")
        codes = terminology.measure()
    report.show(figures, console)
    console.print(terminology.table(codes))
    if chosen.json:
        told = report.as_json(figures) | {"terminology": [asdict(one) for one in codes]}
        chosen.json.write_text(json.dumps(told, indent=1))
    return 1 if figures.tally.failures else 0


def main() -> int:
    chosen = options()
    if chosen.profile:
        from benchmarks.profiling import profile

        return profile(payload(chosen.profile), chosen.calls, audit=chosen.audit)
    return bench(chosen)


if __name__ == "__main__":
    sys.exit(main())
