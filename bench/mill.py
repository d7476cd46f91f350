"""A chain full of orders: real transactions of the real contract on an Anvil of one's own, hundreds in each.

Orders come in waves, nine hours apart. Half are opened with the seller's offer, half are opened and then accepted; all
but a few are delivered in the same hour. A wave later half of them are confirmed and some refunded; three waves later
the clock releases the rest, whose buyers never said a word. Every block has one transaction.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.artifacts import Artifact
from kameng_escrow.chain.codec import functions
from kameng_escrow.chain.compiler import compile_contracts, find_root
from kameng_escrow.chain.deploy import deploy
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.domain.policy import recommended_policy
from kameng_escrow.domain.typed_data import policy_id

SELLERS = 8
WAVE = 2_000  # orders
BATCH = 200  # orders in a transaction, which is a block
HOURS = 9  # between waves
YEAR = 365 * 86_400
PARTNERS = 1 << 64  # from this number on an order's buyer is the seller's partner, who confirms
_GAS = "0x77359400"  # for each transaction: two billion


@dataclass(frozen=True, slots=True)
class Batch:
    """Neighbouring orders of one seller."""

    seller: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Wave:
    """The orders that were delivered together, by what becomes of them."""

    confirmed: tuple[Batch, ...]
    refunded: tuple[Batch, ...]
    released: tuple[Batch, ...]
    expired: tuple[Batch, ...]


class Mill:
    """Makes orders on an Anvil."""

    def __init__(self, node: AnvilNode) -> None:
        self.node = node
        self.deployment: Deployment = deploy(node.w3, node.accounts[0])
        self._account = node.accounts[0].address
        self._next = {0: 0, PARTNERS: PARTNERS}
        self._waves: list[Wave] = []
        self._sellers = self._make_sellers()

    @property
    def events(self) -> int:
        """How many events the escrow has emitted so far."""
        return self._count

    def wave(self, orders: int = WAVE) -> None:
        """Opens, accepts and delivers that many orders, and ends those of the waves before."""
        part = orders // 20  # five per cent
        batches = {
            "confirmed": self._batches(10 * part, PARTNERS),
            "refunded": self._batches(part),
            "released": self._batches(8 * part),
            "expired": self._batches(part),
        }
        wave = Wave(**batches)
        self._run("openWithOffer", wave.confirmed)
        self._run("open", wave.refunded + wave.released + wave.expired)
        self._run("accept", wave.refunded + wave.released)
        self._run("deliver", wave.confirmed + wave.refunded + wave.released)
        self._waves.append(wave)
        if len(self._waves) > 1:
            self._run("confirm", self._waves[-2].confirmed)
            self._run("refund", self._waves[-2].refunded)
            self._run("settle", self._waves[-2].expired)
        if len(self._waves) > 3:
            self._run("settle", self._waves.pop(0).released)
        self.node.request("evm_increaseTime", HOURS * 3_600)

    def open(self, orders: int) -> None:
        """Opens that many orders whose sellers never accept them, all within a minute or two."""
        self._run("open", self._batches(orders))

    def fill(self, events: int) -> None:
        """Waves until the escrow has emitted at least that many events."""
        while self.events < events:
            self.wave()

    def _make_sellers(self) -> list[str]:
        self._count = 0
        platform = self._account
        policy = recommended_policy(
            platform=platform,
            fee_receiver=self.node.accounts[1].address,
            mediator=self.node.accounts[2].address,
            backup_mediator=self.node.accounts[3].address,
            price=100_00,
        )
        self._send(self.deployment.address, functions("KamengEscrow")["registerPolicy"].encode(policy, self._review()))
        [artifact] = compile_contracts(find_root(), ["OrderMill"])
        sellers: list[str] = []
        for _ in range(SELLERS):
            partner = sellers[-1] if sellers else self._account
            seller = self._deploy(artifact, policy_id(policy), partner)
            self.node.request("anvil_setBalance", seller, hex(10**30))
            self._call(seller, "fundBond", 10**29)
            sellers.append(seller)
        return sellers

    def _review(self) -> int:
        return self.node.now() + YEAR

    def _batches(self, orders: int, kind: int = 0) -> tuple[Batch, ...]:
        batches = []
        sellers = self._sellers[1:] if kind else self._sellers  # the first has no partner that is a mill
        while orders > 0:
            count = min(BATCH, orders)
            seller = sellers[(self._next[kind] // BATCH) % len(sellers)]
            batches.append(Batch(seller, self._next[kind], count))
            self._next[kind] += count
            orders -= count
        return tuple(batches)

    def _run(self, function: str, batches: tuple[Batch, ...]) -> None:
        for batch in batches:
            self._call(batch.seller, function, batch.first, batch.count)

    def _deploy(self, artifact: Artifact, policy: str, partner: str) -> str:
        arguments = encode(
            ["address", "bytes32", "address"], [self.deployment.address, bytes.fromhex(policy[2:]), partner]
        )
        return str(self._send(None, bytes.fromhex(artifact.bytecode[2:]) + arguments)["contractAddress"])

    def _call(self, to: str, function: str, *numbers: int) -> None:
        selector = keccak(text=f"{function}({','.join('uint256' for _ in numbers)})")[:4]
        self._send(to, selector + encode(["uint256"] * len(numbers), numbers))

    def _send(self, to: str | None, data: bytes) -> dict[str, object]:
        fields = {"from": self._account, "data": "0x" + data.hex(), "gas": _GAS, "gasPrice": "0x77359400"}
        sent = self.node.request("eth_sendTransaction", {**fields, "to": to} if to else fields)
        while (receipt := self.node.request("eth_getTransactionReceipt", sent)) is None:
            time.sleep(0.002)
        if int(receipt["status"], 16) != 1:
            raise RuntimeError(f"a transaction of the mill was refused in block {int(receipt['blockNumber'], 16)}")
        address = self.deployment.address.lower()
        self._count += sum(str(log["address"]).lower() == address for log in receipt["logs"])
        return dict(receipt)


@contextmanager
def grinding() -> Iterator[Mill]:
    """A mill on an Anvil that keeps every block and log, and of the states only the last."""
    options = ("--gas-limit", str(2_000_000_000), "--prune-history", "--base-fee", "0")
    with AnvilNode(options=options) as node:
        yield Mill(node)
