"""Terms, and the addresses, hashes and numbers in them, are refused as the contract refuses them, and as early."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain.inputs import (
    Malformed,
    MalformedAddress,
    MalformedHash,
    NumberOutOfRange,
    WrongChecksum,
    WrongType,
    check_address,
    check_uint,
    parse_address,
    parse_hash,
)
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusals import InvalidAddress, PolicyUnknown, PriceOutOfRange, Refusal, UnitsOutOfRange
from kameng_escrow.domain.terms import MAX_PRICE, MAX_UNITS, check_terms
from tests.unit.made import ADDRESSES, HASH, make_terms
from tests.unit.on_chain import TERMS, Escrow, terms_words

ESCROW = ADDRESSES[9]
TOKEN = ADDRESSES[8]
SECRET = "0x" + "5e" * 32
# An address of the standard's own examples: it has letters of both cases.
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def refusal_of(**overrides: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_terms(make_terms(**overrides), ESCROW)
    return caught.value


def test_right_terms_pass() -> None:
    check_terms(make_terms(), ESCROW)
    check_terms(make_terms(price=MAX_PRICE, units=MAX_UNITS, token=TOKEN), ESCROW)
    check_terms(make_terms(refund_to=ADDRESSES[0], pay_to=ADDRESSES[2]), ESCROW)


@pytest.mark.parametrize(
    ("overrides", "refusal"),
    [
        ({"buyer": ZERO_ADDRESS}, InvalidAddress(ZERO_ADDRESS)),
        ({"buyer": ADDRESSES[2]}, InvalidAddress(ADDRESSES[2])),
        ({"seller": ZERO_ADDRESS}, InvalidAddress(ZERO_ADDRESS)),
        *(
            ({receiver: address, "token": TOKEN}, InvalidAddress(address))
            for receiver in ("refund_to", "pay_to")
            for address in (ZERO_ADDRESS, ESCROW, TOKEN)
        ),
        ({"price": 0}, PriceOutOfRange(0, MAX_PRICE)),
        ({"price": MAX_PRICE + 1}, PriceOutOfRange(MAX_PRICE + 1, MAX_PRICE)),
        ({"units": 0}, UnitsOutOfRange(0, MAX_UNITS)),
        # In the contract's order.
        ({"refund_to": ESCROW, "pay_to": TOKEN, "token": TOKEN, "price": 0}, InvalidAddress(ESCROW)),
        ({"price": 0, "units": 0}, PriceOutOfRange(0, MAX_PRICE)),
    ],
)
def test_refusals_come_in_guard_order(overrides: dict[str, Any], refusal: Refusal) -> None:
    assert refusal_of(**overrides) == refusal


@pytest.mark.parametrize(
    ("overrides", "refusal"),
    [
        ({"salt": "0x", "price": 0}, MalformedHash("salt", "0x")),
        ({"buyer": MIXED.lower(), "price": 0}, WrongChecksum("buyer", MIXED.lower())),
        ({"units": MAX_UNITS + 1}, NumberOutOfRange("units", MAX_UNITS + 1, 0, MAX_UNITS)),
        ({"price": -1}, NumberOutOfRange("price", -1, 0, 2**128 - 1)),
    ],
)
def test_what_the_contract_could_not_read_comes_first(overrides: dict[str, Any], refusal: Refusal) -> None:
    assert refusal_of(**overrides) == refusal


def test_refusals_equal_the_contracts(real_escrow: Escrow) -> None:
    """Terms that pass here are refused there for their policy only, which is none."""
    cast = st.sampled_from([ZERO_ADDRESS, real_escrow.address, *ADDRESSES[:3]])

    @settings(max_examples=300, deadline=None)
    @given(
        st.fixed_dictionaries(
            {},
            optional={
                **dict.fromkeys(("buyer", "refund_to", "seller", "pay_to", "token"), cast),
                "price": st.sampled_from([0, 1, MAX_PRICE, MAX_PRICE + 1]),
                "units": st.sampled_from([0, 1, MAX_UNITS]),
            },
        )
    )
    def agree(overrides: dict[str, Any]) -> None:
        terms = make_terms(**overrides)
        expected: Refusal = PolicyUnknown(terms.policy_id)
        try:
            check_terms(terms, real_escrow.address)
        except Refusal as refusal:
            expected = refusal
        assert real_escrow.ask("open", [TERMS], [terms_words(terms)]) == expected

    agree()


# --------------------------------------------------------------------------------------- addresses, hashes and numbers


@given(st.binary(min_size=20, max_size=20))
def test_addresses_are_read_in_one_case_or_checksummed(raw: bytes) -> None:
    address = to_checksum_address(raw)
    check_address(address, "buyer")
    for text in (address, "0x" + raw.hex(), "0x" + raw.hex().upper()):
        assert parse_address(text, "buyer") == address


def test_hashes_are_read_in_any_case() -> None:
    assert parse_hash("0x" + "AB" * 32, "order_id") == HASH


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        (lambda: parse_address(MIXED.replace("Aae", "aae").replace("aAe", "AAe"), "to"), WrongChecksum),
        (lambda: check_address(MIXED.lower(), "to"), WrongChecksum),
        (lambda: parse_address(MIXED[2:], "to"), MalformedAddress),
        (lambda: parse_address(MIXED + "0", "to"), MalformedAddress),
        (lambda: parse_address(MIXED[:-1] + "g", "to"), MalformedAddress),
        (lambda: parse_address(MIXED[:-1] + "\n", "to"), MalformedAddress),
        (lambda: parse_address("", "to"), MalformedAddress),
        (lambda: parse_address(None, "to"), WrongType),
        (lambda: parse_hash(HASH[:-1], "to"), MalformedHash),
        (lambda: parse_hash(HASH[2:], "to"), MalformedHash),
        (lambda: parse_hash(b"\0" * 32, "to"), WrongType),
        (lambda: check_uint(256, 8, "to"), NumberOutOfRange),
        (lambda: check_uint(-1, 8, "to"), NumberOutOfRange),
        (lambda: check_uint("1", 8, "to"), WrongType),
    ],
)
def test_malformed_values_name_the_field(attempt: Callable[[], Any], refusal: type[Malformed]) -> None:
    with pytest.raises(refusal) as caught:
        attempt()
    assert caught.value.message.startswith("to is ")
    assert caught.value.message_zh.startswith("to ")


def test_a_secret_in_the_wrong_field_is_not_shown() -> None:
    for attempt in (parse_address, parse_hash):
        with pytest.raises(Malformed) as caught:
            attempt(SECRET + "00", "buyer")
        assert SECRET[2:20] not in str(caught.value) + repr(caught.value) + caught.value.message_zh
