"""What an account may spend and which nonces it has: the same whatever its transactions are for."""

from eth_account.signers.local import LocalAccount

from kameng_escrow.errors import EscrowError
from kameng_escrow.store.keeping import Fee, Intent, Payload

from .errors import AccountDry, AccountLow, BudgetSpent, GasTooDear
from .fees import is_too_dear, market_fee
from .machine import gap, next_nonce
from .memory import Memory
from .rules import Rules
from .tending import Hands, Round

MARGIN_PERCENT = 20  # on the node's estimate: the block it lands in is another


class Purse:
    """One account's money and nonces, in the rounds of one worker."""

    def __init__(self, account: LocalAccount, hands: Hands, rules: Rules, memory: Memory) -> None:
        self._account = account.address
        self._hands = hands
        self._rules = rules
        self._memory = memory

    def fee(self, part: Round) -> Fee | None:
        """What to offer now; None, and said so, where the chain asks for more than may be offered."""
        outlook, cap = part.outlook, self._rules.max_fee
        if is_too_dear(outlook.base_fee, outlook.suggested, cap):
            part.add(GasTooDear(outlook.base_fee or outlook.suggested, cap, self._rules.worker))
            return None
        return market_fee(outlook.base_fee, outlook.suggested, cap)

    def too_poor(self, cost: int, part: Round, waiting: list[Intent]) -> EscrowError | None:
        """Why `cost` wei more can't be spent; None: they can."""
        budget = self._rules.budget
        if budget is not None and part.spent + cost > budget:
            return BudgetSpent(budget, part.spent, cost, self._rules.worker)
        free = self.free(part, waiting)
        return AccountDry(self._account, free, cost) if free < cost else None

    def free(self, part: Round, waiting: list[Intent]) -> int:
        """What the account has beside what is set aside for transactions that wait."""
        return part.outlook.balance - sum(intent.reserved for intent in waiting)

    def dry(self, part: Round, needed: int) -> AccountDry:
        """That `needed` wei are more than the account has."""
        return AccountDry(self._account, part.outlook.balance, needed)

    def check(self, part: Round) -> None:
        """Warns while there is still something left."""
        balance, threshold = part.outlook.balance, self._rules.low_balance
        if balance < threshold:
            part.add(AccountLow(self._account, balance, threshold))

    def next_nonce(self, part: Round, waiting: list[Intent]) -> int:
        """The nonce for a new intent."""
        outlook = part.outlook
        return next_nonce(outlook.latest_nonce, outlook.pending_nonce, _held(waiting))

    def fill_gap(self, part: Round, waiting: list[Intent]) -> list[Intent]:
        """An empty transaction for a nonce that ours wait for and that nobody seems to use any more."""
        outlook, now_ms = part.outlook, part.now_ms
        nonce = gap(outlook.latest_nonce, outlook.pending_nonce, _held(waiting))
        if nonce is None:
            self._memory.gap_since_ms = None
            return []
        since = self._memory.gap_since_ms = self._memory.gap_since_ms or now_ms
        if abs(now_ms - since) < self._rules.stuck_seconds * 1000:  # the clock may have been set back
            return []
        content = self._hands.empty()
        fee = market_fee(outlook.base_fee, outlook.suggested, self._rules.max_fee)
        if (short := self.too_poor(content.gas * fee.highest, part, waiting)) is not None:
            part.add(short)
            return []
        return [self._hands.open(part, nonce=nonce, payload=Payload.Nothing, content=content, fee=fee)]


def with_margin(estimate: int) -> int:
    """Gas to allow where the node estimates so much."""
    return estimate + estimate * MARGIN_PERCENT // 100


def _held(waiting: list[Intent]) -> frozenset[int]:
    return frozenset(intent.nonce for intent in waiting)
