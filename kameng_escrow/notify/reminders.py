"""Reminders before a clock runs out, to the one whose turn it is: planned early, and checked when it is time.

A mediator hears when its half of the window begins, for which there is no event; everybody hears when half of a turn is
over, and shortly before its end.
"""

from collections.abc import Iterator
from typing import Any

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.turns import Turn, entered_at, turn_at, turns

SHORTEST = 15 * 60  # seconds; in shorter turns the first reminder would come with the last
_LAST = (5 * 60, 60 * 60)  # seconds before the end, at least and at most, of a tenth of the turn


def marks(turn: Turn, entered: int) -> Iterator[tuple[str, int]]:
    """Which reminders a turn has, and when: Unix seconds."""
    if turn.start > entered:
        yield "turn", turn.start
    length = turn.until - turn.start
    if length >= SHORTEST:
        yield "half", turn.until - length // 2
    yield "last", turn.until - min(max(length // 10, _LAST[0]), _LAST[1], length // 3)


def plan(order: Order, now: int) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """All reminders of an order from the Unix second `now` on, should it stay as it is: for whom, under which key,
    when, and with which details.
    """
    entered = entered_at(order)
    if entered is None:
        return
    for turn in turns(order):
        for mark, at in marks(turn, entered):
            if at >= now:
                key = f"r:{order.id}:{turn.state.label}:{turn.start}:{turn.until}:{mark}"
                yield turn.account, key, at, {"mark": mark, "until": turn.until, "start": turn.start}


def holds(order: Order | None, account: str, details: dict[str, Any], now: int) -> bool:
    """Whether a reminder that was planned is still right: the turn that it is about is running."""
    turn = None if order is None else turn_at(order, now)
    return turn is not None and (turn.account, turn.until) == (account, details["until"])
