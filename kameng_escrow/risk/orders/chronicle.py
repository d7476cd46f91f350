"""What was known of each order at each stage, from the chain's events in their order.

The chronicle is told one event after the other and never looks ahead: what it says at an order's stage is made of the
events up to that one, so that a history which is cut off there gives the same figures. Time tells something, too: while
an order stays in its stage it is looked at again each time that a quarter of the stage's clock has run. When that is
follows from the events alone, so that it is the same whoever asks, and how often.
"""

import heapq
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kameng_escrow.domain.events import Logged, OrderClosed, OrderDelivered, OrderEvent, OrderOpened, PolicyRegistered
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import NO_CANCEL, ZERO_ADDRESS, Policy
from kameng_escrow.domain.states import Outcome

from .endings import BAD, Ending, Stage, ending_of, stage_of
from .tallies import Closed, Tally

Value = float | str | None
CategoryOf = Callable[[str], str | None]

NUMBERS: Final = (
    *("log_price", "units", "price_to_sellers", "price_to_categorys", "paid_by_other"),
    *("waited", "spent", "deadline_in"),
    *("accept_window", "deliver_window", "inspect_window", "cancel_fee", "seller_bond", "dispute_bond", "mediated"),
    *("hour", "weekday"),
    *("seller_opened", "seller_open_now", "seller_day", "seller_wait", "seller_since_bad"),
    *("seller_late_week", "seller_bad_week", "seller_closed_week"),
    *(f"seller_{one}" for one in ("buyer", "seller", "dispute")),
    *("buyer_opened", "buyer_open_now", "buyer_day", "buyer_since_bad", "buyer_bad_week"),
    *(f"buyer_{one}" for one in ("buyer", "seller", "dispute")),
    *("pair_orders", "pair_bad"),
    *(f"category_{one}" for one in ("buyer", "seller", "dispute")),
    *("category_bad_week", "platform_bad_week", "policy_bad"),
)
WORDS: Final = ("stage", "category", "platform")
FEATURES: Final = (*WORDS, *NUMBERS)
LOOKS: Final = (0.25, 0.5, 0.75)  # parts of a stage's time, after which an order is looked at again
_BEIJING: Final = 8 * 3_600  # seconds; where the trade's day is
_LATE: Final = frozenset({Outcome.Expired, Outcome.Undelivered})
_START: Final = {Ending.Buyer: 0.05, Ending.Seller: 0.08, Ending.Dispute: 0.04}  # before anything was seen


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known of an order when it came to a stage, or when it was looked at again while it stayed there."""

    order_id: str
    stage: Stage
    at: int  # Unix seconds: of the block that brought it to the stage, or of the look
    seller: str
    buyer: str
    platform: str
    category: str | None
    deadline: int | None  # Unix seconds
    values: dict[str, Value]  # by `FEATURES`

    @property
    def is_new(self) -> bool:
        """Whether the order came to its stage just then."""
        return self.values["spent"] == 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """How an order ended, for each stage that it had come to; None: its platform ended it."""

    order_id: str
    at: int  # Unix seconds
    endings: Mapping[Stage, Ending | None]
    bad_at: int  # when it turned: the dispute's second, else the end's


class Chronicle:
    """Follows the events of one contract. Holds the orders that are open, and counts of everybody."""

    def __init__(self, category_of: CategoryOf = lambda _: None) -> None:
        """`category_of` knows an order's category by its id, from what was agreed on before it was opened."""
        self._category_of = category_of
        self._policies: dict[str, Policy] = {}
        self._orders: dict[str, Order] = {}
        self._stages: dict[str, list[Stage]] = {}
        self._looks: list[tuple[int, str, Stage, int, int]] = []  # a heap: when, at what, since when, the how-manieth
        self._categories: dict[str, str | None] = {}
        self._tallies: dict[str, Tally] = {}
        self._all = Tally()

    def follow(self, logged: Logged) -> Snapshot | Finished | None:
        """The next event of the chain; what it brought an order to, if to anything."""
        event = logged.event
        if isinstance(event, PolicyRegistered):
            self._policies[event.policy_id] = event.policy
        if not isinstance(event, OrderEvent):
            return None
        before = self._orders.get(event.order_id)
        order = fold(before, logged, self._policies)
        self._orders[event.order_id] = order
        if order.terms is None:
            return None  # a revision before the opening
        if isinstance(event, OrderOpened):
            self._categories[order.id] = self._category_of(order.id)
            for tally in self._of(order):
                tally.open(logged.timestamp, order.terms.price)
        if isinstance(event, OrderDelivered) and order.accepted_at is not None:
            self._tally("seller", order.terms.seller).deliver(logged.timestamp - order.accepted_at)
        if isinstance(event, OrderClosed):
            return self._finish(order, logged.timestamp)
        stage = stage_of(order.state)
        if stage is None or (before is not None and before.state is order.state):
            return None
        self._stages.setdefault(order.id, []).append(stage)
        self._plan(order, stage, logged.timestamp, 0)
        return self._snapshot(order, stage, logged.timestamp, 0.0)

    def looks(self, before: int) -> Iterator[Snapshot]:
        """Looks again at orders whose time to be looked at comes before a Unix second, the first one first.

        Ask before each event, with its time, so that nothing is known that came later; and for the time being with that
        of the last block that was read.
        """
        while self._looks and self._looks[0][0] < before:
            at, order_id, stage, since, number = heapq.heappop(self._looks)
            stages = self._stages.get(order_id)
            if stages is None or stages[-1] is not stage:
                continue  # it has moved on
            order = self._orders[order_id]
            self._plan(order, stage, since, number + 1)
            yield self._snapshot(order, stage, at, LOOKS[number])

    def _plan(self, order: Order, stage: Stage, since: int, number: int) -> None:
        """When an order that is in a stage since a second is looked at again."""
        if order.deadline is not None and number < len(LOOKS):
            at = since + int((order.deadline - since) * LOOKS[number])
            heapq.heappush(self._looks, (at, order.id, stage, since, number))

    def rate(self, ending: Ending, category: str | None) -> float:
        """How often orders of a category end so: drawn to the rate of all, and that to a guess, where few are known."""
        overall = self._all.rate(ending, _START[ending])
        return self._tally("category", category or "").rate(ending, overall)

    @property
    def closed(self) -> int:
        """How many orders have ended."""
        return self._all.closed

    def closed_by_seller(self, seller: str) -> int:
        """How many of a seller's orders have ended."""
        return self._tally("seller", seller).closed

    # ------------------------------------------------------------------------------------------------------- the rest

    def _tally(self, kind: str, name: str) -> Tally:
        return self._tallies.setdefault(f"{kind}:{name}", Tally())

    def _of(self, order: Order) -> list[Tally]:
        assert order.terms is not None
        assert order.policy is not None
        terms = order.terms
        return [
            self._all,
            self._tally("seller", terms.seller),
            self._tally("buyer", terms.buyer),
            self._tally("pair", f"{terms.buyer}{terms.seller}"),
            self._tally("category", self._categories.get(order.id) or ""),
            self._tally("platform", order.policy.platform),
            self._tally("policy", terms.policy_id),
        ]

    def _finish(self, order: Order, at: int) -> Finished:
        stages = self._stages.pop(order.id, [])
        seen = {stage: ending_of(order, stage) for stage in stages}
        ending = ending_of(order, Stage.Opened)
        one = Closed(at, ending or Ending.Well, order.outcome in _LATE)
        for tally in self._of(order):
            tally.close(one)
        del self._orders[order.id]
        self._categories.pop(order.id, None)
        bad_at = order.disputed_at if order.disputed_at is not None else at
        return Finished(order.id, at, seen, bad_at)

    def _snapshot(self, order: Order, stage: Stage, now: int, spent: float) -> Snapshot:
        terms, policy = order.terms, order.policy
        assert terms is not None
        assert policy is not None
        category = self._categories[order.id]
        _, seller, buyer, pair, of_category, platform, of_policy = tallies = self._of(order)
        for tally in tallies:
            tally.prune(now)
        expected = {ending: self._all.rate(ending, _START[ending]) for ending in BAD}
        of_kind = {ending: of_category.rate(ending, expected[ending]) for ending in BAD}
        local = now + _BEIJING
        values: dict[str, Value] = {
            "stage": stage.value,
            "category": category,
            "platform": policy.platform,
            "log_price": math.log10(terms.price),
            "units": float(terms.units),
            "price_to_sellers": _ratio(terms.price * seller.opened, seller.price_sum),
            "price_to_categorys": _ratio(terms.price * of_category.opened, of_category.price_sum),
            "paid_by_other": float(order.payer != terms.buyer),
            "waited": float(now - (order.opened_at or now)),
            "spent": spent,  # of the stage's time
            "deadline_in": None if order.deadline is None else float(order.deadline - now),
            "accept_window": float(policy.accept_window),
            "deliver_window": float(policy.deliver_window),
            "inspect_window": float(policy.inspect_window),
            "cancel_fee": None if policy.cancel_fee_bps == NO_CANCEL else float(policy.cancel_fee_bps),
            "seller_bond": float(policy.seller_bond_bps),
            "dispute_bond": float(policy.dispute_bond_bps),
            "mediated": float(policy.mediator != ZERO_ADDRESS),
            "hour": float(local % 86_400 // 3_600),
            "weekday": float((local // 86_400 + 3) % 7),  # Monday is 0
            "seller_opened": float(seller.opened),
            "seller_open_now": float(seller.open_now),
            "seller_day": float(len(seller.openings)),
            "seller_wait": seller.wait_sum / seller.waits if seller.waits else None,
            "seller_since_bad": None if seller.last_bad is None else float(now - seller.last_bad),
            "seller_late_week": seller.recent_late(),
            "seller_bad_week": _bad_share(seller),
            "seller_closed_week": float(len(seller.recent)),
            "buyer_opened": float(buyer.opened),
            "buyer_open_now": float(buyer.open_now),
            "buyer_day": float(len(buyer.openings)),
            "buyer_since_bad": None if buyer.last_bad is None else float(now - buyer.last_bad),
            "buyer_bad_week": _bad_share(buyer),
            "pair_orders": float(pair.opened),
            "pair_bad": float(pair.closed - pair.endings.get(Ending.Well, 0)),
            "category_bad_week": _bad_share(of_category),
            "platform_bad_week": _bad_share(platform),
            "policy_bad": 1 - (of_policy.endings.get(Ending.Well, 0) + 8.0) / (of_policy.closed + 10.0),
        }
        for ending in BAD:
            values[f"seller_{ending}"] = seller.rate(ending, of_kind[ending])
            values[f"buyer_{ending}"] = buyer.rate(ending, of_kind[ending])
            values[f"category_{ending}"] = of_kind[ending]
        return Snapshot(
            order.id, stage, now, terms.seller, terms.buyer, policy.platform, category, order.deadline, values
        )


def _ratio(top: int, bottom: int) -> float | None:
    return top / bottom if bottom else None


def _bad_share(tally: Tally) -> float | None:
    share = tally.recent_share(Ending.Well)
    return None if share is None else 1 - share


__all__ = ["FEATURES", "NUMBERS", "WORDS", "Chronicle", "Finished", "Snapshot"]
