"""Encrypted deliveries, fingerprints of their codes, and what was disclosed of them."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0008"
down_revision = "v0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("commitment", types.Hash(), nullable=False),
        sa.Column("root", types.Hash(), nullable=False),
        sa.Column("payload_hash", types.Hash(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stored_by", types.Address(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_deliveries_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "contract_id", "order_id", "commitment", name=op.f("uq_deliveries_contract_id_order_id_commitment")
        ),
    )
    op.create_table(
        "delivery_fingerprints",
        sa.Column("delivery_id", sa.String(31), nullable=False),
        sa.Column("unit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("fingerprint", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_fingerprints_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "unit", name=op.f("pk_delivery_fingerprints")),
    )
    op.create_index(
        op.f("ix_delivery_fingerprints_key_id_fingerprint"), "delivery_fingerprints", ["key_id", "fingerprint"]
    )
    op.create_table(
        "delivery_disclosures",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("payload_hash", types.Hash(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("salt", types.Hash(), nullable=True),
        sa.Column("proof", types.Json(), nullable=True),
        sa.Column("identity", sa.String(80), nullable=True),
        sa.Column("disclosed_at", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_delivery_disclosures_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_disclosures")),
    )
    op.create_index(
        op.f("ix_delivery_disclosures_contract_id_order_id"), "delivery_disclosures", ["contract_id", "order_id"]
    )


def downgrade() -> None:
    for table in ("delivery_disclosures", "delivery_fingerprints", "deliveries"):
        op.drop_table(table)
