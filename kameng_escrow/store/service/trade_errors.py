"""What trading refuses; each class says what to do.

TradeError
├── UnknownListing, UnknownQuote   there is nothing of that name, or nothing for who asks
├── ListingNotOpen                 it is not published, not accepted by its platform, or its policy takes no orders
├── ListingChanged                 somebody changed it meanwhile: read it again
├── ListingFixed                   a listing that was withdrawn, or has another policy or token, can't become that
├── SoldOut                        fewer units are left than were asked for
├── UnitsOutOfBounds               the listing sells other numbers of units at once
├── BuyerCapReached                the listing sells no more to one buyer
├── TooManyQuotes                  the buyer has that many live quotes on the listing already: pay or let one lapse
├── StockCommitted                 units that are held for quotes and orders can't be taken off the shelf
├── NotYours                       somebody else has to do this
└── QuoteOver                      the quote has lapsed, or its order was opened: ask for another
"""

from typing import Any

from kameng_escrow.errors import EscrowError


class TradeError(EscrowError):
    """The root of what trading refuses. Nothing was changed. `fields` are for machines."""

    code = "trade_error"

    def __init__(self, message: str, message_zh: str, **fields: Any) -> None:
        super().__init__(message)
        self.message_zh = message_zh
        self.fields = fields


class UnknownListing(TradeError):
    """There is no such listing, or it is not for who asks."""

    code = "unknown_listing"

    def __init__(self, listing_id: str) -> None:
        super().__init__(
            f"There is no listing {listing_id} for you: look at the list.",
            f"没有可供你查看的商品 {listing_id}：请查看列表。",
            listing_id=listing_id,
        )


class UnknownQuote(TradeError):
    """There is no such quote, or it is not for who asks."""

    code = "unknown_quote"

    def __init__(self, quote_id: str) -> None:
        super().__init__(
            f"There is no quote {quote_id} for you: ask for one.",
            f"没有可供你查看的询价单 {quote_id}：请重新询价。",
            quote_id=quote_id,
        )


class ListingNotOpen(TradeError):
    """The listing takes no orders now."""

    code = "listing_not_open"

    def __init__(self, listing_id: str, reason: str, reason_zh: str) -> None:
        super().__init__(
            f"Listing {listing_id} takes no orders: {reason}.",
            f"商品 {listing_id} 现在不接受下单：{reason_zh}。",
            listing_id=listing_id,
        )


class ListingChanged(TradeError):
    """The listing is at another revision than the change was made for."""

    code = "listing_changed"

    def __init__(self, listing_id: str, expected: int, current: int) -> None:
        super().__init__(
            f"Listing {listing_id} is at revision {current}, not {expected}: read it again, then change it.",
            f"商品 {listing_id} 已是第 {current} 版，而不是第 {expected} 版：请重新读取后再改。",
            listing_id=listing_id,
            expected=expected,
            current=current,
        )


class ListingFixed(TradeError):
    """What was asked of the listing can't become of it any more."""

    code = "listing_fixed"


class SoldOut(TradeError):
    """Fewer units are left than were asked for."""

    code = "sold_out"

    def __init__(self, *, wanted: int, available: int) -> None:
        super().__init__(
            f"{wanted} units were asked for, and {available} are left: ask for fewer, or try again later, since units "
            "that are held for others come back when they don't pay.",
            f"需要 {wanted} 件，只剩 {available} 件：请减少数量，或稍后再试（为他人暂留的，若未付款会放回）。",
            wanted=wanted,
            available=available,
        )


class UnitsOutOfBounds(TradeError):
    """The listing does not sell that many units at once."""

    code = "units_out_of_bounds"

    def __init__(self, units: int, least: int, most: int) -> None:
        super().__init__(
            f"{units} units were asked for: an order of this listing has from {least} to {most}.",
            f"需要 {units} 件：这个商品每单 {least} 到 {most} 件。",
            units=units,
            min=least,
            max=most,
        )


class BuyerCapReached(TradeError):
    """The listing sells no more to one buyer."""

    code = "buyer_cap_reached"

    def __init__(self, *, cap: int, had: int, wanted: int) -> None:
        super().__init__(
            f"This listing sells {cap} units to one buyer, who has {had} already and asked for {wanted} more.",
            f"这个商品每位买家限购 {cap} 件：已有 {had} 件，又要 {wanted} 件。",
            cap=cap,
            had=had,
            wanted=wanted,
        )


class TooManyQuotes(TradeError):
    """The buyer has many live quotes on the listing already."""

    code = "too_many_quotes"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The buyer has {limit} live quotes on this listing, for which units are held: pay one, or let it lapse.",
            f"买家在这个商品上已有 {limit} 个有效询价单，且已暂留货品：请先付款，或等其失效。",
            limit=limit,
        )


class StockCommitted(TradeError):
    """Units that are held for quotes and orders can't be taken off the shelf."""

    code = "stock_committed"

    def __init__(self, *, available: int, wanted: int) -> None:
        super().__init__(
            f"{wanted} units can't be taken off: {available} are free, the others are held for quotes and orders.",
            f"不能下架 {wanted} 件：只有 {available} 件空闲，其余已为询价单和订单保留。",
            available=available,
            wanted=wanted,
        )


class QuoteOver(TradeError):
    """The quote has lapsed, or its order was opened already."""

    code = "quote_over"

    def __init__(self, quote_id: str, reason: str, reason_zh: str) -> None:
        super().__init__(
            f"Quote {quote_id} is over: {reason}. Ask for another.",
            f"询价单 {quote_id} 已结束：{reason_zh}。请重新询价。",
            quote_id=quote_id,
        )


class NotYours(TradeError):
    """Somebody else has to do this: the seller, an operator of its, or the platform."""

    code = "not_yours"

    def __init__(self, account: str, who: str, who_zh: str) -> None:
        super().__init__(
            f"{account} may not do this, only {who} may: use that account.",
            f"{account} 不能做这件事，只有{who_zh}可以：请换用该账户。",
            account=account,
        )
