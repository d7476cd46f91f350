"""Doing something to an order, and saying what it did."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..domain.events import Credited, OrderClosed, OrderDisputed
from ..domain.order import OrderTerms, Shares
from .forms import iso
from .screen import Answer
from .session import Session
from .subject import Subject, find_order
from .wording import Clockwork, clock_text, shares_text, state_text

if TYPE_CHECKING:
    from ..client import EscrowClient
    from ..client.results import Receipt

Deed = Callable[["EscrowClient", OrderTerms], "Receipt"]


def perform(session: Session, order: str, zh: str, en: str, deed: Deed) -> Answer:
    """Does one thing to one order with the session's key, and tells where the order stands after it."""
    client = session.acting()
    subject = find_order(session, order)
    return after(session, subject, deed(client, subject.terms), zh, en)


def after(session: Session, subject: Subject, receipt: "Receipt", zh: str, en: str) -> Answer:
    """The answer to a transaction about an order."""
    screen, client = session.screen, session.client()
    currency = session.currency(subject.terms.token)
    status = client.status(subject.order_id)
    data: dict[str, Any] = {
        "order_id": subject.order_id,
        "state": status.state.label,
        "outcome": status.outcome.label,
        "fault": status.fault.label,
        "deadline": iso(status.deadline) if status.state.is_open else None,
        "disputed_units": status.disputed_units,
        "revision": status.revision,
    }
    lines = [
        f"✓ {screen.say(zh, en)}",
        screen.say("  订单 ", "  Order ") + subject.order_id,
        screen.say("  状态 ", "  State ") + state_text(screen, status.state, status.outcome, status.fault),
    ]
    coming = client.next_action(subject.terms) if status.state.is_open else None
    if coming is not None and coming.due_at is not None and coming.closing is not None:
        work = Clockwork(state=coming.state, due_at=coming.due_at, shares=coming.closing.shares)
        lines.append(screen.say("  时限 ", "  Clock ") + clock_text(screen, work, currency, receipt.timestamp))
    paid = paid_by(receipt, subject.order_id)
    if paid is not None:
        lines.append(screen.say("  款项 ", "  Money ") + shares_text(screen, paid, currency))
    for logged in receipt.events:
        if isinstance(logged.event, Credited):
            lines.append(credited_text(session, logged.event))
    lines.append(receipt_text(session, receipt))
    data["shares"] = shares_data(paid) if paid is not None else None
    return Answer({**data, **receipt_data(receipt)}, lines)


def paid_by(receipt: "Receipt", order_id: str) -> Shares | None:
    """What the transaction paid out of the order; None if nothing."""
    for logged in receipt.events:
        event = logged.event
        if isinstance(event, OrderClosed | OrderDisputed) and event.order_id == order_id:
            return Shares(
                to_buyer=event.to_buyer if isinstance(event, OrderClosed) else 0,
                to_seller=event.to_seller,
                platform_fee=event.platform_fee,
                bond_returned=event.bond_returned,
            )
    return None


def credited_text(session: Session, event: Credited) -> str:
    """That a payment was refused and kept for its receiver."""
    amount = session.currency(event.token).show(event.amount)
    return "  ! " + session.screen.say(
        f"{event.account} 收不了款，{amount} 已记入其余额，可用 kameng credit withdraw 转到别处",
        f"{event.account} refused the payment: {amount} is kept as its credit, see `kameng credit withdraw`",
    )


def receipt_data(receipt: "Receipt") -> dict[str, Any]:
    """A transaction, for machines."""
    return {
        "transaction_hash": receipt.transaction_hash,
        "block_number": receipt.block_number,
        "timestamp": iso(receipt.timestamp),
        "gas_used": receipt.gas_used,
    }


def receipt_text(session: Session, receipt: "Receipt") -> str:
    """A transaction, for people."""
    return session.screen.say("  交易 ", "  Transaction ") + f"{receipt.transaction_hash} · gas {receipt.gas_used:,}"


def shares_data(shares: Shares) -> dict[str, str]:
    """Shares for machines: base units as strings."""
    return {
        "to_buyer": str(shares.to_buyer),
        "to_seller": str(shares.to_seller),
        "platform_fee": str(shares.platform_fee),
        "bond_returned": str(shares.bond_returned),
        "mediation_fee": str(shares.mediation_fee),
    }
