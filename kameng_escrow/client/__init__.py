# ruff: noqa: ARG001, ARG002
# mypy: disable-error-code=unreachable
"""The SDK's front door: `EscrowClient`, and `AsyncEscrowClient` with the same methods to await.

Amounts are integers in base units, times Unix seconds of the chain's clock, hashes and ids 0x-hex strings.
"""

from types import TracebackType
from typing import Any, Self

from eth_account.signers.local import LocalAccount
from web3 import AsyncWeb3, Web3

from kameng_escrow.chain.nodes import Node

from .accounts import MoneyOperations, PolicyOperations, SellerOperations
from .operations import Awaiting, Calling
from .orders import OrderOperations
from .reading import ReadOperations


class _Operations(OrderOperations, MoneyOperations, SellerOperations, PolicyOperations, ReadOperations):
    """Every operation, once."""


class EscrowClient(_Operations, Calling):
    """Talks to one escrow as one account. Give exactly one of `node`, `w3` and `rpc_url`.

    Args:
        node: an `InProcessNode`, `AnvilNode` or `RpcNode`; stays open when the client closes.
        w3: your own `Web3`, with your own middleware.
        rpc_url: a JSON-RPC URL.
        contract: the deployment's record or the escrow's address; left out, the newest record for the node's chain.
        lens: the lens's address, where `contract` is an address.
        account: a local account that signs, or the address of one that the node signs for; left out, read only.
        deployments: the folder of records.
        timeout_seconds: for one request to the node.
        receipt_timeout_seconds: for a transaction to be mined.
        gas_margin_percent: added to the estimate.
        blocks_per_request: the most blocks that one request for logs covers.
    """

    def __init__(
        self, *, node: Node | None = None, w3: Web3 | None = None, rpc_url: str | None = None, **configuration: Any
    ) -> None:
        raise NotImplementedError

    def acting_as(self, account: LocalAccount | str) -> Self:
        """The same connection and contract, as another account."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of a connection that this client made."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncEscrowClient(_Operations, Awaiting):
    """`EscrowClient` with every operation awaited, and `events` for `async for`."""

    def __init__(
        self,
        *,
        node: Node | None = None,
        w3: AsyncWeb3[Any] | None = None,
        rpc_url: str | None = None,
        **configuration: Any,
    ) -> None:
        raise NotImplementedError

    def acting_as(self, account: LocalAccount | str) -> Self:
        """The same connection and contract, as another account."""
        raise NotImplementedError

    async def close(self) -> None:
        """Lets go of a connection that this client made."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


__all__ = ["AsyncEscrowClient", "EscrowClient"]
