"""What an account's closed orders say of it: counted by fault, weighted by fees, bounded by counterparty.

Everything here is integers, so that whoever recomputes it from the chain gets the same to the last digit. Weights are
in millionths of an order, shares in millionths. The manual's page on reputation says why each rule is there.

    weight      0 below a tenth of the token's unit, fee / unit up to the unit, √(fee / unit) above, at most 4
    decay       halves every 180 days, in a straight line between
    counterparty  what one account adds to the good, or to the bad, and one receiving address to the good: at most 4
    fault       stays bad, whatever addresses the two share: what an account does of its own will takes nothing from it
    interval    Wilson's, at 95 % (z = 1.96), of the good weight among good and bad
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import isqrt

from .states import Fault, Outcome

ONE = 1_000_000  # an order, or the whole, in millionths
HALF_LIFE = 180 * 24 * 60 * 60  # seconds
MOST = 4 * ONE  # an order's weight, and what one counterparty adds
DUST = 10  # fees below this part of a unit weigh nothing
Z = Fraction(196, 100)  # of the normal distribution at 95 %
_FINE = 10**12  # what square roots are taken to


class Kind(StrEnum):
    """What an order says of one of its parties."""

    Good = "good"  # not at fault, and a fee was paid
    Bad = "bad"  # at fault
    Neutral = "neutral"  # not at fault, and no fee was paid: it says nothing
    Unanswered = "unanswered"  # nobody accepted it in time
    Returned = "returned"  # both agreed that all goes back
    SelfTrade = "self_trade"  # not at fault, and both sides, or a side and the platform, are one
    Mutual = "mutual"  # good, but the two trade in both directions
    Dust = "dust"  # too small a fee to weigh anything
    Unlisted = "unlisted"  # of a token or a platform that the yardstick does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """As much of a closed order as reputation looks at."""

    buyer: str
    refund_to: str
    seller: str
    pay_to: str
    payer: str
    token: str
    platform: str  # which registered the policy
    fee_receiver: str  # of the policy
    outcome: Outcome
    fault: Fault
    to_seller: int  # base units of the token, likewise the fees; with what was paid when a dispute began
    fee: int  # what the platform earned on it
    full_fee: int  # what it would have earned, had the seller earned the whole price
    closed_at: int  # Unix seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What fees are measured by. Two who use the same get the same."""

    units: Mapping[str, int]  # the fee, in base units, that makes an order a whole one, by token; no others count
    platforms: frozenset[str] | None = None  # whose fees count; None: all, which costs a cheat with his own nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What an account's orders in one role say."""

    counts: Mapping[Kind, int]  # closed orders of each kind; all kinds are there
    counterparties: int  # accounts that the good weight comes from
    good: int  # weight, in millionths of an order
    bad: int  # likewise
    rate: int | None  # the good share of the weight, in millionths; None: nothing weighs anything
    lower: int  # ends of the interval, in millionths
    upper: int
    fees: Mapping[str, int]  # paid on the good orders, in base units by token: what it would cost to fake them

    @property
    def orders(self) -> int:
        """All closed orders in this role."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reputation:
    """An account's reputation at a time."""

    account: str
    at: int  # Unix seconds of the chain
    as_buyer: Tally
    as_seller: Tally


def reckon(account: str, trades: Iterable[Trade], yardstick: Yardstick, at: int) -> Reputation:
    """The reputation of an account.

    Args:
        account: checksummed, as the addresses of the trades.
        trades: its closed orders, all of them, in any order; others are passed over.
        yardstick: what fees are measured by.
        at: Unix seconds of the chain; trades that closed later are passed over.
    """
    known = [trade for trade in trades if trade.closed_at <= at]
    bought = _Side(account, Fault.Buyer, (one for one in known if one.buyer == account), yardstick, at)
    sold = _Side(account, Fault.Seller, (one for one in known if one.seller == account), yardstick, at)
    purses = bought.own_purses | sold.own_purses | {account}
    for side in (bought, sold):
        side.pass_over_own(purses)
    sellers, buyers = bought.sellers(), sold.buyers()
    return Reputation(
        account=account, at=at, as_buyer=bought.tally(mutual_with=buyers), as_seller=sold.tally(mutual_with=sellers)
    )


