"""The relayer: brings what others signed to the chain, whatever happens to it on the way."""

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.nodes import Node
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.keeper.paying import Purse
from kameng_escrow.keeper.report import Announce
from kameng_escrow.keeper.rules import Rules
from kameng_escrow.keeper.tending import Round, spent_today
from kameng_escrow.keeper.working import Trouble, Worker, nobody_listens, now_ms
from kameng_escrow.store import Store, Term
from kameng_escrow.store.keeping import Intent, Payload
from kameng_escrow.store.relaying import RelayStage
from kameng_escrow.store.service import deposits, relays

from .errand import Relaying
from .intake import Intake, Limits
from .metrics import RelayerMetrics
from .planning import RelayPlanner
from .report import RelayOverview, RelayReport
from .watching import CONFIRMATIONS, Watcher

RELAYER = "relayer"
WATCH_MS = 2_000  # between looks at deposit addresses while no block comes


class Relayer(Worker):
    """Brings the relays of one contract to the chain, paid by one account, and opens the orders whose deposit addresses
    are paid. A context manager: gives its place back on exit.

    Its transactions never carry coins: all that it can lose is gas, and of that no more than its rules allow. Of the
    relayers of one account that share a store one works, the others wait for its place. Relayers of different accounts
    share the work: each relay is carried by one intent of one of them.

    Args:
        store: of this package's schema, with the contract's mirror, which somebody else keeps up to date.
        node: of the contract's chain.
        deployment: the contract.
        account: pays and signs. Nobody else should send from it.
        rules: what it may spend, and how patient it is.
        limits: what each relay, platform and account may take of that.
        confirmations: blocks that a deposit must lie under before its order is opened.
        least_sweeps: by token, the base units from which on what is left at a deposit address is swept.
        announce: told of everything that happens.
        metrics: counts it for Prometheus.
        clock_ms: our clock, Unix milliseconds.

    Raises:
        UnknownContract, SchemaMissing and the like: the store has nothing of the contract.
        WrongStore: it holds another chain of that id.
    """

    payload = Payload.Call

    def __init__(
        self,
        store: Store,
        node: Node,
        deployment: Deployment,
        account: LocalAccount,
        rules: Rules | None = None,
        limits: Limits | None = None,
        *,
        confirmations: int = CONFIRMATIONS,
        least_sweeps: Mapping[str, int] = MappingProxyType({}),
        announce: Announce = nobody_listens,
        metrics: RelayerMetrics | None = None,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._metrics = metrics or RelayerMetrics()
        super().__init__(
            store,
            node,
            deployment,
            account,
            rules or Rules(worker=RELAYER),
            announce=announce,
            metrics=self._metrics,
            clock_ms=clock_ms,
        )
        self._client = EscrowClient(node=node, contract=deployment)
        self._limits = limits or Limits()
        self._confirmations = confirmations
        self._least_sweeps = least_sweeps
        self._refusals: dict[int, Refusal] = {}
        self._watched_at: tuple[int, int] | None = None  # the head and our clock, when deposits were last looked at

    # ---------------------------------------------------------------------------------------------------------- loops

    def run_once(
        self, stop: threading.Event | None = None, *, patience_seconds: float = 60.0, trouble: Trouble = nobody_listens
    ) -> RelayReport:
        """Brings what was accepted, waits until it is mined, and returns. As `Keeper.run_once`."""
        return self._report(self._run_once(stop, patience_seconds, trouble))

    def follow(
        self,
        stop: threading.Event,
        *,
        poll_seconds: float = 1.0,
        trouble: Trouble = nobody_listens,
        looked: Callable[[Round | None], None] = nobody_listens,
    ) -> RelayReport:
        """Brings what is accepted until `stop` is set. As `Keeper.follow`."""
        return self._report(self._follow(stop, poll_seconds, trouble, looked))

    def _is_done(self, part: Round) -> bool:
        del part
        return self._count_accepted() == 0 and all(one.inclusion is not None for one in self._journal.waiting())

    def _count_accepted(self) -> int:
        with self._store.reading() as session:
            return relays.count_open(session, self._contract_id)[RelayStage.Accepted]

    # ---------------------------------------------------------------------------------------------------------- looks

    def _work(self, term: Term, *, spread: bool) -> Round:
        del spread  # nobody else brings these
        store = self._store.under(term)
        journal = self._journal.under(store)
        hands = self._hands(journal, Relaying(self._eye, store, self._refusals))
        purse = Purse(self._account, hands, self._rules, self._memory)
        part = self._round(journal)
        waiting = self._tend(hands, journal, part)
        waiting += purse.fill_gap(part, waiting)
        planner = RelayPlanner(self._eye, store, hands, purse, self._rules, self._limits, contract_id=self._contract_id)
        waiting += planner.plan(part, waiting)
        purse.check(part)
        self._check_mirror(part)
        if self._is_time_to_watch(part):  # last: whatever a node says there, relays were sent
            self._watcher(store).look(part)
            self._watched_at = (part.outlook.head, part.now_ms)
        self._count(part, waiting)
        return part

    def _is_time_to_watch(self, part: Round) -> bool:
        """Money comes with blocks; new addresses, and those to be tried again, within two seconds."""
        if self._watched_at is None:
            return True
        head, at_ms = self._watched_at
        return head != part.outlook.head or part.now_ms - at_ms >= WATCH_MS

    def _watcher(self, store: Store) -> Watcher:
        intake = Intake(store, self._book, self._client, self._connection, self._limits, clock_ms=self._clock_ms)
        return Watcher(
            store,
            self._connection,
            intake,
            self._rules,
            lens=self._deployment.lens,
            contract_id=self._contract_id,
            confirmations=self._confirmations,
            least=self._least_sweeps,
            clock_ms=self._clock_ms,
        )

    # -------------------------------------------------------------------------------------------------------- telling

    def _count(self, part: Round, waiting: list[Intent]) -> None:
        with self._store.reading() as session:
            stages = relays.count_open(session, self._contract_id)
            watched = deposits.count_watched(session, self._contract_id)
        self._metrics.looked(
            block=part.outlook.head,
            balance=part.outlook.balance,
            spent=part.spent,
            budget=self._rules.budget,
            waiting=waiting,
            conditions=tuple(part.conditions.values()),
            accepted=stages[RelayStage.Accepted],
            watched=watched,
        )

    def overview(self, part: Round | None, rows: int = 5) -> RelayOverview:
        """What a look showed, with the last `rows` relays; None: none was had, since another relayer has the place.
        Raises `StoreError`.
        """
        at_ms = self._clock_ms()
        with self._store.reading() as session:
            stages = relays.count_open(session, self._contract_id)
            watched = deposits.count_watched(session, self._contract_id)
            latest = relays.latest(session, self._contract_id, rows)
            platforms = [
                relays.allowance(session, self._contract_id, platform, default=None, now_ms=at_ms)
                for platform in relays.budgets(session, self._contract_id)
            ]
        return RelayOverview(
            account=self._account.address,
            leading=part is not None,
            accepted=stages[RelayStage.Accepted],
            sent=stages[RelayStage.Sent] + stages[RelayStage.Mined],
            watched=watched,
            latest=tuple(latest),
            balance=None if part is None else part.outlook.balance,
            spent=spent_today(self._journal, at_ms) if part is None else part.spent,
            budget=self._rules.budget,
            platforms=tuple(platforms),
            conditions=(self._not_leading(),) if part is None else tuple(part.conditions.values()),
        )

    def _report(self, part: Round | None) -> RelayReport:
        tally = self._tally
        with self._store.reading() as session:
            watched = deposits.count_watched(session, self._contract_id)
        return RelayReport(
            leading=part is not None,
            transactions=tally.transactions,
            raised=tally.raised,
            reverted=tally.reverted,
            displaced=tally.displaced,
            cost=tally.cost,
            waiting=sum(intent.inclusion is None for intent in self._journal.waiting()),
            left=self._count_accepted(),
            watched=watched,
            conditions=() if part is None else tuple(part.conditions.values()),
        )
