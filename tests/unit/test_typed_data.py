"""Ids and digests equal the contract's, and what a wallet is given to sign hashes to the same."""

import json
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng_escrow.domain import typed_data
from kameng_escrow.domain.inputs import Malformed, MalformedAddress, MalformedHash, NumberOutOfRange, WrongType
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.domain.refusals import InvalidSignature
from kameng_escrow.domain.signed import Action, Split
from kameng_escrow.domain.states import Role, State, Verb
from kameng_escrow.domain.typed_data import Domain, order_id, policy_id
from tests.unit.made import ADDRESSES, HASH, make_policy, make_terms
from tests.unit.on_chain import ACTION, OFFER, POLICY, SPLIT, TERMS, Escrow, action_words, terms_words

DOMAIN = Domain(131_277_322_940_537, ADDRESSES[9])

addresses = st.binary(min_size=20, max_size=20).map(to_checksum_address)
hashes = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())


def uints(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


any_terms = st.builds(
    OrderTerms,
    buyer=addresses,
    refund_to=addresses,
    seller=addresses,
    pay_to=addresses,
    token=addresses | st.just(ZERO_ADDRESS),
    price=uints(128),
    units=uints(16),
    policy_id=hashes,
    listing=hashes,
    open_by=uints(40),
    salt=hashes,
)
any_split = st.builds(
    Split,
    state=st.sampled_from(State),
    disputed_units=uints(16),
    revision=uints(24),
    to_buyer=uints(256),
    expiry=uints(40),
)
any_action = st.builds(
    Action,
    verb=st.sampled_from(Verb),
    state=st.sampled_from(State),
    role=st.sampled_from(Role),
    signer=addresses,
    expiry=uints(40),
    number=uints(256),
    content=hashes,
)


def wallet_digest(document: dict[str, Any]) -> str:
    """What a wallet hashes of the JSON that it is sent."""
    message = encode_typed_data(full_message=json.loads(json.dumps(document)))
    return "0x" + keccak(b"\x19" + message.version + message.header + message.body).hex()


# ------------------------------------------------------------------------------------------------ against the contract


def test_order_ids_equal_the_contracts(real_escrow: Escrow) -> None:
    @settings(max_examples=250, deadline=None)
    @given(any_terms)
    def agree(terms: OrderTerms) -> None:
        answer = real_escrow.ask("toId", [TERMS], [terms_words(terms)])
        assert isinstance(answer, bytes)
        assert order_id(terms, real_escrow.domain) == "0x" + answer.hex()

    agree()


def test_the_domain_equals_the_contracts(real_escrow: Escrow) -> None:
    answer = real_escrow.ask("eip712Domain", [], [])
    assert isinstance(answer, bytes)
    kinds = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]
    found = decode(kinds, answer)
    document = typed_data.terms_typed_data(make_terms(), real_escrow.domain)["domain"]
    named = (found[1], found[2], found[3], to_checksum_address(found[4]))
    assert named == tuple(document.values()) == (typed_data.NAME, typed_data.VERSION, *astuple(real_escrow.domain)[:2])


def test_an_actions_digest_equals_the_contracts(real_escrow: Escrow) -> None:
    """Whose signature is wrong is told over which digest: the contract's own."""

    @settings(max_examples=100, deadline=None)
    @given(any_action)
    def agree(action: Action) -> None:
        action = replace(action, expiry=max(action.expiry, real_escrow.evm.now + 1))
        terms = make_terms()
        digest = typed_data.action_digest(order_id(terms, real_escrow.domain), action, real_escrow.domain)
        answer = real_escrow.ask("act", [TERMS, ACTION, "bytes"], [terms_words(terms), action_words(action), b""])
        assert answer == InvalidSignature(action.signer, digest)

    agree()


def test_an_offers_and_a_splits_digest_equal_the_contracts(real_escrow: Escrow) -> None:
    policy = make_policy(effective_from=2)
    real_escrow.do("registerPolicy", [POLICY, "uint40"], [astuple(policy), real_escrow.evm.now], sender=policy.platform)
    terms = make_terms(policy_id=policy_id(policy))
    name = order_id(terms, real_escrow.domain)
    for revision in range(2):
        expiry = real_escrow.evm.now + 60 + revision
        digest = typed_data.offer_digest(name, revision=revision, expiry=expiry, domain=real_escrow.domain)
        answer = real_escrow.ask("openWithOffer", [TERMS, OFFER], [terms_words(terms), (ZERO_ADDRESS, expiry, b"")])
        assert answer == InvalidSignature(terms.seller, digest)
        real_escrow.do("revise", [TERMS, "uint24"], [terms_words(terms), revision], sender=terms.seller)

    real_escrow.evm.set_balance(ADDRESSES[8], terms.price)
    real_escrow.do("open", [TERMS], [terms_words(terms)], sender=ADDRESSES[8], value=terms.price)
    split = Split(state=State.Opened, disputed_units=0, revision=2, to_buyer=7, expiry=real_escrow.evm.now + 60)
    digest = typed_data.split_digest(name, split, real_escrow.domain)
    answer = real_escrow.ask("agree", [TERMS, SPLIT, "bytes", "bytes"], [terms_words(terms), astuple(split), b"", b""])
    assert answer == InvalidSignature(terms.buyer, digest)


# -------------------------------------------------------------------------------------------------- against wallets


@given(any_terms)
def test_a_wallet_that_signs_the_terms_signs_the_id(terms: OrderTerms) -> None:
    assert wallet_digest(typed_data.terms_typed_data(terms, DOMAIN)) == order_id(terms, DOMAIN)


