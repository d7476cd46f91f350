"""What a move does to the money, in a sentence in both languages, before anybody makes it.

The sums are those of ``shares``: what is told here is what the contract pays.
"""

from .currency import Currency
from .endings import ending, timeout
from .labels import Label, label_of
from .lifecycle import Move, Row, Who, row_of
from .order import Order, OrderTerms
from .policy import Policy
from .shares import bps, held, held_in, undisputed
from .states import Outcome, State
from .summary_text import clock_words, sums

_QUIET = {
    Move.Revise: Label(
        "No money moves. Every offer and split that was signed before is void.",
        "不动款项。此前签过的报价和分配方案全部作废。",
    ),
    Move.Recommit: Label(
        "No money moves. The new codes take the old ones' place; offers and splits that were signed before are void.",
        "不动款项。新卡密取代旧卡密；此前签过的报价和分配方案作废。",
    ),
}


def consequence(
    order: Order,
    move: Move,
    who: Who,
    currency: Currency,
    *,
    now: int,
    units: int | None = None,
    to_buyer: int | None = None,
) -> Label:
    """What a move does to the money of an open order.

    Args:
        order: an open order, with terms and policy.
        move: one that is possible in its state.
        who: in what capacity.
        currency: how its amounts are written.
        now: the chain's clock, Unix seconds.
        units: of a dispute: how many; left out, all of them.
        to_buyer: of a ruling or an agreement: what is awarded to the buyer, in base units; left out, it is told what
            there is to divide.

    Raises:
        ValueError: the move is not possible in the order's state, or divides more than there is.
    """
    row = row_of(move, order.state)
    if row is None or order.terms is None or order.policy is None:
        raise ValueError(f"order {order.id}, which is {order.state.label}, can't be moved by {move.value}")
    if (quiet := _QUIET.get(move)) is not None:
        return quiet
    match move:
        case Move.Accept:
            return _accepted(order.terms, order.policy, currency)
        case Move.Deliver:
            return _delivered(order, order.policy, currency, now)
        case Move.Dispute:
            return _disputed(order.terms, order.policy, order.terms.units if units is None else units, currency)
        case Move.Rule | Move.Agree if to_buyer is None:
            return _to_divide(order, currency)
    return _ended(order, row, who, to_buyer or 0, currency)


def opening(terms: OrderTerms, policy: Policy, currency: Currency, *, offered: bool) -> Label:
    """What opening an order does to the money; `offered`: with the seller's offer, which accepts it at once."""
    price = currency.show(terms.price)
    if not offered:
        window = policy.accept_window // 60
        return Label(
            f"{price} go into escrow. If the seller has not accepted within {window} minutes, all of it goes back to "
            f"{terms.refund_to}.",
            f"{price} 进入托管。卖家 {window} 分钟内没有接单，全额退到 {terms.refund_to}。",
        )
    bond = currency.show(bps(terms.price, policy.seller_bond_bps))
    window = policy.deliver_window // 60
    return Label(
        f"{price} go into escrow, and {bond} of the seller's bond are locked. If the seller has not delivered within "
        f"{window} minutes, both go to {terms.refund_to}.",
        f"{price} 进入托管，并锁定卖家保证金 {bond}。卖家 {window} 分钟内没有发货，两者都归 {terms.refund_to}。",
    )


def _accepted(terms: OrderTerms, policy: Policy, currency: Currency) -> Label:
    bond = currency.show(bps(terms.price, policy.seller_bond_bps))
    window = policy.deliver_window // 60
    return Label(
        f"{bond} of the seller's bond are locked. Without a delivery within {window} minutes they go to the buyer, "
        "with the price.",
        f"锁定卖家保证金 {bond}。{window} 分钟内不发货，保证金连同货款归买家。",
    )


def _delivered(order: Order, policy: Policy, currency: Currency, now: int) -> Label:
    paid = timeout(_in_state(order, State.Delivered))
    told = sums(paid, currency)
    at = clock_words(now + policy.inspect_window)
    return Label(
        f"No money moves yet. Unless the buyer disputes, it is paid at about {at.en}: {told.en}.",
        f"款项暂不变动。买家不提出争议的话，约 {at.zh} 放款：{told.zh}。",
    )


def _disputed(terms: OrderTerms, policy: Policy, units: int, currency: Currency) -> Label:
    kept = held_in(State.Disputed, policy, price=terms.price, units=terms.units, disputed_units=units)
    rest = undisputed(policy, price=terms.price, units=terms.units, disputed_units=units)
    bond, amount = currency.show(kept.dispute_bond), currency.show(kept.amount)
    paid = currency.show(rest.to_seller)
    return Label(
        f"The buyer brings a bond of {bond}. {amount} stay in escrow for {units} of {terms.units} units; {paid} go to "
        "the seller at once for the others. The bond comes back if the buyer wins, or if no mediator decides.",
        f"买家交争议押金 {bond}。{terms.units} 张中有争议的 {units} 张，{amount} 留在托管；其余立即付给卖家 {paid}。"
        "买家胜诉或仲裁员未裁决时，押金退回。",
    )


def _to_divide(order: Order, currency: Currency) -> Label:
    amount = currency.show(held(order).amount)
    return Label(
        f"Closes the order: {amount} are divided between buyer and seller as is decided.",
        f"订单结束：{amount} 按决定在买家和卖家之间分配。",
    )


def _ended(order: Order, row: Row, who: Who, to_buyer: int, currency: Currency) -> Label:
    amount = held(order).amount
    if row.outcome is Outcome.Conceded:
        to_buyer = 0 if who is Who.Buyer else amount
    if to_buyer > amount:
        raise ValueError(f"{to_buyer} is more than the {amount} that are held")
    closing = ending(order, row.outcome, to_buyer)
    told, outcome = sums(closing, currency), label_of(row.outcome)
    return Label(
        f"Closes the order as {outcome.en}: {told.en}.",
        f"订单以“{outcome.zh}”结束：{told.zh}。",
    )


def _in_state(order: Order, state: State) -> Order:
    return Order(id=order.id, state=state, revision=order.revision, terms=order.terms, policy=order.policy)
