"""What people may be told of, and who is told."""

from types import MappingProxyType

from kameng_escrow.domain.lifecycle import Who
from kameng_escrow.domain.order import Order
from kameng_escrow.domain.states import Fault
from kameng_escrow.store.news import News
from kameng_escrow.webhooks.events import ORDER_TYPES, RETRACTED

REMINDED = "order.reminded"  # it is your turn, or soon not any more
CODE = "channel.code"  # the code that shows whose a channel is: nobody mutes it
CODE_SECONDS = 15 * 60  # that a code counts
STOCK_ASKED = "risk.stock_asked"  # as its seller: are the goods of this order there?
DISABLED = "webhook.disabled"  # nothing is sent to an endpoint of yours any more

# To whom an event is news. Whoever did it knows; a ruling is told with the closing that comes with it.
_TOLD = MappingProxyType(
    {
        "OrderOpened": (Who.Seller, Who.Buyer),
        "OrderAccepted": (Who.Buyer,),
        "OrderDelivered": (Who.Buyer,),
        "OrderDisputed": (Who.Seller,),
        "OrderRecommitted": (Who.Buyer,),
        "OrderRevised": (),
        "OrderRuled": (),
        "MediationFeeCredited": (Who.Mediator,),
        "OrderClosed": (Who.Buyer, Who.Seller),
    }
)
TOPICS = (*(ORDER_TYPES[name] for name, told in _TOLD.items() if told), RETRACTED, REMINDED, STOCK_ASKED, DISABLED)


def told_of(news: News, order: Order) -> frozenset[str]:
    """The accounts that an event of this order is news to."""
    if order.terms is None or order.policy is None:
        return frozenset()
    accounts = {
        Who.Buyer: order.terms.buyer,
        Who.Seller: order.terms.seller,
        Who.Mediator: news.fields.get("mediator", ""),
    }
    found = {accounts[who] for who in _TOLD[news.name]}
    if news.name == "OrderClosed":  # and to whoever is to blame
        found |= {Fault.Platform: {order.policy.platform}, Fault.Mediator: _mediators(order)}.get(order.fault, set())
    return frozenset(found)


def _mediators(order: Order) -> set[str]:
    assert order.policy is not None
    return {order.policy.mediator, order.policy.backup_mediator}
