"""What happened to orders lately, for those whose orders they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.states import Fault, Outcome, State

from .models import OrderRow, OutboxRow, PolicyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A row of the outbox, without what the event said, and whom it concerns."""

    id: int  # of the row: they only grow
    order_id: str
    event: str  # the name of the contract's event
    retracts: int | None  # the id of the row that no longer holds, after a reorganisation
    state: State | None  # how the order stands after it; None: there is no such order any more
    outcome: Outcome | None
    fault: Fault | None
    deadline: int | None  # Unix seconds of the chain
    created_ms: int  # Unix milliseconds of the mirror's clock
    accounts: frozenset[str]  # buyer, seller, platform, mediators; of an order that is gone, those that it had


def last_id(session: Session, contract_id: int) -> int:
    """The id of the last row there is; 0: none."""
    query = select(OutboxRow.id).where(OutboxRow.contract_id == contract_id).order_by(OutboxRow.id.desc()).limit(1)
    return session.scalar(query) or 0


def happenings(session: Session, contract_id: int, *, after: int, limit: int = 500) -> list[Happening]:
    """The rows after `after`, in their order."""
    rows = _rows(contract_id).where(OutboxRow.id > after).order_by(OutboxRow.id).limit(limit)
    return _read(session, contract_id, rows)


def happenings_of(
    session: Session, contract_id: int, account: str, *, after: int, until: int, limit: int
) -> list[Happening]:
    """Those of an account after `after` up to `until`, in their order."""
    concerned = or_(
        OrderRow.buyer == account,
        OrderRow.seller == account,
        PolicyRow.platform == account,
        PolicyRow.mediator == account,
        PolicyRow.backup_mediator == account,
        OrderRow.order_id.is_(None),  # gone with a reorganisation: whose it was is told by what was withdrawn
    )
    query = _rows(contract_id).where(OutboxRow.id > after, OutboxRow.id <= until, concerned)
    found = _read(session, contract_id, query.order_by(OutboxRow.id).limit(limit))
    return [one for one in found if account in one.accounts]


def _rows(contract_id: int) -> Select[Any]:
    order = (OrderRow.contract_id == OutboxRow.contract_id) & (OrderRow.order_id == OutboxRow.order_id)
    policy = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    rows = (
        select(
            OutboxRow,
            OrderRow.buyer,
            OrderRow.seller,
            PolicyRow.platform,
            PolicyRow.mediator,
            PolicyRow.backup_mediator,
        )
        .outerjoin(OrderRow, order)
        .outerjoin(PolicyRow, policy)
        .where(OutboxRow.contract_id == contract_id)
    )
    return cast("Select[Any]", rows)


def _read(session: Session, contract_id: int, query: Select[Any]) -> list[Happening]:
    gone: dict[str, tuple[str | None, ...]] = {}
    found = []
    for row, *accounts in session.execute(query).all():
        if accounts[0] is None:
            if row.order_id not in gone:
                gone[row.order_id] = _accounts_of_gone(session, contract_id, row.order_id)
            accounts = list(gone[row.order_id])
        found.append(_happening(row, accounts))
    return found


def _accounts_of_gone(session: Session, contract_id: int, order_id: str) -> tuple[str | None, ...]:
    """Whose an order was that a reorganisation took away, by its opening as it was told and withdrawn."""
    query = select(OutboxRow.withdrawn).filter_by(contract_id=contract_id, order_id=order_id, name="OrderOpened")
    said = session.scalar(query.where(OutboxRow.withdrawn.is_not(None)).order_by(OutboxRow.id.desc()).limit(1))
    if said is None:
        return ()
    terms = said["fields"]["terms"]
    policy = session.get(PolicyRow, (contract_id, terms["policy_id"]))
    parties = (terms["buyer"], terms["seller"])
    return parties if policy is None else (*parties, policy.platform, policy.mediator, policy.backup_mediator)


def _happening(row: OutboxRow, accounts: Sequence[str | None]) -> Happening:
    return Happening(
        id=row.id,
        order_id=row.order_id,
        event=row.name,
        retracts=row.retracts,
        state=row.state,
        outcome=row.outcome,
        fault=row.fault,
        deadline=row.deadline,
        created_ms=row.created_ms,
        accounts=frozenset(account for account in accounts if account is not None),
    )
