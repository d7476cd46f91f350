"""The mirror: brings a contract's chain into a store, and keeps it there."""

import threading
from collections.abc import Callable

from kameng_escrow.store import Store

from .report import MirrorReport, Progress
from .source import ChainSource

WINDOW = 128  # recent blocks whose hashes are remembered: the deepest reorg that can be undone


class Mirror:
    """One contract's mirror. One writes to a store at a time; a second one does no harm, and no good."""

    def __init__(
        self,
        store: Store,
        source: ChainSource,
        *,
        chain_id: int,
        address: str,
        first_block: int,
        genesis: str | None = None,
        final_depth: int | None = None,
        window: int = WINDOW,
        range_blocks: int = 2_000,
        patience_seconds: float = 15.0,
    ) -> None:
        """Args:
        store: migrated if it needs to be.
        source: see `web3_source.Web3Source`.
        chain_id, address, first_block, genesis: the contract, and the block it was deployed in; the hash of the
            chain's first block, if known. As a deployment record has them.
        final_depth: a block is final once so many are on top of it; None: when the node says so (`finalized`).
        window: how many recent blocks' hashes to remember.
        range_blocks: how many blocks to ask for at once, at most; fewer where the node wants it.
        patience_seconds: how long a node may answer with a head below what was mirrored, or contradict itself, before
            it is believed, or given up.
        """
        raise NotImplementedError

    def run_once(
        self, progress: Callable[[Progress], None] | None = None, *, stop: threading.Event | None = None
    ) -> MirrorReport:
        """Catches up with the chain's head, and returns. With `stop` set it returns early, after a commit.

        Raises:
            ForeignNode, WrongStore, ReorgTooDeep, NodeBehind, NodeInconsistent, NodeError, BrokenHistory, StoreError:
            the store is as after the last commit; running again goes on from there.
        """
        raise NotImplementedError

    def follow(
        self,
        stop: threading.Event,
        *,
        poll_seconds: float = 1.0,
        progress: Callable[[Progress], None] | None = None,
    ) -> MirrorReport:
        """`run_once` again and again until `stop` is set. What can pass (a node that is away, busy or behind) is waited
        for; what can't is raised, as by `run_once`.
        """
        raise NotImplementedError