def weight(fee: int, unit: int) -> int:
    """What a fee weighs, in millionths of an order."""
    if fee * DUST < unit:
        return 0
    if fee <= unit:
        return fee * ONE // unit
    return min(MOST, isqrt(fee * ONE * ONE // unit))


def decayed(amount: int, age: int) -> int:
    """What is left of a weight after so many seconds."""
    halvings, rest = divmod(age, HALF_LIFE)
    return amount * (2 * HALF_LIFE - rest) // (2 * HALF_LIFE) >> halvings


def bounded(weights: Mapping[tuple[str, str], int]) -> int:
    """The sum of weights by account and receiving address, of which no account and no address has more than `MOST`.

    An account over the bound has each of its addresses cut in proportion; then each address is cut.
    """
    of_account: dict[str, int] = {}
    for (account, _), amount in weights.items():
        of_account[account] = of_account.get(account, 0) + amount
    of_purse: dict[str, int] = {}
    for (account, purse), amount in weights.items():
        total = of_account[account]
        kept = amount if total <= MOST else amount * MOST // total
        of_purse[purse] = of_purse.get(purse, 0) + kept
    return sum(min(MOST, amount) for amount in of_purse.values())


def bounded_by_account(weights: Mapping[tuple[str, str], int]) -> int:
    """The sum of weights by account and receiving address, of which no account has more than `MOST`.

    More weight never makes less of it, as it can where addresses are bounded too: who is at fault could have two of his
    victims share one.
    """
    of_account: dict[str, int] = {}
    for (account, _), amount in weights.items():
        of_account[account] = of_account.get(account, 0) + amount
    return sum(min(MOST, amount) for amount in of_account.values())


def wilson(good: int, bad: int) -> tuple[int, int]:
    """The ends of Wilson's interval, in millionths: the lower rounded down, the upper up. Without weight, all of it."""
    if good + bad == 0:
        return 0, ONE
    total = Fraction(good + bad, ONE)
    middle = Fraction(good, ONE) + Z**2 / 2
    under = Fraction(good * bad, ONE**2) / total + Z**2 / 4
    root = Fraction(isqrt(under.numerator * _FINE**2 // under.denominator), _FINE)
    lower = (middle - Z * (root + Fraction(1, _FINE))) / (total + Z**2)
    upper = (middle + Z * (root + Fraction(1, _FINE))) / (total + Z**2)
    return max(0, lower * ONE // 1), min(ONE, -(-upper * ONE // 1))


@dataclass(frozen=True, slots=True)
class _Judged:
    trade: Trade
    kind: Kind
    weight: int


@dataclass(slots=True)
class _Sums:
    """Weights by counterparty: account and receiving address."""

    good: dict[tuple[str, str], int] = field(default_factory=dict)
    bad: dict[tuple[str, str], int] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)


class _Side:
    """An account's orders in one role."""

    def __init__(self, account: str, own: Fault, trades: Iterable[Trade], yardstick: Yardstick, at: int) -> None:
        self._account = account
        self._own = own
        self._yardstick = yardstick
        self._at = at
        self._judged = [self._judge(trade) for trade in trades]

    @property
    def own_purses(self) -> set[str]:
        """Where the account has its money go: only what it agreed to, since anyone may open an order for a buyer."""
        weighed = (one.trade for one in self._judged if one.weight)
        if self._own is Fault.Seller:
            return {trade.pay_to for trade in weighed}
        return {trade.refund_to for trade in weighed if trade.payer == self._account}

    def pass_over_own(self, purses: set[str]) -> None:
        """Good orders with an account that shares a receiving address with this one are trades with itself.

        Bad ones stay: the account names such addresses itself, and would be rid of its faults by naming its victims'.
        """
        for position, one in enumerate(self._judged):
            if one.kind is Kind.Good and not purses.isdisjoint(self._counterparty(one.trade)):
                self._judged[position] = _Judged(one.trade, Kind.SelfTrade, 0)

    def sellers(self) -> set[str]:
        """Whom it buys from, and where their money goes as far as it chose that itself."""
        good = [one.trade for one in self._judged if one.kind is Kind.Good]
        return {trade.seller for trade in good} | {trade.pay_to for trade in good if trade.payer == self._account}

    def buyers(self) -> set[str]:
        """Whom it sells to."""
        return {one.trade.buyer for one in self._judged if one.kind is Kind.Good}

    def tally(self, mutual_with: set[str]) -> Tally:
        counts = dict.fromkeys(Kind, 0)
        sums = _Sums()
        for one in self._judged:
            them = self._counterparty(one.trade)
            kind = one.kind
            if kind is Kind.Good and not mutual_with.isdisjoint(them):
                kind = Kind.Mutual
            counts[kind] += 1
            left = decayed(one.weight, self._at - one.trade.closed_at)
            if kind is Kind.Good:
                sums.good[them] = sums.good.get(them, 0) + left
                sums.fees[one.trade.token] = sums.fees.get(one.trade.token, 0) + one.trade.fee
            elif kind is Kind.Bad:
                sums.bad[them] = sums.bad.get(them, 0) + left
        good, bad = bounded(sums.good), bounded_by_account(sums.bad)
        lower, upper = wilson(good, bad)
        return Tally(
            counts=counts,
            counterparties=len({account for (account, _), left in sums.good.items() if left}),
            good=good,
            bad=bad,
            rate=good * ONE // (good + bad) if good + bad else None,
            lower=lower,
            upper=upper,
            fees=dict(sorted(sums.fees.items())),
        )

    def _counterparty(self, trade: Trade) -> tuple[str, str]:
        if self._own is Fault.Seller:
            return trade.buyer, trade.refund_to
        return trade.seller, trade.pay_to

    def _judge(self, trade: Trade) -> _Judged:
        unit = self._yardstick.units.get(trade.token)
        platforms = self._yardstick.platforms
        if unit is None or (platforms is not None and trade.platform not in platforms):
            return _Judged(trade, Kind.Unlisted, 0)
        at_fault = trade.fault is self._own
        if not at_fault and _is_self_trade(trade):
            return _Judged(trade, Kind.SelfTrade, 0)
        if trade.outcome is Outcome.Expired:
            return _Judged(trade, Kind.Unanswered, 0)
        if trade.outcome is Outcome.Agreed and trade.to_seller == 0:
            return _Judged(trade, Kind.Returned, 0)
        if at_fault:
            kind, fee = Kind.Bad, trade.full_fee
        elif trade.fee:
            kind, fee = Kind.Good, trade.fee
        else:
            return _Judged(trade, Kind.Neutral, 0)
        found = weight(fee, unit)
        return _Judged(trade, kind if found else Kind.Dust, found)


def _is_self_trade(trade: Trade) -> bool:
    theirs = {trade.buyer, trade.refund_to}
    own = {trade.seller, trade.pay_to}
    return bool(theirs & own) or bool({trade.platform, trade.fee_receiver} & (theirs | own))
