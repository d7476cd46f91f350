"""Listings are written by the rules, shown to whom they are for, and found."""

from typing import Any

import pytest

from kameng_escrow.domain.categories import UnknownCategory
from kameng_escrow.domain.inputs import Malformed, NumberOutOfRange, WrongType
from kameng_escrow.domain.plain_text import TextLength, TextUnfit
from kameng_escrow.domain.refusals import InvalidAddress, PriceOutOfRange
from kameng_escrow.store import InvalidCursor, Store
from kameng_escrow.store.service import listings
from kameng_escrow.store.service.listings import ListingFilter, ListingSorting
from kameng_escrow.store.service.trade_errors import ListingChanged, ListingFixed, ListingNotOpen, UnknownListing
from kameng_escrow.store.service.trade_rows import Acceptance, ListingRow, ListingState
from tests.integration.shelf import SELLER, STRANGER, Shelf
from tests.unit.histories import PLATFORM, account


@pytest.fixture
def shelf(store: Store) -> Shelf:
    return Shelf(store)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"title": ""}, TextLength),
        ({"title": "x" * 121}, TextLength),
        ({"title": "a\u202eb"}, TextUnfit),
        ({"title": "a\nb"}, TextUnfit),
        ({"title": None}, WrongType),
        ({"description": "x" * 4_001}, TextLength),
        ({"description": "\x00"}, TextUnfit),
        ({"category": "weapons"}, UnknownCategory),
        ({"unit_price": 0}, PriceOutOfRange),
        ({"unit_price": 2**127}, NumberOutOfRange),
        ({"unit_price": 2**126, "min_units": 3}, PriceOutOfRange),
        ({"unit_price": 1.5}, WrongType),
        ({"min_units": 0}, NumberOutOfRange),
        ({"min_units": 3, "max_units": 2}, NumberOutOfRange),
        ({"max_units": 65_536}, NumberOutOfRange),
        ({"buyer_cap": -1}, NumberOutOfRange),
        ({"units": -1}, NumberOutOfRange),
        ({"units": 10**9 + 1}, NumberOutOfRange),
        ({"pay_to": "0x" + "00" * 20}, InvalidAddress),
        ({"pay_to": "0x12"}, Malformed),
        ({"policy_id": "0x" + "ee" * 32}, ListingNotOpen),
        ({"state": ListingState.Paused}, ListingFixed),
    ],
)
def test_what_can_be_no_listing_is_refused(shelf: Shelf, changes: dict[str, Any], error: type[Exception]) -> None:
    changes = dict(changes)
    units = changes.pop("units", 5)
    with pytest.raises(error):
        shelf.listing(units, **changes)
    assert found(shelf, states=None, acceptances=None) == []


def found(shelf: Shelf, *, limit: int = 50, **wanted: Any) -> list[str]:
    """The titles of every page's listings."""
    titles: list[str] = []
    cursor = None
    while True:
        with shelf.store.reading() as session:
            page = listings.listings(session, shelf.contract_id, ListingFilter(**wanted), limit=limit, cursor=cursor)
            titles += [row.title for row, _ in page.listings]
        if (cursor := page.cursor) is None:
            return titles


def row_of(shelf: Shelf, listing_id: str) -> ListingRow:
    with shelf.store.reading() as session:
        row = listings.listing(session, shelf.contract_id, listing_id)
        session.expunge(row)
        return row


def change(shelf: Shelf, listing_id: str, **changes: Any) -> None:
    with shelf.store.writing() as session:
        row = listings.listing(session, shelf.contract_id, listing_id, lock=True)
        listings.change_listing(session, row, changes, shelf.now)


# ------------------------------------------------------------------------------------------------------------ changing


def test_texts_are_kept_clean(shelf: Shelf) -> None:
    row = row_of(shelf, shelf.listing(title="  Cafe\u0301 卡 ", description=" a\r\nb "))
    assert (row.title, row.description) == ("Café 卡", "a\nb")


def test_the_revision_grows_with_what_buyers_are_told_and_with_nothing_else(shelf: Shelf) -> None:
    listing = shelf.listing()
    for changes, revision in (
        ({"buyer_cap": 3}, 1),
        ({"min_units": 2}, 1),
        ({"title": "点卡 100 元"}, 1),  # as it was
        ({"title": "点卡 50 元"}, 2),
        ({"unit_price": 7, "pay_to": account(66)}, 3),
        ({"state": ListingState.Paused}, 3),
    ):
        change(shelf, listing, **changes)
        assert row_of(shelf, listing).revision == revision, changes
    with pytest.raises(ListingChanged):
        listings.expect_revision(row_of(shelf, listing), 2)
    listings.expect_revision(row_of(shelf, listing), 3)
    listings.expect_revision(row_of(shelf, listing), None)


