"""What can go wrong with a store.

StoreError
├── StoreUnavailable    it can't be opened, reached or read: fix the path, the URL, the rights or the server
├── StoreBusy           another process held the lock too long: try again
├── StoreFull           the disk or quota is used up: make room; nothing of the last step was written
├── StoreDamaged        the file is no database, or a damaged one: move it away and mirror anew
├── SchemaMissing       nothing was mirrored into it yet: run the mirror first
├── SchemaTooOld        made by an older version of this package: run the mirror, which upgrades it
├── SchemaTooNew        made by a newer version of this package: upgrade the package
├── WrongStore          it holds another chain under the same chain id: use another store
├── Deposed             another process leads by now: begin again as a candidate
├── UnknownContract     the store holds no such contract: run the mirror for it
├── UnknownOrder        the contract has no such order, or the mirror has not come to it yet
├── UnknownEntry        the audit log has no such entry
├── BlobMissing         a file is named and not there: put the folder of files back from its backup
├── BlobDamaged         a file is no longer what was put: put it back from a backup, and look after the disk
└── InvalidCursor       the cursor is none that a page gave out
"""

from kameng_escrow.errors import EscrowError


class StoreError(EscrowError):
    """The root of the store's errors. Whatever was being written has been rolled back."""

    code = "store_error"


class StoreUnavailable(StoreError):
    """The store can't be opened, reached or read."""

    code = "store_unavailable"


class StoreBusy(StoreError):
    """Another process held the store's lock for longer than we waited."""

    code = "store_busy"


class StoreFull(StoreError):
    """There is no room left where the store lives."""

    code = "store_full"


class StoreDamaged(StoreError):
    """The file is no database, or a damaged one."""

    code = "store_damaged"


class SchemaMissing(StoreError):
    """The store is empty: it has no schema yet."""

    code = "schema_missing"


class SchemaTooOld(StoreError):
    """The store's schema is of an older version of this package."""

    code = "schema_too_old"


class SchemaTooNew(StoreError):
    """The store's schema is of a newer version of this package."""

    code = "schema_too_new"


class WrongStore(StoreError):
    """The store was filled from another chain that goes by the same chain id."""

    code = "wrong_store"


class Deposed(StoreError):
    """Another process leads by now, in term `current`; the term `number`, which was ours, is over."""

    code = "deposed"

    def __init__(self, *, role: str, scope: str, number: int, current: int) -> None:
        super().__init__(
            f"Another process leads as {role} of {scope} by now (term {current}, ours was {number}): nothing was "
            "written. This one goes on as a candidate; if it was never stopped, look for a second one."
        )
        self.role = role
        self.scope = scope
        self.number = number
        self.current = current


class UnknownContract(StoreError):
    """The store holds nothing of that contract."""

    code = "unknown_contract"


class UnknownOrder(StoreError):
    """The store has no such order."""

    code = "unknown_order"

    def __init__(self, message: str, *, order_id: str) -> None:
        super().__init__(message)
        self.order_id = order_id


class UnknownEntry(StoreError):
    """The audit log has no entry at that position."""

    code = "unknown_audit_entry"


class InvalidCursor(StoreError):
    """A page was asked for with a cursor that no page gave out."""

    code = "invalid_cursor"


class BlobMissing(StoreError):
    """A file that a table names is not in the folder of files."""

    code = "blob_missing"

    def __init__(self, sha256: str) -> None:
        super().__init__(
            f"The file {sha256[:64]} is not in the folder of files: was it erased, or is a backup missing?"
        )
        self.sha256 = sha256


class BlobDamaged(StoreError):
    """A file's bytes are no longer those that its name stands for. It is not given out."""

    code = "blob_damaged"

    def __init__(self, sha256: str) -> None:
        super().__init__(
            f"The file {sha256} is damaged, and is not given out: put it back from a backup, and check the disk."
        )
        self.sha256 = sha256
