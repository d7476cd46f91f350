"""Every command that does something, on a chain behind JSON-RPC."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.listing import Goods, ListingDocument, make_document
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.typed_data import Domain, order_id
from tests.hand import COMMITMENT, ETHER, MEDIATOR, SELLER, Hand, bring_up


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with bring_up(tmp_path_factory.mktemp("hand"), quick=True) as hand:
        yield hand


@pytest.fixture
def own_hand(tmp_path: Path) -> Iterator[Hand]:
    """A chain of one's own, for tests that break things or move its clock."""
    with bring_up(tmp_path, quick=True) as hand:
        yield hand


def test_people_are_told_until_when_and_what_then(hand: Hand) -> None:
    hand.terms("told.json")
    out = hand.terminal.ok("order", "open", "told.json", "--key-file", "keys/buyer.key").out
    assert re.search(r"auto-refund of 0\.50 ETH at \d\d:\d\d", out)
    out = hand.terminal.ok("order", "accept", "told.json", "--key-file", "keys/seller.key", LANG="zh_CN.UTF-8").out
    assert re.search(r"最迟 \d\d:\d\d.* 自动退款并赔付，买家共得 0\.625 ETH", out)


def test_orders_and_order_tell_what_the_mirror_knows(hand: Hand) -> None:
    order_id = hand.delivered("shown.json")
    assert hand.terminal.json("order", order_id)["source"] == "chain"
    assert hand.terminal.json("mirror", "--once", "--check")["drifts"] == []
    listed = hand.terminal.json("orders", "--state", "Delivered", "--party", SELLER)["orders"]
    assert order_id in [order["order_id"] for order in listed]
    shown = hand.terminal.json("order", order_id)
    assert shown["source"] == "mirror"
    assert [event["event"] for event in shown["history"]] == ["OrderOpened", "OrderAccepted", "OrderDelivered"]
    assert (shown["next"]["outcome"], shown["next"]["due"]) == ("Released", False)
    assert {"move": "confirm", "who": "buyer", "until": None, "ends": True} in shown["possible"]
    text = hand.terminal.ok("order", "show", "shown.json").out
    assert "auto-payment of 0.4975 ETH to the seller at" in text
    assert order_id in text


def test_an_order_s_summary_in_words_and_its_document_held_against_it(hand: Hand) -> None:
    terms = hand.terms("summed.json")
    told = hand.terminal.json("order", "summary", "summed.json")
    assert (told["order_id"], told["document"]) == (terms["order_id"], None)
    assert [stage["outcome"] for stage in told["stages"]] == ["Expired", "Undelivered", "Released", "Defaulted"]
    chinese = hand.terminal.ok("order", "summary", "summed.json", LANG="zh_CN.UTF-8").out
    assert "最晚到账时间" in chinese
    assert "0.50 ETH" in chinese
    sold = documented(hand, terms)
    found = hand.terminal.json("order", "summary", "sold.json", "--document", "sold-document.json")
    assert found["document"] == sold.to_json()
    assert found["listing"] == sold.hash()
    text = hand.terminal.ok("order", "summary", "sold.json", "--document", "sold-document.json").out
    assert "✓ The listing document is the order's" in text
    assert "Goods: 点卡 100 元 (lst_01, revision 1)" in text
    another = hand.terminal.run("order", "summary", "summed.json", "--document", "sold-document.json")
    assert "differ in listing" in another.err
    (hand.terminal.folder / "document.json").write_text('{"kind": "kameng.listing"}', "utf-8")
    refused = hand.terminal.run("order", "summary", "summed.json", "--document", "document.json")
    assert refused.code == 3
    assert "lacks members" in refused.err


def documented(hand: Hand, drawn: dict[str, Any]) -> ListingDocument:
    """Writes sold.json, the terms of an order that is to be, and its listing document."""
    shown = hand.terminal.json("policy", "show", hand.policy)
    policy = Policy(**{**{field.name: shown[field.name] for field in fields(Policy)}, "effective_from": 0})
    terms = OrderTerms(**{**drawn["terms"], "price": int(drawn["terms"]["price"])})
    domain = Domain(drawn["chain_id"], drawn["contract"])
    document = make_document(
        domain=domain,
        goods=Goods(id="lst_01", revision=1, title="点卡 100 元", category="game-card", description=""),
        platform_order="",
        delivery_key="age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        terms=terms,
        policy=policy,
        currency=Currency(terms.token, "ETH", 18),
        nonce="0x" + "5a" * 32,
    )
    complete = document.complete(terms.salt)
    sold = {**drawn, "order_id": order_id(complete, domain), "terms": {**drawn["terms"], "listing": complete.listing}}
    (hand.terminal.folder / "sold.json").write_text(json.dumps(sold), "utf-8")
    (hand.terminal.folder / "sold-document.json").write_bytes(document.canonical())
    return document


