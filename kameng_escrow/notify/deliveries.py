"""Webhooks on their way: chosen, signed, sent, and written down."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kameng_escrow.store.news import read_news_of
from kameng_escrow.store.service import webhooks as queries
from kameng_escrow.store.service.notifying import DisabledFor, Stage
from kameng_escrow.store.service.webhook_rows import AttemptRow, DeliveryRow, EndpointRow
from kameng_escrow.webhooks.signing import signed_headers

from .envelope import Origin, body_of, message_id, test_body, test_id
from .errors import SealBroken
from .schedule import WEBHOOK_DELAYS, Chance, next_try, retry_after
from .sealing import Sealer
from .wire import Answer, Wire

Unforeseen = Callable[[str, Exception], None]  # told what was being done, and what went wrong

GONE = 410
_BUSY = (429, 503)  # whose Retry-After holds for the endpoint, and not for this message alone
_GIVES_UP_MS = 3 * 86_400_000  # without anything getting through, when a message is given up: the endpoint is dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that is to be sent now. Not to be logged: it has secrets."""

    delivery_id: int
    endpoint_id: str
    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: bytes

    def __repr__(self) -> str:
        return f"Letter({self.message_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt led to."""

    delivery_id: int
    endpoint_id: str
    owner: str
    status: int | None
    error: str | None
    stage: Stage
    disabled: DisabledFor | None  # what it disabled the endpoint for
    waited_ms: int  # since it was queued


