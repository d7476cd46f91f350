"""The keeper: finds orders whose clock has run out, and settles them, whatever happens to it on the way."""

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.errors import InvalidInput, NodeError, WrongChain
from kameng_escrow.chain.nodes import Node
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import (
    Agenda,
    Book,
    Deposed,
    Journal,
    Leadership,
    Store,
    StoreBusy,
    StoreUnavailable,
    Term,
    WrongStore,
    contracts,
)
from kameng_escrow.store.keeping import Intent

from .errors import AccountLow, MirrorBehind, NotLeading
from .eye import Eye
from .metrics import KeeperMetrics
from .planning import Planner, count_left
from .report import Announce, KeeperReport, News, Overview, Tally
from .rules import Rules
from .tending import Hands, Memory, Round, spent_today

ROLE = "keeper"
BEHIND_SECONDS = 300  # of chain time between the mirror's last block and the chain's: more is worth an alarm

# InvalidInput: a node that has no code where contracts are is one that does not have the latest state.
_MAY_PASS = (NodeError, InvalidInput, StoreBusy, StoreUnavailable, Deposed)
_BUSY_SECONDS = 0.05  # between looks while something happens
_IDLE_SECONDS = 0.5  # between looks of a run that ends
_LONGEST_PAUSE = 30.0  # seconds between looks while something is away

Trouble = Callable[[EscrowError], None]


def now_ms() -> int:
    """Our clock, Unix milliseconds."""
    return time.time_ns() // 1_000_000


def _nobody_listens(_: object) -> None:
    pass


