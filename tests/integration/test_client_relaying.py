"""The client: actions that others bring, and transactions that wallets sign, on a real EVM."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.sender import wallet_json
from kameng_escrow.chain.signing import sign_action
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.events import (
    OrderDisputed,
)
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.refusals import (
    Expired,
    PullFailed,
)
from kameng_escrow.domain.states import Role, State, Verb

from .sdk_cast import (
    COMMITMENT,
    EVIDENCE,
    PRICE,
    Cast,
    deploy_code,
)

# ------------------------------------------------------------------------------------------------------------- relaying


def test_a_buyer_without_coins_acts_through_a_relayer(cast: Cast) -> None:
    terms = cast.order(State.Delivered)
    action = cast.buyer.action(terms, verb=Verb.Confirm)
    assert (action.state, action.role, action.signer) == (State.Delivered, Role.Buyer, cast.buyer.address)
    signature = cast.buyer.sign_action(terms, action)
    before = cast.buyer.balance()
    cast.stranger.act(terms, action=action, signature=signature)
    assert cast.buyer.balance() == before
    assert cast.state(terms) is State.Closed


def test_a_relayer_brings_the_dispute_bond_in_the_native_coin(cast: Cast) -> None:
    terms = cast.order(State.Delivered)
    with pytest.raises(InvalidInput, match="number of units"):
        cast.buyer.action(terms, verb=Verb.Dispute)
    action = cast.buyer.action(terms, verb=Verb.Dispute, number=4, content=EVIDENCE)
    disputed = cast.stranger.act(terms, action=action, signature=cast.buyer.sign_action(terms, action))
    event = disputed.event(OrderDisputed)
    assert (event.units, event.evidence) == (4, EVIDENCE)
    assert event.dispute_bond == (PRICE - PRICE * 6 // 10) * 1_500 // 10_000


@pytest.mark.parametrize(
    ("state", "who", "verb", "fields"),
    [
        (State.Opened, "seller", Verb.Accept, {}),
        (State.Accepted, "seller", Verb.Deliver, {"content": COMMITMENT}),
        (State.Accepted, "seller", Verb.Decline, {}),
        (State.Delivered, "seller", Verb.Refund, {}),
        (State.Opened, "buyer", Verb.Cancel, {}),
        (State.Opened, "buyer", Verb.Revise, {}),
        (State.Disputed, "seller", Verb.Recommit, {"content": COMMITMENT}),
    ],
)
def test_every_verb_can_be_relayed(cast: Cast, state: State, who: str, verb: Verb, fields: dict[str, Any]) -> None:
    terms = cast.order(state)
    signer = getattr(cast, who)
    action = signer.action(terms, verb=verb, **fields)
    receipt = cast.stranger.act(terms, action=action, signature=signer.sign_action(terms, action))
    assert receipt.order_id == cast.reader.order_id(terms)


def test_an_action_is_signed_by_its_signer_and_before_it_expires(cast: Cast) -> None:
    terms = cast.order()
    action = cast.buyer.action(terms, verb=Verb.Cancel, expiry=cast.node.now() + 5)
    with pytest.raises(InvalidInput, match=f"to be signed by {cast.buyer.address}"):
        cast.seller.sign_action(terms, action)
    signature = cast.buyer.sign_action(terms, action)
    cast.node.warp(action.expiry)
    with pytest.raises(Expired):
        cast.buyer.sign_action(terms, action)
    with pytest.raises(Expired):
        cast.stranger.act(terms, action=action, signature=signature)


def test_a_contract_wallet_signs_by_erc_1271(cast: Cast, compiled: Callable[[str], Artifact]) -> None:
    wallet = deploy_code(cast.node, compiled("Wallet"), cast.buyer.address)
    terms = cast.order(State.Delivered, buyer=wallet)
    action = cast.buyer.action(terms, verb=Verb.Confirm, signer=wallet)
    assert action.role is Role.Buyer
    signature = cast.buyer._run(_sign_for(cast.buyer, terms, action))
    cast.stranger.act(terms, action=action, signature=signature)
    assert cast.state(terms) is State.Closed


def _sign_for(client: EscrowClient, terms: OrderTerms, action: Any) -> Any:
    """The wallet's owner signs what the wallet is to have signed."""
    place = yield from client._place()
    return sign_action(client._signer, (yield from client._order_id(terms)), action, place.domain)


# ------------------------------------------------------------------------------------------------------------ preparing


def writes() -> list[str]:
    return [name for name in dir(EscrowClient) if f"prepare_{name}" in dir(EscrowClient)]


def test_every_write_has_its_twin_for_wallets() -> None:
    assert len(writes()) >= 30
    for name in writes():
        write, prepare = getattr(EscrowClient, name), getattr(EscrowClient, f"prepare_{name}")
        assert inspect.signature(write._operate) == inspect.signature(prepare._operate)
        assert write.__doc__
        assert name in prepare.__doc__


def test_a_prepared_transaction_is_what_a_wallet_signs(cast: Cast) -> None:
    terms = cast.terms()
    unsigned = cast.buyer.prepare_open(terms)
    assert cast.state(terms) is State.Nothing, "nothing was sent"
    assert unsigned.keys() == {
        "to",
        "from",
        "data",
        "value",
        "chainId",
        "gas",
        "nonce",
        "maxFeePerGas",
        "maxPriorityFeePerGas",
    }
    assert (unsigned["to"], unsigned["value"], unsigned["chainId"]) == (cast.deployment.address, PRICE, 31_337)
    signed = cast.node.accounts[4].sign_transaction(unsigned)
    cast.node.w3.eth.send_raw_transaction(signed.raw_transaction)
    assert cast.state(terms) is State.Opened


def test_a_prepared_transaction_goes_to_a_browser_wallet_in_hex(cast: Cast) -> None:
    terms = cast.order()
    unsigned = wallet_json(cast.buyer.prepare_cancel(terms))
    assert all(isinstance(value, str) and value.startswith("0x") for value in unsigned.values())
    cast.node.request("eth_sendTransaction", unsigned)
    assert cast.state(terms) is State.Closed


def test_a_wallet_is_not_handed_what_the_contract_would_refuse(cast: Cast) -> None:
    terms = cast.terms(token=cast.token)
    with pytest.raises(PullFailed):
        cast.buyer.prepare_open(terms)
    approve = cast.buyer.prepare_approve(cast.token, amount=PRICE)
    cast.node.w3.eth.send_raw_transaction(cast.node.accounts[4].sign_transaction(approve).raw_transaction)
    assert cast.buyer.prepare_open(terms)["value"] == 0
