"""What is asked about disputes: papers, conflicts of interest, a mediator's queue and record.

Everything here takes a session and leaves committing to whoever opened it. Whether somebody may is not asked here:
`kameng_escrow.talk` does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, null, or_, select, tuple_, update
from sqlalchemy.orm import Session

from kameng_escrow.domain.order import Order
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.seats import Conflict, Tie, conflict_of
from kameng_escrow.domain.states import State

from ..models import ClockRow, OperatorRow, OrderRow, PayToRow, PolicyRow, running
from ..order_rows import restore_order, restore_policy
from .dispute_rows import ConflictRow, PaperRow
from .ids import new_id

# ------------------------------------------------------------------------------------------------------------- papers


def add_paper(
    session: Session, contract_id: int, *, order_id: str, kind: str, author: str, paper: Any, now_ms: int
) -> None:
    """Keeps a paper under its hash. `paper`: an `EvidencePaper` or `GroundsPaper`."""
    session.add(
        PaperRow(
            hash=paper.hash,
            contract_id=contract_id,
            order_id=order_id,
            kind=kind,
            author=author,
            document=paper.document(),
            written_ms=now_ms,
        )
    )


def paper_of(session: Session, contract_id: int, order_id: str, kind: str, digest: str | None) -> PaperRow | None:
    """The order's paper of that kind and hash."""
    if digest is None:
        return None
    row = session.get(PaperRow, digest)
    fits = row is not None and (row.contract_id, row.order_id, row.kind) == (contract_id, order_id, kind)
    return row if fits else None


def erase_papers(session: Session, contract_id: int, order_id: str) -> int:
    """Takes away what the order's papers say; their hashes stay. How many there were."""
    found = session.execute(
        update(PaperRow)
        .where(PaperRow.contract_id == contract_id, PaperRow.order_id == order_id, PaperRow.document.is_not(None))
        .values(document=null())
        .returning(PaperRow.hash)
    )
    return len(found.all())


# ---------------------------------------------------------------------------------------------------------- conflicts


def conflict_in(session: Session, contract_id: int, order: Order, mediator: str) -> Conflict | None:
    """Why the mediator may not judge the order; None: it may.

    Of declarations count the mediator's own, and those of the order's platform where that is no party: anyone may
    register a policy that names the mediator, and would choose with it who judges.
    """
    terms, policy = order.terms, order.policy
    if terms is None or policy is None:
        return None
    found = conflict_of(order, mediator)
    if found is not None:
        return found
    subjects = {order.id, terms.buyer, terms.seller, terms.refund_to, terms.pay_to}
    declared = select(ConflictRow.id).where(
        *_standing(contract_id, mediator),
        ConflictRow.subject.in_(subjects),
        ConflictRow.declared_by.in_({mediator, policy.platform} - {terms.buyer, terms.seller}),
    )
    return None if session.scalar(declared.limit(1)) is None else Conflict.Declared


@dataclass(frozen=True, slots=True)
class MediatorTie:
    """What the seller put on the chain about one of the order's mediators."""

    mediator: str
    tie: Tie


def ties_in(session: Session, contract_id: int, order: Order, now: int) -> tuple[MediatorTie, ...]:
    """What the seller put on the chain about the order's mediators that stands at the Unix second `now`."""
    terms, policy = order.terms, order.policy
    if terms is None or policy is None:
        return ()
    mediators = [one for one in (policy.mediator, policy.backup_mediator) if one != ZERO_ADDRESS]
    pay_to = session.scalar(select(PayToRow.pay_to).filter_by(contract_id=contract_id, seller=terms.seller))
    granted = select(OperatorRow.operator).where(
        OperatorRow.contract_id == contract_id,
        OperatorRow.seller == terms.seller,
        OperatorRow.operator.in_(mediators),
        OperatorRow.rights > 0,
        OperatorRow.expiry > now,
    )
    operators = set(session.scalars(granted))
    received = [MediatorTie(one, Tie.Receiver) for one in mediators if one == pay_to]
    return (*received, *(MediatorTie(one, Tie.Operator) for one in mediators if one in operators))


def declare(
    session: Session, contract_id: int, *, mediator: str, subject: str, note: str, by: str, now_ms: int
) -> ConflictRow:
    """Keeps a declaration. `subject`: an account, or an order's id."""
    row = ConflictRow(
        id=new_id("cfl"),
        contract_id=contract_id,
        mediator=mediator,
        subject=subject,
        note=note,
        declared_by=by,
        declared_ms=now_ms,
    )
    session.add(row)
    return row


