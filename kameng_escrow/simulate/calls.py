"""A deed as a call of the contract, by the SDK's own encoding and signatures."""

from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.calls import Call, escrow_call
from kameng_escrow.chain.signing import sign_offer, sign_split
from kameng_escrow.domain.lifecycle import Move
from kameng_escrow.domain.order import NATIVE, Order
from kameng_escrow.domain.shares import held_in
from kameng_escrow.domain.signed import Split
from kameng_escrow.domain.states import Role, State
from kameng_escrow.domain.typed_data import Domain

from .venue import Deed

_PLAIN = (Move.Confirm, Move.Cancel, Move.Decline, Move.Refund, Move.Intervene)  # the terms and the state, nothing else


def call_of(deed: Deed, order: Order, domain: Domain, keys: dict[str, LocalAccount]) -> Call:
    """The call; `order` is the order as it stands, `keys` has the accounts of whoever must sign beside calling."""
    terms, function = deed.terms, str(deed.move)

    def call(*arguments: object, value: int = 0) -> Call:
        return escrow_call(domain.contract, function, terms, *arguments, value=value, order_id=order.id)

    price = terms.price if terms.token == NATIVE else 0
    match deed.move:
        case Move.Open:
            return call(value=price)
        case Move.OpenWithOffer:
            seller = keys[terms.seller]
            offer = sign_offer(
                seller, order.id, seller=terms.seller, revision=order.revision, expiry=deed.expiry, domain=domain
            )
            return call(offer, value=price)
        case Move.Accept:
            return call()
        case Move.Deliver:
            return call(deed.content)
        case _ if deed.move in _PLAIN:
            return call(deed.expected)
        case Move.Dispute:
            return call(deed.units, deed.content, value=dispute_bond(deed, order))
        case Move.Recommit:
            return call(deed.revision, deed.content)
        case Move.Concede:
            return call(Role.Buyer if deed.actor == terms.buyer else Role.Seller)
        case Move.Rule:
            return call(deed.to_buyer, deed.content)
        case Move.Agree:
            split = split_of(deed)
            buyer = sign_split(keys[terms.buyer], order.id, split, domain)
            return call(split, buyer, b"")  # the seller calls, and need not sign
    raise ValueError(f"nobody in the market does {deed.move} by itself")


def split_of(deed: Deed) -> Split:
    """What both sign."""
    return Split(
        state=deed.expected,
        disputed_units=deed.disputed_units,
        revision=deed.revision,
        to_buyer=deed.to_buyer,
        expiry=deed.expiry,
    )


def dispute_bond(deed: Deed, order: Order) -> int:
    """What a dispute in the native coin must bring along, wei; of a token the contract pulls it."""
    if deed.terms.token != NATIVE or order.policy is None:
        return 0
    terms = deed.terms
    sums = held_in(State.Disputed, order.policy, price=terms.price, units=terms.units, disputed_units=deed.units)
    return sums.dispute_bond
