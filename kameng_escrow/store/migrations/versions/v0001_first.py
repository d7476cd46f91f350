"""The store as first released."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chains",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("genesis_hash", types.Hash(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", name=op.f("pk_chains")),
    )
    op.create_table(
        "contracts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("address", types.Address(), nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["chains.chain_id"], name=op.f("fk_contracts_chain_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("chain_id", "address", name=op.f("uq_contracts_chain_id_address")),
    )
    op.create_table(
        "balances",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("holder", types.Hash(), nullable=False),
        sa.Column("token", types.Address(), nullable=False),
        sa.Column("amount", types.Amount(78), nullable=False),
        sa.CheckConstraint("kind IN ('Bond', 'Credit', 'Fee')", name=op.f("ck_balances_kind")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_balances_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "kind", "holder", "token", name=op.f("pk_balances")),
    )
    op.create_table(
        "blocks",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", types.Hash(), nullable=False),
        sa.Column("parent_hash", types.Hash(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("has_events", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_blocks_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "number", name=op.f("pk_blocks")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_number", sa.BigInteger(), nullable=False),
        sa.Column("seen_hash", types.Hash(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("final_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_checkpoints_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "operators",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seller", types.Address(), nullable=False),
        sa.Column("operator", types.Address(), nullable=False),
        sa.Column("token", types.Address(), nullable=False),
        sa.Column("policy_id", types.Hash(), nullable=False),
        sa.Column("rights", sa.Integer(), nullable=False),
        sa.Column("expiry", sa.BigInteger(), nullable=False),
        sa.Column("max_price", types.Amount(39), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_operators_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "seller", "operator", "token", "policy_id", name=op.f("pk_operators")),
    )
    op.create_table(
        "orders",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("fault", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("buyer", types.Address(), nullable=True),
        sa.Column("refund_to", types.Address(), nullable=True),
        sa.Column("seller", types.Address(), nullable=True),
        sa.Column("pay_to", types.Address(), nullable=True),
        sa.Column("token", types.Address(), nullable=True),
        sa.Column("price", types.Amount(39), nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("policy_id", types.Hash(), nullable=True),
        sa.Column("listing", types.Hash(), nullable=True),
        sa.Column("open_by", sa.BigInteger(), nullable=True),
        sa.Column("salt", types.Hash(), nullable=True),
        sa.Column("payer", types.Address(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("disputed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("commitment", types.Hash(), nullable=True),
        sa.Column("disputed_units", sa.Integer(), nullable=False),
        sa.Column("evidence", types.Hash(), nullable=True),
        sa.Column("grounds", types.Hash(), nullable=True),
        sa.Column("mediator", types.Address(), nullable=True),
        sa.Column("awarded", types.Amount(39), nullable=True),
        sa.Column("mediation_fee", types.Amount(39), nullable=False),
        sa.Column("undisputed_to_buyer", types.Amount(39), nullable=True),
        sa.Column("undisputed_to_seller", types.Amount(39), nullable=True),
        sa.Column("undisputed_platform_fee", types.Amount(39), nullable=True),
        sa.Column("undisputed_bond_returned", types.Amount(39), nullable=True),
        sa.Column("undisputed_mediation_fee", types.Amount(39), nullable=True),
        sa.Column("shares_to_buyer", types.Amount(39), nullable=True),
        sa.Column("shares_to_seller", types.Amount(39), nullable=True),
        sa.Column("shares_platform_fee", types.Amount(39), nullable=True),
        sa.Column("shares_bond_returned", types.Amount(39), nullable=True),
        sa.Column("shares_mediation_fee", types.Amount(39), nullable=True),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("first_log_index", sa.Integer(), nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.Column("last_log_index", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "fault IN ('None', 'Buyer', 'Seller', 'Platform', 'Mediator')", name=op.f("ck_orders_fault")
        ),
        sa.CheckConstraint(
            "outcome IN ("
            "'None', 'Expired', 'Cancelled', 'Declined', 'Intervened', 'Undelivered', 'Confirmed', "
            "'Released', 'Refunded', 'Ruled', 'Conceded', 'Defaulted', 'Agreed')",
            name=op.f("ck_orders_outcome"),
        ),
        sa.CheckConstraint(
            "state IN ('None', 'Opened', 'Accepted', 'Delivered', 'Disputed', 'Closed')", name=op.f("ck_orders_state")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_orders_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "order_id", name=op.f("pk_orders")),
        sa.UniqueConstraint(
            "contract_id",
            "first_block",
            "first_log_index",
            name=op.f("uq_orders_contract_id_first_block_first_log_index"),
        ),
    )
    op.create_index(
        op.f("ix_orders_contract_id_buyer_first_block_first_log_index"),
        "orders",
        ["contract_id", "buyer", "first_block", "first_log_index"],
        unique=False,
    )
    op.create_index(op.f("ix_orders_contract_id_deadline"), "orders", ["contract_id", "deadline"], unique=False)
    op.create_index(
        op.f("ix_orders_contract_id_seller_first_block_first_log_index"),
        "orders",
        ["contract_id", "seller", "first_block", "first_log_index"],
        unique=False,
    )
    op.create_index(
        op.f("ix_orders_contract_id_state_first_block_first_log_index"),
        "orders",
        ["contract_id", "state", "first_block", "first_log_index"],
        unique=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", types.Hash(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("payload", types.Json(), nullable=False),
        sa.Column("retracts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("retracted_by", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "name IN ("
            "'OrderOpened', 'OrderAccepted', 'OrderDelivered', 'OrderDisputed', 'OrderRecommitted', "
            "'OrderRevised', 'OrderRuled', 'MediationFeeCredited', 'OrderClosed')",
            name=op.f("ck_outbox_name"),
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_outbox_contract_id")),
        sa.ForeignKeyConstraint(["retracts"], ["outbox.id"], name=op.f("fk_outbox_retracts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("retracts", name=op.f("uq_outbox_retracts")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_outbox_contract_id_block_number_log_index"),
        "outbox",
        ["contract_id", "block_number", "log_index"],
        unique=False,
    )
    op.create_index(
        op.f("ix_outbox_contract_id_order_id_id"), "outbox", ["contract_id", "order_id", "id"], unique=False
    )
    op.create_table(
        "pay_to",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seller", types.Address(), nullable=False),
        sa.Column("pay_to", types.Address(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_pay_to_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "seller", name=op.f("pk_pay_to")),
    )
    op.create_table(
        "policies",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy_id", types.Hash(), nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("accept_window", sa.Integer(), nullable=False),
        sa.Column("deliver_window", sa.Integer(), nullable=False),
        sa.Column("inspect_window", sa.Integer(), nullable=False),
        sa.Column("negotiate_window", sa.Integer(), nullable=False),
        sa.Column("mediate_window", sa.Integer(), nullable=False),
        sa.Column("platform_fee_bps", sa.Integer(), nullable=False),
        sa.Column("cancel_fee_bps", sa.Integer(), nullable=False),
        sa.Column("seller_bond_bps", sa.Integer(), nullable=False),
        sa.Column("dispute_bond_bps", sa.Integer(), nullable=False),
        sa.Column("mediation_fee_bps", sa.Integer(), nullable=False),
        sa.Column("silence_share_bps", sa.Integer(), nullable=False),
        sa.Column("mediator", types.Address(), nullable=False),
        sa.Column("backup_mediator", types.Address(), nullable=False),
        sa.Column("fee_receiver", types.Address(), nullable=False),
        sa.Column("effective_from", sa.BigInteger(), nullable=False),
        sa.Column("review_by", sa.BigInteger(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_policies_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "policy_id", name=op.f("pk_policies")),
    )
    op.create_index(op.f("ix_policies_contract_id_platform"), "policies", ["contract_id", "platform"], unique=False)
    op.create_table(
        "events",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transaction_hash", types.Hash(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("subject", types.Hash(), nullable=False),
        sa.Column("fields", types.Json(), nullable=False),
        sa.CheckConstraint(
            "name IN ("
            "'OrderOpened', 'OrderAccepted', 'OrderDelivered', 'OrderDisputed', 'OrderRecommitted', "
            "'OrderRevised', 'OrderRuled', 'MediationFeeCredited', 'OrderClosed', 'PolicyRegistered', "
            "'PolicyReviewed', 'PolicyRetired', 'BondFunded', 'BondWithdrawn', 'Credited', "
            "'CreditPaid', 'FeesClaimed', 'PayToRegistered', 'OperatorSet')",
            name=op.f("ck_events_name"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id", "block_number"],
            ["blocks.contract_id", "blocks.number"],
            name=op.f("fk_events_contract_id_block_number"),
        ),
        sa.PrimaryKeyConstraint("contract_id", "block_number", "log_index", name=op.f("pk_events")),
    )
    op.create_index(
        op.f("ix_events_contract_id_subject_block_number_log_index"),
        "events",
        ["contract_id", "subject", "block_number", "log_index"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_events_contract_id_subject_block_number_log_index"), table_name="events")
    op.drop_table("events")
    op.drop_index(op.f("ix_policies_contract_id_platform"), table_name="policies")
    op.drop_table("policies")
    op.drop_table("pay_to")
    op.drop_index(op.f("ix_outbox_contract_id_order_id_id"), table_name="outbox")
    op.drop_index(op.f("ix_outbox_contract_id_block_number_log_index"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_orders_contract_id_state_first_block_first_log_index"), table_name="orders")
    op.drop_index(op.f("ix_orders_contract_id_seller_first_block_first_log_index"), table_name="orders")
    op.drop_index(op.f("ix_orders_contract_id_deadline"), table_name="orders")
    op.drop_index(op.f("ix_orders_contract_id_buyer_first_block_first_log_index"), table_name="orders")
    op.drop_table("orders")
    op.drop_table("operators")
    op.drop_table("checkpoints")
    op.drop_table("blocks")
    op.drop_table("balances")
    op.drop_table("contracts")
    op.drop_table("chains")
