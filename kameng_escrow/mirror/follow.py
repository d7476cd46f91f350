"""The mirror: brings a contract's chain into a store, and keeps it there."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from eth_utils.address import to_checksum_address

from kameng_escrow.chain.errors import NodeError, UndecodableLog, WrongChain
from kameng_escrow.domain.fold import BrokenHistory, WrongShares
from kameng_escrow.errors import EscrowError
from kameng_escrow.store import Deposed, Leadership, Store, StoreBusy, StoreFull, StoreUnavailable, Term

from .collector import no_collection
from .endpoints import Endpoints
from .enrol import Target, check_node, enrol
from .errors import BrokenEvents, NodeBehind, NodeForked, NodeInconsistent, NodesDisagree, StandingBy
from .observe import Observer
from .prepare import Overtaken
from .ranges import RangeSize
from .report import MirrorReport, Progress, Run
from .scrutiny import Scrutiny
from .source import ChainSource
from .step import Stepper

WINDOW = 128  # blocks: the deepest reorg that can be undone
ROLE = "mirror"  # of the process that writes

OnProgress = Callable[[Progress], None]
OnTrouble = Callable[[EscrowError], None]

_MAY_PASS = (NodeError, NodeBehind, NodeInconsistent, StoreBusy, StoreFull, StoreUnavailable, Deposed)
_IMPOSSIBLE = (BrokenEvents, BrokenHistory, WrongShares, UndecodableLog)
_SHORTEST_PAUSE = 0.05  # seconds between attempts while a node contradicts itself
_LONGEST_PAUSE = 30.0  # seconds between attempts while something is away
_TURN_POLL = 0.2  # seconds between attempts to become the one that writes


class Bell(Protocol):
    """Rings when there may be a new block: see `heads`."""

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Returns when it has rung since the last time, when `stop` is set, or after so many seconds."""
        ...


