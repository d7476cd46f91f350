"""Codes from the seller's file to the buyer's, and in a dispute to the mediator: each with a command of its own."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest

from kameng_escrow.cli.delivery_papers import delivery_document
from kameng_escrow.cli.documents import Place, terms_document
from kameng_escrow.cli.screen import to_json
from kameng_escrow.delivery import Delivery, DeliverySecret, new_nonce
from kameng_escrow.domain import OrderTerms, Policy, order_id
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.listing import Goods, make_document
from kameng_escrow.domain.typed_data import Domain
from tests.hand import Hand, bring_up

CODES = "卡号,卡密\n1001,aaa-111\n1002,bbb-222\n1003,ccc-333\n"
LISTED = ["1001----aaa-111", "1002----bbb-222", "1003----ccc-333"]


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with bring_up(tmp_path_factory.mktemp("delivery"), quick=True) as hand:
        (hand.terminal.folder / "codes.csv").write_bytes(CODES.encode("gbk"))
        yield hand


@pytest.fixture
def key(hand: Hand) -> dict[str, str]:
    """A nonce of the buyer's, and the delivery key that belongs to it."""
    return hand.act("buyer", "delivery", "recipient")


def accepted(hand: Hand, name: str) -> str:
    document = hand.terms(name, "--units", "3", price="0.3")
    hand.act("buyer", "order", "open", name)
    hand.act("seller", "order", "accept", name)
    return str(document["order_id"])


def delivered(hand: Hand, name: str, key: dict[str, str], sealed: str) -> str:
    order_id = accepted(hand, name)
    words = ("order", "deliver", name, "--codes", "codes.csv", "--to", key["delivery_key"], "-o", sealed)
    assert hand.act("seller", *words)["state"] == "Delivered"
    return order_id


def changed(hand: Hand, name: str, into: str, **fields: Any) -> str:
    """A copy of a document with other values in its part."""
    document = json.loads((hand.terminal.folder / name).read_text("utf-8"))
    part = document[document["kind"].removeprefix("kameng.")]
    part.update(fields)
    (hand.terminal.folder / into).write_text(json.dumps(document), "utf-8")
    return into


# ------------------------------------------------------------------------------------------------------------ refusals


def test_codes_must_fit_the_order_before_anything_is_sent(hand: Hand, key: dict[str, str]) -> None:
    name = "short.json"
    order_id = accepted(hand, name)
    (hand.terminal.folder / "two.csv").write_text("A1\nB2\n", "utf-8")
    (hand.terminal.folder / "twice.csv").write_text("A1\nB2\nA1\n", "utf-8")
    to = ("--to", key["delivery_key"], "-o", "none.json")
    for codes, says in (("two.csv", "for 3 units"), ("twice.csv", "Lines 1 and 3"), ("none.csv", "can't be read")):
        outcome = hand.fail("order", "deliver", name, "--codes", codes, *to, who="seller", code=3)
        assert says in outcome.err
    hand.fail(
        "order", "deliver", name, "--codes", "codes.csv", "--to", "age1x", "-o", "none.json", who="seller", code=3
    )
    hand.fail("order", "deliver", name, "--codes", "codes.csv", *to[:2], who="seller", code=3)
    hand.fail("order", "deliver", name, "--codes", "codes.csv", *to[2:], who="seller", code=3)
    hand.fail("order", "deliver", name, who="seller", code=3)
    hand.fail("order", "deliver", name, "--commitment", "0x" + "1" * 64, "--codes", "codes.csv", who="seller", code=3)
    assert hand.terminal.json("order", order_id)["state"] == "Accepted"


def test_a_sealed_delivery_is_of_its_order_only(hand: Hand, key: dict[str, str]) -> None:
    accepted(hand, "one.json")
    accepted(hand, "other.json")
    words = (
        "delivery",
        "pack",
        "one.json",
        "--codes",
        "codes.csv",
        "--to",
        key["delivery_key"],
        "-o",
        "one.sealed.json",
    )
    hand.act("seller", *words)
    hand.fail("order", "deliver", "other.json", "--delivery", "one.sealed.json", who="seller", code=3)
    broken = changed(hand, "one.sealed.json", "broken.json", root="0x" + "00" * 32)
    hand.fail("order", "deliver", "one.json", "--delivery", broken, who="seller", code=3)
    broken = changed(hand, "one.sealed.json", "broken.json", payload="@@")
    hand.fail("order", "deliver", "one.json", "--delivery", broken, who="seller", code=3)
    assert hand.act("seller", "order", "deliver", "one.json", "--delivery", "one.sealed.json")["state"] == "Delivered"


