"""The keeper: finds orders whose clock has run out, and settles them, whatever happens to it on the way."""

import threading
from collections.abc import Callable

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.errors import NodeError
from kameng_escrow.chain.nodes import Node
from kameng_escrow.store import Agenda, Store, Term
from kameng_escrow.store.keeping import Intent, Payload

from .errands import Settling
from .metrics import KeeperMetrics
from .paying import Purse
from .planning import Planner, count_left
from .report import Announce, KeeperReport, Overview
from .rules import Rules
from .tending import Round, spent_today
from .working import Trouble, Worker, nobody_listens, now_ms


class Keeper(Worker):
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

    payload = Payload.Batch

    def __init__(
        self,
        store: Store,
        node: Node,
        deployment: Deployment,
        account: LocalAccount,
        rules: Rules | None = None,
        *,
        announce: Announce = nobody_listens,
        metrics: KeeperMetrics | None = None,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._metrics = metrics or KeeperMetrics()
        super().__init__(
            store,
            node,
            deployment,
            account,
            rules or Rules(),
            announce=announce,
            metrics=self._metrics,
            clock_ms=clock_ms,
        )
        self._agenda = Agenda(store, self._contract_id)

    # ---------------------------------------------------------------------------------------------------------- loops

    def run_once(
        self, stop: threading.Event | None = None, *, patience_seconds: float = 60.0, trouble: Trouble = nobody_listens
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
        return self._report(self._run_once(stop, patience_seconds, trouble))

    def follow(
        self,
        stop: threading.Event,
        *,
        poll_seconds: float = 1.0,
        trouble: Trouble = nobody_listens,
        looked: Callable[[Round | None], None] = nobody_listens,
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
        return self._report(self._follow(stop, poll_seconds, trouble, looked))

    def _is_done(self, part: Round) -> bool:
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

    def _work(self, term: Term, *, spread: bool) -> Round:
        journal = self._journal.under(self._store.under(term))
        errand = Settling(
            self._eye,
            journal,
            self._rules,
            contract_id=self._contract_id,
            memory=self._memory,
            announce=self._say,
        )
        hands = self._hands(journal, errand)
        purse = Purse(self._account, hands, self._rules, self._memory)
        planner = Planner(
            self._eye,
            self._agenda,
            journal,
            hands,
            errand,
            purse,
            self._rules,
            account=self._account.address,
            contract_id=self._contract_id,
            memory=self._memory,
        )
        part = self._round(journal)
        waiting = self._tend(hands, journal, part)
        waiting += purse.fill_gap(part, waiting)
        waiting += planner.plan(part, waiting, spread=spread)
        purse.check(part)
        self._check_mirror(part)
        self._count(part, waiting)
        return part

    # --------------------------------------------------------------------------------------------------------- telling

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
