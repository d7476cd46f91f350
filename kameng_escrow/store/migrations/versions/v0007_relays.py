"""Relays: what others signed and is to be brought to the chain, by the journal that keepers have; watched deposits."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0007"
down_revision = "v0006"
branch_labels = None
depends_on = None

_OPEN = sa.text("stage IN ('Accepted', 'Sent', 'Mined')")
_WATCHED = sa.text("watched")
_PAYLOADS = "payload IN ('Batch', 'Nothing', 'Call')"


def upgrade() -> None:
    _let_transactions_call()
    op.create_table(
        "relays",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("verb", sa.String(16), nullable=True),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("account", types.Address(), nullable=True),
        sa.Column("target", types.Address(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("digest", types.Hash(), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("try_ms", sa.BigInteger(), nullable=False),
        sa.Column("intent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_zh", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('Action', 'Agreement', 'Opening', 'DepositOpening', 'DepositRefund', 'DepositSweep')",
            name=op.f("ck_relays_kind"),
        ),
        sa.CheckConstraint(
            "stage IN ('Accepted', 'Sent', 'Mined', 'Done', 'Failed', 'Refused')", name=op.f("ck_relays_stage")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_relays_contract_id")),
        sa.ForeignKeyConstraint(["intent_id"], ["keeper_intents.id"], name=op.f("fk_relays_intent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relays")),
    )
    for columns, unique, where in (
        (["contract_id", "digest"], True, _OPEN),
        (["contract_id", "try_ms"], False, _OPEN),
        (["contract_id", "order_id"], False, None),
        (["account", "created_ms"], False, None),
        (["intent_id"], False, None),
    ):
        op.create_index(
            op.f(f"ix_relays_{'_'.join(columns)}"),
            "relays",
            columns,
            unique=unique,
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_table(
        "relay_intents",
        sa.Column("intent_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("relay_id", sa.String(31), nullable=False),
        sa.ForeignKeyConstraint(["intent_id"], ["keeper_intents.id"], name=op.f("fk_relay_intents_intent_id")),
        sa.ForeignKeyConstraint(["relay_id"], ["relays.id"], name=op.f("fk_relay_intents_relay_id")),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_relay_intents")),
    )
    op.create_index(op.f("ix_relay_intents_relay_id"), "relay_intents", ["relay_id"])
    op.create_table(
        "relay_budgets",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("daily", types.Amount(39), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_relay_budgets_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "platform", name=op.f("pk_relay_budgets")),
    )
    _create_deposits()


def _create_deposits() -> None:
    op.create_table(
        "deposits",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("address", types.Address(), nullable=False),
        sa.Column("terms", types.Json(), nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("offer_expiry", sa.BigInteger(), nullable=True),
        sa.Column("offer_operator", types.Address(), nullable=True),
        sa.Column("offer_signature", sa.LargeBinary(), nullable=True),
        sa.Column("buyer_signature", sa.LargeBinary(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("look_ms", sa.BigInteger(), nullable=False),
        sa.Column("balance", types.Amount(78), nullable=False),
        sa.Column("confirmed", types.Amount(78), nullable=False),
        sa.Column("sweeps", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_zh", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_deposits_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "order_id", name=op.f("pk_deposits")),
    )
    op.create_index(
        op.f("ix_deposits_contract_id_look_ms"),
        "deposits",
        ["contract_id", "look_ms"],
        sqlite_where=_WATCHED,
        postgresql_where=_WATCHED,
    )
    op.create_index(op.f("ix_deposits_account_created_ms"), "deposits", ["account", "created_ms"])


def downgrade() -> None:
    raise NotImplementedError("a journal with relays in it means nothing to the older version")


def _let_transactions_call() -> None:
    """A transaction may bring what somebody signed."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_keeper_transactions_payload"), "keeper_transactions", type_="check")
        op.create_check_constraint(op.f("ck_keeper_transactions_payload"), "keeper_transactions", _PAYLOADS)
        return
    # SQLite changes no constraints: a new table takes the old one's place.
    op.create_table(
        "keeper_transactions_next",
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
        sa.CheckConstraint(_PAYLOADS, name=op.f("ck_keeper_transactions_payload")),
        sa.CheckConstraint(
            "rejection IN ('Underpriced', 'Funds', 'NonceUsed', 'NonceGap', 'Unfit', 'Unclear', 'Occupied')",
            name=op.f("ck_keeper_transactions_rejection"),
        ),
        sa.ForeignKeyConstraint(["intent_id"], ["keeper_intents.id"], name=op.f("fk_keeper_transactions_intent_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_keeper_transactions")),
    )
    op.execute("INSERT INTO keeper_transactions_next SELECT * FROM keeper_transactions")
    op.drop_table("keeper_transactions")
    op.rename_table("keeper_transactions_next", "keeper_transactions")
    op.create_index(op.f("ix_keeper_transactions_intent_id"), "keeper_transactions", ["intent_id"])
