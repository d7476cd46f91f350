"""Rows that several may be the first to need: whoever comes second finds the other's, and fails at nothing."""

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .engine import POSTGRESQL
from .models import Base


def insert_unless_there(session: Session, kind: type[Base], /, **values: Any) -> bool:
    """Inserts a row, unless there is one with its key; returns whether it did.

    Waits for whoever inserts the same at this moment, on PostgreSQL; on SQLite writers take turns anyway. Afterwards
    the row is there, and can be read and locked, until somebody deletes it.
    """
    session.flush()  # what it hangs on comes first
    insert = postgresql.insert if session.get_bind().dialect.name == POSTGRESQL else sqlite.insert
    new = insert(kind).values(**values).on_conflict_do_nothing()
    return session.execute(new.returning(*inspect(kind).primary_key)).first() is not None
