"""Deposit addresses and the cart by hand, on a chain behind JSON-RPC."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kameng_escrow.domain.deposits import deposit_address
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.typed_data import Domain, order_id
from tests.hand import BACKUP, ETHER, MEDIATOR, Hand, bring_up

REFUNDS = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"  # whose balance nothing else here moves


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """With a policy under which the buyer owes no dispute bond."""
    with bring_up(tmp_path_factory.mktemp("hand"), quick=True) as hand:
        draft = json.loads((hand.terminal.folder / "policy.json").read_text("utf-8"))
        draft |= {"dispute_bond_bps": 0, "mediation_fee_bps": 0, "mediator": MEDIATOR, "backup_mediator": BACKUP}
        (hand.terminal.folder / "bondless.json").write_text(json.dumps(draft), "utf-8")
        hand.policy = hand.act("platform", "policy", "register", "bondless.json")["policy_id"]
        yield hand


def transfer(hand: Hand, document: dict[str, Any], amount: int) -> str:
    """As an exchange pays out: to an address that somebody typed in."""
    told = hand.terminal.json("order", "deposit-address", f"{document['name']}")
    hand.rpc("eth_sendTransaction", {"from": MEDIATOR, "to": told["address"], "value": hex(amount)})
    return str(told["address"])


def terms(hand: Hand, name: str) -> dict[str, Any]:
    return {**hand.terms(name, "--refund-to", REFUNDS), "name": name}


def test_from_a_transfer_to_an_open_order(hand: Hand) -> None:
    document = terms(hand, "paid.json")
    told = hand.terminal.json("order", "deposit-address", "paid.json")
    assert (told["missing"], told["balance"], told["state"]) == (str(ETHER // 2), "0", "None")
    transfer(hand, document, ETHER // 2 + 7)
    told = hand.terminal.json("order", "deposit-address", "paid.json")
    assert (told["missing"], told["returnable"]) == ("0", "7")
    opened = hand.act("buyer", "order", "deposit-open", "paid.json")
    assert (opened["order_id"], opened["state"]) == (document["order_id"], "Opened")
    swept = hand.act("stranger", "order", "deposit-sweep", "paid.json")
    assert (swept["amount"], swept["to"]) == ("7", REFUNDS)


def test_anybody_opens_with_an_offer_or_with_what_the_buyer_signed(hand: Hand) -> None:
    document = terms(hand, "offered.json")
    hand.act("seller", "order", "offer", "offered.json", "-o", "offer.json")
    transfer(hand, document, ETHER // 2)
    assert hand.act("stranger", "order", "deposit-open", "offered.json", "--offer", "offer.json")["state"] == "Accepted"
    document = terms(hand, "signed.json")
    hand.act("buyer", "order", "deposit-sign", "signed.json", "-o", "opening.json")
    transfer(hand, document, ETHER // 2)
    hand.fail("order", "deposit-open", "signed.json", who="stranger", code=4)
    hand.fail("order", "deposit-open", "signed.json", "--signed", "offer.json", who="stranger", code=3)
    opened = hand.act("stranger", "order", "deposit-open", "signed.json", "--signed", "opening.json")
    assert opened["state"] == "Opened"


def test_the_buyer_has_it_sent_back(hand: Hand) -> None:
    document = terms(hand, "back.json")
    transfer(hand, document, ETHER // 5)
    hand.fail("order", "deposit-sweep", "back.json", who="stranger", code=4)
    hand.act("buyer", "order", "deposit-sign", "back.json", "--refund", "--expires", "30m", "-o", "will.json")
    returned = hand.act("stranger", "order", "deposit-refund", "back.json", "--signed", "will.json")
    assert (returned["amount"], returned["to"]) == (str(ETHER // 5), REFUNDS)
    transfer(hand, document, 3)
    assert hand.act("buyer", "order", "deposit-refund", "back.json")["amount"] == "3"


def test_people_are_told_in_their_language(hand: Hand) -> None:
    terms(hand, "told.json")
    english = hand.terminal.ok("order", "deposit-address", "told.json").out
    assert "Pay to 0x" in english
    assert "0.50 ETH is missing, to be opened until" in english
    assert "收款地址 0x" in hand.terminal.ok("order", "deposit-address", "told.json", LANG="zh_CN.UTF-8").out


def test_what_can_not_work_is_refused_with_a_sentence(hand: Hand) -> None:
    first, other = terms(hand, "first.json"), terms(hand, "other.json")
    assert first["order_id"] != other["order_id"]
    hand.act("buyer", "order", "deposit-sign", "other.json", "-o", "others.json")
    hand.fail("order", "deposit-open", "first.json", "--signed", "others.json", who="buyer", code=3)
    hand.fail("order", "deposit-refund", "first.json", "--signed", "others.json", who="buyer", code=3)
    hand.fail("order", "deposit-sign", "first.json", who="seller", code=3)
    hand.fail("order", "deposit-open", "first.json", who="buyer", code=4)  # nothing is there
    hand.fail("order", "deposit-sweep", "first.json", "--token", "0x12", who="buyer", code=3)
    with_bond = hand.terminal.json("policy", "register", "policy.json", "--key-file", "keys/seller.key")["policy_id"]
    hand.terms("bonded.json", "--policy", with_bond)
    told = hand.fail("order", "deposit-address", "bonded.json", code=4, LANG="zh_CN.UTF-8")
    assert "争议押金" in told.err


def test_a_cart_by_hand(hand: Hand, tmp_path: Path) -> None:
    terms(hand, "one.json")
    two = terms(hand, "two.json")
    hand.act("seller", "order", "offer", "two.json", "-o", "two-offer.json")
    opened = hand.act("buyer", "order", "open-cart", "one.json", "two.json", "--offer", "two-offer.json")
    assert [(one["price"], one["state"]) for one in opened["orders"]] == [
        (str(ETHER // 2), "Opened"),
        (str(ETHER // 2), "Accepted"),
    ]
    assert opened["orders"][1]["order_id"] == two["order_id"]
    terms(hand, "three.json")
    hand.fail("order", "open-cart", "three.json", "--offer", "two-offer.json", who="buyer", code=3)
    hand.fail("order", "open-cart", "one.json", "three.json", who="buyer", code=4)


def test_what_was_sent_on_the_wrong_chain(hand: Hand) -> None:
    """The terms file is of the chain that was meant; the node serves the one on which the money is."""
    document = terms(hand, "meant.json")
    told = hand.fail("order", "deposit-rescue", "meant.json", who="stranger", code=4)
    assert "sweep" in told.err
    document["chain_id"] = 56
    (hand.terminal.folder / "elsewhere.json").write_text(json.dumps(document), "utf-8")
    hand.fail("order", "deposit-address", "elsewhere.json", code=3)
    hand.fail("order", "deposit-rescue", "elsewhere.json", who="stranger", code=4)  # nothing is there
    fields = document["terms"]
    meant = OrderTerms(**{**fields, "price": int(fields["price"])})
    record = json.loads(next((hand.terminal.folder).rglob("*-0x*.json")).read_text("utf-8"))
    there = deposit_address(order_id(meant, Domain(56, record["address"])), record["periphery"]["KamengDeposits"])
    hand.rpc("eth_sendTransaction", {"from": MEDIATOR, "to": there, "value": hex(11)})
    rescued = hand.act("stranger", "order", "deposit-rescue", "elsewhere.json")
    assert rescued["to"] == REFUNDS
