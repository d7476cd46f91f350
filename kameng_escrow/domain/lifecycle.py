"""The table of the lifecycle, stated once: who may do what to an order, when, and how that ends it.

The contract holds the same table as bits (``contracts/libraries/Lifecycle.sol``). In Disputed the clock has three
marks: negotiation ends at n, the mediator's half at h, and the deadline is d.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from .order import Order
from .policy import ZERO_ADDRESS
from .states import Fault, Outcome, Right, Role, State, Verb


class Move(StrEnum):
    """What can be done to an order. The value is the name of the contract's function."""

    Open = "open"
    OpenWithOffer = "openWithOffer"
    Accept = "accept"
    Deliver = "deliver"
    Confirm = "confirm"
    Cancel = "cancel"
    Decline = "decline"
    Refund = "refund"
    Dispute = "dispute"
    Recommit = "recommit"
    Rule = "rule"
    Concede = "concede"
    Agree = "agree"
    Revise = "revise"
    Intervene = "intervene"
    Settle = "settle"

    @property
    def verb(self) -> Verb | None:
        """The verb under which a party or operator may sign this for others to relay; None: nobody may."""
        return Verb[self.name] if self.name in Verb.__members__ else None


class Who(StrEnum):
    """In what capacity somebody makes a move."""

    Payer = "payer"
    Buyer = "buyer"
    Seller = "seller"
    Operator = "operator"
    Parties = "both parties"  # the buyer and the seller together
    Mediator = "mediator"  # the one whose half of the mediate window it is
    Platform = "platform"
    Anyone = "anyone"


class Clock(StrEnum):
    """When a move is possible. t is the block's timestamp; d, n as in the module's docstring."""

    Opening = "t ≤ openBy"
    AnyTime = "any time"
    BeforeDeadline = "t < d"
    FromDeadline = "t ≥ d"
    BeforeMediation = "t < n"
    Mediation = "n ≤ t < d"


