"""The market on a chain: the real contract on a local node, every deed a signed transaction, real mirror and keeper.

Time is warped: the node's clock is the market's. What people see comes from the contract's own logs; what is due is
found and settled by the keeper, from what the mirror has written; in the end the mirror's rows are held against the
chain.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import chain
from typing import Any

from kameng_escrow.chain.anvil import AnvilNode
from kameng_escrow.chain.calls import Call, contract_call, escrow_call, token_call
from kameng_escrow.chain.codec import decode_log
from kameng_escrow.chain.deploy import deploy, deploy_artifact
from kameng_escrow.chain.errors import NodeError, NodeRefused
from kameng_escrow.chain.nodes import LocalNode
from kameng_escrow.client import EscrowClient
from kameng_escrow.domain.events import Event, Logged, OrderClosed, OrderEvent
from kameng_escrow.domain.fold import fold
from kameng_escrow.domain.order import NATIVE, Order, OrderTerms
from kameng_escrow.domain.policy import MAX_REVIEW_PERIOD, Policy
from kameng_escrow.domain.refusal_base import Refusal
from kameng_escrow.domain.reverts import decode_refusal
from kameng_escrow.domain.states import State
from kameng_escrow.domain.typed_data import Domain, order_id
from kameng_escrow.keeper import Keeper, Rules
from kameng_escrow.mirror import Mirror, Web3Source, audit
from kameng_escrow.store import Book, Store

from .accounts import Accounts, Outgoing
from .blocks import AnvilBlocks, Blocks, Mined, SingleBlocks
from .calls import call_of
from .cast import Cast
from .errors import MarketStuck
from .ledger import conserved
from .venue import Answer, Closing, Deed, Spent, Withdrawal

DECIMALS = 6
_COINS = 3 * 10**18  # wei that everybody has for gas and for orders in the coin
_TOKENS = 10**9 * 10**DECIMALS  # base units of the token that everybody has
_PLENTY = 2**256 - 1  # an allowance that does not shrink
_SOON = 600  # seconds of chain time that setting up may take
_SETUP_BATCH = 300  # transactions in a block while setting up
_PAGE = 500  # orders that are read from the mirror at once
_PATIENCE = 60.0  # seconds for the keeper's transactions to be mined
_RULES = Rules(
    batch=150, confirmations=1, budget=None, spread_seconds=0, low_balance=0, retry_seconds=0, max_fee=10**12
)


class _NoRest(threading.Event):
    """Nothing to wait for between the keeper's looks: blocks come as transactions do."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(0 if timeout is None else min(timeout, 0.001))


