"""Encrypted deliveries, the fingerprints of their codes, and what was disclosed of them in a dispute.

A payload is stored before its commitment goes on the chain, and kept until it is erased; its hashes stay for good, so
that whoever kept the payload can still prove it. Times are Unix seconds of our clock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    delete,
    select,
    update,
)
from sqlalchemy import insert as sql_insert
from sqlalchemy.orm import Mapped, Session, mapped_column, undefer

from kameng_escrow.domain.states import State

from ..engine import take_turn
from ..loading import parts
from ..models import Base, CheckpointRow, OrderRow
from ..types import Address, Hash, Json
from ..unless_there import insert_unless_there
from .ids import LENGTH, new_id

MOST_WAITING: Final = 8  # deliveries of one order that no commitment on the chain is of; the oldest gives way
KEY_NAME: Final = String(16)
FINGERPRINT: Final = String(32)  # 16 bytes in hex


class DeliveryRow(Base):
    """An encrypted delivery."""

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("contract_id", "order_id", "commitment"),)

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    order_id: Mapped[str] = mapped_column(Hash())
    commitment: Mapped[str] = mapped_column(Hash())
    root: Mapped[str] = mapped_column(Hash())
    payload_hash: Mapped[str] = mapped_column(Hash())
    payload: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # an age file; NULL: erased
    size: Mapped[int]  # bytes of the payload
    stored_by: Mapped[str] = mapped_column(Address())
    stored_at: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[int | None] = mapped_column(BigInteger)  # when the buyer had it for the first time
    erased_at: Mapped[int | None] = mapped_column(BigInteger)


class FingerprintRow(Base):
    """A keyed hash of a delivered code, which tells the same code again and nothing else."""

    __tablename__ = "delivery_fingerprints"
    __table_args__ = (Index(None, "key_id", "fingerprint"),)

    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    unit: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1 … N
    key_id: Mapped[str] = mapped_column(KEY_NAME)  # of the server's key that made it
    fingerprint: Mapped[str] = mapped_column(FINGERPRINT)


class DisclosureRow(Base):
    """One unit, or the key of a whole delivery, that a party showed to the mediator."""

    __tablename__ = "delivery_disclosures"
    __table_args__ = (Index(None, "contract_id", "order_id"),)

    id: Mapped[str] = mapped_column(String(LENGTH), primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    order_id: Mapped[str] = mapped_column(Hash())
    account: Mapped[str] = mapped_column(Address())  # who disclosed it
    payload_hash: Mapped[str] = mapped_column(Hash())
    unit: Mapped[int | None]  # NULL: the whole delivery
    code: Mapped[str | None] = mapped_column(Text)  # NULL: the whole delivery, or erased; likewise below
    salt: Mapped[str | None] = mapped_column(Hash())
    proof: Mapped[list[str] | None] = mapped_column(Json())
    identity: Mapped[str | None] = mapped_column(String(80))  # of a whole delivery: the order's age identity
    disclosed_at: Mapped[int] = mapped_column(BigInteger)
    erased_at: Mapped[int | None] = mapped_column(BigInteger)
    # What it was found to be when it was disclosed, whatever the chain says.
    commitment: Mapped[str | None] = mapped_column(Hash())  # that it leads to; NULL: nobody has looked yet
    flaw: Mapped[str | None] = mapped_column(String(64))  # the code of what is wrong with it; NULL: nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """That a code was delivered, or is about to be, in another order."""

    unit: int  # of the delivery that was asked about
    order_id: str  # of the other
    seller: str | None  # likewise
    stored_at: int


# ------------------------------------------------------------------------------------------------------------ payloads


def store_delivery(
    session: Session,
    *,
    contract_id: int,
    order_id: str,
    commitment: str,
    root: str,
    payload_hash: str,
    payload: bytes,
    account: str,
    now: int,
    committed: Collection[str] = (),
    is_open: bool = True,
) -> tuple[DeliveryRow, bool]:
    """Keeps a payload, and says whether it is new. The same one again is the same row; one that was erased stays so
    unless the order `is_open`: then it is kept again, and as good as new.

    `committed` are the order's commitments on the chain: deliveries of none of them give way, the oldest first, past
    `MOST_WAITING`.
    """
    same = select(DeliveryRow).filter_by(contract_id=contract_id, order_id=order_id, commitment=commitment)
    if (found := session.scalar(same)) is not None:
        is_back = is_open and found.erased_at is not None  # a reorganisation undid the end that it was erased after
        if is_back:
            found.payload, found.erased_at = payload, None
        return found, is_back
    waiting = [one for one in deliveries_of(session, contract_id, order_id) if one.commitment not in committed]
    for old in waiting[: max(0, len(waiting) - MOST_WAITING + 1)]:
        session.execute(delete(FingerprintRow).where(FingerprintRow.delivery_id == old.id))
        session.delete(old)
    made = insert_unless_there(
        session,
        DeliveryRow,
        id=new_id("dlv"),
        contract_id=contract_id,
        order_id=order_id,
        commitment=commitment,
        root=root,
        payload_hash=payload_hash,
        payload=payload,
        size=len(payload),
        stored_by=account,
        stored_at=now,
    )
    return session.scalars(same).one(), made  # not made: somebody stored the same at the same moment


def deliveries_of(session: Session, contract_id: int, order_id: str) -> Sequence[DeliveryRow]:
    """An order's deliveries, oldest first, without their payloads."""
    query = select(DeliveryRow).filter_by(contract_id=contract_id, order_id=order_id)
    return session.scalars(query.order_by(DeliveryRow.stored_at, DeliveryRow.id)).all()


