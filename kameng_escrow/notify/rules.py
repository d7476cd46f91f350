"""Who may hear what, and when: above all that nothing which releases goods does so on news that may be taken back.

A mirror sees an event in a block that a reorganisation may still replace. Whoever shows an order or sends a reminder
because of it is sorry for a moment; whoever sends a code, a parcel or money because of it has lost it. Which of the two
a receiver is, nobody can see from outside. So an endpoint *says* what it is for, and where it says nothing, the kinds
of events decide: on those below, somebody somewhere lets something go.
"""

from collections.abc import Collection
from types import MappingProxyType

from kameng_escrow.domain import events
from kameng_escrow.domain.labels import Label
from kameng_escrow.store.service.notifying import Delivery, Purpose
from kameng_escrow.webhooks.events import ORDER_TYPES, SUBSCRIBABLE, type_of

from .errors import ReleaseNeedsFinal, UnknownEvent

# The events on which goods or money leave somebody's hands, and whose.
RELEASING = MappingProxyType(
    {
        type_of(kind.__name__): Label(en, zh)
        for kind, en, zh in (
            (events.OrderOpened, "it is paid for: a shop sends the code", "已付款：店铺会发码"),
            (events.OrderAccepted, "the seller is bound: its stock sends the code", "卖家已接单：库存系统会发码"),
            (events.OrderDelivered, "the encrypted codes are released to the buyer", "密文卡密会放给买家"),
            (events.OrderRecommitted, "the replacement codes are released to the buyer", "补发的卡密会放给买家"),
            (
                events.OrderClosed,
                "it is paid out: points, commissions and stock follow",
                "已结算：积分、佣金、库存随之变动",
            ),
            (events.OrderRuled, "a mediator has ruled: goods or money go back", "已裁决：货物或资金会退回"),
            (events.MediationFeeCredited, "a fee is earned: it is paid on", "仲裁费入账：会转付出去"),
        )
    }
)


def check_events(names: Collection[str]) -> tuple[str, ...]:
    """The event types of a subscription, each once, in their order; none stands for all.

    Raises:
        UnknownEvent: one of them can't be subscribed to.
    """
    for name in names:
        if name not in SUBSCRIBABLE:
            raise UnknownEvent(name, SUBSCRIBABLE)
    return tuple(name for name in SUBSCRIBABLE if name in names)


def check_purpose(names: Collection[str], delivery: Delivery, purpose: Purpose | None) -> Purpose:
    """What an endpoint is for, where it may be so.

    Args:
        names: its event types; none: all.
        purpose: what its owner says; None: nothing, so that the events decide.

    Raises:
        ReleaseNeedsFinal: it is instant, and releases goods or does not say that it releases none.
    """
    releasing = tuple(name for name in (names or SUBSCRIBABLE) if name in RELEASING)
    if purpose is None:
        purpose = Purpose.Release if releasing else Purpose.Inform
    if purpose is Purpose.Release and delivery is Delivery.Instant:
        raise ReleaseNeedsFinal(releasing)
    return purpose


def wants(names: Collection[str], event_name: str) -> bool:
    """Whether an endpoint with these types hears of the contract's event of that name."""
    return not names or ORDER_TYPES[event_name] in names