def test_nobody_else_s_key_opens_it(hand: Hand, key: dict[str, str]) -> None:
    delivered(hand, "closed.json", key, "closed.sealed.json")
    nonce = ("--nonce", key["nonce"])
    for who in ("seller", "stranger"):
        hand.fail("delivery", "open", "closed.sealed.json", *nonce, who=who, code=3)
    hand.fail("delivery", "open", "closed.sealed.json", who="buyer", code=3)  # which order's key?
    hand.fail("delivery", "open", "closed.sealed.json", "--nonce", new_nonce(), who="buyer", code=3)
    hand.fail("delivery", "disclose", "closed.sealed.json", *nonce, who="buyer", code=3)
    hand.fail("delivery", "disclose", "closed.sealed.json", *nonce, "--unit", "4", who="buyer", code=3)
    hand.fail("delivery", "disclose", "closed.sealed.json", *nonce, "--unit", "1", "--whole", who="buyer", code=3)


def test_what_was_not_committed_to_is_told(hand: Hand, key: dict[str, str]) -> None:
    """A payload from another packing, with honest hashes beside it, opens and is not what the chain says."""
    delivered(hand, "true.json", key, "true.sealed.json")
    words = (
        "delivery",
        "pack",
        "true.json",
        "--codes",
        "codes.csv",
        "--to",
        key["delivery_key"],
        "-o",
        "false.sealed.json",
    )
    hand.act("seller", *words)
    outcome = hand.fail("delivery", "open", "false.sealed.json", "--nonce", key["nonce"], who="buyer", code=3)
    assert "not the delivery that the chain knows" in outcome.err


# ------------------------------------------------------------------------------------------------------------ there


def test_the_buyer_opens_what_the_seller_sealed(hand: Hand, key: dict[str, str]) -> None:
    delivered(hand, "sold.json", key, "sold.sealed.json")
    sealed = (hand.terminal.folder / "sold.sealed.json").read_text("utf-8")
    assert "aaa-111" not in sealed
    words = ("delivery", "open", "sold.sealed.json", "--nonce", key["nonce"])
    assert hand.act("buyer", *words)["codes"] == LISTED
    text = hand.terminal.ok(*words, "--key-file", "keys/buyer.key", LANG="zh_CN.UTF-8").out
    assert "3 个卡密，与链上承诺一致" in text
    hand.act("buyer", *words, "-o", "mine.txt")
    mine = hand.terminal.folder / "mine.txt"
    assert mine.read_text("utf-8").splitlines() == LISTED
    assert mine.stat().st_mode & 0o077 == 0


def test_a_mediator_checks_one_unit(hand: Hand, key: dict[str, str]) -> None:
    order_id = delivered(hand, "disputed.json", key, "disputed.sealed.json")
    hand.act("buyer", "order", "dispute", order_id, "--units", "1")
    words = (
        "delivery",
        "disclose",
        "disputed.sealed.json",
        "--nonce",
        key["nonce"],
        "--unit",
        "2",
        "-o",
        "second.json",
    )
    hand.act("buyer", *words)
    assert LISTED[0] not in (hand.terminal.folder / "second.json").read_text("utf-8")
    checked = hand.terminal.json("delivery", "check", "second.json")
    assert (checked["matches"], checked["current"], checked["unit"], checked["code"]) == (True, True, 2, LISTED[1])
    for fields in ({"code": "1002----bbb-223"}, {"unit": 1}, {"unit": 4}, {"salt": "0x" + "00" * 32}, {"proof": []}):
        hand.fail("delivery", "check", changed(hand, "second.json", "forged.json", **fields), code=3)
    hand.fail("delivery", "check", changed(hand, "second.json", "forged.json", proof=["0x12"]), code=3)