def test_an_offer_opens_straight_into_accepted(hand: Hand) -> None:
    hand.terms("promised.json")
    hand.act("seller", "order", "offer", "promised.json", "-o", "offer.json")
    opened = hand.act("buyer", "order", "open", "promised.json", "--offer", "offer.json")
    assert opened["state"] == "Accepted"


def test_a_dispute_ends_in_a_split_that_both_signed(hand: Hand) -> None:
    document = hand.terms("split.json", "--units", "10")
    hand.act("buyer", "order", "open", "split.json")
    hand.act("seller", "order", "accept", "split.json")
    hand.act("seller", "order", "deliver", "split.json", "--commitment", COMMITMENT)
    disputed = hand.act("buyer", "order", "dispute", document["order_id"], "--units", "3")
    assert (disputed["state"], disputed["disputed_units"]) == ("Disputed", 3)
    hand.act("seller", "order", "split", document["order_id"], "--to-buyer", "40%", "-o", "proposal.json")
    hand.act("buyer", "order", "countersign", "proposal.json", "-o", "signed.json")
    agreed = hand.act("stranger", "order", "agree", "signed.json")  # anyone may bring what both signed
    assert agreed["outcome"] == "Agreed"
    disputed_sum, dispute_bond = ETHER * 3 // 20, ETHER * 3 // 100
    assert int(agreed["shares"]["to_buyer"]) == disputed_sum * 40 // 100 + dispute_bond


def test_a_signed_action_is_brought_by_somebody_else(hand: Hand) -> None:
    hand.delivered("relayed.json")
    hand.act("buyer", "order", "sign", "confirm", "relayed.json", "-o", "action.json")
    assert hand.act("relayer", "order", "relay", "action.json")["outcome"] == "Confirmed"


def test_an_operator_works_within_its_grant(hand: Hand) -> None:
    address = next(one["address"] for one in hand.announced["accounts"] if one["name"] == "seller2")
    hand.act("seller", "operator", "set", address, "--policy", hand.policy, "--rights", "accept,deliver")
    shown = hand.terminal.json("operator", "show", address, "--policy", hand.policy, "--account", SELLER)
    assert shown["rights"] == ["Accept", "Deliver"]
    hand.opened("operated.json")
    assert hand.act("seller2", "order", "accept", "operated.json")["state"] == "Accepted"
    hand.fail("order", "decline", "operated.json", who="seller2", code=4)
    hand.act("seller", "operator", "set", address, "--policy", hand.policy, "--rights", "none")
    hand.fail("order", "deliver", "operated.json", "--commitment", COMMITMENT, who="seller2", code=4)


def test_bonds_and_policies_by_hand(hand: Hand) -> None:
    before = int(hand.terminal.json("bond", "show", "--account", SELLER)["amount"])
    assert int(hand.act("stranger", "bond", "fund", "0.25", "--seller", SELLER)["amount"]) == before + ETHER // 4
    assert int(hand.act("seller", "bond", "withdraw", "0.25")["amount"]) == before
    hand.terminal.ok("policy", "draft", "--mediator", MEDIATOR, "--price", "10", "-o", "second.json")
    checked = hand.terminal.json("policy", "check", "second.json", "--price", "10")
    assert [found["code"] for found in checked["warnings"]] == ["no_backup"]
    policy = hand.act("platform", "policy", "register", "second.json", "--review-by", "30d")["policy_id"]
    hand.act("platform", "policy", "review", policy, "--review-by", "60d")
    assert hand.act("platform", "policy", "retire", policy)["retired"] is True
    assert hand.terminal.json("policy", "show", policy)["retired"] is True
    hand.terminal.ok("mirror")
    assert {hand.policy, policy} <= {row["policy_id"] for row in hand.terminal.json("policy", "list")["policies"]}


def test_a_keystore_signs_with_the_passphrase_in_a_file(hand: Hand) -> None:
    folder = hand.terminal.folder
    key = (folder / "keys/stranger.key").read_text().strip()
    keystore = Account.encrypt(key, "open sesame", kdf="pbkdf2", iterations=10)
    (folder / "keystore.json").write_text(json.dumps(keystore))
    (folder / "passphrase").write_text("open sesame\n")
    words = ("bond", "show", "--key-file", "keystore.json", "--passphrase-file", "passphrase")
    address = next(one["address"] for one in hand.announced["accounts"] if one["name"] == "stranger")
    assert hand.terminal.json(*words)["of"] == address


