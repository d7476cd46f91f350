"""Orders as JSON: what `schemas.orders` describes, made straight from the domain's values, since a list has many."""

from typing import Any

from kameng_escrow.domain.actions import NextAction, Possibility, next_action, possible
from kameng_escrow.domain.labels import Word, label_of
from kameng_escrow.domain.lifecycle import Who
from kameng_escrow.domain.order import OrderTerms, Shares
from kameng_escrow.domain.shares import Closing

from .callers import OrderAccess, OrderRole
from .currencies import Currencies


def order_view(access: OrderAccess, currencies: Currencies) -> dict[str, Any]:
    """An `OrderView`."""
    mirrored = access.mirrored
    order = mirrored.order
    return {
        "order_id": order.id,
        "state": order.state.label,
        "state_label": words(order.state),
        "outcome": order.outcome.label,
        "outcome_label": words(order.outcome),
        "fault": order.fault.label,
        "fault_label": words(order.fault),
        "revision": order.revision,
        "terms": None if order.terms is None else terms_view(order.terms),
        "currency": None if order.terms is None else currencies.of(order.terms.token).model_dump(),
        "payer": order.payer,
        "times": {
            "opened_at": order.opened_at,
            "accepted_at": order.accepted_at,
            "delivered_at": order.delivered_at,
            "disputed_at": order.disputed_at,
            "closed_at": order.closed_at,
        },
        "deadline": order.deadline,
        "disputed_units": order.disputed_units,
        "commitment": order.commitment,
        "evidence": order.evidence,
        "grounds": order.grounds,
        "mediator": order.mediator,
        "awarded": None if order.awarded is None else str(order.awarded),
        "undisputed": shares_view(order.undisputed),
        "shares": shares_view(order.shares),
        "final": mirrored.final,
        "roles": sorted(access.roles),
    }


def detail_view(access: OrderAccess, account: str, now: int, currencies: Currencies) -> dict[str, Any]:
    """An `OrderDetailView` for an account at the chain's second `now`."""
    order = access.mirrored.order
    return {
        **order_view(access, currencies),
        "chain_now": now,
        "clock": clock_view(next_action(order, now)),
        "possible": [possibility_view(one) for one in possible_for(access, account, now)],
    }


def possible_for(access: OrderAccess, account: str, now: int) -> list[Possibility]:
    """What the account may do now; as an operator, what its grant covers."""
    order = access.mirrored.order
    found = possible(order, account, now)
    if OrderRole.Operator in access.roles:
        found += [one for one in possible(order, Who.Operator, now) if one.right and one.right & access.rights]
    return found


def clock_view(action: NextAction) -> dict[str, Any]:
    """A `ClockView`."""
    return {"due_at": action.due_at, "due": action.due, "closing": closing_view(action.closing)}


def possibility_view(one: Possibility) -> dict[str, Any]:
    """A `PossibilityView`."""
    return {
        "move": str(one.move),
        "who": str(one.who),
        "until": one.until,
        "ends": one.ends,
        "closing": closing_view(one.closing),
    }


def closing_view(closing: Closing | None) -> dict[str, Any] | None:
    """A `ClosingView`."""
    if closing is None:
        return None
    return {
        "outcome": closing.outcome.label,
        "outcome_label": words(closing.outcome),
        "fault": closing.fault.label,
        "shares": shares_view(closing.shares),
    }


def shares_view(shares: Shares | None) -> dict[str, str] | None:
    """A `SharesView`."""
    if shares is None:
        return None
    return {
        "to_buyer": str(shares.to_buyer),
        "to_seller": str(shares.to_seller),
        "platform_fee": str(shares.platform_fee),
        "bond_returned": str(shares.bond_returned),
        "mediation_fee": str(shares.mediation_fee),
    }


def terms_view(terms: OrderTerms) -> dict[str, Any]:
    """A `TermsView`."""
    return {
        "buyer": terms.buyer,
        "refund_to": terms.refund_to,
        "seller": terms.seller,
        "pay_to": terms.pay_to,
        "token": terms.token,
        "price": str(terms.price),
        "units": terms.units,
        "policy_id": terms.policy_id,
        "listing": terms.listing,
        "open_by": terms.open_by,
        "salt": terms.salt,
    }


def words(word: Word) -> dict[str, str]:
    """A word of the contract's in both languages."""
    label = label_of(word)
    return {"zh": label.zh, "en": label.en}
