"""Taking something on: what would be refused goes back to whoever asked, and costs nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from eth_utils.crypto import keccak
from sqlalchemy.orm import Session

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.sender import suggested_fees
from kameng_escrow.chain.steps import run
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusals import PolicyUnknown
from kameng_escrow.keeper.paying import with_margin
from kameng_escrow.keeper.rules import DAY_MS
from kameng_escrow.store import Book, Store
from kameng_escrow.store.engine import take_turn
from kameng_escrow.store.relaying import NewRelay, Relay
from kameng_escrow.store.service import relays

from .budgets import NEW_BUDGET, PLATFORM_BUDGET, purses_of
from .errors import NativeBondNotRelayed, RelayLimitReached, RelayTooCostly
from .requests import KINDS, Request, call_of, verb_of

RELAY_GAS = 1_500_000  # of one relay: four times what the dearest of ours takes, and what a wallet contract may add
ACCOUNT_LIMIT = 100  # relays in 24 hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be taken on."""

    gas: int = RELAY_GAS  # of one relay, at most
    platform_budget: int | None = PLATFORM_BUDGET  # wei in any 24 hours for each platform without a sum of its own
    new_budget: int | None = NEW_BUDGET  # likewise, for all platforms without a past together
    account_limit: int = ACCOUNT_LIMIT  # relays that one account may ask for in any 24 hours
    max_fee: int = 200 * 10**9  # wei a unit of gas, at most


class Intake:
    """Takes relays on for one contract: into the store, from where the relayer brings them.

    Args:
        store: of this package's schema; in the relayer itself the one under its term.
        book: the contract's mirror, which knows whose policy an order has.
        client: of the same contract; needs no account.
        connection: to the same chain.
        clock_ms: our clock, Unix milliseconds.
    """

    def __init__(
        self,
        store: Store,
        book: Book,
        client: EscrowClient,
        connection: Connection,
        limits: Limits,
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._book = book
        self._client = client.acting_as(ZERO_ADDRESS)  # nobody: what is relayed must not hang on who brings it
        self._connection = connection
        self._limits = limits
        self._clock_ms = clock_ms
        self._contract_id = book.info().id

    def accept(self, request: Request, *, account: str | None) -> Relay:
        """Writes down that this is to be brought to the chain; or finds the relay that is under way with the very same
        call.

        Args:
            account: who asks, and whose limit it counts for; None: the watcher of deposits.

        Raises:
            Refusal: the contract would refuse it, or some of it can't be right.
            RelayError: it may not be relayed, or not now.
            InvalidInput, UnknownOrder, NodeError, StoreError: likewise, as the client and the store raise them.
        """
        order_id = self._client.order_id(request.terms)
        call = call_of(self._client, request)
        if call.value:
            raise NativeBondNotRelayed(order_id, call.value)
        assert call.to is not None, "it is a call of a contract"
        digest = digest_of(call)
        with self._store.reading() as session:
            known = relays.under_way(session, self._contract_id, digest)
        if known is not None:
            return known
        new = NewRelay(
            kind=KINDS[type(request)],
            order_id=order_id,
            verb=verb_of(request),
            platform=self.platform(request.terms.policy_id),
            account=account,
            to=call.to,
            data=call.data,
            gas=self._gas(call),
        )
        return self._write(new, digest)

    def platform(self, policy_id: str) -> str:
        """The platform of a policy: whose budget its orders' relays are paid from. Raises `PolicyUnknown`."""
        policy = self._book.policy(policy_id)
        if policy is None:
            raise PolicyUnknown(policy_id)
        return policy.policy.platform

    def _gas(self, call: Call) -> int:
        """What the call takes, which is tried for that. Raises the `Refusal`."""
        gas = with_margin(run(rpc.estimate(call, sender=NATIVE), self._connection))
        if gas > self._limits.gas:
            raise RelayTooCostly(gas, self._limits.gas)
        return gas

    def _price(self) -> int:
        """What a transaction would offer now for a unit of gas, in wei."""
        fees = run(suggested_fees(), self._connection)
        return min(self._limits.max_fee, max(fees.values()))

    def _write(self, new: NewRelay, digest: str) -> Relay:
        price, now_ms = self._price(), self._clock_ms()
        with self._store.writing() as session:
            take_turn(session.connection())  # or several at once would each find the same money left
            known = relays.under_way(session, self._contract_id, digest)
            if known is not None:
                return known
            if new.account is not None:
                asked = relays.asked_since(session, new.account, now_ms - DAY_MS)
                if asked >= self._limits.account_limit:
                    raise RelayLimitReached(new.account, self._limits.account_limit)
            self._check_budget(session, new, price, now_ms)
            return relays.accept(session, self._contract_id, new, digest, now_ms)

    def _check_budget(self, session: Session, new: NewRelay, price: int, now_ms: int) -> None:
        for purse in purses_of(
            session,
            self._contract_id,
            new.platform,
            each=self._limits.platform_budget,
            new=self._limits.new_budget,
            now_ms=now_ms,
        ):
            if (short := purse.short(new.gas * price, price * purse.waiting_gas)) is not None:
                raise short


def digest_of(call: Call) -> str:
    """What makes two relays the same: the contract that is called, and with what."""
    return "0x" + keccak(bytes.fromhex((call.to or "0x")[2:]) + call.data).hex()
