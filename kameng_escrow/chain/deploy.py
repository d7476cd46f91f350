"""Puts the packaged contracts on a chain: at the same addresses on every chain, and only what is not there yet."""

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from web3 import Web3

from kameng_escrow.domain.policy import ZERO_ADDRESS
from kameng_escrow.errors import EscrowError

from . import rpc
from .adoption import Creation, creation
from .artifacts import load_artifact
from .calls import Call
from .connection import Connection
from .create2 import PRESIGNED_COST, create2_call, has_proxy, put_proxy
from .deployments import Deployment, verify_code, verifying
from .errors import InsufficientFunds, NoDeployment
from .parts import CORE, LENS, companions, core_address, init_code
from .sender import Sender, suggested_fees
from .steps import Steps, run

TRANSFER_GAS = 21_000
MARGIN_PERCENT = 20  # as a `Sender` adds to estimates


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One contract of a plan."""

    contract: str  # the packaged contract's name
    address: str
    init_code: bytes
    is_there: bool  # already, and the code is ours
    gas: int  # to create it; zero where it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a deployment would do. Nothing is sent for it."""

    chain_id: int
    parts: tuple[Part, ...]  # the escrow first, then its lens, then its other companions
    lacks_proxy: bool  # the deployment proxy would be put there first
    gas: int  # of all transactions
    gas_price: int  # wei a unit, now; rollups charge for data beside it
    cost: int  # wei, now
    cost_at_most: int  # wei: at the highest price that would be bid
    balance: int | None  # wei: the deployer's; None where there is none yet

    @property
    def is_affordable(self) -> bool:
        """Whether the deployer can pay; only then is anything sent."""
        return self.balance is None or self.balance >= self.cost_at_most or not self.missing

    @property
    def missing(self) -> tuple[Part, ...]:
        """What would be deployed."""
        return tuple(part for part in self.parts if not part.is_there)


def deploy(w3: Web3, account: LocalAccount, *, escrow: str | None = None, timeout_seconds: float = 120) -> Deployment:
    """Deploys escrow, lens and their other companions from the packaged artifacts, as far as they are not there yet,
    checks them on the chain, and returns the record, which is not saved yet. The addresses follow from the code alone.

    `escrow`: one at another address, which gets the companions that it lacks. `timeout_seconds`: for each transaction
    to be mined.

    Raises:
        CodeMismatch: there is other code at one of the addresses.
        InsufficientFunds: the account can't pay for all of it; nothing was sent.
        ProxyUnavailable: the chain lacks the deployment proxy, and does not take it.
        BlockUnknown: the escrow was there, and the node can't say since when.
        What sending raises: see `Sender.send`. What was deployed before stays, and the next call goes on from there.
    """
    connection = Connection(w3)
    return run(deploying(_sender(connection, account, timeout_seconds), escrow=escrow), connection)


def deploy_artifact(w3: Web3, account: LocalAccount, name: str, *arguments: Any, timeout_seconds: float = 120) -> str:
    """Deploys one packaged contract, such as the tokens for local chains, anew each time, and returns its address.

    Raises what sending raises: see `Sender.send`.
    """
    connection = Connection(w3)
    sender = _sender(connection, account, timeout_seconds)
    receipt = run(sender.send(Call(to=None, data=init_code(name, *arguments))), connection)
    return to_checksum_address(receipt["contractAddress"])


