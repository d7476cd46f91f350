"""What buyers were quoted, and what sellers signed for it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import Right

from ..errors import InvalidCursor
from ..models import OperatorRow
from .ids import is_id, new_id
from .trade_errors import UnknownQuote
from .trade_rows import Hold, ListingRow, OfferRow, QuoteRow

LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class QuotePage:
    """A part of a list. `cursor` asks for the next one; None: this was the last."""

    quotes: Sequence[QuoteRow]
    cursor: str | None


def terms_json(terms: OrderTerms) -> dict[str, Any]:
    """Terms as they are kept: the price as a decimal string."""
    return {**asdict(terms), "price": str(terms.price)}


def terms_of(row: QuoteRow) -> OrderTerms:
    """The terms of a quote."""
    return OrderTerms(**{**row.terms, "price": int(row.terms["price"])})


def offer_of(row: OfferRow) -> Offer:
    """An offer as the contract takes it."""
    return Offer(expiry=row.expiry, signature=row.signature, operator=row.operator)


def quote(session: Session, contract_id: int, quote_id: str) -> QuoteRow:
    """A quote. Raises `UnknownQuote`."""
    row = session.get(QuoteRow, quote_id) if is_id(quote_id, "qte") else None
    if row is None or row.contract_id != contract_id:
        raise UnknownQuote(quote_id[:40])
    return row


def quote_of_order(session: Session, contract_id: int, order_id: str) -> QuoteRow | None:
    """The quote that an order was made with; None: it was made elsewhere."""
    return session.scalar(select(QuoteRow).filter_by(contract_id=contract_id, order_id=order_id))


def again(session: Session, row: QuoteRow) -> None:
    """Reads a quote anew, after its stock was locked."""
    session.refresh(row)


def quotes(
    session: Session,
    contract_id: int,
    account: str,
    *,
    holds: frozenset[Hold] | None = None,
    short: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> QuotePage:
    """The quotes that an account asked for, was given as buyer, or gave as seller; the newest first.

    Args:
        holds: only with one of these holds.
        short: only those whose units the stock does not have.

    Raises:
        InvalidCursor: no page gave it out.
        ValueError: the limit is out of range.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} quotes, not {limit}")
    mine = or_(QuoteRow.account == account, QuoteRow.buyer == account, QuoteRow.seller == account)
    query = select(QuoteRow).where(QuoteRow.contract_id == contract_id, mine).order_by(QuoteRow.id.desc())
    if holds is not None:
        query = query.where(QuoteRow.hold.in_(sorted(holds)))
    if short:
        query = query.where(QuoteRow.backed.is_(False), QuoteRow.hold != Hold.Released)
    if cursor is not None:
        query = query.where(QuoteRow.id < _checked(cursor))
    rows = session.scalars(query.limit(limit + 1)).all()
    page = rows[:limit]
    return QuotePage(page, page[-1].id if len(rows) > limit else None)


def wanting_offers(
    session: Session, contract_id: int, account: str, *, clock: int, after: str | None = None, limit: int = 20
) -> list[QuoteRow]:
    """Live quotes without an offer that an account could make one for, as their seller or as its operator with the
    right to accept; the earliest first. `after`: only those made after this one. Raises `InvalidCursor`.
    """
    granted = exists().where(
        OperatorRow.contract_id == contract_id,
        OperatorRow.seller == QuoteRow.seller,
        OperatorRow.operator == account,
        OperatorRow.token == ListingRow.token,
        OperatorRow.policy_id == ListingRow.policy_id,
        OperatorRow.expiry > clock,
        OperatorRow.rights.bitwise_and(int(Right.Accept)) != 0,
    )
    query = (
        select(QuoteRow)
        .join(ListingRow, ListingRow.id == QuoteRow.listing_id)
        .where(
            QuoteRow.contract_id == contract_id,
            QuoteRow.hold == Hold.Held,
            QuoteRow.offer_expiry.is_(None),
            QuoteRow.expires_at > clock,
            or_(QuoteRow.seller == account, granted),
        )
        .order_by(QuoteRow.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(QuoteRow.id > _checked(after))
    return list(session.scalars(query))


def add_offer(session: Session, row: QuoteRow, offer: Offer, *, revision: int, account: str, now: int) -> OfferRow:
    """Writes down an offer that was verified."""
    made = OfferRow(
        id=new_id("ofr"),
        quote_id=row.id,
        account=account,
        operator=offer.operator,
        revision=revision,
        expiry=offer.expiry,
        signature=offer.signature,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def offers_for(session: Session, quote_id: str) -> Sequence[OfferRow]:
    """The offers for a quote, the latest first."""
    return session.scalars(select(OfferRow).filter_by(quote_id=quote_id).order_by(OfferRow.id.desc())).all()


def promised_bonds(session: Session, contract_id: int, seller: str, token: str, *, clock: int) -> Sequence[QuoteRow]:
    """Quotes of a seller in a token with an offer that may still be used: each will lock a bond."""
    query = select(QuoteRow).where(
        and_(
            QuoteRow.contract_id == contract_id,
            QuoteRow.seller == seller,
            QuoteRow.hold == Hold.Held,
            QuoteRow.offer_expiry > clock,
        )
    )
    return [row for row in session.scalars(query) if _token(row.terms) == token]


def _checked(cursor: str) -> str:
    if not is_id(cursor, "qte"):
        raise InvalidCursor(f"{cursor[:60]!r} is no cursor of a page: take the one that the page before gave.")
    return cursor


def _token(terms: Mapping[str, Any]) -> str:
    return str(terms["token"])
