"""What a mirror says while and after it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come. Given to the callback after every commit."""

    done: int  # blocks of this run that are in the store
    total: int  # blocks this run had to do, as far as known
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
        return (self.total - self.done) / self.blocks_per_second if self.done else None


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

    first_block: int  # of those it read; one above last_block if there were none
    last_block: int  # the seen mark
    final_block: int  # the final mark
    events: int
    reorgs: tuple[Reorg, ...]
    seconds: float
