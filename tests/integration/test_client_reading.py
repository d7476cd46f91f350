"""What the client reads: statuses, orders, events, and whether it is the right contract on the right chain."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import EthereumTesterProvider, Web3
from web3.types import RPCEndpoint

from kameng_escrow.chain.deployments import save_deployment
from kameng_escrow.chain.errors import (
    CodeMismatch,
    InvalidInput,
    NoDeployment,
    NodeRefused,
    NodeUnreachable,
    WrongChain,
)
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.slots import decode_slot
from kameng_escrow.client import EscrowClient, UnknownOrder
from kameng_escrow.domain.actions import next_action
from kameng_escrow.domain.events import (
    Logged,
    OrderAccepted,
    OrderClosed,
    OrderOpened,
    OrderRevised,
    PolicyRegistered,
)
from kameng_escrow.domain.inputs import MalformedAddress, MalformedHash
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.states import Fault, Outcome, State

from .sdk_cast import COMMITMENT, EVIDENCE, PRICE, Cast

STATES = [State.Opened, State.Accepted, State.Delivered, State.Disputed]


def closed_orders(cast: Cast) -> list[OrderTerms]:
    """One that the buyer cancelled at a fee, one that was ruled."""
    cancelled, ruled = cast.order(State.Accepted), cast.order(State.Disputed)
    cast.buyer.cancel(cancelled)
    cast.to_mediation(ruled)
    cast.mediator.rule(ruled, to_buyer=1)
    return [cancelled, ruled]


# ------------------------------------------------------------------------------------------------------------- statuses


def test_a_status_says_where_an_order_stands(cast: Cast) -> None:
    terms = cast.order(State.Disputed)
    cast.seller.recommit(terms, commitment=COMMITMENT)
    order_id = cast.reader.order_id(terms)
    status = cast.reader.status(order_id)
    assert (status.order_id, status.state, status.revision, status.disputed_units) == (order_id, State.Disputed, 1, 3)
    assert (status.outcome, status.fault) == (Outcome.Nothing, Fault.Nobody)
    disputed_at = cast.reader.order(order_id).disputed_at
    assert disputed_at is not None
    assert status.deadline == disputed_at + cast.policy.negotiate_window + cast.policy.mediate_window


def test_a_status_without_the_lens_is_the_same(cast: Cast) -> None:
    """The slot is decoded here as the lens decodes it there, in every state."""
    orders = [cast.order(state) for state in STATES] + closed_orders(cast)
    revised = cast.terms()
    cast.seller.revise(revised)
    ids = [cast.reader.order_id(terms) for terms in [*orders, revised, cast.terms()]]
    bare = EscrowClient(node=cast.node, contract=cast.deployment.address)
    found = bare.statuses(ids)
    assert found == cast.reader.statuses(ids)
    assert [status.state for status in found] == [*STATES, State.Closed, State.Closed, State.Nothing, State.Nothing]
    assert (found[4].outcome, found[4].fault) == (Outcome.Cancelled, Fault.Buyer)
    assert (found[6].revision, found[6].deadline) == (1, None)
    assert found[7].deadline is None


def test_the_dispute_bond_is_read_from_the_slot(cast: Cast) -> None:
    terms = cast.order(State.Delivered)
    identity, slot = cast.reader._run(cast.reader._slot(terms))
    assert identity == cast.reader.order_id(terms)
    assert slot.dispute_bond_bps == cast.policy.dispute_bond_bps
    cast.buyer.confirm(terms)
    assert cast.reader._run(cast.reader._slot(terms))[1].dispute_bond_bps == 0


def test_no_orders_have_no_statuses(cast: Cast) -> None:
    assert cast.reader.statuses([]) == ()


def test_a_slot_of_no_escrow_is_refused() -> None:
    with pytest.raises(ValueError, match="6"):
        decode_slot(6 << 248)


@pytest.mark.parametrize("wrong", ["", "0x12", "order 5", "0x" + "g" * 64])
def test_what_is_no_order_id_is_refused(cast: Cast, wrong: str) -> None:
    for ask in (cast.reader.status, cast.reader.order, lambda order_id: list(cast.reader.events(order_id=order_id))):
        with pytest.raises(MalformedHash):
            ask(wrong)


# --------------------------------------------------------------------------------------------------------------- orders


@pytest.mark.parametrize("state", STATES)
def test_an_order_is_the_fold_of_its_events(cast: Cast, state: State) -> None:
    cast.order(State.Disputed)  # another's events are not this one's
    terms = cast.order(state)
    order = cast.reader.order(cast.reader.order_id(terms))
    assert (order.state, order.terms, order.policy, order.payer) == (state, terms, cast.policy, cast.buyer.address)
    assert order.deadline == cast.reader.status(order.id).deadline
    assert next_action(order, cast.node.now()) == cast.reader.next_action(terms)


def test_an_order_that_has_ended_knows_how(cast: Cast) -> None:
    cancelled, ruled = (cast.reader.order(cast.reader.order_id(terms)) for terms in closed_orders(cast))
    assert (cancelled.outcome, cancelled.fault) == (Outcome.Cancelled, Fault.Buyer)
    assert cancelled.shares is not None
    assert cancelled.shares.to_seller == PRICE * 5 // 100
    assert (ruled.outcome, ruled.mediator, ruled.evidence) == (Outcome.Ruled, cast.mediator.address, EVIDENCE)


def test_an_order_may_be_known_before_it_is_opened(cast: Cast) -> None:
    terms = cast.terms()
    with pytest.raises(UnknownOrder):
        cast.reader.order(cast.reader.order_id(terms))
    cast.seller.revise(terms)
    assert cast.reader.order(cast.reader.order_id(terms)).state is State.Nothing


# --------------------------------------------------------------------------------------------------------------- events


def names(events: Iterator[Logged]) -> list[str]:
    return [type(logged.event).__name__ for logged in events]


def test_events_are_all_that_happened_in_order(cast: Cast) -> None:
    before = cast.node.w3.eth.block_number
    terms = cast.order(State.Accepted)
    cast.buyer.cancel(terms)
    every = list(cast.reader.events())
    assert isinstance(every[0].event, PolicyRegistered)
    assert [(logged.block_number, logged.log_index) for logged in every] == sorted(
        (logged.block_number, logged.log_index) for logged in every
    )
    assert names(cast.reader.events(from_block=before + 1)) == ["OrderOpened", "OrderAccepted", "OrderClosed"]
    assert names(cast.reader.events(from_block=before + 1, to_block=before + 2)) == ["OrderOpened", "OrderAccepted"]
    assert names(cast.reader.events(from_block=before + 2, to_block=before + 1)) == []
    assert names(cast.reader.events(from_block=before + 100)) == []


def test_events_say_when_and_where(cast: Cast) -> None:
    receipt = cast.buyer.open(cast.terms())
    [logged] = cast.reader.events(from_block=receipt.block_number)
    assert (logged,) == receipt.events
    block = cast.node.w3.eth.get_block(receipt.block_number)
    assert (logged.timestamp, logged.block_hash) == (block["timestamp"], "0x" + bytes(block["hash"]).hex())
    assert logged.transaction_hash == receipt.transaction_hash


def test_events_of_one_order_are_only_its_own(cast: Cast) -> None:
    mine, other = cast.order(State.Accepted), cast.order(State.Delivered)
    cast.seller.revise(mine)
    found = [logged.event for logged in cast.reader.events(order_id=cast.reader.order_id(mine))]
    assert [type(event) for event in found] == [OrderOpened, OrderAccepted, OrderRevised]
    assert names(cast.reader.events(order_id=cast.reader.order_id(other)))[-1] == "OrderDelivered"


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_events_are_the_same_whatever_the_range(cast: Cast, size: int) -> None:
    cast.order(State.Disputed)
    client = EscrowClient(node=cast.node, contract=cast.deployment, blocks_per_request=size)
    assert list(client.events()) == list(cast.reader.events())


class Narrow:
    """A node that searches few blocks at once, as public ones do, and counts what it was asked."""

    def __init__(self, node: InProcessNode, most: int) -> None:
        self.asked: list[tuple[int, int]] = []
        provider = node.w3.provider
        honest = provider.make_request

        def make_request(method: RPCEndpoint, params: Any) -> Any:
            if method == "eth_getLogs":
                first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
                self.asked.append((first, last))
                if last - first >= most:
                    return {"error": {"code": -32005, "message": f"query exceeds max block range {most}"}}
            response: Any = honest(method, params)
            if method == "eth_getLogs":
                response = {**response, "result": [without_time(log) for log in response["result"]]}
            return response

        self.w3 = Web3(type(provider)(node._rpc))  # type: ignore[call-arg]
        self.w3.provider.make_request = make_request  # type: ignore[method-assign, assignment]


def without_time(log: Mapping[str, Any]) -> dict[str, Any]:
    """As older nodes answer, which leave the time of the block to be asked for."""
    return {name: value for name, value in log.items() if name != "blockTimestamp"}


def test_a_node_that_searches_few_blocks_at_once_is_asked_for_fewer(cast: Cast) -> None:
    assert isinstance(cast.node, InProcessNode)
    terms = cast.order(State.Disputed)
    narrow = Narrow(cast.node, most=3)
    client = EscrowClient(w3=narrow.w3, contract=cast.deployment)
    assert list(client.events()) == list(cast.reader.events())
    order_id = client.order_id(terms)
    assert client.order(order_id) == cast.reader.order(order_id)
    assert max(last - first for first, last in narrow.asked) >= 3, "it did refuse"


def test_a_node_that_refuses_a_single_block_is_not_asked_for_ever(cast: Cast) -> None:
    assert isinstance(cast.node, InProcessNode)
    narrow = Narrow(cast.node, most=0)
    client = EscrowClient(w3=narrow.w3, contract=cast.deployment)
    with pytest.raises(NodeRefused, match="max block range"):
        list(client.events())


def test_logs_of_other_contracts_are_not_events(cast: Cast) -> None:
    receipt = cast.buyer.open(cast.terms(token=cast.token))
    mined = cast.node.w3.eth.get_transaction_receipt(receipt.transaction_hash)  # type: ignore[arg-type]
    assert len(mined["logs"]) == 2, "the token's Transfer is there too"
    assert [type(logged.event) for logged in receipt.events] == [OrderOpened]


def test_a_receipt_is_asked_for_its_event(cast: Cast) -> None:
    receipt = cast.buyer.open(cast.terms())
    with pytest.raises(LookupError, match="has no OrderClosed"):
        receipt.event(OrderClosed)
    with pytest.raises(LookupError, match="about no policy"):
        _ = receipt.policy_id


# --------------------------------------------------------------------------------------------- which contract and chain


def test_the_record_of_the_nodes_chain_is_found(cast: Cast, tmp_path: Path) -> None:
    save_deployment(cast.deployment, tmp_path)
    client = EscrowClient(node=cast.node, deployments=tmp_path)
    assert client.deployment() == cast.deployment
    assert client.policy(cast.policy_id).policy == cast.policy


def test_without_a_record_there_is_no_contract(cast: Cast, tmp_path: Path) -> None:
    client = EscrowClient(node=cast.node, deployments=tmp_path)
    with pytest.raises(NoDeployment, match="No deployment on chain 31337 is recorded"):
        client.status("0x" + "11" * 32)


def test_another_chain_of_the_same_number_is_another_chain(cast: Cast, tmp_path: Path) -> None:
    save_deployment(cast.deployment, tmp_path)
    with InProcessNode() as other:
        with pytest.raises(WrongChain, match="with the genesis"):
            EscrowClient(node=other, contract=cast.deployment).status("0x" + "11" * 32)
        with pytest.raises(NoDeployment, match="of another chain of that number"):
            EscrowClient(node=other, deployments=tmp_path).status("0x" + "11" * 32)


def test_a_node_of_another_chain_is_the_wrong_one(cast: Cast) -> None:
    with InProcessNode(chain_id=5) as other, pytest.raises(WrongChain) as wrong:
        EscrowClient(node=other, contract=cast.deployment, account=cast.node.accounts[0]).register_pay_to(
            cast.stranger.address
        )
    assert (wrong.value.expected, wrong.value.got) == (31_337, 5)


def test_an_address_without_a_contract_is_told_so(cast: Cast) -> None:
    nobody = Account.create().address
    with pytest.raises(NoDeployment, match=f"There is no contract at {nobody}: check the address"):
        EscrowClient(node=cast.node, contract=nobody).status("0x" + "11" * 32)
    with pytest.raises(NoDeployment, match="There is no contract"):
        EscrowClient(node=cast.node, contract=replace(cast.deployment, address=nobody)).order("0x" + "11" * 32)


def test_an_address_that_is_none_is_refused(cast: Cast) -> None:
    client = EscrowClient(node=cast.node, contract="0x12")
    assert client.now() == cast.node.now(), "the chain's clock needs no contract"
    with pytest.raises(MalformedAddress):
        client.status("0x" + "11" * 32)


def test_a_contract_known_by_address_only_does_what_needs_no_lens(cast: Cast) -> None:
    bare = EscrowClient(node=cast.node, contract=cast.deployment.address.lower())
    terms = cast.order(State.Accepted)
    assert bare.order_id(terms) == cast.reader.order_id(terms)
    assert bare.order(bare.order_id(terms)).state is State.Accepted
    assert bare.acting_as(cast.node.accounts[4]).cancel(terms).event(OrderClosed).outcome is Outcome.Cancelled
    with pytest.raises(InvalidInput, match="through the lens"):
        bare.policy(cast.policy_id)
    with pytest.raises(NoDeployment, match="only the address is known"):
        bare.deployment()
    knowing = EscrowClient(node=cast.node, contract=cast.deployment.address, lens=cast.deployment.lens)
    assert knowing.policy(cast.policy_id).policy == cast.policy


def test_another_contract_is_no_escrow_and_gets_no_money(cast: Cast) -> None:
    mistaken = EscrowClient(node=cast.node, contract=cast.token, account=cast.node.accounts[4])
    for act in (mistaken.bond, lambda: mistaken.open(cast.terms()), lambda: mistaken.fund_bond(amount=1)):
        with pytest.raises(CodeMismatch, match="Don't send money there"):
            act()
    assert cast.node.w3.eth.get_balance(cast.node.w3.to_checksum_address(cast.token)) == 0


def test_a_provider_that_speaks_no_json_rpc_is_refused(cast: Cast) -> None:
    with pytest.raises(InvalidInput, match=r"EthereumTesterProvider does not speak JSON-RPC .* use InProcessNode"):
        EscrowClient(w3=Web3(EthereumTesterProvider()), contract=cast.deployment)


def test_a_node_that_goes_away_is_missed(cast: Cast) -> None:
    assert isinstance(cast.node, InProcessNode)
    with cast.node.serve(port=0) as url:
        client = EscrowClient(rpc_url=url, contract=cast.deployment, account=cast.node.accounts[4])
        terms = client.terms(seller=cast.seller.address, price=1, policy_id=cast.policy_id)
    with client, pytest.raises(NodeUnreachable, match=f"No node answers at {url}"):
        client.open(terms)
    assert cast.state(terms) is State.Nothing


def sequence_of_reads(client: EscrowClient) -> Sequence[Any]:
    return [client.now(), list(client.events())]


def test_a_closed_client_that_is_used_again_connects_again(cast: Cast) -> None:
    assert isinstance(cast.node, InProcessNode)
    with cast.node.serve(port=0) as url:
        client = EscrowClient(rpc_url=url, contract=cast.deployment)
        first = sequence_of_reads(client)
        client.close()
        client.close()
        assert sequence_of_reads(client) == first
        client.close()