def find_delivery(
    session: Session, contract_id: int, order_id: str, delivery_id: str, *, whole: bool = False
) -> DeliveryRow | None:
    """One of an order's deliveries; `whole`: with its payload."""
    query = select(DeliveryRow).filter_by(id=delivery_id, contract_id=contract_id, order_id=order_id)
    return session.scalar(query.options(undefer(DeliveryRow.payload)) if whole else query)


def has_payload(session: Session, contract_id: int, order_id: str, commitment: str) -> bool:
    """Whether the payload of a commitment is kept here."""
    query = select(DeliveryRow.id).filter_by(
        contract_id=contract_id, order_id=order_id, commitment=commitment, erased_at=None
    )
    return session.scalar(query) is not None


def mark_read(session: Session, delivery_id: str, now: int) -> None:
    """Writes down that the buyer has had it, the first time."""
    session.execute(
        update(DeliveryRow).where(DeliveryRow.id == delivery_id, DeliveryRow.read_at.is_(None)).values(read_at=now)
    )


def erase_deliveries(session: Session, contract_id: int, order_id: str, now: int) -> int:
    """Erases an order's payloads, fingerprints and disclosed codes, and returns how many payloads those were.

    What proves stays: who stored what when, by its hashes and commitment; who disclosed which unit.
    """
    mine = {"contract_id": contract_id, "order_id": order_id}
    ids = session.scalars(select(DeliveryRow.id).filter_by(**mine, erased_at=None)).all()
    for part in parts(ids):
        session.execute(delete(FingerprintRow).where(FingerprintRow.delivery_id.in_(part)))
        session.execute(update(DeliveryRow).where(DeliveryRow.id.in_(part)).values(payload=None, erased_at=now))
    session.execute(
        update(DisclosureRow)
        .filter_by(**mine, erased_at=None)
        .values(code=None, salt=None, proof=None, identity=None, erased_at=now)
    )
    return len(ids)


def closed_for_good(contract_id: int, before: int) -> tuple[ColumnElement[bool], ...]:
    """That an order closed before this Unix second of the chain, in blocks that are not expected to change any more."""
    final = select(CheckpointRow.final_number).where(CheckpointRow.contract_id == contract_id).scalar_subquery()
    return OrderRow.state == State.Closed, OrderRow.closed_at < before, OrderRow.last_block <= final


def orders_to_erase(session: Session, contract_id: int, closed_before: int, *, limit: int = 100) -> Sequence[str]:
    """Orders that were closed for good before this Unix second of the chain and whose codes are still here."""
    query = (
        select(DeliveryRow.order_id)
        .join(OrderRow, (OrderRow.contract_id == DeliveryRow.contract_id) & (OrderRow.order_id == DeliveryRow.order_id))
        .where(
            DeliveryRow.contract_id == contract_id,
            DeliveryRow.erased_at.is_(None),
            *closed_for_good(contract_id, closed_before),
        )
    )
    return session.scalars(query.distinct().limit(limit)).all()


