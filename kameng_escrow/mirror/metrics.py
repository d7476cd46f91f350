"""What a mirror tells Prometheus, a log, and whoever asks whether it is well.

Labels take few values: the nodes that the settings name, the codes of our errors, kinds of drift.
"""

import logging
import threading
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Term
from kameng_escrow.telemetry import Health

from .observe import Observer
from .reconcile import AuditReport
from .report import MirrorReport, Progress

_STALE = 60.0  # seconds without having reached the head after which a mirror is not ready
_HUNG = 600.0  # seconds without any sign of life after which it should be started anew

log = logging.getLogger("kameng_escrow.mirror")


class MirrorMetrics(Observer):
    """One mirror's numbers, and its state of health.

    Args:
        registry: where they are offered; left out, one of their own.
        now: Unix seconds.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, now: Callable[[], float] = time.time) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self._now = now
        self._lock = threading.Lock()
        self._counted = 0  # events of the present run that are counted
        self._looked: float | None = None  # when the head was last reached, monotonic
        self._alive = time.monotonic()
        self._term: Term | None = None
        self._drifts = 0
        self._report: MirrorReport | None = None

        def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
            return Gauge(f"kameng_mirror_{name}", text, labels, registry=self.registry)

        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"kameng_mirror_{name}", text, labels, registry=self.registry)

        self._leader = gauge("leader", "Whether this process writes; otherwise it stands by")
        self._number = gauge("term", "The number of the present term: it grows with every change of leader")
        self._seen = gauge("seen_block", "The last block in the store")
        self._final = gauge("final_block", "The last block that is not expected to change")
        self._head = gauge("head_block", "The chain's last block, when last asked")
        self._lag_blocks = gauge("lag_blocks", "Blocks that are not in the store yet")
        self._lag_seconds = gauge("lag_seconds", "Seconds since the store was last level with the chain's head")
        self._lag_seconds.set_function(self._lag)
        self._events = counter("events", "Events that were read")
        self._blocks = counter("blocks", "Blocks that were read")
        self._reorgs = counter("reorgs", "Changes of the chain that were undone")
        self._reorg_blocks = counter("reorg_blocks", "Blocks that were undone")
        self._below_final = counter("reorgs_below_final", "Changes of the chain that reached below the final mark")
        self._troubles = counter("troubles", "What the mirror had to wait for, by code", ("code",))
        self._node_errors = counter("node_errors", "Questions that a node failed, by node and code", ("node", "code"))
        self._drift = gauge("drift", "Differences between store and chain at the last audit, by kind", ("kind",))
        self._audits = counter("audits", "Audits that were completed")
        self._audited = gauge("audit_timestamp_seconds", "When the last audit was completed, Unix seconds")
        self._audit_orders = gauge("audit_orders", "Orders that the last audit compared")

    # --------------------------------------------------------------------------------------------------------- observed

    def leading(self, term: Term | None) -> None:
        with self._lock:
            changed = term != self._term
            self._term = term
        self._alive = time.monotonic()
        self._leader.set(term is not None)
        if term is not None:
            self._number.set(term.number)
        if changed:
            log.info("leading" if term else "standing by", extra={"term": term.number if term else None})

    def began(self) -> None:
        with self._lock:
            self._counted = 0  # the run before may have ended in the middle

    def progress(self, progress: Progress) -> None:
        self._alive = time.monotonic()
        with self._lock:
            more, self._counted = progress.events - self._counted, progress.events
        self._events.inc(more)
        self._seen.set(progress.block)
        self._head.set(progress.head)
        self._lag_blocks.set(max(0, progress.head - progress.block))

    def looked(self, report: MirrorReport) -> None:
        self._alive = time.monotonic()
        with self._lock:
            self._report = report
            if report.caught_up:
                self._looked = time.monotonic()
        self._blocks.inc(report.blocks)
        self._final.set(report.final)
        for reorg in report.reorgs:
            self._reorgs.inc()
            self._reorg_blocks.inc(reorg.depth)
            self._below_final.inc(reorg.below_final)
            log.warning(
                "reorg undone",
                extra={"fork": reorg.fork, "depth": reorg.depth, "events": reorg.events, "orders": reorg.orders}
                | {"below_final": reorg.below_final},
            )
        if report.events:
            log.info("mirrored", extra={"block": report.seen, "head": report.head, "events": report.events})

    def trouble(self, error: EscrowError) -> None:
        self._alive = time.monotonic()
        self._troubles.labels(error.code).inc()
        log.warning(error.message, extra={"code": error.code})

    def node_failed(self, node: str, error: EscrowError) -> None:
        """A node failed a question; another is asked."""
        self._node_errors.labels(node, error.code).inc()
        log.warning(error.message, extra={"code": error.code, "node": node})

    def audited(self, report: AuditReport) -> None:
        """An audit is done."""
        for kind, count in report.counts().items():
            self._drift.labels(kind).set(count)
        with self._lock:
            self._drifts = len(report.drifts)
        self._audits.inc()
        self._audited.set(self._now())
        self._audit_orders.set(report.orders)
        for drift in report.drifts:
            log.error(
                "drift",
                extra={"what": drift.what, "field": drift.field}
                | {"mirrored": str(drift.mirrored), "on_chain": str(drift.on_chain)},
            )

    # ----------------------------------------------------------------------------------------------------------- health

    def alive(self) -> Health:
        """Whether the process gets on with its work, if only with waiting."""
        silent = time.monotonic() - self._alive
        return Health(silent < _HUNG or self._term is None, {"seconds_since_last_sign": round(silent, 1)})

    def ready(self) -> Health:
        """Whether the store may be relied upon: the head was reached a moment ago, and no audit found a difference.

        A process that stands by is ready to take over, and says so.
        """
        with self._lock:
            term, looked, drifts, report = self._term, self._looked, self._drifts, self._report
        details: dict[str, object] = {
            "leader": term is not None,
            "term": term.number if term else None,
            "seen_block": report.seen if report else None,
            "final_block": report.final if report else None,
            "head_block": report.head if report else None,
            "drifts": drifts,
        }
        if term is None:
            return Health(True, details)
        since = None if looked is None else time.monotonic() - looked
        details["seconds_since_head"] = None if since is None else round(since, 1)
        return Health(since is not None and since < _STALE and drifts == 0, details)

    def _lag(self) -> float:
        return float("nan") if self._looked is None else time.monotonic() - self._looked