class ChainVenue:
    """A venue on a local node of its own, whose time must not be later than the market's start.

    Args:
        node: fresh; closed by whoever made it.
        store: the mirror's, migrated if need be; closed likewise.
    """

    def __init__(self, node: LocalNode, store: Store) -> None:
        self.name = "anvil" if isinstance(node, AnvilNode) else "in-process"
        self._node = node
        self._store = store
        house = node.accounts[0]
        self._deployment = deploy(node.w3, house)
        self.token = deploy_artifact(node.w3, house, "TestToken", "Simulated yuan", "SIM", DECIMALS)
        self.domain = Domain(self._deployment.chain_id, self._deployment.address)
        self._accounts = Accounts(self._deployment.chain_id)
        for place, account in enumerate(node.accounts):
            nonce = int(node.request("eth_getTransactionCount", account.address, "latest"), 16)
            self._accounts.add(f"house {place}", account, nonce)
        self._blocks: Blocks = AnvilBlocks(node) if isinstance(node, AnvilNode) else SingleBlocks(node)
        self._mirror = Mirror(
            store,
            Web3Source(node.w3),
            chain_id=self._deployment.chain_id,
            address=self._deployment.address,
            first_block=self._deployment.block,
            genesis=self._deployment.genesis,
        )
        self._keeper: Keeper | None = None
        self._orders: dict[str, Order] = {}
        self._ids: dict[OrderTerms, str] = {}
        self._policies: dict[str, Policy] = {}
        self._logged: list[Logged] = []
        self._clocks: list[tuple[int, str]] = []
        self._spent: list[Spent] = []
        self._settled = 0

    # ------------------------------------------------------------------------------------------------------ the venue

    def address_of(self, name: str) -> str:
        """The address of a key that follows from the name."""
        return str(self._accounts.named(name).address)

    def id_of(self, terms: OrderTerms) -> str:
        """As the contract's `toId`."""
        if terms not in self._ids:
            self._ids[terms] = order_id(terms, self.domain)
        return self._ids[terms]

    def order(self, order_id: str) -> Order:
        """As the contract's logs tell it."""
        return self._orders.get(order_id) or Order(id=order_id, state=State.Nothing, revision=0)

    def prepare(self, cast: Cast, at: int) -> None:
        """Coins, tokens, allowances, bonds, policies: some hundred transactions a block, done by the second `at`."""
        now = self._node.now()
        if now > at - _SOON:
            raise NodeError(
                f"The local chain is at Unix second {now}, later than the market's start at {at}: start a fresh node.",
                f"本地链已到 Unix 秒 {now}，晚于市场开始的 {at}：请启动新的节点。",
            )
        self._policies = cast.policies
        traders = [*(one.address for one in cast.buyers), *(one.address for one in cast.sellers)]
        others = [*(one.address for one in cast.platforms.values()), *(one.address for one in cast.mediators)]
        houses = [self._accounts.named(f"house {place}") for place in range(len(self._node.accounts))]
        begin = at - _SOON

        def from_house(place: int, call: Call, gas: int) -> Outgoing:
            return Outgoing(houses[place % len(houses)], call, gas)

        everybody = dict.fromkeys((*traders, *others))
        coins = [from_house(n, Call(to=address, data=b"", value=_COINS), 30_000) for n, address in enumerate(everybody)]
        tokens = [
            from_house(n, contract_call("TestToken", self.token, "mint", address, _TOKENS), 120_000)
            for n, address in enumerate(traders)
        ]
        self._send_all(begin, [*coins, *tokens])
        allowances = [
            Outgoing(self._accounts.by_address[one], token_call(self.token, "approve", self.domain.contract, _PLENTY))
            for one in traders
        ]
        policies = [
            Outgoing(
                self._accounts.by_address[platform.address],
                escrow_call(self.domain.contract, "registerPolicy", policy, at + MAX_REVIEW_PERIOD - _SOON),
            )
            for platform in cast.platforms.values()
            for policy in platform.policies.values()
        ]
        bonds = [
            Outgoing(
                self._accounts.by_address[seller.address],
                escrow_call(
                    self.domain.contract,
                    "fundBond",
                    seller.address,
                    seller.token,
                    seller.capital,
                    value=seller.capital if seller.token == NATIVE else 0,
                ),
            )
            for seller in cast.sellers
            if seller.capital
        ]
        self._send_all(begin, [*allowances, *policies, *bonds])
        self._blocks.reach(at)
        self._mirror.run_once()
        keeper = houses[-1]
        self._keeper = Keeper(self._store, self._node, self._deployment, keeper, _RULES)

    def perform(self, at: int, deeds: Sequence[Deed | Withdrawal]) -> Sequence[Answer]:
        """A tick's transactions."""
        outgoing = [self._outgoing(deed) for deed in deeds]
        mined = self._blocks.include(at, self._accounts.signed(outgoing))
        logs = [self._decoded(one.receipt["logs"], one.timestamp) for one in mined]
        self._take(sorted(chain.from_iterable(logs), key=lambda one: (one.block_number, one.log_index)))
        answers: list[Answer] = []
        for deed, sent, one, own in zip(deeds, outgoing, mined, logs, strict=True):
            function = "withdrawBond" if isinstance(deed, Withdrawal) else str(deed.move)
            self._spent.append(Spent(at=at, function=function, gas=one.gas, orders=int(one.succeeded)))
            answers.append(tuple(logged.event for logged in own) if one.succeeded else self._why(sent, one))
        return answers

    def settle_due(self, at: int) -> Sequence[Event]:
        """The mirror catches up, and the keeper settles what it finds due. Raises `MarketStuck` if it leaves some."""
        due: set[str] = set()
        while self._clocks and self._clocks[0][0] <= at:
            order = self.order(heappop(self._clocks)[1])
            if order.state.is_open and order.deadline is not None and order.deadline <= at:
                due.add(order.id)
        if not due:
            return ()
        assert self._keeper is not None  # since `prepare`
        self._blocks.reach(at)
        self._blocks.hands_off(True)
        try:
            self._mirror.run_once()
            self._keeper.run_once(_NoRest(), patience_seconds=_PATIENCE)
        finally:
            self._blocks.hands_off(False)
        settled = self._read_keepers(at)
        left = [one for one in due if self.order(one).state.is_open]
        if left:
            raise MarketStuck(len(left), at)
        self._settled += len(due)
        return [logged.event for logged in settled]

    def finish(self) -> Closing:
        """Mirrors the rest, holds rows against chain, adds up the books."""
        self._blocks.hands_off(True)
        self._mirror.run_once()
        if self._keeper is not None:
            self._keeper.__exit__(None, None, None)
        book = Book(self._store, self._deployment.chain_id, self._deployment.address)
        assert self._deployment.lens is not None  # deployed with the escrow
        report = audit(book, self._node.w3, self._deployment.lens)
        mirrored = {one.id: one for one in self._mirrored(book)}
        client = EscrowClient(node=self._node, contract=self._deployment)
        return Closing(
            events=tuple(self._logged),
            conserved={
                token: conserved(
                    self._logged, self._policies, token, client.balance(account=self.domain.contract, token=token)
                )
                for token in (NATIVE, self.token)
            },
            mirror_equals_chain=not report.drifts and mirrored == self._orders,
            gas=tuple(self._spent),
            settled_by_keeper=self._settled,
        )

    # --------------------------------------------------------------------------------------------------------- sending

    def _outgoing(self, deed: Deed | Withdrawal) -> Outgoing:
        keys = self._accounts.by_address
        if isinstance(deed, Withdrawal):
            free = self._bond_of(deed)
            call = escrow_call(self.domain.contract, "withdrawBond", deed.token, free, deed.seller)
            return Outgoing(keys[deed.seller], call)
        call = call_of(deed, self.order(self.id_of(deed.terms)), self.domain, keys)
        return Outgoing(keys[deed.actor], call)

    def _bond_of(self, deed: Withdrawal) -> int:
        answer = self._ask("bondOf", deed.seller, deed.token)
        return int.from_bytes(answer, "big")

    def _ask(self, function: str, *arguments: Any) -> bytes:
        call = escrow_call(self.domain.contract, function, *arguments)
        fields = {"to": call.to, "data": "0x" + call.data.hex()}
        return bytes.fromhex(str(self._node.request("eth_call", fields, "latest"))[2:])

    def _send_all(self, at: int, outgoing: Sequence[Outgoing]) -> None:
        """While setting up; all of them have to succeed."""
        for start in range(0, len(outgoing), _SETUP_BATCH):
            part = list(outgoing[start : start + _SETUP_BATCH])
            for sent, mined in zip(part, self._blocks.include(at, self._accounts.signed(part)), strict=True):
                if not mined.succeeded:
                    raise self._why(sent, mined)
                self._take(self._decoded(mined.receipt["logs"], mined.timestamp))

    def _why(self, sent: Outgoing, mined: Mined) -> Refusal:
        """What the contract refused. Of several transactions in a block only the trace knows it: a later one may have
        changed what the same call would meet after the block. Of a single one the same call tells it."""
        if isinstance(self._blocks, AnvilBlocks):
            options = {"disableStorage": True, "disableMemory": True, "disableStack": True}
            trace = self._node.request("debug_traceTransaction", mined.receipt["transactionHash"], options)
            return decode_refusal(bytes.fromhex(str(trace["returnValue"]).removeprefix("0x")))
        call = sent.call
        fields = {"from": sent.sender.address, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
        try:
            self._node.request("eth_call", fields, mined.receipt["blockNumber"])
        except NodeRefused as refused:
            if refused.data is not None:
                return decode_refusal(refused.data)
            raise
        block = int(mined.receipt["blockNumber"], 16)
        raise NodeError(
            f"A transaction of the market failed in block {block}, and its call does not: it had too little gas.",
            f"区块 {block} 里的一笔交易失败了，重试却成功：当时 gas 不足。",
        )

    # --------------------------------------------------------------------------------------------------------- reading

    def _decoded(self, raw_logs: Iterable[Mapping[str, Any]], timestamp: int) -> list[Logged]:
        address = self.domain.contract.lower()
        own = (raw for raw in raw_logs if str(raw["address"]).lower() == address)
        return [logged for raw in own if (logged := decode_log(raw, timestamp)) is not None]

    def _take(self, logs: Iterable[Logged]) -> None:
        """What the contract logged becomes what people see."""
        for logged in logs:
            self._logged.append(logged)
            if isinstance(logged.event, OrderEvent):
                name = logged.event.order_id
                order = self._orders[name] = fold(self._orders.get(name), logged, self._policies)
                if order.deadline is not None and order.state.is_open:
                    heappush(self._clocks, (order.deadline, name))

    def _read_keepers(self, at: int) -> list[Logged]:
        """The logs of the blocks that the keeper's transactions made."""
        first = self._logged[-1].block_number + 1
        wanted = {"address": self.domain.contract, "fromBlock": hex(first), "toBlock": "latest"}
        raws: dict[str, list[Mapping[str, Any]]] = {}
        for raw in self._node.request("eth_getLogs", wanted):
            raws.setdefault(raw["blockNumber"], []).append(raw)
        read: list[Logged] = []
        for number, own in raws.items():
            timestamp = int(self._node.request("eth_getBlockByNumber", number, False)["timestamp"], 16)
            read += self._decoded(own, timestamp)
            for transaction in dict.fromkeys(raw["transactionHash"] for raw in own):
                receipt = self._node.request("eth_getTransactionReceipt", transaction)
                orders = sum(isinstance(one.event, OrderClosed) and one.transaction_hash == transaction for one in read)
                self._spent.append(Spent(at=at, function="settleMany", gas=int(receipt["gasUsed"], 16), orders=orders))
        self._take(read)
        return read

    def _mirrored(self, book: Book) -> list[Order]:
        """Every order as the mirror has it."""
        found: list[Order] = []
        cursor = None
        while True:
            page = book.orders(limit=_PAGE, cursor=cursor)
            found += [one.order for one in page.orders]
            if (cursor := page.cursor) is None:
                return found
