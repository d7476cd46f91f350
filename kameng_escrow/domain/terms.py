"""Whether terms can become an order."""

from .inputs import check_address, check_hash, check_uint
from .order import OrderTerms
from .policy import ZERO_ADDRESS
from .refusals import InvalidAddress, PriceOutOfRange, UnitsOutOfRange

MAX_PRICE = 2**127 - 1  # base units
MAX_UNITS = 2**16 - 1


def check_terms_readable(terms: OrderTerms) -> None:
    """Passes terms that the contract could read, valid or not: what an order id needs.

    Raises:
        Malformed: of the first field that it could not.
    """
    for name in ("buyer", "refund_to", "seller", "pay_to", "token"):
        check_address(getattr(terms, name), name)
    check_uint(terms.price, 128, "price")
    check_uint(terms.units, 16, "units")
    check_hash(terms.policy_id, "policy_id")
    check_hash(terms.listing, "listing")
    check_uint(terms.open_by, 40, "open_by")
    check_hash(terms.salt, "salt")


def check_terms(terms: OrderTerms, contract: str) -> None:
    """Passes terms under which `contract` would open an order, as far as that shows in the terms alone: openBy and the
    policy depend on the time. In the contract's order.

    Raises:
        Malformed: a field that the contract could not even read.
        InvalidAddress: buyer or seller is zero, they are the same, or refund_to or pay_to is zero, the escrow or the
            token.
        PriceOutOfRange: not 0 < price < 2^127.
        UnitsOutOfRange: no units.
    """
    check_terms_readable(terms)
    if terms.buyer in (ZERO_ADDRESS, terms.seller):
        raise InvalidAddress(terms.buyer)
    if terms.seller == ZERO_ADDRESS:
        raise InvalidAddress(terms.seller)
    for receiver in (terms.refund_to, terms.pay_to):
        if receiver in (ZERO_ADDRESS, contract, terms.token):
            raise InvalidAddress(receiver)
    if not 0 < terms.price <= MAX_PRICE:
        raise PriceOutOfRange(terms.price, MAX_PRICE)
    if terms.units == 0:
        raise UnitsOutOfRange(terms.units, MAX_UNITS)
