"""A record for an escrow that is on the chain already, whoever put it there: asked of the chain, never guessed."""

from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from kameng_escrow.domain.typed_data import Domain

from . import rpc
from .artifacts import load_artifact
from .create2 import PROXY, created_by
from .deployments import Deployment, verify_code
from .errors import BlockUnknown, NoDeployment, NodeRefused, RecordDisagrees
from .parts import CORE, LENS, companions
from .steps import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """How a contract came to be."""

    block: int
    timestamp: int  # Unix seconds of the block
    transaction: str | None  # None: the contract of somebody else created it, which no block tells
    deployer: str | None


def adopting(address: str, *, block: int | None = None) -> Steps[Deployment]:
    """A record of the escrow at `address`, with whichever of its companions are at their addresses.

    `block`: in which it was deployed, for nodes that keep no old state; it is checked.

    Raises:
        NoDeployment: there is no contract, or its lens is missing.
        CodeMismatch: there is another contract.
        BlockUnknown: the node can't say when it was deployed.
        RecordDisagrees: it was not deployed in `block`.
        NodeError: the node can't be asked.
    """
    chain_id = yield from rpc.chain_id()
    core = load_artifact(CORE)
    # Whoever deployed it may have filled in something else than the constructor would.
    filled_in = (chain_id.to_bytes(32, "big"), Domain(chain_id=chain_id, contract=address).separator(), _word(address))
    yield from verify_code(address, core, filled_in)
    places = {}
    for name, place in companions(address).items():
        try:
            yield from verify_code(place, load_artifact(name), None)
        except NoDeployment:
            if name == LENS:
                raise NoDeployment(
                    f"The escrow at {address} is ours, but it has no lens at {place} yet: anyone may put it there "
                    f"(`kameng deploy --contract {address}`).",
                    f"{address} 上是我们的托管合约，但 {place} 上还没有它的查询合约：任何人都可以把它放上去"
                    f"（kameng deploy --contract {address}）。",
                ) from None
        else:
            places[name] = place
    made = yield from creation(address, block=block)
    return Deployment(
        chain_id=chain_id,
        genesis=(yield from rpc.block(0)).hash,
        address=address,
        lens=places.pop(LENS),
        transaction=made.transaction,
        block=made.block,
        deployer=made.deployer,
        source_hash=core.source_hash,
        compiler=core.compiler,
        deployed_at=made.timestamp,
        periphery=places,
    )


def creation(address: str, *, block: int | None = None) -> Steps[Creation]:
    """When and by whom the contract at `address` was created; see `adopting`."""
    if block is None:
        number = yield from _first_block_with_code(address)
        return (yield from _creation_in(address, number))
    try:
        made = yield from _creation_in(address, block)
    except NodeRefused:
        raise _elsewhere(address, block) from None
    if made.transaction is None and (yield from _first_block_with_code(address)) != block:
        raise _elsewhere(address, block)
    return made


def _elsewhere(address: str, block: int) -> RecordDisagrees:
    return RecordDisagrees(
        f"The contract at {address} was not deployed in block {block}: look the block up, or leave it out.",
        f"{address} 上的合约不是在区块 {block} 部署的：请查清区块号，或不写。",
    )


def _first_block_with_code(address: str) -> Steps[int]:
    """By bisection, from the latest block back: nodes that forget old state still know the recent past.

    Raises `BlockUnknown`.
    """
    last = (yield from rpc.block("latest")).number  # has code
    step = 1
    try:
        while True:
            first = max(last - step, 0)
            if not (yield from rpc.code(address, first)):
                break
            if first == 0:
                return 0
            last, step = first, 2 * step
        while last - first > 1:
            middle = (first + last) // 2
            if (yield from rpc.code(address, middle)):
                last = middle
            else:
                first = middle
    except NodeRefused as refused:
        raise BlockUnknown(address) from refused
    return last


def _creation_in(address: str, number: int) -> Steps[Creation]:
    """The contract's creation in a block; without its transaction where none there says so."""
    head = yield from rpc.block(number)
    found = yield from rpc.request("eth_getBlockByNumber", hex(number), True)
    for transaction in found["transactions"]:
        if (yield from _creates(transaction, address)):
            return Creation(
                block=number,
                timestamp=head.timestamp,
                transaction=rpc.to_hex(transaction["hash"]),
                deployer=to_checksum_address(transaction["from"]),
            )
    return Creation(block=number, timestamp=head.timestamp, transaction=None, deployer=None)


def _creates(transaction: Any, address: str) -> Steps[bool]:
    to = transaction.get("to")
    directly = not to
    if not directly:
        data = rpc.to_bytes(transaction.get("input", transaction.get("data")))
        if to_checksum_address(to) != PROXY or created_by(data) != address:
            return False
    receipt = yield from rpc.raw_receipt(rpc.to_hex(transaction["hash"]))
    if receipt is None or rpc.to_int(receipt["status"]) == 0:
        return False
    return not directly or to_checksum_address(receipt["contractAddress"]) == address


def _word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")
