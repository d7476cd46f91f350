"""People as they manage what they are told: channels that they prove to be theirs, hours, topics, and the way out."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kameng_escrow.store import Store
from kameng_escrow.store.service import notifications as queries
from kameng_escrow.store.service.ids import new_id
from kameng_escrow.store.service.notification_rows import ChannelRow, MessageRow, PersonRow
from kameng_escrow.store.service.notifying import ChannelKind, Stage, StoppedFor
from kameng_escrow.store.service.outbox import begin_reading

from .channels import check_channel, hint_of
from .errors import CodeWrong, LinkWrong, PreferencesUnfit, TooManyChannels, TooManyCodes, UnknownChannel
from .optout import ALL, check_link
from .people_fanout import code_row, reminders
from .quiet import MINUTES, zone_of
from .sealing import Sealer
from .senders import Senders
from .topics import CODE, CODE_SECONDS, TOPICS

MOST = 10  # channels of an account
_TRIES = 5
_CODES, _CODES_SECONDS = 10, 3_600  # so many in that time


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How an account wants to be told."""

    language: str = "zh"  # or "en"
    time_zone: str = "Asia/Shanghai"  # an IANA name
    quiet_from: int | None = None  # minutes after midnight there; None with the other: no quiet hours
    quiet_to: int | None = None  # likewise; may be before `quiet_from`: over midnight
    muted: tuple[str, ...] = ()  # topics


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as its owner sees it. Times: Unix milliseconds."""

    id: str
    kind: ChannelKind
    hint: str  # enough to know it again
    created_ms: int
    verified: bool
    stopped_for: StoppedFor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that an account was told, or will be. Times: Unix milliseconds."""

    id: int
    channel_id: str
    topic: str
    order_id: str | None
    stage: Stage
    created_ms: int
    next_try_ms: int | None
    ended_ms: int | None
    error: str | None


