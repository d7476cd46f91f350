"""The audit log, which the database itself keeps from being changed."""

import sqlalchemy as sa
from alembic import op

from kameng_escrow.store import types

revision = "v0006"
down_revision = "v0005"
branch_labels = None
depends_on = None

_OF_PLATFORM = sa.text("platform IS NOT NULL")
_SEALED = ("position", "at_ms", "actor", "action", "subject", "platform", "details_hash", "previous", "hash")
_CHANGED = " OR ".join(
    [
        *(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _SEALED),
        "(NEW.details IS NOT NULL AND NEW.details IS DISTINCT FROM OLD.details)",
        "(NEW.details_salt IS NOT NULL AND NEW.details_salt IS DISTINCT FROM OLD.details_salt)",
    ]
)
_REFUSAL = "the audit log is only added to"


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("platform", types.Address(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("details_salt", sa.String(32), nullable=True),
        sa.Column("details_hash", types.Hash(), nullable=False),
        sa.Column("previous", types.Hash(), nullable=False),
        sa.Column("hash", types.Hash(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_log")),
    )
    op.create_index(
        "ix_audit_log_platform_position",
        "audit_log",
        ["platform", "position"],
        sqlite_where=_OF_PLATFORM,
        postgresql_where=_OF_PLATFORM,
    )
    op.create_index("ix_audit_log_subject_position", "audit_log", ["subject", "position"])
    for statement in _on_sqlite() if op.get_bind().dialect.name == "sqlite" else _on_postgresql():
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit_log")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_log_refuse()")


def _on_sqlite() -> list[str]:
    changed = _CHANGED.replace("IS DISTINCT FROM", "IS NOT")
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    return [
        f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log {refuse}",
        f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log WHEN {changed} {refuse}",
    ]


def _on_postgresql() -> list[str]:
    refuse = "EXECUTE FUNCTION audit_log_refuse()"
    return [
        "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW {refuse}",
        f"CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT {refuse}",
        f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW WHEN ({_CHANGED}) {refuse}",
    ]