def test_a_bad_change_changes_nothing(shelf: Shelf) -> None:
    listing = shelf.listing()
    for changes in ({"title": "B", "unit_price": 0}, {"description": "b", "min_units": 70_000}, {"category": "?"}):
        with pytest.raises((Malformed, PriceOutOfRange)):
            change(shelf, listing, **changes)
    row = row_of(shelf, listing)
    assert (row.title, row.description, row.revision) == ("点卡 100 元", "即时发货", 1)
    with pytest.raises(TypeError):
        change(shelf, listing, seller=STRANGER)


@pytest.mark.parametrize(
    ("way", "possible"),
    [
        ("Draft Published Paused Published Withdrawn", True),
        ("Draft Withdrawn", True),
        ("Draft Paused", False),
        ("Published Draft", False),
        ("Published Withdrawn Published", False),
    ],
)
def test_states_change_as_they_may(shelf: Shelf, way: str, possible: bool) -> None:
    first, *steps = (ListingState[name] for name in way.split())
    listing = shelf.listing(state=first)
    for step in steps[:-1]:
        change(shelf, listing, state=step)
    if possible:
        change(shelf, listing, state=steps[-1])
        assert row_of(shelf, listing).state is steps[-1]
    else:
        with pytest.raises(ListingFixed):
            change(shelf, listing, state=steps[-1])


def test_a_withdrawn_listing_stays_as_it_is(shelf: Shelf) -> None:
    listing = shelf.listing()
    change(shelf, listing, state=ListingState.Withdrawn)
    with pytest.raises(ListingFixed):
        change(shelf, listing, title="again")


def test_other_contracts_listings_are_none_of_ours(shelf: Shelf) -> None:
    listing = shelf.listing()
    for name in (listing + "x", "lst_" + "0" * 26, "", "qte_" + listing[4:]):
        with pytest.raises(UnknownListing), shelf.store.reading() as session:
            listings.listing(session, shelf.contract_id, name)
    with pytest.raises(UnknownListing), shelf.store.reading() as session:
        listings.listing(session, shelf.contract_id + 1, listing)


# ----------------------------------------------------------------------------------------------- the platform's word


def desk(shelf: Shelf, reviews: bool) -> None:
    with shelf.store.writing() as session:
        listings.set_desk(session, shelf.contract_id, PLATFORM, reviews=reviews, now=shelf.now)


def test_a_platform_may_look_at_listings_first(shelf: Shelf) -> None:
    before = shelf.listing(title="before")
    desk(shelf, True)
    waiting = shelf.listing(title="waiting")
    own = shelf.listing(title="own", seller=PLATFORM, pay_to=PLATFORM)
    assert {row_of(shelf, one).acceptance for one in (before, own)} == {Acceptance.Accepted}
    assert row_of(shelf, waiting).acceptance is Acceptance.Pending
    assert sorted(found(shelf)) == ["before", "own"]
    assert found(shelf, acceptances=frozenset({Acceptance.Pending}), platform=PLATFORM) == ["waiting"]
    desk(shelf, False)
    assert row_of(shelf, shelf.listing(title="after")).acceptance is Acceptance.Accepted


def test_what_was_accepted_is_looked_at_again_when_its_words_change(shelf: Shelf) -> None:
    desk(shelf, True)
    listing = shelf.listing()
    for changes, acceptance in (
        ({"unit_price": 9}, Acceptance.Accepted),
        ({"state": ListingState.Paused}, Acceptance.Accepted),
        ({"description": "else"}, Acceptance.Pending),
    ):
        decide(shelf, listing, Acceptance.Accepted)
        change(shelf, listing, **changes)
        assert row_of(shelf, listing).acceptance is acceptance, changes


def decide(shelf: Shelf, listing_id: str, acceptance: Acceptance, reason: str | None = None) -> None:
    with shelf.store.writing() as session:
        row = listings.listing(session, shelf.contract_id, listing_id, lock=True)
        listings.decide(session, row, acceptance, reason, shelf.now)


