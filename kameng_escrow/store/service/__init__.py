"""What the platform service keeps beside the mirror: a module a topic, with its rows and what is asked of them.

Functions take a `Session` of `Store.reading` or `Store.writing`, so that a caller can do several things in one
transaction. Nothing here is the chain's truth: an order's state is in the mirror's rows alone.
"""

from . import (
    accounts,
    anomalies,
    audit_rows,
    deliveries,
    deposits,
    dispute_rows,
    idempotency,
    notification_rows,
    policy_advice,
    relays,
    risk,
    talk_rows,
    trade_rows,
    trends,
    webhook_rows,
)

__all__ = [
    "accounts",
    "anomalies",
    "audit_rows",
    "deliveries",
    "deposits",
    "dispute_rows",
    "idempotency",
    "notification_rows",
    "policy_advice",
    "relays",
    "risk",
    "talk_rows",
    "trade_rows",
    "trends",
    "webhook_rows",
]
