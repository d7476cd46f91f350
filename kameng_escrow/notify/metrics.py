"""What a notifier tells Prometheus, a log, and whoever asks whether it is well.

Labels take few values: kinds of channels, stages, codes of our errors. Neither addresses nor accounts are among them,
and no log line has a secret, a URL or somebody's address.
"""

import logging
import time
import traceback
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from kameng_escrow.errors import EscrowError
from kameng_escrow.store.service.notifying import ChannelKind, Stage
from kameng_escrow.telemetry import Health

from .deliveries import Outcome
from .senders import Sent

_STALE = 60.0  # seconds without a look at the store after which a notifier is not ready
_HUNG = 600.0  # seconds without any sign of life after which it should be started anew
_DELAYS = (0.5, 1, 2, 5, 15, 60, 300, 1_800, 7_200, 28_800, 86_400, 259_200)  # seconds
DOINGS = ("choose", "send", "record")  # what failures of our own are counted by

log = logging.getLogger("kameng_escrow.notify")


class NotifierMetrics:
    """One notifier's numbers, and its state of health.

    Args:
        registry: where they are offered; left out, one of their own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"kameng_notifier_{name}", text, registry=self.registry)

        self._webhooks = Counter(
            "kameng_notifier_webhook_attempts",
            "Webhooks that were tried, by where that left them",
            ["stage"],
            registry=self.registry,
        )
        self._delay = Histogram(
            "kameng_notifier_webhook_seconds",
            "From queueing a webhook until it was taken",
            buckets=_DELAYS,
            registry=self.registry,
        )
        self._messages = Counter(
            "kameng_notifier_messages",
            "Messages to people that were tried, by kind of channel and whether they were taken",
            ["kind", "taken"],
            registry=self.registry,
        )
        self._disabled = Counter(
            "kameng_notifier_disabled_endpoints", "Endpoints that were disabled", ["reason"], registry=self.registry
        )
        self._troubles = Counter(
            "kameng_notifier_troubles", "What keeps it from sending, by code", ["code"], registry=self.registry
        )
        self._unforeseen = Counter(
            "kameng_notifier_unforeseen",
            "Failures of our own that nobody thought of, by what was being done; it is tried again",
            ["doing"],
            registry=self.registry,
        )
        for doing in DOINGS:
            self._unforeseen.labels(doing)
        self._leader = gauge("leader", "Whether this process is the contract's notifier")
        self._under_way = gauge("under_way", "Requests that wait for an answer")
        self._waiting = gauge(
            "waiting_webhooks", "Webhooks that wait for their time or their turn, counted now and then"
        )
        for stage in (Stage.Waiting, Stage.Sent, Stage.Failed):
            self._webhooks.labels(stage.label)
        for kind in ChannelKind:
            for taken in ("yes", "no"):
                self._messages.labels(kind.label, taken)
        self._sign = time.monotonic()  # of life
        self._look: float | None = None  # the last that went well
        self._leads: bool | None = None

    def ended(self, outcome: Outcome | Sent) -> None:
        """Counts an attempt."""
        if isinstance(outcome, Sent):
            self._messages.labels(outcome.kind.label, "yes" if outcome.taken else "no").inc()
            if not outcome.taken:
                log.warning("message not taken", extra={"kind": outcome.kind.label, "error": outcome.error})
            return
        self._webhooks.labels(outcome.stage.label).inc()
        told = {"endpoint": outcome.endpoint_id, "delivery": outcome.delivery_id, "status": outcome.status}
        if outcome.stage is Stage.Sent:
            self._delay.observe(outcome.waited_ms / 1_000)
            log.info("webhook taken", extra=told)
        else:
            log.warning("webhook not taken", extra={**told, "error": outcome.error, "stage": outcome.stage.label})
        if outcome.disabled is not None:
            self._disabled.labels(outcome.disabled.label).inc()
            log.warning("endpoint disabled", extra={**told, "reason": outcome.disabled.label})

    def trouble(self, error: EscrowError) -> None:
        """Counts what keeps it from sending."""
        self._sign = time.monotonic()
        self._troubles.labels(error.code).inc()
        log.warning(error.message, extra={"code": error.code})

    def unforeseen(self, doing: str, error: Exception) -> None:
        """Counts a failure of our own, and says where it was: not in its words, which may have somebody's URL in them.

        Args:
            doing: one of `DOINGS`.
        """
        self._unforeseen.labels(doing).inc()
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{Path(one.filename).name}:{one.lineno}" for one in frames]
        log.error("unforeseen failure", extra={"doing": doing, "error": type(error).__name__, "places": places})

    def leading(self, is_leader: bool) -> None:
        """Whether this process has the place."""
        self._sign = time.monotonic()
        self._leader.set(int(is_leader))
        if is_leader != self._leads:
            log.info("leading" if is_leader else "standing by")
        self._leads = is_leader

    def looked(self, *, under_way: int) -> None:
        """A look went well."""
        self._look = time.monotonic()
        self._under_way.set(under_way)

    def waiting(self, webhooks: int) -> None:
        """How many wait."""
        self._waiting.set(webhooks)

    # ----------------------------------------------------------------------------------------------------------- health

    def alive(self) -> Health:
        """Whether the process gets on with its work, if only with waiting."""
        silent = time.monotonic() - self._sign
        return Health(silent < _HUNG, {"seconds_since_last_sign": round(silent, 1)})

    def ready(self) -> Health:
        """Whether what happens is passed on: the store was looked at a moment ago. A process that stands by is ready to
        take over, and says so.
        """
        since = None if self._look is None else time.monotonic() - self._look
        details: dict[str, object] = {"leader": bool(self._leads)}
        if self._leads is False:
            return Health(True, details)
        details["seconds_since_look"] = None if since is None else round(since, 1)
        return Health(since is not None and since < _STALE, details)
