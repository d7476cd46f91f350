"""Listings and their stock, quotes, offers."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0010"
down_revision = "v0009"
branch_labels = None
depends_on = None

_WAITING = sa.text("hold = 'Held'")
_SHORT = sa.text("hold IN ('Held', 'Reserved') AND NOT backed")


def upgrade() -> None:
    op.create_table(
        "listings",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("seller", types.Address(), nullable=False),
        sa.Column("pay_to", types.Address(), nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("policy_id", types.Hash(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("acceptance", sa.String(16), nullable=False),
        sa.Column("acceptance_reason", sa.String(500), nullable=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("haystack", sa.Text(), nullable=False),
        sa.Column("token", types.Address(), nullable=False),
        sa.Column("symbol", sa.String(16), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("unit_price", types.Amount(39), nullable=False),
        sa.Column("min_units", sa.Integer(), nullable=False),
        sa.Column("max_units", sa.Integer(), nullable=False),
        sa.Column("buyer_cap", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("acceptance IN ('Pending', 'Accepted', 'Refused')", name=op.f("ck_listings_acceptance")),
        sa.CheckConstraint("state IN ('Draft', 'Published', 'Paused', 'Withdrawn')", name=op.f("ck_listings_state")),
        sa.CheckConstraint(
            "0 < min_units AND min_units <= max_units AND max_units <= 65535", name=op.f("ck_listings_units")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_listings_contract_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
    )
    op.create_index(
        op.f("ix_listings_contract_id_platform_acceptance_id"),
        "listings",
        ["contract_id", "platform", "acceptance", "id"],
    )
    op.create_index(op.f("ix_listings_contract_id_seller_id"), "listings", ["contract_id", "seller", "id"])
    op.create_index(
        op.f("ix_listings_contract_id_state_category_id"), "listings", ["contract_id", "state", "category", "id"]
    )
    op.create_table(
        "stock_cursors",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_stock_cursors_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_stock_cursors")),
    )
    op.create_table(
        "trade_desks",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("platform", types.Address(), nullable=False),
        sa.Column("reviews", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_trade_desks_contract_id")),
        sa.PrimaryKeyConstraint("contract_id", "platform", name=op.f("pk_trade_desks")),
    )
    op.create_table(
        "listing_stocks",
        sa.Column("listing_id", sa.String(31), nullable=False),
        sa.Column("stocked", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("available + held + reserved + spent = stocked", name=op.f("ck_listing_stocks_sum")),
        sa.CheckConstraint(
            "available >= 0 AND held >= 0 AND reserved >= 0 AND spent >= 0", name=op.f("ck_listing_stocks_counts")
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_listing_stocks_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_listing_stocks")),
    )
    op.create_table(
        "quotes",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.String(31), nullable=False),
        sa.Column("listing_revision", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("seller", types.Address(), nullable=False),
        sa.Column("buyer", types.Address(), nullable=False),
        sa.Column("refund_to", types.Address(), nullable=False),
        sa.Column("delivery_key", sa.String(80), nullable=False),
        sa.Column("platform_order", sa.String(64), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("price", types.Amount(39), nullable=False),
        sa.Column("open_by", sa.BigInteger(), nullable=False),
        sa.Column("terms", types.Json(), nullable=False),
        sa.Column("document", types.Json(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("offer_expiry", sa.BigInteger(), nullable=True),
        sa.Column("hold", sa.String(16), nullable=False),
        sa.Column("backed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("hold IN ('Held', 'Reserved', 'Spent', 'Released')", name=op.f("ck_quotes_hold")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_quotes_contract_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_quotes_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotes")),
        sa.UniqueConstraint("contract_id", "order_id", name=op.f("uq_quotes_contract_id_order_id")),
    )
    op.create_index(op.f("ix_quotes_contract_id_account_id"), "quotes", ["contract_id", "account", "id"])
    op.create_index(op.f("ix_quotes_contract_id_buyer_id"), "quotes", ["contract_id", "buyer", "id"])
    op.create_index(
        op.f("ix_quotes_contract_id_expires_at"),
        "quotes",
        ["contract_id", "expires_at"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(op.f("ix_quotes_contract_id_seller_id"), "quotes", ["contract_id", "seller", "id"])
    op.create_index(op.f("ix_quotes_listing_id_buyer"), "quotes", ["listing_id", "buyer"])
    op.create_index(op.f("ix_quotes_listing_id_delivery_key"), "quotes", ["listing_id", "delivery_key"])
    op.create_index(op.f("ix_quotes_listing_id_refund_to"), "quotes", ["listing_id", "refund_to"])
    op.create_index("ix_quotes_short", "quotes", ["listing_id", "id"], sqlite_where=_SHORT, postgresql_where=_SHORT)
    op.create_table(
        "offers",
        sa.Column("id", sa.String(31), nullable=False),
        sa.Column("quote_id", sa.String(31), nullable=False),
        sa.Column("account", types.Address(), nullable=False),
        sa.Column("operator", types.Address(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("expiry", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["quote_id"], ["quotes.id"], name=op.f("fk_offers_quote_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_index(op.f("ix_offers_quote_id_id"), "offers", ["quote_id", "id"])


def downgrade() -> None:
    for table in ("offers", "quotes", "listing_stocks", "trade_desks", "stock_cursors", "listings"):
        op.drop_table(table)
