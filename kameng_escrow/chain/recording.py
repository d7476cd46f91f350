"""Deploys, and writes down where: a record is saved when all that it says is on the chain, and not before."""

from collections.abc import Iterator
from pathlib import Path

from . import rpc
from .deploy import deploying, planning
from .deployments import Deployment, load_deployments, save_deployment
from .errors import RecordDisagrees
from .parts import core_address
from .sender import Sender
from .steps import Steps


def deploy_recorded(
    sender: Sender, folder: Path, *, escrow: str | None = None, block: int | None = None
) -> Steps[tuple[Deployment, Path]]:
    """Deploys what is missing, as `deploying` does, and saves the record in `folder`; the record and its file.

    Raises:
        RecordDisagrees: the folder's record of this contract says something else than the chain.
        RecordsClosed, DamagedRecord: the folder can't be looked into, or a file in it is not a record.
        OSError: the folder can't be written.
        What `deploying` raises.
    """
    known = yield from known_record(folder, escrow or core_address())
    plan = yield from planning(sender.address, escrow=escrow)
    if known is not None and not plan.parts[0].is_there:
        raise RecordDisagrees(
            f"A record in {folder} says that {known.address} was deployed in block {known.block}, and the chain knows "
            "no contract there: wait for the node to catch up, or remove the record if that block was undone.",
            f"{folder} 里的记录说 {known.address} 部署于区块 {known.block}，而链上那里没有合约："
            "请等节点同步；若那个区块已被回滚，请删除这份记录。",
        )
    if known is not None and block is None:
        block = known.block  # to be checked: nodes that keep no old state can say no more
    deployment = yield from deploying(sender, escrow=escrow, block=block)
    if known is not None:
        require_agreement(known, deployment, folder)
    return deployment, save_deployment(deployment, folder)


def known_record(folder: Path, address: str) -> Steps[Deployment | None]:
    """The folder's record of a contract on the node's chain, if it has one. Raises as `load_deployments`."""
    chain_id = yield from rpc.chain_id()
    genesis = (yield from rpc.block(0)).hash
    for record in load_deployments(folder):
        if (record.chain_id, record.genesis, record.address) == (chain_id, genesis, address):
            return record
    return None


def require_agreement(known: Deployment, found: Deployment, folder: Path) -> None:
    """Raises `RecordDisagrees` where a record says something else than the chain."""
    for name, said, is_so in _differences(known, found):
        raise RecordDisagrees(
            f"The record of {known.address} in {folder} says {name} = {said}, and the chain says {is_so}: remove the "
            "record, or put it right.",
            f"{folder} 里 {known.address} 的记录写着 {name} = {said}，而链上是 {is_so}：请删除或修正这份记录。",
        )


def _differences(known: Deployment, found: Deployment) -> Iterator[tuple[str, object, object]]:
    """What was known wrong of the escrow. To have known less is not wrong, nor are companions of another version of the
    package, which have other addresses, and sources that differ in comments alone.
    """
    for name in ("block", "deployed_at"):
        if getattr(known, name) != getattr(found, name):
            yield name, getattr(known, name), getattr(found, name)
    for name in ("transaction", "deployer"):
        said, is_so = getattr(known, name), getattr(found, name)
        if said is not None and is_so is not None and said != is_so:
            yield name, said, is_so