@given(hashes, uints(24), uints(40))
def test_a_wallet_signs_the_digest_of_an_offer(order: str, revision: int, expiry: int) -> None:
    document = typed_data.offer_typed_data(order, revision=revision, expiry=expiry, domain=DOMAIN)
    digest = typed_data.offer_digest(order, revision=revision, expiry=expiry, domain=DOMAIN)
    assert wallet_digest(document) == digest


@given(hashes, any_split)
def test_a_wallet_signs_the_digest_of_a_split(order: str, split: Split) -> None:
    document = typed_data.split_typed_data(order, split, DOMAIN)
    assert wallet_digest(document) == typed_data.split_digest(order, split, DOMAIN)


@given(hashes, any_action)
def test_a_wallet_signs_the_digest_of_an_action(order: str, action: Action) -> None:
    document = typed_data.action_typed_data(order, action, DOMAIN)
    assert wallet_digest(document) == typed_data.action_digest(order, action, DOMAIN)


def test_typed_data_is_what_wallets_take() -> None:
    document = typed_data.terms_typed_data(make_terms(price=10**30), DOMAIN)
    assert set(document) == {"types", "primaryType", "domain", "message"}
    assert [member["name"] for member in document["types"]["EIP712Domain"]] == list(document["domain"])
    assert [member["name"] for member in document["types"]["OrderTerms"]] == list(document["message"])
    # JavaScript's numbers are exact up to 2^53: amounts travel as text.
    assert document["message"]["price"] == str(10**30)
    account = Account.from_key(b"\x01" * 32)
    signed = account.sign_typed_data(full_message=document)
    assert "0x" + signed.message_hash.hex().removeprefix("0x") == order_id(make_terms(price=10**30), DOMAIN)


def test_types_are_spelled_as_in_the_contract() -> None:
    source = (Path(__file__).resolve().parents[2] / "contracts" / "libraries" / "TypedData.sol").read_text("utf-8")
    split = Split(state=State.Opened, disputed_units=0, revision=0, to_buyer=0, expiry=1)
    action = Action(verb=Verb.Accept, state=State.Opened, role=Role.Seller, signer=ADDRESSES[0], expiry=1)
    documents = [
        typed_data.terms_typed_data(make_terms(), DOMAIN),
        typed_data.offer_typed_data(HASH, revision=0, expiry=1, domain=DOMAIN),
        typed_data.split_typed_data(HASH, split, DOMAIN),
        typed_data.action_typed_data(HASH, action, DOMAIN),
    ]
    spelled = set()
    for document in documents:
        name = document["primaryType"]
        members = ",".join(f"{member['type']} {member['name']}" for member in document["types"][name])
        spelled.add(f"{name}({members})")
    terms = next(text for text in spelled if text.startswith("OrderTerms("))
    spelled.add(f"OrderTerms witness){terms}TokenPermissions(address token,uint256 amount)")
    assert {text for text in source.split('"') if text.endswith(")")} == spelled


# ------------------------------------------------------------------------------------------------ what can't be hashed


def wrong_terms(**overrides: Any) -> Callable[[], str]:
    return lambda: order_id(make_terms(**overrides), DOMAIN)


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        (wrong_terms(buyer="0x12"), MalformedAddress("buyer", "0x12")),
        (wrong_terms(refund_to=HASH), MalformedAddress("refund_to", f"{HASH[:10]}… (66 characters)")),
        (wrong_terms(token=None), WrongType("token", "NoneType", "str")),
        (wrong_terms(price=1.0), WrongType("price", "float", "int")),
        (wrong_terms(price=True), WrongType("price", "bool", "int")),
        (wrong_terms(price=-1), NumberOutOfRange("price", -1, 0, 2**128 - 1)),
        (wrong_terms(price=2**128), NumberOutOfRange("price", 2**128, 0, 2**128 - 1)),
        (wrong_terms(units=2**16), NumberOutOfRange("units", 2**16, 0, 2**16 - 1)),
        (wrong_terms(policy_id=HASH.upper()), MalformedHash("policy_id", f"{HASH.upper()[:10]}… (66 characters)")),
        (wrong_terms(listing=HASH[:-2]), MalformedHash("listing", f"{HASH[:10]}… (64 characters)")),
        (wrong_terms(open_by=2**40), NumberOutOfRange("open_by", 2**40, 0, 2**40 - 1)),
        (wrong_terms(salt=b"\x00" * 32), WrongType("salt", "bytes", "str")),
        (lambda: policy_id(make_policy(accept_window=2**32)), NumberOutOfRange("accept_window", 2**32, 0, 2**32 - 1)),
        (lambda: policy_id(make_policy(mediator="x")), MalformedAddress("mediator", "x")),
        (lambda: order_id(make_terms(), Domain(-1, ADDRESSES[0])), NumberOutOfRange("chain_id", -1, 0, 2**256 - 1)),
        (lambda: order_id(make_terms(), Domain(1, "")), MalformedAddress("contract", "")),
        (
            lambda: typed_data.offer_digest(HASH, revision=2**24, expiry=0, domain=DOMAIN),
            NumberOutOfRange("revision", 2**24, 0, 2**24 - 1),
        ),
        (
            lambda: typed_data.offer_typed_data("0x", revision=0, expiry=0, domain=DOMAIN),
            MalformedHash("order_id", "0x"),
        ),
    ],
)
def test_what_the_contract_could_not_read_is_named(attempt: Callable[[], Any], refusal: Malformed) -> None:
    with pytest.raises(Malformed) as caught:
        attempt()
    assert caught.value == refusal
