"""Orders and policies as columns, and back: nothing is lost on the way."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from kameng_escrow.domain.order import Order, OrderTerms, Shares
from kameng_escrow.domain.policy import Policy

from .models import OrderRow, PolicyRow

_TERMS = tuple(field.name for field in fields(OrderTerms))
_SHARES = tuple(field.name for field in fields(Shares))
_POLICY = tuple(field.name for field in fields(Policy))
_PARTS = {"id", "terms", "policy", "undisputed", "shares"}
_PLAIN = tuple(field.name for field in fields(Order) if field.name not in _PARTS)  # one column of the same name each


def order_columns(order: Order) -> dict[str, Any]:
    """The columns of an order, except where its events are. The policy is kept by its id, in the terms."""
    columns: dict[str, Any] = {"order_id": order.id}
    for name in _PLAIN:
        columns[name] = getattr(order, name)
    for name in _TERMS:
        columns[name] = getattr(order.terms, name) if order.terms else None
    for name in _SHARES:
        columns[f"undisputed_{name}"] = getattr(order.undisputed, name) if order.undisputed else None
        columns[f"shares_{name}"] = getattr(order.shares, name) if order.shares else None
    return columns


def restore_order(row: OrderRow, policies: Mapping[str, Policy]) -> Order:
    """The order that `order_columns` took apart. `policies` must have the order's."""
    terms = None if row.buyer is None else OrderTerms(**{name: getattr(row, name) for name in _TERMS})
    return Order(
        id=row.order_id,
        terms=terms,
        policy=policies[terms.policy_id] if terms else None,
        undisputed=_shares(row, "undisputed"),
        shares=_shares(row, "shares"),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def _shares(row: OrderRow, prefix: str) -> Shares | None:
    if getattr(row, f"{prefix}_to_buyer") is None:
        return None
    return Shares(**{name: getattr(row, f"{prefix}_{name}") for name in _SHARES})


def policy_columns(policy: Policy) -> dict[str, Any]:
    """The columns of a policy, except its id and what became of it."""
    return asdict(policy)


def restore_policy(row: PolicyRow) -> Policy:
    """The policy that `policy_columns` took apart."""
    return Policy(**{name: getattr(row, name) for name in _POLICY})
