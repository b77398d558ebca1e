"""Counters of this process, kept as plain dictionaries and turned into Prometheus text when somebody asks.

One event loop writes them, so that no lock is needed; labels never hold anything that came from a patient.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

DESCRIPTIONS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("cds_calls", "counter", ("service", "status"), "Hook calls answered, by service and HTTP status."),
    ("cds_call_seconds", "histogram", ("service",), "Time from the first byte of a hook call to its answer."),
    ("cds_verdicts", "counter", ("rule", "status", "reason"), "Verdicts of rules on calls."),
    ("cds_cards", "counter", ("indicator",), "Cards sent."),
    ("cds_invalid_cards", "counter", ("service",), "Cards that the plugin made and the host dropped as invalid."),
    ("cds_evaluate_errors", "counter", ("service",), "Calls on which the plugin failed as a whole."),
    ("cds_internal_errors", "counter", ("service",), "Calls on which the host failed."),
    ("cds_audit_failures", "counter", ("state",), "Calls answered before their audit entry was durable, by state."),
    ("cds_memory_failures", "counter", (), "Calls for which what was shown before could not be read: all was shown."),
    ("cds_overload", "counter", ("kind",), "Calls that were not judged because there were too many, by kind."),
    ("cds_feedback", "counter", ("service", "outcome"), "Feedback received."),
    ("cds_tokens", "counter", ("client", "outcome"), "Tokens of calls by client: accepted, re-sent, or why refused."),
    ("cds_key_fetches", "counter", ("client", "outcome"), "Attempts to fetch the keys of a client, by outcome."),
    ("cds_clock_offset_seconds", "gauge", ("server",), "How far ahead of ours the clock of an EHR's server is."),
    ("cds_unmapped", "gauge", (), "Codes and texts in the inbox of what nothing resolved."),
    ("cds_unmapped_dropped", "counter", (), "Least counted codes and texts that fell out of a full inbox."),
    ("cds_resolver_requests", "counter", ("outcome",), "Questions to the resolver about unknown codes, by outcome."),
    ("cds_resolver_queue", "gauge", (), "Codes that wait to be asked about."),
    ("cds_resolver_breaker", "gauge", ("state",), "1 for the state of the resolver's circuit breaker."),
    ("cds_fhir_requests", "counter", ("outcome",), "Requests to FHIR servers for what calls lacked, by outcome."),
    ("cds_fhir_servers", "gauge", ("state",), "Registered FHIR servers, by the state of their circuit breakers."),
)
"""Every metric of the host as (name, kind, labels, meaning)."""


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, ...]] = Counter()
        self.verdicts: Counter[tuple[str, ...]] = Counter()
        self.cards: Counter[tuple[str, ...]] = Counter()
        self.invalid_cards: Counter[tuple[str, ...]] = Counter()
        self.evaluate_errors: Counter[tuple[str, ...]] = Counter()
        self.internal_errors: Counter[tuple[str, ...]] = Counter()
        self.audit_failures: Counter[tuple[str, ...]] = Counter()
        self.memory_failures: Counter[tuple[str, ...]] = Counter()
        self.overload: Counter[tuple[str, ...]] = Counter()
        self.feedback: Counter[tuple[str, ...]] = Counter()
        self.tokens: Counter[tuple[str, ...]] = Counter()
        self.key_fetches: Counter[tuple[str, ...]] = Counter()
        self.clock_offset_seconds: dict[tuple[str, ...], float] = {}
        self.unmapped_dropped: Counter[tuple[str, ...]] = Counter()
        self.resolver_requests: Counter[tuple[str, ...]] = Counter()
        self.fhir_requests: Counter[tuple[str, ...]] = Counter()
        self.fhir_servers: dict[tuple[str, ...], int] = {}
        self.unmapped: dict[tuple[str, ...], int] = {}
        self.resolver_queue: dict[tuple[str, ...], int] = {}
        self.resolver_breaker: dict[tuple[str, ...], int] = {}
        self._times: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def call(self, service: str, status: int, seconds: float) -> None:
        self.calls[service, str(status)] += 1
        times = self._times.get(service)
        if times is None:
            times = self._times[service] = [0] * (len(BUCKETS) + 1)
        times[bisect_left(BUCKETS, seconds)] += 1
        self._sums[service] = self._sums.get(service, 0.0) + seconds

    def answered(self, cards: Iterable[dict[str, Any]], results: Iterable[dict[str, Any]]) -> None:
        for card in cards:
            self.cards[card["indicator"],] += 1
        self.verdicts.update([(one.get("rule", ""), one.get("status", ""), one.get("reason", "")) for one in results])

    def render(self) -> bytes:
        """All metrics in the Prometheus text format, those of the process included."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    @cached_property
    def _registry(self) -> CollectorRegistry:
        from prometheus_client import CollectorRegistry, ProcessCollector

        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        return registry

    def collect(self) -> Iterator[Metric]:
        """What ``prometheus_client`` asks a collector for."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        for name, kind, labels, meaning in DESCRIPTIONS:
            if kind == "histogram":
                histogram = HistogramMetricFamily(name, meaning, labels=labels)
                for service, times in self._times.items():
                    histogram.add_metric([service], _cumulative(times), self._sums[service])
                yield histogram
            else:
                made = GaugeMetricFamily if kind == "gauge" else CounterMetricFamily
                family = made(name, meaning, labels=labels)
                for values, count in getattr(self, name.removeprefix("cds_")).items():
                    family.add_metric(values, count)
                yield family


def _cumulative(times: list[int]) -> list[tuple[str, float]]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), times, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