class Mirror:
    """One contract's mirror. Of several on one store one writes, and the others stand by: see `store.leadership`.

    Args:
        store: migrated if it needs to be.
        source: see `web3_source.Web3Source`, and `endpoints.Endpoints` for several nodes.
        chain_id, address: the contract.
        first_block: the block it was deployed in.
        genesis: the hash of the chain's first block, if known.
        final_depth: a block is final once so many are on top of it; None: when the node says so (`finalized`), and
            where it has no word for that, at `window`.
        window: how many blocks deep a reorg can be undone: so many blocks below the last one are remembered.
        range_blocks: how many blocks to ask for at once, at most; fewer where the node wants it.
        patience_seconds: how long a node may contradict itself before that is an error, and how long its head may be
            below what was mirrored before it is believed that the blocks above are gone.
        observer: is told of everything.
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
        observer: Observer | None = None,
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
        self._observer = observer or Observer()
        self._contract_id: int | None = None  # in the store, once that was found to be the right one
        self._right_node = False  # whether the node was, and has answered since
        self._stepper: Stepper | None = None  # with what it remembers, as long as the term lasts
        self._term: Term | None = None
        if isinstance(source, Endpoints):
            source.admit = lambda one: check_node(one, self._target)

    def run_once(
        self,
        progress: OnProgress | None = None,
        *,
        stop: threading.Event | None = None,
        trouble: OnTrouble | None = None,
    ) -> MirrorReport:
        """Catches up with the chain's head, and returns. Where another process writes, waits until that has.

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
        self._check_places()
        with self._leadership() as leadership:
            while True:
                if (report := self._await_turn(leadership, stop, trouble)) is not None:
                    return report
                if (term := leadership.term) is None:
                    continue
                try:
                    return self._catch_up(term, progress, stop, trouble)
                except Deposed as error:
                    self._wait_for(error, trouble)
                    leadership.release()

    def follow(
        self,
        stop: threading.Event,
        *,
        poll_seconds: float = 1.0,
        progress: OnProgress | None = None,
        trouble: OnTrouble | None = None,
        bell: Bell | None = None,
    ) -> MirrorReport:
        """Catches up again and again until `stop` is set; returns what all of it did.

        What can pass (a node or database server that is away, busy or behind; a full disk; another process that writes)
        is told to `trouble` and waited for, once a first run has shown that everything is in place. What can't is
        raised, as by `run_once`.

        Args:
            poll_seconds: how often to look for new blocks.
            bell: rings when it is worth looking sooner.
        """
        self._check_places()
        total: MirrorReport | None = None
        in_place = False  # whether a first run, ours or that of who writes, has shown that everything is
        pause = 0.0
        with self._leadership() as leadership:
            while not stop.is_set():
                self._rest(stop, pause, bell if pause <= poll_seconds else None)
                try:
                    if (term := leadership.term) is None:
                        if leadership.take() is None:
                            self._stand_by(leadership, trouble)
                            in_place = True
                            leadership.wait(stop, poll_seconds=_TURN_POLL)
                        continue
                    done = self._catch_up(term, progress, stop, trouble)
                except _MAY_PASS as error:
                    if isinstance(error, WrongChain) or not (in_place or isinstance(error, Deposed)):
                        raise
                    self._wait_for(error, trouble)
                    if isinstance(error, Deposed):
                        leadership.release()
                    self._right_node = False  # what comes back may be another
                    pause = min(2 * max(pause, poll_seconds), max(_LONGEST_PAUSE, poll_seconds))
                else:
                    total = total.then(done) if total else done
                    in_place = True
                    pause = poll_seconds
        self._observer.leading(None)
        return total or self._as_found()

    # ------------------------------------------------------------------------------------------------- whose turn it is

    def _leadership(self) -> Leadership:
        return Leadership(self._store, ROLE, f"{self._target.chain_id}:{self._target.address}")

    def _stand_by(self, leadership: Leadership, trouble: OnTrouble | None) -> None:
        """Says that somebody else writes."""
        self._observer.leading(None)
        holder = leadership.leader()
        if trouble and holder is not None:
            trouble(StandingBy(holder.holder))

    def _await_turn(
        self, leadership: Leadership, stop: threading.Event, trouble: OnTrouble | None
    ) -> MirrorReport | None:
        """Returns None once it is our turn to write; a report, where somebody else has done what there was to do."""
        head: int | None = None
        while leadership.take() is None:
            if head is None:
                self._stand_by(leadership, trouble)
                latest = self._source.header("latest")
                head = latest.number if latest else 0
            found = self._as_found(head)
            if stop.is_set() or found.seen >= head:
                return found
            stop.wait(_TURN_POLL)
        return None

    def _as_found(self, head: int | None = None) -> MirrorReport:
        """The report of a run that did nothing."""
        run = self._steps(None).begin()
        run.head = run.head if head is None else head
        return run.report()

    # ------------------------------------------------------------------------------------------------------ catching up

    @no_collection()
    def _catch_up(
        self, term: Term, progress: OnProgress | None, stop: threading.Event, trouble: OnTrouble | None
    ) -> MirrorReport:
        """Reads until the head is reached."""
        if not self._right_node:
            check_node(self._source, self._target)
            self._right_node = True
        stepper = self._steps(term)
        run = stepper.begin()
        self._observer.began()
        with stepper.at_work(run):
            try:
                self._take_steps(stepper, run, progress, stop, trouble)
            except BaseException:
                self._observer.progress(run.progress())  # of the range, too, that was still on its way
                raise
        report = run.report()
        self._observer.looked(report)
        return report

    def _take_steps(
        self,
        stepper: Stepper,
        run: Run,
        progress: OnProgress | None,
        stop: threading.Event,
        trouble: OnTrouble | None,
    ) -> None:
        pause = _SHORTEST_PAUSE
        troubled_since: float | None = None
        told = run.seen
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
                self._wait_for(error, trouble)
                if not isinstance(error, NodeForked) and not self._ask_another(error):
                    stop.wait(pause)
                    pause = min(2 * pause, 1.0)
                continue
            except _IMPOSSIBLE as error:  # a log was left out or made up, and nothing else had noticed
                if not self._ask_another(error):
                    raise
                self._wait_for(error, trouble)
                continue
            pause, troubled_since = _SHORTEST_PAUSE, None
            if run.seen != told or not more:
                told = run.seen
                if progress:
                    progress(run.progress())
                self._observer.progress(run.progress())
            if not more and not self._look_around(run.head):
                break

    def _ask_another(self, error: EscrowError) -> bool:
        """Whether there is another node to be asked at once, the present one having been set aside."""
        everybody = isinstance(error, NodesDisagree)  # nobody in particular is to blame
        return isinstance(self._source, Endpoints) and not everybody and self._source.blame(error)

    def _look_around(self, head: int) -> bool:
        """Whether another node, which is asked from now on, knows of more blocks than the one that was."""
        return isinstance(self._source, Endpoints) and self._source.look_around(head)

    def _steps(self, term: Term | None) -> Stepper:
        """What takes steps under this term; None: it may only look."""
        if self._stepper is None or term != self._term:
            if term is not None:
                self._observer.leading(term)
            assert self._contract_id is not None  # `_check_places` was there first
            self._term = term
            self._stepper = Stepper(
                self._store if term is None else self._store.under(term),
                self._source,
                self._target,
                self._contract_id,
                ranges=self._ranges,
                scrutiny=self._scrutiny,
                final_depth=self._final_depth,
                window=self._window,
            )
        return self._stepper

    def _check_places(self) -> None:
        """Makes sure, once, that node and store are the right ones."""
        if self._contract_id is None:
            self._contract_id, self._target = enrol(self._store, self._source, self._target)
            self._right_node = True

    def _wait_for(self, error: EscrowError, trouble: OnTrouble | None) -> None:
        self._observer.trouble(error)
        if trouble:
            trouble(error)

    @staticmethod
    def _rest(stop: threading.Event, seconds: float, bell: Bell | None) -> None:
        if seconds and bell is not None:
            bell.wait(stop, seconds)
        elif seconds:
            stop.wait(seconds)
