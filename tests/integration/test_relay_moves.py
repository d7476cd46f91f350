"""Whatever the lifecycle allows a party its wallet can send, and what the contract takes by signature anyone can bring.

For every row, in every state and capacity: the transactions do what the move says, and so does what was signed.
"""

from dataclasses import replace
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.sender import UnsignedTransaction, wallet_json
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.actions import possible
from kameng_escrow.domain.lifecycle import LIFECYCLE, Move, Row, Who, row_of
from kameng_escrow.domain.order import NATIVE, OrderTerms
from kameng_escrow.domain.refusals import Unauthorized, WrongState
from kameng_escrow.domain.signed import OperatorGrant
from kameng_escrow.domain.states import State
from kameng_escrow.relay.deeds import CONSEQUENCES, OPERATIONS, Deed, prepare_deed
from kameng_escrow.relay.moves import STEPS, Papers, Wish, prepare

from .sdk_cast import COMMITMENT, DAY, EVIDENCE, GROUNDS, HOUR, Cast

CASES = [
    (row, state, who) for row in LIFECYCLE for state in row.states for who in row.who if state is not State.Nothing
]


def signer_of(cast: Cast, client: EscrowClient) -> LocalAccount:
    """The key of a client's account: the wallet's, in life."""
    return next(account for account in cast.node.accounts if account.address == client.address)


def without_key(client: EscrowClient) -> EscrowClient:
    """As the service knows an account."""
    return client.acting_as(client.address)


def send_all(cast: Cast, transactions: tuple[UnsignedTransaction, ...]) -> None:
    """What a wallet does with what it is given."""
    for transaction in transactions:
        fields = {name: value for name, value in wallet_json(transaction).items() if name != "chainId"}
        fields.setdefault("gas", hex(1_500_000))
        sent = cast.node.request("eth_sendTransaction", fields)
        receipt = cast.node.request("eth_getTransactionReceipt", sent)
        assert int(receipt["status"], 16) == 1


def actor(cast: Cast, who: Who) -> EscrowClient:
    return {
        Who.Buyer: cast.buyer,
        Who.Seller: cast.seller,
        Who.Operator: cast.operator,
        Who.Parties: cast.buyer,
        Who.Mediator: cast.mediator,
        Who.Platform: cast.platform,
        Who.Anyone: cast.stranger,
    }[who]


def order_for(cast: Cast, row: Row, state: State, who: Who, token: str = NATIVE) -> OrderTerms:
    """An order in that state, at a time at which the row is possible."""
    terms = cast.order(state, token=token)
    if who is Who.Operator:
        grant = OperatorGrant(rights=15, expiry=cast.reader.now() + 30 * DAY, max_price=terms.price)
        cast.seller.set_operator(cast.operator.address, policy_id=cast.policy_id, grant=grant, token=token)
    if row.move is Move.Settle:
        cast.lapse(terms)
    elif row.move in (Move.Rule, Move.Concede):
        cast.to_mediation(terms)
    return terms


def wish_for(cast: Cast, terms: OrderTerms, move: Move) -> Wish:
    split = None
    signatures: dict[str, Any] = {}
    if move is Move.Agree:
        split = cast.seller.split(terms, to_buyer=1_000)
        signatures = {"seller_signature": cast.seller.sign_split(terms, split)}
    return Wish(
        units=3 if move is Move.Dispute else None,
        evidence=EVIDENCE,
        commitment=COMMITMENT,
        to_buyer=1_000,
        grounds=GROUNDS,
        split=split,
        **signatures,
    )


def moved(cast: Cast, terms: OrderTerms, row: Row, before: Any) -> bool:
    """Whether the row has happened."""
    now = cast.reader.status(cast.reader.order_id(terms))
    if row.to is not None:
        return now.state is row.to
    return bool(now.revision == before.revision + 1)


def test_no_move_and_no_deed_is_missing() -> None:
    assert set(STEPS) == set(Move)
    assert set(OPERATIONS) == set(Deed) == set(CONSEQUENCES)
    for move, step in STEPS.items():
        assert set(step.needs) | set(step.takes) <= set(Wish.__dataclass_fields__), move
    for deed, operation in OPERATIONS.items():
        assert getattr(EscrowClient, deed.value) is operation


@pytest.mark.parametrize(("row", "state", "who"), CASES, ids=lambda one: getattr(one, "name", str(one))[:40])
def test_a_wallet_can_send_it(cast: Cast, row: Row, state: State, who: Who) -> None:
    terms = order_for(cast, row, state, who)
    client = actor(cast, who)
    order = cast.reader.order(cast.reader.order_id(terms))
    told = [one.move for one in possible(order, who, cast.reader.now())]
    before = cast.reader.status(order.id)
    papers = prepare(without_key(client), terms, row.move, wish_for(cast, terms, row.move))
    send_all(cast, papers.transactions)
    assert moved(cast, terms, row, before)
    assert row.move in told


@pytest.mark.parametrize(
    ("row", "state", "who"),
    [one for one in CASES if one[0].move.verb is not None],
    ids=lambda one: getattr(one, "name", str(one))[:40],
)
def test_anyone_can_bring_what_its_wallet_signed(cast: Cast, row: Row, state: State, who: Who) -> None:
    terms = order_for(cast, row, state, who)
    client = actor(cast, who)
    before = cast.reader.status(cast.reader.order_id(terms))
    papers = prepare(without_key(client), terms, row.move, wish_for(cast, terms, row.move))
    assert papers.action is not None
    signature = sign(signer_of(cast, client), papers)
    cast.stranger.act(terms, action=papers.action, signature=signature)
    assert moved(cast, terms, row, before)


