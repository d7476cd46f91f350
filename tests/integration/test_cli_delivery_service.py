"""Codes through a platform's service, from the seller's command line to the buyer's."""

import json
import socket
import urllib.request
from collections.abc import Iterator

import pytest

from tests.hand import Hand, bring_up
from tests.terminal import wait_for

LISTED = ["1001----aaa-111", "1002----bbb-222", "1003----ccc-333"]


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """A shop with a service of its own, on its own chain."""
    folder = tmp_path_factory.mktemp("served")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with bring_up(folder, quick=True) as hand:
        (folder / "codes.csv").write_text("卡号,卡密\n1001,aaa-111\n1002,bbb-222\n1003,ccc-333\n", "utf-8")
        keys = folder / "fingerprints"
        keys.write_text(f"first {'11' * 32}\n", "ascii")
        keys.chmod(0o600)
        url = f"http://127.0.0.1:{port}"
        words = ("serve", "--listen", f"127.0.0.1:{port}", "--public-url", url, "--fingerprint-keys-file", str(keys))
        with hand.terminal.running(*words, until=None):
            hand.terminal.environment["SHOP"] = url
            wait_for(lambda: is_there(f"{url}/openapi.json"))
            yield hand


def is_there(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def shop(hand: Hand) -> tuple[str, str]:
    return ("--service", hand.terminal.environment["SHOP"])


def accepted(hand: Hand, name: str) -> dict[str, str]:
    """An accepted order, once the service knows it; its id, and the buyer's delivery key."""
    hand.terms(f"{name}.draft.json", "--units", "3", price="0.3")
    out = ("-o", f"{name}.listing.json", "--terms", f"{name}.json")
    bound = hand.act("buyer", "order", "listing", f"{name}.draft.json", "--title", "点卡", *out)
    hand.act("buyer", "order", "open", f"{name}.json")
    hand.act("seller", "order", "accept", f"{name}.json")
    return bound


def until_the_service_has(hand: Hand, *words: str) -> None:
    """Sends until the mirror has come so far that the service knows the order."""
    key = ("--key-file", "keys/seller.key")
    wait_for(lambda: hand.terminal.run(*words, *key, "--json").code == 0)


def test_from_the_seller_s_line_to_the_buyer_s(hand: Hand) -> None:
    bound = accepted(hand, "sold")
    named = ("--listing-file", "sold.listing.json")
    until_the_service_has(hand, "order", "deliver", "sold.json", "--codes", "codes.csv", *named, *shop(hand))
    fetching = ("delivery", "fetch", "sold.json", *shop(hand), "-o", "sold.sealed.json", "--key-file", "keys/buyer.key")
    wait_for(lambda: hand.terminal.run(*fetching).code == 0)
    stranger = (*fetching[:-4], "-o", "not-mine.json")  # nor does the seller get what is the buyer's
    hand.fail(*stranger, who="seller", code=4)
    assert hand.act("buyer", "delivery", "open", "sold.sealed.json", *named)["codes"] == LISTED
    assert json.loads((hand.terminal.folder / "sold.sealed.json").read_text("utf-8"))["order_id"] == bound["order_id"]


def test_codes_that_were_sold_are_not_sold_again_by_mistake(hand: Hand) -> None:
    accepted(hand, "first")
    (hand.terminal.folder / "mine.txt").write_text("X-1\nX-2\nX-3\n", "utf-8")
    (hand.terminal.folder / "again.txt").write_text("Y1\nx2\nY3\n", "utf-8")
    words = ("--codes", "mine.txt", "--listing-file", "first.listing.json", *shop(hand))
    until_the_service_has(hand, "order", "deliver", "first.json", *words)
    accepted(hand, "second")
    words = (
        "order",
        "deliver",
        "second.json",
        "--codes",
        "again.txt",
        "--listing-file",
        "second.listing.json",
        *shop(hand),
    )
    wait_for(lambda: "codes_sold_before" in hand.terminal.run(*words, "--key-file", "keys/seller.key", "--json").out)
    assert hand.terminal.json("order", "show", "second.json")["state"] == "Accepted"
    assert hand.act("seller", *words, "--allow-duplicates")["state"] == "Delivered"


def test_what_is_no_service_is_refused_before_anything_is_sent(hand: Hand) -> None:
    accepted(hand, "third")
    words = ("order", "deliver", "third.json", "--codes", "codes.csv", "--listing-file", "third.listing.json")
    hand.fail(*words, "--service", "http://shop.example", who="seller", code=3)
    hand.fail(*words, "--service", "http://127.0.0.1:9", who="seller", code=5)
    asking = (*words[:-2], *shop(hand), "--key-file", "keys/seller.key")
    wait_for(lambda: "unknown_order" not in hand.terminal.run(*asking, "--json").out)  # when it knows the order
    hand.fail(*asking, code=3)  # it was not quoted there, so nobody knows the buyer's key
    assert hand.terminal.json("order", "show", "third.json")["state"] == "Accepted"


# ---------------------------------------------------------------------------------------- buyers whose key is in a file


def test_what_a_buyer_signs_goes_to_the_platform(hand: Hand) -> None:
    accepted(hand, "signed")
    (hand.terminal.folder / "pay.txt").write_text("Z-1\nZ-2\nZ-3\n", "utf-8")
    named = ("--codes", "pay.txt", "--listing-file", "signed.listing.json")
    until_the_service_has(hand, "order", "deliver", "signed.json", *named, *shop(hand))
    asking = ("buyer", "act", "confirm", "signed.json", "--expected", "Delivered", *shop(hand), "--wait", "0")
    key = ("--key-file", "keys/buyer.key", "--json")
    wait_for(lambda: hand.terminal.run(*asking, *key).code == 0)  # the mirror has come so far
    relay = hand.act("buyer", *asking)
    assert (relay["verb"], relay["kind"], relay["ended"]) == ("Confirm", "Action", False)
    hand.fail(*asking[:3], "third.json", *asking[4:], who="seller", code=4)


def test_a_transfer_is_registered_before_it_is_sent(hand: Hand) -> None:
    draft = json.loads((hand.terminal.folder / "policy.json").read_text("utf-8"))
    draft |= {"dispute_bond_bps": 0, "mediation_fee_bps": 0}
    (hand.terminal.folder / "bondless.json").write_text(json.dumps(draft), "utf-8")
    bondless = hand.act("platform", "policy", "register", "bondless.json")["policy_id"]
    hand.terms("moved.json", "--policy", bondless, price="0.01")
    words = ("buyer", "deposit", "moved.json", "--sign")
    hand.fail(*words, "--service", "http://127.0.0.1:9", who="buyer", code=5)
    sending = (*words, *shop(hand), "-o", "moved.sent.json")
    wait_for(lambda: hand.terminal.run(*sending, "--key-file", "keys/buyer.key").code == 0)  # it knows the policy
    told = hand.act("buyer", *sending)
    assert told["opens_with"] == ["signature"]
    assert told["watched"] is True
    sent = json.loads((hand.terminal.folder / "moved.sent.json").read_text("utf-8"))
    assert sent["buyer_signature"].startswith("0x")
    hand.fail(*words, *shop(hand), who="seller", code=3)  # whose signature would count for nothing
