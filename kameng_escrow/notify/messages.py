"""What people are told, on its way: held back in quiet hours, dropped where it comes too late or is not so any more.

The words are made in the moment of sending, of how the order stands then.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.states import State
from kameng_escrow.errors import EscrowError
from kameng_escrow.store.service import notifications as queries
from kameng_escrow.store.service.notification_rows import ChannelRow, MessageRow, PersonRow
from kameng_escrow.store.service.notifying import ChannelKind, Stage, StoppedFor

from .deliveries import Unforeseen
from .envelope import Origin
from .errors import SealBroken
from .optout import ALL, opt_out_path
from .quiet import quiet_until, zone_of
from .reminders import holds
from .schedule import MESSAGE_DELAYS, next_try
from .sealing import Sealer
from .senders import Parcel, Sent
from .texts import Reader, Texts
from .topics import CODE, CODE_SECONDS, REMINDED, STOCK_ASKED

_LANGUAGE, _ZONE = "zh", "Asia/Shanghai"  # of who has said nothing
_MARGIN_MS = 10 * 60_000  # that is left at least to act, after what was held back has come
_STALE_MS = 10 * 60_000  # after which an event that a later one has overtaken is not told any more
_STOPS_AFTER = 5  # messages given up in a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that is to be sent now."""

    id: int
    channel_id: str
    kind: ChannelKind
    pack: Callable[[], Parcel]  # makes the words; outside of any transaction, since it may ask a node


