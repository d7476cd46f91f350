"""Words are checked one after the other, and orders stand without a foreign key.

SQLite builds an index of a list each time it looks into one, which took as long as writing the rest of the row. And one
writer brings an order in one transaction with its events and checkpoint: to look its contract up for every row was to
ask what is known.
"""

import re
from collections.abc import Sequence

from alembic import op

revision = "v0012"
down_revision = "v0011"
branch_labels = None
depends_on = None

_ORDER_EVENTS = (
    *("OrderOpened", "OrderAccepted", "OrderDelivered", "OrderDisputed", "OrderRecommitted"),
    *("OrderRevised", "OrderRuled", "MediationFeeCredited", "OrderClosed"),
)
_OTHER_EVENTS = (
    *("PolicyRegistered", "PolicyReviewed", "PolicyRetired", "BondFunded", "BondWithdrawn"),
    *("Credited", "CreditPaid", "FeesClaimed", "PayToRegistered", "OperatorSet"),
)
_OUTCOMES = (
    *("None", "Expired", "Cancelled", "Declined", "Intervened", "Undelivered", "Confirmed"),
    *("Released", "Refunded", "Ruled", "Conceded", "Defaulted", "Agreed"),
)
_CHECKS: dict[str, dict[str, tuple[str, ...]]] = {
    "events": {"name": (*_ORDER_EVENTS, *_OTHER_EVENTS)},
    "orders": {
        "state": ("None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"),
        "outcome": _OUTCOMES,
        "fault": ("None", "Buyer", "Seller", "Platform", "Mediator"),
    },
    "outbox": {"name": _ORDER_EVENTS},
}
_LIST = re.compile(r"CHECK \((\w+) IN \(([^)]*)\)\)")
_FOREIGN_KEY = re.compile(
    r",\s*CONSTRAINT fk_orders_contract_id FOREIGN KEY\(contract_id\) REFERENCES contracts \(id\)"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _CHECKS:
            _rebuild(table)
        return
    op.drop_constraint(op.f("fk_orders_contract_id"), "orders", type_="foreignkey")
    for table, columns in _CHECKS.items():
        for column, words in columns.items():
            name = op.f(f"ck_{table}_{column}")
            op.drop_constraint(name, table, type_="check")
            op.create_check_constraint(name, table, _alternatives(column, words))


def downgrade() -> None:
    raise NotImplementedError("mirror into a new store with the older version: everything in here is the chain's")


def _rebuild(table: str) -> None:
    """SQLite changes no constraints: a new table takes the old one's place, with its rows, indexes and next id."""
    run = op.get_bind().exec_driver_sql
    made = run("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).scalar_one()
    indexes = run("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,))
    indexes_made = indexes.scalars().all()
    last_id = run("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).scalar_one_or_none()
    changed = _LIST.sub(_spelt, _FOREIGN_KEY.sub("", made))
    run(re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_next", changed))
    run(f"INSERT INTO {table}_next SELECT * FROM {table}")
    op.drop_table(table)
    op.rename_table(f"{table}_next", table)
    for index in indexes_made:
        run(index)
    if last_id is not None:
        run("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last_id))


def _spelt(found: re.Match[str]) -> str:
    words = re.findall(r"'(\w+)'", found[2])
    return f"CHECK ({_alternatives(found[1], words)})"


def _alternatives(column: str, words: Sequence[str]) -> str:
    return " OR ".join(f"{column} = '{word}'" for word in words)
