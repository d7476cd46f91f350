"""What to do about an intent, given what the node says: decided here, done elsewhere, so that it can be reasoned about.

A transaction that was signed may be mined at any time, as long as its nonce is free: kill, timeout and error take
nothing back. So an intent has one nonce for good, every transaction with it is written down before it is sent, and it
ends only when the nonce is used up in a block that is deep enough: by one of its own transactions, or by one of
somebody else's.
"""

from dataclasses import dataclass
from enum import IntEnum

from kameng_escrow.store.keeping import Fee, Inclusion, Intent, Payload, Rejection, Stage

from .fees import raised

PATIENCE = 3  # looks at a used-up nonce without a receipt of ours: behind one URL there may be several nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long to wait for what. Milliseconds of our clock, except for blocks."""

    confirmations: int  # blocks, the transaction's own included, until it is final; at least 1
    stuck_ms: int  # in the pool without being mined, until it is offered for more
    resend_ms: int  # until a node is given it again: it may have lost it
    retry_ms: int  # until a node that refused it is asked again
    fee_cap: int  # wei a unit of gas that may be offered at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look at the chain showed, of the account and of one intent."""

    now_ms: int  # our clock
    head: int  # the latest block
    latest_nonce: int  # how many transactions the account has in blocks
    deep_nonce: int  # how many it has in final ones
    market: Fee  # what a new transaction should offer
    inclusion: Inclusion | None  # of one of the intent's transactions
    looks_without: int = 0  # in a row that showed its nonce used up for good, and none of its transactions
    wanted: bool = True  # whether what it is for is still to be done


class Why(IntEnum):
    """What is waited for."""

    Block = 0  # to be mined
    Depth = 1  # to become final
    Node = 2  # the node refused it, or gave no answer
    Funds = 3  # the account can't pay
    Cap = 4  # it would have to offer more than may be
    Foreign = 5  # another transaction took the nonce, in a block that may still be undone


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before the next look."""

    why: Why


@dataclass(frozen=True, slots=True)
class Offer:
    """Give a node a signed transaction, perhaps not for the first time."""

    hash: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Sign another transaction with the same nonce."""

    payload: Payload
    fee: Fee


@dataclass(frozen=True, slots=True)
class Note:
    """Write down that a transaction is in this block; None: in none any more."""

    inclusion: Inclusion | None


@dataclass(frozen=True, slots=True)
class End:
    """Write down how it ended."""

    stage: Stage
    inclusion: Inclusion | None


Move = Wait | Offer | Replace | Note | End


def judge(intent: Intent, sight: Sight, pace: Pace) -> Move:
    """What to do about an intent that has not ended. Write it down, and judge again after the next look."""
    if sight.inclusion is not None:
        return _judge_mined(intent, sight.inclusion, sight, pace)
    if intent.stage is Stage.Mined:
        return Note(None)
    if sight.latest_nonce > intent.nonce:
        if sight.deep_nonce > intent.nonce and sight.looks_without >= PATIENCE:
            return End(Stage.Displaced, None)
        return Wait(Why.Foreign)
    return _judge_waiting(intent, sight, pace)


def _judge_mined(intent: Intent, inclusion: Inclusion, sight: Sight, pace: Pace) -> Move:
    depth = sight.head - inclusion.block_number + 1
    if depth >= pace.confirmations:
        return End(_end_of(intent, inclusion), inclusion)
    return Note(inclusion) if intent.inclusion != inclusion else Wait(Why.Depth)


def _end_of(intent: Intent, inclusion: Inclusion) -> Stage:
    if intent.payload_of(inclusion.hash) is Payload.Nothing:
        return Stage.Withdrawn
    return Stage.Settled if inclusion.succeeded else Stage.Reverted


def _judge_waiting(intent: Intent, sight: Sight, pace: Pace) -> Move:
    last = intent.last
    if last.offered_ms is None:
        return Offer(last.hash)
    # Clocks are set back at times: what lies further in the future than we would wait is of before, and long ago.
    offered, signed = abs(sight.now_ms - last.offered_ms), abs(sight.now_ms - last.signed_ms)
    does_work = last.payload is not Payload.Nothing
    fee = raised(last.fee, sight.market, pace.fee_cap)
    match last.rejection:
        case Rejection.Underpriced:
            why, must_rise, patience = Why.Cap, True, pace.retry_ms
        case Rejection.Occupied:
            # By one of ours, which it must outbid; or by somebody else's, with whom we don't bid against each other.
            must_rise = len(intent.attempts) > 1 or signed >= pace.stuck_ms
            why, patience = Why.Foreign if len(intent.attempts) == 1 else Why.Cap, pace.retry_ms
        case Rejection.Unfit:
            why, must_rise, patience = Why.Node, does_work, pace.retry_ms
            does_work = False  # as it is, nobody will take it
        case Rejection.Funds:
            why, must_rise, patience = Why.Funds, False, pace.retry_ms
        case Rejection():
            why, must_rise, patience = Why.Node, False, pace.retry_ms
        case None:
            must_rise = signed >= pace.stuck_ms
            why, patience = Why.Cap if must_rise and fee is None else Why.Block, pace.resend_ms
            must_rise |= does_work and not sight.wanted
    if must_rise and fee is not None:
        return Replace(last.payload if does_work and sight.wanted else Payload.Nothing, fee)
    return Offer(last.hash) if offered >= patience else Wait(why)


def next_nonce(latest: int, pending: int, held: frozenset[int]) -> int:
    """The nonce for a new intent: the first that neither a block nor the node's pool nor the journal has.

    Args:
        latest: how many transactions the account has in blocks.
        pending: likewise, those that wait in the node's pool counted in.
        held: the nonces of the account's intents that have not ended.

    Where the journal holds one that the pool lost, the new one comes after it, and the lost one is offered again.
    Where a foreign one is gone from the pool, ours after it would wait for ever: the new one fills the gap.
    """
    nonce = max(latest, pending)
    while nonce in held:
        nonce += 1
    return nonce


def gap(latest: int, pending: int, held: frozenset[int]) -> int | None:
    """The nonce that our waiting transactions wait for and that nobody is going to use; None where there is none."""
    nonce = next_nonce(latest, pending, held)
    return nonce if any(one > nonce for one in held) else None
