"""Webhooks and notifications: who is told what, and how far that has come."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0011"
down_revision = "v0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("stage = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "notification_channels",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(64), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("verified_ms", sa.BigInteger(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("code_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("opt_out_key", sa.LargeBinary(32), nullable=False),
        sa.Column("stopped_for", sa.String(16), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('push', 'mail', 'wecom', 'dingtalk', 'feishu', 'telegram', 'bark', 'ntfy')",
            name=op.f("ck_notification_channels_kind"),
        ),
        sa.CheckConstraint(
            "stopped_for IN ('person', 'gone', 'failing')", name=op.f("ck_notification_channels_stopped_for")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_channels")),
    )
    op.create_index(op.f("ix_notification_channels_account"), "notification_channels", ["account"])
    op.create_table(
        "notification_people",
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("muted", types.Json(), nullable=False),
        sa.Column("codes", sa.Integer(), nullable=False),
        sa.Column("codes_since_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_notification_people_language")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_notification_people")),
    )
    op.create_table(
        "notification_messages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel_id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("order_id", types.Hash(), nullable=True),
        sa.Column("topic", sa.String(48), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("details", types.Json(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_try_ms", sa.BigInteger(), nullable=True),
        sa.Column("too_late_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(64), nullable=True),
        sa.CheckConstraint(
            "stage IN ('waiting', 'sent', 'failed', 'dropped')", name=op.f("ck_notification_messages_stage")
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["notification_channels.id"], name=op.f("fk_notification_messages_channel_id")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_notification_messages_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_messages")),
        sa.UniqueConstraint("channel_id", "key", name=op.f("uq_notification_messages_channel_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_notification_messages_contract_id_order_id"), "notification_messages", ["contract_id", "order_id"]
    )
    op.create_index(
        "ix_notification_messages_due",
        "notification_messages",
        ["channel_id", "next_try_ms"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_table(
        "outbox_cursors",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reader", sa.String(16), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_outbox_cursors_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "reader", name=op.f("pk_outbox_cursors")),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("owner", types.Address(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.Column("events", types.Json(), nullable=False),
        sa.Column("delivery", sa.String(16), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.Column("disabled_for", sa.String(16), nullable=True),
        sa.Column("failing_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("quiet_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("delivery IN ('instant', 'final')", name=op.f("ck_webhook_endpoints_delivery")),
        sa.CheckConstraint(
            "disabled_for IN ('owner', 'gone', 'failing')", name=op.f("ck_webhook_endpoints_disabled_for")
        ),
        sa.CheckConstraint(
            "purpose <> 'release' OR delivery = 'final'", name=op.f("ck_webhook_endpoints_release_is_final")
        ),
        sa.CheckConstraint("purpose IN ('inform', 'release')", name=op.f("ck_webhook_endpoints_purpose")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_webhook_endpoints_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(op.f("ix_webhook_endpoints_contract_id_owner"), "webhook_endpoints", ["contract_id", "owner"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("endpoint_id", sa.String(31), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", types.Hash(), nullable=True),
        sa.Column("type", sa.String(48), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_try_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "stage IN ('waiting', 'sent', 'failed', 'dropped')", name=op.f("ck_webhook_deliveries_stage")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name=op.f("fk_webhook_deliveries_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("endpoint_id", "outbox_id", name=op.f("uq_webhook_deliveries_endpoint_id_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "next_try_ms"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(op.f("ix_webhook_deliveries_endpoint_id_id"), "webhook_deliveries", ["endpoint_id", "id"])
    op.create_index(
        "ix_webhook_deliveries_turn",
        "webhook_deliveries",
        ["endpoint_id", "order_id", "outbox_id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_table(
        "webhook_attempts",
        sa.Column("delivery_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_deliveries.id"], name=op.f("fk_webhook_attempts_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", "at_ms", name=op.f("pk_webhook_attempts")),
    )


def downgrade() -> None:
    for table in (
        "webhook_attempts",
        "webhook_deliveries",
        "webhook_endpoints",
        "outbox_cursors",
        "notification_messages",
        "notification_people",
        "notification_channels",
    ):
        op.drop_table(table)