def declared_by_or_of(session: Session, contract_id: int, account: str) -> list[ConflictRow]:
    """The declarations that stand and are about, or were made by, the account; the newest first."""
    mine = or_(ConflictRow.mediator == account, ConflictRow.declared_by == account)
    query = select(ConflictRow).where(ConflictRow.contract_id == contract_id, mine, ConflictRow.withdrawn_ms.is_(None))
    return list(session.scalars(query.order_by(ConflictRow.id.desc())))


def declaration(session: Session, contract_id: int, conflict_id: str) -> ConflictRow | None:
    """One of the declarations that stand."""
    return session.scalar(select(ConflictRow).filter_by(contract_id=contract_id, id=conflict_id, withdrawn_ms=None))


def mediates_for(session: Session, contract_id: int, platform: str, mediator: str) -> bool:
    """Whether a policy of the platform names the mediator."""
    query = select(PolicyRow.policy_id).where(
        PolicyRow.contract_id == contract_id, PolicyRow.platform == platform, _named(mediator)
    )
    return session.scalar(query.limit(1)) is not None


def is_mediator(session: Session, contract_id: int, account: str) -> bool:
    """Whether any policy names the account as its mediator or backup."""
    query = select(PolicyRow.policy_id).where(PolicyRow.contract_id == contract_id, _named(account))
    return account != ZERO_ADDRESS and session.scalar(query.limit(1)) is not None


def _standing(contract_id: int, mediator: str) -> tuple[ColumnElement[bool], ...]:
    return (
        ConflictRow.contract_id == contract_id,
        ConflictRow.mediator == mediator,
        ConflictRow.withdrawn_ms.is_(None),
    )


def _named(account: str) -> ColumnElement[bool]:
    return or_(PolicyRow.mediator == account, PolicyRow.backup_mediator == account)


# -------------------------------------------------------------------------------------------------------------- queue


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order in dispute, and until when a mediator may rule it."""

    order: Order
    until: int  # Unix seconds; may rule before
    first_block: int  # of the order's first event: with `until`, the place in the queue
    first_log_index: int

    @property
    def place(self) -> tuple[int, int, int]:
        """Where the queue goes on after this."""
        return self.until, self.first_block, self.first_log_index


def waiting_for(
    session: Session,
    contract_id: int,
    mediator: str,
    *,
    now: int,
    over: bool = False,
    after: tuple[int, int, int] | None = None,
    limit: int = 50,
) -> list[Waiting]:
    """Orders in dispute whose policy names the mediator, in the order in which its time for them runs out.

    Args:
        now: the chain's clock, Unix seconds.
        over: those for which its time is over already, instead of the others.
        after: the place of the last one of the page before.
        limit: at most so many.
    """
    shared = (PolicyRow.mediator == mediator) & (PolicyRow.backup_mediator != ZERO_ADDRESS)
    half = OrderRow.deadline - PolicyRow.mediate_window + PolicyRow.mediate_window // 2  # h, as in the domain
    until = case((shared, half), else_=OrderRow.deadline)
    place = tuple_(until, OrderRow.first_block, OrderRow.first_log_index)
    query = (
        select(OrderRow, PolicyRow, until)
        .join(ClockRow, running())
        .join(
            PolicyRow,
            (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id),
        )
        .where(
            ClockRow.contract_id == contract_id,
            ClockRow.state == State.Disputed,
            _named(mediator),
            until <= now if over else until > now,
        )
        .order_by(until, OrderRow.first_block, OrderRow.first_log_index)
        .limit(limit)
    )
    if after is not None:
        query = query.where(place > after)
    return [
        Waiting(
            order=restore_order(row, {policy.policy_id: restore_policy(policy)}),
            until=ends,
            first_block=row.first_block,
            first_log_index=row.first_log_index,
        )
        for row, policy, ends in session.execute(query)
    ]


def all_disputes_of(session: Session, contract_id: int, mediator: str) -> Iterator[Order]:
    """Every order that was or is in dispute under a policy that names the mediator."""
    policies = session.scalars(select(PolicyRow).where(PolicyRow.contract_id == contract_id, _named(mediator)))
    for policy in policies.all():
        rules = {policy.policy_id: restore_policy(policy)}
        query = select(OrderRow).where(
            OrderRow.contract_id == contract_id,
            OrderRow.policy_id == policy.policy_id,
            OrderRow.disputed_at.is_not(None),
        )
        for row in session.scalars(query.execution_options(yield_per=500)):
            yield restore_order(row, rules)
