"""What can stop a mirror. Nothing half-written: the store is as after the last step that went well.

MirrorError
├── ReorgTooDeep      the chain changed below everything we remember: look at the node, or mirror anew
├── NodeInconsistent  the node contradicts itself, again and again: look at the node, or use another
│   ├── LogsMissing   it leaves logs out
│   ├── LogsForeign   it answers logs that are not the block's
│   ├── NodeForked    it has other blocks than most nodes, or fewer: it was set aside
│   └── NodesDisagree the nodes are on different chains, and none can be believed over the others
├── StandingBy        another process mirrors the contract: this one waits, and takes over when that one ends
├── NodeBehind        the node's head is below what was mirrored, on the same chain: wait for it
└── BrokenEvents      events of policies or balances that can't be: a log is missing, or not this contract's

`RangeTooLarge`, a `NodeRefused`, ends a run only where the node won't even be asked about one block.
What others say passes through as it is: `BrokenHistory` and `WrongShares` of `kameng_escrow.domain.fold`; `NodeError`,
`WrongChain`, `NoDeployment` and `UndecodableLog` of `kameng_escrow.chain.errors`; `StoreError` of
`kameng_escrow.store`.
"""

from kameng_escrow.chain.errors import NodeRefused
from kameng_escrow.errors import EscrowError


class MirrorError(EscrowError):
    """The root of what stops a mirror."""

    code = "mirror_error"


class ReorgTooDeep(MirrorError):
    """The chain changed below the oldest block whose hash we remember (`oldest`)."""

    code = "reorg_too_deep"

    def __init__(self, oldest: int, seen: int) -> None:
        super().__init__(
            f"The node's chain differs from the mirrored one in all remembered blocks, {oldest} to {seen}: use another "
            "node if this one fell off its chain; mirror into a new store if it is right."
        )
        self.oldest = oldest
        self.seen = seen


class NodeInconsistent(MirrorError):
    """The node's answers contradict each other. The mirror asks again for a while before it gives up with this."""

    code = "node_inconsistent"


class LogsMissing(NodeInconsistent):
    """The node left `count` logs of block `number` out, which its receipts have."""

    code = "logs_missing"

    def __init__(self, number: int, count: int) -> None:
        super().__init__(
            f"The node left out {count} of the contract's logs in block {number}, which the block's receipts have: "
            "nothing of the range was taken. The mirror asks another node, or this one again."
        )
        self.number = number
        self.count = count


class LogsForeign(NodeInconsistent):
    """The node answered logs for block `number` that are none of the block's."""

    code = "logs_foreign"

    def __init__(self, number: int) -> None:
        super().__init__(
            f"The node answered logs for block {number} that are not in it, by its header or its receipts: nothing of "
            "the range was taken. The mirror asks another node, or this one again."
        )
        self.number = number


class NodeForked(NodeInconsistent):
    """These `nodes` don't have the mirrored block `seen`, and the others do: they are set aside, nothing is undone."""

    code = "node_forked"

    def __init__(self, seen: int, nodes: tuple[str, ...]) -> None:
        super().__init__(
            f"Block {seen} as it was mirrored is unknown to {', '.join(nodes) or 'one of the nodes'} and known to the "
            "others: nothing is undone, and the mirror goes on with those."
        )
        self.seen = seen
        self.nodes = nodes


class NodesDisagree(NodeInconsistent):
    """Several nodes have different blocks above `fork`, and none of the chains has more voices than the others."""

    code = "nodes_disagree"

    def __init__(self, fork: int, nodes: tuple[str, ...]) -> None:
        super().__init__(
            f"The nodes are of different minds about the blocks above {fork} ({', '.join(nodes)}): nothing is undone "
            "before they agree, or one of the chains has outgrown the others."
        )
        self.fork = fork
        self.nodes = nodes


class StandingBy(MirrorError):
    """Another process (`holder`, "host:pid") mirrors the contract. Nothing is wrong: this one takes over after it."""

    code = "standing_by"

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"Another process ({holder}) mirrors this contract into the same store: this one stands by, and takes over "
            "when that one ends."
        )
        self.holder = holder


class NodeBehind(MirrorError):
    """The node's head (`head`) is below what was mirrored (`seen`), and the chain below is the same."""

    code = "node_behind"

    def __init__(self, head: int, seen: int) -> None:
        super().__init__(
            f"The node is at block {head}, and block {seen} is mirrored already: wait until it has caught up, or use "
            "another node."
        )
        self.head = head
        self.seen = seen


class BrokenEvents(MirrorError):
    """The events of a policy or a balance don't fit each other."""

    code = "broken_events"

    def __init__(self, reason: str, block_number: int) -> None:
        super().__init__(
            f"{reason} at block {block_number}: a log is missing, or is not this contract's. "
            "Ask another node; `kameng reconcile --repair` reads anew what came before."
        )
        self.reason = reason
        self.block_number = block_number


class RangeTooLarge(NodeRefused):
    """The node wants to be asked for the logs of fewer blocks at once: of `blocks`, where it says so."""

    code = "range_too_large"

    def __init__(self, rpc_message: str, rpc_code: int | None = None, *, blocks: int | None = None) -> None:
        super().__init__(rpc_message, rpc_code)
        self.blocks = blocks