def test_replaced_codes_are_told_from_those_before(hand: Hand, key: dict[str, str]) -> None:
    order_id = delivered(hand, "replaced.json", key, "before.sealed.json")
    hand.act("buyer", "order", "dispute", order_id, "--units", "3")
    nonce = ("--nonce", key["nonce"])
    hand.act("buyer", "delivery", "disclose", "before.sealed.json", *nonce, "--unit", "1", "-o", "before.json")
    (hand.terminal.folder / "fresh.txt").write_text("X1\nX2\nX3\n", "utf-8")
    words = (
        "order",
        "recommit",
        order_id,
        "--codes",
        "fresh.txt",
        "--to",
        key["delivery_key"],
        "-o",
        "after.sealed.json",
    )
    assert hand.act("seller", *words)["revision"] == 1
    assert hand.act("buyer", "delivery", "open", "after.sealed.json", *nonce)["codes"] == ["X1", "X2", "X3"]
    hand.fail("delivery", "open", "before.sealed.json", *nonce, who="buyer", code=3)
    checked = hand.terminal.json("delivery", "check", "before.json")
    assert (checked["matches"], checked["current"]) == (True, False)


def test_a_key_of_one_s_own_opens_too(hand: Hand, tmp_path: Path) -> None:
    (tmp_path / "word").write_text("correct horse battery\n", "utf-8")
    mine = ("--delivery-key-file", "own.key", "--passphrase-file", str(tmp_path / "word"))
    hand.terminal.ok("delivery", "key", "-o", "own.key", "--passphrase-file", str(tmp_path / "word"))
    hand.fail("delivery", "key", "-o", "own.key", "--passphrase-file", str(tmp_path / "word"), code=3)
    key = hand.terminal.json("delivery", "recipient", *mine)
    delivered(hand, "own.json", key, "own.sealed.json")
    opened = hand.terminal.json("delivery", "open", "own.sealed.json", "--nonce", key["nonce"], *mine)
    assert opened["codes"] == LISTED
    wrapped = (hand.terminal.folder / "own.key").read_text("ascii")
    identity = DeliverySecret.unwrap(wrapped, "correct horse battery").identity(key["nonce"])
    raw = hand.terminal.folder / "order.key"
    raw.write_text(f"# of one order\n{identity}\n", "ascii")
    raw.chmod(0o640)
    hand.fail("delivery", "open", "own.sealed.json", "--delivery-key-file", "order.key", code=3)
    raw.chmod(0o600)
    assert (
        hand.terminal.json("delivery", "open", "own.sealed.json", "--delivery-key-file", "order.key")["codes"] == LISTED
    )


# ------------------------------------------------------------------------------------------------- what was agreed


def listed(hand: Hand, name: str, key: dict[str, str]) -> Place:
    """An order, accepted, whose listing document names the buyer's delivery key; beside it as `NAME.listing.json`."""
    drafted = hand.terms(f"{name}.draft.json", "--units", "3", price="0.3")
    domain = Domain(drafted["chain_id"], drafted["contract"])
    terms = OrderTerms(**{**drafted["terms"], "price": int(drafted["terms"]["price"])})
    shown = hand.terminal.json("policy", "show", hand.policy)
    since = int(datetime.fromisoformat(shown["effective_from"]).timestamp())
    document = make_document(
        domain=domain,
        goods=Goods(id="lst_1", revision=1, title="点卡", category="game-card", description=""),
        platform_order="",
        delivery_key=key["delivery_key"],
        terms=terms,
        policy=Policy(**{**{field: shown[field] for field in Policy.__dataclass_fields__}, "effective_from": since}),
        currency=Currency(token=terms.token, symbol="ETH", decimals=18),
        nonce=key["nonce"],
    )
    made = document.complete(terms.salt)
    place = Place(chain_id=domain.chain_id, contract=domain.contract, order_id=order_id(made, domain))
    folder = hand.terminal.folder
    (folder / f"{name}.listing.json").write_bytes(document.canonical())
    (folder / f"{name}.json").write_text(to_json(terms_document(place, made)), "utf-8")
    hand.act("buyer", "order", "open", f"{name}.json")
    hand.act("seller", "order", "accept", f"{name}.json")
    return place


def test_the_listing_document_has_all_that_is_needed(hand: Hand, key: dict[str, str]) -> None:
    listed(hand, "listed", key)
    named = ("--listing-file", "listed.listing.json")
    hand.act("seller", "order", "deliver", "listed.json", "--codes", "codes.csv", *named, "-o", "listed.sealed.json")
    assert hand.act("buyer", "delivery", "open", "listed.sealed.json", *named)["codes"] == LISTED
    hand.act("buyer", "delivery", "disclose", "listed.sealed.json", *named, "--whole", "-o", "listed.key.json")
    words = ("delivery", "check", "listed.key.json", "--delivery", "listed.sealed.json", *named)
    assert hand.terminal.json(*words)["codes"] == LISTED
    hand.fail("delivery", "check", "listed.key.json", code=3)
    listed(hand, "unlike", hand.act("buyer", "delivery", "recipient"))
    words = ("order", "deliver", "unlike.json", "--codes", "codes.csv", *named, "-o", "none.json")
    outcome = hand.fail(*words, who="seller", code=3)
    assert "differ in listing" in outcome.err


