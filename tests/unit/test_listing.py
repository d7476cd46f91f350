"""Listing documents: one form, one hash, and no word in them that the order does not keep."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.categories import UnknownCategory, category_label, check_category
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.inputs import Malformed, WrongType
from kameng_escrow.domain.listing import (
    Goods,
    ListingDocument,
    ListingMismatch,
    MalformedDeliveryKey,
    UnknownVersion,
    WrongMembers,
    make_document,
    parse_document,
    verify_document,
)
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.plain_text import TextLength, TextUnfit, clean_text
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.typed_data import Domain
from tests.unit.histories import BUYER, POLICY, TERMS, account
from tests.unit.trading import DOMAIN, contracts, with_policy

KEY = "age1" + "q" * 58
NONCE = "0x" + "5a" * 32
SALT = "0x" + "07" * 32
GOODS = Goods(
    id="lst_01",
    revision=3,
    title="点卡 100 元 · Ω",
    category="game-card",
    description="即时发货。\nOne code a unit.",
)
COIN = Currency(NATIVE, "ETH", 18)
OFFERED = with_policy(TERMS, POLICY)


def make(terms: OrderTerms = OFFERED, policy: Policy = POLICY, **changes: Any) -> ListingDocument:
    whole: dict[str, Any] = {
        "domain": DOMAIN,
        "goods": GOODS,
        "platform_order": "P-2026-1",
        "delivery_key": KEY,
        "terms": terms,
        "policy": policy,
        "currency": COIN,
        "nonce": NONCE,
    }
    return make_document(**{**whole, **changes})


# ------------------------------------------------------------------------------------------------------ form and hash


def test_the_hash_is_that_of_sorted_compact_json() -> None:
    """All names are ASCII, where RFC 8785's order is Python's, and all numbers are whole."""
    document = make()
    plain = json.dumps(document.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert document.canonical() == plain.encode("utf-8")
    assert document.hash() == "0x" + keccak(plain.encode("utf-8")).hex()


def test_the_document_to_the_byte() -> None:
    """What an implementation in another language must come to."""
    zero, goods = (
        "0x" + "00" * 20,
        '{"category":"game-card","description":"即时发货。\\nOne code a unit.","id":"lst_01"',
    )
    begins = (
        f'{{"chain_id":31337,"contract":"{account(91)}","currency":{{"decimals":18,"symbol":"ETH","token":"{zero}"}},'
        f'"delivery_key":"{KEY}","goods":{goods},"revision":3,"title":"点卡 100 元 · Ω"}},'
        f'"kind":"kameng.listing","nonce":"{NONCE}","platform_order":"P-2026-1","summary":{{"en":["# Payment",'
    )
    assert make().canonical().startswith(begins.encode("utf-8"))
    assert make().canonical().endswith(b'"units":10},"version":1}')


@settings(max_examples=60, deadline=None)
@given(contract=contracts(), nonce=st.binary(min_size=32, max_size=32))
def test_documents_survive_the_way_through_json(contract: tuple[OrderTerms, Policy], nonce: bytes) -> None:
    terms, policy = contract
    document = make(terms, policy, nonce="0x" + nonce.hex())
    read = parse_document(json.loads(document.canonical()))
    assert read == document
    assert read.hash() == document.hash()
    complete = document.complete(SALT)
    assert (complete.listing, complete.salt) == (document.hash(), SALT)
    assert replace(complete, listing=terms.listing, salt=terms.salt) == terms
    verify_document(read, complete, policy, DOMAIN)


def test_another_nonce_is_another_hash() -> None:
    assert make().hash() != make(nonce="0x" + "5b" * 32).hash()


# ------------------------------------------------------------------------------------------------- what does not match


def changed(document: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    place = copied
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return copied


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("chain_id",), 1),
        (("contract",), account(7)),
        (("goods", "title"), "点卡 1000 元"),
        (("goods", "revision"), 4),
        (("platform_order",), "P-2026-2"),
        (("delivery_key",), "age1" + "p" * 58),
        (("terms", "price"), "1000006"),
        (("terms", "refund_to"), account(7)),
        (("currency", "symbol"), "USDT"),
        (("summary", "en"), ["# You pay nothing"]),
        (("summary", "version"), 2),
        (("nonce",), "0x" + "00" * 32),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_no_part_can_be_changed_behind_the_order_s_back(path: tuple[str, ...], value: Any) -> None:
    document = make()
    other = parse_document(changed(document.to_json(), path, value))
    with pytest.raises(ListingMismatch) as raised:
        verify_document(other, document.complete(SALT), POLICY, DOMAIN)
    assert raised.value.field == "listing"


def remade(document: ListingDocument, **changes: Any) -> tuple[ListingDocument, OrderTerms]:
    """A document that was wrong from the start, and the order that was made with it."""
    wrong = replace(document, **changes)
    return wrong, replace(document.complete(SALT), listing=wrong.hash())


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("chain_id", {"domain": Domain(1, DOMAIN.contract)}),
        ("contract", {"domain": Domain(DOMAIN.chain_id, BUYER)}),
        ("price", {"terms": replace(make().terms, price=999)}),
        ("refund_to", {"terms": replace(make().terms, refund_to=account(7))}),
        ("currency.token", {"currency": Currency(BUYER, "ETH", 18)}),
        ("currency.decimals", {"currency": Currency(NATIVE, "ETH", 6)}),
        ("summary.en[1]", {"currency": Currency(NATIVE, "WEI", 18)}),
        ("summary.zh[1]", {"summary_zh": ("# 付款", "不用付款。", *make().summary_zh[2:])}),
        ("summary.en", {"summary_en": make().summary_en[:-1]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_tells_what_the_order_is_not_is_found_out(field: str, changes: dict[str, Any]) -> None:
    wrong, terms = remade(make(), **changes)
    with pytest.raises(ListingMismatch) as raised:
        verify_document(wrong, terms, POLICY, DOMAIN)
    assert raised.value.field == field
    assert field in raised.value.message
    assert field in raised.value.message_zh


def test_a_token_s_decimals_are_held_against_what_it_says() -> None:
    token = with_policy(replace(TERMS, token=account(90)), POLICY)
    document = make(token, currency=Currency(account(90), "USDT", 6))
    verify_document(document, document.complete(SALT), POLICY, DOMAIN)
    verify_document(document, document.complete(SALT), POLICY, DOMAIN, decimals=6)
    with pytest.raises(ListingMismatch, match=r"currency\.decimals"):
        verify_document(document, document.complete(SALT), POLICY, DOMAIN, decimals=18)


def test_words_of_another_version_are_bound_but_not_compared() -> None:
    later, terms = remade(make(), text_version=2, summary_en=("# As it will be put one day",))
    verify_document(later, terms, POLICY, DOMAIN)


def test_a_policy_or_currency_of_something_else_makes_no_document() -> None:
    with pytest.raises(ListingMismatch, match="policy_id"):
        make(policy=replace(POLICY, platform_fee_bps=1))
    with pytest.raises(ListingMismatch, match="token"):
        make(currency=Currency(BUYER, "USDT", 6))


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (("kind",), "else", UnknownVersion),
        (("version",), 2, UnknownVersion),
        (("version",), True, UnknownVersion),
        (("chain_id",), 2**53, Malformed),
        (("chain_id",), "1", Malformed),
        (("contract",), "0x12", Malformed),
        (("goods",), [], WrongType),
        (("goods", "title"), "", TextLength),
        (("goods", "title"), "x" * 121, TextLength),
        (("goods", "title"), " x", WrongType),
        (("goods", "title"), "e\u0301", WrongType),
        (("goods", "title"), "a\u202eb", TextUnfit),
        (("goods", "title"), "a\nb", TextUnfit),
        (("goods", "description"), "a\x00", TextUnfit),
        (("goods", "description"), "x" * 4_001, TextLength),
        (("goods", "category"), "weapons", UnknownCategory),
        (("goods", "revision"), -1, Malformed),
        (("goods", "id"), None, WrongType),
        (("platform_order",), "x" * 65, TextLength),
        (("delivery_key",), "age1" + "q" * 57, MalformedDeliveryKey),
        (("delivery_key",), "age1" + "b" * 58, MalformedDeliveryKey),
        (("delivery_key",), 1, WrongType),
        (("terms", "price"), 1_000_007, WrongType),
        (("terms", "price"), "1e6", WrongType),
        (("terms", "price"), "01", WrongType),
        (("terms", "price"), "", WrongType),
        (("terms", "units"), 1.5, WrongType),
        (("terms", "units"), 65_536, Malformed),
        (("currency", "decimals"), 37, Malformed),
        (("currency", "symbol"), "", TextLength),
        (("summary", "en"), "text", WrongType),
        (("summary", "en"), [""], TextLength),
        (("summary", "zh"), ["x"] * 501, WrongType),
        (("summary", "version"), -1, Malformed),
        (("nonce",), "0x" + "5A" * 32, Malformed),
    ],
)
def test_what_is_no_document_is_refused(path: tuple[str, ...], value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_document(changed(make().to_json(), path, value))


@pytest.mark.parametrize("part", [(), ("goods",), ("terms",), ("currency",), ("summary",)])
def test_every_member_is_there_and_no_other(part: tuple[str, ...]) -> None:
    whole = make().to_json()
    inner = whole
    for name in part:
        inner = inner[name]
    for name in inner:
        lacking = copy.deepcopy(whole)
        place = lacking
        for step in part:
            place = place[step]
        del place[name]
        with pytest.raises(WrongMembers, match=name):
            parse_document(lacking)
    with pytest.raises(WrongMembers, match="more"):
        parse_document(changed(whole, (*part, "more"), 1))


@pytest.mark.parametrize("value", [None, 1, "text", [], {}, {1: 2}])
def test_what_is_nothing_like_a_document_is_refused(value: Any) -> None:
    with pytest.raises(Malformed):
        parse_document(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), value=json_values)
def test_a_document_with_anything_in_any_place_is_read_or_refused(data: st.DataObject, value: Any) -> None:
    whole = make().to_json()
    name = data.draw(st.sampled_from(sorted(whole)))
    inner = data.draw(st.sampled_from(sorted(whole[name]))) if isinstance(whole[name], dict) else None
    try:
        read = parse_document(changed(whole, (name, inner) if inner else (name,), value))
    except Malformed:
        pass
    else:
        assert parse_document(read.to_json()) == read


# ---------------------------------------------------------------------------------------------- texts and categories


@pytest.mark.parametrize(
    ("given_", "clean"),
    [
        ("  点卡 ", "点卡"),
        ("e\u0301", "é"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("", ""),
    ],
)
def test_texts_are_composed_and_trimmed(given_: str, clean: str) -> None:
    assert clean_text(given_, "title", most=20) == clean


def test_lines_end_alike() -> None:
    assert clean_text("a\r\nb\rc\n", "text", most=20, lines=True) == "a\nb\nc"


DECEIVING = [
    *("\x00", "\x1b", "\x7f", "\t", "\u200b", "\u2028", "\u202e", "\u2066", "\ufeff"),
    *("\ud800", "\ue000", "\uffff"),
]


@pytest.mark.parametrize("letter", DECEIVING)
def test_letters_that_deceive_are_refused_with_their_place(letter: str) -> None:
    with pytest.raises(TextUnfit) as raised:
        clean_text(f"ab{letter}c", "title", most=20)
    assert raised.value == TextUnfit("title", f"U+{ord(letter):04X}", 2)


def test_lengths_are_counted_after_cleaning() -> None:
    assert clean_text(" " * 5 + "abc", "title", most=3) == "abc"
    with pytest.raises(TextLength) as raised:
        clean_text("abcd", "title", least=1, most=3)
    assert raised.value == TextLength("title", 4, 1, 3)
    with pytest.raises(TextLength):
        clean_text("   ", "title", least=1, most=3)
    with pytest.raises(TextLength):
        clean_text(" " * 1_000_000, "title", most=3)
    with pytest.raises(WrongType):
        clean_text(5, "title", most=3)


@pytest.mark.parametrize("name", ["game-card", "other", "x-steam", "x-steam-wallet-hk-50"])
def test_categories_of_the_list_and_own_ones_pass(name: str) -> None:
    check_category(name, "category")
    assert all(category_label(name))


NO_CATEGORIES = [
    *("", "Game-card", "game card", "x-", "x-a--b", "x-A", "x_steam", "x-a-b-c-d-e"),
    "x-" + "a" * 31,
]


@pytest.mark.parametrize("name", NO_CATEGORIES)
def test_other_categories_are_refused(name: str) -> None:
    with pytest.raises(UnknownCategory, match="game-card"):
        check_category(name, "category")
