"""What sellers offer: written, shown, searched."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from kameng_escrow.domain.categories import check_category
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.inputs import NumberOutOfRange, check_address, check_uint
from kameng_escrow.domain.listing import MAX_DECIMALS, MAX_DESCRIPTION, MAX_SYMBOL, MAX_TITLE
from kameng_escrow.domain.plain_text import clean_text
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusals import InvalidAddress, PriceOutOfRange
from kameng_escrow.domain.terms import MAX_PRICE, MAX_UNITS

from ..errors import InvalidCursor
from ..models import PayToRow, PolicyRow
from ..unless_there import insert_unless_there
from .ids import is_id, new_id
from .inventory import LARGEST_STOCK
from .trade_errors import ListingChanged, ListingFixed, ListingNotOpen, UnknownListing
from .trade_rows import REASON_LENGTH, Acceptance, DeskRow, ListingRow, ListingState, QuoteRow, StockRow

LARGEST_PAGE = 100
MAX_WORDS = 8  # of a search
MAX_TEXT = 200  # characters
_CURSOR = re.compile(r"(\d{1,39})~(lst_\w{1,30})")
_TOLD = frozenset({"title", "category", "description", "unit_price", "pay_to"})  # what buyers are told of the goods
_REVIEWED = frozenset({"title", "category", "description"})  # what a platform that reviews listings has looked at
_STEPS = {  # from a state to those that it may become
    ListingState.Draft: {ListingState.Published, ListingState.Withdrawn},
    ListingState.Published: {ListingState.Paused, ListingState.Withdrawn},
    ListingState.Paused: {ListingState.Published, ListingState.Withdrawn},
    ListingState.Withdrawn: set(),
}


class ListingSorting(StrEnum):
    """The order of a page."""

    Newest = "newest"
    Cheapest = "cheapest"  # by the price of a unit, in base units: of one token


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFilter:
    """Which listings are looked for. What is None does not matter."""

    text: str | None = None  # words that title or description have, all of them
    category: str | None = None
    seller: str | None = None
    platform: str | None = None
    policy_id: str | None = None
    token: str | None = None
    at_most: int | None = None  # base units for one
    in_stock: bool = False
    states: frozenset[ListingState] | None = frozenset({ListingState.Published})
    acceptances: frozenset[Acceptance] | None = frozenset({Acceptance.Accepted})
    sorting: ListingSorting = ListingSorting.Newest


@dataclass(frozen=True, slots=True)
class ListingPage:
    """A part of a list, with the stock of each. `cursor` asks for the next one; None: this was the last."""

    listings: Sequence[tuple[ListingRow, StockRow]]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewListing:
    """A listing that is to be. `check` passes what can be."""

    seller: str
    pay_to: str | None  # None: where the seller registered that operators may let its money go; else to the seller
    policy_id: str
    title: str
    category: str
    description: str
    currency: Currency
    unit_price: int  # base units
    units: int  # free from the start
    min_units: int = 1
    max_units: int = MAX_UNITS
    buyer_cap: int | None = None
    state: ListingState = field(default=ListingState.Draft)


# ------------------------------------------------------------------------------------------------------------ writing


def create_listing(session: Session, contract_id: int, wanted: NewListing, now: int) -> tuple[ListingRow, StockRow]:
    """A new listing with its stock.

    Raises:
        Malformed: a text, a number or an address that can't be one of these.
        PriceOutOfRange: orders of so many units would be too dear.
        InvalidAddress: the seller can't sell, or be paid, so.
        ListingNotOpen: there is no such policy, or it takes no orders any more.
    """
    policy = _policy(session, contract_id, wanted.policy_id)
    if wanted.state not in (ListingState.Draft, ListingState.Published):
        raise ListingFixed("A new listing is a draft, or published.", "新商品只能是草稿或已发布。")
    check_address(wanted.seller, "seller")
    check_uint(wanted.units, 30, "units")
    check_uint(wanted.currency.decimals, 8, "decimals")
    if wanted.currency.decimals > MAX_DECIMALS:
        raise NumberOutOfRange("decimals", wanted.currency.decimals, 0, MAX_DECIMALS)
    row = ListingRow(
        id=new_id("lst"),
        contract_id=contract_id,
        seller=wanted.seller,
        platform=policy.platform,
        policy_id=policy.policy_id,
        revision=1,
        state=wanted.state,
        acceptance=_first_acceptance(session, contract_id, policy.platform, wanted.seller),
        token=wanted.currency.token,
        symbol=clean_text(wanted.currency.symbol, "symbol", least=1, most=MAX_SYMBOL),
        decimals=wanted.currency.decimals,
        created_at=now,
        updated_at=now,
    )
    names = ("pay_to", "title", "category", "description", "unit_price", "min_units", "max_units", "buyer_cap")
    values = {name: getattr(wanted, name) for name in names}
    if wanted.pay_to is None:
        registered = session.get(PayToRow, (contract_id, wanted.seller))
        values["pay_to"] = wanted.seller if registered is None else registered.pay_to
    _write(row, values)
    stock = StockRow(listing_id=row.id, stocked=wanted.units, available=wanted.units, held=0, reserved=0, spent=0)
    if wanted.units > LARGEST_STOCK:
        raise NumberOutOfRange("units", wanted.units, 0, LARGEST_STOCK)
    session.add(row)
    session.flush()  # the stock's row names it
    session.add(stock)
    session.flush()
    return row, stock


def change_listing(session: Session, row: ListingRow, changes: Mapping[str, Any], now: int) -> None:
    """Changes a listing that was read with a lock. Quotes that were given before keep what they say.

    Args:
        changes: any of title, category, description, unit_price, pay_to, min_units, max_units, buyer_cap, state.

    Raises:
        Malformed, PriceOutOfRange, InvalidAddress: as `create_listing`.
        ListingFixed: it was withdrawn, or can't become of that state.
    """
    if row.state is ListingState.Withdrawn:
        raise ListingFixed("A withdrawn listing can't be changed: make another.", "已撤下的商品不能再改：请新建。")
    told = {name: getattr(row, name) for name in _TOLD}
    state = changes.get("state")
    if state is not None and state is not row.state:
        if state not in _STEPS[row.state]:
            raise ListingFixed(
                f"A listing that is {row.state.label} can't become {state.label}.",
                f"状态为 {row.state.label} 的商品不能变为 {state.label}。",
                state=row.state.label,
            )
        row.state = state
    _write(row, {name: value for name, value in changes.items() if name != "state"})
    changed = {name for name, value in told.items() if getattr(row, name) != value}
    if changed:
        row.revision += 1
    if changed & _REVIEWED:
        row.acceptance = _first_acceptance(session, row.contract_id, row.platform, row.seller)
        row.acceptance_reason = None
    row.updated_at = now
    session.flush()


def decide(session: Session, row: ListingRow, acceptance: Acceptance, reason: str | None, now: int) -> None:
    """What the platform says of a listing that was read with a lock. A refusal has a reason. Raises `Malformed`."""
    refused = acceptance is Acceptance.Refused
    row.acceptance_reason = clean_text(reason or "", "reason", least=1, most=REASON_LENGTH) if refused else None
    row.acceptance = acceptance
    row.updated_at = now
    session.flush()


def set_desk(session: Session, contract_id: int, platform: str, *, reviews: bool, now: int) -> DeskRow:
    """Whether a platform wants to look at listings before they are shown. What is shown already stays."""
    insert_unless_there(session, DeskRow, contract_id=contract_id, platform=platform, reviews=reviews, updated_at=now)
    row = session.get_one(DeskRow, (contract_id, platform), with_for_update=True)
    row.reviews, row.updated_at = reviews, now
    session.flush()
    return row


def desk_of(session: Session, contract_id: int, platform: str) -> bool:
    """Whether the platform looks at listings before they are shown."""
    row = session.get(DeskRow, (contract_id, platform))
    return row is not None and row.reviews


def _first_acceptance(session: Session, contract_id: int, platform: str, seller: str) -> Acceptance:
    waits = seller != platform and desk_of(session, contract_id, platform)
    return Acceptance.Pending if waits else Acceptance.Accepted


def _policy(session: Session, contract_id: int, policy_id: str) -> PolicyRow:
    policy = session.get(PolicyRow, (contract_id, policy_id))
    if policy is None or policy.retired:
        raise ListingNotOpen(
            "of this policy",
            f"policy {policy_id} is not registered here, or retired",
            f"规则 {policy_id} 未登记或已停用",
        )
    return policy


def _write(row: ListingRow, values: Mapping[str, Any]) -> None:
    """Writes values that can be, and no others."""
    for name, value in values.items():
        match name:
            case "title":
                row.title = clean_text(value, "title", least=1, most=MAX_TITLE)
            case "description":
                row.description = clean_text(value, "description", most=MAX_DESCRIPTION, lines=True)
            case "category":
                check_category(value, "category")
                row.category = value
            case "pay_to":
                check_address(value, "pay_to")
                if value in (ZERO_ADDRESS, row.token):
                    raise InvalidAddress(value)
                row.pay_to = value
            case "unit_price":
                check_uint(value, 127, "unit_price")
                row.unit_price = value
            case "min_units" | "max_units":
                check_uint(value, 16, name)
                setattr(row, name, value)
            case "buyer_cap":
                if value is not None:
                    check_uint(value, 30, name)
                row.buyer_cap = value
            case _:
                raise TypeError(f"a listing has no {name} that could be changed")
    if not 0 < row.min_units <= row.max_units:
        raise NumberOutOfRange("min_units", row.min_units, 1, row.max_units)
    if not 0 < row.unit_price <= MAX_PRICE // row.min_units:
        raise PriceOutOfRange(row.unit_price, MAX_PRICE // row.min_units)
    row.haystack = fold(f"{row.title}\n{row.description}")


def fold(text: str) -> str:
    """As texts are compared in a search."""
    return " ".join(text.casefold().split())


# ------------------------------------------------------------------------------------------------------------ reading


def listing(session: Session, contract_id: int, listing_id: str, *, lock: bool = False) -> ListingRow:
    """A listing. Raises `UnknownListing`."""
    if not is_id(listing_id, "lst"):
        raise UnknownListing(listing_id[:40])
    # Not the key: a quote that names the listing holds its stock, and must not wait for who waits for that.
    held = {"key_share": True} if lock else None
    row = session.get(ListingRow, listing_id, with_for_update=held, populate_existing=lock)
    if row is None or row.contract_id != contract_id:
        raise UnknownListing(listing_id)
    return row


def expect_revision(row: ListingRow, revision: int | None) -> None:
    """Raises `ListingChanged` where the listing is at another revision than `revision`; None: any will do."""
    if revision is not None and revision != row.revision:
        raise ListingChanged(row.id, revision, row.revision)


def stock_of(session: Session, listing_id: str) -> StockRow:
    """The stock of a listing, as it is now."""
    return session.get_one(StockRow, listing_id)


def listings(
    session: Session, contract_id: int, wanted: ListingFilter, *, limit: int = 50, cursor: str | None = None
) -> ListingPage:
    """Listings, a page at a time. Those made meanwhile don't shift the pages.

    Raises:
        InvalidCursor: no page gave it out.
        Malformed: nothing could have such words or such a category.
        ValueError: the limit is out of range.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} listings, not {limit}")
    query = select(ListingRow, StockRow).join(StockRow, StockRow.listing_id == ListingRow.id)
    query = query.where(ListingRow.contract_id == contract_id, *_conditions(wanted))
    after = None if cursor is None else _parse(cursor, wanted.sorting)
    if wanted.sorting is ListingSorting.Cheapest:
        query = query.order_by(ListingRow.unit_price, ListingRow.id)
        if after is not None:
            price, last = after
            query = query.where(
                or_(ListingRow.unit_price > price, and_(ListingRow.unit_price == price, ListingRow.id > last))
            )
    else:
        query = query.order_by(ListingRow.id.desc())
        if after is not None:
            query = query.where(ListingRow.id < after[1])
    rows = [(row, stock) for row, stock in session.execute(query.limit(limit + 1))]
    page = rows[:limit]
    more = len(rows) > limit
    return ListingPage(page, _cursor(page[-1][0], wanted.sorting) if more else None)