def sign(account: LocalAccount, papers: Papers) -> bytes:
    """As a wallet signs typed data."""
    assert papers.typed_data is not None
    return bytes(account.sign_typed_data(full_message=dict(papers.typed_data)).signature)


def test_a_split_is_signed_first_and_brought_then(cast: Cast) -> None:
    terms = cast.order(State.Delivered)
    drafted = prepare(without_key(cast.buyer), terms, Move.Agree, Wish(to_buyer=1_000))
    assert drafted.transactions == ()
    assert drafted.split is not None
    signature = sign(signer_of(cast, cast.buyer), drafted)
    with_it = Wish(split=drafted.split, buyer_signature=signature)
    papers = prepare(without_key(cast.seller), terms, Move.Agree, with_it)
    send_all(cast, papers.transactions)
    assert cast.state(terms) is State.Closed


def test_an_allowance_comes_before_what_it_is_for(cast: Cast) -> None:
    terms = cast.terms(token=cast.token)
    papers = prepare(without_key(cast.buyer), terms, Move.Open, Wish())
    first, second = papers.transactions
    assert first["to"] == cast.token
    assert second["to"] == cast.deployment.address
    assert "gas" in first
    assert "gas" not in second
    assert all(not {"nonce", "maxFeePerGas"} & one.keys() for one in papers.transactions)
    send_all(cast, papers.transactions)
    assert cast.state(terms) is State.Opened


def test_an_offer_opens_an_order_accepted(cast: Cast) -> None:
    terms = cast.terms()
    offer = cast.seller.sign_offer(terms, expiry=cast.reader.now() + HOUR)
    papers = prepare(without_key(cast.buyer), terms, Move.OpenWithOffer, Wish(offer=offer))
    send_all(cast, papers.transactions)
    assert cast.state(terms) is State.Accepted
    with pytest.raises(InvalidInput, match="needs offer"):
        prepare(without_key(cast.buyer), cast.terms(), Move.OpenWithOffer, Wish())


def test_what_the_contract_would_refuse_is_refused_before_anybody_signs(cast: Cast) -> None:
    terms = cast.order(State.Delivered)
    with pytest.raises(Unauthorized):
        prepare(without_key(cast.stranger), terms, Move.Confirm, Wish())
    with pytest.raises(WrongState):
        prepare(without_key(cast.buyer), terms, Move.Cancel, Wish(expected=State.Accepted))
    with pytest.raises(InvalidInput, match="needs units"):
        prepare(without_key(cast.buyer), terms, Move.Dispute, Wish())


def test_what_is_prepared_is_of_the_state_that_was_meant(cast: Cast) -> None:
    terms = cast.order(State.Accepted)
    papers = prepare(without_key(cast.buyer), terms, Move.Cancel, Wish(expected=State.Accepted))
    cast.seller.deliver(terms, commitment=COMMITMENT)
    assert papers.action is not None
    signature = sign(signer_of(cast, cast.buyer), papers)
    with pytest.raises(WrongState):
        cast.stranger.act(terms, action=papers.action, signature=signature)


@pytest.mark.parametrize("token", ["native", "token"])
def test_a_bond_is_funded_and_withdrawn(cast: Cast, token: str) -> None:
    coin = NATIVE if token == "native" else cast.token
    before = cast.reader.bond(seller=cast.seller.address, token=coin)
    client = without_key(cast.seller)
    send_all(cast, prepare_deed(client, Deed.FundBond, amount=1_000, token=coin))
    assert cast.reader.bond(seller=cast.seller.address, token=coin) == before + 1_000
    send_all(cast, prepare_deed(client, Deed.WithdrawBond, amount=1_000, token=coin))
    assert cast.reader.bond(seller=cast.seller.address, token=coin) == before


def test_the_rest_of_the_deeds_are_the_sdks(cast: Cast) -> None:
    seller, platform = without_key(cast.seller), without_key(cast.platform)
    send_all(cast, prepare_deed(seller, Deed.RegisterPayTo, cast.stranger.address))
    assert cast.reader.pay_to(seller=cast.seller.address) == cast.stranger.address
    grant = OperatorGrant(rights=3, expiry=cast.reader.now() + HOUR, max_price=5)
    who = cast.operator.address
    send_all(cast, prepare_deed(seller, Deed.SetOperator, who, policy_id=cast.policy_id, grant=grant))
    assert cast.reader.operator(who, policy_id=cast.policy_id, seller=cast.seller.address) == grant
    policy = replace(cast.policy, platform_fee_bps=7)
    send_all(cast, prepare_deed(platform, Deed.RegisterPolicy, policy))
    send_all(cast, prepare_deed(platform, Deed.RetirePolicy, cast.policy_id))
    assert cast.reader.policy(cast.policy_id).retired


def test_moves_of_no_open_order_are_openings_and_a_revision() -> None:
    assert {move for move in Move if row_of(move, State.Nothing)} == {Move.Open, Move.OpenWithOffer, Move.Revise}