# -------------------------------------------------------------------------------------------------------- fingerprints


def keep_fingerprints(session: Session, delivery_id: str, key_id: str, fingerprints: Sequence[bytes]) -> None:
    """Keeps the fingerprints of a delivery's units, unit 1 first."""
    rows = [
        {"delivery_id": delivery_id, "unit": unit, "key_id": key_id, "fingerprint": fingerprint.hex()}
        for unit, fingerprint in enumerate(fingerprints, 1)
    ]
    if rows:
        session.execute(sql_insert(FingerprintRow), rows)


def sightings(
    session: Session, contract_id: int, order_id: str, fingerprints: Mapping[str, Sequence[bytes]]
) -> list[Sighting]:
    """Which units have codes that were delivered in another order, or are stored for one that is open; by unit.

    An order that ended before it was delivered counts for nothing: nobody has read its codes.

    Args:
        fingerprints: of the units, unit 1 first, by the id of the key that made them.
    """
    found: dict[int, Sighting] = {}
    for key_id, prints in fingerprints.items():
        units: dict[str, list[int]] = {}
        for unit, fingerprint in enumerate(prints, 1):
            units.setdefault(fingerprint.hex(), []).append(unit)
        for part in parts(list(units)):
            for fingerprint_hex, other, seller, stored_at in session.execute(
                select(FingerprintRow.fingerprint, OrderRow.order_id, OrderRow.seller, DeliveryRow.stored_at)
                .join(DeliveryRow, DeliveryRow.id == FingerprintRow.delivery_id)
                .join(
                    OrderRow,
                    (OrderRow.contract_id == DeliveryRow.contract_id) & (OrderRow.order_id == DeliveryRow.order_id),
                )
                .where(
                    FingerprintRow.key_id == key_id,
                    FingerprintRow.fingerprint.in_(part),
                    DeliveryRow.contract_id == contract_id,
                    DeliveryRow.order_id != order_id,
                    OrderRow.delivered_at.is_not(None) | OrderRow.deadline.is_not(None),
                )
                .order_by(DeliveryRow.stored_at)
            ):
                for unit in units[fingerprint_hex]:
                    found.setdefault(unit, Sighting(unit=unit, order_id=other, seller=seller, stored_at=stored_at))
    return [found[unit] for unit in sorted(found)]


def drop_fingerprints(session: Session, key_ids: Collection[str]) -> None:
    """Erases what keys made that nobody has any more: nothing can be compared with it."""
    session.execute(delete(FingerprintRow).where(FingerprintRow.key_id.not_in(key_ids)))


# --------------------------------------------------------------------------------------------------------- disclosures


def add_disclosure(
    session: Session,
    *,
    contract_id: int,
    order_id: str,
    account: str,
    payload_hash: str,
    now: int,
    unit: int | None = None,
    code: str | None = None,
    salt: str | None = None,
    proof: list[str] | None = None,
    identity: str | None = None,
    commitment: str | None = None,
    flaw: str | None = None,
) -> DisclosureRow:
    """Keeps what a party showed: a unit with code, salt and proof, or the identity of the whole. The same unit shown by
    the same account again takes the earlier one's place.
    """
    mine = {"contract_id": contract_id, "order_id": order_id, "account": account, "unit": unit}
    take_turn(session.connection())  # one after the other, or the same unit would be there twice
    found = session.scalar(select(DisclosureRow).filter_by(**mine, payload_hash=payload_hash, erased_at=None))
    if found is None:
        found = DisclosureRow(id=new_id("dsc"), **mine, payload_hash=payload_hash, disclosed_at=now)
        session.add(found)
    found.code, found.salt, found.proof, found.identity = code, salt, proof, identity
    found.commitment, found.flaw = commitment, flaw
    session.flush()
    return found


def disclosures_of(session: Session, contract_id: int, order_id: str) -> Sequence[DisclosureRow]:
    """What was disclosed of an order, oldest first."""
    query = select(DisclosureRow).filter_by(contract_id=contract_id, order_id=order_id)
    return session.scalars(query.order_by(DisclosureRow.disclosed_at, DisclosureRow.id)).all()
