"""The orders that an account's reputation is made of, as the mirror has them: final ones only.

Nothing is kept beside the mirror's rows, so that nothing can be deleted, forgotten or out of date.
"""

from dataclasses import dataclass
from typing import Any, cast

from eth_utils.address import to_checksum_address
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.reputation import Reputation, Trade, Yardstick, reckon
from kameng_escrow.domain.shares import bps
from kameng_escrow.domain.states import State
from kameng_escrow.store.models import BlockRow, CheckpointRow, OrderRow, PolicyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """The block up to which something is told."""

    number: int
    hash: str
    timestamp: int  # Unix seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """A reputation, and what it was reckoned from: whoever has the same three gets the same."""

    reputation: Reputation
    yardstick: Yardstick
    as_of: AsOf


def last_final(session: Session, contract_id: int, *, up_to: int | None = None) -> AsOf | None:
    """The last final block that the store knows, at or below `up_to`; None: there is none yet.

    Blocks with events are always known, so nothing final is above it.
    """
    final = select(CheckpointRow.final_number).where(CheckpointRow.contract_id == contract_id).scalar_subquery()
    query = (
        select(BlockRow.number, BlockRow.hash, BlockRow.timestamp)
        .where(BlockRow.contract_id == contract_id, BlockRow.number <= final)
        .order_by(BlockRow.number.desc())
        .limit(1)
    )
    if up_to is not None:
        query = query.where(BlockRow.number <= up_to)
    found = session.execute(query).first()
    return None if found is None else AsOf(number=found[0], hash=found[1], timestamp=found[2])


def reputation_of(
    session: Session, contract_id: int, account: str, yardstick: Yardstick, *, up_to: int | None = None
) -> Reckoning | None:
    """An account's reputation as of the last final block (at or below `up_to`); None: nothing is final yet."""
    as_of = last_final(session, contract_id, up_to=up_to)
    if as_of is None:
        return None
    account = to_checksum_address(account)
    trades = trades_of(session, contract_id, account, as_of.number)
    return Reckoning(reputation=reckon(account, trades, yardstick, as_of.timestamp), yardstick=yardstick, as_of=as_of)


def trades_of(session: Session, contract_id: int, account: str, up_to: int) -> list[Trade]:
    """An account's orders that closed up to a block. Two questions, each with an index of its own."""
    return [
        _trade(row)
        for role in (OrderRow.buyer, OrderRow.seller)
        for row in session.execute(_query(contract_id, up_to, role == account))
    ]


def _query(contract_id: int, up_to: int, of_account: ColumnElement[bool]) -> Select[Any]:
    of_policy = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    columns = (
        *(OrderRow.buyer, OrderRow.refund_to, OrderRow.seller, OrderRow.pay_to, OrderRow.payer, OrderRow.token),
        *(OrderRow.outcome, OrderRow.fault, OrderRow.price, OrderRow.closed_at),
        *(OrderRow.shares_to_seller, OrderRow.shares_platform_fee),
        *(OrderRow.undisputed_to_seller, OrderRow.undisputed_platform_fee),
        *(PolicyRow.platform, PolicyRow.fee_receiver, PolicyRow.platform_fee_bps),
    )
    query: Select[Any] = select(*cast(tuple[Any, ...], columns))
    return (
        query.join(PolicyRow, of_policy)
        .where(OrderRow.contract_id == contract_id, of_account)
        .where(OrderRow.state == State.Closed, OrderRow.last_block <= up_to)
    )


def _trade(row: Any) -> Trade:
    return Trade(
        buyer=row.buyer,
        refund_to=row.refund_to,
        seller=row.seller,
        pay_to=row.pay_to,
        payer=row.payer,
        token=row.token,
        platform=row.platform,
        fee_receiver=row.fee_receiver,
        outcome=row.outcome,
        fault=row.fault,
        to_seller=row.shares_to_seller + (row.undisputed_to_seller or 0),
        fee=row.shares_platform_fee + (row.undisputed_platform_fee or 0),
        full_fee=bps(row.price, row.platform_fee_bps),
        closed_at=row.closed_at,
    )
