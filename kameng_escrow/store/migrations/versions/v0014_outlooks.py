"""Alarms about platforms' orders, what the detectors remember, and outlooks."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0014"
down_revision = "v0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "anomalies",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("who", types.Hash(), nullable=False),
        sa.Column("about", types.Hash(), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("with_whom", types.Json(), nullable=False),
        sa.Column("orders", types.Json(), nullable=False),
        sa.Column("numbers", types.Json(), nullable=False),
        sa.Column("sentence_en", sa.Text(), nullable=False),
        sa.Column("sentence_zh", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_anomalies_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "platform", "id", name=op.f("pk_anomalies")),
    )
    op.create_index(
        op.f("ix_anomalies_contract_id_platform_raised_at_id"),
        "anomalies",
        ["contract_id", "platform", "raised_at", "id"],
    )
    op.create_table(
        "anomaly_watches",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_anomaly_watches_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "platform", name=op.f("pk_anomaly_watches")),
    )
    op.create_table(
        "anomaly_cursors",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_anomaly_cursors_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_anomaly_cursors")),
    )
    op.create_table(
        "trend_outlooks",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("clock", sa.String(16), nullable=False),
        sa.Column("measure", sa.String(16), nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("name", types.Hash(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("document", types.Json(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_trend_outlooks_contract_id")),
        sa.PrimaryKeyConstraint(
            "contract_id", "platform", "clock", "measure", "by", "name", name=op.f("pk_trend_outlooks")
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("mirror into a new store with the older version: everything in here follows from it")
