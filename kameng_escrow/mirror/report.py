"""What a mirror says while and after it works."""

import time
from dataclasses import dataclass, field, replace
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come. Given to the callback after every commit."""

    done: int  # blocks of this run that are in the store
    total: int  # blocks this run has to do, as far as known
    block: int  # the last block in the store
    head: int  # the chain's last block
    events: int  # of this run
    seconds: float  # since the run began

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds if self.seconds else 0.0

    @property
    def blocks_per_second(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """None while there is no telling."""
        return (self.total - self.done) / self.blocks_per_second if self.done > 0 and self.seconds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorg:
    """A change of the chain that was rolled back."""

    fork: int  # the last block that stayed
    depth: int  # blocks that went
    events: int  # events that went with them
    orders: int  # orders folded again, vanished ones included
    below_final: bool  # whether it reached below the final mark: what others took for certain was not


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorReport:
    """What a run did."""

    blocks: int  # read, those of a reorg once more
    events: int
    reorgs: tuple[Reorg, ...]
    seen: int  # the last block in the store
    final: int  # the last one that is not expected to change
    head: int  # the chain's last block, when last asked
    seconds: float

    @property
    def caught_up(self) -> bool:
        """Whether the store is where the chain was."""
        return self.seen == self.head

    def then(self, after: Self) -> Self:
        """This run and the one after it as one."""
        return replace(
            after,
            blocks=self.blocks + after.blocks,
            events=self.events + after.events,
            reorgs=self.reorgs + after.reorgs,
            seconds=self.seconds + after.seconds,
        )


@dataclass(slots=True)
class Run:
    """A run as it goes."""

    start: int  # the last block in the store before it
    seen: int
    final: int
    head: int
    blocks: int = 0
    events: int = 0
    reorgs: list[Reorg] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def read(self, last: int, events: int, final: int) -> None:
        """Another range is in the store."""
        self.blocks += last - self.seen
        self.seen = last
        self.final = final
        self.events += events

    def undone(self, reorg: Reorg) -> None:
        """Blocks are out of the store again."""
        self.reorgs.append(reorg)
        self.seen = reorg.fork
        self.final = min(self.final, reorg.fork)
        self.start = min(self.start, reorg.fork)

    def progress(self) -> Progress:
        """How far it has come."""
        return Progress(
            done=self.seen - self.start,
            total=max(self.head, self.seen) - self.start,
            block=self.seen,
            head=self.head,
            events=self.events,
            seconds=time.monotonic() - self.began,
        )

    def report(self) -> MirrorReport:
        """What it did."""
        return MirrorReport(
            blocks=self.blocks,
            events=self.events,
            reorgs=tuple(self.reorgs),
            seen=self.seen,
            final=self.final,
            head=self.head,
            seconds=time.monotonic() - self.began,
        )
