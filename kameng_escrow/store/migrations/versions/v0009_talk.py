"""Rooms in which people talk about orders, and the papers of disputes."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0009"
down_revision = "v0008"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('message', 'evidence', 'line', 'retraction', 'proposal', 'signature', 'withdrawal', 'erasure')"
_SEATS = "seat IN ('buyer', 'seller', 'mediator', 'backup_mediator', 'platform')"
_STATES = "state IN ('None', 'Opened', 'Accepted', 'Delivered', 'Disputed', 'Closed')"
_STANDING = sa.text("withdrawn_ms IS NULL")
_DISPUTED = sa.text("disputed_at IS NOT NULL")


def upgrade() -> None:
    _papers()
    _room()
    _what_is_in_a_room()
    op.create_index(
        op.f("ix_orders_contract_id_policy_id"),
        "orders",
        ["contract_id", "policy_id"],
        sqlite_where=_DISPUTED,
        postgresql_where=_DISPUTED,
    )


def _papers() -> None:
    op.create_table(
        "dispute_papers",
        sa.Column("hash", types.Hash(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("author", types.Address(), nullable=False),
        sa.Column("document", types.Json(), nullable=True),
        sa.Column("written_ms", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('evidence', 'grounds')", name=op.f("ck_dispute_papers_kind")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_dispute_papers_contract_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_dispute_papers")),
    )
    op.create_index(op.f("ix_dispute_papers_contract_id_order_id"), "dispute_papers", ["contract_id", "order_id"])
    op.create_table(
        "mediator_conflicts",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("mediator", types.Address(), nullable=False),
        sa.Column("subject", types.Hash(), nullable=False),
        sa.Column("note", sa.String(400), nullable=False),
        sa.Column("declared_by", types.Address(), nullable=False),
        sa.Column("declared_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_mediator_conflicts_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mediator_conflicts")),
    )
    op.create_index(
        "ix_mediator_conflicts_mediator",
        "mediator_conflicts",
        ["contract_id", "mediator"],
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )


def _room() -> None:
    op.create_table(
        "talk_rooms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("head", types.Hash(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("event_block", sa.BigInteger(), nullable=True),
        sa.Column("event_log_index", sa.Integer(), nullable=True),
        sa.Column("event_block_hash", types.Hash(), nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_talk_rooms_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_rooms")),
        sa.UniqueConstraint("contract_id", "order_id", name=op.f("uq_talk_rooms_contract_id_order_id")),
    )
    op.create_index(op.f("ix_talk_rooms_contract_id_last_ms"), "talk_rooms", ["contract_id", "last_ms"])


def _what_is_in_a_room() -> None:
    op.create_table(
        "talk_entries",
        sa.Column("room_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("author", types.Address(), nullable=False),
        sa.Column("seat", sa.String(16), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", types.Hash(), nullable=False),
        sa.Column("prev", types.Hash(), nullable=False),
        sa.Column("head", types.Hash(), nullable=False),
        sa.Column("body", types.Json(), nullable=True),
        sa.CheckConstraint(_KINDS, name=op.f("ck_talk_entries_kind")),
        sa.ForeignKeyConstraint(["room_id"], ["talk_rooms.id"], name=op.f("fk_talk_entries_room_id")),
        sa.PrimaryKeyConstraint("room_id", "seq", name=op.f("pk_talk_entries")),
    )
    op.create_table(
        "talk_files",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("uploader", types.Address(), nullable=False),
        sa.Column("seat", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sent_sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("uploaded_ms", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("paper", types.Hash(), nullable=True),
        sa.CheckConstraint(_SEATS, name=op.f("ck_talk_files_seat")),
        sa.ForeignKeyConstraint(["room_id"], ["talk_rooms.id"], name=op.f("fk_talk_files_room_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_files")),
    )
    op.create_index(op.f("ix_talk_files_room_id_id"), "talk_files", ["room_id", "id"])
    op.create_index(op.f("ix_talk_files_sha256"), "talk_files", ["sha256"])
    op.create_table(
        "talk_proposals",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("proposer", types.Address(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("disputed_units", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("to_buyer", types.Amount(39), nullable=False),
        sa.Column("expiry", sa.BigInteger(), nullable=False),
        sa.Column("buyer_signature", sa.LargeBinary(), nullable=True),
        sa.Column("seller_signature", sa.LargeBinary(), nullable=True),
        sa.Column("withdrawn_by", types.Address(), nullable=True),
        sa.CheckConstraint(_STATES, name=op.f("ck_talk_proposals_state")),
        sa.ForeignKeyConstraint(["room_id"], ["talk_rooms.id"], name=op.f("fk_talk_proposals_room_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_proposals")),
    )
    op.create_index(op.f("ix_talk_proposals_room_id_id"), "talk_proposals", ["room_id", "id"])
    op.create_table(
        "talk_reads",
        sa.Column("room_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["talk_rooms.id"], name=op.f("fk_talk_reads_room_id")),
        sa.PrimaryKeyConstraint("room_id", "account", name=op.f("pk_talk_reads")),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_orders_contract_id_policy_id"), table_name="orders")
    for table in ("talk_reads", "talk_proposals", "talk_files", "talk_entries", "talk_rooms"):
        op.drop_table(table)
    op.drop_table("mediator_conflicts")
    op.drop_table("dispute_papers")
