"""What the service tells Prometheus. Labels are routes and classes of statuses, so that their number is bounded."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds


class ServiceMetrics:
    """One application's numbers.

    Args:
        registry: where they are offered; left out, one of their own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._requests = Counter(
            "kameng_service_requests",
            "Requests that were answered, by route and class of status",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "kameng_service_request_seconds",
            "How long the answers took; of streams, until they ended",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._streams = Gauge("kameng_service_streams", "Streams that are open", registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        self._requests.labels(method, route, f"{status // 100}xx" if status else "lost").inc()
        self._seconds.labels(route).observe(seconds)

    def streams(self, number: int) -> None:
        """How many streams are open."""
        self._streams.set(number)
