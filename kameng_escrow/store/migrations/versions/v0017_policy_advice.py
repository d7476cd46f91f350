"""Reports on which rules would have served a platform better."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0017"
down_revision = "v0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "policy_advice",
        sa.Column("id", _ID, nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("policy_id", types.Hash(), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("document", types.Json(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_policy_advice_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_advice")),
    )
    op.create_index(
        op.f("ix_policy_advice_contract_id_platform_id"), "policy_advice", ["contract_id", "platform", "id"]
    )


def downgrade() -> None:
    op.drop_table("policy_advice")  # which the older version does not know
