"""Metrics by the architecture document's names, for Prometheus.

    request_count, response_time, error_rate, circuit_breaker_state;
    order_completion_rate, payment_success_rate, integration_latency

Times are in seconds, rates shares between 0 and 1 of what ended in the last five minutes (NaN when nothing did).
"""

from __future__ import annotations

import math
import time
from collections import Counter as Counts
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from shop.runtime.resilience import BreakerState, CircuitBreaker

_TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
WINDOW = 300.0


class Share:
    """How much of what ended within the last `window` seconds was of one kind."""

    def __init__(self, window: float = WINDOW, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window
        self._clock = clock
        self._ended: deque[tuple[float, bool]] = deque()
        self._hits = 0

    def add(self, *, hit: bool) -> None:
        """Something ended."""
        self._ended.append((self._clock(), hit))
        self._hits += hit
        self._forget()

    @property
    def value(self) -> float:
        """Between 0 and 1; NaN when nothing ended."""
        self._forget()
        return self._hits / len(self._ended) if self._ended else math.nan

    def _forget(self) -> None:
        oldest = self._clock() - self._window
        while self._ended and self._ended[0][0] < oldest:
            self._hits -= self._ended.popleft()[1]


class Metrics:
    """The metrics of one process. `protocol` is `http`, `grpc`, `event` or `external`."""

    def __init__(self, service: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._service = service
        common = ("service", "protocol", "operation")
        self._requests = Counter("request_count", "Calls by outcome", (*common, "outcome"), registry=self.registry)
        self._times = Histogram("response_time", "Seconds", common, buckets=_TIMES, registry=self.registry)
        self._rates = Gauge("error_rate", "Share of failed calls", ("service", "protocol"), registry=self.registry)
        self._breakers = Gauge(
            "circuit_breaker_state", "0 closed, 1 half open, 2 open", ("service", "peer"), registry=self.registry
        )
        self._latency = Histogram(
            "integration_latency",
            "Seconds from an event to its effect",
            ("service", "integration"),
            buckets=_TIMES,
            registry=self.registry,
        )
        self._errors: dict[str, Share] = {}
        self.orders = self._share("order_completion_rate", "Share of orders that were completed")
        self.payments = self._share("payment_success_rate", "Share of payments that succeeded")

    def _share(self, name: str, documentation: str) -> Share:
        share = Share(clock=self._clock)
        gauge = Gauge(name, documentation, ("service",), registry=self.registry)
        gauge.labels(self._service).set_function(lambda: share.value)
        return share

    def ended(self, protocol: str, operation: str, outcome: str, seconds: float, *, failed: bool) -> None:
        """A call ended. `outcome` is its status; `failed`: it was the server's fault."""
        self._requests.labels(self._service, protocol, operation, outcome).inc()
        self._times.labels(self._service, protocol, operation).observe(seconds)
        errors = self._errors.get(protocol)
        if errors is None:
            errors = self._errors[protocol] = Share(clock=self._clock)
            self._rates.labels(self._service, protocol).set_function(lambda: self._errors[protocol].value)
        errors.add(hit=failed)

    def integrated(self, integration: str, seconds: float) -> None:
        """An event had its effect, so many seconds after it happened."""
        self._latency.labels(self._service, integration).observe(max(0.0, seconds))

    def breaker_changed(self, breaker: CircuitBreaker, before: BreakerState, after: BreakerState) -> None:
        """For `CircuitBreaker(on_change=...)`."""
        self._breakers.labels(self._service, breaker.name).set(_STATES[after])

    def breaker(self, name: str) -> CircuitBreaker:
        """A breaker with the document's numbers (5 failures, 30 s, 3 trial calls) whose state is shown."""
        self._breakers.labels(self._service, name).set(0)
        return CircuitBreaker(name, on_change=self.breaker_changed)

    def show_counts(self, counts: Counts[str]) -> None:
        """Show figures of a transport, such as `RedisStreams.counts`, as `event_count` by `kind`."""
        self.registry.register(_CountsCollector(self._service, counts))

    def exposition(self) -> tuple[bytes, Mapping[str, str]]:
        """What `GET /metrics` answers: body and headers."""
        return generate_latest(self.registry), {"content-type": CONTENT_TYPE_PLAIN_0_0_4}


class _CountsCollector(Collector):
    def __init__(self, service: str, counts: Counts[str]) -> None:
        self._service = service
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        return self._collect()

    def _collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily("event_count", "Events by what happened to them", labels=("service", "kind"))
        for kind, count in sorted(self._counts.items()):
            family.add_metric((self._service, kind), count)
        yield family
