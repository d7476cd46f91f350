"""What is asked often is looked up: whose operator somebody is, and what was sent and mined for a contract lately."""

from alembic import op

revision = "v0019"
down_revision = "v0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_operators_contract_id_operator"), "operators", ["contract_id", "operator"])
    op.create_index(op.f("ix_keeper_intents_contract_id_mined_ms"), "keeper_intents", ["contract_id", "mined_ms"])


def downgrade() -> None:
    op.drop_index(op.f("ix_keeper_intents_contract_id_mined_ms"), "keeper_intents")
    op.drop_index(op.f("ix_operators_contract_id_operator"), "operators")
