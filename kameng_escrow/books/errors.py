"""What can go wrong with the books. Nothing half-written: a file is there whole or not at all.

BooksError
├── NothingFinal      the chain has no final block with the contract yet: wait
├── BlockNotFinal     the block asked for is not final, or not known
├── PeriodNotFinal    the period's end is later than the last final block: choose an earlier one, or wait
├── LibraryMissing    a format needs a library that is not installed
├── NotReadable       a file is missing, cut off, or not what its name says
├── ManifestMissing   there is no manifest beside a file
├── ManifestBroken    a manifest is none, or of a newer version
├── OtherChain        the node has other blocks than the statement was made from
└── NodePruned        the node does not keep what is needed to check a line
"""

from pathlib import Path

from kameng_escrow.errors import EscrowError, library_missing


class BooksError(EscrowError):
    """The root of what can go wrong with the books."""

    code = "books_error"


class NothingFinal(BooksError):
    """No block with the contract is final yet."""

    code = "nothing_final"

    def __init__(self) -> None:
        super().__init__("No block with the contract is final yet: wait, and run the mirror.")


class BlockNotFinal(BooksError):
    """The block that was asked for is not final yet (`final` is the last one that is)."""

    code = "block_not_final"

    def __init__(self, block: int, final: int) -> None:
        super().__init__(f"Block {block} is not final yet: the last one that is, is {final}. Ask for that, or wait.")
        self.block = block
        self.final = final


class PeriodNotFinal(BooksError):
    """The period ends (`until`) after the last final block that is known, which is of `final`. ISO times."""

    code = "period_not_final"

    def __init__(self, until: str, final: str) -> None:
        super().__init__(
            f"The period until {until} is not over for good: the last final block that is known is of {final}. Choose "
            "an end up to then, or run the mirror later."
        )
        self.until = until
        self.final = final


class LibraryMissing(BooksError):
    """A format needs a library that is not installed."""

    code = "library_missing"

    def __init__(self, what: str, package: str) -> None:
        message, self.message_zh = library_missing(what, f"{what} ", package, "books")
        super().__init__(message)
        self.what = what
        self.package = package


class NotReadable(BooksError):
    """A file is missing, cut off, or not what its name says."""

    code = "not_readable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} can't be read: {reason}. Fetch it again from who made it.")
        self.path = path
        self.reason = reason


class ManifestMissing(BooksError):
    """There is no manifest beside a statement."""

    code = "manifest_missing"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"No manifest beside {path} names it: put the file that ends in .manifest.json into the same folder, or "
            "name it with --manifest."
        )
        self.path = path


class ManifestBroken(BooksError):
    """A manifest is none, or of a newer version."""

    code = "manifest_broken"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} is no manifest that this version understands ({reason}): fetch it again, or upgrade kameng-escrow."
        )
        self.path = path
        self.reason = reason


class OtherChain(BooksError):
    """The node has another block `number` than the statement was made from, or none: nothing can be said of it."""

    code = "other_chain"

    def __init__(self, number: int, said: str, found: str | None) -> None:
        has = "has none of that number" if found is None else f"has {found}"
        super().__init__(
            f"The statement was made as of block {number} with hash {said}, and the node {has}: ask a node of the same "
            "chain that has caught up. If every node says so, the statement is of a chain that does not exist."
        )
        self.number = number
        self.said = said
        self.found = found


class NodePruned(BooksError):
    """The node no longer keeps what it would take to check `transaction_hash`."""

    code = "node_pruned"

    def __init__(self, transaction_hash: str, block: int) -> None:
        super().__init__(
            f"The node no longer keeps the receipt of {transaction_hash} in block {block}, so that it can't be "
            "checked: ask a node with the whole history."
        )
        self.transaction_hash = transaction_hash
        self.block = block
