"""Which units are whose: held for a quote, reserved for an order, spent, or free.

Every quote has one hold. While nobody has opened its order, the units are held until the quote and its offers have run
out. From the opening on the hold is a function of where the mirrored order stands, and of nothing before: whoever
follows the outbox works it out anew, so that a reorganisation undoes exactly what it took away.

A quote's terms stay valid on the chain until `open_by`, also after its units went back on the shelf. An order that is
opened so late takes free units if there are any. If not it is *short*: its hold is there, unbacked, and gets the next
units that come free, before anybody is quoted them. Its seller may decline it at no cost while it is Opened; with an
offer, which alone opens an order as Accepted, units are held as long as the offer lives.

Whoever changes holds locks the listing's stock row first, so that there is one order of things for each listing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.states import Outcome, State

from ..engine import take_turn
from ..loading import parts
from ..models import CheckpointRow, OrderRow, OutboxRow
from .trade_errors import BuyerCapReached, SoldOut, StockCommitted, TooManyQuotes, UnknownListing
from .trade_rows import COUNTED, Hold, ListingRow, QuoteRow, StockCursorRow, StockRow

LIVE_QUOTES = 3  # of one buyer on one listing, at once
LARGEST_STOCK = 10**9
_WAITING = (Hold.Held, Hold.Reserved)  # for units, where they are short


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The two clocks that holds go by."""

    clock: int  # Unix seconds of our own
    seen: int  # of the last block that the mirror has come to


def now_of(session: Session, contract_id: int, clock: int) -> Now:
    """Our clock, and the chain's as far as the mirror knows it. Read it before the orders that are held against it."""
    seen = session.scalar(select(CheckpointRow.seen_at).where(CheckpointRow.contract_id == contract_id))
    return Now(clock=clock, seen=seen or 0)


# ------------------------------------------------------------------------------------------------- what a hold is for


def hold_of(quote: QuoteRow, order: OrderRow | None, now: Now) -> Hold:
    """What the units of a quote are for, as its order stands."""
    if order is None or order.state is State.Nothing:
        return Hold.Held if is_live(quote, now) else Hold.Released
    if order.state in (State.Opened, State.Accepted):
        return Hold.Reserved
    if order.state is not State.Closed or order.delivered_at is not None:
        return Hold.Spent  # a code that was sent stays sent, whoever gets the money
    return Hold.Spent if _was_handed_over(order) else Hold.Released


def _was_handed_over(order: OrderRow) -> bool:
    """Whether an order that ended before it was delivered on the chain was, for all we know, delivered elsewhere: the
    buyer confirmed it, or agreed that the seller gets something.
    """
    if order.outcome is Outcome.Agreed:
        return bool(order.shares_to_seller)
    return order.outcome is Outcome.Confirmed


def is_live(quote: QuoteRow, now: Now) -> bool:
    """Whether a quote that nobody has paid may still be: it has not run out, or has an offer that has not.

    Offers run out by the chain's clock: once a block as late as the expiry is mirrored, every block that could have
    opened the order with the offer is, too.
    """
    return now.clock < quote.expires_at or (quote.offer_expiry is not None and now.seen < quote.offer_expiry)


# ---------------------------------------------------------------------------------------------------------- the stock


