"""Warnings of which it is not known yet whether they were right, found without looking through all."""

import sqlalchemy as sa
from alembic import op

revision = "v0018"
down_revision = "v0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waiting = sa.text("came IS NULL")
    op.create_index(
        "ix_risk_warnings_waiting",
        "risk_warnings",
        ["contract_id", "platform", "kind"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    op.drop_index("ix_risk_warnings_waiting", "risk_warnings")