def test_deploying_again_finds_what_is_there(own_hand: Hand) -> None:
    """The same code is at the same address, whoever deploys it: nothing is sent but for the test token."""
    before = own_hand.terminal.files()
    again = own_hand.act("stranger", "deploy", "--test-token")
    assert again["contract"] == own_hand.announced["contract"]
    assert again["record"] == own_hand.announced["record"]
    assert again["deployed"] == []
    assert own_hand.terminal.files() == before
    planned = own_hand.terminal.json("deploy", "--dry-run")
    assert all(part["is_there"] for part in planned["parts"])
    assert (planned["gas"], planned["cost"], planned["is_affordable"]) == (0, "0", True)


def test_a_contract_needs_no_record(own_hand: Hand) -> None:
    """The chain is asked, and what it answers is recorded."""
    address = own_hand.announced["contract"]
    record = Path(own_hand.announced["record"])
    text = record.read_text("utf-8")
    for contract in ((), ("--contract", address), ("--contract", f"{address}@{json.loads(text)['block']}")):
        record.unlink()
        assert own_hand.terminal.json("policy", "show", own_hand.policy, *contract)["policy_id"] == own_hand.policy
        assert record.read_text("utf-8") == text
    record.unlink()
    block = json.loads(text)["block"] + 1
    own_hand.fail("policy", "show", own_hand.policy, "--contract", f"{address}@{block}", code=5)
    own_hand.fail("policy", "show", own_hand.policy, "--contract", f"{address}@soon", code=3)
    own_hand.fail("policy", "show", own_hand.policy, "--contract", own_hand.announced["test_token"], code=5)
    own_hand.fail("policy", "show", own_hand.policy, "--contract", SELLER, code=5)
    assert own_hand.act("stranger", "deploy")["deployed"] == []
    assert record.read_text("utf-8") == text


def test_a_record_that_disagrees_with_the_chain_is_told_of(own_hand: Hand) -> None:
    record = Path(own_hand.announced["record"])
    document = json.loads(record.read_text("utf-8"))
    record.write_text(json.dumps(document | {"deployer": SELLER}), "utf-8")
    assert "deployer" in own_hand.fail("deploy", who="stranger", code=5).err
    record.write_text(json.dumps(document | {"block": document["block"] + 1}), "utf-8")
    own_hand.fail("deploy", who="stranger", code=5)


def test_settle_ends_all_that_is_due_and_nothing_else(own_hand: Hand) -> None:
    due = [own_hand.opened("one.json"), own_hand.opened("two.json")]
    own_hand.terminal.ok("mirror")
    assert own_hand.act("stranger", "settle")["settled"] == []
    own_hand.rpc("evm_increaseTime", 31 * 60)
    own_hand.rpc("evm_mine")
    fresh = own_hand.opened("three.json")
    own_hand.terminal.ok("mirror")
    assert {order["order_id"] for order in own_hand.terminal.json("orders", "--due")["orders"]} == set(due)
    done = own_hand.act("stranger", "settle")
    assert {order["order_id"] for order in done["settled"]} == set(due)
    assert {order["outcome"] for order in done["settled"]} == {"Expired"}
    assert len(done["transactions"]) == 1
    again = own_hand.act("stranger", "settle")  # the mirror does not know yet; the chain does
    assert (again["settled"], set(again["skipped"]), again["transactions"]) == ([], set(due), [])
    own_hand.terminal.ok("mirror")
    assert own_hand.act("stranger", "settle") == {"settled": [], "skipped": [], "transactions": []}
    assert own_hand.terminal.json("order", fresh)["state"] == "Opened"


def test_doctor_says_what_is_well_and_what_to_do(hand: Hand) -> None:
    well = hand.terminal.json("doctor", "--key-file", "keys/buyer.key", "--store", "fresh.sqlite")
    levels = {finding["code"]: finding["level"] for finding in well["findings"]}
    assert levels["rpc"] in ("ok", "warn")
    assert (levels["contract"], levels["key"], levels["python"]) == ("ok", "ok", "ok")
    ill = hand.terminal.run("doctor", "--json", KAMENG_RPC_URL="http://127.0.0.1:1")
    assert ill.code == 1
    assert ill.json()["ok"] is False
    assert any(found["code"] == "rpc" and found["level"] == "fail" for found in ill.json()["findings"])
