"""What can go wrong with the books. Nothing half-written: a file is there whole or not at all.

BooksError
├── NothingFinal      the chain has no final block with the contract yet: wait
├── BlockNotFinal     the block asked for is not final, or not known
"""

from kameng_escrow.errors import EscrowError


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
