"""The notifier: passes the outbox on to endpoints and people, whatever happens to it on the way.

Of the notifiers of one contract that share a store one works. Everything that it has to do is in the store before it
does it, and what became of it is written after: killed in between it does it again, with the same ids.

One thread talks to the store, since a term belongs to one; requests wait on an event loop beside it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Book, Deposed, Leadership, Store, StoreBusy, StoreError, StoreUnavailable, Term
from kameng_escrow.store.service import webhooks as queries
from kameng_escrow.store.service.outbox import begin_reading

from .deliveries import Deliveries, Letter, Outcome
from .endpoints import KEEP_DAYS
from .envelope import Origin
from .errors import NotifierStandsBy
from .fanout import fan_out_final, fan_out_instant
from .messages import Message, Messages
from .metrics import NotifierMetrics
from .people_fanout import fan_out_people, tell_disabled
from .senders import Senders, Sent
from .threads import StoreThread, sleep, store_thread
from .wire import INTERNAL, Answer, Resolver, Wire

ROLE = "notifier"

_MAY_PASS = (StoreBusy, StoreUnavailable, Deposed)
_LONGEST_PAUSE = 30.0  # seconds between looks while the store is away
_HOUSEWORK_SECONDS = 600.0
_FORGET_AT_ONCE = 1_000

Trouble = Callable[[EscrowError], None]
_Ended = tuple[Letter | Message, Answer | Sent]


def now_ms() -> int:
    """Our clock, Unix milliseconds."""
    return time.time_ns() // 1_000_000


def _nobody_listens(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierReport:
    """What a notifier did."""

    leading: bool  # False: another notifier is at work, and this one did nothing
    webhooks: int  # that were taken
    messages: int  # likewise, to people
    failed: int  # attempts that were not
    disabled: int  # endpoints
    waiting: int  # webhooks that are left for later


@dataclass(slots=True)
class _Tally:
    webhooks: int = 0
    messages: int = 0
    failed: int = 0
    disabled: int = 0


@dataclass(slots=True)
class _Flights:
    """What is under way, and what has come back."""

    letters: dict[int, str] = field(default_factory=dict)  # delivery → endpoint
    messages: dict[int, str] = field(default_factory=dict)  # message → channel
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    leaving: list[Letter | Message] = field(default_factory=list)  # chosen, and not under way yet
    ended: list[_Ended] = field(default_factory=list)


class Notifier:
    """Passes on what happened to one contract's orders. A context manager: gives its place back on exit.

    Args:
        store: of this package's schema, with the contract's mirror, which somebody else keeps up to date.
        book: the contract.
        deliveries: the queue of webhooks.
        messages: the queue of what people are told.
        senders: the ways to people.
        loopback: whether endpoints may be on this machine: for a local chain only.
        resolver: of names.
        tls: an `ssl.SSLContext` other than the system's.
        timeout_seconds: for a request.
        metrics: counts it for Prometheus.
        clock_ms: our clock, Unix milliseconds.
    """

    def __init__(
        self,
        store: Store,
        book: Book,
        *,
        deliveries: Callable[[Origin], Deliveries],
        messages: Callable[[Origin], Messages],
        senders: Senders,
        loopback: bool = False,
        resolver: Resolver | None = None,
        tls: object = True,
        timeout_seconds: float = 20.0,
        metrics: NotifierMetrics | None = None,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        info = book.info()
        self._store = store
        self._origin = Origin(contract_id=info.id, chain_id=info.chain_id, address=info.address)
        self._deliveries = deliveries(self._origin)
        self._messages = messages(self._origin)
        self._senders = senders
        self._make_wire: Callable[[], Wire] = lambda: Wire(
            loopback=loopback, resolver=resolver, tls=tls, timeout_seconds=timeout_seconds
        )
        self.metrics = metrics or NotifierMetrics()
        self._clock_ms = clock_ms
        self._place = Leadership(store, ROLE, self.scope)
        self._tally = _Tally()
        self._housework = 0.0  # when it was last done, monotonic
        self._troubles: set[str] = set()
        self._trouble: Trouble = _nobody_listens

    # ---------------------------------------------------------------------------------------------------------- loops

    @property
    def scope(self) -> str:
        """Of which contract: chain id and address."""
        return f"{self._origin.chain_id}:{self._origin.address}"

    def run_once(self, stop: threading.Event | None = None, *, trouble: Trouble = _nobody_listens) -> NotifierReport:
        """Sends what is to be sent now, once, and returns; what failed waits for its next time.

        Raises:
            StoreError: the store fails. Nothing is lost: running again goes on from there.
        """
        self._trouble = trouble
        return asyncio.run(self._run(stop or threading.Event(), poll_seconds=None))

    def follow(
        self, stop: threading.Event, *, poll_seconds: float = 1.0, trouble: Trouble = _nobody_listens
    ) -> NotifierReport:
        """Sends what comes until `stop` is set; then waits for what is under way.

        Args:
            poll_seconds: between looks while nothing happens.
            trouble: told what keeps it from sending, each time that begins. What passes by itself is waited for.

        Raises:
            StoreError: the store fails for a reason that does not pass.
        """
        self._trouble = trouble
        return asyncio.run(self._run(stop, poll_seconds=poll_seconds))

    async def _run(self, stop: threading.Event, *, poll_seconds: float | None) -> NotifierReport:
        wire = self._make_wire()
        flights = _Flights()
        with store_thread() as thread:
            try:
                leads = await self._loop(stop, flights, wire, thread, poll_seconds)
                while flights.tasks:  # what is under way was asked for; its answer is worth waiting for
                    await asyncio.wait(flights.tasks)
                await thread.does(lambda: self._write_ended(flights))
                waiting = await thread.does(self._count_waiting)
            finally:
                for task in flights.tasks:
                    task.cancel()
                await asyncio.gather(*flights.tasks, return_exceptions=True)
                await wire.close()
                await thread.does(self._place.release)
        tally = self._tally
        return NotifierReport(
            leading=leads,
            webhooks=tally.webhooks,
            messages=tally.messages,
            failed=tally.failed,
            disabled=tally.disabled,
            waiting=waiting,
        )

    async def _loop(
        self,
        stop: threading.Event,
        flights: _Flights,
        wire: Wire,
        thread: StoreThread,
        poll_seconds: float | None,
    ) -> bool:
        pause = poll_seconds or 0.0
        leads = False
        while not stop.is_set():
            try:
                moved = await thread.does(lambda: self._look(flights))
            except _MAY_PASS as error:
                if poll_seconds is None:
                    raise
                self.metrics.trouble(error)
                self._tell([error])
                pause = min(2 * pause, max(_LONGEST_PAUSE, poll_seconds))
                await sleep(pause, stop)
                continue
            leads = moved is not None
            self._depart(flights, wire)
            if poll_seconds is None:
                if not leads or not (moved or flights.tasks or flights.ended):
                    break
                if flights.tasks and not flights.ended:
                    await asyncio.wait(flights.tasks, return_when=asyncio.FIRST_COMPLETED)
                continue
            pause = poll_seconds
            if not moved:
                await self._idle(flights, poll_seconds, stop)
        return leads

    async def _idle(self, flights: _Flights, seconds: float, stop: threading.Event) -> None:
        """Until something has come back, or it is time to look again."""
        if flights.ended:
            return
        if flights.tasks:
            await asyncio.wait(flights.tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await sleep(seconds, stop)

    # ----------------------------------------------------------------------------------------------------------- looks

    def _look(self, flights: _Flights) -> bool | None:
        """Writes down what came back, queues what is new, chooses what is to go: in the store's thread.

        Returns whether there may be more at once; None: another notifier has the place.
        """
        term = self._place.take()
        self.metrics.leading(term is not None)
        if term is None:
            leader = self._place.leader()
            self._tell([NotifierStandsBy(leader.holder if leader is not None else "?")])
            self._forget(flights, list(flights.ended))  # the leader sends it again
            return None
        self._write_ended(flights)
        more = self._queue(term)
        conditions = self._choose(flights, term)
        self._do_housework(term)
        self._tell(conditions)
        self.metrics.looked(under_way=len(flights.letters) + len(flights.messages))
        return more

    def _queue(self, term: Term) -> bool:
        """Reads on in the outbox; returns whether there may be more."""
        contract_id, at = self._origin.contract_id, self._clock_ms()
        more = False
        for fan_out in (fan_out_instant, fan_out_final, fan_out_people):
            with self._store.under(term).writing() as session:
                begin_reading(session, contract_id)
                more |= fan_out(session, contract_id, at)
        return more

    def _choose(self, flights: _Flights, term: Term) -> list[EscrowError]:
        at = self._clock_ms()
        with self._store.under(term).writing() as session:
            letters, troubles = self._deliveries.choose(session, at, flights.letters, self.metrics.unforeseen)
            messages, others = self._messages.choose(session, at, flights.messages, self.metrics.unforeseen)
        flights.letters |= {letter.delivery_id: letter.endpoint_id for letter in letters}
        flights.messages |= {message.id: message.channel_id for message in messages}
        flights.leaving += [*letters, *messages]
        return [*troubles, *others]

    def _depart(self, flights: _Flights, wire: Wire) -> None:
        leaving, flights.leaving = flights.leaving, []
        for one in leaving:
            task = asyncio.create_task(self._send(one, wire, flights))
            flights.tasks.add(task)
            task.add_done_callback(flights.tasks.discard)

    async def _send(self, one: Letter | Message, wire: Wire, flights: _Flights) -> None:
        result: Answer | Sent
        try:
            if isinstance(one, Letter):
                result = await self._deliveries.send(one, wire, self._clock_ms())
            else:
                parcel = await asyncio.to_thread(one.pack)
                result = await self._senders.send(parcel, wire, self._clock_ms())
        except Exception as error:  # a task that died would keep its place among those under way for ever
            self.metrics.unforeseen("send", error)
            if isinstance(one, Letter):
                result = Answer(status=None, error=INTERNAL, retry_after=None, took_ms=0)
            else:
                result = Sent(kind=one.kind, taken=False, error=INTERNAL)
        flights.ended.append((one, result))

    def _write_ended(self, flights: _Flights) -> None:
        """What came back, each in the order in which it did, in one transaction; what can't be written down takes
        nothing else with it."""
        ended = list(flights.ended)
        if not ended:
            return
        term = self._place.take()
        if term is None:
            self._forget(flights, ended)  # the leader sends it again
            return
        with self._store.under(term).writing() as session:
            told = [self._try_to_record(session, one, result) for one, result in ended]
        self._forget(flights, ended)
        for outcome in told:
            if outcome is not None:
                self._count(outcome)

    def _try_to_record(self, session: Session, one: Letter | Message, result: Answer | Sent) -> Outcome | Sent | None:
        try:
            with session.begin_nested():
                return self._record(session, one, result)
        except (StoreError, OperationalError):
            raise  # the store's own trouble, which is waited for
        except Exception as error:  # a stranger's answer may be behind it: that must not end what others wait for
            self.metrics.unforeseen("record", error)
        if isinstance(one, Letter):
            self._deliveries.put_off(session, one, self._clock_ms())
        else:
            self._messages.put_off(session, one, self._clock_ms())
        return None

    def _record(self, session: Session, one: Letter | Message, result: Answer | Sent) -> Outcome | Sent | None:
        at = self._clock_ms()
        if isinstance(one, Letter):
            assert isinstance(result, Answer)
            outcome = self._deliveries.record(session, one, result, at)
            if outcome is not None and outcome.disabled is not None:
                tell_disabled(session, outcome.owner, outcome.endpoint_id, outcome.disabled, at)
            return outcome
        assert isinstance(result, Sent)
        return self._messages.record(session, one, result, at)

    def _forget(self, flights: _Flights, ended: Iterable[_Ended]) -> None:
        for one, result in ended:
            flights.ended.remove((one, result))
            if isinstance(one, Letter):
                flights.letters.pop(one.delivery_id, None)
            else:
                flights.messages.pop(one.id, None)

    # --------------------------------------------------------------------------------------------------------- telling

    def _count(self, outcome: Outcome | Sent) -> None:
        self.metrics.ended(outcome)
        tally = self._tally
        if isinstance(outcome, Outcome):
            taken = outcome.status is not None and 200 <= outcome.status < 300
            tally.webhooks += taken
            tally.failed += not taken
            tally.disabled += outcome.disabled is not None
        else:
            tally.messages += outcome.taken
            tally.failed += not outcome.taken

    def _tell(self, conditions: Iterable[EscrowError]) -> None:
        """Tells of what is new, and not again until it has passed."""
        now = {error.code: error for error in conditions}
        for code, error in now.items():
            if code not in self._troubles:
                self.metrics.trouble(error)
                self._trouble(error)
        self._troubles = set(now)

    def _do_housework(self, term: Term) -> None:
        if time.monotonic() - self._housework < _HOUSEWORK_SECONDS and self._housework:
            return
        self._housework = time.monotonic()
        before = self._clock_ms() - KEEP_DAYS * 86_400_000
        with self._store.under(term).writing() as session:
            queries.forget_old(session, before, _FORGET_AT_ONCE)
            self._messages.forget_old(session, before, _FORGET_AT_ONCE)
            self.metrics.waiting(queries.waiting_count(session, self._origin.contract_id))

    def _count_waiting(self) -> int:
        with self._store.reading() as session:
            return queries.waiting_count(session, self._origin.contract_id)

    def close(self) -> None:
        """Gives the place back. May be called twice."""
        self._place.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