class Messages:
    """The queue of one contract's people.

    Args:
        origin: the contract.
        sealer: for channels' addresses.
        texts: what they read.
        public_url: the origin that opt-out links begin with.
        at_once: messages under way; one at a time for each channel.
    """

    def __init__(self, origin: Origin, sealer: Sealer, texts: Texts, *, public_url: str, at_once: int = 8) -> None:
        self._origin = origin
        self._sealer = sealer
        self._texts = texts
        self._public_url = public_url
        self._at_once = at_once

    def choose(
        self, session: Session, now_ms: int, busy: Mapping[int, str], unforeseen: Unforeseen
    ) -> tuple[list[Message], list[EscrowError]]:
        """What is to be sent now, and what was the matter with addresses that can't be opened. What is to wait longer,
        or not to be sent at all, is written down as such; what can't be made into a message is put off, and
        `unforeseen` told of it.
        """
        room = self._at_once - len(busy)
        if room <= 0:
            return [], []
        chosen: list[Message] = []
        troubles: list[EscrowError] = []
        for channel in queries.channels_with_due(session, now_ms, busy=set(busy.values())):
            if len(chosen) >= room:
                break
            try:
                message = self._next(session, channel, now_ms, unforeseen)
            except SealBroken as error:
                troubles.append(error)
                continue
            if message is not None:
                chosen.append(message)
        return chosen, troubles

    def record(self, session: Session, message: Message, sent: Sent, now_ms: int) -> Sent | None:
        """Writes down what became of it; None: its channel was deleted meanwhile."""
        channel = queries.channel(session, message.channel_id)
        row = session.get(MessageRow, message.id, with_for_update=True)
        if channel is None or row is None or row.stage is not Stage.Waiting:
            return None
        row.attempts += 1
        if sent.taken:
            row.stage, row.next_try_ms, row.ended_ms, row.error = Stage.Sent, None, now_ms, None
            _forget_code(row)
            channel.failures = 0
            return sent
        row.error = sent.error
        row.next_try_ms = None if sent.gone else next_try(MESSAGE_DELAYS, row.attempts, now_ms, asked=sent.asked)
        if row.next_try_ms is None:
            row.stage, row.ended_ms = Stage.Failed, now_ms
            _forget_code(row)
            channel.failures += not sent.ours
        if sent.gone:
            channel.stopped_for = StoppedFor.Gone
        elif channel.failures >= _STOPS_AFTER:
            channel.stopped_for = StoppedFor.Failing
        return sent

    def put_off(self, session: Session, message: Message, now_ms: int) -> None:
        """Has a message wait for its next time, where what became of it could not be written down."""
        row = session.get(MessageRow, message.id, with_for_update=True)
        if row is None or row.stage is not Stage.Waiting:
            return
        _put_off(row, now_ms)
        session.flush()

    def forget_old(self, session: Session, before_ms: int, limit: int) -> int:
        """Deletes what ended before then."""
        return queries.forget_old(session, before_ms, limit)

    # -------------------------------------------------------------------------------------------------------- choosing

    def _next(self, session: Session, channel: ChannelRow, now_ms: int, unforeseen: Unforeseen) -> Message | None:
        person = queries.person_of(session, channel.account)
        for row in queries.due(session, channel.id, self._origin.contract_id, now_ms, limit=50):
            try:
                message = self._if_now(session, row, channel, person, now_ms)
            except (SQLAlchemyError, SealBroken):
                raise  # the store's own trouble, or the whole channel's
            except Exception as error:  # a row that is none must not end what others wait for
                unforeseen("choose", error)
                _put_off(row, now_ms)
                continue
            if message is not None:
                return message
        return None

    def _if_now(
        self, session: Session, row: MessageRow, channel: ChannelRow, person: PersonRow | None, now_ms: int
    ) -> Message | None:
        """The message, if it is to be sent now; None: it waits, or is dropped."""
        order = self._order(session, row)
        now = queries.chain_now(session, self._origin.contract_id, now_ms)
        if self._is_moot(session, row, channel, person, order, now, now_ms):
            row.stage, row.next_try_ms, row.ended_ms = Stage.Dropped, None, now_ms
            _forget_code(row)
            return None
        held = _held_until(row, person, now, now_ms)
        if held is not None:
            row.next_try_ms = held
            return None
        return self._message(row, channel, person, order, now)

    def _is_moot(
        self,
        session: Session,
        row: MessageRow,
        channel: ChannelRow,
        person: PersonRow | None,
        order: Order | None,
        now: int,
        now_ms: int,
    ) -> bool:
        if row.topic == CODE:  # which a stopped channel is sent as well: to show it is to start it again
            return row.too_late_ms is not None and row.too_late_ms <= now_ms
        if channel.stopped_for is not None or (person is not None and row.topic in person.muted):
            return True
        if row.too_late_ms is not None and row.too_late_ms <= now_ms:
            return True
        if row.topic == REMINDED:
            return not holds(order, channel.account, row.details, now)
        if row.topic == STOCK_ASKED:
            return order is None or order.state not in (State.Opened, State.Accepted)
        stale = row.order_id is not None and now_ms - row.created_ms > _STALE_MS
        return stale and queries.superseded(session, row)

    def _order(self, session: Session, row: MessageRow) -> Order | None:
        if row.order_id is None:
            return None
        return queries.orders_now(session, self._origin.contract_id, [row.order_id]).get(row.order_id)

    def _message(
        self, row: MessageRow, channel: ChannelRow, person: PersonRow | None, order: Order | None, now: int
    ) -> Message:
        reader = Reader(
            account=channel.account,
            language=_LANGUAGE if person is None else person.language,
            zone=zone_of(_ZONE if person is None else person.time_zone),
            now=now,
        )
        topic, details = row.topic, dict(row.details)
        until = details.get("until")
        fixed = {
            "kind": channel.kind,
            "fields": json.loads(self._sealer.open(channel.address)),
            "language": reader.language,
            "opt_out": "" if topic == CODE else self._public_url + opt_out_path(channel.id, ALL, channel.opt_out_key),
            "tag": (row.order_id or row.topic)[:34].removeprefix("0x"),
            "lasts_seconds": None if until is None else max(60, int(until) - now),
        }
        if topic == CODE:
            words = self._texts.code(self._sealer.open(details["code"]), reader.language)
            fixed |= {"tag": "code", "lasts_seconds": CODE_SECONDS}
            return Message(
                id=row.id, channel_id=channel.id, kind=channel.kind, pack=lambda: Parcel(words=words, **fixed)
            )

        def pack() -> Parcel:
            return Parcel(words=self._texts.of(topic, details, order, reader), **fixed)

        return Message(id=row.id, channel_id=channel.id, kind=channel.kind, pack=pack)


def _put_off(row: MessageRow, now_ms: int) -> None:
    row.attempts += 1
    row.next_try_ms = next_try(MESSAGE_DELAYS, row.attempts, now_ms)
    if row.next_try_ms is None:
        row.stage, row.ended_ms = Stage.Failed, now_ms
        _forget_code(row)


def _forget_code(row: MessageRow) -> None:
    """Once it waits no more, a code lies nowhere."""
    if row.topic == CODE:
        row.details = {}


def _held_until(row: MessageRow, person: PersonRow | None, now: int, now_ms: int) -> int | None:
    """When the quiet hours end that hold it back; None: it is told now."""
    if person is None or row.topic == CODE:  # somebody waits for it
        return None
    ends = quiet_until(now_ms, zone_of(person.time_zone), person.quiet_from, person.quiet_to)
    if ends is None:
        return None
    until = row.details.get("until")
    if until is not None and ends + _MARGIN_MS > now_ms + 1_000 * (int(until) - now):
        return None  # by then it would be too late to act
    return ends
