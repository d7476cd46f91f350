"""What a disclosure was found to be is written down once, instead of found out by whoever looks at it."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0015"
down_revision = "v0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery_disclosures", sa.Column("commitment", types.Hash(), nullable=True))
    op.add_column("delivery_disclosures", sa.Column("flaw", sa.String(64), nullable=True))


def downgrade() -> None:
    for column in ("flaw", "commitment"):
        op.drop_column("delivery_disclosures", column)
