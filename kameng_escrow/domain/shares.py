"""The money of every row, to the last base unit. The contract's ``libraries/Shares.sol`` in Python.

    P price · N units · k disputed units · f(x) platform fee on x
    B = ⌊P · seller's bond⌋                       what acceptance locks
    D = P − ⌊P(N−k)/N⌋                            the sum in dispute: what is not in dispute rounds down
    b = ⌊D · seller's bond⌋ · E = ⌊D · dispute bond⌋ · M = ⌊D · mediation fee⌋

What came in for an order (P, B and E) is what goes out by the row that closes it, plus what row 13 paid already.
Rounding loses nothing and makes nothing: `Held.total` is the sum of what any of the closings below pays.
"""

from dataclasses import dataclass

from .order import Order, Shares
from .policy import Policy
from .states import Fault, Outcome, State

BPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the escrow holds for an open order, in base units."""

    amount: int  # the price; once Disputed the sum in dispute
    seller_bond: int = 0  # zero before acceptance
    dispute_bond: int = 0  # zero outside Disputed

    @property
    def total(self) -> int:
        """All of it together."""
        return self.amount + self.seller_bond + self.dispute_bond


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How an order ends, and what that pays to whom."""

    outcome: Outcome
    fault: Fault
    shares: Shares


def bps(amount: int, rate: int) -> int:
    """`rate` ten-thousandths of `amount`, rounded down."""
    return amount * rate // BPS


def sum_in_dispute(price: int, units: int, disputed_units: int) -> int:
    """The part of the price that `disputed_units` of `units` stand for."""
    return price - price * (units - disputed_units) // units


def held_in(state: State, policy: Policy, *, price: int, units: int, disputed_units: int = 0) -> Held:
    """What the escrow holds for an order of this price in an open state; in any other state nothing."""
    match state:
        case State.Opened:
            return Held(amount=price)
        case State.Accepted | State.Delivered:
            return Held(amount=price, seller_bond=bps(price, policy.seller_bond_bps))
        case State.Disputed:
            amount = sum_in_dispute(price, units, disputed_units)
            return Held(
                amount=amount,
                seller_bond=bps(amount, policy.seller_bond_bps),
                dispute_bond=bps(amount, policy.dispute_bond_bps),
            )
    return Held(amount=0)


def held(order: Order) -> Held:
    """What the escrow holds for `order`; nothing for one that is not open.

    Raises:
        ValueError: the order is open, but its terms or policy are not known.
    """
    if not order.state.is_open:
        return Held(amount=0)
    if order.terms is None or order.policy is None:
        raise ValueError(f"order {order.id} is {order.state.label}, but its terms or policy are missing")
    return held_in(
        order.state,
        order.policy,
        price=order.terms.price,
        units=order.terms.units,
        disputed_units=order.disputed_units,
    )


def undisputed(policy: Policy, *, price: int, units: int, disputed_units: int) -> Shares:
    """Row 13: what the units not in dispute pay at once, while the dispute bond comes in."""
    rest = price - sum_in_dispute(price, units, disputed_units)
    fee = bps(rest, policy.platform_fee_bps)
    before = held_in(State.Delivered, policy, price=price, units=units)
    after = held_in(State.Disputed, policy, price=price, units=units, disputed_units=disputed_units)
    return Shares(
        to_buyer=0,
        to_seller=rest - fee,
        platform_fee=fee,
        bond_returned=before.seller_bond - after.seller_bond,
    )


def split(policy: Policy, held: Held, to_buyer: int, outcome: Outcome, fault: Fault) -> Closing:
    """Of what is held, `to_buyer` and the dispute bond to the buyer, the rest less the platform fee to the seller, the
    seller's bond back. With nothing: rows 11 and 15. With all: rows 4, 5 and 9. In between: row 18.
    """
    rest = held.amount - to_buyer
    fee = bps(rest, policy.platform_fee_bps)
    return Closing(
        outcome=outcome,
        fault=fault,
        shares=Shares(
            to_buyer=to_buyer + held.dispute_bond,
            to_seller=rest - fee,
            platform_fee=fee,
            bond_returned=held.seller_bond,
        ),
    )


def withdrawn(held: Held, outcome: Outcome) -> Closing:
    """Rows 8, 12 and 14: the seller backs out. All to the buyer, with the larger half of the seller's bond."""
    back = held.seller_bond // 2
    return Closing(
        outcome=outcome,
        fault=Fault.Seller,
        shares=Shares(to_buyer=held.total - back, to_seller=0, platform_fee=0, bond_returned=back),
    )


def cancelled(policy: Policy, held: Held) -> Closing:
    """Row 7: the buyer backs out. The cancel fee to the seller, without a platform fee."""
    fee = bps(held.amount, policy.cancel_fee_bps)
    return Closing(
        outcome=Outcome.Cancelled,
        fault=Fault.Buyer,
        shares=Shares(
            to_buyer=held.amount - fee,
            to_seller=fee,
            platform_fee=0,
            bond_returned=held.seller_bond,
        ),
    )


def ruling(policy: Policy, held: Held, to_buyer: int, outcome: Outcome) -> Closing:
    """Row 16: the sum in dispute as awarded; both bonds, less the mediation fee, follow it in proportion."""
    mediation_fee = bps(held.amount, policy.mediation_fee_bps)
    pot = held.total - mediation_fee
    earned = held.amount - to_buyer
    seller_pot = pot * earned // held.amount
    fee = bps(earned, policy.platform_fee_bps)
    fault = Fault.Seller if to_buyer > earned else Fault.Buyer if to_buyer < earned else Fault.Nobody
    return Closing(
        outcome=outcome,
        fault=fault,
        shares=Shares(
            to_buyer=pot - seller_pot,
            to_seller=earned - fee,
            platform_fee=fee,
            bond_returned=seller_pot - earned,
            mediation_fee=mediation_fee,
        ),
    )


def timeout(policy: Policy, state: State, held: Held) -> Closing:
    """Rows 4, 10, 11 and 17: what the clock does with an open order when nobody acted.

    Raises:
        ValueError: no clock runs in this state.
    """
    match state:
        case State.Opened:
            return split(policy, held, held.amount, Outcome.Expired, Fault.Nobody)
        case State.Accepted:
            return Closing(
                outcome=Outcome.Undelivered,
                fault=Fault.Seller,
                shares=Shares(to_buyer=held.total, to_seller=0, platform_fee=0, bond_returned=0),
            )
        case State.Delivered:
            return split(policy, held, 0, Outcome.Released, Fault.Nobody)
        case State.Disputed:
            to_seller = bps(held.amount, BPS - policy.silence_share_bps)
            return Closing(
                outcome=Outcome.Defaulted,
                fault=Fault.Nobody if policy.mediate_window == 0 else Fault.Mediator,
                shares=Shares(
                    to_buyer=held.amount - to_seller + held.dispute_bond,
                    to_seller=to_seller,
                    platform_fee=0,
                    bond_returned=held.seller_bond,
                ),
            )
    raise ValueError(f"no clock runs in {state.label}")
