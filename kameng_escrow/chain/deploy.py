"""Puts the packaged contracts on a chain."""

from collections.abc import Mapping
from typing import Any

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from web3 import Web3

from . import rpc
from .artifacts import load_artifact
from .calls import Call
from .connection import Connection
from .deployments import Deployment, verifying
from .sender import Sender
from .steps import Steps, run


def deploy(w3: Web3, account: LocalAccount, *, timeout_seconds: float = 120) -> Deployment:
    """Deploys escrow and lens from the packaged artifacts, checks them on the chain, and returns the record, which is
    not saved yet. `timeout_seconds`: for each of the two transactions to be mined.

    Raises what sending raises: see `Sender.send`.
    """
    connection = Connection(w3)
    return run(deploying(_sender(connection, account, timeout_seconds)), connection)


def deploy_artifact(w3: Web3, account: LocalAccount, name: str, *arguments: Any, timeout_seconds: float = 120) -> str:
    """Deploys one packaged contract, such as the tokens for local chains, and returns its address. Raises likewise."""
    connection = Connection(w3)
    return run(_create(_sender(connection, account, timeout_seconds), name, *arguments), connection)[0]


def deploying(sender: Sender) -> Steps[Deployment]:
    """`deploy` as steps."""
    escrow = load_artifact("KamengEscrow")
    address, receipt = yield from _create(sender, "KamengEscrow")
    lens, _ = yield from _create(sender, "KamengLens", address)
    block = yield from rpc.block(rpc.to_int(receipt["blockNumber"]))
    deployment = Deployment(
        chain_id=(yield from rpc.chain_id()),
        genesis=(yield from rpc.block(0)).hash,
        address=address,
        lens=lens,
        transaction=rpc.to_hex(receipt["transactionHash"]),
        block=block.number,
        deployer=sender.address,
        source_hash=escrow.source_hash,
        compiler=escrow.compiler,
        deployed_at=block.timestamp,
    )
    yield from verifying(deployment)
    return deployment


def _sender(connection: Connection, account: LocalAccount, timeout_seconds: float) -> Sender:
    return Sender(account, chain_id=run(rpc.chain_id(), connection), receipt_timeout_seconds=timeout_seconds)


def _create(sender: Sender, artifact: str, *arguments: Any) -> Steps[tuple[str, Mapping[str, Any]]]:
    """The new contract's address and the transaction's receipt."""
    contract = load_artifact(artifact)
    types = [item["type"] for entry in contract.abi if entry["type"] == "constructor" for item in entry["inputs"]]
    data = bytes.fromhex(contract.bytecode[2:]) + encode(types, arguments)
    receipt = yield from sender.send(Call(to=None, data=data))
    return to_checksum_address(receipt["contractAddress"]), receipt
