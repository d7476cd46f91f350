"""What a keeper or relayer asks the chain. Only `send` sends anything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from eth_abi.abi import encode

from kameng_escrow.chain import rpc
from kameng_escrow.chain.calls import Call
from kameng_escrow.chain.codec import Function, event_topics, functions
from kameng_escrow.chain.connection import Connection
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.errors import NodeError, NodeRefused
from kameng_escrow.chain.steps import Steps, run
from kameng_escrow.chain.transport import sense_demanded
from kameng_escrow.domain.events import OrderClosed
from kameng_escrow.domain.order import OrderTerms
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.store.keeping import Fee, Inclusion, Intent

T = TypeVar("T")

DEFAULT_TIP = 10**9  # wei a unit of gas, where a node suggests none
TRANSFER_GAS = 21_000

[_CLOSED_TOPIC] = [topic for topic, event in event_topics().items() if event is OrderClosed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The chain and the keeper's account at one moment."""

    head: int  # the latest block
    latest_time: int  # the latest block's, Unix seconds
    time: int  # by which orders are due: the next block's as far as the node tells, else the latest's
    gas_limit: int  # of a block
    base_fee: int | None  # wei a unit of gas; None: a chain without EIP-1559
    suggested: int  # wei a unit of gas: the tip that the node suggests; without EIP-1559 the gas price
    latest_nonce: int
    pending_nonce: int
    deep_nonce: int  # of the block that has as many confirmations as it takes
    balance: int  # wei


