"""Terms receipts prove themselves; a watchtower posts what the buyer signed, in time, and not otherwise."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.client.receipt import ReceiptFalse, ReceiptUnreadable, SignedDispute, TermsReceipt, parse_receipt
from kameng_escrow.client.receipts import Watch, Watching, watch
from kameng_escrow.client.results import OrderStatus
from kameng_escrow.domain.currency import Currency
from kameng_escrow.domain.listing import Goods, ListingMismatch, make_document
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.payments import PaymentMethod
from kameng_escrow.domain.refusals import PolicyUnknown
from kameng_escrow.domain.states import Fault, Outcome, Role, State, Verb
from kameng_escrow.domain.typed_data import Domain
from tests.hand import Hand, bring_up

from .sdk_cast import HOUR, Cast, call_contract, deploy_code, make_cast

KEY = "age1q86aazmna0v6pzuzhf6387pqw6dzt2aqvq437wp7lrer226hfpyqmg7h24"


def currency(terms: OrderTerms) -> Currency:
    return Currency(terms.token, "ETH" if terms.token == NATIVE else "TUSD", 18 if terms.token == NATIVE else 6)


def listed(cast: Cast) -> tuple[OrderTerms, Any]:
    """Terms with the document that they were made with."""
    terms = cast.terms()
    document = make_document(
        domain=Domain(cast.deployment.chain_id, cast.deployment.address),
        goods=Goods(id="lst_1", revision=1, title="点卡 100", category="game-card", description="逐张核验"),
        platform_order="",
        delivery_key=KEY,
        terms=terms,
        policy=cast.policy,
        currency=currency(terms),
        nonce="0x" + "22" * 32,
    )
    return document.complete(terms.salt), document


def whole(cast: Cast) -> TermsReceipt:
    """A receipt with everything in it."""
    terms, document = listed(cast)
    offer = cast.seller.sign_offer(terms, expiry=cast.reader.now() + HOUR)
    dispute = cast.buyer.sign_dispute(terms, units=4)
    return cast.reader.receipt(terms, currency=currency(terms), listing=document, offer=offer, dispute=dispute)


# ------------------------------------------------------------------------------------------------------------ refusals


def test_what_is_no_receipt_is_refused(cast: Cast) -> None:
    good = whole(cast).to_json()
    for wrong in (None, [], "x", {}, {"kind": "kameng.terms"}, {"kind": "kameng.receipt"}, {**good, "version": 2}):
        with pytest.raises(ReceiptUnreadable):
            parse_receipt(wrong)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a document has values."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def changed(document: Any, path: tuple[Any, ...], to: Any) -> Any:
    copied = json.loads(json.dumps(document))
    at = copied
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return copied


def other(value: Any) -> Any:
    """Another value of the same form."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + 1
    if value.startswith("0x") and len(value) > 4:
        return value[:-1] + ("1" if value[-1] == "0" else "0")
    return value + "1"


def test_no_value_may_change(cast: Cast) -> None:
    """Every one of them, also where somebody works out the digest anew."""
    from kameng_escrow.client.receipt import _digest

    good = whole(cast).to_json()
    places = list(leaves(good))
    assert len(places) > 100
    for path in places:
        at = good
        for step in path:
            at = at[step]
        forged = changed(good, path, other(at))
        with pytest.raises((ReceiptUnreadable, ReceiptFalse, ListingMismatch)):
            parse_receipt(forged)
        if path == ("digest",):
            continue
        forged["digest"] = _digest({name: value for name, value in forged.items() if name != "digest"})
        # What nothing in the file speaks against, the chain does; how the record tells its own story is no promise.
        if path[0] == "deployment" and path[1] not in ("chain_id", "address", "genesis"):
            continue
        if path[0] == "currency" and path[1] != "token":
            continue  # told by the words, which change with it
        assert is_seen(cast, forged), path


def is_seen(cast: Cast, forged: Any) -> bool:
    """Whether reading and verifying finds a forgery."""
    try:
        cast.reader.verify_receipt(parse_receipt(forged))
    except (ReceiptUnreadable, ReceiptFalse, ListingMismatch, PolicyUnknown):
        return True
    return False


def test_signatures_of_others_are_seen(cast: Cast) -> None:
    good = whole(cast)
    assert good.offer is not None
    assert good.dispute is not None
    stranger = cast.stranger.sign_offer(good.terms, expiry=good.offer.offer.expiry)
    swapped = replace(good, offer=replace(good.offer, offer=replace(stranger, operator=good.offer.offer.operator)))
    with pytest.raises(ReceiptFalse, match="offer"):
        cast.reader.verify_receipt(swapped)
    for action in (
        replace(good.dispute.action, number=5),
        replace(good.dispute.action, content="0x" + "01" * 32),
        replace(good.dispute.action, expiry=good.dispute.action.expiry + 1),
    ):
        with pytest.raises(ReceiptFalse, match="dispute"):
            cast.reader.verify_receipt(replace(good, dispute=replace(good.dispute, action=action)))
    for action in (
        replace(good.dispute.action, verb=Verb.Confirm),
        replace(good.dispute.action, state=State.Opened),
        replace(good.dispute.action, role=Role.Seller),
        replace(good.dispute.action, signer=cast.seller.address),
        replace(good.dispute.action, number=0),
        replace(good.dispute.action, number=11),
    ):
        with pytest.raises((ReceiptFalse, ReceiptUnreadable)):
            parse_receipt(replace(good, dispute=replace(good.dispute, action=action)).to_json())