# P price · B the seller's bond on it · D the sum in dispute · b the bond on D · E the buyer's dispute bond · U = P − D
# f(x) platform fee on x · C cancel fee · M mediation fee · Q = D + E + b − M · r awarded to the buyer (a concession: 0
# by the buyer, else D) · S = ⌊Q(D−r)/D⌋ · s the seller's share on silence · x agreed for the buyer. "→ buyer" is
# refundTo, "→ seller" payTo, "back" the seller's bond balance. Every division rounds down.
MONEY = {
    1: "+ P",
    2: "+ P; lock B",
    3: "lock B",
    4: "P → buyer",
    5: "P → buyer",
    6: "–",
    7: "P − C → buyer; C → seller; B back",
    8: "P + B − ⌊B/2⌋ → buyer; ⌊B/2⌋ back",
    9: "P → buyer; B back",
    10: "P + B → buyer",
    11: "P − f(P) → seller; f(P) → platform; B back",
    12: "P + B − ⌊B/2⌋ → buyer; ⌊B/2⌋ back",
    13: "+ E; U − f(U) → seller; f(U) → platform; B − b back",
    14: "D + E + b − ⌊b/2⌋ → buyer; ⌊b/2⌋ back",
    15: "D − f(D) → seller; f(D) → platform; E → buyer; b back",
    16: "Q − S → buyer; D − r − f(D−r) → seller; f(D−r) → platform; S − (D−r) back; M → mediator",
    17: "s → seller; D − s + E → buyer; b back",
    18: "x (+ E) → buyer; held − x − f(held−x) → seller; f(held−x) → platform; B or b back",
    19: "–",
    20: "–",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One move in the states where it means the same."""

    number: int  # in the table; moves that mean the same for the money share one
    move: Move
    states: tuple[State, ...]  # in which it is possible
    to: State | None  # where it leads; None: the order stays where it is
    who: tuple[Who, ...]
    clock: Clock
    right: Right | None = None  # what an operator needs for it
    outcome: Outcome = Outcome.Nothing
    faults: tuple[Fault, ...] = ()  # the ones there can be; the money decides where there are several

    @property
    def money(self) -> str:
        """What moves, in the notation above ``MONEY``."""
        return MONEY[self.number]

    @property
    def ends(self) -> bool:
        """Whether the move closes the order."""
        return self.to is State.Closed


_NEW = (State.Nothing,)
_OPENED = (State.Opened,)
_ACCEPTED = (State.Accepted,)
_DELIVERED = (State.Delivered,)
_DISPUTED = (State.Disputed,)
_OPEN = _OPENED + _ACCEPTED + _DELIVERED + _DISPUTED
_BUYER, _SELLER = (Who.Buyer,), (Who.Seller, Who.Operator)
_PAYER, _PLATFORM, _MEDIATOR, _ANYONE = (Who.Payer,), (Who.Platform,), (Who.Mediator,), (Who.Anyone,)


def _row(
    number: int, move: Move, states: tuple[State, ...], to: State | None, who: tuple[Who, ...], clock: Clock
) -> Row:
    return Row(number, move, states, to, who, clock, _RIGHTS.get(move) if Who.Operator in who else None)


def _end(
    number: int,
    move: Move,
    states: tuple[State, ...],
    who: tuple[Who, ...],
    clock: Clock,
    outcome: Outcome,
    *faults: Fault,
) -> Row:
    return replace(_row(number, move, states, State.Closed, who, clock), outcome=outcome, faults=faults)


_RIGHTS = {
    Move.Accept: Right.Accept,
    Move.Deliver: Right.Deliver,
    Move.Recommit: Right.Deliver,
    Move.Decline: Right.Decline,
    Move.Refund: Right.Refund,
    Move.Concede: Right.Refund,
}

LIFECYCLE = (
    _row(1, Move.Open, _NEW, State.Opened, _PAYER, Clock.Opening),
    _row(2, Move.OpenWithOffer, _NEW, State.Accepted, _PAYER, Clock.Opening),
    _row(3, Move.Accept, _OPENED, State.Accepted, _SELLER, Clock.BeforeDeadline),
    _end(4, Move.Cancel, _OPENED, _BUYER, Clock.AnyTime, Outcome.Cancelled, Fault.Nobody),
    _end(4, Move.Decline, _OPENED, _SELLER, Clock.AnyTime, Outcome.Declined, Fault.Nobody),
    _end(4, Move.Settle, _OPENED, _ANYONE, Clock.FromDeadline, Outcome.Expired, Fault.Nobody),
    _end(5, Move.Intervene, _OPENED, _PLATFORM, Clock.BeforeDeadline, Outcome.Intervened, Fault.Platform),
    _row(6, Move.Deliver, _ACCEPTED, State.Delivered, _SELLER, Clock.BeforeDeadline),
    _end(7, Move.Cancel, _ACCEPTED, _BUYER, Clock.BeforeDeadline, Outcome.Cancelled, Fault.Buyer),
    _end(8, Move.Decline, _ACCEPTED, _SELLER, Clock.BeforeDeadline, Outcome.Declined, Fault.Seller),
    _end(9, Move.Intervene, _ACCEPTED, _PLATFORM, Clock.BeforeDeadline, Outcome.Intervened, Fault.Platform),
    _end(10, Move.Settle, _ACCEPTED, _ANYONE, Clock.FromDeadline, Outcome.Undelivered, Fault.Seller),
    _end(11, Move.Confirm, _ACCEPTED + _DELIVERED, _BUYER, Clock.AnyTime, Outcome.Confirmed, Fault.Nobody),
    _end(11, Move.Settle, _DELIVERED, _ANYONE, Clock.FromDeadline, Outcome.Released, Fault.Nobody),
    _end(12, Move.Refund, _DELIVERED, _SELLER, Clock.AnyTime, Outcome.Refunded, Fault.Seller),
    _row(13, Move.Dispute, _DELIVERED, State.Disputed, _BUYER, Clock.BeforeDeadline),
    _end(14, Move.Refund, _DISPUTED, _SELLER, Clock.BeforeMediation, Outcome.Refunded, Fault.Seller),
    _end(15, Move.Confirm, _DISPUTED, _BUYER, Clock.BeforeMediation, Outcome.Confirmed, Fault.Nobody),
    _end(16, Move.Rule, _DISPUTED, _MEDIATOR, Clock.Mediation, Outcome.Ruled, Fault.Seller, Fault.Buyer, Fault.Nobody),
    _end(16, Move.Concede, _DISPUTED, _BUYER + _SELLER, Clock.Mediation, Outcome.Conceded, Fault.Seller, Fault.Buyer),
    _end(17, Move.Settle, _DISPUTED, _ANYONE, Clock.FromDeadline, Outcome.Defaulted, Fault.Mediator, Fault.Nobody),
    _end(18, Move.Agree, _OPEN, (Who.Parties,), Clock.AnyTime, Outcome.Agreed, Fault.Nobody),
    _row(19, Move.Revise, _NEW, None, (Who.Seller,), Clock.AnyTime),
    _row(19, Move.Revise, _OPEN, None, (Who.Buyer, Who.Seller), Clock.AnyTime),
    _row(20, Move.Recommit, _DISPUTED, None, _SELLER, Clock.BeforeMediation),
)
_BY_STATE = {(row.move, state): row for row in LIFECYCLE for state in row.states}
_BY_OUTCOME = {(state, row.outcome): row for row in LIFECYCLE if row.ends for state in row.states}
_ROLES = {Who.Buyer: Role.Buyer, Who.Seller: Role.Seller, Who.Operator: Role.Operator}


def row_of(move: Move, state: State) -> Row | None:
    """What the move means in this state; None: it is not possible there."""
    return _BY_STATE.get((move, state))


def ending_of(state: State, outcome: Outcome) -> Row | None:
    """The row by which an order in this state ended so; None: it can't have."""
    return _BY_OUTCOME.get((state, outcome))


@cache
def roles_of(verb: Verb) -> frozenset[Role]:
    """The roles that the verb is for, in whatever state."""
    whos = (who for row in LIFECYCLE if row.move.verb is verb for who in row.who)
    return frozenset(_ROLES[who] for who in whos)


@cache
def right_for(verb: Verb) -> Right | None:
    """The right that an operator needs for the verb; None: no operator may."""
    return next((row.right for row in LIFECYCLE if row.move.verb is verb), None)


def negotiation_end(order: Order) -> int | None:
    """n, in Unix seconds: from then on the mediator may rule. None outside Disputed."""
    if order.state is not State.Disputed or order.deadline is None or order.policy is None:
        return None
    return order.deadline - order.policy.mediate_window


def half_time(order: Order) -> int | None:
    """h, in Unix seconds: from then on it is the backup's half, if there is one. None outside Disputed."""
    start = negotiation_end(order)
    if start is None or order.policy is None:
        return None
    return start + order.policy.mediate_window // 2


def mediator_now(order: Order, now: int) -> str | None:
    """Who may rule at the Unix second `now`, and gets the mediation fee of a concession; None: nobody."""
    start, half, policy = negotiation_end(order), half_time(order), order.policy
    if start is None or half is None or policy is None or order.deadline is None or not start <= now < order.deadline:
        return None
    if now >= half and policy.backup_mediator != ZERO_ADDRESS:
        return policy.backup_mediator
    return policy.mediator


def time_of(row: Row, order: Order) -> tuple[int | None, int | None]:
    """From which Unix second on, and before which, the row is possible for an order in one of its states."""
    match row.clock:
        case Clock.Opening:
            return None, None if order.terms is None else order.terms.open_by + 1
        case Clock.AnyTime:
            return None, None
        case Clock.BeforeDeadline:
            return None, order.deadline
        case Clock.FromDeadline:
            return order.deadline, None
        case Clock.BeforeMediation:
            return None, negotiation_end(order)
        case Clock.Mediation:
            return negotiation_end(order), order.deadline


def is_time(row: Row, order: Order, now: int) -> bool:
    """Whether the row's clock allows it at the Unix second `now`."""
    start, end = time_of(row, order)
    return (start is None or start <= now) and (end is None or now < end)


def render_table() -> str:
    """The table as Markdown, for the documentation. One line a row, the shared numbers repeated."""
    lines = ["| # | From → to | Move | Who | When | Money | Outcome | Fault |", "|---|---|---|---|---|---|---|---|"]
    for row in LIFECYCLE:
        states = "any open" if row.states == _OPEN else ", ".join(state.label for state in row.states)
        path = states if row.to is None else f"{states} → {row.to.label}"
        who = ", ".join(
            f"{who} ({row.right.name})" if who is Who.Operator and row.right is not None else who for who in row.who
        )
        outcome = row.outcome.label if row.ends else ""
        fault = " or ".join(fault.label for fault in row.faults)
        cells = (str(row.number), path, f"`{row.move}`", who, row.clock, row.money, outcome, fault)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