def categories_of(session: Session, contract_id: int, order_ids: Collection[str]) -> dict[str, str]:
    """The categories of the listings that these orders were quoted from; orders without one are left out.

    `order_ids`: some hundreds at once.
    """
    query = (
        select(QuoteRow.order_id, ListingRow.category)
        .join(ListingRow, ListingRow.id == QuoteRow.listing_id)
        .where(QuoteRow.contract_id == contract_id, QuoteRow.order_id.in_(order_ids))
    )
    return {row.order_id: row.category for row in session.execute(query)}


def _conditions(wanted: ListingFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.category is not None:
        check_category(wanted.category, "category")
    for name in ("category", "seller", "platform", "policy_id", "token"):
        if (value := getattr(wanted, name)) is not None:
            found.append(getattr(ListingRow, name) == value)
    if wanted.states is not None:
        found.append(ListingRow.state.in_(sorted(wanted.states)))
    if wanted.acceptances is not None:
        found.append(ListingRow.acceptance.in_(sorted(wanted.acceptances)))
    if wanted.at_most is not None:
        found.append(ListingRow.unit_price <= wanted.at_most)
    if wanted.in_stock:
        found.append(StockRow.available >= ListingRow.min_units)
    words = fold(clean_text(wanted.text or "", "text", most=MAX_TEXT)).split()
    found += [ListingRow.haystack.contains(word, autoescape=True) for word in words[:MAX_WORDS]]
    return found


def _cursor(row: ListingRow, sorting: ListingSorting) -> str:
    return f"{row.unit_price}~{row.id}" if sorting is ListingSorting.Cheapest else f"0~{row.id}"


def _parse(cursor: str, sorting: ListingSorting) -> tuple[int, str]:
    match = _CURSOR.fullmatch(cursor)
    if match is None or (sorting is ListingSorting.Newest and match[1] != "0") or not cursor.isascii():
        raise InvalidCursor(f"{cursor[:60]!r} is no cursor of a page: take the one that the page before gave.")
    return int(match[1]), match[2]