def test_a_refusal_says_why(shelf: Shelf) -> None:
    listing = shelf.listing()
    with pytest.raises(TextLength):
        decide(shelf, listing, Acceptance.Refused, "  ")
    decide(shelf, listing, Acceptance.Refused, "图文不符")
    assert row_of(shelf, listing).acceptance_reason == "图文不符"
    assert found(shelf) == []
    decide(shelf, listing, Acceptance.Accepted)
    assert row_of(shelf, listing).acceptance_reason is None


# ----------------------------------------------------------------------------------------------------------- searching


@pytest.fixture
def many(shelf: Shelf) -> Shelf:
    for title, changes in {
        "Steam 50 HKD": {"category": "gift-card", "unit_price": 50},
        "steam 100% real_card": {"category": "gift-card", "unit_price": 9, "description": "香港区 即时发货"},
        "点卡 100 元": {"unit_price": 10**30},
        "话费 30 元": {"category": "phone-credit", "unit_price": 30, "seller": STRANGER, "pay_to": STRANGER},
        "draft": {"state": ListingState.Draft},
    }.items():
        shelf.listing(0 if title.startswith("话费") else 5, title=title, **changes)
    return shelf


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        ({}, {"Steam 50 HKD", "steam 100% real_card", "点卡 100 元", "话费 30 元"}),
        ({"text": "STEAM"}, {"Steam 50 HKD", "steam 100% real_card"}),
        ({"text": "steam 香港"}, {"steam 100% real_card"}),
        ({"text": "100%"}, {"steam 100% real_card"}),
        ({"text": "0_"}, set()),
        ({"text": "%"}, {"steam 100% real_card"}),
        ({"text": "'; DROP TABLE listings; --"}, set()),
        ({"category": "gift-card"}, {"Steam 50 HKD", "steam 100% real_card"}),
        ({"seller": STRANGER}, {"话费 30 元"}),
        ({"seller": SELLER, "at_most": 50}, {"Steam 50 HKD", "steam 100% real_card"}),
        ({"at_most": 49}, {"steam 100% real_card", "话费 30 元"}),
        ({"in_stock": True}, {"Steam 50 HKD", "steam 100% real_card", "点卡 100 元"}),
        ({"states": frozenset({ListingState.Draft})}, {"draft"}),
        ({"policy_id": "0x" + "00" * 32}, set()),
        ({"token": SELLER}, set()),
    ],
)
def test_listings_are_found_by_what_they_are(many: Shelf, wanted: dict[str, Any], titles: set[str]) -> None:
    for limit in (1, 2, 50):
        told = found(many, limit=limit, **wanted)
        assert set(told) == titles
        assert len(told) == len(titles)


def test_the_newest_or_the_cheapest_come_first(many: Shelf) -> None:
    assert found(many, limit=3)[0] == "话费 30 元"
    cheapest = ["steam 100% real_card", "话费 30 元", "Steam 50 HKD", "点卡 100 元"]
    for limit in (1, 3, 10):
        assert found(many, limit=limit, sorting=ListingSorting.Cheapest) == cheapest


def test_pages_are_not_shifted_by_what_is_listed_meanwhile(many: Shelf) -> None:
    with many.store.reading() as session:
        first = listings.listings(session, many.contract_id, ListingFilter(), limit=2)
        told = [row.title for row, _ in first.listings]
    many.listing(title="newer")
    with many.store.reading() as session:
        rest = listings.listings(session, many.contract_id, ListingFilter(), limit=50, cursor=first.cursor)
        told += [row.title for row, _ in rest.listings]
    assert len(told) == len(set(told)) == 4
    assert "newer" not in told


@pytest.mark.parametrize("cursor", ["", "x", "0~lst_", "1~lst_00", "-1~lst_00", "0~lst_" + "0" * 99, "٣~lst_00"])
def test_cursors_that_no_page_gave_are_refused(shelf: Shelf, cursor: str) -> None:
    with pytest.raises(InvalidCursor), shelf.store.reading() as session:
        listings.listings(session, shelf.contract_id, ListingFilter(), cursor=cursor)


@pytest.mark.parametrize(
    "wanted", [{"text": "a\x00"}, {"text": "x" * 201}, {"category": "\x00"}, {"category": "weapons"}]
)
def test_what_no_listing_could_have_is_refused(shelf: Shelf, wanted: dict[str, str]) -> None:
    """PostgreSQL takes no NUL, and says so in words of its own."""
    with pytest.raises(Malformed), shelf.store.reading() as session:
        listings.listings(session, shelf.contract_id, ListingFilter(**wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_pages_have_bounds(shelf: Shelf, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"), shelf.store.reading() as session:
        listings.listings(session, shelf.contract_id, ListingFilter(), limit=limit)
