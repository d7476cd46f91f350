"""Where buyers are quoted, and sellers' offers are taken: all that has to be right before anybody pays.

A quote is whole: terms that can be opened as they are, their listing document, and the units held for them. An offer is
checked as the contract is going to check it, so that a buyer's payment does not fail on it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from kameng_escrow.chain.signing import recovered
from kameng_escrow.delivery.sealing import parse_recipient
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.grants import NO_GRANT, require_right
from kameng_escrow.domain.inputs import NumberOutOfRange, check_uint, parse_address, parse_hash
from kameng_escrow.domain.listing import MAX_PLATFORM_ORDER, Goods, check_delivery_key, make_document
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.plain_text import clean_text
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusals import BondShort, Expired, InvalidSignature, WrongRevision
from kameng_escrow.domain.shares import bps
from kameng_escrow.domain.signed import Offer, OperatorGrant
from kameng_escrow.domain.states import Right, State
from kameng_escrow.domain.terms import check_terms
from kameng_escrow.domain.typed_data import Domain, offer_digest, order_id
from kameng_escrow.store import BalanceKind, Store
from kameng_escrow.store.models import BalanceRow, OperatorRow, OrderRow, PayToRow, PolicyRow
from kameng_escrow.store.order_rows import restore_policy
from kameng_escrow.store.service import inventory, listings, quotes
from kameng_escrow.store.service.ids import new_id
from kameng_escrow.store.service.trade_errors import ListingNotOpen, NotYours, QuoteOver, UnitsOutOfBounds
from kameng_escrow.store.service.trade_rows import Acceptance, Hold, ListingRow, ListingState, OfferRow, QuoteRow

QUOTE_SECONDS: Final = 600  # that a quote lives, and its units are held
SHORTEST_OPEN: Final = 60  # seconds that terms may be opened, at least
LONGEST_OPEN: Final = 24 * 60 * 60  # and at most

# Whether a contract wallet takes a signature as its own (ERC-1271): signer, digest, signature. Asks a node.
IsSignedBy = Callable[[str, str, bytes], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants quoted."""

    listing_id: str
    units: int
    buyer: str
    delivery_key: str  # the buyer's age recipient
    nonce: str | None = None  # 32 random bytes, of which the buyer made the key; None: fresh ones
    refund_to: str | None = None  # None: the buyer
    platform_order: str = ""  # the platform's number of the order
    open_seconds: int = QUOTE_SECONDS  # until when the terms may be opened, from now on


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One contract's desk.

    Args:
        store: with the mirror's rows of the contract.
        contract_id: the contract's in the store.
        domain: what its ids and signatures are bound to.
        clock: Unix seconds of this machine.
        is_signed_by: asks the chain about signatures that no key has made.
    """

    store: Store
    contract_id: int
    domain: Domain
    clock: Callable[[], int]
    is_signed_by: IsSignedBy

    # ----------------------------------------------------------------------------------------------------------- quotes

    def quote(self, wish: Wish, account: str) -> QuoteRow:
        """Quotes `units` of a listing to a buyer, and holds them.

        Args:
            wish: what is wanted.
            account: who asks: the buyer, or the platform of the listing's policy for it.

        Raises:
            UnknownListing, ListingNotOpen, UnitsOutOfBounds, SoldOut, BuyerCapReached, TooManyQuotes, NotYours.
            Malformed, InvalidAddress, PriceOutOfRange: what was asked for can't become an order.
            DeliveryKeyUnusable: nothing can be encrypted to the key.
        """
        buyer = parse_address(wish.buyer, "buyer")
        refund_to = buyer if wish.refund_to is None else parse_address(wish.refund_to, "refund_to")
        platform_order = clean_text(wish.platform_order, "platform_order", most=MAX_PLATFORM_ORDER)
        check_delivery_key(wish.delivery_key, "delivery_key")
        parse_recipient(wish.delivery_key)
        check_uint(wish.units, 16, "units")
        if not SHORTEST_OPEN <= wish.open_seconds <= LONGEST_OPEN:
            raise NumberOutOfRange("open_seconds", wish.open_seconds, SHORTEST_OPEN, LONGEST_OPEN)
        with self.store.writing() as session:
            now = inventory.now_of(session, self.contract_id, self.clock())
            listing, policy = self._open_listing(session, wish.listing_id, max(now.clock, now.seen))
            if account not in (buyer, listing.platform):
                raise NotYours(account, f"the buyer {buyer} or the platform", f"买家 {buyer} 或平台")
            if not listing.min_units <= wish.units <= listing.max_units:
                raise UnitsOutOfBounds(wish.units, listing.min_units, listing.max_units)
            open_by = min(max(now.clock, now.seen) + wish.open_seconds, policy.review_by)
            terms = self._terms(listing, wish.units, buyer, refund_to, open_by)
            document = make_document(
                domain=self.domain,
                goods=_goods(listing),
                platform_order=platform_order,
                delivery_key=wish.delivery_key,
                terms=terms,
                policy=restore_policy(policy),
                currency=Currency(listing.token, listing.symbol, listing.decimals),
                nonce="0x" + secrets.token_hex(32) if wish.nonce is None else parse_hash(wish.nonce, "nonce"),
            )
            terms = document.complete(terms.salt)
            row = QuoteRow(
                id=new_id("qte"),
                contract_id=self.contract_id,
                listing_id=listing.id,
                listing_revision=listing.revision,
                order_id=order_id(terms, self.domain),
                account=account,
                seller=listing.seller,
                buyer=buyer,
                refund_to=refund_to,
                delivery_key=wish.delivery_key,
                platform_order=platform_order,
                units=wish.units,
                price=terms.price,
                open_by=open_by,
                terms=quotes.terms_json(terms),
                document=document.to_json(),
                created_at=now.clock,
                expires_at=now.clock + QUOTE_SECONDS,
                offer_expiry=None,
            )
            inventory.hold_units(session, listing, row, now)
            session.expunge(row)
            return row

    def give_up(self, quote_id: str, account: str) -> QuoteRow:
        """Lets a quote lapse, so that its units go back on the shelf. With a live offer they stay until that has run
        out, since the order can still be opened with it.

        Raises:
            UnknownQuote: there is none, or it is not the account's.
        """
        with self.store.writing() as session:
            row = self._own(session, quote_id, account)
            inventory.give_up(session, row, inventory.now_of(session, self.contract_id, self.clock()))
            session.expunge(row)
            return row

    def _own(self, session: Session, quote_id: str, account: str) -> QuoteRow:
        row = quotes.quote(session, self.contract_id, quote_id)
        inventory.lock_stock(session, row.listing_id)
        quotes.again(session, row)
        if account not in (row.account, row.buyer):
            raise NotYours(account, "the buyer or who asked for the quote", "买家或询价人")
        return row

    def _open_listing(self, session: Session, listing_id: str, now: int) -> tuple[ListingRow, PolicyRow]:
        """A listing that takes orders, and its policy."""
        listing = listings.listing(session, self.contract_id, listing_id)
        if listing.state is not ListingState.Published or listing.acceptance is not Acceptance.Accepted:
            raise ListingNotOpen(listing_id, "it is not on sale", "未在售")
        policy = session.get(PolicyRow, (self.contract_id, listing.policy_id))
        if policy is None or policy.retired:
            raise ListingNotOpen(listing_id, "its policy is retired", "其规则已停用")
        if now < policy.effective_from:
            raise ListingNotOpen(listing_id, "its policy is not effective yet", "其规则尚未生效")
        if now + SHORTEST_OPEN > policy.review_by:
            raise ListingNotOpen(listing_id, "its policy is to be reviewed first", "其规则须先复审")
        return listing, policy

    def _terms(self, listing: ListingRow, units: int, buyer: str, refund_to: str, open_by: int) -> OrderTerms:
        terms = OrderTerms(
            buyer=buyer,
            refund_to=refund_to,
            seller=listing.seller,
            pay_to=listing.pay_to,
            token=listing.token,
            price=listing.unit_price * units,
            units=units,
            policy_id=listing.policy_id,
            listing="0x" + "00" * 32,  # which comes of the rest
            open_by=open_by,
            salt="0x" + bytes(24).hex() + secrets.token_hex(8),
        )
        check_terms(terms, self.domain.contract)
        return terms

    # ----------------------------------------------------------------------------------------------------------- offers

    def offer(self, quote_id: str, offer: Offer, account: str) -> OfferRow:
        """Takes a seller's signed offer for a live quote, and holds the units as long as the offer lives.

        Args:
            quote_id: whose order it promises to accept.
            offer: as signed, by the seller or an operator with the right to accept, over the order's revision.
            account: who brings it: one of these two.

        Raises:
            UnknownQuote, QuoteOver, NotYours.
            Expired: the offer is not live any more.
            InvalidSignature: another signed it, or something else.
            NoRight, PriceAboveGrant, PayToNotRegistered: the operator may not accept this order.
            BondShort: the seller's bond balance does not cover this order's and the other offered ones'.
            NodeError: nobody could be asked about a contract wallet's signature.
        """
        check_uint(offer.expiry, 40, "expiry")
        with self.store.reading() as session:
            row = quotes.quote(session, self.contract_id, quote_id)
            terms, revision = quotes.terms_of(row), self.revision_in(session, row)
            self._check_offer(session, row, terms, offer, account)
        signer = terms.seller if offer.operator == ZERO_ADDRESS else offer.operator
        digest = offer_digest(row.order_id, revision=revision, expiry=offer.expiry, domain=self.domain)
        if recovered(digest, offer.signature) != signer and not self.is_signed_by(signer, digest, offer.signature):
            raise InvalidSignature(signer, digest)
        with self.store.writing() as session:
            row = quotes.quote(session, self.contract_id, quote_id)
            inventory.lock_stock(session, row.listing_id)
            quotes.again(session, row)
            self._check_live(row)
            if (current := self.revision_in(session, row)) != revision:
                raise WrongRevision(revision, current)
            until = self._check_offer(session, row, terms, offer, account)
            made = quotes.add_offer(session, row, offer, revision=revision, account=account, now=self.clock())
            inventory.extend_hold(session, row, until)
            session.expunge(made)
            return made

    def _check_live(self, row: QuoteRow) -> None:
        if row.hold is not Hold.Held:
            raise QuoteOver(row.id, "its order was opened, or it lapsed", "其订单已打开，或已失效")
        if self.clock() >= row.expires_at:
            raise QuoteOver(row.id, "its time has run out", "已过期")

    def _check_offer(self, session: Session, row: QuoteRow, terms: OrderTerms, offer: Offer, account: str) -> int:
        """Until when an offer, whoever signed it, can be used to open the order; as far as the mirror can tell."""
        if account not in (row.seller, offer.operator):
            raise NotYours(account, f"the seller {row.seller} or its operator", f"卖家 {row.seller} 或其操作员")
        self._check_live(row)
        clocks = inventory.now_of(session, self.contract_id, self.clock())
        now = max(clocks.clock, clocks.seen)
        if offer.expiry <= now:
            raise Expired(now, offer.expiry)
        until = min(offer.expiry, terms.open_by + 1)
        if offer.operator not in (ZERO_ADDRESS, row.seller):
            grant = self._grant(session, terms, offer.operator)
            registered = session.get(PayToRow, (self.contract_id, terms.seller))
            pay_to = terms.seller if registered is None else registered.pay_to
            require_right(terms, offer.operator, Right.Accept, grant=grant, registered=pay_to, now=now)
            until = min(until, grant.expiry)
        self._check_bond(session, row, terms, now)
        return until

    def _check_bond(self, session: Session, row: QuoteRow, terms: OrderTerms, now: int) -> None:
        """Offers that find no bond revert when they are used: the balance has to be enough for all that may be."""
        policy = session.get(PolicyRow, (self.contract_id, terms.policy_id))
        if policy is None:
            return  # a reorganisation took it for a moment: the contract says
        promised = quotes.promised_bonds(session, self.contract_id, terms.seller, terms.token, clock=now)
        others = sum(self._bond(session, other) for other in promised if other.id != row.id)
        needed = others + bps(terms.price, policy.seller_bond_bps)
        balance = session.get(BalanceRow, (self.contract_id, BalanceKind.Bond, terms.seller, terms.token))
        available = 0 if balance is None else balance.amount
        if available < needed:
            raise BondShort(terms.seller, terms.token, available, needed)

    def _bond(self, session: Session, row: QuoteRow) -> int:
        policy = session.get(PolicyRow, (self.contract_id, row.terms["policy_id"]))
        return 0 if policy is None else bps(row.price, policy.seller_bond_bps)

    def _grant(self, session: Session, terms: OrderTerms, operator: str) -> OperatorGrant:
        row = session.get(OperatorRow, (self.contract_id, terms.seller, operator, terms.token, terms.policy_id))
        if row is None:
            return NO_GRANT
        return OperatorGrant(rights=row.rights, expiry=row.expiry, max_price=row.max_price)

    def revision_in(self, session: Session, row: QuoteRow) -> int:
        """What an offer for a quote has to be bound to: the order's revision, which its seller may raise before anybody
        opens it. Raises `QuoteOver` where somebody has.
        """
        order = session.get(OrderRow, (self.contract_id, row.order_id))
        if order is None:
            return 0
        if order.state is not State.Nothing:
            raise QuoteOver(row.id, "its order was opened", "其订单已打开")
        return order.revision

    def revision(self, row: QuoteRow) -> int:
        """The same, in a session of its own."""
        with self.store.reading() as session:
            return self.revision_in(session, row)


def _goods(listing: ListingRow) -> Goods:
    return Goods(
        id=listing.id,
        revision=listing.revision,
        title=listing.title,
        category=listing.category,
        description=listing.description,
    )
