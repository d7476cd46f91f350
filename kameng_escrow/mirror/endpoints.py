"""Several nodes as one source: who fails is set aside for a while, and before anything is undone all are heard."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from kameng_escrow.chain.errors import NodeError, NodeRefused, WrongChain
from kameng_escrow.chain.logs import Reading
from kameng_escrow.chain.several import Endpoint, in_turn
from kameng_escrow.errors import EscrowError

from .errors import NodeBehind, NodeForked, NodesDisagree, ReorgTooDeep
from .help import Helper
from .reorg import Anchor, find_fork
from .source import ChainSource, Header, Tag
from .trust import Standing, Verdict, View, judge

_LAG = 3  # blocks that a node may be behind others and still be asked

_Answer = TypeVar("_Answer")


class Endpoints:
    """A `ChainSource` of several nodes: asks one of them until it fails, then the next.

    Every node is checked before it is first asked, and again after each failure. A node that refuses a question
    (`NodeRefused`) has answered, and stays. Safe in several threads.

    Args:
        nodes: names and sources, the preferred one first.
    """

    def __init__(self, nodes: Sequence[tuple[str, ChainSource]]) -> None:
        if not nodes:
            raise ValueError("a mirror needs a node")
        self._endpoints = [Endpoint(name, source) for name, source in nodes]
        self._current = self._endpoints[0]
        self._lock = threading.RLock()
        self._look_next = 0.0
        self.look_every_seconds = 10.0
        self.on_failure: Callable[[str, EscrowError], None] = lambda *_: None  # told of every node that is set aside
        self.admit: Callable[[ChainSource], object] = lambda _: None  # raises for a node that is none of ours

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(endpoint.name for endpoint in self._endpoints)

    @property
    def current(self) -> str:
        """The node that is asked now."""
        return self._current.name

    # ------------------------------------------------------------------------------------------------------ ChainSource

    @property
    def concurrent(self) -> bool:
        return all(endpoint.source.concurrent for endpoint in self._endpoints)

    def chain_id(self) -> int:
        return self._ask(lambda source: source.chain_id())

    def header(self, block: int | Tag) -> Header | None:
        return self._ask(lambda source: source.header(block))

    def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        return self._ask(lambda source: source.headers(numbers))

    def read(self, address: str, first: int, last: int, helper: Helper | None = None) -> Reading:
        return self._ask(lambda source: source.read(address, first, last, helper))

    def receipt_logs(self, address: str, block_hash: str) -> Sequence[Mapping[str, Any]] | None:
        return self._ask(lambda source: source.receipt_logs(address, block_hash))

    def has_code(self, address: str) -> bool:
        return self._ask(lambda source: source.has_code(address))

    def is_syncing(self) -> bool:
        return self._ask(lambda source: source.is_syncing())

    # ------------------------------------------------------------------------------------------------------------ trust

    def blame(self, reason: EscrowError) -> bool:
        """Sets the present node aside for what it answered; whether another is there to be asked."""
        with self._lock:
            self._current.set_aside(reason)
            now = time.monotonic()
            others = [endpoint for endpoint in self._endpoints if endpoint.aside_until <= now]
            if others:
                self._current = others[0]
            return bool(others)

    def look_around(self, head: int) -> bool:
        """Goes on with the node that has come furthest, if the present one, at block `head`, lags behind it.

        Asks at most every `look_every_seconds`; whether it changed nodes. A node that stands still would never be found
        out otherwise: everything that it says fits together.
        """
        now = time.monotonic()
        if len(self._endpoints) == 1 or now < self._look_next:
            return False
        self._look_next = now + self.look_every_seconds
        best, furthest = None, head + _LAG
        for endpoint in self._endpoints:
            if endpoint is self._current or endpoint.aside_until > now:
                continue
            try:
                self._check(endpoint)
                latest = endpoint.source.header("latest")
            except EscrowError as error:
                self._set_aside(endpoint, error)
                continue
            if latest is not None and latest.number > furthest:
                best, furthest = endpoint, latest.number
        if best is None:
            return False
        with self._lock:
            self._current.set_aside(NodeBehind(head, furthest))
            self._current = best
        return True

    def consult(self, anchors: Sequence[Anchor], *, patient: bool) -> None:
        """Hears every node about the mirrored blocks, and returns if they are to be undone as far as the present node
        says (which is then one of those believed).

        Args:
            anchors: the remembered blocks, lowest first.
            patient: whether there is time to wait for nodes that disagree.

        Raises:
            NodeForked: they are not: nodes that have other blocks were set aside, and the present one has ours.
            NodesDisagree: nobody knows.
        """
        if len(self._endpoints) == 1:
            return  # nobody else to hear
        views = [self._view(endpoint, anchors) for endpoint in self._endpoints]
        judgement = judge(views, patient=patient)
        if judgement.verdict is Verdict.Wait:
            heard = tuple(view.node for view in views if view.standing not in (Standing.Silent, Standing.Elsewhere))
            raise NodesDisagree(anchors[-1].number, heard)
        verdict = NodeForked(anchors[-1].number, judgement.forked or judgement.behind)
        with self._lock:
            for endpoint in self._endpoints:
                if endpoint.name in judgement.forked:
                    endpoint.set_aside(verdict)
                elif endpoint.name == judgement.trusted:
                    self._current = endpoint
        if judgement.verdict is Verdict.Switch:
            raise verdict

    def _view(self, endpoint: Endpoint[ChainSource], anchors: Sequence[Anchor]) -> View:
        source, seen = endpoint.source, anchors[-1]
        name = endpoint.name
        try:
            self._check(endpoint)
            head = source.header("latest")
            if head is None:
                return View(node=name, standing=Standing.Silent)
            theirs = source.header(seen.number)
            if theirs is not None and theirs.hash == seen.hash:
                return View(node=name, standing=Standing.Agrees, head=head.number)
            fork = find_fork(source.header, anchors)
            above = None if fork.cut else source.header(fork.number + 1)
            if above is None:
                return View(node=name, standing=Standing.Behind, head=head.number)
            return View(node=name, standing=Standing.Differs, head=head.number, fork=fork.number, block_hash=above.hash)
        except ReorgTooDeep:
            return View(node=name, standing=Standing.Differs, head=head.number if head else 0)
        except WrongChain:
            return View(node=name, standing=Standing.Elsewhere)
        except EscrowError:
            return View(node=name, standing=Standing.Silent)

    # ----------------------------------------------------------------------------------------------------------- asking

    def _ask(self, question: Callable[[ChainSource], _Answer]) -> _Answer:
        first: EscrowError | None = None
        for endpoint in self._candidates():
            try:
                self._check(endpoint)
                answer = question(endpoint.source)
            except NodeRefused:
                raise
            except EscrowError as error:
                if not isinstance(error, NodeError) and endpoint.admitted:
                    raise
                first = first or error
                self._set_aside(endpoint, error)
                continue
            with self._lock:
                endpoint.failures = 0
                self._current = endpoint
            return answer
        assert first is not None  # there is at least one node
        raise first

    def _set_aside(self, endpoint: Endpoint[ChainSource], reason: EscrowError) -> None:
        with self._lock:
            endpoint.set_aside(reason)
        self.on_failure(endpoint.name, reason)

    def _check(self, endpoint: Endpoint[ChainSource]) -> None:
        if not endpoint.admitted:
            self.admit(endpoint.source)
            endpoint.admitted = True

    def _candidates(self) -> Iterator[Endpoint[ChainSource]]:
        with self._lock:
            return in_turn(self._endpoints, self._current, time.monotonic())