def test_only_the_buyer_signs_its_dispute(cast: Cast) -> None:
    terms = cast.terms()
    with pytest.raises(InvalidInput, match="Only the buyer"):
        cast.seller.sign_dispute(terms, units=1)
    for units in (0, 11):
        with pytest.raises(InvalidInput, match="10 units"):
            cast.buyer.sign_dispute(terms, units=units)


# ------------------------------------------------------------------------------------------------------------- receipts


def test_a_receipt_comes_back_and_is_true(cast: Cast) -> None:
    made = whole(cast)
    text = json.dumps(made.to_json(), ensure_ascii=False)
    assert parse_receipt(json.loads(text)) == made
    cast.reader.verify_receipt(made)
    assert "点卡 100" in text
    assert any("1" in line for line in made.summary_zh)
    assert made.order_id == cast.reader.order_id(made.terms)


def test_a_receipt_opens_disputes_and_settles_without_any_service(cast: Cast) -> None:
    """The file alone is enough: the terms to call with, the offer to open with, the dispute to post."""
    receipt = parse_receipt(json.loads(json.dumps(whole(cast).to_json())))
    assert receipt.offer is not None
    assert receipt.dispute is not None
    cast.buyer.open(receipt.terms, offer=receipt.offer.offer)
    cast.seller.deliver(receipt.terms, commitment="0x" + "c0" * 32)
    cast.stranger.act(receipt.terms, action=receipt.dispute.action, signature=receipt.dispute.signature)
    status = cast.reader.status(receipt.order_id)
    assert (status.state, status.disputed_units) == (State.Disputed, 4)


# ----------------------------------------------------------------------------------------------------------- watching


def status(state: State, deadline: int | None) -> OrderStatus:
    return OrderStatus(
        order_id="0x" + "01" * 32,
        state=state,
        outcome=Outcome.Nothing,
        fault=Fault.Nobody,
        deadline=deadline,
        disputed_units=0,
        revision=0,
    )


@pytest.mark.parametrize(
    ("state", "now", "expected"),
    [
        (State.Nothing, 50, Watching(what=Watch.Wait)),
        (State.Opened, 50, Watching(what=Watch.Wait)),
        (State.Accepted, 50, Watching(what=Watch.Wait)),
        (State.Delivered, 69, Watching(what=Watch.Wait, look_at=70)),
        (State.Delivered, 70, Watching(what=Watch.Post)),
        (State.Delivered, 99, Watching(what=Watch.Post)),
        (State.Delivered, 100, Watching(what=Watch.Missed)),
        (State.Disputed, 50, Watching(what=Watch.Done)),
        (State.Closed, 500, Watching(what=Watch.Done)),
        (State.Accepted, 200, Watching(what=Watch.Missed)),
    ],
)
def test_a_watchtower_waits_posts_and_stops(cast: Cast, state: State, now: int, expected: Watching) -> None:
    signed = cast.buyer.sign_dispute(cast.terms(), units=1)
    dispute = SignedDispute(action=replace(signed.action, expiry=200), signature=b"")
    assert watch(dispute, status(state, None if state is State.Nothing else 100), now, margin=30) == expected


def test_the_signature_lives_as_long_as_the_order_can_be_delivered(cast: Cast) -> None:
    """Even where everybody takes as long as the policy lets them."""
    terms = cast.terms(open_by=cast.reader.now() + HOUR)
    dispute = cast.buyer.sign_dispute(terms, units=1)
    cast.node.warp(terms.open_by - 3)
    cast.buyer.open(terms)
    order_id = cast.reader.order_id(terms)
    for step in (cast.seller.accept, lambda of: cast.seller.deliver(of, commitment="0x" + "c0" * 32)):
        deadline = cast.reader.status(order_id).deadline
        assert deadline is not None
        cast.node.warp(deadline - 3)
        step(terms)
    last = cast.reader.status(order_id).deadline
    assert last is not None
    assert last <= dispute.action.expiry
    cast.node.warp(last - 3)
    cast.stranger.act(terms, action=dispute.action, signature=dispute.signature)
    assert cast.state(terms) is State.Disputed


