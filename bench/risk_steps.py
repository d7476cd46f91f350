"""What the detectors would have learned from a simulated market, and the truth about it."""

from collections.abc import Iterator
from dataclasses import replace

from kameng_escrow.domain.events import (
    OrderClosed,
    OrderDelivered,
    OrderDisputed,
    OrderEvent,
    OrderOpened,
    OrderRecommitted,
)
from kameng_escrow.risk.anomalies import OrderFacts, Repeat, Step
from kameng_escrow.simulate.result import MarketRun


def steps_of(run: MarketRun) -> Iterator[Step]:
    """The run's events about orders with what is known of each order at that moment, as the store would give them."""
    known: dict[str, OrderFacts] = {}
    delivered: dict[str, list[OrderFacts]] = {}  # by fingerprint
    for logged in run.events:
        event, at = logged.event, logged.timestamp
        if not isinstance(event, OrderEvent):
            continue
        if isinstance(event, OrderOpened):
            terms, truth = event.terms, run.truths[event.order_id]
            known[event.order_id] = OrderFacts(
                order_id=event.order_id,
                buyer=terms.buyer,
                refund_to=terms.refund_to,
                seller=terms.seller,
                pay_to=terms.pay_to,
                payer=event.payer,
                token=terms.token,
                price=terms.price,
                units=terms.units,
                platform=run.policies[terms.policy_id].platform,
                category=truth.category,
                title=truth.listing,
                opened_at=at,
            )
        order = known.get(event.order_id)
        if order is None:
            continue  # a revision before the opening
        repeats: tuple[Repeat, ...] = ()
        if isinstance(event, OrderDelivered):
            order = replace(order, delivered_at=at)
        if isinstance(event, OrderDisputed):
            order = replace(order, disputed_at=at, disputed_units=event.units)
        if isinstance(event, OrderDelivered | OrderRecommitted):
            repeats = _repeats(run.truths[event.order_id].fingerprint, order, delivered)
        known[event.order_id] = order
        yield Step(at=at, event=event, order=order, repeats=repeats)
        if isinstance(event, OrderClosed):
            del known[event.order_id]


def _repeats(fingerprint: str, order: OrderFacts, delivered: dict[str, list[OrderFacts]]) -> tuple[Repeat, ...]:
    """Earlier deliveries of the same code on the same platform: fingerprints are a platform's own."""
    if not fingerprint:
        return ()
    before = delivered.setdefault(fingerprint, [])
    found = tuple(
        Repeat(unit=1, order_id=one.order_id, seller=one.seller, was_read=True)
        for one in before
        if one.platform == order.platform and one.order_id != order.order_id
    )
    before.append(order)
    return found