class Keeper:
    """Settles what is due of one contract, paid by one account. A context manager: gives its place back on exit.

    Of the keepers of one account that share a store one works, the others wait for its place. Keepers of different
    accounts may work at once: they keep out of each other's way, and at worst waste a transaction.

    Args:
        store: of this package's schema, with the contract's mirror, which somebody else keeps up to date.
        node: of the contract's chain.
        deployment: the contract.
        account: pays and signs. Nobody else should send from it.
        rules: what it may spend, and how patient it is.
        announce: told of everything that happens.
        metrics: counts it for Prometheus.
        clock_ms: our clock, Unix milliseconds.

    Raises:
        UnknownContract, SchemaMissing and the like: the store has nothing of the contract.
        WrongStore: it holds another chain of that id.
    """

    def __init__(
        self,
        store: Store,
        node: Node,
        deployment: Deployment,
        account: LocalAccount,
        rules: Rules | None = None,
        *,
        announce: Announce = _nobody_listens,
        metrics: KeeperMetrics | None = None,
        clock_ms: Callable[[], int] = now_ms,
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
        self._eye = Eye(Connection(node.w3), deployment, account.address)
        self._deployment = deployment
        self._account = account
        self._rules = rules or Rules()
        self._announce = announce
        self._metrics = metrics or KeeperMetrics()
        self._clock_ms = clock_ms
        self._memory = Memory()
        self._tally = Tally()
        self._agenda = Agenda(store, self._contract_id)
        self._journal = Journal(store, chain_id=deployment.chain_id, account=account.address)
        self._place = Leadership(store, ROLE, f"{deployment.chain_id}:{account.address}")
        self._right_chain = False  # whether the node was on it, and has answered since

    # ---------------------------------------------------------------------------------------------------------- loops

    def run_once(
        self, stop: threading.Event | None = None, *, patience_seconds: float = 60.0, trouble: Trouble = _nobody_listens
    ) -> KeeperReport:
        """Settles what is due, waits until it is mined, and returns.

        Args:
            stop: once set, it returns early.
            patience_seconds: how long nothing may happen before it returns with what is left: transactions that are
                not mined, orders that are to be tried again later.
            trouble: told what keeps it from settling, each time that begins.

        Raises:
            NodeError, StoreError: node or store fail. Nothing is lost: running again goes on from there.
        """
        stop = stop or threading.Event()
        news = _Conditions(trouble)
        since = time.monotonic()
        while True:
            part = self._look(spread=False)
            if part is None:
                return self._report(None)
            news.tell(part.conditions.values())
            if part.moved:
                since = time.monotonic()
            elif self._is_done(part) or time.monotonic() - since > patience_seconds:
                return self._report(part)
            if stop.wait(_BUSY_SECONDS if part.moved else min(_IDLE_SECONDS, patience_seconds)):
                return self._report(part)

    def follow(
        self,
        stop: threading.Event,
        *,
        poll_seconds: float = 1.0,
        trouble: Trouble = _nobody_listens,
        looked: Callable[[Round | None], None] = _nobody_listens,
    ) -> KeeperReport:
        """Settles what comes due until `stop` is set.

        Args:
            poll_seconds: between looks while nothing happens.
            trouble: told what keeps it from settling, each time that begins. What passes by itself is waited for.
            looked: told after each look what it showed; None: another keeper has the place.

        Raises:
            WrongChain: the node serves another chain.
            StoreError: the store fails for a reason that does not pass.
        """
        news = _Conditions(trouble)
        pause, last = poll_seconds, None
        while not stop.is_set():
            try:
                part = self._look(spread=True)
            except _MAY_PASS as error:
                if isinstance(error, WrongChain):
                    raise
                self._right_chain = False  # what comes back may be another
                self._metrics.trouble(error)
                news.tell([error])
                pause = min(2 * pause, max(_LONGEST_PAUSE, poll_seconds))
                stop.wait(pause)
                continue
            pause = poll_seconds
            news.tell([self._not_leading()] if part is None else part.conditions.values())
            looked(part)
            last = part
            stop.wait(_BUSY_SECONDS if part is not None and part.moved else poll_seconds)
        return self._report(last)

    def _is_done(self, part: Round) -> bool:
        """Whether everything that is due is settled, as far as the latest block goes."""
        mined = all(intent.inclusion is not None for intent in self._journal.waiting())
        return mined and self._count_left(part) == 0

    def _count_left(self, part: Round) -> int:
        return count_left(self._eye, self._agenda, part.outlook.time, self._rules.page)

    def _guess_left(self, part: Round) -> int:
        """As `_count_left`; where the node is away, as the mirror has it."""
        try:
            return self._count_left(part)
        except NodeError:
            return self._agenda.backlog(part.outlook.time).orders

    # ----------------------------------------------------------------------------------------------------------- looks

    def _look(self, *, spread: bool) -> Round | None:
        """One look at the chain and everything that follows from it; None: another keeper has the place."""
        term = self._place.take()
        self._metrics.leading(term is not None)
        if term is None:
            return None
        if not self._right_chain:
            # Signatures are bound to the chain id, and what another chain says of our nonces means nothing.
            if (served := self._eye.served_chain()) != self._deployment.chain_id:
                raise WrongChain(self._deployment.chain_id, served)
            self._right_chain = True
        return self._work(term, spread=spread)

    def _work(self, term: Term, *, spread: bool) -> Round:
        journal = self._journal.under(self._store.under(term))
        hands = self._hands(journal)
        planner = self._planner(journal, hands)
        outlook = self._eye.look(self._rules.confirmations)
        part = Round(outlook=outlook, now_ms=self._clock_ms(), spent=spent_today(journal, self._clock_ms()))
        tended = [hands.tend(intent, part) for intent in journal.waiting()]
        waiting = [intent for intent in tended if not intent.stage.has_ended]
        waiting += planner.fill_gap(part, waiting)
        waiting += planner.plan(part, waiting, spread=spread)
        self._check_account(part)
        self._check_mirror(part)
        self._count(part, waiting)
        return part

    def _hands(self, journal: Journal) -> Hands:
        return Hands(
            self._eye,
            journal,
            self._account,
            self._rules,
            contract_id=self._contract_id,
            escrows=self._escrows,
            memory=self._memory,
            tally=self._tally,
            announce=self._say,
            clock_ms=self._clock_ms,
        )

    def _planner(self, journal: Journal, hands: Hands) -> Planner:
        return Planner(
            self._eye,
            self._agenda,
            journal,
            hands,
            self._rules,
            account=self._account.address,
            contract_id=self._contract_id,
            memory=self._memory,
        )

    def _check_account(self, part: Round) -> None:
        balance, threshold = part.outlook.balance, self._rules.low_balance
        if balance < threshold:
            part.add(AccountLow(self._account.address, balance, threshold))

    def _check_mirror(self, part: Round) -> None:
        marks = self._book.info().marks
        behind = part.outlook.latest_time - marks.seen_at
        if marks.seen < part.outlook.head and behind > BEHIND_SECONDS:
            part.add(MirrorBehind(marks.seen, part.outlook.head, behind))

    def _not_leading(self) -> NotLeading:
        leader = self._place.leader()
        return NotLeading(leader.holder if leader is not None else "?")

    # --------------------------------------------------------------------------------------------------------- telling

    def _say(self, news: News) -> None:
        self._metrics.news(news)
        self._announce(news)

    def _count(self, part: Round, waiting: list[Intent]) -> None:
        self._metrics.looked(
            block=part.outlook.head,
            chain_time=part.outlook.time,
            balance=part.outlook.balance,
            spent=part.spent,
            budget=self._rules.budget,
            waiting=waiting,
            backlog=self._agenda.backlog(part.outlook.time),
            given_up=self._journal.given_up(self._contract_id),
            conditions=tuple(part.conditions.values()),
        )

    def overview(self, part: Round | None, rows: int = 5) -> Overview:
        """What a look showed, with the next `rows` orders to come due and the last `rows` intents; None: none was had,
        since another keeper has the place. Raises `StoreError`.
        """
        at = self._book.info().marks.seen_at if part is None else part.outlook.time
        return Overview(
            account=self._account.address,
            leading=part is not None,
            time=at,
            due=self._agenda.backlog(at),
            coming=tuple(self._agenda.coming(at, limit=rows)),
            latest=tuple(self._journal.latest(rows)),
            balance=None if part is None else part.outlook.balance,
            spent=spent_today(self._journal, self._clock_ms()) if part is None else part.spent,
            budget=self._rules.budget,
            given_up=self._journal.given_up(self._contract_id),
            conditions=(self._not_leading(),) if part is None else tuple(part.conditions.values()),
        )

    def try_again(self) -> int:
        """Forgets what was the matter with orders, so that those that were given up are tried again; returns how many
        there were. Raises `StoreError`, and `NotLeading` where another keeper has the place.
        """
        term = self._place.take()
        if term is None:
            raise self._not_leading()
        return self._journal.under(self._store.under(term)).forget_troubles(self._contract_id)

    def _report(self, part: Round | None) -> KeeperReport:
        tally = self._tally
        return KeeperReport(
            leading=part is not None,
            settled=len(tally.settled),
            transactions=tally.transactions,
            raised=tally.raised,
            reverted=tally.reverted,
            wasted=tally.wasted,
            displaced=tally.displaced,
            cost=tally.cost,
            waiting=sum(intent.inclusion is None for intent in self._journal.waiting()),
            left=0 if part is None else self._guess_left(part),
            given_up=self._journal.given_up(self._contract_id),
            conditions=() if part is None else tuple(part.conditions.values()),
        )

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
    """What keeps a keeper from settling, told when it begins and not again until it has passed."""

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