class Eye:
    """Reads one contract's chain over one connection, for one account."""

    def __init__(self, connection: Connection, deployment: Deployment, account: str) -> None:
        self._connection = connection
        self._escrow = deployment.address
        self._lens = deployment.lens
        self._account = account
        self.chain_id = deployment.chain_id

    def served_chain(self) -> int:
        """The chain id of the node. Raises `NodeError`."""
        return self._run(rpc.chain_id())

    def latest_nonce(self) -> int:
        """How many transactions of the account are in blocks. Raises `NodeError`."""
        return self._run(rpc.nonce(self._account, "latest"))

    def look(self, confirmations: int) -> Outlook:
        """The chain and the account now. Raises `NodeError`."""
        return self._run(self._look(confirmations))

    def _look(self, confirmations: int) -> Steps[Outlook]:
        # Nonces first: a receipt that is asked for later is there for every nonce that they count.
        latest_nonce = yield from rpc.nonce(self._account, "latest")
        latest = yield from rpc.request("eth_getBlockByNumber", "latest", False)
        if latest is None:
            raise NodeRefused("there is no latest block")
        head = rpc.to_int(latest["number"])
        base_fee = latest.get("baseFeePerGas")
        base_fee = None if base_fee is None else rpc.to_int(base_fee)
        latest_time = rpc.to_int(latest["timestamp"])
        return Outlook(
            head=head,
            latest_time=latest_time,
            time=max(latest_time, (yield from self._pending_time(head))),
            gas_limit=rpc.to_int(latest["gasLimit"]),
            base_fee=base_fee,
            suggested=(yield from self._suggested(base_fee)),
            latest_nonce=latest_nonce,
            pending_nonce=max(latest_nonce, (yield from rpc.nonce(self._account, "pending"))),
            deep_nonce=(yield from self._deep_nonce(head - confirmations + 1)),
            balance=(yield from rpc.balance(self._account)),
        )

    def _deep_nonce(self, block: int) -> Steps[int]:
        """The nonce at a final block; zero, and so nothing final, where there is none or the node has forgotten it."""
        if block < 0:
            return 0
        try:
            return (yield from rpc.nonce(self._account, block))
        except NodeRefused:
            return 0

    def _pending_time(self, head: int) -> Steps[int]:
        """The next block's time, where the node has an idea of it: on a quiet chain the latest may be long ago."""
        try:
            pending = yield from rpc.request("eth_getBlockByNumber", "pending", False)
        except NodeRefused:
            return 0
        if pending is None or pending.get("timestamp") is None or pending.get("number") is None:
            return 0
        return rpc.to_int(pending["timestamp"]) if rpc.to_int(pending["number"]) > head else 0

    def _suggested(self, base_fee: int | None) -> Steps[int]:
        if base_fee is None:
            return rpc.to_int((yield from rpc.request("eth_gasPrice")))
        try:
            return rpc.to_int((yield from rpc.request("eth_maxPriorityFeePerGas")))
        except NodeRefused:
            return DEFAULT_TIP

    # -------------------------------------------------------------------------------------------------------- orders

    def deadlines(self, order_ids: Sequence[str]) -> list[int]:
        """From which Unix second on anyone may settle each order; zero where it is not open. Raises `NodeError`."""
        return list(self._run(rpc.view("KamengLens", self._lens, "dueAt", list(order_ids))))

    def due(self, terms: Sequence[OrderTerms]) -> list[bool]:
        """Whether each order could be settled in the next block, with what waits in the node's pool done before.

        Raises `NodeError`.
        """
        function = functions("KamengLens")["nextAction"]
        call = Call(to=self._lens, data=_of_many(function, terms))
        try:
            answer = self._run(rpc.eth_call(call, tag="pending"))
        except NodeRefused:  # some nodes know no pending block
            answer = self._run(rpc.eth_call(call))
        return [bool(action["due"]) for action in function.decode(answer)]

    def settling(self, terms: Sequence[OrderTerms]) -> Call:
        """The call that settles the orders that are due, and skips the others."""
        return Call(to=self._escrow, data=_of_many(functions("KamengEscrow")["settleMany"], terms))

    def estimate(self, call: Call, fee: Fee | None) -> int:
        """The gas that a call takes in the next block, rehearsed at the price that will be paid; None: at none, so that
        what the account can pay does not count.

        Raises:
            Refusal: it would revert.
            NodeError: the node can't be asked, the account can't pay, or it takes more gas than may be.
        """
        return self._run(self._estimate(call, fee))

    def _estimate(self, call: Call, fee: Fee | None) -> Steps[int]:
        fields = {"from": self._account, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
        if fee is None:
            pass
        elif fee.tip is None:
            fields["gasPrice"] = hex(fee.highest)
        else:
            fields |= {"maxFeePerGas": hex(fee.highest), "maxPriorityFeePerGas": hex(fee.tip)}
        try:
            return rpc.to_int((yield from rpc.request("eth_estimateGas", fields, "pending")))
        except NodeRefused as refused:
            if refused.data is None:
                raise
            raise decode_refusal(refused.data) from None

    def attempt(self, call: Call) -> None:
        """Tries a call on the latest block. Raises the `Refusal` where it would revert, and `NodeError`."""
        self._run(rpc.eth_call(call, sender=self._account))

    def transfer_gas(self) -> int:
        """What a transaction takes that does nothing: more than elsewhere on some second layers. Raises `NodeError`."""
        try:
            return max(
                TRANSFER_GAS, self._run(rpc.estimate(Call(to=self._account, data=b""), sender=self._account)) * 6 // 5
            )
        except NodeRefused:
            return TRANSFER_GAS

    # -------------------------------------------------------------------------------------------------- transactions

    def send(self, raw: bytes) -> None:
        """Gives the node a signed transaction. Raises `NodeError`."""
        self._run(rpc.request("eth_sendRawTransaction", "0x" + raw.hex()))

    def inclusion(self, intent: Intent, escrow: str) -> Inclusion | None:
        """The block that one of the intent's transactions is in; None: none is. Raises `NodeError`.

        `escrow`: whose orders they are; what other contracts say about orders in their events counts for nothing, nor
        do other orders, which a receiver may end while it is paid.
        """
        for attempt in reversed(intent.attempts):
            raw = self._run(rpc.raw_receipt(attempt.hash))
            if raw is not None:
                with sense_demanded():
                    return _inclusion(raw, attempt.fee.highest, escrow.lower(), frozenset(intent.order_ids))
        return None

    def _run(self, steps: Steps[T]) -> T:
        with sense_demanded():
            return run(steps, self._connection)


def _inclusion(raw: Mapping[str, Any], highest_fee: int, escrow: str, orders: frozenset[str]) -> Inclusion:
    used = rpc.to_int(raw["gasUsed"])
    price = raw.get("effectiveGasPrice")
    extra = raw.get("l1Fee")  # what second layers of one kind take for their data
    return Inclusion(
        hash=rpc.to_hex(raw["transactionHash"]),
        block_number=rpc.to_int(raw["blockNumber"]),
        block_hash=rpc.to_hex(raw["blockHash"]),
        succeeded=rpc.to_int(raw["status"]) == 1,
        gas_used=used,
        cost=used * (highest_fee if price is None else rpc.to_int(price)) + (0 if extra is None else rpc.to_int(extra)),
        closed=tuple(order_id for order_id in _closed(raw["logs"], escrow) if order_id in orders),
    )


def _closed(logs: Sequence[Mapping[str, Any]], escrow: str) -> Iterator[str]:
    for log in logs:
        if str(log["address"]).lower() == escrow and log["topics"] and rpc.to_hex(log["topics"][0]) == _CLOSED_TOPIC:
            yield rpc.to_hex(log["topics"][1])


@lru_cache(maxsize=20_000)  # an order's terms are asked about and then settled, some of them again and again
def _words(terms: OrderTerms) -> bytes:
    return functions("KamengEscrow")["settle"].encode(terms)[4:]


def _of_many(function: Function, terms: Sequence[OrderTerms]) -> bytes:
    """The calldata of a function of many terms. As `function.encode`, with each order's words made only once."""
    return function.selector + encode(["uint256", "uint256"], [32, len(terms)]) + b"".join(map(_words, terms))


def words_of(error: NodeError) -> str:
    """A node's own words, or ours where it has none."""
    return error.rpc_message if isinstance(error, NodeRefused) else error.message
