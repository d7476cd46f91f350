"""Quotes are whole and can be opened as they are; offers are checked as the contract will check them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.signing import sign_offer
from kameng_escrow.delivery.errors import DeliveryKeyUnusable
from kameng_escrow.domain.inputs import Malformed, NumberOutOfRange
from kameng_escrow.domain.listing import ListingMismatch, MalformedDeliveryKey, parse_document, verify_document
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.plain_text import TextUnfit
from kameng_escrow.domain.refusals import (
    BondShort,
    Expired,
    InvalidAddress,
    InvalidSignature,
    NoRight,
    PayToNotRegistered,
    PriceAboveGrant,
    PriceOutOfRange,
    Refusal,
    WrongRevision,
)
from kameng_escrow.domain.signed import Offer
from kameng_escrow.domain.states import Right, State
from kameng_escrow.domain.typed_data import Domain, order_id
from kameng_escrow.store import InvalidCursor, Store
from kameng_escrow.store.models import OperatorRow, PayToRow, PolicyRow
from kameng_escrow.store.service import listings, quotes
from kameng_escrow.store.service.trade_errors import (
    ListingNotOpen,
    NotYours,
    QuoteOver,
    SoldOut,
    UnitsOutOfBounds,
    UnknownListing,
    UnknownQuote,
)
from kameng_escrow.store.service.trade_rows import Acceptance, Hold, ListingState, QuoteRow
from kameng_escrow.trade.desk import QUOTE_SECONDS, Desk
from tests.integration.shelf import BUYER, DOMAIN, KEY, NOW, OTHER, PRICE, STRANGER, Shelf
from tests.unit.histories import PLATFORM, account

KEYS: dict[str, LocalAccount] = {
    name: Account.from_key(bytes([number] * 32)) for number, name in enumerate(("seller", "operator", "stranger"), 1)
}
SELLER, OPERATOR = KEYS["seller"].address, KEYS["operator"].address


@pytest.fixture
def shelf(store: Store) -> Shelf:
    shelf = Shelf(store)
    shelf.bond(10**9, SELLER)
    return shelf


@pytest.fixture
def listing(shelf: Shelf) -> str:
    return shelf.listing(10, seller=SELLER, pay_to=SELLER)


# ------------------------------------------------------------------------------------------------------------- quotes


def test_a_quote_is_whole(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing, 3, refund_to=OTHER, platform_order="P-7", open_seconds=3_600)
    terms = quotes.terms_of(row)
    assert (terms.buyer, terms.refund_to, terms.seller, terms.pay_to) == (BUYER, OTHER, SELLER, SELLER)
    assert (terms.price, terms.units, terms.policy_id) == (3 * PRICE, 3, shelf.policy_id)
    assert terms.open_by == NOW + 3_600
    assert row.order_id == order_id(terms, DOMAIN)
    assert row.expires_at == NOW + QUOTE_SECONDS
    document = parse_document(shelf.row(row.id).document)  # as the database gives it back
    verify_document(document, terms, shelf.policy, DOMAIN)
    assert (document.platform_order, document.delivery_key) == ("P-7", KEY)
    assert (document.goods.id, document.goods.revision, document.goods.title) == (listing, 1, "点卡 100 元")


def test_no_two_quotes_are_the_same_order(shelf: Shelf, listing: str) -> None:
    first, second = (shelf.quote(listing) for _ in range(2))
    assert first.order_id != second.order_id
    assert quotes.terms_of(first).listing != quotes.terms_of(second).listing


def test_a_document_of_another_quote_does_not_pass(shelf: Shelf, listing: str) -> None:
    first, second = (shelf.quote(listing) for _ in range(2))
    with pytest.raises(ListingMismatch):
        verify_document(parse_document(first.document), quotes.terms_of(second), shelf.policy, DOMAIN)


def test_a_quote_keeps_what_it_says_when_the_listing_changes(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing)
    change(shelf, listing, title="点卡 50 元", unit_price=5)
    assert parse_document(shelf.row(row.id).document).goods.title == "点卡 100 元"
    again = shelf.quote(listing)
    assert (again.price, again.listing_revision) == (5, 2)


def test_platforms_quote_for_their_buyers_and_nobody_else_does(shelf: Shelf, listing: str) -> None:
    assert shelf.quote(listing, by=PLATFORM).account == PLATFORM
    for who in (STRANGER, SELLER):
        with pytest.raises(NotYours):
            shelf.quote(listing, by=who)


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"units": 0}, UnitsOutOfBounds),
        ({"units": 11}, SoldOut),
        ({"units": -1}, NumberOutOfRange),
        ({"buyer": SELLER}, InvalidAddress),
        ({"buyer": "0x12"}, Malformed),
        ({"refund_to": "0x" + "00" * 20}, InvalidAddress),
        ({"refund_to": DOMAIN.contract}, InvalidAddress),
        ({"delivery_key": "age1"}, MalformedDeliveryKey),
        ({"delivery_key": KEY[:-1] + "q"}, DeliveryKeyUnusable),
        ({"platform_order": "a\u202eb"}, TextUnfit),
        ({"open_seconds": 59}, NumberOutOfRange),
        ({"open_seconds": 86_401}, NumberOutOfRange),
        ({"listing_id": "lst_00000000000000000000000000"}, UnknownListing),
        ({"listing_id": "' OR 1=1"}, UnknownListing),
    ],
)
def test_what_can_t_be_quoted_is_refused(
    shelf: Shelf, listing: str, wish: dict[str, Any], error: type[Exception]
) -> None:
    wanted = replace(shelf.wish(listing), **wish)
    with pytest.raises(error):
        shelf.desk.quote(wanted, wanted.buyer)
    assert shelf.stock(listing) == (10, 0, 0, 0)


def test_orders_have_as_many_units_as_the_listing_says(shelf: Shelf) -> None:
    listing = shelf.listing(10, min_units=2, max_units=4)
    for units in (1, 5):
        with pytest.raises(UnitsOutOfBounds):
            shelf.quote(listing, units)
    assert shelf.quote(listing, 2).units == 2


def test_a_price_beyond_the_contract_s_is_refused(shelf: Shelf) -> None:
    listing = shelf.listing(10, unit_price=2**126)
    with pytest.raises(PriceOutOfRange):
        shelf.quote(listing, 2)


def change(shelf: Shelf, listing_id: str, **changes: Any) -> None:
    with shelf.store.writing() as session:
        row = listings.listing(session, shelf.contract_id, listing_id, lock=True)
        listings.change_listing(session, row, changes, shelf.now)


def policy(shelf: Shelf, **changes: Any) -> None:
    with shelf.store.writing() as session:
        row = session.get_one(PolicyRow, (shelf.contract_id, shelf.policy_id))
        for name, value in changes.items():
            setattr(row, name, value)


@pytest.mark.parametrize("state", [ListingState.Paused, ListingState.Withdrawn])
def test_what_is_not_on_sale_is_not_quoted(shelf: Shelf, listing: str, state: ListingState) -> None:
    change(shelf, listing, state=state)
    with pytest.raises(ListingNotOpen):
        shelf.quote(listing)


@pytest.mark.parametrize("acceptance", [Acceptance.Pending, Acceptance.Refused])
def test_what_the_platform_has_not_accepted_is_not_quoted(shelf: Shelf, listing: str, acceptance: Acceptance) -> None:
    with shelf.store.writing() as session:
        row = listings.listing(session, shelf.contract_id, listing, lock=True)
        listings.decide(session, row, acceptance, "not yet", shelf.now)
    with pytest.raises(ListingNotOpen):
        shelf.quote(listing)


@pytest.mark.parametrize(
    "changes",
    [{"retired": True}, {"effective_from": NOW + 1}, {"review_by": NOW + 59}],
    ids=["over", "early", "review"],
)
def test_a_policy_that_takes_no_orders_quotes_none(shelf: Shelf, listing: str, changes: dict[str, Any]) -> None:
    policy(shelf, **changes)
    with pytest.raises(ListingNotOpen):
        shelf.quote(listing)


def test_terms_are_never_valid_past_the_policy_s_review(shelf: Shelf, listing: str) -> None:
    policy(shelf, review_by=NOW + 200)
    assert shelf.quote(listing).open_by == NOW + 200


def test_where_the_chain_s_clock_is_ahead_it_counts(shelf: Shelf, listing: str) -> None:
    shelf.seen(NOW + 10_000)
    assert shelf.quote(listing, open_seconds=60).open_by == NOW + 10_060


def test_only_who_asked_or_buys_gives_a_quote_up(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing, 2, by=PLATFORM)
    with pytest.raises(NotYours):
        shelf.desk.give_up(row.id, STRANGER)
    assert shelf.stock(listing) == (8, 2, 0, 0)
    assert shelf.desk.give_up(row.id, BUYER).hold is Hold.Released
    assert shelf.stock(listing) == (10, 0, 0, 0)
    with pytest.raises(UnknownQuote):
        shelf.desk.give_up("qte_nothing", BUYER)


# ------------------------------------------------------------------------------------------------------------- offers


def signed(
    row: QuoteRow, by: str = "seller", *, revision: int = 0, expiry: int = NOW + 300, domain: Domain = DOMAIN
) -> Offer:
    return sign_offer(KEYS[by], row.order_id, seller=SELLER, revision=revision, expiry=expiry, domain=domain)


def test_a_seller_s_offer_holds_the_units_as_long_as_it_lives(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing)
    made = shelf.desk.offer(row.id, signed(row), SELLER)
    assert (made.expiry, made.revision, made.account) == (NOW + 300, 0, SELLER)
    assert quotes.offer_of(made) == signed(row)
    assert shelf.row(row.id).offer_expiry == NOW + 300


def test_nobody_s_units_are_held_longer_than_the_terms_can_be_opened(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing, open_seconds=100)
    shelf.desk.offer(row.id, signed(row, expiry=NOW + 10**6), SELLER)
    assert shelf.row(row.id).offer_expiry == NOW + 101


@pytest.fixture
def granted(shelf: Shelf) -> Callable[..., None]:
    """What the seller lets its operator do."""

    def grant(**changes: Any) -> None:
        values = {"rights": int(Right.Accept), "expiry": NOW + 86_400, "max_price": 10**12, **changes}
        place = {"contract_id": shelf.contract_id, "seller": SELLER, "operator": OPERATOR, "token": NATIVE}
        with shelf.store.writing() as session:
            session.merge(OperatorRow(policy_id=shelf.policy_id, **place, **values))

    return grant


def test_an_operator_s_offer_lives_no_longer_than_its_right(
    shelf: Shelf, listing: str, granted: Callable[..., None]
) -> None:
    granted(expiry=NOW + 100)
    row = shelf.quote(listing)
    made = shelf.desk.offer(row.id, signed(row, "operator"), OPERATOR)
    assert made.operator == OPERATOR
    assert shelf.row(row.id).offer_expiry == NOW + 100


@pytest.mark.parametrize(
    ("grant", "refusal"),
    [
        (None, NoRight(OPERATOR, Right.Accept)),
        ({"rights": int(Right.Deliver)}, NoRight(OPERATOR, Right.Accept)),
        ({"expiry": NOW}, Expired(NOW, NOW)),
        ({"max_price": PRICE - 1}, PriceAboveGrant(PRICE, PRICE - 1)),
    ],
    ids=["none", "another right", "expired", "too dear"],
)
def test_an_operator_without_the_right_is_refused(
    shelf: Shelf, listing: str, granted: Callable[..., None], grant: dict[str, Any] | None, refusal: Refusal
) -> None:
    if grant is not None:
        granted(**grant)
    row = shelf.quote(listing)
    with pytest.raises(type(refusal)) as raised:
        shelf.desk.offer(row.id, signed(row, "operator"), OPERATOR)
    assert raised.value == refusal
    assert shelf.row(row.id).offer_expiry is None


def test_operators_never_decide_where_money_goes(shelf: Shelf, listing: str, granted: Callable[..., None]) -> None:
    granted()
    with shelf.store.writing() as session:
        session.add(PayToRow(contract_id=shelf.contract_id, seller=SELLER, pay_to=account(77)))
    row = shelf.quote(listing)
    with pytest.raises(PayToNotRegistered) as raised:
        shelf.desk.offer(row.id, signed(row, "operator"), OPERATOR)
    assert raised.value == PayToNotRegistered(SELLER, account(77))


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"by": "stranger"}, NoRight),
        ({"expiry": NOW}, Expired),
        ({"revision": 1}, InvalidSignature),
        ({"domain": Domain(1, DOMAIN.contract)}, InvalidSignature),
        ({"domain": Domain(DOMAIN.chain_id, account(92))}, InvalidSignature),
    ],
    ids=["another", "expired", "revision", "chain", "contract"],
)
def test_an_offer_that_the_contract_would_refuse_is_refused(
    shelf: Shelf, listing: str, how: dict[str, Any], error: type[Exception]
) -> None:
    row = shelf.quote(listing)
    offer = signed(row, **how)
    with pytest.raises(error):
        shelf.desk.offer(row.id, offer, KEYS["stranger"].address if how.get("by") else SELLER)
    assert shelf.row(row.id).offer_expiry is None


def test_others_bring_no_offers(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing)
    with pytest.raises(NotYours):
        shelf.desk.offer(row.id, signed(row), STRANGER)


def test_a_signature_for_another_quote_is_none_for_this(shelf: Shelf, listing: str) -> None:
    first, second = (shelf.quote(listing) for _ in range(2))
    with pytest.raises(InvalidSignature):
        shelf.desk.offer(first.id, signed(second), SELLER)


def test_a_stranger_s_signature_in_the_seller_s_name_is_none(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing)
    forged = replace(signed(row, "stranger"), operator="0x" + "00" * 20)
    with pytest.raises(InvalidSignature):
        shelf.desk.offer(row.id, forged, SELLER)


def test_a_contract_wallet_s_signature_is_the_chain_s_to_judge(shelf: Shelf, listing: str) -> None:
    asked: list[tuple[str, str, bytes]] = []

    def judge(signer: str, digest: str, signature: bytes) -> bool:
        asked.append((signer, digest, signature))
        return signature == b"safe"

    desk = Desk(
        store=shelf.store, contract_id=shelf.contract_id, domain=DOMAIN, clock=lambda: shelf.now, is_signed_by=judge
    )
    row = shelf.quote(listing)
    with pytest.raises(InvalidSignature):
        desk.offer(row.id, Offer(expiry=NOW + 60, signature=b"unsafe"), SELLER)
    desk.offer(row.id, Offer(expiry=NOW + 60, signature=b"safe"), SELLER)
    assert [(signer, signature) for signer, _, signature in asked] == [(SELLER, b"unsafe"), (SELLER, b"safe")]


def test_an_offer_needs_the_order_s_present_revision(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing)
    shelf.chain(row.id, State.Nothing, revision=2)
    with pytest.raises(InvalidSignature):
        shelf.desk.offer(row.id, signed(row), SELLER)
    assert shelf.desk.revision(row) == 2
    assert shelf.desk.offer(row.id, signed(row, revision=2), SELLER).revision == 2


def test_a_revision_raised_while_a_node_was_asked_voids_the_offer(shelf: Shelf, listing: str) -> None:
    row = shelf.quote(listing)

    def judge(*_: object) -> bool:
        shelf.chain(row.id, State.Nothing, revision=1)
        return True

    desk = Desk(
        store=shelf.store, contract_id=shelf.contract_id, domain=DOMAIN, clock=lambda: shelf.now, is_signed_by=judge
    )
    with pytest.raises(WrongRevision):
        desk.offer(row.id, Offer(expiry=NOW + 60, signature=b"safe"), SELLER)


def test_a_bond_that_does_not_cover_all_offers_is_too_short(shelf: Shelf, listing: str) -> None:
    bond = PRICE * shelf.policy.seller_bond_bps // 10_000
    shelf.bond(2 * bond - 1, SELLER)
    first, second = (shelf.quote(listing) for _ in range(2))
    shelf.desk.offer(first.id, signed(first), SELLER)
    shelf.desk.offer(first.id, signed(first, expiry=NOW + 400), SELLER)  # the same order locks no second bond
    with pytest.raises(BondShort) as raised:
        shelf.desk.offer(second.id, signed(second), SELLER)
    assert (raised.value.available, raised.value.required) == (2 * bond - 1, 2 * bond)


def test_a_quote_that_is_over_takes_no_offer(shelf: Shelf, listing: str) -> None:
    lapsed, paid = (shelf.quote(listing) for _ in range(2))
    shelf.chain(paid.id, State.Opened)
    with pytest.raises(QuoteOver):
        shelf.desk.offer(paid.id, signed(paid), SELLER)
    shelf.now += QUOTE_SECONDS
    with pytest.raises(QuoteOver):
        shelf.desk.offer(lapsed.id, signed(lapsed, expiry=NOW + 10**6), SELLER)
    with pytest.raises(UnknownQuote):
        shelf.desk.offer("qte_" + "0" * 26, signed(lapsed), SELLER)


# -------------------------------------------------------------------------------------------- who is asked for offers


def wanting(shelf: Shelf, who: str) -> list[str]:
    with shelf.store.reading() as session:
        rows = quotes.wanting_offers(session, shelf.contract_id, who, clock=shelf.now)
        return [row.id for row in rows]


def test_sellers_and_their_operators_are_asked_for_offers(
    shelf: Shelf, listing: str, granted: Callable[..., None]
) -> None:
    first, second = (shelf.quote(listing).id for _ in range(2))
    assert wanting(shelf, SELLER) == [first, second]
    assert wanting(shelf, OPERATOR) == []
    granted(rights=int(Right.Deliver))
    assert wanting(shelf, OPERATOR) == []
    granted(rights=int(Right.Deliver | Right.Accept))
    assert wanting(shelf, OPERATOR) == [first, second]
    assert wanting(shelf, BUYER) == []
    shelf.desk.offer(first, signed(shelf.row(first)), SELLER)
    assert wanting(shelf, SELLER) == [second]
    shelf.now += QUOTE_SECONDS
    assert wanting(shelf, SELLER) == []


@pytest.mark.parametrize("cursor", ["", "\x00", "qte_", "lst_" + "0" * 26, "qte_" + "0" * 25 + "\x00"])
def test_cursors_that_no_page_gave_are_refused(shelf: Shelf, cursor: str) -> None:
    with shelf.store.reading() as session:
        with pytest.raises(InvalidCursor):
            quotes.quotes(session, shelf.contract_id, BUYER, cursor=cursor)
        with pytest.raises(InvalidCursor):
            quotes.wanting_offers(session, shelf.contract_id, SELLER, clock=NOW, after=cursor)


def test_accounts_see_their_own_quotes_page_by_page(shelf: Shelf, listing: str) -> None:
    made = [shelf.quote(listing).id for _ in range(3)]
    with shelf.store.reading() as session:
        page = quotes.quotes(session, shelf.contract_id, SELLER, limit=2)
        assert [row.id for row in page.quotes] == sorted(made, reverse=True)[:2]
        rest = quotes.quotes(session, shelf.contract_id, SELLER, limit=2, cursor=page.cursor)
        assert [row.id for row in rest.quotes] == sorted(made, reverse=True)[2:]
        assert rest.cursor is None
        assert quotes.quotes(session, shelf.contract_id, STRANGER).quotes == []
        held = frozenset({Hold.Released})
        assert quotes.quotes(session, shelf.contract_id, BUYER, holds=held).quotes == []
        found = quotes.quote_of_order(session, shelf.contract_id, shelf.row(made[0]).order_id)
        assert found is not None
        assert found.id == made[0]
