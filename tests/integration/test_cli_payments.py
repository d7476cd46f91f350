"""`kameng order payment`: what a payer signs, and somebody else brings."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hand import COMMITMENT, Hand, bring_up


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with bring_up(tmp_path_factory.mktemp("hand"), quick=True) as hand:
        hand.act("seller", "bond", "fund", "30", "--token", hand.announced["test_token"])
        yield hand


@pytest.fixture
def token(hand: Hand) -> str:
    return str(hand.announced["test_token"])


def test_the_buyer_signs_and_somebody_else_brings(hand: Hand, token: str) -> None:
    hand.terms("paid.json", "--token", token, price="20")
    signed = hand.act("buyer", "order", "payment", "paid.json", "-o", "payment.json")
    assert (signed["payment"]["method"], signed["payment"]["amount"]) == ("authorization", "20000000")
    hand.act("seller", "order", "offer", "paid.json", "-o", "offer.json")
    words = ("order", "open", "paid.json", "--payment", "payment.json", "--offer", "offer.json")
    assert hand.act("relayer", *words)["state"] == "Accepted"


def test_a_buyer_disputes_without_gas_or_allowance(hand: Hand, token: str) -> None:
    hand.terms("wrong.json", "--token", token, "--units", "10", price="20")
    hand.act("buyer", "order", "payment", "wrong.json", "-o", "price.json")
    hand.act("relayer", "order", "open", "wrong.json", "--payment", "price.json")
    hand.act("seller", "order", "accept", "wrong.json")
    hand.act("seller", "order", "deliver", "wrong.json", "--commitment", COMMITMENT)
    hand.act("buyer", "order", "sign", "dispute", "wrong.json", "--units", "3", "-o", "dispute.json")
    bond = hand.act("buyer", "order", "payment", "wrong.json", "--dispute", "3", "-o", "bond.json")
    relayed = hand.act("relayer", "order", "relay", "dispute.json", "--payment", "bond.json")
    assert (relayed["state"], relayed["disputed_units"]) == ("Disputed", 3)
    assert 0 < int(bond["payment"]["amount"]) < 6_000_000


def test_a_permit_is_for_its_signer(hand: Hand, token: str) -> None:
    hand.terms("own.json", "--token", token, price="5")
    hand.act("buyer", "order", "payment", "own.json", "--by", "permit", "-o", "permit.json")
    outcome = hand.terminal.run(
        "order", "open", "own.json", "--payment", "permit.json", "--key-file", "keys/relayer.key"
    )
    assert outcome.code != 0
    assert "permit" in outcome.err
    assert hand.act("buyer", "order", "open", "own.json", "--payment", "permit.json")["state"] == "Opened"


def test_people_read_what_they_signed(hand: Hand, token: str) -> None:
    hand.terms("read.json", "--token", token, price="7.5")
    said = hand.terminal.ok("order", "payment", "read.json", "-o", "r.json", "--key-file", "keys/buyer.key").out
    assert "Payment of 7.50 USDT signed, good until" in said
    said = hand.terminal.ok(
        "order", "payment", "read.json", "-o", "r.json", "--key-file", "keys/buyer.key", LANG="zh_CN.UTF-8"
    ).out
    assert "付款已签：7.50 USDT" in said


def spoil(hand: Hand, name: str, **fields: Any) -> None:
    path = hand.terminal.folder / name
    document = json.loads(path.read_text("utf-8"))
    document["payment"] |= fields
    path.write_text(json.dumps(document), "utf-8")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "1"}, "are due"),
        ({"nonce": "1"}, "another order"),
        ({"signature": "0x"}, "Nobody has signed"),
        ({"signature": "0x" + "11" * 65}, "The signature is not"),
        ({"deadline": 1}, "this was live before"),
        ({"method": "cash"}, "must be one of permit, authorization, permit2"),
        ({"amount": "-1"}, "whole number"),
        ({"payer": "0x12"}, "address"),
    ],
)
def test_a_spoilt_payment_is_refused_by_a_sentence(hand: Hand, token: str, fields: dict[str, Any], said: str) -> None:
    hand.terms("s.json", "--token", token, price="5")
    hand.act("buyer", "order", "payment", "s.json", "-o", "spoilt.json")
    spoil(hand, "spoilt.json", **fields)
    outcome = hand.terminal.run("order", "open", "s.json", "--payment", "spoilt.json", "--key-file", "keys/relayer.key")
    assert outcome.code != 0
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_a_payment_of_another_order_is_refused(hand: Hand, token: str) -> None:
    hand.terms("one.json", "--token", token, price="5")
    hand.terms("two.json", "--token", token, price="5")
    hand.act("buyer", "order", "payment", "one.json", "-o", "one.payment.json")
    outcome = hand.terminal.run(
        "order", "open", "two.json", "--payment", "one.payment.json", "--key-file", "keys/relayer.key"
    )
    assert outcome.code != 0
    assert "is for order" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "cash"), "choose permit, authorization, permit2"),
        (("--by", "permit2"), "no Permit2 on this chain"),
        (("--expires", "-1h"), "expiry"),
    ],
)
def test_what_cannot_be_signed_is_told(hand: Hand, token: str, words: tuple[str, ...], said: str) -> None:
    hand.terms("c.json", "--token", token, price="5")
    outcome = hand.terminal.run("order", "payment", "c.json", *words, "--key-file", "keys/buyer.key")
    assert outcome.code != 0
    assert said in outcome.err


def test_permit2_is_not_approved_where_there_is_none(hand: Hand, token: str) -> None:
    outcome = hand.terminal.run("order", "approve-permit2", "--token", token, "--key-file", "keys/buyer.key")
    assert outcome.code != 0
    assert "no Permit2" in outcome.err
