"""Run by Alembic, on the connection and inside the transaction of `kameng_escrow.store.schema`."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, String

from kameng_escrow.store.models import Base
from kameng_escrow.store.schema import VERSION_TABLE
from kameng_escrow.store.types import Amount, Label


def render_item(kind: str, item: Any, _: object) -> str | Literal[False]:
    """How a new revision spells our column types."""
    if kind == "type":
        match item:
            case Amount():
                return f"types.Amount({item.digits})"
            case Label():
                return "sa.String(16)"
            case JSON():
                return "types.Json()"
            case String(length=66):
                return "types.Hash()"
            case String(length=42):
                return "types.Address()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite can, once the driver is kept from committing: half a migration never stays
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
