"""Events and outbox in a form that is written by the hundred thousand.

Events name the place of their order's first event, by which they are found, instead of being listed by the order's id:
hashes come in no order, so that an index of them is written all over. The outbox says how the order stood, and keeps
what the event said only once its own row is gone. Orders that are over leave the indexes of those that are not. Events
and outbox have no foreign keys any more: one writer brings blocks, events and outbox in one transaction, and every row
would be looked up again.
"""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0004"
down_revision = "v0003"
branch_labels = None
depends_on = None

_ORDER_EVENTS = (
    "'OrderOpened', 'OrderAccepted', 'OrderDelivered', 'OrderDisputed', 'OrderRecommitted', "
    "'OrderRevised', 'OrderRuled', 'MediationFeeCredited', 'OrderClosed'"
)
_ALL_EVENTS = (
    f"{_ORDER_EVENTS}, 'PolicyRegistered', 'PolicyReviewed', 'PolicyRetired', 'BondFunded', 'BondWithdrawn', "
    "'Credited', 'CreditPaid', 'FeesClaimed', 'PayToRegistered', 'OperatorSet'"
)
_SUBJECTS = {  # the field that an event is about, which its row has apart
    "order_id": _ORDER_EVENTS,
    "seller": "'BondFunded', 'BondWithdrawn', 'PayToRegistered', 'OperatorSet'",
    "account": "'Credited', 'CreditPaid'",
    "policy_id": "'PolicyRegistered', 'PolicyReviewed', 'PolicyRetired', 'FeesClaimed'",
}
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_GONE = "retracts IS NOT NULL OR retracted_by IS NOT NULL"
_RUNNING = sa.text("deadline IS NOT NULL")
_RETRACTS = sa.text("retracts IS NOT NULL")
_NO_ORDER = sa.text("order_block IS NULL")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
    else:
        _alter()
    op.create_index("ix_events_contract_id_order", "events", ["contract_id", "order_block", "order_log_index"])
    op.create_index(
        "ix_events_contract_id_subject",
        "events",
        ["contract_id", "subject"],
        sqlite_where=_NO_ORDER,
        postgresql_where=_NO_ORDER,
    )
    for columns in (["contract_id", "deadline"], ["contract_id", "state", "first_block", "first_log_index"]):
        name = op.f(f"ix_orders_{'_'.join(columns)}")
        op.drop_index(name, table_name="orders")
        op.create_index(name, "orders", columns, sqlite_where=_RUNNING, postgresql_where=_RUNNING)
    op.create_index(
        "uq_outbox_retracts", "outbox", ["retracts"], unique=True, sqlite_where=_RETRACTS, postgresql_where=_RETRACTS
    )


def downgrade() -> None:
    raise NotImplementedError("mirror into a new store with the older version: everything in here is the chain's")


def _rebuild() -> None:
    """SQLite changes no constraints: new tables take the old ones' places."""
    op.create_table(
        "events_next",
        sa.Column("contract_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transaction_hash", types.Hash(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("subject", types.Hash(), nullable=False),
        sa.Column("fields", types.Json(), nullable=False),
        sa.Column("order_block", sa.BigInteger(), nullable=True),
        sa.Column("order_log_index", sa.Integer(), nullable=True),
        sa.CheckConstraint(f"name IN ({_ALL_EVENTS})", name=op.f("ck_events_name")),
        sa.PrimaryKeyConstraint("contract_id", "block_number", "log_index", name=op.f("pk_events")),
    )
    cases = " ".join(f"WHEN name IN ({names}) THEN '$.{field}'" for field, names in _SUBJECTS.items())
    op.execute(
        "INSERT INTO events_next SELECT e.contract_id, e.block_number, e.log_index, e.transaction_hash, e.name, "
        f"e.subject, json_remove(e.fields, CASE {cases} END), o.first_block, o.first_log_index "
        "FROM events e LEFT JOIN orders o ON o.contract_id = e.contract_id AND o.order_id = e.subject "
        "ORDER BY e.contract_id, e.block_number, e.log_index"
    )
    op.drop_table("events")
    op.rename_table("events_next", "events")
    op.create_table(
        "outbox_next",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("order_id", types.Hash(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("retracts", sa.BigInteger(), nullable=True),
        sa.Column("retracted_by", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        *_standing(),
        sa.CheckConstraint(f"name IN ({_ORDER_EVENTS})", name=op.f("ck_outbox_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.execute(
        "INSERT INTO outbox_next SELECT id, contract_id, order_id, name, block_number, log_index, retracts, "
        "retracted_by, created_ms, json_extract(payload, '$.order.state'), json_extract(payload, '$.order.outcome'), "
        "json_extract(payload, '$.order.fault'), json_extract(payload, '$.order.revision'), "
        "json_extract(payload, '$.order.deadline'), "
        f"CASE WHEN {_GONE} THEN json_object('block_hash', block_hash, "
        "'transaction_hash', json_extract(payload, '$.transaction_hash'), "
        "'timestamp', json_extract(payload, '$.timestamp'), "
        "'fields', json_remove(json_extract(payload, '$.fields'), '$.order_id')) END "
        "FROM outbox ORDER BY id"
    )
    op.drop_table("outbox")
    op.rename_table("outbox_next", "outbox")


def _alter() -> None:
    op.drop_index(op.f("ix_events_contract_id_subject_block_number_log_index"), table_name="events")
    op.drop_constraint(op.f("fk_events_contract_id_block_number"), "events", type_="foreignkey")
    op.add_column("events", sa.Column("order_block", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("order_log_index", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE events e SET order_block = o.first_block, order_log_index = o.first_log_index FROM orders o "
        "WHERE o.contract_id = e.contract_id AND o.order_id = e.subject"
    )
    for field, names in _SUBJECTS.items():
        op.execute(f"UPDATE events SET fields = fields - '{field}' WHERE name IN ({names})")
    op.drop_index(op.f("ix_outbox_contract_id_order_id_id"), table_name="outbox")
    op.drop_index(op.f("ix_outbox_contract_id_block_number_log_index"), table_name="outbox")
    op.drop_constraint(op.f("fk_outbox_contract_id"), "outbox", type_="foreignkey")
    op.drop_constraint(op.f("fk_outbox_retracts"), "outbox", type_="foreignkey")
    op.drop_constraint(op.f("uq_outbox_retracts"), "outbox", type_="unique")
    for column in _standing():
        op.add_column("outbox", column)
    op.execute(
        "UPDATE outbox SET state = payload->'order'->>'state', outcome = payload->'order'->>'outcome', "
        "fault = payload->'order'->>'fault', revision = (payload->'order'->>'revision')::integer, "
        "deadline = (payload->'order'->>'deadline')::bigint, "
        f"withdrawn = CASE WHEN {_GONE} THEN jsonb_build_object('block_hash', block_hash, "
        "'transaction_hash', payload->'transaction_hash', 'timestamp', payload->'timestamp', "
        "'fields', (payload->'fields') - 'order_id') END"
    )
    op.drop_column("outbox", "payload")
    op.drop_column("outbox", "block_hash")


def _standing() -> list[sa.Column[object]]:
    return [
        sa.Column("state", sa.String(16), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("fault", sa.String(16), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn", types.Json(), nullable=True),
    ]
