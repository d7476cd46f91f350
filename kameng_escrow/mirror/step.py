"""One step of a mirror: a range of blocks into the store, or a reorg out of it."""

from collections.abc import Iterator, Set
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kameng_escrow.store import Store
from kameng_escrow.store.models import BlockRow, CheckpointRow

from .ahead import Ahead, ChainMoved
from .collector import collect_cycles
from .endpoints import Endpoints
from .enrol import Target, check_node
from .errors import NodeBehind, NodeInconsistent
from .fetch import Chunk, fetch
from .help import Helper
from .memory import Memory
from .prepare import Overtaken, Prepared, prepare
from .ranges import RangeSize
from .reorg import Anchor, find_fork
from .report import Run
from .scrutiny import Scrutiny
from .source import ChainSource, Header
from .turns import taking_turns
from .writing import locked_checkpoint, move_final, roll_back, write_chunk

_COLLECT_EVERY = 50  # ranges
# A range of so many events with so many more ranges behind it is worth a second process, which takes a second to start.
_MUCH, _FURTHER = 2_000, 4


@dataclass(frozen=True, slots=True)
class _Writing:
    """A range on its way into the store."""

    prepared: Prepared
    done: Future[int]  # the last final block


class Stepper:
    """Takes steps with one contract of one store. What it knows of the past it reads from the store, each time.

    While a range is being written, in a thread of its own, the next is folded: for databases one does not need the
    interpreter that the other does. At most one is on its way; whatever becomes of it is said by the step after it.
    """

    def __init__(
        self,
        store: Store,
        source: ChainSource,
        target: Target,
        contract_id: int,
        *,
        ranges: RangeSize,
        scrutiny: Scrutiny,
        final_depth: int | None,
        window: int,
    ) -> None:
        self._store = store
        self._source = source
        self._target = target
        self._contract_id = contract_id
        self._scrutiny = scrutiny
        self._final_depth = final_depth
        self._window = window
        self._memory = Memory()
        self._written = 0  # ranges, since work began
        self._careful = False  # whether every order that is opened is looked for
        self._helper: Helper | None = None
        self._writer: Executor | None = None
        self._writing: _Writing | None = None
        self._ahead = Ahead(self._fetch, ranges, concurrent=source.concurrent)

    @contextmanager
    def at_work(self, run: Run) -> Iterator[None]:
        """Steps are taken in here. Whatever is on its way has arrived at the end, or what kept it is raised."""
        self._written = 0  # at the head nothing piles up: what a short run leaves is found once it has ended
        with Helper() as self._helper, ThreadPoolExecutor(1, "mirror-writer") as writer, taking_turns():
            self._writer = writer if self._store.concurrent else None
            try:
                yield
            finally:
                with suppress(Overtaken):  # then somebody else has written it
                    self._settle(run)
                self._helper = self._writer = None

    def begin(self) -> Run:
        """A run from where the store is."""
        mark = self._mark()
        return Run(start=mark.seen_number, seen=mark.seen_number, final=mark.final_number, head=mark.seen_number)

    def step(self, run: Run, *, believe_cut: bool) -> bool:
        """Reads one range, or undoes a reorg, or finds nothing to do; whether there may be more.

        Args:
            believe_cut: whether a head below what was mirrored means that the blocks above it are gone.

        Raises:
            NodeBehind: it does not mean that yet.
            Overtaken: another mirror was faster; go on.
            And what `Mirror.run_once` raises.
        """
        try:
            return self._step_beside(run, self._writing) if self._writing else self._step(run, believe_cut=believe_cut)
        except BaseException:
            self._settle(run)
            raise

    def _step(self, run: Run, *, believe_cut: bool) -> bool:
        mark = self._mark()
        head = self._head()
        run.head = head.number
        if head.number < mark.seen_number or (head.number == mark.seen_number and head.hash != mark.seen_hash):
            self._undo(run, mark, head, believe_cut=believe_cut)
            return True
        final = self._final(head)
        if head.number == mark.seen_number:
            run.seen = mark.seen_number
            self._move_final(run, mark, final)
            return False
        try:
            chunk = self._take(mark.seen_number, mark.seen_hash, head)
        except ChainMoved:
            self._undo(run, mark, head, believe_cut=believe_cut)
            return True
        if chunk is not None:
            self._write(run, self._prepare(run, chunk, mark.seen_hash), mark.seen_hash, final)
        return self._writing is not None or run.seen < head.number

    def _step_beside(self, run: Run, writing: _Writing) -> bool:
        """A step while the range before is being written. What that leads to, if it is no further range, is left to the
        next."""
        before = writing.prepared
        head = self._head()
        run.head = max(run.head, head.number)
        if head.number > before.last:
            with suppress(ChainMoved):
                final = self._final(head)
                chunk = self._take(before.last, before.hash, head)
                if chunk is not None:
                    prepared = self._prepare(run, chunk, before.hash)
                    del chunk  # its events would be here until the end of a wait in which the next come
                    self._settle(run)
                    self._write(run, prepared, before.hash, final)
                    return self._writing is not None or run.seen < head.number
        self._settle(run)
        return True

    def _take(self, seen: int, seen_hash: str, head: Header) -> Chunk | None:
        return self._ahead.take(
            seen + 1,
            head.number,
            parent_hash=seen_hash,
            recent_from=head.number - self._window,
            later=self._writing is not None,
        )

    def _prepare(self, run: Run, chunk: Chunk, parent_hash: str) -> Prepared:
        """The range's rows, on those after the block before it. Then it is the next one's turn to be read."""
        writing = self._writing
        stands = {parent_hash}
        orders: Set[str] = frozenset()
        if writing is not None:
            before = writing.prepared
            stands.add(before.parent_hash)
            orders = before.folding.orders.keys()
        with self._memory.of(parent_hash) as memory:
            prepared = prepare(
                self._store,
                self._contract_id,
                chunk,
                memory,
                stands=stands,
                writing=orders,
                settle=lambda: self._settle(run),
                careful=self._careful,
            )
        self._ahead.read_on(chunk, run.head, recent_from=run.head - self._window)
        return prepared

    def _write(self, run: Run, prepared: Prepared, parent_hash: str, final: int) -> None:
        """Has the range written: meanwhile, if there is more, and otherwise at once."""

        def write() -> int:
            with self._store.writing() as session:
                return write_chunk(
                    session, self._contract_id, prepared, parent_hash=parent_hash, final=final, window=self._window
                )

        more = run.head - prepared.last
        if self._writer is not None and more:
            self._writing = _Writing(prepared, self._writer.submit(write))
        else:
            done: Future[int] = Future()
            try:
                done.set_result(write())
            except BaseException as error:
                done.set_exception(error)
            self._writing = _Writing(prepared, done)
            self._settle(run)
        if prepared.count >= _MUCH and more > _FURTHER * (prepared.last - prepared.first + 1):
            self._get_help()

    def _get_help(self) -> None:
        if self._helper is not None and self._source.concurrent:
            self._helper.start()

    def _settle(self, run: Run) -> None:
        """Waits until the range that is on its way, if there is one, has arrived. Raises what kept it.

        Raises:
            Overtaken: it will arrive at the second attempt.
        """
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            final = writing.done.result()
        except IntegrityError:  # an order was revised before it was opened, if it isn't worse
            if self._careful:
                raise
            self._careful = True
            self._memory.forget()
            raise Overtaken from None
        self._careful = False
        self._written += 1
        if self._written % _COLLECT_EVERY == 0:
            collect_cycles()
        run.read(writing.prepared.last, writing.prepared.count, final)

    def _fetch(self, first: int, last: int, recent_from: int) -> Chunk:
        return fetch(
            self._source,
            self._target.address,
            first,
            last,
            recent_from=recent_from,
            scrutiny=self._scrutiny,
            helper=self._helper,
        )

    def _undo(self, run: Run, mark: CheckpointRow, head: Header, *, believe_cut: bool) -> None:
        """Rolls back to the last block that store and node share.

        A node may also be another one by now, be behind, or answer from two chains in turn, and of several one may have
        fallen off the chain: what is undone is undone only once these are ruled out.
        """
        check_node(self._source, self._target)
        anchors = self._anchors(mark.seen_number)
        if isinstance(self._source, Endpoints):
            self._source.consult(anchors, patient=not believe_cut)
            head = self._head()  # of the node that is believed
        fork = find_fork(self._source.header, anchors)
        if fork.number == mark.seen_number:
            raise NodeInconsistent(f"The node's chain has block {fork.number}, and goes on from another one.")
        if fork.cut and (not believe_cut or self._source.is_syncing()):
            raise NodeBehind(head.number, mark.seen_number)
        final = self._final(head)
        with self._store.writing() as session:
            reorg = roll_back(
                session, self._contract_id, mark.seen_number, mark.seen_hash, fork=fork.number, final=final
            )
        run.undone(reorg)

    def _head(self) -> Header:
        head = self._source.header("latest")
        if head is None:
            raise NodeInconsistent("The node has no latest block.")
        return head

    def _final(self, head: Header) -> int:
        """The last final block as the node, or the depth, has it."""
        if self._final_depth is not None:
            return head.number - self._final_depth
        finalized = self._source.header("finalized")
        return head.number - self._window if finalized is None else finalized.number

    def _move_final(self, run: Run, mark: CheckpointRow, final: int) -> None:
        run.final = max(mark.final_number, min(final, mark.seen_number))
        if run.final > mark.final_number:
            with self._store.writing() as session:
                move_final(locked_checkpoint(session, self._contract_id, mark.seen_number, mark.seen_hash), final)

    def _mark(self) -> CheckpointRow:
        with self._store.reading() as session:
            mark = session.get_one(CheckpointRow, self._contract_id)
            session.expunge(mark)
            return mark

    def _anchors(self, seen: int) -> list[Anchor]:
        """The remembered blocks of the window, lowest first."""
        query = (
            select(BlockRow.number, BlockRow.hash)
            .where(BlockRow.contract_id == self._contract_id, BlockRow.number >= seen - self._window)
            .order_by(BlockRow.number)
        )
        with self._store.reading() as session:
            return [Anchor(number, block_hash) for number, block_hash in session.execute(query)]