class Deliveries:
    """The queue of one contract's endpoints.

    Args:
        origin: the contract.
        sealer: for the endpoints' secrets.
        at_once: requests under way, all in all.
        at_once_each: at one endpoint; one that fails gets one at a time.
        at_once_owner: at all endpoints of one account while others' wait. While none does, it gets more, but never the
            last quarter: whoever comes next does not wait until a slow receiver has answered.
        delays: between attempts, in seconds.
        chance: for jitter.
    """

    def __init__(
        self,
        origin: Origin,
        sealer: Sealer,
        *,
        at_once: int = 32,
        at_once_each: int = 4,
        at_once_owner: int = 4,
        delays: tuple[int, ...] = WEBHOOK_DELAYS,
        chance: Chance = random.random,
    ) -> None:
        self._origin = origin
        self._sealer = sealer
        self._at_once = at_once
        self._each = at_once_each
        self._owner = at_once_owner
        self._delays = delays
        self._chance = chance
        self._turn = 0  # at which endpoint choosing begins, so that none is always last

    def choose(
        self, session: Session, now_ms: int, busy: Mapping[int, str], unforeseen: Unforeseen
    ) -> tuple[list[Letter], list[SealBroken]]:
        """What is to be sent now, and what was the matter with endpoints whose secrets can't be opened.

        Args:
            busy: deliveries that are under way, and their endpoints.
            unforeseen: told of what can't be made into a letter, which is put off and holds nobody up.
        """
        room = self._at_once - len(busy)
        if room <= 0:
            return [], []
        endpoints = queries.endpoints_with_due(session, self._origin.contract_id, now_ms)
        self._turn += 1
        start = self._turn % len(endpoints) if endpoints else 0
        taken = Counter(busy.values())
        owners = queries.owners_of(session, taken.keys())
        of_owner = Counter(owners[one] for one in busy.values() if one in owners)
        letters: list[Letter] = []
        troubles: dict[str, SealBroken] = {}
        alone = self._at_once - self._at_once // 4
        for most in (min(self._owner, alone), alone):  # everybody's share first, then what is left
            for endpoint in [*endpoints[start:], *endpoints[:start]]:
                each = 1 if endpoint.failing_since_ms is not None else self._each
                limit = min(each - taken[endpoint.id], most - of_owner[endpoint.owner], room - len(letters))
                if limit <= 0 or endpoint.id in troubles:
                    continue
                away = {*busy, *(letter.delivery_id for letter in letters)}
                rows = queries.due(session, endpoint.id, now_ms, busy=away, limit=limit)
                try:
                    letters += self._letters(session, endpoint, rows, now_ms, unforeseen)
                except SealBroken as error:
                    troubles[endpoint.id] = error
                    continue
                taken[endpoint.id] += len(rows)
                of_owner[endpoint.owner] += len(rows)
        return letters, list(troubles.values())

    async def send(self, letter: Letter, wire: Wire, now_ms: int) -> Answer:
        """Sends a letter, signed as of now."""
        headers = signed_headers(letter.secrets, letter.message_id, now_ms // 1_000, letter.body)
        return await wire.post(letter.url, letter.body, {"Content-Type": "application/json", **headers})

    def record(self, session: Session, letter: Letter, answer: Answer, now_ms: int) -> Outcome | None:
        """Writes down what became of it; None: its endpoint was deleted meanwhile, or
        another notifier has written it down."""
        endpoint = session.get(EndpointRow, letter.endpoint_id, with_for_update=True)
        row = session.get(DeliveryRow, letter.delivery_id, with_for_update=True)
        if endpoint is None or row is None or row.stage is not Stage.Waiting:
            return None
        began = now_ms - answer.took_ms
        while session.get(AttemptRow, (row.id, began)) is not None:
            began += 1  # two within a millisecond: by hand, or on a clock that was set back
        session.add(
            AttemptRow(
                delivery_id=row.id, at_ms=began, took_ms=answer.took_ms, status=answer.status, error=answer.error
            )
        )
        row.attempts += 1
        disabled = None
        if answer.taken:
            row.stage, row.next_try_ms, row.ended_ms = Stage.Sent, None, now_ms
            endpoint.failing_since_ms, endpoint.quiet_until_ms, endpoint.heard_ms = None, None, now_ms
        else:
            disabled = self._refused(row, endpoint, answer, now_ms)
        queries.move_followers(session, row, row.next_try_ms or now_ms)
        session.flush()
        return Outcome(
            delivery_id=row.id,
            endpoint_id=endpoint.id,
            owner=endpoint.owner,
            status=answer.status,
            error=answer.error,
            stage=row.stage,
            disabled=disabled,
            waited_ms=now_ms - row.created_ms,
        )

    def put_off(self, session: Session, letter: Letter, now_ms: int) -> None:
        """Has a letter wait for its next time, where what became of it could not be written down."""
        row = session.get(DeliveryRow, letter.delivery_id, with_for_update=True)
        if row is None or row.stage is not Stage.Waiting:
            return
        self._put_off(row, now_ms)
        session.flush()

    def _put_off(self, row: DeliveryRow, now_ms: int) -> None:
        row.attempts += 1
        row.next_try_ms = next_try(self._delays, row.attempts, now_ms, chance=self._chance)
        if row.next_try_ms is None:
            row.stage, row.ended_ms = Stage.Failed, now_ms

    def _refused(self, row: DeliveryRow, endpoint: EndpointRow, answer: Answer, now_ms: int) -> DisabledFor | None:
        asked = retry_after(answer.retry_after, now_ms)
        if endpoint.failing_since_ms is None and not answer.ours:
            endpoint.failing_since_ms = now_ms
        if asked and answer.status in _BUSY:
            endpoint.quiet_until_ms = now_ms + int(1_000 * asked)
        row.next_try_ms = next_try(self._delays, row.attempts, now_ms, asked=asked, chance=self._chance)
        if answer.status == GONE:
            row.next_try_ms = None
        if row.next_try_ms is not None:
            return None
        row.stage, row.ended_ms = Stage.Failed, now_ms
        if answer.status == GONE:
            reason = DisabledFor.Gone
        elif endpoint.failing_since_ms is not None and now_ms - endpoint.failing_since_ms >= _GIVES_UP_MS:
            reason = DisabledFor.Failing
        else:
            return None
        if endpoint.disabled_ms is not None:
            return None
        endpoint.disabled_ms, endpoint.disabled_for = now_ms, reason
        return reason

    def _letters(
        self,
        session: Session,
        endpoint: EndpointRow,
        rows: Collection[DeliveryRow],
        now_ms: int,
        unforeseen: Unforeseen,
    ) -> list[Letter]:
        if not rows:
            return []
        secrets = [self._sealer.open(endpoint.secret)]
        if endpoint.old_secret is not None and (endpoint.old_until_ms or 0) > now_ms:
            secrets.append(self._sealer.open(endpoint.old_secret))
        letters = []
        for row in rows:
            try:
                name, body = self._said(session, endpoint, row)
            except SQLAlchemyError:
                raise  # the store's own trouble, which is waited for
            except Exception as error:  # a row that is none must not end what others wait for
                unforeseen("choose", error)
                self._put_off(row, now_ms)
                continue
            letters.append(
                Letter(
                    delivery_id=row.id,
                    endpoint_id=endpoint.id,
                    url=endpoint.url,
                    secrets=tuple(secrets),
                    message_id=name,
                    body=body,
                )
            )
        return letters

    def _said(self, session: Session, endpoint: EndpointRow, row: DeliveryRow) -> tuple[str, bytes]:
        """A delivery's id for its receiver, and what it says."""
        if row.outbox_id is None:
            return test_id(endpoint.id, row.id), test_body(self._origin, endpoint.id, row.created_ms)
        news = read_news_of(session, self._origin.contract_id, [row.outbox_id])[row.outbox_id]
        return message_id(endpoint.id, row.outbox_id), body_of(news, self._origin, endpoint.id, final=row.final)
