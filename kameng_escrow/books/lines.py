"""The lines of a statement: what is written of an order, as text, the same in every format."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kameng_escrow.store.service.closed_orders import ClosedOrder

AMOUNTS = ("price", "to_buyer", "to_seller", "platform_fee", "mediation_fee", "bond_returned")
COLUMNS = (
    *("line", "order_id", "closed_at", "outcome", "fault", "currency", *AMOUNTS),
    *("buyer", "refund_to", "seller", "pay_to", "platform", "policy_id", "listing", "units", "disputed_units"),
    *("token", "decimals", *(f"{name}_base" for name in AMOUNTS), "opened_at"),
    *("opened_transaction", "closed_transaction", "closed_block", "closed_block_hash"),
)
Line = Mapping[str, str]  # by column

LATEST = 253_402_300_799  # the last second that ISO 8601 has four digits for
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_SYMBOL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """How a token's amounts are written."""

    symbol: str  # cleaned: a token's maker may have written anything
    decimals: int

    def number(self, amount: int) -> str:
        """Base units as a decimal number: exact, without separators."""
        if self.decimals == 0:
            return str(amount)
        digits = str(amount).rjust(self.decimals + 1, "0")
        return f"{digits[: -self.decimals]}.{digits[-self.decimals :]}"


def clean_symbol(text: str) -> str:
    """A token's symbol as it may stand in a table: short, printable, and no formula."""
    kept = "".join(character for character in text if character.isprintable()).strip()[:_LONGEST_SYMBOL]
    return guarded(kept or "?")


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text


def line_of(number: int, order: ClosedOrder, currency: Currency) -> dict[str, str]:
    """An order as a line."""
    line = {
        "line": str(number),
        "order_id": order.order_id,
        "closed_at": iso(order.closed_at),
        "outcome": order.outcome.label,
        "fault": order.fault.label,
        "currency": currency.symbol,
        "buyer": order.buyer,
        "refund_to": order.refund_to,
        "seller": order.seller,
        "pay_to": order.pay_to,
        "platform": order.platform,
        "policy_id": order.policy_id,
        "listing": order.listing,
        "units": str(order.units),
        "disputed_units": str(order.disputed_units),
        "token": order.token,
        "decimals": str(currency.decimals),
        "opened_at": iso(order.opened_at),
        "opened_transaction": order.opened_transaction,
        "closed_transaction": order.closed_transaction,
        "closed_block": str(order.closed_block),
        "closed_block_hash": order.closed_block_hash,
    }
    for name in AMOUNTS:
        amount = getattr(order, name)
        line[name], line[f"{name}_base"] = currency.number(amount), str(amount)
    return {name: line[name] for name in COLUMNS}


def iso(second: int) -> str:
    """A chain time: ISO 8601 with Z."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Sums:
    """What the lines come to, by token."""

    def __init__(self) -> None:
        self.lines = 0
        self.totals: dict[str, dict[str, int]] = {}
        self.outcomes: dict[str, int] = {}
        self.faults: dict[str, int] = {}

    def add(self, order: ClosedOrder) -> None:
        self.lines += 1
        of_token = self.totals.setdefault(order.token, dict.fromkeys(("orders", *AMOUNTS), 0))
        of_token["orders"] += 1
        for name in AMOUNTS:
            of_token[name] += getattr(order, name)
        self.outcomes[order.outcome.label] = self.outcomes.get(order.outcome.label, 0) + 1
        self.faults[order.fault.label] = self.faults.get(order.fault.label, 0) + 1

    def document(self) -> dict[str, object]:
        """For a manifest: amounts in base units, as text."""
        return {
            "lines": self.lines,
            "totals": {
                token: {name: str(amount) if name != "orders" else amount for name, amount in sums.items()}
                for token, sums in sorted(self.totals.items())
            },
            "outcomes": dict(sorted(self.outcomes.items())),
            "faults": dict(sorted(self.faults.items())),
        }
