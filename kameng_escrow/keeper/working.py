"""What a keeper and a relayer have in common: one account, one place, one look after the other."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import ClassVar, Protocol, Self

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.errors import InvalidInput, NodeError, WrongChain
from kameng_escrow.chain.nodes import Node
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import (
    Book,
    Deposed,
    Journal,
    Leadership,
    Store,
    StoreBusy,
    StoreFull,
    StoreUnavailable,
    Term,
    WrongStore,
    contracts,
)
from kameng_escrow.store.keeping import Intent, Payload

from .errands import Errand
from .errors import AccountShared, MirrorBehind, NotLeading
from .eye import Eye
from .memory import Memory
from .report import Announce, News, Tally
from .rules import Rules
from .tending import Hands, Round, spent_today

BEHIND_SECONDS = 300  # of chain time between the mirror's last block and the chain's: more is worth an alarm

# InvalidInput: a node that has no code where contracts are is one that does not have the latest state.
_MAY_PASS = (NodeError, InvalidInput, StoreBusy, StoreFull, StoreUnavailable, Deposed)
_BUSY_SECONDS = 0.05  # between looks while something happens
_IDLE_SECONDS = 0.5  # between looks of a run that ends
_LONGEST_PAUSE = 30.0  # seconds between looks while something is away

Trouble = Callable[[EscrowError], None]


class Numbers(Protocol):
    """What a worker counts for whoever watches it."""

    def news(self, news: News) -> None:
        """Something happened."""
        ...

    def trouble(self, error: EscrowError) -> None:
        """A look was kept from its work."""
        ...

    def leading(self, is_leader: bool) -> None:
        """Whether this process has the place."""
        ...


def now_ms() -> int:
    """Our clock, Unix milliseconds."""
    return time.time_ns() // 1_000_000


def nobody_listens(_: object) -> None:
    """Hears nothing."""


class Worker(ABC):
    """Sends from one account, for one contract. A context manager: gives its place back on exit.

    Of the workers of one account that share a store one works, the others wait for its place; of a deposed one nothing
    is written. The place is `rules.worker` on the chain, for the account.
    """

    payload: ClassVar[Payload]  # what its transactions do

    def __init__(
        self,
        store: Store,
        node: Node,
        deployment: Deployment,
        account: LocalAccount,
        rules: Rules,
        *,
        announce: Announce,
        metrics: Numbers,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._book = Book(store, deployment.chain_id, deployment.address)
        info = self._book.info()
        if deployment.genesis != info.genesis_hash:
            raise WrongStore(
                f"The store at {store.where} holds another chain of the id {deployment.chain_id}: a local one "
                "that was started anew? Use another store."
            )
        self._contract_id = info.id
        self._escrows = {one.id: one.address for one in contracts(store)}
        self._node = node
        self._connection = Connection(node.w3)
        self._eye = Eye(self._connection, deployment, account.address)
        self._deployment = deployment
        self._account = account
        self._rules = rules
        self._announce = announce
        self._numbers = metrics
        self._clock_ms = clock_ms
        self._memory = Memory()
        self._tally = Tally()
        self._journal = Journal(store, chain_id=deployment.chain_id, account=account.address)
        self._place = Leadership(store, rules.worker, f"{deployment.chain_id}:{account.address}")
        self._right_chain = False  # whether the node was on it, and has answered since

    # ------------------------------------------------------------------------------------------------- what each does

    @abstractmethod
    def _work(self, term: Term, *, spread: bool) -> Round:
        """Everything that follows from one look at the chain. Raises `NodeError`, `StoreError`."""

    @abstractmethod
    def _is_done(self, part: Round) -> bool:
        """Whether nothing is left to do, as far as the latest block goes."""

    # ---------------------------------------------------------------------------------------------------------- loops

    def _run_once(self, stop: threading.Event | None, patience_seconds: float, trouble: Trouble) -> Round | None:
        """Looks until all is done, or nothing has happened for so long; the last look, None: another has the place."""
        stop = stop or threading.Event()
        news = _Conditions(trouble)
        since = time.monotonic()
        while True:
            part = self._look(spread=False)
            if part is None:
                return None
            news.tell(part.conditions.values())
            if part.moved:
                since = time.monotonic()
            elif self._is_done(part) or time.monotonic() - since > patience_seconds:
                return part
            if stop.wait(_BUSY_SECONDS if part.moved else min(_IDLE_SECONDS, patience_seconds)):
                return part

    def _follow(
        self,
        stop: threading.Event,
        poll_seconds: float,
        trouble: Trouble,
        looked: Callable[[Round | None], None],
    ) -> Round | None:
        """Looks until `stop` is set; what passes by itself is waited for. Raises `WrongChain`, `StoreError`."""
        news = _Conditions(trouble)
        pause: float = poll_seconds
        last: Round | None = None
        while not stop.is_set():
            try:
                part = self._look(spread=True)
                conditions = (self._not_leading(),) if part is None else tuple(part.conditions.values())
            except _MAY_PASS as error:
                if isinstance(error, WrongChain):
                    raise
                self._right_chain = False  # what comes back may be another
                self._node.doubt()
                self._numbers.trouble(error)
                news.tell([error])
                pause = min(2 * pause, max(_LONGEST_PAUSE, poll_seconds))
                stop.wait(pause)
                continue
            pause = poll_seconds
            news.tell(conditions)
            looked(part)
            last = part
            stop.wait(_BUSY_SECONDS if part is not None and part.moved else poll_seconds)
        return last

    # ---------------------------------------------------------------------------------------------------------- looks

    def _look(self, *, spread: bool) -> Round | None:
        """One look at the chain and everything that follows from it; None: another worker has the place."""
        term = self._place.take()
        self._numbers.leading(term is not None)
        if term is None:
            return None
        if not self._right_chain:
            # Signatures are bound to the chain id, and what another chain says of our nonces means nothing.
            if (served := self._eye.served_chain()) != self._deployment.chain_id:
                raise WrongChain(self._deployment.chain_id, served)
            self._right_chain = True
        return self._work(term, spread=spread)

    def _round(self, journal: Journal) -> Round:
        if any(intent.attempts[0].payload not in (self.payload, Payload.Nothing) for intent in journal.waiting()):
            raise AccountShared(self._account.address)
        outlook = self._eye.look(self._rules.confirmations)
        return Round(outlook=outlook, now_ms=self._clock_ms(), spent=spent_today(journal, self._clock_ms()))

    def _hands(self, journal: Journal, errand: Errand) -> Hands:
        return Hands(
            self._eye,
            journal,
            self._account,
            self._rules,
            errand,
            contract_id=self._contract_id,
            escrows=self._escrows,
            memory=self._memory,
            tally=self._tally,
            announce=self._say,
            clock_ms=self._clock_ms,
        )

    def _tend(self, hands: Hands, journal: Journal, part: Round) -> list[Intent]:
        """Looks after what waits; what still does."""
        tended = [hands.tend(intent, part) for intent in journal.waiting()]
        return [intent for intent in tended if not intent.stage.has_ended]

    def _check_mirror(self, part: Round) -> None:
        marks = self._book.info().marks
        behind = part.outlook.latest_time - marks.seen_at
        if marks.seen < part.outlook.head and behind > BEHIND_SECONDS:
            part.add(MirrorBehind(marks.seen, part.outlook.head, behind))

    # -------------------------------------------------------------------------------------------------------- telling

    def _say(self, news: News) -> None:
        self._numbers.news(news)
        self._announce(news)

    def _not_leading(self) -> NotLeading:
        leader = self._place.leader()
        return NotLeading(leader.holder if leader is not None else "?", self._rules.worker)

    def close(self) -> None:
        """Gives the account's place back. May be called twice."""
        self._place.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Conditions:
    """What keeps a worker from its work, told when it begins and not again until it has passed."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._known: set[str] = set()

    def tell(self, conditions: Iterable[EscrowError]) -> None:
        """Tells those that are new."""
        now = {error.code: error for error in conditions}
        for code, error in now.items():
            if code not in self._known:
                self._trouble(error)
        self._known = set(now)
