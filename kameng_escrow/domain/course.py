"""The slowest course that an order can take: everybody waits for the last second in which they may still act.

It is told through ``fold``, so that its clocks are those of every other order. What it reaches, no other course reaches
later, if somebody settles at once.
"""

from .events import OrderAccepted, OrderDelivered, OrderDisputed, OrderEvent, OrderOpened
from .fold import apply
from .lifecycle import LIFECYCLE, Move, Row, time_of
from .order import Order, OrderTerms
from .policy import Policy
from .shares import held_in, undisputed
from .states import State

_NAME = "0x" + "00" * 32  # of an order that nobody opens: its id would need the listing, which may tell of its course
_NOTHING = "0x" + "00" * 31 + "01"  # a commitment, or evidence, of nothing


def slowest_course(terms: OrderTerms, policy: Policy) -> tuple[Order, ...]:
    """An order under these terms in each open state, entered as late as the rules allow: first Opened at `open_by`,
    last Disputed with every unit. The deadline of each is the latest end that the state can have.

    Raises:
        ValueError: the policy is none that the contract would have registered: a clock leaves no time to act.
    """
    order = Order(id=_NAME, state=State.Nothing, revision=0)
    row: Row | None = _first()
    course: list[Order] = []
    now = 0
    while row is not None:
        _, end = time_of(row, _with_terms(order, terms))
        if end is None or end - 1 < now:
            raise ValueError(f"nobody has time to {row.move.value} under policy {terms.policy_id}")
        now = end - 1
        order = apply(order, _event(row.move, terms, policy), now, {terms.policy_id: policy})
        course.append(order)
        row = _next(order.state)
    return tuple(course)


def _first() -> Row:
    return next(row for row in LIFECYCLE if row.move is Move.Open)


def _next(state: State) -> Row | None:
    """What leads from an open state to another."""
    onward = (row for row in LIFECYCLE if state in row.states and row.to is not None and row.to.is_open)
    return next(onward, None)


def _with_terms(order: Order, terms: OrderTerms) -> Order:
    if order.terms is not None:
        return order
    return Order(id=order.id, state=order.state, revision=order.revision, terms=terms)


def _event(move: Move, terms: OrderTerms, policy: Policy) -> OrderEvent:
    """What a move that leads on would log."""
    match move:
        case Move.Open:
            return OrderOpened(order_id=_NAME, terms=terms, payer=terms.buyer, state=State.Opened)
        case Move.Accept:
            return OrderAccepted(order_id=_NAME)
        case Move.Deliver:
            return OrderDelivered(order_id=_NAME, commitment=_NOTHING)
        case Move.Dispute:
            amounts = {"price": terms.price, "units": terms.units, "disputed_units": terms.units}
            paid = undisputed(policy, **amounts)
            return OrderDisputed(
                order_id=_NAME,
                units=terms.units,
                evidence=_NOTHING,
                dispute_bond=held_in(State.Disputed, policy, **amounts).dispute_bond,
                to_seller=paid.to_seller,
                platform_fee=paid.platform_fee,
                bond_returned=paid.bond_returned,
            )
    raise ValueError(f"{move.value} leads to no other open state")
