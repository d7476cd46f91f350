"""What open orders are looked for by has a table of its own.

State and deadline change with nearly every event. As long as indexes of `orders` had them, PostgreSQL wrote a new entry
into all of that table's indexes with each change of an order.
"""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0013"
down_revision = "v0012"
branch_labels = None
depends_on = None

_OPEN = ("Opened", "Accepted", "Delivered", "Disputed")


def upgrade() -> None:
    op.create_table(
        "clocks",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("first_block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(types.any_of("state", _OPEN), name=op.f("ck_clocks_state")),
        sa.PrimaryKeyConstraint("contract_id", "state", "first_block", "first_log_index", name=op.f("pk_clocks")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO clocks (contract_id, state, first_block, first_log_index, deadline) "
        "SELECT contract_id, state, first_block, first_log_index, deadline FROM orders WHERE deadline IS NOT NULL"
    )
    op.create_index(
        op.f("ix_clocks_contract_id_deadline_first_block_first_log_index"),
        "clocks",
        ["contract_id", "deadline", "first_block", "first_log_index"],
    )
    op.drop_index(op.f("ix_orders_contract_id_deadline"), "orders")
    op.drop_index(op.f("ix_orders_contract_id_state_first_block_first_log_index"), "orders")
    if op.get_bind().dialect.name == types.POSTGRESQL:
        op.execute("ALTER TABLE orders SET (fillfactor = 50)")


def downgrade() -> None:
    raise NotImplementedError("mirror into a new store with the older version: everything in here is the chain's")
