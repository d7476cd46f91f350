"""What becomes of transactions when others send too, blocks are slow, lines are bad, or the world changes meanwhile."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from kameng_escrow.chain import sender as sender_module
from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.errors import (
    InsufficientFunds,
    NodeError,
    NodeRefused,
    NodeTimeout,
    NonceConflict,
    ReplacedTransaction,
    TransactionReverted,
    TransactionTimeout,
    WrongChain,
)
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.events import OrderAccepted, PayToRegistered
from kameng_escrow.domain.order import NATIVE
from kameng_escrow.domain.refusals import TooLate
from kameng_escrow.domain.states import State

from .proxy import Handling, bad_line
from .sdk_cast import PRICE, Cast

SELLER = 3  # among the node's accounts


@contextmanager
def held(node: AnvilNode) -> Iterator[None]:
    """Anvil mines only when told."""
    node.request("evm_setAutomine", False)
    yield
    node.request("evm_setAutomine", True)


@contextmanager
def doing(act: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Something that goes on in a thread of its own."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(act)


def wait_for_pool(node: AnvilNode, size: int = 1) -> list[dict[str, Any]]:
    """The transactions that wait, once there are so many."""
    while True:
        content = node.request("txpool_content")["pending"]
        waiting = [transaction for account in content.values() for transaction in account.values()]
        if len(waiting) >= size:
            return waiting


@contextmanager
def over(
    cast: Cast, handle: Handling, account: int | None = SELLER, path: str = "", **more: Any
) -> Iterator[EscrowClient]:
    """A client over a bad line."""
    assert isinstance(cast.node, InProcessNode)
    signer = None if account is None else cast.node.accounts[account]
    with (
        cast.node.serve(port=0) as url,
        bad_line(url, handle) as line,
        EscrowClient(rpc_url=line + path, contract=cast.deployment, account=signer, **more) as client,
    ):
        yield client


@pytest.fixture
def anvil(anvil_cast: Cast) -> AnvilNode:
    assert isinstance(anvil_cast.node, AnvilNode)
    return anvil_cast.node


# --------------------------------------------------------------------------------------------------------- waiting long


def test_a_transaction_that_is_not_mined_in_time_is_told_by_its_hash(anvil_cast: Cast, anvil: AnvilNode) -> None:
    hasty = EscrowClient(
        node=anvil, contract=anvil_cast.deployment, account=anvil.accounts[SELLER], receipt_timeout_seconds=0.3
    )
    with held(anvil):
        with pytest.raises(TransactionTimeout, match=r"not mined within 0\.3 s") as timeout:
            hasty.register_pay_to(anvil_cast.stranger.address)
        [waiting] = wait_for_pool(anvil)
        assert waiting["hash"] == timeout.value.transaction_hash
        anvil.mine()
    assert anvil.request("eth_getTransactionReceipt", timeout.value.transaction_hash)["status"] == "0x1"
    assert hasty.pay_to() == anvil_cast.stranger.address
    hasty.register_pay_to(anvil_cast.operator.address)
    assert hasty.pay_to() == anvil_cast.operator.address


def test_a_transaction_that_another_replaced_is_told_so(anvil_cast: Cast, anvil: AnvilNode) -> None:
    """A wallet speeds up, or cancels, by sending with the same nonce and a higher fee."""
    seller = anvil_cast.seller
    with held(anvil), doing(lambda: seller.register_pay_to(anvil_cast.stranger.address)) as sending:
        [waiting] = wait_for_pool(anvil)
        replacement = {
            "chainId": 31_337,
            "nonce": int(waiting["nonce"], 16),
            "to": seller.address,
            "value": 0,
            "gas": 21_000,
            "maxFeePerGas": 10 * int(waiting["maxFeePerGas"], 16),
            "maxPriorityFeePerGas": 10 * int(waiting["maxPriorityFeePerGas"], 16),
        }
        anvil.w3.eth.send_raw_transaction(anvil.accounts[SELLER].sign_transaction(replacement).raw_transaction)
        anvil.mine()
        with pytest.raises(ReplacedTransaction, match="took its nonce") as replaced:
            sending.result(timeout=60)
    assert replaced.value.transaction_hash == waiting["hash"]
    assert replaced.value.nonce == replacement["nonce"]
    assert seller.pay_to() == seller.address


def test_what_was_possible_when_sent_and_not_when_mined_is_explained(anvil_cast: Cast, anvil: AnvilNode) -> None:
    terms = anvil_cast.order(State.Opened)
    deadline = anvil_cast.reader.status(anvil_cast.reader.order_id(terms)).deadline
    assert deadline is not None
    with held(anvil), doing(lambda: anvil_cast.seller.accept(terms)) as sending:
        wait_for_pool(anvil)
        anvil.warp(deadline + 5)
        with pytest.raises(TransactionReverted, match="was mined in block ") as reverted:
            sending.result(timeout=60)
    assert reverted.value.__cause__ == TooLate(deadline + 5, deadline)
    assert "2" in reverted.value.message_zh
    receipt = anvil.request("eth_getTransactionReceipt", reverted.value.transaction_hash)
    assert (receipt["status"], int(receipt["blockNumber"], 16)) == ("0x0", reverted.value.block_number)
    assert anvil_cast.state(terms) is State.Opened


# ------------------------------------------------------------------------------------------------------- many senders


def test_many_threads_send_from_one_account_and_nothing_is_lost(anvil_cast: Cast, anvil: AnvilNode) -> None:
    before = anvil.w3.eth.get_transaction_count(anvil.accounts[SELLER].address)
    with ThreadPoolExecutor(max_workers=8) as pool:
        receipts = list(pool.map(lambda _: anvil_cast.seller.fund_bond(amount=1), range(16)))
    assert len({receipt.transaction_hash for receipt in receipts}) == 16
    assert anvil.w3.eth.get_transaction_count(anvil.accounts[SELLER].address) == before + 16
    assert anvil_cast.seller.bond() == 10**12 + 16


def test_transactions_in_flight_take_consecutive_nonces(anvil_cast: Cast, anvil: AnvilNode) -> None:
    with held(anvil), ThreadPoolExecutor(max_workers=4) as pool:
        sending = [pool.submit(anvil_cast.seller.fund_bond, amount=1) for _ in range(4)]
        nonces = sorted(int(transaction["nonce"], 16) for transaction in wait_for_pool(anvil, 4))
        assert nonces == list(range(nonces[0], nonces[0] + 4))
        anvil.mine()
        assert {future.result(timeout=60).block_number for future in sending} == {anvil.w3.eth.block_number}


def test_two_connections_that_send_from_one_account_make_way_for_each_other(cast: Cast) -> None:
    """Each picks its nonces without the other: the node refuses the slower one, which picks again."""
    other = EscrowClient(node=cast.node, contract=cast.deployment, account=cast.node.accounts[SELLER])
    with ThreadPoolExecutor(max_workers=2) as pool:
        done = [pool.submit(client.fund_bond, amount=1) for _ in range(6) for client in (cast.seller, other)]
        assert len({future.result(timeout=60).transaction_hash for future in done}) == 12
    assert cast.seller.bond() == 10**12 + 12


def test_after_a_reorganisation_nonces_begin_where_the_chain_is(cast: Cast) -> None:
    snapshot = cast.node.snapshot()
    for _ in range(3):
        cast.seller.fund_bond(amount=1)
    cast.node.revert(snapshot)
    cast.seller.fund_bond(amount=1)
    assert cast.seller.bond() == 10**12 + 1


def test_a_count_of_our_own_that_the_node_does_not_share_is_dropped(cast: Cast) -> None:
    """As after a reorganisation that undid what we had just sent."""
    cast.seller._connection.waiting[cast.seller.address].add(500)
    assert cast.seller.fund_bond(amount=1).event  # nonce 501 was refused, and the node's taken instead
    assert not cast.seller._connection.waiting[cast.seller.address]


def test_who_never_gets_a_nonce_is_told_that_somebody_else_sends(cast: Cast) -> None:
    refusal = {"code": -32000, "message": "nonce too low: next nonce 9, tx nonce 8"}
    asked = []

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        if method != "eth_sendRawTransaction":
            return forward()
        asked.append(method)
        return json.dumps({"jsonrpc": "2.0", "id": 0, "error": refusal}).encode()

    with over(cast, handle) as client, pytest.raises(NonceConflict, match="somebody else sends from it"):
        client.fund_bond(amount=1)
    assert len(asked) == sender_module.ATTEMPTS
    assert cast.seller.bond() == 10**12


# --------------------------------------------------------------------------------------------------------------- lines


def test_an_answer_that_is_lost_does_not_send_twice(cast: Cast) -> None:
    """The node took the transaction, and the line broke before it could say so."""
    broken = []

    def handle(method: str, forward: Callable[[], bytes]) -> bytes | None:
        answer = forward()
        if method == "eth_sendRawTransaction" and not broken:
            broken.append(json.loads(answer)["result"])
            return None
        return answer

    with over(cast, handle) as client:
        with pytest.raises(TransactionTimeout, match="the node's answer was lost") as lost:
            client.fund_bond(amount=1)
        assert [lost.value.transaction_hash] == broken
        assert client.bond() == 10**12 + 1
        client.fund_bond(amount=1)
        assert client.bond() == 10**12 + 2


def test_a_gateway_that_breaks_on_the_way_does_not_send_twice(cast: Cast) -> None:
    def handle(method: str, forward: Callable[[], bytes]) -> bytes | int:
        answer = forward()
        return 502 if method == "eth_sendRawTransaction" else answer

    with over(cast, handle) as client, pytest.raises(TransactionTimeout) as lost:
        client.fund_bond(amount=1)
    assert cast.node.request("eth_getTransactionReceipt", lost.value.transaction_hash)["status"] == "0x1"


def test_a_gateway_that_refuses_to_pass_on_has_sent_nothing(cast: Cast) -> None:
    def handle(method: str, forward: Callable[[], bytes]) -> bytes | int:
        return 429 if method == "eth_sendRawTransaction" else forward()

    with over(cast, handle) as client, pytest.raises(NodeError, match="HTTP 429"):
        client.fund_bond(amount=1)
    assert cast.seller.bond() == 10**12


def test_an_answer_that_is_lost_from_a_node_that_signs_is_told_without_a_hash(cast: Cast) -> None:
    def handle(method: str, forward: Callable[[], bytes]) -> bytes | None:
        answer = forward()
        return None if method == "eth_sendTransaction" else answer

    with (
        over(cast, handle, account=None) as client,
        pytest.raises(TransactionTimeout, match="Look at the account's latest transactions") as lost,
    ):
        client.acting_as(cast.seller.address).fund_bond(amount=1)
    assert lost.value.transaction_hash is None
    assert cast.seller.bond() == 10**12 + 1


def test_a_line_that_breaks_after_the_receipt_tells_the_hash(cast: Cast) -> None:
    mined = []

    def handle(method: str, forward: Callable[[], bytes]) -> bytes | None:
        if mined and method == "eth_getBlockByNumber":
            return None
        answer = forward()
        if method == "eth_getTransactionReceipt":
            mined.append(json.loads(answer)["result"]["transactionHash"])
        return answer

    with over(cast, handle) as client, pytest.raises(TransactionTimeout) as lost:
        client.fund_bond(amount=1)
    assert [lost.value.transaction_hash] == mined


@pytest.mark.parametrize("trouble", [None, 429, 503])
def test_a_line_that_breaks_while_waiting_is_waited_out(cast: Cast, trouble: int | None) -> None:
    broken = []

    def handle(method: str, forward: Callable[[], bytes]) -> bytes | int | None:
        if method == "eth_getTransactionReceipt" and len(broken) < 3:
            broken.append(method)
            return trouble
        return forward()

    with over(cast, handle) as client:
        assert client.register_pay_to(cast.stranger.address).event(PayToRegistered)
    assert len(broken) == 3


def test_a_node_that_knows_the_transaction_already_has_it(cast: Cast) -> None:

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        answer = forward()
        if method == "eth_sendRawTransaction":
            return json.dumps(
                {"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "already known"}}
            ).encode()
        return answer

    with over(cast, handle) as client:
        assert client.register_pay_to(cast.stranger.address).event(PayToRegistered)


def test_a_node_that_is_slow_is_not_waited_for_for_ever(cast: Cast) -> None:
    done = threading.Event()

    def handle(_: str, forward: Callable[[], bytes]) -> bytes:
        done.wait(30)
        return forward()

    with over(cast, handle, timeout_seconds=0.2) as client:
        with pytest.raises(NodeTimeout, match="did not answer in time"):
            client.now()
        done.set()


@pytest.mark.parametrize(
    ("status", "says"), [(401, "check the key"), (429, "fewer requests"), (500, "try again later")]
)
def test_a_gateway_that_refuses_is_quoted(cast: Cast, status: int, says: str) -> None:
    with (
        over(cast, lambda *_: status, account=None, path="/v3/hunter2") as client,
        pytest.raises(NodeError, match=f"HTTP {status}: .*{says}") as refused,
    ):
        client.now()
    assert "hunter2" not in str(refused.value)


# --------------------------------------------------------------------------------------------------- kinds of nodes


def rewriting(change: Callable[[str, dict[str, Any]], None]) -> Handling:
    """A proxy that changes what the node answers."""

    def handle(method: str, forward: Callable[[], bytes]) -> bytes:
        answer = json.loads(forward())
        change(method, answer)
        return json.dumps(answer).encode()

    return handle


def test_a_chain_without_eip_1559_is_paid_the_gas_price(cast: Cast) -> None:

    def before_london(method: str, answer: dict[str, Any]) -> None:
        if method == "eth_getBlockByNumber":
            answer["result"].pop("baseFeePerGas")

    with over(cast, rewriting(before_london)) as client:
        prepared = client.prepare_register_pay_to(cast.stranger.address)
        assert prepared["gasPrice"] > 0
        assert "maxFeePerGas" not in prepared
        receipt = client.register_pay_to(cast.stranger.address)
    assert cast.node.w3.eth.get_transaction(receipt.transaction_hash)["type"] == 0  # type: ignore[arg-type]


def test_a_node_that_suggests_no_tip_is_paid_a_usual_one(cast: Cast) -> None:

    def no_tips(method: str, answer: dict[str, Any]) -> None:
        if method == "eth_maxPriorityFeePerGas":
            del answer["result"]
            answer["error"] = {"code": -32601, "message": "the method does not exist"}

    with over(cast, rewriting(no_tips)) as client:
        assert client.prepare_register_pay_to(cast.stranger.address)["maxPriorityFeePerGas"] == 10**9


def test_a_node_that_does_not_say_why_an_estimate_fails_is_asked_by_a_call(cast: Cast) -> None:

    def silent(method: str, answer: dict[str, Any]) -> None:
        if method == "eth_estimateGas" and "error" in answer:
            answer["error"] = {"code": -32000, "message": "gas required exceeds allowance (0)"}

    terms = cast.order(State.Opened)
    cast.lapse(terms)
    with over(cast, rewriting(silent)) as client, pytest.raises(TooLate):
        client.accept(terms)


def test_a_node_that_fails_to_estimate_what_would_go_through_is_quoted(cast: Cast) -> None:

    def broken(method: str, answer: dict[str, Any]) -> None:
        if method == "eth_estimateGas":
            answer.pop("result", None)
            answer["error"] = {"code": -32000, "message": "estimator on strike"}

    with over(cast, rewriting(broken)) as client, pytest.raises(NodeRefused, match="estimator on strike"):
        client.register_pay_to(cast.stranger.address)


def test_a_node_that_counts_funds_only_when_sent_to_is_understood(cast: Cast) -> None:

    def poor(method: str, answer: dict[str, Any]) -> None:
        if method == "eth_sendRawTransaction":
            answer.pop("result", None)
            answer["error"] = {"code": -32010, "message": "Upfront cost exceeds account balance"}

    with over(cast, rewriting(poor)) as client, pytest.raises(InsufficientFunds) as refused:
        client.fund_bond(amount=5)
    assert refused.value.required > 5


def test_a_node_that_changes_its_chain_is_noticed_before_the_first_operation(cast: Cast) -> None:

    def elsewhere(method: str, answer: dict[str, Any]) -> None:
        if method == "eth_chainId":
            answer["result"] = "0x1"

    with over(cast, rewriting(elsewhere)) as client, pytest.raises(WrongChain):
        client.fund_bond(amount=1)


def test_every_verb_works_on_anvil_too(anvil_cast: Cast) -> None:
    terms = anvil_cast.order(State.Disputed, token=anvil_cast.token)
    anvil_cast.lapse(terms)
    anvil_cast.stranger.settle(terms)
    again = anvil_cast.order(State.Opened, token=NATIVE)
    assert anvil_cast.seller.accept(again).event(OrderAccepted).order_id == anvil_cast.reader.order_id(again)
    assert anvil_cast.reader.order(anvil_cast.reader.order_id(terms)).terms == terms
    assert terms.price == PRICE
