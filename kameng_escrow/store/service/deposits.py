"""Deposit addresses that are watched: what a transfer there pays for, and what opens the order once it has come."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, func, select, text, true, tuple_
from sqlalchemy.orm import Mapped, Session, mapped_column

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.signed import Offer
from kameng_escrow.errors import EscrowError
from kameng_escrow.store.event_json import terms_from_json, terms_to_json
from kameng_escrow.store.models import BALANCE_DIGITS, Base
from kameng_escrow.store.types import Address, Amount, Hash, Json
from kameng_escrow.store.unless_there import insert_unless_there

_WATCHED = text("watched")


class DepositRow(Base):
    """An order that is paid by a plain transfer to its deposit address."""

    __tablename__ = "deposits"
    __table_args__ = (
        Index(None, "contract_id", "look_ms", sqlite_where=_WATCHED, postgresql_where=_WATCHED),
        Index(None, "account", "created_ms"),
    )

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"), primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(Hash(), primary_key=True)
    address: Mapped[str] = mapped_column(Address())
    terms: Mapped[dict[str, Any]] = mapped_column(Json())
    platform: Mapped[str] = mapped_column(Address())  # whose budget opens it
    account: Mapped[str] = mapped_column(Address())  # who had it watched
    offer_expiry: Mapped[int | None] = mapped_column(BigInteger)  # Unix seconds; NULL, as below: without an offer
    offer_operator: Mapped[str | None] = mapped_column(Address())
    offer_signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    buyer_signature: Mapped[bytes | None] = mapped_column(LargeBinary)  # of the order's id
    created_ms: Mapped[int] = mapped_column(BigInteger)  # Unix milliseconds of our clock, likewise below
    watched: Mapped[bool]
    look_ms: Mapped[int] = mapped_column(BigInteger)  # not before
    balance: Mapped[int] = mapped_column(Amount(BALANCE_DIGITS))  # of the order's token, at the last look
    confirmed: Mapped[int] = mapped_column(Amount(BALANCE_DIGITS))  # likewise, under as many blocks as it takes
    sweeps: Mapped[int]  # that the watcher has had sent back
    failures: Mapped[int]  # to open it, in a row
    code: Mapped[str | None] = mapped_column(String(64))  # of what keeps it from being opened
    reason: Mapped[str | None] = mapped_column(Text)
    reason_zh: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedDeposit:
    """A deposit address, what it is for, and what has come there. Amounts in base units of the order's token."""

    order_id: str
    address: str
    terms: OrderTerms
    platform: str
    account: str
    offer: Offer | None
    signature: bytes  # the buyer's, of the order's id; empty: there is none
    created_ms: int  # Unix milliseconds of our clock
    watched: bool
    look_ms: int  # not before, likewise
    balance: int
    confirmed: int
    sweeps: int
    failures: int
    code: str | None
    reason: str | None
    reason_zh: str | None


def watch(
    session: Session,
    contract_id: int,
    order_id: str,
    *,
    address: str,
    terms: OrderTerms,
    platform: str,
    account: str,
    offer: Offer | None,
    signature: bytes,
    now_ms: int,
) -> WatchedDeposit:
    """Has an address watched from now on. What was registered before stays, with the offer and the signature that are
    newer, where there are.
    """
    insert_unless_there(
        session,
        DepositRow,
        contract_id=contract_id,
        order_id=order_id,
        address=address,
        terms=terms_to_json(terms),
        platform=platform,
        account=account,
        created_ms=now_ms,
        watched=True,
        look_ms=now_ms,
        balance=0,
        confirmed=0,
        sweeps=0,
        failures=0,
    )
    row = session.get_one(DepositRow, (contract_id, order_id), with_for_update=True)
    if offer is not None:
        row.offer_expiry, row.offer_operator, row.offer_signature = offer.expiry, offer.operator, offer.signature
    if signature:
        row.buyer_signature = signature
    row.watched, row.look_ms, row.failures = True, now_ms, 0
    session.flush()
    return _deposit(row)


def deposit(session: Session, contract_id: int, order_id: str) -> WatchedDeposit | None:
    """One of them."""
    row = session.get(DepositRow, (contract_id, order_id))
    return None if row is None else _deposit(row)


def to_look_at(
    session: Session, contract_id: int, now_ms: int, limit: int, after: WatchedDeposit | None = None
) -> list[WatchedDeposit]:
    """The addresses that are to be looked at, those first that have waited longest. `after`: the last of the page
    before.
    """
    place = tuple_(DepositRow.look_ms, DepositRow.order_id)
    query = (
        select(DepositRow)
        .filter_by(contract_id=contract_id)
        .where(DepositRow.watched.is_(true()), DepositRow.look_ms <= now_ms)
        .order_by(DepositRow.look_ms, DepositRow.order_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(place > tuple_(after.look_ms, after.order_id))
    return [_deposit(row) for row in session.scalars(query)]


def seen(
    session: Session, contract_id: int, order_id: str, *, balance: int, confirmed: int, look_ms: int, watched: bool
) -> None:
    """Writes down what was there, and when to look again."""
    row = session.get_one(DepositRow, (contract_id, order_id))
    row.balance, row.confirmed, row.look_ms, row.watched = balance, confirmed, look_ms, watched


def acted(session: Session, contract_id: int, order_id: str, *, swept: bool) -> None:
    """A relay is under way for it."""
    row = session.get_one(DepositRow, (contract_id, order_id))
    row.sweeps += swept
    row.code = row.reason = row.reason_zh = None


def kept(session: Session, contract_id: int, order_id: str, error: EscrowError, *, look_ms: int) -> None:
    """Writes down what keeps it from being opened or swept, and when to try again."""
    row = session.get_one(DepositRow, (contract_id, order_id))
    row.code, row.reason = error.code, error.message
    row.reason_zh = str(getattr(error, "message_zh", error.message))
    row.look_ms, row.failures = look_ms, row.failures + 1


def watched_since(session: Session, account: str, since_ms: int) -> int:
    """How many addresses an account has had watched since then."""
    query = select(func.count()).select_from(DepositRow).filter_by(account=account)
    return session.scalar(query.where(DepositRow.created_ms >= since_ms)) or 0


def count_watched(session: Session, contract_id: int) -> int:
    """How many addresses are watched."""
    query = select(func.count()).select_from(DepositRow).filter_by(contract_id=contract_id)
    return session.scalar(query.where(DepositRow.watched.is_(true()))) or 0


def _deposit(row: DepositRow) -> WatchedDeposit:
    offer = None
    if row.offer_expiry is not None and row.offer_operator is not None and row.offer_signature is not None:
        offer = Offer(expiry=row.offer_expiry, signature=row.offer_signature, operator=row.offer_operator)
    return WatchedDeposit(
        order_id=row.order_id,
        address=row.address,
        terms=terms_from_json(row.terms),
        platform=row.platform,
        account=row.account,
        offer=offer,
        signature=row.buyer_signature or b"",
        created_ms=row.created_ms,
        watched=row.watched,
        look_ms=row.look_ms,
        balance=row.balance,
        confirmed=row.confirmed,
        sweeps=row.sweeps,
        failures=row.failures,
        code=row.code,
        reason=row.reason,
        reason_zh=row.reason_zh,
    )