def lock_stock(session: Session, listing_id: str) -> StockRow:
    """The stock, which nobody else changes until the transaction ends. Raises `UnknownListing`."""
    row = session.get(StockRow, listing_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise UnknownListing(listing_id)
    return row


def set_available(session: Session, listing_id: str, available: int, now: Now) -> StockRow:
    """Puts units on the shelf or takes free ones off, until so many are free. Orders that are short get theirs first.

    Raises:
        UnknownListing: there is no such listing.
    """
    stock = lock_stock(session, listing_id)
    _release_lapsed(session, stock, now)
    stock.stocked += available - stock.available
    stock.available = available
    _back(session, stock)
    session.flush()
    return stock


def change_stock(session: Session, listing_id: str, by: int, now: Now) -> StockRow:
    """Puts `by` units more on the shelf; a negative number takes free ones off.

    Raises:
        UnknownListing: there is no such listing.
        StockCommitted: fewer are free.
    """
    stock = lock_stock(session, listing_id)
    _release_lapsed(session, stock, now)
    if stock.available + by < 0:
        raise StockCommitted(available=stock.available, wanted=-by)
    stock.stocked += by
    stock.available += by
    _back(session, stock)
    session.flush()
    return stock


def hold_units(session: Session, listing: ListingRow, quote: QuoteRow, now: Now) -> None:
    """Holds units for a new quote, which is added to the session.

    Raises:
        SoldOut, BuyerCapReached, TooManyQuotes: nothing was changed; roll back.
    """
    stock = lock_stock(session, listing.id)
    _release_lapsed(session, stock, now)
    _back(session, stock)
    _check_buyer(session, listing, quote)
    if stock.available < quote.units:
        raise SoldOut(wanted=quote.units, available=stock.available)
    quote.hold, quote.backed = Hold.Released, False
    session.add(quote)
    _move(stock, quote, Hold.Held)
    session.flush()


def _check_buyer(session: Session, listing: ListingRow, quote: QuoteRow) -> None:
    """By every name that a buyer has here. Names are cheap: see the manual for what this can't do.

    Anybody can write another's name into a quote. That counts against whoever does, and never against the other: what
    the refund address bought itself is counted, and what was bought with a delivery key unless it is the buyer's first.
    """
    same: ColumnElement[bool] = QuoteRow.buyer.in_({quote.buyer, quote.refund_to})
    with_key = (QuoteRow.listing_id == listing.id) & (QuoteRow.delivery_key == quote.delivery_key)
    first = session.scalar(select(QuoteRow.buyer).where(with_key).order_by(QuoteRow.id).limit(1))
    if first not in (None, quote.buyer):  # the key is somebody else's
        same = same | with_key
    query = select(QuoteRow.hold, func.count(), func.sum(QuoteRow.units)).where(
        QuoteRow.listing_id == listing.id, QuoteRow.hold != Hold.Released, same
    )
    rows = session.execute(query.group_by(QuoteRow.hold)).all()
    if sum(count for hold, count, _ in rows if hold is Hold.Held) >= LIVE_QUOTES:
        raise TooManyQuotes(LIVE_QUOTES)
    had = sum(int(units) for _, _, units in rows)
    if listing.buyer_cap is not None and had + quote.units > listing.buyer_cap:
        raise BuyerCapReached(cap=listing.buyer_cap, had=had, wanted=quote.units)


def extend_hold(session: Session, quote: QuoteRow, offer_expiry: int) -> None:
    """An offer was made for a quote whose stock is locked: its units are held at least as long."""
    quote.offer_expiry = max(quote.offer_expiry or 0, offer_expiry)
    session.flush()


def give_up(session: Session, quote: QuoteRow, now: Now) -> None:
    """Lets a quote lapse at once, if nobody has opened its order and it has no live offer. The stock is locked."""
    quote.expires_at = min(quote.expires_at, now.clock)
    _settle(session, lock_stock(session, quote.listing_id), [quote], now)
    session.flush()


# ------------------------------------------------------------------------------------------------------ following on


def follow(session: Session, contract_id: int, clock: int, *, limit: int = 1_000) -> int:
    """Brings holds up to date with the outbox, from where it was left; returns how many rows were read.

    Cursor and holds commit together. One process at a time: see `Leadership`.
    """
    now = now_of(session, contract_id, clock)
    cursor = session.get(StockCursorRow, contract_id)
    if cursor is None:
        take_turn(session.connection())  # of several that begin, one does
        cursor = session.get(StockCursorRow, contract_id)
        if cursor is None:
            return _begin(session, contract_id, now)
    query = (
        select(OutboxRow.id, OutboxRow.order_id)
        .where(OutboxRow.contract_id == contract_id, OutboxRow.id > cursor.outbox_id)
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    news = session.execute(query).all()
    if news:
        refresh(session, contract_id, {order_id for _, order_id in news}, now)
        cursor.outbox_id = news[-1].id
    session.flush()
    return len(news)


def _begin(session: Session, contract_id: int, now: Now) -> int:
    """The first time: what was said so far is in the orders already."""
    last = session.scalar(select(func.max(OutboxRow.id)).where(OutboxRow.contract_id == contract_id)) or 0
    session.add(StockCursorRow(contract_id=contract_id, outbox_id=last))
    refresh(session, contract_id, session.scalars(select(QuoteRow.order_id).filter_by(contract_id=contract_id)), now)
    return 0


def lapse(session: Session, contract_id: int, clock: int, *, limit: int = 200) -> int:
    """Puts the units of quotes that ran out back on the shelf; returns how many quotes were looked at."""
    now = now_of(session, contract_id, clock)
    query = (
        select(QuoteRow.order_id)
        .where(QuoteRow.contract_id == contract_id, QuoteRow.hold == Hold.Held, QuoteRow.expires_at <= now.clock)
        .where(or_(QuoteRow.offer_expiry.is_(None), QuoteRow.offer_expiry <= now.seen))
        .order_by(QuoteRow.expires_at)
        .limit(limit)
    )
    over = set(session.scalars(query))
    refresh(session, contract_id, over, now)
    return len(over)


def refresh(session: Session, contract_id: int, order_ids: Iterable[str], now: Now) -> None:
    """Works the holds of these orders out anew, as far as they are of quotes."""
    listings: set[str] = set()
    wanted = sorted(order_ids)
    for part in parts(wanted):
        query = select(QuoteRow.listing_id).where(QuoteRow.contract_id == contract_id, QuoteRow.order_id.in_(part))
        listings |= set(session.scalars(query))
    for listing_id in sorted(listings):  # always in this order, so that no two wait for each other
        stock = lock_stock(session, listing_id)
        for part in parts(wanted):
            found = select(QuoteRow).where(QuoteRow.listing_id == listing_id, QuoteRow.order_id.in_(part))
            rows = session.scalars(found.order_by(QuoteRow.id).execution_options(populate_existing=True)).all()
            _settle(session, stock, rows, now)
        _back(session, stock)
    session.flush()


def _release_lapsed(session: Session, stock: StockRow, now: Now) -> None:
    """The stock is locked: quotes on it that ran out since somebody last looked give their units back."""
    query = (
        select(QuoteRow)
        .where(QuoteRow.listing_id == stock.listing_id, QuoteRow.hold == Hold.Held, QuoteRow.expires_at <= now.clock)
        .order_by(QuoteRow.id)
        .execution_options(populate_existing=True)
    )
    _settle(session, stock, session.scalars(query).all(), now)


def _settle(session: Session, stock: StockRow, quotes: Iterable[QuoteRow], now: Now) -> None:
    """Gives every quote the hold that it should have. First those that give units back, then those that need some."""
    rows = list(quotes)
    orders = _orders(session, rows)
    moves = [(quote, hold_of(quote, orders.get(quote.order_id), now)) for quote in rows]
    for quote, hold in sorted(moves, key=lambda move: (move[1] is not Hold.Released, move[0].id)):
        if quote.hold is not hold:
            _move(stock, quote, hold)
    session.flush()


def _orders(session: Session, quotes: Iterable[QuoteRow]) -> dict[str, OrderRow]:
    found: dict[str, OrderRow] = {}
    by_contract: dict[int, list[str]] = {}
    for quote in quotes:
        by_contract.setdefault(quote.contract_id, []).append(quote.order_id)
    for contract_id, order_ids in by_contract.items():
        for part in parts(sorted(order_ids)):
            query = select(OrderRow).where(OrderRow.contract_id == contract_id, OrderRow.order_id.in_(part))
            rows = session.scalars(query.execution_options(populate_existing=True))
            found |= {row.order_id: row for row in rows}
    return found


def _back(session: Session, stock: StockRow) -> None:
    """Gives free units to those that are short, the earliest quote first; who is first and needs more waits, and lets
    nobody smaller past.
    """
    if stock.available == 0:
        return
    query = select(QuoteRow).where(
        QuoteRow.listing_id == stock.listing_id, QuoteRow.hold.in_(_WAITING), QuoteRow.backed.is_(False)
    )
    for quote in session.scalars(query.order_by(QuoteRow.id).execution_options(populate_existing=True)):
        if stock.available < quote.units:
            return
        _take(stock, quote)


def _move(stock: StockRow, quote: QuoteRow, to: Hold) -> None:
    """Gives a quote another hold, and moves its units, if it has any. One that had none gets free ones now, if there
    are; nothing is counted that is not there. What was delivered while it was short came from elsewhere.
    """
    before, quote.hold = quote.hold, to
    if quote.backed:
        _count(stock, before, -quote.units)
        if to is Hold.Released:
            stock.available += quote.units
            quote.backed = False
        else:
            _count(stock, to, quote.units)
    elif to in _WAITING or (to is Hold.Spent and before is Hold.Released):
        _take(stock, quote)


def _take(stock: StockRow, quote: QuoteRow) -> None:
    if stock.available >= quote.units:
        quote.backed = True
        stock.available -= quote.units
        _count(stock, quote.hold, quote.units)


def _count(stock: StockRow, hold: Hold, units: int) -> None:
    name = COUNTED[hold]
    setattr(stock, name, getattr(stock, name) + units)
