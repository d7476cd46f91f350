"""Webhook endpoints as their owners manage them: made, changed, rotated, tested, replayed, and looked at."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from kameng_escrow.store import Store
from kameng_escrow.store.service import webhooks as queries
from kameng_escrow.store.service.ids import new_id
from kameng_escrow.store.service.notifying import Delivery, DisabledFor, Purpose, Stage
from kameng_escrow.store.service.outbox import begin_reading
from kameng_escrow.store.service.webhook_rows import AttemptRow, DeliveryRow, EndpointRow
from kameng_escrow.webhooks.events import TESTED
from kameng_escrow.webhooks.signing import new_secret

from .addresses import check_url
from .envelope import message_id, test_id
from .errors import DeliveryFixed, EndpointDisabled, EndpointUnfit, TooManyEndpoints, UnknownDelivery, UnknownEndpoint
from .fanout import Missed, missed, recover
from .rules import check_events, check_purpose
from .sealing import Sealer

MOST = 20  # endpoints of an account
KEEP_DAYS = 30  # for which what was sent stays in the log
RECOVER_DAYS = KEEP_DAYS - 1  # ago at most; a day less, since the mirror's clock and the notifier's may differ
OVERLAP_HOURS = 24  # for which a secret that was rotated out signs too
_DAY_MS = 86_400_000
_LONGEST_OVERLAP = 24 * 30
_LONGEST_DESCRIPTION = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint as its owner sees it. Its secret is not in it: that is shown once. Times: Unix milliseconds."""

    id: str
    owner: str
    url: str
    description: str
    events: tuple[str, ...]  # none: all
    delivery: Delivery
    purpose: Purpose
    created_ms: int
    disabled_ms: int | None
    disabled_for: DisabledFor | None
    failing_since_ms: int | None
    quiet_until_ms: int | None
    heard_ms: int | None
    old_secret_until_ms: int | None  # until then the secret that was rotated out signs too


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request."""

    at_ms: int
    took_ms: int
    status: int | None  # of HTTP; None: no answer
    error: str | None  # as `wire.Answer` has them; None: there was an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEntry:
    """A line of an endpoint's log."""

    id: int
    message_id: str
    type: str
    order_id: str | None
    stage: Stage
    final: bool
    created_ms: int
    next_try_ms: int | None
    ended_ms: int | None
    attempts: tuple[Attempt, ...]  # all that there were, by hand too


