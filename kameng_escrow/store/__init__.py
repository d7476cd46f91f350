"""The store: SQLAlchemy models, migrations and queries, on SQLite or PostgreSQL; and files in a folder."""

from . import service  # its tables are part of the schema
from .agenda import Agenda, Backlog
from .blobs import BlobStore
from .errors import (
    BlobDamaged,
    BlobMissing,
    Deposed,
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
    UnknownEntry,
    UnknownOrder,
    WrongStore,
)
from .journal import Journal
from .leadership import Leadership, Term, leaders
from .models import BalanceKind
from .queries import Book, contracts
from .store import Store
from .values import (
    ContractInfo,
    Due,
    Marks,
    MirroredOrder,
    MirroredPolicy,
    Page,
    Position,
    SeenOrder,
    SeenPage,
    Snapshot,
    Standing,
    Statistics,
)

__all__ = [
    "Agenda",
    "Backlog",
    "BalanceKind",
    "BlobDamaged",
    "BlobMissing",
    "BlobStore",
    "Book",
    "ContractInfo",
    "Deposed",
    "Due",
    "InvalidCursor",
    "Journal",
    "Leadership",
    "Marks",
    "MirroredOrder",
    "MirroredPolicy",
    "Page",
    "Position",
    "SchemaMissing",
    "SchemaTooNew",
    "SchemaTooOld",
    "SeenOrder",
    "SeenPage",
    "Snapshot",
    "Standing",
    "Statistics",
    "Store",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "Term",
    "UnknownContract",
    "UnknownEntry",
    "UnknownOrder",
    "WrongStore",
    "contracts",
    "leaders",
    "service",
]