@pytest.fixture(scope="module")
def shop(compiled: Callable[[str], Artifact]) -> Iterator[tuple[Cast, str]]:
    """The cast on an Anvil of its own, and a token that takes permits and authorizations."""
    with AnvilNode() as node:
        cast, artifact = make_cast(node), compiled("AuthorizedToken")
        token = deploy_code(node, artifact, "Test Dollar", "TUSD", 6)
        for client in (cast.buyer, cast.seller):
            call_contract(node, token, artifact, "mint", client.address, 10**15)
        cast.seller.fund_bond(amount=10**12, token=token)
        yield cast, token


@pytest.mark.parametrize("method", [PaymentMethod.Authorization, PaymentMethod.Permit])
def test_the_bond_comes_with_the_dispute(shop: tuple[Cast, str], method: PaymentMethod) -> None:
    """Nobody but the buyer pays it, and the buyer need not be there."""
    cast, token = shop
    terms = cast.terms(token=token)
    cast.buyer.open(terms)
    dispute = cast.buyer.sign_dispute(terms, units=2, bond_by=method)
    receipt = parse_receipt(cast.reader.receipt(terms, currency=currency(terms), dispute=dispute).to_json())
    cast.seller.accept(terms)
    cast.seller.deliver(terms, commitment="0x" + "c0" * 32)
    assert receipt.dispute == dispute
    before = cast.buyer.balance(token=token)
    cast.stranger.act(terms, action=dispute.action, signature=dispute.signature, payment=dispute.payment)
    assert cast.state(terms) is State.Disputed
    assert dispute.payment is not None
    assert cast.buyer.balance(token=token) == before - dispute.payment.amount
    assert dispute.payment.amount > 0
    with pytest.raises(InvalidInput, match="Permit2 pays prices only"):
        cast.buyer.sign_dispute(terms, units=2, bond_by=PaymentMethod.Permit2)


# ------------------------------------------------------------------------------------------------------------ commands


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with bring_up(tmp_path_factory.mktemp("receipts"), quick=True) as hand:
        yield hand


def test_receipts_by_hand(hand: Hand) -> None:
    hand.terms("told.json")
    hand.act("seller", "order", "offer", "told.json", "-o", "offer.json")
    hand.act("buyer", "receipt", "make", "told.json", "--offer", "offer.json", "--dispute", "1", "-o", "receipt.json")
    shown = hand.terminal.json("receipt", "show", "receipt.json")
    assert (shown["state"], shown["offer"], shown["dispute_units"]) == ("None", True, 1)
    text = hand.terminal.ok("receipt", "show", "receipt.json", LANG="zh_CN.UTF-8").out
    assert "条款凭据属实" in text
    assert "验货" in text
    hand.fail("receipt", "make", "told.json", "--dispute", "1", who="seller", code=3)
    hand.fail("receipt", "make", "told.json", "--dispute", "2", who="buyer", code=3)
    hand.fail("receipt", "make", "told.json", "--dispute", "1", "--bond-by", "cash", who="buyer", code=3)
    document = json.loads((hand.terminal.folder / "receipt.json").read_text("utf-8"))
    document["terms"]["price"] = "1"
    (hand.terminal.folder / "forged.json").write_text(json.dumps(document), "utf-8")
    hand.fail("receipt", "show", "forged.json", code=3)
    hand.fail("watchtower", "forged.json", who="relayer", code=3)


def test_a_watchtower_posts_for_a_buyer_who_is_silent(tmp_path: Path) -> None:
    with bring_up(tmp_path, quick=True) as hand:
        hand.delivered("silent.json")
        hand.delivered("content.json")
        for name in ("silent", "content"):
            hand.act("buyer", "receipt", "make", f"{name}.json", "--dispute", "1", "-o", f"{name}.receipt.json")
        hand.act("buyer", "receipt", "make", "silent.json", "-o", "without.json")
        hand.fail("watchtower", "without.json", who="relayer", code=3)
        watching = ("watchtower", "silent.receipt.json", "content.receipt.json", "--once")
        waiting = hand.act("relayer", *watching)["receipts"]
        assert [one["watch"] for one in waiting] == ["Wait", "Wait"]
        hand.act("buyer", "order", "confirm", "content.json")
        hand.rpc("evm_increaseTime", 86_400 - 1_200)
        hand.rpc("evm_mine")
        done = hand.terminal.run(*watching, "--key-file", "keys/relayer.key", "--json")
        assert done.code == 1  # the bond is in the native coin, and nobody said that this account pays it
        assert done.json()["failed"] == ["silent.receipt.json"]
        posted = hand.act("relayer", *watching[:-1], "--pay-bonds")["receipts"]
        assert [(one["watch"], one["state"]) for one in posted] == [("Post", "Disputed"), ("Done", "Closed")]
        again = hand.act("relayer", *watching[:-1])["receipts"]
        assert [one["watch"] for one in again] == ["Done", "Done"]
