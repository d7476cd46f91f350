"""The keeper's journal."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0003"
down_revision = "v0002"
branch_labels = None
depends_on = None

_WAITING = sa.text("stage IN ('Live', 'Mined')")


def upgrade() -> None:
    op.create_table(
        "keeper_intents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("mined_hash", types.Hash(), nullable=True),
        sa.Column("mined_block", sa.BigInteger(), nullable=True),
        sa.Column("mined_block_hash", types.Hash(), nullable=True),
        sa.Column("mined_ms", sa.BigInteger(), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("cost", types.Amount(39), nullable=True),
        sa.CheckConstraint(
            "stage IN ('Live', 'Mined', 'Settled', 'Reverted', 'Withdrawn', 'Displaced')",
            name=op.f("ck_keeper_intents_stage"),
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_keeper_intents_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeper_intents")),
    )
    op.create_index(
        op.f("ix_keeper_intents_chain_id_account_nonce"),
        "keeper_intents",
        ["chain_id", "account", "nonce"],
        unique=True,
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        op.f("ix_keeper_intents_chain_id_account_mined_ms"), "keeper_intents", ["chain_id", "account", "mined_ms"]
    )
    op.create_table(
        "keeper_orders",
        sa.Column("intent_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["intent_id"], ["keeper_intents.id"], name=op.f("fk_keeper_orders_intent_id")),
        sa.PrimaryKeyConstraint("intent_id", "position", name=op.f("pk_keeper_orders")),
    )
    op.create_index(op.f("ix_keeper_orders_order_id"), "keeper_orders", ["order_id"])
    op.create_table(
        "keeper_transactions",
        sa.Column("hash", types.Hash(), nullable=False),
        sa.Column("intent_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("payload", sa.String(16), nullable=False),
        sa.Column("highest_fee", sa.BigInteger(), nullable=False),
        sa.Column("tip", sa.BigInteger(), nullable=True),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("signed_ms", sa.BigInteger(), nullable=False),
        sa.Column("offered_ms", sa.BigInteger(), nullable=True),
        sa.Column("rejection", sa.String(16), nullable=True),
        sa.CheckConstraint("payload IN ('Batch', 'Nothing')", name=op.f("ck_keeper_transactions_payload")),
        sa.CheckConstraint(
            "rejection IN ('Underpriced', 'Funds', 'NonceUsed', 'NonceGap', 'Unfit', 'Unclear', 'Occupied')",
            name=op.f("ck_keeper_transactions_rejection"),
        ),
        sa.ForeignKeyConstraint(["intent_id"], ["keeper_intents.id"], name=op.f("fk_keeper_transactions_intent_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_keeper_transactions")),
    )
    op.create_index(op.f("ix_keeper_transactions_intent_id"), "keeper_transactions", ["intent_id"])
    op.create_table(
        "keeper_troubles",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_try_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_keeper_troubles_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "order_id", name=op.f("pk_keeper_troubles")),
    )


def downgrade() -> None:
    for table in ("keeper_troubles", "keeper_transactions", "keeper_orders", "keeper_intents"):
        op.drop_table(table)
