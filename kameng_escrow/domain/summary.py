"""What the parties of an order agree to, as facts: who can do what until when, when the money arrives at the latest,
what leaving costs.

Every number comes from the rules that the contract goes by (``course``, ``actions``, ``endings``, ``shares``); nothing
is worked out here but differences. ``summary_text`` says the same in words.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .actions import Possibility, possible
from .course import slowest_course
from .endings import timeout
from .lifecycle import Move, Who, half_time, mediator_now, negotiation_end, row_of
from .order import Order, OrderTerms
from .policy import Policy
from .shares import Closing, Held, held
from .states import State

_ACTORS = (Who.Buyer, Who.Seller, Who.Platform, Who.Mediator)  # operators act for the seller; anyone may settle
_LEAVING = {Who.Buyer: (Move.Cancel,), Who.Seller: (Move.Decline, Move.Refund)}  # how each gives an order up


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something that somebody may do in a stage. Seconds are counted from the stage's beginning."""

    who: Who
    by_operator: bool  # whether an operator of the seller's may do it too
    move: Move
    after: int  # possible from this second of the stage on
    until: int | None  # possible before this second; None: as long as the stage lasts
    closing: Closing | None  # what it pays; None where it doesn't end the order, or pays what is yet to be named


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Whose turn it is to rule. Seconds are counted from the stage's beginning."""

    mediator: str
    after: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One open state: how long it can last, and what can happen in it. In Disputed with every unit in dispute."""

    state: State
    lasts: int  # seconds until anyone may settle
    latest_end: int  # Unix seconds; when that is, if every stage before took as long as it can
    held: Held
    timeout: Closing  # what settling pays
    options: tuple[Option, ...]
    watches: tuple[Watch, ...]  # of mediators, in Disputed


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What it costs a party to give the order up in a state."""

    state: State
    who: Who
    move: Move | None  # None: it can't
    until: int | None  # possible before this second of the stage; None: as long as it lasts, or never
    cost: int  # base units; of the price and dispute bond for the buyer, of the bond for the seller


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the parties of an order agree to."""

    terms: OrderTerms
    policy: Policy
    stages: tuple[Stage, ...]  # in their order
    leavings: tuple[Leaving, ...]  # by stage, the buyer's first

    @property
    def latest(self) -> int:
        """The Unix second from which on anyone can have all the money paid out, whatever the others did or did not."""
        return max(stage.latest_end for stage in self.stages)

    def stage(self, state: State) -> Stage:
        """The stage of an open state."""
        return next(stage for stage in self.stages if stage.state is state)


def summarize(terms: OrderTerms, policy: Policy) -> Summary:
    """What terms and their policy come to. The terms' listing and salt don't matter to it.

    Raises:
        ValueError: the policy is none that the contract would have registered.
    """
    course = slowest_course(terms, policy)
    return Summary(
        terms=terms,
        policy=policy,
        stages=tuple(_stage(order) for order in course),
        leavings=tuple(leaving for order in course for leaving in _leavings(order)),
    )


def _stage(order: Order) -> Stage:
    start, end = _entered(order), order.deadline
    assert end is not None  # every open state has a clock
    return Stage(
        state=order.state,
        lasts=end - start,
        latest_end=end,
        held=held(order),
        timeout=timeout(order),
        options=tuple(_options(order, start)),
        watches=tuple(_watches(order, start, end)),
    )


def _entered(order: Order) -> int:
    """When the order came to its state, Unix seconds."""
    times = (order.opened_at, order.accepted_at, order.delivered_at, order.disputed_at)
    return max(time for time in times if time is not None)


def _moments(order: Order, start: int) -> list[int]:
    """When what may be done changes while the clock runs."""
    marks = (negotiation_end(order), half_time(order))
    return sorted({start, *(mark for mark in marks if mark is not None)})


def _options(order: Order, start: int) -> Iterator[Option]:
    for who in _ACTORS:
        seen = set()
        for moment in _moments(order, start):
            for found in possible(order, who, moment):
                if found.move not in seen and not (found.who is Who.Parties and who is Who.Seller):  # told once
                    seen.add(found.move)
                    yield _option(found, order, moment, start)


def _option(found: Possibility, order: Order, moment: int, start: int) -> Option:
    until = order.deadline if found.move is Move.Rule else found.until  # by whom, the watches say
    row = row_of(found.move, order.state)
    return Option(
        who=found.who,
        by_operator=found.who is Who.Seller and row is not None and Who.Operator in row.who,
        move=found.move,
        after=moment - start,
        until=None if until is None else until - start,
        closing=found.closing,
    )


def _watches(order: Order, start: int, end: int) -> Iterator[Watch]:
    moments = [moment for moment in (negotiation_end(order), half_time(order)) if moment is not None]
    turns = [(moment, mediator) for moment in moments if (mediator := mediator_now(order, moment)) is not None]
    if len({mediator for _, mediator in turns}) == 1:
        turns = turns[:1]
    ends = [*(moment for moment, _ in turns[1:]), end]
    for (moment, mediator), until in zip(turns, ends[: len(turns)], strict=True):
        yield Watch(mediator=mediator, after=moment - start, until=until - start)


def _leavings(order: Order) -> Iterator[Leaving]:
    start = _entered(order)
    for who, moves in _LEAVING.items():
        ways = [found for found in possible(order, who, start) if found.move in moves and found.closing is not None]
        if not ways:
            yield Leaving(state=order.state, who=who, move=None, until=None, cost=0)
        for way in ways:
            assert way.closing is not None
            yield Leaving(
                state=order.state,
                who=who,
                move=way.move,
                until=None if way.until is None else way.until - start,
                cost=_cost(who, held(order), way.closing),
            )


def _cost(who: Who, before: Held, closing: Closing) -> int:
    if who is Who.Buyer:
        return before.amount + before.dispute_bond - closing.shares.to_buyer
    return before.seller_bond - closing.shares.bond_returned