def planning(deployer: str | None = None, *, escrow: str | None = None) -> Steps[Plan]:
    """What `deploying` would do, what it would cost, and whether it could be done.

    `escrow`: one that is there already, which gets the companions that it lacks; left out, this package's.

    Raises:
        NoDeployment: there is no contract at `escrow`.
        CodeMismatch: there is other code at one of the addresses.
        NodeError: the node can't be asked.
    """
    lacks_proxy = not (yield from has_proxy())
    address = escrow or core_address()
    if escrow is not None:
        yield from verify_code(escrow, load_artifact(CORE))
    wanted = {CORE: (address, init_code(CORE))}
    wanted |= {name: (place, init_code(name, address)) for name, place in companions(address).items()}
    parts = []
    for name, (place, code) in wanted.items():
        there = yield from _is_there(name, place)
        gas = 0 if there else (yield from _creation_gas(code, deployer or ZERO_ADDRESS, lacks_proxy))
        parts.append(Part(contract=name, address=place, init_code=code, is_there=there, gas=gas))
    gas = sum(part.gas for part in parts)
    fees = yield from suggested_fees()
    price = rpc.to_int((yield from rpc.request("eth_gasPrice")))
    extra = PRESIGNED_COST + TRANSFER_GAS * price if lacks_proxy else 0
    return Plan(
        chain_id=(yield from rpc.chain_id()),
        parts=tuple(parts),
        lacks_proxy=lacks_proxy,
        gas=gas + (TRANSFER_GAS if lacks_proxy else 0),
        gas_price=price,
        cost=gas * price + extra,
        cost_at_most=gas * max(fees.values()) * (100 + MARGIN_PERCENT) // 100 + extra,
        balance=None if deployer is None else (yield from rpc.balance(deployer, "pending")),
    )


def deploying(sender: Sender, *, escrow: str | None = None, block: int | None = None) -> Steps[Deployment]:
    """`deploy` as steps; `escrow` as in `planning`, and `block`, where it was deployed before, as in `adopting`."""
    plan = yield from planning(sender.address, escrow=escrow)
    if plan.missing:
        if not plan.is_affordable:  # before the first transaction, not between two
            raise InsufficientFunds(sender.address, plan.balance or 0, plan.cost_at_most)
        yield from put_proxy(sender)
    made: Creation | None = None
    for part in plan.missing:
        receipt = yield from _create(sender, part)
        if part.contract == CORE:
            made = receipt
    core = plan.parts[0]
    if made is None:
        made = yield from creation(core.address, block=block)
    places = {part.contract: part.address for part in plan.parts[1:]}
    artifact = load_artifact(CORE)
    deployment = Deployment(
        chain_id=plan.chain_id,
        genesis=(yield from rpc.block(0)).hash,
        address=core.address,
        lens=places.pop(LENS),
        transaction=made.transaction,
        block=made.block,
        deployer=made.deployer,
        source_hash=artifact.source_hash,
        compiler=artifact.compiler,
        deployed_at=made.timestamp,
        periphery=places,
    )
    yield from verifying(deployment)
    return deployment


def _sender(connection: Connection, account: LocalAccount, timeout_seconds: float) -> Sender:
    return Sender(account, chain_id=run(rpc.chain_id(), connection), receipt_timeout_seconds=timeout_seconds)


def _is_there(name: str, address: str) -> Steps[bool]:
    """Raises `CodeMismatch` where something else is."""
    try:
        yield from verify_code(address, load_artifact(name))
    except NoDeployment:
        return False
    return True


def _creation_gas(code: bytes, deployer: str, lacks_proxy: bool) -> Steps[int]:
    """Without the proxy, what creating it directly takes, which differs by less than the margin."""
    call = Call(to=None, data=code) if lacks_proxy else create2_call(code)
    return (yield from rpc.estimate(call, sender=deployer))


def _create(sender: Sender, part: Part) -> Steps[Creation | None]:
    """How it came to be; None where somebody else was faster: the same code at the same address is as good as ours."""
    try:
        receipt = yield from sender.send(create2_call(part.init_code))
    except EscrowError:
        if not (yield from _is_there(part.contract, part.address)):
            raise
        return None
    block = yield from rpc.block(rpc.to_int(receipt["blockNumber"]))
    return Creation(
        block=block.number,
        timestamp=block.timestamp,
        transaction=rpc.to_hex(receipt["transactionHash"]),
        deployer=sender.address,
    )
