"""Every metric that symsrv shows, declared once.

The hot path touches plain numbers of this process (well below 2 µs per request); Prometheus' own objects, with their
locks, are only made when somebody asks. Several workers each count for themselves and answer with their own numbers.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one upstream did since it was added: bytes, and downloads by how they ended."""

    upstream: str
    bytes: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pulling:
    """How fetching goes, whichever process does it: each upstream, and the wants by their state."""

    upstreams: Sequence[Pulled]
    wants: Mapping[str, int]


class ServeMetrics(Collector):
    """What the HTTP front end of one process did since it began."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], int] = {}
        self.bytes_sent = 0
        self.in_flight = 0
        self.connections: Callable[[], int] | None = None
        self.store_files: Callable[[], int | None] | None = None
        self.misses: dict[str, int] = {}
        self.waits: dict[str, int] = {}
        self.waiting: Callable[[], int] | None = None
        self.pulling: Callable[[], Pulling | None] | None = None
        self._seconds = 0.0
        self._buckets = [0] * (len(BUCKETS_SECONDS) + 1)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def observe(self, layout: str, outcome: str, *, seconds: float, sent: int) -> None:
        """Counts one answered request."""
        key = (layout, outcome)
        self.requests[key] = self.requests.get(key, 0) + 1
        self.bytes_sent += sent
        self._seconds += seconds
        self._buckets[bisect_left(BUCKETS_SECONDS, seconds)] += 1

    def count_misses(self, outcome: str, number: int) -> None:
        """Counts misses on their way to the missing list: `recorded` or `dropped`."""
        self.misses[outcome] = self.misses.get(outcome, 0) + number

    def count_waits(self, outcome: str) -> None:
        """Counts a client that waited for a fetch, by what came of it."""
        self.waits[outcome] = self.waits.get(outcome, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """The numbers as Prometheus' families."""
        requests = CounterMetricFamily(
            "symsrv_requests", "Requests answered, by dialect and outcome.", labels=("layout", "outcome")
        )
        for labels, count in sorted(self.requests.items()):
            requests.add_metric(labels, count)
        yield requests
        yield CounterMetricFamily("symsrv_sent_bytes", "Bytes of bodies sent.", self.bytes_sent)
        yield self._latency()
        yield GaugeMetricFamily("symsrv_requests_in_flight", "Requests being answered now.", self.in_flight)
        if self.connections is not None:
            yield GaugeMetricFamily("symsrv_open_connections", "Clients connected now.", self.connections())
        yield from self._demand()
        if self.pulling is not None and (pulling := self.pulling()) is not None:
            yield from _pulled(pulling)
        files = None if self.store_files is None else self.store_files()
        if files is not None:
            yield GaugeMetricFamily("symsrv_store_files", "Files that the index of the store knows.", files)

    def render(self) -> bytes:
        """The page that Prometheus scrapes."""
        return generate_latest(self._registry)

    def _demand(self) -> Iterator[Metric]:
        for name, counts, what in (
            ("symsrv_misses", self.misses, "Misses on their way to the missing list, by what became of them."),
            ("symsrv_waits", self.waits, "Clients that waited for a fetch, by what came of it."),
        ):
            family = CounterMetricFamily(name, what, labels=("outcome",))
            for outcome, count in sorted(counts.items()):
                family.add_metric((outcome,), count)
            yield family
        if self.waiting is not None:
            yield GaugeMetricFamily("symsrv_clients_waiting", "Clients that wait for a fetch now.", self.waiting())

    def _latency(self) -> HistogramMetricFamily:
        total = 0
        buckets = []
        for bound, count in zip((*map(str, BUCKETS_SECONDS), "+Inf"), self._buckets, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family = HistogramMetricFamily("symsrv_request_seconds", "Time from a request's headers to its last byte.")
        family.add_metric([], buckets, self._seconds)
        return family


def _pulled(pulling: Pulling) -> Iterator[Metric]:
    received = CounterMetricFamily("symsrv_pull_received_bytes", "Bytes that upstreams gave.", labels=("upstream",))
    downloads = CounterMetricFamily(
        "symsrv_pull_downloads", "What was asked of upstreams, by how it ended.", labels=("upstream", "outcome")
    )
    for one in pulling.upstreams:
        received.add_metric((one.upstream,), one.bytes)
        for outcome, count in one.outcomes.items():
            downloads.add_metric((one.upstream, outcome), count)
    wants = GaugeMetricFamily("symsrv_wants", "What was asked for and not found, by its state.", labels=("state",))
    for state, count in pulling.wants.items():
        wants.add_metric((state,), count)
    yield from (received, downloads, wants)
