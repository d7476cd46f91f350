"""How far the outbox has been passed on, and whom each order concerns."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kameng_escrow.store.loading import parts
from kameng_escrow.store.models import CheckpointRow, OrderRow, OutboxRow, PolicyRow
from kameng_escrow.store.unless_there import insert_unless_there

from .webhook_rows import CursorRow

INSTANT, FINAL, PEOPLE = "instant", "final", "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """The accounts of an order. Who they are is the chain's word."""

    buyer: str
    seller: str
    platform: str
    mediator: str  # zero: there is none
    backup_mediator: str  # likewise

    @property
    def accounts(self) -> frozenset[str]:
        """All of them; the zero address too, which nobody can sign in with."""
        return frozenset({self.buyer, self.seller, self.platform, self.mediator, self.backup_mediator})


def final_mark(session: Session, contract_id: int) -> int:
    """The last block that is not expected to change any more; -1: nothing was mirrored yet."""
    found = session.scalar(select(CheckpointRow.final_number).filter_by(contract_id=contract_id))
    return -1 if found is None else found


def outbox_end(session: Session, contract_id: int) -> int:
    """The last id in a contract's outbox; 0: it is empty."""
    query = select(func.max(OutboxRow.id)).where(OutboxRow.contract_id == contract_id)
    return session.scalar(query) or 0


def begin_reading(session: Session, contract_id: int) -> None:
    """Where nobody has read a contract's outbox yet, readers begin with what comes from here on: at its end, and for
    final news behind what is final already."""
    known = set(session.scalars(select(CursorRow.reader).filter_by(contract_id=contract_id)))
    if known >= {INSTANT, FINAL, PEOPLE}:
        return
    final = (
        select(OutboxRow.id)
        .where(OutboxRow.contract_id == contract_id, OutboxRow.block_number <= final_mark(session, contract_id))
        .order_by(OutboxRow.id.desc())
        .limit(1)
    )
    end = outbox_end(session, contract_id)
    for reader, place in ((INSTANT, end), (FINAL, session.scalar(final) or 0), (PEOPLE, end)):
        if reader not in known:  # nor made by somebody else at this moment
            insert_unless_there(session, CursorRow, contract_id=contract_id, reader=reader, outbox_id=place)


def cursor(session: Session, contract_id: int, reader: str) -> CursorRow:
    """A reader's place, to be moved in this transaction. `begin_reading` has made it."""
    return session.get_one(CursorRow, (contract_id, reader))


def concerned(session: Session, contract_id: int, order_ids: Iterable[str]) -> dict[str, Concerned]:
    """Whom these orders concern, by id; those that there are none of are left out."""
    found: dict[str, Concerned] = {}
    accounts = (OrderRow.order_id, OrderRow.buyer, OrderRow.seller)
    policy_of = (PolicyRow.contract_id == OrderRow.contract_id) & (PolicyRow.policy_id == OrderRow.policy_id)
    for part in parts(sorted(set(order_ids))):
        query = (
            select(*accounts, PolicyRow.platform, PolicyRow.mediator, PolicyRow.backup_mediator)
            .join(PolicyRow, policy_of)
            .where(OrderRow.contract_id == contract_id, OrderRow.order_id.in_(part), OrderRow.buyer.is_not(None))
        )
        for order_id, buyer, seller, platform, mediator, backup in session.execute(query):
            found[order_id] = Concerned(
                buyer=buyer or "", seller=seller or "", platform=platform, mediator=mediator, backup_mediator=backup
            )
    return found
