"""Scores of orders, the warnings that came of them, what buyers are told of sellers, and the models behind it."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0016"
down_revision = "v0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "risk_models",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("trained_until", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("facts", types.Json(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_risk_models_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_models")),
    )
    op.create_table(
        "risk_scores",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("buyer", sa.Float(), nullable=False),
        sa.Column("seller", sa.Float(), nullable=False),
        sa.Column("dispute", sa.Float(), nullable=False),
        sa.Column("reasons", types.Json(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_risk_scores_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "order_id", "stage", name=op.f("pk_risk_scores")),
    )
    op.create_table(
        "risk_warnings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("seller", types.Address(), nullable=False),
        sa.Column("risk", sa.Float(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("details", types.Json(), nullable=False),
        sa.Column("answer", sa.String(16), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("came", sa.Boolean(), nullable=True),
        sa.Column("lead_seconds", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_risk_warnings_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_warnings")),
        sa.UniqueConstraint("contract_id", "order_id", "kind", name=op.f("uq_risk_warnings_contract_id_order_id_kind")),
    )
    op.create_index(
        op.f("ix_risk_warnings_contract_id_platform_id"), "risk_warnings", ["contract_id", "platform", "id"]
    )
    op.create_table(
        "risk_outlooks",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seller", types.Address(), nullable=False),
        sa.Column("risk", sa.Float(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reasons", types.Json(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_risk_outlooks_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "seller", name=op.f("pk_risk_outlooks")),
    )


def downgrade() -> None:
    raise NotImplementedError("mirror into a new store with the older version: everything in here follows from it")
