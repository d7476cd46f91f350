"""What an operator may do for its seller: the rule, for the contract's twin and for whoever checks an offer before."""

from .order import OrderTerms
from .refusals import Expired, NoRight, PayToNotRegistered, PriceAboveGrant
from .signed import OperatorGrant
from .states import Right

NO_GRANT = OperatorGrant(rights=0, expiry=0, max_price=0)


def require_right(
    terms: OrderTerms, operator: str, right: Right, *, grant: OperatorGrant, registered: str, now: int
) -> None:
    """Passes an operator that may act on an order at the Unix second `now`.

    Args:
        grant: what the seller lets the operator do with orders of this token under this policy.
        registered: where operators may let the seller's money go; the seller itself, unless it registered another.

    Raises:
        NoRight, Expired, PriceAboveGrant, PayToNotRegistered: in the contract's order.
    """
    if not grant.rights & right:
        raise NoRight(operator, right)
    if now >= grant.expiry:
        raise Expired(now, grant.expiry)
    if terms.price > grant.max_price:
        raise PriceAboveGrant(terms.price, grant.max_price)
    if terms.pay_to != registered:
        raise PayToNotRegistered(terms.pay_to, registered)
