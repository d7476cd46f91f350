"""Deploying: the same addresses everywhere, only what is missing, and nothing half done."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from kameng_escrow.chain.adoption import adopting
from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.artifacts import load_artifact
from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.create2 import PRESIGNED, PROXY, PROXY_CODE, SALT, SIGNER, create2_call, put_proxy
from kameng_escrow.chain.deploy import deploy, deploy_artifact, deploying, planning
from kameng_escrow.chain.deployments import Deployment, load_deployments, save_deployment
from kameng_escrow.chain.dev_accounts import dev_account
from kameng_escrow.chain.errors import (
    BlockUnknown,
    CodeMismatch,
    InsufficientFunds,
    NoDeployment,
    NodeRefused,
    ProxyUnavailable,
    RecordDisagrees,
)
from kameng_escrow.chain.in_process import InProcessNode
from kameng_escrow.chain.nodes import LocalNode
from kameng_escrow.chain.parts import CORE, LENS, companion_names, companions, core_address, init_code
from kameng_escrow.chain.recording import deploy_recorded
from kameng_escrow.chain.sender import Sender
from kameng_escrow.chain.steps import run

ONE, OTHER = dev_account(0), dev_account(1)
EVERYTHING = (CORE, *companion_names())


@pytest.fixture
def node() -> Iterator[InProcessNode]:
    """Without the deployment proxy."""
    with InProcessNode() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilNode]:
    with AnvilNode() as started:
        yield started


@pytest.fixture
def fresh_anvil(anvil: AnvilNode) -> Iterator[AnvilNode]:
    """With the deployment proxy, as it comes."""
    before = anvil.snapshot()
    yield anvil
    anvil.revert(before)


def height(node: LocalNode) -> int:
    return int(node.request("eth_blockNumber"), 16)


def sender_on(node: LocalNode, account: Any = ONE) -> Sender:
    return Sender(account, chain_id=int(node.request("eth_chainId"), 16))


def put(node: LocalNode, init: bytes, account: Any = ONE) -> Any:
    return run(sender_on(node, account).send(create2_call(init)), Connection(node.w3))


# -------------------------------------------------------------------------------------------------- the same everywhere


def test_addresses_are_the_same_on_every_chain(node: InProcessNode, fresh_anvil: AnvilNode) -> None:
    here, there = deploy(node.w3, ONE), deploy(fresh_anvil.w3, OTHER)
    assert here.genesis != there.genesis
    assert here.address == there.address == core_address()
    assert {LENS: here.lens, **here.periphery} == {LENS: there.lens, **there.periphery} == companions(core_address())
    assert (here.deployer, there.deployer) == (ONE.address, OTHER.address)


def test_the_proxy_is_put_where_the_chain_lacks_it(node: InProcessNode) -> None:
    assert run(planning(), Connection(node.w3)).lacks_proxy
    before = node.w3.eth.get_balance(ONE.address)
    node.w3.eth.send_transaction({"from": OTHER.address, "to": SIGNER, "value": 10**15})
    deploy(node.w3, ONE)
    assert node.w3.eth.get_code(PROXY) == PROXY_CODE
    paid = node.w3.eth.get_block_receipts(2)[0]
    assert paid["to"] == SIGNER
    assert node.w3.eth.get_transaction(paid["transactionHash"])["value"] == 9 * 10**15, "only what it lacked"
    assert node.w3.eth.get_balance(ONE.address) < before


def test_a_plan_tells_what_it_takes_and_sends_nothing(fresh_anvil: AnvilNode) -> None:
    connection = Connection(fresh_anvil.w3)
    at = height(fresh_anvil)
    plan = run(planning(), connection)
    assert height(fresh_anvil) == at
    assert not plan.lacks_proxy
    assert tuple(part.contract for part in plan.missing) == EVERYTHING
    assert plan.gas == sum(part.gas for part in plan.parts)
    assert plan.cost == plan.gas * plan.gas_price < plan.cost_at_most
    had = fresh_anvil.w3.eth.get_balance(OTHER.address)
    deploy(fresh_anvil.w3, OTHER)
    used = sum(
        fresh_anvil.w3.eth.get_block_receipts(number)[0]["gasUsed"]
        for number in range(at + 1, at + 1 + len(EVERYTHING))
    )
    assert used <= plan.gas <= used * 1.05
    assert had - fresh_anvil.w3.eth.get_balance(OTHER.address) <= plan.cost_at_most


def test_a_plan_without_the_proxy_is_close(node: InProcessNode) -> None:
    plan = run(planning(ONE.address), Connection(node.w3))
    had = node.w3.eth.get_balance(ONE.address)
    deploy(node.w3, ONE)
    paid = had - node.w3.eth.get_balance(ONE.address)
    assert paid <= plan.cost_at_most
    assert sum(node.w3.eth.get_block_receipts(n)[0]["gasUsed"] for n in range(3, height(node) + 1)) <= plan.gas * 1.05


def test_deploying_again_sends_nothing_and_says_the_same(node: InProcessNode) -> None:
    first = deploy(node.w3, ONE)
    node.mine(7)
    at = height(node)
    assert deploy(node.w3, Account.create()) == first, "not even money is needed"
    assert height(node) == at


# ----------------------------------------------------------------------------------------------------- others before us


@pytest.mark.parametrize("done", range(1, len(EVERYTHING)))
def test_what_was_interrupted_goes_on(node: InProcessNode, done: int) -> None:
    """Somebody deployed the first so many contracts; whoever comes next adds the rest."""
    whole = deploy(node.w3, ONE)
    with InProcessNode() as half:
        run(_only_proxy(half), Connection(half.w3))
        codes = [init_code(CORE), *(init_code(name, core_address()) for name in companion_names())]
        receipts = [put(half, code) for code in codes[:done]]
        half.mine(3)
        record = deploy(half.w3, OTHER)
        assert (record.address, record.lens, record.periphery) == (whole.address, whole.lens, whole.periphery)
        assert (record.block, record.deployer) == (int(receipts[0]["blockNumber"], 16), ONE.address)
        assert record.transaction == receipts[0]["transactionHash"]
        assert record.deployed_at == half.w3.eth.get_block(record.block)["timestamp"]


def _only_proxy(node: LocalNode) -> Any:
    return put_proxy(sender_on(node))


class Overtaken(Connection):
    """Lets somebody else deploy everything just before our first transaction arrives."""

    overtaken = False

    def request(self, method: str, params: list[Any]) -> Any:
        if method == "eth_sendRawTransaction" and not self.overtaken:
            self.overtaken = True
            deploy(self.w3, OTHER)
        return super().request(method, params)


def test_somebody_else_may_be_faster(fresh_anvil: AnvilNode) -> None:
    record = run(deploying(sender_on(fresh_anvil)), Overtaken(fresh_anvil.w3))
    assert record.address == core_address()
    assert record.deployer == OTHER.address


def test_an_escrow_that_a_contract_deployed_has_no_transaction(node: InProcessNode) -> None:
    """A forwarder that passes on whatever it is sent: no transaction in the block names the proxy."""
    run(_only_proxy(node), Connection(node.w3))
    forwards = bytes.fromhex("365f5f375f5f365f5f73" + PROXY[2:] + "5af100")
    deploys = bytes.fromhex(f"60{len(forwards):02x}600a5f3960{len(forwards):02x}5ff3").ljust(10, b"\0") + forwards
    sender, connection = sender_on(node), Connection(node.w3)
    forwarder = run(sender.send(Call(to=None, data=deploys)), connection)["contractAddress"]
    receipt = run(sender.send(Call(to=forwarder, data=SALT + init_code(CORE))), connection)
    node.mine(4)
    record = deploy(node.w3, OTHER)
    assert (record.transaction, record.deployer) == (None, None)
    assert record.block == int(receipt["blockNumber"], 16)
    assert Deployment.from_json(record.to_json()) == record
    assert run(adopting(record.address, block=record.block), connection) == record
    with pytest.raises(RecordDisagrees, match=f"not deployed in block {record.block + 1}"):
        run(adopting(record.address, block=record.block + 1), connection)


def test_an_escrow_elsewhere_gets_its_companions(node: InProcessNode) -> None:
    address = deploy_artifact(node.w3, ONE, CORE)
    connection = Connection(node.w3)
    with pytest.raises(NoDeployment, match=f"kameng deploy --contract {address}"):
        run(adopting(address), connection)
    record = deploy(node.w3, OTHER, escrow=address)
    assert (record.address, record.deployer, record.block) == (address, ONE.address, 1)
    assert {LENS: record.lens, **record.periphery} == companions(address)
    assert run(adopting(address), connection) == record
    assert node.w3.eth.get_code(node.w3.to_checksum_address(core_address())) == b""


# --------------------------------------------------------------------------------------------------- what is not right


@pytest.mark.parametrize("place", [*range(len(EVERYTHING)), "proxy"])
def test_other_code_at_an_address_stops_everything(fresh_anvil: AnvilNode, place: int | str) -> None:
    addresses = [core_address(), *companions(core_address()).values()]
    taken = PROXY if isinstance(place, str) else addresses[place]
    fresh_anvil.request("anvil_setCode", taken, "0x600160015500")
    at = height(fresh_anvil)
    with pytest.raises(CodeMismatch, match=taken):
        deploy(fresh_anvil.w3, ONE)
    assert height(fresh_anvil) == at


def test_who_can_not_pay_for_all_of_it_sends_nothing(fresh_anvil: AnvilNode) -> None:
    poor = Account.create()
    plan = run(planning(), Connection(fresh_anvil.w3))
    fresh_anvil.request("anvil_setBalance", poor.address, hex(plan.cost_at_most // 2))
    assert plan.is_affordable, "nobody was named"
    assert not run(planning(poor.address), Connection(fresh_anvil.w3)).is_affordable
    assert run(planning(ONE.address), Connection(fresh_anvil.w3)).is_affordable
    at = height(fresh_anvil)
    with pytest.raises(InsufficientFunds) as caught:
        deploy(fresh_anvil.w3, poor)
    assert caught.value.available == plan.cost_at_most // 2
    assert caught.value.required >= plan.cost
    assert height(fresh_anvil) == at


class Modern(Connection):
    """A node that takes no transactions from before EIP-155."""

    def request(self, method: str, params: list[Any]) -> Any:
        if params == [PRESIGNED]:
            raise NodeRefused("only replay-protected (EIP-155) transactions allowed over RPC")
        return super().request(method, params)


def test_a_chain_that_does_not_take_the_proxy_is_told_of(node: InProcessNode) -> None:
    with pytest.raises(ProxyUnavailable, match=r"replay-protected.*genesis block") as caught:
        run(deploying(sender_on(node)), Modern(node.w3))
    assert "EIP-155" in caught.value.message_zh


class Forgetful(Connection):
    """A node that keeps the state of the latest `kept` blocks only, as most do."""

    kept = 3

    def request(self, method: str, params: list[Any]) -> Any:
        if method == "eth_getCode" and params[1].startswith("0x"):
            head = int(super().request("eth_blockNumber", []), 16)
            if int(params[1], 16) < head - self.kept:
                raise NodeRefused("missing trie node")
        return super().request(method, params)


def test_a_node_without_history_needs_the_block(node: InProcessNode) -> None:
    record = deploy(node.w3, ONE)
    forgetful = Forgetful(node.w3)
    forgetful.kept = 100
    node.mine(50)
    assert run(adopting(record.address), forgetful) == record, "it still remembers"
    forgetful.kept = 3
    with pytest.raises(BlockUnknown, match=f"KAMENG_CONTRACT={record.address}@BLOCK"):
        run(adopting(record.address), forgetful)
    assert run(adopting(record.address, block=record.block), forgetful) == record
    with pytest.raises((RecordDisagrees, BlockUnknown)):
        run(adopting(record.address, block=record.block + 1), forgetful)
    with pytest.raises(RecordDisagrees):
        run(adopting(record.address, block=10**9), forgetful)


def test_code_with_other_constants_filled_in_is_not_adopted(node: InProcessNode) -> None:
    """Runtime code that no constructor of ours has made: its order ids would be others."""
    runtime = bytes.fromhex(load_artifact(CORE).deployed_bytecode[2:])
    size = len(runtime).to_bytes(2, "big").hex()
    returns = bytes.fromhex(f"61{size}600c5f3961{size}5ff3").ljust(12, b"\0") + runtime
    forged = run(sender_on(node).send(Call(to=None, data=returns)), Connection(node.w3))["contractAddress"]
    with pytest.raises(CodeMismatch, match="Don't send money there"):
        run(adopting(node.w3.to_checksum_address(forged)), Connection(node.w3))


# -------------------------------------------------------------------------------------------------------------- records


def test_a_deployment_is_recorded_once_it_is_there(node: InProcessNode, tmp_path: Path) -> None:
    connection = Connection(node.w3)
    record, path = run(deploy_recorded(sender_on(node), tmp_path), connection)
    assert load_deployments(tmp_path) == (record,)
    at = height(node)
    assert run(deploy_recorded(sender_on(node, OTHER), tmp_path), connection) == (record, path)
    assert height(node) == at


def test_a_failed_deployment_leaves_no_record(node: InProcessNode, tmp_path: Path) -> None:
    with pytest.raises(ProxyUnavailable):
        run(deploy_recorded(sender_on(node), tmp_path), Modern(node.w3))
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_what_is_not_there_stops_the_deployment(node: InProcessNode, tmp_path: Path) -> None:
    """The block was undone, or the node is behind: to deploy again is for people to decide."""
    before = node.snapshot()
    run(deploy_recorded(sender_on(node), tmp_path), Connection(node.w3))
    node.revert(before)
    with pytest.raises(RecordDisagrees, match="the chain knows no contract there"):
        run(deploy_recorded(sender_on(node), tmp_path), Connection(node.w3))
    assert height(node) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("block", 4),
        ("deployer", OTHER.address),
        ("transaction", "0x" + "12" * 32),
        ("deployed_at", 1_700_000_000),
    ],
)
def test_a_record_that_disagrees_with_the_chain_is_left_alone(
    node: InProcessNode, tmp_path: Path, field: str, value: Any
) -> None:
    record = deploy(node.w3, ONE)
    wrong = replace(record, **{field: value})
    save_deployment(wrong, tmp_path)
    with pytest.raises(RecordDisagrees):
        run(deploy_recorded(sender_on(node), tmp_path), Connection(node.w3))
    assert load_deployments(tmp_path) == (wrong,)


def test_a_record_of_other_companions_is_brought_up_to_date(node: InProcessNode, tmp_path: Path) -> None:
    """As one of an older package: its companions were others, the escrow is the same."""
    record = deploy(node.w3, ONE)
    older = replace(record, lens=ONE.address, periphery={"KamengCart": OTHER.address})
    save_deployment(older, tmp_path)
    run(deploy_recorded(sender_on(node), tmp_path), Connection(node.w3))
    assert load_deployments(tmp_path) == (record,)


def test_a_record_that_knows_less_is_completed(node: InProcessNode, tmp_path: Path) -> None:
    """Such as one that was written before there were other companions than the lens."""
    record = deploy(node.w3, ONE)
    path = save_deployment(record, tmp_path)
    document = json.loads(path.read_text("utf-8"))
    del document["periphery"]
    path.write_text(json.dumps(document | {"transaction": None, "deployer": None}), "utf-8")
    run(deploy_recorded(sender_on(node), tmp_path), Connection(node.w3))
    assert load_deployments(tmp_path) == (record,)