class People:
    """The people of one contract. Every method takes the account, and finds nothing of anybody else's.

    Args:
        store: where they are kept.
        contract_id: within the store.
        sealer: for channels' addresses.
        senders: the ways to people.
        hosts: further hosts that Bark and ntfy may be at.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        store: Store,
        contract_id: int,
        sealer: Sealer,
        senders: Senders,
        *,
        hosts: Collection[str] = (),
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._contract_id = contract_id
        self._sealer = sealer
        self._senders = senders
        self._hosts = frozenset(hosts)
        self._clock_ms = clock_ms

    # ----------------------------------------------------------------------------------------------------- preferences

    def preferences(self, account: str) -> Preferences:
        """How an account wants to be told; the defaults where it has said nothing."""
        with self._store.reading() as session:
            row = queries.person_of(session, account)
            return Preferences() if row is None else _preferences(row)

    def prefer(self, account: str, wanted: Preferences) -> Preferences:
        """Takes an account's wishes. Raises `PreferencesUnfit`."""
        _check(wanted)
        with self._store.writing() as session:
            row = self._person(session, account)
            row.language, row.time_zone = wanted.language, wanted.time_zone
            row.quiet_from, row.quiet_to = wanted.quiet_from, wanted.quiet_to
            row.muted = [topic for topic in TOPICS if topic in wanted.muted]
            session.flush()
            return _preferences(row)

    # -------------------------------------------------------------------------------------------------------- channels

    def channels(self, account: str) -> list[Channel]:
        """An account's channels, the oldest first."""
        with self._store.reading() as session:
            return [_channel(row) for row in queries.channels_of(session, account)]

    def add(self, account: str, kind: ChannelKind, fields: Mapping[str, str]) -> Channel:
        """A new channel, to which a code is sent: nothing else is until `verify` has heard that.

        Raises:
            ChannelUnfit, ChannelUnavailable, TooManyChannels, TooManyCodes.
        """
        complete = check_channel(kind, fields, self._hosts)
        self._senders.check(kind, complete)
        with self._store.writing() as session:
            if len(queries.channels_of(session, account)) >= MOST:
                raise TooManyChannels(MOST)
            begin_reading(session, self._contract_id)
            self._count_code(session, account)
            row = ChannelRow(
                id=new_id("chn"),
                account=account,
                kind=kind,
                address=self._sealer.seal(json.dumps(complete)),
                hint=hint_of(kind, complete),
                created_ms=self._clock_ms(),
                code_tries=0,
                opt_out_key=secrets.token_bytes(32),
                failures=0,
            )
            session.add(row)
            session.flush()
            self._queue_code(session, row)
            return _channel(row)

    def send_code(self, account: str, channel_id: str) -> None:
        """Sends another code, in place of the one before. Raises `UnknownChannel`, `TooManyCodes`."""
        with self._store.writing() as session:
            row = self._row(session, account, channel_id)
            self._count_code(session, account)
            self._queue_code(session, row)

    def verify(self, account: str, channel_id: str, code: str) -> Channel:
        """Takes a channel for its account's, if the code is the one that was sent there. Open orders get their
        reminders. Raises `UnknownChannel`, `CodeWrong`."""
        now_ms = self._clock_ms()
        with self._store.writing() as session:
            row = self._row(session, account, channel_id)
            counts = row.code_hash is not None and (row.code_until_ms or 0) > now_ms and row.code_tries < _TRIES
            right = counts and hmac.compare_digest(row.code_hash or b"", _hash(row.id, code.strip()))
            if right:
                row.code_hash = row.code_until_ms = row.stopped_for = None
                row.verified_ms, row.failures = now_ms, 0
                orders = queries.open_orders_of(session, self._contract_id, account)
                now = queries.chain_now(session, self._contract_id, now_ms)
                session.flush()
                queries.enqueue(session, reminders(session, self._contract_id, orders, now, now_ms, only=[row]))
                return _channel(row)
            row.code_tries += 1  # commits, and so counts
        raise CodeWrong

    def stop(self, account: str, channel_id: str) -> Channel:
        """Sends nothing there any more. Raises `UnknownChannel`."""
        with self._store.writing() as session:
            row = self._row(session, account, channel_id)
            row.stopped_for = StoppedFor.Person
            return _channel(row)

    def resume(self, account: str, channel_id: str) -> Channel:
        """Sends there again. Raises `UnknownChannel`."""
        with self._store.writing() as session:
            row = self._row(session, account, channel_id)
            row.stopped_for, row.failures = None, 0
            return _channel(row)

    def remove(self, account: str, channel_id: str) -> None:
        """Forgets a channel and what was sent there. Raises `UnknownChannel`."""
        with self._store.writing() as session:
            queries.forget_channel(session, self._row(session, account, channel_id).id)

    def told(self, account: str, *, before: int | None = None, limit: int = 50) -> list[Told]:
        """What an account was told, or will be, the newest first."""
        with self._store.reading() as session:
            return [_told(row) for row in queries.messages_of(session, account, before=before, limit=limit)]

    # ------------------------------------------------------------------------------------------------------ the way out

    def check_link(self, channel_id: str, topic: str, mac: str) -> str:
        """The language of whoever has an opt-out link. Changes nothing. Raises `LinkWrong`."""
        with self._store.reading() as session:
            row = session.get(ChannelRow, channel_id)
            _check_link(row, topic, mac)
            person = None if row is None else queries.person_of(session, row.account)
            return Preferences().language if person is None else person.language

    def opt_out(self, channel_id: str, topic: str, mac: str) -> None:
        """Stops a channel, or mutes a topic for its account: whoever has the link may. Raises `LinkWrong`."""
        with self._store.writing() as session:
            row = queries.channel(session, channel_id)
            _check_link(row, topic, mac)
            assert row is not None
            if topic == ALL:
                row.stopped_for = StoppedFor.Person
                return
            person = self._person(session, row.account)
            person.muted = [one for one in TOPICS if one in {*person.muted, topic}]

    # ----------------------------------------------------------------------------------------------------------- parts

    def _row(self, session: Session, account: str, channel_id: str) -> ChannelRow:
        row = queries.channel_of(session, account, channel_id)
        if row is None:
            raise UnknownChannel(channel_id)
        return row

    def _person(self, session: Session, account: str) -> PersonRow:
        usual = Preferences()
        return queries.locked_person(
            session, account, language=usual.language, time_zone=usual.time_zone, now_ms=self._clock_ms()
        )

    def _count_code(self, session: Session, account: str) -> None:
        """Codes go to whoever somebody names: nobody is to be flooded by that."""
        person, now_ms = self._person(session, account), self._clock_ms()
        if now_ms - person.codes_since_ms >= 1_000 * _CODES_SECONDS:
            person.codes, person.codes_since_ms = 0, now_ms
        if person.codes >= _CODES:
            raise TooManyCodes(_CODES_SECONDS - (now_ms - person.codes_since_ms) // 1_000)
        person.codes += 1

    def _queue_code(self, session: Session, row: ChannelRow) -> None:
        """Has the notifier send a new code: whoever asks neither waits for somebody's host, nor learns how fast it
        answers. What waited with the code before is not sent any more.
        """
        now_ms = self._clock_ms()
        code = _new_code(row, now_ms)
        queries.drop_codes(session, row.id, CODE, now_ms)
        sealed = {"code": self._sealer.seal(code)}
        queries.enqueue(session, [code_row(row, self._contract_id, sealed, now_ms, row.code_until_ms)])


def _new_code(row: ChannelRow, now_ms: int) -> str:
    code = f"{secrets.randbelow(10**6):06}"
    row.code_hash, row.code_until_ms, row.code_tries = _hash(row.id, code), now_ms + 1_000 * CODE_SECONDS, 0
    return code


def _hash(channel_id: str, code: str) -> bytes:
    return hashlib.sha256(f"{channel_id}\n{code}".encode()).digest()


def _check_link(row: ChannelRow | None, topic: str, mac: str) -> None:
    if row is None or topic not in (ALL, *TOPICS):
        raise LinkWrong
    check_link(row.id, topic, mac, row.opt_out_key)


def _check(wanted: Preferences) -> None:
    if wanted.language not in ("zh", "en"):
        raise PreferencesUnfit("language", "The language is zh or en.", "语言只能是 zh 或 en。")
    zone_of(wanted.time_zone)
    hours = (wanted.quiet_from, wanted.quiet_to)
    if (hours[0] is None) != (hours[1] is None) or any(hour is not None and not 0 <= hour < MINUTES for hour in hours):
        raise PreferencesUnfit(
            "quiet_from",
            f"Quiet hours have a beginning and an end, in minutes from 0 to {MINUTES - 1}, or neither.",
            f"免打扰要有起止两个时间（0 到 {MINUTES - 1} 分钟），或都不给。",
        )
    if unknown := set(wanted.muted) - set(TOPICS):
        raise PreferencesUnfit(
            "muted",
            f"There are no topics {', '.join(sorted(unknown))}: choose from {', '.join(TOPICS)}.",
            f"没有 {'、'.join(sorted(unknown))} 这些主题：可选 {'、'.join(TOPICS)}。",
        )


def _preferences(row: PersonRow) -> Preferences:
    return Preferences(
        language=row.language,
        time_zone=row.time_zone,
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        muted=tuple(row.muted),
    )


def _channel(row: ChannelRow) -> Channel:
    return Channel(
        id=row.id,
        kind=row.kind,
        hint=row.hint,
        created_ms=row.created_ms,
        verified=row.verified_ms is not None,
        stopped_for=row.stopped_for,
    )


def _told(row: MessageRow) -> Told:
    return Told(
        id=row.id,
        channel_id=row.channel_id,
        topic=row.topic,
        order_id=row.order_id,
        stage=row.stage,
        created_ms=row.created_ms,
        next_try_ms=row.next_try_ms,
        ended_ms=row.ended_ms,
        error=row.error,
    )