@pytest.mark.parametrize("garbage", ["another key", "no codes", "too few"])
def test_a_mediator_sees_that_garbage_was_delivered(hand: Hand, key: dict[str, str], garbage: str) -> None:
    """The buyer shows the order's own key, which the listing names, and no other delivery of the buyer's."""
    name = garbage.replace(" ", "-")
    place = listed(hand, name, key)
    to = pyrage.x25519.Recipient.from_str(key["delivery_key"])
    inside = {
        "another key": lambda: pyrage.encrypt(b"{}", [pyrage.x25519.Identity.generate().to_public()]),
        "no codes": lambda: pyrage.encrypt(b"thanks for the money", [to]),
        "too few": lambda: pyrage.encrypt(
            to_json(
                {
                    "kind": "kameng.parcel",
                    "version": 1,
                    "order_id": place.order_id,
                    "seed": "0x" + "00" * 32,
                    "codes": ["A1"],
                    "note": "",
                }
            ).encode(),
            [to],
        ),
    }[garbage]()
    delivery = Delivery(order_id=place.order_id, root="0x" + "77" * 32, payload=inside)
    (hand.terminal.folder / f"{name}.sealed.json").write_text(to_json(delivery_document(place, delivery)), "utf-8")
    hand.act("seller", "order", "deliver", f"{name}.json", "--delivery", f"{name}.sealed.json")
    named = ("--listing-file", f"{name}.listing.json")
    hand.fail("delivery", "open", f"{name}.sealed.json", *named, who="buyer", code=3)
    hand.act("buyer", "delivery", "disclose", f"{name}.sealed.json", *named, "--whole", "-o", f"{name}.key.json")
    words = ("delivery", "check", f"{name}.key.json", "--delivery", f"{name}.sealed.json", *named)
    outcome = hand.terminal.run(*words, "--json")
    assert outcome.code == 1
    assert outcome.json()["matches"] is False
    stolen = changed_key(hand, f"{name}.key.json")
    assert "proves nothing" in hand.fail("delivery", "check", stolen, *words[3:], code=3).err


def changed_key(hand: Hand, name: str) -> str:
    """A buyer's claim that does not open anything, with a key that nobody agreed to."""
    document = json.loads((hand.terminal.folder / name).read_text("utf-8"))
    document["identity"] = str(pyrage.x25519.Identity.generate())
    (hand.terminal.folder / "stolen.json").write_text(json.dumps(document), "utf-8")
    return "stolen.json"


def test_two_without_a_platform_agree_on_what_is_sold(hand: Hand) -> None:
    """The buyer binds goods and delivery key into the terms; both keep the document."""
    hand.terms("plain.json", "--units", "3", price="0.3")
    words = (
        "order",
        "listing",
        "plain.json",
        "--title",
        "点卡 100 元",
        "-o",
        "bound.listing.json",
        "--terms",
        "bound.json",
    )
    bound = hand.act("buyer", *words)
    hand.act("buyer", "order", "open", "bound.json")
    hand.act("seller", "order", "accept", "bound.json")
    named = ("--listing-file", "bound.listing.json")
    hand.act("seller", "order", "deliver", "bound.json", "--codes", "codes.csv", *named, "-o", "bound.sealed.json")
    assert hand.act("buyer", "delivery", "open", "bound.sealed.json", *named)["codes"] == LISTED
    hand.act("buyer", "receipt", "make", "bound.json", *named, "-o", "bound.receipt.json")
    shown = hand.terminal.json("receipt", "show", "bound.receipt.json")
    assert (shown["order_id"], shown["listing"]) == (bound["order_id"], True)
    hand.fail(*words, "--category", "weapons", who="buyer", code=3)
    hand.fail(*words, "--delivery-key", bound["delivery_key"], who="buyer", code=3)
    hand.fail(*words, "--delivery-key", "age1x", "--nonce", bound["nonce"], who="buyer", code=3)
