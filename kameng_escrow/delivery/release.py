"""When a stored delivery is given to its buyer: not before the chain can't take `Delivered` back any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kameng_escrow.domain.events import Logged, OrderClosed, OrderDelivered, OrderDisputed, OrderRecommitted


class Stage(StrEnum):
    """How far a stored delivery has come. `Pending` falls back to `Stored` where a reorg takes the delivery away."""

    Stored = "Stored"  # no commitment to it is on the chain: nobody reads it
    Pending = "Pending"  # there is one, in a block that may still be undone
    Released = "Released"  # there is one in a final block: the buyer may read it
    Withheld = "Withheld"  # the buyer had all the money back before it was read
    Erased = "Erased"  # only its hashes are left


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Where a stored delivery stands."""

    stage: Stage
    block_number: int | None = None  # of the commitment's event; None: there is none
    blocks_left: int | None = None  # until that is final; None: it is, or there is none


def release_of(
    commitment: str,
    history: Sequence[Logged],
    *,
    final: int,
    was_read: bool,
    is_erased: bool = False,
) -> Release:
    """Whether a stored delivery may be read, and what it waits for.

    Args:
        commitment: the delivery's.
        history: the order's events as mirrored.
        final: blocks up to this number are not expected to change any more.
        was_read: whether the buyer has had it before; it is then not withheld.
        is_erased: whether the payload is gone.
    """
    block = next((logged.block_number for logged in history if _commits_to(logged, commitment)), None)
    if is_erased:
        return Release(stage=Stage.Erased, block_number=block)
    if block is None:
        return Release(stage=Stage.Stored)
    if not was_read and _was_given_back(history):  # or whoever refunds a mistake at once gives the codes away
        return Release(stage=Stage.Withheld, block_number=block)
    if block > final:
        return Release(stage=Stage.Pending, block_number=block, blocks_left=block - final)
    return Release(stage=Stage.Released, block_number=block)


def _was_given_back(history: Sequence[Logged]) -> bool:
    """Whether the order closed with nothing of its price earned, by whatever row: refunded, conceded, agreed or ruled.
    Units that were not in dispute were earned before.
    """
    events = [logged.event for logged in history]
    paid = [one.to_seller + one.platform_fee for one in events if isinstance(one, OrderDisputed | OrderClosed)]
    return any(isinstance(one, OrderClosed) for one in events) and not sum(paid)


def commitments_in(history: Sequence[Logged]) -> tuple[str, ...]:
    """What the seller committed to, oldest first; the last one counts."""
    return tuple(
        logged.event.commitment for logged in history if isinstance(logged.event, OrderDelivered | OrderRecommitted)
    )


def _commits_to(logged: Logged, commitment: str) -> bool:
    return isinstance(logged.event, OrderDelivered | OrderRecommitted) and logged.event.commitment == commitment
