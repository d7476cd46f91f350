"""Deposit addresses open their orders by themselves: what has come, under enough blocks, and what follows from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from kameng_escrow.chain import rpc
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.errors import NodeError, NodeRefused
from kameng_escrow.chain.steps import run
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.states import State
from kameng_escrow.errors import EscrowError
from kameng_escrow.keeper.rules import Rules
from kameng_escrow.keeper.tending import Round
from kameng_escrow.store import Store, StoreError
from kameng_escrow.store.relaying import RelayKind, RelayStage
from kameng_escrow.store.service import deposits, relays
from kameng_escrow.store.service.deposits import WatchedDeposit

from .balances import PAGE, balances
from .errors import RelayBudgetSpent, RelayReverted
from .intake import Intake
from .requests import DepositOpening, DepositSweeping

LINGER_SECONDS = 30 * 24 * 60 * 60  # after openBy, for transfers that come late
QUIET_MS = 300_000  # between looks where nothing waits to be opened
MOST_SWEEPS = 3  # by itself, of one address: whoever sends little again and again should not spend others' money
MOST_LARGE_SWEEPS = 10  # of half the price and more: what was sent little by little before does not hold that up
SWEEP_GAS = 150_000  # of a sweep, about
_DUST = 100  # part of the price below which nothing is swept by itself
MOST_REFUSALS = 32  # by the node in one look; then pages are not halved any more, or one that refuses all drowns
MOST_FAILURES = 3  # relays of one order that were mined and refused
CONFIRMATIONS = 12


class Step(IntEnum):
    """What to do about a deposit address."""

    Wait = 0  # for money, or until it is deep enough
    Open = 1
    Sweep = 2  # to refundTo
    Rest = 3  # nothing is there and nothing is waited for, but something may come late
    Leave = 4  # no longer watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look at the chain showed of a deposit address."""

    state: State  # the order's, in the latest block
    balance: int  # in the latest block, of the order's token; base units
    confirmed: int  # likewise, in the block that has as many confirmations as it takes
    now: int  # the chain's clock, Unix seconds
    least: int  # base units from which on it is worth a sweep


def judge(deposit: WatchedDeposit, sight: Sight) -> Step:
    """What to do about a deposit address. Only money that was there before and still is counts."""
    terms = deposit.terms
    there = min(sight.balance, sight.confirmed)
    if sight.state is State.Nothing and sight.now <= terms.open_by:
        return Step.Open if there >= terms.price and may_open(deposit, sight.now) else Step.Wait
    if there >= sight.least and deposit.sweeps < (MOST_LARGE_SWEEPS if 2 * there >= terms.price else MOST_SWEEPS):
        return Step.Sweep
    if sight.now > terms.open_by + LINGER_SECONDS and not there:
        return Step.Leave
    return Step.Rest


def may_open(deposit: WatchedDeposit, now: int) -> bool:
    """Whether there is something to open the order with: a live offer, or the buyer's signature."""
    return bool(deposit.signature) or (deposit.offer is not None and now < deposit.offer.expiry)


