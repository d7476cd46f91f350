"""What can stop a mirror. Nothing half-written: the store is as after the last step that went well.

MirrorError
├── ReorgTooDeep      the chain changed below everything we remember: look at the node, or mirror anew
├── ForeignNode       the node serves another chain, or a chain without the contract: fix the URL
├── NodeInconsistent  the node contradicts itself, again and again: look at the node, or use another
└── NodeBehind        the node's head is below what was mirrored, on the same chain: wait for it

A history that can't be (`BrokenHistory` of `kameng_escrow.domain`), a node that is gone (`NodeError` of
`kameng_escrow.chain.errors`) and a store that fails (`StoreError` of `kameng_escrow.store`) pass through as they are.
"""

from kameng_escrow.errors import EscrowError


class MirrorError(EscrowError):
    """The root of what stops a mirror."""

    code = "mirror_error"


class ReorgTooDeep(MirrorError):
    """The chain changed below the oldest block whose hash we remember (`oldest`)."""

    code = "reorg_too_deep"

    def __init__(self, message: str, *, oldest: int) -> None:
        super().__init__(message)
        self.oldest = oldest


class ForeignNode(MirrorError):
    """The node serves another chain than the one mirrored so far, or one without the contract."""

    code = "foreign_node"


class NodeInconsistent(MirrorError):
    """The node's answers contradict each other, and went on to after several attempts."""

    code = "node_inconsistent"


class NodeBehind(MirrorError):
    """The node's head (`head`) is below what was mirrored (`seen`), and the chain below is the same."""

    code = "node_behind"

    def __init__(self, message: str, *, head: int, seen: int) -> None:
        super().__init__(message)
        self.head = head
        self.seen = seen
