"""The mirror: brings a contract's chain into a store, and keeps it there."""

import threading
import time
from collections.abc import Callable

from eth_utils.address import to_checksum_address

from kameng_escrow.chain.errors import NodeError, WrongChain
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Store, StoreBusy, StoreUnavailable

from .enrol import Target, check_node, enrol
from .errors import NodeBehind, NodeInconsistent
from .ranges import RangeSize
from .report import MirrorReport, Progress
from .scrutiny import Scrutiny
from .source import ChainSource
from .step import Stepper
from .writing import Overtaken

WINDOW = 128  # blocks: the deepest reorg that can be undone

OnProgress = Callable[[Progress], None]
OnTrouble = Callable[[EscrowError], None]

_MAY_PASS = (NodeError, NodeBehind, NodeInconsistent, StoreBusy, StoreUnavailable)
_SHORTEST_PAUSE = 0.05  # seconds between attempts while a node contradicts itself
_LONGEST_PAUSE = 30.0  # seconds between attempts while something is away


class Mirror:
    """One contract's mirror. If two write to one store neither does harm: who comes second starts from what is there.

    Args:
        store: migrated if it needs to be.
        source: see `web3_source.Web3Source`.
        chain_id, address: the contract.
        first_block: the block it was deployed in.
        genesis: the hash of the chain's first block, if known.
        final_depth: a block is final once so many are on top of it; None: when the node says so (`finalized`), and
            where it has no word for that, at `window`.
        window: how many blocks deep a reorg can be undone: so many blocks below the last one are remembered.
        range_blocks: how many blocks to ask for at once, at most; fewer where the node wants it.
        patience_seconds: how long a node may contradict itself before that is an error, and how long its head may be
            below what was mirrored before it is believed that the blocks above are gone.
    """

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
        if window < 1:
            raise ValueError(f"a window has at least one block, not {window}")
        self._store = store
        self._source = source
        self._target = Target(
            chain_id=chain_id,
            address=to_checksum_address(address),
            first_block=max(1, first_block),  # nothing runs in block 0
            genesis=genesis.lower() if genesis else None,
        )
        self._final_depth = final_depth
        self._window = window
        self._ranges = RangeSize(range_blocks)
        self._scrutiny = Scrutiny(address)
        self._patience = patience_seconds
        self._contract_id: int | None = None  # in the store, once that was found to be the right one
        self._right_node = False  # whether the node was, and has answered since

    def run_once(
        self,
        progress: OnProgress | None = None,
        *,
        stop: threading.Event | None = None,
        trouble: OnTrouble | None = None,
    ) -> MirrorReport:
        """Catches up with the chain's head, and returns.

        Args:
            progress: called after every commit.
            stop: once set, it returns early, after a commit.
            trouble: called with what it waits for, each time it waits.

        Raises:
            WrongChain, NoDeployment: the node serves another chain, or one without the contract.
            WrongStore: the store holds another chain of that id.
            ReorgTooDeep, NodeBehind, NodeInconsistent, BrokenEvents: see `errors`.
            BrokenHistory, WrongShares, UndecodableLog: the node's logs can't be this contract's.
            NodeError, StoreError: the node or the store fails.

        Whatever it is, the store is as after the last commit, and running again goes on from there.
        """
        stop = stop or threading.Event()
        stepper = self._stepper()
        run = stepper.begin()
        pause = _SHORTEST_PAUSE
        troubled_since: float | None = None
        while not stop.is_set():
            waited = 0.0 if troubled_since is None else time.monotonic() - troubled_since
            try:
                more = stepper.step(run, believe_cut=waited >= self._patience)
            except Overtaken:
                continue
            except (NodeBehind, NodeInconsistent) as error:
                if waited >= self._patience:
                    raise
                troubled_since = troubled_since or time.monotonic()
                if trouble:
                    trouble(error)
                stop.wait(pause)
                pause = min(2 * pause, 1.0)
                continue
            pause, troubled_since = _SHORTEST_PAUSE, None
            if progress:
                progress(run.progress())
            if not more:
                break
        return run.report()

    def follow(
        self,
        stop: threading.Event,
        *,
        poll_seconds: float = 1.0,
        progress: OnProgress | None = None,
        trouble: OnTrouble | None = None,
    ) -> MirrorReport:
        """`run_once` again and again until `stop` is set; returns what all of it did.

        What can pass (a node or database server that is away, busy or behind) is told to `trouble` and waited for, once
        a first run has shown that everything is in place. What can't is raised, as by `run_once`.
        """
        total = self.run_once(progress, stop=stop, trouble=trouble)
        pause = poll_seconds
        while not stop.wait(pause):
            try:
                total = total.then(self.run_once(progress, stop=stop, trouble=trouble))
            except _MAY_PASS as error:
                if isinstance(error, WrongChain):
                    raise
                if trouble:
                    trouble(error)
                self._right_node = False  # what comes back may be another
                pause = min(2 * pause, max(_LONGEST_PAUSE, poll_seconds))
            else:
                pause = poll_seconds
        return total

    def _stepper(self) -> Stepper:
        if self._contract_id is None:
            self._contract_id, self._target = enrol(self._store, self._source, self._target)
        elif not self._right_node:
            check_node(self._source, self._target)
        self._right_node = True
        return Stepper(
            self._store,
            self._source,
            self._target,
            self._contract_id,
            ranges=self._ranges,
            scrutiny=self._scrutiny,
            final_depth=self._final_depth,
            window=self._window,
        )