class Watcher:
    """Looks at the deposit addresses of one contract and has relays taken on for them.

    Args:
        store: under the term of the account's relayer.
        connection: to the contract's chain.
        intake: takes the relays on.
        lens: the lens's address.
        confirmations: blocks that a deposit must lie under, its own included.
        least: by token, the base units from which on what is left is swept; see `least_of`.
    """

    def __init__(
        self,
        store: Store,
        connection: Connection,
        intake: Intake,
        rules: Rules,
        *,
        lens: str,
        contract_id: int,
        confirmations: int,
        least: Mapping[str, int],
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._connection = connection
        self._intake = intake
        self._rules = rules
        self._lens = lens
        self._contract_id = contract_id
        self._confirmations = confirmations
        self._least = least
        self._clock_ms = clock_ms
        self._refusals = 0  # in this look

    def look(self, part: Round) -> None:
        """One look at all that are to be looked at.

        What the node refuses to be asked at once it is asked by halves, and an address that it refuses alone is tried
        again later: neither holds up the others. Raises `NodeError` where the node does not answer, and `StoreError`:
        what was done before stays.
        """
        last: WatchedDeposit | None = None
        self._refusals = 0
        while True:
            with self._store.reading() as session:
                page = deposits.to_look_at(session, self._contract_id, part.now_ms, PAGE, last)
            if not page:
                return
            last = page[-1]
            self._look_at(page, part)

    def _look_at(self, page: list[WatchedDeposit], part: Round) -> None:
        try:
            sights = self._sights(page, part)
        except (NodeRefused, Refusal) as error:  # as too much at once, or with the bytes of a revert
            self._refusals += 1
            part.add(error)
            if len(page) == 1:
                self._keep(page[0], error, part)
            elif self._refusals < MOST_REFUSALS:
                middle = len(page) // 2
                self._look_at(page[:middle], part)
                self._look_at(page[middle:], part)
            return
        for deposit, sight in zip(page, sights, strict=True):
            if sight is not None:
                self._follow(deposit, sight, part)

    def _sights(self, page: list[WatchedDeposit], part: Round) -> list[Sight | None]:
        """What is there; None where a token does not say."""
        pairs = [(one.terms.token, one.address) for one in page]
        head = part.outlook.head
        deep = max(0, head - self._confirmations + 1)
        # Of one block, as far as the node goes by numbers: what was there then, and what is there now.
        confirmed = run(balances(pairs, deep), self._connection)
        latest = confirmed if deep == head else run(balances(pairs, head), self._connection)
        ids = [one.order_id for one in page]
        fee = part.outlook.suggested + (part.outlook.base_fee or 0)
        standing = run(rpc.view("KamengLens", self._lens, "stateOf", ids, tag=head), self._connection)
        return [
            None
            if then is None or now is None
            else Sight(
                state=status["state"],
                balance=now,
                confirmed=then,
                now=part.outlook.time,
                least=least_of(one.terms, self._least, fee),
            )
            for one, then, now, status in zip(page, confirmed, latest, standing, strict=True)
        ]

    def _follow(self, deposit: WatchedDeposit, sight: Sight, part: Round) -> None:
        step = judge(deposit, sight)
        look_ms = part.now_ms + QUIET_MS if step is Step.Rest else 0
        if (sight.balance, sight.confirmed) != (deposit.balance, deposit.confirmed) or look_ms or step is Step.Leave:
            with self._store.writing() as session:
                deposits.seen(
                    session,
                    self._contract_id,
                    deposit.order_id,
                    balance=sight.balance,
                    confirmed=sight.confirmed,
                    look_ms=look_ms,
                    watched=step is not Step.Leave,
                )
        if step in (Step.Open, Step.Sweep):
            self._act(deposit, step, part)

    def _act(self, deposit: WatchedDeposit, step: Step, part: Round) -> None:
        kind = RelayKind.DepositOpening if step is Step.Open else RelayKind.DepositSweep
        with self._store.reading() as session:
            known = relays.of_order(session, self._contract_id, deposit.order_id, kind=kind)
        if any(not one.stage.has_ended for one in known):
            return
        if sum(one.stage is RelayStage.Failed for one in known) >= MOST_FAILURES:
            self._keep(deposit, RelayReverted("-"), part)
            return
        try:
            self._intake.accept(_request(deposit, step, part.outlook.time), account=None)
        except NodeRefused as error:
            part.add(error)
            self._keep(deposit, error, part)
            return
        except (NodeError, StoreError):
            raise
        except EscrowError as error:
            if isinstance(error, RelayBudgetSpent):
                part.add(error)
            self._keep(deposit, error, part)
            return
        with self._store.writing() as session:
            deposits.acted(session, self._contract_id, deposit.order_id, swept=step is Step.Sweep)
        part.moved = True

    def _keep(self, deposit: WatchedDeposit, error: EscrowError, part: Round) -> None:
        """It can't be done now: tried again later, each time a little later, but never given up before openBy."""
        delay_ms = min(QUIET_MS, int(self._rules.retry_seconds * 1000) << min(deposit.failures, 10))
        with self._store.writing() as session:
            deposits.kept(session, self._contract_id, deposit.order_id, error, look_ms=part.now_ms + delay_ms)


def least_of(terms: OrderTerms, told: Mapping[str, int], fee: int) -> int:
    """The base units from which on what is left at an order's deposit address is worth a sweep.

    Args:
        told: by token, as whoever runs this says.
        fee: wei a unit of gas, as a transaction would offer now.
    """
    if (least := told.get(terms.token)) is not None:
        return least
    least = max(1, terms.price // _DUST)
    return max(least, fee * SWEEP_GAS) if terms.token == NATIVE else least


def _request(deposit: WatchedDeposit, step: Step, now: int) -> DepositOpening | DepositSweeping:
    if step is Step.Sweep:
        return DepositSweeping(terms=deposit.terms)
    live = deposit.offer is not None and now < deposit.offer.expiry
    if (live and deposit.failures % 2 == 0) or not deposit.signature:
        return DepositOpening(terms=deposit.terms, offer=deposit.offer)
    return DepositOpening(terms=deposit.terms, signature=deposit.signature)  # the offer may be void: a bond is short
