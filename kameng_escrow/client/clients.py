"""The two clients: the same operations, called or awaited."""

from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eth_account.signers.local import LocalAccount
from web3 import AsyncWeb3, Web3

from kameng_escrow.chain.connection import AsyncConnection, Connection
from kameng_escrow.chain.deployments import Deployment
from kameng_escrow.chain.errors import InvalidInput
from kameng_escrow.chain.nodes import Node, RpcNode
from kameng_escrow.domain.inputs import parse_address

from .cart import CartOperations
from .deliveries import DeliveryOperations
from .deposits import DepositOperations
from .money import MoneyOperations
from .operations import Awaiting, Calling
from .policies import OperatorOperations, PolicyOperations
from .receipts import ReceiptOperations
from .session import Settings


class _Operations(
    DepositOperations,
    CartOperations,
    MoneyOperations,
    PolicyOperations,
    OperatorOperations,
    DeliveryOperations,
    ReceiptOperations,
):
    """Every operation, once."""

    def acting_as(self, account: LocalAccount | str) -> Self:
        """The same contract over the same connection, as another account. Close the original, not this."""
        other = copy(self)
        other._account = parse_address(account, "account") if isinstance(account, str) else account
        other._disown()
        return other

    def _disown(self) -> None:
        raise NotImplementedError


class EscrowClient(_Operations, Calling):
    """Talks to one escrow as one account. Give exactly one of `node`, `w3` and `rpc_url`. A context manager.

    Args:
        node: an `InProcessNode`, `AnvilNode` or `RpcNode`; stays open when the client closes.
        w3: your own `Web3`. Its provider is asked in plain JSON-RPC, without its middleware.
        rpc_url: a JSON-RPC URL, http or https.
        contract: the deployment's record or the escrow's address; left out, the newest record for the node's chain.
        lens: the lens's address, where `contract` is an address.
        account: a local account, which signs here, or the address of one that the node signs for; left out, the client
            only reads.
        deployments: the folder of records; left out, KAMENG_DEPLOYMENTS or the user's data folder.
        timeout_seconds: for one request over `rpc_url`.
        receipt_timeout_seconds: for a transaction to be mined.
        gas_margin_percent: added to the node's estimate.
        blocks_per_request: the most blocks that `events` asks for at once.

    Raises:
        InvalidInput: not exactly one of `node`, `w3` and `rpc_url`, or no such URL.
        Malformed: an account that is no address.
    """

    def __init__(
        self,
        *,
        node: Node | None = None,
        w3: Web3 | None = None,
        rpc_url: str | None = None,
        contract: Deployment | str | None = None,
        lens: str | None = None,
        account: LocalAccount | str | None = None,
        deployments: Path | None = None,
        timeout_seconds: float = 30,
        receipt_timeout_seconds: float = 120,
        gas_margin_percent: int = 20,
        blocks_per_request: int = 2_000,
    ) -> None:
        _require_one(node, w3, rpc_url)
        super().__init__(
            Settings(
                contract=contract,
                lens=lens,
                deployments=deployments,
                receipt_timeout_seconds=receipt_timeout_seconds,
                gas_margin_percent=gas_margin_percent,
                blocks_per_request=blocks_per_request,
            ),
            account,
        )
        self._own = RpcNode(rpc_url, timeout_seconds=timeout_seconds) if rpc_url is not None else None
        node = self._own or node
        if node is not None:
            w3 = node.w3
        assert w3 is not None, "one of the three is given"
        self._connection = Connection(w3)

    def close(self) -> None:
        """Lets go of a connection that this client made. May be called twice."""
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _disown(self) -> None:
        self._own = None


class AsyncEscrowClient(_Operations, Awaiting):
    """`EscrowClient` with every operation awaited, and `events` for `async for`. An asynchronous context manager.

    The arguments are the same, but `w3` is an `AsyncWeb3`.
    """

    def __init__(
        self,
        *,
        node: Node | None = None,
        w3: AsyncWeb3[Any] | None = None,
        rpc_url: str | None = None,
        contract: Deployment | str | None = None,
        lens: str | None = None,
        account: LocalAccount | str | None = None,
        deployments: Path | None = None,
        timeout_seconds: float = 30,
        receipt_timeout_seconds: float = 120,
        gas_margin_percent: int = 20,
        blocks_per_request: int = 2_000,
    ) -> None:
        _require_one(node, w3, rpc_url)
        super().__init__(
            Settings(
                contract=contract,
                lens=lens,
                deployments=deployments,
                receipt_timeout_seconds=receipt_timeout_seconds,
                gas_margin_percent=gas_margin_percent,
                blocks_per_request=blocks_per_request,
            ),
            account,
        )
        if rpc_url is not None:
            node = RpcNode(rpc_url, timeout_seconds=timeout_seconds)
        self._own = node.async_w3() if node is not None else None
        w3 = self._own or w3
        assert w3 is not None, "one of the three is given"
        self._connection = AsyncConnection(w3)

    async def close(self) -> None:
        """Lets go of a connection that this client made. May be called twice."""
        if self._own is not None:
            await self._own.provider.disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _disown(self) -> None:
        self._own = None


def _require_one(*given: object) -> None:
    if sum(one is not None for one in given) != 1:
        raise InvalidInput(
            "Give the client exactly one of node=…, w3=… and rpc_url=….",
            "请给客户端 node=…、w3=…、rpc_url=… 之中的恰好一个。",
        )