class Endpoints:
    """The endpoints of one contract's accounts. Every method takes the owner, and finds nothing of anybody else's.

    Methods take a session of `Store.writing`, reading ones of either kind, so that a caller may do more in one
    transaction.

    Args:
        contract_id: within the store.
        sealer: for secrets.
        loopback: whether endpoints may be on this machine: for a local chain only.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        contract_id: int,
        sealer: Sealer,
        *,
        loopback: bool = False,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._contract_id = contract_id
        self._sealer = sealer
        self._loopback = loopback
        self._clock_ms = clock_ms

    # --------------------------------------------------------------------------------------------------------- making

    def create(
        self,
        session: Session,
        owner: str,
        *,
        url: str,
        events: Collection[str] = (),
        delivery: Delivery = Delivery.Final,
        purpose: Purpose | None = None,
        description: str = "",
    ) -> tuple[Endpoint, str]:
        """A new endpoint, and its secret, which nobody can ask for again.

        Raises:
            EndpointUnfit: its address, events, delivery or purpose can't be so.
            TooManyEndpoints: the account has enough.
        """
        fields = self._checked(url=url, events=events, delivery=delivery, purpose=purpose, description=description)
        if len(queries.endpoints_of(session, self._contract_id, owner)) >= MOST:
            raise TooManyEndpoints(MOST)
        begin_reading(session, self._contract_id)
        secret = new_secret()
        row = EndpointRow(
            id=new_id("whk"),
            contract_id=self._contract_id,
            owner=owner,
            secret=self._sealer.seal(secret),
            created_ms=self._clock_ms(),
            **fields,
        )
        session.add(row)
        session.flush()
        return _endpoint(row), secret

    def update(self, session: Session, owner: str, endpoint_id: str, **changes: Any) -> Endpoint:
        """Changes what `create` took, but for `delivery`. What waits already is sent by the new address.

        Raises:
            UnknownEndpoint, DeliveryFixed; and as `create`.
        """
        row = self._row(session, owner, endpoint_id)
        if changes.get("delivery", row.delivery) is not row.delivery:
            raise DeliveryFixed(row.delivery)
        now = {name: getattr(row, name) for name in ("url", "events", "delivery", "purpose", "description")}
        for name, value in self._checked(**{**now, **changes}).items():
            setattr(row, name, value)
        if row.url != now["url"]:
            row.failing_since_ms = row.quiet_until_ms = None
        session.flush()
        return _endpoint(row)

    def disable(self, session: Session, owner: str, endpoint_id: str) -> Endpoint:
        """Sends nothing there, and queues nothing. Raises `UnknownEndpoint`."""
        row = self._row(session, owner, endpoint_id)
        if row.disabled_ms is None:
            row.disabled_ms, row.disabled_for = self._clock_ms(), DisabledFor.Owner
        return _endpoint(row)

    def enable(self, session: Session, owner: str, endpoint_id: str) -> Endpoint:
        """Sends again, what waits first. What happened meanwhile comes by `recover`. Raises `UnknownEndpoint`."""
        row = self._row(session, owner, endpoint_id)
        row.disabled_ms = row.disabled_for = row.failing_since_ms = row.quiet_until_ms = None
        return _endpoint(row)

    def rotate(
        self, session: Session, owner: str, endpoint_id: str, *, overlap_hours: int = OVERLAP_HOURS
    ) -> tuple[Endpoint, str]:
        """A new secret, shown once; the old one signs too for a while. Of several rotations within that, only the last
        secret before this one.

        Args:
            overlap_hours: 0 … 720; 0: the old secret is known to somebody, and stops at once.

        Raises:
            UnknownEndpoint, EndpointUnfit.
        """
        if not 0 <= overlap_hours <= _LONGEST_OVERLAP:
            raise EndpointUnfit(
                "overlap_hours",
                f"An old secret goes on for 0 to {_LONGEST_OVERLAP} hours, not {overlap_hours}.",
                f"旧密钥可继续 0 到 {_LONGEST_OVERLAP} 小时，不能是 {overlap_hours}。",
            )
        row = self._row(session, owner, endpoint_id)
        secret = new_secret()
        row.old_secret = row.secret if overlap_hours else None
        row.old_until_ms = self._clock_ms() + overlap_hours * 3_600_000 if overlap_hours else None
        row.secret = self._sealer.seal(secret)
        session.flush()
        return _endpoint(row), secret

    def delete(self, session: Session, owner: str, endpoint_id: str) -> None:
        """Deletes it with its log. Raises `UnknownEndpoint`."""
        row = self._row(session, owner, endpoint_id)
        queries.forget_endpoint(session, row.id)

    # -------------------------------------------------------------------------------------------------------- buttons

    def test(self, session: Session, owner: str, endpoint_id: str) -> DeliveryEntry:
        """Has a `webhook.tested` sent: the one that waits already, if there is one. Raises `UnknownEndpoint`,
        `EndpointDisabled`."""
        endpoint = self._enabled(session, owner, endpoint_id)
        now = self._clock_ms()
        waits = queries.waiting_test(session, endpoint.id)
        if waits is not None:
            waits.next_try_ms = now
            session.flush()
            return _entry(waits, queries.attempts_of(session, [waits.id]))
        row = DeliveryRow(
            endpoint_id=endpoint.id,
            outbox_id=None,
            order_id=None,
            type=TESTED,
            final=False,
            stage=Stage.Waiting,
            attempts=0,
            created_ms=now,
            next_try_ms=now,
            ended_ms=None,
        )
        session.add(row)
        session.flush()
        return _entry(row, ())

    def replay(self, session: Session, owner: str, endpoint_id: str, delivery_id: int) -> DeliveryEntry:
        """Has a delivery sent again, whatever became of it, with the same id, and what waits for the same order after
        it. Raises `UnknownEndpoint`, `UnknownDelivery`, `EndpointDisabled`."""
        endpoint = self._enabled(session, owner, endpoint_id)
        row = session.get(DeliveryRow, delivery_id, with_for_update=True)
        if row is None or row.endpoint_id != endpoint.id:
            raise UnknownDelivery(delivery_id)
        row.stage, row.attempts, row.next_try_ms, row.ended_ms = Stage.Waiting, 0, self._clock_ms(), None
        session.flush()
        return _entry(row, queries.attempts_of(session, [row.id]))

    def recover(self, store: Store, owner: str, endpoint_id: str, since_ms: int) -> int:
        """Has all sent that was given up since then, or never queued because the endpoint was disabled; returns how
        much that is at most. In several short transactions: where it fails, asking again goes on.

        Raises:
            UnknownEndpoint, EndpointDisabled.
            EndpointUnfit: that was more than `RECOVER_DAYS` ago.
        """
        now = self._clock_ms()
        if since_ms < now - RECOVER_DAYS * _DAY_MS:
            raise EndpointUnfit(
                "since",
                f"What happened up to {RECOVER_DAYS} days ago can be sent again: of what is older the log no longer "
                "says what you have had, and it would come twice. Ask for a later time.",
                f"只能补发最近 {RECOVER_DAYS} 天的：更早的，日志里已没有送达记录，补发会让你收到两次。"
                "请给一个较晚的时间。",
            )
        with store.reading() as session:
            endpoint = self._enabled(session, owner, endpoint_id, lock=False)
            left: Missed | None = missed(session, endpoint, since_ms)
        with store.writing() as session:
            count = queries.ask_again(session, self._enabled(session, owner, endpoint_id).id, since_ms, now)
        while left is not None:
            with store.writing() as session:
                more, left = recover(session, self._enabled(session, owner, endpoint_id), left, now)
            count += more
        return count

    # -------------------------------------------------------------------------------------------------------- looking

    def of(self, session: Session, owner: str) -> list[Endpoint]:
        """An account's endpoints, the oldest first."""
        return [_endpoint(row) for row in queries.endpoints_of(session, self._contract_id, owner)]

    def get(self, session: Session, owner: str, endpoint_id: str) -> Endpoint:
        """One of them. Raises `UnknownEndpoint`."""
        row = queries.endpoint_of(session, self._contract_id, owner, endpoint_id)
        if row is None:
            raise UnknownEndpoint(endpoint_id)
        return _endpoint(row)

    def log(
        self,
        session: Session,
        owner: str,
        endpoint_id: str,
        *,
        stages: Collection[Stage] | None = None,
        order_id: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[DeliveryEntry]:
        """What was sent there and what became of it, the newest first; `before`: an entry's id, for the next page.
        Raises `UnknownEndpoint`."""
        self.get(session, owner, endpoint_id)
        rows = queries.deliveries_of(session, endpoint_id, stages=stages, order_id=order_id, before=before, limit=limit)
        attempts: dict[int, list[AttemptRow]] = {}
        for attempt in queries.attempts_of(session, [row.id for row in rows]):
            attempts.setdefault(attempt.delivery_id, []).append(attempt)
        return [_entry(row, attempts.get(row.id, ())) for row in rows]

    # ----------------------------------------------------------------------------------------------------------- parts

    def _row(self, session: Session, owner: str, endpoint_id: str, *, lock: bool = True) -> EndpointRow:
        row = queries.endpoint_of(session, self._contract_id, owner, endpoint_id, lock=lock)
        if row is None:
            raise UnknownEndpoint(endpoint_id)
        return row

    def _enabled(self, session: Session, owner: str, endpoint_id: str, *, lock: bool = True) -> EndpointRow:
        row = self._row(session, owner, endpoint_id, lock=lock)
        if row.disabled_ms is not None:
            raise EndpointDisabled(endpoint_id)
        return row

    def _checked(
        self, *, url: str, events: Collection[str], delivery: Delivery, purpose: Purpose | None, description: str
    ) -> dict[str, Any]:
        check_url(url, loopback=self._loopback)
        names = check_events(events)
        if len(description) > _LONGEST_DESCRIPTION:
            raise EndpointUnfit(
                "description",
                f"A description has at most {_LONGEST_DESCRIPTION} characters, not {len(description)}.",
                f"说明最多 {_LONGEST_DESCRIPTION} 字，现在有 {len(description)} 字。",
            )
        return {
            "url": url,
            "events": list(names),
            "delivery": delivery,
            "purpose": check_purpose(names, delivery, purpose),
            "description": description,
        }


def _endpoint(row: EndpointRow) -> Endpoint:
    return Endpoint(
        id=row.id,
        owner=row.owner,
        url=row.url,
        description=row.description,
        events=tuple(row.events),
        delivery=row.delivery,
        purpose=row.purpose,
        created_ms=row.created_ms,
        disabled_ms=row.disabled_ms,
        disabled_for=row.disabled_for,
        failing_since_ms=row.failing_since_ms,
        quiet_until_ms=row.quiet_until_ms,
        heard_ms=row.heard_ms,
        old_secret_until_ms=row.old_until_ms,
    )


def _entry(row: DeliveryRow, attempts: Sequence[AttemptRow]) -> DeliveryEntry:
    name = test_id(row.endpoint_id, row.id) if row.outbox_id is None else message_id(row.endpoint_id, row.outbox_id)
    return DeliveryEntry(
        id=row.id,
        message_id=name,
        type=row.type,
        order_id=row.order_id,
        stage=row.stage,
        final=row.final,
        created_ms=row.created_ms,
        next_try_ms=row.next_try_ms,
        ended_ms=row.ended_ms,
        attempts=tuple(
            Attempt(at_ms=one.at_ms, took_ms=one.took_ms, status=one.status, error=one.error) for one in attempts
        ),
    )
