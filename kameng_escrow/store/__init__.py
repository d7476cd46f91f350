"""The mirror's store: SQLAlchemy models, migrations and queries, on SQLite or PostgreSQL."""

from .errors import (
    InvalidCursor,
    SchemaMissing,
    SchemaTooNew,
    SchemaTooOld,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreUnavailable,
    UnknownContract,
    UnknownOrder,
    WrongStore,
)
from .queries import Book, ContractInfo, Due, Marks, MirroredOrder, MirroredPolicy, Page, Position, Statistics
from .store import Store

__all__ = [
    "Book",
    "ContractInfo",
    "Due",
    "InvalidCursor",
    "Marks",
    "MirroredOrder",
    "MirroredPolicy",
    "Page",
    "Position",
    "SchemaMissing",
    "SchemaTooNew",
    "SchemaTooOld",
    "Statistics",
    "Store",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "UnknownContract",
    "UnknownOrder",
    "WrongStore",
]
