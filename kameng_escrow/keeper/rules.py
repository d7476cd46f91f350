"""What a keeper or relayer may spend, and how patient it is."""

from dataclasses import dataclass

from kameng_escrow.store.keeping import LONGEST_WAIT_MS

from .errors import KEEPER
from .machine import Pace

DAY_MS = 86_400_000

MAX_FEE = 200 * 10**9  # wei a unit of gas
BUDGET = 10**17  # wei in 24 hours
LOW_BALANCE = 2 * 10**16  # wei
GAS_LIMIT = 15_000_000  # of a transaction: chains allow 2^24 since EIP-7825


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a keeper may spend, and how patient it is; of what a batch is a relayer needs nothing.

    Raises:
        ValueError: they contradict themselves.
    """

    batch: int = 100  # orders in one transaction, at most
    in_flight: int = 16  # transactions that wait to be mined, at most: nodes keep few of one account
    gas_limit: int = GAS_LIMIT  # of one transaction, at most; never more than half a block
    confirmations: int = 12  # blocks until a transaction is final, its own included
    stuck_seconds: float = 45.0  # unmined, until it is offered for more
    resend_seconds: float = 15.0  # unmined, until a node is given it again
    retry_seconds: float = 3.0  # until a node that refused is asked again, and an order first tried again
    max_fee: int = MAX_FEE  # wei a unit of gas, at most
    budget: int | None = BUDGET  # wei in any 24 hours, at most; None: no limit
    low_balance: int = LOW_BALANCE  # wei: below it, it warns
    spread_seconds: float = 10  # keepers of different accounts wait up to so long, each another time, before they act
    attempts: int = 8  # to settle an order, before it is given up
    page: int = 500  # orders that are read and checked at once
    worker: str = KEEPER  # whose settings messages name, and whose place is taken: "keeper", "relayer"

    def __post_init__(self) -> None:
        least = {"batch": 1, "in_flight": 1, "gas_limit": 100_000, "confirmations": 1, "attempts": 1, "page": 1}
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise ValueError(f"{name} is at least {minimum}, not {getattr(self, name)}")
        for name in ("stuck_seconds", "resend_seconds", "retry_seconds", "max_fee", "low_balance", "spread_seconds"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} can't be negative, as {getattr(self, name)} is")

    def pace(self, fee_cap: int | None = None) -> Pace:
        """What the machine decides by; `fee_cap`: less than the highest fee may be left of the budget."""
        return Pace(
            confirmations=self.confirmations,
            stuck_ms=int(self.stuck_seconds * 1000),
            resend_ms=int(self.resend_seconds * 1000),
            retry_ms=int(self.retry_seconds * 1000),
            fee_cap=self.max_fee if fee_cap is None else min(self.max_fee, fee_cap),
        )

    def next_try_ms(self, failures: int, now_ms: int) -> int | None:
        """When to try an order again that failed so many times in a row; None: never."""
        if failures >= self.attempts:
            return None
        return now_ms + min(LONGEST_WAIT_MS, int(self.retry_seconds * 2 ** (failures - 1) * 1000))
