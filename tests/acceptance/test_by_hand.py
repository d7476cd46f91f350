"""An order by hand, as a new user would: `kameng node` in one terminal, everything else from others."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hand import COMMITMENT, ETHER, SELLER, Hand, bring_up
from tests.terminal import Terminal, interrupt, wait_for


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with bring_up(tmp_path_factory.mktemp("hand"), quick=False) as hand:
        yield hand


@pytest.fixture
def own_hand(tmp_path: Path) -> Iterator[Hand]:
    """A chain of one's own, for tests that break things."""
    with bring_up(tmp_path, quick=False) as hand:
        yield hand


def test_node_prints_what_a_wallet_and_a_user_need(hand: Hand) -> None:
    assert hand.announced["chain_id"] == 31_337
    assert len(hand.announced["accounts"]) == 10
    assert all(account["worthless_dev_key"].startswith("0x") for account in hand.announced["accounts"])
    assert {"contract", "lens", "test_token", "rpc_url"} <= hand.announced.keys()
    for path in hand.announced["key_files"].values():
        assert (hand.terminal.folder / path).stat().st_mode & 0o777 == 0o600


def test_an_order_from_terms_to_paid(hand: Hand) -> None:
    document = hand.terms("paid.json", "--units", "3")
    assert document["terms"]["price"] == str(ETHER // 2)
    opened = hand.act("buyer", "order", "open", "paid.json")
    assert (opened["order_id"], opened["state"]) == (document["order_id"], "Opened")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", opened["deadline"])
    assert hand.act("seller", "order", "accept", "paid.json")["state"] == "Accepted"
    delivered = hand.act("seller", "order", "deliver", "paid.json", "--commitment", COMMITMENT)
    assert delivered["state"] == "Delivered"
    confirmed = hand.act("buyer", "order", "confirm", "paid.json", "--expected", "Delivered")
    assert (confirmed["state"], confirmed["outcome"], confirmed["fault"]) == ("Closed", "Confirmed", "None")
    assert int(confirmed["shares"]["to_seller"]) + int(confirmed["shares"]["platform_fee"]) == ETHER // 2
    fees = hand.act("platform", "fees", "show", "--policy", hand.policy)
    assert int(fees["amount"]) >= int(confirmed["shares"]["platform_fee"])


def test_wrong_input_is_answered_with_a_sentence(hand: Hand) -> None:
    """One of each kind; `tests/integration/test_cli_refusals.py` has them all."""
    draw = ("order", "terms", "--policy", hand.policy, "--seller")
    hand.fail(*draw, "0x1234", "--price", "1", who="buyer", code=3)  # a bad address
    hand.fail(*draw, SELLER, "--price", "0", who="buyer", code=3)  # an amount of zero
    (hand.terminal.folder / "bad.key").write_text("0x00")
    (hand.terminal.folder / "bad.key").chmod(0o600)
    hand.fail(*draw, SELLER, "--price", "1", "--key-file", "bad.key", code=3)
    hand.fail("policy", "show", hand.policy, "--chain-id", "1", code=5)  # a wrong chain
    hand.fail("policy", "show", hand.policy, "--rpc-url", "http://127.0.0.1:1", code=5)  # nobody there
    document = hand.terms("changed.json")
    document["terms"]["price"] = "1"
    (hand.terminal.folder / "changed.json").write_text(json.dumps(document), "utf-8")
    hand.fail("order", "open", "changed.json", who="buyer", code=3)  # terms that don't match
    hand.terms("late.json")
    hand.act("seller", "order", "offer", "late.json", "--expires", "30", "-o", "offer.json")
    hand.rpc("evm_increaseTime", 31)
    hand.rpc("evm_mine")
    hand.fail("order", "open", "late.json", "--offer", "offer.json", who="buyer", code=4)  # an expired offer


def test_a_killed_mirror_goes_on_where_it_was(own_hand: Hand) -> None:
    first = own_hand.delivered("first.json")
    with own_hand.terminal.running("mirror", "--follow", "--poll", "0.1", until=None) as mirror:
        wait_for(lambda: own_hand.terminal.run("order", first, "--json").out.count('"mirror"') > 0)
        mirror.send_signal(signal.SIGKILL)
        mirror.wait()
    second = own_hand.delivered("second.json")
    assert own_hand.terminal.json("order", second)["source"] == "chain"
    caught_up = own_hand.terminal.json("mirror", "--once", "--check")
    assert caught_up["drifts"] == []
    assert 0 < caught_up["blocks"] < caught_up["seen_block"], "it began anew"
    assert own_hand.terminal.json("order", second)["source"] == "mirror"
    assert own_hand.terminal.json("order", first)["state"] == "Delivered"


def test_a_mirror_that_is_interrupted_ends_politely(hand: Hand) -> None:
    with hand.terminal.running("mirror", "--follow", "--poll", "0.1", "--store", "polite.sqlite", until=None) as mirror:
        store = hand.terminal.folder / "polite.sqlite"
        wait_for(lambda: store.exists() and hand.terminal.run("orders", "--store", "polite.sqlite").code == 0)
        assert interrupt(mirror) == 0
        assert mirror.stdout is not None
        assert "block" in mirror.stdout.read()


def test_a_node_that_is_interrupted_says_goodbye(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    with terminal.running("node", "--port", "0", until="Ctrl-C") as node:
        said: str = node.said  # type: ignore[attr-defined]
        assert "worthless" in said.lower()
        assert interrupt(node) == 0
    assert terminal.files() == []


def test_what_was_mirrored_can_be_read_when_the_node_is_gone(own_hand: Hand) -> None:
    order_id = own_hand.delivered()
    own_hand.terminal.ok("mirror")
    own_hand.node.kill()
    own_hand.node.wait()
    assert own_hand.terminal.json("order", order_id)["state"] == "Delivered"
    assert [row["order_id"] for row in own_hand.terminal.json("orders")["orders"]] == [order_id]
    url = own_hand.announced["rpc_url"]
    for words in (("order", "confirm", order_id), ("mirror",), ("settle",), ("order", "show", "t.json")):
        who = "buyer" if words[0] != "mirror" and "show" not in words else ""
        assert url in own_hand.fail(*words, who=who, code=5).err
