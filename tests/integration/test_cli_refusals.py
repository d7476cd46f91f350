"""Wrong input of every kind: a clear sentence each, a code, no traceback, nothing half-written."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hand import SELLER, Hand, bring_up


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with bring_up(tmp_path_factory.mktemp("hand"), quick=True) as hand:
        yield hand


def test_wrong_addresses(hand: Hand) -> None:
    draw = ("order", "terms", "--price", "1", "--policy", hand.policy)
    assert "--seller" in hand.fail(*draw, "--seller", "0x1234", who="buyer", code=3).err
    assert "checksum" in hand.fail(*draw, "--seller", SELLER[:-1] + "7", who="buyer", code=3).err
    assert "--token" in hand.fail(*draw, "--seller", SELLER, "--token", "USDT", who="buyer", code=3).err
    hand.fail("bond", "show", "--account", "me", code=3)
    hand.fail("mirror", "--contract", "somewhere", code=3)
    hand.fail("mirror", "--contract", SELLER, code=5)


def test_wrong_keys(hand: Hand) -> None:
    folder, words = hand.terminal.folder, ("bond", "fund", "1", "--key-file")
    assert "KAMENG_KEY_FILE" in hand.fail("bond", "fund", "1", code=3).err
    assert "nobody.key" in hand.fail(*words, "keys/nobody.key", code=3).err
    (folder / "open.key").write_text((folder / "keys/buyer.key").read_text())
    (folder / "open.key").chmod(0o644)
    assert "chmod 600" in hand.fail(*words, "open.key", code=3).err
    (folder / "no.key").write_text("password")
    (folder / "no.key").chmod(0o600)
    assert "no key" in hand.fail(*words, "no.key", code=3).err
    (folder / "store.key").write_text('{"crypto": {}, "version": 3}')
    assert "passphrase" in hand.fail(*words, "store.key", code=3).err  # there is no terminal to ask
    (folder / "word").write_text("wrong\n")
    assert "damaged" in hand.fail(*words, "store.key", "--passphrase-file", "word", code=3).err
    assert "can't be read" in hand.fail(*words, "store.key", "--passphrase-file", "nothing", code=3).err


def test_a_key_on_the_command_line_is_called_leaked(hand: Hand) -> None:
    key = hand.announced["accounts"][0]["worthless_dev_key"]
    err = hand.fail("bond", "show", "--account", key, code=2).err
    assert "leaked" in err
    assert key not in err
    assert key not in hand.fail("bond", "fund", "1", "--key-file", key, code=2).err


def test_a_wrong_chain(hand: Hand) -> None:
    err = hand.fail("policy", "show", hand.policy, "--chain-id", "1", code=5).err
    assert "31337" in err
    hand.fail("policy", "show", hand.policy, "--chain-id", "one", code=3)
    hand.fail("policy", "show", hand.policy, "--rpc-url", "localhost:8545", code=3)
    hand.fail("policy", "show", hand.policy, "--rpc-url", "http://127.0.0.1:1", code=5)


def test_terms_that_do_not_match(hand: Hand) -> None:
    document = hand.terms("good.json")

    def spoilt(**changes: Any) -> str:
        (hand.terminal.folder / "spoilt.json").write_text(json.dumps({**document, **changes}), "utf-8")
        return "spoilt.json"

    cheaper = {**document["terms"], "price": "1"}
    (hand.terminal.folder / "spoilt.json").touch()
    for name, say in (
        (spoilt(terms=cheaper), "changed"),
        (spoilt(order_id="0x" + "00" * 32), "changed"),
    ):
        assert say in hand.fail("order", "open", name, who="buyer", code=3).err
    assert "chain 5" in hand.fail("order", "open", spoilt(chain_id=5), who="buyer", code=3).err
    assert SELLER in hand.fail("order", "open", spoilt(contract=SELLER), who="buyer", code=3).err
    assert "kind" in hand.fail("order", "open", spoilt(kind="kameng.offer"), who="buyer", code=3).err
    missing = {name: value for name, value in document["terms"].items() if name != "salt"}
    assert "salt" in hand.fail("order", "open", spoilt(terms=missing), who="buyer", code=3).err
    misspelt = {**document["terms"], "refundTo": SELLER}
    assert "refundTo" in hand.fail("order", "open", spoilt(terms=misspelt), who="buyer", code=3).err
    (hand.terminal.folder / "spoilt.json").write_text(json.dumps(document)[:-40], "utf-8")
    assert "cut off" in hand.fail("order", "open", "spoilt.json", who="buyer", code=3).err
    hand.fail("order", "open", "nowhere.json", who="buyer", code=3)
    hand.fail("order", "accept", "good.json", who="seller", code=3)  # nobody has opened it


def test_amounts_that_are_none(hand: Hand) -> None:
    draw = ("order", "terms", "--seller", SELLER, "--policy", hand.policy, "--price")
    for price in ("0", "free", "-1", "NaN", "0.0000000000000000001"):
        hand.fail(*draw, price, who="buyer", code=3)
    hand.fail(*draw, "1", "--units", "0", who="buyer", code=3)
    hand.fail("bond", "fund", "0", who="seller", code=3)
    hand.fail("bond", "withdraw", "1000", who="seller", code=4)
    assert "has" in hand.fail("bond", "fund", "1000000", who="seller", code=4).err  # coins that it does not have


def test_an_expired_offer_and_one_for_another_order(hand: Hand) -> None:
    hand.terms("late.json")
    hand.act("seller", "order", "offer", "late.json", "--expires", "60", "-o", "late_offer.json")
    hand.terms("other.json")
    assert (
        "is for order"
        in hand.fail("order", "open", "other.json", "--offer", "late_offer.json", who="buyer", code=3).err
    )
    assert "nothing" in hand.fail("order", "offer", "late.json", who="stranger", code=3).err
    hand.rpc("evm_increaseTime", 61)
    hand.rpc("evm_mine")
    hand.fail("order", "open", "late.json", "--offer", "late_offer.json", who="buyer", code=4)
    assert hand.act("buyer", "order", "open", "late.json")["state"] == "Opened"  # without it nothing is lost


def test_the_wrong_person_at_the_wrong_time(hand: Hand) -> None:
    order_id = hand.delivered("wrong.json")
    hand.fail("order", "open", "wrong.json", who="buyer", code=4)  # twice
    hand.fail("order", "cancel", order_id, who="buyer", code=4)  # delivered already
    hand.fail("order", "cancel", order_id, "--expected", "Opened", who="buyer", code=4)
    hand.fail("order", "cancel", order_id, "--expected", "Open", who="buyer", code=3)
    hand.fail("order", "confirm", order_id, who="stranger", code=4)
    hand.fail("order", "settle", order_id, who="stranger", code=4)
    hand.fail("order", "dispute", order_id, "--units", "2", who="buyer", code=4)  # there is one
    hand.fail("order", "rule", order_id, "--to-buyer", "10%", who="mediator", code=4)
    hand.fail("order", "rule", order_id, "--to-buyer", "110%", who="mediator", code=3)
    assert hand.act("buyer", "order", "confirm", order_id)["outcome"] == "Confirmed"


def test_files_that_can_not_be_written(hand: Hand) -> None:
    draw = ("order", "terms", "--seller", SELLER, "--policy", hand.policy, "--price", "1", "-o")
    hand.fail(*draw, "nowhere/t.json", who="buyer", code=3)
    hand.fail(*draw, "keys", who="buyer", code=3)
    hand.fail("mirror", "--store", "keys", code=6)
    (hand.terminal.folder / "text.sqlite").write_text("this is no database, and long enough to show it" * 50)
    hand.fail("mirror", "--store", "text.sqlite", code=6)
    hand.fail("deploy", "--deployments", "policy.json", who="platform", code=3)
    hand.fail("node", "--port", hand.announced["rpc_url"].rsplit(":", 1)[1], code=5)


def test_a_command_line_that_makes_no_sense(hand: Hand) -> None:
    hand.fail("frobnicate", code=2)
    hand.fail("order", "confirm", code=2)
    hand.fail("orders", "--frobnicate", code=2)
    hand.fail("mirror", "--once", "--follow", code=3)
    hand.fail("orders", "--state", "Happy", code=3)
    hand.fail("orders", "--lang", "fr", code=3)
    hand.fail("order", "0x1234", code=3)


def test_machines_get_refusals_as_json(hand: Hand) -> None:
    outcome = hand.terminal.run("order", "0x" + "ab" * 32, "--json")
    assert outcome.code != 0
    error = outcome.json()["error"]
    assert error["code"] == "unknown_order"
    assert error["message"]
    assert error["message_zh"]
    usage = hand.terminal.run("order", "confirm", "--json")
    assert (usage.code, usage.json()["error"]["code"]) == (2, "usage")


def test_chinese_comes_first_and_english_below(hand: Hand) -> None:
    err = hand.terminal.run("order", "0x" + "ab" * 32, LANG="zh_CN.UTF-8").err.splitlines()
    assert re.search("[一-鿿]", err[0])
    assert not re.search("[一-鿿]", err[1])
